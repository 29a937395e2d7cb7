"""Detection on the simulated micrographs with truth, one set of defaults, beside the prototype's score.

    ATOMOTIF_SHARED=... python benchmarks/score_detection.py [NAME ...]

NAME is part of a file name, for instance `ws2` or `dose_low`. Ends with status 1 if a file's F1 is
more than 0.02 below the prototype's.
"""

import importlib.util
import os
import re
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from atomotif.numerics.columns import find_columns

TOLERANCE = 0.02


def load_scorer(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_score", folder / "score.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(folder / "score.py")
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the folder may be read-only
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


def prototype_scores(results: Path) -> dict[str, tuple[float, float]]:
    """F1 and rms (px) per file, read from the prototype's table."""
    found = re.findall(r"^(\S+)\s+(\S+)\s+F1 (\S+) rms (\S+)", results.read_text(), re.MULTILINE)
    return {f"{family}__{variant}": (float(f1), float(rms)) for family, variant, f1, rms in found}


def score(scorer: ModuleType, path: Path) -> dict[str, Any]:
    truth = scorer.load_truth(path)
    image = truth.get("image_float", truth["image"])
    start = time.perf_counter()
    columns = find_columns(image)
    seconds = time.perf_counter() - start
    result: dict[str, Any] = scorer.detection_scores(
        truth["positions_xy_px"], columns.points[:, ::-1], visible=truth["visible"], shape=image.shape
    )
    return {**result, "seconds": seconds, "nearest_neighbor": columns.nearest_neighbor}


def main(names: list[str]) -> int:
    folder = Path(os.environ["ATOMOTIF_SHARED"])
    scorer = load_scorer(folder / "bench")
    reference = prototype_scores(folder / "prototype" / "motifs" / "RESULTS.txt")
    rows = []
    print(
        f"{'file':32} {'F1':>6} {'(was)':>6} {'prec.':>6} {'recall':>6} {'rms px':>6} {'(was)':>6} {'s':>5}"
    )
    for name, (old_f1, old_rms) in sorted(reference.items()):
        if names and not any(part in name for part in names):
            continue
        now = score(scorer, folder / "bench" / f"{name}.npz")
        rows.append((name.split("__")[0], now["f1"], old_f1, now["rms_px"], old_rms))
        print(
            f"{name:32} {now['f1']:6.3f} {old_f1:6.3f} {now['precision']:6.3f} {now['recall']:6.3f} "
            f"{now['rms_px']:6.3f} {old_rms:6.2f} {now['seconds']:5.2f}"
            + (" WORSE" if now["f1"] < old_f1 - TOLERANCE else ""),
            flush=True,
        )
    for family in sorted({row[0] for row in rows}):
        values = np.array([row[1:] for row in rows if row[0] == family])
        f1, old_f1, rms, old_rms = values.mean(axis=0)
        print(f"mean {family:27} F1 {f1:.4f} ({old_f1:.4f})  rms {rms:.3f} ({old_rms:.3f}) px")
    f1 = np.array([row[1] for row in rows])
    old = np.array([row[2] for row in rows])
    print(f"all: F1 {f1.mean():.4f} (prototype {old.mean():.4f}), least {f1.min():.3f} ({old.min():.3f})")
    return int((f1 < old - TOLERANCE).any())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
