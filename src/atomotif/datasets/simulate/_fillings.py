"""Which pentagons of a tiling are filled: at an exact composition, correlated, partly ordered."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Quads", "correlated", "order"]

# How close the correlation must come to what is asked for, and in how many trials per pentagon.
_TOLERANCE = 0.005
_TRIALS = 400


class Quads(NamedTuple):
    """Four pentagons round each fourfold vertex.

    Attributes
    ----------
    pentagon : ndarray of int64, shape (n, 4)
        Corner k is in the k-th quarter from the direction of the columns.
    sublattice : ndarray of int64, shape (n,)
        0 for vertices at the corners of cells, 1 in their centres.
    cell : ndarray of int64, shape (n, 2)
    """

    pentagon: NDArray[np.int64]
    sublattice: NDArray[np.int64]
    cell: NDArray[np.int64]


def order(
    quads: Quads, listed: NDArray[np.bool_], share: float, states: Sequence[int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which pentagons are ordered, and which of these are filled.

    Level-3 squares, 2 x 2 quads of sublattice 0, are taken in the order of their columns until `share` of
    all pentagons that are listed is in them. The first three quarters of those that are whole, and what lies
    between and before them, get the first state.
    """
    ordered, filled = np.zeros(len(listed), bool), np.zeros(len(listed), bool)
    first = np.flatnonzero(quads.sublattice == 0)
    square, member = np.unique(quads.cell[first] // 2, axis=0, return_inverse=True)
    member = member.ravel()
    inside = np.zeros(len(square), np.int64)
    np.add.at(inside, member, listed[quads.pentagon[first]].sum(axis=1))
    counted = np.cumsum(inside)
    wanted = share * listed.sum()
    n_squares = int(np.searchsorted(counted, wanted - 0.5 * inside.max(initial=0))) + 1 if wanted > 0 else 0
    n_squares = min(n_squares, len(square))
    if n_squares:
        whole = np.cumsum(inside[:n_squares] == 16)
        n_one = int(np.searchsorted(whole, round(0.75 * int(whole[-1])))) + 1
        for quad, at in zip(quads.pentagon[first], member):
            if at < n_squares:
                ordered[quad] = True
                state = states[0] if at < n_one else states[1]
                filled[quad] = [bool(state >> k & 1) for k in range(4)]
    return ordered, filled


def correlated(
    filled: NDArray[np.bool_],
    movable: NDArray[np.int64],
    pairs: NDArray[np.int64],
    wanted: float | None,
    random: np.random.Generator,
) -> tuple[NDArray[np.bool_], float]:
    """Return a filling of the same number with a correlation of neighbours, and the correlation reached.

    Reverse Monte Carlo: a filled and another pentagon of `movable` are exchanged
    where this brings the correlation nearer to what is wanted.
    """
    share = float(filled[movable].mean()) if len(movable) else 0.0
    variance = share * (1 - share)
    if not len(pairs) or variance == 0:
        return filled, float("nan")
    result = filled.copy()
    neighbors: list[list[int]] = [[] for _ in filled]
    for a, b in pairs.tolist():
        neighbors[a].append(b)
        neighbors[b].append(a)

    def moment() -> float:
        deviation = result - share
        return float((deviation[pairs[:, 0]] * deviation[pairs[:, 1]]).mean() / variance)

    if wanted is None:
        return result, moment()
    # Exchanging 1 and 0 changes the sum over the pairs of products of deviations by integer counts of filled
    # neighbours less the share times counts of neighbours.
    excess = (wanted - moment()) * variance * len(pairs)
    for _ in range(_TRIALS * len(movable)):
        if abs(excess) <= 0.2 * _TOLERANCE * variance * len(pairs):
            break
        one, other = movable[random.integers(len(movable), size=2)]
        if not result[one] or result[other]:
            continue
        gain = sum(float(result[k]) - share for k in neighbors[other] if k != one)
        gain -= sum(float(result[k]) - share for k in neighbors[one] if k != other)
        if abs(excess - gain) < abs(excess):
            result[one], result[other] = False, True
            excess -= gain
    reached = moment()
    if abs(reached - wanted) > _TOLERANCE:
        raise ValueError(f"`correlation` must be within reach, got {wanted!r}; {reached:.3f} was reached.")
    return result, reached
