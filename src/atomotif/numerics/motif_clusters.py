"""Automatic motifs: how many kinds of surroundings there are, and which column has which."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import check_positive
from atomotif.numerics._threads import one_blas_thread
from atomotif.numerics.discriminant import Discriminant, reassign
from atomotif.numerics.merging import merge_groups
from atomotif.numerics.segmentation import segment
from atomotif.numerics.whitening import (
    SYSTEMATIC,
    Whitening,
    pooled_whitening,
    total_covariance,
    whitening,
)

__all__ = ["MotifClusters", "cluster_motifs"]

_N_SEGMENTS = 150
_ROWS_PER_SEGMENT = 8
_MIN_SEGMENTS = 15
_MAX_ROUNDS = 12


@dataclass(frozen=True)
class MotifClusters:
    """Motifs found by `cluster_motifs`.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
        Motif of each row, 0 the most frequent; -1 where none was asked for (`assign`).
    confidence : ndarray of float32, shape (n,)
        Posterior probability of the motif, lowered for rows far from every motif; 0 where the label is -1.
    n_motifs : int
    components : ndarray of float32, shape (n, rank)
        Whitened components: distances are in standard deviations of the noise.
    whitening : Whitening
        The map from features to components.
    discriminant : Discriminant
        The motifs' means, scatter and frequencies in the components.
    """

    labels: NDArray[np.int64]
    confidence: NDArray[np.float32]
    n_motifs: int
    components: NDArray[np.float32]
    whitening: Whitening
    discriminant: Discriminant

    @property
    def rank(self) -> int:
        """Number of components above the noise."""
        return self.whitening.rank

    def assign(self, features: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the same motifs elsewhere: label and confidence of rows from another image.

        Parameters
        ----------
        features : array_like, shape (n, n_features)
            Same kind, patch size in nearest-neighbour distances and intensity scale as those learnt from.

        Returns
        -------
        labels : ndarray of int64, shape (n,)
        confidence : ndarray of float32, shape (n,)
        """
        rows = np.asarray(features, dtype=np.float64)
        components = self.whitening.transform(rows)
        labels = self.discriminant.assign(components)
        return labels, self.discriminant.confidence(components, labels)


def cluster_motifs(
    features: ArrayLike,
    covariance: ArrayLike,
    *,
    complete: ArrayLike | None = None,
    assign: ArrayLike | None = None,
    detail: float = 1.0,
    n_motifs: int | None = None,
    systematic: float = SYSTEMATIC,
    floor: float = 4.0,
    significance: float = 1e-4,
    random_state: int = 0,
) -> MotifClusters:
    """Sort columns into motifs by the features of their surroundings.

    The features are whitened by the covariance of their noise, cut into many small groups by Ward's
    method, and the groups are merged, least different first, until all differ by more than a floor,
    beyond what noise explains, and are no halves of one mode. The noise is then measured anew
    as the scatter within the motifs, never less than the given one, and merging goes on until nothing
    changes. In the end a linear discriminant assigns every row.

    Parameters
    ----------
    features : array_like, shape (n, n_features)
        Rotation invariants (36) or oriented moments (66); column 0 is the mean intensity.
    covariance : array_like, shape (n_features, n_features)
        Of the noise of a row. A change of the intensity scale must change both; it leaves the labels.
    complete : array_like of bool, shape (n,), optional
        Rows to learn from, for instance the columns whose patch lies inside the image; by default all.
    assign : array_like of bool, shape (n,), optional
        Rows that get a label; by default all. Rows learnt from always get one.
    detail : float, default 1.0
        How fine to look: the floor is divided by it, so 2 asks for more motifs and 0.5 for fewer.
    n_motifs : int, optional
        Exactly this number instead of an automatic one.
    systematic : float, default 0.045
        Standard deviation of what is neither noise nor motif (sampling, background, aberrations),
        as a share of the strongest feature (`whitening.systematic_variance`).
    floor : float, default 4.0
        Least distance between two motifs in standard deviations of noise and systematic error: two
        Gaussian classes this far apart overlap by 2 %.
    significance : float, default 1e-4
        Odds that noise alone parts two equal groups.
    random_state : int, default 0
        Seed, of use beyond 3000 rows only.

    Returns
    -------
    MotifClusters

    Raises
    ------
    ValueError
        If shapes do not match, values are not finite, no row is complete, a parameter is out of its
        range or `n_motifs` exceeds the number of distinct rows.

    Notes
    -----
    Dan et al. 2022 cluster by density in a two-dimensional layout instead; the layout's density is
    that of its forces, and depends on the frequency of a motif.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(scale=0.1, size=(300, 4))
    >>> rows[:60, 1] += 2.0
    >>> rows[:10, 2] -= 2.0
    >>> motifs = cluster_motifs(rows, 0.01 * np.eye(4))
    >>> np.bincount(motifs.labels)
    array([240,  50,  10])
    """
    rows, noise, learn, shown = _checked(features, covariance, complete, assign)
    effective_floor = check_positive(floor, "floor") / check_positive(detail, "detail")
    if not 0.0 < significance < 1.0:
        raise ValueError(f"`significance` must be between 0 and 1, got {significance!r}.")
    if systematic < 0.0 or not np.isfinite(systematic):
        raise ValueError(f"`systematic` must be finite and not negative, got {systematic!r}.")
    sample = rows[learn]
    if n_motifs is not None:
        _check_n_motifs(n_motifs, sample)
    with one_blas_thread():
        model = whitening(sample, total_covariance(sample, noise, systematic))
        components = model.transform(rows)
        known = components[learn]
        labels = _motif_labels(
            known, effective_floor, significance, n_motifs, np.random.default_rng(random_state)
        )
        every = Discriminant.learn(known, labels).assign(components)
        every[learn] = labels
        every = _by_size(every, shown)
        discriminant = Discriminant.learn(known, every[learn])
        confidence = discriminant.confidence(components, every)
    every[~shown] = -1
    confidence[~shown] = 0.0
    return MotifClusters(
        labels=every,
        confidence=confidence,
        n_motifs=int(labels.max()) + 1,
        components=components.astype(np.float32),
        whitening=model,
        discriminant=discriminant,
    )


