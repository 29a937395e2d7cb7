"""The length scale of a lattice image, before any column is known: its autocorrelation."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage

from atomotif._checks import as_image

# Larger images are cut into tiles of this size (px), at most three along an axis: nine tiles of
# a million pixels fix the scale, and the transform's memory stays bounded.
_TILE = 1024
_MAX_TILES = 3
# Structure longer than this share of the field (standard deviation of a Gaussian) is background.
_BACKGROUND_SHARE = 1 / 12
# A minimum counts when the curve rises again by this many standard deviations of white noise.
_MIN_RISE = 5.0


def lattice_scale(image: ArrayLike) -> float | None:
    """Return the first minimum of the azimuthal mean of the autocorrelation, px.

    In a lattice image it lies at 0.64 to 1.0 nearest-neighbour distances (measured on seven materials:
    the lower end where several sublattices differ in brightness). It needs neither columns nor
    thresholds, ignores the order and the orientation of grains, and a tilted or uneven background only
    adds to the autocorrelation what varies over more than a twelfth of the field, which is filtered
    out. A minimum counts only if the curve rises again by five standard deviations of what white
    noise would do; so white noise has no scale.

    Parameters
    ----------
    image : array_like, shape (rows, cols)

    Returns
    -------
    float or None
        Distance in px, to a fraction of a pixel; None if there is no significant minimum (a constant
        image, pure noise, a single spot).

    Raises
    ------
    ValueError
        If `image` is not a finite 2-D array of at least 8 x 8 px.

    Examples
    --------
    >>> row, col = np.mgrid[:128, :128]
    >>> lattice = np.cos(2 * np.pi * row / 16) + np.cos(2 * np.pi * col / 16)
    >>> 8 < lattice_scale(lattice) < 12
    True
    """
    pixels = as_image(image)
    curve, noise = _radial_autocorrelation(pixels)
    if len(curve) < 5:
        return None
    # From lag 1 on: lag 0 holds the white noise. The light smoothing removes the scatter of rings of
    # few pixels without moving a minimum of several px.
    smooth = ndimage.gaussian_filter1d(curve[1:], 0.8)
    return _first_minimum(smooth, _MIN_RISE * noise[1:], first_lag=1)


def _first_minimum(
    curve: NDArray[np.float64], least_rise: NDArray[np.float64], first_lag: int
) -> float | None:
    lows = 1 + np.flatnonzero((curve[1:-1] < curve[:-2]) & (curve[1:-1] <= curve[2:]))
    for low in lows:
        deeper = np.flatnonzero(curve[low + 1 :] < curve[low])
        stop = low + 1 + (int(deeper[0]) if len(deeper) else len(curve))
        if curve[low:stop].max() - curve[low] > least_rise[low]:
            before, here, after = curve[low - 1 : low + 2]
            bend = before - 2 * here + after
            return float(first_lag + low + (0.5 * (before - after) / bend if bend > 0 else 0.0))
    return None


def _radial_autocorrelation(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Azimuthal mean of the autocorrelation per lag (lag 0 is 1), and its deviation for white noise."""
    shape = (min(pixels.shape[0], _TILE), min(pixels.shape[1], _TILE))
    n_lags = min(shape) // 2
    window = np.outer(np.hanning(shape[0] + 2)[1:-1], np.hanning(shape[1] + 2)[1:-1]).astype(np.float32)
    width = _BACKGROUND_SHARE * max(shape)
    frequency = np.hypot(fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :])
    high_pass = (1 - np.exp(-2 * (np.pi * width * frequency) ** 2)).astype(np.float32) ** 2
    power = np.zeros(high_pass.shape, np.float64)
    n_tiles = 0
    for top in _starts(pixels.shape[0], shape[0]):
        for left in _starts(pixels.shape[1], shape[1]):
            tile = pixels[top : top + shape[0], left : left + shape[1]]
            centred = tile - np.float32(tile.mean(dtype=np.float64))
            power += np.abs(fft.rfft2(centred * window)) ** 2
            n_tiles += 1
    correlation = fft.irfft2(power * high_pass, s=shape)
    if not correlation[0, 0] > 0:
        return np.zeros(0), np.zeros(0)
    lag = np.hypot(
        np.minimum(np.arange(shape[0]), shape[0] - np.arange(shape[0]))[:, None],
        np.minimum(np.arange(shape[1]), shape[1] - np.arange(shape[1]))[None, :],
    )
    ring = np.rint(lag).astype(np.intp).ravel()
    total = np.bincount(ring, correlation.ravel(), minlength=n_lags)[:n_lags]
    number = np.bincount(ring, minlength=n_lags)[:n_lags]
    squared = window.astype(np.float64) ** 2
    lag_variance = (squared**2).sum() / squared.sum() ** 2 / n_tiles
    # Each lag occurs twice, at opposite directions.
    noise = np.sqrt(lag_variance / np.maximum(number / 2, 1))
    return total / number / correlation[0, 0], noise


def _starts(length: int, tile: int) -> NDArray[np.intp]:
    count = min(_MAX_TILES, int(np.ceil(length / tile)))
    return np.rint(np.linspace(0, length - tile, count)).astype(np.intp)
