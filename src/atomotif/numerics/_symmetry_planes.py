"""Scores of symmetry from moments with their axis first, as points and dense maps both have them."""
# mypy: disable-error-code="untyped-decorator"
# numba's decorator has no types.

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif.numerics._jit import jit
from atomotif.numerics._moment_algebra import index_pairs, order_of

# Angular power below this share of the power of all but the mean counts as none: a round column whose
# centre is known to 1/30 px leaves half of it, by its offset.
_ROUND = 1e-4
# Power that single precision leaves of a constant image, by the square of the constant.
_ROUNDING = 1e-11
# Axes tried before refinement. The overlap has at most 16 waves in the doubled angle.
_AXES = 64


def score_planes(
    planes: NDArray[np.floating],
    folds: tuple[int, ...],
    mirror: bool,
    covariance: NDArray[np.float64] | None,
) -> NDArray[np.floating]:
    """Return the scores of `folds`, then that of the mirror and its angle, of moments with their axis first.

    Examples
    --------
    >>> score_planes(np.array([[5.0], [1.0], [1.0]]), (), True, None).round(3)
    array([[1.   ],
           [0.785]])
    """
    order = order_of(len(planes))
    power = power_planes(planes, order, covariance)
    angular = power[1:].sum(axis=0)
    whole = angular_whole(planes, power, angular, covariance)
    scores = np.empty((len(folds) + 2 * mirror, *planes.shape[1:]), planes.dtype)
    for k, n in enumerate(folds):
        share = power[n::n].sum(axis=0)
        scores[k] = np.clip((n * share - angular) / ((n - 1) * whole), -1 / (n - 1), 1)
    if mirror:
        overlap, scores[-1] = _mirror_overlap(planes, order, covariance)
        scores[-2] = np.minimum(overlap / whole, 1)
    return scores


def _mirror_overlap(
    planes: NDArray[np.floating], order: int, covariance: NDArray[np.float64] | None
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the overlap with the best mirrored copy, not divided, and the angle of its line.

    Moments come with their axis first.
    """
    _, q = index_pairs(order)
    beats = np.zeros((order, *planes.shape[1:]), dtype=np.result_type(planes.dtype, np.complex64))
    for cosine in np.flatnonzero(q > 0):
        sine = cosine - q[cosine]
        beats[q[cosine] - 1] += (planes[cosine] + 1j * planes[sine]) ** 2
        if covariance is not None:
            own = covariance[cosine, cosine] - covariance[sine, sine]
            beats[q[cosine] - 1] -= own + 2j * covariance[cosine, sine]
    angles = 2 * np.pi / _AXES * np.arange(_AXES)
    turns = np.multiply.outer(np.arange(1, order + 1), angles)
    flat = beats.reshape(order, -1).T
    found = np.empty((2, len(flat)))
    _best_axes(np.ascontiguousarray(flat), np.cos(turns), np.sin(turns), found)
    score, angle = found.reshape(2, *planes.shape[1:]).astype(planes.dtype)
    return score, np.where(angle >= np.pi, 0, angle)  # by rounding


@jit(nogil=True)
def _best_axes(beats: Any, cosine: Any, sine: Any, found: Any) -> None:
    """Write the maximum over t of sum over q of Re(beats_q exp(-i q t)), and t / 2."""
    order, n = cosine.shape
    values = np.empty(n)
    for i in range(len(beats)):
        values[:] = 0.0
        reach = 0.0
        for q in range(order):
            real, imag = float(beats[i, q].real), float(beats[i, q].imag)
            for k in range(n):
                values[k] += real * cosine[q, k] + imag * sine[q, k]
            reach += (q + 1) ** 2 * np.hypot(real, imag)
        # No maximum is higher above the nearest angle than this.
        reach *= 0.5 * (np.pi / n) ** 2
        best, at = values.max(), 2 * np.pi / n * values.argmax()
        least = best - reach
        for k in range(n):
            if values[k] >= least and values[k] >= values[k - 1] and values[k] >= values[(k + 1) % n]:
                value, t = _climb(beats[i], 2 * np.pi / n * k, 2 * np.pi / n)
                if value > best:
                    best, at = value, t
        found[0, i] = max(best, 0.0)
        found[1, i] = at / 2 % np.pi


@jit(nogil=True)
def _climb(beats: Any, start: float, spacing: float) -> tuple[float, float]:
    """Return the highest value that Newton's method finds within `spacing` of `start`, and where."""
    best, at, t = -np.inf, start, start
    for _ in range(4):
        value, slope, bend = 0.0, 0.0, 0.0
        step = complex(np.cos(t), -np.sin(t))
        turn = complex(1.0, 0.0)
        for q in range(len(beats)):
            turn *= step
            real = beats[q].real * turn.real - beats[q].imag * turn.imag
            imag = beats[q].real * turn.imag + beats[q].imag * turn.real
            value += real
            slope += (q + 1) * imag
            bend -= (q + 1) ** 2 * real
        if value > best:
            best, at = value, t
        if not bend < 0.0:
            break
        t -= slope / bend
        if abs(t - start) > spacing:
            break
    return best, at


def power_planes(
    planes: NDArray[np.floating], order: int, covariance: NDArray[np.float64] | None
) -> NDArray[np.floating]:
    """Return the power at every angular order, moments with their axis first."""
    _, q = index_pairs(order)
    power = np.zeros((order + 1, *planes.shape[1:]), planes.dtype)
    for j, plane in enumerate(planes):
        power[abs(q[j])] += plane * plane
    if covariance is not None:
        bias = np.bincount(np.abs(q), np.diag(covariance), order + 1)
        power -= bias.astype(power.dtype).reshape((-1,) + (1,) * (power.ndim - 1))
    return power


def angular_whole(
    planes: NDArray[np.floating],
    power: NDArray[np.floating],
    angular: NDArray[np.floating],
    covariance: NDArray[np.float64] | None,
) -> NDArray[np.floating]:
    """Return the angular power, but not less than what can be told from a round patch and from noise."""
    mean = planes[0] * planes[0]
    least = _ROUND * (power[0] + angular - mean) + _ROUNDING * mean
    if covariance is not None:
        _, q = index_pairs(len(power) - 1)
        least = np.maximum(least, np.diag(covariance)[q != 0].sum())
    whole = np.maximum(angular, least).astype(power.dtype)
    return np.where(whole > 0, whole, 1).astype(power.dtype)


def as_covariance(noise: ArrayLike | None, n_moments: int) -> NDArray[np.float64] | None:
    if noise is None:
        return None
    covariance = np.asarray(noise, dtype=np.float64)
    if covariance.shape != (n_moments, n_moments):
        raise ValueError(
            f"`noise` must be the covariance of {n_moments} moments, got shape {covariance.shape}."
        )
    return covariance


def check_fold(n: int, order: int, name: str, least: int) -> int:
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise TypeError(f"`{name}` must be an integer, got {n!r}.")
    if not least <= n <= order:
        raise ValueError(f"`{name}` must be from {least} to the order of the moments, {order}, got {n}.")
    return int(n)
