"""Histograms on shared bins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.histograms import bin_edges, bin_indices, default_bins, histograms


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(2, 9))
@settings(max_examples=50, deadline=None)
def test_counts_are_those_of_numpy(seed: int, n: int, n_bins: int) -> None:
    rng = np.random.default_rng(seed)
    values, label = rng.normal(size=(n, 3)), rng.integers(-1, 2, n)
    edges = bin_edges(values, n_bins)
    counts = histograms(bin_indices(values, edges), label, 2, n_bins)
    assert counts.dtype == np.int64
    for one in range(2):
        for feature in range(3):
            own = values[label == one, feature]
            expected = np.histogram(own, n_bins, (values[:, feature].min(), values[:, feature].max()))[0]
            if n > 1:
                np.testing.assert_array_equal(counts[one, feature], expected)
            assert counts[one, feature].sum() == len(own)


def test_edges_hold_all_values_and_outer_bins_what_is_beyond() -> None:
    values = np.array([[0.0, 5.0], [1.0, 5.0], [4.0, 5.0]])
    edges = bin_edges(values, 4)
    np.testing.assert_array_equal(edges[0], [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(edges[1], [3, 4, 5, 6, 7])  # no spread: about the value
    np.testing.assert_array_equal(bin_indices(values, edges)[:, 0], [0, 1, 3])
    np.testing.assert_array_equal(bin_indices([[-9.0, 9.0]], edges), [[0, 3]])


@pytest.mark.parametrize("dtype", ["float32", ">f8", "int16"])
def test_any_dtype_and_layout(dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 9, (20, 6)).astype(dtype)
    for given_ in (values, np.asfortranarray(values), values[::2, ::2]):
        given_.flags.writeable = False
        expected = np.array(given_, np.float64, order="C")
        np.testing.assert_array_equal(bin_edges(given_, 3), bin_edges(expected, 3))


def test_more_points_get_more_bins() -> None:
    assert [default_bins(n) for n in (1, 8, 27, 1000)] == [2, 4, 6, 20]


def test_wrong_arguments_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^`n_bins` must be at least 2, got 1\.$"):
        bin_edges([[1.0]], 1)
    with pytest.raises(ValueError, match=r"^`features` must hold at least one point, got none\.$"):
        bin_edges(np.empty((0, 3)), 2)
    with pytest.raises(ValueError, match=r"^`features` must be finite, got 2 NaN or infinite values\.$"):
        bin_edges([[np.nan, np.inf]], 2)
    with pytest.raises(ValueError, match=r"^`features` must have shape \(n, n_features\), got \(1,\)\.$"):
        bin_edges([1.0], 2)
    with pytest.raises(ValueError, match=r"^`edges` must have a row of at least 3 for each of 1 features, "):
        bin_indices([[1.0]], [[0.0, 1.0]])
