"""Time and peak memory of the hierarchy of motif-cells against the number of minority items.

Run ``python benchmarks/bench_hierarchy.py [items ...]``. Sites of a lattice are occupied at random, so that
the share of occupied sites decides how many motif-cells are distinct and how large they grow:
"dilute" stays far below the density at which one component takes all, "near percolation" has one of
a third of the items. Memory is the peak of what Python allocates (tracemalloc), the items included, in a
run of its own, as tracing slows it down. Cold is the first call in a process, with an empty cache of numba.
"""

import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from statistics import median
from typing import Any

import numpy as np

from atomotif.numerics.crystal_operations import crystal_operations, four_fold_of_index, identity
from atomotif.numerics.motif_cell_edges import subset_edges
from atomotif.numerics.motif_cells import canonical_forms, grow
from atomotif.numerics.site_neighbors import near_offsets, von_neumann_offsets

REPEATS = 3
HEXAGONAL = np.array([[0.0, 20.0], [10 * np.sqrt(3), 10.0]])
MX2 = np.array([[0.0, 0.0], [1 / 3, 1 / 3]])
#: Sublattices, share of occupied sites, states.
CASES = {
    "MX2 sites, dilute": (2, 0.15, 1),
    "MX2 sites, 8 states": (2, 0.20, 8),
    "MX2 sites, near percolation": (2, 0.362, 3),
    "hexagonal sites, near percolation": (1, 0.502, 1),
    "cells, c4": (0, 0.45, 5),
    "cells, c4, near percolation": (0, 0.595, 2),
}


def sample(n: int, n_kinds: int, share: float, n_states: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """About n occupied sites of a square piece of the lattice."""
    rng = np.random.default_rng(0)
    side = round(np.sqrt(n / share / n_kinds))
    items = np.argwhere(rng.random((side, side, n_kinds)) < share)
    return items[:, :2].copy(), items[:, 2].copy(), rng.integers(1, n_states + 1, len(items))


def rules(n_kinds: int) -> tuple[Any, Any, Any]:
    """Neighbours, symmetry, and the operations of the subset test; 0 sublattices are the paper's cells."""
    if n_kinds == 0:
        return von_neumann_offsets(), four_fold_of_index(), identity()
    operations = crystal_operations(HEXAGONAL, MX2[:n_kinds], np.arange(n_kinds))
    return near_offsets(HEXAGONAL, MX2[:n_kinds], operations=operations), operations, operations


def build(case: tuple[int, float, int], n: int, edges: str) -> tuple[list[float], Any, int]:
    """Seconds of growth, canonical forms and edges; the motif-cells, and the number of edges."""
    index, kind, state = sample(n, max(case[0], 1), *case[1:])
    neighbors, symmetry, allowed = rules(case[0])
    marks = [time.perf_counter()]
    component = grow(index, kind, neighbors)
    marks.append(time.perf_counter())
    cells = canonical_forms(index, kind, state, component, symmetry)
    marks.append(time.perf_counter())
    n_edges = len(subset_edges(cells, allowed, edges)[0])
    marks.append(time.perf_counter())
    return np.diff(marks).tolist(), cells, n_edges


def peak_memory(case: tuple[int, float, int], n: int) -> float:
    """MB."""
    tracemalloc.start()
    build(case, n, "nearest")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def cold() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        subprocess.run([sys.executable, __file__, "cold"], env=environment, check=True)


def main(sizes: list[int]) -> None:
    cold()
    head = f"{'grow':>7} {'forms':>7} {'nearest':>8} {'all':>7} {'MB':>6}"
    print(f"{'items':>7} {'seconds':34} {head} {'largest':>8} {'distinct':>8} {'edges':>7} {'all edges':>9}")
    build(CASES["cells, c4"], 1000, "nearest")
    for n in sizes:
        for name, case in CASES.items():
            nearest = [build(case, n, "nearest") for _ in range(REPEATS)]
            every = [build(case, n, "all") for _ in range(REPEATS)]
            times = [median(run[0][step] for run in nearest) for step in range(3)]
            times.append(median(run[0][2] for run in every))
            cells = nearest[0][1]
            items = int(cells.level @ cells.count)
            print(
                f"{items:7d} {name:34} {times[0]:7.3f} {times[1]:7.3f} {times[2]:8.3f} {times[3]:7.3f} "
                f"{peak_memory(case, n):6.1f} {cells.level.max() / items:8.1%} {len(cells.level):8d} "
                f"{nearest[0][2]:7d} {every[0][2]:9d}",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:] == ["cold"]:
        print(f"cold, 1,000 items: {sum(build(CASES['cells, c4'], 1000, 'nearest')[0]):.1f} s", flush=True)
    else:
        main([int(value) for value in sys.argv[1:]] or [1_000, 10_000, 100_000])
