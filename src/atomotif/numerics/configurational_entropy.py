"""Configurational entropy of filled and empty pentagons at each level, against what chance gives."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from atomotif._checks import check_not_negative
from atomotif.numerics.pentagon_states import FILLED, as_classes, states

__all__ = ["Entropy", "configurational_entropy", "entropy_bits", "growth_curve"]


class Entropy(NamedTuple):
    """What `configurational_entropy` returns; entropies are in bits a motif."""

    n_motifs: int
    """Motifs counted: those without a partly filled pentagon."""
    n_distinct: int
    """States that occur."""
    entropy: float
    """Plug-in entropy of the states."""
    corrected: float
    """The same with the correction of Miller and Madow for the number of motifs."""
    equal: float
    """Null (a): all states equally probable, log2 of their number (one a pentagon of the motif)."""
    independent: float
    """Entropy of as many independent pentagons at the sample's composition, of infinitely many motifs."""
    null_mean: float
    """Null (b): mean plug-in entropy when the labels of the same pentagons are permuted."""
    null_std: float
    """Its standard deviation."""
    z: float
    """(entropy - null_mean) / null_std; NaN where permuting changes nothing."""
    p: float
    """Two-sided p of null (b), (r + 1) / (n_draws + 1)."""


def entropy_bits(counts: ArrayLike, correction: str = "none") -> float:
    """Return the Shannon entropy of the states of a sample, bits.

    Parameters
    ----------
    counts : array_like of int, shape (n_states,)
        How often each state occurs.
    correction : {"none", "miller_madow"}, default "none"
        The plug-in entropy is too low in the mean by about (K - 1) / (2 N ln 2) bits, with K states in N
        motifs, which "miller_madow" adds. It is the first term of a series in K / N: where most states occur
        once or not at all (level 3, 65,536 states) both are far too low, and only the comparison with a null
        of the same size tells order.

    Returns
    -------
    float
        0 for no motif.

    Raises
    ------
    ValueError
        If a count is negative or `correction` is unknown.

    Examples
    --------
    >>> entropy_bits([5, 5, 0]), round(entropy_bits([5, 5], "miller_madow"), 3)
    (1.0, 1.072)
    """
    number = np.asarray(counts)
    if number.size and number.min() < 0:
        raise ValueError(f"`counts` must not be negative, got {number.min()}.")
    if correction not in ("none", "miller_madow"):
        raise ValueError(f"`correction` must be one of 'none', 'miller_madow', got {correction!r}.")
    number = number[number > 0].astype(np.float64)
    total = float(number.sum())
    if total == 0:
        return 0.0
    bits = float(np.log2(total) - (number * np.log2(number)).sum() / total)
    if correction == "miller_madow":
        bits += (len(number) - 1) / (2 * total * float(np.log(2)))
    return max(bits, 0.0)


