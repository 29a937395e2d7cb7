"""Archetypes of planted mixtures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, nnls

from atomotif.numerics.archetypes import archetypes, furthest_sum


def planted(k: int, d: int, seed: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Mixtures of `k` corners about 1 apart, and the corners."""
    rng = np.random.default_rng(seed)
    corners = np.eye(k, d) + 0.05 * rng.normal(size=(k, d))
    mixed = np.concatenate([rng.dirichlet(np.full(k, 0.6), 400) @ corners, corners])
    return mixed + noise * rng.normal(size=mixed.shape), corners


def deviation(found: np.ndarray, corners: np.ndarray) -> float:
    """Largest distance of a corner from its own archetype."""
    apart = np.linalg.norm(found[:, None] - corners, axis=2)
    return float(apart[linear_sum_assignment(apart)].max())


@pytest.mark.parametrize(("k", "d"), [(1, 3), (2, 1), (2, 4), (3, 2), (4, 6), (6, 6)])
def test_planted_corners_are_found(k: int, d: int) -> None:
    rows, corners = planted(k, max(k, d), 10 * k + d, noise=0.1 if k == 1 else 0.0)
    found = archetypes(rows, k)
    if k == 1:
        np.testing.assert_allclose(found.corners[0], rows.mean(axis=0), atol=1e-3)
        assert found.explained == pytest.approx(0.0, abs=1e-3)
    else:
        assert deviation(found.corners, corners) < 0.01
        assert found.explained > 0.999


def test_noise_moves_them_less_than_the_extreme_rows() -> None:
    rows, corners = planted(3, 3, 0, noise=0.05)
    found = archetypes(rows, 3)
    assert deviation(found.corners, corners) < deviation(rows[furthest_sum(rows, 3)], corners)
    assert 0.9 < found.explained < 1.0


def residual(rows: np.ndarray, corners: np.ndarray) -> float:
    """Sum of squares of what no mixture explains, by non-negative least squares."""
    system = np.vstack([corners.T, np.full(len(corners), 1e4)])
    return sum(nnls(system, np.append(row, 1e4))[1] ** 2 for row in rows)


def test_no_step_of_a_corner_towards_a_row_explains_more() -> None:
    rows, _ = planted(3, 3, 0, noise=0.1)
    rows = rows[::3]
    found = archetypes(rows, 3)
    least = residual(rows, found.corners)
    assert found.explained == pytest.approx(1 - least / np.sum((rows - rows.mean(axis=0)) ** 2), abs=1e-4)
    for j in range(3):
        for row in rows[::6]:
            moved = found.corners.copy()
            moved[j] += 0.05 * (row - moved[j])
            assert residual(rows, moved) > least * (1 - 2e-3)


def test_archetypes_are_mixtures_of_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2))
    found = archetypes(rows, 4).corners
    for direction in np.random.default_rng(1).normal(size=(50, 2)):
        assert (found @ direction).max() <= (rows @ direction).max() + 1e-6


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-4, 1e4), shift=st.floats(-100, 100))
def test_scale_and_origin_do_not_matter(seed: int, scale: float, shift: float) -> None:
    rows, _ = planted(3, 3, seed, noise=0.02)
    straight = archetypes(rows, 3)
    moved = archetypes(scale * (rows + shift), 3)
    assert deviation(moved.corners / scale - shift, straight.corners) < 1e-3


def test_rows_that_are_all_alike() -> None:
    found = archetypes(np.full((5, 2), 3.0), 2)
    np.testing.assert_allclose(found.corners, 3.0)
    assert found.explained == 1.0


def test_furthest_sum_finds_the_ends() -> None:
    # The middle of the far row's surroundings is furthest from the mean only once.
    rows = [[0.0, 0.0], [10.0, 0.0], [0.0, 8.0], [1.0, 1.0], [5.0, 2.0], [2.0, 3.0]]
    assert furthest_sum(rows, 3).tolist() == [0, 1, 2]
    assert furthest_sum(rows, 1).tolist() == [1]


def test_furthest_sum_takes_no_row_twice() -> None:
    assert furthest_sum([[0.0], [5.0], [10.0]], 3).tolist() == [0, 1, 2]
    assert furthest_sum(np.zeros((4, 2)), 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("k", [0, 6, 9])
def test_unfit_numbers_are_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"`k` must be from 1 to 8 .*, 5, got {k}."):
        archetypes(np.eye(5), k)


def test_rows_must_be_finite() -> None:
    with pytest.raises(ValueError, match="`rows` must be finite everywhere, got 1 NaN"):
        archetypes([[0.0, np.nan], [1.0, 1.0]], 1)
