"""Layers of a continuous sample: domains as outlines, the nearest stacking, and the registry as a picture."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._palette import anchor_colors, mixed_colors
from atomotif.views.anchor_layout import mixture_picture
from atomotif.views.columns import color_list
from atomotif.views.data import step_of
from atomotif.views.layer_cells import corner_steps
from atomotif.views.layer_fields import of_all, tiles
from atomotif.views.layer_scale import NO_LEVEL, Groups, Layer, swatch_key

_LEGEND_SIDE = 60  # px


def domains(groups: Groups) -> Layer:
    """Return the domains as outlines with their numbers, filled faintly in the colour of their anchor.

    Rings of one domain, outer and inner, are told by their `region`; `member` is the domain of every point.
    """
    group, anchors = groups["domains"], groups["anchors"]
    anchor = group["anchor"].values.astype(np.int64)
    names = [str(name) for name in anchors["name"].values]
    colors = color_list(anchors, "an anchor", len(names))
    counts = np.bincount(anchor, minlength=len(names))
    swatches = [
        {"color": color, "text": f"{name} ({counts[k]:,} domain{'s' if counts[k] != 1 else ''})"}
        for k, (name, color) in enumerate(zip(names, colors))
    ]
    places = zip(group["name"].values, group["x"].values, group["y"].values)
    extent, columns = corner_steps(
        group["outline_x"].values, group["outline_y"].values, group["outline_offset"].values
    )
    columns |= {
        "level": anchor.astype(np.uint8),
        "region": group["outline_domain"].values.astype(np.int32),
        "member": of_all(groups, "domains", "domain", np.int32, -1),
    }
    labels = [{"text": _number(str(name)), "x": float(x), "y": float(y)} for name, x, y in places]
    facts = {"kind": "regions", "corners": extent, "labels": labels, "palette": colors}
    return Layer({**facts, **swatch_key(swatches)}, columns)


def _number(name: str) -> str:
    """Return what tells a domain from others of its anchor, whose colour it has.

    Examples
    --------
    >>> _number("AB' #3"), _number("left")
    ('3', 'left')
    """
    return name.rpartition("#")[2]


def stacking(groups: Groups) -> Layer:
    """Return the nearest of the high-symmetry stackings as tiles."""
    names = [str(name) for name in groups["moire"]["stacking_name"].values]
    nearest = of_all(groups, "moire", "stacking", np.int64, -1)
    colors = _stacking_colors(groups, names)
    counts = np.bincount(nearest[nearest >= 0], minlength=len(names))
    swatches = [
        {"color": color, "text": f"{name} ({counts[k]:,})"}
        for k, (name, color) in enumerate(zip(names, colors))
    ]
    level = np.where(nearest >= 0, nearest, NO_LEVEL).astype(np.uint8)
    return tiles(groups, {"palette": colors, **swatch_key(swatches)}, {"level": level})


def _stacking_colors(groups: Groups, names: list[str]) -> list[str]:
    """Return the colours of stackings: those of the anchors, where these are the same by name."""
    anchors = groups.get("anchors", xr.Dataset())
    named = [str(name) for name in anchors["name"].values] if "name" in anchors else []
    if not set(names) <= set(named):
        return anchor_colors(len(names))
    of_anchor = dict(zip(named, color_list(anchors, "an anchor", len(named))))
    return [of_anchor[name] for name in names]


def registry(groups: Groups) -> Layer:
    """Return the map of the registry: at each place the mixture of the stackings by how near it is to them.

    Where it is at a high-symmetry stacking it has the colour of that one; halfway between two, their mixture.
    One moiré cell is outlined, from where the first stacking is.
    """
    moire = groups["moire"]
    names = [str(name) for name in moire["stacking_name"].values]
    colors = _stacking_colors(groups, names)
    field = np.asarray(moire["registry_map"].values, dtype=np.float64)
    lattice = np.asarray(moire["layer_vector"].values[0], dtype=np.float64)
    places = np.asarray(moire["stacking_registry"].values, dtype=np.float64)
    distance = _distance(field, places, lattice)
    apart = _distance(places, places, lattice)
    reach = float(apart[apart > 1e-3 * np.abs(lattice).max()].min(initial=np.inf))
    weight = np.clip(1 - distance / reach, 1e-9, None)
    rows, cols = weight.shape[:2]
    rgba = np.zeros((rows, cols, 4), np.uint8)
    rgba[..., :3] = mixed_colors(colors, weight)
    rgba[..., 3] = np.where(np.isfinite(field).all(axis=-1), 255, 0)
    x, y = moire["map_x"].values, moire["map_y"].values
    dx, dy = step_of(x), step_of(y)
    facts = {
        "kind": "picture",
        "extent": {
            "x0": float(x[0] - dx / 2),
            "x1": float(x[-1] + dx / 2),
            "y0": float(y[0] - dy / 2),
            "y1": float(y[-1] + dy / 2),
        },
        "palette": colors,
        "outline": _cell(moire, distance[..., 0]),
        "note": _note(moire),
        **swatch_key([{"color": color, "text": name} for name, color in zip(names, colors)]),
    }
    columns = {"rgba": rgba}
    if len(names) in (2, 3):
        columns["legend"] = mixture_picture(colors, _LEGEND_SIDE)
    return Layer(facts, columns)


def _distance(
    registry: NDArray[np.float64], places: NDArray[np.float64], lattice: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far registries (..., 2) are from each of `places`, whatever the lattice vector between."""
    away = registry[..., None, :] - places
    # To the cell round the origin first, so that the shortest vector is among its neighbours.
    away -= np.rint(away @ np.linalg.inv(lattice)) @ lattice
    steps = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ lattice
    return np.asarray(np.linalg.norm(away[..., None, :] - steps, axis=-1).min(axis=-1))


