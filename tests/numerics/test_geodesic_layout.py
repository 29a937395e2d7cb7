"""Geodesic layouts of bent sheets, islands and degenerate rows."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from atomotif.numerics.geodesic_layout import geodesic_layout


def sheet(n: int, seed: int = 0, turns: float = 4.5) -> tuple[np.ndarray, np.ndarray]:
    """A sheet of 4.5 x 2 rolled up in five dimensions, and its flat coordinates."""
    rng = np.random.default_rng(seed)
    flat = rng.uniform(0, 1, (n, 2)) * [turns, 2]
    rolled = np.column_stack([np.cos(flat[:, 0]), np.sin(flat[:, 0]), flat[:, 1], np.zeros((n, 2))])
    return rolled, flat


@pytest.mark.parametrize("n", [800, 900, 1000, 3000])
def test_a_bent_sheet_becomes_flat(n: int) -> None:
    rolled, flat = sheet(n)
    found = geodesic_layout(rolled, 2)
    assert np.corrcoef(pdist(found[::7]), pdist(flat[::7]))[0, 1] > 0.99
    assert np.corrcoef(pdist(rolled[::7]), pdist(flat[::7]))[0, 1] < 0.95
    assert np.ptp(found[:, 0]) == pytest.approx(4.5, rel=0.1)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    assert ((found**3).sum(axis=0) >= 0).all()


def test_islands_are_joined_by_the_shortest_way() -> None:
    rng = np.random.default_rng(0)
    places = np.array([0.0, 10.0, 25.0])
    rows = np.concatenate([place + rng.normal(0, 0.2, (60, 1)) for place in places])
    found = geodesic_layout(rows, 1, n_neighbors=10)[:, 0]
    middles = found.reshape(3, 60).mean(axis=1)
    assert abs(middles[2] - middles[0]) == pytest.approx(25, rel=0.05)
    assert abs(middles[1] - middles[0]) == pytest.approx(10, rel=0.05)
    halves = np.concatenate([np.linspace(6, 10, 50), np.linspace(0, 4, 50)])[:, None]
    assert np.ptp(geodesic_layout(halves, 1, n_neighbors=5)) == pytest.approx(10, rel=0.02)


def test_rows_far_from_the_sample_stay_far() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.uniform(0, 1, 2990), 11.0 + 0.001 * np.arange(10)])[:, None]
    found = geodesic_layout(rows, 1)[:, 0]
    assert np.abs(found[-10:, None] - found[:-10]).min() == pytest.approx(10, rel=0.02)
    alone = geodesic_layout(np.append(rows[:2990], 11.0)[:, None], 1, random_state=4)[:, 0]
    assert np.abs(alone[-1] - alone[:-1]).min() == pytest.approx(10, rel=0.05)


def test_seed_and_threads() -> None:
    rolled, _ = sheet(3000)
    one = geodesic_layout(rolled, n_threads=1)
    np.testing.assert_array_equal(one, geodesic_layout(rolled, n_threads=2))
    assert (one != geodesic_layout(rolled, random_state=1)).any()


def test_scale_and_origin_do_not_matter() -> None:
    rolled, _ = sheet(300)
    np.testing.assert_allclose(
        geodesic_layout(1000 * rolled + 7), 1000 * geodesic_layout(rolled), rtol=1e-2, atol=1
    )


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_rows_that_are_alike_or_few(n: int) -> None:
    found = geodesic_layout(np.ones((n, 3), int), 2)
    assert found.shape == (n, 2)
    np.testing.assert_allclose(found, 0, atol=1e-12)
    assert geodesic_layout(np.arange(n)[:, None], 3).shape == (n, 3)


def test_unfit_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`n_components` must be at least 1, got 0\."):
        geodesic_layout(np.eye(3), 0)
    with pytest.raises(ValueError, match="`features` must be finite everywhere"):
        geodesic_layout([[np.inf], [1.0]])
