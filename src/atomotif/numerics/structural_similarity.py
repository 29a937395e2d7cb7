"""Structural similarity of two images, of which one may have holes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from atomotif._checks import as_image, check_positive
from atomotif.numerics._threads import run_blocks

__all__ = ["structural_similarity"]

# The constants of Wang et al.: window (px) cut at this many standard deviations, and stabilisers.
_SIGMA, _TRUNCATE = 1.5, 3.5
_K1, _K2 = 0.01, 0.03
# Rows worked on at a time, and what they need of the next: 5 px.
_STRIP = 128
_HALO = int(_TRUNCATE * _SIGMA + 0.5)


def structural_similarity(
    image: ArrayLike,
    other: ArrayLike,
    *,
    data_range: float | None = None,
    n_threads: int | None = None,
) -> float:
    """Return the mean structural similarity (SSIM) of two images where both are known.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Finite.
    other : array_like, shape (rows, cols)
        NaN where it is not known.
    data_range : float, optional
        What the stabilising constants scale with; by default the range of `image` where `other` is known.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    float
        At most 1, which only equal images reach. NaN where nothing is known or `image` is constant there and
        no `data_range` is given. Noise in one image alone lowers it much, however good the match.

    Raises
    ------
    ValueError
        If shapes do not match.

    Notes
    -----
    Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Process. 13, 600 (2004), with their constants:
    Gaussian window of 1.5 px within 11 x 11 px, K1 = 0.01, K2 = 0.03. Windows that reach over an edge or
    into a hole use the pixels that are known, with weights that again sum to one.

    Examples
    --------
    >>> image = np.outer(np.hanning(16), np.hanning(16))
    >>> structural_similarity(image, image)
    1.0
    >>> structural_similarity(image, 1 - image) < 0
    True
    """
    first, second = as_image(image), np.asarray(other, np.float32)
    if first.shape != second.shape:
        raise ValueError(f"`other` must have the shape {first.shape}, got {second.shape}.")
    known = np.isfinite(second)
    if not known.any():
        return float("nan")
    inside = first[known]
    level = np.float32(inside.mean(dtype=np.float64))
    extent = (
        float(inside.max()) - float(inside.min())
        if data_range is None
        else check_positive(data_range, "data_range")
    )
    if extent == 0:
        return float("nan")
    sums = np.zeros(-(-first.shape[0] // _STRIP))

    def strip(k: int) -> None:
        start, stop = k * _STRIP, min((k + 1) * _STRIP, first.shape[0])
        low, high = max(start - _HALO, 0), min(stop + _HALO, first.shape[0])
        there = known[low:high]
        a = np.where(there, first[low:high] - level, 0).astype(np.float64)
        b = np.where(there, second[low:high] - level, 0).astype(np.float64)
        local = _ssim(a, b, there, float(level), extent)
        rows = slice(start - low, stop - low)
        sums[k] = local[rows][there[rows]].sum()

    run_blocks(strip, range(len(sums)), n_threads)
    return float(sums.sum() / known.sum())


def _ssim(
    a: NDArray[np.float64], b: NDArray[np.float64], known: NDArray[np.bool_], level: float, extent: float
) -> NDArray[np.float64]:
    """Return the similarity at every pixel; `a` and `b` lack `level`, so that their squares stay accurate."""
    weight = np.maximum(_window(known.astype(np.float64)), 1e-12)
    mean_a, mean_b = _window(a) / weight, _window(b) / weight
    # Only the sum of the variances is needed.
    variances = _window(a * a + b * b) / weight - mean_a**2 - mean_b**2
    covariance = _window(a * b) / weight - mean_a * mean_b
    mean_a += level
    mean_b += level
    c1, c2 = (_K1 * extent) ** 2, (_K2 * extent) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return np.asarray(luminance * (2 * covariance + c2) / (variances + c2))


def _window(values: NDArray[np.float64]) -> NDArray[np.float64]:
    smooth: NDArray[np.float64] = ndimage.gaussian_filter(values, _SIGMA, mode="constant", truncate=_TRUNCATE)
    return smooth
