"""p-values adjusted for the number of tests, and the number of permutations that this asks for."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control

__all__ = ["ADJUSTMENTS", "adjust_p", "permutations_needed"]

#: Holm bounds the chance of any false finding; Benjamini and Yekutieli the share of false ones among the
#: findings. Both hold for dependent tests, as those of pairs that share a domain are.
ADJUSTMENTS = ("holm", "benjamini_yekutieli")


def adjust_p(p: ArrayLike, method: str = "holm") -> NDArray[np.float64]:
    """Return p-values adjusted for their number.

    Parameters
    ----------
    p : array_like, shape (n,)
        From 0 to 1.
    method : {"holm", "benjamini_yekutieli"}, default "holm"
        See `ADJUSTMENTS`.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        If a value is not from 0 to 1 or `method` is unknown.

    Notes
    -----
    Holm (1979), Scand. J. Stat. 6, 65; Benjamini and Yekutieli (2001), Ann. Stat. 29, 1165.

    Examples
    --------
    >>> adjust_p([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    value = np.asarray(p, dtype=np.float64)
    if method not in ADJUSTMENTS:
        raise ValueError(f"`method` must be one of {', '.join(map(repr, ADJUSTMENTS))}, got {method!r}.")
    if not ((value >= 0) & (value <= 1)).all():
        raise ValueError(f"`p` must be from 0 to 1, got {value[~((value >= 0) & (value <= 1))][0]}.")
    if not value.size:
        return value.copy()
    if method == "benjamini_yekutieli":
        return np.asarray(false_discovery_control(value, method="by"))
    order = np.argsort(value, kind="stable")
    rising = np.maximum.accumulate(value[order] * np.arange(len(value), 0, -1))
    adjusted = np.empty_like(value)
    adjusted[order] = np.minimum(rising, 1.0)
    return adjusted


def permutations_needed(n_tests: int, method: str = "holm", level: float = 0.05) -> int:
    """Return how many permutations let the least p-value of one among `n_tests` reach `level` once adjusted.

    The least p-value of n permutations is 1 / (n + 1).

    Examples
    --------
    >>> permutations_needed(10), permutations_needed(190)
    (199, 3799)
    """
    factor = n_tests * (1.0 if method == "holm" else float(np.sum(1.0 / np.arange(1, n_tests + 1))))
    return int(np.ceil(factor / level - 1e-9)) - 1
