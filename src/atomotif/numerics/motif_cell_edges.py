"""Edges of the hierarchy: which motif-cells are part of which larger ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomotif.numerics._item_images import sorted_images
from atomotif.numerics._subset_kernels import add_scores, fill_bits, fill_table, find_supersets
from atomotif.numerics._threads import run_blocks
from atomotif.numerics.crystal_operations import Operations
from atomotif.numerics.motif_cells import MotifCells

__all__ = ["subset_edges"]

#: Places around an item whose state is tabulated: so many that few items agree by chance, and no more.
_PLACES = 49
#: Most lines of the table, 12 kB for 100,000 items each; further features share lines.
_LINES = 2048
#: Motif-cells searched at a time by one thread.
_BLOCK = 64


def subset_edges(
    cells: MotifCells,
    operations: Operations,
    edges: str | int = "nearest",
    *,
    n_threads: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of a motif-cell and a larger one that it is part of.

    A motif-cell is part of a larger one if one of the operations and a translation map each of its items onto
    an item of the larger one of the same kind and state; the larger one may have further items between.

    Not all pairs are compared. For every item of all motif-cells, and for every kind and state at the 50
    or so places around it, one bit says whether that lies there. A motif-cell is laid, with the item
    whose surroundings are rarest, on the items for which all bits of these surroundings are set, found 64 at
    a time; only there item after item is looked up in a hash table. O(k (n + m n / 64)) for n items of m
    motif-cells under k operations, plus the candidates looked up, which is a few nanoseconds for each of
    the m n / 64; with ``edges="nearest"`` a search ends at the first level that has a superset.

    Parameters
    ----------
    cells : MotifCells
        From `canonical_forms`.
    operations : Operations
        Those allowed in the test: the ones of `canonical_forms`, or `identity` for translations alone (paper,
        Methods). In the latter case, edges depend on the orientation of the canonical forms.
    edges : {"nearest", "all"} or int, default "nearest"
        "nearest": for each motif-cell all supersets at the lowest level that has one (paper, fig. 2D). A
        number: all supersets whose level is higher by less than that (paper, Methods). "all": all supersets.
    n_threads : int, optional
        Threads; by default all processors. The result does not depend on it.

    Returns
    -------
    lower, higher : ndarray of int64, shape (n_edges,)
        Motif-cells, sorted by the lower, then by the higher one.

    Raises
    ------
    ValueError
        If `edges` is none of these, the operations are for fewer kinds, or motif-cells span too many places.

    Examples
    --------
    >>> from atomotif.numerics.crystal_operations import four_fold_of_index, identity
    >>> from atomotif.numerics.motif_cells import canonical_forms
    >>> index = [[0, 0], [3, 3], [3, 4], [6, 6], [7, 6], [7, 7]]
    >>> cells = canonical_forms(index, [0] * 6, [1] * 6, [0, 1, 1, 2, 2, 2], four_fold_of_index())
    >>> lower, higher = subset_edges(cells, identity())
    >>> list(zip(lower.tolist(), higher.tolist()))
    [(0, 1), (1, 2)]
    >>> subset_edges(cells, identity(), "all")[0]
    array([0, 0, 1])
    """
    n_kinds = operations.perm.shape[1]
    if not (edges in ("nearest", "all") if isinstance(edges, str) else _is_count(edges)):
        raise ValueError(f"`edges` must be 'nearest', 'all' or a number of at least 1, got {edges!r}.")
    none = np.empty(0, np.int64)
    if len(cells.level) < 2:
        return none, none
    if cells.kind.max() >= n_kinds:
        raise ValueError(
            f"`operations` must be for all kinds of `cells`, got {n_kinds} for {int(cells.kind.max()) + 1}."
        )
    value, rank = np.unique(cells.state, return_inverse=True)
    node = np.repeat(np.arange(len(cells.level)), cells.level)
    # Levels ascend, so the larger motif-cells are the items behind some place.
    begin = cells.offsets[np.searchsorted(cells.level, cells.level, side="right")]
    if isinstance(edges, str):
        end = np.full_like(begin, cells.offsets[-1])
    else:
        end = cells.offsets[np.searchsorted(cells.level, cells.level + (int(edges) - 1), side="right")]
    lower = np.flatnonzero(begin < end)
    if len(lower) == 0:
        return none, none
    flat = (cells.offsets, cells.index, cells.kind, rank, node)
    index = _build_index(cells, rank, node, n_kinds, len(value))
    distinct = _distinct_images(cells, rank, operations, len(value))
    blocks = [lower[start : start + _BLOCK] for start in range(0, len(lower), _BLOCK)]
    found: list[Any] = [None] * len(blocks)

    def search(number: int) -> None:
        found[number] = find_supersets(
            blocks[number], flat, index, tuple(operations), distinct, begin, end, edges == "nearest"
        )

    run_blocks(search, range(len(blocks)), n_threads)
    pairs = np.concatenate(found)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 1


def _build_index(
    cells: MotifCells, rank: NDArray[np.int64], node: NDArray[np.int64], n_kinds: int, n_states: int
) -> tuple[Any, ...]:
    """Return the tables of the search: boxes, items by place, bits, weights of the lines, anchors."""
    n = len(rank)
    starts = cells.offsets[:-1]
    sides = np.maximum.reduceat(cells.index, starts) + 1
    shape = np.column_stack([sides, np.full(len(starts), n_kinds)])
    volume = shape.prod(axis=1, dtype=np.float64)
    if volume.sum() > 2.0**62:
        raise ValueError(f"`cells` must span fewer than 2**62 places together, got {volume.sum():.3g}.")
    base = np.append(0, np.cumsum(shape.prod(axis=1))[:-1])
    key = base[node] + (cells.index[:, 0] * sides[node, 1] + cells.index[:, 1]) * n_kinds + cells.kind
    length = 1 << int(2 * n).bit_length()
    table = np.zeros(length, np.int64), np.full(length, -1, np.int64)
    fill_table(key, *table)
    reach = max(1, round((np.sqrt(_PLACES / n_kinds) - 1) / 2))
    n_lines = min((2 * reach + 1) ** 2 * n_kinds * n_states, _LINES)
    bits = np.zeros((n_lines, -(-n // 64)), np.uint64)
    fill_bits(cells.index, rank, node, shape, base, table, reach, n_states, bits)
    often = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    weight = np.log2(n / np.maximum(often, 1))
    score = np.zeros(bits.shape[1] * 64)
    add_scores(bits, weight, score)
    order = np.lexsort((-score[:n], node))
    return shape, base, table, bits, weight, order[starts], reach, n_states


def _distinct_images(
    cells: MotifCells, rank: NDArray[np.int64], operations: Operations, n_states: int
) -> NDArray[np.bool_]:
    """Return for each operation and motif-cell whether no earlier operation has the same image."""
    starts = cells.offsets[:-1]
    distinct = np.ones((len(operations.matrix), len(starts)), bool)
    earlier: list[NDArray[np.int64]] = []
    for code, _, _ in sorted_images(cells.index, cells.kind, rank, cells.level, operations, n_states):
        for other in earlier:
            distinct[len(earlier)] &= np.logical_or.reduceat(code != other, starts)
        earlier.append(code)
    return distinct
