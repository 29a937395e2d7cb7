"""Which axis the local orientation of a field of points is to be taken of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points
from atomotif.numerics._grain_graph import neighbors
from atomotif.numerics.symmetry import orientation

__all__ = ["orientation_coherence"]


def orientation_coherence(
    points: ArrayLike,
    moments: ArrayLike,
    folds: Sequence[int] = (2, 3, 4, 6),
    *,
    used: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return how strongly neighbouring patches point the same way, for several orders of axis.

    The mean over pairs of neighbours of the product of their strengths times the cosine of their difference
    of phase (see `atomotif.numerics.symmetry.orientation`). Only neighbours are compared, so that grains do
    not cancel each other.

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
    ndarray of float64, shape (n_folds,)
        From -1 to 1; about 0 without order, and negative where neighbours point opposite ways, as the two
        sites of a honeycomb do with 3. The order of the highest is the one to take: a crystal is cut into
        grains by the angle that its columns agree upon most strongly.

    Raises
    ------
    ValueError
        If there are fewer than 4 points, or they lie on one line.

    Examples
    --------
    >>> points = np.mgrid[:5, :5].reshape(2, -1).T
    >>> moments = np.zeros((25, 66))
    >>> moments[:, 14] = 1.0  # p = 4, q = 4
    >>> orientation_coherence(points, moments).argmax()
    np.int64(2)
    """
    positions = as_points(points)
    pairs = neighbors(positions)
    if used is not None:
        pairs = pairs[np.asarray(used, dtype=bool)[pairs].all(axis=1)]
    if not len(pairs):
        return np.zeros(len(folds))
    a, b = pairs.T
    result = np.empty(len(folds))
    for k, fold in enumerate(folds):
        angle, strength = orientation(moments, fold)
        agreement = np.cos(fold * (angle[a] - angle[b]).astype(np.float64))
        result[k] = (strength[a] * strength[b] * agreement).mean()
    return result
