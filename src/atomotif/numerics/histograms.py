"""Histograms of features on bins that all samples share."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["bin_edges", "bin_indices", "default_bins", "histograms"]


def default_bins(n_points: int) -> int:
    """Return a number of bins for samples of `n_points` each: twice the cube root, rounded up.

    The rule of Rice: bins so wide that their noise and the detail lost in them are of one order. Samples of
    150 get 11, of which each holds some 14 points.

    Parameters
    ----------
    n_points : int
        Points of the smallest sample.

    Returns
    -------
    int
        At least 2.

    Examples
    --------
    >>> default_bins(150), default_bins(1)
    (11, 2)
    """
    return max(2, int(np.ceil(2.0 * np.cbrt(n_points) - 1e-9)))


def bin_edges(features: ArrayLike, n_bins: int) -> NDArray[np.float64]:
    """Return edges of bins of equal width that hold all values of each feature.

    Parameters
    ----------
    features : array_like, shape (n, n_features)
        Finite; the points of all samples that are to be compared.
    n_bins : int
        Bins of each feature, at least 2.

    Returns
    -------
    ndarray of float64, shape (n_features, n_bins + 1)
        From the least to the greatest value; a feature without spread gets bins of width 1 about its value.

    Raises
    ------
    ValueError
        If there is no point, a value is not finite, or `n_bins` is below 2.

    Examples
    --------
    >>> bin_edges([[0.0], [4.0]], 2)
    array([[0., 2., 4.]])
    """
    values = _as_features(features)
    if n_bins < 2:
        raise ValueError(f"`n_bins` must be at least 2, got {n_bins}.")
    if not len(values):
        raise ValueError("`features` must hold at least one point, got none.")
    low, high = values.min(0), values.max(0)
    # A spread within the rounding of float32 is none.
    flat = high - low <= 1e-6 * np.maximum(abs(low), abs(high))
    low, high = np.where(flat, low - n_bins / 2, low), np.where(flat, high + n_bins / 2, high)
    return np.linspace(low, high, n_bins + 1, axis=1)


def bin_indices(features: ArrayLike, edges: ArrayLike) -> NDArray[np.int64]:
    """Return the bin of every value; values beyond the outer edges belong to the outer bins.

    Parameters
    ----------
    features : array_like, shape (n, n_features)
        Finite.
    edges : array_like, shape (n_features, n_bins + 1)
        Rising, of equal widths, as of `bin_edges`.

    Returns
    -------
    ndarray of int64, shape (n, n_features)
        From 0 to n_bins - 1; a value on an edge belongs to the bin above.

    Raises
    ------
    ValueError
        If shapes do not match or a value is not finite.

    Examples
    --------
    >>> bin_indices([[-1.0], [2.0], [4.0]], [[0.0, 2.0, 4.0]]).ravel()
    array([0, 1, 1])
    """
    values, limits = _as_features(features), np.asarray(edges, dtype=np.float64)
    if limits.ndim != 2 or len(limits) != values.shape[1] or limits.shape[1] < 3:
        raise ValueError(
            f"`edges` must have a row of at least 3 for each of {values.shape[1]} features, "
            f"got shape {limits.shape}."
        )
    n_bins = limits.shape[1] - 1
    place = (values - limits[:, 0]) * (n_bins / (limits[:, -1] - limits[:, 0]))
    return np.asarray(np.clip(np.floor(place), 0, n_bins - 1).astype(np.int64))


def histograms(indices: ArrayLike, labels: ArrayLike, n_labels: int, n_bins: int) -> NDArray[np.int64]:
    """Count the points of every label in every bin of every feature.

    Parameters
    ----------
    indices : array_like of int, shape (n, n_features)
        Bins as of `bin_indices`.
    labels : array_like of int, shape (n,)
        Sample of every point, 0 ... n_labels - 1, or -1 for none.
    n_labels, n_bins : int
        Number of samples and of bins.

    Returns
    -------
    ndarray of int64, shape (n_labels, n_features, n_bins)
        "Binned histograms" of Dan et al. (2022), fig. 5F and G.

    Examples
    --------
    >>> histograms([[0], [1], [1]], [0, 0, 1], 2, 2)[:, 0]
    array([[1, 1],
           [0, 1]])
    """
    bins, label = np.asarray(indices), np.asarray(labels)
    n_features = bins.shape[1]
    used = label >= 0
    cell = (label[used, None] * n_features + np.arange(n_features)) * n_bins + bins[used]
    counts = np.bincount(cell.ravel(), minlength=n_labels * n_features * n_bins)
    return np.asarray(counts.reshape(n_labels, n_features, n_bins))


def _as_features(features: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"`features` must have shape (n, n_features), got {values.shape}.")
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise ValueError(f"`features` must be finite, got {bad} NaN or infinite values.")
    return values
