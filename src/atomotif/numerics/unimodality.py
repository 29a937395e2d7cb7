"""Is a sample unimodal? Hartigan's dip statistic and its levels of significance."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif.numerics._jit import jit

__all__ = ["dip_p_value", "dip_statistic", "simulate_dip_levels"]


@jit(nogil=True)  # type: ignore[untyped-decorator]
def _lower_hull(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: int,
    stop: int,
    sign: float,
    hull: NDArray[np.int64],
) -> int:
    """Vertices of the greatest convex minorant of sign * y over start..stop; returns their number."""
    size = 0
    for i in range(start, stop + 1):
        while size >= 2:
            a, b = hull[size - 2], hull[size - 1]
            if sign * ((y[b] - y[a]) * (x[i] - x[b]) - (y[i] - y[b]) * (x[b] - x[a])) >= 0.0:
                size -= 1
            else:
                break
        hull[size] = i
        size += 1
    return size


@jit(nogil=True)  # type: ignore[untyped-decorator]
def _interpolate(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    hull: NDArray[np.int64],
    size: int,
    value: NDArray[np.float64],
) -> None:
    """Write the piecewise linear function through the vertices `hull` to `value`."""
    value[hull[0]] = y[hull[0]]
    for k in range(size - 1):
        a, b = hull[k], hull[k + 1]
        slope = (y[b] - y[a]) / (x[b] - x[a])
        for i in range(a + 1, b):
            value[i] = y[a] + slope * (x[i] - x[a])
        value[b] = y[b]


@jit(nogil=True)  # type: ignore[untyped-decorator]
def _dip(x: NDArray[np.float64], below: NDArray[np.float64], reached: NDArray[np.float64]) -> float:
    """Dip of the distribution that steps from `below` to `reached` at each of the distinct, sorted `x`."""
    n = x.size
    convex_hull, concave_hull = np.empty(n, np.int64), np.empty(n, np.int64)
    convex, concave = np.empty(n), np.empty(n)
    low, high, deviation = 0, n - 1, 0.0
    while True:
        n_convex = _lower_hull(x, below, low, high, 1.0, convex_hull)
        n_concave = _lower_hull(x, reached, low, high, -1.0, concave_hull)
        _interpolate(x, below, convex_hull, n_convex, convex)
        _interpolate(x, reached, concave_hull, n_concave, concave)
        gap, new_low, new_high = -1.0, low, high
        k = 0
        for j in range(n_convex):
            i = convex_hull[j]
            while concave_hull[k] < i:
                k += 1
            if concave[i] - convex[i] > gap:
                gap, new_low, new_high = concave[i] - convex[i], i, concave_hull[k]
        k = 0
        for j in range(n_concave):
            i = concave_hull[j]
            while k + 1 < n_convex and convex_hull[k + 1] <= i:
                k += 1
            if concave[i] - convex[i] > gap:
                gap, new_low, new_high = concave[i] - convex[i], convex_hull[k], i
        if gap <= deviation:
            break
        for i in range(low, new_low):
            deviation = max(deviation, reached[i] - convex[i])
        for i in range(new_high + 1, high + 1):
            deviation = max(deviation, concave[i] - below[i])
        if new_low == low and new_high == high:
            if low != high:
                deviation = max(deviation, gap)
            break
        low, high = new_low, new_high
    return 0.5 * deviation


# Probabilities that a unimodal sample has a larger dip, and the square root of n times the dip that
# has them, for the sizes of `_SIZES`; beyond the last size the value no longer changes.
_SIZES = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
_PROBABILITIES = (0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001)
_LEVELS = np.array(
    [
        [0.2500, 0.2500, 0.2500, 0.2644, 0.3163, 0.3733, 0.4122, 0.4450, 0.4620, 0.4890],
        [0.2325, 0.2820, 0.3145, 0.3410, 0.3549, 0.4015, 0.4354, 0.4696, 0.4865, 0.5562],
        [0.2473, 0.2919, 0.3252, 0.3615, 0.3885, 0.4266, 0.4593, 0.4995, 0.5269, 0.6064],
        [0.2607, 0.3024, 0.3377, 0.3792, 0.4075, 0.4501, 0.4867, 0.5284, 0.5570, 0.6394],
        [0.2695, 0.3126, 0.3482, 0.3908, 0.4194, 0.4623, 0.5035, 0.5506, 0.5819, 0.6745],
        [0.2769, 0.3202, 0.3577, 0.4016, 0.4311, 0.4753, 0.5160, 0.5616, 0.5976, 0.6905],
        [0.2810, 0.3258, 0.3649, 0.4097, 0.4388, 0.4839, 0.5243, 0.5750, 0.6067, 0.7052],
        [0.2846, 0.3309, 0.3688, 0.4134, 0.4438, 0.4883, 0.5278, 0.5762, 0.6058, 0.7045],
        [0.2871, 0.3330, 0.3714, 0.4165, 0.4477, 0.4948, 0.5360, 0.5871, 0.6224, 0.7175],
        [0.2897, 0.3347, 0.3734, 0.4184, 0.4498, 0.4965, 0.5351, 0.5885, 0.6264, 0.7316],
    ]
)  # fmt: skip


def dip_statistic(values: ArrayLike) -> float:
    """Distance of a sample's distribution from the nearest unimodal one (Hartigan's dip).

    The largest difference between the empirical distribution function and the best unimodal one,
    convex up to its mode and concave beyond. The mode may be an atom.

    Parameters
    ----------
    values : array_like, shape (n,)

    Returns
    -------
    float
        0 to 0.25.

    Raises
    ------
    ValueError
        If `values` is empty, has more than one axis or is not finite.

    Notes
    -----
    J. A. Hartigan and P. M. Hartigan, Annals of Statistics 13 (1985) 70: within a shrinking modal
    interval, the greatest convex minorant and the least concave majorant of the distribution are
    compared; the ends of the widest gap between them bound the next interval.

    Examples
    --------
    >>> dip_statistic([0.0, 1.0, 2.0, 3.0])
    0.125
    >>> dip_statistic([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    0.25
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(f"`values` must have one axis and at least one value, got shape {sample.shape}.")
    if not np.isfinite(sample).all():
        raise ValueError(f"`values` must be finite, got {int((~np.isfinite(sample)).sum())} others.")
    x, count = np.unique(sample, return_counts=True)
    reached = np.cumsum(count) / sample.size
    return float(_dip(x, reached - count / sample.size, reached))


def dip_p_value(values: ArrayLike) -> float:
    """Odds that a unimodal sample of this size has a larger dip.

    Parameters
    ----------
    values : array_like, shape (n,)

    Returns
    -------
    float
        0.001 to 1, interpolated in a table (`simulate_dip_levels`); 1 for fewer than four values,
        which always are as good as unimodal, and for odds above 0.9.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dip_p_value(rng.normal(size=200)) > 0.2
    True
    >>> dip_p_value(np.concatenate([rng.normal(size=100), rng.normal(6.0, size=100)]))
    0.001
    """
    size = np.size(values)
    dip = dip_statistic(values)
    if size < _SIZES[0]:
        return 1.0
    position = np.interp(np.log(size), np.log(_SIZES), np.arange(len(_SIZES)))
    row = int(min(position, len(_SIZES) - 2))
    weight = position - row
    levels = (1.0 - weight) * _LEVELS[row] + weight * _LEVELS[row + 1]
    log_p = np.interp(np.sqrt(size) * dip, levels, np.log(_PROBABILITIES), left=0.0)
    return float(np.exp(log_p))


def simulate_dip_levels(
    sizes: Sequence[int] = _SIZES,
    probabilities: Sequence[float] = _PROBABILITIES,
    *,
    n_samples: int = 20000,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Simulate how large the dip of unimodal samples gets; the module's table was made by it.

    The samples are uniform, the least favourable of the unimodal distributions.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of values in a sample.
    probabilities : sequence of float
        Odds of a larger dip.
    n_samples : int, default 20000
        Samples of each size: the last of the table's values is then known to about 2 %.
    random_state : int, default 0

    Returns
    -------
    ndarray of float64, shape (n_sizes, n_probabilities)
        Square root of the size times the dip.

    Examples
    --------
    >>> bool(np.allclose(simulate_dip_levels([64], [0.2], n_samples=2000), 0.42, atol=0.02))
    True
    """
    rng = np.random.default_rng(random_state)
    levels = np.empty((len(sizes), len(probabilities)))
    for row, size in enumerate(sizes):
        dips = [dip_statistic(rng.random(size)) for _ in range(n_samples)]
        levels[row] = np.sqrt(size) * np.quantile(dips, 1.0 - np.asarray(probabilities))
    return levels
