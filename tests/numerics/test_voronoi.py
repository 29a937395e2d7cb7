from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from atomotif.numerics.voronoi import nearest_cells, polygon_areas, voronoi_cells

FIELD = (60, 90)


def random_seeds(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 2)) * FIELD - 0.5


def inside(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return which points a polygon holds (crossings of a ray)."""
    result = np.zeros(len(points), bool)
    for (r0, c0), (r1, c1) in zip(polygon, np.roll(polygon, -1, axis=0)):
        crosses = (r0 > points[:, 0]) != (r1 > points[:, 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            result ^= crosses & (points[:, 1] < c0 + (points[:, 0] - r0) / (r1 - r0) * (c1 - c0))
    return result


def nearest(points: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    return ((points[:, None] - seeds) ** 2).sum(axis=2).argmin(axis=1)


@pytest.mark.parametrize(("n", "seed"), [(1, 0), (2, 1), (3, 2), (7, 3), (60, 4)])
def test_cells_hold_what_is_nearest_to_their_seed(n: int, seed: int) -> None:
    seeds = random_seeds(n, seed)
    cells = voronoi_cells(seeds, FIELD, short_side=0)
    probes = random_seeds(3000, 99)
    truth = nearest(probes, seeds)
    for cell in range(n):
        polygon = cells.corners[cells.offsets[cell] : cells.offsets[cell + 1]]
        np.testing.assert_array_equal(inside(polygon, probes), truth == cell)
    rows, cols = np.linspace(-0.5, 59.5, 4000), np.linspace(-0.5, 89.5, 4000)
    sides = [(np.full(4000, row), cols) for row in (-0.5, 59.5)]
    sides += [(rows, np.full(4000, col)) for col in (-0.5, 89.5)]
    edge = np.concatenate([np.stack(side, axis=1) for side in sides])
    border = set(nearest(edge, seeds).tolist())
    if n >= 3:  # and those that reach beyond the hull
        outside = Delaunay(seeds).find_simplex(cells.corners) < 0
        border |= set(np.repeat(np.arange(n), np.diff(cells.offsets))[outside].tolist())
    assert set(np.flatnonzero(cells.border).tolist()) == border
    assert cells.area.sum() == pytest.approx(60 * 90)
    assert (cells.area > 0).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 80), st.integers(0, 10**6), st.sampled_from([0.0, 0.2, 0.35]))
def test_cells_cover_the_image(n: int, seed: int, short_side: float) -> None:
    seeds = random_seeds(n, seed)
    cells = voronoi_cells(seeds, FIELD, short_side=short_side)
    # Merged corners are shared: what one cell gains its neighbours lose.
    assert cells.area.sum() == pytest.approx(60 * 90)
    assert cells.offsets[-1] == len(cells.corners)


def test_seeds_on_a_line() -> None:
    cells = voronoi_cells([[10, 10], [10, 20], [10, 40], [10, 70], [10, 80]], (20, 90))
    np.testing.assert_allclose(cells.area, [20 * width for width in (15.5, 15, 25, 20, 14.5)])
    assert cells.border.all()


def test_default_field_is_the_box_of_the_seeds() -> None:
    row, col = np.mgrid[:5, :7]
    cells = voronoi_cells(10.0 * np.column_stack([row.ravel(), col.ravel()]))
    np.testing.assert_allclose(cells.area, 100)
    assert cells.border.sum() == 2 * 7 + 2 * 3


def lattice(angle: float, n: int = 14) -> np.ndarray:
    index = np.stack(np.meshgrid(np.arange(n), np.arange(n)), -1).reshape(-1, 2)
    return 10.0 * index @ np.array([[1, 0], [np.cos(angle), np.sin(angle)]])


@pytest.mark.parametrize(("angle", "corners"), [(np.pi / 2, 4), (np.pi / 3, 6)], ids=["square", "hexagons"])
@pytest.mark.parametrize("scatter", [0.0, 0.3])
def test_scatter_adds_no_corners(angle: float, corners: int, scatter: float) -> None:
    seeds = lattice(angle)
    seeds = seeds + np.random.default_rng(0).normal(0, scatter, seeds.shape)
    cells = voronoi_cells(seeds)
    assert set(np.diff(cells.offsets)[~cells.border]) == {corners}
    if corners == 4 and scatter:
        every = voronoi_cells(seeds, short_side=0)
        assert set(np.diff(every.offsets)[~every.border]) > {4, 5}


def test_cells_of_a_cairo_tiling_are_pentagons(tilings: ModuleType) -> None:
    tiling = tilings.cairo(10, scatter=1.0)
    cells = voronoi_cells(tiling.centers)
    assert set(np.diff(cells.offsets)[~cells.border]) == {5}
    assert (~cells.border).sum() > 250


@pytest.mark.parametrize("short_side", [0.2, 0.35, 0.9])
@pytest.mark.parametrize("apart", [1.0, 0.01])
def test_every_cell_of_a_clump_keeps_three_corners(short_side: float, apart: float) -> None:
    around = 12.0 * np.stack(np.meshgrid(np.arange(1, 9), np.arange(1, 9)), -1).reshape(-1, 2)
    around = around[np.abs(around - 48).max(axis=1) > 6]
    clump = 48 + apart * np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), -1).reshape(-1, 2)
    seeds = np.concatenate([around, clump])
    seeds = seeds + np.random.default_rng(0).normal(0, 0.05 * apart, seeds.shape)
    cells = voronoi_cells(seeds, (108, 108), short_side=short_side)
    assert np.diff(cells.offsets).min() >= 3
    assert (cells.area > 0).all()
    assert cells.area.sum() == pytest.approx(108 * 108)
    assert not cells.border[-9:].any()
    # Far from the clump short sides are none, as before.
    far = np.abs(seeds - 48).max(axis=1) > 20
    assert set(np.diff(cells.offsets)[far & ~cells.border]) == {4}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_no_cell_is_lost(seed: int, short_side: float) -> None:
    cells = voronoi_cells(random_seeds(60, seed), FIELD, short_side=short_side)
    assert np.diff(cells.offsets).min() >= 3
    assert (cells.area > 0).all()


def test_corners_turn_from_columns_towards_rows() -> None:
    cells = voronoi_cells(random_seeds(40, 5), FIELD)
    np.testing.assert_allclose(polygon_areas(cells.corners, cells.offsets), cells.area)
    clockwise = polygon_areas(cells.corners[::-1], cells.offsets[-1] - cells.offsets[::-1])
    np.testing.assert_allclose(clockwise, -cells.area[::-1])


def test_every_point_has_one_cell() -> None:
    seeds, points = random_seeds(50, 6), random_seeds(2000, 7)
    np.testing.assert_array_equal(nearest_cells(points, seeds), nearest(points, seeds))
    # On sides and corners, whichever way the seeds are listed: the first of the nearest ones.
    row, col = np.mgrid[:6, :6]
    grid = 0.1 * np.column_stack([row.ravel(), col.ravel()])
    halves = 0.05 * np.column_stack([a.ravel() for a in np.mgrid[:11, :11]])
    for order in (np.arange(36), np.random.default_rng(0).permutation(36)):
        distance = np.linalg.norm(halves[:, None] - grid[order], axis=2)
        first = (distance < distance.min(axis=1, keepdims=True) + 1e-6).argmax(axis=1)
        np.testing.assert_array_equal(nearest_cells(halves, grid[order]), first)
    assert nearest_cells(np.empty((0, 2)), seeds).shape == (0,)


def test_errors() -> None:
    with pytest.raises(ValueError, match="`seeds` must hold at least 1 point"):
        voronoi_cells(np.empty((0, 2)))
    with pytest.raises(ValueError, match="`seeds` must be distinct, got 1 repeats"):
        voronoi_cells([[1, 1], [1, 1], [2, 2]])
    with pytest.raises(ValueError, match="`seeds` must lie inside the image, got 1 outside"):
        voronoi_cells([[1, 1], [5, 70]], (60, 60))
    with pytest.raises(ValueError, match="`short_side` must be at least 0 and below 1"):
        voronoi_cells([[1, 1], [5, 7]], short_side=1.0)
    with pytest.raises(ValueError, match="`seeds` must hold at least 1 point"):
        nearest_cells([[0, 0]], np.empty((0, 2)))


def test_oxide_cells_are_pentagons(shared: Path) -> None:
    with np.load(shared / "data/points_only/oxide_qian_pentagon_points.npz") as file:
        seeds = file["pos_xy"][:, ::-1]
    cells = voronoi_cells(seeds)
    number = np.diff(cells.offsets)[~cells.border]
    assert (number == 5).mean() > 0.999
    every = voronoi_cells(seeds, short_side=0)
    number = np.diff(every.offsets)[~every.border]
    assert (number == 5).mean() < 0.4
