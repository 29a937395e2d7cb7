"""Where mixtures of anchors are drawn: in a triangle of their weights, or what stands for it."""

import numpy as np
from numpy.typing import NDArray

from atomotif._palette import mixed_colors

# Bars of the histogram that two anchors make: as many as are told apart in a figure.
_BARS = 100
# Half of the side of an anchor's tile, and its distance from what is drawn.
TILE_HALF = 0.26
_GAP = 0.06
# Room round all of it, for the names above or below the tiles.
_ROOM = 0.22
# Of the bar of two anchors, below the histogram of their points.
_BAR_HEIGHT = 0.15


def anchor_corners(count: int) -> NDArray[np.float64]:
    """Return the corners of a regular polygon of radius 1, the first at the top, the others clockwise.

    Those of two anchors are at the left and at the right.

    Parameters
    ----------
    count : int
        Number of anchors.

    Returns
    -------
    ndarray of float64, shape (count, 2)
        (x, y), y upwards.

    Examples
    --------
    >>> anchor_corners(3).round(2) + 0.0
    array([[ 0.  ,  1.  ],
           [ 0.87, -0.5 ],
           [-0.87, -0.5 ]])
    """
    if count == 2:
        return np.array([[-1.0, 0.0], [1.0, 0.0]])
    angle = 2 * np.pi * np.arange(count) / max(count, 1)
    return np.column_stack([np.sin(angle), np.cos(angle)])


def anchor_places(weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the mean of the corners by weight: in the triangle of three anchors, their ternary plot.

    In a polygon of more corners different mixtures share a place. Points between two anchors, which would
    all lie on a line, are stacked as a histogram, each in the order of the rows.

    Parameters
    ----------
    weight : ndarray of float, shape (n, count)
        With a sum of 1; NaN for points without any.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        NaN for points without weights.

    Examples
    --------
    >>> anchor_places(np.array([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]))
    array([[-1. ,  0.5],
           [ 0. ,  0.5],
           [ 0. ,  1. ]])
    """
    share = np.asarray(weight, dtype=np.float64)
    place = share @ anchor_corners(share.shape[1])
    if share.shape[1] != 2:
        return place
    there = np.flatnonzero(np.isfinite(share).all(axis=1))
    bar = np.minimum((share[there, 1] * _BARS).astype(np.int64), _BARS - 1)
    order = np.argsort(bar, kind="stable")
    start = np.searchsorted(bar[order], bar[order])
    place[:, 1] = np.nan
    place[there[order], 1] = np.arange(len(order)) - start + 1
    place[:, 1] /= np.bincount(bar, minlength=1).max() or 1
    return place


def anchor_tiles(count: int) -> NDArray[np.float64]:
    """Return the middles of the anchors' tiles: above or below the corners, or outside a polygon of many.

    Examples
    --------
    >>> anchor_tiles(2)
    array([[-1.  , -0.47],
           [ 1.  , -0.47]])
    """
    corners = anchor_corners(count)
    if count > 3:
        return np.asarray(corners * (1 + _GAP + np.sqrt(2) * TILE_HALF))
    below = np.array([0, TILE_HALF + _GAP + _BAR_HEIGHT * (count == 2)])
    return np.asarray(corners + np.where(corners[:, 1:] > 0, below, -below))


def anchor_extent(count: int) -> dict[str, float]:
    """Return the edges of all that is drawn: `x0`, `x1`, `y0`, `y1`.

    Examples
    --------
    >>> anchor_extent(2)["y1"]
    1.22
    """
    tiles = anchor_tiles(count)
    low, high = tiles.min(axis=0) - TILE_HALF - _ROOM, tiles.max(axis=0) + TILE_HALF + _ROOM
    if count == 2:
        high[1] = 1 + _ROOM
    return {"x0": float(low[0]), "x1": float(high[0]), "y0": float(low[1]), "y1": float(high[1])}


def mixture_extent(count: int) -> dict[str, float] | None:
    """Return the edges of `mixture_picture` in the figure; None where there is none.

    Examples
    --------
    >>> mixture_extent(2)
    {'x0': -1.0, 'x1': 1.0, 'y0': -0.15, 'y1': 0.0}
    """
    if count not in (2, 3):
        return None
    (left, low), (right, high) = (edge(anchor_corners(count), axis=0).tolist() for edge in (np.min, np.max))
    return {"x0": left, "x1": right, "y0": low - _BAR_HEIGHT * (count == 2), "y1": high}


def mixture_picture(colors: list[str], side: int) -> NDArray[np.uint8]:
    """Return the triangle of three colours with their mixtures, or the bar of two.

    Parameters
    ----------
    colors : list of str
        "#rrggbb" of the corners, two or three; of more, a place does not tell the mixture.
    side : int
        Width of the triangle, px.

    Returns
    -------
    ndarray of uint8, shape (rows, side, 4)
        RGBA, transparent outside, the first row at the top.

    Examples
    --------
    >>> mixture_picture(["#ff0000", "#00ff00", "#0000ff"], 9).shape
    (8, 9, 4)
    """
    across = (np.arange(side) + 0.5) / side
    if len(colors) == 2:
        bar = np.empty((max(1, side // 4), side, 4), np.uint8)
        bar[..., :3] = mixed_colors(colors, np.column_stack([1 - across, across]))
        bar[..., 3] = 255
        return bar
    rows = round(side * np.sqrt(3) / 2)
    down = (np.arange(rows) + 0.5)[:, None] / rows
    top = np.broadcast_to(1 - down, (rows, side))
    right = across - top / 2
    weight = np.stack([top, right, 1 - top - right], axis=-1)
    inside = (weight >= 0).all(axis=-1)
    made = np.zeros((rows, side, 4), np.uint8)
    made[inside, :3] = mixed_colors(colors, weight[inside])
    made[inside, 3] = 255
    return made
