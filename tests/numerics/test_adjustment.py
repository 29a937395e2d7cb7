"""p-values of many tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomotif.numerics.adjustment import ADJUSTMENTS, adjust_p, permutations_needed


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_what_its_steps_do(p: list[float]) -> None:
    adjusted = adjust_p(p)
    level, m = 0.05, len(p)
    rejected = set()
    for k, i in enumerate(np.argsort(p, kind="stable")):
        if p[i] * (m - k) > level:
            break
        rejected.add(int(i))
    assert set(np.flatnonzero(adjusted <= level)) == rejected
    assert (adjusted >= p).all()
    assert adjusted.max() <= 1


def test_benjamini_yekutieli_by_hand() -> None:
    found = adjust_p([0.01, 0.04, 0.03], "benjamini_yekutieli")
    np.testing.assert_allclose(found, np.array([0.03, 0.04, 0.04]) * (1 + 1 / 2 + 1 / 3))


@pytest.mark.parametrize("method", ADJUSTMENTS)
@pytest.mark.parametrize("n_tests", [1, 10, 190])
def test_as_many_permutations_as_the_level_asks_for(method: str, n_tests: int) -> None:
    n = permutations_needed(n_tests, method)

    def least(n: int) -> float:
        p = np.ones(n_tests)
        p[0] = 1 / (n + 1)
        return float(adjust_p(p, method)[0])

    assert least(n) <= 0.05 * (1 + 1e-9) < least(n - 1)


def test_wrong_arguments_are_refused() -> None:
    assert adjust_p([]).shape == (0,)
    with pytest.raises(ValueError, match=r"^`p` must be from 0 to 1, got 1\.5\.$"):
        adjust_p([0.5, 1.5])
    with pytest.raises(ValueError, match=r"^`p` must be from 0 to 1, got nan\.$"):
        adjust_p([np.nan])
    with pytest.raises(ValueError, match=r"^`method` must be one of 'holm', .* got 'bonferroni'\.$"):
        adjust_p([0.5], "bonferroni")
