"""Indices grown from point to neighbouring point, and slowly varying fields on scattered points."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from atomotif.numerics._jit import jit


def smooth_field(
    where: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """Return the mean of scattered values under a Gaussian of standard deviation `width` px round each place.

    Places farther than a few widths from every value get that of the nearest values.
    """
    low = np.minimum(where.min(axis=0), at.min(axis=0))
    side = width / 2
    shape = np.floor((np.maximum(where.max(axis=0), at.max(axis=0)) - low) / side).astype(np.int64) + 2
    # Each value is shared among the four nodes round it, so that the mean does not jump from bin to bin.
    base = np.floor((where - low) / side).astype(np.int64)
    part = (where - low) / side - base
    sums = np.zeros((1 + values.shape[1], shape[0] * shape[1]))
    for down in (0, 1):
        for right in (0, 1):
            weight = np.abs(1 - down - part[:, 0]) * np.abs(1 - right - part[:, 1])
            node = (base[:, 0] + down) * shape[1] + base[:, 1] + right
            sums[0] += np.bincount(node, weight, minlength=sums.shape[1])
            for k in range(values.shape[1]):
                sums[k + 1] += np.bincount(node, weight * values[:, k], minlength=sums.shape[1])
    grids = [ndimage.gaussian_filter(g.reshape(shape), width / side, mode="constant") for g in sums]
    empty = grids[0] < 1e-3
    means = [g / np.where(empty, 1.0, grids[0]) for g in grids[1:]]
    if empty.any() and not empty.all():
        nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
        means = [mean[tuple(nearest)] for mean in means]
    place = ((at - low) / side).T
    return np.stack([ndimage.map_coordinates(m, place, order=1, mode="nearest") for m in means], axis=1)


def link(
    points: NDArray[np.float64], tree: KDTree, steps: NDArray[np.float64], near: float
) -> NDArray[np.int64]:
    """Return the point at the end of each point's own step, -1 where there is none within `near` px.

    Of several points that step to the same point the one that comes nearest is kept.
    """
    distance, other = tree.query(points + steps, distance_upper_bound=near)
    found = np.flatnonzero(np.isfinite(distance) & (other != np.arange(len(points))))
    order = found[np.lexsort((found, distance[found]))]
    _, first = np.unique(other[order], return_index=True)
    partner = np.full(len(points), -1, dtype=np.int64)
    partner[order[first]] = other[order[first]]
    return partner


def grow(
    partners: NDArray[np.int64], steps: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the integer index of every point in its connected piece, and the piece's number.

    Parameters
    ----------
    partners : ndarray of int64, shape (k, n)
        The point at the end of step k of each point, -1 for none.
    steps : ndarray of int64, shape (k, 2)
        By how much step k changes the index.

    Returns
    -------
    index : ndarray of int64, shape (n, 2)
        (0, 0) at the first point of each piece.
    piece : ndarray of int64, shape (n,)
    """
    backwards = np.full_like(partners, -1)
    for forth, back in zip(partners, backwards, strict=True):
        has = np.flatnonzero(forth >= 0)
        back[forth[has]] = has
    result: Any = _spread(np.concatenate([partners, backwards]), np.concatenate([steps, -steps]))
    return result[0], result[1]


@jit(nogil=True)
def _spread(partners, steps):  # type: ignore[no-untyped-def]
    n_steps, n_points = partners.shape
    index = np.zeros((n_points, 2), np.int64)
    piece = np.full(n_points, -1, np.int64)
    queue = np.empty(n_points, np.int64)
    n_pieces = 0
    for start in range(n_points):
        if piece[start] >= 0:
            continue
        piece[start] = n_pieces
        queue[0] = start
        head, tail = 0, 1
        # Breadth first: a wrong link far away cannot overtake the many right ones between.
        while head < tail:
            here = queue[head]
            head += 1
            for k in range(n_steps):
                there = partners[k, here]
                if there >= 0 and piece[there] < 0:
                    piece[there] = n_pieces
                    index[there, 0] = index[here, 0] + steps[k, 0]
                    index[there, 1] = index[here, 1] + steps[k, 1]
                    queue[tail] = there
                    tail += 1
        n_pieces += 1
    return index, piece
