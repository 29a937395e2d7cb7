"""The Kullback-Leibler divergence of histograms."""

import numpy as np
import pytest

from atomotif.numerics.divergence import kullback_leibler


def test_sum_over_bins_by_hand() -> None:
    counts = np.random.default_rng(0).integers(0, 9, (3, 5, 4))
    found = kullback_leibler(counts)
    for i in range(3):
        for j in range(3):
            expected = 0.0
            for f in range(5):
                p = (counts[i, f] + 0.5) / (counts[i, f] + 0.5).sum()
                q = (counts[j, f] + 0.5) / (counts[j, f] + 0.5).sum()
                expected += sum(a * np.log(a / b) for a, b in zip(p, q, strict=True)) / 5
            assert found[i, j] == pytest.approx(expected, abs=1e-12)


def test_empty_bins_are_finite_and_large_samples_exact() -> None:
    found = kullback_leibler([[[100, 0]], [[0, 100]]])
    assert np.isfinite(found).all()
    assert found[0, 1] == pytest.approx(np.log(201), rel=0.01)
    share = np.array([[0.2, 0.8], [0.5, 0.5]])
    expected = np.sum(share[0] * np.log(share[0] / share[1]))
    found = kullback_leibler((share * 10**8).astype(np.int64)[:, None])
    assert found[0, 1] == pytest.approx(expected, rel=1e-6)
    assert found[0, 1] != pytest.approx(found[1, 0], rel=0.01)


def test_bias_of_two_samples_of_one_law() -> None:
    counts = np.random.default_rng(1).multinomial(150, np.full(12, 1 / 12), (2, 2000))
    assert kullback_leibler(counts)[0, 1] == pytest.approx(11 / 2 * (1 / 150 + 1 / 150), rel=0.06)


def test_wrong_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^`counts` must not be negative, got -1\.$"):
        kullback_leibler([[[-1, 2]]])
    with pytest.raises(
        ValueError, match=r"^`counts` must have shape \(n_samples, n_features, n_bins\), got "
    ):
        kullback_leibler([[1, 2]])
