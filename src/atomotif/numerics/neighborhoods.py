"""Features of a sample at a place, whichever of its columns is the centre."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from atomotif._checks import as_image, as_points, check_positive
from atomotif.numerics.invariants import debiased_invariants
from atomotif.numerics.moments import patch_coverage, zernike_moments

__all__ = ["neighborhood_features"]

# Samples of the image for each radius of the patch: invariants of patches vary over half of it.
_SAMPLES = 4
# Share of the Gaussian that must fall on whole patches.
_LEAST = 1e-3


def neighborhood_features(
    image: ArrayLike,
    points: ArrayLike,
    radius: float,
    sigma: float,
    noise_covariance: ArrayLike,
    *,
    n_threads: int | None = None,
) -> NDArray[np.float64]:
    """Return mean and standard deviation of the rotation invariants in the neighbourhood of every point.

    A crystal has several columns in its cell, and each has features of its own. All places of the cell
    together, not only its columns, give the same mean and the same deviation wherever in the cell one starts,
    if the neighbourhood is about as large as the cell. The deviation tells samples apart that have the same
    mean.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Real and finite.
    points : array_like, shape (n, 2)
        (row, col) px, inside the image.
    radius : float
        Of the patches, px.
    sigma : float
        Standard deviation of the Gaussian that weighs the patches by the distance of their centres, px: of
        half a lattice constant it leaves 0.1 % of what differs between the places of a hexagonal cell.
    noise_covariance : array_like, shape (66, 66)
        Covariance of the noise of the Zernike moments of a patch.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    ndarray of float64, shape (n, 72)
        36 means, then 36 deviations, in units of the image. NaN far from every whole patch.

    Raises
    ------
    ValueError
        If the image is smaller than a patch, a size is not positive, or points are not finite.

    Examples
    --------
    >>> stripes = np.sin(np.arange(80) / 2.0) * np.ones((80, 1))
    >>> found = neighborhood_features(stripes, [[40, 40], [40, 43]], 10.0, 10.0, np.zeros((66, 66)))
    >>> found.shape, bool(np.abs(found[0] - found[1]).max() < 0.02)
    ((2, 72), True)
    """
    pixels, places = as_image(image), as_points(points)
    check_positive(radius, "radius")
    check_positive(sigma, "sigma")
    step = max(1.0, radius / _SAMPLES)
    axes = [np.arange((size - 1) % step / 2, size - 0.5, step) for size in pixels.shape]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    shape = grid.shape[:2]
    grid = grid.reshape(-1, 2)
    whole = patch_coverage(grid, radius, pixels.shape) >= 1 - 1e-6
    if not whole.any():
        raise ValueError(f"`radius` must leave whole patches in an image of {pixels.shape}, got {radius!r}.")
    moments = zernike_moments(pixels, grid[whole], radius, subpixel=False, n_threads=n_threads)
    invariants, _ = debiased_invariants(moments, noise_covariance)
    # About the mean, so that squares lose no digits.
    offset = invariants.mean(axis=0)
    at = ((places - [axis[0] for axis in axes]) / step).T

    def local(values: NDArray[np.float64]) -> NDArray[np.float64]:
        plane = np.zeros(whole.size)
        plane[whole] = values
        smooth = ndimage.gaussian_filter(plane.reshape(shape), sigma / step, mode="constant", truncate=3.0)
        return np.asarray(ndimage.map_coordinates(smooth, at, order=1, mode="nearest"))

    weight = local(np.ones(int(whole.sum())))
    weight = np.where(weight > _LEAST, weight, np.nan)
    centred = (invariants - offset).T
    mean = np.stack([local(one) for one in centred], axis=1) / weight[:, None]
    square = np.stack([local(one**2) for one in centred], axis=1) / weight[:, None]
    return np.hstack([mean + offset, np.sqrt(np.maximum(square - mean**2, 0.0))])
