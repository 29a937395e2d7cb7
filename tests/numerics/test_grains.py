"""Grains of planted orientations, of drawn lattices under strain, and of a simulated polycrystal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import KDTree

from atomotif import MotifSession
from atomotif.numerics._grain_graph import joined_if_equal, neighbors
from atomotif.numerics.columns import find_columns
from atomotif.numerics.grains import find_grains
from atomotif.numerics.moments import patch_coverage, zernike_moments
from atomotif.numerics.spacing import nearest_neighbor_distance
from atomotif.numerics.symmetry import orientation

VARIANTS = ("clean", "dose_high", "dose_medium", "dose_low", "jitter", "background")


def field(seed: int = 0, side: int = 40) -> tuple[np.ndarray, np.random.Generator]:
    """Points on a jittered square grid of 10 px, and the generator that made them."""
    rng = np.random.default_rng(seed)
    grid = np.mgrid[:side, :side].reshape(2, -1).T * 10.0
    return grid + rng.normal(0, 0.5, grid.shape), rng


def three(points: np.ndarray) -> np.ndarray:
    """Grain 0 on the left, 1 at the top right, 2 at the bottom right."""
    row, col = points.T
    return np.where(col + 0.2 * row < 200, 0, np.where(row < 180, 1, 2))


@pytest.mark.parametrize("fold", [2, 4, 6])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.08])
def test_planted_grains_are_found(fold: int, noise: float) -> None:
    points, rng = field()
    truth = three(points)
    turned = np.array([0.02, 0.35, 0.7]) * 4 / fold  # near 0, so that angles wrap
    angle = turned[truth] + 4 / fold * rng.normal(0, noise, len(points))
    # Whole periods change nothing.
    found = find_grains(points, angle + 2 * np.pi / fold * rng.integers(-2, 3, len(points)), fold)
    assert len(found.count) == 3
    order = np.argsort(-np.bincount(truth))
    assert np.mean(found.label == np.argsort(order)[truth]) > 0.99
    assert found.count.sum() == (found.label >= 0).sum()
    assert (np.diff(found.count) <= 0).all()
    off = (found.angle - turned[order] + np.pi / fold) % (2 * np.pi / fold) - np.pi / fold
    assert (np.abs(off) <= 4 * found.error + 1e-9).all()
    assert found.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    for (a, b), difference in zip(found.pairs, found.misorientation):
        planted = (turned[order[b]] - turned[order[a]] + np.pi / fold) % (2 * np.pi / fold) - np.pi / fold
        assert difference == pytest.approx(planted, abs=4 / fold * (0.001 + noise / 5))
    assert found.noise == pytest.approx(4 / fold * noise, rel=0.1, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), turn=st.floats(-7, 7), scale=st.floats(0.1, 20))
def test_turning_all_angles_and_scaling_changes_no_grain(seed: int, turn: float, scale: float) -> None:
    points, rng = field(seed, 24)
    angle = np.array([0.1, 0.4, 0.7])[three(2 * points)] + rng.normal(0, 0.03, len(points))
    strength = rng.uniform(0.5, 1, len(points))
    first = find_grains(points, angle, 6, strength)
    again = find_grains(scale * points + 100, angle + turn, 6, scale * strength)
    assert np.array_equal(first.label, again.label)
    np.testing.assert_allclose(again.misorientation, first.misorientation, atol=1e-9)
    np.testing.assert_allclose(again.error, first.error, rtol=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_errors_are_those_of_repeated_fields(correlation: float) -> None:
    pulls = []
    for seed in range(60):
        points, rng = field(seed, 30)
        noise = rng.normal(size=(30, 30))
        if correlation:
            noise = ndimage.gaussian_filter(noise, correlation, mode="wrap")
        angle = np.where(points[:, 1] < 145, 0.1, 0.5) + 0.05 * noise.ravel() / noise.std()
        found = find_grains(points, angle, 4)
        left_first = found.label[0] == 0
        pulls.append(
            (found.misorientation[0] - (0.4 if left_first else -0.4)) / found.misorientation_error[0]
        )
    assert np.std(pulls) == pytest.approx(1, abs=0.25)


def test_a_slowly_bent_crystal_is_one_grain() -> None:
    points, rng = field()
    angle = np.deg2rad(12) * points[:, 1] / 400 + rng.normal(0, 0.01, len(points))
    found = find_grains(points, angle, 4)
    assert found.count.tolist() == [len(points)]
    assert found.pairs.shape == (0, 2)


@pytest.mark.parametrize("seed", range(8))
def test_angles_without_order_make_no_grain(seed: int) -> None:
    points, rng = field(seed)
    found = find_grains(points, rng.uniform(0, np.pi, len(points)), 4)
    assert len(found.count) == 0
    assert (found.label == -1).all()
    assert np.isnan(found.noise)


def test_small_grains_are_not_resolved() -> None:
    points, rng = field()
    inside = np.hypot(*(points - 200).T) < 25  # some twenty points
    angle = np.where(inside, 0.5, 0.1) + rng.normal(0, 0.01, len(points))
    assert len(find_grains(points, angle, 4).count) == 1
    larger = np.hypot(*(points - 200).T) < 60
    found = find_grains(points, np.where(larger, 0.5, 0.1) + rng.normal(0, 0.01, len(points)), 4)
    assert len(found.count) == 2
    assert np.mean((found.label == 1) == larger) > 0.99
    assert len(find_grains(points, np.where(larger, 0.5, 0.1), 4, min_points=200).count) == 1


def test_points_without_strength_go_with_their_neighbours() -> None:
    points, rng = field()
    truth = three(points)
    angle = np.array([0.1, 0.4, 0.8])[truth]
    wild = rng.random(len(points)) < 0.1
    angle[wild] = rng.uniform(0, 1.5, wild.sum())
    found = find_grains(points, angle, 4, np.where(wild, 0.0, 1.0))
    order = np.argsort(-np.bincount(truth))
    assert np.mean(found.label == np.argsort(order)[truth]) > 0.98


@pytest.mark.parametrize("strain", [0.0, 0.01])
@pytest.mark.parametrize("fold", [4, 6])
def test_one_crystal_under_strain_is_one_grain(fold: int, strain: float) -> None:
    spacing, size = 14.0, 360
    index = np.stack(np.meshgrid(np.arange(-40, 41), np.arange(-40, 41)), -1).reshape(-1, 2)
    second = [0.0, 1.0] if fold == 4 else [0.5, np.sqrt(3) / 2]
    points = spacing * index @ np.array([[1.0, 0.0], second])
    turn = np.array([[np.cos(0.2), np.sin(0.2)], [-np.sin(0.2), np.cos(0.2)]])
    # A strain that grows from nothing to its full value, and a shear, over the field.
    points = points @ turn + size / 2
    points = points + strain * points * points[:, 1:] / size + strain * points[:, ::-1] * [1, 0]
    points = points[np.all((points > 0) & (points < size - 1), axis=1)]
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    image = np.zeros((size, size))
    for row, col in points:
        near = slice(max(0, int(row) - 15), int(row) + 16), slice(max(0, int(col) - 15), int(col) + 16)
        image[near] += np.exp(-((y[near] - row) ** 2 + (x[near] - col) ** 2) / (2 * 3.0**2))
    image += rng.normal(0, 0.1, image.shape)
    radius = 1.2 * spacing
    angle, strength = orientation(zernike_moments(image, points, radius), fold)
    strength = strength * (patch_coverage(points, radius, image.shape) == 1)
    found = find_grains(points, angle, fold, strength)
    assert len(found.count) == 1
    assert found.count[0] > 0.97 * len(points)
    if not strain:
        # The first vector points along the rows, that is at a right angle, before it is turned back.
        expected = (np.pi / 2 - 0.2) % (2 * np.pi / fold)
        assert found.angle[0] == pytest.approx(expected, abs=4 * found.error[0] + 2e-3)
        assert found.error[0] < 2e-3


@pytest.mark.parametrize("variant", VARIANTS)
def test_polycrystal(shared, variant: str) -> None:
    truth = np.load(shared / "bench" / f"polycrystal_mos2__{variant}.npz")
    columns = find_columns(truth["image"])
    distance, nearest = KDTree(truth["positions_xy_px"][:, ::-1]).query(columns.points)
    right = distance < 0.5 * 16.89
    points, grain = columns.points[right], truth["grain"][nearest[right]]
    radius = 1.2 * 16.89
    angle, strength = orientation(zernike_moments(truth["image"], points, radius), 6)
    strength = strength * (patch_coverage(points, radius, truth["image"].shape) > 0.95)
    found = find_grains(points, angle, 6, strength)
    assert len(found.count) == 2
    share = np.mean(found.label == grain), np.mean(found.label == 1 - grain)
    assert max(share) > 0.97
    assert found.pairs.tolist() == [[0, 1]]
    error = np.rad2deg(abs(found.misorientation[0])) - 18
    assert abs(error) < 0.1
    assert np.rad2deg(found.misorientation_error[0]) < 0.1


def test_iron_has_two_grains_turned_as_sigma_5(shared) -> None:
    image = np.load(shared / "data" / "fe_bcc_grain_boundary" / "image.npy")
    columns = find_columns(image)
    radius = 1.2 * nearest_neighbor_distance(columns.points)
    angle, strength = orientation(zernike_moments(image, columns.points, radius), 4)
    strength = strength * (patch_coverage(columns.points, radius, image.shape) > 0.95)
    found = find_grains(columns.points, angle, 4, strength)
    assert len(found.count) == 2
    assert (found.label < 0).mean() < 0.03
    upper = columns.points[found.label == found.label[columns.points[:, 0].argmin()], 0]
    assert upper.max() < 300  # the boundary runs across the middle of 512 rows
    # 36.87 degrees, and the scan may shear by a per cent.
    assert abs(np.rad2deg(found.misorientation[0])) == pytest.approx(36.87, abs=0.7)


def test_the_turned_core_of_a_graphene_flower(shared) -> None:
    folder = shared / "data" / "graphene_flower_hrtem"
    image = np.load(folder / "image.npy")
    points = np.loadtxt(folder / "points.csv", delimiter=",", skiprows=1, usecols=(1, 0))
    radius = 1.2 * 10.8  # of the distance of the hexagons' centres
    angle, strength = orientation(zernike_moments(image, points, radius), 6)
    strength = strength * (patch_coverage(points, radius, image.shape) > 0.95)
    found = find_grains(points, angle, 6, strength)
    assert len(found.count) == 2
    assert found.count[1] == pytest.approx(30, abs=8)
    # The core is turned by 30 degrees, where both senses of the turn are the same.
    assert abs(np.rad2deg(found.misorientation[0])) == pytest.approx(30, abs=2.5)


def split(difference: float, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points of two crystals on either side of a strip without order, and their angles."""
    points, rng = field(seed)
    away = points[:, 1] + 0.2 * points[:, 0] - 230.0
    angle = np.where(away < 0, 0.0, difference) + rng.normal(0, noise, len(points))
    strip = np.abs(away) < 25.0
    return points, np.where(strip, rng.uniform(0, np.pi / 2, len(points)), angle)


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.1])
def test_pieces_of_one_orientation_are_one_grain(noise: float) -> None:
    found = find_grains(*split(0.0, noise), 4)
    assert len(found.count) == 1
    assert len(found.pairs) == 0
    assert found.count[0] > 1350
    assert abs(wrapped_quarter(found.angle[0])) < 4 * found.error[0]


