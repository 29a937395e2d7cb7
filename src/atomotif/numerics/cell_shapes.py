"""Shape of every cell against the mean cell: sides, angles, area."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points
from atomotif.numerics.voronoi import polygon_areas

__all__ = ["CellDistortion", "cell_distortion"]

# Candidates for the first reference, spread evenly; rounds of averaging at most, and the change of the
# mean cell (relative to its size) at which they end.
_CANDIDATES = 32
_ROUNDS = 50
_SETTLED = 1e-10


class CellDistortion(NamedTuple):
    """What `cell_distortion` returns; NaN where a cell is cut or has another number of corners."""

    n_corners: int
    """Number of corners K of the mean cell: the most frequent one among the inner cells."""
    mean_cell: NDArray[np.float64]
    """Corners of the mean cell about its centroid, shape (K, 2) as (row, col) px."""
    start: NDArray[np.int64]
    """Which corner of every cell matches the first one of the mean cell, -1 for none, shape (n_cells,)."""
    rotation: NDArray[np.float64]
    """Angle from the mean cell to every cell, radians from columns towards rows, shape (n_cells,)."""
    sides: NDArray[np.float64]
    """Side lengths minus those of the mean cell, px, shape (n_cells, K); side k leads from corner k to k +
    1."""
    angles: NDArray[np.float64]
    """Interior angles minus those of the mean cell, radians, shape (n_cells, K)."""
    area: NDArray[np.float64]
    """Area minus that of the mean cell, px², shape (n_cells,); of every inner cell."""
    distortion: NDArray[np.float64]
    """Root mean square distance of the corners from those of the mean cell, once moved and turned onto it,
    over the square root of its area, shape (n_cells,): 0 for equal cells, 0.05 for corners that are off by
    a twentieth of a cell."""


def cell_distortion(corners: ArrayLike, offsets: ArrayLike, border: ArrayLike) -> CellDistortion:
    """Return how much the shape of every inner cell differs from the mean cell.

    Parameters
    ----------
    corners : array_like, shape (n_corners, 2)
        Corners of all cells as (row, col) px, in order around each cell, as `voronoi_cells` gives them.
    offsets : array_like of int, shape (n_cells + 1,)
        Where each cell's corners start.
    border : array_like of bool, shape (n_cells,)
        Cells to leave out.

    Returns
    -------
    CellDistortion

    Raises
    ------
    ValueError
        If shapes do not match, or there is no inner cell.

    Notes
    -----
    Distortion map: Dan et al. (2022), fig. S17. Cells are moved to their centroids (of area) and turned, with
    the first corner that fits best, onto a reference: first the one of up to 32 cells, spread evenly, that
    the others fit best, then their mean, until it settles (generalised Procrustes analysis, without scaling,
    which would hide changes of area, and without mirroring). A mean that departs from one with a rotation
    axis by less than the cells scatter (root mean square of the corners) is taken as symmetric: choosing the
    best of several equivalent first corners would favour, round after round, whatever scatter began with, and
    a field of regular hexagons would have a mean of unequal sides. Of equivalent corners the first one listed
    is `start`. With complex corners z and reference m the fit
    of a shift s is |sum of conj(m_k) z_(k+s)|; its phase is the rotation.

    Examples
    --------
    >>> square = np.array([[0, 0], [0, 10], [10, 10], [10, 0]])
    >>> found = cell_distortion([*square, *(square + 20), *(2 * square)], [0, 4, 8, 12], [False] * 3)
    >>> found.sides.round(2)[:, 0], np.abs(found.angles).max().round(2)
    (array([-3.33, -3.33,  6.67]), np.float64(0.0))
    """
    points = as_points(corners, "corners")
    starts = np.asarray(offsets, np.int64)
    cut = np.asarray(border, bool)
    if starts.ndim != 1 or len(starts) != len(cut) + 1 or starts[0] != 0 or starts[-1] != len(points):
        raise ValueError(
            f"`offsets` must lead from 0 to {len(points)} corners over {len(cut)} cells, "
            f"got shape {starts.shape}."
        )
    number = np.diff(starts)
    if cut.all():
        raise ValueError(f"`border` must leave at least 1 inner cell, got {len(cut)} border cells.")
    k = int(np.bincount(number[~cut]).argmax())
    if k < 3:
        raise ValueError(f"`corners` must form polygons, got {k} corners for most cells.")
    rows = np.flatnonzero(~cut & (number == k))
    z = points[starts[rows][:, None] + np.arange(k)] @ np.array([1j, 1])
    z = z - _centroids(z)[:, None]

    mean = _first_reference(z)
    for _ in range(_ROUNDS):
        previous = mean
        shift, turn = _fit(z, mean)
        aligned = _shifted(z, shift) * np.exp(-1j * turn)[:, None]
        mean = _symmetrised(aligned.mean(axis=0), aligned)
        if np.abs(mean - previous).max() < _SETTLED * np.abs(mean).max():
            break
    shift, turn = _fit(z, mean)
    own = _shifted(z, shift)
    aligned = own * np.exp(-1j * turn)[:, None]
    size = float(_area(mean[None])[0])

    result = {name: np.full((len(cut), k), np.nan) for name in ("sides", "angles")}
    result["sides"][rows] = _sides(own) - _sides(mean[None])
    result["angles"][rows] = _angles(own) - _angles(mean[None])
    area = np.where(cut, np.nan, polygon_areas(points, starts) - size)
    start = np.full(len(cut), -1, np.int64)
    start[rows] = shift
    rotation, distortion = np.full(len(cut), np.nan), np.full(len(cut), np.nan)
    rotation[rows] = turn
    distortion[rows] = np.sqrt((np.abs(aligned - mean) ** 2).mean(axis=1) / size)
    mean_cell = np.stack([mean.imag, mean.real], axis=1)
    return CellDistortion(k, mean_cell, start, rotation, result["sides"], result["angles"], area, distortion)


Complexes = NDArray[np.complex128]


def _fit(z: Complexes, reference: Complexes) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the first corner and the rotation with which each polygon fits the reference best."""
    k = z.shape[1]
    match = np.stack([np.roll(z, -s, axis=1) @ reference.conj() for s in range(k)], axis=1)
    # Of shifts that fit alike (a regular polygon) the first: rounding must not choose.
    strength = np.abs(match)
    shift = np.argmax(strength >= strength.max(axis=1, keepdims=True) * (1 - 1e-12), axis=1)
    return shift, np.angle(match[np.arange(len(z)), shift])


