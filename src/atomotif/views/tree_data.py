"""The motif-cell hierarchy as plain arrays: how each motif-cell looks, and which points are of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atomotif.views.tree_drawings import (
    BODY,
    DISC,
    DISC_IN_CELL,
    NEXT,
    cell_drawings,
    joined_circles,
    site_drawings,
)
from atomotif.views.tree_layout import order_in_rows


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
    unit : str
        What levels count: "site" or "cell".
    step, body, disc : float
        Length of the shortest lattice vector, radius of the circles of bodies and outlines, and of discs.
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
    unit: str
    step: float
    body: float
    disc: float

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by the names that the page knows: `node_level` as `nodeLevel`."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
        return {_camel(name): value for name, value in arrays.items()}

    def facts(self) -> dict[str, Any]:
        """Return the rest by the same names."""
        return {name: getattr(self, name) for name in ("unit", "step", "body", "disc")}


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
    make = site_drawings if by_sites else cell_drawings
    drawn, extents = make(tree, cells, vectors, lattice["fraction"].values, step)
    members, member_offset = _members(groups, ids, step)
    outline, outline_offset = joined_circles(
        np.column_stack([cells["site_y"].values, cells["site_x"].values])[tree["site"].values],
        tree["site_offset"].values,
        step * NEXT,
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
        # Where a symmetry acts on the sites of cells, cells are counted all the same.
        unit="site" if by_sites and np.array_equal(level, np.diff(tree["item_offset"].values)) else "cell",
        step=step,
        body=BODY * step,
        disc=(DISC if by_sites else DISC_IN_CELL) * step,
        **drawn,
    )


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
    rows = rows_of(cells["id"].values, ids)
    there = (owner >= 0) & (rows >= 0)
    owner, rows = owner[there], rows[there]
    empty = np.bincount(owner, minlength=len(run)) == 0
    if empty.any():
        nearest = np.hypot(*_shortest(lattice["vector"].values, lattice["fraction"].values))
        sites = np.flatnonzero(np.repeat(empty, run))
        where = np.column_stack([cells["site_y"].values, cells["site_x"].values])[tree["site"].values[sites]]
        shown = rows_of(points["id"].values, ids)
        where_known = np.column_stack([points["y"].values, points["x"].values])[shown >= 0]
        near = cKDTree(where_known).query_ball_point(where, min(NEXT * nearest, step * NEXT))
        of = np.repeat(np.arange(len(run)), run)[sites]
        found = [(k, row) for k, some in zip(of, near) for row in some]
        more = np.unique(np.array(found, np.int64).reshape(-1, 2), axis=0)
        owner = np.concatenate([owner, more[:, 0]])
        rows = np.concatenate([rows, shown[shown >= 0][more[:, 1]]])
    order = np.lexsort((rows, owner))
    return rows[order], np.searchsorted(owner[order], np.arange(len(run) + 1))


def rows_of(wanted: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
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
