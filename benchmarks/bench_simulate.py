"""Times simulated micrographs, and the memory that they take at most: medians.

Run as ``python benchmarks/bench_simulate.py [--size 2048] [--repeats 5]``.
"""

import argparse
import time
import tracemalloc

import numpy as np

from atomotif.datasets import simulate
from atomotif.numerics.rendering import render_columns

COLUMNS = 50_000


def measured(function, repeats):
    """Median seconds of a call, and the peak in MB of what one allocates through numpy."""
    function()  # compiled by now
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(np.median(times)), peak / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    shape = (options.size, options.size)
    rng = np.random.default_rng(0)
    points, heights = rng.uniform(0, options.size, (COLUMNS, 2)), rng.random(COLUMNS)
    # The pixel size at which a MoS2 monolayer has as many columns.
    pixel = float(np.sqrt(COLUMNS * 0.316**2 * np.sqrt(3) / 4) / options.size)
    crystal = {"shape": shape, "pixel_size": pixel, "defects": {"VS": 0.03, "Fe_Mo": 0.02, "TeS": 0.02}}
    ripple = simulate.ripple(0.02, 5.0, 30.0)
    runs = {
        "rendering alone, FWHM 4 px": lambda: render_columns(shape, points, heights, 4.0),
        "rendering alone, FWHM 8 px": lambda: render_columns(shape, points, heights, 8.0),
        "monolayer with defects": lambda: simulate.monolayer(**crystal),
        "monolayer with a ripple": lambda: simulate.monolayer(**crystal, displacement=ripple),
        "grain boundary, wavy": lambda: simulate.grain_boundary(**crystal, waviness=0.5),
        "mirror twin boundary": lambda: simulate.mirror_twin_boundary("MoS2", **crystal),
    }
    print(f"{shape[0]} x {shape[1]} px, about {COLUMNS} columns, medians of {options.repeats}")
    for name, function in runs.items():
        seconds, megabytes = measured(function, options.repeats)
        print(f"{name:32s}{seconds:8.3f} s{megabytes:8.0f} MB")


if __name__ == "__main__":
    main()
