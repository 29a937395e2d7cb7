"""Compiled kernels of the subset search: tables of what lies around each item, and the search itself."""
# mypy: disable-error-code="untyped-decorator"
# numba's decorator has no types.

from typing import Any

import numpy as np

from atomotif.numerics._jit import jit

#: Words of 64 items that are searched at a time: 0.5 kB, which stay in the cache.
_BLOCK = 64


@jit(nogil=True)
def fill_table(key: Any, table_key: Any, table_item: Any) -> None:
    """Write a hash table with open addressing: key to item; its length is a power of two."""
    mask = len(table_key) - 1
    for item in range(len(key)):
        at = _hashed(key[item]) & mask
        while table_item[at] >= 0:
            at = (at + 1) & mask
        table_key[at] = key[item]
        table_item[at] = item


@jit(nogil=True)
def _hashed(key: Any) -> Any:
    mixed = key * 0x1E3779B97F4A7C15
    return mixed ^ (mixed >> 31)


@jit(nogil=True)
def _item_at(node: Any, row: Any, col: Any, kind: Any, shape: Any, base: Any, table: Any) -> Any:
    """Return the item of a motif-cell at a place, or -1; `table` is its keys and items."""
    if row < 0 or col < 0 or row >= shape[node, 0] or col >= shape[node, 1]:
        return -1
    table_key, table_item = table
    key = base[node] + (row * shape[node, 1] + col) * shape[node, 2] + kind
    mask = len(table_key) - 1
    at = _hashed(key) & mask
    while table_item[at] >= 0:
        if table_key[at] == key:
            return table_item[at]
        at = (at + 1) & mask
    return -1


@jit(nogil=True)
def _slot(
    row: Any, col: Any, kind: Any, rank: Any, reach: Any, n_kinds: Any, n_states: Any, n_slots: Any
) -> Any:
    """Return the line of the bit table for "an item of this kind and state lies there"."""
    place = (row + reach) * (2 * reach + 1) + col + reach
    return ((place * n_kinds + kind) * n_states + rank) % n_slots


@jit(nogil=True)
def fill_bits(
    index: Any,
    rank: Any,
    node: Any,
    shape: Any,
    base: Any,
    table: Any,
    reach: Any,
    n_states: Any,
    bits: Any,
) -> None:
    """Set bit p of each line that says what lies around item p."""
    n_kinds = shape[0, 2]
    for p in range(len(index)):
        bit = np.uint64(1) << np.uint64(p & 63)
        for row in range(-reach, reach + 1):
            for col in range(-reach, reach + 1):
                for other in range(n_kinds):
                    q = _item_at(node[p], index[p, 0] + row, index[p, 1] + col, other, shape, base, table)
                    if q >= 0:
                        slot = _slot(row, col, other, rank[q], reach, n_kinds, n_states, len(bits))
                        bits[slot, p >> 6] |= bit


@jit(nogil=True)
def add_scores(bits: Any, weight: Any, score: Any) -> None:
    """Add the weight of each line to the items whose bit is set."""
    for slot in range(len(bits)):
        for word in range(bits.shape[1]):
            value = bits[slot, word]
            p = word << 6
            while value != 0:
                if value & np.uint64(1):
                    score[p] += weight[slot]
                value >>= np.uint64(1)
                p += 1


