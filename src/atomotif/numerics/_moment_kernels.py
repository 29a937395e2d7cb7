"""Compiled kernels of the moments: group the points, gather their pixels, multiply.

Each chunk of points is gathered into a buffer that stays in the second-level cache and multiplied by
the weights in one product. A chunk writes only its own rows and does not depend on the others, so that
the result is the same at any number of threads.
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
def gather(image: Any, row: int, col: int, runs: Any, reach: int, target: Any) -> None:
    """Copy the pixels of the runs round (row, col) into `target`, mirrored at the image's edges."""
    n_rows, n_cols = image.shape
    at = 0
    if row >= reach and col >= reach and row + reach < n_rows and col + reach < n_cols:
        for k in range(len(runs)):
            start, length = col + runs[k, 1], runs[k, 2]
            # Slices spare the loop numba's test for negative indices, so that it is vectorised.
            line, part = image[row + runs[k, 0], start : start + length], target[at : at + length]
            for i in range(length):
                part[i] = line[i]
            at += length
    else:
        for k in range(len(runs)):
            line = image[mirror(row + runs[k, 0], n_rows)]
            for i in range(runs[k, 2]):
                target[at + i] = line[mirror(col + runs[k, 1] + i, n_cols)]
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
    result: Any,
) -> None:
    """Write the moments of the points of some chunks, (start, stop, shift) in the sorted order."""
    n_moments = weights.shape[1]
    n_pixels = np.max(np.diff(first_pixel))
    local = np.empty((n_pixels, n_moments), np.float32)
    buffer = np.empty(np.max(chunks[:, 1] - chunks[:, 0]) * n_pixels, np.float32)
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
            gather(image, row, col, own_runs, reach, patches[i])
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
    patch = np.empty(n_pixels, image.dtype)
    total = np.zeros(n_pixels)
    for k in members:
        row = (nearest_step(points[k, 0], steps) + steps // 2) // steps
        col = (nearest_step(points[k, 1], steps) + steps // 2) // steps
        gather(image, row, col, runs, reach, patch)
        total += patch
    return total


@jit(nogil=True)
def fold(upper: Any, lower: Any, right: int, left: int, even: Any, col: Any, row: Any, both: Any) -> None:
    """Write the four parity combinations of the pixels right and left of the centre in two rows.

    The outputs are those even in row and column, odd in the column, odd in the row, and odd in both.
    """
    width = len(even)
    # Slices spare the loop numba's test for negative indices, so that it is vectorised.
    lower_right, upper_right = lower[right : right + width], upper[right : right + width]
    lower_left, upper_left = lower[left - width + 1 : left + 1], upper[left - width + 1 : left + 1]
    for i in range(width):
        a, b = lower_right[i], lower_left[width - 1 - i]
        c, d = upper_right[i], upper_left[width - 1 - i]
        even[i] = (a + b) + (c + d)
        col[i] = (a - b) + (c - d)
        row[i] = (a + b) - (c + d)
        both[i] = (a - b) - (c - d)


@jit(nogil=True)
def project_folded(
    image: Any,
    points: Any,
    order: Any,
    chunks: Any,
    weights: Any,
    moments: Any,
    widths: Any,
    n_pixels: Any,
    reach: int,
    result: Any,
) -> None:
    """Write the moments of the points of some chunks, (start, stop, class) in the sorted order."""
    n_rows, n_cols = image.shape
    stride = np.max(n_pixels)
    # Classes with fewer pixels leave old values in the last columns, which meet weights of zero.
    parts = np.zeros((4, np.max(chunks[:, 1] - chunks[:, 0]), stride), np.float32)
    rows = np.empty((2, 2 * reach + 2), np.float32)  # two rows of a disc that reaches over an edge
    for c in range(len(chunks)):
        start, stop, kind = chunks[c]
        for i in range(stop - start):
            k = order[start + i]
            row, col = nearest_step(points[k, 0], 2) // 2, nearest_step(points[k, 1], 2) // 2
            even, odd_col, odd_row, odd = parts[0, i], parts[1, i], parts[2, i], parts[3, i]
            whole = row >= reach and col >= reach and row + reach < n_rows and col + reach < n_cols
            at = 0
            for line in range(widths.shape[1]):
                width = widths[kind, line]
                if width == 0:
                    break
                upper, lower = row - line, row + kind // 2 + line
                left, right = col, col + kind % 2
                if whole:
                    above, below = image[upper], image[lower]
                else:
                    above, below = rows[0], rows[1]
                    above_source, below_source = image[mirror(upper, n_rows)], image[mirror(lower, n_rows)]
                    for x in range(len(above)):
                        source = mirror(col - reach + x, n_cols)
                        above[x], below[x] = above_source[source], below_source[source]
                    left, right = reach, reach + kind % 2
                end = at + width
                fold(
                    above,
                    below,
                    right,
                    left,
                    even[at:end],
                    odd_col[at:end],
                    odd_row[at:end],
                    odd[at:end],
                )
                at = end
        for parity in range(4):
            product = np.dot(
                parts[parity, : stop - start], weights[parity][kind * stride : (kind + 1) * stride]
            )
            for i in range(stop - start):
                target = result[order[start + i]]
                for j in range(len(moments[parity])):
                    target[moments[parity][j]] = product[i, j]
