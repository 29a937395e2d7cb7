"""Outlines of regions that are unions of cells: closed rings of their boundary."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from atomotif._checks import as_points

__all__ = ["Outlines", "outlines"]

# Corners of neighbouring cells that rounding keeps apart, in lengths of the field.
_SAME = 1e-9


class Outlines(NamedTuple):
    """What `outlines` returns; the corners of ring r are `corners[offsets[r]:offsets[r + 1]]`."""

    corners: NDArray[np.float64]
    """Corners of all rings, shape (n_corners, 2) as (row, col) px; the last is not the first again. Outer
    rings turn from columns towards rows, holes the other way."""
    offsets: NDArray[np.int64]
    """Where each ring's corners start, shape (n_rings + 1,)."""
    region: NDArray[np.int64]
    """Region of every ring, ascending, shape (n_rings,)."""


def outlines(corners: ArrayLike, offsets: ArrayLike, labels: ArrayLike) -> Outlines:
    """Return the outlines of regions of cells.

    Parameters
    ----------
    corners : array_like, shape (n_corners, 2)
        Corners of the cells (row, col) px, in order around each, turning from columns towards rows.
        Neighbouring cells share corners, as those of `voronoi_cells`.
    offsets : array_like of int, shape (n_cells + 1,)
        Where each cell's corners start.
    labels : array_like of int, shape (n_cells,)
        Region of every cell, 0 and up; -1 for none.

    Returns
    -------
    Outlines
        The areas of a region's rings, those of holes being negative, add up to that of its cells.

    Raises
    ------
    ValueError
        If shapes do not match.

    Notes
    -----
    A side of a cell is on the boundary if its reverse is no side of the same region. Where regions touch
    themselves in a corner, the ring turns as sharply as it can, so that no ring crosses itself.

    Examples
    --------
    >>> squares = [[0, 0], [0, 1], [1, 1], [1, 0], [0, 1], [0, 2], [1, 2], [1, 1]]
    >>> found = outlines(squares, [0, 4, 8], [0, 0])
    >>> len(found.corners), found.offsets, found.region
    (6, array([0, 6]), array([0]))
    """
    places, starts = as_points(corners, "corners"), np.asarray(offsets, np.int64)
    region = np.asarray(labels, np.int64)
    if region.shape != (len(starts) - 1,) or starts[-1] != len(places):
        raise ValueError(
            f"`labels` must have shape ({len(starts) - 1},), one for each cell, got shape {region.shape}."
        )
    tails, heads, owner, vertices = _boundary(places, starts, region)
    order = np.lexsort((heads, tails, owner))
    tails, heads, owner = tails[order], heads[order], owner[order]
    leaving: dict[tuple[int, int], list[int]] = {}
    for side, key in enumerate(zip(owner.tolist(), tails.tolist(), strict=True)):
        leaving.setdefault(key, []).append(side)
    rings, of_region = [], []
    used = np.zeros(len(tails), bool)
    for first in range(len(tails)):
        if used[first]:
            continue
        ring, side = [], first
        while not used[side]:
            used[side] = True
            ring.append(int(tails[side]))
            onward = [one for one in leaving[int(owner[side]), int(heads[side])] if not used[one]]
            if not onward:
                break
            side = _sharpest(side, onward, tails, heads, vertices)
        rings.append(ring)
        of_region.append(int(owner[first]))
    lengths = [len(ring) for ring in rings]
    flat = np.array([vertex for ring in rings for vertex in ring], np.int64)
    return Outlines(
        vertices[flat],
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array(of_region, np.int64),
    )


def _boundary(
    places: NDArray[np.float64], starts: NDArray[np.int64], region: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return tail, head and region of the sides on a boundary, and the vertices that they number."""
    vertices, vertex = _merged(places)
    cell = np.repeat(np.arange(len(region)), np.diff(starts))
    after = np.arange(len(places)) + 1
    filled = np.diff(starts) > 0
    after[starts[1:][filled] - 1] = starts[:-1][filled]
    tails, heads, owner = vertex, vertex[after], region[cell]
    side = (owner >= 0) & (tails != heads)
    tails, heads, owner = tails[side], heads[side], owner[side]
    n = len(vertices)
    key = (owner * n + tails) * n + heads
    alone = ~np.isin(key, (owner * n + heads) * n + tails)
    return tails[alone], heads[alone], owner[alone], vertices


def _merged(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return distinct corners, and for every corner which it is; those that rounding keeps apart are one."""
    distinct, vertex = np.unique(places, axis=0, return_inverse=True)
    if not len(distinct):
        return distinct, vertex.reshape(-1)
    pairs = KDTree(distinct).query_pairs(_SAME * float(np.ptp(distinct, axis=0).max()), output_type="ndarray")
    graph = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(distinct),) * 2)
    group = connected_components(graph, directed=False)[1]
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    return distinct[first], number.reshape(-1)[vertex.reshape(-1)].astype(np.int64)


def _sharpest(
    side: int,
    onward: list[int],
    tails: NDArray[np.int64],
    heads: NDArray[np.int64],
    vertices: NDArray[np.float64],
) -> int:
    """Return the side that turns most from columns towards rows, that is, stays at the same cells."""
    if len(onward) == 1:
        return onward[0]
    back = vertices[heads[side]] - vertices[tails[side]]
    ahead = vertices[heads[onward]] - vertices[tails[onward]]
    cross = back[1] * ahead[:, 0] - back[0] * ahead[:, 1]
    return onward[int(np.arctan2(cross, ahead @ back).argmax())]
