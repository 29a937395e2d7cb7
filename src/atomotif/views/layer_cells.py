"""Layers of cells: by class, and by how far their shape departs from the mean one."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.views.layer_scale import NO_LEVEL, Groups, Layer, scaled, swatch_key
from atomotif.views.style import NEUTRAL, motif_colors

_MOST = 2**16 - 1


def corner_steps(
    x: NDArray[np.floating], y: NDArray[np.floating], offset: NDArray[np.integer]
) -> tuple[dict[str, float], dict[str, NDArray[Any]]]:
    """Return corners of polygons as 16-bit steps across what they cover, and where and how long steps are.

    That is a small part of a pixel, and half of what coordinates would take.
    """
    columns: dict[str, NDArray[Any]] = {"cornerOffset": offset.astype(np.uint32)}
    extent: dict[str, float] = {}
    for axis, corner in (("x", x), ("y", y)):
        low, high = (float(corner.min()), float(corner.max())) if len(corner) else (0.0, 0.0)
        step = (high - low) / _MOST or 1.0
        columns[f"corner{axis.upper()}"] = np.rint((corner - low) / step).astype(np.uint16)
        extent |= {f"{axis}0": low, f"{axis}Step": step}
    return extent, columns


def _cells(cells: xr.Dataset, level: NDArray[np.uint8], facts: dict[str, Any]) -> Layer:
    extent, columns = corner_steps(
        cells["corner_x"].values, cells["corner_y"].values, cells["corner_offset"].values
    )
    return Layer({"kind": "cells", "corners": extent, **facts}, {**columns, "level": level})


def cells_by_class(groups: Groups) -> Layer:
    """Return the cells, those of the crystal unfilled, the others in a colour a class."""
    cells, motifs = groups["cells"], groups.get("motifs", xr.Dataset())
    number, minority = cells["class"].values, cells["minority"].values
    counts = np.bincount(number[minority], minlength=cells.sizes.get("class_", 0))
    order = [int(k) for k in np.argsort(-counts, kind="stable") if counts[k]]
    level = np.full(len(number), NO_LEVEL, np.uint8)
    # Those that have no colour of their own share the last.
    place = {k: min(n, NO_LEVEL - 1) for n, k in enumerate(order)}
    for k, at in place.items():
        level[minority & (number == k)] = at
    colors = _class_colors(cells, motifs, order)[:NO_LEVEL]
    names = [_composition(cells, motifs, k) for k in order]
    crystal = int((~minority & (number >= 0)).sum())
    key = swatch_key(
        [{"color": color, "text": f"{name} ({counts[k]:,})"} for k, name, color in zip(order, names, colors)]
    )
    key["swatches"].insert(0, {"color": None, "text": f"crystal ({crystal:,})"})
    return _cells(cells, level, {"palette": colors, **key})


def _held(cells: xr.Dataset, k: int) -> list[int]:
    offset = cells["class_offset"].values
    return [int(label) for label in cells["class_label"].values[offset[k] : offset[k + 1]]]


def _composition(cells: xr.Dataset, motifs: xr.Dataset, k: int) -> str:
    # As the motifs were named that the cells were made from, which may be others by now.
    named = cells["motif_name"] if "motif_name" in cells else motifs.get("name", ())
    names = [str(name) for name in getattr(named, "values", named)]
    parts = []
    for label, count in Counter(_held(cells, k)).items():
        name = names[label] if 0 <= label < len(names) else "none"
        parts.append(name if count == 1 else f"{name} × {count}")
    return " + ".join(parts) or "empty"


def _class_colors(cells: xr.Dataset, motifs: xr.Dataset, order: Iterable[int]) -> list[str]:
    """Return a colour for each class: where it is free, that of the motif that no cell of the crystal has."""
    n_motifs = motifs.sizes.get("motif", 0)
    of_motif = (
        [str(color) for color in motifs["color"].values] if "color" in motifs else motif_colors(n_motifs)
    )
    usual = {label for k in np.flatnonzero(cells["class_dominant"].values) for label in _held(cells, int(k))}
    palette = motif_colors(24)
    spare = [color for color in palette if color not in of_motif]
    spare += [color for color in palette if color in of_motif]
    taken: list[str] = []
    for k in order:
        odd = [of_motif[label] for label in _held(cells, k) if label not in usual and 0 <= label < n_motifs]
        free = [color for color in [*odd, *spare] if color not in taken]
        taken.append(free[0] if free else NEUTRAL)
    return taken


def cells_by_distortion(cells: xr.Dataset) -> Layer:
    """Return Voronoi cells by how far their corners are from those of the mean cell."""
    level, scale = scaled(100 * cells["distortion"].values, "distortion (%)")
    note = f"unfilled: cut by the edge, or not of {cells.sizes['side_number']} sides"
    return _cells(cells, level, {"note": note, **scale})
