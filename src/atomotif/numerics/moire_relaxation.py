"""Local displacements of both layers of a moiré from their lattices, by windowed least squares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RectBivariateSpline

from atomotif._checks import as_image, check_positive
from atomotif.numerics._moire_spectrum import fit_errors, spectrum
from atomotif.numerics.moire import Moire, NoMoireError

# The image is binned until the outermost harmonic has this frequency, cycles per px.
_SAMPLING = 0.35
# Places of the map per standard deviation of the window.
_PER_WINDOW = 2
# Each solves for the displacements anew at those found before.
_ROUNDS = 3
_EXPECTATIONS = 30
# Standard deviations that are taken for granted: of contrasts, and of what moves both layers, in cells.
_CONTRAST, _DRIFT = 1.0, 0.25
# A layer is present where its contrast is above this share of its mean; both must be so in this share of
# the field.
_PRESENT, _COVERED = 0.3, 0.9


@dataclass(frozen=True)
class Relaxation:
    """Displacements of two layers on a grid of places.

    Attributes
    ----------
    rows, cols : ndarray of float64, shape (m,) and (n,)
        Places, px.
    displacements : ndarray of float64, shape (m, n, 2, 2)
        (row, col, layer, axis), px: of each layer from its lattice.
    error : ndarray of float64, shape (m, n)
        Standard error of the difference of both layers' displacements, root of the sum over both axes, px.
    contrast : ndarray of float64, shape (m, n, 2)
        Contrast of each layer relative to its mean; 0 where it is absent.
    spread : float
        Standard deviation along one axis that the difference of displacements has in the whole field, px: 0
        when the data do not tell it from noise, and then the layers are rigid.
    """

    rows: NDArray[np.float64]
    cols: NDArray[np.float64]
    displacements: NDArray[np.float64]
    error: NDArray[np.float64]
    contrast: NDArray[np.float64]
    spread: float

    def at(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return displacements (n, 2, 2) and errors (n,) at points (row, col), px."""
        moved = np.empty((len(points), 2, 2))
        for layer in (0, 1):
            for axis in (0, 1):
                values = self.displacements[..., layer, axis]
                moved[:, layer, axis] = _spline(self.rows, self.cols, values).ev(*points.T)
        error = _spline(self.rows, self.cols, self.error, 1).ev(*points.T)
        return moved, np.asarray(error)


def measure_relaxation(image: ArrayLike, moire: Moire, *, window: float = 1.5) -> Relaxation:
    """Return the local displacements of both layers.

    In a Gaussian window round every place of a grid the mean unit cells of both layers, displaced and scaled,
    are fitted to the image at once by linear least squares, repeatedly. The difference of the displacements
    is drawn to 0, the rigid layers, as far as its errors exceed the spread that it has in the whole field
    (empirical Bayes, by expectation and maximisation).

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        What `moire` was found in.
    moire : Moire
    window : float, default 1.5
        Standard deviation of the window, in lattice vectors: structure that is finer is averaged.

    Returns
    -------
    Relaxation

    Raises
    ------
    NoMoireError
        If a lattice is missing in a part of the field: grains side by side.
    """
    pixels = as_image(image, min_size=32).astype(np.float64)
    length = float(np.sqrt(abs(np.linalg.det(moire.vectors[0]))))
    sigma = check_positive(window, "window") * length
    variance = fit_errors(spectrum(pixels), moire.fit)[1]
    factor, binned = _binned(pixels, moire)
    axes = [factor * np.arange(size, dtype=np.float64) + (factor - 1) / 2 for size in binned.shape]
    places = [_places(size, sigma) for size in pixels.shape]
    weights = [
        np.exp(-(((at[:, None] - axis) / sigma) ** 2) / 2) for at, axis in zip(places, axes, strict=True)
    ]
    # Weights w leave noise with the sum of w^2, which is half of that of w for a Gaussian.
    noise = variance / factor**2 / 2
    moved = np.zeros((len(places[0]), len(places[1]), 2, 2))
    spread = length / 10
    for _ in range(_ROUNDS):
        fields = _fields(axes, pixels.shape, moire, factor, _at_pixels(places, moved, axes))
        normal, right = _normal(binned, fields, weights)
        start = np.concatenate([moved.mean(axis=2), moved[..., 1, :] - moved[..., 0, :]], axis=-1)
        normal, right = _without_background(normal, right)
        solved, covariance, spread = _solve(normal / noise, right / noise, start, spread, _DRIFT * length)
        common, apart = solved[..., 2:4], solved[..., 4:6]
        moved = np.stack([common - apart / 2, common + apart / 2], axis=2)
    contrast = 1 + solved[..., :2]
    share = float((contrast.min(axis=-1) > _PRESENT).mean())
    if share < _COVERED:
        raise NoMoireError(
            f"there is no moiré: both lattices are present in {share:.0%} of the field, below "
            f"{_COVERED:.0%}; they may be grains side by side."
        )
    error = np.sqrt(covariance[..., 4, 4] + covariance[..., 5, 5])
    return Relaxation(places[0], places[1], moved, error, contrast, spread)


