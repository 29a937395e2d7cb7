"""Squares among points, by Delaunay triangulation, and their two sublattices."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, QhullError

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

# The irregularity (see `_irregularity`) of two equilateral triangles side by side is tan(15 degrees); half of
# it is where a quad ceases to be a square. Sizes may differ by the ratio half-way (on a scale of ratios) to
# sqrt(3), that of those triangles' diagonals.
_LIMIT = np.tan(np.pi / 12) / 2
_SIZES = 3**0.25


def find_squares(points: Floats) -> tuple[Indices, Floats]:
    """Return the corners of squares, in order around each, and the irregularity of each."""
    corners = _pairs_of_triangles(points)
    irregularity, size = _irregularity(points[corners])
    fits = irregularity < _LIMIT
    if fits.any():
        ratio = size / np.median(size[fits])
        fits &= (ratio < _SIZES) & (ratio > 1 / _SIZES)
    corners, irregularity = corners[fits], irregularity[fits]
    kept = _compatible(corners, irregularity, len(points))
    return corners[kept], irregularity[kept]


def shared_corners(corners: Indices) -> Indices:
    """Return the pairs of quads that share a corner, shape (n_pairs, 2), the lower first."""
    quad = np.repeat(np.arange(len(corners)), 4)
    order = np.argsort(corners.ravel(), kind="stable")
    point, quad = corners.ravel()[order], quad[order]
    twice = np.flatnonzero(point[1:] == point[:-1])
    return np.stack([quad[twice], quad[twice + 1]], axis=1)


def direction(vectors: Floats) -> Floats:
    """Return angles from columns towards rows, radians."""
    return np.asarray(np.arctan2(vectors[..., 0], vectors[..., 1]))


def ordered_corners(
    points: Floats, corners: Indices, middle: Floats, orientation: float
) -> tuple[Indices, Floats]:
    """Return the corners by their angle from `orientation` on, and each quad's turn from it, radians."""
    angle = direction(points[corners] - middle[:, None]) - orientation
    turn = np.angle(np.exp(4j * angle).sum(axis=1)) / 4
    slot = np.round((angle - turn[:, None]) / (np.pi / 2)).astype(np.int64) % 4
    return np.take_along_axis(corners, np.argsort(slot, axis=1, kind="stable"), axis=1), turn


def two_colors(n: int, links: Indices, irregularity: Floats, turn: Floats) -> NDArray[np.int8]:
    """Return 0 or 1 for every quad, different for linked ones; of two that cannot be, -1 for the less
    regular."""
    parent, parity = np.arange(n), np.zeros(n, np.int64)

    def root(quad: int) -> tuple[int, int]:
        total = 0
        while parent[quad] != quad:
            total ^= int(parity[quad])
            quad = int(parent[quad])
        return quad, total

    size = np.ones(n, np.int64)
    # The most certain links first: regular squares, turned against each other like most.
    against = np.abs(np.angle(np.exp(4j * (turn[links[:, 0]] - turn[links[:, 1]])))) / 4
    doubt = irregularity[links].max(axis=1, initial=0.0)
    doubt += np.abs(against - (np.median(against) if len(links) else 0.0))
    for a, b in links[np.argsort(doubt, kind="stable")].tolist():
        (root_a, color_a), (root_b, color_b) = root(a), root(b)
        if root_a != root_b:
            if size[root_a] < size[root_b]:
                root_a, root_b = root_b, root_a
            parent[root_b], parity[root_b] = root_a, 1 ^ color_a ^ color_b
            size[root_a] += size[root_b]
    found = np.array([root(quad) for quad in range(n)], np.int64).reshape(n, 2)
    part, color = found.T

    # Parts without a common corner: squares of one sublattice are turned alike.
    phase = np.exp(4j * turn) * np.where(color == 0, 1, -1)
    sums = np.bincount(part, phase.real, minlength=n) + 1j * np.bincount(part, phase.imag, minlength=n)
    if n:
        largest = sums[int(np.argmax(np.bincount(part, minlength=n)))]
        color = color ^ ((sums * np.conj(largest)).real < 0)[part]
        if 2 * int(color.sum()) > n:
            color = 1 - color
    result = color.astype(np.int8)
    for a, b in links[color[links[:, 0]] == color[links[:, 1]]].tolist():
        if result[a] >= 0 and result[b] >= 0:
            result[a if irregularity[a] > irregularity[b] else b] = -1
    return result


def _pairs_of_triangles(points: Floats) -> Indices:
    """Return the quadrilaterals of two triangles that share the longest side of both."""
    try:
        mesh = Delaunay(points)
    except QhullError:  # all on one line
        return np.empty((0, 4), np.int64)
    triangle, neighbor = mesh.simplices.astype(np.int64), mesh.neighbors.astype(np.int64)
    # Side k lies opposite corner k.
    length = np.linalg.norm(
        points[np.roll(triangle, -1, axis=1)] - points[np.roll(triangle, 1, axis=1)], axis=2
    )
    longest = length.argmax(axis=1)
    rows = np.arange(len(triangle))
    beyond = neighbor[rows, longest]
    mutual = (beyond > rows) & (neighbor[beyond, longest[beyond]] == rows)
    one, two = rows[mutual], beyond[mutual]
    at = longest[one]
    tip, first, last = (triangle[one, (at + k) % 3] for k in range(3))
    return np.stack([tip, first, triangle[two, longest[two]], last], axis=1)


def _irregularity(corner: Floats) -> tuple[Floats, Floats]:
    """Return how far quadrilaterals are from squares, and half the diagonals of the squares that fit best.

    The corners as complex numbers have four Fourier components: the centre, a square, a square that turns the
    other way (which makes rectangles and rhombi), and an alternating one (kites, trapezia). The larger of the
    last two over the square is the irregularity.
    """
    component = np.abs(np.fft.fft(corner @ np.array([1j, 1]), axis=1)) / 4
    square = np.maximum(component[:, 1], component[:, 3])
    rest = np.maximum(np.minimum(component[:, 1], component[:, 3]), component[:, 2])
    return rest / square, square


def _compatible(corners: Indices, irregularity: Floats, n_points: int) -> Indices:
    """Return the quads to keep: no point in more than two, no two points in more than one."""
    of_point: list[list[int]] = [[] for _ in range(n_points)]
    kept = []
    for quad in np.lexsort([corners.min(axis=1), irregularity]).tolist() if len(corners) else []:
        mine = corners[quad].tolist()
        others = [other for point in mine for other in of_point[point]]
        if len(others) == len(set(others)) and all(len(of_point[point]) < 2 for point in mine):
            kept.append(quad)
            for point in mine:
                of_point[point].append(quad)
    return np.array(kept, np.int64)
