"""The course of features over the place in alike regions."""

import numpy as np
import pytest

from atomotif.numerics.place_trend import place_trend


@pytest.fixture
def regions() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Three regions of two kinds of sites with one smooth course for each."""
    rng = np.random.default_rng(0)
    place, kind = rng.uniform(-20, 20, (450, 2)), rng.integers(0, 2, 450)
    region = np.repeat(np.arange(3), 150)
    y, x = (place / 20).T
    course = np.stack([y**4 - x * y, np.where(kind, 5 + x, y**3), 1000 * x], 1)
    return course, place, region, kind


def test_polynomials_are_taken_out_whole(regions: tuple[np.ndarray, ...]) -> None:
    course, place, region, kind = regions
    found = place_trend(course, place, region, kind)
    assert np.abs(found.deviation / course.std(0)).max() < 1e-9
    assert np.abs(found.offset).max() < 1e-6
    assert np.abs(place_trend(course, place, region).deviation[:, 1]).max() > 0.5
    assert np.abs(place_trend(course, place, region, kind, degree=3).deviation[:, 0]).max() > 0.01


def test_what_a_region_differs_by_stays_and_its_displacement_goes(regions: tuple[np.ndarray, ...]) -> None:
    course, place, region, kind = regions
    rng = np.random.default_rng(1)
    features = course + [0.01, 0.01, 10.0] * rng.normal(size=course.shape)
    displaced = place.copy()
    displaced[region == 2] -= [1.5, -1.0]
    found = place_trend(features, displaced, region, kind)
    apart = found.offset[2] - found.offset[:2]
    np.testing.assert_allclose(apart, [[1.5, -1.0]] * 2, atol=0.1)
    np.testing.assert_allclose(found.offset.mean(0), 0.0, atol=1e-9)
    np.testing.assert_allclose(found.deviation.std(0), [0.01, 0.01, 10.0], rtol=0.15)
    features[region == 1, 0] += 0.3
    deviation = place_trend(features, place, region, kind).deviation[:, 0]
    means = [deviation[region == one].mean() for one in range(3)]
    np.testing.assert_allclose(means, [-0.1, 0.2, -0.1], atol=0.03)


def test_few_points_constants_and_one_place() -> None:
    found = place_trend([[1.0], [3.0]], [[0, 0], [1, 0]], [0, 1])
    np.testing.assert_allclose(found.deviation, [[-1.0], [1.0]])
    assert np.isfinite(found.offset).all()
    flat = place_trend(np.ones((40, 2)), np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) // 20)
    assert np.abs(flat.deviation).max() < 1e-9
    assert np.abs(flat.offset).max() < 1e-3
    assert place_trend(np.ones((4, 1)), np.zeros((4, 2)), [0, 0, 1, 1]).deviation.shape == (4, 1)
    assert place_trend(np.empty((0, 2)), np.empty((0, 2)), np.empty(0, int)).offset.shape == (0, 2)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^`features` must have one row for each of 2 places, got shape "):
        place_trend([[1.0]], [[0, 0], [1, 1]], [0, 0])
    with pytest.raises(ValueError, match=r"^`features` must be finite, got 1 that are not\.$"):
        place_trend([[np.nan]], [[0, 0]], [0])
    with pytest.raises(ValueError, match=r"^`degree` must not be negative, got -1\.$"):
        place_trend([[1.0]], [[0, 0]], [0], degree=-1)
