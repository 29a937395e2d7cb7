"""Minimum spanning tree of points in the plane under the mutual reachability distance."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay, KDTree

from atomotif.numerics._threads import resolve_threads

#: Share of the extent by which points are displaced to find who adjoins whom: equal or collinear
#: points then have a triangulation, too. Distances are taken from the true positions.
_JITTER = 1e-6


def reachability_tree(
    position: NDArray[np.float64], min_samples: int, n_threads: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the edges of a spanning tree, ascending in mutual reachability.

    The mutual reachability of two points is the largest of their distance and of the core
    distances of both (Campello et al. 2013); a core distance reaches to the `min_samples`-th point,
    the point itself counted. The tree is sought among the edges of the Delaunay triangulation and of
    the `min_samples` nearest neighbours. These hold the minimum tree of plain distances, and all
    edges that a core distance can shorten; an edge that crosses noise can be missed, which changes
    the height at which some noise joins a cluster.

    Parameters
    ----------
    position : ndarray of float64, shape (n, 2)
        Finite positions, n of at least 2.
    min_samples : int
        Points that make a place dense; at most n is used.
    n_threads : int, optional
        Threads; the result does not depend on it.

    Returns
    -------
    first, second : ndarray of int64, shape (n - 1,)
        Ends of the edges.
    weight : ndarray of float64, shape (n - 1,)
        Mutual reachabilities, ascending.

    Examples
    --------
    >>> first, second, weight = reachability_tree(np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0]]), 1)
    >>> weight
    array([1., 2.])
    """
    n = len(position)
    nearest = min(min_samples + 1, n)
    distance, neighbour = KDTree(position).query(position, nearest, workers=resolve_threads(n_threads))
    distance, neighbour = distance.reshape(n, -1), neighbour.reshape(n, -1)
    core = distance[:, min(min_samples, n) - 1]
    edges = np.concatenate(
        [
            np.stack([np.repeat(np.arange(n), nearest), neighbour.ravel()], axis=1),
            _adjoining(position),
        ]
    )
    edges = np.sort(edges[edges[:, 0] != edges[:, 1]], axis=1)
    key = np.sort(edges[:, 0] * n + edges[:, 1])
    key = key[np.append(True, key[1:] != key[:-1])]
    first, second = key // n, key % n
    apart = np.hypot(*(position[first] - position[second]).T)
    weight = np.maximum(apart, np.maximum(core[first], core[second]))
    # SciPy reads a stored 0 as no edge: ranks from 1 stand for the weights, in an order without ties.
    order = np.lexsort((key, apart, weight))
    rank = np.empty(len(key))
    rank[order] = np.arange(1, len(key) + 1)
    tree = minimum_spanning_tree(sparse.csr_array((rank, (first, second)), shape=(n, n)))
    kept = order[np.sort(tree.data).astype(np.int64) - 1]
    return first[kept], second[kept], weight[kept]


def _adjoining(position: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return pairs of points that adjoin each other in the plane; they connect all points."""
    n = len(position)
    if n < 5:
        return np.stack(np.triu_indices(n, 1), axis=1)
    extent = float(np.ptp(position, axis=0).max()) or 1.0
    shaken = (position - position.mean(axis=0)) / extent
    shaken += np.random.default_rng(0).uniform(-_JITTER, _JITTER, shaken.shape)
    triangles = Delaunay(shaken).simplices.astype(np.int64)
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    # A point that the triangulation left out (too near another one) hangs on its row's neighbours in x.
    missing = np.flatnonzero(np.bincount(triangles.ravel(), minlength=n) == 0)
    return np.concatenate([pairs, np.stack([missing, (missing + 1) % n], axis=1)])
