import numpy as np
import pytest

from atomotif.numerics.merging import merge_groups, relabel_by_size


def clouds(centres, counts, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(counts)), counts)
    return np.asarray(centres, float)[truth] + rng.normal(size=(len(truth), len(centres[0]))), truth


def split(truth, parts, seed=1):
    return truth * parts + np.random.default_rng(seed).integers(0, parts, len(truth))


def test_distinct_groups_stay_and_their_parts_join():
    rows, truth = clouds([[0, 0], [9, 0], [0, 9]], [500, 200, 60])
    assert np.array_equal(merge_groups(rows, split(truth, 12), floor=4.0), truth)


@pytest.mark.parametrize(("floor", "n_groups"), [(4.0, 2), (8.0, 1)])
def test_floor_is_the_least_distance_of_means(floor, n_groups):
    rows, truth = clouds([[0, 0], [6.5, 0]], [400, 400])
    assert merge_groups(rows, truth, floor=floor).max() + 1 == n_groups


@pytest.mark.parametrize(("distance", "n_groups"), [(4.5, 1), (6.5, 2)])
def test_a_rare_group_stands_by_its_distance(distance, n_groups):
    rng = np.random.default_rng(3)
    rows = np.concatenate([rng.normal(size=(800, 2)), np.array([distance, 0.0]) + rng.normal(size=(6, 2))])
    labels = np.repeat([0, 1], [800, 6])
    assert merge_groups(rows, labels, floor=4.0).max() + 1 == n_groups


@pytest.mark.parametrize(("n_rows", "n_groups"), [(2, 1), (3, 2)])
def test_fewer_than_three_rows_are_no_group(n_rows, n_groups):
    rows, truth = clouds([[0, 0], [50, 0]], [200, n_rows])
    assert merge_groups(rows, truth, floor=4.0).max() + 1 == n_groups


@pytest.mark.parametrize("n_groups", [1, 2, 3, 5])
def test_exact_number(n_groups):
    rows, truth = clouds([[0, 0], [9, 0], [0, 9]], [500, 200, 60])
    labels = merge_groups(rows, split(truth, 4), floor=4.0, n_groups=n_groups)
    assert np.unique(labels).tolist() == list(range(n_groups))
    if n_groups <= 3:  # nearest means first: groups join whole
        assert all(len(set(labels[truth == k])) == 1 for k in range(3))


def test_relabel_by_size():
    labels = np.array([5, 2, 2, 9, 9, 2, -1])
    assert relabel_by_size(labels).tolist() == [2, 0, 0, 1, 1, 0, 3]
