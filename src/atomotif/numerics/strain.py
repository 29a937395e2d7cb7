"""Strain and rotation as the gradient of displacement within a sublattice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import check_positive
from atomotif.numerics.displacement import as_sites
from atomotif.numerics.reduction import as_basis

_NORMAL = 1.4826  # standard deviation of a normal law over its median absolute value
# A plane has three parameters; one site to spare.
_LEAST_SITES = 4
# Least variance of the sites' places across the longest extent, so that they are not all in one row.
_LEAST_SPREAD = 0.03


@dataclass(frozen=True)
class Strain:
    """Strain and rotation at every point; x runs along the columns, y along the rows (downwards).

    Attributes
    ----------
    exx, eyy : ndarray of float64, shape (n,)
        Elongation along x and y, positive when longer than the reference; nan where it cannot be fitted.
    exy : ndarray of float64, shape (n,)
        Shear (tensor component), half the change of the angle between x and y, positive when it becomes
        acute.
    rotation : ndarray of float64, shape (n,)
        Radians, positive from columns towards rows.
    exx_error, eyy_error, exy_error : ndarray of float64, shape (n,)
        Standard deviations by the scatter of positions; that of the rotation equals that of the shear.
    sigma : float
        Standard deviation of a position along one axis that the errors rest on, px.
    """

    exx: NDArray[np.float64]
    eyy: NDArray[np.float64]
    exy: NDArray[np.float64]
    rotation: NDArray[np.float64]
    exx_error: NDArray[np.float64]
    eyy_error: NDArray[np.float64]
    exy_error: NDArray[np.float64]
    sigma: float


def strain(
    points: ArrayLike,
    index: ArrayLike,
    sublattice: ArrayLike,
    vectors: ArrayLike,
    *,
    window: float = 2.0,
    within: int | None = None,
    sigma: float | None = None,
) -> Strain:
    """Return strain and rotation at every point, relative to a reference lattice.

    Round each point a plane is fitted to the displacements of the sites of one sublattice by weighted least
    squares; its slopes are the displacement gradient. The strain is infinitesimal, with respect to the
    reference. Since only sites of one sublattice are compared, the rigid shift of a sublattice is no strain.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    index : array_like of int, shape (n, 2)
        Cell of each point.
    sublattice : array_like of int, shape (n,)
        Site in the cell; -1 for a point that has none: its strain is nan.
    vectors : array_like, shape (2, 2)
        Reference lattice vectors, as of `Reference.vectors` or `Lattice.vectors`.
    window : float, default 2.0
        Radius of the window in lengths of the longer vector. The weight of a site at distance d is
        ``(1 - (d / r)**2)**2`` with r a quarter of a vector more, so that sites at the rim count. Two
        vectors hold 13 sites of a square lattice. Errors shrink with the square of the radius;
        strain that varies within it is averaged.
    within : int, optional
        The sublattice whose displacements give the strain at all points, taken round its site in the
        point's own cell. By default each point's own sublattice. Where a sublattice is shifted in one
        domain only, the others are free of the apparent strain at the domain's wall.
    sigma : float, optional
        Standard deviation of a position along one axis, px. By default from the residuals at the centres of
        all fits (their median, corrected for the degrees of freedom).

    Returns
    -------
    Strain

    Raises
    ------
    ValueError
        If shapes do not match or a parameter is out of range.

    Examples
    --------
    >>> index = np.stack(np.meshgrid(range(6), range(6), indexing="ij"), -1).reshape(-1, 2)
    >>> points = index * [10.0, 10.1]
    >>> local = strain(points, index, np.zeros(36, dtype=int), 10.0 * np.eye(2))
    >>> float(local.exx[14].round(6)), float(abs(local.eyy[14]).round(6)), float(abs(local.exy[14]).round(6))
    (0.01, 0.0, 0.0)
    """
    positions, cell, site = as_sites(points, index, sublattice)
    basis = as_basis(vectors)
    reach = check_positive(window, "window") * float(np.hypot(*basis.T).max())
    result = np.full((len(positions), 6), np.nan)
    residual = np.full(positions.shape, np.nan)
    if within is None:
        for s in np.unique(site[site >= 0]):
            own = site == s
            result[own], residual[own] = _gradients(positions[own], cell[own], cell[own], basis, reach)
    else:
        own = site == within
        if within < 0 or not own.any():
            raise ValueError(f"`within` must be a sublattice that has points, got {within!r}.")
        on = site >= 0
        result[on], residual[on] = _gradients(positions[own], cell[own], cell[on], basis, reach)
        residual[~own] = np.nan
    if sigma is None:
        known = residual[np.isfinite(residual)]
        scatter = float(_NORMAL * np.median(np.abs(known))) if len(known) else float("nan")
    else:
        scatter = check_positive(sigma, "sigma")
    # Slopes: d(row)/d(row), d(row)/d(col), d(col)/d(row), d(col)/d(col), then variances for unit scatter.
    rr, rc, cr, cc, along_rows, along_cols = result.T
    return Strain(
        cc,
        rr,
        (rc + cr) / 2,
        (rc - cr) / 2,
        scatter * np.sqrt(along_cols),
        scatter * np.sqrt(along_rows),
        scatter * np.sqrt(along_rows + along_cols) / 2,
        scatter,
    )


def _gradients(
    points: NDArray[np.float64],
    cell: NDArray[np.int64],
    at: NDArray[np.int64],
    basis: NDArray[np.float64],
    reach: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes, their variances for unit scatter, and the residuals at the centres, standardised.

    The columns of the first result are d(row)/d(row), d(row)/d(col), d(col)/d(row), d(col)/d(col), the
    variance of a slope along the rows, and along the columns.
    """
    radius = reach + 0.25 * float(np.hypot(*basis.T).max())
    steps = _within(basis, radius)
    pad = np.abs(steps).max(axis=0)
    low = np.minimum(cell.min(axis=0), at.min(axis=0)) - pad
    size = np.maximum(cell.max(axis=0), at.max(axis=0)) + pad + 1 - low
    stride = np.array([size[1], 1])
    flat = (cell - low) @ stride
    count = np.bincount(flat, minlength=size.prod())
    moved = points - cell @ basis
    middle = moved.mean(axis=0)
    # Several points that claim one site count as one, at their mean.
    sums = [np.bincount(flat, x, size.prod()) / np.maximum(count, 1) for x in (moved - middle).T]
    table = np.stack(sums, axis=1)
    center = (at - low) @ stride
    n = len(at)
    normal, square, right = np.zeros((n, 3, 3)), np.zeros((n, 3, 3)), np.zeros((n, 3, 2))
    number = np.zeros(n, dtype=np.int64)
    for step in steps:
        # In units of the radius, so that all terms are of one size.
        place = step @ basis / radius
        weight = (1 - place @ place) ** 2
        term = np.array([1.0, *place])
        other = center + step @ stride
        there = count[other] > 0
        number += there
        normal += (weight * there)[:, None, None] * np.outer(term, term)
        square += (weight**2 * there)[:, None, None] * np.outer(term, term)
        right += weight * term[None, :, None] * (table[other] * there[:, None])[:, None, :]
    total = np.maximum(normal[:, 0, 0], 1e-300)
    mean = normal[:, 0, 1:] / total[:, None]
    spread = normal[:, 1:, 1:] / total[:, None, None] - mean[:, :, None] * mean[:, None, :]
    extent = np.linalg.eigvalsh(spread)
    fitted = np.flatnonzero((number >= _LEAST_SITES) & (extent[:, 0] > _LEAST_SPREAD * extent[:, 1]))
    result, residual = np.full((n, 6), np.nan), np.full((n, 2), np.nan)
    inverse = np.linalg.inv(normal[fitted])
    plane = inverse @ right[fitted]
    variance = inverse @ square[fitted] @ inverse
    slopes = plane[:, 1:] / radius
    result[fitted, :4] = slopes.transpose(0, 2, 1).reshape(-1, 4)
    result[fitted, 4:] = np.stack([variance[:, 1, 1], variance[:, 2, 2]], axis=1) / radius**2
    # The centre has weight 1: its residual varies less by its own pull on the plane.
    freedom = 1 - 2 * inverse[:, 0, 0] + variance[:, 0, 0]
    known = (freedom > 0.1) & (count[center[fitted]] > 0)
    off = table[center[fitted[known]]] - plane[known, 0]
    residual[fitted[known]] = off / np.sqrt(freedom[known])[:, None]
    return result, residual


def _within(basis: NDArray[np.float64], radius: float) -> NDArray[np.int64]:
    """Integer steps of less than `radius` px."""
    # The height of the cell over one vector bounds the steps along the other.
    area = abs(np.linalg.det(basis))
    far = np.ceil(radius * np.hypot(*basis[::-1].T) / area).astype(np.int64)
    grid = np.stack(np.meshgrid(*[np.arange(-k, k + 1) for k in far], indexing="ij"), axis=-1).reshape(-1, 2)
    kept: NDArray[np.int64] = grid[np.hypot(*(grid @ basis).T) < radius]
    return kept
