"""Tests by exchange of blocks: their level, their power, and what they say of the divergence."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import kstest, norm

from atomotif.numerics.divergence import kullback_leibler
from atomotif.numerics.exchange_test import distortion_test, exchange_test
from atomotif.numerics.histograms import bin_edges, bin_indices

N_BINS = 8
SIDE = 12
#: Blocks of 16 points, for correlated ones, and of 4.
BLOCK = np.add.outer(SIDE // 4 * (np.arange(SIDE) // 4), np.arange(SIDE) // 4).ravel()


FINE = np.add.outer(SIDE // 2 * (np.arange(SIDE) // 2), np.arange(SIDE) // 2).ravel()


def pair(rng: np.random.Generator, sigma: float, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Two fields of 144 points, whose features are correlated over `sigma` spacings."""
    field = ndimage.gaussian_filter(rng.normal(size=(2, 5, SIDE, SIDE)), (0, 0, sigma, sigma))
    field /= field.std()
    samples = field.reshape(2, 5, -1).transpose(0, 2, 1)
    return samples[0], samples[1] + shift


def binned(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges = bin_edges(np.concatenate([a, b]), N_BINS)
    return bin_indices(a, edges), bin_indices(b, edges)


def test_p_is_uniform_for_one_law_with_correlated_neighbours() -> None:
    rng = np.random.default_rng(0)
    blocks, points = [], []
    for _ in range(200):
        a, b = binned(*pair(rng, 0.5))
        blocks.append(exchange_test(a, b, BLOCK, N_BINS, n_permutations=99, rng=rng).p_value)
        points.append(exchange_test(a, b, np.arange(144), N_BINS, n_permutations=99, rng=rng).p_value)
    assert np.mean(np.array(blocks) <= 0.05) < 0.11
    assert kstest(blocks, "uniform").pvalue > 0.001
    # Exchanged one by one, the same points seem to differ: this is what blocks are for.
    assert np.mean(np.array(points) <= 0.05) > 0.14


def test_corrected_divergence_is_unbiased_within_its_error() -> None:
    rng = np.random.default_rng(1)
    cuts = np.linspace(-2.5, 2.5, 7)
    for shift in (0.0, 0.3, 0.6):
        share = [np.diff(norm.cdf(np.r_[-np.inf, cuts, np.inf] - at)) for at in (0.0, shift)]
        true = 0.5 * np.sum((share[0] - share[1]) * np.log(share[0] / share[1]))
        found = []
        for _ in range(150):
            a, b = pair(rng, 0.0, shift)
            index = np.searchsorted(cuts, a), np.searchsorted(cuts, b)
            found.append(exchange_test(*index, FINE, 8, n_permutations=60, rng=rng))
        corrected, error = np.array([(one.corrected, one.error) for one in found]).T
        assert corrected.mean() == pytest.approx(true, abs=4 * corrected.std() / np.sqrt(150) + 0.04 * true)
        assert 0.75 < np.sqrt(np.mean(error**2)) / corrected.std() < 1.9
        assert np.mean([one.symmetric for one in found]) > true + 2 * corrected.std() / np.sqrt(150)


def test_symmetric_is_the_mean_of_both_directions() -> None:
    a, b = binned(*pair(np.random.default_rng(2), 0.0, 0.5))
    counts = np.array([[np.bincount(one[:, f], minlength=N_BINS) for f in range(5)] for one in (a, b)])
    expected = kullback_leibler(counts)
    found = exchange_test(a, b, FINE, N_BINS, n_permutations=999, rng=np.random.default_rng(0))
    assert found.symmetric == pytest.approx(0.5 * (expected[0, 1] + expected[1, 0]), rel=1e-9)
    assert found.p_value == 0.001
    # All exchanges of six blocks by hand.
    six = np.arange(144) // 24
    null = []
    for bits in range(64):
        change = (bits >> six & 1).astype(bool)[:, None]
        sides = np.where(change, b, a), np.where(change, a, b)
        counts = np.array([[np.bincount(one[:, f], minlength=N_BINS) for f in range(5)] for one in sides])
        table = kullback_leibler(counts)
        null.append(0.5 * (table[0, 1] + table[1, 0]))
    found = exchange_test(a, b, six, N_BINS, n_permutations=8000, rng=np.random.default_rng(0))
    assert found.null_mean == pytest.approx(np.mean(null), rel=0.02)
    assert found.null_std == pytest.approx(np.std(null), rel=0.05)
    assert found.p_value == pytest.approx(np.mean(np.array(null) >= null[0] - 1e-12), rel=0.2)


def test_equal_samples_and_one_block() -> None:
    a, b = binned(*pair(np.random.default_rng(3), 0.0))
    same = exchange_test(a, a, BLOCK, N_BINS, n_permutations=49, rng=np.random.default_rng(0))
    assert same == (0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    one = exchange_test(a, b, np.zeros(144, int), N_BINS, n_permutations=49, rng=np.random.default_rng(0))
    assert one.p_value == 1.0
    assert np.isnan(one.corrected)


def test_distortions_of_one_sample_explain_what_they_do() -> None:
    rng = np.random.default_rng(4)
    derivative = rng.normal(size=(144, 1, 5)) + 1.0
    explained, other = [], []
    for _ in range(60):
        a, b = pair(rng, 0.0)
        amount = 0.5 * rng.normal()
        for row, extra in ((explained, amount * derivative[:, 0]), (other, 1.5)):
            edges = bin_edges(np.concatenate([a, b + extra]), N_BINS)
            index = bin_indices(a, edges), bin_indices(b + extra, edges)
            found = exchange_test(*index, BLOCK, N_BINS, n_permutations=1, rng=rng).symmetric
            row.append(
                distortion_test(
                    found,
                    a,
                    b + extra,
                    derivative,
                    derivative,
                    BLOCK,
                    edges,
                    np.array([0.5]),
                    n_permutations=99,
                    rng=rng,
                )
            )
    assert np.mean(np.array(explained) <= 0.05) <= 0.12
    assert np.median(other) <= 0.05


def test_without_distortion_it_is_the_exchange_test() -> None:
    rng = np.random.default_rng(5)
    a, b = pair(rng, 0.0, 0.15)
    edges = bin_edges(np.concatenate([a, b]), N_BINS)
    plain = exchange_test(*binned(a, b), BLOCK, N_BINS, n_permutations=4000, rng=rng)
    none = np.zeros((144, 1, 5))
    p = distortion_test(
        plain.symmetric, a, b, none, none, BLOCK, edges, np.array([1.0]), n_permutations=4000, rng=rng
    )
    assert p == pytest.approx(plain.p_value, abs=4 * np.sqrt(0.25 / 4000))
