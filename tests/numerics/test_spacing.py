import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from atomotif.numerics.spacing import (
    coincidence,
    nearest_neighbor_distance,
    patch_size,
    radial_distribution,
)

FIELD = (300, 300)


def square(spacing: float = 15.0) -> np.ndarray:
    grid = np.arange(spacing / 2, 300, spacing)
    return np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)


def honeycomb(spacing: float = 12.0, angle: float = 0.2) -> np.ndarray:
    a = spacing * np.sqrt(3)
    vectors = a * np.array([[1, 0], [0.5, np.sqrt(3) / 2]])
    index = np.stack(np.meshgrid(np.arange(-40, 41), np.arange(-40, 41)), -1).reshape(-1, 2)
    points = np.concatenate([index @ vectors, index @ vectors + vectors.sum(axis=0) / 3])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points @ turn + 150
    return points[np.all((points >= 0) & (points < 300), axis=1)]


def noise_maxima(seed: int, size: int, width: float) -> np.ndarray:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), width)
    return np.argwhere(smooth == ndimage.maximum_filter(smooth, 3)).astype(float)


def test_nearest_neighbor_distance_is_the_median() -> None:
    points = np.concatenate([square(), [[1.0, 1.0]]])
    assert nearest_neighbor_distance(points) == pytest.approx(15)


def test_random_points_have_a_flat_distribution() -> None:
    points = np.random.default_rng(0).random((4000, 2)) * [300, 150]
    r, rdf = radial_distribution(points, (300, 150), max_distance=70, bin_width=5)
    assert r.tolist() == [2.5 + 5 * k for k in range(14)]
    np.testing.assert_allclose(rdf, 1, atol=0.06)  # to half the field: no bias at the edges


def test_distribution_of_a_lattice_counts_its_shells() -> None:
    r, rdf = radial_distribution(square(), FIELD, bin_width=1.5, max_distance=40.5)
    density = 1 / 15**2
    number = rdf * density * 2 * np.pi * r * 1.5
    for distance, expected in ((15, 4), (15 * np.sqrt(2), 4), (30, 4), (15 * np.sqrt(5), 8)):
        # A shell that falls on the border of two bins is in either.
        assert number[np.abs(r - distance) < 1.6].sum() == pytest.approx(expected, rel=0.01)
    assert (rdf[r < 12] == 0).all()


@pytest.mark.parametrize(
    ("points", "spacing", "repeat"),
    [(square(), 15.0, 15.0), (honeycomb(), 12.0, 12 * np.sqrt(3))],
    ids=["square", "honeycomb"],
)
@pytest.mark.parametrize("scatter", [0.0, 0.05])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_lattices(points: np.ndarray, spacing: float, repeat: float, scatter: float, missing: float) -> None:
    rng = np.random.default_rng(1)
    points = points[rng.random(len(points)) >= missing]
    points = points + rng.normal(0, scatter * spacing, points.shape)
    found = patch_size(points, FIELD)
    assert found.nearest_neighbor == pytest.approx(spacing, rel=0.1)
    assert found.size == pytest.approx(2.4 * found.nearest_neighbor)
    assert found.repeat_length == pytest.approx(repeat, rel=0.02)
    assert found.confidence > 0.9
    assert found.r.shape == found.rdf.shape
    assert patch_size(points, FIELD, relative_radius=2).size == pytest.approx(4 * found.nearest_neighbor)


def test_grains_of_any_orientation_are_trusted() -> None:
    angles = (0.0, 0.15, 0.3, 0.4)
    corners = ((0, 0), (0, 150), (150, 0), (150, 150))
    grains = []
    for angle, (top, left) in zip(angles, corners, strict=True):
        points = honeycomb(angle=angle)
        here = np.all((points >= [top, left]) & (points < [top + 150, left + 150]), axis=1)
        grains.append(points[here])
    assert patch_size(np.concatenate(grains), FIELD).confidence > 0.9


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("number", [12, 40, 400, 3000])
def test_random_points_are_not_trusted(seed: int, number: int) -> None:
    points = np.random.default_rng(seed).random((number, 2)) * 300
    assert patch_size(points, FIELD).confidence < 0.2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [128, 256, 512])
def test_maxima_of_smoothed_noise_are_not_trusted(seed: int, size: int) -> None:
    points = noise_maxima(seed, size, 3.0)
    assert patch_size(points, (size, size)).confidence < 0.2


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.05, 50), angle=st.sampled_from([0, 1, 2, 3]))
def test_lengths_scale_and_quarter_turns_change_nothing(factor: float, angle: int) -> None:
    points = honeycomb()
    for _ in range(angle):
        points = np.column_stack([points[:, 1], 300 - points[:, 0]])
    first, second = patch_size(honeycomb(), FIELD), patch_size(factor * points, (300 * factor, 300 * factor))
    assert second.size == pytest.approx(factor * first.size)
    assert second.repeat_length == pytest.approx(factor * first.repeat_length, rel=0.01)
    assert second.confidence == pytest.approx(first.confidence, abs=0.05)


def test_without_a_shape_the_box_of_the_points_is_the_field() -> None:
    found = patch_size(square() + 1000)
    assert found.confidence > 0.9
    assert found.repeat_length == pytest.approx(15, rel=0.02)


def test_coincidence_falls_with_missing_and_surplus_points() -> None:
    rng = np.random.default_rng(0)
    points = square()
    whole = coincidence(points, FIELD)
    missing = coincidence(points[rng.random(len(points)) > 0.2], FIELD)
    surplus = coincidence(np.concatenate([points, 300 * rng.random((80, 2))]), FIELD)
    assert missing < 0.9 * whole
    assert surplus < 0.9 * whole
    assert abs(coincidence(300 * rng.random((500, 2)), FIELD)) < 0.05


@pytest.mark.parametrize("points", [np.zeros((0, 2)), [[1.0, 2.0]], [[0.0, 0.0], [3.0, 4.0]]])
def test_too_few_points_are_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="`points` must hold at least 3 points, got"):
        patch_size(points)
    with pytest.raises(ValueError, match="`points` must hold at least 3 points, got"):
        radial_distribution(points)


def test_degenerate_points() -> None:
    with pytest.raises(ValueError, match="`points` must be apart"):
        patch_size(np.ones((5, 2)))
    line = patch_size(np.column_stack([np.zeros(20), 3.0 * np.arange(20)]))
    assert line.nearest_neighbor == 3.0
    assert line.confidence == 0.0
    three = patch_size([[0, 0], [0, 5], [5, 0]])
    assert three.size == pytest.approx(12)
    assert three.confidence < 0.5


@pytest.mark.parametrize("count", [3, 5, 8, 12, 20, 30])
def test_a_few_random_points_have_no_confident_size(count):
    for seed in range(12):
        points = np.random.default_rng(seed).uniform(0, 300, (count, 2))
        assert patch_size(points, (300, 300)).confidence < 0.3
