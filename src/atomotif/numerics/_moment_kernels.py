"""Compiled kernels of the moments: group the points, gather their pixels, multiply.

Each chunk of points is gathered into a buffer that stays in the second-level cache and multiplied by
the weights in one product. A chunk writes only its own rows and does not depend on the others, so that
the result is the same at any number of threads.

Innermost loops index with unsigned integers, which spares numba's test for negative ones, and take no
slices, whose reference counts are atomic operations: both together make them three times faster.
Sizes of buffers are arguments: to compile numpy's `diff` and `max` takes longer than all the rest.
"""
# mypy: disable-error-code="untyped-decorator"
# numba's decorator has no types.

from typing import Any

import numpy as np

from atomotif.numerics._jit import jit


@jit(nogil=True)
def nearest_step(position: float, steps: int) -> Any:
    """Return `position` in steps of 1 / `steps`, rounded half up."""
    return np.int64(np.floor(position * steps + 0.5))


@jit(nogil=True)
def mirror(index: int, size: int) -> Any:
    """Return the index within 0 ... size - 1 that mirrors `index` about the first and last pixel."""
    if size == 1:
        return 0
    index = abs(index) % (2 * size - 2)
    return index if index < size else 2 * size - 2 - index


@jit(nogil=True)
def group_points(points: Any, steps: int, lowest: int) -> tuple[Any, Any]:
    """Sort the points by their shift within the pixel, stably.

    The shift of a coordinate is from `lowest` to `lowest` + `steps` - 1 steps; points come in the order
    of row shift * steps + column shift. Returns the order and where each shift's points begin.
    """
    n = len(points)
    shift = np.empty(n, np.uint8)
    begin = np.zeros(steps * steps + 1, np.int64)
    for i in range(n):
        row = (nearest_step(points[i, 0], steps) - lowest) % steps
        col = (nearest_step(points[i, 1], steps) - lowest) % steps
        shift[i] = row * steps + col
        begin[shift[i] + 1] += 1
    for k in range(steps * steps):
        begin[k + 1] += begin[k]
    fill = begin[:-1].copy()
    order = np.empty(n, np.int32)
    for i in range(n):
        order[fill[shift[i]]] = i
        fill[shift[i]] += 1
    return order, begin


@jit(nogil=True)
def gather(image: Any, row: int, col: int, runs: Any, reach: int, target: Any, own: int) -> None:
    """Copy the pixels of the runs round (row, col) into a row of `target`, mirrored at the image's edges."""
    n_rows, n_cols = image.shape
    at = 0
    if row >= reach and col >= reach and row + reach < n_rows and col + reach < n_cols:
        for k in range(len(runs)):
            start, length = col + runs[k, 1], runs[k, 2]
            line, first, to = np.uintp(row + runs[k, 0]), np.uintp(start), np.uintp(at)
            for i in range(np.uintp(length)):
                target[own, to + i] = image[line, first + i]
            at += length
    else:
        for k in range(len(runs)):
            source = mirror(row + runs[k, 0], n_rows)
            for i in range(runs[k, 2]):
                target[own, at + i] = image[source, mirror(col + runs[k, 1] + i, n_cols)]
            at += runs[k, 2]


