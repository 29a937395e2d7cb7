"""Zernike moments and symmetry at every pixel of an image, tile by tile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from atomotif._checks import as_image, check_positive
from atomotif.numerics._moment_algebra import check_order
from atomotif.numerics._symmetry_planes import as_covariance, check_fold, score_planes
from atomotif.numerics._threads import run_blocks
from atomotif.numerics.zernike import basis, supported_order

__all__ = ["SymmetryMaps", "dense_map", "dense_moments", "dense_symmetry"]

# Moments that are transformed back together: their buffers stay in the second-level cache.
_GROUP = 6


@dataclass(frozen=True)
class SymmetryMaps:
    """Symmetry about every pixel.

    Attributes
    ----------
    folds : tuple of int
        The orders of `rotation`.
    rotation : ndarray of float32, shape (n_folds, rows, cols)
        See `atomotif.numerics.symmetry.rotation_score`.
    mirror, mirror_angle : ndarray of float32, shape (rows, cols), or None
        See `atomotif.numerics.symmetry.mirror_score`.
    """

    folds: tuple[int, ...]
    rotation: NDArray[np.float32]
    mirror: NDArray[np.float32] | None
    mirror_angle: NDArray[np.float32] | None


def dense_map(
    image: ArrayLike,
    radius: float,
    reduce: Callable[[NDArray[np.float32]], NDArray[np.floating]],
    *,
    order: int = 10,
    tile: int | None = None,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Return what a function makes of the moments round every pixel.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Real and finite. Beyond its edges it is mirrored about its first and last pixels.
    radius : float
        Radius of the disc, px, at least 0.8 px for every order (8 px for order 10).
    reduce : callable
        Called with the moments of a tile, float32 of shape (n_moments, h, w), which it may change; returns
        (n_maps, h, w) or (h, w), each pixel from its own moments. It runs in threads.
    order : int, default 10
        Highest radial order; 10 gives the 66 moments of Dan et al. (2022).
    tile : int, optional
        Side of the transformed tiles, px, more than 2 ceil(radius) + 1. By default the height and width with
        the least work for the image, about four times the disc's diameter. Results depend on it by
        rounding only.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape (n_maps, rows, cols) or (rows, cols)

    Raises
    ------
    ValueError
        If the radius is too small for the order or for the tile's side.

    Notes
    -----
    Correlation with the basis by Fourier transforms of overlapping tiles (overlap-save) in single
    precision. Beyond the result, memory is that of the transformed basis and, for each thread, of the
    moments of one tile (4 MB each for a radius of 16 px), whatever the size of the image. The error is
    some 1e-7 of the largest intensity within the tile, so it helps to subtract the image's mean if only
    contrast matters.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(size=(60, 70))
    >>> dense_map(image, 8.0, lambda moments: moments[:3]).shape
    (3, 60, 70)
    """
    pixels = as_image(image, min_size=1)
    radius, order = _check_disc(radius, order)
    half = int(np.ceil(radius))
    if tile is not None and tile <= 2 * half + 1:
        raise ValueError(
            f"`tile` must be more than {2 * half + 1} px for a radius of {radius:g}, got {tile}."
        )
    rows, cols = pixels.shape
    sides = tuple(_tile_side(half, size) if tile is None else int(tile) for size in (rows, cols))
    step = sides[0] - 2 * half, sides[1] - 2 * half
    spectra = _spectra(radius, order, sides[0], sides[1])

    def moments(row: int, col: int) -> NDArray[np.float32]:
        """Return the moments of the tile whose first pixel is (row, col)."""
        height, width = min(step[0], rows - row), min(step[1], cols - col)
        window = np.zeros(sides, np.float32)
        inside = _mirrored(row - half, height + 2 * half, rows), _mirrored(col - half, width + 2 * half, cols)
        window[: height + 2 * half, : width + 2 * half] = pixels[np.ix_(*inside)]
        spectrum = fft.rfft2(window)
        result = np.empty((len(spectra), height, width), np.float32)
        for first in range(0, len(spectra), _GROUP):
            part = slice(first, first + _GROUP)
            lines = fft.ifft(spectra[part] * spectrum, axis=1, overwrite_x=True)[:, :height]
            result[part] = fft.irfft(lines, sides[1], axis=2)[:, :, :width]
        return result

    corners = [(row, col) for row in range(0, rows, step[0]) for col in range(0, cols, step[1])]
    first = np.asarray(reduce(moments(*corners[0])))
    result = np.empty((*first.shape[:-2], rows, cols), np.float32)
    result[..., : first.shape[-2], : first.shape[-1]] = first

    def work(corner: tuple[int, int]) -> None:
        row, col = corner
        values = reduce(moments(row, col))
        result[..., row : row + values.shape[-2], col : col + values.shape[-1]] = values

    run_blocks(work, corners[1:], n_threads)
    return result


