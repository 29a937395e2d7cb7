"""Layers over the micrograph: what other groups say of its places, for one at a time to be chosen."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atomotif.views.data import DisplayImage, _of_points, _reduced, _step
from atomotif.views.style import (
    BRIGHT,
    DIVERGING,
    GREYS,
    MISSING,
    NEUTRAL,
    SEQUENTIAL,
    motif_colors,
    robust_limits,
    scale_ticks,
)

Groups = Mapping[str, xr.Dataset]

# The longer side of a picture that is a layer, px: a figure is narrower than the screen.
MAX_LAYER_SIDE = 1024
# The number for what has no value; those before are places on the colour scale.
NO_LEVEL = 255
# Entries of a key: what fits below a figure.
MAX_SWATCHES = 5
# How far a column's tile reaches, in median distances of nearest neighbours: the middle of a honeycomb's
# hexagon is 1 away.
_REACH = 1.25
_STRAIN = {
    "exx": ("strain exx", "exx (%)", 100.0),
    "eyy": ("strain eyy", "eyy (%)", 100.0),
    "exy": ("strain exy", "exy (%)", 100.0),
    "rotation": ("rotation", "rotation (deg)", 180.0 / np.pi),
}
_FILLED = ("no corner filled", "one", "two", "three", "all four")
_QUAD_COLORS = ("#ffffff", "#56b4e9", "#e69f00", "#cc79a7", "#f0e442")


@dataclass(frozen=True)
class Layer:
    """One layer as it is sent.

    Attributes
    ----------
    facts : dict
        JSON-able. `kind` ("cells", "tiles", "arrows" or "picture"); `palette` of "#rrggbb", which the column
        `level` counts in; its key as `scale` (title and ticks) or `swatches`; and what its kind needs.
    columns : dict of ndarray
        `level` (uint8, `NO_LEVEL` for none) and places, by name.
    """

    facts: dict[str, Any]
    columns: dict[str, NDArray[Any]]


def groups_of(data: xr.DataTree) -> dict[str, xr.Dataset]:
    """Return the groups of a tree by name."""
    return {str(name): node.to_dataset() for name, node in data.children.items()}


def offered(groups: Groups) -> list[dict[str, Any]]:
    """Return which layers there are something for, in the order of the chooser.

    Parameters
    ----------
    groups : mapping of str to xr.Dataset

    Returns
    -------
    list of dict
        `name`, `title` and `stale`.

    Examples
    --------
    >>> import xarray as xr
    >>> grains = xr.Dataset({"grain": ("point", [0, 0])}, {"id": ("point", [7, 9])})
    >>> offered({"points": xr.Dataset(), "grains": grains})
    [{'name': 'grains', 'title': 'grains', 'stale': False}]
    """
    found: list[tuple[str, str, str]] = []
    cells = groups.get("cells", xr.Dataset())
    if "corner_offset" in cells:
        found.append(("cells", "cells by class", "cells"))
    if "distortion" in cells:
        found.append(("voronoi", "Voronoi cells by distortion", "cells"))
    if "points" in groups:
        if "grain" in groups.get("grains", ()):
            found.append(("grains", "grains", "grains"))
        strain = groups.get("strain", ())
        found += [(name, title, "strain") for name, (title, _, _) in _STRAIN.items() if name in strain]
        if "displacement" in strain:
            found.append(("displacement", "displacement", "strain"))
    if "arrow" in groups.get("quads", ()):
        found.append(("quads", "quads", "quads"))
    maps = groups.get("symmetry_map", xr.Dataset())
    if "rotation" in maps:
        found += [(f"symmetry-{n}", f"symmetry, {n}-fold", "symmetry_map") for n in maps["fold"].values]
    if "mirror" in maps:
        found.append(("mirror", "symmetry, mirror", "symmetry_map"))
    rebuilt = groups.get("reconstruction", ())
    if "intensity" in rebuilt:
        found.append(("reconstruction", "reconstruction", "reconstruction"))
    if "residual" in rebuilt:
        found.append(("residual", "residual", "reconstruction"))
    return [
        {"name": name, "title": title, "stale": bool(groups[group].attrs.get("stale"))}
        for name, title, group in found
    ]


def layer(
    groups: Groups, name: str, *, image: DisplayImage | None = None, side: int = MAX_LAYER_SIDE
) -> Layer:
    """Return one of the layers that are offered.

    Parameters
    ----------
    groups : mapping of str to xr.Dataset
    name : str
        As `offered` gives it.
    image : DisplayImage, optional
        The display copy of the micrograph, whose grey levels a reconstruction takes over.
    side : int, default 1024
        Greatest side of a picture, px.

    Returns
    -------
    Layer

    Raises
    ------
    ValueError
        If the layer is not offered.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> ids = {"id": ("point", [7, 9])}
    >>> points = xr.Dataset({"x": ("point", [0.0, 1.0]), "y": ("point", [0.0, 0.0])}, ids)
    >>> strain = xr.Dataset({"exx": ("point", [-0.01, 0.01])}, ids)
    >>> made = layer({"points": points, "strain": strain}, "exx")
    >>> made.facts["scale"]["title"], made.columns["level"]
    ('exx (%)', array([  0, 254], dtype=uint8))
    """
    known = [one["name"] for one in offered(groups)]
    if name not in known:
        raise ValueError(f"`name` must be among {', '.join(map(repr, known)) or 'no layers'}, got {name!r}.")
    if name == "cells":
        return _cells_by_class(groups)
    if name == "voronoi":
        return _cells_by_distortion(groups["cells"])
    if name == "grains":
        return _grains(groups)
    if name in _STRAIN:
        return _strain(groups, name)
    if name == "displacement":
        return _displacement(groups)
    if name == "quads":
        return _quads(groups["quads"])
    if name == "mirror" or name.startswith("symmetry-"):
        return _symmetry(groups["symmetry_map"], name, side)
    return _rebuilt(groups["reconstruction"], name, image, side)


def _levels(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return places on a scale, 0 to 254, and `NO_LEVEL` for what is not finite."""
    with np.errstate(invalid="ignore"):
        scaled = np.rint(np.clip((values - low) / (high - low), 0, 1) * (NO_LEVEL - 1))
    return np.where(np.isfinite(values), scaled, NO_LEVEL).astype(np.uint8)


