"""Candidates for the nearest neighbours within one set of rows: every pair is multiplied once for both."""
# mypy: disable-error-code="untyped-decorator"
# numba's decorator has no types.

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomotif.numerics._jit import jit
from atomotif.numerics._threads import run_blocks

#: Rows of a block, and how many of them are multiplied at once: 0.25 MB of products stay in the cache.
_SIDE, _STRIP = 512, 128
#: Columns that are skipped together.
_RUN = 32
#: Score of "none"; finite, so that the padding's scores compare as they should.
_NONE = np.float32(3e38)


def unit_scale(points: NDArray[np.float32]) -> np.float32:
    """Return the power of two that brings the largest feature to between 0.5 and 1.

    It keeps the squares of very large or very small features in range, and rounds nothing.
    """
    largest = float(np.abs(points).max())
    return np.float32(2.0 ** -np.ceil(np.log2(largest)) if largest > 0 else 1.0)


def nearest_candidates(points: NDArray[np.float32], wanted: int, n_threads: int | None) -> NDArray[np.int64]:
    """Return the `wanted` other rows nearest to each row in single precision, shape (n, wanted).

    They come by score, then by number; as scores are rounded, rows that are equally near may come in
    any order, but always in the same one. Missing ones are -1.
    """
    n = len(points)
    n_blocks = -(-n // _SIDE)
    # Full blocks only, so that products are of one shape. Rows of padding are as good as infinitely
    # far, and accept nobody.
    table = np.zeros((n_blocks * _SIDE, points.shape[1]), np.float32)
    table[:n] = points * unit_scale(points)
    halves = np.full(len(table), _NONE)
    halves[:n] = np.einsum("ij,ij->i", table[:n], table[:n]) / np.float32(2)
    limit = np.where(np.arange(len(table)) < n, _NONE, -_NONE)
    best = np.full((len(table), wanted), _NONE)
    where = np.full((len(table), wanted), -1, np.int64)

    def compare(pair: tuple[int, int]) -> None:
        first, second = pair[0] * _SIDE, pair[1] * _SIDE
        products = np.empty((_STRIP, _SIDE), np.float32)
        for row in range(first, min(first + _SIDE, n), _STRIP):
            np.dot(table[row : row + _STRIP], table[second : second + _SIDE].T, out=products)
            _keep_best_of_both(products, row, second, n, first != second, halves, limit, best, where)

    for pairs in rounds(n_blocks):
        run_blocks(compare, pairs, n_threads)
    return where[:n]


def rounds(n_blocks: int) -> list[list[tuple[int, int]]]:
    """Return every pair of blocks once, as the rounds of a tournament: in a round a block occurs once.

    The pairs of a round can be compared at the same time, as each writes only to its own blocks.

    Examples
    --------
    >>> rounds(3)
    [[(0, 0), (1, 1), (2, 2)], [(1, 2)], [(0, 2)], [(0, 1)]]
    """
    schedule = [[(block, block) for block in range(n_blocks)]]
    circle = n_blocks - 1 + n_blocks % 2  # one block stays; with an odd number it is missing
    for turn in range(circle):
        pairs = [((turn + i) % circle, (turn - i) % circle) for i in range(1, circle // 2 + 1)]
        pairs.append((turn, circle))
        schedule.append(sorted((min(pair), max(pair)) for pair in pairs if max(pair) < n_blocks))
    return [pairs for pairs in schedule if pairs]


@jit(nogil=True)
def _insert(best: Any, where: Any, limit: Any, row: int, item: int, score: float) -> None:
    """Put an item in its place among the best of a row, by score, then by number."""
    p = best.shape[1] - 1
    if score == best[row, p] and item > where[row, p]:
        return
    while p > 0 and (best[row, p - 1] > score or (best[row, p - 1] == score and where[row, p - 1] > item)):
        best[row, p] = best[row, p - 1]
        where[row, p] = where[row, p - 1]
        p -= 1
    best[row, p] = score
    where[row, p] = item
    limit[row] = best[row, best.shape[1] - 1]


@jit(nogil=True)
def _keep_best_of_both(
    products: Any,
    first: int,
    second: int,
    n: int,
    both: bool,
    halves: Any,
    limit: Any,
    best: Any,
    where: Any,
) -> None:
    """Merge a strip of products x.y into the best of its rows and, if `both`, of its columns.

    The score of y for x is |y|^2 / 2 - x.y. Runs of columns without any new best are skipped; the test
    for that is written with integers, which are vectorised where a minimum is not.
    """
    n_rows, n_columns = products.shape
    for i in range(min(n_rows, n - first)):
        row = first + i
        for start in range(0, n_columns, _RUN):
            found = np.int32(0)
            half, bound = halves[row], limit[row]
            for j in range(np.uintp(_RUN)):
                at, column = np.uintp(start) + j, np.uintp(second + start) + j
                product = products[np.uintp(i), at]
                found |= np.int32(halves[column] - product <= bound)
                found |= np.int32(half - product <= limit[column])
            if not found:
                continue
            for j in range(start, start + _RUN):
                other = second + j
                score = halves[other] - products[i, j]
                if score <= limit[row] and other != row:
                    _insert(best, where, limit, row, other, score)
                score = half - products[i, j]
                if both and score <= limit[other]:
                    _insert(best, where, limit, other, row, score)
