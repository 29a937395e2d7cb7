"""Linear discriminant: classes of one scatter, told apart by their means and frequencies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from atomotif.numerics.whitening import cluster_means

__all__ = ["Discriminant", "reassign"]

# A row this unlikely under its class's scatter begins to lose confidence.
_OUTLIER_LEVEL = 1e-3
# A class that would be left with fewer rows than this is being dissolved, not refined.
_MIN_COUNT = 3
_SHRINKAGE = 0.1


@dataclass(frozen=True)
class Discriminant:
    """What is known of the classes.

    Attributes
    ----------
    root : ndarray of float64, shape (rank, rank)
        Maps components so that the pooled scatter becomes the identity.
    means : ndarray of float64, shape (n_classes, rank)
        In the mapped components.
    log_prior : ndarray of float64, shape (n_classes,)
    """

    root: NDArray[np.float64]
    means: NDArray[np.float64]
    log_prior: NDArray[np.float64]

    @classmethod
    def learn(cls, components: NDArray[np.float64], labels: NDArray[np.int64]) -> "Discriminant":
        """Learn from labelled rows; the pooled covariance is shrunk by a tenth towards a sphere."""
        means = cluster_means(components, labels)
        rest = components - means[labels]
        scatter = rest.T @ rest / len(rest)
        rank = len(scatter)
        scatter = (1.0 - _SHRINKAGE) * scatter + _SHRINKAGE * np.eye(rank) * np.trace(scatter) / rank
        variance, axes = np.linalg.eigh(scatter)
        root = axes / np.sqrt(np.maximum(variance, max(variance[-1] * 1e-12, 1e-24)))
        share = np.bincount(labels) / len(labels)
        return cls(root, means @ root, np.log(share))

    def distances(self, components: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squared Mahalanobis distances, shape (n, n_classes)."""
        mapped = components @ self.root
        return np.stack([((mapped - mean) ** 2).sum(1) for mean in self.means], axis=1)

    def assign(self, components: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the most probable class of each row, shape (n,)."""
        return np.asarray((self.log_prior - 0.5 * self.distances(components)).argmax(1), dtype=np.int64)

    def confidence(self, components: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Posterior probability of each row's class, lowered for rows that are unlikely under it."""
        square = self.distances(components)
        score = self.log_prior - 0.5 * square
        rows = np.arange(len(labels))
        score -= score.max(1, keepdims=True)
        posterior = np.exp(score[rows, labels]) / np.exp(score).sum(1)
        typical = np.minimum(chi2.sf(square[rows, labels], len(self.root)) / _OUTLIER_LEVEL, 1.0)
        return np.asarray(posterior * typical, dtype=np.float32)


def reassign(
    components: NDArray[np.float64], labels: NDArray[np.int64], n_rounds: int = 3
) -> NDArray[np.int64]:
    """Give every row to its most probable class, learn the classes anew, and repeat.

    Parameters
    ----------
    components : ndarray of float64, shape (n, rank)
    labels : ndarray of int64, shape (n,)
        Class of each row, 0 to n_classes - 1.
    n_rounds : int, default 3
        Enough: the pooled scatter hardly changes after the first.

    Returns
    -------
    ndarray of int64, shape (n,)
        The same classes: a round that would leave one with fewer than three rows is not taken.

    Examples
    --------
    >>> rows = np.array([[0.0], [0.2], [0.1], [5.0], [0.3], [5.1], [5.2], [4.9]])
    >>> reassign(rows, np.array([0, 0, 0, 0, 0, 1, 1, 1]))
    array([0, 0, 0, 1, 0, 1, 1, 1])
    """
    n_classes = int(labels.max()) + 1
    for _ in range(n_rounds if n_classes > 1 else 0):
        new = Discriminant.learn(components, labels).assign(components)
        if np.array_equal(new, labels) or np.bincount(new, minlength=n_classes).min() < _MIN_COUNT:
            break
        labels = new
    return labels
