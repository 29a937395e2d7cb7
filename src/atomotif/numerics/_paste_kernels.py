"""Compiled kernel of the reconstruction: paste turned patches at sub-pixel places, weighted by a window."""
# mypy: disable-error-code="untyped-decorator"
# numba's decorator has no types.

from typing import Any

import numpy as np

from atomotif.numerics._jit import jit


@jit(nogil=True)
def spline_weights(t: float, weights: Any) -> None:
    """Write the four weights of the cubic B-spline at the fraction `t` of a pixel."""
    s = 1.0 - t
    weights[0] = s * s * s / 6.0
    weights[1] = 2.0 / 3.0 - t * t * (1.0 - 0.5 * t)
    weights[2] = 2.0 / 3.0 - s * s * (1.0 - 0.5 * s)
    weights[3] = t * t * t / 6.0


@jit(nogil=True)
def paste_rows(
    coefficients: Any,
    points: Any,
    which: Any,
    angles: Any,
    first: int,
    last: int,
    radii: Any,
    middle: int,
    start: int,
    result: Any,
) -> None:
    """Write the rows of the image from `start`: the weighted mean of the patches that reach each pixel.

    `coefficients` are those of cubic B-splines, padded, with the centre of each patch at `middle`. Only the
    points from `first` to `last` reach these rows. Each pixel adds up the points in their order, so that
    its value does not depend on how the rows are cut. Pixels that no patch reaches are left alone.
    """
    n_rows, n_cols = result.shape
    total = np.zeros((n_rows, n_cols))
    weight = np.zeros((n_rows, n_cols))
    row_weights = np.empty(4)
    col_weights = np.empty(4)
    both = np.empty((4, 4))
    for k in range(first, last):
        patch = coefficients[which[k]]
        radius = radii[which[k]]
        square = radius * radius
        scale = 1.0 / square
        angle = angles[k]
        cosine, sine = np.cos(angle), np.sin(angle)
        top = max(int(np.ceil(points[k, 0] - radius)), start)
        bottom = min(int(np.floor(points[k, 0] + radius)), start + n_rows - 1)
        if angle == 0.0:  # one fraction of a pixel for the whole patch
            below, right_of = int(np.ceil(points[k, 0])), int(np.ceil(points[k, 1]))
            spline_weights(below - points[k, 0], row_weights)
            spline_weights(right_of - points[k, 1], col_weights)
            for i in range(4):
                for j in range(4):
                    both[i, j] = row_weights[i] * col_weights[j]
        for line in range(top, bottom + 1):
            dy = line - points[k, 0]
            width = np.sqrt(max(square - dy * dy, 0.0))
            left = max(int(np.ceil(points[k, 1] - width)), 0)
            right = min(int(np.floor(points[k, 1] + width)), n_cols - 1)
            to = line - start
            if angle == 0.0:
                v = np.uintp(line - below + middle - 1)
                u = left - right_of + middle - 1
                for at in range(left, right + 1):
                    dx = at - points[k, 1]
                    window = max(1.0 - (dy * dy + dx * dx) * scale, 0.0)
                    window *= window
                    value = 0.0
                    from_ = np.uintp(u + at - left)
                    for i in range(np.uintp(4)):
                        for j in range(np.uintp(4)):
                            value += both[i, j] * patch[v + i, from_ + j]
                    total[to, at] += window * value
                    weight[to, at] += window
            else:
                for at in range(left, right + 1):
                    dx = at - points[k, 1]
                    window = max(1.0 - (dy * dy + dx * dx) * scale, 0.0)
                    window *= window
                    # Back to the place in the patch before it was turned.
                    y = cosine * dy + sine * dx
                    x = cosine * dx - sine * dy
                    upper, before = np.floor(y), np.floor(x)
                    spline_weights(y - upper, row_weights)
                    spline_weights(x - before, col_weights)
                    v = np.uintp(int(upper) + middle - 1)
                    from_ = np.uintp(int(before) + middle - 1)
                    value = 0.0
                    for i in range(np.uintp(4)):
                        part = 0.0
                        for j in range(np.uintp(4)):
                            part += col_weights[j] * patch[v + i, from_ + j]
                        value += row_weights[i] * part
                    total[to, at] += window * value
                    weight[to, at] += window
    for line in range(n_rows):
        for at in range(n_cols):
            if weight[line, at] > 0.0:
                result[line, at] = total[line, at] / weight[line, at]
