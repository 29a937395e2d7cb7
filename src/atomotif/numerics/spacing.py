"""Distances between columns: nearest neighbours, radial distribution, the size of a patch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import KDTree
from scipy.stats import poisson

from atomotif._checks import as_points, check_positive
from atomotif.numerics._jit import jit
from atomotif.numerics.prominence import refine_peaks

# Reach of the radial distribution and of the search for the repeat, nearest-neighbour distances:
# beyond the unit cells of the usual oxides and of Si(111)-7x7 (3.5), within any field of 150 columns.
_REACH = 6.0
_BIN = 0.05
# Points that meet after a translation within this (standard deviation, nearest-neighbour distances)
# coincide: wider than the scatter of positions, narrower than the gap to the next column.
_COINCIDENCE = 0.12
_CELL = 0.1
# Certain: as many points coincide, or as much ripple is left, as on a lattice whose points scatter by a
# tenth of the spacing. Maxima of filtered noise have a ripple (mean square) of up to 0.05.
_CERTAIN_SHARE = 0.37
_CERTAIN_RIPPLE = 0.2
_RANDOM_RIPPLE = 0.05


@dataclass(frozen=True)
class PatchSize:
    """Size of a patch round each point, and what it was derived from.

    Attributes
    ----------
    size : float
        Diameter of the disc, px.
    confidence : float
        0 (the points are as good as random) to 1 (a lattice).
    nearest_neighbor : float
        Median nearest-neighbour distance, px.
    repeat_length : float
        Length of the shortest translation that maps the points onto themselves, px; nan when there is none.
    r : ndarray of float64, shape (n_bins,)
        Distances of the radial distribution (bin centres), px.
    rdf : ndarray of float64, shape (n_bins,)
        Radial distribution, 1 for points at random.
    """

    size: float
    confidence: float
    nearest_neighbor: float
    repeat_length: float
    r: NDArray[np.float64]
    rdf: NDArray[np.float64]


def nearest_neighbor_distance(points: ArrayLike) -> float:
    """Return the median distance of the points to their nearest neighbours, px.

    The median, so that a few stray or missing points do not move it.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two points.

    Examples
    --------
    >>> nearest_neighbor_distance([[0, 0], [0, 3], [4, 0]])
    3.0
    """
    positions = as_points(points)
    if len(positions) < 2:
        raise ValueError(f"`points` must hold at least 2 points, got {len(positions)}.")
    return float(np.median(KDTree(positions).query(positions, k=2)[0][:, 1]))


def radial_distribution(
    points: ArrayLike,
    shape: tuple[int, int] | None = None,
    *,
    max_distance: float | None = None,
    bin_width: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the radial distribution: density of pairs at a distance over that of random points.

    Each pair counts by the inverse of the share of the field that is left when the field is shifted by the
    pair's own separation, so that edges bias nothing (translation correction).

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    shape : (int, int), optional
        Rows and columns of the image, px. By default the box that holds the points.
    max_distance : float, optional
        px. By default 6 nearest-neighbour distances, at most half the shorter side.
    bin_width : float, optional
        px. By default 1/20 of the nearest-neighbour distance, the scatter of well-found columns.

    Returns
    -------
    r, rdf : ndarray of float64, shape (n_bins,)
        Bin centres (px) and the distribution.

    Raises
    ------
    ValueError
        If there are fewer than three points, or a length is not positive.

    Examples
    --------
    >>> row, col = np.mgrid[:20, :20]
    >>> r, rdf = radial_distribution(10.0 * np.column_stack([row.ravel(), col.ravel()]), (200, 200))
    >>> float(r[rdf.argmax()].round())
    10.0
    """
    positions, field = _in_field(points, shape)
    spacing = nearest_neighbor_distance(positions)
    reach = _REACH * spacing if max_distance is None else check_positive(max_distance, "max_distance")
    width = _BIN * spacing if bin_width is None else check_positive(bin_width, "bin_width")
    reach = min(reach, 0.5 * min(field))
    if not (reach > 0 and width > 0):
        return np.zeros(0), np.zeros(0)
    n_bins = max(1, round(reach / width))
    counts, _ = _count_pairs(positions, field, n_bins * width, n_bins, 1)
    edges: NDArray[np.float64] = width * np.arange(n_bins + 1, dtype=np.float64)
    density = len(positions) / (field[0] * field[1])
    rdf: NDArray[np.float64] = counts / (len(positions) * density * np.pi * np.diff(edges**2))
    return edges[:-1] + width / 2, rdf


