"""What each site of a lattice holds, and which of that belongs to the perfect crystal."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from atomotif.numerics.lattice import Lattice

__all__ = ["SiteStates", "site_states", "usual_states"]


@dataclass(frozen=True)
class SiteStates:
    """The sites of a lattice inside the image, ordered by i, j and sublattice.

    Attributes
    ----------
    index : ndarray of int64, shape (m, 2)
        Cell of each site.
    sublattice : ndarray of int64, shape (m,)
        Its place in the cell.
    position : ndarray of float64, shape (m, 2)
        (row, col) px of what claims it, or of where that is missing.
    state : ndarray of int64, shape (m,)
        Number of its state; -1 where a point without a label is among those that claim it: unknown.
    site : ndarray of int64, shape (n,)
        The site of every point. A point that claims none belongs to the nearest one.
    labels : ndarray of int64, shape (k,)
        The labels of all states, ascending within each, one after the other.
    offsets : ndarray of int64, shape (n_states + 1,)
        State s is ``labels[offsets[s] : offsets[s + 1]]``; an empty one is a missing column.
    """

    index: NDArray[np.int64]
    sublattice: NDArray[np.int64]
    position: NDArray[np.float64]
    state: NDArray[np.int64]
    site: NDArray[np.int64]
    labels: NDArray[np.int64]
    offsets: NDArray[np.int64]


def site_states(
    lattice: Lattice,
    points: ArrayLike,
    labels: ArrayLike,
    missing: tuple[ArrayLike, ArrayLike, ArrayLike],
) -> SiteStates:
    """Return the state of every site: the sorted labels of the points that claim it.

    Parameters
    ----------
    lattice : Lattice
        Of the points.
    points : array_like, shape (n, 2)
        (row, col) px.
    labels : array_like of int, shape (n,)
        Motif of each point, -1 for none.
    missing : tuple of array_like
        Sites that no point claims: index (m, 2), sublattice (m,) and position (m, 2), of `sites`.

    Returns
    -------
    SiteStates

    Examples
    --------
    >>> from atomotif.numerics.lattice import find_lattice, sites
    >>> row, col = np.mgrid[:12, :12]
    >>> points = 10.0 + 10.0 * np.column_stack([row.ravel(), col.ravel()])
    >>> points = np.delete(points, 40, axis=0)
    >>> lattice = find_lattice(points)
    >>> found = site_states(lattice, points, np.zeros(143, int), sites(lattice, (130, 130)))
    >>> np.bincount(found.state), found.offsets  # one site is empty, the others hold label 0
    (array([  1, 143]), array([0, 0, 1]))
    """
    where, kinds = np.asarray(points, np.float64), np.asarray(labels, np.int64)
    free_index, free_sublattice, free_position = (np.asarray(part) for part in missing)
    on = lattice.sublattice >= 0
    claimed = np.column_stack([lattice.index[on], lattice.sublattice[on]])
    free = np.column_stack([free_index, free_sublattice]).astype(np.int64).reshape(-1, 3)
    places, number = np.unique(np.concatenate([claimed, free]), axis=0, return_inverse=True)
    number = number.reshape(-1)
    holder = np.concatenate([where[on], free_position.reshape(-1, 2)])
    share = np.bincount(number)
    position = np.stack([np.bincount(number, axis) for axis in holder.T], axis=1) / share[:, None]
    site = np.empty(len(where), np.int64)
    site[on] = number[: len(claimed)]
    site[~on] = cKDTree(position).query(where[~on])[1]
    state, flat, offsets = _states(site, kinds, len(places))
    return SiteStates(places[:, :2], places[:, 2], position, state, site, flat, offsets)


def _states(
    site: NDArray[np.int64], labels: NDArray[np.int64], n_sites: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    order = np.lexsort((labels, site))
    starts = np.searchsorted(site[order], np.arange(n_sites + 1))
    held = np.diff(starts)
    sorted_labels = labels[order]
    states = [tuple(sorted_labels[a:b].tolist()) for a, b in pairwise(starts)]
    unknown = np.bincount(site[labels < 0], minlength=n_sites) > 0
    known = sorted({state for state, skip in zip(states, unknown) if not skip}, key=lambda s: (len(s), s))
    number = {state: k for k, state in enumerate(known)}
    numbers = np.array([number.get(state, -1) for state in states], np.int64).reshape(len(held))
    flat = np.array([label for state in known for label in state], np.int64)
    offsets = np.append(0, np.cumsum([len(state) for state in known])).astype(np.int64)
    return numbers, flat, offsets


def usual_states(
    states: SiteStates, n_sublattices: int, *, share: float = 0.25, labels: ArrayLike | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which states belong to the crystal, and the most frequent one of every sublattice.

    Parameters
    ----------
    states : SiteStates
        Of all sites.
    n_sublattices : int
        Sites in a cell, S.
    share : float, default 0.25
        A state belongs to the crystal where it is at least this frequent relative to the most frequent one
        of the sublattice: both sides of an interface do, a defect does not.
    labels : array_like of int, optional
        Labels of the crystal, instead: each belongs to the sublattices where it is that frequent, or if it is
        nowhere, to the one on which it is most frequent.

    Returns
    -------
    usual : ndarray of bool, shape (n_states, S)
    majority : ndarray of int64, shape (S,)
        State; -1 for a sublattice of which nothing is known.

    Examples
    --------
    >>> states = SiteStates(
    ...     np.array([[0, 0], [0, 1], [0, 2]]), np.zeros(3, int), np.zeros((3, 2)), np.array([0, 1, 1]),
    ...     np.arange(3), np.array([4, 7]), np.array([0, 1, 2]))
    >>> usual, majority = usual_states(states, 1, share=0.6)
    >>> usual.tolist(), majority.tolist()
    ([[False], [True]], [1])
    """
    n_states = len(states.offsets) - 1
    known = states.state >= 0
    code = states.state[known] * n_sublattices + states.sublattice[known]
    counts = np.bincount(code, minlength=n_states * n_sublattices).reshape(n_states, n_sublattices)
    if n_states == 0:
        return np.zeros((0, n_sublattices), bool), np.full(n_sublattices, -1, np.int64)
    if labels is None:
        usual = (counts > 0) & (counts >= share * counts.max(axis=0))
    else:
        single = np.flatnonzero(np.diff(states.offsets) == 1)
        of_crystal = single[np.isin(states.labels[states.offsets[single]], labels)]
        usual = np.zeros(counts.shape, bool)
        # On each sublattice where it is frequent, and if on none, where it is most frequent.
        usual[of_crystal] = (counts[of_crystal] > 0) & (counts[of_crystal] >= share * counts.max(axis=0))
        rare = of_crystal[~usual[of_crystal].any(axis=1)]
        usual[rare, counts[rare].argmax(axis=1)] = True
    counted = np.where(usual.any(axis=0), counts * usual, counts)
    return usual, np.where(counted.max(axis=0) > 0, counted.argmax(axis=0), -1).astype(np.int64)
