"""The two lattices of a moiré, their twist and period, from the spectrum of an image or of positions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from atomotif._checks import as_image
from atomotif.numerics._moire_spectrum import (
    HarmonicFit,
    Spectrum,
    bin_power,
    fit_errors,
    fit_harmonics,
    harmonics,
    spectrum,
    without,
)

# A layer's lattice may be this far from the symmetric one, in length and in radians: scan distortion, strain.
_DISTORTION = 0.12
# Lengths of the layers' vectors may differ by this share: two materials.
_MISMATCH = 0.06
# Least power of the weaker layer, relative to the stronger one.
_LEAST_POWER = 0.05
# Spots that may be a lattice's first.
_N_SPOTS = 30
_N_STARTS = 5
# Largest power of a spot at the sum of spots of both layers, relative to those.
_SUMS = 0.1
# Starts are compared by the two inner shells.
_INNER = 3.5


class NoMoireError(ValueError):
    """There are no two lattices that fill the field."""


@dataclass(frozen=True)
class Moire:
    """Two lattices that fill one field.

    The layers are in the order in which the twist from the first to the second is positive, from x (columns)
    towards y (rows): a projection does not tell which one is on top.

    Attributes
    ----------
    vectors : ndarray of float64, shape (2, 2, 2)
        Lattice vectors (layer, vector, axis), (d_row, d_col) px; those of the second layer are those of the
        first after twist and strain.
    moire_vectors : ndarray of float64, shape (2, 2)
        Vectors after which the registry repeats, (d_row, d_col) px.
    twist, twist_error : float
        Degrees, above 0; the standard error that the noise left by the fit implies. The distortion that both
        layers have in common is undone before.
    period, period_error : float
        px: the side of the symmetric cell of the same area as that of the moiré vectors.
    heterostrain : ndarray of float64, shape (2, 2)
        Symmetric strain of the second layer relative to the first, axes (row, col), common distortion undone.
    periods_in_field : float
        Root of the number of moiré cells that the field holds.
    fold : int
        6 or 4.
    fit : HarmonicFit
        Reciprocal lattices and the amplitudes of their harmonics.
    """

    vectors: NDArray[np.float64]
    moire_vectors: NDArray[np.float64]
    twist: float
    twist_error: float
    period: float
    period_error: float
    heterostrain: NDArray[np.float64]
    periods_in_field: float
    fold: int
    fit: HarmonicFit


def find_moire(
    image: ArrayLike,
    *,
    twist_range: tuple[float, float] | None = None,
    fold: int | None = None,
    min_periods: float = 1.3,
) -> Moire:
    """Return the two lattices that an image is the sum of.

    The strongest lattice of the windowed power spectrum is fitted and subtracted; the second one is looked
    for in what is left among turned and scaled copies of it; then both are refined at once, each with its
    full matrix, by least squares over the bins round all spots, with the amplitudes eliminated.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Intensities; positions may be drawn as small spots.
    twist_range : (float, float), optional
        Least and largest twist looked for, degrees; default 0 to half of the symmetry's angle.
    fold : {6, 4}, optional
        Symmetry of the layers' lattices; by default that which explains more of the spectrum.
    min_periods : float, default 1.3
        Least `Moire.periods_in_field`: with less the two lattices are not told apart.

    Returns
    -------
    Moire

    Raises
    ------
    NoMoireError
        If there is no lattice, no second one, or the field holds too few moiré cells.

    Examples
    --------
    >>> row, col = np.mgrid[:256, :256]
    >>> angles = np.radians([[0, 60, 120], [5, 65, 125]])
    >>> image = sum(np.cos(0.6 * (np.sin(a) * row + np.cos(a) * col)) for a in angles.ravel())
    >>> moire = find_moire(image)
    >>> round(moire.twist, 2), moire.fold
    (5.0, 6)
    """
    pixels = as_image(image, min_size=32)
    least, most = twist_range if twist_range is not None else (0.0, np.inf)
    if not 0 <= least < most:
        raise ValueError(f"`twist_range` must grow from 0 or more, got ({least:g}, {most:g}).")
    if fold not in (None, 4, 6):
        raise ValueError(f"`fold` must be 6 or 4, got {fold!r}.")
    if np.ptp(pixels) == 0:
        raise NoMoireError("there is no moiré: the image is constant.")
    transform = spectrum(pixels)
    first = [_first_lattice(transform, n) for n in ((6, 4) if fold is None else (fold,))]
    found = [(fit, n) for fit, n in first if fit is not None]
    if not found:
        raise NoMoireError("there is no moiré: the spectrum shows no lattice.")
    single, symmetry = max(found, key=lambda item: item[0].explained)
    half = 180 / symmetry
    fits = []
    for start in _starts(transform, single, symmetry, least, min(most, half)):
        fit = fit_harmonics(transform, start, harmonics(start[0], _INNER))
        if _plausible(fit, single):
            fits.append(fit)
    if not fits:
        raise NoMoireError("there is no moiré: no second lattice was found.")
    best = max(fits, key=lambda fit: fit.explained).reciprocal
    fit = fit_harmonics(transform, best, harmonics(best[0]))
    moire = geometry(fit, symmetry, transform)
    _refuse(moire, min_periods, least, min(most, half))
    _refuse_one_crystal(transform, moire)
    return moire


def geometry(fit: HarmonicFit, fold: int, transform: Spectrum) -> Moire:
    """Return twist, period and strain of two fitted lattices, with the errors of the fit.

    Parameters
    ----------
    fit : HarmonicFit
    fold : {6, 4}
    transform : Spectrum
        What it was fitted to.

    Returns
    -------
    Moire
    """
    if _twist(fit.reciprocal, fold)[0] < 0:
        fit = HarmonicFit(fit.reciprocal[::-1], fit.orders, fit.amplitudes[::-1], fit.explained)
    reciprocal = fit.reciprocal
    covariance = fit_errors(transform, fit)[0]
    twist, period, strain = _twist(reciprocal, fold)
    slopes = np.empty((2, 8))
    delta = 1e-6 * np.abs(reciprocal).max()
    for number in range(8):
        moved = reciprocal.ravel().copy()
        moved[number] += delta
        slopes[:, number] = (np.array(_twist(moved.reshape(2, 2, 2), fold)[:2]) - (twist, period)) / delta
    errors = np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes))
    beat = reciprocal[0] - reciprocal[1]
    return Moire(
        np.stack([np.linalg.inv(layer).T for layer in reciprocal]),
        np.linalg.inv(beat).T,
        twist,
        float(errors[0]),
        period,
        float(errors[1]),
        strain,
        float(np.sqrt(abs(np.linalg.det(beat * np.array(transform.shape))))),
        fold,
        fit,
    )


def _ideal(fold: int) -> NDArray[np.float64]:
    """Return reciprocal vectors of length 1 of the symmetric lattice, as rows (row, col)."""
    angle = np.pi / 3 if fold == 6 else np.pi / 2
    return np.array([[0.0, 1.0], [np.sin(angle), np.cos(angle)]])


def _turn(angle: float) -> NDArray[np.float64]:
    """Return the matrix that turns (row, col) rows, multiplied from the right, from x towards y."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _common_distortion(reciprocal: NDArray[np.float64], fold: int) -> NDArray[np.float64]:
    """Return the symmetric stretch that the lattices share: reciprocal ~ scale ideal turn stretch."""
    metric = np.zeros((2, 2))
    for layer in reciprocal.reshape(-1, 2, 2):
        ratio = np.linalg.solve(_ideal(fold), layer)
        metric += ratio.T @ ratio / np.sqrt(np.linalg.det(ratio) ** 2)
    values, axes = np.linalg.eigh(metric)
    values = np.sqrt(values)
    return np.asarray((axes * (values / np.sqrt(values.prod()))) @ axes.T)


