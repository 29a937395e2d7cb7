"""Monolayers with a honeycomb of columns: dichalcogenides, graphene, hBN, with point and line defects."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from atomotif._checks import check_finite, check_not_negative
from atomotif.datasets.simulate._defect_names import label_order, listed_defects
from atomotif.datasets.simulate._defects import (
    Sites,
    VacancyLine,
    neighborhoods,
    plant_clusters,
    plant_defects,
    plant_lines,
)
from atomotif.datasets.simulate._frame import Displacement, Frame
from atomotif.datasets.simulate._materials import BASIS, hexagonal_vectors, material_named
from atomotif.datasets.simulate._sample import make_sample
from atomotif.numerics.rendering import Profile

__all__ = ["monolayer"]


def monolayer(
    material: str = "MoS2",
    shape: tuple[int, int] = (512, 512),
    *,
    pixel_size: float = 0.012,
    rotation: float = 7.0,
    defects: Mapping[str, float | ArrayLike] | None = None,
    vacancy_pairs: int = 0,
    vacancy_triples: int = 0,
    vacancy_lines: Sequence[VacancyLine] = (),
    displacement: Displacement | None = None,
    profile: Profile = 0.1,
    exponent: float = 1.7,
    random_state: int = 0,
) -> xr.Dataset:
    """Return a simulated monolayer without noise, and the truth about every column.

    Parameters
    ----------
    material : {"MoS2", "MoSe2", "MoTe2", "WS2", "WSe2", "graphene", "hBN"}
        With its lattice constant in the bulk.
    shape : (int, int), default (512, 512)
        Rows and columns, px.
    pixel_size : float, default 0.012
        nm.
    rotation : float, default 7.0
        Angle of the first lattice vector, degrees, turning from x towards y.
    defects : mapping of str to float, int or array_like, optional
        What is on how many sites. Names, in MoS2: "VS" one of a column's two atoms missing, "VS2" both,
        "TeS" one replaced, "VMo" a metal vacancy, "Fe_Mo" a column replaced; so "Si_C" in graphene. A
        float is the share of all sites of that kind in the image, an int their number, both exact, on
        random sites without a defect; outside the image the same share. An array (k, 2) lists (row, col) in
        px: the defect is put on the nearest sites.
    vacancy_pairs, vacancy_triples : int, default 0
        Number of pairs of adjacent anion sites in the image, and of triples round one cation, that miss one
        atom each. They are added to `defects`, and may touch other defects by chance.
    vacancy_lines : sequence of VacancyLine, optional
        Rows of such vacancies.
    displacement : array_like of shape (2, 2), or callable, optional
        What is added to the positions: a gradient ``d u_i / d x_j``, axes (y, x), about the centre of the
        image, or a function from (n, 2) positions to displacements, nm. See `uniform_strain`, `ripple`
        and `strain_ramp`.
    profile : float, array_like of shape (k, 2), or callable, default 0.1
        How a column looks: the full width at half maximum of a Gaussian (probe and column), nm, or rows of
        (distance, value), or a function of the distance, nm.
    exponent : float, default 1.7
        The height of a column is the sum of Z**exponent over its atoms; 1.6 to 2 for annular dark field.
    random_state : int, default 0
        Seed of the places of defects and of the lattice's origin.

    Returns
    -------
    Dataset
        As of `mose2_truth`, with the image: `intensity` (y, x) float32; on dim point `row`, `col` px,
        `label`, `motif`, `visible`, `column_intensity`, `cell` (point, vector), `basis`; `lattice_vector`
        (vector, axis) and `origin` (axis), nm; with a displacement also `displacement` (point, axis), nm, and
        `displacement_gradient` (point, axis, derivative). Cells, neighbourhoods and vectors are those before
        the displacement. A motif is the kind with the defects on the three nearest sites: "Mo",
        "Mo#1VS", "Mo#1TeS,1VS".

    Raises
    ------
    ValueError
        If an argument is out of its range, a defect has no such name, or there are too few sites.

    Examples
    --------
    >>> sample = monolayer("MoS2", (256, 256), defects={"VS": 0.03, "Fe_Mo": 2})
    >>> sample["label_name"].values.tolist()
    ['Mo', 'S2', 'VS', 'Fe_Mo']
    >>> int((sample["label"] == 3).sum()), sample["intensity"].shape
    (2, (256, 256))
    """
    kind, wanted = material_named(material), dict(defects or {})
    frame = Frame(shape, pixel_size, profile, displacement)
    generator = np.random.default_rng(check_not_negative(random_state, "random_state"))
    vectors = hexagonal_vectors(kind.lattice_constant, check_finite(rotation, "rotation"))
    origin = frame.centre + generator.random(2) @ vectors
    reference, cell, basis = frame.sites(vectors, BASIS, origin)
    position = frame.displaced(reference)
    sites = Sites(
        kind,
        reference,
        position / pixel_size,
        basis,
        frame.listed(position),
        np.array(kind.columns, object)[basis],
    )
    plant_lines(sites, vacancy_lines, vectors)
    plant_clusters(sites, 3, check_not_negative(vacancy_triples, "vacancy_triples"), generator)
    plant_clusters(sites, 2, check_not_negative(vacancy_pairs, "vacancy_pairs"), generator)
    plant_defects(sites, wanted, generator)
    return make_sample(
        frame,
        reference,
        sites.intensity(exponent),
        sites.label,
        title=f"{material} monolayer, simulated",
        label_names=label_order(kind, list(wanted)),
        motif=neighborhoods(sites),
        truth={
            "cell": (("point", "vector"), cell),
            "basis": (("point",), basis),
            "lattice_vector": (("vector", "axis"), vectors),
            "origin": (("axis",), origin),
        },
        attrs={
            "material": material,
            "lattice_constant": kind.lattice_constant,
            "rotation": float(rotation),
            "defects": listed_defects(wanted),
            "vacancy_pairs": int(vacancy_pairs),
            "vacancy_triples": int(vacancy_triples),
            "vacancy_lines": [list(line) for line in vacancy_lines],
            "exponent": float(exponent),
            "random_state": int(random_state),
        },
    )