@pytest.mark.parametrize(("difference", "noise"), [(0.1, 0.05), (0.02, 0.01), (-0.3, 0.1)])
def test_pieces_that_differ_beyond_their_error_are_two(difference: float, noise: float) -> None:
    found = find_grains(*split(difference, noise), 4)
    assert len(found.count) == 2
    turned = abs(found.misorientation[0])
    assert abs(turned - abs(difference)) < 4 * found.misorientation_error[0]


@pytest.mark.parametrize(("step", "count"), [(0.2, 2), (0.4, 1)])
def test_pieces_beyond_the_tolerance_are_two_whatever_their_error(step: float, count: int) -> None:
    points, rng = field(side=6)
    core = (points[:, 1] > 25).astype(np.int64)
    # Means 0.3 apart, of eighteen phases each that scatter by 1.
    scatter = rng.permutation(np.linspace(-1.7, 1.7, 18))
    phase = np.empty(len(points))
    phase[core == 0], phase[core == 1] = scatter, 0.3 + scatter
    joined = joined_if_equal(core, phase, np.ones(len(points)), points, neighbors(points), step)
    assert len(np.unique(joined)) == count


@pytest.mark.parametrize("variant", VARIANTS)
def test_moire_is_one_grain(shared, variant: str) -> None:
    with np.load(shared / "bench" / f"mos2_twist_3p15__{variant}.npz") as file:
        session = MotifSession(file["image"].astype(np.float32)).find_grains()
    grains = session.data["grains"]
    assert grains.sizes["grain_"] == 1
    assert grains["count"][0] > 2500


