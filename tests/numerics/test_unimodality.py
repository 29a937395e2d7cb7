import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from atomotif.numerics.unimodality import dip_p_value, dip_statistic, simulate_dip_levels


def dip_by_definition(sample):
    """Least distance from a distribution convex up to its mode and concave beyond, by linear programs."""
    x, count = np.unique(sample, return_counts=True)
    reached = np.cumsum(count) / count.sum()
    below = reached - count / count.sum()
    n = len(x)
    best = np.inf
    for mode in range(n):
        # Unknowns: F at each x, twice at the mode (before and after a jump there), and the distance.
        before = [i if i <= mode else i + 1 for i in range(n)]
        after = [i if i < mode else i + 1 for i in range(n)]
        rows, bounds = [], []

        def require(terms, bound, rows=rows, bounds=bounds):
            row = np.zeros(n + 2)
            for k, factor in terms:
                row[k] += factor
            rows.append(row)
            bounds.append(bound)

        for i in range(n):
            for unknown, level in ((before[i], below[i]), (after[i], reached[i])):
                require([(unknown, 1), (n + 1, -1)], level)
                require([(unknown, -1), (n + 1, -1)], -level)
        for start, stop, unknown, sign in ((0, mode, before, 1), (mode, n - 1, after, -1)):
            for i in range(start + 1, stop):
                left, right = x[i] - x[i - 1], x[i + 1] - x[i]
                require(
                    [
                        (unknown[i - 1], -sign * right),
                        (unknown[i], sign * (left + right)),
                        (unknown[i + 1], -sign * left),
                    ],
                    0,
                )
        for k in range(n):
            require([(k, 1), (k + 1, -1)], 0)
        cost = np.zeros(n + 2)
        cost[-1] = 1
        solved = linprog(cost, np.array(rows), bounds, bounds=[(None, None)] * (n + 1) + [(0, None)])
        assert solved.status == 0
        best = min(best, solved.fun)
    return best


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["normal", "ties", "two groups"])
def test_dip_is_that_of_the_definition(seed, kind):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 10))
    sample = {
        "normal": rng.normal(size=size),
        "ties": rng.integers(0, 7, size).astype(float),
        "two groups": np.concatenate([rng.normal(size=size), 5 + rng.normal(size=5)]),
    }[kind]
    assert dip_statistic(sample) == pytest.approx(dip_by_definition(sample), abs=1e-7)


@pytest.mark.parametrize("size", [2, 5, 40])
def test_dip_of_evenly_spaced_values(size):
    # Each step of 1/n is halved by a straight line; of two values one may be the mode's atom.
    assert dip_statistic(np.arange(size)) == pytest.approx(1 / (2 * size))


def test_dip_of_two_atoms_is_the_largest_possible():
    assert dip_statistic([3.0] * 50 + [8.0] * 50) == 0.25


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30), st.sampled_from([-4.0, 0.5, 8.0]))
def test_dip_ignores_shift_scale_mirror_and_order(values, scale):
    sample = np.array(values, float)
    assert dip_statistic(scale * sample[::-1] + 16.0) == pytest.approx(dip_statistic(sample), abs=1e-12)


@pytest.mark.parametrize("size", [12, 50, 400, 5000])
def test_p_value_of_uniform_samples_is_uniform(size):
    rng = np.random.default_rng(size)
    p = np.array([dip_p_value(rng.random(size)) for _ in range(400)])
    for level in (0.5, 0.2, 0.05):
        assert np.mean(p < level) == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 400))


def test_p_value_of_one_and_of_two_modes():
    rng = np.random.default_rng(0)
    one = rng.normal(size=300)
    assert dip_p_value(one) > 0.5
    assert dip_p_value(np.concatenate([one, one + 5])) == pytest.approx(0.001)
    assert dip_p_value([1.0, 2.0, 9.0]) == 1.0


def test_table_is_reproduced_by_its_function():
    simulated = simulate_dip_levels([64], [0.9, 0.5, 0.2, 0.1], n_samples=3000, random_state=5)
    assert np.allclose(simulated, [[0.2695, 0.3482, 0.4194, 0.4623]], rtol=0.02)
    again = simulate_dip_levels([16], [0.5], n_samples=50, random_state=5)
    assert np.array_equal(again, simulate_dip_levels([16], [0.5], n_samples=50, random_state=5))


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], [1.0, np.nan], [np.inf]])
def test_refuses_what_is_no_sample(values):
    with pytest.raises(ValueError, match="`values` must"):
        dip_statistic(values)
