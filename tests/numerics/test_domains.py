"""Domains of planted weights."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.domains import Domains, find_domains, smoothed_weights, without

SIDE = 24


def field(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    grid = np.mgrid[:SIDE, :SIDE].reshape(2, -1).T * 10.0
    return grid + rng.normal(0, 0.6, grid.shape)


def of(anchor: np.ndarray, k: int = 3) -> np.ndarray:
    """Weights of 0.8 for an anchor, NaN for -1."""
    weights = np.full((len(anchor), k), 0.2 / (k - 1))
    weights[np.arange(len(anchor)), anchor] = 0.8
    weights[anchor < 0] = np.nan
    return weights


def stripes(points: np.ndarray) -> np.ndarray:
    """Anchor 1 at the left, then 0, then 1 again."""
    col = points[:, 1]
    return np.where(col < 65, 1, np.where(col < 165, 0, 1))


def test_planted_domains_are_found_the_largest_first() -> None:
    points = field()
    anchor = stripes(points)
    found = find_domains(points, of(anchor))
    assert found.anchor.tolist() == [0, 1, 1]
    assert found.count.tolist() == [np.sum(anchor == 0), SIDE * 7, SIDE * 7]
    assert (found.anchor[found.label] == anchor).all()
    # Equal ones in the order of their first points.
    assert found.label[0] == 1
    assert not found.at_edge.any()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_points_changes_no_domain(seed: int) -> None:
    points = field()
    rng = np.random.default_rng(seed)
    anchor = rng.integers(0, 3, (4, 4))[tuple((np.clip(points, 0, 239) // 60).astype(int).T)]
    found, order = find_domains(points, of(anchor)), rng.permutation(len(points))
    other = find_domains(points[order], of(anchor[order]))
    np.testing.assert_array_equal(other.count, found.count)
    pairs = np.unique(np.column_stack([found.label[order], other.label]), axis=0)
    assert len(pairs) == len(found.count)
    assert (np.bincount(found.label) == found.count).all()


@pytest.mark.parametrize("small", ["merge", "drop"])
def test_small_domains(small: str) -> None:
    points = field()
    anchor = np.zeros(len(points), int)
    grid = np.mgrid[:SIDE, :SIDE].reshape(2, -1)
    spot = (np.abs(grid - [[10], [12]]) < 2).all(axis=0)
    anchor[spot] = 2
    found = find_domains(points, of(anchor), min_points=10, small=small)
    assert found.anchor.tolist() == [0]
    assert (found.label[spot] == (0 if small == "merge" else -1)).all()
    assert (found.label[~spot] == 0).all()
    kept = find_domains(points, of(anchor), min_points=9, small=small)
    assert kept.count.tolist() == [SIDE**2 - 9, 9]


def test_halves_that_a_small_domain_parts_become_one() -> None:
    points = field()
    row, col = np.mgrid[:SIDE, :SIDE].reshape(2, -1)
    anchor = np.where(col == 12, np.where(row < 10, 1, 2), 0)
    found = find_domains(points, of(anchor), min_points=20)
    assert found.count.tolist() == [SIDE**2]


def test_what_borders_no_domain_goes_to_none() -> None:
    points = field()
    row, col = np.mgrid[:SIDE, :SIDE].reshape(2, -1)
    anchor = np.where(col < 10, 0, -1)
    anchor[(row < 2) & (col > 20)] = 1
    found = find_domains(points, of(anchor), min_points=20)
    assert found.count.tolist() == [SIDE * 10]
    assert (found.label[anchor == 1] == -1).all()


@pytest.mark.parametrize("cut", [lambda col: col < 15, lambda col: col > 225])
def test_domains_beside_what_is_unknown_are_at_the_edge(cut: Callable[[np.ndarray], np.ndarray]) -> None:
    points = field()
    weights = of(stripes(points))
    beyond = cut(points[:, 1])
    weights[beyond] = np.nan
    found = find_domains(points, weights)
    side = found.label[np.abs(points[:, 1] - points[beyond, 1].mean()) < 45].max()
    assert found.at_edge.tolist() == [k == side for k in range(3)]


def test_walls_and_edges() -> None:
    points = field()
    anchor = stripes(points)
    weights = of(anchor)
    wall = np.abs(points[:, 1] - 65) < 11
    weights[wall] = [0.4, 0.4, 0.2]
    found = find_domains(points, weights, min_weight=0.5)
    assert (found.label[wall] == -1).all()
    assert len(found.count) == 3
    assert not found.at_edge.any()
    weights[points[:, 1] > 225] = np.nan
    found = find_domains(points, weights)
    assert (found.label[points[:, 1] > 225] == -1).all()
    right = found.label[np.argmax((points[:, 1] > 190) & (points[:, 1] < 220))]
    assert found.at_edge.tolist() == [k == right for k in range(3)]


def test_nothing_known_gives_no_domains() -> None:
    found = find_domains(field(), np.full((SIDE**2, 2), np.nan))
    assert found.count.shape == found.anchor.shape == found.at_edge.shape == (0,)
    assert (found.label == -1).all()


@pytest.mark.parametrize("sigma", [4.0, 15.0])
def test_smoothing_is_a_gaussian_mean(sigma: float) -> None:
    points, rng = field(), np.random.default_rng(1)
    weights = rng.dirichlet(np.ones(3), len(points))
    weights[rng.random(len(points)) < 0.1] = np.nan
    found = smoothed_weights(points, weights, sigma)
    known = ~np.isnan(weights[:, 0])
    square = ((points[:, None] - points) ** 2).sum(axis=2)
    near = np.exp(-0.5 * square / sigma**2) * (square <= (3 * sigma) ** 2) * known
    expected = near @ np.where(known[:, None], weights, 0) / np.maximum(near.sum(axis=1), 1e-12)[:, None]
    np.testing.assert_allclose(found[known], expected[known], rtol=1e-9)
    assert np.isnan(found[~known]).all()
    np.testing.assert_allclose(found[known].sum(axis=1), 1)
    np.testing.assert_array_equal(smoothed_weights(points, weights, 0), weights)


def test_smoothing_takes_single_errors_away() -> None:
    points = field()
    anchor = stripes(points)
    wrong = np.random.default_rng(0).random(len(points)) < 0.1
    noisy = np.where(wrong, 1 - anchor, anchor)
    found = find_domains(points, smoothed_weights(points, of(noisy), 12.0))
    assert len(found.count) == 3
    assert np.mean(found.anchor[found.label] == anchor) > 0.97


def test_without_numbers_anew() -> None:
    found = Domains(
        np.array([2, 0, 1, -1]), np.array([1, 0, 1]), np.array([1, 1, 1]), np.array([False, True, False])
    )
    kept = without(found, [False, True, False])
    assert kept.label.tolist() == [1, 0, -1, -1]
    assert kept.anchor.tolist() == [1, 1]
    assert without(found, [True] * 3).label.tolist() == [-1] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_weight": 1.5}, "`min_weight` must be from 0 to 1, got 1.5."),
        ({"small": "keep"}, "`small` must be one of 'merge', 'drop', got 'keep'."),
        ({"min_points": 0}, "`min_points` must be positive and finite, got 0."),
        ({"weights": np.ones((3, 2))}, "`weights` must have shape (576, n_anchors), got shape (3, 2)."),
        ({"weights": np.full((576, 2), -1.0)}, "`weights` must be finite and not negative"),
        ({"weights": np.tile([1.0, np.nan], (576, 1))}, "`weights` must be finite and not negative"),
        ({"points": np.zeros((576, 2)) + np.arange(576)[:, None]}, "`points` must not lie on one line."),
    ],
)
def test_unfit_input_is_refused(change: dict[str, object], message: str) -> None:
    arguments = {"points": field(), "weights": of(np.zeros(SIDE**2, int))} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        find_domains(**arguments)


def test_a_negative_sigma_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`sigma` must be at least 0 and finite, got -1\.0\."):
        smoothed_weights(field(), of(np.zeros(SIDE**2, int)), -1.0)
