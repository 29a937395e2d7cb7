"""What boundaries of all kinds have in common: defects, coordination and motifs of joined grains."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from atomotif.datasets.simulate._defect_names import label_order, listed_defects
from atomotif.datasets.simulate._defects import NEAR, Sites, neighborhoods, plant_defects
from atomotif.datasets.simulate._frame import Frame
from atomotif.datasets.simulate._materials import Material
from atomotif.datasets.simulate._sample import make_sample

__all__ = ["two_grains"]


def two_grains(
    material: Material,
    frame: Frame,
    reference: NDArray[np.float64],
    basis: NDArray[np.int64],
    defects: dict[str, float | ArrayLike],
    generator: np.random.Generator,
    exponent: float,
    truth: dict[str, Any],
    attrs: dict[str, Any],
) -> xr.Dataset:
    """Plant defects in joined grains and make the sample, with coordination and "_gb" where it is changed."""
    position = frame.displaced(reference)
    column = np.array(material.columns, object)[basis]
    sites = Sites(
        material, reference, position / frame.pixel_size, basis, frame.listed(position), column.copy()
    )
    pairs = cKDTree(reference).query_pairs(NEAR * material.bond, output_type="ndarray")
    alike = (column[pairs[:, 0]] == column[pairs[:, 1]]) & (len(set(material.columns)) == 2)
    coordination = np.bincount(pairs.ravel(), minlength=len(reference))
    others = np.bincount(pairs[~alike].ravel(), minlength=len(reference))
    plant_defects(sites, defects, generator)
    return make_sample(
        frame,
        reference,
        sites.intensity(exponent),
        sites.label,
        title=attrs["title"],
        label_names=label_order(material, list(defects)),
        motif=neighborhoods(sites, boundary=(coordination != 3) | (others != 3)),
        truth=truth | {"basis": (("point",), basis), "coordination": (("point",), coordination)},
        attrs={
            "material": material.name,
            "lattice_constant": material.lattice_constant,
            "defects": listed_defects(defects),
            "exponent": float(exponent),
        }
        | attrs,
    )
