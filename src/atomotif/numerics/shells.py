"""Shells of columns round chosen ones: the ring round a dopant, the ring round that, and their motifs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from atomotif._checks import as_points, check_positive
from atomotif.numerics.field_edge import inside
from atomotif.numerics.spacing import nearest_neighbor_distance

__all__ = ["Environments", "Shells", "bond_length", "environments", "neighbor_shells"]

# The gap behind the first neighbours is looked for between these, nearest-neighbour distances: below are
# neighbours, and on a triangular lattice the next distance is 1.73.
_GAP_RANGE = (1.05, 1.75)
_BIN = 0.01
# A gap is where there are fewer pairs than this share of the highest density.
_GAP_LEVEL = 0.02
Ring = tuple[int, ...]


class Shells(NamedTuple):
    """What `neighbor_shells` returns.

    Ring k (from 0) of centre c is `members[offsets[c * n_shells + k]:offsets[c * n_shells + k + 1]]`.
    """

    members: NDArray[np.int64]
    """Points of all rings, in each ring by their angle about the centre (columns towards rows, from -pi)."""
    offsets: NDArray[np.int64]
    """Where each ring starts, shape (n_centres * n_shells + 1,)."""
    complete: NDArray[np.bool_]
    """Whether nothing of a ring, or of one within, can lie beyond the edge, shape (n_centres, n_shells)."""
    bond_length: float
    """Points nearer to each other than this are neighbours, px."""


class Environments(NamedTuple):
    """What `environments` returns. Classes are ordered by falling count, then by their labels."""

    classes: tuple[tuple[int, tuple[Ring, ...]], ...]
    """Label of the centre, and of every ring the labels of its points: sorted, or with `ordered` in their
    cyclic sequence."""
    counts: NDArray[np.int64]
    """Number of centres of every class, shape (n_classes,)."""
    of_center: NDArray[np.int64]
    """Class of every centre, -1 for one with an incomplete ring, shape (n_centres,)."""
    shells: Shells
    """The rings."""


def bond_length(points: ArrayLike) -> float:
    """Return the distance up to which points are neighbours: the middle of the gap behind the first ones.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.

    Returns
    -------
    float
        px: about 1.37 nearest-neighbour distances on honeycomb and triangular lattices, 1.21 on square ones.

    Raises
    ------
    ValueError
        If there are fewer than two points.

    Examples
    --------
    >>> row, col = np.mgrid[:9, :9]
    >>> round(bond_length(10.0 * np.column_stack([row.ravel(), col.ravel()])), 1)
    12.1
    """
    positions = as_points(points)
    spacing = nearest_neighbor_distance(positions)
    pairs = KDTree(positions).query_pairs(_GAP_RANGE[1] * spacing * 1.1, output_type="ndarray")
    distance = np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=1) / spacing
    bins = round(1.1 * _GAP_RANGE[1] / _BIN)
    density = np.histogram(distance, bins, (0, bins * _BIN))[0].astype(float)
    # Per length: rings of a lattice grow with the distance, but so does the number of columns in them.
    density = ndimage.gaussian_filter1d(density, 2.0, mode="constant")
    first, last = (round(limit / _BIN) for limit in _GAP_RANGE)
    window = density[first:last]
    low = window <= max(window.min(), _GAP_LEVEL * density.max())
    runs, number = ndimage.label(low)
    lengths = ndimage.sum_labels(low, runs, np.arange(1, number + 1))
    inside = np.flatnonzero(runs == 1 + int(np.argmax(lengths)))
    return float((first + (inside[0] + inside[-1] + 1) / 2) * _BIN * spacing)


def neighbor_shells(
    points: ArrayLike, centers: ArrayLike, n_shells: int = 2, *, max_distance: float | None = None
) -> Shells:
    """Return the rings of points round each centre: its neighbours, their further neighbours, and so on.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    centers : array_like of int, shape (m,)
        Indices of the points at the centres.
    n_shells : int, default 2
        Number of rings: the ring of the other sublattice and the ring of the own one, on MX2.
    max_distance : float, optional
        Points nearer to each other than this are neighbours, px. By default `bond_length(points)`.

    Returns
    -------
    Shells

    Raises
    ------
    ValueError
        If a centre is no index of a point, or `n_shells` is less than 1.

    Notes
    -----
    Neighbour shells: Dan et al. (2022), fig. 3E. A ring is a set of points at equal distance *in the graph of
    neighbours*, not one between two gaps of the radial distribution. On MX2 the gap behind the first
    neighbours is wide (1 to 1.73 spacings: a displacement of 0.37 is forgiven), that behind the second ones
    is not (1.73 to 2: 0.13); in a real image with columns found to a pixel it is closed (doped WS2: pairs at
    all distances from 1.65 to 2.15 spacings). The price: where a column of a ring is missing, its outer
    neighbours, which nothing else joins to the centre, are missing in the next ring, too.

    A ring is complete if the centre and all points of the rings within are `inside` the field of points, see
    `atomotif.numerics.field_edge`: at a vacancy there is no neighbour, beyond an edge there may be one.

    Examples
    --------
    >>> row, col = np.mgrid[:9, :9]
    >>> points = 10.0 * np.column_stack([row.ravel(), col.ravel()])
    >>> shells = neighbor_shells(points, [40, 10])
    >>> np.diff(shells.offsets), shells.complete
    (array([4, 8, 4, 6]), array([[ True,  True],
           [ True, False]]))
    """
    positions = as_points(points)
    chosen = _as_indices(centers, len(positions))
    if n_shells < 1:
        raise ValueError(f"`n_shells` must be at least 1, got {n_shells}.")
    reach = bond_length(positions) if max_distance is None else check_positive(max_distance, "max_distance")
    pairs = KDTree(positions).query_pairs(reach, output_type="ndarray").astype(np.int64)
    inner = inside(positions, reach)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.lexsort([both[:, 1], both[:, 0]])]
    start = np.searchsorted(both[:, 0], np.arange(len(positions) + 1))
    neighbor = both[:, 1]

    n = len(positions)
    rows, ring = np.arange(len(chosen)), chosen
    known = rows * n + ring  # of this ring and of the one within: no ring adjoins others
    whole = np.ones(len(chosen), bool)
    complete = np.zeros((len(chosen), n_shells), bool)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for shell in range(n_shells):
        whole[rows[~inner[ring]]] = False
        complete[:, shell] = whole
        number = start[ring + 1] - start[ring]
        step = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        reached = np.repeat(rows, number) * n + neighbor[np.repeat(start[ring], number) + step]
        # Not np.unique: its hashes of such numbers may collide, which took ten times as long.
        reached.sort()
        reached = reached[np.diff(reached, prepend=-1) > 0]
        new = reached[~np.isin(reached, known, assume_unique=True, kind="sort")]
        known = np.concatenate([rows * n + ring, new])
        rows, ring = new // n, new % n
        found.append((rows, ring))
    row = np.concatenate([rows for rows, _ in found])
    members = np.concatenate([ring for _, ring in found])
    which = np.concatenate([rows * n_shells + shell for shell, (rows, _) in enumerate(found)])
    offset = positions[members] - positions[chosen[row]]
    order = np.lexsort([members, np.arctan2(*offset.T), which])
    offsets = np.cumsum(np.concatenate([[0], np.bincount(which, minlength=len(chosen) * n_shells)]))
    return Shells(members[order], offsets.astype(np.int64), complete, float(reach))


def environments(
    points: ArrayLike,
    labels: ArrayLike,
    centers: ArrayLike,
    n_shells: int = 2,
    *,
    ordered: bool = False,
    mirror: bool = True,
    max_distance: float | None = None,
) -> Environments:
    """Return the classes of environments of chosen points: their own motif and those of the rings round them.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    labels : array_like of int, shape (n,)
        Motif of every point.
    centers : array_like of int, shape (m,)
        Indices of the points whose environments are classed, for instance those of a dopant.
    n_shells : int, default 2
        Number of rings.
    ordered : bool, default False
        Tell rings apart by the cyclic sequence of their motifs too (two vacancies side by side or opposite),
        not by the composition alone. Each ring's sequence stands for itself, not for its turn against the
        others.
    mirror : bool, default True
        With `ordered`, a sequence and its mirror image are one.
    max_distance : float, optional
        As in `neighbor_shells`.

    Returns
    -------
    Environments
        Centres with an incomplete ring are in no class (-1): what lies beyond the edge is not known.

    Raises
    ------
    ValueError
        If shapes do not match, a centre is no index of a point, or `n_shells` is less than 1.

    Examples
    --------
    >>> row, col = np.mgrid[:9, :9]
    >>> points = 10.0 * np.column_stack([row.ravel(), col.ravel()])
    >>> labels = np.zeros(81, int)
    >>> labels[[40, 41]] = 1
    >>> found = environments(points, labels, [40, 41, 30], n_shells=1)
    >>> found.classes, found.counts
    (((1, ((0, 0, 0, 1),)), (0, ((0, 0, 0, 0),))), array([2, 1]))
    """
    positions = as_points(points)
    motif = np.asarray(labels)
    if motif.dtype.kind not in "iu" or motif.shape != (len(positions),):
        raise ValueError(
            f"`labels` must be {len(positions)} integers, one a point, got {motif.dtype} {motif.shape}."
        )
    chosen = _as_indices(centers, len(positions))
    shells = neighbor_shells(positions, chosen, n_shells, max_distance=max_distance)
    values, code = np.unique(motif, return_inverse=True)
    whole = np.flatnonzero(shells.complete.all(axis=1))
    # One row a centre: its label, then the rings, filled up by -1, so that rows sort as their tuples do.
    columns, widths = [code[chosen[whole]][:, None]], []
    for shell in range(n_shells):
        first, last = (shells.offsets[whole * n_shells + shell + k] for k in (0, 1))
        width = int((last - first).max(initial=0))
        place = first[:, None] + np.arange(width)
        there = place < last[:, None]
        labels_of_ring = np.full(there.shape, len(values))
        labels_of_ring[there] = code[shells.members[place[there]]]
        if not ordered:
            labels_of_ring.sort(axis=1)
        labels_of_ring[~there] = -1
        columns.append(_canonical_rows(labels_of_ring, mirror) if ordered else labels_of_ring)
        widths.append(width)
    kind, which, count = _unique_rows(np.concatenate(columns, axis=1))
    order = np.argsort(-count, kind="stable")
    of_center = np.full(len(chosen), -1, np.int64)
    of_center[whole] = np.argsort(order)[which]
    bounds = np.cumsum([1, *widths])
    parts = [np.split(row, bounds)[:-1] for row in kind[order]]
    named = [[tuple(values[part[part >= 0]].tolist()) for part in row] for row in parts]
    classes = tuple((center[0], tuple(rings)) for center, *rings in named)
    return Environments(classes, count[order], of_center, shells)


def _unique_rows(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the different rows, sorted, which of them each row is, and how often each occurs."""
    order = np.lexsort(table.T[::-1])
    ranked = table[order]
    new = np.ones(len(table), bool)
    new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    which = np.empty(len(table), np.int64)
    which[order] = np.cumsum(new) - 1
    return ranked[new], which, np.bincount(which, minlength=int(new.sum()))


def _canonical_rows(rings: NDArray[np.int64], mirror: bool) -> NDArray[np.int64]:
    """Return `_canonical` of every row; -1 fills rows up."""
    kind, which, _ = _unique_rows(rings)
    for row in kind:
        ring = _canonical(tuple(row[row >= 0].tolist()), mirror)
        row[: len(ring)] = ring
    return kind[which]


def _canonical(ring: Ring, mirror: bool) -> Ring:
    """Return the least of a cyclic sequence's rotations (and of its mirror image's)."""
    forms = (ring, ring[::-1]) if mirror else (ring,)
    return min((form[k:] + form[:k] for form in forms for k in range(len(form))), default=ring)


def _as_indices(centers: ArrayLike, n: int) -> NDArray[np.int64]:
    array = np.asarray(centers)
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.dtype.kind not in "iu" or array.ndim != 1 or array.min() < 0 or array.max() >= n:
        raise ValueError(f"`centers` must be indices of {n} points, got {array!r}.")
    return array.astype(np.int64)
