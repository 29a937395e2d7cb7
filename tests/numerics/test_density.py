import numpy as np
import pytest
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from atomotif.numerics.density import layout_clusters
from atomotif.numerics.spanning_tree import reachability_tree


def islands(seed, n=1500):
    """Twelve round islands of different widths and some noise, in the plane."""
    rng = np.random.default_rng(seed)
    width = rng.uniform(0.2, 2, 12)
    kind = rng.integers(0, 12, n)
    position = rng.uniform(0, 40, (12, 2))[kind] + width[kind, None] * rng.normal(size=(n, 2))
    position[: n // 10] = rng.uniform(0, 40, (n // 10, 2))
    return position


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("size", "samples"), [(10, 1), (20, 5), (50, 15)])
def test_clusters_are_those_of_scikit_learn(seed, size, samples):
    position = islands(seed)
    peer = HDBSCAN(min_cluster_size=size, min_samples=samples, copy=True).fit_predict(position)
    labels, _ = layout_clusters(position, min_cluster_size=size, min_samples=samples)
    assert labels.max() == peer.max()
    assert adjusted_rand_score(peer, labels) > 0.98


def test_probability_is_that_of_scikit_learn_where_clusters_have_none_below_them():
    rng = np.random.default_rng(0)
    position = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(20, 1, (40, 2))])
    peer = HDBSCAN(min_cluster_size=30, min_samples=5, copy=True).fit(position)
    labels, probability = layout_clusters(position, min_cluster_size=30, min_samples=5)
    np.testing.assert_array_equal(labels < 0, peer.labels_ < 0)
    np.testing.assert_allclose(probability, peer.probabilities_, rtol=1e-9)


def test_labels_are_in_order_of_size_and_probability_fits():
    labels, probability = layout_clusters(islands(1))
    size = np.bincount(labels[labels >= 0])
    assert (np.diff(size) <= 0).all()
    assert (probability[labels < 0] == 0).all()
    assert (probability[labels >= 0] > 0).all()
    assert probability.max() == 1


def prim(position, samples):
    """Weights of the minimum spanning tree over all pairs, ascending."""
    apart = np.linalg.norm(position[:, None] - position[None], axis=2)
    core = np.sort(apart, axis=1)[:, min(samples, len(apart)) - 1]
    reach = np.maximum(apart, np.maximum(core[:, None], core[None]))
    nearest = reach[0].copy()
    outside = np.ones(len(apart), bool)
    outside[0] = False
    weights = []
    while outside.any():
        node = np.flatnonzero(outside)[nearest[outside].argmin()]
        weights.append(nearest[node])
        outside[node] = False
        nearest = np.minimum(nearest, reach[node])
    return np.sort(weights)


@pytest.mark.parametrize("seed", range(3))
def test_tree_of_plain_distances_is_minimal(seed):
    position = islands(seed, 400)
    np.testing.assert_allclose(reachability_tree(position, 1)[2], prim(position, 1), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_tree_of_reachabilities_is_nearly_minimal(seed):
    position = islands(seed, 400)
    weight, least = reachability_tree(position, 5)[2], prim(position, 5)
    assert weight.sum() >= least.sum() * (1 - 1e-12)
    assert weight.sum() < least.sum() * 1.01


@pytest.mark.parametrize(
    "position",
    [
        np.zeros((60, 2)),
        np.stack([np.arange(60.0), np.zeros(60)], axis=1),
        np.repeat([[0.0, 0.0], [1.0, 3.0]], 30, axis=0),
        np.round(np.random.default_rng(0).normal(0, 2, (60, 2))),
    ],
)
@pytest.mark.parametrize("samples", [1, 5])
def test_equal_and_collinear_points_have_a_tree(position, samples):
    first, second, weight = reachability_tree(position, samples)
    assert len(weight) == 59
    root = np.arange(60)
    for a, b in zip(first, second):
        root[root == root[a]] = root[b]
    assert len(np.unique(root)) == 1
    np.testing.assert_allclose(weight, prim(position, samples), atol=1e-12)
    labels, probability = layout_clusters(position, min_cluster_size=5, min_samples=samples)
    assert np.isfinite(probability).all()
    assert labels.shape == (60,)


def test_two_piles_are_two_clusters():
    labels, probability = layout_clusters(np.repeat([[0.0, 0.0], [1.0, 3.0]], [30, 20], axis=0))
    np.testing.assert_array_equal(labels, np.repeat([0, 1], [30, 20]))
    assert (probability == 1).all()


def test_single_cluster_only_on_demand():
    position = np.random.default_rng(0).normal(size=(200, 2))
    labels, _ = layout_clusters(position, min_cluster_size=80, allow_single_cluster=True)
    assert labels.max() == 0
    assert (labels == 0).mean() > 0.9
    assert layout_clusters(position, min_cluster_size=80)[0].max() == -1


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_fewer_points_than_a_cluster_are_noise(n):
    labels, probability = layout_clusters(np.arange(2.0 * n).reshape(n, 2), min_cluster_size=5)
    np.testing.assert_array_equal(labels, -1)
    np.testing.assert_array_equal(probability, 0)


def test_threads_and_scale_do_not_matter():
    position = islands(2)
    labels, probability = layout_clusters(position, n_threads=1)
    np.testing.assert_array_equal(labels, layout_clusters(position, n_threads=3)[0])
    scaled, again = layout_clusters(position * 1024)
    np.testing.assert_array_equal(labels, scaled)
    np.testing.assert_allclose(probability, again)
    np.testing.assert_array_equal(
        layout_clusters(position.astype(np.float32))[0],
        layout_clusters(position.astype(np.float32).astype(float))[0],
    )


@pytest.mark.parametrize(
    ("position", "options", "message"),
    [
        ([[0.0, np.nan]], {}, "`position` must be finite"),
        ([[0.0, 1.0, 2.0]], {}, "`position` must have shape"),
        ([[0.0, 1.0]], {"min_cluster_size": 1}, "`min_cluster_size` must be at least 2"),
        ([[0.0, 1.0]], {"min_samples": 0}, "`min_samples` must be at least 1"),
    ],
)
def test_bad_input(position, options, message):
    with pytest.raises(ValueError, match=message):
        layout_clusters(position, **options)
