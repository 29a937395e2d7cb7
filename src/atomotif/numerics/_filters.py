"""Gaussian filters computed in strips of rows: threaded, in bounded memory, the same at any thread count."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from atomotif.numerics._threads import run_blocks

# Pixels in a strip: large enough that the halo costs little, small enough for a few MB of buffers.
_STRIP_PIXELS = 1 << 18
# ndimage cuts its kernels at this many standard deviations.
_TRUNCATE = 4.0


def wide_gaussian(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian filter by Fourier transform, with zeros beyond the edges: its cost does not grow with `sigma`.

    Examples
    --------
    >>> spot = np.zeros((64, 64), np.float32)
    >>> spot[32, 32] = 1
    >>> bool(np.allclose(wide_gaussian(spot, 6.0), ndimage.gaussian_filter(spot, 6.0), atol=1e-6))
    True
    """
    halo = int(_TRUNCATE * sigma + 0.5)
    shape = [fft.next_fast_len(size + halo, real=True) for size in image.shape]
    kernels = []
    for size in shape:
        distance = np.arange(size)
        distance = np.minimum(distance, size - distance)
        profile = np.where(distance <= halo, np.exp(-0.5 * (distance / sigma) ** 2), 0.0)
        kernels.append((profile / profile.sum()).astype(np.float32))
    spectrum = fft.rfft2(image, shape)
    # The profiles are even, so that their transforms are real.
    spectrum *= fft.fft(kernels[0]).real[:, None]
    spectrum *= fft.rfft(kernels[1]).real
    smooth: NDArray[np.float32] = fft.irfft2(spectrum, shape)[: image.shape[0], : image.shape[1]]
    return smooth


def laplacian_of_gaussian(
    image: NDArray[np.float32], sigma: float, n_threads: int | None = None
) -> NDArray[np.float32]:
    """Return ``-sigma**2`` times the Laplacian of the Gaussian-filtered image: positive on bright spots.

    The factor sigma**2 makes the response to a given spot comparable over scales.

    Examples
    --------
    >>> spot = np.zeros((17, 17), np.float32)
    >>> spot[8, 8] = 1
    >>> response = laplacian_of_gaussian(spot, 2.0)
    >>> bool(response.argmax() == 8 * 17 + 8)
    True
    """

    def negative(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = ndimage.gaussian_laplace(rows, sigma)
        result *= np.float32(-sigma * sigma)
        return result

    return _in_strips(negative, image, sigma, n_threads)


def laplacian_energy(sigma: float) -> float:
    """Sum of squares of the kernel of `laplacian_of_gaussian`: its variance on white noise of variance 1.

    Examples
    --------
    >>> round(laplacian_energy(3.0) * np.pi * 2 * 3.0**2, 2)
    1.0
    """
    radius = int(_TRUNCATE * sigma + 0.5) + 1
    delta = np.zeros((2 * radius + 1, 2 * radius + 1))
    delta[radius, radius] = 1
    kernel = sigma**2 * ndimage.gaussian_laplace(delta, sigma)
    return float((kernel**2).sum())


def _in_strips(
    operation: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    image: NDArray[np.float32],
    sigma: float,
    n_threads: int | None,
) -> NDArray[np.float32]:
    n_rows, n_cols = image.shape
    height = max(1, _STRIP_PIXELS // n_cols)
    halo = int(_TRUNCATE * sigma + 0.5) + 1
    if height < halo:  # thin strips would filter mostly halo
        height = halo
    result = np.empty_like(image)

    def block(start: int) -> None:
        stop = min(start + height, n_rows)
        low, high = max(start - halo, 0), min(stop + halo, n_rows)
        result[start:stop] = operation(image[low:high])[start - low : stop - low]

    run_blocks(block, range(0, n_rows, height), n_threads)
    return result
