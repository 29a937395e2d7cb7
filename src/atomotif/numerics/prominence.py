"""Topological prominence of the local maxima of an image, and their refinement below the pixel."""

import numpy as np
from numpy.typing import NDArray

from atomotif.numerics._jit import jit


def peak_prominence(surface: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return every local maximum and its prominence.

    The prominence of a maximum is its height above the highest saddle on the way to a higher one. It
    tells a dim column beside a bright one (low, but with a real saddle between them) from a ripple of
    noise on the bright one's flank, which no threshold of height can.

    Every pixel is sent up the steepest way to its maximum; the highest pass between each two
    neighbouring basins is noted; the basins are then joined from the highest pass down (union-find).
    This gives exactly the prominence that flooding pixel by pixel in order of height gives, but
    sorts only the passes.

    Parameters
    ----------
    surface : ndarray of float32, shape (rows, cols)
        Eight neighbours; equal heights are ordered by index, so that a plateau has one maximum with a
        prominence and the rest have none.

    Returns
    -------
    peaks : ndarray of int64, shape (n, 2)
        (row, col) in order of rows.
    prominence : ndarray of float64, shape (n,)
        In units of `surface`; the highest maximum, which has no saddle, counts from the minimum.

    Examples
    --------
    >>> surface = np.zeros((5, 9), np.float32)
    >>> surface[2, 1:8] = [3, 2, 1, 2, 5, 3, 1]
    >>> peak_prominence(surface)
    (array([[2, 1], [2, 5]]), array([2., 5.]))
    """
    height = np.ascontiguousarray(surface, dtype=np.float32)
    basin, tops = _basins(height)
    low, high, passes = _passes(height, basin, len(tops))
    # The pair breaks ties among passes of equal height, so that the order is complete.
    order = np.lexsort((high, low, -passes))
    heights = height.ravel()[tops].astype(np.float64)
    prominence = _join(heights, low[order], high[order], passes[order].astype(np.float64))
    floor = float(height.min()) if height.size else 0.0
    prominence = np.minimum(prominence, heights - floor)
    real = prominence > 0
    kept = tops[real]
    return np.column_stack(np.divmod(kept, height.shape[1])).astype(np.int64), prominence[real]


@jit(nogil=True)
def _basins(height):  # type: ignore[no-untyped-def]
    """Number of the maximum that each pixel leads up to, and the maxima's flat indices."""
    rows, cols = height.shape
    up = np.empty(rows * cols, np.int32)
    n_tops = 0
    for i in range(rows):
        for j in range(cols):
            best = height[i, j]
            target = i * cols + j
            # Neighbours before this pixel win ties, neighbours after it lose them.
            for a in range(max(i - 1, 0), min(i + 2, rows)):
                for b in range(max(j - 1, 0), min(j + 2, cols)):
                    value = height[a, b]
                    index = a * cols + b
                    if value > best or (value == best and index < target):
                        best = value
                        target = index
            up[i * cols + j] = target
            if target == i * cols + j:
                n_tops += 1
    tops = np.empty(n_tops, np.int64)
    number = np.full(rows * cols, -1, np.int32)
    n_tops = 0
    for pixel in range(rows * cols):
        if up[pixel] == pixel:
            tops[n_tops] = pixel
            number[pixel] = n_tops
            n_tops += 1
    for pixel in range(rows * cols):
        end = pixel
        while number[end] < 0:
            end = up[end]
        label = number[end]
        walk = pixel
        while number[walk] < 0:
            number[walk] = label
            walk = up[walk]
    return number.reshape(rows, cols), tops


@jit(nogil=True)
def _passes(height, basin, n_basins):  # type: ignore[no-untyped-def]
    """For each pair of neighbouring basins (low number, high number) the height of its highest pass."""
    rows, cols = height.shape
    first = np.full(n_basins, -1, np.int32)
    capacity = 4 * n_basins + 16
    following = np.empty(capacity, np.int32)
    other = np.empty(capacity, np.int32)
    level = np.empty(capacity, np.float32)
    count = 0
    for i in range(rows):
        for j in range(cols):
            here = basin[i, j]
            for step in range(4):
                a = i + (0 if step == 0 else 1)
                b = j + (1 if step == 0 else step - 2)
                if a >= rows or b < 0 or b >= cols:
                    continue
                there = basin[a, b]
                if there == here:
                    continue
                saddle = min(height[i, j], height[a, b])
                low = min(here, there)
                high = max(here, there)
                entry = first[low]
                while entry >= 0 and other[entry] != high:
                    entry = following[entry]
                if entry >= 0:
                    level[entry] = max(level[entry], saddle)
                    continue
                if count == capacity:
                    capacity *= 2
                    following = np.concatenate((following, np.empty(capacity - count, np.int32)))
                    other = np.concatenate((other, np.empty(capacity - count, np.int32)))
                    level = np.concatenate((level, np.empty(capacity - count, np.float32)))
                other[count] = high
                level[count] = saddle
                following[count] = first[low]
                first[low] = count
                count += 1
    owner = np.empty(count, np.int32)
    for low in range(n_basins):
        entry = first[low]
        while entry >= 0:
            owner[entry] = low
            entry = following[entry]
    return owner, other[:count].copy(), level[:count].copy()


@jit(nogil=True)
def _join(heights, low, high, passes):  # type: ignore[no-untyped-def]
    """Prominence of each maximum, joining basins over their passes from the highest down."""
    n = len(heights)
    parent = np.arange(n)
    prominence = np.full(n, np.inf)
    for k in range(len(passes)):
        a = low[k]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        b = high[k]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a == b:
            continue
        # The root of a joined region is its highest maximum; of equal ones, the first.
        if heights[b] > heights[a] or (heights[b] == heights[a] and b < a):
            a, b = b, a
        prominence[b] = heights[b] - passes[k]
        parent[b] = a
    return prominence


def refine_peaks(
    surface: NDArray[np.float32], peaks: NDArray[np.int64], half_width: int, max_shift: float
) -> NDArray[np.float64]:
    """Move each maximum to the top of a paraboloid fitted by least squares around it.

    Parameters
    ----------
    surface : ndarray of float32, shape (rows, cols)
    peaks : ndarray of int64, shape (n, 2)
        (row, col) of the maxima.
    half_width : int
        The fit uses ``2 * half_width + 1`` px a side, moved with the top until it stays put; at the
        edges the window is pushed inwards rather than mirrored, which would pull columns to the edge.
    max_shift : float
        A top farther than this (px) from its maximum, or a fit that is not a hill, is given up: the
        pixel of the maximum is returned.

    Returns
    -------
    ndarray of float64, shape (n, 2)

    Examples
    --------
    >>> row, col = np.mgrid[:15, :15]
    >>> hill = (9 - (row - 7.25) ** 2 - (col - 6.5) ** 2).astype(np.float32)
    >>> refine_peaks(hill, np.array([[7, 6]]), 2, 1.5).round(3)
    array([[7.25, 6.5 ]])
    """
    half_width = max(1, min(half_width, (min(surface.shape) - 1) // 2))
    offset = np.arange(-half_width, half_width + 1, dtype=np.float64)
    row, col = (axis.ravel() for axis in np.meshgrid(offset, offset, indexing="ij"))
    design = np.column_stack([np.ones_like(row), row, col, row * row, row * col, col * col])
    solver = np.ascontiguousarray(np.linalg.pinv(design))
    result: NDArray[np.float64] = _paraboloids(
        np.ascontiguousarray(surface, dtype=np.float32),
        np.ascontiguousarray(peaks),
        solver,
        half_width,
        float(max_shift),
    )
    return result


@jit(nogil=True)
def _paraboloids(surface, peaks, solver, half_width, max_shift):  # type: ignore[no-untyped-def]
    rows, cols = surface.shape
    width = 2 * half_width + 1
    result = np.empty((len(peaks), 2))
    coefficient = np.empty(6)
    for k in range(len(peaks)):
        start_row, start_col = float(peaks[k, 0]), float(peaks[k, 1])
        centre_row = min(max(peaks[k, 0], half_width), rows - 1 - half_width)
        centre_col = min(max(peaks[k, 1], half_width), cols - 1 - half_width)
        top_row, top_col, found = start_row, start_col, False
        for _ in range(4):
            for c in range(6):
                total = 0.0
                for i in range(width):
                    for j in range(width):
                        value = surface[centre_row - half_width + i, centre_col - half_width + j]
                        total += solver[c, i * width + j] * value
                coefficient[c] = total
            slope_row, slope_col = coefficient[1], coefficient[2]
            bend_row, bend_mixed, bend_col = 2 * coefficient[3], coefficient[4], 2 * coefficient[5]
            determinant = bend_row * bend_col - bend_mixed * bend_mixed
            if not (determinant > 0 and bend_row < 0):
                found = False
                break
            top_row = centre_row + (bend_mixed * slope_col - bend_col * slope_row) / determinant
            top_col = centre_col + (bend_mixed * slope_row - bend_row * slope_col) / determinant
            found = True
            if not np.hypot(top_row - start_row, top_col - start_col) <= max_shift:
                break
            next_row = min(max(int(np.rint(top_row)), half_width), rows - 1 - half_width)
            next_col = min(max(int(np.rint(top_col)), half_width), cols - 1 - half_width)
            if next_row == centre_row and next_col == centre_col:
                break
            centre_row, centre_col = next_row, next_col
        if not found or not np.hypot(top_row - start_row, top_col - start_col) <= max_shift:
            top_row, top_col = start_row, start_col
        result[k, 0] = min(max(top_row, 0.0), rows - 1.0)
        result[k, 1] = min(max(top_col, 0.0), cols - 1.0)
    return result
