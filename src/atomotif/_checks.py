"""Checks of arguments: one clear sentence with the argument, the rule and the value."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_image(image: ArrayLike, name: str = "image", min_size: int = 8) -> NDArray[np.float32]:
    """Return `image` as a finite, C-contiguous, native float32 array with two axes.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        Any real dtype and byte order; a masked array only if nothing in it is masked.
    name : str, default "image"
        The argument's name in the error.
    min_size : int, default 8
        The least number of rows and of columns, px.

    Returns
    -------
    ndarray of float32, shape (rows, cols)

    Raises
    ------
    ValueError
        If there are not two axes, if an axis is too short, or if a value is masked or not finite.
    TypeError
        If the values are not real numbers.

    Examples
    --------
    >>> as_image([[1, 2], [3, 4]], min_size=2).dtype
    dtype('float32')
    """
    if isinstance(image, np.ma.MaskedArray) and np.ma.is_masked(image):
        raise ValueError(
            f"`{name}` must not have masked values, got {int(np.count_nonzero(image.mask))}; "
            "fill them first, for instance with the median of their surroundings."
        )
    array = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"`{name}` must hold real numbers, got dtype {array.dtype}.")
    if array.ndim != 2:
        raise ValueError(f"`{name}` must have two axes (rows, cols), got shape {array.shape}.")
    if min(array.shape) < min_size:
        raise ValueError(f"`{name}` must be at least {min_size} x {min_size} px, got shape {array.shape}.")
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(array, dtype=np.float32)
    bad = int(result.size - np.count_nonzero(np.isfinite(result)))
    if bad:
        raise ValueError(f"`{name}` must be finite everywhere, got {bad} NaN or infinite values.")
    return result


def as_points(points: ArrayLike, name: str = "points") -> NDArray[np.float64]:
    """Return `points` as a finite float64 array of (row, col) pairs in px.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Positions as (row, col); pixel centres are at integers.
    name : str, default "points"
        The argument's name in the error.

    Returns
    -------
    ndarray of float64, shape (n, 2)

    Raises
    ------
    ValueError
        If the shape is not (n, 2) or a value is not finite.

    Examples
    --------
    >>> as_points([[1, 2]])
    array([[1., 2.]])
    """
    array = np.ascontiguousarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"`{name}` must have shape (n, 2) as (row, col), got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(
            f"`{name}` must be finite, got {int((~np.isfinite(array)).sum())} NaN or infinite values."
        )
    return array


def check_positive(value: Any, name: str) -> float:
    """Return `value` as a float if it is a positive finite number.

    Examples
    --------
    >>> check_positive(2, "radius")
    2.0
    """
    number = _number(value, name)
    if not (np.isfinite(number) and number > 0):
        raise ValueError(f"`{name}` must be positive and finite, got {value!r}.")
    return number


def check_finite(value: Any, name: str) -> float:
    """Return `value` as a float if it is a finite number.

    Examples
    --------
    >>> check_finite(-7, "rotation")
    -7.0
    """
    number = _number(value, name)
    if not np.isfinite(number):
        raise ValueError(f"`{name}` must be finite, got {value!r}.")
    return number


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"`{name}` must be a number, got {value!r}.")
    return float(value)


def check_not_negative(value: int, name: str) -> int:
    """Return `value` if it is not negative.

    Examples
    --------
    >>> check_not_negative(0, "random_state")
    0
    """
    if value < 0:
        raise ValueError(f"`{name}` must not be negative, got {value!r}.")
    return value


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return `value` if it is one of `choices`.

    Examples
    --------
    >>> check_choice("svd", "method", ("low_pass", "svd"))
    'svd'
    """
    if value not in choices:
        allowed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"`{name}` must be one of {allowed}, got {value!r}.")
    return str(value)
