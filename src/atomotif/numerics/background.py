"""Uneven background and gain: planes, scan lines, slow variations; nothing at or below the column spacing."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage

from atomotif._checks import as_image, check_choice, check_positive
from atomotif.numerics._filters import wide_gaussian
from atomotif.numerics.scale import lattice_scale

METHODS = ("auto", "none", "plane", "scan_lines", "smooth")

# Standard deviation of the smooth background, column spacings: a Gaussian of 3 spacings passes
# exp(-2 pi^2 3^2) of a ripple of one spacing, that is nothing, and averages some 60 columns, so that one
# vacancy changes its own background by less than 2 % of a column.
_SMOOTH_SPACINGS = 3.0
# The column spacing by the lattice scale, which is 0.64 to 1.0 spacings.
_SPACING_BY_SCALE = 1 / 0.8
# Pixels of a line that its level is taken from.
_MAX_SAMPLES = 1024


def flatten(image: ArrayLike, method: str = "auto", scale: float | None = None) -> NDArray[np.float32]:
    """Remove an uneven background; the mean level is kept.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
    method : {"auto", "none", "plane", "scan_lines", "smooth"}, default "auto"
        - "none": the image as float32.
        - "plane": a tilted plane, fitted robustly (columns, islands and steps do not tilt it).
        - "scan_lines": the plane and one offset per row (the fast scan direction is along the rows), the
          mean of the middle half of its values. What repeats from row to row with a sharp period is
          the lattice, when it is aligned with the rows, and stays.
        - "smooth": the plane, then a Gaussian average of 3 column spacings, normalised at the edges.
        - "auto": the plane; the scan lines if they are there (`has_scan_lines`); then the smooth background
          if a lattice scale is known. On uneven fields this is the largest single gain in finding
          motifs, and an even field loses nothing by it, which is why it is the default. It
          suits STM topographs (tilt, scan lines, terraces) and STEM images alike.
    scale : float, optional
        Column spacing, px. By default estimated from the autocorrelation (`lattice_scale`); without any
        lattice, "auto" leaves the smooth background alone and "smooth" takes 1/16 of the shorter side.

    Returns
    -------
    ndarray of float32, shape (rows, cols)

    Raises
    ------
    ValueError
        If `method` is none of these, or `scale` is not positive.

    Examples
    --------
    >>> row, col = np.mgrid[:64, :64]
    >>> tilted = 0.5 * row - 0.2 * col
    >>> bool(np.ptp(flatten(tilted, "plane")) < 1e-4)
    True
    """
    pixels = as_image(image)
    check_choice(method, "method", METHODS)
    if method == "none":
        return pixels.copy()
    level = float(pixels.mean(dtype=np.float64))
    flat = pixels - _plane(pixels)
    if method == "scan_lines" or (method == "auto" and has_scan_lines(flat)):
        flat -= scan_line_offsets(flat)[:, None]
    if method in ("auto", "smooth"):
        spacing = check_positive(scale, "scale") if scale is not None else _spacing(flat)
        if spacing is None and method == "smooth":
            spacing = min(flat.shape) / 16
        if spacing is not None:
            flat -= smooth_background(flat, spacing)
    flat += np.float32(level - float(flat.mean(dtype=np.float64)))
    return flat


def smooth_background(image: ArrayLike, spacing: float) -> NDArray[np.float32]:
    """Return the Gaussian average over 3 column spacings, taken over what lies inside the image.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
    spacing : float
        Column spacing, px.

    Returns
    -------
    ndarray of float32, shape (rows, cols)

    Examples
    --------
    >>> bool(np.allclose(smooth_background(np.full((32, 32), 5.0), 3.0), 5))
    True
    """
    pixels = as_image(image)
    sigma = _SMOOTH_SPACINGS * check_positive(spacing, "spacing")
    return _normalised_gaussian(pixels, sigma)


def local_gain(image: ArrayLike, spacing: float, cells: float = 8.0) -> NDArray[np.float32]:
    """Return the gain of each local field of several cells, relative to the middle of the whole image.

    The gain is the local contrast: the root mean square of the image about its local mean, both averaged by
    a Gaussian with a standard deviation of `cells` column spacings. Dividing a flattened image by it
    evens out detector gain, thickness and focus over the field. It is never one patch's own norm: with 8
    spacings, some 400 columns share a gain, and one vacancy changes it by a fraction of a per cent.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
    spacing : float
        Column spacing, px.
    cells : float, default 8
        Size of the field, column spacings; at least 4.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Median 1; everywhere 1 in a constant image.

    Raises
    ------
    ValueError
        If `cells` is below 4, where the gain would begin to follow single defects.

    Examples
    --------
    >>> col = np.arange(256)
    >>> image = np.tile((1 + col / 256) * np.cos(2 * np.pi * col / 8), (64, 1))
    >>> gain = local_gain(image, 8.0, cells=4)
    >>> bool(gain[32, 220] > 1.3 * gain[32, 40])
    True
    """
    pixels = as_image(image)
    if not check_positive(cells, "cells") >= 4:
        raise ValueError(f"`cells` must be at least 4 column spacings, got {cells}.")
    sigma = cells * check_positive(spacing, "spacing")
    contrast = pixels - _normalised_gaussian(pixels, sigma)
    np.square(contrast, out=contrast)
    gain = np.sqrt(_normalised_gaussian(contrast, sigma))
    middle = float(np.median(gain))
    if not middle > 0:
        return np.ones_like(gain)
    # A region without lattice (vacuum) has next to no contrast; it must not be blown up.
    result: NDArray[np.float32] = np.maximum(gain / np.float32(middle), np.float32(0.05))
    return result


def has_scan_lines(image: ArrayLike) -> bool:
    """Tell whether rows are offset against each other, as by a drifting STM tip.

    The offsets of rows are compared with those of columns, which no scan disturbs: they must jump from row
    to row (second difference, robust) six times as much as from column to column, and by at least
    2 % of the image's standard deviation. A torn lattice (rows shifted along themselves, the usual scan
    error of STEM) reaches a factor of 4 to 5 and is left alone.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Without a strong tilt.

    Returns
    -------
    bool

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> image = rng.normal(size=(64, 64))
    >>> has_scan_lines(image), has_scan_lines(image + rng.normal(size=(64, 1)))
    (False, True)
    """
    pixels = as_image(image)

    rows, cols = (_jump(_line_levels(turned)) for turned in (pixels, pixels.T))
    # One line's level scatters as 1 / sqrt(its pixels): lines of unlike length compare fairly.
    fair = np.sqrt(pixels.shape[1] / pixels.shape[0])
    return bool(fair * rows > 6 * cols and rows > 0.02 * float(pixels.std(dtype=np.float64)))


def scan_line_offsets(image: ArrayLike) -> NDArray[np.float32]:
    """Return the offset of each row: its middle level, without what repeats (the lattice).

    Parameters
    ----------
    image : array_like, shape (rows, cols)

    Returns
    -------
    ndarray of float32, shape (rows,)
        With mean 0.

    Examples
    --------
    >>> image = np.zeros((64, 32)) + np.random.default_rng(0).normal(size=(64, 1))
    >>> bool((image - scan_line_offsets(image)[:, None]).std() < 0.3 * image.std())
    True
    """
    pixels = as_image(image)
    result: NDArray[np.float32] = _without_period(_line_levels(pixels)).astype(np.float32)
    return result


def _line_levels(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean of the middle half of each row's values: robust like the median, but not quantised by counts."""
    ordered = np.sort(pixels[:, :: max(1, pixels.shape[1] // _MAX_SAMPLES)], axis=1)
    quarter = ordered.shape[1] // 4
    level: NDArray[np.float64] = ordered[:, quarter : ordered.shape[1] - quarter].mean(
        axis=1, dtype=np.float64
    )
    return level


def _jump(levels: NDArray[np.float64]) -> float:
    """Robust standard deviation of the lines' offsets, from their second difference."""
    # 0.6745 for the median of absolute values, sqrt(6) for the second difference of independent values.
    steps = np.abs(np.diff(_without_period(levels), 2))
    return float(np.median(steps) / (0.6745 * np.sqrt(6)))


def _without_period(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a profile about its mean, less the sharp lines of its spectrum."""
    centred = profile - profile.mean()
    spectrum = fft.rfft(centred)
    power = np.abs(spectrum) ** 2
    width = max(5, len(power) // 16) | 1
    around = ndimage.median_filter(power, size=width, mode="nearest")
    # White offsets exceed 12 times their median power once in 4,000 frequencies; a lattice by far.
    sharp = power > 12 * around
    # Slow drift of the rows is an offset, too, and longer than any lattice.
    sharp[: max(2, len(power) // 32)] = False
    sharp = ndimage.binary_dilation(sharp, iterations=2) & (power > 3 * around)
    periodic = fft.irfft(np.where(sharp, spectrum, 0), n=len(centred))
    rest: NDArray[np.float64] = centred - periodic
    return rest


def _plane(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The plane (without its level) through the medians of blocks, fitted with Huber weights."""
    n_rows, n_cols = pixels.shape
    # Blocks of a sixteenth of the side hold several columns, so that their medians see the background.
    row_edges = np.linspace(0, n_rows, min(16, n_rows // 4) + 1).astype(int)
    col_edges = np.linspace(0, n_cols, min(16, n_cols // 4) + 1).astype(int)
    at, value = [], []
    for top, bottom in pairwise(row_edges):
        for left, right in pairwise(col_edges):
            block = pixels[top:bottom, left:right]
            at.append((1.0, (top + bottom - 1) / 2, (left + right - 1) / 2))
            value.append(float(np.median(block)))
    design, target = np.array(at), np.array(value)
    weight = np.ones(len(target))
    solution = np.zeros(3)
    for _ in range(30):
        root = np.sqrt(weight)
        solution = np.linalg.lstsq(design * root[:, None], target * root, rcond=None)[0]
        residual = np.abs(target - design @ solution)
        spread = 1.4826 * float(np.median(residual))
        if spread <= 1e-7 * float(np.abs(target).max()):
            break
        weight = 1 / np.maximum(residual / (1.345 * spread), 1)
    row = np.arange(n_rows) - (n_rows - 1) / 2
    col = np.arange(n_cols) - (n_cols - 1) / 2
    plane: NDArray[np.float32] = (solution[1] * row[:, None] + solution[2] * col[None, :]).astype(np.float32)
    return plane


def _spacing(pixels: NDArray[np.float32]) -> float | None:
    scale = lattice_scale(pixels)
    return None if scale is None else scale * _SPACING_BY_SCALE


def _normalised_gaussian(pixels: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian average over the pixels inside the image: beyond the edge nothing counts."""
    weight = [ndimage.gaussian_filter1d(np.ones(n), sigma, mode="constant") for n in pixels.shape]
    # The level is taken out first, so that float32 sums stay exact on a large offset.
    level = np.float32(pixels.mean(dtype=np.float64))
    total = wide_gaussian(pixels - level, sigma)
    total /= weight[0].astype(np.float32)[:, None]
    total /= weight[1].astype(np.float32)[None, :]
    flat: NDArray[np.float32] = total + level
    return flat
