"""Barycentric weights: which mixture of a few corners comes nearest to a row."""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif.numerics.neighbors import as_features

__all__ = ["MAX_CORNERS", "barycentric_weights"]

#: All faces of the simplex are looked at, 255 of eight corners.
MAX_CORNERS = 8
# Weights that rounding makes negative.
_ROUNDING = 1e-9


def barycentric_weights(rows: ArrayLike, corners: ArrayLike) -> NDArray[np.float64]:
    """Return the weights of the mixture of corners that is nearest to each row.

    Parameters
    ----------
    rows : array_like, shape (n, d)
        Finite.
    corners : array_like, shape (k, d)
        Finite, from one to eight.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Not negative, with a sum of 1.

    Raises
    ------
    ValueError
        If shapes do not match, values are not finite, or there are none or too many corners.

    Notes
    -----
    The quadratic programme min |w C - x|^2, w >= 0, sum w = 1. Its solution is the projection on the plane of
    one of the faces of the simplex, and there are few faces: of those whose projection has no negative weight
    the nearest is taken, for all rows at once.

    Examples
    --------
    >>> barycentric_weights([[0.25, 0.25], [2.0, 2.0], [-1.0, 0.5]], [[0, 0], [1, 0], [0, 1]])
    array([[0.5 , 0.25, 0.25],
           [0.  , 0.5 , 0.5 ],
           [0.5 , 0.  , 0.5 ]])
    """
    points = as_features(rows, "rows").astype(np.float64)
    ends = as_features(corners, "corners").astype(np.float64)
    if points.shape[1] != ends.shape[1]:
        raise ValueError(
            f"`corners` must have as many columns as `rows`, {points.shape[1]}, got {ends.shape[1]}."
        )
    if not 1 <= len(ends) <= MAX_CORNERS:
        raise ValueError(f"`corners` must hold from 1 to {MAX_CORNERS} rows, got {len(ends)}.")
    scale = float(np.abs(ends - ends[0]).max()) or 1.0
    points, ends = (points - ends[0]) / scale, (ends - ends[0]) / scale
    best = np.full(len(points), np.inf)
    weights = np.zeros((len(points), len(ends)))
    for size in range(1, len(ends) + 1):
        for face in map(list, combinations(range(len(ends)), size)):
            sides = ends[face[:-1]] - ends[face[-1]]
            free = (points - ends[face[-1]]) @ np.linalg.pinv(sides)
            own = np.column_stack([free, 1.0 - free.sum(axis=1)])
            rest = np.sum((points - own @ ends[face]) ** 2, axis=1)
            # A larger face is taken only for a gain above rounding: degenerate corners then mix few.
            better = (own >= -_ROUNDING).all(axis=1) & (rest < best * (1 - 1e-12) - 1e-15)
            best[better] = rest[better]
            weights[better] = 0.0
            weights[np.ix_(better, face)] = np.maximum(own[better], 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
