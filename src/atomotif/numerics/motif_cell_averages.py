"""Averages of the image over the occurrences of motif-cells, turned by the symmetry that joins them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_image, as_points
from atomotif.numerics._average_kernels import mean_patch
from atomotif.numerics._threads import run_blocks
from atomotif.numerics.moments import read_only

__all__ = ["motif_cell_averages"]


def motif_cell_averages(
    image: ArrayLike,
    centers: ArrayLike,
    nodes: ArrayLike,
    radii: ArrayLike,
    *,
    angles: ArrayLike | None = None,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
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
    angles : array_like, shape (n,), optional
        By how much each occurrence is turned first, radians, from columns towards rows: by the operation
        of the crystal that takes it to the form that all share. By default none is.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape (n_nodes, side, side)
        Mean patch of every motif-cell, its centre in the middle; NaN where it does not occur.

    Raises
    ------
    ValueError
        If shapes do not match, or a value is out of range.

    Examples
    --------
    >>> image = np.zeros((60, 60))
    >>> image[20, 20:26] = image[40:46, 40] = 1.0
    >>> average = motif_cell_averages(image, [[20, 20], [40, 40]], [0, 0], [9.0], angles=[0, -np.pi / 2])
    >>> average[0, 9, 8:16].round(6).tolist()
    [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
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
    turns = np.zeros(len(places)) if angles is None else np.asarray(angles, np.float64)
    if turns.shape != (len(places),):
        raise ValueError(f"`angles` must have shape ({len(places)},), got {turns.shape}.")
    half = int(np.ceil(reach.max(initial=1.0)))
    average = np.full((len(reach), 2 * half + 1, 2 * half + 1), np.nan, np.float32)

    def work(k: int) -> None:
        members = np.flatnonzero(node == k)
        if len(members):
            mean_patch(pixels, places[members], turns[members], half, average[k], np.empty_like(average[k]))

    run_blocks(work, range(len(reach)), n_threads)
    return average
