"""The spectrum of two superposed lattices: its spots, and the fit of all harmonics of both at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.linalg import cho_factor, cho_solve

# Bins round a spot that enter the fit; a Hann window leaves less than 1 % of a spot's amplitude outside.
_REACH = 3.5
# Squares of lengths of harmonics, in that of the first shell: four shells of a hexagonal lattice.
_LONGEST = 7.5
_STEPS = 30
# A step that lessens the residual by a smaller share is the last.
_ENOUGH = 1e-6


@dataclass(frozen=True)
class Spectrum:
    """Transform of an image in a Hann window, about the image's centre."""

    values: NDArray[np.complex128]
    """Shape as the image, zero frequency first."""
    shape: tuple[int, int]


@dataclass(frozen=True)
class HarmonicFit:
    """Two lattices, fitted to a spectrum."""

    reciprocal: NDArray[np.float64]
    """Shape (layer, 2, 2): rows are reciprocal vectors, cycles per px."""
    orders: NDArray[np.int64]
    """Harmonics of each layer, one of each pair of opposite ones, shape (h, 2)."""
    amplitudes: NDArray[np.complex128]
    """Shape (layer, h), about the centre of the image."""
    explained: float
    """Power of the spectrum that the harmonics explain."""


def spectrum(image: NDArray[np.floating]) -> Spectrum:
    """Return the windowed spectrum of an image less its windowed mean."""
    rows, cols = image.shape
    window = np.outer(_hann(rows), _hann(cols))
    centered = np.asarray(image, dtype=np.float64)
    centered = (centered - (window * centered).sum() / window.sum()) * window
    values = fft.fft2(centered)
    for axis, size in enumerate(image.shape):
        turn = np.exp(2j * np.pi * fft.fftfreq(size) * (size - 1) / 2)
        values *= turn[:, None] if axis == 0 else turn
    return Spectrum(values, (rows, cols))


def harmonics(reciprocal: NDArray[np.float64], longest: float = _LONGEST) -> NDArray[np.int64]:
    """Return orders (h, k) of the inner shells of a lattice below the sampling limit, one of each pair.

    Parameters
    ----------
    reciprocal : ndarray of float64, shape (2, 2)
    longest : float, default 7.5
        Square of the length of the longest, in that of the shortest.

    Returns
    -------
    ndarray of int64, shape (h, 2)
    """
    grid = np.array([(h, k) for h in range(-3, 4) for k in range(-3, 4) if (h, k) > (0, 0)])
    vectors = grid @ reciprocal
    shortest = (reciprocal**2).sum(axis=1).min()
    kept = ((vectors**2).sum(axis=1) < longest * shortest) & (np.abs(vectors).max(axis=1) < 0.45)
    return np.asarray(grid[kept])


def fit_harmonics(
    transform: Spectrum, reciprocal: NDArray[np.float64], orders: NDArray[np.int64]
) -> HarmonicFit:
    """Refine lattices by least squares, with the amplitudes of all harmonics eliminated.

    Variable projection (Golub & Pereyra, SIAM J. Numer. Anal. 10, 413, 1973; Kaufman's Jacobian) with
    Levenberg's damping.

    Parameters
    ----------
    spectrum : Spectrum
    reciprocal : ndarray of float64, shape (layer, 2, 2)
        Start, right to within a bin or so.
    orders : ndarray of int64, shape (h, 2)

    Returns
    -------
    HarmonicFit
    """
    size = np.array(transform.shape)
    bins, data = _data(transform, orders, reciprocal)
    current, damping = reciprocal.astype(np.float64), 1e-3
    _, jacobian, amplitudes, rest = _project(bins / size, data, size, current, orders)
    power = float(np.vdot(rest, rest).real)
    for _ in range(_STEPS):
        normal = (jacobian.conj().T @ jacobian).real
        gradient = (jacobian.conj().T @ rest).real
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
        trial = current + step.reshape(current.shape)
        _, new_jacobian, new_amplitudes, new_rest = _project(bins / size, data, size, trial, orders)
        new_power = float(np.vdot(new_rest, new_rest).real)
        if new_power < power:
            done = power - new_power < _ENOUGH * power
            current, power = trial, new_power
            jacobian, amplitudes, rest = new_jacobian, new_amplitudes, new_rest
            damping /= 5
            if done:
                break
        else:
            damping *= 5
    explained = float(np.vdot(data, data).real) - power
    return HarmonicFit(current, orders, amplitudes.reshape(len(current), -1), explained)


