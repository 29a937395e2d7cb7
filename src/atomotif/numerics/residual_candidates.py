"""Places where an image departs from its reconstruction by more than noise: missed and spurious columns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, optimize
from scipy.spatial import cKDTree

from atomotif._checks import as_image, as_points, check_positive
from atomotif.numerics._filters import laplacian_energy, laplacian_of_gaussian
from atomotif.numerics.prominence import refine_peaks

__all__ = ["ResidualCandidates", "column_heights", "false_alarm_threshold", "residual_candidates"]

# A spot that the filter finds stands in a ring of the opposite sign, exp(-2) = 0.14 as high, at twice the
# width of the filtered spot (about 3 sigma); rings of neighbours add up. What is below this share of an
# opposite candidate within so many sigmas is taken for its ring.
_RING, _RING_REACH = 0.5, 5.0
# Extrema nearer to a higher one than this, in sigmas, are the same place.
_APART = 2.0


class ResidualCandidates(NamedTuple):
    """What `residual_candidates` returns, the most significant first."""

    positions: NDArray[np.float64]
    """(row, col), px, shape (n, 2)."""
    significance: NDArray[np.float64]
    """Standard deviations; positive where the image is brighter than its reconstruction, shape (n,)."""
    contrast: NDArray[np.float64]
    """Height of the filtered residual, in units of the image, shape (n,)."""
    threshold: float
    """Least significance that the rule against false alarms lets pass."""
    excess: float
    """By how much the filtered residual scatters more than noise does, at least 1."""


def false_alarm_threshold(n_pixels: int, sigma: float, false_alarms: float) -> float:
    """Return the significance that noise in an image exceeds `false_alarms` times on average.

    Parameters
    ----------
    n_pixels : int
        Pixels that are looked at.
    sigma : float
        Width of the Laplacian of a Gaussian, px.
    false_alarms : float
        Expected number of maxima and minima above it.

    Returns
    -------
    float

    Notes
    -----
    In a Gaussian random field the expected number of maxima above a high level u is, per area,
    ``(2 pi)**-1.5 L u exp(-u**2 / 2)``, L being the variance of the slope of the field of unit variance
    (Adler, The Geometry of Random Fields, 1981). Of white noise so filtered it is ``3 / (2 sigma**2)``.

    Examples
    --------
    >>> round(false_alarm_threshold(10**6, 4.0, 0.1), 2)
    5.16
    """
    check_positive(sigma, "sigma")
    check_positive(false_alarms, "false_alarms")
    scale = 2 * n_pixels * 1.5 / sigma**2 / (2 * np.pi) ** 1.5

    def surplus(level: float) -> float:
        return float(np.log(scale * level) - 0.5 * level**2 - np.log(false_alarms))

    # The expectation falls with the level from 1 on; where it is lower even there, 1 will do.
    if n_pixels == 0 or surplus(1.0) <= 0:
        return 1.0
    return float(optimize.brentq(surplus, 1.0, 40.0))


def column_heights(
    image: ArrayLike, points: ArrayLike, sigma: float, n_threads: int | None = None
) -> NDArray[np.float64]:
    """Return how high columns stand in the filtered image, the measure of `min_contrast`.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Finite.
    points : array_like, shape (n, 2)
        (row, col), px.
    sigma : float
        As of `residual_candidates`.
    n_threads : int, optional

    Returns
    -------
    ndarray of float64, shape (n,)
        In units of the image, at the nearest pixel; negative for dark columns.

    Examples
    --------
    >>> row, col = np.mgrid[:40, :40]
    >>> spot = np.exp(-((row - 20) ** 2 + (col - 18) ** 2) / 18)
    >>> column_heights(spot, [[20, 18]], 3.0).round(2)
    array([0.5])
    """
    filtered = laplacian_of_gaussian(as_image(image), sigma, n_threads)
    at = np.clip(np.round(as_points(points)).astype(np.int64), 0, np.array(filtered.shape) - 1)
    return filtered[at[:, 0], at[:, 1]].astype(np.float64)


def residual_candidates(
    residual: ArrayLike,
    variance: ArrayLike,
    sigma: float,
    *,
    gain: float = 0.0,
    false_alarms: float = 0.1,
    min_contrast: float = 0.0,
    n_threads: int | None = None,
) -> ResidualCandidates:
    """Return significant maxima and minima of a residual.

    A column that has no point leaves a bright spot in the residual, a point without a column a dark one
    (the other way round where columns are dark).

    Parameters
    ----------
    residual : array_like, shape (rows, cols)
        Image less its reconstruction; NaN where nothing was pasted, which is not looked at.
    variance : array_like, shape (rows, cols) or scalar
        Variance of a pixel's noise, best of the reconstruction: that of the image itself is high where noise
        made it bright. See `NoiseModel.variance`.
    sigma : float
        Width of the filter, px: that of a column, about a quarter of the distance between neighbours.
    gain : float, default 0.0
        Units of the image for each particle that was counted, `NoiseModel.slope`: counts are skewed, and a
        few of them make a maximum more easily than a minimum. 0 is for symmetric noise.
    false_alarms : float, default 0.1
        Expected number of candidates where the residual is nothing but noise: one in ten images.
    min_contrast : float, default 0.0
        Least height of the filtered residual, in units of the image. At a high dose a column that is
        slightly off place is significant, too; what matters is a good part of a column's own height.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    ResidualCandidates

    Raises
    ------
    ValueError
        If shapes do not match, or a variance is negative.

    Notes
    -----
    The residual is filtered by the Laplacian of a Gaussian, blind to its slow part. Significance is the
    response over its standard deviation, which follows from the variance of the pixels. Where the response
    scatters by more than that (noise that is correlated, averages that do not fit), by its median absolute
    value over all pixels, deviations are enlarged by this `excess`. The skewness that counts have is taken
    out by the first term of the Cornish-Fisher expansion. The threshold then is that of
    `false_alarm_threshold`: it grows with the area. Extrema within 2 sigma of a higher one, and those below
    half of an opposite one within 5 sigma, the filter's own ring, are dropped.

    Examples
    --------
    >>> row, col = np.mgrid[:64, :64]
    >>> noise = np.random.default_rng(0).normal(0, 1, (64, 64))
    >>> spot = 8 * np.exp(-((row - 20.5) ** 2 + (col - 40) ** 2) / 18)
    >>> found = residual_candidates(noise + spot, 1.0, 3.0)
    >>> len(found.positions), bool(np.hypot(*(found.positions[0] - [20.5, 40])) < 0.5)
    (1, True)
    """
    values = np.asarray(residual, np.float32)
    known = np.isfinite(values)
    values = as_image(np.where(known, values, np.float32(0)), "residual")
    noise = np.broadcast_to(np.asarray(variance, np.float32), values.shape)
    if not (noise >= 0).all():
        raise ValueError(f"`variance` must not be negative, got {noise.min()}.")
    threshold = false_alarm_threshold(int(known.sum()), sigma, false_alarms)
    # Zeros beyond the edge: mirrored noise would count twice there.
    halo = int(4 * sigma + 0.5) + 1
    inside = (slice(halo, -halo), slice(halo, -halo))
    response = laplacian_of_gaussian(np.pad(values, halo), sigma, n_threads)[inside]
    deviation = np.sqrt(_filtered_variance(np.where(known, noise, np.float32(0)), sigma))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(known & (response != 0), response / deviation, 0)
    usable = known & np.isfinite(score)
    excess = 1.0
    if usable.any():
        excess = max(1.0, float(np.median(np.abs(score[usable]))) / 0.6745)
    score /= np.float32(excess)
    if gain > 0:
        score[usable] = _unskewed(score[usable], deviation[usable], gain, sigma)
    peaks = _extrema(np.abs(score), known, threshold)
    height = response[peaks[:, 0], peaks[:, 1]].astype(np.float64)
    strong = np.abs(height) >= min_contrast
    peaks, height = peaks[strong], height[strong]
    significance = score[peaks[:, 0], peaks[:, 1]].astype(np.float64)
    order = np.lexsort((peaks[:, 1], peaks[:, 0], -np.abs(significance)))
    peaks, height, significance = peaks[order], height[order], significance[order]
    kept = _distinct(peaks, height, sigma)
    positions = refine_peaks(np.abs(response), peaks[kept], max(1, round(0.5 * sigma)), sigma)
    return ResidualCandidates(positions, significance[kept], height[kept], threshold, excess)


def _filtered_variance(variance: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return the variance of white noise of the given variances after the Laplacian of a Gaussian.

    The square of the filter, ``(2 - (x**2 + y**2) / sigma**2)**2`` times a Gaussian, is a sum of three
    products of a filter along the rows and one along the columns.
    """
    radius = int(4 * sigma + 0.5)
    square = (np.arange(-radius, radius + 1) / sigma) ** 2
    none = np.exp(-square)
    two, four = square * none, square**2 * none
    total = np.zeros(variance.shape, np.float32)
    for along_rows, along_cols in (
        (none, 4 * none - 4 * two + four),
        (two, 2 * two - 4 * none),
        (four, none),
    ):
        part = ndimage.convolve1d(variance, along_rows, axis=0, mode="constant")
        total += ndimage.convolve1d(part, along_cols, axis=1, mode="constant")
    whole = (
        4 * none.sum() ** 2 - 8 * none.sum() * two.sum() + 2 * none.sum() * four.sum() + 2 * two.sum() ** 2
    )
    return np.asarray(np.maximum(total * np.float32(laplacian_energy(sigma) / whole), np.float32(0)))


