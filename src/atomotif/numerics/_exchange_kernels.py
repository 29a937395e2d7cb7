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
def distorted_divergences(
    bins: Any,
    places: Any,
    derivatives: Any,
    block: Any,
    swapped: Any,
    distortion: Any,
    n_bins: int,
    logarithm: Any,
    pseudo: float,
) -> Any:
    """Return the symmetric divergence after exchanges, with the second sample distorted.

    `bins` and `places` (sample, point, feature) say in which bin each feature lies, and where on the axis of
    bins; `derivatives` (sample, point, parameter, feature) how places change. Points of both samples are
    matched; blocks that are `swapped` in a draw change sides. `distortion` are the parameters of each draw.
    """
    _, n, n_features = bins.shape
    n_parameters = distortion.shape[1]
    result = np.empty(len(swapped))
    counts = np.empty((2, n_features, n_bins), np.int64)
    row = np.empty(n_features, places.dtype)
    for k in range(len(swapped)):
        counts[:] = 0
        for i in range(n):
            second = 0 if swapped[k, block[i]] else 1
            for f in range(n_features):
                row[f] = places[second, i, f]
            for m in range(n_parameters):
                amount = distortion[k, m]
                for f in range(n_features):
                    row[f] += amount * derivatives[second, i, m, f]
            for f in range(n_features):
                counts[0, f, bins[1 - second, i, f]] += 1
                # Truncation is the floor of what is not below zero.
                counts[1, f, np.int64(min(max(row[f], np.float32(0)), np.float32(n_bins - 1)))] += 1
        summed = 0.0
        for f in range(n_features):
            for c in range(n_bins):
                one, other = counts[0, f, c], counts[1, f, c]
                summed += (one - other) * (logarithm[one] - logarithm[other])
        result[k] = 0.5 * summed / (n_features * (n + pseudo * n_bins))
    return result
