"""What reconstructions explain, and how long pasting takes.

Run ``python benchmarks/bench_reconstruction.py``; with ATOMOTIF_SHARED set to the folder of benchmark truth
and real micrographs, also of these. The limit is the share of the variance that is not noise.
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

import atomotif as am
from atomotif.numerics.reconstruction import paste_averages


def samples() -> dict[str, Any]:
    found: dict[str, Any] = {"mose2_vacancies()": am.datasets.mose2_vacancies()}
    try:
        found["mos2_se()"] = am.datasets.mos2_se()
    except OSError as error:
        print(f"mos2_se() is left out: {error}")
    folder = os.environ.get("ATOMOTIF_SHARED")
    if folder:
        for name in ("clean", "dose_low", "dose_medium", "dose_high"):
            with np.load(Path(folder) / "bench" / f"mose2_vse__{name}.npz") as file:
                found[f"mose2_vse {name}"] = file["image"].astype(float)
        real = Path(folder) / "data" / "mose2_monolayer_vacancies" / "image.npy"
        found["MoSe2, real"] = np.load(real)
    return found


def report(name: str, image: Any) -> None:
    """One line for each unit, and the time as a share of that of `run`."""
    session = am.MotifSession(image).run()
    whole = sum(session.timings.values())
    for units in ("motifs", "cells", "motif_cells"):
        session.reconstruct(units=units)
        session.reconstruct(units=units)  # compiled by now
        attrs = session.data["reconstruction"].attrs
        print(
            f"{name:<24} {units:<12} explained {attrs['explained_variance']:.4f} "
            f"of {attrs['explained_variance_limit']:.4f}, SSIM {attrs['ssim']:.3f}, "
            f"covers {attrs['covered']:.2f}, {session.data['reconstruction'].sizes['candidate']} candidates, "
            f"{session.timings['reconstruct']:.2f} s (run: {whole:.2f} s)"
        )


def time_pasting() -> None:
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(142), np.arange(142), indexing="ij"), -1).reshape(-1, 2)[:20000]
    points = grid * 14.4 + 4.3 + rng.normal(0, 0.3, (20000, 2))
    averages, labels = rng.normal(size=(5, 37, 37)), rng.integers(0, 5, 20000)
    for name, angles in (("straight", None), ("turned", rng.uniform(-3, 3, 20000))):
        times = []
        for _ in range(4):
            start = time.perf_counter()
            paste_averages((2048, 2048), averages, points, labels, angles=angles, radius=17.3)
            times.append(time.perf_counter() - start)
        print(f"20,000 {name} patches of 35 px into 2048 x 2048 px: {min(times):.3f} s")


def main() -> None:
    time_pasting()
    for name, image in samples().items():
        report(name, image)


if __name__ == "__main__":
    main()
