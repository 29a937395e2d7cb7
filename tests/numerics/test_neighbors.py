import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.neighbors import find_neighbors, nearest_neighbors, query_neighbors


def reference(X, k):
    """All distances in double precision, ties by index."""
    X = np.asarray(X, float)
    squares = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    indices = np.argsort(squares, axis=1, kind="stable")[:, :k]
    return indices, np.sqrt(np.take_along_axis(squares, indices, axis=1))


@pytest.fixture(scope="module")
def blobs():
    rng = np.random.default_rng(1)
    return rng.normal(size=(8, 12))[rng.integers(0, 8, 1300)] + 0.2 * rng.normal(size=(1300, 12))


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("size", [1.0, 1e-18, 1e18])
def test_all_pairs_are_exact(blobs, offset, size):
    X = (blobs + offset) * size
    indices, distances = nearest_neighbors(X, 10)
    expected, length = reference(blobs, 10)
    assert (indices == expected).mean() > 0.9999
    np.testing.assert_allclose(distances, length * size, rtol=2e-5)
    assert indices.dtype == np.int32
    assert distances.dtype == np.float32


@given(
    st.integers(1, 40).flatmap(
        lambda n: st.tuples(
            st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=n, max_size=n),
            st.integers(1, 12),
        )
    )
)
@settings(max_examples=60, deadline=None)
def test_small_grids_with_ties_and_equal_rows(case):
    rows, k = case
    indices, distances = nearest_neighbors(np.array(rows, float), k)
    expected, length = reference(rows, min(k, len(rows) - 1))
    np.testing.assert_allclose(distances, length, rtol=1e-6, atol=1e-6)
    assert indices.shape == expected.shape
    for row, found in enumerate(indices):
        assert row not in found
        assert len(set(found)) == len(found)


def test_equal_rows_are_at_distance_zero_in_order_of_the_row():
    X = np.repeat(np.random.default_rng(0).normal(size=(40, 5)), 40, axis=0) + 3.3
    indices, distances = nearest_neighbors(X, 6)
    assert (distances == 0).all()
    np.testing.assert_array_equal(indices[0], np.arange(1, 7))
    np.testing.assert_array_equal(indices[39 * 40 + 3], 39 * 40 + np.array([0, 1, 2, 4, 5, 6]))


def test_constant_features_do_not_matter(blobs):
    plain = nearest_neighbors(blobs, 5)[0]
    padded = nearest_neighbors(np.column_stack([np.full(len(blobs), 7.0), blobs]), 5)[0]
    np.testing.assert_array_equal(plain, padded)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_rows_than_neighbours(n):
    indices, distances = nearest_neighbors(np.arange(n)[:, None], 10)
    assert indices.shape == distances.shape == (n, n - 1)


def test_correlation_ignores_gain_and_offset_of_a_row(blobs):
    X = blobs[:300]
    gain = np.random.default_rng(0).uniform(0.5, 2, (len(X), 1))
    indices, distances = nearest_neighbors(X * gain + gain, 4, metric="correlation")
    apart = 1 - np.corrcoef(X)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(distances, np.sort(apart, axis=1)[:, :4], atol=1e-5)
    assert (indices == np.argsort(apart, axis=1)[:, :4]).mean() > 0.99


def test_correlation_with_a_constant_row_is_zero(blobs):
    X = blobs[:20].copy()
    X[3] = 5.0
    distances = find_neighbors(X, 19, metric="correlation").distances
    np.testing.assert_allclose(distances[3], 0.5, atol=1e-6)


@pytest.mark.parametrize("exact", [True, False])
def test_result_does_not_depend_on_threads(blobs, exact):
    one = find_neighbors(blobs, 7, n_threads=1, exact=exact)
    many = find_neighbors(blobs, 7, n_threads=5, exact=exact)
    np.testing.assert_array_equal(one.indices, many.indices)
    np.testing.assert_array_equal(one.distances, many.distances)


def test_cells_find_what_they_promise():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(30, 8))[rng.integers(0, 30, 6000)] + 0.1 * rng.normal(size=(6000, 8))
    found = find_neighbors(X, 10, exact=False)
    true = find_neighbors(X, 10, exact=True)
    shared = np.mean([len(np.intersect1d(a, b)) for a, b in zip(found.indices, true.indices)]) / 10
    assert 0.95 <= shared < 1  # below 1, or cells were not used at all
    assert found.recall == pytest.approx(shared, abs=0.02)
    assert true.recall == 1


def test_noise_is_searched_exactly():
    X = np.random.default_rng(0).normal(size=(1500, 40))
    assert find_neighbors(X, 10, exact=False).recall == 1


def test_queries_are_independent(blobs):
    X = blobs.astype(np.float32)
    queries = X[:700] + np.float32(0.01)
    indices, distances = query_neighbors(X, queries, 6)
    for part in (slice(3, 4), slice(500, 700)):
        alone = query_neighbors(X, queries[part], 6)
        np.testing.assert_array_equal(indices[part], alone[0])
        np.testing.assert_array_equal(distances[part], alone[1])
    squares = ((queries[:, None].astype(float) - X[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(indices, np.argsort(squares, axis=1, kind="stable")[:, :6])


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.astype(np.float32),
        lambda X: X.astype(">f8"),
        lambda X: np.asfortranarray(X),
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: np.ma.masked_array(X, False),
        lambda X: X.tolist(),
    ],
)
def test_any_real_array_will_do(blobs, convert):
    X = blobs[:50].astype(np.float32).astype(float)
    X.flags.writeable = False
    np.testing.assert_array_equal(nearest_neighbors(convert(X), 3)[0], nearest_neighbors(X, 3)[0])


@pytest.mark.parametrize(
    ("X", "k", "message"),
    [
        ([[0.0, np.nan]], 1, "`X` must be finite"),
        ([[0.0], [np.inf]], 1, "`X` must be finite"),
        (np.ma.masked_array([[0.0], [1.0]], [[0], [1]]), 1, "`X` must not have masked"),
        ([1.0, 2.0], 1, "`X` must have shape"),
        (np.empty((0, 3)), 1, "`X` must have shape"),
        ([[0.0], [1.0]], 0, "`k` must be at least 1"),
    ],
)
def test_bad_input(X, k, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbors(X, k)


def test_complex_features_are_refused():
    with pytest.raises(TypeError, match="`X` must hold real numbers"):
        nearest_neighbors(np.array([[1j], [2]]), 1)


def test_unknown_metric():
    with pytest.raises(ValueError, match="`metric` must be one of"):
        nearest_neighbors([[0.0], [1.0]], 1, metric="cosine")
