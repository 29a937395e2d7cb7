"""Denoising for finding columns, and how much of a defect's contrast survives it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from scipy.spatial import KDTree

from atomotif._checks import as_image, as_points, check_positive
from atomotif.numerics._threads import one_blas_thread, run_blocks
from atomotif.numerics.noise import noise_variance
from atomotif.numerics.spacing import nearest_neighbor_distance

# Width of the low-pass's edge relative to its cut-off: a quarter keeps ringing below 1 % of a column.
_ROLL_OFF = 0.25
# Tiles of the low-pass (px): transforms of this size bound the memory.
_TILE = 1024
# Patches that the basis of the SVD is learnt from: 20,000 fix its directions to better than the
# noise of a single patch, at a cost that does not grow with the image.
_LEARNING_PATCHES = 20_000
# Height of a strip of the result, patch sides: patches across its borders are projected twice.
_STRIP_SIDES = 8


def radial_low_pass(image: ArrayLike, fraction: float = 0.1) -> NDArray[np.float32]:
    """Keep the lowest spatial frequencies, whatever their strength.

    The coefficients inside a circle of the Fourier plane are kept. The circle is chosen by radius and not by
    strength: the strongest coefficients are the Bragg peaks, and to keep those alone erases the point
    defects (17 % of a vacancy's contrast was left by keeping the strongest 1 %, 3 % by the
    strongest 0.1 %). The edge falls off as a cosine over a quarter of the radius, so that it does not ring.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
    fraction : float, default 0.1
        Share of all Fourier coefficients that the circle holds (the paper's 10 %): its radius is
        ``sqrt(fraction / pi)`` cycles per pixel, for 0.1 a wavelength of 5.6 px. Columns closer than about
        two such wavelengths need more.

    Returns
    -------
    ndarray of float32, shape (rows, cols)

    Raises
    ------
    ValueError
        If `fraction` is not in (0, 1].

    Notes
    -----
    Dan et al. 2022, Materials and Methods, "keep 10% of the lowest-frequency components". The image is
    mirrored beyond its edges. Images beyond 1024 px are filtered in overlapping tiles, so that the
    working memory stays bounded.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(size=(64, 64))
    >>> bool(radial_low_pass(noisy).std() < 0.35)
    True
    """
    pixels = as_image(image)
    if not check_positive(fraction, "fraction") <= 1:
        raise ValueError(f"`fraction` must be in (0, 1], got {fraction}.")
    cut_off = float(np.sqrt(fraction / np.pi))
    # The response has decayed to below 1e-3 after this many px.
    halo = int(np.ceil(6 / cut_off))
    result = np.empty_like(pixels)
    rows, cols = pixels.shape
    for top in range(0, rows, _TILE):
        for left in range(0, cols, _TILE):
            height, width = min(_TILE, rows - top), min(_TILE, cols - left)
            tile = pixels[_mirrored(top - halo, top + height + halo, rows)][
                :, _mirrored(left - halo, left + width + halo, cols)
            ]
            result[top : top + height, left : left + width] = _low_pass(tile, cut_off)[
                halo : halo + height, halo : halo + width
            ]
    return result


def _mirrored(start: int, stop: int, length: int) -> NDArray[np.intp]:
    """Indices start..stop of an axis mirrored about the outer sides of its end pixels."""
    index = np.arange(start, stop) % (2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)


def _low_pass(tile: NDArray[np.float32], cut_off: float) -> NDArray[np.float32]:
    shape = (fft.next_fast_len(tile.shape[0], real=True), fft.next_fast_len(tile.shape[1], real=True))
    level = np.float32(tile.mean(dtype=np.float64))
    radius = np.hypot(fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :])
    position = np.clip((radius / cut_off - 1) / _ROLL_OFF + 0.5, 0, 1)
    weight = (0.5 * (1 + np.cos(np.pi * position))).astype(np.float32)
    spectrum = fft.rfft2(tile - level, s=shape)
    spectrum *= weight
    filtered: NDArray[np.float32] = fft.irfft2(spectrum, s=shape)[: tile.shape[0], : tile.shape[1]] + level
    return filtered


def patch_svd(
    image: ArrayLike,
    patch_size: int = 16,
    rank: int | None = None,
    *,
    stride: int | None = None,
    random_state: int = 0,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Denoise by a truncated singular value decomposition of overlapping patches.

    Every patch is replaced by its projection on the leading singular vectors of all patches, and overlapping
    projections are averaged. The vectors are learnt from a random sample of patches, and the projection runs
    over strips of rows, so that memory does not grow with the number of patches.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
    patch_size : int, default 16
        Side of a patch, px: about one column spacing at usual sampling. Larger patches average more
        noise and need more vectors.
    rank : int, optional
        Number of singular vectors. By default those whose singular value exceeds what the image's own noise
        reaches (the Marchenko-Pastur edge for the mean variance of `noise_variance`), at least one.
    stride : int, optional
        Distance of neighbouring patches, px. By default a quarter of `patch_size`: every pixel then is the
        mean of 16 projections, and closer patches gain next to nothing.
    random_state : int, default 0
        Seed of the sample of patches (taken when there are more than 20,000).
    n_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape (rows, cols)

    Raises
    ------
    ValueError
        If `patch_size` is not in 2..48 or does not fit into the image, or `rank` or `stride` does not
        fit `patch_size`.

    Notes
    -----
    Dan et al. 2022, Materials and Methods; the paper's default at low signal-to-noise.

    Examples
    --------
    >>> row, col = np.mgrid[:96, :96]
    >>> clean = np.cos(2 * np.pi * row / 12) + np.cos(2 * np.pi * col / 12)
    >>> noisy = clean + np.random.default_rng(0).normal(size=clean.shape)
    >>> bool(np.std(patch_svd(noisy) - clean) < 0.3)
    True
    """
    pixels = as_image(image)
    side = _whole(patch_size, "patch_size", 2, min(48, *pixels.shape))
    step = max(1, side // 4) if stride is None else _whole(stride, "stride", 1, side)
    if rank is not None:
        _whole(rank, "rank", 1, side * side)
    tops = _patch_starts(pixels.shape[0], side, step)
    lefts = _patch_starts(pixels.shape[1], side, step)
    level = np.float32(pixels.mean(dtype=np.float64))
    windows = np.lib.stride_tricks.sliding_window_view(pixels - level, (side, side))
    noise = float(noise_variance(pixels).variance(pixels).mean(dtype=np.float64))
    mean, vectors = _learn_basis(windows, tops, lefts, rank, noise, random_state)
    return _project(windows, tops, lefts, mean, vectors, n_threads) + level


def _learn_basis(
    windows: NDArray[np.float32],
    tops: NDArray[np.intp],
    lefts: NDArray[np.intp],
    rank: int | None,
    noise: float,
    random_state: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean patch (p,) and leading singular vectors (p, rank) of a sample of the patches."""
    n_patches = len(tops) * len(lefts)
    chosen = np.arange(n_patches)
    if n_patches > _LEARNING_PATCHES:
        rng = np.random.default_rng(random_state)
        chosen = np.sort(rng.choice(n_patches, _LEARNING_PATCHES, replace=False))
    n_pixels = windows.shape[2] * windows.shape[3]
    sample = windows[tops[chosen // len(lefts)], lefts[chosen % len(lefts)]].reshape(-1, n_pixels)
    mean = sample.mean(axis=0, dtype=np.float64)
    centred = sample - mean.astype(np.float32)
    with one_blas_thread():  # the sums' order must not depend on the threads
        values, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(centred))
    values, vectors = values[::-1], vectors[:, ::-1]
    if rank is None:
        # Overlapping patches are not independent: a pixel's noise counts as four samples.
        independent = min(len(sample), 4 * windows.shape[0] * windows.shape[1] / n_pixels)
        edge = noise * (1 + np.sqrt(n_pixels / independent)) ** 2
        rank = max(1, int(np.count_nonzero(values > edge)))
    return mean.astype(np.float32), np.ascontiguousarray(vectors[:, :rank], dtype=np.float32)


def _project(
    windows: NDArray[np.float32],
    tops: NDArray[np.intp],
    lefts: NDArray[np.intp],
    mean: NDArray[np.float32],
    vectors: NDArray[np.float32],
    n_threads: int | None,
) -> NDArray[np.float32]:
    """Average of all patches' projections, in strips of the result that share no pixel."""
    side = windows.shape[2]
    n_rows, n_cols = windows.shape[0] + side - 1, windows.shape[1] + side - 1
    result = np.empty((n_rows, n_cols), np.float32)
    overlap = np.zeros(n_cols, np.float32)
    for shift in range(side):
        overlap[lefts + shift] += 1

    def strip(start: int) -> None:
        stop = min(start + _STRIP_SIDES * side, n_rows)
        total = np.zeros((stop - start + 2 * side, n_cols), np.float32)
        rows = np.zeros(len(total), np.float32)
        for top in tops[(tops > start - side) & (tops < stop)]:
            patches = windows[top, lefts].reshape(len(lefts), -1) - mean
            projected = ((patches @ vectors) @ vectors.T + mean).reshape(-1, side, side)
            first = int(top) - start + side
            for shift in range(side):
                total[first : first + side, lefts + shift] += projected[:, :, shift].T
            rows[first : first + side] += 1
        inner = slice(side, side + stop - start)
        result[start:stop] = total[inner] / (rows[inner, None] * overlap)

    run_blocks(strip, range(0, n_rows, _STRIP_SIDES * side), n_threads)
    return result


def _patch_starts(length: int, side: int, step: int) -> NDArray[np.intp]:
    """Starts of the patches along an axis; the last patch ends at the edge."""
    return np.unique(np.append(np.arange(0, length - side + 1, step), length - side)).astype(np.intp)


def _whole(value: object, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"`{name}` must be a whole number from {low} to {high}, got {value!r}.")
    return int(value)


def surviving_contrast(
    image: ArrayLike,
    denoise: Callable[[NDArray[np.float32]], ArrayLike],
    points: ArrayLike,
    *,
    denoised: ArrayLike | None = None,
    random_state: int = 0,
) -> float:
    """Return the share of a vacancy's contrast that survives a way of denoising.

    Single columns are removed from the image (the average column profile, scaled to each column), at most one
    in fifty and never two within four spacings, and the changed image is denoised as the original was. The
    change that is left at those columns, projected on the change that was made, is the answer:
    1 where denoising keeps a vacancy as it is, 0 where it fills it with the crystal. Nothing needs to be
    known about the classes of columns, and what is measured is the method as it runs, learning included.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Before denoising.
    denoise : callable
        Takes a float32 image and returns the denoised one, for instance `radial_low_pass`.
    points : array_like, shape (n, 2)
        (row, col) of the columns, px.
    denoised : array_like, shape (rows, cols), optional
        ``denoise(image)``, if it is at hand.
    random_state : int, default 0
        Seed of the choice of columns.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If no point lies a spacing inside the image, or the points show no contrast.

    Examples
    --------
    >>> row, col = np.mgrid[:160, :160]
    >>> lattice = (1 + np.cos(2 * np.pi * row / 16)) * (1 + np.cos(2 * np.pi * col / 16))
    >>> points = 16.0 * np.argwhere(np.ones((10, 10)))
    >>> surviving_contrast(lattice, lambda image: 0.5 * image, points)
    0.50
    """
    pixels = as_image(image)
    positions = as_points(points)
    spacing = nearest_neighbor_distance(positions)
    removed = _vacancies(pixels, positions, spacing, random_state)
    power = float((removed.astype(np.float64) ** 2).sum())
    if not power > 0:
        raise ValueError(
            "`points` must lie on columns a spacing inside the `image`, found no contrast there."
        )
    before = as_image(denoise(pixels) if denoised is None else denoised, "denoised")
    after = as_image(denoise(pixels - removed), "denoised")
    return float(((before - after).astype(np.float64) * removed).sum() / power)


def _vacancies(
    pixels: NDArray[np.float32], positions: NDArray[np.float64], spacing: float, random_state: int
) -> NDArray[np.float32]:
    """What is to be subtracted to remove a few columns that lie far apart."""
    reach = 0.5 * spacing
    half = int(np.ceil(reach)) + 1
    inner = np.all((positions >= half) & (positions <= np.array(pixels.shape) - 1 - half), axis=1)
    removed = np.zeros_like(pixels)
    sites = positions[inner]
    if not len(sites):
        return removed
    centre = np.rint(sites).astype(int)
    offset = np.arange(-half, half + 1)
    patches = pixels[
        centre[:, 0, None, None] + offset[:, None], centre[:, 1, None, None] + offset[None, :]
    ].astype(np.float64)
    rest = sites - centre
    distance = np.hypot(offset[:, None] - rest[:, 0, None, None], offset[None, :] - rest[:, 1, None, None])
    # Average profile in rings of half a pixel, zero from half a spacing on.
    inside = distance < reach
    ring = (2 * distance).astype(int)
    sums = np.bincount(ring[inside], patches[inside])
    numbers = np.bincount(ring[inside])
    profile = sums / np.maximum(numbers, 1)
    at = (np.arange(len(profile)) + 0.5) / 2
    model = np.interp(distance, at[numbers > 0], profile[numbers > 0])
    model = np.where(inside, model - profile[-1], 0)
    rng = np.random.default_rng(random_state)
    tree = KDTree(sites)
    free = np.ones(len(sites), bool)
    left = max(1, len(positions) // 50)
    for site in rng.permutation(len(sites)):
        if not free[site] or left == 0:
            continue
        left -= 1
        free[tree.query_ball_point(sites[site], 4 * spacing)] = False
        shape = model[site]
        base = patches[site][inside[site]].min()
        scale = float((shape * (patches[site] - base)).sum() / max(float((shape**2).sum()), 1e-300))
        top, column = centre[site] - half
        removed[top : top + 2 * half + 1, column : column + 2 * half + 1] += (scale * shape).astype(
            np.float32
        )
    return removed
