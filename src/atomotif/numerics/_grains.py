"""Signs that points belong to several lattices, although one with a large cell seems to hold them all."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from atomotif.numerics._frame import Frame
from atomotif.numerics.translations import Field, find_basis, follow

# A lattice whose orientation differs by more over the field (degrees) has grains: scan drift and strain of
# some per cent turn it by less.
_MAX_TURN = 3.0
# Points off the lattice, beyond this share, are searched for a lattice of their own.
_MAX_FOREIGN = 0.05
_LEAST_FOREIGN = 16
# A grain that is few cells wide is left by many vectors; a quarter of surplus points at random are led to
# points, of a few dozen by chance many more.
_FOREIGN_SHARE = 0.5
_FOREIGN_CHANCE = 1.5
_FOREIGN_AGREEMENT = 0.4
# Sites nearer to each other than this (nearest-neighbour distances) that are hardly ever occupied together
# exclude each other.
_CLOSE = 0.75
_TOGETHER = 0.1
# ... and split the field when which of the two is occupied is the same in neighbouring cells.
_SPLIT = 0.5
_MAX_SPLIT = 0.1


def refuse_grains(field: Field, frame: Frame, random_state: int) -> None:
    """Raise when the points belong to several grains or layers.

    Three signs: the lattice turns by more than 3 degrees over the field; more than 5 % of the points are off
    its sites and lie on a lattice of their own; or the sites split the field. The last is how two grains look
    in the large cell of a coincidence lattice: sites that exclude each other, being nearer than 0.75
    spacings, one kind occupied here, the other there. Columns that are split at random are not refused.
    Grains that differ by less than 3 degrees are followed like a slow rotation; one that covers less than
    about a tenth of the field may be left over as points off the lattice.
    """
    if frame.turn > _MAX_TURN:
        raise _several(
            f"the orientation differs by {frame.turn:.1f} degrees over the field, more than {_MAX_TURN:g}"
        )
    split = _split_share(frame, field.spacing)
    if split > _MAX_SPLIT:
        raise _several(f"{split:.0%} of the points are on sites that only a part of the field has")
    foreign = frame.sublattice < 0
    if foreign.sum() < _LEAST_FOREIGN or foreign.mean() <= _MAX_FOREIGN:
        return
    # To any point: some of a second lattice's points happen to lie on sites of the first.
    among = np.flatnonzero(foreign)
    least = _FOREIGN_SHARE + _FOREIGN_CHANCE / np.sqrt(len(among))
    basis, _ = find_basis(replace(field, labels=None), random_state, among=among, least_share=least)
    if basis is None:
        return
    # Interstitials are led to columns, too, but hardly to each other.
    _, _, agreement, _ = follow(replace(field, labels=foreign.astype(np.int64)), basis, among)
    if len(agreement) == 2 and agreement.min() > _FOREIGN_AGREEMENT:
        raise _several(f"{foreign.mean():.0%} of the points lie on a second lattice", "grains or layers")


def _several(sign: str, what: str = "grains") -> ValueError:
    return ValueError(
        f"no lattice found: several {what} ({sign}); run `find_grains` and look at one grain at a time, "
        'or use `cells="voronoi"`.'
    )


def _split_share(frame: Frame, spacing: float) -> float:
    """Share of the points on sites that exclude each other, if these split the field; else 0."""
    pairs = _close_sites(frame.fractions, frame.vectors, _CLOSE * spacing)
    if not pairs:
        return 0.0
    on = frame.sublattice >= 0
    low = frame.index[on].min(axis=0) - 1
    size = frame.index[on].max(axis=0) + 2 - low
    occupied = np.zeros((len(frame.fractions), *size), dtype=bool)
    occupied[(frame.sublattice[on], *(frame.index[on] - low).T)] = True
    together = either = 0
    agreement = number = 0.0
    marked = np.zeros(len(frame.fractions), dtype=bool)
    for first, second, step in pairs:
        here = occupied[first]
        there = np.roll(occupied[second], (-step[0], -step[1]), (0, 1))
        together += int((here & there).sum())
        either += int((here | there).sum())
        sign = here.astype(np.int64) - there
        mean = sign.sum() / max(np.abs(sign).sum(), 1)
        for one, next_one in ((sign[1:], sign[:-1]), (sign[:, 1:], sign[:, :-1])):
            product = one * next_one
            count = np.abs(product).sum()
            agreement += product.sum() - mean**2 * count
            number += (1 - mean**2) * count
        marked[[first, second]] = True
    if together > _TOGETHER * either or agreement <= _SPLIT * number:
        return 0.0
    return float(marked[frame.sublattice[on]].mean())


def _close_sites(
    fractions: NDArray[np.float64], vectors: NDArray[np.float64], reach: float
) -> list[tuple[int, int, NDArray[np.int64]]]:
    """Pairs of sites nearer than `reach` px, with the cell of the second as seen from that of the first."""
    grid = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), axis=-1).reshape(-1, 2)
    apart = fractions[None, :, None] - fractions[:, None, None]
    # Fractions may lie in any cell.
    cell = np.rint(apart).astype(np.int64)
    apart = (apart - cell + grid) @ vectors
    near = np.argwhere(np.hypot(apart[..., 0], apart[..., 1]) < reach)
    return [(int(s), int(t), grid[g] - cell[s, t, 0]) for s, t, g in near if s < t]
