"""Is a sample continuous: do its features vary smoothly with place, or recur as motifs?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from atomotif._checks import as_points, check_not_negative, check_positive
from atomotif.numerics._ring_similarity import nearest_on_rings
from atomotif.numerics._threads import one_blas_thread
from atomotif.numerics.whitening import systematic_variance, whitening

__all__ = ["Continuity", "measure_continuity"]

# Radius of the innermost ring and width of all, in nearest-neighbour distances: a narrower ring can lie
# between the shells of a crystal and miss the sites that are like its centre.
_INNER, _WIDTH = 3.0, 3.0
# Outer radius of the last ring, as a share of the shorter side of the field.
_OUTER = 0.4
# A ring counts where at least this share of it lies in the field: half a circle meets every direction.
_LEAST_RING = 0.5
# Centres of rings, and the share of them that must have a ring for it to be judged.
_N_CENTRES, _LEAST_CENTRES = 400, 0.2
# Judged is the centre that finds its like less easily than three quarters of them do, as symmetry makes
# many registries of two layers equal; defects are rarer than a quarter. It is compared with a less lucky one
# among shuffled patches: by chance the shares of centres without their like differ by some 0.03.
_QUANTILE, _QUANTILE_SHUFFLED = 0.75, 0.85


@dataclass(frozen=True)
class Continuity:
    """Whether the features of a sample are a continuum, from `measure_continuity`.

    Attributes
    ----------
    continuous : bool
    ratio : float
        How much more the most similar point on a ring differs from its centre than if the points had
        changed places, on the ring where that is most; 1 or less where motifs recur. NaN: cannot be told.
    threshold : float
        The sample is continuous if the ratio is above.
    radius : float
        Mean radius of that ring, px; of a moire often half its period. NaN if it cannot be told.
    reason : str
        All this in words.
    """

    continuous: bool
    ratio: float
    threshold: float
    radius: float
    reason: str


def measure_continuity(
    points: ArrayLike,
    features: ArrayLike,
    covariance: ArrayLike,
    *,
    complete: ArrayLike | None = None,
    threshold: float = 1.15,
    systematic: float = 0.045,
    random_state: int = 0,
) -> Continuity:
    """Tell a sample whose features vary smoothly with place in two ways from one made of recurring motifs.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    features : array_like, shape (n, n_features)
        Rotation invariants of the patches (`atomotif.numerics.invariants.debiased_invariants`); oriented
        moments would take the same motif in another orientation for another one. Column 0 is the mean.
    covariance : array_like, shape (n_features, n_features)
        Of the noise of a row.
    complete : array_like of bool, shape (n,), optional
        Points to use, for instance those whose patch lies inside the image; by default all.
    threshold : float, default 1.15
        Least ratio of a continuum. Recurring motifs give 1 or less, by chance or in domains up to 1.1.
    systematic : float, default 0.045
        Standard deviation of what is neither noise nor motif, as a share of the strongest feature
        (`atomotif.numerics.whitening.systematic_variance`).
    random_state : int, default 0
        Seed of the choice of centres and of the shuffled places.

    Returns
    -------
    Continuity

    Raises
    ------
    ValueError
        If shapes do not match, values are not finite, or a parameter is out of its range.

    Notes
    -----
    The registry of two layers turned against each other is a field of two parameters (Dan et al. 2022,
    Fig. 5). Along a ring about a point, which is a line, the same pair of values does not recur but by
    chance, so that half a period away even the most similar point is unlike the centre. A motif does
    recur there, whether it is one of two or of twenty, and so does the value of a field of one parameter, as
    is a gradient of thickness or strain: its contour lines meet the ring. The comparison is with the
    same ring after the features were shuffled among the points, which holds as many rows; clusters,
    their number and the density of the features do not enter. Features are in units of their noise, and to
    both squared distances is added the number of their components, half of what noise alone puts
    between two points: differences within the noise do not count.
    A superstructure of many sites is continuous, too, if its cell is larger than a ring's width.
    The field must hold a period and a quarter or more; a part of a period may be enough.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> points = np.mgrid[:50, :50].reshape(2, -1).T * 10.0
    >>> noise = rng.normal(scale=0.1, size=(2500, 4))
    >>> motifs = 2.0 * np.eye(4)[rng.integers(0, 4, 2500)]
    >>> measure_continuity(points, motifs + noise, 0.01 * np.eye(4)).continuous
    False
    >>> phase = 2 * np.pi * points / 250.0
    >>> registry = np.column_stack([np.cos(phase), np.sin(phase)])
    >>> found = measure_continuity(points, registry + noise, 0.01 * np.eye(4))
    >>> found.continuous, found.ratio > 2.0
    (True, True)
    """
    position, rows, noise = _checked(points, features, covariance, complete)
    check_positive(threshold, "threshold")
    check_not_negative(random_state, "random_state")
    if not 0.0 <= systematic < np.inf:
        raise ValueError(f"`systematic` must be finite and not negative, got {systematic!r}.")
    ratio = radius = float("nan")
    if len(rows) > 1:
        total = noise + systematic_variance(rows, systematic) * np.eye(len(noise))
        if np.trace(total) > 0.0:
            with one_blas_thread():
                components = whitening(rows, total).transform(rows)
        else:  # neither noise nor features
            components = rows - rows.mean(0)
        ratio, radius = _largest_ratio(position, components, np.random.default_rng(random_state))
    continuous = ratio > threshold
    if np.isnan(ratio):
        reason = f"the field of {len(rows)} whole patches is too small to tell a continuum from motifs"
    elif continuous:
        reason = (
            f"the features form a continuum: about {radius:.0f} px from a point even the most similar patch "
            f"differs {ratio:.1f} times as much as if the patches were shuffled, where motifs would recur"
        )
    else:
        reason = (
            "the patches recur as motifs: at no distance from a point does the most similar one differ more "
            f"than {max(ratio, 1.0):.2f} times as much as if they were shuffled, a continuum {threshold:g}"
        )
    return Continuity(bool(continuous), ratio, float(threshold), radius, reason)


def _checked(
    points: ArrayLike, features: ArrayLike, covariance: ArrayLike, complete: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Positions and rows of the points to use, and the noise."""
    position = as_points(points)
    rows = np.asarray(features, dtype=np.float64)
    noise = np.asarray(covariance, dtype=np.float64)
    n = len(position)
    if rows.ndim != 2 or len(rows) != n or rows.shape[1] < 2:
        raise ValueError(f"`features` must have shape ({n}, n_features), 2 or more, got shape {rows.shape}.")
    if noise.shape != (rows.shape[1],) * 2:
        raise ValueError(
            f"`covariance` must have shape ({rows.shape[1]}, {rows.shape[1]}), got shape {noise.shape}."
        )
    used = np.ones(n, np.bool_) if complete is None else np.asarray(complete)
    if used.dtype != np.bool_ or used.shape != (n,):
        raise ValueError(
            f"`complete` must be a boolean array of shape ({n},), got {used.dtype} of shape {used.shape}."
        )
    for name, array in (("features", rows), ("covariance", noise)):
        if not np.isfinite(array).all():
            raise ValueError(
                f"`{name}` must be finite, got {int((~np.isfinite(array)).sum())} NaN or infinite values."
            )
    return position[used], rows[used], noise


