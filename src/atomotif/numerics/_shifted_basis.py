"""Tables of projection weights: for every sub-pixel shift of the disc, and folded on the disc's symmetry."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from atomotif.numerics._disc import disc_weights, pair_arrays
from atomotif.numerics.zernike import enlargement

STEPS = 8
"""Shifts per pixel: a centre is then at most 1/16 px off in each direction."""

# The cardinal cubic spline falls by 0.27 a pixel: eight pixels leave 3e-5 of its value.
_SPLINE_REACH = 8


@dataclass(frozen=True)
class ShiftedBasis:
    """Weights for the STEPS^2 shifts of the disc's centre within a pixel.

    Only the shifts with 0 <= row <= col are stored; the others are mirror images of these. Shift number
    (row + STEPS / 2) * STEPS + (col + STEPS / 2) has the pixels
    ``first_pixel[shift] : first_pixel[shift + 1]``.
    """

    weights: NDArray[np.float32]
    """Weights of the stored shifts, one pixel a row, shape (n_stored_pixels, n_moments)."""
    source: NDArray[np.int32]
    """Row of `weights` for each pixel of each shift."""
    first_pixel: NDArray[np.int64]
    """Where the pixels of each shift begin in `source`."""
    runs: NDArray[np.int32]
    """Pixels as runs along the image's rows, (row offset, column offset, length)."""
    first_run: NDArray[np.int64]
    """Where the runs of each shift begin in `runs`."""
    column: NDArray[np.int32]
    """Moment to which each column of the weights belongs under each shift, shape (n_shifts, n_moments)."""
    sign: NDArray[np.float32]
    """Its sign, shape (n_shifts, n_moments)."""
    reach: int
    """Largest offset of a pixel."""


@dataclass(frozen=True)
class FoldedBasis:
    """Weights of one quadrant of the disc, split by the parity of the functions in rows and columns.

    The centre of the disc is on a pixel or half-way between two, in rows and in columns: four classes,
    number 2 * half_row + half_col. A pixel on an axis is counted by both of its halves, so that its
    weight is halved.
    """

    weights: tuple[NDArray[np.float32], ...]
    """For each parity (even-even, even-odd, odd-even, odd-odd in row-column): (4 n_pixels, n_columns), of
    which the first belong to `moments`, the others are zero."""
    moments: tuple[NDArray[np.int64], ...]
    """For each parity, the moments."""
    widths: NDArray[np.int32]
    """Pixels in each row of the quadrant, by class, shape (4, n_rows)."""
    n_pixels: NDArray[np.int64]
    """Pixels of the quadrant, by class; the weights of a class begin at class * max(n_pixels)."""
    reach: int
    """Largest offset of a pixel."""


