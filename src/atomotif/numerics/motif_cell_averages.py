"""Averages of the image over the occurrences of motif-cells, turned by the symmetry that joins them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_image, as_points
from atomotif.numerics._average_kernels import mean_patch
from atomotif.numerics._threads import run_blocks
from atomotif.numerics.averages import alignment_angles
from atomotif.numerics.moments import read_only, zernike_moments

__all__ = ["MotifCellAverages", "motif_cell_averages"]


class MotifCellAverages(NamedTuple):
    """What `motif_cell_averages` returns."""

    average: NDArray[np.float32]
    """Mean patch of every motif-cell, shape (n_nodes, side, side); NaN where it does not occur."""
    angles: NDArray[np.float64]
    """Angle by which each occurrence is turned, radians, from -pi to pi, shape (n,)."""


def motif_cell_averages(
    image: ArrayLike,
    centers: ArrayLike,
    nodes: ArrayLike,
    radii: ArrayLike,
    *,
    fold: int = 1,
    n_threads: int | None = None,
) -> MotifCellAverages:
    """Return the mean of the image over all occurrences of each motif-cell.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Finite. Beyond its edges it is mirrored.
    centers : array_like, shape (n, 2)
        Centres of the occurrences as (row, col), px, inside the image.
    nodes : array_like of int, shape (n,)
        Motif-cell of each occurrence; negative ones are left out.
    radii : array_like, shape (n_nodes,)
        How far each motif-cell reaches from its centre, px. All averages have the side of the largest.
    fold : int, default 1
        Occurrences of one motif-cell may be turned against each other by multiples of the `fold`-th part of a
        full turn; which one, their Zernike moments say. 1 is for none.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    MotifCellAverages

    Raises
    ------
    ValueError
        If shapes do not match, or a value is out of range.

    Examples
    --------
    >>> image = np.zeros((60, 60))
    >>> image[20, 20:26] = image[40:46, 40] = 1.0
    >>> found = motif_cell_averages(image, [[20, 20], [40, 40]], [0, 0], [9.0], fold=4)
    >>> float(abs(np.rad2deg(found.angles[1] - found.angles[0])))
    90.0
    >>> bool(found.average[0].max() > 0.99)
    True
    """
    pixels = read_only(as_image(image, min_size=1))
    places, node = as_points(centers, "centers"), np.asarray(nodes, np.int64)
    reach = np.asarray(radii, np.float64)
    if node.shape != (len(places),):
        raise ValueError(f"`nodes` must have shape ({len(places)},), got {node.shape}.")
    if node.size and node.max() >= len(reach):
        raise ValueError(f"`nodes` must be below the number of `radii`, {len(reach)}, got {node.max()}.")
    if not (reach > 0).all():
        raise ValueError(f"`radii` must be positive, got {reach.min()}.")
    if fold < 1:
        raise ValueError(f"`fold` must be at least 1, got {fold}.")
    half = int(np.ceil(reach.max(initial=1.0)))
    average = np.full((len(reach), 2 * half + 1, 2 * half + 1), np.nan, np.float32)
    angles = np.zeros(len(places))

    def work(k: int) -> None:
        members = np.flatnonzero(node == k)
        if not len(members):
            return
        if fold > 1 and len(members) > 1:
            moments = zernike_moments(pixels, places[members], reach[k], n_threads=1)
            angles[members] = _multiples(alignment_angles(moments), fold)
        mean_patch(pixels, places[members], angles[members], half, average[k], np.empty_like(average[k]))

    run_blocks(work, range(len(reach)), n_threads)
    return MotifCellAverages(average, angles)


def _multiples(angles: NDArray[np.float64], fold: int) -> NDArray[np.float64]:
    """Return by which multiples of a part of a turn the angles differ from the first, from -pi to pi."""
    part = 2 * np.pi / fold
    common = np.angle(np.exp(1j * fold * angles).mean()) / fold
    steps = np.round((angles - common) / part)
    steps = (steps - steps[0] + fold // 2) % fold - fold // 2
    return np.asarray(steps * part)
