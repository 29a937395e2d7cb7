"""Which axis neighbours agree upon: planted waves of angular order, with noise and grains."""

import numpy as np
import pytest

from atomotif.numerics.orientation_order import Coherence, choose_fold, orientation_coherence
from atomotif.numerics.zernike import index_pairs

FOLDS = (2, 3, 4, 6)


def patches(angle: np.ndarray, orders: dict[int, float]) -> np.ndarray:
    """Moments with waves of these orders and amplitudes, turned by `angle`."""
    moments = np.zeros((len(angle), 66))
    pairs = list(zip(*index_pairs()))
    for q, height in orders.items():
        moments[:, pairs.index((q, q))] = height * np.cos(q * angle)
        moments[:, pairs.index((q, -q))] = height * np.sin(q * angle)
    return moments


def grid(seed: int = 0) -> tuple[np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    points = np.mgrid[:20, :20].reshape(2, -1).T * 10.0
    return points + rng.normal(0, 0.3, points.shape), rng


@pytest.mark.parametrize("fold", FOLDS)
def test_the_planted_order_is_found_across_grains(fold: int) -> None:
    points, rng = grid()
    angle = np.where(points[:, 0] < 95, 0.1, 0.1 + np.pi / fold) + rng.normal(0, 0.2 / fold, len(points))
    found = orientation_coherence(points, patches(angle, {fold: 1.0}), FOLDS)
    assert choose_fold(found, FOLDS) == fold
    k = FOLDS.index(fold)
    assert found.agreement[k] == pytest.approx(np.exp(-(0.2**2)), abs=0.1)  # less at the boundary
    assert np.abs(np.delete(found.coherence, k)).max() < 1e-6


def test_sites_that_point_opposite_ways_are_told_by_twice_the_order() -> None:
    points, _ = grid()
    site = np.round(points / 10).sum(axis=1).astype(int) % 2
    angle = 0.2 + np.pi / 3 * site
    found = orientation_coherence(points, patches(angle, {3: 1.0, 6: 0.4}), FOLDS)
    assert found.agreement[1] < 0.1
    assert found.agreement[3] == pytest.approx(1)
    assert choose_fold(found, FOLDS) == 6


def test_a_lower_order_that_is_agreed_upon_comes_first() -> None:
    points, _ = grid()
    angle = np.full(len(points), 0.3)
    found = orientation_coherence(points, patches(angle, {2: 0.9, 4: 1.0}), FOLDS)
    assert choose_fold(found, FOLDS) == 2
    weak = orientation_coherence(points, patches(angle, {2: 0.3, 4: 1.0}), FOLDS)
    assert choose_fold(weak, FOLDS) == 4
    assert choose_fold(Coherence(np.array([0.3, 0.0, 0.4, 0.0]), np.array([0.4, 0, 1, 0])), FOLDS) == 4


def test_only_used_points_count() -> None:
    points, rng = grid()
    used = points[:, 1] > 45
    angle = np.where(used, 0.2, rng.uniform(0, 2, len(points)))
    moments = patches(angle, {4: 1.0})
    assert orientation_coherence(points, moments, (4,), used=used).agreement[0] == pytest.approx(1)
    assert orientation_coherence(points, moments, (4,)).agreement[0] < 0.9
    none = orientation_coherence(points, moments, (4,), used=np.zeros(len(points), bool))
    assert none.coherence.tolist() == none.agreement.tolist() == [0]


def test_without_order_nothing_is_agreed_upon() -> None:
    points, rng = grid()
    found = orientation_coherence(points, rng.normal(size=(len(points), 66)), FOLDS)
    assert np.abs(found.agreement).max() < 0.15
    with pytest.raises(ValueError, match="at least 4 points"):
        orientation_coherence(points[:3], np.zeros((3, 66)))
