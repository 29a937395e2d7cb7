"""The shortest basis of a two-dimensional lattice, chosen so that the same lattice gives the same basis."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Vectors whose lengths differ by less count as equally long: slow strain and scan drift distort a
# hexagonal or square lattice by some per cent, which must not decide between its bases.
_EQUAL = 0.05


def as_basis(vectors: ArrayLike, name: str = "vectors") -> NDArray[np.float64]:
    """Return `vectors` as a finite float64 (2, 2) array of two vectors that span the plane.

    Parameters
    ----------
    vectors : array_like, shape (2, 2)
        One vector a row, each (d_row, d_col) px.
    name : str, default "vectors"
        The argument's name in the error.

    Returns
    -------
    ndarray of float64, shape (2, 2)

    Raises
    ------
    ValueError
        If the shape is not (2, 2), a value is not finite, or the vectors are (nearly) parallel.

    Examples
    --------
    >>> as_basis([[0, 2], [1, 0]])
    array([[0., 2.],
           [1., 0.]])
    """
    basis = np.ascontiguousarray(vectors, dtype=np.float64)
    if basis.shape != (2, 2):
        raise ValueError(f"`{name}` must have shape (2, 2), one vector a row, got shape {basis.shape}.")
    if not np.isfinite(basis).all():
        raise ValueError(f"`{name}` must be finite, got {basis.tolist()}.")
    lengths = np.hypot(*basis.T)
    if not abs(np.linalg.det(basis)) > 1e-6 * lengths[0] * lengths[1]:
        raise ValueError(f"`{name}` must not be parallel, got {basis.tolist()}.")
    return basis


def reduce_basis(vectors: ArrayLike) -> NDArray[np.float64]:
    """Return the reduced basis (a, b) of the lattice that `vectors` span.

    Lagrange's reduction gives two shortest vectors. Among them the choice is fixed, lengths within 5 % of
    each other counting as equal (slow strain and drift change them so):

    - a is the shortest vector, or of several the one nearest to the direction of the columns (+x), at
      an angle in (-90, 90] degrees;
    - b is the shortest vector that spans the cell with a and lies on its right-handed side: the turn from a
      to b runs from columns towards rows (clockwise as displayed), ``a[1] * b[0] - a[0] * b[1] > 0``. Of
      two such vectors it is the one at the obtuse angle (120 degrees on a hexagonal lattice).

    Parameters
    ----------
    vectors : array_like, shape (2, 2)
        Any basis, one vector a row, each (d_row, d_col) px.

    Returns
    -------
    ndarray of float64, shape (2, 2)

    Raises
    ------
    ValueError
        If the vectors are not finite or parallel.

    Examples
    --------
    >>> reduce_basis([[3, 0], [6, 2]])
    array([[0., 2.],
           [3., 0.]])
    """
    short, long = sorted(as_basis(vectors), key=lambda v: float(v @ v))
    while True:
        long = long - np.rint(short @ long / (short @ short)) * short
        if long @ long >= short @ short * (1 - 1e-12):
            break
        short, long = long, short
    grid = np.array([[0, 1], [1, 0], [1, 1], [1, -1]])
    around = np.concatenate([grid, -grid]) @ np.array([short, long])
    length = np.hypot(*around.T)
    angle = np.arctan2(around[:, 0], around[:, 1])
    forward = (angle > -np.pi / 2 + 1e-9) & (angle <= np.pi / 2 + 1e-9)
    shortest = forward & (length <= (1 + _EQUAL) * length.min())
    a = around[_first(shortest, np.abs(angle), -angle)]
    side = a[1] * around[:, 0] - a[0] * around[:, 1]
    spans = side > 0.5 * abs(np.linalg.det(np.array([short, long])))
    nearest = spans & (length <= (1 + _EQUAL) * length[spans].min())
    # 0.0 + takes the sign off a zero.
    basis: NDArray[np.float64] = 0.0 + np.array([a, around[_first(nearest, around @ a, length)]])
    return basis


def _first(allowed: NDArray[np.bool_], key: NDArray[np.float64], tie: NDArray[np.float64]) -> int:
    """Index of the smallest key among the allowed, of equal keys the smallest tie breaker."""
    scale = np.abs(key).max() or 1.0
    where = np.flatnonzero(allowed)
    return int(where[np.lexsort((tie[where], np.rint(key[where] / (1e-9 * scale))))[0]])
