"""Compiled kernel that draws columns: one radial profile at sub-pixel places."""
# mypy: disable-error-code="untyped-decorator"
# numba's decorator has no types.

from typing import Any

import numpy as np

from atomotif.numerics._jit import jit


@jit(nogil=True)
def draw_rows(
    points: Any, weights: Any, profile: Any, step: float, first: int, last: int, start: int, result: Any
) -> None:
    """Write the rows of the image from `start`: the sum of the columns that reach each pixel.

    `profile` holds the values at distances 0, `step`, 2 `step`, ... and ends with two zeros. Only the points
    from `first` to `last` reach these rows. Each pixel adds up the points in their order, so that its value
    does not depend on how the rows are cut.
    """
    n_rows, n_cols = result.shape
    total = np.zeros((n_rows, n_cols))
    radius = (len(profile) - 2) * step
    scale = 1.0 / step
    for k in range(first, last):
        row, col, weight = points[k, 0], points[k, 1], weights[k]
        top = max(int(np.ceil(row - radius)), start)
        bottom = min(int(np.floor(row + radius)), start + n_rows - 1)
        for line in range(top, bottom + 1):
            dy = line - row
            width = np.sqrt(max(radius * radius - dy * dy, 0.0))
            left = max(int(np.ceil(col - width)), 0)
            right = min(int(np.floor(col + width)), n_cols - 1)
            for at in range(left, right + 1):
                dx = at - col
                place = np.sqrt(dy * dy + dx * dx) * scale
                below = int(place)
                part = place - below
                total[line - start, at] += weight * (
                    (1.0 - part) * profile[below] + part * profile[below + 1]
                )
    for line in range(n_rows):
        for at in range(n_cols):
            result[line, at] = total[line, at]
