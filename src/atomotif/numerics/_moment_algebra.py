"""What can be done with Zernike moments by themselves: order, magnitudes, turning, mirroring.

The conventions are those of `atomotif.numerics.zernike`, which offers these functions, too.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif.numerics._disc import pair_arrays

MAX_ORDER = 16
"""Highest radial order: the coefficients grow fourfold an order, and at 16 still leave nine digits."""


def check_order(order: int) -> int:
    """Return `order` if it is an integer from 0 to `MAX_ORDER`.

    Examples
    --------
    >>> check_order(10)
    10
    """
    if isinstance(order, bool) or not isinstance(order, int | np.integer):
        raise TypeError(f"`order` must be an integer, got {order!r}.")
    if not 0 <= order <= MAX_ORDER:
        raise ValueError(f"`order` must be from 0 to {MAX_ORDER}, got {order}.")
    return int(order)


def index_pairs(order: int = 10) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the radial and azimuthal order of every moment.

    Parameters
    ----------
    order : int, default 10
        Highest radial order; 10 gives the 66 moments of Dan et al. (2022).

    Returns
    -------
    p, q : ndarray of int64, shape (n_moments,)
        With n_moments = (order + 1) (order + 2) / 2, in the order j = (p (p + 2) + q) / 2.

    Examples
    --------
    >>> p, q = index_pairs(2)
    >>> [(int(a), int(b)) for a, b in zip(p, q)]
    [(0, 0), (1, -1), (1, 1), (2, -2), (2, 0), (2, 2)]
    """
    return pair_arrays(check_order(order))


