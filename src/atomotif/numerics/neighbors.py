"""k nearest neighbours: exact by blocked matrix products, by cells beyond 50,000 rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import check_choice
from atomotif.numerics._all_pairs import nearest_candidates, unit_scale
from atomotif.numerics._jit import jit
from atomotif.numerics._threads import run_blocks
from atomotif.numerics.neighbor_cells import chosen_cells, partition

METRICS = ("euclidean", "correlation")

#: Up to here every pair is compared; beyond, only cells that hold the neighbours of a sample.
EXACT_LIMIT = 50_000

#: Rows and columns of a block of scores: 0.5 MB, so that it is still in the cache when it is scanned.
_ROWS, _COLUMNS = 256, 512
#: Candidates beyond k that the single precision product hands to the exact distances.
_SPARE = 4
#: Score of "none"; finite, as it is also a factor in the products that score the padding.
_NONE = 3e38
#: Rows of the sample that measures a recall.
_SAMPLE = 512
#: Aim of the choice of cells, above the 0.95 that is promised.
_AIM = 0.97
#: Share of all pairs above which cells are not worth their losses.
_WORTH = 0.7


@dataclass(frozen=True)
class Neighbors:
    """The nearest neighbours of every row, and how sure they are.

    Parameters
    ----------
    indices : ndarray of int32, shape (n, k)
        Rows, nearest first; ties in order of the row.
    distances : ndarray of float32, shape (n, k)
        Their distances.
    recall : float
        Share of the true neighbours found, measured on a sample; 1 where every pair was compared.
    """

    indices: NDArray[np.int32]
    distances: NDArray[np.float32]
    recall: float


def nearest_neighbors(
    X: ArrayLike,
    k: int,
    *,
    metric: str = "euclidean",
    n_threads: int | None = None,
    random_state: int = 0,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the `k` nearest other rows of each row, and their distances.

    See `find_neighbors`, which also returns the recall.

    Examples
    --------
    >>> indices, distances = nearest_neighbors([[0.0], [1.0], [3.0]], 1)
    >>> indices.ravel()
    array([1, 0, 1], dtype=int32)
    >>> distances.ravel()
    array([1., 1., 2.], dtype=float32)
    """
    found = find_neighbors(X, k, metric=metric, n_threads=n_threads, random_state=random_state)
    return found.indices, found.distances


def find_neighbors(
    X: ArrayLike,
    k: int,
    *,
    metric: str = "euclidean",
    n_threads: int | None = None,
    random_state: int = 0,
    exact: bool | None = None,
) -> Neighbors:
    """Return the `k` nearest other rows of each row, their distances and the recall.

    Every pair of rows is compared by blocked matrix products in single precision; the distances of
    the best candidates are then computed from differences in double precision, so that identical
    rows are at distance 0 exactly, and ties are broken by the row's index (of more ties than the
    list and four spare places hold, rounding chooses those that enter). Beyond 50,000 rows the
    rows are cut into k-means cells, and only so many of the cells nearest to a row's own are searched
    as hold 97 % of the true neighbours of a random sample; where that would be more than 70 %
    of the work (features that are mostly noise), every pair is compared after all.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Finite features. Their mean is subtracted in double precision before anything else, so a
        common offset costs no digits.
    k : int
        Neighbours of each row, itself not counted. If there are fewer than `k` other rows, all of
        them are returned: the result has min(k, n - 1) columns.
    metric : {"euclidean", "correlation"}, default "euclidean"
        "correlation" is 1 - r, with r the correlation of two rows over the features (0 to a
        constant row).
    n_threads : int, optional
        Threads; by default all processors. The result does not depend on it.
    random_state : int, default 0
        Seed of the cells and of the sample (unused up to 50,000 rows).
    exact : bool, optional
        Compare every pair (True) or use cells (False); by default cells beyond 50,000 rows.

    Returns
    -------
    Neighbors
        `indices`, `distances` and `recall`.

    Raises
    ------
    ValueError
        If `X` is not a finite array with two axes, or `k` is less than 1.

    Examples
    --------
    >>> find_neighbors([[0.0], [1.0], [3.0]], 10).indices
    array([[1, 2],
           [0, 2],
           [1, 0]], dtype=int32)
    """
    features = as_features(X)
    check_choice(metric, "metric", METRICS)
    if k < 1:
        raise ValueError(f"`k` must be at least 1, got {k}.")
    n = len(features)
    points = unit_rows(features) if metric == "correlation" else centred(features)[0]
    k = min(int(k), n - 1)
    if k < 1:
        return Neighbors(np.empty((n, 0), np.int32), np.empty((n, 0), np.float32), 1.0)
    if exact is None:
        exact = n <= EXACT_LIMIT
    found = None if exact else _search_cells(points, k, n_threads, random_state)
    if found is None:
        found = Neighbors(*_search_pairs(points, k, n_threads), 1.0)
    if metric == "correlation":
        return Neighbors(found.indices, found.distances**2 / np.float32(2), found.recall)
    return found


