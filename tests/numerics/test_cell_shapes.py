from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.cell_shapes import cell_distortion
from atomotif.numerics.voronoi import voronoi_cells

HOUSE = np.array([[0.0, 0.0], [0.0, 10.0], [8.0, 11.0], [13.0, 5.0], [7.0, -1.0]])


def turned(polygon: np.ndarray, angle: float, start: int = 0) -> np.ndarray:
    """Return a polygon turned from columns towards rows, listed from another corner, elsewhere."""
    c, s = np.cos(angle), np.sin(angle)
    return np.roll(polygon @ np.array([[c, -s], [s, c]]), -start, axis=0) + np.array([100 * angle, 50.0])


def flat(polygons: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate(polygons), np.cumsum([0, *(len(p) for p in polygons)])


def test_equal_cells_have_no_distortion_however_turned() -> None:
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 5, 40)
    angles = rng.uniform(-3, 3, 40)
    corners, offsets = flat([turned(HOUSE, a, s) for a, s in zip(angles, starts)])
    found = cell_distortion(corners, offsets, np.zeros(40, bool))
    assert found.n_corners == 5
    for values in (found.sides, found.angles, found.area, found.distortion):
        np.testing.assert_allclose(values, 0, atol=1e-9)
    assert len(np.unique((found.start + starts) % 5)) == 1
    np.testing.assert_allclose(np.exp(1j * (found.rotation - angles)).std(), 0, atol=1e-9)
    lengths = np.linalg.norm(np.roll(HOUSE, -1, axis=0) - HOUSE, axis=1)
    mean = np.linalg.norm(np.roll(found.mean_cell, -1, axis=0) - found.mean_cell, axis=1)
    np.testing.assert_allclose(np.sort(mean), np.sort(lengths))