def _symmetrised(mean: Complexes, aligned: Complexes) -> Complexes:
    """Return the mean with the rotation axis of highest order that it has within the scatter of the cells."""
    k = len(mean)
    # A q-fold polygon consists of the frequencies 1, 1 + q, 1 + 2 q ... round its corners.
    part = np.fft.fft(mean) / k
    frequency = np.arange(k)
    scatter = float(np.median((np.abs(aligned - mean) ** 2).mean(axis=1)))
    exact = _SETTLED**2 * float((np.abs(part) ** 2).sum())
    for q in range(k, 1, -1):
        if k % q == 0:
            odd = frequency % q != 1
            if (np.abs(part[odd]) ** 2).sum() <= max(scatter, exact):
                return np.asarray(np.fft.ifft(np.where(odd, 0, part) * k))
    return mean


def _first_reference(z: Complexes) -> Complexes:
    """Return the polygon, among some spread evenly, that the others fit best."""
    chosen = np.unique(np.linspace(0, len(z) - 1, min(_CANDIDATES, len(z))).round().astype(int))
    best: Complexes = z[chosen[0]]
    least = np.inf
    for candidate in z[chosen]:
        shift, turn = _fit(z[chosen], candidate)
        aligned = _shifted(z[chosen], shift) * np.exp(-1j * turn)[:, None]
        misfit = float(np.median(np.abs(aligned - candidate) ** 2))
        if misfit < least * (1 - 1e-12):
            best, least = candidate, misfit
    return np.asarray(best)


def _shifted(z: Complexes, shift: NDArray[np.int64]) -> Complexes:
    k = z.shape[1]
    return np.asarray(np.take_along_axis(z, (shift[:, None] + np.arange(k)) % k, axis=1))


def _area(z: Complexes) -> NDArray[np.float64]:
    return np.asarray((z.conj() * np.roll(z, -1, axis=1)).imag.sum(axis=1) / 2)


def _centroids(z: Complexes) -> Complexes:
    """Return the centroids of area."""
    origin = z.mean(axis=1)
    z = z - origin[:, None]
    after = np.roll(z, -1, axis=1)
    cross = (z.conj() * after).imag
    return np.asarray(origin + ((z + after) * cross).sum(axis=1) / (3 * cross.sum(axis=1)))


def _sides(z: Complexes) -> NDArray[np.float64]:
    return np.abs(np.roll(z, -1, axis=1) - z)


def _angles(z: Complexes) -> NDArray[np.float64]:
    """Return the interior angles, 0 ... 2 pi."""
    to_next, to_last = np.roll(z, -1, axis=1) - z, np.roll(z, 1, axis=1) - z
    return np.angle(to_last * to_next.conj()) % (2 * np.pi)