def _scaled(
    values: NDArray[Any], title: str, *, centred: bool = False, bright: bool = False
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Return levels of values, and the facts of their scale."""
    low, high = robust_limits(values, centred=centred)
    if bright:
        low = 0.0
    finite = values[np.isfinite(values)]
    ticks = scale_ticks(low, high, bool((finite < low).any()), bool((finite > high).any()))
    palette = DIVERGING if centred else BRIGHT if bright else SEQUENTIAL
    facts = {"palette": list(palette), "scale": {"title": title, "ticks": ticks}}
    return _levels(values, low, high), facts


# ---- cells ---------------------------------------------------------------------------------------


def _corners(cells: xr.Dataset) -> dict[str, NDArray[Any]]:
    return {
        "cornerX": cells["corner_x"].values.astype(np.float32),
        "cornerY": cells["corner_y"].values.astype(np.float32),
        "cornerOffset": cells["corner_offset"].values.astype(np.uint32),
    }


def _cells_by_class(groups: Groups) -> Layer:
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
    key = _key(
        [{"color": color, "text": f"{name} ({counts[k]:,})"} for k, name, color in zip(order, names, colors)]
    )
    key["swatches"].insert(0, {"color": None, "text": f"crystal ({crystal:,})"})
    facts = {"kind": "cells", "palette": colors, **key}
    return Layer(facts, {**_corners(cells), "level": level})


def _held(cells: xr.Dataset, k: int) -> list[int]:
    offset = cells["class_offset"].values
    return [int(label) for label in cells["class_label"].values[offset[k] : offset[k + 1]]]


def _composition(cells: xr.Dataset, motifs: xr.Dataset, k: int) -> str:
    names = [str(name) for name in motifs["name"].values] if "name" in motifs else []
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


def _cells_by_distortion(cells: xr.Dataset) -> Layer:
    level, scale = _scaled(100 * cells["distortion"].values, "distortion (%)")
    note = f"unfilled: cut by the edge, or not of {cells.sizes['side_number']} sides"
    return Layer({"kind": "cells", "note": note, **scale}, {**_corners(cells), "level": level})


def _key(swatches: list[dict[str, Any]]) -> dict[str, Any]:
    more = len(swatches) - MAX_SWATCHES
    return {"swatches": swatches[:MAX_SWATCHES], "more": f"and {more:,} more" if more > 0 else ""}


# ---- points --------------------------------------------------------------------------------------


def _spacing(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Return the median distance of nearest neighbours; 1 where there are none."""
    places = np.column_stack([x, y])
    places = places[np.isfinite(places).all(axis=1)]
    if len(places) < 2:
        return 1.0
    return float(np.median(cKDTree(places).query(places, k=2)[0][:, 1])) or 1.0


def _of_all(groups: Groups, group: str, name: str, dtype: type, missing: float) -> NDArray[Any]:
    return _of_points(np.asarray(groups["points"]["id"].values), groups[group], name, dtype, missing)


def _tiles(groups: Groups, facts: dict[str, Any], columns: dict[str, NDArray[Any]]) -> Layer:
    points = groups["points"]
    reach = _REACH * _spacing(points["x"].values, points["y"].values)
    return Layer({"kind": "tiles", "reach": reach, **facts}, columns)


def _strain(groups: Groups, name: str) -> Layer:
    _, title, factor = _STRAIN[name]
    values = _of_all(groups, "strain", name, np.float64, np.nan) * factor
    level, scale = _scaled(values, title, centred=True)
    return _tiles(groups, scale, {"level": level})


def _grains(groups: Groups) -> Layer:
    number = _of_all(groups, "grains", "grain", np.int32, -1)
    group = groups["grains"]
    colors = motif_colors(24)
    n_grains = int(number.max(initial=-1)) + 1
    angles = group["grain_angle"].values if "grain_angle" in group else np.full(n_grains, np.nan)
    counts = np.bincount(number[number >= 0], minlength=n_grains)
    swatches = [
        {"color": colors[k % len(colors)], "text": f"{k}: {angles[k]:.1f}° ({counts[k]:,})"}
        for k in range(n_grains)
    ]
    level = np.where(number >= 0, number % len(colors), NO_LEVEL).astype(np.uint8)
    facts = {"palette": colors[: max(n_grains, 1)], **_key(swatches)}
    # The numbers, too: grains that share a colour have an edge between them.
    return _tiles(groups, facts, {"level": level, "region": number})


# ---- arrows --------------------------------------------------------------------------------------


def _displacement(groups: Groups) -> Layer:
    points = groups["points"]
    moved = _of_all(groups, "strain", "displacement", np.float64, np.nan)
    units = str(groups["strain"].attrs.get("units", "px"))
    shown, factor = ("pm", 1000.0) if units == "nm" else (units, 1.0)
    length = np.hypot(moved[:, 0], moved[:, 1])
    level, scale = _scaled(length * factor, f"displacement ({shown})", bright=True)
    finite = length[np.isfinite(length)]
    facts = {
        "kind": "arrows",
        "spacing": _spacing(points["x"].values, points["y"].values),
        "longest": float(np.percentile(finite, 98)) if finite.size else 0.0,
        "magnified": True,
        **scale,
    }
    columns: dict[str, NDArray[Any]] = {
        "level": level,
        "dx": moved[:, 1].astype(np.float32),
        "dy": moved[:, 0].astype(np.float32),
    }
    return Layer(facts, columns)


def _quads(quads: xr.Dataset) -> Layer:
    x, y = (quads[f"quad_{axis}"].values.astype(np.float32) for axis in "xy")
    state = quads["quad_state"].values.astype(np.int64)
    filled = np.array([int(one).bit_count() if one >= 0 else NO_LEVEL for one in state], np.int64)
    counts = np.bincount(filled[filled < NO_LEVEL], minlength=len(_FILLED))
    swatches = [
        {"color": color, "text": f"{text} ({count:,})"}
        for color, text, count in zip(_QUAD_COLORS, _FILLED, counts)
    ]
    arrow = quads["arrow"].values
    facts = {
        "kind": "arrows",
        "spacing": _spacing(x, y),
        "longest": float(np.sqrt(2)),
        "magnified": False,
        "palette": list(_QUAD_COLORS),
        **_key(swatches),
    }
    columns: dict[str, NDArray[Any]] = {
        "level": filled.astype(np.uint8),
        "x": x,
        "y": y,
        "dx": arrow[:, 1].astype(np.float32),
        "dy": arrow[:, 0].astype(np.float32),
    }
    return Layer(facts, columns)


# ---- pictures ------------------------------------------------------------------------------------


def _picture(
    picture: xr.DataArray, side: int, facts: dict[str, Any], limits: tuple[float, float] | None
) -> Layer:
    """Return a reduced picture; `limits` are those of greys, else `facts` has `title` and `centred`."""
    values = np.asarray(picture.values, dtype=np.float32)
    reduction = -(-max(values.shape) // side)
    blocks = _reduced(values, reduction)
    if limits is None:
        centred = bool(facts.pop("centred", False))
        level, scale = _scaled(blocks, str(facts.pop("title")), centred=centred)
        facts = {**facts, **scale}
    else:
        level = _levels(blocks, *limits)
    rows, cols = blocks.shape
    x, y = picture["x"].values, picture["y"].values
    dx, dy = _step(x), _step(y)
    extent = {
        "x0": float(x[0] - dx / 2),
        "x1": float(x[0] + (cols * reduction - 0.5) * dx),
        "y0": float(y[0] - dy / 2),
        "y1": float(y[0] + (rows * reduction - 0.5) * dy),
    }
    return Layer({"kind": "picture", "missing": MISSING, "extent": extent, **facts}, {"level": level})


def _symmetry(maps: xr.Dataset, name: str, side: int) -> Layer:
    if name == "mirror":
        return _picture(maps["mirror"], side, {"title": "mirror symmetry"}, None)
    fold = int(name.rpartition("-")[2])
    return _picture(maps["rotation"].sel(fold=fold), side, {"title": f"{fold}-fold symmetry"}, None)


def _rebuilt(group: xr.Dataset, name: str, image: DisplayImage | None, side: int) -> Layer:
    if name == "residual":
        facts = {"title": "residual (intensity)", "centred": True}
        return _picture(group["residual"], side, facts, None)
    if image is None or not image.high > image.low:
        limits = robust_limits(group["intensity"].values)
    else:
        limits = (image.low, image.high)
    explained = group.attrs.get("explained_variance")
    text = f"{100 * explained:.1f} % of the variance explained" if explained is not None else ""
    facts = {"palette": list(GREYS), "note": f"grey levels as of the micrograph; {text}".removesuffix("; ")}
    return _picture(group["intensity"], side, facts, limits)
