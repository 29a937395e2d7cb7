"""Parts: the few kinds of columns, each in its orientation, that fill a domain."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import silhouette_score

from atomotif._checks import check_not_negative, check_positive
from atomotif.numerics._threads import one_blas_thread
from atomotif.numerics.neighbors import as_features
from atomotif.numerics.segmentation import segment
from atomotif.numerics.whitening import cluster_means

__all__ = ["find_parts"]

# Parts that are tried: cells of crystals seen along an axis seldom have more columns.
_MOST = 6
# Least silhouette of parts: the way to the next part is twice as long as that within the own.
_DISTINCT = 0.5
# Rows that the silhouette is taken from: it grows as their square.
_SAMPLE = 1000


def find_parts(
    rows: ArrayLike, learn: ArrayLike, n_parts: int | None = None, random_state: int = 0
) -> NDArray[np.int64]:
    """Group rows that change continuously within each group, but differ more between groups.

    Parameters
    ----------
    rows : array_like, shape (n, d)
        Oriented features, finite.
    learn : array_like of bool, shape (n,)
        Rows that are grouped; the others join the group whose mean is nearest.
    n_parts : int, optional
        Number of groups; by default that, up to six, with the largest mean silhouette, or one if none has
        0.5.
    random_state : int, default 0
        Seed of what is sampled when there are many rows.

    Returns
    -------
    ndarray of int64, shape (n,)
        Group of every row, the largest first.

    Raises
    ------
    ValueError
        If the rows are not finite, none is learnt from, or `n_parts` exceeds the number of these.

    Notes
    -----
    Groups by Ward's method; silhouette: Rousseeuw (1987), J. Comput. Appl. Math. 20, 53. Noise alone does
    not say how many there are: in a continuous sample every place differs significantly from the next.

    Examples
    --------
    >>> find_parts([[0.0], [0.1], [0.2], [5.0], [5.1]], np.ones(5, bool))
    array([0, 0, 0, 1, 1])
    """
    values = as_features(rows, "rows").astype(np.float64)
    chosen = np.asarray(learn, np.bool_)
    check_not_negative(random_state, "random_state")
    if chosen.shape != (len(values),) or not chosen.any():
        raise ValueError(f"`learn` must be {len(values)} booleans, not all False, got shape {chosen.shape}.")
    known = values[chosen]
    if n_parts is not None and check_positive(n_parts, "n_parts") > len(known):
        raise ValueError(f"`n_parts` must not exceed the {len(known)} rows learnt from, got {n_parts}.")
    with one_blas_thread():
        if n_parts is not None:
            labels = _segments(known, n_parts, random_state)
        else:
            labels = _most_distinct(known, random_state)
        means = cluster_means(known, labels)
        nearest = np.argmin(((values[:, None] - means) ** 2).sum(axis=2), axis=1)
    order = np.argsort(-np.bincount(nearest, minlength=len(means)), kind="stable")
    return np.asarray(np.argsort(order)[nearest], np.int64)


def _segments(rows: NDArray[np.float64], count: int, random_state: int) -> NDArray[np.int64]:
    labels = segment(rows, count, np.random.default_rng(random_state))
    return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _most_distinct(rows: NDArray[np.float64], random_state: int) -> NDArray[np.int64]:
    best, score = np.zeros(len(rows), np.int64), _DISTINCT
    if np.ptp(rows, axis=0).max() == 0:
        return best
    sample = np.sort(np.random.default_rng(random_state).permutation(len(rows))[:_SAMPLE])
    for count in range(2, min(_MOST, len(rows) - 1) + 1):
        labels = _segments(rows, count, random_state)
        shown = labels[sample]
        if not 2 <= len(np.unique(shown)) < len(sample):
            continue
        own = float(silhouette_score(rows[sample], shown))
        if own > score:
            best, score = labels, own
    return best
