"""k nearest neighbours against scikit-learn's brute force and faiss's flat index.

Run ``python benchmarks/bench_neighbors.py [rows ...]``; peers that are not installed are left out.
Beyond 50,000 rows the exact peers take minutes: only our own search is timed there, with its recall.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from atomotif.numerics.neighbors import EXACT_LIMIT, find_neighbors

K, FEATURES, REPEATS = 10, 66, 3


def features(n: int) -> np.ndarray:
    """Twelve motifs, one of them 60 % of the rows, in 66 moments with white noise."""
    rng = np.random.default_rng(0)
    kind = np.where(rng.random(n) < 0.6, 0, rng.integers(0, 12, n))
    return (rng.normal(size=(12, FEATURES))[kind] + 0.3 * rng.normal(size=(n, FEATURES))).astype(np.float32)


def contestants(X: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Each returns the neighbours of every row without itself."""
    found: dict[str, Callable[[], np.ndarray]] = {
        "atomotif": lambda: find_neighbors(X, K).indices,
        "atomotif, 1 thread": lambda: find_neighbors(X, K, n_threads=1).indices,
    }
    if len(X) > EXACT_LIMIT:
        return {"atomotif": found["atomotif"]}
    from sklearn.neighbors import NearestNeighbors

    found["scikit-learn brute"] = lambda: (
        NearestNeighbors(n_neighbors=K, algorithm="brute", n_jobs=-1).fit(X).kneighbors(return_distance=False)
    )
    try:
        import faiss
    except ImportError:
        return found

    def flat() -> np.ndarray:
        index = faiss.IndexFlatL2(X.shape[1])
        index.add(X)
        return np.asarray(index.search(X, K + 1)[1][:, 1:])

    found["faiss flat"] = flat
    return found


def main(sizes: list[int]) -> None:
    find_neighbors(features(1000), K)  # compile
    print(f"{'rows':>8} {'':24} {'seconds':>9} {'ratio':>7}")
    for n in sizes:
        X = features(n)
        times: dict[str, list[float]] = {}
        for _ in range(REPEATS if n <= EXACT_LIMIT else 1):
            for name, search in contestants(X).items():
                start = time.perf_counter()
                search()
                times.setdefault(name, []).append(time.perf_counter() - start)
        own = median(times["atomotif"])
        for name, values in times.items():
            print(f"{n:8d} {name:24} {median(values):9.3f} {median(values) / own:7.2f}", flush=True)
        if n > EXACT_LIMIT:
            print(f"{n:8d} recall {find_neighbors(X, K).recall:.3f}")


if __name__ == "__main__":
    main([int(value) for value in sys.argv[1:]] or [2_000, 20_000])
