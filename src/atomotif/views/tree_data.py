"""The motif-cell hierarchy as plain arrays: how each motif-cell looks, and which points are of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atomotif.views.tree_layout import order_in_rows

# Of what is next to a missing column: the distance of nearest neighbours, and what strain may add to it.
_NEXT = 1.1
# Radius of the body round a site, and of the outline in a micrograph, in shortest lattice vectors: what is
# within touches, and the column next to it is outside.
BODY = 0.45
# Radius of the disc of a column, in the same unit: those of two sublattices do not touch.
DISC = 0.28


@dataclass(frozen=True)
class TreeData:
    """Motif-cells, their drawings, edges and occurrences; all lengths in the units of the image.

    Names that end in `_offset` say where the part of each motif-cell (or occurrence) starts in the arrays of
    the same beginning, with the end of the last one.

    Attributes
    ----------
    node_level, node_count, node_order : ndarray of int32, shape (n,)
        Level, number of occurrences, place in the row of the level.
    node_width, node_height : ndarray of float32, shape (n,)
        Of the drawing.
    body_x, body_y : ndarray of float32; body_offset : ndarray of uint32, shape (n + 1,)
        Centres of the circles that make the body of a motif-cell of sites, from the middle of its drawing.
    disc_x, disc_y : ndarray of float32; disc_label : ndarray of int32; disc_missing : ndarray of uint8
        Columns: place, motif, and whether it is missing (the motif is then the usual one there).
    disc_offset : ndarray of uint32, shape (n + 1,)
    tile_x, tile_y : ndarray of float32, shape (t, 4); tile_offset : ndarray of uint32, shape (n + 1,)
        Corners of the cells of a motif-cell of cells.
    edge_lower, edge_higher : ndarray of int32, shape (m,)
    occurrence_offset : ndarray of uint32, shape (n + 1,)
        Occurrences lie one motif-cell after the other.
    member_row : ndarray of int32; member_offset : ndarray of uint32, shape (o + 1,)
        Rows of the points of each occurrence; where all its columns are missing, of those next to them.
    outline_x, outline_y : ndarray of float32; outline_offset : ndarray of uint32, shape (o + 1,)
        Centres of circles whose common outline is that of an occurrence in the micrograph.
    items : str
        "sites" or "cells".
    step : float
        Length of the shortest lattice vector.
    """

    node_level: NDArray[np.int32]
    node_count: NDArray[np.int32]
    node_order: NDArray[np.int32]
    node_width: NDArray[np.float32]
    node_height: NDArray[np.float32]
    body_x: NDArray[np.float32]
    body_y: NDArray[np.float32]
    body_offset: NDArray[np.uint32]
    disc_x: NDArray[np.float32]
    disc_y: NDArray[np.float32]
    disc_label: NDArray[np.int32]
    disc_missing: NDArray[np.uint8]
    disc_offset: NDArray[np.uint32]
    tile_x: NDArray[np.float32]
    tile_y: NDArray[np.float32]
    tile_offset: NDArray[np.uint32]
    edge_lower: NDArray[np.int32]
    edge_higher: NDArray[np.int32]
    occurrence_offset: NDArray[np.uint32]
    member_row: NDArray[np.int32]
    member_offset: NDArray[np.uint32]
    outline_x: NDArray[np.float32]
    outline_y: NDArray[np.float32]
    outline_offset: NDArray[np.uint32]
    items: str
    step: float

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by the names that the page knows: `node_level` as `nodeLevel`."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
        return {_camel(name): value for name, value in arrays.items()}

    def facts(self) -> dict[str, Any]:
        """Return the rest: `items`, `step`, and the radii of bodies and discs."""
        return {
            "items": self.items,
            "step": self.step,
            "body": BODY * self.step,
            "disc": DISC * self.step,
        }


def _camel(name: str) -> str:
    first, second = name.split("_")
    return first + second.capitalize()


def tree_data(groups: Mapping[str, xr.Dataset], ids: NDArray[np.int64]) -> TreeData | None:
    """Read the hierarchy.

    Parameters
    ----------
    groups : mapping of str to xr.Dataset
        A session's groups.
    ids : ndarray of int64
        Of the points that are shown, in their order.

    Returns
    -------
    TreeData or None
        None where there is none to be drawn: no hierarchy, an empty one, or one whose lattice or cells have
        been replaced since, so that nothing says any longer what it meant.
    """
    if any(name not in groups for name in ("points", "lattice", "cells", "hierarchy")):
        return None
    lattice, cells, tree = groups["lattice"], groups["cells"], groups["hierarchy"]
    replaced = tree.attrs.get("stale") and not (cells.attrs.get("stale") and lattice.attrs.get("stale"))
    if replaced or tree.sizes["node"] == 0 or "site_index" not in cells:
        return None
    vectors = lattice["vector"].values
    step = float(np.hypot(*_shortest(vectors, np.zeros((1, 2)))))
    level, lower, higher = (tree[name].values for name in ("level", "lower", "higher"))
    by_sites = tree.attrs["items"] == "sites"
    make = _site_drawings if by_sites else _cell_drawings
    drawn, extents = make(tree, cells, vectors, lattice["fraction"].values, step)
    members, member_offset = _members(groups, ids, step)
    outline, outline_offset = joined_circles(
        np.column_stack([cells["site_y"].values, cells["site_x"].values])[tree["site"].values],
        tree["site_offset"].values,
        step * _NEXT,
    )
    return TreeData(
        node_level=level.astype(np.int32),
        node_count=tree["count"].values.astype(np.int32),
        node_order=order_in_rows(level, lower, higher).astype(np.int32),
        node_width=extents[:, 1].astype(np.float32),
        node_height=extents[:, 0].astype(np.float32),
        edge_lower=lower.astype(np.int32),
        edge_higher=higher.astype(np.int32),
        occurrence_offset=tree["occurrence_offset"].values.astype(np.uint32),
        member_row=members.astype(np.int32),
        member_offset=member_offset.astype(np.uint32),
        outline_x=outline[:, 1].astype(np.float32),
        outline_y=outline[:, 0].astype(np.float32),
        outline_offset=outline_offset.astype(np.uint32),
        items="sites" if by_sites else "cells",
        step=step,
        **drawn,
    )


# ---- drawings ------------------------------------------------------------------------------------


def _site_drawings(
    tree: xr.Dataset,
    cells: xr.Dataset,
    vectors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    step: float,
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    offsets, kind = tree["item_offset"].values, tree["item_kind"].values
    place = (tree["item_index"].values + fractions[kind]) @ vectors
    place, extents = _centred(place, offsets, BODY * step)
    labels, starts = _states(cells, "state", tree["item_state"].values)
    held = np.diff(starts)
    # A missing column is a ring in the colour of the one that is usual there.
    usual = _usual_labels(cells)[kind]
    n_discs = np.maximum(held, 1)
    owner = np.repeat(np.arange(len(place)), n_discs)
    missing = held[owner] == 0
    label = np.full(len(owner), -1)
    label[~missing] = labels
    label[missing] = usual[owner[missing]]
    # Several columns that share a site lie beside one another.
    number = np.arange(len(owner)) - np.searchsorted(owner, owner)
    aside = (number - (n_discs[owner] - 1) / 2) * DISC * step
    body, body_offset = joined_circles(place, offsets, step * _NEXT)
    drawn = _discs(place[owner] + np.column_stack([0 * aside, aside]), label, missing, owner, offsets)
    none = np.empty((0, 4), np.float32)
    nowhere = np.zeros(len(offsets), np.uint32)
    return drawn | _bodies(body, body_offset) | {
        "tile_x": none,
        "tile_y": none,
        "tile_offset": nowhere,
    }, extents


def _cell_drawings(
    tree: xr.Dataset,
    cells: xr.Dataset,
    vectors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    step: float,
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    offsets, index = tree["item_offset"].values, tree["item_index"].values
    corners = (index[:, None] + np.array([[0, 0], [1, 0], [1, 1], [0, 1]])) @ vectors
    centred, extents = _centred(corners.reshape(-1, 2), offsets * 4, 0.05 * step)
    labels, starts = _states(cells, "class", tree["item_state"].values)
    inside, owner = _places_in_cells(labels, starts, _usual_labels(cells), fractions)
    corner = centred.reshape(-1, 4, 2)
    place = corner[owner, 0] + inside @ vectors
    drawn = _discs(place, labels, np.zeros(len(labels), bool), owner, offsets)
    drawn |= _bodies(np.empty((0, 2)), np.zeros_like(offsets))
    drawn |= {f"tile_{axis}": corner[..., k].astype(np.float32) for k, axis in enumerate("yx")}
    return drawn | {"tile_offset": offsets.astype(np.uint32)}, extents


def _places_in_cells(
    labels: NDArray[np.int64],
    starts: NDArray[np.int64],
    usual: NDArray[np.int64],
    fractions: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return where in its cell each motif is drawn: on the site where it is usual, the others where room is.

    A class says which motifs a cell holds, but not where.
    """
    places = np.empty((len(labels), 2))
    for start, end in pairwise(starts):
        held = labels[start:end].tolist()
        free = list(range(len(usual)))
        at = {}
        for k, one in enumerate(held):
            site = next((s for s in free if usual[s] == one), None)
            if site is not None:
                at[k] = fractions[site]
                free.remove(site)
        others = [k for k in range(len(held)) if k not in at]
        for n, k in enumerate(others):
            # More motifs than sites are spread along the diagonal.
            at[k] = fractions[free[n]] if n < len(free) else np.full(2, (k + 0.5) / len(held))
        for k, where in at.items():
            places[start + k] = where
    return places, np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def _bodies(body: NDArray[np.float64], offsets: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "body_x": body[:, 1].astype(np.float32),
        "body_y": body[:, 0].astype(np.float32),
        "body_offset": offsets.astype(np.uint32),
    }