@jit(nogil=True)
def find_supersets(
    lower: Any,
    cells: Any,
    index_of: Any,
    operations: Any,
    distinct: Any,
    begin: Any,
    end: Any,
    nearest: Any,
) -> Any:
    """Return the pairs (lower, higher) of motif-cells for each of `lower`.

    Each image of a motif-cell is laid with its anchor, the item whose surroundings are rarest, on all items
    around which the same lies (the lines of the bit table, joined by "and", 64 items at a time); where that
    holds, item after item is looked up.
    """
    offsets, index, kind, rank, node = cells
    shape, base, table, bits, weight, anchors, reach, n_states = index_of
    matrix, perm, shift = operations
    n_kinds = shape[0, 2]
    found = np.full(len(offsets) - 1, -1)
    pairs = np.empty((1024, 2), np.int64)
    n_pairs = 0
    both = np.empty(_BLOCK, np.uint64)
    slots = np.empty((2 * reach + 1) ** 2 * n_kinds, np.int64)
    for a in lower:
        first, size = offsets[a], offsets[a + 1] - offsets[a]
        image = np.empty((size, 4), np.int64)
        mine = n_pairs
        stop = end[a]
        for number in range(len(matrix)):
            if not distinct[number, a]:
                continue
            n_slots = _lay(
                index,
                kind,
                rank,
                first,
                size,
                anchors[a],
                matrix[number],
                perm[number],
                shift[number],
                reach,
                n_kinds,
                n_states,
                len(bits),
                image,
                slots,
            )
            chosen = slots[:n_slots]
            _sort_falling(chosen, weight)
            low0, low1 = image[:, 0].min(), image[:, 1].min()
            high0, high1 = image[:, 0].max(), image[:, 1].max()
            skip = begin[a]
            word = skip >> 6
            while word << 6 < stop:
                n_words = min(_BLOCK, ((stop + 63) >> 6) - word)
                if not _meet(bits, chosen, word, n_words, both):
                    word += n_words
                    continue
                for w in range(n_words):
                    value = both[w]
                    p = (word + w) << 6
                    while value != 0:
                        here = value & np.uint64(1)
                        value >>= np.uint64(1)
                        p += 1
                        if here == 0 or p - 1 < skip or p - 1 >= stop:
                            continue
                        b = node[p - 1]
                        row, col = index[p - 1, 0], index[p - 1, 1]
                        if found[b] == a:
                            skip = offsets[b + 1]
                            continue
                        if (
                            row + low0 < 0
                            or col + low1 < 0
                            or row + high0 >= shape[b, 0]
                            or col + high1 >= shape[b, 1]
                            or not _holds(b, row, col, image, rank, shape, base, table)
                        ):
                            continue
                        found[b] = a
                        skip = offsets[b + 1]
                        if n_pairs == len(pairs):
                            pairs = np.concatenate((pairs, np.empty_like(pairs)))
                        pairs[n_pairs, 0] = a
                        pairs[n_pairs, 1] = b
                        n_pairs += 1
                        if nearest:
                            stop = min(stop, begin[b])
                word = max(word + n_words, skip >> 6)
        if nearest:  # an earlier image may have found some at higher levels
            kept = mine
            for n in range(mine, n_pairs):
                if offsets[pairs[n, 1] + 1] <= stop:
                    pairs[kept] = pairs[n]
                    kept += 1
            n_pairs = kept
    return pairs[:n_pairs]


@jit(nogil=True)
def _lay(
    index: Any,
    kind: Any,
    rank: Any,
    first: Any,
    size: Any,
    anchor: Any,
    matrix: Any,
    perm: Any,
    shift: Any,
    reach: Any,
    n_kinds: Any,
    n_states: Any,
    n_lines: Any,
    image: Any,
    slots: Any,
) -> Any:
    """Write the image of a motif-cell relative to its anchor, what is far from it first, and its lines."""
    row0, col0 = index[anchor]
    s0, s1 = shift[kind[anchor]]
    front, back, n_slots = 0, size, 0
    for p in range(first, first + size):
        i, j, k = index[p, 0] - row0, index[p, 1] - col0, kind[p]
        row = i * matrix[0, 0] + j * matrix[1, 0] + shift[k, 0] - s0
        col = i * matrix[0, 1] + j * matrix[1, 1] + shift[k, 1] - s1
        if max(abs(row), abs(col)) <= reach:
            slots[n_slots] = _slot(row, col, perm[k], rank[p], reach, n_kinds, n_states, n_lines)
            n_slots += 1
            back -= 1
            at = back
        else:
            at = front
            front += 1
        image[at, 0], image[at, 1], image[at, 2], image[at, 3] = row, col, perm[k], rank[p]
    return n_slots


@jit(nogil=True)
def _sort_falling(slots: Any, weight: Any) -> None:
    """Sort some fifty lines by insertion, the rarest first."""
    for n in range(1, len(slots)):
        slot, at = slots[n], n
        while at > 0 and weight[slots[at - 1]] < weight[slot]:
            slots[at] = slots[at - 1]
            at -= 1
        slots[at] = slot


@jit(nogil=True)
def _meet(bits: Any, slots: Any, word: Any, n_words: Any, both: Any) -> Any:
    """Join some words of the chosen lines by "and"; whether any bit is left."""
    for w in range(n_words):
        both[w] = bits[slots[0], word + w]
    for n in range(1, len(slots)):
        line = bits[slots[n], word : word + n_words]
        left = np.uint64(0)
        for w in range(n_words):
            both[w] &= line[w]
            left |= both[w]
        if left == 0:
            return False
    return True


@jit(nogil=True)
def _holds(b: Any, row: Any, col: Any, image: Any, rank: Any, shape: Any, base: Any, table: Any) -> Any:
    """Whether all items of an image are items of motif-cell `b`."""
    for n in range(len(image)):
        q = _item_at(b, row + image[n, 0], col + image[n, 1], image[n, 2], shape, base, table)
        if q < 0 or rank[q] != image[n, 3]:
            return False
    return True
