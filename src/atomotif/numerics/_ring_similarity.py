"""Kernel of `continuity`: the most similar row among the points on each ring about a point."""

import numpy as np

from atomotif.numerics._jit import jit


@jit(nogil=True)
def nearest_on_rings(position, rows, shuffled, chosen, inner, width, n_rings):  # type: ignore[no-untyped-def]
    """Return the number of points on each ring, and the least squared distance of their rows to the centre's.

    Ring k about a chosen point holds the points at distances from ``inner + k * width`` up to the next ring.

    Parameters
    ----------
    position : ndarray of float64, shape (n, 2)
    rows : ndarray of float32, shape (n, rank)
    shuffled : ndarray of float32, shape (n, rank)
        The same rows in another order: what the points would have if their places did not matter.
    chosen : ndarray of int64, shape (n_chosen,)
        Centres of the rings; their row is that of `rows`.
    inner, width : float
    n_rings : int

    Returns
    -------
    count : ndarray of int64, shape (n_chosen, n_rings)
    nearest, nearest_shuffled : ndarray of float64, shape (n_chosen, n_rings)
        Infinite on a ring without points.
    """
    n = len(rows)
    count = np.zeros((len(chosen), n_rings), np.int64)
    nearest = np.full((len(chosen), n_rings), np.inf)
    nearest_shuffled = np.full((len(chosen), n_rings), np.inf)
    outer = inner + n_rings * width
    for i in range(len(chosen)):
        centre = chosen[i]
        for j in range(n):
            square = (position[j, 0] - position[centre, 0]) ** 2 + (position[j, 1] - position[centre, 1]) ** 2
            if square < inner * inner or square >= outer * outer:
                continue
            ring = min(int((np.sqrt(square) - inner) / width), n_rings - 1)
            count[i, ring] += 1
            nearest[i, ring] = _lesser(rows[j], rows[centre], nearest[i, ring])
            nearest_shuffled[i, ring] = _lesser(shuffled[j], rows[centre], nearest_shuffled[i, ring])
    return count, nearest, nearest_shuffled


@jit(nogil=True)
def _lesser(a, b, least):  # type: ignore[no-untyped-def]
    """Return the squared distance of two rows, or `least` if that is not more."""
    square = 0.0
    for c in range(len(a)):
        square += (a[c] - b[c]) ** 2
        if square >= least:
            return least
    return square
