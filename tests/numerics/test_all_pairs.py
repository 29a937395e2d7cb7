"""Every pair once: the tournament of blocks, and candidates from different blocks."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from atomotif.numerics._all_pairs import nearest_candidates, rounds


@pytest.mark.parametrize("n_blocks", [1, 2, 3, 4, 7, 10])
def test_every_pair_of_blocks_meets_once_and_a_block_is_in_one_pair_of_a_round(n_blocks):
    schedule = rounds(n_blocks)
    pairs = [pair for pairs in schedule for pair in pairs]
    assert sorted(pairs) == list(combinations_with_replacement(range(n_blocks), 2))
    for pairs in schedule[1:]:
        blocks = [block for pair in pairs for block in pair]
        assert len(blocks) == len(set(blocks))


def test_equals_sorted_distances_across_blocks():
    points = np.random.default_rng(2).normal(size=(1700, 5)).astype(np.float32)
    squares = ((points[:, None].astype(float) - points) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    found = np.take_along_axis(squares, nearest_candidates(points, 9, 1), axis=1)
    np.testing.assert_allclose(found, np.sort(squares, axis=1)[:, :9], rtol=1e-4, atol=1e-5)


def test_many_copies_give_distinct_other_rows_at_any_number_of_threads():
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 40, 2100)
    points = rng.normal(size=(40, 66)).astype(np.float32)[kind]
    found = nearest_candidates(points, 9, 1)
    assert (kind[found] == kind[:, None]).all()
    assert (found != np.arange(2100)[:, None]).all()
    assert all(len(set(row)) == 9 for row in found.tolist())
    np.testing.assert_array_equal(found, nearest_candidates(points, 9, 3))


def test_missing_candidates_are_marked():
    found = nearest_candidates(np.array([[0.0], [1.0], [3.0]], np.float32), 4, 1)
    np.testing.assert_array_equal(found, [[1, 2, -1, -1], [0, 2, -1, -1], [1, 0, -1, -1]])
