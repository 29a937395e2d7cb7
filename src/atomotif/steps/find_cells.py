"""Step `find_cells`: cells that tile the image, and what each holds (METHOD section 8)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atomotif._checks import check_choice
from atomotif.numerics.compositions import (
    Compositions,
    classify_cells,
    dominant_classes,
    perfect_classes,
)
from atomotif.numerics.lattice import Lattice
from atomotif.numerics.site_states import SiteStates, site_states, usual_states
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_lattice import lattice_of
from atomotif.steps.find_points import positions

KINDS = ("lattice", "voronoi")
COMPOSITIONS = ("set", "multiset")
_EDGE = 1e-3  # px


@dataclass(frozen=True, kw_only=True)
class FindCellsParameters(Parameters):
    """Lay cells over the image, and class them by the motifs that they hold.

    Of Voronoi cells the shape is compared with the mean cell's, too: see `session.cell_shapes`.

    Parameters
    ----------
    cells : {"lattice", "voronoi"}, default "lattice"
        "lattice" takes the unit cells of the lattice; "voronoi" the regions nearest to the points of some
        motifs, for samples without one lattice.
    seeds : tuple of str, optional
        Names of the motifs that are the centres of Voronoi cells; by default the most frequent one.
    composition : {"set", "multiset"}, default "set"
        Whether a class is which motifs a cell holds (the paper), or also how many of each.
    dominant : tuple of str, optional
        Names of the motifs of the perfect crystal, several for a sublattice if need be. Cells that hold no
        others, each on its own sublattice, and lack none are set aside. By default those are the classes
        (and, of sites, the motifs) at least `dominant_share` as frequent as the most
        frequent one.
    dominant_share : float, default 0.25
        As said above.

    Examples
    --------
    >>> cells = session.find_cells().data["cells"]
    >>> cells["class_dominant"].values[:3], bool(cells["minority"].any())
    (array([ True, False, False]), True)
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "motifs", "lattice")
    motif_names: ClassVar[tuple[str, ...]] = ("seeds", "dominant")
    cells: str = "lattice"
    seeds: tuple[str, ...] | None = None
    composition: str = "set"
    dominant: tuple[str, ...] | None = None
    dominant_share: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.cells, "cells", KINDS)
        check_choice(self.composition, "composition", COMPOSITIONS)
        if not 0 < self.dominant_share <= 1:
            raise ValueError(f"`dominant_share` must be above 0 and at most 1, got {self.dominant_share!r}.")
        if self.seeds is not None and self.cells != "voronoi":
            raise ValueError('`seeds` goes with `cells="voronoi"` only.')

    def required(self) -> tuple[str, ...]:
        """Return the groups that are read; the lattice only where its cells are."""
        return self.inputs if self.cells == "lattice" else self.inputs[:-1]


def find_cells(
    image: xr.Dataset,
    points: xr.Dataset,
    motifs: xr.Dataset,
    *rest: xr.Dataset,
    parameters: FindCellsParameters,
    context: Context,  # noqa: ARG001
) -> xr.Dataset:
    """Return the cells group.

    Raises
    ------
    ValueError
        If a name is no motif's.
    """
    labels = motifs["label"].values
    if parameters.cells == "lattice":
        return _lattice_cells(image, points, motifs, rest[0], labels, parameters)
    return _voronoi_cells(image, points, motifs, labels, parameters)


def _lattice_cells(
    image: xr.Dataset,
    points: xr.Dataset,
    motifs: xr.Dataset,
    group: xr.Dataset,
    labels: NDArray[np.int64],
    parameters: FindCellsParameters,
) -> xr.Dataset:
    lattice = lattice_of(image, group)
    pixel_size = image.attrs["pixel_size"]
    corner = np.array([float(image["y"][0]), float(image["x"][0])])
    missing = (
        group["missing_index"].values,
        group["missing_sublattice"].values,
        (group["missing_place"].values - corner) / pixel_size,
    )
    states = site_states(lattice, positions(points), labels, missing)
    index, cell_of_site = np.unique(states.index, axis=0, return_inverse=True)
    n_sites = len(lattice.fractions)
    # Of a cell cut by the edge not all sites are there, held or missing.
    border = np.bincount(cell_of_site.reshape(-1), minlength=len(index)) < n_sites
    cell = cell_of_site.reshape(-1)[states.site]
    found = classify_cells(cell, labels, border, multiset=parameters.composition == "multiset")
    crystal = _crystal(motifs, parameters)
    usual, majority = usual_states(states, n_sites, share=parameters.dominant_share, labels=crystal)
    corners = _parallelograms(lattice, positions(points), index)
    area = abs(np.linalg.det(lattice.vectors))
    variables = _site_variables(states, usual, corner, pixel_size, image.attrs["units"])
    if crystal is None:
        dominant = dominant_classes(found.count, parameters.dominant_share)
    else:
        with_defect = np.bincount(cell_of_site.reshape(-1), variables["site_defect"][1], len(index)) > 0
        dominant = perfect_classes(found, with_defect)
    made = _cells_group(
        image, motifs, corners.reshape(-1, 2), np.arange(len(index) + 1) * 4, border, found, cell, dominant
    )
    return made.assign(
        {
            "index": (("cell", "vectors"), index),
            "area": ("cell", np.full(len(index), area * pixel_size**2), made["area"].attrs),
            **variables,
            "majority": ("sublattices", majority),
        }
    )


