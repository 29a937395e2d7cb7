from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.ring_intensity import disc_intensity, separation


@settings(max_examples=25, deadline=None)
@given(st.floats(5, 14), st.floats(5, 14), st.floats(0.3, 4.5))
def test_disc_is_an_average_over_areas(row: float, col: float, radius: float) -> None:
    image = np.random.default_rng(0).random((20, 20))
    fine = (np.arange(20 * 80) + 0.5) / 80 - 0.5
    inside = (fine[:, None] - row) ** 2 + (fine - col) ** 2 < radius**2
    expected = np.repeat(np.repeat(image, 80, axis=0), 80, axis=1)[inside].mean()
    assert disc_intensity(image, [[row, col]], radius)[0] == pytest.approx(expected, abs=0.02)


def test_constant_image_and_edges() -> None:
    points = np.random.default_rng(0).uniform(-3, 22, (600, 2))
    found = disc_intensity(np.full((20, 20), 7.0), points, 2.5)
    gap = np.maximum(np.maximum(-0.5 - points, points - 19.5), 0)
    assert np.isnan(found).tolist() == (np.hypot(*gap.T) >= 2.5).tolist()
    np.testing.assert_allclose(found[np.isfinite(found)], 7)


def test_default_radius_scales_with_the_spacing() -> None:
    image = np.random.default_rng(0).random((60, 60))
    points = np.array([[10.0, 10], [10, 30], [30, 10], [30, 30]])
    np.testing.assert_allclose(disc_intensity(image, points), disc_intensity(image, points, 4.0))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(2, 30))
def test_separation_matches_all_pairs(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = rng.integers(0, 9, n).astype(float), rng.integers(3, 12, m).astype(float)
    found = separation(np.concatenate([low, [np.nan, 5.0], high]), [0] * n + [0, -1] + [2] * m)
    pairs = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    assert found.classes.tolist() == [0, 2]
    assert found.counts.tolist() == [n, m]
    assert found.auc[0, 1] == pytest.approx(pairs.mean())
    assert found.auc[1, 0] == pytest.approx(1 - pairs.mean())
    if n > 1 and low.std() + high.std() > 0:
        spread = np.sqrt((low.var(ddof=1) + high.var(ddof=1)) / 2)
        assert found.d_prime[0, 1] == pytest.approx((high.mean() - low.mean()) / spread)


def test_errors() -> None:
    with pytest.raises(ValueError, match="`classes` must be 2 integers"):
        separation([1.0, 2.0], [0])
    with pytest.raises(ValueError, match="`radius` must be positive and finite, got -1"):
        disc_intensity(np.zeros((9, 9)), [[4, 4]], -1)


@pytest.mark.parametrize("variant", ["clean", "dose_medium", "background"])
def test_filling_of_pentagons(shared: Path, variant: str) -> None:
    with np.load(shared / f"bench/pom_like__{variant}.npz") as file:
        values = disc_intensity(file["image"], file["pentagon_centres_xy_px"][:, ::-1])
        found = separation(values, file["pentagon_class"].astype(int))
    assert (np.diff(found.mean) > 0).all()
    assert found.auc[0, 1] > 0.95
    assert found.auc[0, 2] > 0.999
    assert found.d_prime[0, 2] > 5