def _discs(
    place: NDArray[np.float64],
    label: NDArray[np.int64],
    missing: NDArray[np.bool_],
    owner: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> dict[str, Any]:
    return {
        "disc_x": place[:, 1].astype(np.float32),
        "disc_y": place[:, 0].astype(np.float32),
        "disc_label": label.astype(np.int32),
        "disc_missing": missing.astype(np.uint8),
        "disc_offset": np.searchsorted(owner, offsets).astype(np.uint32),
    }


def _states(
    cells: xr.Dataset, name: str, states: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the motifs of each of these states, one after the other, and where those of each start."""
    labels, starts = cells[f"{name}_label"].values, cells[f"{name}_offset"].values
    held = np.diff(starts)[states]
    offsets = np.append(0, np.cumsum(held))
    row = np.arange(offsets[-1]) - np.repeat(offsets[:-1], held) + np.repeat(starts[:-1][states], held)
    return labels[row], offsets


def _usual_labels(cells: xr.Dataset) -> NDArray[np.int64]:
    """Return the motif that is usual at each sublattice, -1 where there is none."""
    labels, starts = cells["state_label"].values, cells["state_offset"].values
    first = [-1] * cells.sizes["sublattices"]
    for sublattice, state in enumerate(cells["majority"].values):
        if state >= 0 and starts[state] < starts[state + 1]:
            first[sublattice] = int(labels[starts[state]])
    return np.array(first, np.int64)


def _centred(
    place: NDArray[np.float64], offsets: NDArray[np.int64], margin: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places from the middle of each run, and the extent of each run with a margin."""
    low, high = np.minimum.reduceat(place, offsets[:-1]), np.maximum.reduceat(place, offsets[:-1])
    middle = np.repeat((low + high) / 2, np.diff(offsets), axis=0)
    return place - middle, high - low + 2 * margin


def joined_circles(
    place: NDArray[np.float64], offsets: NDArray[np.int64], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the places of each run, and half way between any two of it that are within reach.

    Circles round them cover a run in one piece.

    Examples
    --------
    >>> joined_circles(np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), np.array([0, 2, 3]), 1.1)
    (array([[0. , 0. ],
           [0. , 1. ],
           [0. , 0.5],
           [0. , 2. ]]), array([0, 3, 4]))
    """
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    # Runs are set apart from one another, so that only pairs of one run are met.
    apart = np.column_stack([place, owner * 2 * reach])
    pairs = cKDTree(apart).query_pairs(reach, output_type="ndarray") if len(place) else np.empty((0, 2), int)
    owner = np.concatenate([owner, owner[pairs[:, 0]]])
    every = np.concatenate([place, place[pairs].mean(axis=1)])
    order = np.argsort(owner, kind="stable")
    return every[order], np.searchsorted(owner[order], np.arange(len(offsets)))


# ---- points --------------------------------------------------------------------------------------


def _members(
    groups: Mapping[str, xr.Dataset], ids: NDArray[np.int64], step: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of the points of every occurrence, one after the other, and where each starts."""
    points, cells, tree, lattice = (groups[name] for name in ("points", "cells", "hierarchy", "lattice"))
    run = np.diff(tree["site_offset"].values)
    occurrence_of_site = np.full(cells.sizes["site"], -1)
    occurrence_of_site[tree["site"].values] = np.repeat(np.arange(len(run)), run)
    owner = occurrence_of_site[cells["site_of_point"].values]
    rows = _rows_of(cells["id"].values, ids)
    there = (owner >= 0) & (rows >= 0)
    owner, rows = owner[there], rows[there]
    empty = np.bincount(owner, minlength=len(run)) == 0
    if empty.any():
        nearest = np.hypot(*_shortest(lattice["vector"].values, lattice["fraction"].values))
        sites = np.flatnonzero(np.repeat(empty, run))
        where = np.column_stack([cells["site_y"].values, cells["site_x"].values])[tree["site"].values[sites]]
        known = cKDTree(np.column_stack([points["y"].values, points["x"].values]))
        near = known.query_ball_point(where, min(_NEXT * nearest, step * _NEXT))
        of = np.repeat(np.arange(len(run)), run)[sites]
        found = [(k, row) for k, some in zip(of, near) for row in some]
        more = np.unique(np.array(found, np.int64).reshape(-1, 2), axis=0)
        owner, rows = np.concatenate([owner, more[:, 0]]), np.concatenate([rows, more[:, 1]])
    order = np.lexsort((rows, owner))
    return rows[order], np.searchsorted(owner[order], np.arange(len(run) + 1))


def _rows_of(wanted: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of each id, -1 where it is none of `ids`."""
    if not len(ids):
        return np.full(len(wanted), -1)
    order = np.argsort(ids)
    row = order[np.searchsorted(ids, wanted, sorter=order).clip(max=len(ids) - 1)]
    return np.where(ids[row] == wanted, row, -1)


def _shortest(vectors: NDArray[np.float64], fractions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shortest step from a site to another; of one site a cell, the shortest lattice vector."""
    steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), axis=-1).reshape(-1, 1, 1, 2)
    apart = ((steps + fractions[:, None] - fractions) @ vectors).reshape(-1, 2)
    length = np.hypot(*apart.T)
    length[length < 1e-9 * np.abs(vectors).max()] = np.inf
    return np.asarray(apart[length.argmin()])
