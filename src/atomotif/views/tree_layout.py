"""How the motif-cell hierarchy is laid out: levels as rows, few crossings, rare motif-cells folded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: What a drawing shows at most; the rest is folded. As in `widget/link_tree.js`, which places the tree on a
#: page, where it changes with the selection.
MOST_ROWS = 8
MOST_IN_ROW = 12
#: Room for "+23 rare", in characters.
FOLDED_CHARS = 8
#: Of a character and a line of a count, px.
CHAR, LINE = 7.0, 16.0
#: Between drawings and between rows, in shortest lattice vectors.
GAP, ROW_GAP = 0.8, 1.4
#: Length of the shortest lattice vector, px: what it may shrink to for the sake of more motif-cells in a row,
#: and its largest.
LEAST_STEP, MOST_STEP = 16.0, 60.0
_SWEEPS = 16


@dataclass(frozen=True)
class Placement:
    """Where the motif-cells of a hierarchy are drawn; y grows downwards.

    Attributes
    ----------
    node : ndarray of int64
        The motif-cells that are drawn.
    x, y : ndarray of float64
        The middle of each drawing; its count stands at its right.
    row_level, row_folded : ndarray of int64
        Level of each row, and how many of its motif-cells are folded.
    row_y, row_right : ndarray of float64
        Middle of each row, and its right end.
    folded : int
        How many motif-cells are not drawn in all.
    x0, x1, y0, y1 : float
        What all of it takes.
    """

    node: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    row_level: NDArray[np.int64]
    row_folded: NDArray[np.int64]
    row_y: NDArray[np.float64]
    row_right: NDArray[np.float64]
    folded: int
    x0: float
    x1: float
    y0: float
    y1: float


def order_in_rows(
    level: NDArray[np.int64], lower: NDArray[np.int64], higher: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the place of each node in the row of its level, such that few edges cross.

    Sweeps down and up put each node at the mean place of those that it is joined to (the barycentre method
    of Sugiyama, Tagawa and Toda, 1981); of all sweeps the one with the shortest edges is kept. Nodes without
    an edge go last.

    Parameters
    ----------
    level : ndarray of int64, shape (n,)
    lower, higher : ndarray of int64, shape (m,)
        The ends of the edges; those of one edge are at different levels.

    Returns
    -------
    ndarray of int64, shape (n,)

    Examples
    --------
    >>> order_in_rows(np.array([1, 1, 2, 2]), np.array([0, 1]), np.array([3, 2]))
    array([0, 1, 1, 0])
    """
    n = len(level)
    rank = np.unique(level, return_inverse=True)[1].reshape(-1)
    size = np.bincount(rank, minlength=1)[rank]
    degree = np.bincount(lower, minlength=n) + np.bincount(higher, minlength=n)
    start = np.append(0, np.cumsum(np.bincount(rank)))

    def ranked(wanted: NDArray[np.float64]) -> NDArray[np.int64]:
        place = np.empty(n, np.int64)
        by_row = np.lexsort((wanted, degree == 0, rank))
        place[by_row] = np.arange(n) - start[rank[by_row]]
        return place

    place = ranked(np.arange(n, dtype=float))
    best, shortest = place, np.inf
    for sweep in range(_SWEEPS):
        at = (place + 0.5) / size
        length = float(np.abs(at[lower] - at[higher]).sum())
        if length < shortest - 1e-9:
            best, shortest = place, length
        source, target = (lower, higher) if sweep % 2 == 0 else (higher, lower)
        wanted = at.copy()
        joined = np.bincount(target, minlength=n)
        total = np.bincount(target, at[source], minlength=n)
        wanted[joined > 0] = total[joined > 0] / joined[joined > 0]
        place = ranked(wanted)
    return best


