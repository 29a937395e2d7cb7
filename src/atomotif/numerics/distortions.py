"""How the Zernike moments of patches change when the scan is shifted or distorted a little."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from atomotif._checks import as_image, as_points, check_positive
from atomotif.numerics._shifted_basis import STEPS
from atomotif.numerics.moments import zernike_moments

__all__ = ["N_DISTORTIONS", "moment_derivatives"]

#: Shift along rows and columns, then the four entries of the gradient of displacements, row by row.
N_DISTORTIONS = 6
# Steps of the central differences: small against a column, large against the 1/16 px of the moments' grid.
_SHIFT_STEP, _GRADIENT_STEP = 0.25, 0.02


def moment_derivatives(
    image: ArrayLike, points: ArrayLike, radius: float, *, n_threads: int | None = None
) -> NDArray[np.float64]:
    """Return the derivatives of the moments of patches with respect to a shift and a distortion.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Real and finite.
    points : array_like, shape (n, 2)
        Centres of the patches as (row, col), px, inside the image; of one region, since the image is warped
        about their middle.
    radius : float
        Radius of the patches, px.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    ndarray of float64, shape (n, 6, n_moments)
        Per px of a shift of the patch's centre along rows and columns; then per unit of the gradient
        d(row)/d(row), d(row)/d(col), d(col)/d(row), d(col)/d(col) of the displacement of what is seen.

    Notes
    -----
    Central differences: of moments at shifted centres, and of those of the image warped with a cubic
    spline both ways, whose smoothing cancels.

    Examples
    --------
    >>> row, col = np.mgrid[:64, :64]
    >>> image = np.exp(-((row - 32) ** 2 + (col - 32) ** 2) / 18.0)
    >>> change = moment_derivatives(image, [[32.0, 32.0]], 12.0)
    >>> change.shape, bool(abs(change[0, :2, 0]).max() < 1e-3 < change[0, 2, 0])
    ((1, 6, 66), True)
    """
    pixels, where, radius = as_image(image, min_size=1), as_points(points), check_positive(radius, "radius")
    result = np.zeros((len(where), N_DISTORTIONS, 66))
    if not len(where):
        return result
    # The outermost points of the region move by the step times half its size.
    margin = radius + _GRADIENT_STEP * float(np.ptp(where, axis=0).max()) + 4
    low = np.maximum(np.floor(where.min(0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(where.max(0) + margin) + 1, pixels.shape).astype(int)
    part = np.ascontiguousarray(pixels[low[0] : high[0], low[1] : high[1]])
    where = where - low
    limit = np.array(part.shape) - 1.0

    def measured(field: NDArray[np.float32], at: NDArray[np.float64]) -> NDArray[np.float64]:
        return zernike_moments(field, np.clip(at, 0, limit), radius, n_threads=n_threads).astype(np.float64)

    for axis, step in enumerate(_SHIFT_STEP * np.eye(2)):
        change = measured(part, where + step) - measured(part, where - step)
        result[:, axis] = change / (2 * _SHIFT_STEP)
    middle = 0.5 * (where.min(0) + where.max(0))
    coefficients = ndimage.spline_filter(part, 3, mode="mirror", output=np.float32)
    for entry in range(4):
        for sign in (1.0, -1.0):
            gradient = np.zeros(4)
            gradient[entry] = sign * _GRADIENT_STEP
            matrix = np.eye(2) + gradient.reshape(2, 2)
            back = np.linalg.inv(matrix)
            warped = ndimage.affine_transform(
                coefficients, back, middle - back @ middle, mode="mirror", prefilter=False
            )
            moved = (where - middle) @ matrix.T + middle
            # Moments are taken about places on a grid, from which the exact ones are a small shift away.
            rest = moved - np.round(moved * STEPS) / STEPS
            exact = measured(warped, moved - rest) + np.einsum("na,naf->nf", rest, result[:, :2])
            result[:, 2 + entry] += sign * exact / (2 * _GRADIENT_STEP)
    return result
