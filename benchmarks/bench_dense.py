"""Moments and symmetry at every pixel against motif-learn: ratios, interleaved, medians.

Run as ``python benchmarks/bench_dense.py [--size 512] [--radius 16] [--repeats 5]``. A peer that is not
installed (``pip install motif-learn``) is left out.
"""

import argparse
import time
import tracemalloc

import numpy as np

from atomotif.numerics.dense_moments import dense_moments, dense_symmetry

FOLDS = [2, 3, 4, 5, 6]


def candidates(image, radius):
    """Name -> function, ours first."""
    runs = {
        "ours, moments": lambda: dense_moments(image, radius),
        "ours, 5 rotations": lambda: dense_symmetry(image, radius, FOLDS, mirror=False),
        "ours, 5 rotations and mirror": lambda: dense_symmetry(image, radius, FOLDS),
    }
    try:
        from mtflearn.features import ZPs
    except ImportError:
        print("motif-learn is not installed: left out")
        return runs
    peer = ZPs(10, round(2 * radius))
    double = image.astype(float)
    runs["motif-learn, moments"] = lambda: peer.transform(double)
    runs["motif-learn, 5 rotations"] = lambda: peer.transform(double).rot_maps(FOLDS)
    return runs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--radius", type=float, default=16.0)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    image = rng.random((options.size, options.size)).astype(np.float32)
    runs = candidates(image, options.radius)
    times = {name: [] for name in runs}
    for function in runs.values():
        function()
    for _ in range(options.repeats):
        for name, function in runs.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    median = {name: float(np.median(values)) for name, values in times.items()}
    print(f"{options.size} x {options.size} px, radius {options.radius:g} px, medians of {options.repeats}")
    for name, value in median.items():
        print(f"{name:32s}{value * 1e3:9.1f} ms")
    for ours, peer in (("moments", "moments"), ("5 rotations", "5 rotations")):
        if f"motif-learn, {peer}" in median:
            ratio = median[f"motif-learn, {peer}"] / median[f"ours, {ours}"]
            print(f"{ours}: {ratio:.1f} times as fast as motif-learn")
    for name, function in runs.items():
        tracemalloc.start()
        function()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"{name}: {peak / 1e6:.0f} MB traced at the peak, the result included")


if __name__ == "__main__":
    main()
