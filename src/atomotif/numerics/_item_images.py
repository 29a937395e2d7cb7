"""Images of groups of lattice items under symmetry operations, as sorted lists of codes."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from atomotif.numerics.crystal_operations import Operations


def sorted_images(
    index: NDArray[np.int64],
    kind: NDArray[np.int64],
    rank: NDArray[np.int64],
    size: NDArray[np.int64],
    operations: Operations,
    n_states: int,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], int]]:
    """Yield the image of every component under each operation, as sorted lists of codes.

    Parameters
    ----------
    index, kind, rank : ndarray of int64
        Items grouped by component; `rank` is the number of the state, 0 to `n_states` - 1.
    size : ndarray of int64, shape (m,)
        Items of each component.
    operations : Operations
    n_states : int

    Yields
    ------
    code : ndarray of int64, shape (n,)
        ((row * width + column) * n_kinds + kind) * n_states + rank, with the least row and column 0.
    low : ndarray of int64, shape (m, 2)
        The least row and column before.
    width : int
        The same for all operations.

    Examples
    --------
    >>> from atomotif.numerics.crystal_operations import four_fold_of_index
    >>> pair = np.array([[2, 2], [2, 3]]), np.zeros(2, int), np.zeros(2, int), np.array([2])
    >>> [code.tolist() for code, _, _ in sorted_images(*pair, four_fold_of_index(), 1)]
    [[0, 1], [0, 2], [0, 1], [0, 2]]
    """
    n_kinds = operations.perm.shape[1]
    starts, owner = np.append(0, np.cumsum(size)[:-1]), np.repeat(np.arange(len(size)), size)
    span = (np.maximum.reduceat(index, starts) - np.minimum.reduceat(index, starts)).max(axis=0)
    extent = (span @ np.abs(operations.matrix)).max(axis=0) + np.ptp(operations.shift, axis=1).max(axis=0) + 1
    height, width = (int(side) for side in extent)
    check_range(height * width * n_kinds * n_states)
    for matrix, perm, shift in zip(*operations):
        moved = index @ matrix + shift[kind]
        low = np.minimum.reduceat(moved, starts)
        moved -= low[owner]
        code = ((moved[:, 0] * width + moved[:, 1]) * n_kinds + perm[kind]) * n_states + rank
        yield code[np.lexsort((code, owner))], low, width


def check_range(size: int) -> None:
    """Refuse indices that a code of 64 bits cannot hold.

    Examples
    --------
    >>> check_range(10**6)
    """
    if size > 2**62:
        raise ValueError(f"`index` must span fewer than 2**62 places, got {size}.")
