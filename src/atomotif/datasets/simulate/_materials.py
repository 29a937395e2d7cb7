"""Hexagonal monolayers: what stands on the two sites of their cell, and how large it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atomotif._checks import check_choice
from atomotif.datasets.simulate._frame import unit_vectors

__all__ = ["BASIS", "MATERIALS", "Material", "hexagonal_vectors", "material_named"]

#: The two sites of a honeycomb as fractions of vectors that are 60 degrees apart.
BASIS = np.array([[0.0, 0.0], [1 / 3, 1 / 3]])


@dataclass(frozen=True)
class Material:
    """A honeycomb of two kinds of columns, seen along its axis.

    Attributes
    ----------
    name : str
    lattice_constant : float
        nm.
    columns : (str, str)
        Formulas of the columns on the two sites, such as ("Mo", "S2").
    """

    name: str
    lattice_constant: float
    columns: tuple[str, str]

    @property
    def bond(self) -> float:
        """Distance between neighbouring columns as seen, nm."""
        return self.lattice_constant / float(np.sqrt(3))


# Lattice constants of the bulk at room temperature: Wilson & Yoffe, Adv. Phys. 18, 193 (1969) for MoS2 and
# MoSe2; Schutte, De Boer & Jellinek, J. Solid State Chem. 70, 207 (1987) for WS2 and WSe2; Puotinen &
# Newnham, Acta Cryst. 14, 691 (1961) for MoTe2; Trucano & Chen, Nature 258, 136 (1975) for graphite; Lynch &
# Drickamer, J. Chem. Phys. 44, 181 (1966) for hBN.
MATERIALS = {
    material.name: material
    for material in (
        Material("MoS2", 0.316, ("Mo", "S2")),
        Material("MoSe2", 0.3288, ("Mo", "Se2")),
        Material("MoTe2", 0.3519, ("Mo", "Te2")),
        Material("WS2", 0.3153, ("W", "S2")),
        Material("WSe2", 0.3282, ("W", "Se2")),
        Material("graphene", 0.2464, ("C", "C")),
        Material("hBN", 0.2504, ("B", "N")),
    )
}


def material_named(name: str) -> Material:
    """Return a material, or say which there are.

    Examples
    --------
    >>> material_named("WS2").columns
    ('W', 'S2')
    """
    return MATERIALS[check_choice(name, "material", tuple(MATERIALS))]


def hexagonal_vectors(lattice_constant: float, rotation: float) -> NDArray[np.float64]:
    """Return lattice vectors as rows (y, x): at `rotation` degrees and 60 degrees more.

    Examples
    --------
    >>> hexagonal_vectors(2.0, 0.0).round(3)
    array([[0.   , 2.   ],
           [1.732, 1.   ]])
    """
    return lattice_constant * unit_vectors([rotation, rotation + 60.0])
