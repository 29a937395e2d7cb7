"""Intensity at the centres of rings, and how well it tells their classes apart."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from atomotif._checks import as_image, as_points, check_positive
from atomotif.numerics._disc import box_integrals
from atomotif.numerics.spacing import nearest_neighbor_distance

__all__ = ["Separation", "disc_intensity", "separation"]

# Radius of the disc, nearest-neighbour distances of the centres: about the size of a column in the middle
# of a ring whose own columns are half a distance away.
_RADIUS = 0.2
_BLOCK = 256


class Separation(NamedTuple):
    """What `separation` returns; K classes in rising order."""

    classes: NDArray[np.int64]
    """The classes, shape (K,)."""
    counts: NDArray[np.int64]
    """Values of every class, shape (K,)."""
    mean: NDArray[np.float64]
    """Mean value of every class, shape (K,)."""
    std: NDArray[np.float64]
    """Standard deviation of every class (n - 1; NaN of a single value), shape (K,)."""
    auc: NDArray[np.float64]
    """[i, j]: probability that a value of class j is above one of class i, equal values half: area under
    the ROC curve, shape (K, K). 0.5 is chance."""
    d_prime: NDArray[np.float64]
    """[i, j]: (mean j - mean i) over the root mean square of both standard deviations, shape (K, K)."""


def disc_intensity(image: ArrayLike, points: ArrayLike, radius: float | None = None) -> NDArray[np.float64]:
    """Return the mean intensity in a small disc round every point.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Real and finite.
    points : array_like, shape (n, 2)
        Centres of the discs as (row, col) px, anywhere between pixels.
    radius : float, optional
        Of the disc, px. By default a fifth of the nearest-neighbour distance of the points, which for the
        centres of rings covers a column in the middle and stays clear of the ring.

    Returns
    -------
    ndarray of float64, shape (n,)
        Each pixel counts by the area of it within the disc, so that the value moves smoothly with the
        position. Of a disc cut by the edge the part inside; NaN where none is.

    Raises
    ------
    ValueError
        If the radius is not positive, or cannot be had from a single point.

    Examples
    --------
    >>> image = np.zeros((9, 9))
    >>> image[4, 4] = np.pi
    >>> disc_intensity(image, [[4, 4], [4.5, 4.3]], radius=1.0).round(2)
    array([1. , 0.9])
    """
    pixels = as_image(image, min_size=1).astype(np.float64)
    positions = as_points(points)
    if radius is None:
        size = _RADIUS * nearest_neighbor_distance(positions)
    else:
        size = check_positive(radius, "radius")
    half = int(np.ceil(size + 0.5))
    offsets = np.arange(-half, half + 1)
    total, weight = np.zeros(len(positions)), np.zeros(len(positions))
    for start in range(0, len(positions), _BLOCK):
        part = slice(start, start + _BLOCK)
        nearest = np.round(positions[part])
        row, col = (nearest[:, axis, None].astype(np.int64) + offsets for axis in (0, 1))
        row, col = np.broadcast_arrays(row[:, :, None], col[:, None, :])
        y, x = row - positions[part, 0, None, None], col - positions[part, 1, None, None]
        left, right, top, bottom = (
            ((side + shift) / size).ravel() for side in (x, y) for shift in (-0.5, 0.5)
        )
        area = box_integrals(left, right, top, bottom, 0)[:, 0, 0].reshape(row.shape)
        inside = (row >= 0) & (row < pixels.shape[0]) & (col >= 0) & (col < pixels.shape[1])
        area = np.where(inside, area, 0.0)
        values = pixels[np.where(inside, row, 0), np.where(inside, col, 0)]
        total[part] = (values * area).sum(axis=(1, 2))
        weight[part] = area.sum(axis=(1, 2))
    result = np.full(len(positions), np.nan)
    np.divide(total, weight, out=result, where=weight > 0)
    return result


def separation(values: ArrayLike, classes: ArrayLike) -> Separation:
    """Return how well one number tells each pair of classes apart.

    Parameters
    ----------
    values : array_like, shape (n,)
        For instance the intensity at the centre of every ring. NaN is left out.
    classes : array_like of int, shape (n,)
        Class of every value; negative ones are left out.

    Returns
    -------
    Separation

    Raises
    ------
    ValueError
        If shapes do not match.

    Notes
    -----
    Intensity at the centres of pentagons: Dan et al. (2022), fig. S16.

    Examples
    --------
    >>> found = separation([1.0, 2.0, 4.0, 5.0], [0, 0, 2, 2])
    >>> found.auc[0], found.d_prime[0].round(2)
    (array([0.5, 1. ]), array([0.  , 4.24]))
    """
    value, label = np.asarray(values, np.float64), np.asarray(classes)
    if value.ndim != 1 or label.shape != value.shape or label.dtype.kind not in "iu":
        raise ValueError(
            f"`classes` must be {value.size} integers, one a value, got {label.dtype} {label.shape}."
        )
    use = np.isfinite(value) & (label >= 0)
    value, label = value[use], label[use].astype(np.int64)
    kinds = np.unique(label)
    groups = [value[label == kind] for kind in kinds]
    count = np.array([len(group) for group in groups], np.int64)
    mean = np.array([group.mean() for group in groups])
    std = np.array([group.std(ddof=1) if len(group) > 1 else np.nan for group in groups])
    auc, d_prime = np.full((len(kinds),) * 2, 0.5), np.zeros((len(kinds),) * 2)
    for i in range(len(kinds)):
        for j in range(len(kinds)):
            if i != j:
                ranks = rankdata(np.concatenate([groups[i], groups[j]]))[count[i] :]
                auc[i, j] = (ranks.sum() - count[j] * (count[j] + 1) / 2) / (count[i] * count[j])
                with np.errstate(divide="ignore", invalid="ignore"):
                    d_prime[i, j] = (mean[j] - mean[i]) / np.sqrt((std[i] ** 2 + std[j] ** 2) / 2)
    return Separation(kinds, count, mean, std, auc, d_prime)
