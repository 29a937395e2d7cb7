"""Symmetry of patches about their centre, from their Zernike moments.

Turning a patch by an angle t multiplies its complex moments A_pq by exp(i q t), so that the overlap of a
patch with its turned or mirrored copy is a sum over the angular orders q of what `angular_power` holds.
The terms with q = 0 are the same for every rotation and mirror. They are left out of all scores: with
them, any patch with a bright column in its middle would pass for symmetric.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif.numerics._moment_algebra import as_moments, index_pairs
from atomotif.numerics._symmetry_planes import (
    angular_whole,
    as_covariance,
    check_fold,
    power_planes,
    score_planes,
)

__all__ = ["angular_power", "mirror_score", "orientation", "rotation_score"]


def angular_power(moments: ArrayLike, *, noise: ArrayLike | None = None) -> NDArray[np.floating]:
    """Return the power of patches at every angular order.

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments, in the order of `atomotif.numerics.zernike.index_pairs`.
    noise : array_like, shape (n_moments, n_moments), optional
        Covariance that noise gives the moments (see `atomotif.numerics.moments.moment_covariance`). Its
        power is subtracted.

    Returns
    -------
    ndarray, shape (..., order + 1)
        Sum of the squares of the moments with |q| = 0, 1, ..., order; unchanged as the patch turns.
        Where noise was subtracted, it may be negative. float32 if the moments are, else float64.

    Raises
    ------
    ValueError
        If the moments are no full set or the covariance has another shape.

    Examples
    --------
    >>> angular_power([1.0, 3.0, 4.0])
    array([ 1., 25.])
    """
    values, order = as_moments(moments)
    covariance = as_covariance(noise, values.shape[-1])
    return np.moveaxis(power_planes(np.moveaxis(values, -1, 0), order, covariance), 0, -1)


def rotation_score(moments: ArrayLike, n: int, *, noise: ArrayLike | None = None) -> NDArray[np.floating]:
    """Return how well patches agree with themselves turned by the n-th part of a full turn.

    The overlap with the copy turned by 2 pi k / n, averaged over k = 1, ..., n - 1 and divided by the
    overlap with itself; terms with q = 0 are left out. With S the share of the angular power that lies at
    multiples of n this is (n S - 1) / (n - 1).

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments, in the order of `atomotif.numerics.zernike.index_pairs`.
    n : int
        From 2 to the order of the moments: beyond it they hold nothing that could tell.
    noise : array_like, shape (n_moments, n_moments), optional
        Covariance that noise gives the moments (see `atomotif.numerics.moments.moment_covariance`).
        Its power, which favours no n, is subtracted first; without it noise draws scores towards 0.
        Scores that would then be out of range are set to its end.

    Returns
    -------
    ndarray, shape (...)
        1 if the patch is n-fold, -1 / (n - 1) if nothing of it is, about 0 for pure noise or a random
        patch (for order 10: mean 0.00, -0.10, -0.07, -0.08, -0.08 for n = 2, ..., 6). A 6-fold patch
        is 2- and 3-fold, too. Drawn to 0 where the angular power is below 1e-4 of the patch's
        contrast (a round patch agrees with every turn, but has no fold) or, with `noise`, what is left
        of it is less than the noise's. float32 if the moments are, else float64.

    Raises
    ------
    ValueError
        If `n` is out of range or shapes do not match.

    Notes
    -----
    Dan et al. (2022) prune surplus points by the symmetry of their Zernike features. The score does not
    change as the patch turns, is mirrored or scaled, nor when a constant is added to the image.

    Examples
    --------
    >>> moments = np.zeros((2, 66))
    >>> moments[0, 9] = 1.0  # p = 3, q = 3
    >>> moments[1, [9, 20]] = 1.0  # q = 3 and q = 5
    >>> rotation_score(moments, 3)
    array([1.  , 0.25])
    """
    values, order = as_moments(moments)
    covariance = as_covariance(noise, values.shape[-1])
    folds = (check_fold(n, order, "n", least=2),)
    return np.asarray(score_planes(np.moveaxis(values, -1, 0), folds, False, covariance)[0])


def mirror_score(
    moments: ArrayLike, *, noise: ArrayLike | None = None
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return how well patches agree with themselves mirrored in the best line through their centre.

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments, in the order of `atomotif.numerics.zernike.index_pairs`.
    noise : array_like, shape (n_moments, n_moments), optional
        Covariance that noise gives the moments; its overlap is subtracted as in `rotation_score`.

    Returns
    -------
    score : ndarray, shape (...)
        Overlap with the mirrored copy divided by that with itself, terms with q = 0 left out: 1 if the
        patch has a mirror line, never negative. As the best of all lines it is not 0 for a random
        patch (for order 10: mean 0.37, 99 of 100 below 0.59).
    angle : ndarray, shape (...)
        Direction of the line, radians in [0, pi) from +x (columns) towards +y (rows, downwards). Of
        several equal lines any. Both float32 if the moments are, else float64.

    Raises
    ------
    ValueError
        If shapes do not match.

    Notes
    -----
    The overlap is sum over q of Re(B_q exp(-2 i q angle)) with B_q = sum over p of A_pq^2: a trigonometric
    polynomial, which is evaluated at 64 angles and refined by Newton's method.

    Examples
    --------
    >>> score, angle = mirror_score([0.0, 1.0, 1.0])
    >>> float(score.round(6)), float(np.rad2deg(angle).round(6))
    (1.0, 45.0)
    """
    values, _ = as_moments(moments)
    covariance = as_covariance(noise, values.shape[-1])
    score, angle = score_planes(np.moveaxis(values, -1, 0), (), True, covariance)
    return score, angle


