"""Symmetric places of drawn rings and of a simulated pentagonal oxide; pruning against a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree

from atomotif.numerics.moments import zernike_moments
from atomotif.numerics.symmetric_places import (
    filling,
    prune_points,
    symmetric_places,
    symmetry_response,
)

VARIANTS = ("clean", "dose_high", "dose_medium", "dose_low", "jitter", "background")
# Places of drawn rings: (row, col), columns a ring, whether there is one in the middle.
RINGS = [
    ((50.3, 60.7), 5, False),
    ((52.0, 150.2), 5, True),
    ((150.6, 60.0), 4, False),
    ((148.9, 152.4), 3, True),
]


def spots(centres: np.ndarray, shape: tuple[int, int], width: float = 3.5) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for row, col in centres:
        image += np.exp(-((y - row) ** 2 + (x - col) ** 2) / (2 * width**2))
    return image


def drawn() -> np.ndarray:
    centres = []
    for k, ((row, col), n, filled) in enumerate(RINGS):
        t = 0.37 * (k + 1) + 2 * np.pi * np.arange(n) / n
        centres += [(row + 18 * np.sin(a), col + 18 * np.cos(a)) for a in t]
        centres += [(row, col)] if filled else []
    return spots(np.array(centres), (200, 210))


def test_rings_are_found_to_a_tenth_of_a_pixel_and_told_empty_from_filled() -> None:
    image = drawn() + np.random.default_rng(0).normal(0, 0.05, (200, 210))
    both = symmetric_places(image, 5, 21.6, min_score=0.6)
    empty = symmetric_places(image, 5, 21.6, min_score=0.6, empty=True)
    filled = symmetric_places(image, 5, 21.6, min_score=0.6, empty=False)
    assert both.points.shape == (2, 2)
    assert (np.diff(both.score) <= 0).all()
    assert len(empty.points) == len(filled.points) == 1
    np.testing.assert_allclose(empty.points[0], RINGS[0][0], atol=0.25)
    np.testing.assert_allclose(filled.points[0], RINGS[1][0], atol=0.25)
    assert empty.filling[0] < 0.2
    assert filled.filling[0] > 1
    for centre, n, hollow in RINGS[2:]:
        found = symmetric_places(image, n, 21.6, empty=not hollow, min_score=0.6)
        assert np.hypot(*(found.points - centre).T).min() < 0.25


def test_noise_has_no_symmetric_places() -> None:
    image = np.random.default_rng(1).normal(size=(300, 300))
    for fold, least in zip((2, 3, 4, 5, 6), (0.61, 0.40, 0.37, 0.30, 0.27)):
        found = symmetric_places(image, fold, 12.0)
        assert found.threshold == pytest.approx(least, abs=0.005)
        # The image holds 90,000 patches, most of them not independent.
        assert len(found.points) <= 12


def test_places_do_not_depend_on_scale_offset_and_threads() -> None:
    first = symmetric_places(drawn(), 5, 21.6)
    for image in (1e-3 * drawn() + 7, 1e6 * drawn()):
        again = symmetric_places(image, 5, 21.6)
        assert again.points.shape == first.points.shape
        assert np.abs(again.points[:2] - first.points[:2]).max() < 0.1
    assert np.array_equal(symmetric_places(drawn(), 5, 21.6, n_threads=1).points, first.points)


def test_places_at_the_edge_are_left_out() -> None:
    image = np.random.default_rng(1).normal(size=(120, 150))
    everywhere = symmetric_places(image, 2, 12.0, min_score=0.0, min_coverage=0.0).points
    inside = symmetric_places(image, 2, 12.0, min_score=0.0, min_coverage=1.0).points
    assert everywhere.min() < 1
    assert inside.min() > 12 - 2  # the top may be two pixels from the highest pixel
    assert (inside < np.array([119, 149]) - 10).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_pentagon_centres(shared, variant: str) -> None:
    truth = np.load(shared / "bench" / f"pom_like__{variant}.npz")
    centres = truth["pentagon_centres_xy_px"][:, ::-1].astype(float)
    radius = 1.2 * 24.54  # of the nearest-neighbour distance
    found = symmetric_places(truth["image"], 5, radius)
    distance, nearest = KDTree(centres).query(found.points)
    right = distance < 0.5 * 24.54
    inside = np.all((centres > radius) & (centres < 959 - radius), axis=1)
    assert np.isin(np.flatnonzero(inside), nearest[right]).mean() > 0.99
    assert right.mean() > 0.96
    assert len(np.unique(nearest[right])) == right.sum()
    empty = truth["pentagon_class"][nearest] == 0
    assert np.array_equal(found.filling[right] < 0.5, empty[right])


def test_the_pentagons_of_a_graphene_flower(shared) -> None:
    image = np.load(shared / "data" / "graphene_flower_hrtem" / "image.npy")
    found = symmetric_places(image, 5, 1.2 * 10.8, min_score=0.5)
    assert len(found.points) == 12  # on a closed loop round the turned core
    middle = found.points.mean(axis=0)
    np.testing.assert_allclose(middle, [108, 100], atol=6)
    assert np.hypot(*(found.points - middle).T).min() > 20


def slow_prune(points: np.ndarray, score: np.ndarray, distance: float) -> np.ndarray:
    keep = np.zeros(len(points), bool)
    for i in sorted(range(len(points)), key=lambda i: (-score[i], i)):
        keep[i] = all(np.hypot(*(points[i] - points[j])) >= distance for j in np.flatnonzero(keep))
    return keep


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 60), distance=st.floats(0.1, 8))
def test_pruning_equals_a_plain_loop(seed: int, n: int, distance: float) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 20, (n, 2))
    score = rng.integers(0, 5, n) / 4  # with ties
    assert np.array_equal(prune_points(points, score, distance), slow_prune(points, score, distance))


def test_over_counted_columns_are_pruned_by_their_symmetry() -> None:
    rng = np.random.default_rng(3)
    spacing = 16.0
    grid = np.stack(np.meshgrid(np.arange(24.0, 200, spacing), np.arange(24.0, 200, spacing)), -1)
    true = grid.reshape(-1, 2)
    image = spots(true, (224, 224)) + rng.normal(0, 0.1, (224, 224))
    angle = rng.uniform(0, 2 * np.pi, len(true))
    surplus = true + 5 * np.column_stack([np.sin(angle), np.cos(angle)])
    inner = np.all((true > 30) & (true < 194), axis=1)
    points = np.concatenate([surplus[inner], true[inner]])
    response = symmetry_response(zernike_moments(image, points, 1.2 * spacing), (2, 4))
    keep = prune_points(points, response, 0.6 * spacing)
    assert keep[inner.sum() :].mean() > 0.98
    assert keep[: inner.sum()].mean() < 0.02


def test_filling_of_patches() -> None:
    flat = np.zeros((3, 66))
    flat[:, 0] = [0.0, 5.0, -5.0]
    assert filling(flat).tolist() == [0, 0, 0]
    assert filling(np.zeros((0, 66))).shape == (0,)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="`score` must have one value for each of 2 points, got"):
        prune_points([[0, 0], [1, 1]], [1.0], 2.0)
    with pytest.raises(ValueError, match="`score` must not be NaN, got 1"):
        prune_points([[0, 0], [1, 1]], [1.0, np.nan], 2.0)
    with pytest.raises(ValueError, match="`distance` must be positive"):
        prune_points([[0, 0], [1, 1]], [1.0, 2.0], 0.0)
    with pytest.raises(ValueError, match="`folds` must hold at least one order"):
        symmetry_response(np.zeros((2, 66)), ())
    with pytest.raises(ValueError, match="`folds` must be from 2"):
        symmetric_places(drawn(), 1, 20.0)
    with pytest.raises(ValueError, match="`min_coverage` must be from 0 to 1, got 2"):
        symmetric_places(drawn(), 5, 20.0, min_coverage=2)
