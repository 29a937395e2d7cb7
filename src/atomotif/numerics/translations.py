"""Translations that map labelled points onto points of the same kind, and the basis that they span."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, KDTree, QhullError

from atomotif.numerics.reduction import reduce_basis

# Lengths in nearest-neighbour distances. A point lies at the end of a vector when it is within
# _NEAR: wide enough for positions that scatter by a tenth and for some per cent of strain, and so narrow
# that in a dense packing chance meets one in five.
_NEAR = 0.25
_BIN = 0.1
_BLUR = 0.12
# Cells with longer sides are looked for only when none with shorter sides is found.
_REACHES = (6.5, 13.0)
_SOURCES = (3000, 1000)
_MAX_CANDIDATES = 150
#: A translation leads most points to points; of two grains of equal size each one's leads half.
LEAST_SHARE = 0.62
# ... and nearly as many to points of the same label as the best translation does. Labels at random
# (alloys, wrong motifs) lower all translations alike; an ordered label halves the false ones.
_RELATIVE = 0.85


@dataclass(frozen=True)
class Field:
    """Points, what may be found among them, and where they end."""

    points: NDArray[np.float64]
    labels: NDArray[np.int64] | None
    tree: KDTree
    hull: NDArray[np.float64]
    spacing: float

    def inside(self, where: NDArray[np.float64], margin: float = 0.0) -> NDArray[np.bool_]:
        """Whether positions lie in the convex hull of the points, widened by `margin` px."""
        beyond = (where @ self.hull[:, :2].T + self.hull[:, 2]).max(axis=1)
        return np.asarray(beyond <= margin, dtype=np.bool_)


def make_field(points: NDArray[np.float64], labels: NDArray[np.int64] | None, spacing: float) -> Field:
    """Return the points with their search tree and convex hull.

    Raises
    ------
    ValueError
        If all points lie on one line.

    Examples
    --------
    >>> row, col = np.mgrid[:5, :5]
    >>> field = make_field(np.column_stack([row.ravel(), col.ravel()]).astype(float), None, 1.0)
    >>> field.inside(np.array([[2.0, 2.0], [5.0, 2.0]])).tolist()
    [True, False]
    """
    try:
        hull = ConvexHull(points).equations
    except QhullError:
        raise ValueError(
            'no lattice found: the `points` lie on one line; use `cells="voronoi"` or other points.'
        ) from None
    return Field(points, labels, KDTree(points), hull - np.array([0.0, 0.0, 1e-9 * spacing]), spacing)


def find_basis(
    field: Field,
    random_state: int = 0,
    *,
    among: NDArray[np.intp] | None = None,
    least_share: float = LEAST_SHARE,
) -> tuple[NDArray[np.float64] | None, float]:
    """Return the reduced basis of the translations that keep positions and labels.

    Candidates are the peaks of the histogram of difference vectors. The best of them must lead at least
    62 % of the points whose image lies in the field to a point. A translation is what leads nearly as many
    (85 %) to points, and to points of their own label, and nearly as exactly. The two shortest
    translations that are not parallel are a basis.

    Parameters
    ----------
    field : Field
        The points; label -1 (none) agrees with every label.
    random_state : int, default 0
        Draws the points, at most 3,000, from which vectors are followed.
    among : ndarray of int, optional
        The points that vectors are followed from, to any point. By default all.
    least_share : float, default 0.62
        Share of the points that the best translation must lead to a point.

    Returns
    -------
    basis : ndarray of float64, shape (2, 2), or None
        px; None when there are not two such translations.
    share : float
        Share of the points that the best candidate leads to a point.

    Examples
    --------
    >>> row, col = np.mgrid[:9, :9]
    >>> points = np.column_stack([row.ravel(), col.ravel()]).astype(float)
    >>> checkers = (row + col).ravel() % 2
    >>> find_basis(make_field(points, None, 1.0))[0].tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    >>> find_basis(make_field(points, checkers, 1.0))[0].tolist()
    [[1.0, 1.0], [1.0, -1.0]]
    """
    best = 0.0
    for reach, n_sources in zip(_REACHES, _SOURCES, strict=True):
        sources = _draw(np.arange(len(field.points)) if among is None else among, n_sources, random_state)
        vectors, share, agreement, miss = follow(field, _candidates(field, sources, reach), sources)
        if len(vectors) == 0:
            continue
        best = max(best, float(share.max()))
        if share.max() < least_share:
            continue
        good = share >= _RELATIVE * share.max()
        good &= agreement >= _RELATIVE * agreement[good].max()
        # A vector that only nearly maps the pattern onto itself misses by more than the scatter.
        good &= miss <= 2 * miss[good].min() + 0.02 * field.spacing
        found = _shortest_pair(vectors[good])
        if found is not None:
            return reduce_basis(found), best
    return None, best


def _draw(points: NDArray[np.intp], n_wanted: int, random_state: int) -> NDArray[np.intp]:
    if len(points) <= n_wanted:
        return points
    return np.sort(np.random.default_rng(random_state).choice(points, n_wanted, replace=False))


def _candidates(field: Field, sources: NDArray[np.intp], reach: float) -> NDArray[np.float64]:
    """Peaks of the histogram of difference vectors, one of each pair of opposites, the shortest first."""
    extent = reach * field.spacing
    pairs = KDTree(field.points[sources]).sparse_distance_matrix(field.tree, extent, output_type="ndarray")
    apart = pairs["v"] > 0.5 * field.spacing
    vectors = field.points[pairs["j"][apart]] - field.points[sources[pairs["i"][apart]]]
    side = _BIN * field.spacing
    n_half = int(np.ceil(extent / side)) + 4
    cell = np.rint(vectors / side).astype(np.int64) + n_half
    width = 2 * n_half + 1
    table = np.bincount(cell[:, 0] * width + cell[:, 1], minlength=width * width).reshape(width, width)
    smooth = ndimage.gaussian_filter(table.astype(np.float64), _BLUR / _BIN, mode="constant")
    smooth += smooth[::-1, ::-1]  # a vector and its opposite are one translation
    top = (smooth == ndimage.maximum_filter(smooth, size=3)) & (smooth > 0.3 * smooth.max())
    peaks = (np.argwhere(top) - n_half) * side
    peaks = peaks[(peaks[:, 0] > 0) | ((peaks[:, 0] == 0) & (peaks[:, 1] > 0))]
    order = np.lexsort((peaks[:, 1], peaks[:, 0], np.hypot(*peaks.T)))
    return np.asarray(peaks[order[:_MAX_CANDIDATES]], dtype=np.float64)


def follow(
    field: Field, vectors: NDArray[np.float64], sources: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Follow each vector from the sources: the vector made exact, and where it leads.

    Parameters
    ----------
    field : Field
        The points.
    vectors : ndarray of float64, shape (m, 2)
        (d_row, d_col) px.
    sources : ndarray of int
        The points to start from.

    Returns
    -------
    vectors : ndarray of float64, shape (k, 2)
        Those of the vectors whose end is in the field from at least a quarter of the sources.
    share, agreement : ndarray of float64, shape (k,)
        Share of the sources, if the end is in the field, that have a point there; one of their own label.
    miss : ndarray of float64, shape (k,)
        Distance of that point from the end, root mean square, px.

    Examples
    --------
    >>> row, col = np.mgrid[:9, :9]
    >>> points = np.column_stack([row.ravel(), col.ravel()]).astype(float)
    >>> follow(make_field(points, None, 1.0), np.array([[0.1, 0.9]]), np.arange(81))[0].round(6).tolist()
    [[0.0, 1.0]]
    """
    start = field.points[sources]
    near = _NEAR * field.spacing
    rows = []
    for vector in vectors:
        exact = vector
        for _ in range(3):
            ends = start + exact
            within = np.flatnonzero(field.inside(ends))
            if 4 * len(within) < len(sources):
                break
            distance, other = field.tree.query(ends[within], distance_upper_bound=near)
            met = np.isfinite(distance)
            if met.any():
                step = (field.points[other[met]] - ends[within[met]]).mean(axis=0)
                exact = exact + step
        else:
            agree = met.copy()
            if field.labels is not None:
                first, second = field.labels[sources[within[met]]], field.labels[other[met]]
                agree[met] = (first == second) | (first < 0) | (second < 0)
            miss = np.sqrt((distance[met] ** 2).mean()) if met.any() else np.inf
            rows.append((*exact, met.mean(), agree.mean(), miss))
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return table[:, :2], table[:, 2], table[:, 3], table[:, 4]


def _shortest_pair(vectors: NDArray[np.float64]) -> NDArray[np.float64] | None:
    vectors = vectors[np.argsort(np.hypot(*vectors.T), kind="stable")]
    for other in vectors[1:]:
        pair = np.array([vectors[0], other])
        # A reduced basis has an angle of at least 60 degrees, less some strain.
        if abs(np.linalg.det(pair)) > 0.8 * np.hypot(*pair.T).prod():
            return pair
    return None
