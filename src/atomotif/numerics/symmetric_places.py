"""Places about which an image is symmetric, columns or not, and pruning of points by symmetry."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree
from scipy.stats import beta

from atomotif._checks import as_image, as_points, check_positive
from atomotif.numerics._moment_algebra import index_pairs, order_of
from atomotif.numerics.dense_moments import dense_symmetry
from atomotif.numerics.moments import patch_coverage, zernike_moments
from atomotif.numerics.prominence import peak_prominence, refine_peaks
from atomotif.numerics.symmetry import rotation_score
from atomotif.numerics.zernike import functions

__all__ = ["SymmetricPlaces", "filling", "prune_points", "symmetric_places", "symmetry_response"]

# Share of patches of pure noise that pass for symmetric.
_CHANCE = 1e-4
# The middle of a patch, and where its ring is looked for, in radii. The nearest columns are at 0.83.
_MIDDLE, _RING, _RIM = 0.2, 0.4, 0.95
# A filling below this is empty.
_EMPTY = 0.5


@dataclass(frozen=True)
class SymmetricPlaces:
    """Places of high symmetry, the most symmetric first.

    Attributes
    ----------
    points : ndarray of float64, shape (n, 2)
        (row, col) px.
    score : ndarray of float64, shape (n,)
        The map of `atomotif.numerics.symmetry.rotation_score` there.
    filling : ndarray of float64, shape (n,)
        See the function `filling`.
    threshold : float
        Least score taken.
    """

    points: NDArray[np.float64]
    score: NDArray[np.float64]
    filling: NDArray[np.float64]
    threshold: float


def symmetric_places(
    image: ArrayLike,
    fold: int,
    radius: float,
    *,
    empty: bool | None = None,
    min_score: float | None = None,
    min_distance: float | None = None,
    min_coverage: float = 0.9,
    order: int = 10,
    n_threads: int | None = None,
) -> SymmetricPlaces:
    """Find the places about which an image has an axis of order `fold`.

    They are the local maxima of the map of rotation scores, and can be feature points as columns are:
    centres of rings, hollows, empty pentagons.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Columns bright (negate an image of dark ones: only `empty` depends on it).
    fold : int
        Order of the axis, from 2 to `order`.
    radius : float
        Radius of the patches, px: about 1.2 distances of the place from its nearest columns, so that the
        ring of these is inside, but little of what lies beyond.
    empty : bool, optional
        Take only places whose middle is dark (True) or bright (False); by default both.
    min_score : float, optional
        Least score. By default what one of 10,000 patches of pure noise reaches: 0.61, 0.40, 0.37, 0.30, 0.27
        for fold = 2, ..., 6 and order 10. It depends on nothing else, as the score does not on contrast;
        raise it to leave out places that are symmetric in part.
    min_distance : float, optional
        Of places closer than this (px) the most symmetric stays. By default half of the radius, which is
        0.6 distances of the nearest columns.
    min_coverage : float, default 0.9
        Least share of the disc that is inside the image: the mirrored image beyond the edge makes
        symmetry of its own.
    order : int, default 10
        Highest radial order of the moments.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    SymmetricPlaces

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Dan et al. (2022) take the empty centres of pentagons of an oxide as feature points. A fold that divides
    another finds its places, too: 2 and 3 those of 6. The position is the top of a paraboloid through the
    map; where the ring is not regular it is a compromise between its columns.

    Examples
    --------
    >>> row, col = np.mgrid[:96, :96]
    >>> image = np.cos(2 * np.pi * row / 16) + np.cos(2 * np.pi * col / 16)  # columns and hollows
    >>> hollows = symmetric_places(image, 4, 12.0, empty=True)
    >>> (hollows.points % 16).round(1).min(), (hollows.points % 16).round(1).max()
    (np.float64(8.0), np.float64(8.0))
    """
    pixels = as_image(image)
    radius = check_positive(radius, "radius")
    distance = radius / 2 if min_distance is None else check_positive(min_distance, "min_distance")
    if not 0 <= min_coverage <= 1:
        raise ValueError(f"`min_coverage` must be from 0 to 1, got {min_coverage!r}.")
    surface = dense_symmetry(
        pixels, radius, (fold,), mirror=False, order=order, n_threads=n_threads
    ).rotation[0]
    peaks, _ = peak_prominence(surface)
    peaks = peaks[patch_coverage(peaks, radius, pixels.shape) >= min_coverage]
    score = surface[peaks[:, 0], peaks[:, 1]].astype(np.float64)
    apart = prune_points(peaks, score, distance)
    peaks, score = peaks[apart], score[apart]
    threshold = _chance_score(fold, order) if min_score is None else float(min_score)
    kept = np.flatnonzero(score >= threshold)
    kept = kept[np.argsort(-score[kept], kind="stable")]
    # The map changes over a tenth of the radius; the fit must not reach beyond its hill.
    half_width = max(1, round(radius / 12))
    points = refine_peaks(surface, peaks[kept], half_width, 1.5 * half_width)
    points = np.clip(points, 0, np.array(pixels.shape) - 1.0)
    score = score[kept]
    filled = filling(zernike_moments(pixels, points, radius, order=order, n_threads=n_threads))
    if empty is not None:
        chosen = (filled < _EMPTY) == empty
        points, score, filled = points[chosen], score[chosen], filled[chosen]
    return SymmetricPlaces(points, score, filled, threshold)


def filling(moments: ArrayLike) -> NDArray[np.float64]:
    """Return how bright the middle of patches is beside the ring round it.

    Parameters
    ----------
    moments : array_like, shape (n, n_moments)
        Real moments, order at least 4.

    Returns
    -------
    ndarray of float64, shape (n,)
        With the intensity averaged round the centre, that of the middle (out to 0.2 radii) above the
        darkest ring, divided by that of the brightest ring (beyond 0.4 radii) above the darkest. 0 for
        a hollow, and 1 or more where a column like those of the ring is in the middle, as round the ring
        an average takes in the gaps. A patch without a ring gets infinity, a constant one 0.

    Examples
    --------
    >>> y, x = np.mgrid[-12:13, -12:13]
    >>> hollow = np.cos(2 * np.pi * np.hypot(x, y) / 18)
    >>> filling(zernike_moments([*(-hollow), *hollow], [[12, 12], [37, 12]], 11.0)).round(1) < 0.5
    array([ True, False])
    """
    values = np.asarray(moments, dtype=np.float64)
    order = order_of(values.shape[-1])
    _, q = index_pairs(order)
    r = np.linspace(0, _RIM, 41)
    profile = values[:, q == 0] @ functions(np.zeros_like(r), r, order)[q == 0]
    middle, ring = r <= _MIDDLE, r >= _RING
    darkest = profile.min(axis=1)
    centre = profile[:, middle] @ r[middle] / r[middle].sum() - darkest
    brightest = profile[:, ring].max(axis=1) - darkest
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(centre > 1e-6 * np.abs(values).max(axis=1, initial=0), centre / brightest, 0.0)


def symmetry_response(moments: ArrayLike, folds: Sequence[int] = (2, 3, 4, 5, 6)) -> NDArray[np.floating]:
    """Return the highest rotation score of patches over several folds.

    Parameters
    ----------
    moments : array_like, shape (..., n_moments)
        Real moments.
    folds : sequence of int, default (2, 3, 4, 5, 6)
        Orders of rotation to try; better only those that the columns can have.

    Returns
    -------
    ndarray, shape (...)
        See `atomotif.numerics.symmetry.rotation_score`.

    Examples
    --------
    >>> moments = np.zeros(66)
    >>> moments[9] = 1.0  # p = 3, q = 3
    >>> float(symmetry_response(moments))
    1.0
    """
    if not len(folds):
        raise ValueError("`folds` must hold at least one order, got none.")
    return np.asarray(np.max([rotation_score(moments, n) for n in folds], axis=0))


def prune_points(points: ArrayLike, score: ArrayLike, distance: float) -> NDArray[np.bool_]:
    """Tell which points stay if of those that are too close only the most symmetric does.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    score : array_like, shape (n,)
        What the point that stays has most of: `symmetry_response` of its moments, or any other.
    distance : float
        Least distance of two points that stay, px. For columns some 0.6 spacings.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for points that stay. From the highest score down, each drops the others round it that are
        still there; of equal scores the first point stays.

    Raises
    ------
    ValueError
        If shapes do not match or a score is NaN.

    Notes
    -----
    Dan et al. (2022): points may be over-counted at first, as surplus ones respond less symmetrically.

    Examples
    --------
    >>> prune_points([[0, 0], [0, 1], [0, 2]], [0.5, 0.9, 0.7], 1.5)
    array([False,  True, False])
    """
    positions = as_points(points)
    values = np.asarray(score, dtype=np.float64)
    if values.shape != (len(positions),):
        raise ValueError(
            f"`score` must have one value for each of {len(positions)} points, got {values.shape}."
        )
    if np.isnan(values).any():
        raise ValueError(f"`score` must not be NaN, got {int(np.isnan(values).sum())}.")
    distance = check_positive(distance, "distance")
    keep = np.ones(len(positions), dtype=bool)
    if len(positions) < 2:
        return keep
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(-values, kind="stable")] = np.arange(len(values))
    pairs = KDTree(positions).query_pairs(np.nextafter(distance, 0), output_type="ndarray")
    swap = rank[pairs[:, 1]] < rank[pairs[:, 0]]
    strong, weak = np.where(swap[:, None], pairs[:, ::-1], pairs).T
    for k in np.argsort(rank[strong], kind="stable"):
        # All that could drop the stronger one come before.
        keep[weak[k]] &= not keep[strong[k]]
    return keep


def _chance_score(fold: int, order: int) -> float:
    """Return the score that few patches of pure noise reach."""
    _, q = index_pairs(order)
    # The pairs of moments of white noise have independent powers, distributed exponentially.
    symmetric, pairs = int(((q > 0) & (q % fold == 0)).sum()), int((q > 0).sum())
    share = float(beta.isf(_CHANCE, symmetric, pairs - symmetric))
    return (fold * share - 1) / (fold - 1)
