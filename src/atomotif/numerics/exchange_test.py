"""Do two matched samples follow one law? Tests by exchange of their blocks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atomotif.numerics import _exchange_kernels as kernels
from atomotif.numerics._threads import one_blas_thread
from atomotif.numerics.divergence import PSEUDO_COUNT
from atomotif.numerics.histograms import bin_indices, histograms

__all__ = ["ExchangeTest", "distortion_test", "exchange_test"]

# Rows of histograms held at a time: 66 features of 12 bins take 1.6 MB.
_CHUNK = 256


class ExchangeTest(NamedTuple):
    """What `exchange_test` returns."""

    symmetric: float
    """Mean of the divergences in both directions, nats per feature."""
    corrected: float
    """The same without the bias of finite samples; NaN for a single block."""
    error: float
    """Its standard error, from the influence of each block; NaN for a single block that differs."""
    null_mean: float
    """Mean of `symmetric` over the exchanges."""
    null_std: float
    """Standard deviation of `symmetric` over the exchanges."""
    p_value: float
    """Share of the exchanges, the given one included, with at least the divergence that was found."""


def exchange_test(
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    block: NDArray[np.int64],
    n_bins: int,
    *,
    n_permutations: int,
    rng: np.random.Generator,
) -> ExchangeTest:
    """Compare the histograms of two matched samples with those after random blocks of them changed sides.

    If both samples follow one law given the block, a block and its partner may be exchanged without a
    trace. What all blocks have in common, as the registry at a place of a moire domain, or the mixture of
    sites, is the same in both samples by construction and cannot be taken for a difference; points that
    are correlated as they share pixels stay together, so that they do not count as independent ones.

    Parameters
    ----------
    a, b : ndarray of int64, shape (n, n_features)
        Bins of the features of each sample, in which row i of `b` is the partner of row i of `a`.
    block : ndarray of int64, shape (n,)
        Block of each pair, 0 ... n_blocks - 1.
    n_bins : int
        Bins of each feature.
    n_permutations : int
        Number of random exchanges.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    ExchangeTest

    Notes
    -----
    With n_b points in block b, a difference of the laws adds d to the divergence of the samples, but also
    d * sum(n_b^2) / n^2 to the mean after exchanges, where it adds up like noise. Hence

        corrected = (symmetric - null_mean) / (1 - sum(n_b^2) / n^2),

    which is unbiased as far as the divergence is quadratic in the difference. To that order it is a sum
    over pairs of different blocks, whose error follows from the part of each block (jackknife); between
    equal laws, where that part is noise itself, it comes out sqrt(2) too large. Exchange of matched pairs:
    Fisher (1935), The Design of Experiments; p-value: Phipson and Smyth (2010). With m blocks there are
    2^(m - 1) different exchanges, and p is hardly below one over it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.integers(0, 5, (100, 3)), rng.integers(0, 5, (100, 3)) // 2
    >>> found = exchange_test(a, b, np.arange(100) // 5, 5, n_permutations=199, rng=rng)
    >>> found.p_value, found.corrected > 10 * found.null_std
    (0.005, True)
    """
    n, n_features = a.shape
    sizes = np.bincount(block).astype(np.float64)
    cells = _block_counts(a, block, n_bins), _block_counts(b, block, n_bins)
    total, difference = (cells[0] + cells[1]).sum(0), cells[0] - cells[1]
    logarithm = np.log(np.arange(n + 1) + PSEUDO_COUNT)

    def divergences(differences: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(
            kernels.symmetric_divergences(total, differences, n, n_features, logarithm, PSEUDO_COUNT)
        )

    with one_blas_thread():
        found = float(divergences(difference.sum(0, keepdims=True))[0])
        null = np.empty(n_permutations)
        for start in range(0, n_permutations, _CHUNK):
            stop = min(start + _CHUNK, n_permutations)
            sign = _signs(rng, stop - start, len(sizes))
            null[start:stop] = divergences(sign @ difference)
    own_share = float(np.sum(sizes**2)) / n**2
    excess = found - float(null.mean())
    return ExchangeTest(
        found,
        excess / (1.0 - own_share) if len(sizes) > 1 else np.nan,
        _standard_error(found, difference, total, sizes),
        float(null.mean()),
        float(null.std()),
        _p_value(found, null),
    )


def distortion_test(
    found: float,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    derivatives_a: NDArray[np.float64],
    derivatives_b: NDArray[np.float64],
    block: NDArray[np.int64],
    edges: NDArray[np.float64],
    spread: NDArray[np.float64],
    *,
    n_permutations: int,
    rng: np.random.Generator,
) -> float:
    """Return the p-value of a divergence against samples of one law of which one is distorted at random.

    Blocks are exchanged as in `exchange_test`, which makes samples of one law with the noise that they have.
    Then one of them is distorted by parameters common to all of its points, drawn from normal laws.

    Parameters
    ----------
    found : float
        The symmetric divergence of the samples.
    a, b : ndarray of float64, shape (n, n_features)
        Features of each sample, matched row by row.
    derivatives_a, derivatives_b : ndarray of float64, shape (n, n_parameters, n_features)
        Change of the features with each parameter, as of `atomotif.numerics.distortions`.
    block : ndarray of int64, shape (n,)
        Block of each pair.
    edges : ndarray of float64, shape (n_features, n_bins + 1)
        Of the bins.
    spread : ndarray of float64, shape (n_parameters,)
        Standard deviation of each parameter.
    n_permutations : int
        Number of draws.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    float

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(100, 3)), rng.normal(1.0, size=(100, 3))
    >>> one, edges, block = np.ones((100, 1, 3)), np.tile(np.linspace(-4, 4, 9), (3, 1)), np.arange(100)
    >>> for spread in (0.1, 1.0):
    ...     p = distortion_test(
    ...         0.5, a, b, one, one, block, edges, np.array([spread]), n_permutations=99, rng=rng)
    ...     print(p < 0.05)
    True
    False
    """
    n_bins = edges.shape[1] - 1
    scale = n_bins / (edges[:, -1] - edges[:, 0])
    derivatives = np.stack([derivatives_a, derivatives_b]) * scale
    sign = _signs(rng, n_permutations, int(block.max()) + 1)
    null = kernels.distorted_divergences(
        np.stack([bin_indices(a, edges), bin_indices(b, edges)]),
        ((np.stack([a, b]) - edges[:, 0]) * scale).astype(np.float32),
        derivatives.astype(np.float32),
        block,
        sign < 0,
        (rng.normal(size=(n_permutations, len(spread))) * spread).astype(np.float32),
        n_bins,
        np.log(np.arange(len(a) + 1) + PSEUDO_COUNT),
        PSEUDO_COUNT,
    )
    return _p_value(found, null)


def _block_counts(bins: NDArray[np.int64], block: NDArray[np.int64], n_bins: int) -> NDArray[np.float32]:
    """Return the histograms of each block, one row each; float32 holds them exactly up to 2^24."""
    counts = histograms(bins, block, int(block.max()) + 1, n_bins)
    return counts.reshape(len(counts), -1).astype(np.float32)


def _standard_error(
    found: float, difference: NDArray[np.float32], total: NDArray[np.float32], sizes: NDArray[np.float64]
) -> float:
    """Return the error of the divergence, from the differences of each block.

    The divergence is about the sum over bins of difference^2 / total, times a factor that is set by what was
    found.
    """
    scaled = difference / np.sqrt(np.maximum(total, 1.0))
    whole = scaled.sum(0)
    square = float(whole @ whole)
    if square == 0.0:
        return 0.0
    if len(sizes) == 1:
        return np.nan
    influence = scaled @ whole - (scaled**2).sum(1)
    influence -= influence.sum() * sizes / sizes.sum()
    # A block is not among the others that it is compared with, and its mean is one of few: both count.
    few = (len(sizes) / (len(sizes) - 1)) ** 1.5
    return float(2.0 * few * np.sqrt(np.sum(influence**2)) * found / square)


def _signs(rng: np.random.Generator, n_draws: int, n_blocks: int) -> NDArray[np.float32]:
    return (2 * rng.integers(0, 2, (n_draws, n_blocks), dtype=np.int8) - 1).astype(np.float32)


def _p_value(found: float, null: NDArray[np.float64]) -> float:
    """Return the p-value; equal divergences may differ by the rounding of sums."""
    return float((1 + np.count_nonzero(null >= found * (1 - 1e-9))) / (len(null) + 1))
