"""Archetypes: a few extremes of which all rows are mixtures."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls

from atomotif.numerics.barycentric import MAX_CORNERS, barycentric_weights
from atomotif.numerics.neighbors import as_features

__all__ = ["Archetypes", "archetypes", "furthest_sum"]

# How much more the sum of weights counts than a row in the least squares of one archetype.
_SUM = 100.0
# Share of the residual that an iteration must gain to be followed by another.
_GAIN = 1e-5
# Rows that differ by a smaller share of their size do not differ.
_ROUNDING = 1e-12


class Archetypes(NamedTuple):
    """What `archetypes` returns."""

    corners: NDArray[np.float64]
    """The archetypes, shape (k, d): each a mixture of rows."""
    explained: float
    """Share of the variance of the rows that mixtures of the archetypes have, 0 to 1."""


def archetypes(rows: ArrayLike, k: int, *, max_iterations: int = 100) -> Archetypes:
    """Return `k` mixtures of rows of which all rows are best approximated as mixtures.

    Parameters
    ----------
    rows : array_like, shape (n, d)
        Finite; some thousands at most, as each iteration solves `k` least-squares problems of n unknowns.
    k : int
        Number of archetypes, 1 to 8, at most that of the rows.
    max_iterations : int, default 100
        An upper bound; it ends before, when the residual shrinks by less than 1e-5 of it.

    Returns
    -------
    Archetypes

    Raises
    ------
    ValueError
        If the rows are not finite or `k` is out of its range.

    Notes
    -----
    Cutler and Breiman (1994), Technometrics 36, 338: weights of the archetypes for every row and weights of
    the rows for every archetype are solved in turn, both not negative with a sum of 1. It starts from
    `furthest_sum`. Extremes react to single strays: average rows with their like before.

    Examples
    --------
    >>> corners = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> mixed = np.random.default_rng(0).dirichlet([1, 1, 1], 50) @ corners
    >>> found = archetypes(np.concatenate([mixed, corners]), 3)
    >>> np.unique(found.corners.round(3) + 0.0, axis=0), round(found.explained, 3)
    (array([[0., 0.],
           [0., 4.],
           [4., 0.]]), 1.0)
    """
    points = as_features(rows, "rows").astype(np.float64)
    _check(k, len(points))
    mean = points.mean(axis=0)
    centred = points - mean
    scale = float(np.abs(centred).max())
    if scale <= _ROUNDING * np.abs(points).max():
        return Archetypes(np.repeat(mean[None], k, axis=0), 1.0)
    centred = centred / scale
    corners = centred[furthest_sum(centred, k)]
    system = np.vstack([centred.T, np.full(len(centred), _SUM)])
    total = float(np.sum(centred**2))
    residual = best = np.inf
    kept = corners
    for _ in range(max_iterations):
        weights = barycentric_weights(centred, corners)
        last, residual = residual, float(np.sum((centred - weights @ corners) ** 2))
        if residual < best:
            best, kept = residual, corners
        if not residual < last * (1 - _GAIN) or residual <= 1e-12 * total:
            break
        corners = corners.copy()
        for j in range(k):
            own = weights[:, j]
            if not own.any():
                continue
            rest = centred - weights @ corners + np.outer(own, corners[j])
            share = nnls(system, np.append(own @ rest / (own @ own), _SUM))[0]
            corners[j] = share @ centred / share.sum()
    return Archetypes(kept * scale + mean, 1.0 - best / total)


def furthest_sum(rows: ArrayLike, k: int) -> NDArray[np.int64]:
    """Return `k` rows that lie far from each other.

    Parameters
    ----------
    rows : array_like, shape (n, d)
        Finite.
    k : int
        How many, 1 to 8, at most n.

    Returns
    -------
    ndarray of int64, shape (k,)
        Distinct rows.

    Notes
    -----
    Moerup and Hansen (2012), Neurocomputing 80, 54: beginning with the row furthest from the mean, the next
    is that with the largest sum of distances to those chosen; then each is chosen once more, since the first
    did not know of the others.

    Examples
    --------
    >>> furthest_sum([[0.0], [1.0], [5.0], [2.0]], 2)
    array([0, 2])
    """
    points = as_features(rows, "rows").astype(np.float64)
    _check(k, len(points))

    def next_row(chosen: list[int]) -> int:
        total = np.sum([np.linalg.norm(points - points[j], axis=1) for j in chosen], axis=0)
        total[chosen] = -1.0
        return int(total.argmax())

    chosen = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmax())]
    while len(chosen) < k:
        chosen.append(next_row(chosen))
    if k > 1:
        for _ in range(k):
            chosen = chosen[1:]
            chosen.append(next_row(chosen))
    return np.sort(np.array(chosen, np.int64))


def _check(k: int, n: int) -> None:
    if not 1 <= k <= min(MAX_CORNERS, n):
        raise ValueError(f"`k` must be from 1 to {MAX_CORNERS} and at most the number of rows, {n}, got {k}.")