def wrapped_quarter(angle: float) -> float:
    return float((angle + np.pi / 4) % (np.pi / 2) - np.pi / 4)


def test_wrong_arguments() -> None:
    points, _ = field(0, 5)
    angle = np.zeros(25)
    with pytest.raises(ValueError, match="`points` must hold at least 4 points, got 3"):
        find_grains(points[:3], angle[:3], 4)
    with pytest.raises(ValueError, match="`points` must not lie on one line"):
        find_grains(np.column_stack([np.arange(6), np.arange(6)]), angle[:6], 4)
    with pytest.raises(ValueError, match="`angle` must have one value for each of 25 points, got shape"):
        find_grains(points, angle[:4], 4)
    with pytest.raises(ValueError, match="`angle` must be finite, got 25"):
        find_grains(points, angle * np.nan, 4)
    with pytest.raises(ValueError, match="`strength` must not be negative, got -1"):
        find_grains(points, angle, 4, angle - 1)
    with pytest.raises(ValueError, match="`fold` must be a positive integer, got 0"):
        find_grains(points, angle, 0)
    with pytest.raises(ValueError, match="`min_points` must be at least 1, got 0"):
        find_grains(points, angle, 4, min_points=0)
    with pytest.raises(ValueError, match="`tolerance` must be positive"):
        find_grains(points, angle, 4, tolerance=0.0)
