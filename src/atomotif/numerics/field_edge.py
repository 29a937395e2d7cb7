"""Points inside a field of points, whose neighbours are all known, and points at its edge."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from atomotif._checks import as_points, check_positive

__all__ = ["inside"]

# The distance to the box must exceed this quantile of all bonds.
_LONG_BOND = 0.99
# Within this many distances of neighbours, the points round one leave no sector of this angle empty, radians.
# A straight edge opens 1.7 or more, vacancies (5 % of all columns, at random) 1.3 at most: on square,
# triangular, honeycomb and kagome lattices with a scatter of a twentieth of the spacing.
_SIGHT = 2.5
_OPEN = 1.5
# So many nearest points are looked at first: but for the edge they are enough.
_FIRST = 12


def inside(points: ArrayLike, distance: float) -> NDArray[np.bool_]:
    """Tell which points have all their neighbours among the points: the field does not end beside them.

    The edge is not always that of the image: points near that are often left out, and those of a grain are a
    part of any shape of a larger field.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    distance : float
        Points nearer to each other than this are neighbours, px: `atomotif.numerics.shells.bond_length`.

    Returns
    -------
    ndarray of bool, shape (n,)
        False where within 2.5 `distance` a sector of 1.5 radians has no point, and nearer to the box that
        holds all points than the neighbours of a point reach (their 99 % quantile).

    Raises
    ------
    ValueError
        If `distance` is not positive.

    Notes
    -----
    Round a vacancy the columns behind it are seen, so that it is no edge; a hole from which three or more
    adjoining columns are missing may count as one. Some points one row from the edge are not called inside
    though their neighbours are all there: a tenth of the outer six rows of a honeycomb. In the corner of an
    L a few are that should not be. If `distance` holds several rings of neighbours, the nearer ones hide
    that farther ones are missing, and only the box is sure.

    Examples
    --------
    A square with a vacancy, cut along the diagonal:

    >>> row, col = np.mgrid[:12, :12]
    >>> kept = (row >= col) & ~((row == 8) & (col == 3))
    >>> points = 10.0 * np.column_stack([row[kept], col[kept]])
    >>> found = inside(points, 12.0)
    >>> rim = np.isin(points, [0, 110]).any(axis=1) | (points[:, 0] == points[:, 1])
    >>> bool(found[rim].any()), points[found & (points[:, 0] == 80)].tolist()[:2]
    (False, [[80.0, 10.0], [80.0, 20.0]])
    """
    positions = as_points(points)
    sight = _SIGHT * check_positive(distance, "distance")
    if len(positions) < 2:
        return np.zeros(len(positions), bool)
    tree = KDTree(positions)
    pairs = tree.query_pairs(distance, output_type="ndarray")
    length = np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=1)
    long_bond = float(np.quantile(length, _LONG_BOND)) if len(length) else distance
    room = np.minimum(positions - positions.min(axis=0), positions.max(axis=0) - positions)
    inner = room.min(axis=1) >= long_bond
    asked = np.flatnonzero(inner)
    inner[asked] = _widest_gap(tree, positions, asked, _FIRST, sight) < _OPEN
    asked = asked[~inner[asked]]
    if len(asked):
        most = int(tree.query_ball_point(positions[asked], sight, return_length=True).max())
        inner[asked] = _widest_gap(tree, positions, asked, most, sight) < _OPEN
    return np.asarray(inner)


def _widest_gap(
    tree: KDTree, positions: NDArray[np.float64], asked: NDArray[np.int64], k: int, sight: float
) -> NDArray[np.float64]:
    """Return the widest angle between directions to the k nearest points within sight, radians."""
    k = min(k + 1, len(positions))  # each finds itself
    distance, index = tree.query(positions[asked], k=np.arange(1, k + 1), distance_upper_bound=sight)
    seen = (distance > 0) & np.isfinite(distance)
    offset = positions[np.where(seen, index, 0)] - positions[asked][:, None]
    angle = np.where(seen, np.arctan2(offset[..., 0], offset[..., 1]), np.inf)
    angle.sort(axis=1)
    # What is not seen goes to the end of the turn.
    end = angle[:, :1] + 2 * np.pi
    angle = np.concatenate([np.minimum(angle, end), end], axis=1)
    alone = ~seen.any(axis=1)
    angle[alone] = 0
    return np.where(alone, 2 * np.pi, np.diff(angle, axis=1).max(axis=1))