def _twist(reciprocal: NDArray[np.float64], fold: int) -> tuple[float, float, NDArray[np.float64]]:
    """Return the twist in degrees, the period, and the strain of the second layer."""
    undo = np.linalg.inv(_common_distortion(reciprocal, fold))
    first, second = reciprocal @ undo
    # Rows of lattice vectors follow r2 = r1 @ change.
    change = np.linalg.solve(second, first).T
    angle = np.arctan2(change[1, 0] - change[0, 1], change[0, 0] + change[1, 1])
    stretch = _turn(-angle / 2) @ change @ _turn(-angle / 2)
    area = 1 / abs(np.linalg.det(reciprocal[0] - reciprocal[1]))
    period = np.sqrt(area * (2 / np.sqrt(3) if fold == 6 else 1.0))
    return float(np.degrees(angle)), float(period), (stretch + stretch.T) / 2 - np.eye(2)


def _first_lattice(transform: Spectrum, fold: int) -> tuple[HarmonicFit | None, int]:
    """Fit the strongest lattice of nearly the given symmetry."""
    size = np.array(transform.shape)
    power = bin_power(transform)
    middle = size // 2
    peak = power == ndimage.maximum_filter(power, 3, mode="wrap")
    row, col = np.indices(power.shape)
    row, col = row - middle[0], col - middle[1]
    # What varies over a quarter of the field or more is background.
    peak &= (np.hypot(row, col) > 4) & ((row > 0) | ((row == 0) & (col > 0)))
    peak &= (np.abs(row) < 0.45 * size[0]) & (np.abs(col) < 0.45 * size[1])
    at = np.argwhere(peak)
    order = np.argsort(-power[peak], kind="stable")[:_N_SPOTS]
    spots = (at[order] - middle) / size
    spots = np.concatenate([spots, -spots])
    length = np.hypot(*spots.T)
    angle = np.arctan2(*spots.T)
    apart = (angle[None] - angle[:, None]) % (2 * np.pi)
    wanted = np.pi / 3 if fold == 6 else np.pi / 2
    pairs = np.abs(apart - wanted) < _DISTORTION
    pairs &= np.abs(np.log(length[None] / length[:, None])) < _DISTORTION
    wide = ndimage.maximum_filter(power, 3, mode="wrap")
    best: tuple[float, NDArray[np.float64] | None] = (0.0, None)
    for i, j in np.argwhere(pairs):
        basis = spots[[i, j]]
        place = np.rint(harmonics(basis) @ basis * size).astype(np.int64) + middle
        score = float(wide[place[:, 0], place[:, 1]].sum())
        if score > best[0]:
            best = score, basis
    if best[1] is None:
        return None, fold
    return fit_harmonics(transform, best[1][None], harmonics(best[1])), fold


