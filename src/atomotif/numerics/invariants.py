"""Rotation-invariant magnitudes of Zernike moments, without the bias that noise gives them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["debiased_invariants"]


def _pairs(n_moments: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns of the cosine and of the sine moment of each invariant, equal where there is no sine."""
    order = round((np.sqrt(8 * n_moments + 1) - 3) / 2)
    if (order + 1) * (order + 2) // 2 != n_moments:
        raise ValueError(
            f"`moments` must have 1, 3, 6, 10, ... 66 columns, "
            f"all moments up to a radial order, got {n_moments}."
        )
    pairs = [(p, q) for p in range(order + 1) for q in range(p % 2, p + 1, 2)]
    cosine = np.array([(p * (p + 2) + q) // 2 for p, q in pairs])
    sine = np.array([(p * (p + 2) - q) // 2 for p, q in pairs])
    return cosine, sine


def debiased_invariants(
    moments: ArrayLike, noise_covariance: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a rotation of the patch leaves unchanged, and its noise.

    The azimuthally symmetric moments c_p0 are kept with their sign. Of each pair c_pq, c_p-q the
    magnitude is kept; noise of variance s^2 in both raises its mean square by 2 s^2, and its mean, at
    a good ratio of signal to noise, to sqrt(m^2 + s^2), so that s^2 is taken off under the root.

    Parameters
    ----------
    moments : array_like, shape (n, n_moments)
        Real Zernike moments, all up to a radial order, ordered by (p, q), q from -p to p.
    noise_covariance : array_like, shape (n_moments, n_moments)
        Covariance of the noise of one row of `moments`.

    Returns
    -------
    invariants : ndarray of float64, shape (n, n_invariants)
        36 for 66 moments; ordered by p, then q = p mod 2, ..., p.
    covariance : ndarray of float64, shape (n_invariants, n_invariants)
        Their noise: that of the symmetric moments, and on the diagonal that of the magnitudes, whose
        noises are taken as independent (the phases of unequal pairs are).

    Raises
    ------
    ValueError
        If the number of columns is not that of a complete order or the shapes do not match.

    Notes
    -----
    Rotation-invariant features: Dan et al. 2022, "Zernike features".

    Examples
    --------
    >>> invariants, covariance = debiased_invariants([[1.0, 3.0, 4.0]], 9.0 * np.eye(3))
    >>> invariants, covariance.diagonal()
    (array([[1., 4.]]), array([9., 9.]))
    """
    rows = np.asarray(moments, dtype=np.float64)
    noise = np.asarray(noise_covariance, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"`moments` must have shape (n, n_moments), got shape {rows.shape}.")
    if noise.shape != (rows.shape[1], rows.shape[1]):
        raise ValueError(
            f"`noise_covariance` must have shape ({rows.shape[1]}, {rows.shape[1]}), got shape {noise.shape}."
        )
    cosine, sine = _pairs(rows.shape[1])
    symmetric = np.flatnonzero(cosine == sine)
    variance = 0.5 * (noise[cosine, cosine] + noise[sine, sine])
    square = rows[:, cosine] ** 2 + rows[:, sine] ** 2
    invariants = np.sqrt(np.maximum(square - variance, 0.0))
    invariants[:, symmetric] = rows[:, cosine[symmetric]]
    covariance = np.diag(variance)
    covariance[np.ix_(symmetric, symmetric)] = noise[np.ix_(cosine[symmetric], cosine[symmetric])]
    return invariants, covariance