def query_neighbors(
    X: NDArray[np.float32], queries: NDArray[np.float32], k: int, *, n_threads: int | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the `k` rows of `X` nearest to each row of `queries`, comparing every pair.

    Each query's answer is the same whatever other queries it comes with.

    Parameters
    ----------
    X : ndarray of float32, shape (n, d)
        Finite features, centred (see `centred`).
    queries : ndarray of float32, shape (m, d)
        Finite features with the same centre.
    k : int
        At most `n` are returned.
    n_threads : int, optional
        Threads; by default all processors.

    Returns
    -------
    indices : ndarray of int32, shape (m, min(k, n))
    distances : ndarray of float32, shape (m, min(k, n))

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [3.0]], np.float32)
    >>> query_neighbors(X, np.array([[2.5]], np.float32), 1)
    (array([[2]], dtype=int32), array([[0.5]], dtype=float32))
    """
    return _search_all(queries, np.full(len(queries), -1), X, min(k, len(X)), n_threads)


def as_features(X: ArrayLike, name: str = "X") -> NDArray[Any]:
    """Return `X` as a finite array of float32 or float64 with two axes and at least one row."""
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError(f"`{name}` must not have masked values, got {int(np.ma.getmaskarray(X).sum())}.")
    array = np.asarray(X)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"`{name}` must hold real numbers, got dtype {array.dtype}.")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"`{name}` must have shape (n, features), neither 0, got shape {array.shape}.")
    array = np.ascontiguousarray(array, np.float32 if array.dtype == np.float32 else np.float64)
    if not np.isfinite(array).all():
        bad = int(array.size - np.count_nonzero(np.isfinite(array)))
        raise ValueError(f"`{name}` must be finite everywhere, got {bad} NaN or infinite values.")
    return array


def centred(X: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the rows of `X` minus their mean in float32, and the mean."""
    mean = X.mean(axis=0, dtype=np.float64)
    return np.ascontiguousarray(X - mean, np.float32), mean


