"""Symmetry operations of a lattice of labelled sites, as integer maps of the sites' indices."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import check_positive

__all__ = ["Operations", "crystal_operations", "four_fold_of_index", "identity", "is_group", "reduced_basis"]


class Operations(NamedTuple):
    """Maps of the sites of a lattice onto themselves, each up to a lattice translation.

    Operation n takes a site with the integer index `x` on sublattice `s` to the index
    ``x @ matrix[n] + shift[n, s]`` on sublattice ``perm[n, s]``.

    Parameters
    ----------
    matrix : ndarray of int64, shape (k, 2, 2)
        Unimodular; acts on indices as rows.
    perm : ndarray of int64, shape (k, S)
        Sublattice that each sublattice is taken to.
    shift : ndarray of int64, shape (k, S, 2)
        Whole cells added, by sublattice; 0 for sublattice 0, since translations are divided out.
    """

    matrix: NDArray[np.int64]
    perm: NDArray[np.int64]
    shift: NDArray[np.int64]


def identity(n_kinds: int = 1) -> Operations:
    """Return the identity alone: items are compared up to translation.

    Parameters
    ----------
    n_kinds : int, default 1
        Number of sublattices, S.

    Returns
    -------
    Operations

    Examples
    --------
    >>> identity(2).perm
    array([[0, 1]])
    """
    perm = np.arange(n_kinds, dtype=np.int64)[None]
    return Operations(np.eye(2, dtype=np.int64)[None], perm, np.zeros((1, n_kinds, 2), np.int64))


def four_fold_of_index() -> Operations:
    """Return the rotations by 90 degrees of the grid of indices, the paper's rule (Methods) for cells.

    On a lattice that is not square these are no symmetries of the crystal.

    Returns
    -------
    Operations
        Four, by rising angle, for items of one kind.

    Examples
    --------
    >>> (np.array([3, 1]) @ four_fold_of_index().matrix).tolist()
    [[3, 1], [-1, 3], [-3, -1], [1, -3]]
    """
    quarter = np.array([[0, 1], [-1, 0]])
    matrix = np.stack([np.linalg.matrix_power(quarter, power) for power in range(4)]).astype(np.int64)
    return Operations(matrix, np.zeros((4, 1), np.int64), np.zeros((4, 1, 2), np.int64))


def crystal_operations(
    vectors: ArrayLike,
    fractions: ArrayLike,
    majority: ArrayLike,
    *,
    mirrors: bool = False,
    tolerance: float = 0.1,
    max_strain: float = 0.05,
) -> Operations:
    """Return the symmetry operations of a crystal, from its lattice and the usual state of its sublattices.

    They are the rotations, if wanted also the mirrors and glides, of the plane group, up to lattice
    translations. A translation by a part of the cell that maps the pattern onto itself (the cell is not
    primitive) counts as an operation, too. The result is always a group: of operations that pass the
    tolerances but not their products, the worst are left out.

    Parameters
    ----------
    vectors : array_like, shape (2, 2)
        Lattice vectors as rows, (row, col) px each; any basis of the lattice.
    fractions : array_like, shape (S, 2)
        Position of each sublattice in the cell, in lattice vectors.
    majority : array_like of int, shape (S,)
        Usual state of each sublattice; only sublattices of one state are mapped onto each other.
    mirrors : bool, default False
        Whether mirrors and glides count. By default what differs by its handedness stays distinct.
    tolerance : float, default 0.1
        Sites coincide within this many distances of nearest sites, the best translation taken off. Positions
        averaged over a sublattice are better than that. A half turn doubles the shift of a polar
        sublattice, so that shifts of some 7 % count (PbTiO3 has 15 %, BaTiO3 5 %).
    max_strain : float, default 0.05
        Greatest change of a length that an operation may make. Strain and scan distortion leave measured
        vectors symmetric to 1 to 3 % only, while crystals that are nearly square and are not differ by
        6 % or more (PbTiO3, SnSe). Once the rotations are known, mirrors and sites are compared in the
        metric averaged over the rotations.

    Returns
    -------
    Operations
        The identity first, then rotations by rising angle (columns towards rows), then mirrors.

    Raises
    ------
    ValueError
        If the vectors are not two independent ones, or a shape does not fit.

    Examples
    --------
    A honeycomb of two elements has three rotations, of one element six.

    >>> hexagonal = [[0.0, 20.0], [17.32, 10.0]]
    >>> sites = [[0.0, 0.0], [1 / 3, 1 / 3]]
    >>> [len(crystal_operations(hexagonal, sites, kinds).matrix) for kinds in ([0, 1], [0, 0])]
    [3, 6]
    >>> len(crystal_operations(hexagonal, sites, [0, 1], mirrors=True).matrix)
    6
    """
    basis = reduced_basis(vectors)
    rows = np.asarray(vectors, np.float64)
    sites = np.asarray(fractions, np.float64)
    state = np.asarray(majority)
    if sites.ndim != 2 or sites.shape[1] != 2 or len(sites) == 0:
        raise ValueError(f"`fractions` must have shape (S, 2), S at least 1, got shape {sites.shape}.")
    if state.shape != (len(sites),):
        raise ValueError(
            f"`majority` must have one value for each of {len(sites)} sublattices, got shape {state.shape}."
        )
    check_positive(tolerance, "tolerance")
    check_positive(max_strain, "max_strain")
    back = np.linalg.inv(basis).round().astype(np.int64)
    matrices, root = _point_group(basis @ rows, mirrors, max_strain)
    label = np.unique(state, return_inverse=True)[1]
    reduced = _labelled(matrices, root, sites @ back, label, tolerance)
    found = Operations(back @ reduced.matrix @ basis, reduced.perm, reduced.shift @ basis)
    turn = np.linalg.inv(rows) @ found.matrix @ rows
    sense = np.sign(np.linalg.det(turn))
    angle = np.arctan2(turn[:, 1, 0] - sense * turn[:, 0, 1], turn[:, 0, 0] + sense * turn[:, 1, 1])
    keys = [*found.perm.T[::-1], np.rad2deg(angle).round() % 360, -sense]
    return Operations(*(part[np.lexsort(keys)] for part in found))


def is_group(operations: Operations) -> bool:
    """Return whether the product of any two operations is one of them, up to a translation.

    Only then are being equal up to an operation and canonical forms well defined.

    Examples
    --------
    >>> is_group(four_fold_of_index()), is_group(Operations(*(part[:2] for part in four_fold_of_index())))
    (True, False)
    """
    known = {_name(*operation) for operation in zip(*operations)}
    return all(
        _name(first[0] @ second[0], second[1][first[1]], first[2] @ second[0] + second[2][first[1]]) in known
        for first in zip(*operations)
        for second in zip(*operations)
    )


def reduced_basis(vectors: ArrayLike) -> NDArray[np.int64]:
    """Return the integer matrix B for which the rows of ``B @ vectors`` are shortest lattice vectors.

    Lagrange's reduction: the first is a shortest vector of the lattice, the second a shortest one of those
    that are independent of it.

    Parameters
    ----------
    vectors : array_like, shape (2, 2)
        Lattice vectors as rows.

    Returns
    -------
    ndarray of int64, shape (2, 2)
        Unimodular.

    Raises
    ------
    ValueError
        If the vectors are not two finite, independent ones.

    Examples
    --------
    >>> reduced_basis([[0.0, 10.0], [11.0, 30.0]])
    array([[ 1,  0],
           [-3,  1]])
    """
    rows = np.array(vectors, np.float64)
    if rows.shape != (2, 2) or not np.isfinite(rows).all():
        raise ValueError(f"`vectors` must be a finite array of shape (2, 2), got {vectors!r}.")
    if abs(np.linalg.det(rows)) <= 1e-9 * np.linalg.norm(rows) ** 2:
        raise ValueError(f"`vectors` must be independent, got {vectors!r}.")
    basis = np.eye(2, dtype=np.int64)
    while True:
        if rows[1] @ rows[1] < (1 - 1e-9) * (rows[0] @ rows[0]):
            rows, basis = rows[::-1].copy(), basis[::-1].copy()
        ratio = rows[0] @ rows[1] / (rows[0] @ rows[0])
        # The slack keeps ties, as in hexagonal lattices, from turning for ever.
        if abs(ratio) <= 0.5 + 1e-9:
            return basis
        times = round(ratio)
        rows[1] -= times * rows[0]
        basis[1] -= times * basis[0]


def _name(matrix: NDArray[np.int64], perm: NDArray[np.int64], shift: NDArray[np.int64]) -> bytes:
    """Return a name that operations share if they differ by a translation."""
    return bytes(matrix.tobytes() + perm.tobytes() + (shift - shift[0]).tobytes())


def _point_group(
    root: NDArray[np.float64], mirrors: bool, max_strain: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the matrices that keep the metric of a reduced basis, and a basis they keep exactly."""
    entries = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 4, indexing="ij"), -1).reshape(-1, 2, 2)
    sense = entries[:, 0, 0] * entries[:, 1, 1] - entries[:, 0, 1] * entries[:, 1, 0]
    group = _closed(entries[sense == 1], np.empty((0, 2, 2), np.int64), root, max_strain)
    root = _averaged(root, group)
    if mirrors:
        group = _closed(entries[sense == -1], group, root, max_strain)
        root = _averaged(root, group)
    return group, root


