"""Which axis the local orientation of a field of points is to be taken of."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points
from atomotif.numerics._grain_graph import neighbors
from atomotif.numerics.symmetry import orientation

__all__ = ["Coherence", "choose_fold", "orientation_coherence"]

# A lower order must be agreed upon so well (weighted mean cosine), and so strongly beside the best, to be
# more than a trace of it: a phase noise of 0.7 radians, and half of the coherence.
_AGREEING, _STRONG = 0.8, 0.5


class Coherence(NamedTuple):
    """How well neighbouring patches agree on a direction, for each order of axis."""

    coherence: NDArray[np.float64]
    """Mean of the product of two strengths times the cosine of the difference of phase, shape (n_folds,)."""
    agreement: NDArray[np.float64]
    """That mean over the mean of the products alone."""


def orientation_coherence(
    points: ArrayLike,
    moments: ArrayLike,
    folds: Sequence[int] = (2, 3, 4, 6),
    *,
    used: ArrayLike | None = None,
) -> Coherence:
    """Return how strongly neighbouring patches point the same way, for several orders of axis.

    Angles and strengths are those of `atomotif.numerics.symmetry.orientation`. Only neighbours are compared,
    so that grains do not cancel each other.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    moments : array_like, shape (n, n_moments)
        Real moments of the patches round them.
    folds : sequence of int, default (2, 3, 4, 6)
        Orders that a crystal can have.
    used : array_like of bool, shape (n,), optional
        Points that count: those whose patch is whole. By default all.

    Returns
    -------
    Coherence
        Both from -1 to 1; about 0 without order, and negative where neighbours point opposite ways, as the
        two sites of a honeycomb do with 3.

    Raises
    ------
    ValueError
        If there are fewer than 4 points, or they lie on one line.

    Examples
    --------
    >>> points = np.mgrid[:5, :5].reshape(2, -1).T
    >>> moments = np.zeros((25, 66))
    >>> moments[:, 14] = 1.0  # p = 4, q = 4
    >>> orientation_coherence(points, moments).agreement
    array([0., 0., 1., 0.])
    """
    positions = as_points(points)
    pairs = neighbors(positions)
    if used is not None:
        pairs = pairs[np.asarray(used, dtype=bool)[pairs].all(axis=1)]
    if not len(pairs):
        return Coherence(np.zeros(len(folds)), np.zeros(len(folds)))
    a, b = pairs.T
    coherence, weight = np.empty((2, len(folds)))
    for k, fold in enumerate(folds):
        angle, strength = orientation(moments, fold)
        agreement = np.cos(fold * (angle[a] - angle[b]).astype(np.float64))
        both = strength[a].astype(np.float64) * strength[b]
        coherence[k], weight[k] = (both * agreement).mean(), both.mean()
    return Coherence(coherence, np.divide(coherence, weight, out=np.zeros(len(folds)), where=weight > 0))


def choose_fold(found: Coherence, folds: Sequence[int] = (2, 3, 4, 6)) -> int:
    """Return the order of axis by which grains are best told apart.

    Parameters
    ----------
    found : Coherence
        What `orientation_coherence` returned for these orders.
    folds : sequence of int, default (2, 3, 4, 6)
        The orders.

    Returns
    -------
    int
        The order of the highest coherence; but the lowest order that divides it, if neighbours agree on its
        direction, too, and at least half as strongly: its waves of higher order come with it, and it tells
        turns apart that these do not.

    Examples
    --------
    >>> choose_fold(Coherence(np.array([0.3, 0.0, 0.4, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])))
    2
    """
    best = int(found.coherence.argmax())
    for k in np.argsort(folds):
        enough = found.agreement[k] >= _AGREEING and found.coherence[k] >= _STRONG * found.coherence[best]
        if folds[best] % folds[k] == 0 and enough:
            return int(folds[k])
    return int(folds[best])