def _largest_ratio(
    position: NDArray[np.float64], components: NDArray[np.float64], rng: np.random.Generator
) -> tuple[float, float]:
    """Return the largest ratio of any ring, and the ring's mean radius; NaN without a ring."""
    n, rank = components.shape
    chosen = rng.permutation(n)[:_N_CENTRES]
    distance, _ = KDTree(position).query(position[chosen], 2)
    spacing = float(np.median(distance[:, 1]))
    extent = np.ptp(position, axis=0)
    inner, width = _INNER * spacing, _WIDTH * spacing
    n_rings = int((_OUTER * extent.min() - inner) / width) if width > 0.0 else 0
    if n_rings < 1:
        return float("nan"), float("nan")
    rows = components.astype(np.float32)
    count, nearest, nearest_shuffled = nearest_on_rings(
        position, rows, rows[rng.permutation(n)], chosen, inner, width, n_rings
    )
    edge = inner + width * np.arange(n_rings + 1)
    whole = np.pi * np.diff(edge**2) * n / extent.prod()
    usable = count >= np.maximum(_LEAST_RING * whole, 1.0)
    ratio = np.full(n_rings, np.nan)
    for ring in np.flatnonzero(usable.mean(0) >= _LEAST_CENTRES):
        inside = usable[:, ring]
        there = np.quantile(nearest[inside, ring], _QUANTILE) + rank
        anywhere = np.quantile(nearest_shuffled[inside, ring], _QUANTILE_SHUFFLED) + rank
        ratio[ring] = np.sqrt(there / anywhere)
    if np.isnan(ratio).all():
        return float("nan"), float("nan")
    best = int(np.nanargmax(ratio))
    return float(ratio[best]), float(edge[best : best + 2].mean())
