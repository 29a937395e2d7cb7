"""What `reconstruct` pastes: averages of motifs, of classes of cells or of motif-cells, and where they go."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.steps.base import Context
from atomotif.steps.find_cells import labels_of
from atomotif.steps.find_points import positions

if TYPE_CHECKING:
    from atomotif.steps.reconstruct import ReconstructParameters

#: Discs reach this much farther than the corners of the median cell, so that they overlap.
CELL_MARGIN = 1.2


class Pieces(NamedTuple):
    """Averages, and where they go."""

    average: NDArray[np.float32]
    """Shape (n_units, side, side)."""
    places: NDArray[np.float64]
    """(row, col), px, shape (n, 2)."""
    labels: NDArray[np.int64]
    """Which average goes to each place, -1 for none, shape (n,)."""
    angles: NDArray[np.float64]
    """By which each was turned to be averaged, radians, shape (n,)."""
    radius: float | NDArray[np.float64]
    """Of the disc that is pasted, px; one, or one for each average."""


def of_motifs(
    points: xr.Dataset, motifs: xr.Dataset, rest: tuple[xr.Dataset, ...], parameters: "ReconstructParameters"
) -> Pieces:
    """Return the averages of motifs and the points that they go to."""
    labels = motifs["label"].values
    chosen = np.ones(len(labels), bool)
    if parameters.shown is not None:
        chosen &= np.isin(labels, labels_of(motifs, parameters.shown, "shown"))
    if parameters.by_node:
        chosen &= np.isin(rest[1]["node"].values, _nodes(rest[1], parameters))
    return Pieces(
        motifs["average"].values,
        positions(points),
        np.where(chosen, labels, -1),
        motifs["angle"].values.astype(np.float64),
        motifs.attrs["patch_size"] / 2,
    )


def of_cells(
    image: xr.Dataset,
    pixels: NDArray[np.float32],
    motifs: xr.Dataset,
    rest: tuple[xr.Dataset, ...],
    parameters: "ReconstructParameters",
    context: Context,
) -> Pieces:
    """Return the averages of the classes of cells, and the cells that they go to."""
    from atomotif.numerics.averages import motif_averages

    cells = rest[0]
    places, labels = _in_pixels(image, cells, ""), cells["class"].values
    corners = _in_pixels(image, cells, "corner_")
    owner = np.repeat(np.arange(len(labels)), np.diff(cells["corner_offset"].values))
    reach = np.zeros(len(labels))
    np.maximum.at(reach, owner, np.hypot(*(corners - places[owner]).T))
    whole = labels >= 0
    if not whole.any():
        raise ValueError("there is nothing to paste: no cell lies wholly inside the image.")
    radius = CELL_MARGIN * float(np.median(reach[whole]))
    found = motif_averages(
        pixels,
        places,
        labels,
        cells.sizes["class_"],
        radius,
        align=parameters.rotate and "seed" in cells,
        n_threads=context.n_threads,
    )
    chosen = whole.copy()
    if parameters.shown is not None:
        points_shown = np.isin(motifs["label"].values, labels_of(motifs, parameters.shown, "shown"))
        chosen &= np.bincount(cells["cell_of_point"].values[points_shown], minlength=len(labels)) > 0
    if parameters.by_node:
        hierarchy = rest[1]
        sites = _sites_of(hierarchy, _nodes(hierarchy, parameters))
        # Cells are sorted by their index, and sites by that of their cell.
        cell_of_site = np.unique(cells["site_index"].values, axis=0, return_inverse=True)[1].reshape(-1)
        chosen &= np.bincount(cell_of_site[sites], minlength=len(labels)) > 0
    return Pieces(found.average, places, np.where(chosen, labels, -1), found.angles, radius)


def of_motif_cells(
    image: xr.Dataset,
    pixels: NDArray[np.float32],
    motifs: xr.Dataset,
    rest: tuple[xr.Dataset, ...],
    parameters: "ReconstructParameters",
    context: Context,
) -> Pieces:
    """Return the averages of motif-cells, and the occurrences that they go to."""
    from atomotif.numerics.motif_cell_averages import motif_cell_averages

    cells, hierarchy = rest
    centers = _in_pixels(image, hierarchy, "occurrence_")
    nodes = np.repeat(np.arange(hierarchy.sizes["node"]), np.diff(hierarchy["occurrence_offset"].values))
    sites = _in_pixels(image, cells, "site_")[hierarchy["site"].values]
    owner = np.repeat(np.arange(len(centers)), np.diff(hierarchy["site_offset"].values))
    radii = np.zeros(hierarchy.sizes["node"])
    np.maximum.at(radii, nodes[owner], np.hypot(*(sites - centers[owner]).T))
    # Each of its columns with its surroundings, as in the average of a motif.
    radii += motifs.attrs["patch_size"] / 2
    chosen = np.ones(len(nodes), bool)
    if parameters.by_node:
        chosen &= np.isin(nodes, _nodes(hierarchy, parameters))
    if parameters.shown is not None:
        of_state = np.repeat(np.arange(len(cells["state_offset"]) - 1), np.diff(cells["state_offset"].values))
        wanted = np.isin(cells["state_label"].values, labels_of(motifs, parameters.shown, "shown"))
        with_shown = np.isin(cells["site_state"].values[hierarchy["site"].values], of_state[wanted])
        chosen &= np.bincount(owner[with_shown], minlength=len(nodes)) > 0
    angles = hierarchy["occurrence_angle"].values if parameters.rotate else np.zeros(len(nodes))
    labels = np.where(chosen, nodes, -1)
    inside = np.clip(centers, 0, np.array(pixels.shape) - 1)
    average = motif_cell_averages(pixels, inside, labels, radii, angles=angles, n_threads=context.n_threads)
    return Pieces(average, centers, labels, angles, radii)


def _nodes(hierarchy: xr.Dataset, parameters: "ReconstructParameters") -> NDArray[np.int64]:
    if parameters.level is not None:
        found = np.flatnonzero(hierarchy["level"].values == parameters.level)
        if not len(found):
            raise ValueError(f"`level` must be one that motif-cells have, got {parameters.level}.")
        return found
    chosen = np.array(parameters.nodes, np.int64)
    if not ((chosen >= 0) & (chosen < hierarchy.sizes["node"])).all():
        raise ValueError(f"`nodes` must be numbers below {hierarchy.sizes['node']}, got {parameters.nodes}.")
    return chosen


def _sites_of(hierarchy: xr.Dataset, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of the sites of all occurrences of some motif-cells."""
    of_occurrence = np.repeat(
        np.arange(hierarchy.sizes["node"]), np.diff(hierarchy["occurrence_offset"].values)
    )
    of_site = np.repeat(of_occurrence, np.diff(hierarchy["site_offset"].values))
    return np.asarray(hierarchy["site"].values[np.isin(of_site, nodes)], np.int64)


def _in_pixels(image: xr.Dataset, group: xr.Dataset, prefix: str) -> NDArray[np.float64]:
    corner = np.array([float(image["y"][0]), float(image["x"][0])])
    place = np.column_stack([group[f"{prefix}y"].values, group[f"{prefix}x"].values])
    return np.asarray((place - corner) / image.attrs["pixel_size"])
