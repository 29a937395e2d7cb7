"""Density clusters of a layout: the paper's way from islands to motifs."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points
from atomotif.numerics._jit import jit
from atomotif.numerics.spanning_tree import reachability_tree


def layout_clusters(
    position: ArrayLike,
    *,
    min_cluster_size: int = 20,
    min_samples: int = 5,
    allow_single_cluster: bool = False,
    n_threads: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the density clusters of positions in the plane, without a given number.

    Hierarchical density clustering (HDBSCAN; Campello et al. 2013): the spanning tree of mutual
    reachabilities is cut from its longest edge on; a part that holds `min_cluster_size` points is a
    cluster as long as it stays in one piece; of nested clusters those are chosen that together have
    the largest excess of mass. Time and memory grow as n log n.

    Parameters
    ----------
    position : array_like, shape (n, 2)
        Finite positions.
    min_cluster_size : int, default 20
        The least points that make a cluster of their own: enough for a class average.
    min_samples : int, default 5
        Points, itself counted, that must be near for a place to be dense; larger values call more
        points noise.
    allow_single_cluster : bool, default False
        Whether all points may be one cluster. By default the root of the tree is never chosen, as
        in scikit-learn.
    n_threads : int, optional
        Threads; the result does not depend on it.

    Returns
    -------
    labels : ndarray of int64, shape (n,)
        Clusters in order of falling size (of equals the one with the first row); -1 is noise.
    probability : ndarray of float64, shape (n,)
        How deep in its cluster a point lies: its density, as 1 / reachability, relative to the
        cluster's densest; 0 for noise.

    Raises
    ------
    ValueError
        If `position` is not finite with shape (n, 2), if `min_cluster_size` is less than 2, or if
        `min_samples` is less than 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> position = np.concatenate([rng.normal(0, 1, (90, 2)), rng.normal(20, 1, (60, 2))])
    >>> labels, probability = layout_clusters(position)
    >>> np.unique(labels[:90]), np.unique(labels[90:])
    (array([0]), array([1]))
    """
    points = as_points(position, "position")
    if min_cluster_size < 2:
        raise ValueError(f"`min_cluster_size` must be at least 2, got {min_cluster_size}.")
    if min_samples < 1:
        raise ValueError(f"`min_samples` must be at least 1, got {min_samples}.")
    n = len(points)
    if n < max(2, min_cluster_size):
        return np.full(n, -1, np.int64), np.zeros(n)
    first, second, weight = reachability_tree(points, min_samples, n_threads)
    # Points on top of each other are dense, not infinitely dense.
    floor = np.finfo(np.float32).eps * (float(np.ptp(points, axis=0).max()) or 1.0)
    density = 1.0 / np.maximum(weight, floor)
    children, size = _single_linkage(first, second, n)
    parent, birth, home, leave = _condense(children, size, density, n, min_cluster_size)
    chosen = _excess_of_mass(parent, birth, home, leave, allow_single_cluster)
    return _labelled(parent, home, leave, chosen)


@jit(nogil=True)
def _single_linkage(first, second, n):  # type: ignore[no-untyped-def]
    """Return both children (points 0..n-1, merges n..2n-2) and the size of each merge."""
    root = np.arange(2 * n - 1)
    children = np.empty((n - 1, 2), np.int64)
    size = np.ones(2 * n - 1, np.int64)
    for edge in range(n - 1):
        merged = n + edge
        for side in range(2):
            node = first[edge] if side == 0 else second[edge]
            top = node
            while root[top] != top:
                top = root[top]
            while root[node] != top:  # shorten the way for the next time
                root[node], node = top, root[node]
            children[edge, side] = top
            root[top] = merged
            size[merged] = size[top] if side == 0 else size[merged] + size[top]
    return children, size


@jit(nogil=True)
def _condense(children, size, density, n, least):  # type: ignore[no-untyped-def]
    """Walk the tree from its root: clusters are born where both sides of a cut hold `least` points.

    Returns the parent and the density at birth of each cluster (0 is the root), and for each point
    the last cluster that it was in and the density at which it left.
    """
    parent = np.full(2 * n, -1, np.int64)
    birth = np.zeros(2 * n)
    home = np.zeros(n, np.int64)
    leave = np.zeros(n)
    inside = np.zeros(2 * n - 1, np.int64)  # the cluster of a node
    fallen = np.full(2 * n - 1, -1.0)  # density at which a node fell out of it
    count = 1
    for merged in range(2 * n - 2, n - 1, -1):
        edge = merged - n
        left, right = children[edge, 0], children[edge, 1]
        cluster = inside[merged]
        both = size[left] >= least and size[right] >= least
        for child in (left, right):
            inside[child] = cluster
            if fallen[merged] >= 0:
                fallen[child] = fallen[merged]
            elif both:
                parent[count] = cluster
                birth[count] = density[edge]
                inside[child] = count
                count += 1
            elif size[child] < least:
                fallen[child] = density[edge]
    for point in range(n):
        home[point] = inside[point]
        leave[point] = fallen[point]
    return parent[:count], birth[:count], home, leave


def _excess_of_mass(
    parent: NDArray[np.int64],
    birth: NDArray[np.float64],
    home: NDArray[np.int64],
    leave: NDArray[np.float64],
    allow_single_cluster: bool,
) -> NDArray[np.bool_]:
    """Return which clusters are chosen: those whose mass exceeds that of all chosen below them."""
    count = len(parent)
    members = np.bincount(home, minlength=count)
    mass = np.bincount(home, weights=leave - birth[home], minlength=count)
    for cluster in range(count - 1, 0, -1):  # a child's number is larger than its parent's
        mass[parent[cluster]] += members[cluster] * (birth[cluster] - birth[parent[cluster]])
        members[parent[cluster]] += members[cluster]
    below = np.zeros(count)
    chosen = np.zeros(count, bool)
    for cluster in range(count - 1, -1, -1):
        chosen[cluster] = mass[cluster] >= below[cluster] and (cluster > 0 or allow_single_cluster)
        if cluster > 0:
            below[parent[cluster]] += max(mass[cluster], below[cluster])
    for cluster in range(1, count):  # nothing below a chosen one
        above = parent[cluster]
        while above >= 0 and not chosen[above]:
            above = parent[above]
        chosen[cluster] &= above < 0
    return chosen


def _labelled(
    parent: NDArray[np.int64],
    home: NDArray[np.int64],
    leave: NDArray[np.float64],
    chosen: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return labels by falling size, and probabilities."""
    owner = np.full(len(parent), -1, np.int64)
    for cluster in range(len(parent)):
        above = owner[parent[cluster]] if cluster > 0 else -1
        owner[cluster] = cluster if chosen[cluster] else above
    of_point = owner[home]
    inside = of_point >= 0
    probability = np.zeros(len(home))
    if not inside.any():
        return of_point, probability
    used, first, label, size = np.unique(
        of_point[inside], return_index=True, return_inverse=True, return_counts=True
    )
    number = np.empty(len(used), np.int64)
    number[np.lexsort((first, -size))] = np.arange(len(used))
    labels = np.full(len(home), -1, np.int64)
    labels[inside] = number[label]
    densest = np.zeros(len(used))
    np.maximum.at(densest, label, leave[inside])
    probability[inside] = leave[inside] / densest[label]
    return labels, probability
