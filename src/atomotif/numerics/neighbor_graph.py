"""Graphs that hold a layout together: fuzzy weights, locally scaled neighbours, mid-near pairs."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from atomotif.numerics._jit import jit
from atomotif.numerics._threads import run_blocks

_BLOCK = 8192
#: Random rows among which a mid-near partner is the second nearest.
_MID_NEAR_CANDIDATES = 6


def memberships(distances: NDArray[np.float32], *, n_threads: int | None = None) -> NDArray[np.float32]:
    """Return the weight of each neighbour: 1 for the nearest, falling off exponentially.

    Weights of row i are exp(-(d_ij - d_i1) / s_i), d_i1 the distance of the nearest neighbour and
    s_i such that the row sums to log2(k + 1), as if the row itself were counted among its
    neighbours (the convention of McInnes et al. 2018 for k + 1). Where no s_i can do that, the sum is
    as near as it gets: all neighbours at the distance of the nearest have weight 1, whatever their
    number.

    Parameters
    ----------
    distances : ndarray, shape (n, k)
        Ascending distances to the neighbours, the row itself not among them.
    n_threads : int, optional
        Threads; the result does not depend on it.

    Returns
    -------
    ndarray of float32, shape (n, k)

    Examples
    --------
    >>> weights = memberships(np.array([[1.0, 2.0, 3.0]]))
    >>> weights.sum().round(3), weights[0, 0]
    (np.float32(2.0), np.float32(1.0))
    """
    rows = np.ascontiguousarray(distances, np.float64)
    weights = np.empty(rows.shape, np.float32)

    def weigh(start: int) -> None:
        part = slice(start, start + _BLOCK)
        _weigh(rows[part], np.log2(rows.shape[1] + 1.0), weights[part])

    if rows.size:
        run_blocks(weigh, range(0, len(rows), _BLOCK), n_threads)
    return weights


def fuzzy_graph(
    indices: NDArray[np.int32], distances: NDArray[np.float32], *, n_threads: int | None = None
) -> sparse.csr_array:
    """Return the symmetric graph of the neighbours' memberships a_ij + a_ji - a_ij a_ji.

    Parameters
    ----------
    indices : ndarray of int32, shape (n, k)
        Neighbours of each row, the row itself not among them.
    distances : ndarray of float32, shape (n, k)
        Their distances, ascending.
    n_threads : int, optional
        Threads; the result does not depend on it.

    Returns
    -------
    scipy.sparse.csr_array of float32, shape (n, n)
        Symmetric, indices sorted, nothing on the diagonal.

    Examples
    --------
    >>> fuzzy_graph(np.array([[1], [0], [1]]), np.array([[1.0], [1.0], [2.0]])).toarray()
    array([[0., 1., 0.],
           [1., 0., 1.],
           [0., 1., 0.]], dtype=float32)
    """
    n, k = indices.shape
    weights = memberships(distances, n_threads=n_threads)
    directed = sparse.csr_array(
        (weights.ravel(), np.ravel(indices), np.arange(0, n * k + 1, k) if k else np.zeros(n + 1, int)),
        shape=(n, n),
    )
    reverse = directed.T.tocsr()
    graph = sparse.csr_array(directed + reverse - directed.multiply(reverse))
    graph.sort_indices()
    return graph


def scaled_neighbors(
    indices: NDArray[np.int32], distances: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Choose `k` of more candidates by d_ij^2 / (s_i s_j), s the mean distance to neighbours 4 to 6.

    A member of a rare, loose motif so prefers its own kind to the dense flank of a frequent motif.

    Parameters
    ----------
    indices : ndarray of int32, shape (n, candidates)
        Nearest neighbours, nearest first.
    distances : ndarray of float32, shape (n, candidates)
        Their distances.
    k : int
        Neighbours to keep; at most as many as there are candidates.

    Returns
    -------
    indices : ndarray of int32, shape (n, k)
    distances : ndarray of float32, shape (n, k)
        The square roots of the scaled squares (no unit), ascending.

    Examples
    --------
    >>> indices, distances = scaled_neighbors(np.array([[1], [0]]), np.array([[2.0], [2.0]]), 1)
    >>> distances.ravel()
    array([1., 1.], dtype=float32)
    """
    candidates = indices.shape[1]
    scale = distances[:, min(3, candidates - 1) : 6].mean(axis=1, dtype=np.float64)
    squares = distances.astype(np.float64) ** 2
    product = scale[:, None] * scale[indices]
    # Among duplicates the scale is 0: they stay at distance 0, anything else is infinitely far in
    # this measure and is put behind all others.
    scaled = np.divide(squares, product, out=np.zeros_like(squares), where=product > 0)
    largest = scaled.max(initial=1.0)
    scaled[(product <= 0) & (squares > 0)] = 2 * largest
    order = np.argsort(scaled, axis=1, kind="stable")[:, :k]
    return (
        np.take_along_axis(indices, order, axis=1),
        np.sqrt(np.take_along_axis(scaled, order, axis=1)).astype(np.float32),
    )