def patch_size(
    points: ArrayLike, shape: tuple[int, int] | None = None, *, relative_radius: float = 1.2
) -> PatchSize:
    """Return the size of the patch round each point from the spacing of the points.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    shape : (int, int), optional
        Rows and columns of the image, px. By default the box that holds the points.
    relative_radius : float, default 1.2
        Radius of the patch in nearest-neighbour distances. 1.2 takes in the nearest neighbours and their
        flanks; of the radii tried on seven materials it finds motifs best (0.6 and 2.7 are clearly
        worse). The paper's choice, the length of the repeating unit, is `repeat_length`.

    Returns
    -------
    PatchSize

    Raises
    ------
    ValueError
        If there are fewer than three points, or most lie in the same place.

    Examples
    --------
    >>> row, col = np.mgrid[:20, :20]
    >>> found = patch_size(10.0 * np.column_stack([row.ravel(), col.ravel()]), (200, 200))
    >>> round(found.size, 6), round(found.repeat_length, 1), found.confidence > 0.9
    (24.0, 10.0, True)
    """
    positions, field = _in_field(points, shape)
    factor = check_positive(relative_radius, "relative_radius")
    spacing = nearest_neighbor_distance(positions)
    if spacing == 0:
        raise ValueError("`points` must be apart from each other, got most of them in the same place.")
    r, rdf = radial_distribution(positions, shape)
    repeat, coincidence = _repeat(positions, field, spacing)
    density = len(positions) / (field[0] * field[1])
    confidence = max(
        _translation_confidence(coincidence, len(positions), density * spacing**2),
        _ripple_confidence(r / spacing, rdf, len(positions), density * spacing**2),
    )
    # Some dozen random points can repeat by chance; from 50 on they do not.
    confidence *= float(np.clip((len(positions) - 20) / 30, 0, 1))
    return PatchSize(2 * factor * spacing, confidence, spacing, repeat, r, rdf)


def _translation_confidence(coincidence: float, n_points: int, density: float) -> float:
    """Confidence from the share of points that a translation maps onto points (`density` x spacing**2)."""
    expected = n_points * 2 * np.pi * _COINCIDENCE**2 * density
    # What the best of some ten thousand translations of random points reaches. A meeting counts up to
    # four times, by the overlap of the shifted field, on average about twice.
    chance = 2 * float(poisson.isf(1e-6, expected / 2)) / n_points
    return float(np.clip((coincidence - chance) / max(_CERTAIN_SHARE - chance, 0.3), 0, 1))


def _ripple_confidence(
    r: NDArray[np.float64], rdf: NDArray[np.float64], n_points: int, density: float
) -> float:
    """Confidence from the ripple of the radial distribution beyond the first shell, whatever the orientation.

    The first shell is left out: maxima of filtered noise keep their distance, too.
    """
    far = (r > 1.5) & (r < 4.5)
    if far.sum() < 20:
        return 0.0
    pairs = n_points * density * 2 * np.pi * r[far] * (r[1] - r[0])
    scatter = 2 / pairs  # each pair is counted from both ends
    ripple = float(((rdf[far] - 1) ** 2 - scatter).mean())
    ripple -= 5 * float(np.sqrt(2 * (scatter**2).mean() / far.sum()))
    return float(np.clip((ripple - _RANDOM_RIPPLE) / (_CERTAIN_RIPPLE - _RANDOM_RIPPLE), 0, 1))


def coincidence(
    points: ArrayLike, shape: tuple[int, int] | None = None, tolerance: float = _COINCIDENCE
) -> float:
    """Return the share of the points that the best translation maps onto points, less what chance maps.

    Near 1 for a lattice of exact positions, about 0 for random points; missing points lower it as much
    as surplus points do.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    shape : (int, int), optional
        Rows and columns of the image, px. By default the box that holds the points.
    tolerance : float, default 0.12
        Points this far apart (standard deviation of a Gaussian weight, nearest-neighbour distances)
        coincide.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than three points.

    Examples
    --------
    >>> row, col = np.mgrid[:20, :20]
    >>> coincidence(10.0 * np.column_stack([row.ravel(), col.ravel()]), (200, 200)) > 0.9
    True
    """
    positions, field = _in_field(points, shape)
    spacing = nearest_neighbor_distance(positions)
    if spacing == 0:
        return 0.0
    share = _repeat(positions, field, spacing, tolerance)[1]
    density = len(positions) * spacing**2 / (field[0] * field[1])
    return share - 2 * np.pi * tolerance**2 * density


