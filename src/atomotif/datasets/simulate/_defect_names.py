"""Names of defects, as "VS", "TeS" and "Fe_Mo" in MoS2: where they can be, and what atoms they leave."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from atomotif.datasets.simulate._atoms import is_formula
from atomotif.datasets.simulate._materials import Material

__all__ = ["atoms_of", "half_vacancy", "hosts_of", "label_order", "listed_defects"]


def label_order(material: Material, defects: Sequence[str]) -> list[str]:
    """Return the names of kinds: pristine columns first, defects as given, then what clusters make."""
    return list(dict.fromkeys([*material.columns, *defects, half_vacancy(material)]))


def listed_defects(defects: Mapping[str, float | ArrayLike]) -> dict[str, Any]:
    """Return what was asked for as JSON can hold it.

    Examples
    --------
    >>> listed_defects({"VS": np.float64(0.03), "TeS": np.array([[1.0, 2.0]])})
    {'VS': 0.03, 'TeS': [[1.0, 2.0]]}
    """
    return {name: np.asarray(amount).tolist() for name, amount in defects.items()}


def half_vacancy(material: Material) -> str:
    """Return the name of an anion column with one atom missing.

    Examples
    --------
    >>> half_vacancy(Material("MoS2", 0.316, ("Mo", "S2")))
    'VS'
    """
    return f"V{material.columns[1].rstrip('2')}"


def hosts_of(name: str, material: Material) -> list[int]:
    """Return on which of the two sites a defect can be.

    Examples
    --------
    >>> hosts_of("Fe_Mo", Material("MoS2", 0.316, ("Mo", "S2")))
    [0]
    """
    hosts = [site for site, column in enumerate(material.columns) if _left(name, column) is not None]
    if not hosts:
        raise ValueError(
            "`defects` must be named like 'VS', 'VS2', 'TeS' and 'Fe_Mo' in MoS2, "
            f"got {name!r} in {material.name}."
        )
    return hosts


def atoms_of(name: str, material: Material) -> str:
    """Return the atoms of a column by its name.

    Examples
    --------
    >>> mos2 = Material("MoS2", 0.316, ("Mo", "S2"))
    >>> [atoms_of(name, mos2) for name in ("S2", "VS", "TeS", "Fe_Mo", "VMo")]
    ['S2', 'S', 'TeS', 'Fe', '']
    """
    if name in material.columns:
        return name
    return next(left for column in material.columns if (left := _left(name, column)) is not None)


def _left(name: str, column: str) -> str | None:
    """Return the atoms that a defect leaves in a column, or None if it cannot be there."""
    element = column.rstrip("2")
    if name == f"V{column}":
        return ""
    if name.endswith(f"_{column}"):
        left = name.removesuffix(f"_{column}")
    elif name == f"V{element}":
        left = element
    elif column != element and re.fullmatch(rf"[A-Z][a-z]?{element}", name):
        left = name
    else:
        return None
    return left if left and is_formula(left) else None
