"""Checks of results that a user gives instead of having them computed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points


def checked_points(rowcol: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return given points, at least three and inside an image of this shape.

    Raises
    ------
    ValueError
        If they are not finite pairs, fewer than three, or one lies outside.

    Examples
    --------
    >>> checked_points([[1, 2], [3, 4], [5, 6]], (8, 8)).shape
    (3, 2)
    """
    points = as_points(rowcol, "rowcol")
    if len(points) < 3:
        raise ValueError(f"`rowcol` must have at least three points, got {len(points)}.")
    outside = int(((points < -0.5) | (points > np.array(shape) - 0.5)).any(axis=1).sum())
    if outside:
        raise ValueError(f"`rowcol` must lie inside the image as (row, col), got {outside} points outside.")
    return points


def checked_labels(
    labels: ArrayLike, names: Sequence[str] | None, count: int
) -> tuple[NDArray[np.int64], list[str] | None]:
    """Return given labels, one for each of `count` points, and the names of the motifs.

    Raises
    ------
    TypeError
        If the labels are not whole numbers.
    ValueError
        If lengths or values do not fit.

    Examples
    --------
    >>> checked_labels([0, -1, 1], ["Mo", "Se"], 3)
    (array([ 0, -1,  1]), ['Mo', 'Se'])
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise TypeError(f"`labels` must be whole numbers, got dtype {array.dtype}.")
    if array.shape != (count,):
        raise ValueError(f"`labels` must have shape ({count},), one a point, got {array.shape}.")
    array = array.astype(np.int64)
    if array.min(initial=0) < -1:
        raise ValueError(f"`labels` must be -1 or larger, got {array.min()}.")
    n_motifs = int(array.max(initial=-1)) + 1
    if names is None:
        return array, None
    known = [str(name) for name in names]
    if len(set(known)) != len(known) or len(known) != n_motifs:
        raise ValueError(f"`names` must name all {n_motifs} motifs, each otherwise, got {known}.")
    return array, known
