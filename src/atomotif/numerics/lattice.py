"""The lattice of labelled points: cell vectors, sites, and the cell and site of every point."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points, check_positive
from atomotif.numerics._frame import Frame, add_sites, claim, grow_frame, refusal
from atomotif.numerics._grains import refuse_grains
from atomotif.numerics._growth import smooth_field
from atomotif.numerics.reduction import as_basis
from atomotif.numerics.spacing import nearest_neighbor_distance
from atomotif.numerics.translations import LEAST_SHARE, Field, find_basis, follow, make_field

_LEAST_POINTS = 16


@dataclass(frozen=True)
class Lattice:
    """A lattice, its sites, and the cell and site of every point.

    A point on a site lies at ``origin + (index + fractions[sublattice]) @ vectors + drift + residual``.

    Attributes
    ----------
    vectors : ndarray of float64, shape (2, 2)
        Cell vectors a, b as rows, (d_row, d_col) px, by least squares over all points on sites. Reduced and
        right-handed (see `reduce_basis`), unless given or multiplied by a supercell.
    origin : ndarray of float64, shape (2,)
        (row, col) px of the corner of cell (0, 0). Along each vector the cells' borders lie in the middle
        of the widest gap between columns, so that they cut none; the least index is 0.
    fractions : ndarray of float64, shape (S, 2)
        Sites in the cell, in [0, 1) of a and b, ordered by a, then b.
    index : ndarray of int64, shape (n, 2)
        Cell of every point; of a point on a site the cell of that site, of any other the cell around it.
    sublattice : ndarray of int64, shape (n,)
        Site in the cell that the point claims, -1 for none: an interstitial or surplus point, or one that
        is farther than the tolerance from its site. Several points may claim one site.
    drift : ndarray of float64, shape (n, 2)
        Slowly varying displacement from the rigid lattice at each point, px.
    residual : ndarray of float64, shape (n, 2)
        The rest, px: scatter of the position within its surroundings; nan off sites.
    quality : float
        Share of the points on sites, times one less the mean square residual over that of points spread
        evenly in the discs of tolerance: 1 for exact positions, 0 for points that know nothing of the
        lattice. Below `min_quality` no lattice is returned.
    spacing : float
        Median nearest-neighbour distance, px.
    tolerance : float
        Largest distance from a site at which a point claims it, px.
    """

    vectors: NDArray[np.float64]
    origin: NDArray[np.float64]
    fractions: NDArray[np.float64]
    index: NDArray[np.int64]
    sublattice: NDArray[np.int64]
    drift: NDArray[np.float64]
    residual: NDArray[np.float64]
    quality: float
    spacing: float
    tolerance: float


def find_lattice(
    points: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    supercell: int | ArrayLike = 1,
    vectors: ArrayLike | None = None,
    tolerance: float = 0.3,
    min_occupancy: float = 0.25,
    min_quality: float = 0.4,
    random_state: int = 0,
) -> Lattice:
    """Return the lattice of the points: its primitive cell, sites, and the index of every point.

    The translations that keep positions and labels give the cell (see `find_basis`). Points are linked to
    their neighbours one lattice vector away, with vectors that are averaged over a few cells, and the indices
    are grown along the links: slow strain and drift are followed however far they add up. The places in the
    cell where points crowd are the sites.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px, at least 16.
    labels : array_like of int, shape (n,), optional
        Kind of each point, -1 for none. Labels decide on the cell alone: an order of labels makes it
        larger. Points of any label may claim a site.
    supercell : int or array_like of int, shape (2, 2), default 1
        The cell is this many primitive cells along both vectors, or has the vectors ``supercell @
        vectors``; the determinant must be positive.
    vectors : array_like, shape (2, 2), optional
        Cell vectors to be used, right to within a tenth of the spacing; they are refined, not reduced.
    tolerance : float, default 0.3
        A point claims a site within this distance, in nearest-neighbour distances.
    min_occupancy : float, default 0.25
        A place in the cell is a site when it is occupied at least this often, relative to the most
        occupied one: less are interstitials.
    min_quality : float, default 0.4
        Least `Lattice.quality`; it is 0.4 when a sixth of the points are off sites and the positions of the
        others scatter by 0.11 spacings along each axis.
    random_state : int, default 0
        Draws the points from which vectors are followed.

    Returns
    -------
    Lattice

    Raises
    ------
    ValueError
        If no lattice is found (amorphous samples, several grains), or an argument is malformed.

    Examples
    --------
    >>> row, col = np.mgrid[:12, :12]
    >>> points = 10.0 * np.column_stack([row.ravel(), col.ravel()])
    >>> lattice = find_lattice(points)
    >>> lattice.vectors.round(6).tolist(), lattice.fractions.round(6).tolist()
    ([[0.0, 10.0], [10.0, 0.0]], [[0.5, 0.5]])
    >>> lattice.index[1].tolist(), round(lattice.quality, 6)
    ([1, 0], 1.0)
    """
    positions = as_points(points)
    kinds = _as_labels(labels, len(positions))
    multiple = _as_supercell(supercell)
    near = check_positive(tolerance, "tolerance")
    least = check_positive(min_occupancy, "min_occupancy")
    if len(positions) < _LEAST_POINTS:
        raise refusal(f"`points` must hold at least {_LEAST_POINTS} points, got {len(positions)}")
    spacing = nearest_neighbor_distance(positions)
    if spacing == 0:
        raise ValueError("`points` must be apart from each other, got most of them in the same place.")
    field = make_field(positions, kinds, spacing)
    if vectors is None:
        basis, share = find_basis(field, random_state)
        if basis is None:
            raise refusal(
                f"translations lead at most {share:.0%} of the points to a point"
                + (", and those that keep the labels run in one direction" if share >= LEAST_SHARE else "")
            )
    else:
        basis = _check_given(field, as_basis(vectors))
    frame = grow_frame(field, basis)
    frame = add_sites(field, frame, near * spacing, least)
    frame = add_sites(field, frame, near * spacing, least)
    quality = _quality(frame, near * spacing)
    refuse_grains(field, frame, random_state)
    if quality < min_quality:
        raise refusal(f"the quality {quality:.2f} of the best lattice is below `min_quality` = {min_quality}")
    return _finish(frame, multiple, quality, spacing, near * spacing)


def sites(
    lattice: Lattice, shape: tuple[int, int], *, border: float = 0.5
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the sites inside the image that no point claims: the missing columns.

    A site counts when it lies at least `border` inside the image, since whether a column cut by the edge
    was found says nothing, and in the convex hull of the points on sites, so that points of a part of the
    image, or without its margin, say nothing of the rest. The place of a site follows the drift of the
    points around it.

    Parameters
    ----------
    lattice : Lattice
        What `find_lattice` returned.
    shape : (int, int)
        Rows and columns of the image, px.
    border : float, default 0.5
        Nearest-neighbour distances; 0.5 is about the radius of a column.

    Returns
    -------
    index : ndarray of int64, shape (m, 2)
        Cells of the sites, in the order of i, j, sublattice.
    sublattice : ndarray of int64, shape (m,)
    position : ndarray of float64, shape (m, 2)
        (row, col) px where the column would be.

    Examples
    --------
    >>> row, col = np.mgrid[:12, :12]
    >>> points = 10.0 + 10.0 * np.column_stack([row.ravel(), col.ravel()])
    >>> lattice = find_lattice(np.delete(points, 40, axis=0))
    >>> index, sublattice, position = sites(lattice, (130, 130))
    >>> index.tolist(), sublattice.tolist(), position.round(6).tolist()
    ([[4, 3]], [0], [[40.0, 50.0]])
    """
    margin = check_positive(border, "border") * lattice.spacing
    on = lattice.sublattice >= 0
    ideal = lattice.origin + (lattice.index[on] + lattice.fractions[lattice.sublattice[on]]) @ lattice.vectors
    points = ideal + lattice.drift[on] + lattice.residual[on]
    # One cell more on each side than the points reach: what lies farther is outside their hull.
    low, high = lattice.index.min(axis=0) - 1, lattice.index.max(axis=0) + 2
    n_sites, size = len(lattice.fractions), high - low
    taken = np.zeros((size[0], size[1], n_sites), dtype=bool)
    taken[(*(lattice.index[on] - low).T, lattice.sublattice[on])] = True
    free = np.argwhere(~taken)
    index, sublattice = free[:, :2] + low, free[:, 2]
    place = lattice.origin + (index + lattice.fractions[sublattice]) @ lattice.vectors
    # Far outside nothing is asked of the drift.
    frame = make_field(points, None, lattice.spacing)
    reach = np.hypot(*lattice.drift.T).max() + lattice.spacing
    near = frame.inside(place, reach)
    index, sublattice, place = index[near], sublattice[near], place[near]
    if not len(place):
        return index, sublattice, place
    place += smooth_field(points, lattice.drift[on], place, np.hypot(*lattice.vectors.T).max())
    kept = frame.inside(place)
    kept &= ((place >= margin) & (place <= np.array(shape) - 1 - margin)).all(axis=1)
    return index[kept], sublattice[kept], place[kept]


