"""A lattice's coordinates at every point, and the sites in its cell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from atomotif.numerics._growth import grow, link, smooth_field
from atomotif.numerics.translations import Field

# Lengths in nearest-neighbour distances. Neighbours are linked when they miss the expected place by
# less than _LINK, which is nearer than halfway to the next column.
_LINK = 0.3
_FINE = 0.05
_BLUR = 0.08
# Width of the window over which distortion is averaged, longest lattice vectors: a few cells.
_WINDOW = 2.0


@dataclass(frozen=True)
class Frame:
    """Cell vectors, an origin, sites; each point's cell, site, drift, residual and lattice coordinates.

    `turn` is the range of the local orientation over the field, degrees.
    """

    vectors: NDArray[np.float64]
    origin: NDArray[np.float64]
    fractions: NDArray[np.float64]
    index: NDArray[np.int64]
    sublattice: NDArray[np.int64]
    drift: NDArray[np.float64]
    residual: NDArray[np.float64]
    coordinates: NDArray[np.float64]
    turn: float


def refusal(reason: str) -> ValueError:
    return ValueError(
        f'no lattice found: {reason}; use `cells="voronoi"`, or one grain (`find_grains`) or region alone.'
    )


def grow_frame(field: Field, basis: NDArray[np.float64]) -> Frame:
    """Index the largest connected piece of one sublattice, and extend its coordinates to all points."""
    points, near = field.points, _LINK * field.spacing
    steps = np.array([[1, 0], [0, 1], [1, 1] if basis[0] @ basis[1] < 0 else [1, -1]])
    width = _WINDOW * np.hypot(*basis.T).max()
    local = np.broadcast_to(steps @ basis, (len(points), 3, 2))
    for _ in range(2):
        partners = np.stack([link(points, field.tree, local[:, k], near) for k in range(3)])
        has = partners >= 0
        if not has.any(axis=1).all():
            raise refusal("hardly any point has neighbours one lattice vector away")
        local = np.stack(
            [smooth_field(points[h], points[p[h]] - points[h], points, width) for p, h in zip(partners, has)],
            axis=1,
        )
    partners = np.stack([link(points, field.tree, local[:, k], near) for k in range(3)])
    index, piece = grow(partners, steps)
    here = piece == np.bincount(piece).argmax()
    if here.sum() < 9 or np.linalg.matrix_rank(index[here] - index[here][0]) < 2:
        raise refusal("no connected piece of one sublattice spans two directions")
    vectors, offsets = _fit(points[here], index[here], np.zeros(here.sum(), dtype=np.int64), 1)
    drift = points[here] - offsets[0] - index[here] @ vectors
    drift = smooth_field(points[here], drift, points, width / 2)
    coordinates = (points - offsets[0] - drift) @ np.linalg.inv(vectors)
    none = np.full(len(points), -1)
    return Frame(
        vectors, offsets[0], np.zeros((1, 2)), index, none, drift, drift, coordinates, _turn(vectors, local)
    )


def add_sites(field: Field, frame: Frame, near: float, least: float) -> Frame:
    """Find the sites in the cell, let points claim them, and fit vectors, sites and drift to them all."""
    points, fractions = field.points, _dense_places(frame, field.spacing, near, least)
    for _ in range(2):
        index, sublattice, distance = claim(frame.coordinates, fractions, frame.vectors)
        on = distance <= near
        count = np.bincount(sublattice[on], minlength=len(fractions))
        off = frame.coordinates[on] - index[on] - fractions[sublattice[on]]
        for axis in (0, 1):
            fractions[:, axis] += np.bincount(sublattice[on], off[:, axis], len(fractions)) / np.maximum(
                count, 1
            )
        kept = count >= max(least * count.max(), 3)
        fractions = fractions[kept]
    index, sublattice, distance = claim(frame.coordinates, fractions, frame.vectors)
    on = distance <= near
    # A sublattice may have lost its last point to a neighbour in the second round.
    used, numbered = np.unique(sublattice[on], return_inverse=True)
    fractions = fractions[used]
    sublattice = np.full(len(points), -1)
    sublattice[on] = numbered
    vectors, offsets = _fit(points[on], index[on], numbered, len(used))
    origin = offsets[0] - fractions[0] @ vectors
    fractions = (offsets - origin) @ np.linalg.inv(vectors)
    rest = points[on] - offsets[numbered] - index[on] @ vectors
    drift = smooth_field(points[on], rest, points, _WINDOW / 2 * np.hypot(*vectors.T).max())
    residual = np.full(points.shape, np.nan)
    residual[on] = rest - drift[on]
    coordinates = (points - origin - drift) @ np.linalg.inv(vectors)
    return Frame(vectors, origin, fractions, index, sublattice, drift, residual, coordinates, frame.turn)


def _dense_places(frame: Frame, spacing: float, near: float, least: float) -> NDArray[np.float64]:
    """Places in the cell where points crowd, from the histogram of their coordinates modulo one cell."""
    n_bins = np.ceil(np.hypot(*frame.vectors.T) / (_FINE * spacing)).astype(np.int64)
    cell = np.floor((frame.coordinates % 1.0) * n_bins).astype(np.int64) % n_bins
    table = np.bincount(cell[:, 0] * n_bins[1] + cell[:, 1], minlength=n_bins.prod()).reshape(n_bins)
    smooth = ndimage.gaussian_filter(table.astype(np.float64), _BLUR / _FINE, mode="wrap")
    top = np.argwhere((smooth == ndimage.maximum_filter(smooth, size=3, mode="wrap")) & (smooth > 0))
    top = top[np.argsort(-smooth[tuple(top.T)], kind="stable")]
    places: list[NDArray[np.float64]] = []
    for place in (top + 0.5) / n_bins:
        apart = place - np.array(places).reshape(-1, 2)
        apart = (apart - np.rint(apart)) @ frame.vectors
        if (np.hypot(*apart.T) > 1.2 * near).all():
            places.append(place)
    fractions = np.array(places)
    _, sublattice, distance = claim(frame.coordinates, fractions, frame.vectors)
    count = np.bincount(sublattice[distance <= near], minlength=len(fractions))
    kept: NDArray[np.float64] = fractions[count >= max(least * count.max(), 3)]
    return kept


def claim(
    coordinates: NDArray[np.float64], fractions: NDArray[np.float64], vectors: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Cell, site and distance (px) of the site nearest to each point."""
    best = np.full(len(coordinates), np.inf)
    index = np.zeros(coordinates.shape, dtype=np.int64)
    sublattice = np.zeros(len(coordinates), dtype=np.int64)
    for s, fraction in enumerate(fractions):
        cell = np.rint(coordinates - fraction)
        distance = np.hypot(*((coordinates - fraction - cell) @ vectors).T)
        closer = distance < best
        best[closer], index[closer], sublattice[closer] = distance[closer], cell[closer], s
    return index, sublattice, best


def _fit(
    points: NDArray[np.float64], index: NDArray[np.int64], sublattice: NDArray[np.int64], n_sites: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least-squares vectors, and the position of each sublattice's site in cell (0, 0)."""
    count = np.bincount(sublattice, minlength=n_sites)[:, None]
    place = np.stack([np.bincount(sublattice, x, n_sites) for x in points.T], axis=1) / count
    cell = np.stack([np.bincount(sublattice, x, n_sites) for x in index.T], axis=1) / count
    vectors = np.linalg.lstsq(index - cell[sublattice], points - place[sublattice], rcond=None)[0]
    return np.asarray(vectors, dtype=np.float64), place - cell @ vectors


def _turn(vectors: NDArray[np.float64], local: NDArray[np.float64]) -> float:
    """Range of the orientation of local vectors, degrees, without the most extreme twentieth on each side."""
    change = np.linalg.inv(vectors) @ local[:, :2]
    angle = np.arctan2(change[:, 1, 0] - change[:, 0, 1], change[:, 0, 0] + change[:, 1, 1])
    low, high = np.percentile(np.degrees(angle), [5, 95])
    return float(high - low)
