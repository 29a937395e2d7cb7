"""How bright a column of atoms is."""

import re

from atomotif._checks import check_positive

_ELEMENTS = (
    "HHeLiBeBCNOFNeNaMgAlSiPSClArKCaScTiVCrMnFeCoNiCuZnGaGeAsSeBrKrRbSrYZrNbMoTcRuRhPdAgCdInSnSbTeIXeCsBa"
    "LaCePrNdPmSmEuGdTbDyHoErTmYbLuHfTaWReOsIrPtAuHgTlPbBiPoAtRnFrRaAcThPaU"
)
_PART = re.compile(r"([A-Z][a-z]?)(\d*)")
ATOMIC_NUMBER = {symbol: number for number, symbol in enumerate(re.findall("[A-Z][a-z]?", _ELEMENTS), 1)}


def column_intensity(atoms: str, exponent: float = 1.7) -> float:
    """Return the sum of Z**exponent over the atoms of a column.

    The exponent is 2 for Rutherford scattering at unscreened nuclei; screening lowers it to 1.6 - 1.9, the
    less the smaller the detector's inner angle (Krivanek et al., Nature 464, 571 (2010): 1.64 in monolayers,
    medium angles; Hartel, Rose & Dinges, Ultramicroscopy 63, 93 (1996)).

    Parameters
    ----------
    atoms : str
        Formula of the atoms of one column, such as "Mo", "S2" or "TeS"; "" for none.
    exponent : float, default 1.7

    Returns
    -------
    float
        In units of hydrogen's.

    Raises
    ------
    ValueError
        If it is no formula of elements from H to U.

    Examples
    --------
    >>> column_intensity("Mo", 2.0), column_intensity("TeS", 2.0), column_intensity("")
    (1764.0, 2960.0, 0.0)
    """
    check_positive(exponent, "exponent")
    if not is_formula(atoms):
        raise ValueError(f"`atoms` must be a formula such as 'S2' or 'TeS', got {atoms!r}.")
    parts = _PART.findall(atoms)
    return float(sum(int(count or 1) * ATOMIC_NUMBER[symbol] ** exponent for symbol, count in parts))


def is_formula(atoms: str) -> bool:
    """Return whether a text is a row of elements with their numbers; "" is one, too.

    Examples
    --------
    >>> is_formula("TeS"), is_formula("X2")
    (True, False)
    """
    parts = _PART.findall(atoms)
    known = all(symbol in ATOMIC_NUMBER for symbol, _ in parts)
    return known and "".join(symbol + count for symbol, count in parts) == atoms
