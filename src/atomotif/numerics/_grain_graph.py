"""What grains are made of: the graph of neighbours, smoothed angles, cores and what joins them.

Angles come as phases, that is times the fold, so that the full period is 2 pi.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, KDTree, QhullError

# Longest edge of the graph of neighbours in nearest-neighbour distances: twice the side of a hexagon of
# columns is across it.
_REACH = 2.2
# Rounds of smoothing: each averages over about seven points, three of them over some twenty.
_ROUNDS = 3
# Standard deviations beyond which two angles are taken as different.
DIFFERENT = 3.0
# Share of the misorientation to the next grain within which the angle of a point is still a grain's own:
# most of its patch lies in that grain.
_JOINING = 0.25
# Least mean cosine of the difference of neighbours' own phases in a grain: that of a noise of 1.1 radians.
# In chance grains, of angles without order, it is some 0.2, and scatters by the square root of half the
# inverse number of points: so many times that is added.
_COHERENT, _SIGNIFICANT = 0.3, 3.0
# Enough for any number of points.
_CERTAIN = 0.9
# Share of its neighbours that the core of a grain agrees with.
_AGREEING = 0.75


def wrapped(phase: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return phases within [-pi, pi)."""
    return np.asarray((phase + np.pi) % (2 * np.pi) - np.pi)


