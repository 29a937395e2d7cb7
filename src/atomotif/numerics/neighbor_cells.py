"""Cells of a k-means partition, and how many of them around a cell hold the neighbours of its rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atomotif.numerics._threads import run_blocks

#: Rows that the centres are learnt from, and rounds: the cells only bound a search.
_LEARN, _ROUNDS = 20_000, 6
_BLOCK = 4096


@dataclass(frozen=True)
class Cells:
    """Rows grouped by cell.

    Parameters
    ----------
    cell : ndarray of int64, shape (n,)
        The cell of each row.
    rows : ndarray of int64, shape (n,)
        The rows, cell after cell, ascending within each.
    offsets : ndarray of int64, shape (n_cells + 1,)
        Where each cell starts in `rows`.
    order : ndarray of int64, shape (n_cells, n_cells)
        For each cell all cells by the distance of their centres, itself first.
    """

    cell: NDArray[np.int64]
    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    order: NDArray[np.int64]

    def members(self, cell: int) -> NDArray[np.int64]:
        """Return the rows in a cell."""
        return self.rows[self.offsets[cell] : self.offsets[cell + 1]]


def partition(points: NDArray[np.float32], rng: np.random.Generator, n_threads: int | None = None) -> Cells:
    """Cut rows into about sqrt(n) cells by k-means on a sample.

    Parameters
    ----------
    points : ndarray of float32, shape (n, d)
        Centred features.
    rng : numpy.random.Generator
        Draws the sample and the first centres.
    n_threads : int, optional
        Threads; the result does not depend on it.

    Returns
    -------
    Cells

    Examples
    --------
    >>> points = np.repeat(np.eye(3, dtype=np.float32), 3, axis=0)
    >>> cells = partition(points, np.random.default_rng(0))
    >>> sorted(len(cells.members(c)) for c in range(len(cells.order)))[-1] % 3
    0
    """
    n = len(points)
    sample = points[rng.permutation(n)[:_LEARN]]
    centres = sample[: max(1, round(np.sqrt(n)))].copy()
    for _ in range(_ROUNDS):
        nearest = _assign(sample, centres, n_threads)
        count = np.bincount(nearest, minlength=len(centres))
        total = np.stack(
            [np.bincount(nearest, weights=column, minlength=len(centres)) for column in sample.T], axis=1
        )
        centres = (total[count > 0] / count[count > 0, None]).astype(np.float32)
    cell = _assign(points, centres, n_threads)
    used, cell = np.unique(cell, return_inverse=True)
    apart = _squares(centres[used].astype(np.float64))
    np.fill_diagonal(apart, -1.0)
    return Cells(
        cell=cell,
        rows=np.argsort(cell, kind="stable"),
        offsets=np.concatenate([[0], np.cumsum(np.bincount(cell))]),
        order=np.argsort(apart, axis=1, kind="stable"),
    )


def chosen_cells(cells: Cells, rows: NDArray[np.int64], truth: NDArray[np.int32], aim: float) -> int:
    """Return how many cells around a row's own hold the share `aim` of its true neighbours.

    Parameters
    ----------
    cells : Cells
    rows : ndarray of int64, shape (m,)
        A sample of rows.
    truth : ndarray of int32, shape (m, k)
        Their true neighbours.
    aim : float
        Share of the neighbours to be held, 0 to 1.

    Returns
    -------
    int
        At least 1.
    """
    rank = np.argsort(cells.order, axis=1, kind="stable")
    found = np.sort(rank[cells.cell[rows][:, None], cells.cell[truth]], axis=None)
    return int(found[min(len(found) - 1, int(np.ceil(aim * len(found))))]) + 1


def _assign(
    points: NDArray[np.float32], centres: NDArray[np.float32], n_threads: int | None
) -> NDArray[np.int64]:
    """Return the nearest centre of each row."""
    norms = np.einsum("ij,ij->i", centres, centres)
    result = np.empty(len(points), np.int64)

    def assign(start: int) -> None:
        part = slice(start, start + _BLOCK)
        result[part] = np.argmin(norms - np.float32(2) * (points[part] @ centres.T), axis=1)

    run_blocks(assign, range(0, len(points), _BLOCK), n_threads)
    return result


def _squares(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared distances between all centres."""
    norms = np.einsum("ij,ij->i", centres, centres)
    return np.asarray(norms[:, None] + norms[None] - 2 * np.einsum("id,jd->ij", centres, centres))
