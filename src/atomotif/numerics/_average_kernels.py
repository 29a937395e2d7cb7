"""Compiled kernel of the class averages: sample turned patches, gather their mean and deviation."""
# mypy: disable-error-code="untyped-decorator"
# numba's decorator has no types.

from typing import Any

import numpy as np

from atomotif.numerics._jit import jit
from atomotif.numerics._moment_kernels import mirror


@jit(nogil=True)
def cubic_weights(t: float, weights: Any) -> None:
    """Write the four weights of Catmull-Rom interpolation at the fraction `t` of a pixel."""
    weights[0] = t * (-0.5 + t * (1.0 - 0.5 * t))
    weights[1] = 1.0 + t * t * (-2.5 + 1.5 * t)
    weights[2] = t * (0.5 + t * (2.0 - 1.5 * t))
    weights[3] = t * t * (-0.5 + 0.5 * t)


@jit(nogil=True)
def mean_patch(image: Any, points: Any, angles: Any, half: int, average: Any, deviation: Any) -> None:
    """Write the mean and the standard deviation of the patches, each turned by its angle.

    Welford's update keeps the deviation exact where the mean is large.
    """
    n_rows, n_cols = image.shape
    side = 2 * half + 1
    mean = np.zeros((side, side))
    squares = np.zeros((side, side))
    row_weights = np.empty(4)
    col_weights = np.empty(4)
    for k in range(len(points)):
        cosine, sine = np.cos(angles[k]), np.sin(angles[k])
        for v in range(side):
            for u in range(side):
                y, x = v - half, u - half
                # The pixel of the turned patch comes from the place turned back.
                row = points[k, 0] + cosine * y - sine * x
                col = points[k, 1] + sine * y + cosine * x
                top, left = int(np.floor(row)), int(np.floor(col))
                cubic_weights(row - top, row_weights)
                cubic_weights(col - left, col_weights)
                inside = top >= 1 and left >= 1 and top + 2 < n_rows and left + 2 < n_cols
                value = 0.0
                for i in range(4):
                    part = 0.0
                    line = top - 1 + i if inside else mirror(top - 1 + i, n_rows)
                    for j in range(4):
                        at = left - 1 + j if inside else mirror(left - 1 + j, n_cols)
                        part += col_weights[j] * image[line, at]
                    value += row_weights[i] * part
                difference = value - mean[v, u]
                mean[v, u] += difference / (k + 1)
                squares[v, u] += difference * (value - mean[v, u])
    for v in range(side):
        for u in range(side):
            average[v, u] = mean[v, u]
            deviation[v, u] = np.sqrt(squares[v, u] / len(points))
