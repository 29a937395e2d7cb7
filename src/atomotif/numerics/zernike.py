"""Zernike functions on pixels: the basis, and what can be done with moments once they are known.

Conventions, kept everywhere: moment j has the pair (p, q) with j = (p (p + 2) + q) / 2, where
p = 0, 1, ... is the radial order and q = -p, -p + 2, ..., p the azimuthal one. Angles turn +x (columns)
towards +y (rows, downwards). The functions are real, orthogonal, and of mean square 1 over the disc::

    V_pq = N R_p|q|(r) cos(q t)      for q >= 0,
    V_pq = N R_p|q|(r) sin(|q| t)    for q < 0,

with N = sqrt(p + 1) for q = 0 and sqrt(2 (p + 1)) otherwise. A moment is the mean over the disc of
image times V_pq. So the first moment of a constant patch is its value, and white noise of variance s^2
gives every moment a variance of about s^2 / (pi R^2).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import check_positive
from atomotif.numerics._disc import disc_weights, monomial_coefficients
from atomotif.numerics._moment_algebra import (
    MAX_ORDER,
    as_moments,
    check_order,
    from_complex,
    index_pairs,
    invariant_pairs,
    magnitudes,
    order_of,
    reflect,
    rotate,
    to_complex,
)

__all__ = [
    "basis",
    "from_complex",
    "functions",
    "index_pairs",
    "invariant_pairs",
    "magnitudes",
    "order_of",
    "reconstruct",
    "reflect",
    "rotate",
    "supported_order",
    "to_complex",
]


def supported_order(radius: float) -> int:
    """Return the highest order whose functions are independent enough on the pixels of a disc.

    The rule is one order for every 0.8 px of radius. There the condition number of the functions on the
    grid is at most 9 up to order 12 (8 for order 10 at a radius of 8 px); with smaller discs it grows
    steeply (for order 10: 21 at 7 px, 111 at 6 px, singular at 5 px).

    Parameters
    ----------
    radius : float
        Radius of the disc, px.

    Returns
    -------
    int
        At most `MAX_ORDER`.

    Examples
    --------
    >>> supported_order(8.0), supported_order(6.0)
    (10, 7)
    """
    return min(int(check_positive(radius, "radius") * 1.25 + 1e-9), MAX_ORDER)


def functions(rows: ArrayLike, cols: ArrayLike, order: int = 10) -> NDArray[np.float64]:
    """Evaluate the Zernike functions at points of the unit disc.

    Parameters
    ----------
    rows, cols : array_like
        Coordinates y and x in units of the radius, broadcast against each other.
    order : int, default 10
        Highest radial order.

    Returns
    -------
    ndarray of float64, shape (n_moments, ...)
        Zero outside the disc.

    Examples
    --------
    >>> functions(0.0, 0.5, order=1).round(3)
    array([1., 0., 1.])
    """
    order = check_order(order)
    y, x = np.broadcast_arrays(np.asarray(rows, dtype=np.float64), np.asarray(cols, dtype=np.float64))
    inside = x**2 + y**2 <= 1.0
    x, y = np.where(inside, x, 0.0), np.where(inside, y, 0.0)
    powers = np.arange(order + 1).reshape((-1,) + (1,) * x.ndim)
    values = np.einsum(
        "jab,a...,b...->j...", monomial_coefficients(order), x**powers, y**powers, optimize=True
    )
    return np.asarray(values * inside)


def basis(radius: float, order: int = 10, shift: tuple[float, float] = (0.0, 0.0)) -> NDArray[np.float64]:
    """Return the weights that project a patch on the Zernike functions.

    The moments of a patch are ``(basis * patch).sum((1, 2))``. Each function is integrated exactly over
    the part of each pixel that lies inside the disc. That keeps the scale the same at every radius and
    makes the magnitudes of a patch of 32 px change by less than 1 % as it turns (sampling the functions
    at the pixels' centres: 4 %).

    Parameters
    ----------
    radius : float
        Radius of the disc, px.
    order : int, default 10
        Highest radial order.
    shift : tuple of float, default (0.0, 0.0)
        Centre of the disc from the centre of the middle pixel, as (row, col), each within half a pixel.

    Returns
    -------
    ndarray of float64, shape (n_moments, side, side), read-only
        With side = 2 ceil(radius) + 1, the least that holds the disc at any allowed shift.

    Raises
    ------
    ValueError
        If the radius is not positive or the shift exceeds half a pixel.

    Notes
    -----
    The sixteen arrays used last are kept. Below 0.8 px of radius for every order the functions are
    nearly dependent (see `supported_order`): the weights are then exact, but no good features.
    Dan et al. (2022), fig. S10, compute moments as one product of patches and basis, too.

    Examples
    --------
    >>> weights = basis(8.0)
    >>> weights.shape
    (66, 17, 17)
    >>> float(weights[0].sum().round(6))
    1.0
    """
    row, col = float(shift[0]), float(shift[1])
    if not (abs(row) <= 0.5 and abs(col) <= 0.5):
        raise ValueError(f"`shift` must be within half a pixel, got {shift!r}.")
    return _basis(check_positive(radius, "radius"), check_order(order), row, col)


@lru_cache(maxsize=16)
def _basis(radius: float, order: int, row: float, col: float) -> NDArray[np.float64]:
    half = int(np.ceil(radius))
    offsets = np.arange(-half, half + 1.0)
    weights = disc_weights(offsets - row, offsets - col, radius, order)
    weights.flags.writeable = False
    return weights


def reconstruct(
    moments: ArrayLike, radius: float, shape: tuple[int, int] | None = None
) -> NDArray[np.float64]:
    """Return the patches that have the given moments.

    Of all the patches it is the combination of Zernike functions (the dual of `basis`, by least squares
    weighted with the area of each pixel inside the disc), so that projecting it on `basis` gives the
    moments back to rounding.

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments.
    radius : float
        Radius of the disc, px. Where it is too small for the order (see `supported_order`) the functions
        are combined as on an enlarged patch, as `zernike_moments` does.
    shape : tuple of int, optional
        Rows and columns of a patch; the disc is centred at ((rows - 1) / 2, (cols - 1) / 2). By default
        both are 2 ceil(radius) + 1.

    Returns
    -------
    ndarray of float64, shape (..., rows, cols)
        Zero outside the disc.

    Examples
    --------
    >>> patch = reconstruct([5.0, 0.0, 0.0], radius=3.0)
    >>> patch.shape, float(patch[3, 3].round(6)), float(patch[0, 0])
    ((7, 7), 5.0, 0.0)
    """
    moments, order = as_moments(moments)
    radius = check_positive(radius, "radius")
    side = 2 * int(np.ceil(radius)) + 1
    rows, cols = (side, side) if shape is None else (int(shape[0]), int(shape[1]))
    if rows < 1 or cols < 1:
        raise ValueError(f"`shape` must be positive, got {shape!r}.")
    row_offsets = np.arange(rows, dtype=np.float64) - (rows - 1) / 2
    col_offsets = np.arange(cols, dtype=np.float64) - (cols - 1) / 2
    weights = disc_weights(row_offsets, col_offsets, radius, order)
    dual = _gram_inverse(radius, order, rows % 2, cols % 2) @ _mean_functions(
        weights.reshape(len(weights), -1)
    )
    patches = moments.astype(np.float64) @ dual
    return patches.reshape(*moments.shape[:-1], rows, cols)


def _mean_functions(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each function over the part of each pixel inside the disc, zero elsewhere."""
    area = weights[0]  # V_00 = 1
    covered = area > 1e-9 * area.max()
    means = np.zeros_like(weights)
    np.divide(weights, area, out=means, where=covered)
    return means


@lru_cache(maxsize=16)
def _gram_inverse(radius: float, order: int, odd_rows: int, odd_cols: int) -> NDArray[np.float64]:
    """Return the inverse Gram matrix of the functions on a grid that holds the whole disc."""
    factor = enlargement(radius, order)
    half = int(np.ceil(radius * factor)) + 1
    row_offsets = np.arange(-half, half + 1.0) + (0.0 if odd_rows or factor > 1 else 0.5)
    col_offsets = np.arange(-half, half + 1.0) + (0.0 if odd_cols or factor > 1 else 0.5)
    weights = disc_weights(row_offsets, col_offsets, radius * factor, order)
    weights = weights.reshape(len(weights), -1)
    return np.asarray(np.linalg.inv(weights @ _mean_functions(weights).T))


def enlargement(radius: float, order: int) -> int:
    """Return the least integer factor by which a disc must grow to support `order`.

    Examples
    --------
    >>> enlargement(8.0, 10), enlargement(5.0, 10)
    (1, 2)
    """
    factor = 1
    while supported_order(radius * factor) < order:
        factor += 1
    return factor
