"""Grains: regions of points whose patches point the same way, and how they are turned against each other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points, check_positive
from atomotif.numerics._grain_graph import (
    DIFFERENT,
    bordering,
    cores,
    grow,
    joined_if_equal,
    joining_reach,
    mean_phases,
    neighbors,
    phase_noise,
    smoothed,
    standard_errors,
    wrapped,
)

__all__ = ["Grains", "find_grains"]

# The least tolerance, radians: what a strain of 3 % does to the directions of bonds.
_LEAST = np.deg2rad(2.0)
# The tolerance in standard deviations of the smoothed step between neighbours.
_STEPS = 4.0
# The largest tolerance by itself, as a phase.
_MOST = np.pi / 6


@dataclass(frozen=True)
class Grains:
    """Grains, the largest first, and pairs of neighbouring ones.

    Attributes
    ----------
    label : ndarray of int64, shape (n,)
        Grain of every point, 0 ... n_grains - 1; -1 on a boundary, in too small a grain or in none.
    count : ndarray of int64, shape (n_grains,)
        Number of points.
    angle : ndarray of float64, shape (n_grains,)
        Mean angle, radians in [0, 2 pi / fold).
    error : ndarray of float64, shape (n_grains,)
        Its standard error, with the correlation of neighbours taken into account.
    pairs : ndarray of int64, shape (n_pairs, 2)
        Neighbouring grains (a, b), a < b.
    misorientation : ndarray of float64, shape (n_pairs,)
        Angle of b less that of a, radians in [-pi / fold, pi / fold).
    misorientation_error : ndarray of float64, shape (n_pairs,)
        Its standard error.
    noise : float
        Standard deviation of the angle of one point within the grains, radians.
    tolerance : float
        Largest step of the smoothed angle between neighbours of one grain, radians.
    """

    label: NDArray[np.int64]
    count: NDArray[np.int64]
    angle: NDArray[np.float64]
    error: NDArray[np.float64]
    pairs: NDArray[np.int64]
    misorientation: NDArray[np.float64]
    misorientation_error: NDArray[np.float64]
    noise: float
    tolerance: float


def find_grains(
    points: ArrayLike,
    angle: ArrayLike,
    fold: int,
    strength: ArrayLike | None = None,
    *,
    tolerance: float | None = None,
    min_points: int = 12,
) -> Grains:
    """Cut a field of points into grains by the local orientation.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    angle : array_like, shape (n,)
        Local orientation, radians, modulo 2 pi / fold (see `atomotif.numerics.symmetry.orientation`). All
        points must mean the same by it: take the points of one motif, or a fold and radius at which the
        motifs of a crystal agree.
    fold : int
        Order of the axis that the angle belongs to.
    strength : array_like, shape (n,), optional
        Weight of every angle, not negative; by default all count the same. Points of weight 0 take the
        angle of their neighbours: give it to patches cut by the image's edge, whose angle is that of
        their mirror image.
    tolerance : float, optional
        Largest step of the smoothed angle between neighbours of one grain, radians. By default 4 standard
        deviations of that step, as found in the data, but at least two degrees (a strain of 3 %), and at
        most a twelfth of the period, as without order steps are as large as it.
    min_points : int, default 12
        Least number of points of a grain's core: as many as a circle of two spacings holds, which is what
        one patch and its neighbours see.

    Returns
    -------
    Grains

    Raises
    ------
    ValueError
        If there are too few points for a triangulation, or shapes do not match.

    Notes
    -----
    Neighbours are those of the Delaunay triangulation no farther apart than 2.2 nearest-neighbour
    distances. Angles are smoothed in three rounds over neighbours that differ by less than three times the
    noise, so that boundaries stay sharp. The core of a grain is what hangs together by steps within the
    tolerance, of points that agree with three quarters of their neighbours. Cores next to each other whose
    means differ by less than three standard errors, and than the tolerance, are one. Another point joins a
    neighbouring grain if its own angle is as near to the grain's mean as the largest of three times the
    noise, the tolerance, and a quarter of the grain's least misorientation to the next. What agrees no
    better with its neighbours than a noise of 1.1 / fold radians would, by three standard errors, is none.
    A crystal that is bent slowly is one grain. A boundary is missed where its step, spread over about three
    spacings, is below the tolerance in each: at the least tolerance those below 6 degrees. The mean is over
    the core, where patches do not reach into the next grain.

    Examples
    --------
    >>> row, col = np.mgrid[:20, :20].reshape(2, -1) * 10.0
    >>> angle = np.where(col < 100, 0.1, 0.4) + np.random.default_rng(0).normal(0, 0.02, 400)
    >>> found = find_grains(np.column_stack([row, col]), angle, 4)
    >>> found.count.tolist(), found.misorientation.round(2), found.pairs.tolist()
    ([200, 200], array([0.3]), [[0, 1]])
    """
    positions = as_points(points)
    n = len(positions)
    phase = fold * _as_values(angle, "angle", n)
    if isinstance(fold, bool) or not isinstance(fold, int | np.integer) or fold < 1:
        raise ValueError(f"`fold` must be a positive integer, got {fold!r}.")
    weight = np.ones(n) if strength is None else _as_values(strength, "strength", n)
    if weight.min() < 0:
        raise ValueError(f"`strength` must not be negative, got {weight.min():g}.")
    if min_points < 1:
        raise ValueError(f"`min_points` must be at least 1, got {min_points}.")
    edges = neighbors(positions)
    smooth, spread = smoothed(phase, weight, edges)
    if tolerance is None:
        step = min(max(_STEPS * spread, fold * _LEAST), _MOST)
    else:
        step = fold * check_positive(tolerance, "tolerance")
    core = cores(smooth, phase, weight, edges, step, min_points)
    core = joined_if_equal(core, phase, weight, positions, edges, step)
    means = mean_phases(core, phase, weight)
    noise = phase_noise(core, phase, weight, means)
    reach = joining_reach(core, means, positions, edges, max(step, DIFFERENT * noise))
    label, order = _by_size(grow(core, phase, weight, means, reach, edges))
    core = np.where(core >= 0, np.argsort(order)[core] if len(order) else -1, -1)
    means = means[order]
    error = standard_errors(core, phase, weight, means, edges)
    pairs = bordering(label, positions, edges)
    difference = wrapped(means[pairs[:, 1]] - means[pairs[:, 0]])
    return Grains(
        label=label,
        count=np.bincount(label[label >= 0], minlength=len(order)),
        angle=means % (2 * np.pi) / fold,
        error=error / fold,
        pairs=pairs,
        misorientation=difference / fold,
        misorientation_error=np.hypot(error[pairs[:, 0]], error[pairs[:, 1]]) / fold,
        noise=noise / fold,
        tolerance=step / fold,
    )


def _as_values(values: ArrayLike, name: str, n: int) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n,):
        raise ValueError(f"`{name}` must have one value for each of {n} points, got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` must be finite, got {int((~np.isfinite(array)).sum())} other values.")
    return array


def _by_size(label: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number grains from the largest down; return the labels and the old number of each."""
    order = np.argsort(-np.bincount(label[label >= 0]), kind="stable")
    return np.where(label >= 0, np.argsort(order)[label] if len(order) else -1, -1), order
