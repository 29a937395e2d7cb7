"""Kullback-Leibler divergence of histograms, in nats per feature."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["PSEUDO_COUNT", "kullback_leibler"]

# Jeffreys' prior of a multinomial law: half a point more in every bin. It keeps the divergence finite where
# a bin is empty in one sample alone, at about log(n) per point there, and is forgotten as counts grow.
PSEUDO_COUNT = 0.5


def kullback_leibler(counts: ArrayLike) -> NDArray[np.float64]:
    """Return the directed divergence of every two samples, averaged over the features.

    Parameters
    ----------
    counts : array_like of int, shape (n_samples, n_features, n_bins)
        Histograms on shared bins, as of `atomotif.numerics.histograms.histograms`.

    Returns
    -------
    ndarray of float64, shape (n_samples, n_samples)
        Entry (i, j) is the mean over features of the sum over bins of p_i log(p_i / p_j), in nats; p are the
        shares after `PSEUDO_COUNT` was added to every bin. Its finite-sample bias is about
        (n_bins - 1) / 2 * (1 / n_i + 1 / n_j) for independent points.

    Raises
    ------
    ValueError
        If the counts do not have three axes or one of them is negative.

    Notes
    -----
    Dan et al. (2022), fig. 5H; METHOD section 9.

    Examples
    --------
    >>> kullback_leibler([[[30, 10]], [[10, 30]]]).round(2)
    array([[0.  , 0.52],
           [0.52, 0.  ]])
    """
    number = np.asarray(counts, dtype=np.float64)
    if number.ndim != 3:
        raise ValueError(f"`counts` must have shape (n_samples, n_features, n_bins), got {number.shape}.")
    if number.size and not number.min() >= 0:
        raise ValueError(f"`counts` must not be negative, got {number.min():g}.")
    share = number + PSEUDO_COUNT
    share /= share.sum(2, keepdims=True)
    logarithm = np.log(share)
    own = np.einsum("ifb,ifb->i", share, logarithm)
    cross = np.einsum("ifb,jfb->ij", share, logarithm)
    result = (own[:, None] - cross) / max(number.shape[1], 1)
    np.fill_diagonal(result, 0.0)
    return np.asarray(np.maximum(result, 0.0))