def _as_labels(labels: ArrayLike | None, n_points: int) -> NDArray[np.int64] | None:
    if labels is None:
        return None
    kinds = np.asarray(labels)
    if kinds.dtype.kind not in "iu" or kinds.shape != (n_points,):
        raise ValueError(
            f"`labels` must be one integer a point, shape ({n_points},), "
            f"got dtype {kinds.dtype} and shape {kinds.shape}."
        )
    return kinds.astype(np.int64)


def _as_supercell(supercell: int | ArrayLike) -> NDArray[np.int64]:
    multiple = np.asarray(supercell)
    if multiple.ndim == 0:
        multiple = multiple * np.eye(2, dtype=np.int64)
    if multiple.dtype.kind not in "iu" or multiple.shape != (2, 2) or not np.linalg.det(multiple) > 0.5:
        raise ValueError(
            "`supercell` must be a positive integer or a (2, 2) integer matrix of positive determinant, "
            f"got {supercell!r}."
        )
    return multiple.astype(np.int64)


def _check_given(field: Field, basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Refine given vectors, and refuse those that lead less than half the points to points."""
    exact, share, _, _ = follow(field, basis, np.arange(len(field.points)))
    if len(exact) < 2:
        raise refusal("the given `vectors` lead out of the field from most points")
    if share.min() < 0.5:
        raise refusal(f"the given `vectors` lead only {share.min():.0%} of the points to a point")
    return exact


def _quality(frame: Frame, tolerance: float) -> float:
    on = frame.sublattice >= 0
    square = (frame.residual[on] ** 2).sum(axis=1).mean()
    return float(on.mean() * max(0.0, 1 - square / (tolerance**2 / 2)))


def _finish(
    frame: Frame, multiple: NDArray[np.int64], quality: float, spacing: float, tolerance: float
) -> Lattice:
    """Go over to the supercell, and lay the origin so that no cell cuts a column."""
    inverse = np.linalg.inv(multiple)
    on = frame.sublattice >= 0
    site = frame.fractions[frame.sublattice] + frame.index
    site = np.where(on[:, None], site, frame.coordinates) @ inverse
    # Every cell of the supercell that a corner of it can hold.
    reach = int(np.abs(multiple).sum())
    grid = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    within = grid @ inverse
    grid = grid[((within > -1e-9) & (within < 1 - 1e-9)).all(axis=1)]
    fractions = ((grid[:, None] + frame.fractions[None]) @ inverse).reshape(-1, 2)
    start = np.array([_widest_gap(fractions[:, axis] % 1.0) for axis in (0, 1)])
    fractions = (fractions - start) % 1.0
    fractions = fractions[np.lexsort((fractions[:, 1].round(6), fractions[:, 0].round(6)))]
    site = site - start
    index = np.floor(site).astype(np.int64)
    vectors = multiple @ frame.vectors
    nearest, _ = claim(site - index, fractions, vectors)[1:]
    first = index.min(axis=0)
    origin = frame.origin + (start + first) @ vectors
    return Lattice(
        vectors,
        origin,
        fractions,
        index - first,
        np.where(on, nearest, -1),
        frame.drift,
        frame.residual,
        quality,
        spacing,
        tolerance,
    )


def _widest_gap(positions: NDArray[np.float64]) -> float:
    """Middle of the widest gap between positions on a circle of length 1; of equal gaps the first."""
    ordered = np.sort(positions)
    gaps = np.diff(ordered, append=ordered[0] + 1)
    widest = int(np.flatnonzero(gaps >= gaps.max() - 1e-3)[0])
    return float((ordered[widest] + gaps[widest] / 2) % 1.0)