def mid_near_pairs(
    points: NDArray[np.float32], n_pairs: int = 2, *, random_state: int = 0
) -> sparse.csr_array:
    """Return a symmetric graph that links each row to the second nearest of six random rows, twice.

    These links carry the coarse order of the features into the first stage of a layout (the device
    of Wang et al. 2021, JMLR 22, 201).

    Parameters
    ----------
    points : ndarray, shape (n, d)
        Features.
    n_pairs : int, default 2
        Links drawn for each row.
    random_state : int, default 0
        Seed of the draw.

    Returns
    -------
    scipy.sparse.csr_array of float32, shape (n, n)
        The number of times that a pair was drawn, in either direction.

    Examples
    --------
    >>> pairs = mid_near_pairs(np.eye(8, dtype=np.float32))
    >>> int(pairs.sum()), bool((pairs != pairs.T).nnz == 0)
    (32, True)
    """
    n = len(points)
    if n < 2:
        return sparse.csr_array((n, n), dtype=np.float32)
    rng = np.random.default_rng(random_state)
    partner = np.empty((n, n_pairs), np.int64)
    rows = np.arange(n)
    for column in range(n_pairs):
        # Any other row: a shift of 1 to n - 1.
        drawn = (rows[:, None] + rng.integers(1, n, (n, _MID_NEAR_CANDIDATES))) % n
        for start in range(0, n, _BLOCK):
            part = slice(start, start + _BLOCK)
            apart = ((points[drawn[part]] - points[part, None]) ** 2).sum(axis=2)
            second = np.argsort(apart, axis=1, kind="stable")[:, 1]
            partner[part, column] = drawn[part][np.arange(len(second)), second]
    ones = np.ones(partner.size, np.float32)
    drawn_pairs = sparse.csr_array((ones, (np.repeat(rows, n_pairs), partner.ravel())), shape=(n, n))
    graph = sparse.csr_array(drawn_pairs + drawn_pairs.T)
    graph.sort_indices()
    return graph


@jit(nogil=True)
def _weigh(distances, target, weights):  # type: ignore[no-untyped-def]
    """Bisect the rate of each row until its weights sum to the target."""
    n, k = distances.shape
    for i in range(n):
        nearest = distances[i, 0]
        total = 0.0
        for j in range(k):
            total += distances[i, j] - nearest
        # In units of the row's mean excess, so that the range of the bisection suits any features.
        unit = total / k if total > 0 else 1.0
        low, high, rate = 0.0, np.inf, 1.0
        for _ in range(64):
            total = 0.0
            for j in range(k):
                total += np.exp(-(distances[i, j] - nearest) / unit * rate)
            if abs(total - target) < 1e-6 or rate > 1e6:
                break
            if total > target:
                low = rate
                rate = 2 * rate if high == np.inf else 0.5 * (low + high)
            else:
                high = rate
                rate = 0.5 * (low + high)
        for j in range(k):
            weights[i, j] = np.exp(-(distances[i, j] - nearest) / unit * rate)
