"""Parts of planted kinds of columns."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from atomotif.numerics.parts import find_parts


def kinds(count: int, seed: int = 0, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Rows of `count` kinds of unequal size, each spread along a line of its own, and their kinds."""
    rng = np.random.default_rng(seed)
    kind = np.sort(rng.permutation(n) % (2 * count)) // 2
    kind = np.minimum(kind, rng.integers(0, count, n)) if count > 1 else np.zeros(n, int)
    middle, along = 10 * np.eye(count, 8), rng.normal(size=(count, 8))
    spread = rng.uniform(-1, 1, (n, 1)) * along[kind]
    rows, order = middle[kind] + spread + 0.2 * rng.normal(size=(n, 8)), rng.permutation(n)
    return rows[::-1] if count == 2 else rows[order], kind[::-1] if count == 2 else kind[order]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_planted_kinds_are_found(count: int) -> None:
    rows, kind = kinds(count)
    found = find_parts(rows, np.ones(len(rows), bool))
    assert found.max() + 1 == count
    assert adjusted_rand_score(kind, found) == 1.0
    assert (np.diff(np.bincount(found)) <= 0).all()


def test_what_only_changes_continuously_is_one_part() -> None:
    rng = np.random.default_rng(0)
    assert find_parts(rng.uniform(-1, 1, (500, 3)), np.ones(500, bool)).max() == 0
    assert find_parts(np.ones((20, 2)), np.ones(20, bool)).max() == 0


def test_others_join_the_nearest() -> None:
    rows, kind = kinds(3)
    learn = np.random.default_rng(1).random(len(rows)) < 0.5
    found = find_parts(rows, learn)
    assert adjusted_rand_score(kind, found) == 1.0
    strays = np.concatenate([rows, 10 * np.eye(3, 8)[[1]] + 3])
    extended = find_parts(strays, np.append(learn, False))
    assert extended[-1] == extended[np.argmax(kind == 1)]


def test_as_many_as_asked_for() -> None:
    rows, _ = kinds(3)
    for count in (1, 2, 5):
        assert find_parts(rows, np.ones(len(rows), bool), count).max() + 1 == count


def test_unfit_input_is_refused() -> None:
    rows = np.zeros((4, 2))
    with pytest.raises(ValueError, match=r"`n_parts` must not exceed the 2 rows learnt from, got 3\."):
        find_parts(rows, np.arange(4) < 2, 3)
    with pytest.raises(ValueError, match="`learn` must be 4 booleans, not all False"):
        find_parts(rows, np.zeros(4, bool))
    with pytest.raises(ValueError, match="`rows` must be finite everywhere"):
        find_parts(rows + np.nan, np.ones(4, bool))
