"""The noise of a micrograph: pixel variance as a straight line of the intensity, read off the image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from atomotif._checks import as_image

# Width (px) of the Gaussian that estimates the local intensity: wide enough to average ~28 pixels'
# noise away, narrower than any column that can be analysed at all.
_INTENSITY_SIGMA = 1.5
_N_BINS = 20
# Pixels that enter the fit: 20 bins of 13,000 fix each variance to 1 %, more only costs time.
_MAX_PIXELS = 1 << 18


@dataclass(frozen=True)
class NoiseModel:
    """Pixel variance ``max(offset + slope * intensity, floor)``.

    Attributes
    ----------
    offset : float
        Variance at zero intensity (read-out noise), squared units of the image.
    slope : float
        Variance per unit of intensity (1 for counted particles), units of the image.
    floor : float
        The least variance, so that a fitted line that turns negative in the dark cannot claim less noise
        than a fifth of the quietest pixels' or a hundredth of the average.
    """

    offset: float
    slope: float
    floor: float = 0.0

    def variance(self, image: ArrayLike) -> NDArray[np.float32]:
        """Return the variance of every pixel, from the intensity averaged over a few pixels.

        Parameters
        ----------
        image : array_like, shape (rows, cols)
            In the units of the image that the model was fitted to.

        Returns
        -------
        ndarray of float32, shape (rows, cols)

        Examples
        --------
        >>> float(NoiseModel(1.0, 2.0).variance(np.full((8, 8), 3.0))[0, 0])
        7.0
        """
        pixels = as_image(image)
        smooth: NDArray[np.float32] = ndimage.gaussian_filter(pixels, _INTENSITY_SIGMA)
        smooth *= np.float32(self.slope)
        smooth += np.float32(self.offset)
        return np.maximum(smooth, np.float32(self.floor), out=smooth)


def noise_variance(image: ArrayLike) -> NoiseModel:
    """Fit pixel variance = offset + slope * intensity to an image.

    What the mask ``[1 -2 1] x [1 -2 1] / 6`` leaves of a smooth image is noise of the same variance
    (Immerkaer 1996). Its variance is taken in 20 bins of equal occupancy of the locally averaged
    intensity, and a line is fitted with relative weights. Within a bin the variance is the robust one
    (median absolute value), so that sharp columns do not pass for noise, but at least half and at most
    all of the plain variance: at a few counts per pixel the median absolute value is quantised.

    Noise that is correlated between neighbouring pixels (an image that was smoothed or resampled) is
    underestimated; in a noise-free image the result is the small remainder of the columns' own
    curvature, and in a constant image exactly zero.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Raw intensities: not flattened, so that the intensity says how many counts there were.

    Returns
    -------
    NoiseModel

    Raises
    ------
    ValueError
        If `image` is not a finite 2-D array of at least 8 x 8 px.

    Notes
    -----
    The model commutes with a change of units: the variance of ``a * image + b`` is ``a**2`` times that
    of `image`. Images beyond 512 x 512 px are sampled on a regular grid of pixels.

    Examples
    --------
    >>> counts = np.random.default_rng(0).poisson(np.linspace(20, 200, 256 * 256).reshape(256, 256))
    >>> model = noise_variance(counts)
    >>> round(model.slope, 1)
    1.0
    """
    pixels = as_image(image)
    # Subtracting the mean first keeps float32 accurate for images with a large offset.
    level = float(pixels.mean(dtype=np.float64))
    centred = pixels - np.float32(level)
    smooth = ndimage.gaussian_filter(centred, _INTENSITY_SIGMA)
    mask = np.array([1.0, -2.0, 1.0])
    residual = ndimage.convolve1d(ndimage.convolve1d(centred, mask / 6, axis=0), mask, axis=1)
    step = int(np.ceil(np.sqrt(pixels.size / _MAX_PIXELS)))
    # The mirrored border would double-count noise, hence the one-pixel margin.
    inner = (slice(1, -1, step), slice(1, -1, step))
    intensity = smooth[inner].ravel().astype(np.float64)
    deviation = residual[inner].ravel().astype(np.float64)
    mean, variance, count = _binned_variance(intensity, deviation)
    overall = float(np.average(variance, weights=count))
    if overall == 0:
        return NoiseModel(0.0, 0.0, 0.0)
    floor = max(0.2 * float(variance.min()), 0.01 * overall)
    if len(mean) < 3:
        return NoiseModel(overall, 0.0, floor)
    design = np.column_stack([np.ones_like(mean), mean])
    # Relative weights, but bounded: where hardly anything was counted, the bin of the pixels that see no
    # count at all has no variance by selection, and must not decide the fit.
    weight = np.sqrt(count) / (variance + 0.1 * overall)
    (offset, slope), *_ = np.linalg.lstsq(design * weight[:, None], variance * weight, rcond=None)
    return NoiseModel(float(offset - slope * level), float(slope), floor)


def _binned_variance(
    intensity: NDArray[np.float64], deviation: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean intensity, variance of the deviation and number of pixels of each bin."""
    edges = np.unique(np.quantile(intensity, np.linspace(0, 1, _N_BINS + 1)[1:-1]))
    which = np.searchsorted(edges, intensity, side="right")
    order = np.argsort(which, kind="stable")
    starts = np.flatnonzero(np.diff(which[order])) + 1
    mean, variance, count = [], [], []
    for part in np.split(order, starts):
        if len(part) < 8:
            continue
        plain = float(np.mean(deviation[part] ** 2))
        robust = float(np.median(np.abs(deviation[part])) / 0.6745) ** 2
        mean.append(float(intensity[part].mean()))
        variance.append(min(plain, max(robust, 0.5 * plain)))
        count.append(len(part))
    return np.array(mean), np.array(variance), np.array(count, dtype=np.float64)
