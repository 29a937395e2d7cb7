"""Lengths as text and units as microscopes write them, in nm.

Everything physical in atomotif is in nm, or in px where no pixel size is known.
"""

import math
import re
from decimal import Decimal
from typing import Final

import numpy as np

# Decimal, so that 12.7 pm is the float 0.0127 and not its neighbour.
_IN_NM: Final = {
    "fm": Decimal("1e-6"),
    "pm": Decimal("1e-3"),
    "å": Decimal("0.1"),
    "nm": Decimal(1),
    "µm": Decimal("1e3"),
    "mm": Decimal("1e6"),
    "cm": Decimal("1e7"),
    "m": Decimal("1e9"),
    "inch": Decimal("2.54e7"),
}
_OTHER_NAMES: Final = {
    "picometer": "pm",
    "picometre": "pm",
    "a": "å",
    "ang": "å",
    "angs": "å",
    "angstrom": "å",
    "ångström": "å",
    "ångstrom": "å",
    "nanometer": "nm",
    "nanometre": "nm",
    "um": "µm",
    "micron": "µm",
    "micrometer": "µm",
    "micrometre": "µm",
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "meter": "m",
    "metre": "m",
}
_PIXEL_NAMES: Final = {"", "px", "pixel", "none", "<undefined>", "undefined", "unknown", "dimensionless"}
_LENGTH: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*")


def canonical_unit(unit: str) -> str:
    """Return one spelling for a unit of length, or "px" for no unit.

    Parameters
    ----------
    unit : str
        A unit as a person or a file writes it: "nm", "Å", "angstrom", "um", "microns", "pixels", "", ...

    Returns
    -------
    str
        One of "fm", "pm", "å", "nm", "µm", "mm", "cm", "m", "inch", "px".

    Raises
    ------
    ValueError
        If it is not a unit of length, such as "1/nm" of a diffraction pattern or "eV" of a spectrum.

    Examples
    --------
    >>> canonical_unit("Angstroms"), canonical_unit("um"), canonical_unit("pixels")
    ('å', 'µm', 'px')
    """
    if not isinstance(unit, str):
        raise TypeError(f"`units` must be a string such as 'nm', got {unit!r}.")
    # ImageJ escapes the micro sign; Unicode has two of them, and two of Å (casefold joins the latter).
    plain = unit.strip().replace("\\u00B5", "µ").replace("\\u00b5", "µ")
    # The micro sign as Latin-1, Greek mu: casefold would turn the one into the other, so it comes after.
    name = plain.casefold().replace("\u03bc", "µ")
    for candidate in (name, name.removesuffix("s") or name):
        if candidate in _PIXEL_NAMES:
            return "px"
        candidate = _OTHER_NAMES.get(candidate, candidate)
        # "Mm" and "Pm" are other units; only the names in words and Å are free of case.
        if candidate in _IN_NM and not plain.startswith(("M", "P", "F")):
            return candidate
    if "/" in name or "-1" in name or "⁻" in name or "rad" in name:
        raise ValueError(
            f"`units` must be a length such as 'nm', got {unit!r}: that is reciprocal space, not an image."
        )
    raise ValueError(f"`units` must be a length such as 'nm', 'pm' or 'Å', or 'px', got {unit!r}.")


def to_nm(value: float, unit: str) -> float:
    """Convert a length to nm.

    Parameters
    ----------
    value : float
        The length in `unit`.
    unit : str
        Any spelling that `canonical_unit` knows, except pixels.

    Returns
    -------
    float
        The length in nm, correctly rounded.

    Raises
    ------
    ValueError
        If `unit` is not a unit of length.

    Examples
    --------
    >>> to_nm(12.7, "pm"), to_nm(0.127, "Å"), to_nm(1.27e-11, "m")
    (0.0127, 0.0127, 0.0127)
    """
    name = canonical_unit(unit)
    if name == "px":
        raise ValueError(f"`units` must be a length such as 'nm', got {unit!r}.")
    if not math.isfinite(value):
        return float(value)
    return float(Decimal(repr(float(value))) * _IN_NM[name])


def parse_length(text: str, name: str = "pixel_size") -> float:
    """Return a length written with its unit, in nm.

    Parameters
    ----------
    text : str
        A number and a unit, with or without a space: "0.0127nm", "12.7 pm", "0.127 Å". A number alone
        is in nm.
    name : str, default "pixel_size"
        The argument's name in the error.

    Returns
    -------
    float
        The length in nm, positive and finite.

    Raises
    ------
    ValueError
        If the text is not a positive number followed by a unit of length.

    Examples
    --------
    >>> parse_length("12.7 pm")
    0.0127
    """
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise ValueError(f"`{name}` must be a length such as '0.0127nm' or '12.7 pm', got {text!r}.")
    number, unit = match.groups(default="nm")
    try:
        length = to_nm(float(number), unit)
    except ValueError:
        raise ValueError(
            f"`{name}` must end in a unit of length such as nm, pm or Å, got {text!r}."
        ) from None
    if not (math.isfinite(length) and length > 0):
        raise ValueError(f"`{name}` must be positive and finite, got {text!r}.")
    return length


def pixel_size_in(pixel_size: float | str, units: str | None = None) -> tuple[float, str]:
    """Return a pixel size that a user gives as (size, units) with units "nm" or "px".

    Parameters
    ----------
    pixel_size : float or str
        A number in `units`, or a length with its unit such as "12.7 pm".
    units : str, optional
        The unit of a number; nm if not given, as for every length in atomotif.

    Returns
    -------
    size : float
        Size of a pixel in nm, or 1.0.
    units : str
        "nm", or "px" if `units` says so.

    Raises
    ------
    ValueError
        If the size is not positive, or `units` is not a length, or it is px and the size is not 1.
    TypeError
        If the size is neither a number nor a string.

    Examples
    --------
    >>> pixel_size_in("0.127 Å"), pixel_size_in(12.7, "pm"), pixel_size_in(0.0127)
    ((0.0127, 'nm'), (0.0127, 'nm'), (0.0127, 'nm'))
    """
    if isinstance(pixel_size, str):
        return parse_length(pixel_size), "nm"
    if isinstance(pixel_size, bool) or not isinstance(pixel_size, int | float | np.integer | np.floating):
        raise TypeError(f"`pixel_size` must be a number or a length such as '12.7 pm', got {pixel_size!r}.")
    size = float(pixel_size)
    if not (math.isfinite(size) and size > 0):
        raise ValueError(f"`pixel_size` must be positive and finite, got {pixel_size!r}.")
    unit = canonical_unit("nm" if units is None else units)
    if unit == "px":
        if size != 1:
            raise ValueError(f"`pixel_size` must be 1 where `units` is 'px', got {pixel_size!r}.")
        return 1.0, "px"
    return to_nm(size, unit), "nm"
