"""A layout that keeps distances along the data: what is bent in the features becomes flat."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from atomotif.numerics._threads import one_blas_thread
from atomotif.numerics.neighbors import as_features, query_neighbors

__all__ = ["geodesic_layout"]

# Rows whose graph is searched; the others are placed between them.
_SAMPLE = 2000
# Rows that distances along the graph are measured from.
_LANDMARKS = 100
# Rows of the sample that a row reaches the others by.
_DOORS = 5


def geodesic_layout(
    features: ArrayLike,
    n_components: int = 2,
    *,
    n_neighbors: int = 30,
    random_state: int = 0,
    n_threads: int | None = None,
) -> NDArray[np.float64]:
    """Return coordinates whose distances are those along the graph of nearest neighbours.

    Parameters
    ----------
    features : array_like, shape (n, d)
        Finite.
    n_components : int, default 2
        Number of coordinates, at least 1.
    n_neighbors : int, default 30
        Neighbours in the graph: with fewer, noise makes ways longer, with more, they are cut short.
    random_state : int, default 0
        Seed of the sample, of use beyond 2000 rows, and of the landmarks, beyond 100.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    ndarray of float64, shape (n, n_components)
        In units of the features, most extended first, centred; of each the sum of cubes is not negative.

    Raises
    ------
    ValueError
        If the features are not finite or `n_components` is below 1.

    Notes
    -----
    Isomap (Tenenbaum, de Silva and Langford 2000, Science 290, 2319) with landmarks (de Silva and Tenenbaum
    2004). Islands of the graph are joined at the smallest distance between them.

    Examples
    --------
    >>> angle = np.linspace(0, 5, 300)
    >>> bent = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> way = geodesic_layout(bent, 1)[:, 0]
    >>> bool(abs(np.ptp(way) - 5) < 0.3)
    True
    """
    rows = as_features(features, "features")
    if n_components < 1:
        raise ValueError(f"`n_components` must be at least 1, got {n_components}.")
    if len(rows) < 2:
        return np.zeros((len(rows), n_components))
    rng = np.random.default_rng(random_state)
    centred = (rows - rows.mean(axis=0)).astype(np.float32)
    chosen = np.sort(rng.permutation(len(rows))[:_SAMPLE])
    landmarks = np.sort(rng.permutation(len(chosen))[:_LANDMARKS])
    sample = np.ascontiguousarray(centred[chosen])
    index, distance = query_neighbors(sample, sample, min(n_neighbors + 1, len(sample)), n_threads=n_threads)
    ways = _joined(_graph(index, distance), sample)
    between = dijkstra(ways, directed=False, indices=landmarks)
    doors, first = query_neighbors(sample, centred, min(_DOORS, len(sample)), n_threads=n_threads)
    reached = np.full((len(landmarks), len(rows)), np.inf)
    for door, way in zip(doors.T, first.T, strict=True):
        np.minimum(reached, between[:, door] + way, out=reached)
    with one_blas_thread():
        return _placed(reached**2, between[:, landmarks] ** 2, n_components)


def _graph(index: NDArray[np.int32], distance: NDArray[np.float32]) -> sparse.csr_array:
    n, k = index.shape
    # Zero would be no edge at all.
    least = np.finfo(np.float32).tiny
    edges = (np.repeat(np.arange(n), k), index.ravel())
    graph = sparse.coo_array((np.maximum(distance, least).ravel().astype(np.float64), edges), shape=(n, n))
    return graph.tocsr().maximum(graph.tocsr().T)


def _joined(graph: sparse.csr_array, sample: NDArray[np.float32]) -> sparse.csr_array:
    """Return the graph with an edge between each island and the nearest other one, until it is one."""
    while True:
        count, island = connected_components(graph, directed=False)
        if count == 1:
            return graph
        own = np.flatnonzero(island == 0)
        others = np.flatnonzero(island != 0)
        index, distance = query_neighbors(sample[others], sample[own], 1, n_threads=1)
        best = int(distance[:, 0].argmin())
        a, b = own[best], others[index[best, 0]]
        way = max(float(distance[best, 0]), float(np.finfo(np.float32).tiny))
        bridge = sparse.coo_array(([way, way], ([a, b], [b, a])), shape=graph.shape)
        graph = (graph + bridge.tocsr()).tocsr()


def _placed(
    squares: NDArray[np.float64], between: NDArray[np.float64], n_components: int
) -> NDArray[np.float64]:
    """Return places from squared distances to landmarks, and between these (classical scaling)."""
    m = len(between)
    mean = between.mean(axis=0)
    centre = np.eye(m) - 1.0 / m
    value, vector = np.linalg.eigh(-0.5 * centre @ between @ centre)
    value, vector = value[::-1][:n_components], vector[:, ::-1][:, :n_components]
    solid = value > 1e-9 * max(value[0], 1e-300)
    places = np.zeros((squares.shape[1], n_components))
    scale = np.sqrt(np.where(solid, value, 1.0))
    places[:, : len(value)] = -0.5 * (squares - mean[:, None]).T @ (vector * solid / scale)
    places -= places.mean(axis=0)
    return np.asarray(places * np.where((places**3).sum(axis=0) < 0, -1.0, 1.0))
