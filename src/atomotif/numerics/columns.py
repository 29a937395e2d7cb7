"""Atomic columns of a micrograph: found dim beside bright, refined below the pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_image, check_choice, check_positive
from atomotif.numerics.candidates import (
    FIND_SIGMA,
    choose_settings,
    filter_width,
    find_candidates,
    guess_contrast,
    is_flank,
    refine_points,
)
from atomotif.numerics.noise import noise_variance
from atomotif.numerics.scale import lattice_scale
from atomotif.numerics.spacing import nearest_neighbor_distance


@dataclass(frozen=True)
class DetectedColumns:
    """Columns found in an image.

    Attributes
    ----------
    points : ndarray of float64, shape (n, 2)
        (row, col) px, from the top row down.
    prominence : ndarray of float64, shape (n,)
        Height of each maximum of the filtered image above its highest saddle, units of the image.
    significance : ndarray of float64, shape (n,)
        Geometric mean of prominence and response in standard deviations of the filtered noise (inf
        without noise).
    response : ndarray of float64, shape (n,)
        Height of the filtered image, units of the image: a measure of each column's contrast.
    r_min : float
        The lattice scale used, px (nan if none was found).
    nearest_neighbor : float
        Median nearest-neighbour distance, px (nan for fewer than two columns).
    contrast : str
        "bright" or "dark".
    """

    points: NDArray[np.float64]
    prominence: NDArray[np.float64]
    significance: NDArray[np.float64]
    response: NDArray[np.float64]
    r_min: float
    nearest_neighbor: float
    contrast: str


def find_columns(
    image: ArrayLike,
    *,
    contrast: str = "bright",
    variance: ArrayLike | None = None,
    min_prominence: float = 2.0,
    relative_prominence: float = 0.05,
    adapt: bool = True,
    refine: bool = True,
    scale: float | None = None,
    n_threads: int | None = None,
) -> DetectedColumns:
    """Find the atomic columns of an image.

    The image is filtered by a Laplacian of a Gaussian matched to the lattice scale, which separates
    dim columns from the flanks of bright ones and ignores slow backgrounds. Its local maxima are kept
    by their topological prominence, against the noise and against the other columns, and refined
    below the pixel by paraboloids.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
    contrast : {"bright", "dark", "auto"}, default "bright"
        Whether columns are brighter than what is between them (ADF, HAADF, most STM) or darker (ABF). "auto"
        decides by the skewness of the filtered image (`guess_contrast`). It is right on 42 simulated and 10
        real micrographs and on their inversions, but for the inverted Si(111)-7x7 surface; hence not
        the default: whoever takes an image knows its contrast.
    variance : array_like, shape (rows, cols), optional
        Variance of each pixel, of which the mean counts; by default that of `noise_variance`. Give that
        of the raw image if `image` was smoothed.
    min_prominence : float, default 2.0
        Least `significance`, standard deviations of the filtered noise.
    relative_prominence : float, default 0.05
        Least prominence as a share of the 90th percentile: columns down to a tenth of the brightest are
        found (a S vacancy beside W), scan artefacts and probe tails are not.
    adapt : bool, default True
        Choose the filter width (0.20, 0.23 or 0.27 lattice scales) and the threshold (0.5 to 1.5 times
        `min_prominence`) by which the found columns repeat best in the middle of the field; see
        `choose_settings`. If False, 0.23 and `min_prominence` hold.
    refine : bool, default True
        Refine below the pixel; otherwise the pixels of the maxima are returned.
    scale : float, optional
        Lattice scale, px: about 0.8 column spacings. By default that of `lattice_scale`.
    n_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    DetectedColumns
        Without points where there is no lattice scale (a constant image, pure noise) or nothing passes.
        Columns at the edges are kept, flanks of columns beyond the edges are not.

    Raises
    ------
    ValueError
        If `image` or `variance` is not a finite 2-D array of at least 8 x 8 px, or their shapes differ, or a
        threshold is not positive.

    Notes
    -----
    Dan et al. 2022, Materials and Methods: "smoothing, maximum filtering, and locating the points". The
    result follows a change of units of the image, its inversion (with the other `contrast`) and its
    rotation by 90 degrees.

    Examples
    --------
    >>> row, col = np.mgrid[:96, :96]
    >>> lattice = np.exp(np.cos(2 * np.pi * (row - 5.25) / 12) + np.cos(2 * np.pi * (col - 7.5) / 12))
    >>> found = find_columns(lattice)
    >>> len(found.points), round(found.nearest_neighbor, 2)
    (64, 12.0)
    >>> found.points[0].round(1)
    array([5.2, 7.5])
    """
    pixels = as_image(image)
    check_choice(contrast, "contrast", ("bright", "dark", "auto"))
    check_positive(min_prominence, "min_prominence")
    check_positive(relative_prominence, "relative_prominence")
    noise = _mean_variance(pixels, variance)
    r_min = lattice_scale(pixels) if scale is None else check_positive(scale, "scale")
    if r_min is None:
        return _nothing("bright" if contrast == "auto" else contrast)
    # Without its level the image keeps all of float32's digits for the contrast.
    level = np.float32(pixels.mean(dtype=np.float64))
    signal = pixels - level
    if contrast == "auto":
        contrast = guess_contrast(signal, r_min, n_threads)
    if contrast == "dark":
        signal = -signal
    sigma, threshold = filter_width(FIND_SIGMA, r_min), min_prominence
    if adapt:
        sigma, threshold = choose_settings(
            signal, noise, r_min, min_prominence, relative_prominence, n_threads
        )
    candidates = find_candidates(signal, noise, sigma, n_threads)
    keep = candidates.select(threshold, relative_prominence)
    keep[keep] &= ~is_flank(signal, candidates.peaks[keep], sigma)
    peaks = candidates.peaks[keep]
    if not len(peaks):
        return _nothing(contrast, r_min)
    points = peaks.astype(np.float64)
    if refine:
        spacing = _spacing(points)
        points = refine_points(signal, peaks, r_min, spacing if np.isfinite(spacing) else r_min, n_threads)
    return DetectedColumns(
        points,
        candidates.prominence[keep],
        candidates.significance[keep],
        candidates.response[keep],
        r_min,
        _spacing(points),
        contrast,
    )


def _mean_variance(pixels: NDArray[np.float32], variance: ArrayLike | None) -> float:
    if variance is None:
        model = noise_variance(pixels)
        return max(model.offset + model.slope * float(pixels.mean(dtype=np.float64)), model.floor)
    given = as_image(variance, "variance")
    if given.shape != pixels.shape:
        raise ValueError(f"`variance` must have the shape of `image` {pixels.shape}, got {given.shape}.")
    return float(given.mean(dtype=np.float64))


def _spacing(points: NDArray[np.float64]) -> float:
    return nearest_neighbor_distance(points) if len(points) > 1 else float("nan")


def _nothing(contrast: str, r_min: float = float("nan")) -> DetectedColumns:
    none = np.zeros(0)
    return DetectedColumns(np.zeros((0, 2)), none, none, none, r_min, float("nan"), contrast)