def test_one_distorted_cell_among_many() -> None:
    odd = HOUSE.copy()
    odd[3] += [2.0, 0.0]
    cells = [turned(HOUSE, 0.1 * k, k % 5) for k in range(400)] + [turned(odd, 1.0)]
    found = cell_distortion(*flat(cells), np.zeros(401, bool))

    def measures(polygon: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        ahead, behind = np.roll(polygon, -1, axis=0) - polygon, np.roll(polygon, 1, axis=0) - polygon
        sides = np.hypot(*ahead.T)
        cosine = (ahead * behind).sum(axis=1) / (sides * np.roll(sides, 1))  # all angles below pi
        area = 0.5 * abs(
            sum(a[1] * b[0] - a[0] * b[1] for a, b in zip(polygon, np.roll(polygon, -1, axis=0)))
        )
        return sides, np.arccos(cosine), area

    first = found.start[400]
    for values, k in ((found.sides, 0), (found.angles, 1)):
        expected = np.roll(measures(odd)[k] - measures(HOUSE)[k], -first)
        np.testing.assert_allclose(values[400], expected, atol=0.02)
        assert np.abs(values[:400]).max() < 0.02
    assert found.area[400] == pytest.approx(measures(odd)[2] - measures(HOUSE)[2], rel=0.02)
    assert found.distortion[400] > 30 * found.distortion[:400].max()


def test_distortion_is_the_least_over_rotations_and_starts() -> None:
    rng = np.random.default_rng(1)
    cells = [
        turned(HOUSE + rng.normal(0, 0.5, (5, 2)), a, s) for a, s in zip(rng.uniform(0, 6, 30), [0, 3] * 15)
    ]
    found = cell_distortion(*flat(cells), np.zeros(30, bool))
    mean = found.mean_cell
    x, y = mean[:, 1], mean[:, 0]
    size = 0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()
    for cell in (0, 7, 21):
        polygon = cells[cell]
        x, y = (polygon - polygon[0]).T[::-1]
        cross = x * np.roll(y, -1) - y * np.roll(x, -1)
        center = [((v + np.roll(v, -1)) * cross).sum() / (3 * cross.sum()) for v in (y, x)] + polygon[0]
        trials = []
        for start in range(5):
            for angle in np.linspace(0, 2 * np.pi, 3601):
                c, s = np.cos(angle), np.sin(angle)
                here = np.roll(polygon - center, -start, axis=0) @ np.array([[c, -s], [s, c]])
                trials.append(np.sqrt(((here - mean) ** 2).sum() / 5 / size))
        assert found.distortion[cell] == pytest.approx(min(trials), abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.floats(-3, 3), st.integers(0, 3))
def test_rotating_the_sample_changes_nothing(angle: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = [turned(HOUSE + rng.normal(0, 0.4, (5, 2)), a) for a in rng.uniform(0, 6, 12)]
    corners, offsets = flat(cells)
    one = cell_distortion(corners, offsets, np.zeros(12, bool))
    c, s = np.cos(angle), np.sin(angle)
    other = cell_distortion(corners @ np.array([[c, -s], [s, c]]), offsets, np.zeros(12, bool))
    np.testing.assert_allclose(one.sides, other.sides, atol=1e-6)
    np.testing.assert_allclose(one.angles, other.angles, atol=1e-6)
    np.testing.assert_allclose(one.distortion, other.distortion, atol=1e-6)


def side_lengths(cell: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.roll(cell, -1, axis=0) - cell, axis=1)


SCATTERED = {
    "hexagons": (20 * np.array([[1, 0], [0.5, np.sqrt(3) / 2]]), [20 / np.sqrt(3)] * 6),
    "squares": (20 * np.eye(2), [20] * 4),
    "rectangles": (np.diag([20, 23]), [20, 23] * 2),
}


@pytest.mark.parametrize("scatter", [0.3, 1.0])
@pytest.mark.parametrize("name", SCATTERED)
def test_scatter_of_symmetric_cells_makes_no_odd_mean(name: str, scatter: float) -> None:
    vectors, expected = SCATTERED[name]
    index = np.stack(np.meshgrid(np.arange(60), np.arange(60)), -1).reshape(-1, 2)
    centers = index @ vectors + np.random.default_rng(0).normal(0, scatter, (3600, 2))
    cells = voronoi_cells(centers)
    found = cell_distortion(cells.corners, cells.offsets, cells.border)
    mean = side_lengths(found.mean_cell)
    mean = np.roll(mean, -int(mean.argmin() % 2)) if name == "rectangles" else mean
    error = np.nanstd(found.sides, axis=0) / np.sqrt(len(index))
    assert (np.abs(mean - expected) < 3 * error + 0.02 * scatter**2).all()  # scatter makes sides longer
    equal = np.roll(mean, 2 if name == "rectangles" else 1)
    assert (np.abs(mean - equal) < 3 * error).all()


def test_the_mean_is_found_in_a_few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = SCATTERED["hexagons"][0]
    index = np.stack(np.meshgrid(np.arange(40), np.arange(40)), -1).reshape(-1, 2)
    cells = voronoi_cells(index @ vectors + np.random.default_rng(1).normal(0, 0.5, (1600, 2)))
    settled = cell_distortion(cells.corners, cells.offsets, cells.border)
    monkeypatch.setattr("atomotif.numerics.cell_shapes._ROUNDS", 5)
    early = cell_distortion(cells.corners, cells.offsets, cells.border)
    np.testing.assert_array_equal(early.mean_cell, settled.mean_cell)


@pytest.mark.parametrize("scatter", [0.5, 2.0])
def test_pentagons_of_unequal_sides_keep_them(tilings: ModuleType, scatter: float) -> None:
    exact = voronoi_cells(tilings.cairo(16).centers)
    first = exact.offsets[np.flatnonzero(~exact.border)[0]]
    expected = np.sort(side_lengths(exact.corners[first : first + 5]))
    cells = voronoi_cells(tilings.cairo(16, scatter=scatter).centers)
    found = cell_distortion(cells.corners, cells.offsets, cells.border)
    mean = np.sort(side_lengths(found.mean_cell))
    assert mean[0] < 0.8 * mean[1]
    np.testing.assert_allclose(mean, expected, atol=0.15)


def test_border_cells_and_other_corners_are_left_out() -> None:
    square = np.array([[0.0, 0], [0, 10], [10, 10], [10, 0]])
    corners, offsets = flat([HOUSE, HOUSE + 1, HOUSE * 2, square])
    found = cell_distortion(corners, offsets, [False, False, True, False])
    assert np.isnan(found.sides).all(axis=1).tolist() == [False, False, True, True]
    assert np.isnan(found.distortion).tolist() == [False, False, True, True]
    assert found.start.tolist()[2:] == [-1, -1]
    house = 0.5 * sum(a[1] * b[0] - a[0] * b[1] for a, b in zip(HOUSE, np.roll(HOUSE, -1, axis=0)))
    np.testing.assert_allclose(found.area, [0, 0, np.nan, 100 - house], atol=1e-9)


def test_strain_of_a_tiling_is_seen_where_it_is(tilings: ModuleType) -> None:
    tiling = tilings.cairo(12, angle=0.0)
    centers = tiling.centers.copy()
    middle = np.median(centers[:, 1])
    right = centers[:, 1] > middle
    centers[right, 1] = middle + 1.05 * (centers[right, 1] - middle)
    cells = voronoi_cells(centers)
    found = cell_distortion(cells.corners, cells.offsets, cells.border)
    far = np.abs(centers[:, 1] - middle) > 60
    left_area, right_area = (found.area[~cells.border & far & side].mean() for side in (~right, right))
    assert right_area - left_area == pytest.approx(0.05 * 80**2 / 4, rel=0.02)
    left, right_shape = (np.nanmedian(found.distortion[far & side]) for side in (~right, right))
    assert 0.005 < left < 0.03
    assert 0.005 < right_shape < 0.03


def test_errors() -> None:
    corners, offsets = flat([HOUSE, HOUSE])
    with pytest.raises(ValueError, match="`border` must leave at least 1 inner cell, got 2 border cells"):
        cell_distortion(corners, offsets, [True, True])
    with pytest.raises(ValueError, match="`offsets` must lead from 0 to 10 corners over 2 cells"):
        cell_distortion(corners, offsets[:-1], [False, False])