def _unskewed(
    score: NDArray[np.float32], deviation: NDArray[np.float32], gain: float, sigma: float
) -> NDArray[np.float32]:
    """Return the scores that a Gaussian field exceeds as often as sums of counts exceed the given ones.

    The third cumulant of a pixel's noise is its variance times the gain. Solves
    score = z + skewness (z**2 - 1) / 6 for z; where a minimum is rarer than any Gaussian one, it is bounded.
    """
    radius = int(4 * sigma + 0.5) + 1
    delta = np.zeros((2 * radius + 1, 2 * radius + 1), np.float32)
    delta[radius, radius] = 1
    kernel = laplacian_of_gaussian(delta, sigma, 1).astype(np.float64)
    cubes, squares = float((kernel**3).sum()), float((kernel**2).sum())
    # The variance of a pixel is deviation**2 / squares; no skewness beyond that of an exponential law.
    skewness = np.minimum(gain * cubes / (squares * np.maximum(deviation, np.finfo(np.float32).tiny)), 2.0)
    a = np.maximum(skewness / 6, 1e-6)
    root = np.sqrt(np.maximum(1 + 4 * a * (score + a), 0))
    return np.asarray((root - 1) / (2 * a), np.float32)


def _extrema(magnitude: NDArray[np.float32], known: NDArray[np.bool_], threshold: float) -> NDArray[np.int64]:
    """Return the pixels of local maxima of at least `threshold`, shape (n, 2)."""
    highest = magnitude >= ndimage.maximum_filter(magnitude, 3)
    return np.asarray(np.argwhere(highest & known & (magnitude >= threshold)), np.int64)


def _distinct(peaks: NDArray[np.int64], height: NDArray[np.float64], sigma: float) -> NDArray[np.int64]:
    """Return the rows, strongest first, that are neither beside a higher one nor in its ring."""
    dropped = np.zeros(len(peaks), bool)
    if len(peaks) < 2:
        return np.arange(len(peaks))
    pairs = cKDTree(peaks).query_pairs(_RING_REACH * sigma, output_type="ndarray")
    strong, weak = np.sort(pairs, axis=1).T
    near = np.hypot(*(peaks[strong] - peaks[weak]).T) < _APART * sigma
    opposite = height[strong] * height[weak] < 0
    in_ring = np.abs(height[weak]) < _RING * np.abs(height[strong])
    shadows = np.where(opposite, in_ring, near)
    order = np.lexsort((weak, strong))
    for keeper, loser in zip(strong[order][shadows[order]], weak[order][shadows[order]]):
        dropped[loser] |= not dropped[keeper]
    return np.flatnonzero(~dropped)
