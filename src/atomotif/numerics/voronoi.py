"""Voronoi cells of chosen points, cut at the edge of the image, and the cell of every other point."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, KDTree, QhullError, Voronoi

from atomotif._checks import as_points
from atomotif.numerics.spacing import nearest_neighbor_distance

__all__ = ["VoronoiCells", "nearest_cells", "polygon_areas", "voronoi_cells"]

# Seeds at equal distance from a point, as many as are looked at: six meet at most on a lattice.
_TIES = 8


class VoronoiCells(NamedTuple):
    """What `voronoi_cells` returns; the corners of cell k are `corners[offsets[k]:offsets[k + 1]]`."""

    corners: NDArray[np.float64]
    """Corners of all cells, shape (n_corners, 2) as (row, col) px, in order around each cell, turning from
    columns towards rows."""
    offsets: NDArray[np.int64]
    """Where each cell's corners start, shape (n_cells + 1,)."""
    area: NDArray[np.float64]
    """Area of every cell, px², shape (n_cells,)."""
    border: NDArray[np.bool_]
    """Whether the edge of the image cuts the cell, or it reaches beyond the convex hull of the seeds: its
    extent there is not known, shape (n_cells,)."""


def voronoi_cells(
    seeds: ArrayLike, shape: tuple[int, int] | None = None, *, short_side: float = 0.35
) -> VoronoiCells:
    """Return the Voronoi cell of every seed, cut at the edge of the image.

    Parameters
    ----------
    seeds : array_like, shape (n, 2)
        Distinct positions as (row, col) px, inside the image.
    shape : (int, int), optional
        Rows and columns of the image, px, whose edges lie half a pixel outside the outermost pixel centres.
        By default the box that holds the seeds, wider by half of their nearest-neighbour distance.
    short_side : float, default 0.35
        A side shorter than this, in square roots of the median area of a cell, is no side: its two corners
        become one. Where four or more cells would meet in a point, the least scatter opens such a side,
        and a cell of the pentagon tiling would have five to seven corners by chance. The default lies between
        the sides that scatter of a tenth of the spacing opens (up to 0.25) and the sides of regular
        cells (0.62 hexagons, 0.6 to 0.85 pentagons, 1 squares). 0 keeps every side. A cell of which so less
        than a triangle would be left, such as those of a clump of seeds, keeps all its corners.

    Returns
    -------
    VoronoiCells
        One cell a seed, in their order. The cells share their corners, so that they cover the image
        without gaps or overlaps, merged corners or not.

    Raises
    ------
    ValueError
        If there is no seed, one lies outside, two coincide, or `short_side` is not in [0, 1).

    Notes
    -----
    Tessellation: Dan et al. (2022), fig. 4E and Methods. Cells are cut by mirroring at the edges the seeds
    whose cells reach outside: inside the image a mirrored seed is never the nearest, and at the edge both
    are equally near, so that the edge becomes a side. Time grows as n log n.

    Examples
    --------
    >>> row, col = np.mgrid[:3, :3]
    >>> cells = voronoi_cells(10.0 * np.column_stack([row.ravel(), col.ravel()]) + 4.5, (30, 30))
    >>> cells.area.round(6)[3:5], np.diff(cells.offsets)[3:5], cells.border.sum()
    (array([100., 100.]), array([4, 4]), np.int64(8))
    """
    positions = as_points(seeds, "seeds")
    n = len(positions)
    if n == 0:
        raise ValueError("`seeds` must hold at least 1 point, got 0.")
    if not 0 <= short_side < 1:
        raise ValueError(f"`short_side` must be at least 0 and below 1, got {short_side!r}.")
    if len(np.unique(positions, axis=0)) < n:
        raise ValueError(f"`seeds` must be distinct, got {n - len(np.unique(positions, axis=0))} repeats.")
    low, high = _edges(positions, shape)
    outside = int(np.any((positions <= low) | (positions >= high), axis=1).sum())
    if outside:
        raise ValueError(f"`seeds` must lie inside the image, got {outside} outside.")

    reaching = positions[_reaching_outside(positions, low, high)]
    mirrored = [reaching]
    for edge in (low, high):
        for axis in (0, 1):
            image = reaching.copy()
            image[:, axis] = 2 * edge[axis] - image[:, axis]
            mirrored.append(image)
    diagram = Voronoi(np.concatenate([positions, *mirrored[1:]]))

    ridge = diagram.ridge_points
    border = np.zeros(n, bool)
    border[ridge[(ridge.max(axis=1) >= n) & (ridge.min(axis=1) < n)].min(axis=1)] = True

    regions = [diagram.regions[region] for region in diagram.point_region[:n]]
    number = np.array([len(region) for region in regions])
    cell = np.repeat(np.arange(n), number)
    vertex = np.concatenate(regions).astype(np.int64)
    # A cell is convex and holds its seed: the angle about the seed is the order around the cell.
    offset = diagram.vertices[vertex] - positions[cell]
    order = np.lexsort([np.arctan2(offset[:, 0], offset[:, 1]), cell])
    cell, vertex = cell[order], vertex[order]
    vertices = diagram.vertices
    border[cell[_beyond_hull(vertices, positions)[vertex]]] = True
    if short_side > 0:
        area = polygon_areas(vertices[vertex], _starts(cell, n))
        tolerance = short_side * float(np.sqrt(np.median(area)))
        vertex, cell, vertices = _merge(diagram, vertex, cell, n, tolerance, low, high)
    offsets = _starts(cell, n)
    corners = np.ascontiguousarray(vertices[vertex])
    return VoronoiCells(corners, offsets, polygon_areas(corners, offsets), border)


