"""How the layers of a moiré lie on each other: origins of their cells, named stackings and registry."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points
from atomotif.numerics.moire import Moire

# Grid of the unit cell on which its highest column is looked for; divisible by 3.
_CELL = 48
# Columns are alike, or a site is empty, within this share of the range of the unit cell.
_ALIKE = 0.15


@dataclass(frozen=True)
class Stackings:
    """The high-symmetry stackings of two layers.

    Attributes
    ----------
    arrangement : str
        "antiparallel" (2H-like) or "parallel" (3R-like) where both layers have a heavy and a light column,
        "alike" where their columns are equal (graphene), "single" with one column a cell.
    names : tuple of str
        AA', AB' (heavy over heavy), A'B (light over light) of antiparallel layers; else AA, AB and BA. Which
        of AB and BA is which depends on the layer that is on top, so on what an image does not tell.
    fractions : ndarray of float64, shape (s, 2)
        Registry of each, in vectors of the first layer.
    origins : ndarray of float64, shape (2, 2)
        Heavy column (alike: centre of the ring) of each layer, in its vectors, from the field's centre.
    """

    arrangement: str
    names: tuple[str, ...]
    fractions: NDArray[np.float64]
    origins: NDArray[np.float64]


def find_stackings(moire: Moire) -> Stackings:
    """Return the origins of both layers and the stackings that their unit cells imply.

    The mean unit cell of each layer follows from the amplitudes of its harmonics; its highest column is the
    heavy one, and the threefold sites beside it hold the light one and nothing.

    Parameters
    ----------
    moire : Moire

    Returns
    -------
    Stackings
    """
    amplitudes, orders = moire.fit.amplitudes, moire.fit.orders
    peaks = np.array([_highest(layer, orders) for layer in amplitudes])
    if moire.fold == 4:
        return Stackings("single", ("AA", "AB"), np.array([[0.0, 0.0], [0.5, 0.5]]), peaks)
    third = _third(moire)
    # Heavy, and the two sites beside it.
    sites = peaks[:, None] + third * np.array([0, 1, -1])[:, None]
    heights = np.array([_cell(a, orders, s) for a, s in zip(amplitudes, sites, strict=True)])
    lower, upper = np.sort(heights[:, 1:], axis=1).T
    extent = heights[:, 0] - lower
    side = np.where(heights[:, 1] > heights[:, 2], 1.0, -1.0)
    if ((upper - lower) / extent).mean() < _ALIKE:
        arrangement, names, shifts, origins = "single", ("AA", "AB", "BA"), (0, 1, -1), peaks
    elif ((heights[:, 0] - upper) / extent).mean() < _ALIKE:
        arrangement, names, shifts = "alike", ("AA", "AB", "BA"), (0, 1, -1)
        origins = peaks - side[:, None] * third
    elif side[0] == side[1]:
        arrangement, names, shifts, origins = "parallel", ("AA", "AB", "BA"), (0, side[0], -side[0]), peaks
    else:
        arrangement, names, origins = "antiparallel", ("AA'", "AB'", "A'B"), peaks
        shifts = (side[0], 0, -side[0])
    return Stackings(arrangement, names, np.array(shifts, dtype=np.float64)[:, None] * third, origins)


def registry_at(
    points: ArrayLike,
    moire: Moire,
    stackings: Stackings,
    shape: tuple[int, int],
    displacements: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the registry at points: the place of the second layer's origin from the first layer's.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        (row, col) px.
    moire : Moire
    stackings : Stackings
    shape : (int, int)
        Rows and columns of the field, px.
    displacements : ndarray of float64, shape (n, 2, 2), optional
        Of each layer from its lattice, (point, layer, axis), px; default none.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        (d_row, d_col) px, the shortest of the equivalent ones.
    """
    places = as_points(points) - (np.array(shape) - 1) / 2
    moved = np.zeros((len(places), 2, 2)) if displacements is None else displacements
    phase = [
        (places - moved[:, number]) @ moire.fit.reciprocal[number].T - stackings.origins[number]
        for number in (0, 1)
    ]
    return shortest(phase[0] - phase[1], moire.vectors[0])


def stacking_distances(registry: ArrayLike, moire: Moire, stackings: Stackings) -> NDArray[np.float64]:
    """Return the distance of registries to every stacking.

    Parameters
    ----------
    registry : array_like, shape (n, 2)
        (d_row, d_col) px.
    moire : Moire
    stackings : Stackings

    Returns
    -------
    ndarray of float64, shape (n, s)
        px.
    """
    fractions = as_points(registry, "registry") @ moire.fit.reciprocal[0].T
    return np.stack(
        [np.hypot(*shortest(fractions - place, moire.vectors[0]).T) for place in stackings.fractions], axis=1
    )


def shortest(fractions: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shortest of the equivalent vectors: those in the Wigner-Seitz cell.

    Parameters
    ----------
    fractions : ndarray of float64, shape (n, 2)
    vectors : ndarray of float64, shape (2, 2)
        Lattice vectors as rows, reduced.

    Returns
    -------
    ndarray of float64, shape (n, 2)

    Examples
    --------
    >>> shortest(np.array([[0.75, 2.0]]), np.eye(2)).tolist()
    [[-0.25, 0.0]]
    """
    near = (fractions - np.rint(fractions)) @ vectors
    around = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ vectors
    tried = near[:, None] + around
    best = (tried**2).sum(axis=2).argmin(axis=1)
    return np.asarray(tried[np.arange(len(near)), best])


def _third(moire: Moire) -> NDArray[np.float64]:
    """Return the threefold site of the first layer's cell, in its vectors: it depends on their angle."""
    first, second = moire.vectors[0]
    return np.array([1.0, 1.0]) / 3 if first @ second > 0 else np.array([2.0, 1.0]) / 3


def _cell(
    amplitudes: NDArray[np.complex128], orders: NDArray[np.int64], fractions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean unit cell at fractions, shape (n, 2)."""
    return np.asarray(2 * (np.exp(2j * np.pi * (fractions @ orders.T)) @ amplitudes).real)


def _highest(amplitudes: NDArray[np.complex128], orders: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the place of the maximum of the mean unit cell."""
    grid = np.stack(np.meshgrid(*[np.arange(_CELL) / _CELL] * 2, indexing="ij"), -1).reshape(-1, 2)
    place = grid[_cell(amplitudes, orders, grid).argmax()]
    for _ in range(5):  # Newton's steps; the grid is fine enough for them to converge
        wave = amplitudes * np.exp(2j * np.pi * (orders @ place))
        slope = (2j * np.pi * wave @ orders).real
        bend = -4 * np.pi**2 * ((orders.T * wave.real) @ orders)
        place = place - np.linalg.solve(bend, slope)
    return np.asarray(place % 1.0)
