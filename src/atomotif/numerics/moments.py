"""Zernike moments of the patches round points, straight from the image."""

import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_image, as_points, check_positive
from atomotif._warnings import AtomotifWarning
from atomotif.numerics import _moment_kernels as kernels
from atomotif.numerics._disc import box_integrals
from atomotif.numerics._moment_algebra import check_order
from atomotif.numerics._shifted_basis import STEPS, folded_basis, shifted_basis
from atomotif.numerics._threads import run_blocks
from atomotif.numerics.zernike import enlargement

__all__ = ["moment_covariance", "patch_coverage", "zernike_moments"]

# Bytes of one buffer of gathered pixels: a usual second-level cache. Products of fewer points are slower.
_BUFFER_BYTES = 2**19

# Blocks of chunks to be spread over threads: every block allocates its buffers anew, so not too many.
_BLOCKS = 16


def zernike_moments(
    image: ArrayLike,
    points: ArrayLike,
    radius: float,
    *,
    order: int = 10,
    subpixel: bool = True,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Return the Zernike moments of the disc round every point of an image.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Real and finite. Beyond its edges it is mirrored about its first and last pixels.
    points : array_like, shape (n, 2)
        Centres of the discs as (row, col), px, inside the image.
    radius : float
        Radius of the disc, px, at least 1. Half of the `patch_size` of other functions.
    order : int, default 10
        Highest radial order; 10 gives the 66 moments of Dan et al. (2022).
    subpixel : bool, default True
        Centre the disc on the point to 1/16 px, by moving the functions, not the image: nothing is
        interpolated, so the noise stays that of the pixels. With False it is centred on the nearest
        pixel or half-way between two (1/4 px), which is exact for points given so, and about twice as
        fast, as the disc can then be folded on its symmetry.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape (n, n_moments)
        In the order of `atomotif.numerics.zernike.index_pairs` and of `points`.

    Raises
    ------
    ValueError
        If the image or the points are not as said above.

    Warns
    -----
    AtomotifWarning
        If the radius is less than 0.8 px for every order (8 px for order 10). The functions are nearly
        dependent on so few pixels. Moments are then those of the image enlarged by an integer factor
        with a cubic spline, such that the radius is large enough.

    Notes
    -----
    "Matrix approximation" of Dan et al. (2022), fig. S10: one product of patches and functions. Here
    the functions are integrated over the pixels (see `atomotif.numerics.zernike.basis`), the patches are
    gathered in chunks that stay in the cache, and only the pixels of the disc are. Beyond the result the
    memory is that of the tables of weights (3.5 MB for a radius of 16 px, growing with its square; none
    of it with the number of points) and two buffers of at most 0.6 MB a thread.

    Examples
    --------
    >>> image = np.full((40, 40), 3.0)
    >>> moments = zernike_moments(image, [[20.0, 19.3]], radius=9.0)
    >>> moments.shape, moments.dtype, float(moments[0, 0])
    ((1, 66), dtype('float32'), 3.0000)
    """
    image, points, radius, order = _checked(image, points, radius, order)
    n_moments = (order + 1) * (order + 2) // 2
    result = np.empty((len(points), n_moments), dtype=np.float32)
    if not len(points):
        return result
    factor = enlargement(radius, order)
    if factor > 1:
        warnings.warn(
            f"The radius of {radius:g} px is too small for Zernike moments of order {order}: they are taken "
            f"from an image enlarged {factor} times with a cubic spline.",
            AtomotifWarning,
            stacklevel=2,
        )
    if subpixel or factor > 1:
        if not subpixel:
            points = read_only(np.floor(points * 2 + 0.5) / 2)
        _project_shifted(image, points, radius, order, result, n_threads)
    else:
        _project_folded(image, points, radius, order, result, n_threads)
    return result


def _checked(
    image: ArrayLike, points: ArrayLike, radius: float, order: int
) -> tuple[NDArray[np.float32], NDArray[np.float64], float, int]:
    pixels = as_image(image, min_size=1)
    positions = as_points(points)
    limits = np.array(pixels.shape) - 0.5
    outside = int(((positions < -0.5) | (positions > limits)).any(axis=1).sum())
    if outside:
        raise ValueError(
            f"`points` must lie inside the image of shape {pixels.shape}, got {outside} outside."
        )
    radius = check_positive(radius, "radius")
    if radius < 1:
        raise ValueError(f"`radius` must be at least 1 px, got {radius:g}.")
    return read_only(pixels), read_only(positions), radius, check_order(order)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view: numba compiles a kernel for each of writable and read-only arguments."""
    view = array.view()
    view.flags.writeable = False
    return view


def _chunks(begin: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Cut each group of points into equal chunks (start, stop, group) of at most `size` points."""
    rows = []
    for group, count in enumerate(np.diff(begin).tolist()):
        n_chunks = -(-count // size)
        edges = [int(begin[group]) + count * k // n_chunks for k in range(n_chunks + 1)] if n_chunks else []
        rows += [(start, stop, group) for start, stop in pairwise(edges)]
    return np.array(rows, dtype=np.int64)


def _run_chunks(
    work: Callable[[NDArray[np.int64]], None], chunks: NDArray[np.int64], n_threads: int | None
) -> None:
    run_blocks(work, np.array_split(chunks, min(_BLOCKS, len(chunks))), n_threads)


def _project_shifted(
    image: NDArray[np.float32],
    points: NDArray[np.float64],
    radius: float,
    order: int,
    result: NDArray[np.float32],
    n_threads: int | None,
) -> None:
    tables = shifted_basis(radius, order)
    n_pixels = int(np.diff(tables.first_pixel).max())
    sequence, begin = kernels.group_points(points, STEPS, -STEPS // 2)
    chunk_size = max(16, _BUFFER_BYTES // (4 * n_pixels))
    chunks = _chunks(begin, chunk_size)

    def work(block: NDArray[np.int64]) -> None:
        kernels.project_shifted(
            image,
            points,
            sequence,
            block,
            tables.weights,
            tables.source,
            tables.first_pixel,
            tables.runs,
            tables.first_run,
            tables.column,
            tables.sign,
            tables.reach,
            STEPS,
            n_pixels,
            chunk_size,
            result,
        )

    _run_chunks(work, chunks, n_threads)


def _project_folded(
    image: NDArray[np.float32],
    points: NDArray[np.float64],
    radius: float,
    order: int,
    result: NDArray[np.float32],
    n_threads: int | None,
) -> None:
    tables = folded_basis(radius, order)
    sequence, begin = kernels.group_points(points, 2, 0)
    stride = int(tables.n_pixels.max())
    chunk_size = max(16, _BUFFER_BYTES // (16 * stride))
    chunks = _chunks(begin, chunk_size)

    def work(block: NDArray[np.int64]) -> None:
        kernels.project_folded(
            image,
            points,
            sequence,
            block,
            tables.weights,
            tables.moments,
            tables.widths,
            stride,
            tables.reach,
            chunk_size,
            result,
        )

    _run_chunks(work, chunks, n_threads)


def moment_covariance(
    variance: ArrayLike, points: ArrayLike, radius: float, *, order: int = 10
) -> NDArray[np.float64]:
    """Return the covariance that the noise of the pixels gives the moments, averaged over points.

    Parameters
    ----------
    variance : array_like, shape (rows, cols)
        Variance of the noise of each pixel of the image, which is taken as independent from pixel to
        pixel (mirrored pixels beyond an edge too).
    points : array_like, shape (n, 2)
        Centres of the discs as (row, col), px, inside the image; at least one.
    radius : float
        Radius of the disc, px.
    order : int, default 10
        Highest radial order.

    Returns
    -------
    ndarray of float64, shape (n_moments, n_moments)
        For the moments of `zernike_moments` with the same radius and order at sub-pixel centres, small
        radii included.

    Raises
    ------
    ValueError
        If there is no point, a variance is negative, or an argument is not as said above.

    Examples
    --------
    >>> covariance = moment_covariance(np.ones((64, 64)), [[32.0, 32.0]], radius=16.0)
    >>> float((covariance[0, 0] * np.pi * 16**2).round(2))
    0.98
    """
    variance, points, radius, order = _checked(variance, points, radius, order)
    if not len(points):
        raise ValueError("`points` must hold at least one point, got none.")
    if variance.min() < 0:
        raise ValueError(f"`variance` must not be negative, got {variance.min():g}.")
    tables = shifted_basis(radius, order)
    sequence, begin = kernels.group_points(points, STEPS, -STEPS // 2)
    n_moments = tables.weights.shape[1]
    total = np.zeros((n_moments, n_moments))
    for shift in np.flatnonzero(np.diff(begin)):
        pixels = slice(tables.first_pixel[shift], tables.first_pixel[shift + 1])
        runs = tables.runs[tables.first_run[shift] : tables.first_run[shift + 1]]
        members = sequence[begin[shift] : begin[shift + 1]]
        n_pixels = pixels.stop - pixels.start
        summed = kernels.sum_patches(variance, points, members, runs, tables.reach, STEPS, n_pixels)
        weights = np.empty((n_pixels, n_moments))
        weights[:, tables.column[shift]] = tables.weights[tables.source[pixels]] * tables.sign[shift]
        total += (weights * summed[:, None]).T @ weights
    return np.asarray(total / len(points))


def patch_coverage(points: ArrayLike, radius: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return which share of the area of the disc round every point lies inside the image.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Centres of the discs as (row, col), px; they may lie outside.
    radius : float
        Radius of the disc, px.
    shape : tuple of int
        Rows and columns of the image, which reaches half a pixel beyond the centres of its outer pixels.

    Returns
    -------
    ndarray of float64, shape (n,)
        From 0 to 1; exactly 1 where the whole disc is inside.

    Examples
    --------
    >>> patch_coverage([[32.0, 32.0], [-0.5, 32.0], [-0.5, -0.5]], 8.0, (64, 64))
    array([1.  , 0.5 , 0.25])
    """
    positions = as_points(points)
    radius = check_positive(radius, "radius")
    size = np.array(shape, dtype=np.float64)
    if size.shape != (2,) or not (size > 0).all():
        raise ValueError(f"`shape` must be two positive numbers (rows, cols), got {shape!r}.")
    before, after = (-0.5 - positions) / radius, (size - 0.5 - positions) / radius
    coverage = np.ones(len(positions))
    cut = ((before > -1) | (after < 1)).any(axis=1)
    areas = box_integrals(before[cut, 1], after[cut, 1], before[cut, 0], after[cut, 0], 0)[:, 0, 0]
    coverage[cut] = np.clip(areas / np.pi, 0.0, 1.0)
    return coverage
