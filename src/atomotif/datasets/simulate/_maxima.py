"""Where a noise-free image has its maxima: what can be seen of columns that overlap."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import RectBivariateSpline
from scipy.spatial import cKDTree

__all__ = ["resolved_maxima"]

# The faintest maximum, as a share of the brightest pixel: rounding in flat regions is far below.
_FAINTEST = 0.02
# Two maxima are one to the eye if it hardly gets darker between them: the saddle over the lower one.
_BARELY_SPLIT = 0.97
_NEWTON_STEPS = 10


def resolved_maxima(
    image: NDArray[np.float32], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the local maxima of a noise-free image.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, cols)
    reach : float
        Distance of the maxima that may be barely split, px.

    Returns
    -------
    position : ndarray of float64, shape (n, 2)
        (row, col), px, of the maxima of the quintic spline through the pixels.
    value : ndarray of float64, shape (n,)
    visible : ndarray of bool, shape (n,)
        False for the lower one of two maxima within `reach` where the darkest place of the straight line
        between them has more than 0.97 of its value.
    """
    peaks = (image == ndimage.maximum_filter(image, 3)) & (image > _FAINTEST * image.max())
    start = np.argwhere(peaks).astype(np.float64)
    spline = RectBivariateSpline(*map(np.arange, image.shape), image.astype(np.float64), kx=5, ky=5)
    position = start.copy()
    for _ in range(_NEWTON_STEPS):
        y, x = position.T
        slope = np.stack([spline.ev(y, x, dx=1), spline.ev(y, x, dy=1)], -1)
        yy, xy, xx = (spline.ev(y, x, dx=2 - k, dy=k) for k in range(3))
        determinant = yy * xx - xy**2
        step = np.stack([xx * slope[:, 0] - xy * slope[:, 1], yy * slope[:, 1] - xy * slope[:, 0]], -1)
        proper = (determinant > 0) & (yy < 0)  # elsewhere Newton's step does not lead up
        step = np.where(proper[:, None], step / np.where(proper, determinant, 1)[:, None], 0)
        position = start + np.clip(position - step - start, -1, 1)
    position = np.clip(position, 0, np.array(image.shape) - 1)
    value = spline.ev(*position.T)
    visible = np.ones(len(position), bool)
    pairs = cKDTree(position).query_pairs(reach, output_type="ndarray")
    share = np.linspace(0, 1, 33)[None, :, None]
    way = position[pairs[:, 0], None] * (1 - share) + position[pairs[:, 1], None] * share
    saddle = spline.ev(way[..., 0], way[..., 1]).min(axis=1)
    lower = np.where(value[pairs[:, 0]] < value[pairs[:, 1]], pairs[:, 0], pairs[:, 1])
    visible[lower[saddle > _BARELY_SPLIT * value[lower]]] = False
    return position, value, visible
