import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from atomotif.numerics.segmentation import segment


def same_partition(a, b):
    pairs = set(zip(a.tolist(), b.tolist()))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


@pytest.mark.parametrize(("n", "rank", "n_segments"), [(5, 1, 2), (60, 3, 7), (400, 2, 30), (300, 10, 150)])
def test_is_wards_method(n, rank, n_segments):
    rows = np.random.default_rng(n).normal(size=(n, rank))
    expected = fcluster(linkage(rows, "ward"), n_segments, "maxclust")
    assert same_partition(segment(rows, n_segments, np.random.default_rng(0)), expected)


def test_equal_rows_and_more_segments_than_rows():
    rows = np.repeat([[0.0, 1.0], [5.0, 5.0]], 6, axis=0)
    labels = segment(rows, 2, np.random.default_rng(0))
    assert same_partition(labels, np.repeat([0, 1], 6))
    assert sorted(segment(rows[4:8], 9, np.random.default_rng(0))) == [0, 1, 2, 3]
    assert segment(rows[:1], 3, np.random.default_rng(0)).tolist() == [0]


def test_many_rows_keep_their_rare_groups_and_the_seed_decides():
    rng = np.random.default_rng(7)
    truth = np.repeat([0, 1, 2, 3], [12000, 7960, 20, 20])
    centre = np.array([[0, 0, 0], [8, 0, 0], [0, 8, 0], [0, 0, -8.0]])
    rows = centre[truth] + rng.normal(size=(20000, 3))
    labels = segment(rows, 150, np.random.default_rng(1))
    assert labels.max() == 149
    majority = np.array([np.bincount(truth[labels == k]).argmax() for k in range(150)])
    assert np.mean(majority[labels] == truth) > 0.999
    assert all(np.mean(majority[labels[truth == k]] == k) > 0.9 for k in (2, 3))
    assert np.array_equal(labels, segment(rows, 150, np.random.default_rng(1)))
