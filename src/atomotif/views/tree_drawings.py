"""How a motif-cell is drawn: its columns where they lie in the micrograph, all at one scale."""

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

# Of two sites that are neighbours: their distance, and what strain may add to it.
NEXT = 1.1
# Radius of the body round a site, and of the outline in a micrograph, in shortest lattice vectors: four
# sites of a square leave no hole, and the next column on a hexagonal lattice stays outside.
BODY = 0.51
# Radius of the disc of a column, in the same unit: columns next to one another on a hexagonal lattice touch.
DISC = 0.28
# The same where cells are drawn: within the acute corners of one.
DISC_IN_CELL = 0.2


def site_drawings(
    tree: xr.Dataset,
    cells: xr.Dataset,
    vectors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    step: float,
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Return the drawings of motif-cells of sites, with rings for missing columns.

    Parameters
    ----------
    tree, cells : xr.Dataset
        The groups `hierarchy` and `cells`.
    vectors, fractions : ndarray of float64
        Of the lattice.
    step : float
        Length of the shortest lattice vector.

    Returns
    -------
    drawn : dict of ndarray
        Bodies, discs and tiles, as in `TreeData`.
    extents : ndarray of float64, shape (n, 2)
        Height and width of each drawing.
    """
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
    body, body_offset = joined_circles(place, offsets, step * NEXT)
    drawn = _discs(place[owner] + np.column_stack([0 * aside, aside]), label, missing, owner, offsets)
    none = np.empty((0, 4), np.float32)
    nowhere = np.zeros(len(offsets), np.uint32)
    return drawn | _bodies(body, body_offset) | {
        "tile_x": none,
        "tile_y": none,
        "tile_offset": nowhere,
    }, extents


def cell_drawings(
    tree: xr.Dataset,
    cells: xr.Dataset,
    vectors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    step: float,
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Return the drawings of motif-cells of cells, each a parallelogram with its motifs.

    Parameters
    ----------
    tree, cells : xr.Dataset
        The groups `hierarchy` and `cells`.
    vectors, fractions : ndarray of float64
        Of the lattice.
    step : float
        Length of the shortest lattice vector.

    Returns
    -------
    drawn : dict of ndarray
        Bodies, discs and tiles, as in `TreeData`.
    extents : ndarray of float64, shape (n, 2)
        Height and width of each drawing.
    """
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
