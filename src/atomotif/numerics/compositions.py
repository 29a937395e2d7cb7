"""Classes of cells by the motifs that they hold."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Compositions", "classify_cells", "dominant_classes", "perfect_classes"]


@dataclass(frozen=True)
class Compositions:
    """Classes of cells, the most frequent first; of equally frequent ones the one with lesser labels.

    Attributes
    ----------
    cell_class : ndarray of int64, shape (n_cells,)
        Class of every cell; -1 for a cell that is left out.
    count : ndarray of int64, shape (n_classes,)
        Number of its cells.
    labels : ndarray of int64, shape (k,)
        The labels of all classes, ascending within each, one after the other.
    offsets : ndarray of int64, shape (n_classes + 1,)
        Class c is ``labels[offsets[c] : offsets[c + 1]]``.
    """

    cell_class: NDArray[np.int64]
    count: NDArray[np.int64]
    labels: NDArray[np.int64]
    offsets: NDArray[np.int64]


def classify_cells(
    cell: ArrayLike, labels: ArrayLike, left_out: ArrayLike, *, multiset: bool = False
) -> Compositions:
    """Return the class of every cell: the set of the motifs of its points (paper, Methods, step 3).

    Parameters
    ----------
    cell : array_like of int, shape (n,)
        Cell of every point.
    labels : array_like of int, shape (n,)
        Motif of every point, -1 for none; a cell that holds such a point is left out, too.
    left_out : array_like of bool, shape (n_cells,)
        Cells of which nothing is known, as those cut by the edge of the image.
    multiset : bool, default False
        Count how often a cell holds each motif, as well; the paper does not.

    Returns
    -------
    Compositions

    Examples
    --------
    >>> cells = classify_cells([0, 0, 1, 1, 2, 2], [0, 1, 1, 0, 0, 0], [False] * 3)
    >>> cells.cell_class.tolist(), cells.count.tolist(), cells.labels.tolist(), cells.offsets.tolist()
    ([0, 0, 1], [2, 1], [0, 1, 0], [0, 2, 3])
    """
    cells, kinds = np.asarray(cell, np.int64), np.asarray(labels, np.int64)
    skipped = np.array(left_out, bool)
    skipped[cells[kinds < 0]] = True
    pairs = np.column_stack([cells, kinds])
    pairs = pairs[np.lexsort((kinds, cells))] if multiset else np.unique(pairs, axis=0)
    starts = np.searchsorted(pairs[:, 0], np.arange(len(skipped) + 1))
    held = [tuple(pairs[a:b, 1].tolist()) for a, b in pairwise(starts)]
    counts: dict[tuple[int, ...], int] = {}
    for composition, skip in zip(held, skipped):
        if not skip:
            counts[composition] = counts.get(composition, 0) + 1
    classes = sorted(counts, key=lambda one: (-counts[one], len(one), one))
    number = {composition: k for k, composition in enumerate(classes)}
    cell_class = [-1 if skip else number[composition] for composition, skip in zip(held, skipped)]
    return Compositions(
        np.array(cell_class, np.int64).reshape(len(skipped)),
        np.array([counts[one] for one in classes], np.int64),
        np.array([label for one in classes for label in one], np.int64),
        np.append(0, np.cumsum([len(one) for one in classes])).astype(np.int64),
    )


def dominant_classes(count: ArrayLike, share: float = 0.25) -> NDArray[np.bool_]:
    """Return which classes are the perfect crystal, and are set aside (paper, Methods, step 3).

    Parameters
    ----------
    count : array_like of int, shape (n_classes,)
        Number of cells of each class.
    share : float, default 0.25
        Least count relative to that of the most frequent class: both crystals of an interface are
        dominant, what is a defect of one of them is not.

    Returns
    -------
    ndarray of bool, shape (n_classes,)

    Examples
    --------
    >>> dominant_classes([900, 500, 80])
    array([ True,  True, False])
    """
    counts = np.asarray(count)
    return np.asarray(counts >= share * counts.max(initial=0))


def perfect_classes(found: Compositions, with_defect: ArrayLike) -> NDArray[np.bool_]:
    """Return which classes are those of cells without a defect.

    Parameters
    ----------
    found : Compositions
        Of the cells.
    with_defect : array_like of bool, shape (n_cells,)
        Cells in which something is not as in the perfect crystal. The same motifs on exchanged sites are of
        one class with the perfect cells: a class is perfect if most of its cells are.

    Returns
    -------
    ndarray of bool, shape (n_classes,)

    Examples
    --------
    >>> cells = classify_cells([0, 0, 1, 1, 2], [0, 1, 0, 2, 0], [False] * 3)
    >>> perfect_classes(cells, [False, False, True]).tolist()  # the third cell lacks a column
    [False, True, True]
    """
    known = found.cell_class >= 0
    defects = np.bincount(
        found.cell_class[known], np.asarray(with_defect, bool)[known], minlength=len(found.count)
    )
    return np.asarray(2 * defects < found.count)
