"""Barycentric weights against a general solver of the same quadratic programme."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from atomotif.numerics.barycentric import barycentric_weights


def solved(row: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Weights by non-negative least squares, the sum held to 1 by a heavy extra row."""
    heavy = 1e4 * np.abs(corners).max()
    system = np.vstack([corners.T, np.full(len(corners), heavy)])
    return nnls(system, np.append(row, heavy))[0]


@pytest.mark.parametrize(("k", "d"), [(1, 2), (2, 1), (3, 2), (3, 8), (4, 2), (5, 3), (8, 10)])
def test_the_mixture_is_the_nearest_one(k: int, d: int) -> None:
    rng = np.random.default_rng(k * 10 + d)
    corners, rows = rng.normal(size=(k, d)), 2 * rng.normal(size=(60, d))
    weights = barycentric_weights(rows, corners)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-12)
    for row, own in zip(rows, weights, strict=True):
        reference = solved(row, corners)
        # More corners than dimensions: the mixture is unique, its weights are not.
        np.testing.assert_allclose(own @ corners, reference @ corners, atol=1e-5)
        if k <= d + 1:
            np.testing.assert_allclose(own, reference, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), k=st.integers(2, 5), scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3)
)
def test_mixtures_give_their_weights_back_at_any_scale(seed: int, k: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    corners = np.eye(k, k + 1) + 0.1 * rng.normal(size=(k, k + 1))
    planted = rng.dirichlet(np.ones(k), 20)
    moved = scale * (corners + shift)
    np.testing.assert_allclose(barycentric_weights(planted @ moved, moved), planted, atol=1e-6)


def test_equal_corners_and_corners_on_a_line() -> None:
    rows = np.array([[0.0, 1.0], [3.0, -1.0]])
    same = barycentric_weights(rows, np.ones((3, 2)))
    np.testing.assert_allclose(same.sum(axis=1), 1.0)
    line = barycentric_weights(rows, [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    np.testing.assert_allclose(line @ [0.0, 1.0, 2.0], [0.0, 2.0], atol=1e-9)


@pytest.mark.parametrize("dtype", ["<i4", ">f8", "f4"])
def test_any_numbers_are_welcome(dtype: str) -> None:
    rows = np.array([[1, 0], [0, 4]], dtype)[::-1]
    rows.flags.writeable = False
    np.testing.assert_allclose(barycentric_weights(rows, [[0, 0], [2, 0]]), [[1, 0], [0.5, 0.5]], atol=1e-7)


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        (np.zeros((2, 3)), "`corners` must have as many columns as `rows`, 2, got 3."),
        (np.zeros((9, 2)), "`corners` must hold from 1 to 8 rows, got 9."),
        (np.full((2, 2), np.nan), "`corners` must be finite everywhere"),
        (np.zeros((0, 2)), "`corners` must have shape"),
    ],
)
def test_unfit_corners_are_refused(corners: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        barycentric_weights(np.zeros((4, 2)), corners)
