"""States of groups of pentagons by which of them are filled, and how often each occurs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["EMPTY", "FILLED", "PARTIAL", "Abundances", "abundances", "as_classes", "covered_share", "states"]

EMPTY, PARTIAL, FILLED = 0, 1, 2


class Abundances(NamedTuple):
    """What `abundances` returns, the most frequent state first (of equals the lower one)."""

    state: NDArray[np.int64]
    """States that occur, shape (n_states,)."""
    counts: NDArray[np.int64]
    """Number of motifs in each state, shape (n_states,)."""
    coverage: NDArray[np.float64]
    """Share of the counted motifs that are in the first k + 1 states, shape (n_states,)."""
    left_out: int
    """Motifs with a partly filled pentagon, not counted."""


def states(members: ArrayLike, classes: ArrayLike) -> NDArray[np.int64]:
    """Return the state of every motif: bit k is set if its pentagon k is filled.

    Parameters
    ----------
    members : array_like of int, shape (n, c)
        Pentagons of every motif: `Quads.corners` (16 states), `Level3.pentagons` (65,536 states).
    classes : array_like of int, shape (n_pentagons,)
        0 empty, 1 partly filled, 2 filled.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 ... 2^c - 1, or -1 for a motif with a partly filled pentagon.

    Raises
    ------
    ValueError
        If a class is none of 0, 1, 2, or a member is out of range.

    Examples
    --------
    >>> states([[0, 1, 2, 3], [1, 2, 3, 4]], [2, 0, 0, 2, 1])
    array([ 9, -1])
    """
    group = np.asarray(members, np.int64)
    occupancy = as_classes(classes)
    if group.ndim != 2 or (group.size and (group.min() < 0 or group.max() >= len(occupancy))):
        raise ValueError(
            f"`members` must be rows of indices below {len(occupancy)}, got shape {group.shape} "
            f"and values up to {group.max(initial=-1)}."
        )
    here = occupancy[group]
    state = (here == FILLED) @ (1 << np.arange(group.shape[1], dtype=np.int64))
    return np.where((here == PARTIAL).any(axis=1), -1, state).astype(np.int64)


def abundances(state: ArrayLike) -> Abundances:
    """Return how often each state occurs, and what the most frequent ones cover.

    Parameters
    ----------
    state : array_like of int, shape (n,)
        From `states`; -1 is left out and counted apart.

    Returns
    -------
    Abundances

    Examples
    --------
    >>> found = abundances([3, 1, 3, -1, 3])
    >>> found.state, found.counts, found.coverage, found.left_out
    (array([3, 1]), array([3, 1]), array([0.75, 1.  ]), 1)
    """
    array = np.asarray(state, np.int64)
    value, count = np.unique(array[array >= 0], return_counts=True)
    order = np.lexsort([value, -count])
    coverage = np.cumsum(count[order]) / max(int(count.sum()), 1)
    return Abundances(value[order], count[order].astype(np.int64), coverage, int((array < 0).sum()))


def as_classes(classes: ArrayLike) -> NDArray[np.int64]:
    """Return the classes of pentagons as int64 if each is 0, 1 or 2."""
    array = np.asarray(classes)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not np.isin(array, (EMPTY, PARTIAL, FILLED)).all():
        raise ValueError(
            f"`classes` must be integers 0 (empty), 1 (partly filled) or 2 (filled), got {array!r}."
        )
    return array.astype(np.int64)


def covered_share(
    members: ArrayLike, state: ArrayLike, order: ArrayLike, n_pentagons: int
) -> NDArray[np.float64]:
    """Return the share of all pentagons that motifs in the first few states cover: "a quarter of the field".

    Parameters
    ----------
    members : array_like of int, shape (n, c)
        Pentagons of every motif.
    state : array_like of int, shape (n,)
        From `states`.
    order : array_like of int, shape (n_states,)
        Different states, for instance the most frequent ones (`Abundances.state`).
    n_pentagons : int
        Number of pentagons in the field.

    Returns
    -------
    ndarray of float64, shape (n_states,)
        Share in motifs of the first k + 1 states; a pentagon that several of them share counts once.

    Examples
    --------
    >>> covered_share([[0, 1], [1, 2], [3, 4], [4, 5]], [3, 3, 0, 1], [3, 0], 8)
    array([0.375, 0.625])
    """
    group, kind = np.asarray(members, np.int64), np.asarray(state, np.int64)
    chosen = np.asarray(order, np.int64)
    rank = np.full(max(int(kind.max(initial=0)), int(chosen.max(initial=0))) + 1, len(chosen))
    rank[chosen] = np.arange(len(chosen))
    first = np.full(n_pentagons, len(chosen))
    known = kind >= 0
    np.minimum.at(first, group[known].ravel(), np.repeat(rank[kind[known]], group.shape[-1]))
    covered = np.bincount(first, minlength=len(chosen))[: len(chosen)]
    return np.asarray(np.cumsum(covered) / max(n_pentagons, 1))