def _cell(moire: xr.Dataset, distance: NDArray[np.float64]) -> list[list[float]]:
    """Return the corners (x, y) of the moiré cell in the middle, from where `distance` is least."""
    vectors = np.asarray(moire["moire_vector"].values, dtype=np.float64)
    y, x = np.meshgrid(moire["map_y"].values, moire["map_x"].values, indexing="ij")
    place = np.stack([y, x], axis=-1)
    wanted = place.reshape(-1, 2).mean(axis=0) - vectors.sum(axis=0) / 2
    # Of the places at the stacking, of which there is one a cell, that which is nearest to the wanted one.
    near = distance <= np.nanmin(distance) + 0.1 * (np.nanmax(distance) - np.nanmin(distance))
    offset = np.where(near, np.linalg.norm(place - wanted, axis=-1), np.inf)
    first = place[np.unravel_index(np.argmin(offset), offset.shape)]
    corners = [first, first + vectors[0], first + vectors.sum(axis=0), first + vectors[1]]
    return [[float(corner[1]), float(corner[0])] for corner in corners]


def _note(moire: xr.Dataset) -> str:
    """Return twist and period with their errors."""
    attrs = moire.attrs
    parts = []
    for name, error, unit in (
        ("twist_angle", "twist_error", "\N{DEGREE SIGN}"),
        ("period", "period_error", f" {attrs.get('units', 'px')}"),
    ):
        if name in attrs:
            parts.append(_with_error(float(attrs[name]), float(attrs.get(error, np.nan))) + unit)
    title = ["twist and period " + ", ".join(parts)] if parts else []
    return "; ".join([*title, "one cell of the moir\u00e9 is outlined"])


def _with_error(value: float, error: float) -> str:
    """Return a value with as many digits as its error has a meaning to.

    Examples
    --------
    >>> _with_error(3.1503, 0.0042), _with_error(3.1503, float("nan"))
    ('3.150 ± 0.004', '3.15')
    """
    if not (np.isfinite(error) and error > 0):
        return f"{value:.3g}"
    decimals = max(0, -int(np.floor(np.log10(error))))
    return f"{value:.{decimals}f} \N{PLUS-MINUS SIGN} {error:.{decimals}f}"
