import numpy as np
import pytest

from atomotif.numerics.neighbor_graph import fuzzy_graph, memberships, mid_near_pairs, scaled_neighbors
from atomotif.numerics.neighbors import nearest_neighbors


@pytest.fixture(scope="module")
def near():
    X = np.random.default_rng(0).normal(size=(400, 6))
    return nearest_neighbors(X, 50)


@pytest.mark.parametrize("k", [3, 10, 50])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_rows_sum_to_the_target(near, k, unit):
    weights = memberships(near[1][:, :k] * np.float32(unit))
    np.testing.assert_allclose(weights.sum(axis=1), np.log2(k + 1), rtol=1e-5)
    assert (weights[:, 0] == 1).all()
    assert (np.diff(weights, axis=1) <= 0).all()


def test_one_neighbour_has_weight_one():
    np.testing.assert_array_equal(memberships(np.array([[2.0], [0.0]])), 1)


def test_neighbours_all_as_near_as_the_nearest_have_weight_one():
    weights = memberships(np.array([[0.0, 0, 0, 0], [3, 3, 3, 3]]))
    np.testing.assert_array_equal(weights, 1)


def test_more_equal_neighbours_than_the_target_leave_nothing_to_the_others():
    weights = memberships(np.array([[0.0, 0, 0, 1]]))
    np.testing.assert_allclose(weights, [[1, 1, 1, 0]], atol=1e-6)


def test_graph_is_the_fuzzy_union(near):
    indices, distances = near[0][:, :10], near[1][:, :10]
    graph = fuzzy_graph(indices, distances)
    dense = np.zeros((400, 400), np.float32)
    np.put_along_axis(dense, indices.astype(int), memberships(distances), axis=1)
    np.testing.assert_allclose(graph.toarray(), dense + dense.T - dense * dense.T, atol=1e-6)
    assert (graph.toarray() == graph.toarray().T).all()
    assert graph.diagonal().max() == 0
    assert graph.has_sorted_indices


def test_graph_of_one_row_is_empty():
    graph = fuzzy_graph(np.empty((1, 0), np.int32), np.empty((1, 0), np.float32))
    assert graph.shape == (1, 1)
    assert graph.nnz == 0


def test_scaled_distances(near):
    indices, distances = near
    chosen, scaled = scaled_neighbors(indices, distances, 9)
    sigma = distances[:, 3:6].mean(axis=1)
    full = distances**2 / (sigma[:, None] * sigma[indices])
    np.testing.assert_allclose(scaled, np.sqrt(np.sort(full, axis=1)[:, :9]), rtol=1e-5)
    assert (np.sort(chosen, axis=1) != np.sort(indices[:, :9], axis=1)).any()


def test_scaling_among_equal_rows_is_finite():
    X = np.concatenate([np.zeros((30, 2)), np.random.default_rng(0).normal(size=(30, 2))])
    indices, distances = nearest_neighbors(X, 40)
    chosen, scaled = scaled_neighbors(indices, distances, 9)
    assert np.isfinite(scaled).all()
    assert (chosen[:30] < 30).all()


def test_mid_near_pairs_are_nearer_than_random_ones():
    X = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    pairs = mid_near_pairs(X, 3, random_state=5)
    assert pairs.sum() == 2 * 3 * 500
    assert pairs.diagonal().max() == 0
    assert (pairs != pairs.T).nnz == 0
    row, column = pairs.tocoo().coords
    apart = np.linalg.norm(X[row] - X[column], axis=1).mean()
    random = np.linalg.norm(X - X[::-1], axis=1).mean()
    assert 0.5 * random < apart < 0.85 * random
    assert (mid_near_pairs(X, 3, random_state=5) != pairs).nnz == 0
    assert (mid_near_pairs(X, 3, random_state=6) != pairs).nnz > 0


def test_mid_near_pairs_of_few_rows():
    assert mid_near_pairs(np.zeros((1, 2), np.float32)).nnz == 0
    assert mid_near_pairs(np.zeros((2, 2), np.float32)).nnz == 2
