"""Merging small groups of whitened rows until all that remain differ."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from atomotif.numerics.unimodality import MAX_UNIMODAL_SEPARATION, separation
from atomotif.numerics.whitening import cluster_means

__all__ = ["merge_groups", "relabel_by_size"]

# Groups of fewer rows are no motif: they join the nearest group. Three alike, far from all else, are one:
# in a micrograph of a thousand columns a rare defect has no more.
_MIN_COUNT = 3
# A group this small does not know its scatter: it stands by its distance alone, a quarter beyond the floor.
_SMALL_COUNT = 25
_SMALL_DISTANCE = 1.25
# Nearest groups that each group is compared with.
_N_NEIGHBOURS = 8


class _Groups:
    """Groups of rows with their means and mutual distances; merging keeps them up to date."""

    def __init__(self, rows: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
        self.rows = rows
        self.labels = labels.copy()
        self.mean = cluster_means(rows, labels)
        self.count = np.bincount(labels).astype(np.float64)
        self.alive = self.count > 0
        self.square = ((self.mean[:, None] - self.mean[None]) ** 2).sum(-1)
        self.square[~self.alive] = self.square[:, ~self.alive] = np.inf
        np.fill_diagonal(self.square, np.inf)
        self.separation = np.full_like(self.square, np.nan)

    @property
    def n(self) -> int:
        return int(self.alive.sum())

    def merge(self, pair: tuple[int, int]) -> None:
        i, j = min(pair), max(pair)
        total = self.count[i] + self.count[j]
        self.mean[i] = (self.count[i] * self.mean[i] + self.count[j] * self.mean[j]) / total
        self.count[i], self.count[j] = total, 0.0
        self.alive[j] = False
        self.labels[self.labels == j] = i
        row = ((self.mean - self.mean[i]) ** 2).sum(1)
        row[~self.alive] = np.inf
        row[i] = np.inf
        self.square[i] = self.square[:, i] = row
        self.square[j] = self.square[:, j] = np.inf
        self.separation[i] = self.separation[:, i] = np.nan

    def smallest(self, min_count: int) -> tuple[int, int] | None:
        """A group too small to stand and its nearest neighbour."""
        small = np.flatnonzero(self.alive & (self.count < min_count))
        if small.size == 0:
            return None
        return int(small[0]), int(self.square[small[0]].argmin())

    def nearest(self) -> tuple[int, int]:
        i, j = np.unravel_index(self.square.argmin(), self.square.shape)
        return int(i), int(j)

    def cheapest(self, floor: float, threshold: float) -> tuple[int, int] | None:
        """Of the pairs that differ beyond the floor by no more than noise, the one nearest by Ward's cost.

        That cost lets small groups join large ones first; by the distance alone, pieces from between
        two motifs would join each other and become a bridge.
        """
        weight = np.outer(self.count, self.count) / np.maximum(self.count[:, None] + self.count, 1.0)
        cost = np.where(np.isfinite(self.square), self.square, 0.0) * weight
        candidates = np.isfinite(self.square) & (cost <= threshold + floor**2 * weight)
        cost[~candidates] = np.inf
        i, j = np.unravel_index(cost.argmin(), cost.shape)
        return (int(i), int(j)) if candidates[i, j] else None

    def undivided(self, floor: float) -> tuple[int, int] | None:
        """The nearest pair of neighbours that may be one mode, unless the smaller is rare and far."""
        best: tuple[int, int] | None = None
        least = np.inf
        for i in np.flatnonzero(self.alive):
            for j in np.argsort(self.square[i], kind="stable")[: min(_N_NEIGHBOURS, self.n - 1)]:
                square = self.square[i, j]
                rare = min(self.count[i], self.count[j]) < _SMALL_COUNT
                if square >= least or (rare and square > (_SMALL_DISTANCE * floor) ** 2):
                    continue
                if np.isnan(self.separation[i, j]):
                    apart = separation(self.rows[self.labels == i], self.rows[self.labels == j])
                    self.separation[i, j] = self.separation[j, i] = apart
                if self.separation[i, j] <= MAX_UNIMODAL_SEPARATION:
                    best, least = (int(i), int(j)), square
        return best


def merge_groups(
    components: NDArray[np.float64],
    labels: NDArray[np.int64],
    *,
    floor: float,
    significance: float = 1e-4,
    n_groups: int | None = None,
) -> NDArray[np.int64]:
    """Merge groups of rows, at the least cost first, until those that remain are distinct.

    Two groups are distinct if their means differ by more than `floor`, beyond what the noise of the
    means explains, and if they are two modes: further apart, in units of the scatter within them, than the
    halves of any one mode are. A rare group (fewer than 25 rows) stands by its distance (1.25 floors).

    Parameters
    ----------
    components : ndarray of float64, shape (n, rank)
        Whitened components: the noise of a row has unit variance.
    labels : ndarray of int64, shape (n,)
        Group of each row, 0 to n_labels - 1.
    floor : float
        Least distance of two means, in standard deviations of the noise.
    significance : float, default 1e-4
        Odds that noise alone parts two equal groups: small, as many pairs are looked at.
    n_groups : int, optional
        Stop at this number, or merge on to it, the nearest means first.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 is the largest group.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(size=(400, 2))
    >>> rows[:100, 0] += 9.0
    >>> groups = np.arange(400) // 50
    >>> np.bincount(merge_groups(rows, groups, floor=4.0))
    array([300, 100])
    """
    groups = _Groups(components, labels)
    threshold = float(chi2.isf(significance, components.shape[1]))
    min_count = int(np.clip(len(components) // 10, 1, _MIN_COUNT))
    stop = 1 if n_groups is None else n_groups
    while groups.n > stop:
        pair = groups.smallest(min_count) or groups.cheapest(floor, threshold)
        pair = pair or groups.undivided(floor)
        if pair is None:
            if n_groups is None:
                break
            pair = groups.nearest()
        groups.merge(pair)
    return relabel_by_size(groups.labels)


def relabel_by_size(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number groups 0, 1, ... by decreasing size; of equal ones the first to appear comes first.

    Examples
    --------
    >>> relabel_by_size(np.array([7, 3, 3, 9]))
    array([1, 0, 0, 2])
    """
    _, first, inverse, count = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(count.size, np.int64)
    rank[np.lexsort((first, -count))] = np.arange(count.size)
    return np.asarray(rank[inverse])
