"""Fields of displacement, to be given to the structures as `displacement`."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import check_positive
from atomotif.datasets.simulate._frame import unit_vectors

__all__ = ["ripple", "strain_ramp", "uniform_strain"]

Field = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def uniform_strain(
    yy: float = 0.0, xx: float = 0.0, xy: float = 0.0, rotation: float = 0.0
) -> NDArray[np.float64]:
    """Return the gradient of a uniform strain with a small rotation.

    Parameters
    ----------
    yy, xx, xy : float, default 0.0
        Components of the strain tensor; `xy` is half of the shear angle.
    rotation : float, default 0.0
        Radians, turning from x towards y.

    Returns
    -------
    ndarray of float64, shape (2, 2)
        ``d u_i / d x_j``, axes (y, x).

    Examples
    --------
    >>> uniform_strain(xx=0.02, rotation=0.01)
    array([[ 0.  ,  0.01],
           [-0.01,  0.02]])
    """
    return np.array([[yy, xy + rotation], [xy - rotation, xx]], dtype=np.float64)


def ripple(amplitude: float, wavelength: float, direction: float = 0.0, *, transverse: bool = False) -> Field:
    """Return a plane wave of displacement.

    Parameters
    ----------
    amplitude : float
        nm; the largest strain is 2 pi `amplitude` / `wavelength`.
    wavelength : float
        nm.
    direction : float, default 0.0
        In which the wave runs, degrees, turning from x towards y.
    transverse : bool, default False
        Whether columns move across that direction (shear) instead of along it (dilation).

    Returns
    -------
    callable
        From positions (n, 2) to displacements (n, 2), nm, axes (y, x).

    Examples
    --------
    >>> ripple(0.01, 4.0)(np.array([[0.0, 1.0], [0.0, 3.0]])).round(3) + 0.0
    array([[ 0.  ,  0.01],
           [ 0.  , -0.01]])
    """
    along = unit_vectors(direction)
    moved = amplitude * unit_vectors(direction + 90.0 * transverse)
    number = 2 * np.pi / check_positive(wavelength, "wavelength")

    def field(position: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sin(number * (position @ along))[:, None] * moved

    return field


def strain_ramp(rate: float, direction: float = 0.0, centre: ArrayLike = (0.0, 0.0)) -> Field:
    """Return a displacement whose uniaxial strain grows linearly along its direction.

    Parameters
    ----------
    rate : float
        Strain per nm.
    direction : float, default 0.0
        Degrees, turning from x towards y.
    centre : array_like, shape (2,), default (0.0, 0.0)
        (y, x) of a place without strain, nm.

    Returns
    -------
    callable
        From positions (n, 2) to displacements (n, 2), nm, axes (y, x).

    Examples
    --------
    >>> strain_ramp(0.01)(np.array([[0.0, 2.0]]))
    array([[0.  , 0.02]])
    """
    along, middle = unit_vectors(direction), np.asarray(centre, np.float64)

    def field(position: NDArray[np.float64]) -> NDArray[np.float64]:
        return (0.5 * rate * ((position - middle) @ along) ** 2)[:, None] * along

    return field
