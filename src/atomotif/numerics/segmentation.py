"""Over-segmentation: many small groups of rows, by Ward's criterion."""

import numpy as np
from numpy.typing import NDArray

from atomotif.numerics._jit import jit
from atomotif.numerics._threads import run_blocks
from atomotif.numerics.whitening import cluster_means

__all__ = ["segment"]

# Ward's method takes quadratic time: below this number of rows (0.3 s) on the rows themselves.
_MAX_WARD = 3000
_N_MICRO = 1500
_BLOCK = 4096


@jit(nogil=True)  # type: ignore[untyped-decorator]
def _ward_merges(
    means: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Merges of Ward's method by chains of nearest neighbours, in the order found, with their heights."""
    n, rank = means.shape
    centre, weight = means.copy(), weights.copy()
    active = np.arange(n)
    n_active = n
    place = np.arange(n)
    chain = np.empty(n, np.int64)
    length = 0
    pair = np.empty((n - 1, 2), np.int64)
    height = np.empty(n - 1)
    step = 0
    while n_active > 1:
        if length == 0:
            chain[0] = active[0]
            length = 1
        tip = chain[length - 1]
        previous = chain[length - 2] if length > 1 else -1
        nearest, least = -1, np.inf
        if previous >= 0:  # on ties the way back is taken, so that the chain ends
            d = 0.0
            for c in range(rank):
                d += (centre[tip, c] - centre[previous, c]) ** 2
            nearest, least = previous, d * weight[tip] * weight[previous] / (weight[tip] + weight[previous])
        for k in range(n_active):
            other = active[k]
            if other == tip:
                continue
            d = 0.0
            for c in range(rank):
                d += (centre[tip, c] - centre[other, c]) ** 2
            d *= weight[tip] * weight[other] / (weight[tip] + weight[other])
            if d < least:
                nearest, least = other, d
        if nearest != previous:
            chain[length] = nearest
            length += 1
            continue
        length -= 2
        keep, gone = min(tip, nearest), max(tip, nearest)
        total = weight[keep] + weight[gone]
        for c in range(rank):
            centre[keep, c] = (weight[keep] * centre[keep, c] + weight[gone] * centre[gone, c]) / total
        weight[keep] = total
        n_active -= 1
        active[place[gone]] = active[n_active]
        place[active[n_active]] = place[gone]
        pair[step, 0], pair[step, 1] = keep, gone
        height[step] = least
        step += 1
    return pair, height


def _ward(means: NDArray[np.float64], weights: NDArray[np.float64], n_segments: int) -> NDArray[np.int64]:
    """Labels of Ward's `n_segments` clusters of weighted rows."""
    pair, height = _ward_merges(np.ascontiguousarray(means), np.ascontiguousarray(weights))
    parent = np.arange(len(means))
    for keep, gone in pair[np.argsort(height, kind="stable")[: len(means) - n_segments]]:
        a, b = _root(parent, keep), _root(parent, gone)
        parent[max(a, b)] = min(a, b)
    root = np.array([_root(parent, i) for i in range(len(means))])
    return np.unique(root, return_inverse=True)[1].astype(np.int64)


def _root(parent: NDArray[np.int64], i: int) -> int:
    while parent[i] != i:
        i = int(parent[i])
    return i


def _nearest(
    rows: NDArray[np.float32], centres: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Nearest centre of each row and its squared distance; blocks are cut without regard to threads."""
    label = np.empty(len(rows), np.int64)
    distance = np.empty(len(rows))
    offset = 0.5 * (centres * centres).sum(1)

    def block(start: int) -> None:
        part = rows[start : start + _BLOCK]
        score = part @ centres.T
        score -= offset
        best = score.argmax(1)
        label[start : start + _BLOCK] = best
        distance[start : start + _BLOCK] = ((part - centres[best]) ** 2).sum(1)

    run_blocks(block, range(0, len(rows), _BLOCK))
    return label, distance


def _micro_clusters(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Labels of about `_N_MICRO` small clusters, among them some of every rare, distant group.

    Half of the first centres are drawn evenly, the other half with odds that grow as the squared
    distance to the nearest of these (k-means||), so that a group is found by its share of the
    scatter and not of the rows. Two passes of Lloyd's method follow.
    """
    half = _N_MICRO // 2
    single = rows.astype(np.float32)
    chosen = rng.choice(len(rows), half, replace=False)
    _, distance = _nearest(single, single[chosen])
    total = distance.sum()
    if total > 0:
        far = np.searchsorted(np.cumsum(distance), rng.random(half) * total, side="right")
        chosen = np.union1d(chosen, np.minimum(far, len(rows) - 1))
    centres = np.unique(single[chosen], axis=0)
    for _ in range(2):
        label, _ = _nearest(single, centres)
        label = np.unique(label, return_inverse=True)[1].astype(np.int64)
        centres = cluster_means(rows, label).astype(np.float32)
    label, _ = _nearest(single, centres)
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def segment(rows: NDArray[np.float64], n_segments: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Cut rows into `n_segments` compact groups (fewer if there are fewer rows).

    Up to 3000 rows this is Ward's method; beyond, Ward's method on 1500 weighted micro-clusters.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, rank)
    n_segments : int
    rng : numpy.random.Generator
        Draws the first centres of the micro-clusters.

    Returns
    -------
    ndarray of int64, shape (n,)

    Examples
    --------
    >>> rows = np.array([[0.0], [0.1], [5.0], [5.1], [9.0]])
    >>> segment(rows, 3, np.random.default_rng(0))
    array([0, 0, 1, 1, 2])
    """
    if len(rows) <= _MAX_WARD:
        return _ward(rows, np.ones(len(rows)), min(n_segments, len(rows)))
    micro = _micro_clusters(rows, rng)
    means = cluster_means(rows, micro)
    weights = np.bincount(micro).astype(np.float64)
    return _ward(means, weights, min(n_segments, len(means)))[micro]
