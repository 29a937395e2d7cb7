"""Features in units of their own noise: whitening, and the number of components above the noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "SYSTEMATIC",
    "Whitening",
    "pooled_whitening",
    "systematic_variance",
    "total_covariance",
    "whitening",
]

#: Standard deviation of what is neither noise nor motif, as a share of the strongest feature.
SYSTEMATIC = 0.045

# Directions in which the noise is a thousand times weaker than in its strongest one are taken to be no
# weaker than that: beyond it, errors of sampling and interpolation outweigh the noise.
_CONDITION = 1e-3
# Eigenvalues of pure noise scatter about the Marchenko-Pastur edge at a finite number of rows.
_EDGE_MARGIN = 1.1
_MIN_RANK, _MAX_RANK = 2, 15


@dataclass(frozen=True)
class Whitening:
    """An affine map from features to whitened components, in which the noise has unit variance.

    Attributes
    ----------
    mean : ndarray of float64, shape (n_features,)
        Mean of the rows that were learnt from.
    matrix : ndarray of float64, shape (n_features, rank)
        Columns by decreasing variance of the component.
    """

    mean: NDArray[np.float64]
    matrix: NDArray[np.float64]

    @property
    def rank(self) -> int:
        """Number of components."""
        return int(self.matrix.shape[1])

    def transform(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the whitened components of `features`, shape (n, rank)."""
        return np.asarray((features - self.mean) @ self.matrix)


def systematic_variance(features: NDArray[np.float64], share: float) -> float:
    """Variance of what is neither noise nor a difference between motifs.

    Sampling, interpolation, residual background, aberrations and strain change the features of equal
    surroundings by a share of the contrast, however high the dose. Without such a floor a noise-free
    image falls into as many motifs as it has columns. The contrast meant is that of the strongest
    feature within the patches: it hardly depends on how frequent the motifs are, and does not vanish
    where all columns are alike.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_features)
        Moments or invariants; column 0, the mean intensity, is no contrast.
    share : float
        Share of the strongest feature's root mean square.

    Returns
    -------
    float

    Examples
    --------
    >>> rows = np.array([[7.0, 1.0, 2.0], [8.0, 1.0, 2.0]])
    >>> systematic_variance(rows, 0.1)
    0.04
    """
    return float(share**2 * (features[:, 1:] ** 2).mean(0).max())


def total_covariance(
    features: NDArray[np.float64], noise: NDArray[np.float64], systematic: float = SYSTEMATIC
) -> NDArray[np.float64]:
    """Noise plus the systematic floor; the identity where neither there nor between rows is anything.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_features)
    noise : ndarray of float64, shape (n_features, n_features)
        Covariance of the noise of a row.
    systematic : float, default 0.045
        See `systematic_variance`.

    Returns
    -------
    ndarray of float64, shape (n_features, n_features)

    Examples
    --------
    >>> total_covariance(np.array([[7.0, 1.0], [8.0, 1.0]]), np.zeros((2, 2)), 0.1).round(3)
    array([[0.01, 0.  ],
           [0.  , 0.01]])
    """
    variance = systematic_variance(features, systematic)
    identity = np.eye(len(noise))
    total = noise + variance * identity
    return total if np.trace(total) > 0.0 else identity


def whitening(features: NDArray[np.float64], covariance: NDArray[np.float64]) -> Whitening:
    """Whiten by the noise and keep the principal components that stand out of it.

    The number of components is that of the eigenvalues above the Marchenko-Pastur edge
    (1 + sqrt(n_features / n))**2, the largest one that pure noise would have, with a margin of a
    tenth; at least 2 and at most 15.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_features)
    covariance : ndarray of float64, shape (n_features, n_features)
        Of the noise of one row, positive semi-definite and not zero.

    Returns
    -------
    Whitening

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(scale=2.0, size=(500, 4))
    >>> rows[:250, 1] += 40.0
    >>> components = whitening(rows, 4.0 * np.eye(4)).transform(rows)
    >>> bool(np.allclose(components[:250].std(0), 1.0, atol=0.1))
    True
    """
    n, n_features = features.shape
    variance, axes = np.linalg.eigh(covariance)
    variance = np.maximum(variance, variance[-1] * _CONDITION)
    whiten = (axes / np.sqrt(variance)) @ axes.T
    mean = features.mean(0)
    white = (features - mean) @ whiten
    value, vector = np.linalg.eigh(white.T @ white / n)
    edge = (1.0 + np.sqrt(n_features / n)) ** 2 * _EDGE_MARGIN
    rank = int(np.clip((value > edge).sum(), min(_MIN_RANK, n_features), min(_MAX_RANK, n_features)))
    return Whitening(mean, whiten @ vector[:, ::-1][:, :rank])


def pooled_whitening(
    components: NDArray[np.float64], labels: NDArray[np.int64], min_count: int = 15
) -> NDArray[np.float64]:
    """Return the matrix that scales components to the scatter found within clusters.

    Every cluster counts the same, so that a frequent narrow one does not hide how wide the others are.
    Directions in which the clusters scatter less than the noise (unit variance) are left as they are:
    the scatter can only add to the noise that is known.

    Parameters
    ----------
    components : ndarray of float64, shape (n, rank)
        Whitened components.
    labels : ndarray of int64, shape (n,)
        Cluster of each row, 0 to n_clusters - 1.
    min_count : int, default 15
        Clusters of fewer rows hardly know their own scatter and are left out.

    Returns
    -------
    ndarray of float64, shape (rank, rank)

    Examples
    --------
    >>> rows = np.tile([[0.0, -3.0], [0.0, 3.0]], (10, 1))
    >>> np.abs(rows @ pooled_whitening(rows, np.zeros(20, int))).max(0).round(1)
    array([0., 1.])
    """
    count = np.bincount(labels)
    usable = count >= min_count
    rest = components - cluster_means(components, labels)[labels]
    weight = (usable / np.maximum(count - 1, 1) / max(usable.sum(), 1))[labels]
    scatter = rest.T @ (rest * weight[:, None])
    variance, axes = np.linalg.eigh(scatter)
    return np.asarray(axes / np.sqrt(np.maximum(variance, 1.0)))


def cluster_means(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of the rows of each label 0 to max(labels), shape (n_clusters, rank)."""
    count = np.bincount(labels)
    total = np.stack([np.bincount(labels, column, count.size) for column in rows.T], axis=1)
    return np.asarray(total / np.maximum(count, 1)[:, None])
