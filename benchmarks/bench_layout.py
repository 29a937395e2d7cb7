"""Force relaxation per iteration against motif-learn, and against the optimiser of umap-learn.

Run ``python benchmarks/bench_layout.py [nodes ...]``; peers that are not installed are left out.
All relax the same graph of 10 neighbours from the same start with 5 random repulsions an edge. Contestants
take turns; the time of an iteration is the difference of a long and a short run, so that set-up cancels.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from atomotif.numerics.neighbor_graph import fuzzy_graph
from atomotif.numerics.neighbors import nearest_neighbors
from atomotif.numerics.relaxation import Stage, relax

REPEATS = 3
STAGES = (Stage(1, 1, 0, 2), Stage(5, 1, 2, 5))


def graph_of(n: int) -> tuple:
    """A graph of neighbours in 16 features of twelve motifs, and a start."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(12, 16))[rng.integers(0, 12, n)] + 0.3 * rng.normal(size=(n, 16))).astype(
        np.float32
    )
    indices, distances = nearest_neighbors(X, 10)
    start = X[:, :2] * np.float32(10 / np.abs(X[:, :2]).max())
    return fuzzy_graph(indices, distances), indices, start


def own(graph, start, threads: int) -> Callable[[int], None]:  # type: ignore[no-untyped-def]
    def run(iterations: int) -> None:
        half = iterations // 2
        relax((graph, graph), start, STAGES, (half, iterations - half), n_threads=threads)

    return run


def motif_learn(graph, indices, start) -> Callable[[int], None] | None:  # type: ignore[no-untyped-def]
    try:
        from mtflearn.manifold.force_relaxed import compute_nodes, compute_pairs, optimize_layout
    except ImportError:
        return None
    pairs = compute_pairs(graph)

    def run(iterations: int) -> None:
        optimize_layout(
            iterations,
            compute_nodes(start.astype(float)),
            pairs,
            5,
            indices.astype(np.int64),
            1.0,
            np.array((0, 2, 1, 1)),
            np.array((2, 5, 5, 1)),
            np.array((1, 2, 3), np.int64),
            0.5,
        )

    return run


def umap_learn(graph, start) -> Callable[[int], None] | None:  # type: ignore[no-untyped-def]
    try:
        from umap.layouts import optimize_layout_euclidean
    except ImportError:
        return None
    edges = graph.tocoo()
    # Its own schedule: an edge is visited as often as its weight says.
    every = edges.data.max() / edges.data.astype(np.float64)

    def run(iterations: int) -> None:
        position = start.copy()
        optimize_layout_euclidean(
            position,
            position,
            edges.row.astype(np.int32),
            edges.col.astype(np.int32),
            iterations,
            len(start),
            every,
            1.577,
            0.895,
            np.array((1, 2, 3), np.int64),
            1.0,
            1.0,
            5,
            parallel=False,
            verbose=False,
            move_other=True,
        )

    return run


def main(sizes: list[int]) -> None:
    print(f"{'nodes':>8} {'':24} {'ms/iteration':>13} {'ratio':>7}")
    for n in sizes:
        graph, indices, start = graph_of(n)
        contestants = {
            "atomotif, 1 thread": own(graph, start, 1),
            "atomotif, 2 threads": own(graph, start, 2),
            "motif-learn": motif_learn(graph, indices, start),
            "umap-learn": umap_learn(graph, start),
        }
        running = {name: run for name, run in contestants.items() if run is not None}
        short, long = (2, 12) if n > 50_000 else (2, 42)
        times: dict[str, list[float]] = {name: [] for name in running}
        for run in running.values():
            run(2)  # compile
        for _ in range(REPEATS):
            for name, run in running.items():
                marks = [time.perf_counter()]
                for iterations in (short, long):
                    run(iterations)
                    marks.append(time.perf_counter())
                times[name].append((marks[2] - 2 * marks[1] + marks[0]) / (long - short) * 1e3)
        base = median(times["atomotif, 1 thread"])
        for name, values in times.items():
            print(f"{n:8d} {name:24} {median(values):13.3f} {median(values) / base:7.2f}", flush=True)


if __name__ == "__main__":
    main([int(value) for value in sys.argv[1:]] or [2_000, 20_000, 200_000])