def _voronoi_cells(
    image: xr.Dataset,
    points: xr.Dataset,
    motifs: xr.Dataset,
    labels: NDArray[np.int64],
    parameters: FindCellsParameters,
) -> xr.Dataset:
    from atomotif.numerics.cell_shapes import cell_distortion
    from atomotif.numerics.voronoi import nearest_cells, voronoi_cells

    if parameters.seeds is None:
        chosen = [int(np.bincount(labels[labels >= 0]).argmax())] if (labels >= 0).any() else []
    else:
        chosen = labels_of(motifs, parameters.seeds, "seeds")
    seed = np.flatnonzero(np.isin(labels, chosen))
    if len(seed) < 3:
        raise ValueError(f"`seeds` must be motifs of at least three points, got {len(seed)}.")
    shape = (image.sizes["y"], image.sizes["x"])
    where = positions(points)
    # Points may lie on the very edge of the image, seeds may not.
    inside = np.clip(where[seed], _EDGE - 0.5, np.array(shape) - 0.5 - _EDGE)
    tiles = voronoi_cells(inside, shape)
    if tiles.border.all():
        raise ValueError(
            f"`seeds` must be motifs with cells that the edge of the image does not cut, got {len(seed)} cut."
        )
    cell = nearest_cells(where, inside)
    found = classify_cells(cell, labels, tiles.border, multiset=parameters.composition == "multiset")
    crystal = _crystal(motifs, parameters)
    if crystal is None:
        dominant = dominant_classes(found.count, parameters.dominant_share)
    else:
        dominant = perfect_classes(found, np.bincount(cell, ~np.isin(labels, crystal), len(seed)) > 0)
    made = _cells_group(image, motifs, tiles.corners, tiles.offsets, tiles.border, found, cell, dominant)
    shapes = cell_distortion(tiles.corners, tiles.offsets, tiles.border)
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    departs = {"long_name": "departure from the mean cell"}
    return made.assign(
        {
            "seed": ("cell", points["id"].values[seed]),
            "area": ("cell", tiles.area * pixel_size**2, made["area"].attrs),
            "distortion": ("cell", shapes.distortion),
            "rotation": ("cell", shapes.rotation, {"units": "rad"}),
            "side": (("cell", "side_number"), shapes.sides * pixel_size, {"units": units, **departs}),
            "interior_angle": (("cell", "side_number"), shapes.angles, {"units": "rad", **departs}),
            "area_excess": ("cell", shapes.area * pixel_size**2, {**made["area"].attrs, **departs}),
            "mean_cell": (("side_number", "axis"), shapes.mean_cell * pixel_size, {"units": units}),
        }
    ).assign_coords(axis=["y", "x"])


def _cells_group(
    image: xr.Dataset,
    motifs: xr.Dataset,
    corners: NDArray[np.float64],
    offsets: NDArray[np.int64],
    border: NDArray[np.bool_],
    found: Compositions,
    cell: NDArray[np.int64],
    dominant: NDArray[np.bool_],
) -> xr.Dataset:
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    minority = found.cell_class >= 0
    minority[minority] = ~dominant[found.cell_class[minority]]
    y = float(image["y"][0]) + corners[:, 0] * pixel_size
    x = float(image["x"][0]) + corners[:, 1] * pixel_size
    counts = np.diff(offsets)
    owner = np.repeat(np.arange(len(counts)), counts)
    return xr.Dataset(
        {
            "y": ("cell", np.bincount(owner, y) / counts, {"units": units}),
            "x": ("cell", np.bincount(owner, x) / counts, {"units": units}),
            "area": ("cell", np.zeros(len(counts)), {"units": f"{units}^2"}),
            "border": ("cell", border),
            "class": ("cell", found.cell_class),
            "minority": ("cell", minority),
            "corner_y": ("corner", y, {"units": units}),
            "corner_x": ("corner", x, {"units": units}),
            "corner_offset": ("cell_bound", offsets),
            "class_count": ("class_", found.count),
            "class_dominant": ("class_", dominant),
            "class_label": ("class_member", found.labels),
            "class_offset": ("class_bound", found.offsets),
            "cell_of_point": ("point", cell),
            "motif_name": ("motif_", motifs["name"].values),
        }
    )


def _site_variables(
    states: SiteStates, usual: NDArray[np.bool_], corner: NDArray[np.float64], pixel_size: float, units: str
) -> dict[str, Any]:
    place = corner + states.position * pixel_size
    known = states.state >= 0
    off = np.zeros(len(known), bool)
    off[known] = ~usual[states.state[known], states.sublattice[known]]
    return {
        "site_index": (("site", "vectors"), states.index),
        "site_sublattice": ("site", states.sublattice),
        "site_state": ("site", states.state),
        "site_y": ("site", place[:, 0], {"units": units}),
        "site_x": ("site", place[:, 1], {"units": units}),
        "site_defect": ("site", off),
        "site_of_point": ("point", states.site),
        "state_label": ("state_member", states.labels),
        "state_offset": ("state_bound", states.offsets),
    }


def _parallelograms(
    lattice: Lattice, points: NDArray[np.float64], index: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the corners of cells, shape (n, 4, 2) px, moved with the drift of the nearest point."""
    middle = lattice.origin + (index + 0.5) @ lattice.vectors
    nearest = cKDTree(points - lattice.drift).query(middle)[1]
    around = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    corners = lattice.origin + (index[:, None] + around) @ lattice.vectors
    return np.asarray(corners + lattice.drift[nearest][:, None])


def _crystal(motifs: xr.Dataset, parameters: FindCellsParameters) -> list[int] | None:
    return None if parameters.dominant is None else labels_of(motifs, parameters.dominant, "dominant")


def labels_of(motifs: xr.Dataset, names: tuple[str, ...], argument: str) -> list[int]:
    """Return the labels of motifs by their names.

    Raises
    ------
    ValueError
        If a name is no motif's.
    """
    known = [str(name) for name in motifs["name"].values]
    for name in names:
        if name not in known:
            raise ValueError(f"`{argument}` must be names of motifs ({', '.join(known)}), got {name!r}.")
    return [known.index(name) for name in names]