@jit(nogil=True)
def project_shifted(
    image: Any,
    points: Any,
    order: Any,
    chunks: Any,
    weights: Any,
    source: Any,
    first_pixel: Any,
    runs: Any,
    first_run: Any,
    column: Any,
    sign: Any,
    reach: int,
    steps: int,
    n_pixels: int,
    chunk_size: int,
    result: Any,
) -> None:
    """Write the moments of the points of some chunks, (start, stop, shift) in the sorted order.

    `n_pixels` and `chunk_size` are the most pixels of a shift and the most points of a chunk.
    """
    n_moments = weights.shape[1]
    local = np.empty((n_pixels, n_moments), np.float32)
    buffer = np.empty(chunk_size * n_pixels, np.float32)
    loaded = -1
    for c in range(len(chunks)):
        start, stop, shift = chunks[c]
        pixels = first_pixel[shift + 1] - first_pixel[shift]
        if shift != loaded:
            for i in range(pixels):
                line = source[first_pixel[shift] + i]
                for j in range(n_moments):
                    local[i, j] = weights[line, j]
            loaded = shift
        own_runs = runs[first_run[shift] : first_run[shift + 1]]
        patches = buffer[: (stop - start) * pixels].reshape(stop - start, pixels)
        for i in range(stop - start):
            k = order[start + i]
            row = (nearest_step(points[k, 0], steps) + steps // 2) // steps
            col = (nearest_step(points[k, 1], steps) + steps // 2) // steps
            gather(image, row, col, own_runs, reach, patches, np.uintp(i))
        product = np.dot(patches, local[:pixels])
        for i in range(stop - start):
            target = result[order[start + i]]
            for j in range(n_moments):
                target[column[shift, j]] = sign[shift, j] * product[i, j]


@jit(nogil=True)
def sum_patches(
    image: Any, points: Any, members: Any, runs: Any, reach: int, steps: int, n_pixels: int
) -> Any:
    """Return the sum over some points of the pixels of the runs round them."""
    patch = np.empty((1, n_pixels), image.dtype)
    total = np.zeros(n_pixels)
    for k in members:
        row = (nearest_step(points[k, 0], steps) + steps // 2) // steps
        col = (nearest_step(points[k, 1], steps) + steps // 2) // steps
        gather(image, row, col, runs, reach, patch, np.uintp(0))
        total += patch[0]
    return total


@jit(nogil=True)
def fold(
    image: Any, upper: Any, lower: Any, left: Any, right: Any, width: Any, parts: Any, own: Any, at: Any
) -> None:
    """Write the four parity combinations of the pixels right and left of the centre in two rows.

    The outputs are those even in row and column, odd in the column, odd in the row, and odd in both.
    """
    for i in range(width):
        a, b = image[lower, right + i], image[lower, left - i]
        c, d = image[upper, right + i], image[upper, left - i]
        parts[0, own, at + i] = (a + b) + (c + d)
        parts[1, own, at + i] = (a - b) + (c - d)
        parts[2, own, at + i] = (a + b) - (c + d)
        parts[3, own, at + i] = (a - b) - (c - d)


@jit(nogil=True)
def project_folded(
    image: Any,
    points: Any,
    order: Any,
    chunks: Any,
    weights: Any,
    moments: Any,
    widths: Any,
    stride: int,
    reach: int,
    chunk_size: int,
    result: Any,
) -> None:
    """Write the moments of the points of some chunks, (start, stop, class) in the sorted order.

    `stride` and `chunk_size` are the most pixels of a class and the most points of a chunk.
    """
    n_rows, n_cols = image.shape
    # Classes with fewer pixels leave old values in the last columns, which meet weights of zero.
    parts = np.zeros((4, chunk_size, stride), np.float32)
    window = np.empty((2 * reach + 1, 2 * reach + 1), np.float32)
    for c in range(len(chunks)):
        start, stop, kind = chunks[c]
        for i in range(stop - start):
            k = order[start + i]
            row, col = nearest_step(points[k, 0], 2) // 2, nearest_step(points[k, 1], 2) // 2
            whole = row >= reach and col >= reach and row + reach < n_rows and col + reach < n_cols
            if not whole:  # copy the mirrored window, and fold that
                for y in range(window.shape[0]):
                    source = mirror(row - reach + y, n_rows)
                    for x in range(window.shape[1]):
                        window[y, x] = image[source, mirror(col - reach + x, n_cols)]
                row = col = reach
            at = 0
            for line in range(widths.shape[1]):
                width = widths[kind, line]
                fold(
                    image if whole else window,
                    np.uintp(row - line),
                    np.uintp(row + kind // 2 + line),
                    np.uintp(col),
                    np.uintp(col + kind % 2),
                    np.uintp(width),
                    parts,
                    np.uintp(i),
                    np.uintp(at),
                )
                at += width
        for parity in range(4):
            product = np.dot(
                parts[parity, : stop - start], weights[parity][kind * stride : (kind + 1) * stride]
            )
            for i in range(stop - start):
                target = result[order[start + i]]
                for j in range(len(moments[parity])):
                    target[moments[parity][j]] = product[i, j]