def _places(size: int, sigma: float) -> NDArray[np.float64]:
    return np.linspace(0, size - 1, max(4, int(np.ceil((size - 1) * _PER_WINDOW / sigma)) + 1))


def _spline(
    rows: NDArray[np.float64], cols: NDArray[np.float64], values: NDArray[np.float64], degree: int = 3
) -> RectBivariateSpline:
    return RectBivariateSpline(rows, cols, values, kx=degree, ky=degree)


def _at_pixels(
    places: list[NDArray[np.float64]], moved: NDArray[np.float64], axes: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the displacements at the pixels, shape (rows, cols, layer, axis)."""
    result = np.empty((len(axes[0]), len(axes[1]), 2, 2))
    for layer in (0, 1):
        for axis in (0, 1):
            result[..., layer, axis] = _spline(places[0], places[1], moved[..., layer, axis])(*axes)
    return result


def _binned(pixels: NDArray[np.float64], moire: Moire) -> tuple[int, NDArray[np.float64]]:
    """Average blocks of pixels as far as the harmonics allow."""
    highest = np.abs(moire.fit.orders @ moire.fit.reciprocal).max()
    factor = max(1, int(_SAMPLING / highest))
    rows, cols = (size // factor for size in pixels.shape)
    blocks = pixels[: rows * factor, : cols * factor].reshape(rows, factor, cols, factor)
    return factor, blocks.mean(axis=(1, 3))


def _fields(
    axes: list[NDArray[np.float64]],
    shape: tuple[int, ...],
    moire: Moire,
    factor: int,
    moved: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what the image is fitted by, shape (7, rows, cols).

    Both layers' contrast, their derivative by displacements of both along (row, col) and by the difference
    along (row, col), and a constant.
    """
    place = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1) - (np.array(shape) - 1) / 2
    value, slope = [], []
    for number in (0, 1):
        reciprocal, orders = moire.fit.reciprocal[number], moire.fit.orders
        spots = orders @ reciprocal
        # Means of blocks weaken harmonics: Dirichlet's kernel.
        weaker = np.prod(np.sinc(factor * spots) / np.sinc(spots), axis=1)
        amplitudes = 2 * moire.fit.amplitudes[number] * weaker
        turns = np.exp(2j * np.pi * ((place - moved[..., number, :]) @ reciprocal.T))
        powers = [_powers(turns[..., axis], int(np.abs(orders[:, axis]).max())) for axis in (0, 1)]
        field = np.zeros((3, *place.shape[:2]))
        for (h, k), spot, amplitude in zip(orders, spots, amplitudes, strict=True):
            wave = amplitude * powers[0][h] * powers[1][k]
            field[0] += wave.real
            field[1:] += 2 * np.pi * spot[:, None, None] * wave.imag  # a displacement u turns by -g u
        value.append(field[0])
        slope.append(field[1:])
    return np.stack([*value, *(slope[0] + slope[1]), *((slope[1] - slope[0]) / 2), np.ones(place.shape[:2])])


def _powers(turn: NDArray[np.complex128], most: int) -> dict[int, NDArray[np.complex128]]:
    """Return powers -most .. most of numbers of modulus 1."""
    result = {0: np.ones_like(turn)}
    for power in range(1, most + 1):
        result[power] = result[power - 1] * turn
        result[-power] = result[power].conj()
    return result


def _normal(
    image: NDArray[np.float64], fields: NDArray[np.float64], weights: list[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return normal matrices and right-hand sides in all windows; both layers as they are stand for 0."""
    rest = image - fields[0] - fields[1]
    count = len(fields)
    grid = (len(weights[0]), len(weights[1]))
    normal = np.empty((*grid, count, count))
    right = np.empty((*grid, count))
    for i in range(count):
        right[..., i] = weights[0] @ (fields[i] * rest) @ weights[1].T
        for j in range(i + 1):
            normal[..., i, j] = normal[..., j, i] = weights[0] @ (fields[i] * fields[j]) @ weights[1].T
    return normal, right


def _without_background(
    normal: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eliminate the constant, the last unknown."""
    with_constant = normal[..., :-1, -1] / normal[..., -1:, -1]
    return (
        normal[..., :-1, :-1] - with_constant[..., None] * normal[..., -1:, :-1],
        right[..., :-1] - with_constant * right[..., -1:],
    )


def _solve(
    precision: NDArray[np.float64],
    right: NDArray[np.float64],
    start: NDArray[np.float64],
    spread: float,
    drift: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return contrasts and displacements, their covariance and the spread of the difference.

    The unknowns are steps from `start`, (common, apart); the law of the difference has mean 0.
    """
    values = right + (precision[..., 2:] @ start[..., None])[..., 0]
    for _ in range(_EXPECTATIONS):
        law = np.diag([_CONTRAST**-2] * 2 + [drift**-2] * 2 + [max(spread, 1e-6 * drift) ** -2] * 2)
        covariance = np.asarray(np.linalg.inv(precision + law), dtype=np.float64)
        solved = (covariance @ values[..., None])[..., 0]
        square = solved[..., 4:] ** 2 + covariance[..., [4, 5], [4, 5]]
        spread = float(np.sqrt(square.mean()))
    return solved, covariance, spread