def _starts(
    transform: Spectrum, single: HarmonicFit, fold: int, least: float, most: float
) -> list[NDArray[np.float64]]:
    """Return pairs of lattices to start from: the fitted one with turned and scaled copies of it.

    Where the spots of both layers are hardly apart the fitted one lies between them.
    """
    base = single.reciprocal[0]
    orders = single.orders
    undo = np.linalg.inv(_common_distortion(base, fold))
    size = np.array(transform.shape)
    rest = ndimage.maximum_filter(bin_power(without(transform, single)), 3, mode="wrap")
    reach = np.hypot(*(orders @ base * size).T).max()
    # Half a bin at the outermost spots.
    step = 0.5 / reach
    turns = np.arange(np.radians(least) + step, np.radians(most) + step / 2, step)
    turns = np.concatenate([-turns[::-1], turns])
    scales = np.exp(np.arange(-round(_MISMATCH / step), round(_MISMATCH / step) + 1) * step)
    score = np.zeros((len(turns), len(scales)))
    straight = orders @ base @ undo
    for number, angle in enumerate(turns):
        turned = straight @ _turn(angle) @ np.linalg.inv(undo)
        place = np.rint(scales[:, None, None] * turned * size).astype(np.int64) + size // 2
        inside = ((place >= 0) & (place < size)).all(axis=2)
        place = np.clip(place, 0, size - 1)
        score[number] = (rest[place[..., 0], place[..., 1]] * inside).sum(axis=1)
    peaks = np.argwhere(score == ndimage.maximum_filter(score, 5))
    peaks = peaks[np.argsort(-score[tuple(peaks.T)], kind="stable")][:_N_STARTS]
    starts = []
    for i, j in peaks:

        def turned(share: float, angle: float = turns[i], scale: float = scales[j]) -> NDArray[np.float64]:
            return np.asarray(scale**share * base @ undo @ _turn(share * angle) @ np.linalg.inv(undo))

        starts.append(np.stack([base, turned(1.0)]))
        if abs(turns[i]) * np.hypot(*(base * size).T).min() < 4:
            starts.append(np.stack([turned(-1.0), turned(1.0)]))
            starts.append(np.stack([turned(-0.5), turned(0.5)]))
    return starts