def dense_moments(
    image: ArrayLike,
    radius: float,
    *,
    order: int = 10,
    tile: int | None = None,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Return the moments round every pixel: 264 bytes a pixel for order 10.

    See `dense_map`, which needs not hold them all.

    Returns
    -------
    ndarray of float32, shape (n_moments, rows, cols)
        Those of `atomotif.numerics.moments.zernike_moments` at the pixels.

    Examples
    --------
    >>> moments = dense_moments(np.full((40, 50), 3.0), radius=9.0)
    >>> moments.shape, float(moments[0, 7, 45])
    ((66, 40, 50), 3.0000)
    """
    return dense_map(image, radius, lambda moments: moments, order=order, tile=tile, n_threads=n_threads)


def dense_symmetry(
    image: ArrayLike,
    radius: float,
    folds: Sequence[int] = (2, 3, 4, 5, 6),
    *,
    mirror: bool = True,
    noise: ArrayLike | None = None,
    order: int = 10,
    tile: int | None = None,
    n_threads: int | None = None,
) -> SymmetryMaps:
    """Return the symmetry about every pixel of an image.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Real and finite. Its mean is subtracted, which changes no score.
    radius : float
        Radius of the disc, px. It should take in the nearest neighbours of the places looked for: 1.2
        times their distance to the centre.
    folds : sequence of int, default (2, 3, 4, 5, 6)
        Orders of rotation.
    mirror : bool, default True
        Whether to look for mirror lines, too.
    noise : array_like, shape (n_moments, n_moments), optional
        Covariance that noise gives the moments (see `atomotif.numerics.moments.moment_covariance`), by
        which scores are freed of its bias.
    order, tile, n_threads : optional
        See `dense_map`.

    Returns
    -------
    SymmetryMaps

    Raises
    ------
    ValueError
        If an order of rotation is not from 2 to `order`, or as in `dense_map`.

    Examples
    --------
    >>> row, col = np.mgrid[:64, :64]
    >>> image = np.cos(2 * np.pi * row / 16) + np.cos(2 * np.pi * col / 16)
    >>> maps = dense_symmetry(image, 10.0, folds=(4,))
    >>> maps.rotation[0, 32, 32].round(2), maps.rotation[0, 32, 36].round(2)
    (np.float32(1.0), np.float32(-0.27))
    """
    pixels = as_image(image, min_size=1)
    pixels = pixels - np.float32(pixels.mean(dtype=np.float64))
    radius, order = _check_disc(radius, order)
    covariance = as_covariance(noise, (order + 1) * (order + 2) // 2)
    orders = tuple(check_fold(n, order, "folds", 2) for n in folds)

    def reduce(moments: NDArray[np.float32]) -> NDArray[np.float32]:
        return score_planes(moments, orders, mirror, covariance)

    maps = dense_map(pixels, radius, reduce, order=order, tile=tile, n_threads=n_threads)
    n = len(orders)
    return SymmetryMaps(orders, maps[:n], maps[n] if mirror else None, maps[n + 1] if mirror else None)


def _check_disc(radius: float, order: int) -> tuple[float, int]:
    radius, order = check_positive(radius, "radius"), check_order(order)
    if supported_order(radius) < order:
        raise ValueError(
            f"`radius` must be at least {0.8 * order:g} px for moments of order {order}, got {radius:g}; "
            "lower `order` or enlarge the image."
        )
    return radius, order


@lru_cache(maxsize=4)
def _spectra(radius: float, order: int, height: int, width: int) -> NDArray[np.complex64]:
    """Return the conjugate transforms of the basis, whose product with an image's correlates them."""
    weights = basis(radius, order).astype(np.float32)
    spectra: NDArray[np.complex64] = np.conj(fft.rfft2(weights, (height, width)))
    spectra.flags.writeable = False
    return spectra


def _tile_side(half: int, size: int) -> int:
    """Return the side of a tile with which an axis of `size` pixels is the least work."""
    sides = np.unique([fft.next_fast_len(s, real=True) for s in range(4 * half + 2, 16 * half + 33)])
    tiles = np.ceil(size / (sides - 2.0 * half))
    # Beyond a side of 160 px the buffers of a group of moments fall out of the cache.
    work = tiles * sides * np.log(sides) * np.maximum(sides / 160, 1) ** 0.5
    return int(sides[work.argmin()])


def _mirrored(start: int, length: int, size: int) -> NDArray[np.int64]:
    """Return `length` indices from `start` on, mirrored about the first and last pixel."""
    if size == 1:
        return np.zeros(length, np.int64)
    index = np.abs(np.arange(start, start + length)) % (2 * size - 2)
    return np.asarray(np.minimum(index, 2 * size - 2 - index))
