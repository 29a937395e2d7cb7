"""Scores the whole chain, with one set of defaults, against the benchmark's truth.

    ATOMOTIF_SHARED=... python benchmarks/score_bench.py [FAMILY ...]

For every simulated micrograph of ``$ATOMOTIF_SHARED/bench`` it runs a session and prints the detection's F1
and localisation, and end to end (columns that were not found count) the adjusted Rand index, macro F1, recall
of rare classes and number of motifs. The moiré is scored for detection only.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np

import atomotif as am
from score_motifs import load_scorer

#: Families whose truth is scored under two keys, with rotation-invariant features and with oriented ones.
TWO_VIEWS = {"polycrystal_mos2": (("labels", True), ("motif_labels", False))}
DETECTION_ONLY = {"mos2_twist_3p15"}
VARIANTS = ("clean", "dose_high", "dose_medium", "dose_low", "jitter", "background")


def main() -> None:
    bench = Path(os.environ["ATOMOTIF_SHARED"]) / "bench"
    score = load_scorer(bench.parent)
    families = sys.argv[1:] or sorted({path.name.split("__")[0] for path in bench.glob("*.npz")})
    head = ("F1", 6), ("rms px", 7), ("ARI", 6), ("macro", 6), ("rare", 6), ("k", 5), ("s", 5)
    print(f"{'file':<34} {'view':<9} " + " ".join(f"{name:>{width}}" for name, width in head))
    totals = []
    for family in families:
        for variant in VARIANTS:
            truth = score.load_truth(bench / f"{family}__{variant}.npz")
            image = truth.get("image_float", truth["image"])
            session = am.MotifSession(image, pixel_size=float(truth["pixel_size_nm"]))
            for key, invariant in TWO_VIEWS.get(family, (("motif_labels", True),)):
                start = time.perf_counter()
                session.run(rotation_invariant=invariant)
                seconds = time.perf_counter() - start
                points = session.data["points"]
                found = {
                    "positions_xy_px": np.column_stack([points["col"], points["row"]]),
                    "labels": session.data["motifs"]["label"].values,
                }
                result = score.score_file(truth, found, truth_key=key)
                detection, whole = result["detection"], result["end_to_end"]
                row = f"{detection['f1']:6.3f} {detection['rms_px']:7.2f}"
                if family not in DETECTION_ONLY:
                    row += (
                        f" {whole['ari']:6.3f} {whole['macro_f1_best']:6.3f} {whole['rare_recall_best']:6.2f}"
                        f" {whole['n_clusters']:2d}/{whole['n_classes']:<2d}"
                    )
                    totals.append([whole["ari"], whole["macro_f1_best"], whole["rare_recall_best"]])
                view = "turned" if invariant else "oriented"
                print(f"{family + ' ' + variant:<34} {view:<9} {row} {seconds:5.1f}", flush=True)
    if totals:
        ari, macro, rare = np.nanmean(totals, axis=0)
        print(f"{'mean':<34} {'':<9} {'':6} {'':7} {ari:6.3f} {macro:6.3f} {rare:6.2f}")


if __name__ == "__main__":
    main()
