"""The smooth course of features over the place in a region, common to like regions, and what deviates."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points

__all__ = ["PlaceTrend", "place_trend"]

# Points for each coefficient, at least: else the degree is lowered, down to the mean alone.
_POINTS_PER_TERM = 3
# Gauss-Newton steps of the centres; the second one moves them by hundredths of the first.
_CENTRE_STEPS = 2


class PlaceTrend(NamedTuple):
    """What `place_trend` returns."""

    deviation: NDArray[np.float64]
    """What each feature differs by from the course, shape (n, n_features)."""
    offset: NDArray[np.float64]
    """What the centre of each region is moved by, such that place + offset is comparable, (n_regions, 2)."""


def place_trend(
    features: ArrayLike,
    places: ArrayLike,
    regions: ArrayLike,
    kinds: ArrayLike | None = None,
    *,
    degree: int = 4,
) -> PlaceTrend:
    """Fit the course of every feature over the place in regions that ought to be alike.

    Within a moire domain features vary with the registry, and so with the place, far more than domains do
    from each other at like places; sites of different kinds do even more. Both are taken out by one
    polynomial of the place for each kind, common to all regions. The centre of a region is only known to
    a fraction of a cell from its points, which displaces the registry: it is fitted, too. A region that is
    displaced as a whole does not count as different, therefore.

    Parameters
    ----------
    features : array_like, shape (n, n_features)
        Finite; the points of all regions.
    places : array_like, shape (n, 2)
        Positions of the points relative to the estimated centre of their region, any unit.
    regions : array_like of int, shape (n,)
        Region of every point, from 0.
    kinds : array_like of int, shape (n,), optional
        Kind of site of every point; by default all are of one kind.
    degree : int, default 4
        Degree of the polynomial: 15 terms, lowered for kinds of fewer than 45 points. On a rigid moire of
        3 degrees 3 to 5 do equally well.

    Returns
    -------
    PlaceTrend

    Raises
    ------
    ValueError
        If shapes do not match, a value is not finite or `degree` is negative.

    Notes
    -----
    Least squares, in turns with Gauss-Newton steps of the centres, in which each feature counts by the
    inverse of its deviation. Adjustment for a covariate: Fisher (1932), Statistical Methods; the course
    does not know which region is which, so that exchanges of alike regions stay exact.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> true = rng.uniform(-1, 1, (2, 100, 2))
    >>> features = np.sin(true.reshape(-1, 2)) + 0.01 * rng.normal(size=(200, 2))
    >>> true[1] -= [0.2, 0.0]  # the centre of the second region is taken wrongly
    >>> found = place_trend(features, true.reshape(-1, 2), np.repeat([0, 1], 100))
    >>> (found.offset[1] - found.offset[0]).round(2) + 0.0, float(found.deviation.std().round(2))
    (array([0.2, 0. ]), 0.01)
    """
    values, where, region = (
        np.asarray(features, dtype=np.float64),
        as_points(places, "places"),
        np.asarray(regions),
    )
    if values.ndim != 2 or len(values) != len(where):
        raise ValueError(
            f"`features` must have one row for each of {len(where)} places, got shape {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"`features` must be finite, got {int((~np.isfinite(values)).sum())} that are not.")
    if degree < 0:
        raise ValueError(f"`degree` must not be negative, got {degree}.")
    kind = np.zeros(len(where), np.int64) if kinds is None else np.asarray(kinds)
    offset = np.zeros((int(region.max()) + 1 if len(region) else 0, 2))
    if not len(where):
        return PlaceTrend(values.copy(), offset)
    unit = float(np.abs(where).max()) or 1.0
    for _ in range(_CENTRE_STEPS):
        deviation, slope = _fit(values, (where + offset[region]) / unit, kind, degree)
        spread = deviation.std(0)
        weight = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-9 * abs(values).max(0))
        for one in range(len(offset)):
            own = region == one
            design = (slope[:, own] * weight).reshape(2, -1)
            offset[one] += (
                unit * np.linalg.lstsq(design @ design.T, design @ (deviation[own] * weight).ravel())[0]
            )
        offset -= offset.mean(0)
    return PlaceTrend(_fit(values, (where + offset[region]) / unit, kind, degree)[0], offset)


def _fit(
    values: NDArray[np.float64], place: NDArray[np.float64], kind: NDArray[np.int64], degree: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the deviations from the polynomials, and the slopes of these along both axes (axis, n, f)."""
    deviation, slope = np.empty_like(values), np.zeros((2, *values.shape))
    for one in np.unique(kind):
        own = np.flatnonzero(kind == one)
        own_degree = degree
        while own_degree and len(own) < _POINTS_PER_TERM * (own_degree + 1) * (own_degree + 2) // 2:
            own_degree -= 1
        powers = [(i, j) for i in range(own_degree + 1) for j in range(own_degree + 1 - i)]
        y, x = place[own].T
        terms = np.stack([y**i * x**j for i, j in powers], axis=1)
        coefficients = np.linalg.lstsq(terms, values[own])[0]
        deviation[own] = values[own] - terms @ coefficients
        along_y = np.stack([i * y ** max(i - 1, 0) * x**j for i, j in powers], axis=1)
        along_x = np.stack([j * y**i * x ** max(j - 1, 0) for i, j in powers], axis=1)
        slope[0, own], slope[1, own] = along_y @ coefficients, along_x @ coefficients
    return deviation, slope