def fit_errors(transform: Spectrum, fit: HarmonicFit) -> tuple[NDArray[np.float64], float]:
    """Return the errors of fitted lattices, from the residual as white noise in the windowed image.

    Parameters
    ----------
    transform : Spectrum
    fit : HarmonicFit

    Returns
    -------
    covariance : ndarray of float64, shape (4 layers, 4 layers)
        Of the raveled reciprocal vectors, (cycles per px)^2.
    variance : float
        Variance of a pixel of white noise that would leave the residual.
    """
    size = np.array(transform.shape)
    bins, data = _data(transform, fit.orders, fit.reciprocal)
    model, jacobian, _, rest = _project(bins / size, data, size, fit.reciprocal, fit.orders)
    # The window correlates bins up to two apart: the transform of its square.
    table = np.array([3 / 8, 1 / 4, 1 / 16, 0])
    correlation = np.full((len(bins), len(bins)), float(size.prod()))
    for axis in (0, 1):
        apart = np.abs(bins[:, None, axis] - bins[None, :, axis])
        correlation *= table[np.minimum(apart, 3)]
    inverse = np.linalg.inv((jacobian.conj().T @ jacobian).real)
    middle = (jacobian.conj().T @ (correlation @ jacobian)).real / 2
    basis = np.linalg.qr(model)[0]
    lost = np.einsum("ij,ij->", basis, correlation @ basis) + np.trace(inverse @ middle)
    variance = float(np.vdot(rest, rest).real / (np.trace(correlation) - lost))
    return variance * inverse @ middle @ inverse, variance


def bin_power(transform: Spectrum) -> NDArray[np.float64]:
    """Return the power of all bins, zero frequency at the middle (size // 2)."""
    return np.asarray(np.abs(fft.fftshift(transform.values)) ** 2)


def without(transform: Spectrum, fit: HarmonicFit) -> Spectrum:
    """Return the spectrum less the harmonics of a fit, but not less their opposites."""
    values = transform.values.copy()
    rows, cols = transform.shape
    by_row, by_col = (fft.fftfreq(size)[:, None] for size in transform.shape)
    spots = (fit.orders @ fit.reciprocal).reshape(-1, 2)
    rise = _kernel(_wrapped(by_row - spots[:, 0]), rows)[0]
    across = _kernel(_wrapped(by_col - spots[:, 1]), cols)[0]
    values -= (rise * fit.amplitudes.ravel()) @ across.T
    return Spectrum(values, transform.shape)


def _wrapped(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    return (frequency + 0.5) % 1.0 - 0.5


def _data(
    transform: Spectrum, orders: NDArray[np.int64], reciprocal: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.complex128]]:
    """Return the bins within reach of any spot, (i, j), and their values."""
    size = np.array(transform.shape)
    reach = int(np.ceil(_REACH))
    offset = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    place = (orders @ reciprocal).reshape(-1, 2) * size
    near = np.rint(place).astype(np.int64)[:, None] + offset
    near = near[((near - place[:, None]) ** 2).sum(axis=2) < _REACH**2]
    bins = np.unique(near, axis=0)
    return bins, transform.values[bins[:, 0] % size[0], bins[:, 1] % size[1]]


def _hann(size: int) -> NDArray[np.float64]:
    return 0.5 + 0.5 * np.cos(2 * np.pi * (np.arange(size) - (size - 1) / 2) / size)


def _kernel(frequency: NDArray[np.float64], size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the transform of the Hann window, and its derivative."""
    value, slope = np.zeros_like(frequency), np.zeros_like(frequency)
    for weight, shift in ((0.5, 0.0), (0.25, 1 / size), (0.25, -1 / size)):
        at = np.pi * (frequency - shift)
        at = np.where(np.abs(at) < 1e-7, 1e-7, at)
        dirichlet = np.sin(size * at) / np.sin(at)
        value += weight * dirichlet
        slope += weight * np.pi * (size * np.cos(size * at) - dirichlet * np.cos(at)) / np.sin(at)
    return value, slope


def _project(
    places: NDArray[np.float64],
    data: NDArray[np.complex128],
    size: NDArray[np.int64],
    reciprocal: NDArray[np.float64],
    orders: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.complex128], NDArray[np.complex128], NDArray[np.complex128]]:
    """Return the model's columns, projected Jacobian, amplitudes and residual."""
    layers, count = len(reciprocal), len(orders)
    spots = (orders @ reciprocal).reshape(-1, 2)
    by_row, row_slope = _kernel(places[:, :1] - spots[:, 0], int(size[0]))
    by_col, col_slope = _kernel(places[:, 1:] - spots[:, 1], int(size[1]))
    model = by_row * by_col
    normal = model.T @ model
    # Two spots in one place, nearer than a twentieth of a bin, share their amplitude.
    normal[np.diag_indices_from(normal)] *= 1 + 1e-3
    factor = cho_factor(normal)
    amplitudes = cho_solve(factor, model.T @ data)
    rest = data - model @ amplitudes
    jacobian = np.empty((len(data), layers, 2, 2), dtype=np.complex128)
    for axis, slope in enumerate((row_slope * by_col, by_row * col_slope)):
        change = (-slope * amplitudes).reshape(len(data), layers, count)
        jacobian[..., axis] = change @ orders
    flat = jacobian.reshape(len(data), -1)
    flat = flat - model @ cho_solve(factor, model.T @ flat)
    return model, flat, amplitudes, rest
