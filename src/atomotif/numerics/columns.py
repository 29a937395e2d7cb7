"""Atomic columns of a micrograph: found dim beside bright, refined below the pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif.numerics._checks import as_image, check_choice, check_positive
from atomotif.numerics._filters import gaussian, laplacian_energy, laplacian_of_gaussian
from atomotif.numerics.noise import noise_variance
from atomotif.numerics.prominence import peak_prominence, refine_peaks
from atomotif.numerics.scale import lattice_scale
from atomotif.numerics.spacing import nearest_neighbor_distance

# Shares of the lattice scale; measured best over seven materials and six kinds of disturbance.
_FIND_SIGMA = 0.23
_REFINE_SIGMA = 0.30
# Below this (px) the sampled kernel no longer is a Laplacian.
_MIN_SIGMA = 0.7
# A column answers with at least this share of the 90th percentile of the columns' responses.
_MIN_RESPONSE = 0.03


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
        The prominence in standard deviations of the filtered noise (inf without noise).
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
    refine: bool = True,
    scale: float | None = None,
    n_threads: int | None = None,
) -> DetectedColumns:
    """Find the atomic columns."""
    pixels = as_image(image)
    check_choice(contrast, "contrast", ("bright", "dark"))
    noise = noise_variance(pixels).variance(pixels) if variance is None else as_image(variance, "variance")
    r_min = lattice_scale(pixels) if scale is None else check_positive(scale, "scale")
    if r_min is None:
        return _nothing(contrast)
    level = np.float32(pixels.mean(dtype=np.float64))
    signal = pixels - level if contrast == "bright" else level - pixels
    sigma = max(_FIND_SIGMA * r_min, _MIN_SIGMA)
    filtered = laplacian_of_gaussian(signal, sigma, n_threads)
    peaks, prominence = peak_prominence(filtered)
    row, col = peaks.T
    response = filtered[row, col].astype(np.float64)
    deviation = np.sqrt(
        laplacian_energy(sigma) * gaussian(noise, sigma, n_threads)[row, col].astype(np.float64)
    )
    with np.errstate(divide="ignore"):
        significance = prominence / deviation
    keep = significance > min_prominence
    if keep.any():
        keep &= prominence > relative_prominence * np.percentile(prominence[keep], 90)
        keep &= response > _MIN_RESPONSE * np.percentile(response[keep], 90)
    if not keep.any():
        return _nothing(contrast, r_min)
    peaks, prominence = peaks[keep], prominence[keep]
    points = peaks.astype(np.float64)
    spacing = nearest_neighbor_distance(points) if len(points) > 1 else float("nan")
    if refine:
        reach = spacing if np.isfinite(spacing) else r_min
        smooth = laplacian_of_gaussian(signal, max(_REFINE_SIGMA * r_min, _MIN_SIGMA), n_threads)
        points = refine_peaks(smooth, peaks, max(2, round(0.15 * reach)), 0.2 * reach)
        spacing = nearest_neighbor_distance(points) if len(points) > 1 else float("nan")
    return DetectedColumns(points, prominence, significance[keep], response[keep], r_min, spacing, contrast)


def _nothing(contrast: str, r_min: float = float("nan")) -> DetectedColumns:
    none = np.zeros(0)
    return DetectedColumns(np.zeros((0, 2)), none, none, none, r_min, float("nan"), contrast)