def neighbors(positions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return pairs of neighbours, shape (n_edges, 2), sorted."""
    if len(positions) < 4:
        raise ValueError(f"`points` must hold at least 4 points, got {len(positions)}.")
    try:
        corners = Delaunay(positions).simplices
    except QhullError:
        raise ValueError("`points` must not lie on one line.") from None
    pairs = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]), axis=1)
    pairs = np.unique(pairs, axis=0).astype(np.int64)
    length = np.hypot(*(positions[pairs[:, 0]] - positions[pairs[:, 1]]).T)
    nearest = np.median(KDTree(positions).query(positions, 2)[0][:, 1])
    return np.asarray(pairs[length <= _REACH * nearest])


def _spread(phase: NDArray[np.float64], edges: NDArray[np.int64]) -> float:
    """Return the standard deviation of the step between neighbours, by its median."""
    if not len(edges):
        return 0.0
    return float(np.median(np.abs(wrapped(phase[edges[:, 0]] - phase[edges[:, 1]]))) / 0.6745)


def smoothed(
    phase: NDArray[np.float64], weight: NDArray[np.float64], edges: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    """Average over neighbours that agree; return the phases and the spread of steps between them."""
    a, b = edges.T
    n = len(phase)
    for _ in range(_ROUNDS):
        spread = _spread(phase, edges)
        alike = np.abs(wrapped(phase[a] - phase[b])) <= max(DIFFERENT * spread, 1e-9)
        wave = weight * np.exp(1j * phase)
        # A point without weight agrees with whatever is round it.
        ahead, back = alike | (weight[a] == 0), alike | (weight[b] == 0)
        real = np.bincount(a[ahead], wave.real[b[ahead]], n) + np.bincount(b[back], wave.real[a[back]], n)
        imag = np.bincount(a[ahead], wave.imag[b[ahead]], n) + np.bincount(b[back], wave.imag[a[back]], n)
        phase = np.angle(wave + real + 1j * imag)
    return phase, _spread(phase, edges)


def cores(
    smooth: NDArray[np.float64],
    phase: NDArray[np.float64],
    weight: NDArray[np.float64],
    edges: NDArray[np.int64],
    step: float,
    min_points: int,
) -> NDArray[np.int64]:
    """Return the grain of every point of a core, -1 for the others."""
    a, b = edges.T
    n = len(phase)
    alike = np.abs(wrapped(smooth[a] - smooth[b])) <= step
    total = np.bincount(edges.ravel(), minlength=n)
    agreeing = np.bincount(edges[alike].ravel(), minlength=n)
    inner = (total > 0) & (agreeing >= _AGREEING * total)
    joined = alike & inner[a] & inner[b]
    graph = sparse.coo_array((np.ones(joined.sum()), (a[joined], b[joined])), shape=(n, n))
    component = connected_components(graph, directed=False)[1]
    size = np.bincount(component[inner], minlength=n)
    # Between neighbours, so that a bent grain is as coherent as a straight one.
    strength, within = weight[a] * weight[b], inner[a] & inner[b] & (component[a] == component[b])
    alike_by = strength * np.cos(phase[a] - phase[b])
    agreement = np.bincount(component[a[within]], alike_by[within], n)
    whole = np.bincount(component[a[within]], strength[within], n)
    least = np.minimum(_COHERENT + _SIGNIFICANT / np.sqrt(2.0 * np.maximum(size, 1)), _CERTAIN)
    kept = np.flatnonzero((size >= min_points) & (agreement > least * whole))
    number = np.full(n, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    return np.where(inner, number[component], -1)


def mean_phases(
    label: NDArray[np.int64], phase: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted mean of every grain."""
    inside = label >= 0
    wave = (weight * np.exp(1j * phase))[inside]
    return np.angle(np.bincount(label[inside], wave.real) + 1j * np.bincount(label[inside], wave.imag))


def phase_noise(
    core: NDArray[np.int64],
    phase: NDArray[np.float64],
    weight: NDArray[np.float64],
    means: NDArray[np.float64],
) -> float:
    """Return the standard deviation of single phases from the mean of their grain, by the median."""
    inside = (core >= 0) & (weight > 0)
    if not inside.any():
        return float("nan")
    return float(np.median(np.abs(wrapped(phase[inside] - means[core[inside]]))) / 0.6745)


def joining_reach(
    core: NDArray[np.int64],
    means: NDArray[np.float64],
    positions: NDArray[np.float64],
    edges: NDArray[np.int64],
    least: float,
) -> NDArray[np.float64]:
    """Return how far from the mean of each grain the angle of a point that joins it may be."""
    closest = np.zeros(len(means))
    a, b = bordering(core, positions, edges).T
    if len(a):
        difference = np.abs(wrapped(means[a] - means[b]))
        closest = np.full(len(means), np.inf)
        np.minimum.at(closest, a, difference)
        np.minimum.at(closest, b, difference)
        closest[np.isinf(closest)] = 0.0
    return np.maximum(least, _JOINING * closest)


def grow(
    core: NDArray[np.int64],
    phase: NDArray[np.float64],
    weight: NDArray[np.float64],
    means: NDArray[np.float64],
    reach: NDArray[np.float64],
    edges: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Let points join the neighbouring grain whose mean is nearest to their own angle, if within reach."""
    label = core.copy()
    pairs = np.concatenate([edges, edges[:, ::-1]])
    while True:
        open_pairs = pairs[(label[pairs[:, 0]] < 0) & (label[pairs[:, 1]] >= 0)]
        point, grain = open_pairs[:, 0], label[open_pairs[:, 1]]
        distance = np.abs(wrapped(phase[point] - means[grain]))
        distance[weight[point] == 0] = 0.0
        near = distance <= reach[grain]
        if not near.any():
            return label
        point, grain, distance = point[near], grain[near], distance[near]
        best = np.lexsort((grain, distance, point))
        point, first = np.unique(point[best], return_index=True)
        label[point] = grain[best][first]


def standard_errors(
    core: NDArray[np.int64],
    phase: NDArray[np.float64],
    weight: NDArray[np.float64],
    means: NDArray[np.float64],
    edges: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the standard error of the means.

    Patches overlap, so that residuals of neighbours, and of their neighbours, are correlated: the products
    of residuals are summed over these pairs, too.
    """
    n, n_grains = len(core), len(means)
    inside = core >= 0
    rest = np.where(inside, weight * np.sin(phase - means[core] if n_grains else phase), 0.0)
    edges = edges[inside[edges].all(axis=1) & (core[edges[:, 0]] == core[edges[:, 1]])]
    near = sparse.coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(n, n)).tocsr()
    near = near + near.T
    reached = (near @ near + near + sparse.eye_array(n)).tocsr()
    reached.data[:] = 1.0
    grain = core[inside]
    own = np.bincount(grain, rest[inside] ** 2, n_grains)
    with_neighbors = np.bincount(grain, (rest * (reached @ rest))[inside], n_grains)
    total = np.bincount(grain, weight[inside], n_grains)
    return np.asarray(np.sqrt(np.maximum(own, with_neighbors)) / np.maximum(total, 1e-300))


def joined_if_equal(
    core: NDArray[np.int64],
    phase: NDArray[np.float64],
    weight: NDArray[np.float64],
    positions: NDArray[np.float64],
    edges: NDArray[np.int64],
    step: float,
) -> NDArray[np.int64]:
    """Make one of bordering cores whose means differ by no more than their error, nor than the step.

    A strip of points without a direction of their own, as where the layers of a moire face each other
    upside down, cuts a crystal into pieces that are still one grain.
    """
    means = mean_phases(core, phase, weight)
    error = standard_errors(core, phase, weight, means, edges)
    a, b = bordering(core, positions, edges).T
    difference = np.abs(wrapped(means[a] - means[b]))
    equal = difference <= np.minimum(DIFFERENT * np.hypot(error[a], error[b]), step)
    graph = sparse.coo_array((np.ones(equal.sum()), (a[equal], b[equal])), shape=(len(means),) * 2)
    joined = connected_components(graph, directed=False)[1].astype(np.int64)
    return np.where(core >= 0, joined[core], -1) if len(means) else core


def bordering(
    label: NDArray[np.int64], positions: NDArray[np.float64], edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return pairs of grains between which no other lies, boundary points going to the nearest grain."""
    inside = label >= 0
    if not inside.any():
        return np.zeros((0, 2), dtype=np.int64)
    nearest = KDTree(positions[inside]).query(positions)[1]
    filled = label[inside][nearest]
    pairs = np.sort(filled[edges], axis=1)
    return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0).reshape(-1, 2)
