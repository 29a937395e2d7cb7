"""Compiled kernels of the tests by exchange: the divergence of many pairs of histograms."""
# mypy: disable-error-code="untyped-decorator"
# numba's decorator has no types.

from typing import Any

import numpy as np

from atomotif.numerics._jit import jit


@jit(nogil=True)
def symmetric_divergences(
    total: Any, difference: Any, size: int, n_features: int, logarithm: Any, pseudo: float
) -> Any:
    """Return the symmetric divergence of histograms given by sum and difference, one pair a row.

    Both samples hold `size` points, and their sum is the same for all pairs. `logarithm` is that of
    0, 1, 2 ... plus the pseudo-count.
    """
    n_rows, n_cells = difference.shape
    result = np.empty(n_rows)
    n_bins = n_cells // n_features
    for k in range(n_rows):
        summed = 0.0
        for c in range(n_cells):
            apart = difference[k, c]
            if apart != 0.0:
                first = np.int64(0.5 * (total[c] + apart) + 0.5)
                second = np.int64(0.5 * (total[c] - apart) + 0.5)
                summed += apart * (logarithm[first] - logarithm[second])
        result[k] = 0.5 * summed / (n_features * (size + pseudo * n_bins))
    return result


@jit(nogil=True)
def bin_of(value: float, low: float, scale: float, n_bins: int) -> Any:
    """Return the bin of a value, which is the outermost one beyond the edges."""
    return min(max(np.int64(np.floor((value - low) * scale)), 0), n_bins - 1)


@jit(nogil=True)
def distorted_divergences(
    a: Any,
    b: Any,
    derivatives_a: Any,
    derivatives_b: Any,
    block: Any,
    swapped: Any,
    distortion: Any,
    low: Any,
    scale: Any,
    n_bins: int,
    logarithm: Any,
    pseudo: float,
) -> Any:
    """Return the symmetric divergence after exchanges, with the second sample distorted.

    Rows of `a` and `b` are matched; blocks that are `swapped` in a draw change sides. `distortion` holds the
    parameters of each draw, along which `derivatives` (point, parameter, feature) are.
    """
    n, n_features = a.shape
    n_parameters = distortion.shape[1]
    result = np.empty(len(swapped))
    counts = np.empty((2, n_features, n_bins), np.int64)
    row = np.empty(n_features)
    for k in range(len(swapped)):
        counts[:] = 0
        for i in range(n):
            change = swapped[k, block[i]]
            first = b[i] if change else a[i]
            second = a[i] if change else b[i]
            derivatives = derivatives_a[i] if change else derivatives_b[i]
            for f in range(n_features):
                row[f] = second[f]
            for m in range(n_parameters):
                amount = distortion[k, m]
                for f in range(n_features):
                    row[f] += amount * derivatives[m, f]
            for f in range(n_features):
                counts[0, f, bin_of(first[f], low[f], scale[f], n_bins)] += 1
                counts[1, f, bin_of(row[f], low[f], scale[f], n_bins)] += 1
        summed = 0.0
        for f in range(n_features):
            for c in range(n_bins):
                one, other = counts[0, f, c], counts[1, f, c]
                summed += (one - other) * (logarithm[one] - logarithm[other])
        result[k] = 0.5 * summed / (n_features * (n + pseudo * n_bins))
    return result