def invariant_pairs(order: int = 10) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the radial and azimuthal order of every magnitude (see `magnitudes`).

    Parameters
    ----------
    order : int, default 10
        Highest radial order; 10 gives 36 magnitudes.

    Returns
    -------
    p, q : ndarray of int64, shape (n_invariants,)
        Sorted by p, then by q >= 0.

    Examples
    --------
    >>> p, q = invariant_pairs(3)
    >>> [(int(a), int(b)) for a, b in zip(p, q)]
    [(0, 0), (1, 1), (2, 0), (2, 2), (3, 1), (3, 3)]
    """
    p, q = index_pairs(order)
    return p[q >= 0], q[q >= 0]


def order_of(n_moments: int) -> int:
    """Return the radial order of a full set of `n_moments` moments.

    Raises
    ------
    ValueError
        If no order has that many moments.

    Examples
    --------
    >>> order_of(66)
    10
    """
    order = round((np.sqrt(8.0 * n_moments + 1) - 3) / 2)
    if order < 0 or (order + 1) * (order + 2) // 2 != n_moments:
        raise ValueError(
            f"`moments` must have 1, 3, 6, 10, ..., 66, ... values along the last axis, got {n_moments}."
        )
    return check_order(order)


def to_complex(moments: ArrayLike) -> NDArray[np.complex128]:
    """Join cosine and sine moments to complex ones, A_pq = c_{p,q} + i c_{p,-q} for q >= 0.

    Turning the patch by an angle multiplies A_pq by exp(i q angle).

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments.

    Returns
    -------
    ndarray of complex128, shape (..., n_invariants)
        In the order of `invariant_pairs`; real where q = 0.

    Examples
    --------
    >>> to_complex([1.0, 2.0, 3.0])
    array([1.+0.j, 3.+2.j])
    """
    moments, order = as_moments(moments)
    _, q = pair_arrays(order)
    cosine = np.flatnonzero(q >= 0)
    sine = cosine - q[cosine]
    return np.asarray(moments[..., cosine] + 1j * np.where(q[cosine] > 0, moments[..., sine], 0.0))


def from_complex(amplitudes: ArrayLike) -> NDArray[np.float64]:
    """Split complex moments into the real ones: the inverse of `to_complex`.

    Parameters
    ----------
    amplitudes : array_like, shape (..., n_invariants)
        Complex moments in the order of `invariant_pairs`; the imaginary part where q = 0 is dropped.

    Returns
    -------
    ndarray of float64, shape (..., n_moments)

    Examples
    --------
    >>> from_complex([1.0, 3.0 + 2.0j])
    array([1., 2., 3.])
    """
    amplitudes = np.asarray(amplitudes, dtype=np.complex128)
    n = amplitudes.shape[-1] if amplitudes.ndim else 0
    order = next((o for o in range(MAX_ORDER + 1) if (o // 2 + 1) * ((o + 1) // 2 + 1) == n), None)
    if order is None:
        raise ValueError(
            f"`amplitudes` must have 1, 2, 4, 6, ..., 36, ... values along the last axis, got {n}."
        )
    _, q = pair_arrays(order)
    cosine = np.flatnonzero(q >= 0)
    result = np.empty((*amplitudes.shape[:-1], len(q)))
    result[..., cosine - q[cosine]] = amplitudes.imag
    result[..., cosine] = amplitudes.real
    return result


def magnitudes(moments: ArrayLike) -> NDArray[np.floating]:
    """Return what does not change when the patch turns about its centre.

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments.

    Returns
    -------
    ndarray, shape (..., n_invariants)
        In the order of `invariant_pairs`: for q = 0 the moment itself, with its sign; for q > 0 the
        magnitude of the pair of moments (p, q) and (p, -q). float32 if the moments are, else float64.

    Examples
    --------
    >>> magnitudes([-1.0, 3.0, 4.0])
    array([-1.,  5.])
    """
    moments, order = as_moments(moments)
    _, q = pair_arrays(order)
    cosine = np.flatnonzero(q >= 0)
    paired = q[cosine] > 0
    result = moments[..., cosine]
    result[..., paired] = np.hypot(result[..., paired], moments[..., (cosine - q[cosine])[paired]])
    return result


def rotate(moments: ArrayLike, angle: ArrayLike) -> NDArray[np.floating]:
    """Return the moments of the patch turned about its centre.

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments.
    angle : array_like, shape (...)
        Radians, from +x (columns) towards +y (rows, downwards); broadcast against the leading axes.

    Returns
    -------
    ndarray, shape (..., n_moments)
        float32 if the moments are, else float64.

    Examples
    --------
    >>> rotate([0.0, 0.0, 1.0], np.pi / 2).round(6)
    array([0., 1., 0.])
    """
    moments, order = as_moments(moments)
    _, q = pair_arrays(order)
    phase = np.asarray(angle, dtype=np.float64)[..., None] * np.abs(q)
    partner = moments[..., np.arange(len(q)) - q]
    # cos' = cos c - sin s and sin' = sin c + cos s: the sign of the second term follows that of q.
    turned = np.cos(phase) * moments - np.sign(q) * np.sin(phase) * partner
    return np.asarray(turned, dtype=moments.dtype)


def reflect(moments: ArrayLike, axis_angle: ArrayLike = 0.0) -> NDArray[np.floating]:
    """Return the moments of the patch mirrored in a line through its centre.

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments.
    axis_angle : array_like, shape (...), default 0.0
        Direction of the line, radians from +x (columns) towards +y (rows, downwards). The default
        turns the patch upside down.

    Returns
    -------
    ndarray, shape (..., n_moments)
        float32 if the moments are, else float64.

    Examples
    --------
    >>> reflect([1.0, 2.0, 3.0])
    array([ 1., -2.,  3.])
    """
    moments, order = as_moments(moments)
    _, q = pair_arrays(order)
    flipped = np.where(q < 0, -moments, moments)
    return rotate(flipped, 2.0 * np.asarray(axis_angle, dtype=np.float64))


def as_moments(moments: ArrayLike) -> tuple[NDArray[np.floating], int]:
    """Return moments as float32 or float64 and their radial order."""
    array = np.asarray(moments)
    if array.dtype != np.float32:
        array = array.astype(np.float64)
    if array.ndim == 0:
        raise ValueError("`moments` must have at least one axis, got a scalar.")
    return array, order_of(array.shape[-1])