def unit_rows(X: NDArray[Any]) -> NDArray[np.float32]:
    """Return each row minus its own mean, scaled to unit length (constant rows: 0)."""
    rows = X - X.mean(axis=1, dtype=np.float64, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    floor = 1e-12 * np.abs(X).max(axis=1, keepdims=True)
    return np.ascontiguousarray(rows / np.where(length > floor, length, np.inf), np.float32)


def _padded(rows: NDArray[np.float32], multiple: int, last: np.ndarray, fill: float) -> NDArray[np.float32]:
    """Return `rows` with the column `last` added, and with rows of padding to a whole `multiple`.

    Full blocks only, so that all products are of one shape.
    """
    n, d = rows.shape
    result = np.zeros((-(-n // multiple) * multiple, d + 1), np.float32)
    result[:n, :d] = rows
    result[:n, d] = last
    result[n:, d] = fill
    return result


class _Index:
    """The rows to be searched, ready for products: score of a pair = |y|^2 - 2 x.y."""

    def __init__(self, points: NDArray[np.float32]) -> None:
        self.points = points
        self.scale = unit_scale(points)
        scaled = points * self.scale
        norms = np.einsum("ij,ij->i", scaled, scaled)
        self.table = _padded(np.float32(-2) * scaled, _COLUMNS, norms, _NONE)

    def search(
        self, queries: NDArray[np.float32], own: NDArray[np.int64], k: int, rows: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the k best of `rows` (all if None) for up to `_ROWS` queries."""
        count = len(queries)
        ids = np.arange(len(self.points)) if rows is None else rows
        table = self.table if rows is None else _gathered(self.table, rows)
        block = _padded(queries * self.scale, _ROWS, np.ones(count, np.float32), 0.0)
        wanted = min(k + _SPARE, len(ids))
        best = np.full((count, wanted), _NONE, np.float32)
        where = np.full((count, wanted), -1, np.int64)
        scores = np.empty((_ROWS, _COLUMNS), np.float32)
        for start in range(0, len(ids), _COLUMNS):
            np.dot(block, table[start : start + _COLUMNS].T, out=scores)
            _keep_best(scores, ids[start : start + _COLUMNS], own, best, where)
        indices = np.empty((count, k), np.int32)
        distances = np.empty((count, k), np.float32)
        _measure(queries, self.points, where, indices, distances)
        return indices, distances


def _gathered(table: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return some rows of a table of products, padded to whole blocks of columns."""
    result = np.zeros((-(-len(rows) // _COLUMNS) * _COLUMNS, table.shape[1]), np.float32)
    result[: len(rows)] = table[rows]
    result[len(rows) :, -1] = _NONE
    return result


def _search_pairs(
    points: NDArray[np.float32], k: int, n_threads: int | None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k nearest other rows of every row."""
    n = len(points)
    where = nearest_candidates(points, min(k + _SPARE, n - 1), n_threads)
    indices = np.empty((n, k), np.int32)
    distances = np.empty((n, k), np.float32)

    def measure(start: int) -> None:
        part = slice(start, start + _ROWS)
        _measure(points[part], points, where[part], indices[part], distances[part])

    run_blocks(measure, range(0, n, _ROWS), n_threads)
    return indices, distances


def _search_all(
    queries: NDArray[np.float32],
    own: NDArray[np.int64],
    points: NDArray[np.float32],
    k: int,
    n_threads: int | None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    index = _Index(points)
    indices = np.empty((len(queries), k), np.int32)
    distances = np.empty((len(queries), k), np.float32)

    def search(start: int) -> None:
        part = slice(start, start + _ROWS)
        indices[part], distances[part] = index.search(queries[part], own[part], k, None)

    run_blocks(search, range(0, len(queries), _ROWS), n_threads)
    return indices, distances


def _search_cells(
    points: NDArray[np.float32], k: int, n_threads: int | None, random_state: int
) -> Neighbors | None:
    """Search the cells around each row's own; None where that is no faster than comparing all."""
    n = len(points)
    rng = np.random.default_rng(random_state)
    cells = partition(points, rng, n_threads)
    learn, check = np.array_split(rng.permutation(n)[: 2 * _SAMPLE], 2)
    truth, _ = _search_all(points[learn], learn, points, k, n_threads)
    n_chosen = chosen_cells(cells, learn, truth, _AIM)
    members = np.diff(cells.offsets)
    work = sum(
        int(members[cell]) * int(members[cells.order[cell, :n_chosen]].sum()) for cell in range(len(members))
    )
    if work > _WORTH * n * n:
        return None
    index = _Index(points)
    indices = np.empty((n, k), np.int32)
    distances = np.empty((n, k), np.float32)
    blocks = [
        (cell, start)
        for cell in range(len(members))
        for start in range(cells.offsets[cell], cells.offsets[cell + 1], _ROWS)
    ]

    def search(block: tuple[int, int]) -> None:
        cell, start = block
        rows = cells.rows[start : min(start + _ROWS, cells.offsets[cell + 1])]
        near = np.concatenate([cells.members(other) for other in cells.order[cell, :n_chosen]])
        if len(near) <= k:  # too few to answer from
            near = np.arange(n)
        indices[rows], distances[rows] = index.search(points[rows], rows, k, np.sort(near))

    run_blocks(search, blocks, n_threads)
    _, exact = _search_all(points[check], check, points, k, n_threads)
    found = distances[check] <= exact[:, -1:] * np.float32(1 + 1e-6)
    return Neighbors(indices, distances, float(found.mean()))


@jit(nogil=True)
def _keep_best(scores, ids, own, best, where):  # type: ignore[no-untyped-def]
    """Merge a block of scores into the running best of each row; the first of equals stays first."""
    last = best.shape[1] - 1
    columns = ids.size
    for i in range(best.shape[0]):
        limit = best[i, last]
        for start in range(0, columns, 64):
            stop = min(start + 64, columns)
            found = np.int32(0)  # integers are vectorised here, a minimum is not
            for j in range(start, stop):
                found |= np.int32(scores[i, j] < limit)
            if not found:
                continue
            for j in range(start, stop):
                score = scores[i, j]
                if score < limit and ids[j] != own[i]:
                    p = last
                    while p > 0 and best[i, p - 1] > score:
                        best[i, p] = best[i, p - 1]
                        where[i, p] = where[i, p - 1]
                        p -= 1
                    best[i, p] = score
                    where[i, p] = ids[j]
                    limit = best[i, last]


@jit(nogil=True)
def _measure(queries, points, where, indices, distances):  # type: ignore[no-untyped-def]
    """Sort the candidates of each row by exact distance, then by index, and keep the first k."""
    candidates = where.shape[1]
    k = indices.shape[1]
    squares = np.empty(candidates, np.float64)
    order = np.empty(candidates, np.int64)
    for i in range(where.shape[0]):
        count = 0
        for c in range(candidates):
            j = where[i, c]
            if j < 0:
                continue
            total = 0.0
            for d in range(points.shape[1]):
                step = np.float64(queries[i, d]) - np.float64(points[j, d])
                total += step * step
            p = count
            while p > 0 and (squares[p - 1] > total or (squares[p - 1] == total and order[p - 1] > j)):
                squares[p] = squares[p - 1]
                order[p] = order[p - 1]
                p -= 1
            squares[p] = total
            order[p] = j
            count += 1
        for c in range(k):
            indices[i, c] = order[c]
            distances[i, c] = np.sqrt(squares[c])