def _closed(
    candidates: NDArray[np.int64], known: NDArray[np.int64], root: NDArray[np.float64], max_strain: float
) -> NDArray[np.int64]:
    """Add to `known` as many candidates as strain little and make a group."""
    stretch = np.linalg.svd(np.linalg.inv(root) @ candidates @ root, compute_uv=False)[:, 0] - 1
    limit = max_strain
    while True:
        kept = stretch <= limit
        group = np.concatenate([known, candidates[kept]])
        k = len(group)
        if is_group(Operations(group, np.zeros((k, 1), np.int64), np.zeros((k, 1, 2), np.int64))):
            return group
        limit = stretch[kept].max() - 1e-9  # an operation and its inverse strain alike


def _averaged(root: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a basis with the metric averaged over a group."""
    metric = (group @ (root @ root.T) @ group.transpose(0, 2, 1)).mean(axis=0)
    return np.asarray(np.linalg.cholesky(metric))


def _labelled(
    matrices: NDArray[np.int64],
    root: NDArray[np.float64],
    sites: NDArray[np.float64],
    label: NDArray[np.int64],
    tolerance: float,
) -> Operations:
    """Return the operations that map the labelled sites of a reduced cell onto sites of the same label."""
    around = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
    apart = sites[:, None] - sites[None]
    distance = np.linalg.norm(((apart - apart.round())[:, :, None] + around) @ root, axis=-1)
    limit = tolerance * distance[distance > 1e-9 * root[0, 0]].min()
    rarest = np.bincount(label).argmin()
    targets = np.flatnonzero(label == rarest)
    found, worst = [], []
    for matrix in matrices:
        image = sites @ matrix
        for target in targets:
            moved = image + sites[target] - image[targets[0]]
            apart = moved[:, None] - sites[None]
            length = np.linalg.norm((apart - apart.round()) @ root, axis=-1)
            perm = np.where(label[:, None] == label, length, np.inf).argmin(axis=1)
            shift = (moved - sites[perm]).round()
            misfit = (moved - sites[perm] - shift) @ root
            misfit -= misfit.mean(axis=0)
            if np.unique(perm).size == perm.size and np.hypot(*misfit.T).max() <= limit:
                found.append((matrix, perm, (shift - shift[0]).astype(np.int64)))
                worst.append(np.hypot(*misfit.T).max())
    misfits = np.array(worst)
    while True:
        group = Operations(*(np.array(part) for part in zip(*found)))
        if is_group(group):
            return group
        kept = misfits < misfits.max() - 1e-9 * root[0, 0]
        found, misfits = [one for one, keep in zip(found, kept) if keep], misfits[kept]