def _plausible(fit: HarmonicFit, single: HarmonicFit) -> bool:
    """Whether both lattices are of about the length of the single one."""
    area = np.abs(np.linalg.det(fit.reciprocal)) / abs(np.linalg.det(single.reciprocal[0]))
    return bool((np.abs(np.log(area)) < 3 * _MISMATCH).all())


def _refuse(moire: Moire, min_periods: float, least: float, most: float) -> None:
    """Refuse pairs of lattices that are not two layers."""
    power = (np.abs(moire.fit.amplitudes) ** 2).sum(axis=1)
    if moire.periods_in_field < min_periods:
        raise NoMoireError(
            f"there is no measurable moiré: the field holds {moire.periods_in_field:.2g} moiré periods, "
            f"below {min_periods:g}, so that two lattices cannot be told from one that is distorted."
        )
    if power.min() < _LEAST_POWER * power.max():
        raise NoMoireError(
            f"there is no moiré: the second lattice has {power.min() / power.max():.1%} of the power of the "
            f"first, below {_LEAST_POWER:.0%}."
        )
    if not least <= moire.twist <= most:
        raise NoMoireError(
            f"there is no moiré in `twist_range`: the twist of the best two lattices is {moire.twist:.3g}."
        )
    strain = np.abs(np.linalg.eigvalsh(moire.heterostrain)).max()
    if strain > _MISMATCH:
        raise NoMoireError(
            f"there is no moiré: the second lattice differs from the first by a strain of {strain:.1%}, "
            f"above {_MISMATCH:.0%}."
        )


def _refuse_one_crystal(transform: Spectrum, moire: Moire) -> None:
    """Refuse two sets of spots of one crystal with a larger cell: spots at sums of theirs are as strong.

    The intensities of two layers add up, but for a few percent.
    """
    size = np.array(transform.shape)
    orders = moire.fit.orders
    shell = orders[np.abs(moire.fit.amplitudes).max(axis=0).argsort()[::-1][:3]]
    shell = np.concatenate([shell, -shell])
    first, second = shell @ moire.fit.reciprocal
    both = (first[:, None] + second[None]).reshape(-1, 2) * size
    own = (np.concatenate([orders, -orders]) @ moire.fit.reciprocal).reshape(-1, 2) * size
    # Clear of both lattices and of what varies slowly.
    clear = np.hypot(*(both[:, None] - own[None]).T).min(axis=0) > 4
    clear &= (np.hypot(*both.T) > 4) & (np.abs(both) < 0.45 * size).all(axis=1)
    if not clear.any():
        return
    wide = ndimage.maximum_filter(bin_power(transform), 3, mode="wrap")
    place = np.rint(np.concatenate([both[clear], first * size, second * size])).astype(np.int64) + size // 2
    power = wide[tuple((place % size).T)]
    sums, layers = power[: clear.sum()], power[clear.sum() :]
    if sums.max() > _SUMS * np.median(layers):
        raise NoMoireError(
            "there is no moiré: spots at sums of both lattices have "
            f"{sums.max() / np.median(layers):.0%} of the power of theirs, as in a larger cell."
        )
