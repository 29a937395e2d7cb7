import numpy as np
import pytest

from atomotif.numerics.unimodality import MAX_UNIMODAL_SEPARATION, separation

SAMPLES = {
    "uniform": lambda rng, n: rng.uniform(-3, 3, n),
    "normal": lambda rng, n: rng.normal(size=n),
    "laplace": lambda rng, n: rng.laplace(size=n),
    "triangular": lambda rng, n: rng.triangular(-1, 2, 2, n),
    "skewed": lambda rng, n: rng.gamma(2.0, size=n),
}


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_cut_of_one_mode_is_separated(name, share):
    rng = np.random.default_rng(0)
    rows = np.column_stack([SAMPLES[name](rng, 20000), rng.normal(scale=0.1, size=20000)])
    cut = rows[:, 0] < np.quantile(rows[:, 0], share)
    assert separation(rows[cut], rows[~cut]) < MAX_UNIMODAL_SEPARATION


def test_halves_of_a_uniform_distribution():
    rows = np.linspace(0.0, 60.0, 4001)[:, None]
    assert separation(rows[:2000], rows[2001:]) == pytest.approx(np.sqrt(12.0), rel=1e-3)


@pytest.mark.parametrize("n_rare", [20, 100, 1000])
@pytest.mark.parametrize("distance", [3.0, 6.0])
def test_two_gaussian_modes(n_rare, distance):
    rng = np.random.default_rng(n_rare)
    shift = np.array([distance, 0.0, 0.0, 0.0])
    got = separation(rng.normal(size=(2000, 4)), shift + rng.normal(size=(n_rare, 4)))
    assert got == pytest.approx(distance, rel=0.25)
    assert (got > MAX_UNIMODAL_SEPARATION) == (distance > 4)


def test_is_symmetric_and_ignores_shift_and_rotation():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(40, 3)), rng.normal(size=(70, 3)) * [1.0, 2.0, 3.0] + 4.0
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    expected = separation(a, b)
    assert separation(b, a) == pytest.approx(expected)
    assert separation(a @ turn - 7.0, b @ turn - 7.0) == pytest.approx(expected)


def test_a_wide_rare_group_is_not_hidden_by_a_narrow_frequent_one():
    rng = np.random.default_rng(2)
    narrow, wide = 0.1 * rng.normal(size=(5000, 1)), 5.0 + 3.0 * rng.normal(size=(60, 1))
    assert separation(narrow, wide) < MAX_UNIMODAL_SEPARATION


def test_chance_does_not_part_a_few_rows_in_many_dimensions():
    rng = np.random.default_rng(3)
    parted = [separation(*np.split(rng.normal(size=(24, 12)), 2)) for _ in range(50)]
    assert max(parted) < MAX_UNIMODAL_SEPARATION


def test_groups_without_scatter():
    points = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert separation(points[:1], points[1:]) == np.inf
    assert separation(np.repeat(points[:1], 5, axis=0), np.repeat(points[1:], 5, axis=0)) == np.inf
    assert separation(points[:1], points[:1]) == 0.0
