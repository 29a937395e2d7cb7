"""Step `find_lattice`: the lattice of the labelled points, and the cell of each (METHOD section 8)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from atomotif._checks import check_not_negative, check_positive
from atomotif.numerics.enclosed_sites import enclosed
from atomotif.numerics.lattice import Lattice, sites
from atomotif.numerics.lattice import find_lattice as find
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions


@dataclass(frozen=True, kw_only=True)
class FindLatticeParameters(Parameters):
    """Find the lattice vectors, the sites in the cell, and the cell of every point.

    The cell is the smallest that keeps positions and motifs; slow strain and drift are followed. Its borders
    cut no columns.

    Parameters
    ----------
    supercell : int, default 1
        The cell is this many primitive cells along both vectors.
    vectors : ((float, float), (float, float)), optional
        Lattice vectors to be used instead, each (d_row, d_col) px; they are refined.
    min_quality : float, default 0.4
        Least quality (0 to 1) of a lattice: the share of the points on sites, less their scatter. 0.4 is
        that of a lattice with a sixth of the points off sites and positions that scatter by 0.11 spacings.
    random_state : int, default 0
        Seed of the points from which vectors are followed.

    Examples
    --------
    >>> lattice = session.find_lattice().data["lattice"]
    >>> lattice["length"].values.round(2), round(lattice.attrs["angle"])  # nm, degrees
    (array([0.33, 0.33]), 120)
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "motifs")
    supercell: int = 1
    vectors: tuple[tuple[float, float], ...] | None = None
    min_quality: float = 0.4
    random_state: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.supercell, "supercell")
        check_positive(self.min_quality, "min_quality")
        check_not_negative(self.random_state, "random_state")


def find_lattice(
    image: xr.Dataset,
    points: xr.Dataset,
    motifs: xr.Dataset,
    parameters: FindLatticeParameters,
    context: Context,  # noqa: ARG001
) -> xr.Dataset:
    """Return the lattice group.

    Raises
    ------
    ValueError
        If there is none (amorphous samples, several grains).
    """
    where = positions(points)
    lattice = find(
        where,
        motifs["label"].values,
        supercell=parameters.supercell,
        vectors=parameters.vectors,
        min_quality=parameters.min_quality,
        random_state=parameters.random_state,
    )
    shape = (image.sizes["y"], image.sizes["x"])
    missing_index, missing_sublattice, missing_place = sites(lattice, shape)
    if points.attrs.get("subset"):
        # What lies among the points of other grains is not missing.
        own = enclosed(missing_place, where[lattice.sublattice >= 0], lattice, shape)
        missing_index, missing_sublattice = missing_index[own], missing_sublattice[own]
        missing_place = missing_place[own]
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    corner = np.array([float(image["y"][0]), float(image["x"][0])])
    length = np.hypot(*lattice.vectors.T)
    cosine = lattice.vectors[0] @ lattice.vectors[1] / length.prod()
    in_units = {"units": units}
    return xr.Dataset(
        {
            "vector": (("vectors", "axis"), lattice.vectors * pixel_size, in_units),
            "length": ("vectors", length * pixel_size, in_units),
            "origin": ("axis", corner + lattice.origin * pixel_size, in_units),
            "fraction": (("sublattices", "vectors"), lattice.fractions),
            "index": (("point", "vectors"), lattice.index),
            "sublattice": ("point", lattice.sublattice),
            "drift": (("point", "axis"), lattice.drift * pixel_size, in_units),
            "residual": (("point", "axis"), lattice.residual * pixel_size, in_units),
            "missing_index": (("missing", "vectors"), missing_index),
            "missing_sublattice": ("missing", missing_sublattice),
            "missing_place": (("missing", "axis"), corner + missing_place * pixel_size, in_units),
        },
        coords={"axis": ["y", "x"], "vectors": ["a", "b"]},
        attrs={
            "quality": lattice.quality,
            "angle": float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
            "spacing": lattice.spacing,
            "tolerance": lattice.tolerance,
        },
    )


def lattice_of(image: xr.Dataset, group: xr.Dataset) -> Lattice:
    """Return the lattice of a group, in px."""
    pixel_size = image.attrs["pixel_size"]
    corner = np.array([float(image["y"][0]), float(image["x"][0])])
    return Lattice(
        group["vector"].values / pixel_size,
        (group["origin"].values - corner) / pixel_size,
        group["fraction"].values,
        group["index"].values,
        group["sublattice"].values,
        group["drift"].values / pixel_size,
        group["residual"].values / pixel_size,
        group.attrs["quality"],
        group.attrs["spacing"],
        group.attrs["tolerance"],
    )