def orientation(moments: ArrayLike, fold: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return which way patches with an axis of order `fold` point.

    The angle is that at which the wave of order `fold` round the centre is brightest, weighted over the
    radius r (1 at the rim) by r^fold (1 - r^2). The weight is nowhere negative, so that the direction is
    that of the bright columns at whatever distance they are, and small at the rim, where columns are
    cut. It peaks between r = 0.71 (fold = 2) and 0.87 (fold = 6), that is on the nearest neighbours for
    patches of 1.2 spacings.

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments, in the order of `atomotif.numerics.zernike.index_pairs`.
    fold : int
        From 1 to the order of the moments. Take the highest that patches have: the angle is the more
        precise, and sites that differ by a turn (the two of graphene, with 6) agree.

    Returns
    -------
    angle : ndarray, shape (...)
        Radians in [0, 2 pi / fold), from +x (columns) towards +y (rows, downwards).
    strength : ndarray, shape (...)
        From 0 to 1: amplitude of the wave over the largest that a patch of the same angular power could
        have. As weight of the angle it makes doubtful ones count less. Both float32 if the moments are,
        else float64.

    Raises
    ------
    ValueError
        If `fold` is out of range or shapes do not match.

    Notes
    -----
    Only the wave of order `fold` is used. Its multiples have the same period, but where they are as
    strong they make several directions nearly equal, and noise then decides between them.

    Examples
    --------
    >>> moments = np.zeros(66)
    >>> moments[[8 + 1, 6]] = [1.0, 1.0]  # cosine and sine of p = 3, q = 3
    >>> angle, strength = orientation(moments, 3)
    >>> float(np.rad2deg(angle).round(6)), bool(strength > 0.5)
    (15.0, True)
    """
    values, order = as_moments(moments)
    planes = np.moveaxis(values, -1, 0)
    fold = check_fold(fold, order, "fold", least=1)
    p, q = index_pairs(order)
    # r^n (1 - r^2) = (R_n,n - R_n+2,n) / (n + 2); the norms of both functions differ.
    wave: Any = 0.0
    largest = 0.0
    for radial, sign in ((fold, 1.0), (fold + 2, -1.0)):
        if radial > order:
            continue
        factor = sign / np.sqrt(2.0 * (radial + 1))
        cosine = int(np.flatnonzero((p == radial) & (q == fold))[0])
        wave = wave + factor * (planes[cosine] + 1j * planes[cosine - fold])
        largest += factor**2
    period = 2 * np.pi / fold
    angle = np.asarray(np.angle(wave) / fold % period).astype(values.dtype)
    angle = np.where(angle >= period, 0, angle)  # by rounding
    power = power_planes(planes, order, None)
    whole = angular_whole(planes, power, power[1:].sum(axis=0), None)
    strength = np.abs(wave) / np.sqrt(largest * whole)
    return angle.astype(values.dtype), strength.astype(values.dtype)
