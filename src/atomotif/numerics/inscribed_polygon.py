"""The polygon of largest area with a given number of corners within a cloud of points."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import ConvexHull, QhullError

from atomotif._checks import as_points

__all__ = ["inscribed_polygon"]

# Corners of the hull that are tried: the search grows as their cube. Fewer change the area by 1 %.
_MAX_CORNERS = 100


def inscribed_polygon(points: ArrayLike, k: int) -> NDArray[np.int64]:
    """Return the points that span the polygon of `k` corners with the largest area.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Finite, not all on one line.
    k : int
        Number of corners, at least 3.

    Returns
    -------
    ndarray of int64, shape (k,)
        Indices of the points in order around the polygon, the smallest first.

    Raises
    ------
    ValueError
        If the hull of the points has fewer than `k` corners, or `k` is below 3.

    Notes
    -----
    The corners are among those of the convex hull. The largest polygon that begins at a corner is found by
    dynamic programming over triangles of a fan. Of hulls of more than 100 corners as many are looked at,
    spread evenly.

    Examples
    --------
    >>> inscribed_polygon([[0, 0], [9, 0], [1, 1], [0, 9], [4, 4]], 3)
    array([0, 1, 3])
    """
    places = as_points(points)
    if k < 3:
        raise ValueError(f"`k` must be at least 3, got {k}.")
    try:
        hull = ConvexHull(places).vertices.astype(np.int64)
    except (QhullError, ValueError):
        raise ValueError("`points` must be at least 3 that do not lie on one line.") from None
    if len(hull) < k:
        raise ValueError(f"`points` must have a hull of at least {k} corners, got {len(hull)}.")
    if len(hull) > _MAX_CORNERS:
        hull = hull[np.linspace(0, len(hull), max(_MAX_CORNERS, k), endpoint=False).astype(np.int64)]
    best, area = hull[:k], -1.0
    for first in range(len(hull) - k + 1):
        corners, own = _largest_from(places[hull[first:]], k)
        if own > area * (1 + 1e-12):
            best, area = hull[first + corners], own
    return np.asarray(np.roll(best, -int(best.argmin())))


def _largest_from(corners: NDArray[np.float64], k: int) -> tuple[NDArray[np.int64], float]:
    """Return the largest polygon of `k` of a convex polygon's corners, the first being one, and its area."""
    arm = corners - corners[0]
    triangle = np.abs(np.outer(arm[:, 0], arm[:, 1]) - np.outer(arm[:, 1], arm[:, 0])) / 2
    later = np.triu(np.ones(triangle.shape, bool), 1)
    area = np.where(np.arange(len(arm)) > 0, 0.0, -np.inf)
    before = []
    for _ in range(k - 2):
        total = np.where(later, area[:, None] + triangle, -np.inf)
        before.append(total.argmax(axis=0))
        area = total.max(axis=0)
    chain = [int(area.argmax())]
    largest = float(area[chain[0]])
    for step in reversed(before):
        chain.append(int(step[chain[-1]]))
    return np.array([0, *chain[::-1]], np.int64), largest