def place_tree(
    level: NDArray[np.integer],
    count: NDArray[np.integer],
    order: NDArray[np.integer],
    width: NDArray[np.floating],
    height: NDArray[np.floating],
    *,
    gap: float,
    row_gap: float,
    char: float,
    line: float,
    most_width: float,
) -> Placement:
    """Return where the most frequent motif-cells are drawn, each row centred.

    The rows of most occurrences are kept, and of a row the most frequent motif-cells that have room.

    Parameters
    ----------
    level, count, order : ndarray of int, shape (n,)
        Level, number of occurrences and place in the row.
    width, height : ndarray of float, shape (n,)
        Of the drawings.
    gap, row_gap : float
        Between motif-cells and between rows.
    char, line : float
        Width of a character and height of a line of the counts beside the drawings.
    most_width : float
        Of a row, but one motif-cell is always drawn.

    Returns
    -------
    Placement

    Examples
    --------
    >>> one = np.array([1.0])
    >>> placed = place_tree(np.array([1]), np.array([5]), np.array([0]), one, one,
    ...                     gap=1, row_gap=1, char=0.2, line=0.1, most_width=9)
    >>> placed.x, placed.y, placed.x1
    (array([-0.5]), array([0.5]), 1.0)
    """
    levels, rank = np.unique(level, return_inverse=True)
    rank = rank.reshape(-1)
    rows = np.sort(np.argsort(-np.bincount(rank, count), kind="stable")[:MOST_ROWS])
    # For "3 / 16", which is what a selection says.
    room = width + char * np.array([3 + 2 * len(f"{n:,}") for n in count])
    nodes, xs, ys, folded, middles, rights = [], [], [], [], [], []
    top = half = end = 0.0
    for row in rows:
        there = np.flatnonzero(rank == row)
        frequent = there[np.lexsort((order[there], -count[there]))][:MOST_IN_ROW]
        fits = np.cumsum(room[frequent] + gap) - gap <= most_width
        fits[0] = True
        kept = frequent[fits]
        kept = kept[np.argsort(order[kept])]
        ends = np.cumsum(room[kept] + gap) - gap
        right = ends[-1] / 2
        tall = max(line, height[kept].max())
        nodes.append(kept)
        xs.append(ends - room[kept] + width[kept] / 2 - right)
        ys.append(np.full(len(kept), top + tall / 2))
        folded.append(len(there) - len(kept))
        middles.append(top + tall / 2)
        rights.append(right)
        half = max(half, right)
        end = max(end, right + (gap + FOLDED_CHARS * char if folded[-1] else 0.0))
        top += tall + row_gap
    shown = np.concatenate(nodes)
    return Placement(
        node=shown,
        x=np.concatenate(xs),
        y=np.concatenate(ys),
        row_level=levels[rows],
        row_folded=np.array(folded),
        row_y=np.array(middles),
        row_right=np.array(rights),
        folded=len(level) - len(shown),
        x0=float(-half),
        x1=float(end),
        y0=0.0,
        y1=float(top - row_gap),
    )


def fit_tree(
    level: NDArray[np.integer],
    count: NDArray[np.integer],
    order: NDArray[np.integer],
    width: NDArray[np.floating],
    height: NDArray[np.floating],
    *,
    step: float,
    size: tuple[float, float],
) -> tuple[Placement, float]:
    """Return the motif-cells placed in a frame, and the length of a pixel.

    Counts have a size in px, so that how much room they take depends on the scale, and the scale on them.

    Parameters
    ----------
    level, count, order, width, height : ndarray
        As in `place_tree`.
    step : float
        Length of the shortest lattice vector.
    size : (float, float)
        Width and height of the frame, px.

    Returns
    -------
    placement : Placement
    scale : float
        Length of a pixel.
    """
    across, down = size
    scale, tall = 0.0, 0.0
    for _ in range(4):
        placed = place_tree(
            level,
            count,
            order,
            width,
            height,
            gap=GAP * step,
            row_gap=ROW_GAP * step,
            char=min(CHAR * scale, step),
            line=LINE * scale,
            most_width=max(step * across / LEAST_STEP, tall * across / down),
        )
        tall = placed.y1 + step
        # A single motif-cell is not to fill the frame.
        scale = max((placed.x1 - placed.x0 + step) / across, tall / down, step / MOST_STEP)
    return placed, scale
