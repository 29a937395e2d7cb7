"""Zernike moments against motif-learn and scikit-learn's PCA: ratios, interleaved, medians.

Run as ``python benchmarks/bench_zernike.py [--points 20000] [--repeats 7]``. Peers that are not installed
(``pip install motif-learn``) are left out.
"""

import argparse
import time
import tracemalloc

import numpy as np
from sklearn.decomposition import PCA

from atomotif.numerics.moments import zernike_moments

SIZE = 32
SPACING = 9


def scene(n_points):
    """A noisy image with `n_points` positions on a jittered grid, none closer than a patch to the edge."""
    rng = np.random.default_rng(0)
    side = int(np.ceil(np.sqrt(n_points)))
    length = side * SPACING + 3 * SIZE
    image = rng.normal(size=(length, length)).astype(np.float32)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1).reshape(-1, 2)
    points = grid[:n_points] * float(SPACING) + 1.5 * SIZE
    return image, points + rng.uniform(-0.5, 0.5, points.shape)


def candidates(image, points):
    """Name -> function, ours first."""
    half = SIZE // 2
    whole = np.rint(points)
    rows, cols = whole.astype(int).T
    windows = np.lib.stride_tricks.sliding_window_view(image, (SIZE, SIZE))

    def cut(dtype):
        return windows[rows - half, cols - half].astype(dtype)

    ready = cut(np.float64)
    flat = ready.reshape(len(points), -1).astype(np.float32)
    runs = {
        "ours, integer centres": lambda: zernike_moments(image, whole, half, subpixel=False),
        "ours, sub-pixel centres": lambda: zernike_moments(image, points, half),
        "PCA(66) auto, ready f32": lambda: PCA(66, random_state=0).fit_transform(flat),
        "PCA(66) covariance_eigh, ready f32": lambda: PCA(66, svd_solver="covariance_eigh").fit_transform(
            flat
        ),
    }
    try:
        from mtflearn.features import ZPs
    except ImportError:
        print("motif-learn is not installed: left out")
        return runs
    peer = ZPs(10, SIZE)
    runs["motif-learn, ready f64"] = lambda: peer.transform(ready)
    runs["motif-learn, with extraction"] = lambda: peer.transform(cut(np.float64))
    return runs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--skip-pca", action="store_true", help="leave out what takes longest")
    options = parser.parse_args()
    image, points = scene(options.points)
    runs = candidates(image, points)
    if options.skip_pca:
        runs = {name: function for name, function in runs.items() if not name.startswith("PCA")}
    times = {name: [] for name in runs}
    for function in runs.values():
        function()
    for _ in range(options.repeats):
        for name, function in runs.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    median = {name: float(np.median(values)) for name, values in times.items()}
    ours = [name for name in runs if name.startswith("ours")]
    print(f"{options.points} patches of {SIZE} x {SIZE} px, medians of {options.repeats}")
    print(f"{'':36s}{'ms':>9s}" + "".join(f"{'/ ' + name[6:]:>24s}" for name in ours))
    for name, value in median.items():
        print(f"{name:36s}{value * 1e3:9.1f}" + "".join(f"{value / median[own]:24.1f}" for own in ours))
    for name in ours:
        tracemalloc.start()
        result = runs[name]()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"{name}: {max(peak - result.nbytes, 0) / 1e6:.1f} MB traced beyond the result "
            "(not traced: the tables of weights, kept from call to call, and 0.8 MB of buffers a thread)"
        )


if __name__ == "__main__":
    main()
