"""Domains: connected points that are nearest to one anchor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from atomotif._checks import as_points, check_choice, check_positive
from atomotif.numerics._grain_graph import neighbors

__all__ = ["SMALL", "Domains", "find_domains", "smoothed_weights", "without"]

SMALL = ("merge", "drop")
# Standard deviations beyond which a Gaussian is cut.
_REACH = 3.0


@dataclass(frozen=True)
class Domains:
    """Domains found by `find_domains`, the largest first.

    Attributes
    ----------
    label : ndarray of int64, shape (n,)
        Domain of every point, -1 for none.
    anchor : ndarray of int64, shape (n_domains,)
        Anchor of every domain.
    count : ndarray of int64, shape (n_domains,)
        Number of points of every domain.
    at_edge : ndarray of bool, shape (n_domains,)
        Whether a point of the domain has a neighbour without weights: what lies there is not known.
    """

    label: NDArray[np.int64]
    anchor: NDArray[np.int64]
    count: NDArray[np.int64]
    at_edge: NDArray[np.bool_]


def smoothed_weights(points: ArrayLike, weights: ArrayLike, sigma: float) -> NDArray[np.float64]:
    """Return the mean weights of the points about every point, by a Gaussian of their distance.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    weights : array_like, shape (n, k)
        Rows of NaN, of points without weights, stay so and count nowhere.
    sigma : float
        Standard deviation, px; 0 changes nothing.

    Returns
    -------
    ndarray of float64, shape (n, k)

    Raises
    ------
    ValueError
        If shapes do not match or `sigma` is negative or not finite.

    Examples
    --------
    >>> smoothed_weights([[0, 0], [0, 1]], [[1.0], [0.0]], 1e6).round(2).ravel()
    array([0.5, 0.5])
    """
    places, values = as_points(points), _as_weights(weights, len(as_points(points)))
    if not (np.isfinite(sigma) and sigma >= 0):
        raise ValueError(f"`sigma` must be at least 0 and finite, got {sigma!r}.")
    known = ~np.isnan(values[:, 0])
    if sigma == 0 or not known.any():
        return values
    pairs = KDTree(places[known]).query_pairs(_REACH * sigma, output_type="ndarray")
    square = np.sum((places[known][pairs[:, 0]] - places[known][pairs[:, 1]]) ** 2, axis=1)
    n = int(known.sum())
    near = sparse.coo_array((np.exp(-0.5 * square / sigma**2), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    own = values[known]
    # Itself counts once.
    total = own + near @ own + near.T @ own
    result = values.copy()
    result[known] = total / (1.0 + near.sum(axis=1) + near.sum(axis=0))[:, None]
    return result


def find_domains(
    points: ArrayLike,
    weights: ArrayLike,
    *,
    min_weight: float = 0.0,
    min_points: int = 12,
    small: str = "merge",
) -> Domains:
    """Cut the field into domains.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Distinct (row, col) px, at least 4, not on one line.
    weights : array_like, shape (n, k)
        Of each anchor, not negative; NaN for points without weights, which are in no domain.
    min_weight : float, default 0
        Points of which no anchor has as much are in no domain: walls between domains.
    min_points : int, default 12
        Least number of points of a domain.
    small : {"merge", "drop"}, default "merge"
        Whether points of smaller ones go to the bordering domain that most of their neighbours are of, or to
        none; those that border none go to none.

    Returns
    -------
    Domains

    Raises
    ------
    ValueError
        If there are too few points, shapes do not match, or a parameter is out of its range.

    Notes
    -----
    Neighbours share a side of their Voronoi cells and are no more than 2.2 nearest-neighbour distances apart.
    Domains of like size are numbered by the order of their first points.

    Examples
    --------
    >>> row, col = np.mgrid[:6, :12].reshape(2, -1)
    >>> weights = np.column_stack([col < 7, col >= 7]).astype(float)
    >>> found = find_domains(np.column_stack([row, col]), weights)
    >>> found.count, found.anchor
    (array([42, 30]), array([0, 1]))
    """
    places = as_points(points)
    values = _as_weights(weights, len(places))
    check_choice(small, "small", SMALL)
    check_positive(min_points, "min_points")
    if not 0 <= min_weight <= 1:
        raise ValueError(f"`min_weight` must be from 0 to 1, got {min_weight!r}.")
    edges = neighbors(places)
    known = ~np.isnan(values[:, 0])
    filled = np.where(known[:, None], values, -1.0)
    anchor = np.where(known & (filled.max(axis=1) >= min_weight), filled.argmax(axis=1), -1)
    tiny = _is_small(anchor, edges, min_points)
    anchor = np.where(tiny, -1, anchor)
    if small == "merge":
        anchor = _filled(anchor, tiny, values.shape[1], edges)
    component = _components(anchor, edges)
    inside = anchor >= 0
    _, first, count = np.unique(component[inside], return_index=True, return_counts=True)
    order = np.lexsort((first, -count))
    members = np.flatnonzero(inside)[first[order]]
    number = np.full(len(places), -1, np.int64)
    number[component[members]] = np.arange(len(members))
    label = np.where(inside, number[component], -1)
    at_edge = np.zeros(len(members), bool)
    for here, there in (edges.T, edges[:, ::-1].T):
        at_edge[label[here[inside[here] & ~known[there]]]] = True
    return Domains(label, anchor[members], count[order].astype(np.int64), at_edge)


def _as_weights(weights: ArrayLike, n: int) -> NDArray[np.float64]:
    values = np.asarray(weights, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != n or values.shape[1] == 0:
        raise ValueError(f"`weights` must have shape ({n}, n_anchors), got shape {values.shape}.")
    missing = np.isnan(values)
    if (missing.any(axis=1) != missing.all(axis=1)).any() or np.isinf(values).any() or (values < 0).any():
        raise ValueError("`weights` must be finite and not negative, or NaN throughout a row.")
    return values


def _components(anchor: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the component of every point, connected by edges between points of one anchor."""
    a, b = edges[(anchor[edges[:, 0]] == anchor[edges[:, 1]]) & (anchor[edges[:, 0]] >= 0)].T
    graph = sparse.coo_array((np.ones(len(a)), (a, b)), shape=(len(anchor),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _is_small(anchor: NDArray[np.int64], edges: NDArray[np.int64], min_points: int) -> NDArray[np.bool_]:
    component = _components(anchor, edges)
    return np.asarray((anchor >= 0) & (np.bincount(component)[component] < min_points))


def _filled(
    anchor: NDArray[np.int64], empty: NDArray[np.bool_], n_anchors: int, edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give empty points the anchor of most of their neighbours, from the border inwards."""
    anchor, both = anchor.copy(), np.concatenate([edges, edges[:, ::-1]])
    while True:
        here, there = both[empty[both[:, 0]] & (anchor[both[:, 0]] < 0) & (anchor[both[:, 1]] >= 0)].T
        if not len(here):
            return anchor
        votes = np.bincount(here * n_anchors + anchor[there], minlength=len(anchor) * n_anchors)
        open_points = np.unique(here)
        anchor[open_points] = votes.reshape(-1, n_anchors)[open_points].argmax(axis=1)


def without(found: Domains, dropped: ArrayLike) -> Domains:
    """Return domains without some, numbered anew.

    Parameters
    ----------
    found : Domains
    dropped : array_like of bool, shape (n_domains,)

    Returns
    -------
    Domains

    Examples
    --------
    >>> two = Domains(np.array([0, 0, 1]), np.array([1, 0]), np.array([2, 1]), np.array([True, False]))
    >>> without(two, two.at_edge).label
    array([-1, -1,  0])
    """
    kept = ~np.asarray(dropped, np.bool_)
    number = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1).astype(np.int64)
    return Domains(number[found.label], found.anchor[kept], found.count[kept], found.at_edge[kept])
