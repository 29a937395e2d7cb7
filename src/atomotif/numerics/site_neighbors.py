"""Which sites of a lattice are neighbours, as offsets of their integer indices."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif.numerics.crystal_operations import Operations, reduced_basis

__all__ = ["near_offsets", "von_neumann_offsets"]


def von_neumann_offsets() -> NDArray[np.int64]:
    """Return the neighbours (i +- 1, j) and (i, j +- 1) of a cell, the paper's rule (Methods).

    Returns
    -------
    ndarray of int64, shape (4, 4)
        Rows (di, dj, kind, kind of the neighbour), as `near_offsets` returns them.

    Examples
    --------
    >>> von_neumann_offsets()[:, :2].tolist()
    [[-1, 0], [0, -1], [0, 1], [1, 0]]
    """
    return np.array([[-1, 0, 0, 0], [0, -1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]], np.int64)


def near_offsets(
    vectors: ArrayLike,
    fractions: ArrayLike,
    tolerance: float = 0.1,
    operations: Operations | None = None,
) -> NDArray[np.int64]:
    """Return which sites are neighbours: no farther apart than the shortest lattice vectors.

    Sites nearer than that count, too, such as a metal and the chalcogen columns around it.

    Parameters
    ----------
    vectors : array_like, shape (2, 2)
        Lattice vectors as rows; any basis.
    fractions : array_like, shape (S, 2)
        Position of each sublattice in the cell, in lattice vectors.
    tolerance : float, default 0.1
        Share by which the separation may exceed the shortest lattice vector: well above strain and scan
        distortion (1 to 3 %) and well below the next distances of the square (41 %) and hexagonal (73 %)
        lattice.
    operations : Operations, optional
        Symmetry of the crystal: pairs that it maps onto neighbours are neighbours, too. Measured vectors and
        fractions are only nearly symmetric, and a separation at the limit could count in one direction only.
        If the cell is not primitive, translations by a part of it are lattice vectors, too.

    Returns
    -------
    ndarray of int64, shape (k, 4)
        Rows (di, dj, s, t): site (i, j, s) adjoins site (i + di, j + dj, t). Sorted, both directions.

    Examples
    --------
    A metal column of MX2 has 6 metal and 3 chalcogen neighbours.

    >>> near = near_offsets([[0.0, 20.0], [17.32, 10.0]], [[0.0, 0.0], [1 / 3, 1 / 3]])
    >>> [int(((near[:, 2] == 0) & (near[:, 3] == kind)).sum()) for kind in (0, 1)]
    [6, 3]
    """
    basis = reduced_basis(vectors)
    root = basis.astype(np.float64) @ np.asarray(vectors, np.float64)
    sites = np.asarray(fractions, np.float64) @ np.linalg.inv(basis)
    shortest = float(np.linalg.norm(root[0]))
    if operations is not None:
        shortest = min(shortest, _part_translation(sites, root, operations))
    limit = (1 + tolerance) * shortest
    # In a reduced cell a vector of n cells is at least sqrt(3) / 2 of n shortest vectors long.
    reach = np.arange(-int(1.16 * (1 + tolerance) + 0.5), int(1.16 * (1 + tolerance) + 0.5) + 1)
    steps = np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1).reshape(-1, 2)
    apart = sites[None, :] - sites[:, None]
    whole = steps - apart.round().astype(np.int64)[:, :, None]
    distance = np.linalg.norm((whole + apart[:, :, None]) @ root, axis=-1)
    s, t, step = np.nonzero((distance > 1e-6 * limit) & (distance <= limit))
    near = np.column_stack([whole[s, t, step] @ basis, s, t])
    if operations is not None:
        shift = operations.shift[:, t] - operations.shift[:, s]
        moved = near[:, :2] @ operations.matrix + shift
        kinds = np.stack([operations.perm[:, s], operations.perm[:, t]], axis=-1)
        near = np.concatenate([moved, kinds], axis=-1).reshape(-1, 4)
    return np.unique(near, axis=0)


def _part_translation(sites: NDArray[np.float64], root: NDArray[np.float64], operations: Operations) -> float:
    """Return the length of the shortest translation by a part of the reduced cell, px; infinite if none."""
    pure = (operations.matrix == np.eye(2, dtype=np.int64)).all(axis=(1, 2))
    apart = sites[operations.perm[pure, 0]] - sites[0]
    around = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), axis=-1).reshape(-1, 2)
    length = np.linalg.norm(((apart - apart.round())[:, None] + around) @ root, axis=-1)
    return float(length[operations.perm[pure, 0] != 0].min(initial=np.inf))
