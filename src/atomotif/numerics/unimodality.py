"""Are two groups two modes, or the halves of one? Their separation along the discriminant axis."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_UNIMODAL_SEPARATION", "separation"]

# The halves of a Gaussian distribution are 2.6 apart, those of a uniform one sqrt(12) = 3.5; a tail cut
# off a Gaussian, Laplace or triangular one up to 3.8.
MAX_UNIMODAL_SEPARATION = 4.0
# Share of a sphere in the scatter that the axis is found with: it keeps a few rows in many dimensions
# from being parted by chance.
_SHRINKAGE, _MAX_SHRINKAGE = 0.3, 0.95
# The sphere's variance is not below this, in units of the noise.
_MIN_VARIANCE = 0.5


def separation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Distance of two groups' means along their discriminant axis, in standard deviations within.

    The usual distributions with one mode, wherever they are cut in two, stay below 4; groups with more
    between them are taken for two modes, however rare one of them is. Both groups count the same
    in the scatter, so that a frequent narrow one does not hide that a rare one is wide.

    Parameters
    ----------
    a, b : ndarray of float64, shape (n_a, rank), (n_b, rank)
        Whitened components, at least one row each.

    Returns
    -------
    float
        Infinite if both groups are points.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(2000, 3))
    >>> cut = rows[:, 0] > 0
    >>> round(separation(rows[cut], rows[~cut]), 1)
    2.7
    >>> separation(rows, rows[:50] + [8.0, 0.0, 0.0]) > 6.0
    True
    """
    difference = a.mean(0) - b.mean(0)
    rank = a.shape[1]
    rest = np.concatenate([a - a.mean(0), b - b.mean(0)])
    scatter = rest.T @ rest / max(len(rest) - 2, 1)
    shrink = min(max(_SHRINKAGE, rank / len(rest)), _MAX_SHRINKAGE)
    sphere = max(float(np.trace(scatter)) / rank, _MIN_VARIANCE)
    axis = np.linalg.solve((1.0 - shrink) * scatter + shrink * sphere * np.eye(rank), difference)
    along_a, along_b = a @ axis, b @ axis
    within = np.sqrt(0.5 * (along_a.var() + along_b.var()))
    between = abs(float(along_a.mean() - along_b.mean()))
    if within > 0.0:
        return float(between / within)
    return float("inf") if between > 0.0 else 0.0
