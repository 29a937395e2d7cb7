"""Times the whole analysis, from image to motifs, warm and cold, and what importing costs.

    python benchmarks/bench_analysis.py [COLUMNS ...]        (default 2000 20000 200000)

Cold figures are those of a fresh process with an empty numba cache.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy import ndimage

import atomotif as am

SPACING = 12.0


def micrograph(columns: int, seed: int = 0) -> np.ndarray:
    """A honeycomb of two kinds of columns with 3 % vacancies, blurred, with Poisson noise."""
    generator = np.random.default_rng(seed)
    size = int(np.sqrt(columns * 3 * np.sqrt(3) / 4) * SPACING)
    a1, a2 = np.array([0, np.sqrt(3)]) * SPACING, np.array([1.5, np.sqrt(3) / 2]) * SPACING
    count = int(2 * size / SPACING)
    i, j = np.mgrid[-count:count, 0:count]
    image = np.zeros((size, size), np.float32)
    for offset, strength in ((np.zeros(2), 1.0), (np.array([SPACING, 0]), 0.6)):
        position = i[..., None] * a1 + j[..., None] * a2 + offset + 0.31
        position = position[((position > 0) & (position < size - 1.5)).all(-1)]
        height = np.where((generator.random(len(position)) < 0.03) & (strength < 1), 0.3, strength)
        base = position.astype(int)
        part = position - base
        for down in (0, 1):  # bilinear placement keeps the sub-pixel position
            for right in (0, 1):
                share = np.abs(1 - down - part[:, 0]) * np.abs(1 - right - part[:, 1])
                np.add.at(image, (base[:, 0] + down, base[:, 1] + right), height * share)
    sigma = 0.22 * SPACING
    image = ndimage.gaussian_filter(image, sigma) * 2 * np.pi * sigma**2
    return generator.poisson(np.maximum(image, 0) * 300 + 30).astype(np.float32)


def warm(columns: int) -> None:
    image = micrograph(columns)
    runs = 5 if columns <= 5000 else 3 if columns <= 50_000 else 1
    times, steps = [], {}
    for _ in range(runs):
        session = am.MotifSession(image)
        start = time.perf_counter()
        session.run()
        times.append(time.perf_counter() - start)
        for verb, taken in session.timings.items():
            steps.setdefault(verb, []).append(taken)
    medians = ", ".join(f"{verb} {statistics.median(taken):.2f}" for verb, taken in steps.items())
    found = session.data["points"].sizes["point"]
    print(
        f"{found:>7} columns, {image.shape[0]} px: {statistics.median(times):6.2f} s, "
        f"{len(session.motifs)} motifs ({medians})",
        flush=True,
    )


def cold() -> None:
    session = (
        "import time, numpy as np\n"
        "image = np.load({path!r})\n"
        "t0 = time.perf_counter(); import atomotif as am; t1 = time.perf_counter()\n"
        "session = am.MotifSession(image); t2 = time.perf_counter()\n"
        "session.run(); t3 = time.perf_counter()\n"
        "print(f'{{t1 - t0:.3f}} {{t2 - t1:.2f}} {{t3 - t2:.2f}}')\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/image.npy"
        np.save(path, micrograph(2000))
        for name in ("cold", "warm cache"):
            done = subprocess.run(
                [sys.executable, "-c", session.format(path=path)],
                env=os.environ | {"NUMBA_CACHE_DIR": f"{folder}/numba"},
                capture_output=True,
                text=True,
                check=True,
            )
            imported, first, run = done.stdout.split()
            print(f"{name:<11} import {imported} s, first MotifSession {first} s, first run {run} s")


def main() -> None:
    sizes = [int(argument) for argument in sys.argv[1:]] or [2000, 20_000, 200_000]
    am.MotifSession(micrograph(1000)).run()
    for columns in sizes:
        warm(columns)
    cold()


if __name__ == "__main__":
    main()
