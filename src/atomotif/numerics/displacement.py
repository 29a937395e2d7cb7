"""Displacement of columns from one reference lattice, fitted to a region."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points

# Residuals beyond this many standard deviations count less (Huber): 95 % efficient on normal scatter.
_HUBER = 1.345
_ROUNDS = 30


@dataclass(frozen=True)
class Reference:
    """One rigid lattice: the ideal position of a site is ``offsets[sublattice] + index @ vectors``.

    Attributes
    ----------
    vectors : ndarray of float64, shape (2, 2)
        Cell vectors as rows, (d_row, d_col) px.
    offsets : ndarray of float64, shape (S, 2)
        Mean position of each sublattice's site in cell (0, 0), (row, col) px; nan for a sublattice that has
        no points.
    scatter : float
        Standard deviation of the region's positions about the lattice along one axis, px, robust.
    """

    vectors: NDArray[np.float64]
    offsets: NDArray[np.float64]
    scatter: float


def displacement(
    points: ArrayLike,
    index: ArrayLike,
    sublattice: ArrayLike,
    *,
    region: ArrayLike | None = None,
    fractions: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], Reference]:
    """Return the displacement of every column from one lattice that is fitted to a region.

    Vectors and one offset for each sublattice are fitted together by least squares with Huber's weights
    (iterated), so that defects and a minority phase in the region do not pull on the lattice. The offsets
    hold where the sublattices are in the region: a rigid shift of one of them elsewhere, as by polarisation,
    is displacement.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    index : array_like of int, shape (n, 2)
        Cell of each point.
    sublattice : array_like of int, shape (n,)
        Site in the cell; -1 for a point that has none.
    region : array_like of bool, shape (n,), optional
        Points that the reference is fitted to. By default all.
    fractions : array_like, shape (S, 2), optional
        Sites in the cell. Sublattices with no point in the region are placed by these; without them that
        is an error.

    Returns
    -------
    displacement : ndarray of float64, shape (n, 2)
        (d_row, d_col) px from the ideal to the found position; nan where `sublattice` is -1.
    reference : Reference

    Raises
    ------
    ValueError
        If shapes do not match, the region does not span two directions, or a sublattice cannot be placed.

    Examples
    --------
    >>> index = np.stack(np.meshgrid(range(6), range(6), indexing="ij"), -1).reshape(-1, 2)
    >>> points = index * 10.0
    >>> points[7] += [0.5, 0.0]
    >>> moved, reference = displacement(points, index, np.zeros(36, dtype=int))
    >>> moved[7].round(2).tolist(), reference.vectors.round(2).tolist()
    ([0.5, 0.0], [[10.0, 0.0], [0.0, 10.0]])
    """
    positions, cell, site = as_sites(points, index, sublattice)
    used = site >= 0
    if region is not None:
        mask = np.asarray(region)
        if mask.dtype != np.bool_ or mask.shape != site.shape:
            raise ValueError(
                f"`region` must be one bool a point, shape {site.shape}, "
                f"got dtype {mask.dtype} and shape {mask.shape}."
            )
        used &= mask
    kinds, number = np.unique(site[used], return_inverse=True)
    vectors, places, scatter = _fit(positions[used], cell[used], number, len(kinds))
    given = None if fractions is None else as_points(fractions, "fractions")
    offsets = np.full((max(site.max(initial=-1) + 1, 0 if given is None else len(given)), 2), np.nan)
    offsets[kinds] = places
    absent = np.setdiff1d(site[site >= 0], kinds)
    if len(absent):
        if given is None or len(given) <= absent.max():
            raise ValueError(
                "`region` must hold points of every sublattice unless `fractions` are given for all of them, "
                f"got none of sublattice {int(absent[0])}."
            )
        offsets[absent] = given[absent] @ vectors + (places - given[kinds] @ vectors).mean(axis=0)
    moved = np.full(positions.shape, np.nan)
    on = site >= 0
    moved[on] = positions[on] - offsets[site[on]] - cell[on] @ vectors
    return moved, Reference(vectors, offsets, scatter)


def _fit(
    points: NDArray[np.float64], cell: NDArray[np.int64], site: NDArray[np.int64], n_sites: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Vectors, offsets and scatter by iteratively reweighted least squares with Huber's weights."""
    if len(points) < 4 + 2 * n_sites:
        raise ValueError(
            f"`region` must hold at least {4 + 2 * n_sites} points on sites to fit a lattice of {n_sites} "
            f"sublattices to, got {len(points)}."
        )
    weight = np.ones(len(points))
    scatter = np.inf
    for _ in range(_ROUNDS):
        total = np.bincount(site, weight, n_sites)[:, None]
        place = np.stack([np.bincount(site, weight * x, n_sites) for x in points.T], axis=1) / total
        middle = np.stack([np.bincount(site, weight * x, n_sites) for x in cell.T], axis=1) / total
        arm = cell - middle[site]
        moment = (arm * weight[:, None]).T @ arm
        if not np.linalg.det(moment) > 1e-9 * np.trace(moment) ** 2:
            raise ValueError("`region` must hold points of one sublattice in more than one row of cells.")
        vectors = np.linalg.solve(moment, (arm * weight[:, None]).T @ (points - place[site]))
        distance = np.hypot(*(points - place[site] - arm @ vectors).T)
        before = scatter
        # The median of the length of a normal vector in the plane is 1.1774 standard deviations.
        scatter = float(np.median(distance)) / 1.1774
        limit = _HUBER * np.sqrt(2) * max(scatter, 1e-9 * np.abs(vectors).max())
        weight = np.minimum(1.0, limit / np.maximum(distance, limit * 1e-3))
        if abs(before - scatter) <= 1e-6 * scatter:
            break
    return np.asarray(vectors, dtype=np.float64), place - middle @ vectors, scatter


def as_sites(
    points: ArrayLike, index: ArrayLike, sublattice: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return points, cells and sites as checked arrays.

    Examples
    --------
    >>> as_sites([[0, 0]], [[3, 4]], [0])[1:]
    (array([[3, 4]]), array([0]))
    """
    positions = as_points(points)
    cell, site = np.asarray(index), np.asarray(sublattice)
    if cell.dtype.kind not in "iu" or cell.shape != positions.shape:
        raise ValueError(
            f"`index` must be integers of shape {positions.shape}, "
            f"got dtype {cell.dtype} and shape {cell.shape}."
        )
    if site.dtype.kind not in "iu" or site.shape != positions.shape[:1]:
        raise ValueError(
            f"`sublattice` must be integers of shape {positions.shape[:1]}, "
            f"got dtype {site.dtype} and shape {site.shape}."
        )
    return positions, cell.astype(np.int64), site.astype(np.int64)