def nearest_cells(points: ArrayLike, seeds: ArrayLike) -> NDArray[np.int64]:
    """Return for every point the one Voronoi cell that holds it: its nearest seed.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    seeds : array_like, shape (m, 2)
        Seeds of the cells, (row, col) px, at least one.

    Returns
    -------
    ndarray of int64, shape (n,)
        Index of the seed. Of seeds at the same distance (to rounding) the first is taken, so that a point on
        a side or in a corner has one cell too, the same on every machine.

    Raises
    ------
    ValueError
        If there is no seed.

    Examples
    --------
    >>> nearest_cells([[0, 1], [0, 5], [0, 9]], [[0, 0], [0, 10]])
    array([0, 0, 1])
    """
    positions, centres = as_points(points), as_points(seeds, "seeds")
    if len(centres) == 0:
        raise ValueError("`seeds` must hold at least 1 point, got 0.")
    k = min(_TIES, len(centres))
    distance, index = KDTree(centres).query(positions, k=k)
    distance, index = distance.reshape(-1, k), index.reshape(-1, k)
    tied = distance <= distance[:, :1] * (1 + 1e-9)
    return np.asarray(np.where(tied, index, len(centres)).min(axis=1), np.int64)


def polygon_areas(corners: ArrayLike, offsets: ArrayLike) -> NDArray[np.float64]:
    """Return the areas of polygons (shoelace formula), px².

    Parameters
    ----------
    corners : array_like, shape (n_corners, 2)
        (row, col) px, in order around each polygon, turning from columns towards rows.
    offsets : array_like of int, shape (n_polygons + 1,)
        Where each polygon's corners start.

    Returns
    -------
    ndarray of float64, shape (n_polygons,)
        Negative for a polygon that turns the other way.

    Examples
    --------
    >>> polygon_areas([[0, 0], [0, 2], [2, 2], [2, 0]], [0, 4])
    array([4.])
    """
    points, starts = as_points(corners, "corners"), np.asarray(offsets, np.int64)
    number = np.diff(starts)
    cell = np.repeat(np.arange(len(number)), number)
    after = np.arange(len(points)) + 1
    after[starts[1:][number > 0] - 1] = starts[:-1][number > 0]
    # About the polygon's first corner: far from the origin, products of positions lose digits.
    here = points - points[starts[cell]]
    there = points[after] - points[starts[cell]]
    cross = here[:, 1] * there[:, 0] - here[:, 0] * there[:, 1]
    return np.asarray(np.bincount(cell, cross, minlength=len(number)) / 2)


def _edges(
    positions: NDArray[np.float64], shape: tuple[int, int] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if shape is not None:
        return np.array([-0.5, -0.5]), np.asarray(shape, np.float64) - 0.5
    margin = nearest_neighbor_distance(positions) / 2 if len(positions) > 1 else 0.5
    return positions.min(axis=0) - margin, positions.max(axis=0) + margin


def _reaching_outside(
    positions: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which seeds have an open cell, or one with a corner outside the image."""
    everyone = np.ones(len(positions), bool)
    if len(positions) < 4:
        return everyone
    try:
        diagram = Voronoi(positions)
    except QhullError:  # all on one line
        return everyone
    inside = np.all((diagram.vertices > low) & (diagram.vertices < high), axis=1)
    inside = np.append(inside, False)  # the vertex -1 is at infinity
    regions = [diagram.regions[region] for region in diagram.point_region]
    return np.array([not (region and inside[region].all()) for region in regions])


def _beyond_hull(vertices: NDArray[np.float64], positions: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which vertices lie outside the convex hull of the seeds."""
    try:
        sides = ConvexHull(positions).equations
    except (QhullError, ValueError):  # fewer than three seeds, or all on one line
        return np.ones(len(vertices), bool)
    distance = np.max([vertices @ side[:2] + side[2] for side in sides], axis=0)
    return np.asarray(distance > 1e-9 * np.ptp(positions, axis=0).max())


def _merge(
    diagram: Any,
    vertex: NDArray[np.int64],
    cell: NDArray[np.int64],
    n: int,
    tolerance: float,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the corners left of every cell, their cells, and the merged vertices: means of those joined by
    short sides.

    Corners on the edge of the image stay, so that the edge stays straight, and so do all of a cell that would
    have fewer than three left, or no area.
    """
    vertices = diagram.vertices
    scale = float(np.max(high - low))
    stays = np.any((vertices < low + 1e-9 * scale) | (vertices > high - 1e-9 * scale), axis=1)
    ends = np.array(diagram.ridge_vertices)
    ends = ends[(diagram.ridge_points.max(axis=1) < n) & (ends.min(axis=1) >= 0)]
    length = np.linalg.norm(vertices[ends[:, 0]] - vertices[ends[:, 1]], axis=1)
    ends = ends[length < tolerance]
    while True:
        ends = ends[~stays[ends].any(axis=1)]
        graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(vertices),) * 2)
        count, label = connected_components(graph, directed=False)
        number = np.bincount(label, minlength=count)
        means = [np.bincount(label, vertices[:, axis], minlength=count) / number for axis in (0, 1)]
        merged = np.stack(means, axis=1)
        kept, owner = _without_repeats(label[vertex].astype(np.int64), cell, n)
        starts = _starts(owner, n)
        lost = (np.diff(starts) < 3) | (polygon_areas(merged[kept], starts) <= 0)
        stays[vertex[lost[cell]]] = True
        if not stays[ends].any():
            return kept, owner, merged


def _without_repeats(
    vertex: NDArray[np.int64], cell: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drop corners that equal the one before them in their cell (the last comes before the first)."""
    starts = _starts(cell, n)
    before = np.arange(len(vertex)) - 1
    before[starts[:-1]] = starts[1:] - 1
    keep = vertex != vertex[before]
    return vertex[keep], cell[keep]


def _starts(cell: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=n))]).astype(np.int64)
