"""Quads of pentagons: four at the corners of a square, and four of those round a square."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points
from atomotif.numerics._quad_search import (
    direction,
    find_squares,
    ordered_corners,
    shared_corners,
    two_colors,
)
from atomotif.numerics.pentagon_states import states

__all__ = ["Level3", "Quads", "find_quads", "level3", "quad_states"]


class Quads(NamedTuple):
    """What `find_quads` returns."""

    corners: NDArray[np.int64]
    """The four pentagons of every quad, shape (n_quads, 4); corner k lies about `orientation` + k pi / 2 from
    the centre, at most pi / 4 off."""
    centers: NDArray[np.float64]
    """Means of the corners as (row, col) px, shape (n_quads, 2)."""
    irregularity: NDArray[np.float64]
    """0 for a square, (r - 1) / (r + 1) for diagonals or sides whose ratio is r, shape (n_quads,)."""
    sublattice: NDArray[np.int8]
    """0 or 1: quads that share a corner differ, so that no pentagon is in two quads of one sublattice; -1
    where that cannot be (at faults of the tiling). Shape (n_quads,); 0 is the one with more quads."""
    across: NDArray[np.int64]
    """The other quad at each corner, -1 for none, shape (n_quads, 4)."""
    orientation: float
    """Mean direction from quads to those across their corners, radians from columns towards rows,
    in [0, pi / 2)."""
    alignment: float
    """Length of the mean of exp(4 i direction) over those: 1 if all are aligned, near 0 for several grains,
    to which no common numbering of corners applies."""


class Level3(NamedTuple):
    """What `level3` returns: squares of four quads, round the quad that they share corners with."""

    center: NDArray[np.int64]
    """The quad in the middle, of the other sublattice, shape (n,)."""
    sublattice: NDArray[np.int8]
    """Sublattice of the four quads, shape (n,)."""
    quads: NDArray[np.int64]
    """The four quads, shape (n, 4), in the order of the corners of the middle one."""
    pentagons: NDArray[np.int64]
    """Their 16 distinct pentagons, shape (n, 16); those of quad k are 4 k ... 4 k + 3."""


def find_quads(centers: ArrayLike) -> Quads:
    """Return the squares of four pentagons in a tiling by pentagons, from the pentagons' centres alone.

    The centres of a Cairo tiling form squares, round its 4-connected vertices, and triangles, round its
    3-connected ones; each centre is a corner of two squares. In a Delaunay triangulation a square is two
    triangles that share the longest side of both. Those pairs are kept that are nearer to a square than to
    two equilateral triangles; then, the most regular first, those that share one corner at most with any
    other, and no corner with two others. All is local: a missing or additional centre costs the quads that it
    touches and no more.

    Parameters
    ----------
    centers : array_like, shape (n, 2)
        Centres of the pentagons as (row, col) px.

    Returns
    -------
    Quads
        Ordered by their position, row first.

    Raises
    ------
    ValueError
        If there are fewer than four centres.

    Notes
    -----
    Level 2 of fig. 4F: Dan et al. (2022). The sublattices follow from shared corners, the most regular quads
    first (a spanning tree); parts that share no corner are named alike where their squares have the same
    orientation.

    Examples
    --------
    >>> a, b = 6.8, 18.2  # a snub square tiling
    >>> cell = np.array([[a, b], [b, 50 - a], [50 - a, 50 - b], [50 - b, a]])
    >>> centers = np.concatenate([cell + [50 * i, 50 * j] for i in range(3) for j in range(3)])
    >>> quads = find_quads(centers)
    >>> np.bincount(quads.sublattice), round(quads.alignment, 3)
    (array([9, 4]), 1.0)
    """
    points = as_points(centers, "centers")
    if len(points) < 4:
        raise ValueError(f"`centers` must hold at least 4 points, got {len(points)}.")
    corners, irregularity = find_squares(points)
    middle = points[corners].mean(axis=1)
    order = np.lexsort(middle.T[::-1])
    corners, irregularity, middle = corners[order], irregularity[order], middle[order]

    links = shared_corners(corners)
    step = middle[links[:, 1]] - middle[links[:, 0]]
    phase = 4 * direction(step) if len(links) else 4 * direction(points[corners] - middle[:, None]).ravel()
    mean = np.exp(1j * phase).mean() if len(phase) else 0.0
    orientation = float(np.angle(mean) / 4 % (np.pi / 2))
    corners, turn = ordered_corners(points, corners, middle, orientation)
    across = np.full((len(corners), 4), -1, np.int64)
    for one, other in ((0, 1), (1, 0)):
        # The corner of the one that is a corner of the other.
        at = (corners[links[:, one], :, None] == corners[links[:, other], None, :]).any(axis=2).argmax(axis=1)
        across[links[:, one], at] = links[:, other]
    sublattice = two_colors(len(corners), links, irregularity, turn)
    return Quads(corners, middle, irregularity, sublattice, across, orientation, float(abs(mean)))


def level3(quads: Quads) -> Level3:
    """Return the squares of four quads of one sublattice, both sublattices.

    They are the four quads across the corners of a quad of the other sublattice, so that their 16 pentagons
    are distinct; four of them are the corners of the middle one. Squares of one sublattice overlap: a quad is
    in up to four.

    Parameters
    ----------
    quads : Quads
        From `find_quads`.

    Returns
    -------
    Level3

    Notes
    -----
    Level 3 of fig. 4F, "centered on four-column squares": Dan et al. (2022).

    Examples
    --------
    >>> a, b = 6.8, 18.2
    >>> cell = np.array([[a, b], [b, 50 - a], [50 - a, 50 - b], [50 - b, a]])
    >>> centers = np.concatenate([cell + [50 * i, 50 * j] for i in range(3) for j in range(3)])
    >>> found = level3(find_quads(centers))
    >>> found.sublattice.tolist(), found.pentagons.shape
    ([0, 0, 0, 0, 1], (5, 16))
    """
    whole = (quads.across >= 0).all(axis=1) & (quads.sublattice >= 0)
    around = quads.sublattice[quads.across]
    whole &= (around == 1 - quads.sublattice[:, None]).all(axis=1)
    center = np.flatnonzero(whole)
    four = quads.across[center]
    pentagons = quads.corners[four].reshape(-1, 16)
    distinct = (np.diff(np.sort(pentagons, axis=1), axis=1) > 0).all(axis=1)
    other = (1 - quads.sublattice[center]).astype(np.int8)
    order = np.flatnonzero(distinct)[np.argsort(other[distinct], kind="stable")]
    return Level3(center[order], other[order], four[order], pentagons[order])


def quad_states(
    quads: Quads, centers: ArrayLike, classes: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the state of every quad, and its arrow towards the filled corners.

    Parameters
    ----------
    quads : Quads
        From `find_quads`.
    centers : array_like, shape (n, 2)
        Centres of the pentagons, (row, col) px.
    classes : array_like of int, shape (n,)
        0 empty, 1 partly filled, 2 filled.

    Returns
    -------
    state : ndarray of int64, shape (n_quads,)
        0 ... 15, bit k for corner k; -1 with a partly filled corner.
    arrow : ndarray of float64, shape (n_quads, 2)
        Sum of the unit vectors, as (row, col), from the quad's centre to its filled corners: 0 long for none,
        all, or two opposite ones, 1 for one or three, 2^(1/2) for two neighbours. NaN with a partly filled
        corner.

    Examples
    --------
    >>> square = np.array([[0.0, 0], [0, 10], [10, 10], [10, 0]])
    >>> state, arrow = quad_states(find_quads(square), square, [0, 0, 2, 2])
    >>> int(state[0]).bit_count(), arrow.round(2)
    (2, array([[1.41, 0.  ]]))
    """
    points = as_points(centers, "centers")
    state = states(quads.corners, classes)
    toward = points[quads.corners] - quads.centers[:, None]
    toward /= np.linalg.norm(toward, axis=2, keepdims=True)
    filled = (state[:, None] >> np.arange(4)) & 1
    arrow = (toward * filled[:, :, None]).sum(axis=1)
    arrow[state < 0] = np.nan
    return state, arrow
