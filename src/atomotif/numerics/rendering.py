"""Draw atomic columns: the same radial profile at every column, at exact sub-pixel positions."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points, check_positive
from atomotif.numerics import _render_kernels as kernels
from atomotif.numerics._threads import run_blocks

__all__ = ["Profile", "profile_reach", "render_columns"]

Profile = float | ArrayLike | Callable[[NDArray[np.float64]], ArrayLike]

# Rows worked on at a time: several times the height of a usual column, and their sums fit in a cache.
_STRIP = 64
# Samples of the profile in a pixel: a Gaussian of sigma 1 px is then exact to 2e-6 of its height.
_SAMPLES = 256
# Where a Gaussian is cut, in sigmas: at 4e-6 of its height.
_SIGMAS = 5.0
_SIGMAS_PER_FWHM = 1 / math.sqrt(8 * math.log(2))
# A callable is cut where it stays below this share of its height, at most this many pixels away.
_LEAST = 1e-5
_FARTHEST = 1000.0


def render_columns(
    shape: tuple[int, int],
    points: ArrayLike,
    heights: ArrayLike,
    profile: Profile,
    *,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Return the image of columns: the sum of one radial profile at every point.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    points : array_like, shape (n, 2)
        (row, col), px; those outside the image are drawn as far as they reach in.
    heights : array_like, shape (n,)
        Factor of the profile at each point.
    profile : float, array_like of shape (k, 2), or callable
        A number is the full width at half maximum of a Gaussian of height 1, px. An array lists distances
        from the column's centre (px, rising) and the values there; between them it is interpolated linearly,
        beyond the last it is 0; let it end there, since a step is smeared over 1/256 px. A callable takes an
        array of distances (px) and returns values.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape (rows, cols)

    Raises
    ------
    ValueError
        If shapes do not match, a value is not finite, distances do not rise, or a callable does not fall off.
    TypeError
        If `profile` is none of the three.

    Examples
    --------
    >>> image = render_columns((9, 9), [[4.0, 4.5]], [2.0], 3.0)
    >>> image[4, 3:7].round(3)
    array([1.   , 1.852, 1.852, 1.   ], dtype=float32)
    """
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"`shape` must be two positive numbers of pixels, got {shape!r}.")
    positions = as_points(points)
    height = np.asarray(heights, np.float64)
    if height.shape != (len(positions),) or not np.isfinite(height).all():
        raise ValueError(
            f"`heights` must be one finite number for each of {len(positions)} points, got {heights!r}."
        )
    samples = _sampled(profile)
    reach = (len(samples) - 2) / _SAMPLES
    order = np.argsort(positions[:, 0], kind="stable")
    where, height = positions[order], height[order]
    result = np.empty(shape, np.float32)

    def strip(start: int) -> None:
        rows = result[start : start + _STRIP]
        first = int(np.searchsorted(where[:, 0], start - reach, "left"))
        last = int(np.searchsorted(where[:, 0], start + len(rows) - 1 + reach, "right"))
        kernels.draw_rows(where, height, samples, 1 / _SAMPLES, first, last, start, rows)

    run_blocks(strip, range(0, shape[0], _STRIP), n_threads)
    return result


def profile_reach(profile: Profile) -> float:
    """Return the distance beyond which a profile of `render_columns` is 0, px.

    Examples
    --------
    >>> round(profile_reach(2.355), 2)
    5.0
    """
    if callable(profile):
        distance = np.linspace(0.0, _FARTHEST, int(10 * _FARTHEST) + 1)
        value = np.abs(_values(profile, distance))
        far = np.flatnonzero(value > _LEAST * value.max())
        if len(far) and far[-1] == len(distance) - 1:
            raise ValueError(
                f"`profile` must fall below {_LEAST:g} of its height within {_FARTHEST:g} px, "
                f"got {value[-1]:g} there."
            )
        return float(distance[far[-1] + 1]) if len(far) else 0.0
    if np.ndim(profile) == 0:
        return _SIGMAS * _SIGMAS_PER_FWHM * check_positive(profile, "profile")
    return float(_listed(profile)[-1, 0])


def _sampled(profile: Profile) -> NDArray[np.float64]:
    """Return the profile at distances 0, 1 / _SAMPLES, ... px, with two zeros at the end."""
    distance = np.arange(int(np.ceil(profile_reach(profile) * _SAMPLES)) + 1) / _SAMPLES
    if callable(profile):
        value = _values(profile, distance)
    elif np.ndim(profile) == 0:
        sigma = _SIGMAS_PER_FWHM * check_positive(profile, "profile")
        value = np.exp(-0.5 * (distance / sigma) ** 2)
    else:
        listed = _listed(profile)
        value = np.interp(distance, listed[:, 0], listed[:, 1], right=0.0)
    return np.append(value, [0.0, 0.0])


def _values(
    profile: Callable[[NDArray[np.float64]], ArrayLike], distance: NDArray[np.float64]
) -> NDArray[np.float64]:
    value = np.asarray(profile(distance), np.float64)
    if value.shape != distance.shape or not np.isfinite(value).all():
        raise ValueError("`profile` must return one finite value for each distance, got others.")
    return value


def _listed(profile: ArrayLike) -> NDArray[np.float64]:
    listed = np.asarray(profile, np.float64)
    if listed.ndim != 2 or listed.shape[1] != 2 or len(listed) < 2 or not np.isfinite(listed).all():
        raise ValueError(
            f"`profile` must be finite rows of (distance, value), two or more, got shape {listed.shape}."
        )
    if listed[0, 0] < 0 or not (np.diff(listed[:, 0]) > 0).all():
        raise ValueError(f"`profile` must list rising distances from 0, got {listed[:, 0].tolist()}.")
    return listed
