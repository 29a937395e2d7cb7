"""Average and deviation of the patches of each motif, turned to match where wanted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_image, as_points, check_positive
from atomotif.numerics import _average_kernels as kernels
from atomotif.numerics._moment_algebra import invariant_pairs, order_of, to_complex
from atomotif.numerics._threads import run_blocks
from atomotif.numerics.moments import read_only, zernike_moments

__all__ = ["MotifAverages", "alignment_angles", "motif_averages"]

# Candidates for the first reference of a motif, and rounds of averaging that follow.
_CANDIDATES = 32
_ROUNDS = 3

# Patches that the reference is the mean of, spread evenly; also the rows worked on at a time.
_SAMPLE = 2000

# Grid of trial angles: eight in each period of the fastest harmonic (order 10), so that the best of
# them lies within the basin of the best angle, which Newton steps then find.
_TRIAL_ANGLES = 80
_NEWTON_STEPS = 4


class MotifAverages(NamedTuple):
    """What `motif_averages` returns."""

    average: NDArray[np.float32]
    """Mean patch of every motif, shape (n_motifs, v, u)."""
    deviation: NDArray[np.float32]
    """Standard deviation of the patches at every pixel, shape (n_motifs, v, u)."""
    angles: NDArray[np.float64]
    """Angle by which the patch of every point is turned, radians, shape (n,)."""


def motif_averages(
    image: ArrayLike,
    points: ArrayLike,
    labels: ArrayLike,
    n_motifs: int,
    radius: float,
    *,
    moments: ArrayLike | None = None,
    align: bool = True,
    max_points: int = 2000,
    n_threads: int | None = None,
) -> MotifAverages:
    """Return the mean patch of every motif, and the deviation of its patches from it.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Real and finite. Beyond its edges it is mirrored.
    points : array_like, shape (n, 2)
        Centres of the patches as (row, col), px, inside the image.
    labels : array_like of int, shape (n,)
        Motif of every point, 0 ... n_motifs - 1, or -1 for none.
    n_motifs : int
        Number of motifs.
    radius : float
        Half of the patch size, px.
    moments : array_like, shape (n, n_moments), optional
        Zernike moments of the same points; computed from the image where they are needed and missing.
    align : bool, default True
        Turn each patch by the angle at which its moments match the mean of its motif best. Motifs that
        were found regardless of rotation would be smeared to rings otherwise; those that were not lose
        nothing by it.
    max_points : int, default 2000
        At most so many patches of a motif are averaged, spread evenly over its points: the standard error
        of the mean is then 2 % of the deviation, and the time does not grow with the image.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Returns
    -------
    MotifAverages
        `average` and `deviation`, float32, shape (n_motifs, side, side) with side = 2 ceil(radius) + 1,
        rows v and columns u, the point in the middle; and `angles`, float64, shape (n,), zero for points
        without a motif. Motifs without points are NaN.

    Raises
    ------
    ValueError
        If shapes do not match or a label is out of range.

    Notes
    -----
    Class averages: Dan et al. (2022), fig. 1. The reference of a motif is first the patch, among up to
    32 spread evenly, that the others match best, then three times the mean of the aligned moments. The
    score of an angle is the scalar product of the moments, sum over q of Re(conj(A_q) B_q exp(i q t)).
    Patches are sampled by cubic convolution (Catmull-Rom), which blurs less than linear interpolation
    and needs no copy of the image. The deviation is that of the patches as they are averaged (divided
    by their number), so that interpolation has smoothed its noise slightly.

    Examples
    --------
    >>> image = np.zeros((60, 60))
    >>> image[20, 20:26] = image[40:46, 40] = 1.0
    >>> found = motif_averages(image, [[20, 20], [40, 40]], [0, 0], 1, radius=9.0)
    >>> found.average.shape
    (1, 19, 19)
    >>> float(abs(np.rad2deg(found.angles[1] - found.angles[0]).round(0)))
    90.0
    """
    pixels = read_only(as_image(image, min_size=1))
    positions = as_points(points)
    radius = check_positive(radius, "radius")
    label = _as_labels(labels, len(positions), n_motifs)
    if max_points < 1:
        raise ValueError(f"`max_points` must be at least 1, got {max_points}.")
    angles = np.zeros(len(positions))
    if align and (label >= 0).any():
        if moments is None:
            moments = zernike_moments(pixels, positions, radius, n_threads=n_threads)
        values = np.asarray(moments)
        if values.ndim != 2 or len(values) != len(positions):
            raise ValueError(
                f"`moments` must have one row for each of {len(positions)} points, got shape {values.shape}."
            )
        for motif in range(n_motifs):
            members = np.flatnonzero(label == motif)
            angles[members] = alignment_angles(values[members])

    half = int(np.ceil(radius))
    side = 2 * half + 1
    average = np.full((n_motifs, side, side), np.nan, dtype=np.float32)
    deviation = np.full_like(average, np.nan)

    def work(motif: int) -> None:
        members = np.flatnonzero(label == motif)
        if len(members):
            members = _spread(members, max_points)
            kernels.mean_patch(
                pixels, positions[members], angles[members], half, average[motif], deviation[motif]
            )

    run_blocks(work, range(n_motifs), n_threads)
    return MotifAverages(average, deviation, angles)


def _as_labels(labels: ArrayLike, n_points: int, n_motifs: int) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if n_points == 0 and array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"`labels` must be integers, got dtype {array.dtype}.")
    if array.shape != (n_points,):
        raise ValueError(f"`labels` must have shape ({n_points},), got {array.shape}.")
    if n_motifs < 0:
        raise ValueError(f"`n_motifs` must not be negative, got {n_motifs}.")
    if array.size and not (array.min() >= -1 and array.max() < n_motifs):
        raise ValueError(f"`labels` must be from -1 to {n_motifs - 1}, got {array.min()} to {array.max()}.")
    return array.astype(np.int64)


def _spread(members: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return at most `size` of the members, spread evenly."""
    if len(members) <= size:
        return members
    return members[(np.arange(size) * len(members)) // size]


def alignment_angles(moments: ArrayLike) -> NDArray[np.float64]:
    """Return the angles by which patches must be turned to match each other best.

    Parameters
    ----------
    moments : array_like, shape (n, n_moments)
        Real Zernike moments of the patches.

    Returns
    -------
    ndarray of float64, shape (n,)
        Radians, from -pi to pi; a patch turned by its angle has the moments ``rotate(moments, angle)``.

    Examples
    --------
    >>> turned = alignment_angles([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    >>> float(np.rad2deg(turned[0] - turned[1]).round(6))
    90.0
    """
    moments = np.asarray(moments)
    _, q = invariant_pairs(order_of(moments.shape[-1]))
    turning = q > 0  # the other parts match at any angle
    q = q[turning]
    angles = np.zeros(len(moments))
    if not len(moments) or not len(q):
        return angles
    sample = to_complex(moments[_spread(np.arange(len(moments)), _SAMPLE)])[:, turning]
    candidates = sample[_spread(np.arange(len(sample)), _CANDIDATES)]
    norm = np.linalg.norm(candidates, axis=1)
    unit = candidates / np.where(norm > 0, norm, 1.0)[:, None]
    match = [_best_angles(reference, unit, q)[1].sum() for reference in unit]
    reference = candidates[int(np.argmax(match))]
    for _ in range(_ROUNDS):
        turned, _score = _best_angles(reference, sample, q)
        reference = (sample * np.exp(1j * turned[:, None] * q)).mean(axis=0)
    for start in range(0, len(moments), _SAMPLE):
        block = slice(start, start + _SAMPLE)
        angles[block] = _best_angles(reference, to_complex(moments[block])[:, turning], q)[0]
    return angles


def _best_angles(
    reference: NDArray[np.complex128], amplitudes: NDArray[np.complex128], q: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the angle of each patch at which it matches the reference best, and the score there."""
    harmonics = np.arange(1, q.max() + 1)
    product = np.conj(reference) * amplitudes
    terms = np.stack([product[:, q == k].sum(axis=1) for k in harmonics], axis=1)
    trials = np.arange(_TRIAL_ANGLES) * (2 * np.pi / _TRIAL_ANGLES)
    waves = np.exp(1j * trials[:, None] * harmonics)
    scores = terms.real @ waves.real.T - terms.imag @ waves.imag.T
    angles = trials[scores.argmax(axis=1)]
    for _ in range(_NEWTON_STEPS):
        turned = terms * np.exp(1j * angles[:, None] * harmonics)
        slope = -(turned.imag @ harmonics)
        curvature = -(turned.real @ harmonics**2)
        # Uphill only, and never further than the next trial angle.
        step = np.divide(-slope, curvature, out=np.zeros_like(slope), where=curvature < 0)
        angles = angles + np.clip(step, -np.pi / _TRIAL_ANGLES, np.pi / _TRIAL_ANGLES)
    angles = (angles + np.pi) % (2 * np.pi) - np.pi
    best = (terms * np.exp(1j * angles[:, None] * harmonics)).real.sum(axis=1)
    return angles, best