def projection_weights(
    radius: float, order: int, shift: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return weights on the pixels round the centre, (n_moments, side, side), and which of them count.

    Where the radius is too small for the order, they are the weights on an image enlarged by a cubic
    spline, carried back to the pixels of the image itself: both are linear, so that nothing need be
    enlarged.
    """
    factor = enlargement(radius, order)
    half = int(np.ceil(radius))
    if factor == 1:
        offsets = np.arange(-half, half + 1.0)
        weights = disc_weights(offsets - shift[0], offsets - shift[1], radius, order)
        return weights, weights[0] > 0.0
    fine = np.arange(-(half + 1) * factor, (half + 1) * factor + 1.0)
    weights = disc_weights(fine - shift[0] * factor, fine - shift[1] * factor, radius * factor, order)
    half += _SPLINE_REACH
    spline = CubicSpline(np.arange(-half, half + 1), np.eye(2 * half + 1))(fine / factor)
    weights = spline.T @ weights @ spline
    return weights, np.ones(weights.shape[1:], dtype=np.bool_)


def _mirror_rule(order: int, shift_row: int, shift_col: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return where the moments for the stored shift go, and with which sign.

    The stored shift is (min, max) of the absolute values. An exchange of rows and columns turns
    cos(q t) into cos(q (pi/2 - t)): for even q it keeps a moment up to its sign, for odd q it
    exchanges sine and cosine. Flips then change the signs of odd functions.
    """
    _, q = pair_arrays(order)
    azimuth = np.abs(q)
    target = np.arange(len(q))
    sign = np.ones(len(q))
    if abs(shift_row) > abs(shift_col):
        odd = azimuth % 2 == 1
        target = np.where(odd, target - q, target)
        sign = np.where(odd, np.where(azimuth % 4 == 1, 1, -1), np.where(azimuth % 4 == 0, 1, -1))
        sign = np.where(~odd & (q < 0), -sign, sign)
    row_odd, col_odd = _parities(q)
    if shift_row < 0:
        sign = np.where(row_odd[target], -sign, sign)
    if shift_col < 0:
        sign = np.where(col_odd[target], -sign, sign)
    return target.astype(np.int32), sign.astype(np.float32)


def _parities(q: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which functions are odd in the row and which in the column."""
    row_odd = q < 0
    col_odd = (np.abs(q) % 2 == 1) ^ row_odd
    return row_odd, col_odd


@lru_cache(maxsize=2)
def shifted_basis(radius: float, order: int) -> ShiftedBasis:
    """Return the tables for every shift; 3.5 MB for a radius of 16 px, growing with its square."""
    stored: dict[tuple[int, int], NDArray[np.int32]] = {}
    tables: list[NDArray[np.float32]] = []
    total = 0
    for high in range(STEPS // 2 + 1):
        for low in range(high + 1):
            weights, kept = projection_weights(radius, order, (low / STEPS, high / STEPS))
            number = np.full(kept.shape, -1, dtype=np.int32)
            number[kept] = np.arange(total, total + int(kept.sum()))
            total += int(kept.sum())
            tables.append(np.ascontiguousarray(weights[:, kept].T, dtype=np.float32))
            stored[low, high] = number
    half = stored[0, 0].shape[0] // 2

    sources, runs, columns, signs = [], [], [], []
    first_pixel, first_run = [0], [0]
    for row in range(-STEPS // 2, STEPS // 2):
        for col in range(-STEPS // 2, STEPS // 2):
            number = stored[min(abs(row), abs(col)), max(abs(row), abs(col))]
            number = number.T if abs(row) > abs(col) else number
            number = number[:: -1 if row < 0 else 1, :: -1 if col < 0 else 1]
            kept = number >= 0
            sources.append(number[kept])
            for line in np.flatnonzero(kept.any(axis=1)):
                inside = np.flatnonzero(kept[line])
                runs.append((line - half, inside[0] - half, len(inside)))
            column, sign = _mirror_rule(order, row, col)
            columns.append(column)
            signs.append(sign)
            first_pixel.append(first_pixel[-1] + len(sources[-1]))
            first_run.append(len(runs))
    return ShiftedBasis(
        np.concatenate(tables),
        np.concatenate(sources),
        np.array(first_pixel, dtype=np.int64),
        np.array(runs, dtype=np.int32),
        np.array(first_run, dtype=np.int64),
        np.stack(columns),
        np.stack(signs),
        half,
    )


@lru_cache(maxsize=4)
def folded_basis(radius: float, order: int) -> FoldedBasis:
    """Return the tables of the quadrant for the four classes of centres."""
    _, q = pair_arrays(order)
    row_odd, col_odd = _parities(q)
    parity = 2 * row_odd.astype(np.int64) + col_odd
    n_rows = int(np.ceil(radius)) + 1
    widths = np.zeros((4, n_rows), dtype=np.int32)
    quadrants = []
    for half_row in (0, 1):
        for half_col in (0, 1):
            steps = np.arange(n_rows, dtype=np.float64)
            weights = disc_weights(steps + half_row / 2, steps + half_col / 2, radius, order)
            if not half_row:
                weights[:, 0] /= 2
            if not half_col:
                weights[:, :, 0] /= 2
            kept = weights[0] > 0.0
            widths[2 * half_row + half_col] = kept.sum(axis=1)
            quadrants.append(weights[:, kept].T)
    n_pixels = np.array([len(quadrant) for quadrant in quadrants], dtype=np.int64)
    moments = tuple(np.flatnonzero(parity == k) for k in range(4))
    tables = []
    for members in moments:
        # Columns in multiples of 16 suit the vector registers: a quarter faster.
        table = np.zeros((4, int(n_pixels.max()), -(-len(members) // 16) * 16), dtype=np.float32)
        for number, quadrant in enumerate(quadrants):
            table[number, : len(quadrant), : len(members)] = quadrant[:, members]
        tables.append(table.reshape(-1, table.shape[2]))
    return FoldedBasis(tuple(tables), moments, widths, n_pixels, n_rows)
