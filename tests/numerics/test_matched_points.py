"""Points matched by their place in two regions."""

from itertools import permutations

import numpy as np
import pytest

from atomotif.numerics.matched_points import central_points, match_points


def test_least_sum_of_squares_of_all_matchings() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 6, 2))
    best = min(permutations(range(6)), key=lambda order: np.sum((a - b[list(order)]) ** 2))
    assert match_points(a, b, 1.0).partner.tolist() == list(best)


def test_kinds_go_before_places() -> None:
    a = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 9.0]])
    found = match_points(a, a, 1.0, kinds_a=[0, 1, 1], kinds_b=[1, 0, 1])
    assert found.partner.tolist() == [1, 0, 2]
    one_too_many = match_points(a, a, 1.0, kinds_a=[0, 1, 1], kinds_b=[0, 0, 1])
    assert sorted(one_too_many.partner.tolist()) == [0, 1, 2]


def test_blocks_are_squares_of_the_side() -> None:
    a = np.stack(np.mgrid[:8, :8], -1).reshape(-1, 2) + 0.5
    found = match_points(a, a, 4.0)
    assert found.n_blocks == 4
    assert np.bincount(found.block).tolist() == [16] * 4
    for block in range(4):
        assert np.ptp(a[found.block == block], axis=0).max() < 4
    np.testing.assert_array_equal(found.partner, np.arange(64))


def test_the_disc_that_a_region_fills() -> None:
    points = np.stack(np.mgrid[-10:11, -10:11], -1).reshape(-1, 2).astype(float)
    label = np.where(np.abs(points).max(1) <= 6, 3, -1)
    label[np.flatnonzero((points == [1, 1]).all(1))] = -1  # a defect within is not the end
    inside = central_points(points, label, 3)
    distance = np.hypot(*points.T)
    assert (label[inside] == 3).all()
    reach = distance[inside].max()
    assert (np.diff(distance[inside]) >= 0).all()
    assert set(np.flatnonzero((distance < reach) & (label == 3))) <= set(inside.tolist())
    assert 0.93 < np.mean(label[distance < reach] == 3) < 0.97
    assert central_points(points, label, 4).shape == (0,)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^`b` must have as many points as `a`, 2, got 1\.$"):
        match_points([[0, 0], [1, 1]], [[0, 0]], 1.0)
    with pytest.raises(ValueError, match=r"^`block_size` must be positive and finite, got 0\.$"):
        match_points([[0, 0]], [[0, 0]], 0)
    assert match_points(np.empty((0, 2)), np.empty((0, 2)), 1.0).n_blocks == 0