def configurational_entropy(
    members: ArrayLike, classes: ArrayLike, *, n_draws: int = 999, random_state: int = 0
) -> Entropy:
    """Return the entropy of the motifs' states, and whether it is lower than chance makes it.

    Parameters
    ----------
    members : array_like of int, shape (n, c)
        Pentagons of every motif: `Quads.corners` at level 2, `Level3.pentagons` at level 3, of both
        sublattices or of one.
    classes : array_like of int, shape (n_pentagons,)
        0 empty, 1 partly filled, 2 filled.
    n_draws : int, default 999
        Permutations, at least 1: the least p is 1 / (n_draws + 1), and z is certain to 2 %.
    random_state : int, default 0
        Seed of the permutations.

    Returns
    -------
    Entropy

    Raises
    ------
    ValueError
        If a class is none of 0, 1, 2, a member is out of range, or `n_draws` is less than 1.

    Notes
    -----
    Null (a): Dan et al. (2022), fig. 4. It is no test of order, since pentagons placed at random but not half
    of them filled have less than one bit each, and since N motifs show at most log2 N bits.

    Null (b): the labels empty and filled are permuted over the pentagons of the counted motifs. Positions,
    composition, overlap of motifs and their number stay as they are (partly filled pentagons stay in place),
    so that under it the sample is one draw more, and p is exact: r draws are as far as the sample, or
    farther, from the mean of all draws and the sample.

    Examples
    --------
    >>> rows = np.arange(400).reshape(100, 4)
    >>> order = configurational_entropy(rows, np.repeat([0, 2], 200))  # all four empty, or all filled
    >>> order.entropy, order.equal, round(order.null_mean, 1), order.p
    (1.0, 4.0, 3.9, 0.001)
    """
    check_not_negative(random_state, "random_state")
    if n_draws < 1:
        raise ValueError(f"`n_draws` must be at least 1, got {n_draws}.")
    occupancy = as_classes(classes)
    group = np.asarray(members, np.int64)
    state = states(group, occupancy)
    group = group[state >= 0]
    counts = np.unique(state[state >= 0], return_counts=True)[1]
    bits = entropy_bits(counts)

    used, inverse = np.unique(group, return_inverse=True)
    inverse = inverse.reshape(group.shape)
    filled = occupancy[used] == FILLED
    share = float(filled.mean()) if len(filled) else 0.0
    weight = 1 << np.arange(group.shape[1], dtype=np.int64)
    rng = np.random.default_rng(random_state)
    null = np.empty(n_draws)
    for draw in range(n_draws):
        null[draw] = _entropy_of(rng.permutation(filled)[inverse] @ weight)
    center = (null.sum() + bits) / (n_draws + 1)
    far = np.abs(null - center) >= abs(bits - center) - 1e-9
    spread = float(null.std())
    return Entropy(
        n_motifs=len(group),
        n_distinct=len(counts),
        entropy=bits,
        corrected=entropy_bits(counts, "miller_madow"),
        equal=float(group.shape[1]),
        independent=group.shape[1] * entropy_bits([1e6 * share, 1e6 * (1 - share)]),
        null_mean=float(null.mean()),
        null_std=spread,
        z=float((bits - null.mean()) / spread) if spread > 1e-9 else float("nan"),
        p=float((far.sum() + 1) / (n_draws + 1)),
    )


def growth_curve(
    counts: ArrayLike, sizes: ArrayLike | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how the number of distinct motifs grows with the number of motifs looked at.

    Parameters
    ----------
    counts : array_like of int, shape (n_states,)
        How often each state occurs in the whole sample of N motifs.
    sizes : array_like of int, shape (n_sizes,), optional
        Numbers of motifs, 0 ... N. By default up to 50 from 1 to N, evenly spaced.

    Returns
    -------
    sizes : ndarray of int64, shape (n_sizes,)
    distinct : ndarray of float64, shape (n_sizes,)
        The mean over all orders in which the motifs can be looked at: the sum over the states of
        1 - C(N - N_k, n) / C(N, n) (exact rarefaction, no draws). A curve that flattens has seen its motifs.

    Raises
    ------
    ValueError
        If a count is negative, or a size is not within 0 ... N.

    Notes
    -----
    Growth of the number of motifs: Dan et al. (2022), figs S20 and S26.

    Examples
    --------
    >>> growth_curve([2, 2], [1, 2, 4])[1].round(3)
    array([1.   , 1.667, 2.   ])
    """
    number = np.asarray(counts, np.int64)
    if number.size and number.min() < 0:
        raise ValueError(f"`counts` must not be negative, got {number.min()}.")
    number = number[number > 0]
    total = int(number.sum())
    if sizes is None:
        size = np.unique(np.linspace(min(1, total), total, 50).round().astype(np.int64))
    else:
        size = np.asarray(sizes, np.int64)
    if size.size and (size.min() < 0 or size.max() > total):
        raise ValueError(f"`sizes` must lie within 0 ... {total}, got {size.min()} ... {size.max()}.")
    # States of one count grow alike.
    value, times = np.unique(number, return_counts=True)
    left = total - value[:, None] - size[None, :]
    log_unseen = (
        gammaln(total - value[:, None] + 1)
        - gammaln(np.maximum(left, 0) + 1)
        - gammaln(total + 1)
        + gammaln(total - size[None, :] + 1)
    )
    unseen = np.where(left >= 0, np.exp(np.minimum(log_unseen, 0.0)), 0.0)
    return size, times @ (1 - unseen)


def _entropy_of(state: NDArray[np.int64]) -> float:
    if len(state) == 0:
        return 0.0
    ordered = np.sort(state)
    ends = np.flatnonzero(np.diff(ordered, append=ordered[-1] + 1))
    return entropy_bits(np.diff(ends, prepend=-1))