def _checked(
    features: ArrayLike, covariance: ArrayLike, complete: ArrayLike | None, assign: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    rows = np.asarray(features, dtype=np.float64)
    noise = np.asarray(covariance, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] < 2:
        raise ValueError(f"`features` must have shape (n, n_features), 2 or more, got shape {rows.shape}.")
    if noise.shape != (rows.shape[1],) * 2:
        raise ValueError(
            f"`covariance` must have shape ({rows.shape[1]}, {rows.shape[1]}), got shape {noise.shape}."
        )
    for name, array in (("features", rows), ("covariance", noise)):
        if not np.isfinite(array).all():
            raise ValueError(
                f"`{name}` must be finite, got {int((~np.isfinite(array)).sum())} NaN or infinite values."
            )
    masks = []
    for name, mask in (("complete", complete), ("assign", assign)):
        chosen = np.ones(len(rows), np.bool_) if mask is None else np.asarray(mask)
        if chosen.dtype != np.bool_ or chosen.shape != (len(rows),):
            raise ValueError(
                f"`{name}` must be a boolean array of shape ({len(rows)},), "
                f"got {chosen.dtype} of shape {chosen.shape}."
            )
        masks.append(chosen)
    learn, shown = masks
    if not learn.any():
        raise ValueError(f"`complete` must name at least one row to learn from, got none of {len(rows)}.")
    return rows, noise, learn, shown | learn


def _check_n_motifs(n_motifs: int, sample: NDArray[np.float64]) -> None:
    if isinstance(n_motifs, bool) or not isinstance(n_motifs, int | np.integer) or n_motifs < 1:
        raise ValueError(f"`n_motifs` must be a positive integer, got {n_motifs!r}.")
    distinct = len(np.unique(sample, axis=0))
    if n_motifs > distinct:
        raise ValueError(
            f"`n_motifs` must not exceed the number of distinct rows, {distinct}, got {n_motifs}."
        )


def _motif_labels(
    components: NDArray[np.float64],
    floor: float,
    significance: float,
    n_motifs: int | None,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Labels of the rows that are learnt from."""
    n = len(components)
    n_segments = min(_N_SEGMENTS, max(n // _ROWS_PER_SEGMENT, _MIN_SEGMENTS))
    segments = segment(components, max(n_segments, n_motifs or 0), rng)
    labels = merge_groups(components, segments, floor=floor, significance=significance)
    labels = reassign(components, labels)
    for _ in range(_MAX_ROUNDS):
        scaled = components @ pooled_whitening(components, labels)
        merged = merge_groups(scaled, labels, floor=floor, significance=significance)
        if merged.max() == labels.max():
            break
        labels = merged
    if n_motifs is not None and labels.max() + 1 != n_motifs:
        # Too many: merge on. Too few: merge the segments again, in the scatter now known, and stop early.
        finest = labels if labels.max() + 1 > n_motifs else segments
        scaled = components @ pooled_whitening(components, labels)
        labels = merge_groups(scaled, finest, floor=floor, significance=significance, n_groups=n_motifs)
    return reassign(components, labels)


def _by_size(labels: NDArray[np.int64], shown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number the motifs by decreasing count among the rows that get a label."""
    order = np.argsort(-np.bincount(labels[shown], minlength=labels.max() + 1), kind="stable")
    number = np.empty(order.size, np.int64)
    number[order] = np.arange(order.size)
    return np.asarray(number[labels])