def _in_field(
    points: ArrayLike, shape: tuple[int, int] | None
) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Points counted from the corner of their field, and its sides (px)."""
    positions = as_points(points)
    if len(positions) < 3:
        raise ValueError(f"`points` must hold at least 3 points, got {len(positions)}.")
    if shape is not None:
        return positions, (float(shape[0]), float(shape[1]))
    low, high = positions.min(axis=0), positions.max(axis=0)
    # n points leave on average one n-th of the box unseen at its two ends.
    side = (high - low) * (len(positions) + 1) / (len(positions) - 1)
    side = np.maximum(side, nearest_neighbor_distance(positions))
    return positions - low, (float(side[0]), float(side[1]))


def _repeat(
    positions: NDArray[np.float64],
    field: tuple[float, float],
    spacing: float,
    tolerance: float = _COINCIDENCE,
) -> tuple[float, float]:
    """Shortest translation that maps points onto points (px), and the share of points that it maps so."""
    reach = min(_REACH * spacing, 0.5 * min(field))
    n_cells = int(reach / (_CELL * spacing))
    if n_cells < 8:
        return float("nan"), 0.0
    side = _CELL * spacing
    _, table = _count_pairs(positions, field, (n_cells + 0.5) * side, 1, 2 * n_cells + 1)
    width = tolerance / _CELL
    meeting = ndimage.gaussian_filter(table, width, mode="constant") * (2 * np.pi * width**2)
    meeting /= len(positions)
    axis = np.arange(-n_cells, n_cells + 1) * _CELL
    distance = np.hypot(axis[:, None], axis[None, :])
    top = (
        (meeting == ndimage.maximum_filter(meeting, size=5)) & (distance > 0.5) & (distance < n_cells * _CELL)
    )
    if not top.any():
        return float("nan"), 0.0
    best = float(meeting[top].max())
    near = top & (meeting >= 0.8 * best)
    shortest = near & (distance <= 1.1 * distance[near].min())
    cells = np.argwhere(shortest)
    exact = refine_peaks(meeting.astype(np.float32), cells, 1, 1.5) - n_cells
    return float(np.hypot(*exact.T).mean() * side), best


def _count_pairs(
    positions: NDArray[np.float64], field: tuple[float, float], reach: float, n_bins: int, n_cells: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pairs by distance and by separation vector, weighted by the inverse overlap of the shifted field."""
    origin = positions.min(axis=0)
    box = np.floor((positions - origin) / reach).astype(np.int64)
    n_boxes = box.max(axis=0) + 1
    flat = box[:, 0] * n_boxes[1] + box[:, 1]
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(n_boxes[0] * n_boxes[1] + 1))
    result: Any = _pairs(
        np.ascontiguousarray(positions[order]), starts, n_boxes, field[0], field[1], reach, n_bins, n_cells
    )
    return result[0], result[1]


@jit(nogil=True)
def _pairs(points, starts, n_boxes, height, width, reach, n_bins, n_cells):  # type: ignore[no-untyped-def]
    by_distance = np.zeros(n_bins)
    by_vector = np.zeros((n_cells, n_cells))
    for box_row in range(n_boxes[0]):
        for box_col in range(n_boxes[1]):
            box = box_row * n_boxes[1] + box_col
            for i in range(starts[box], starts[box + 1]):
                for a in range(max(box_row - 1, 0), min(box_row + 2, n_boxes[0])):
                    for b in range(max(box_col - 1, 0), min(box_col + 2, n_boxes[1])):
                        other = a * n_boxes[1] + b
                        for j in range(starts[other], starts[other + 1]):
                            if i == j:
                                continue
                            down = points[j, 0] - points[i, 0]
                            right = points[j, 1] - points[i, 1]
                            overlap = (1 - abs(down) / height) * (1 - abs(right) / width)
                            if overlap <= 0:
                                continue
                            distance = np.sqrt(down * down + right * right)
                            if distance < reach:
                                k = min(int(distance / reach * n_bins), n_bins - 1)
                                by_distance[k] += 1 / overlap
                            if abs(down) < reach and abs(right) < reach:
                                row = int((down / reach + 1) / 2 * n_cells)
                                col = int((right / reach + 1) / 2 * n_cells)
                                by_vector[min(row, n_cells - 1), min(col, n_cells - 1)] += 1 / overlap
    return by_distance, by_vector
