"""Layers of what has a value at points or everywhere: tiles, arrows, pictures."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atomotif.views.columns import of_points
from atomotif.views.data import DisplayImage, reduced, step_of
from atomotif.views.layer_scale import NO_LEVEL, Groups, Layer, levels, scaled, swatch_key
from atomotif.views.style import GREYS, MISSING, motif_colors, robust_limits

# How far a column's tile reaches, in median distances of nearest neighbours: the middle of a honeycomb's
# hexagon is 1 away.
_REACH = 1.25
_SQUARE_REACH = 0.75
STRAIN = {
    "exx": ("strain exx", "exx (%)", 100.0),
    "eyy": ("strain eyy", "eyy (%)", 100.0),
    "exy": ("strain exy", "exy (%)", 100.0),
    "rotation": ("rotation", "rotation (deg)", 180.0 / np.pi),
}
_FILLED = ("no corner filled", "one", "two", "three", "all four")
QUAD_COLORS = ("#009e73", "#56b4e9", "#e69f00", "#cc79a7", "#f0e442")


def _spacing(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Return the median distance of nearest neighbours; 1 where there are none."""
    places = np.column_stack([x, y])
    places = places[np.isfinite(places).all(axis=1)]
    if len(places) < 2:
        return 1.0
    return float(np.median(cKDTree(places).query(places, k=2)[0][:, 1])) or 1.0


def of_all(groups: Groups, group: str, name: str, dtype: type, missing: float) -> NDArray[Any]:
    """Return what a group says of every point, in the order of the points."""
    return of_points(np.asarray(groups["points"]["id"].values), groups[group], name, dtype, missing)


def tiles(groups: Groups, facts: dict[str, Any], columns: dict[str, NDArray[Any]]) -> Layer:
    """Return a layer of the nearest point's `level`, as far as its column reaches."""
    points = groups["points"]
    reach = _REACH * _spacing(points["x"].values, points["y"].values)
    return Layer({"kind": "tiles", "reach": reach, **facts}, columns)


def strain(groups: Groups, name: str) -> Layer:
    """Return a component of the strain, or the rotation, as tiles; 0 is white."""
    _, title, factor = STRAIN[name]
    values = of_all(groups, "strain", name, np.float64, np.nan) * factor
    level, scale = scaled(values, title, centred=True)
    return tiles(groups, scale, {"level": level})


def grains(groups: Groups) -> Layer:
    """Return the grains as tiles, with edges between them."""
    number = of_all(groups, "grains", "grain", np.int32, -1)
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
    facts = {"palette": colors[: max(n_grains, 1)], **swatch_key(swatches)}
    # The numbers, too: grains that share a colour have an edge between them.
    return tiles(groups, facts, {"level": level, "region": number})


# ---- arrows --------------------------------------------------------------------------------------


def displacement(groups: Groups) -> Layer:
    """Return displacements as arrows, which the page magnifies by a factor that it states."""
    points = groups["points"]
    moved = of_all(groups, "strain", "displacement", np.float64, np.nan)
    units = str(groups["strain"].attrs.get("units", "px"))
    shown, factor = ("pm", 1000.0) if units == "nm" else (units, 1.0)
    length = np.hypot(moved[:, 0], moved[:, 1])
    level, scale = scaled(length * factor, f"displacement ({shown})", from_zero=True)
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


def quads(quads: xr.Dataset) -> Layer:
    """Return an arrow a quad towards its filled corners, coloured by their number."""
    x, y = (quads[f"quad_{axis}"].values.astype(np.float32) for axis in "xy")
    state = quads["quad_state"].values.astype(np.int64)
    filled = np.array([int(one).bit_count() if one >= 0 else NO_LEVEL for one in state], np.int64)
    counts = np.bincount(filled[filled < NO_LEVEL], minlength=len(_FILLED))
    swatches = [
        {"color": color, "text": f"{text} ({count:,})"}
        for color, text, count in zip(QUAD_COLORS, _FILLED, counts)
    ]
    arrow = quads["arrow"].values
    facts = {
        "kind": "arrows",
        "spacing": _spacing(x, y),
        "longest": float(np.sqrt(2)),
        "magnified": False,
        "palette": list(QUAD_COLORS),
        **swatch_key(swatches),
    }
    columns: dict[str, NDArray[Any]] = {
        "level": filled.astype(np.uint8),
        "x": x,
        "y": y,
        "dx": arrow[:, 1].astype(np.float32),
        "dy": arrow[:, 0].astype(np.float32),
    }
    return Layer(facts, columns)


def level_three(quads: xr.Dataset) -> Layer:
    """Return a tile a square of four quads, coloured by how many of its sixteen pentagons are filled."""
    x, y = (quads[f"square_{axis}"].values.astype(np.float32) for axis in "xy")
    state = quads["square_state"].values
    filled = np.array([int(one).bit_count() if one >= 0 else np.nan for one in state], np.float64)
    level, scale = scaled(filled, "filled pentagons of 16")
    note = "no tile: a pentagon is partly filled" if np.isnan(filled).any() else ""
    # The centres of squares are on a square lattice, whose tiles reach to half of the diagonal.
    facts = {"kind": "tiles", "reach": _SQUARE_REACH * _spacing(x, y), "note": note, **scale}
    return Layer(facts, {"level": level, "x": x, "y": y})


# ---- pictures ------------------------------------------------------------------------------------


def _picture(
    picture: xr.DataArray, side: int, facts: dict[str, Any], limits: tuple[float, float] | None
) -> Layer:
    """Return a reduced picture; `limits` are those of greys, else `facts` has `title` and `centred`."""
    values = np.asarray(picture.values, dtype=np.float32)
    reduction = -(-max(values.shape) // side)
    blocks = reduced(values, reduction)
    if limits is None:
        centred = bool(facts.pop("centred", False))
        level, scale = scaled(blocks, str(facts.pop("title")), centred=centred)
        facts = {**facts, **scale}
    else:
        level = levels(blocks, *limits)
    rows, cols = blocks.shape
    x, y = picture["x"].values, picture["y"].values
    dx, dy = step_of(x), step_of(y)
    extent = {
        "x0": float(x[0] - dx / 2),
        "x1": float(x[0] + (cols * reduction - 0.5) * dx),
        "y0": float(y[0] - dy / 2),
        "y1": float(y[0] + (rows * reduction - 0.5) * dy),
    }
    return Layer({"kind": "picture", "missing": MISSING, "extent": extent, **facts}, {"level": level})


def symmetry(maps: xr.Dataset, name: str, side: int) -> Layer:
    """Return the map of one order of rotation, or of mirror lines."""
    if name == "mirror":
        return _picture(maps["mirror"], side, {"title": "mirror symmetry"}, None)
    fold = int(name.rpartition("-")[2])
    return _picture(maps["rotation"].sel(fold=fold), side, {"title": f"{fold}-fold symmetry"}, None)


def rebuilt(group: xr.Dataset, name: str, image: DisplayImage | None, side: int) -> Layer:
    """Return the reconstruction in the grey levels of the micrograph, or the residual; 0 is white."""
    if name == "residual":
        facts = {"title": "residual (intensity)", "centred": True}
        return _picture(group["residual"], side, facts, None)
    if image is None or not image.high > image.low:
        limits = robust_limits(group["intensity"].values)
    else:
        limits = (image.low, image.high)
    explained = group.attrs.get("explained_variance")
    where = 100 * float(np.isfinite(group["residual"].values).mean())
    text = ""
    if explained is not None:
        text = f"{100 * explained:.1f} % of the variance explained on the {where:.0f} % of the image rebuilt"
    facts = {"palette": list(GREYS), "note": f"grey levels as of the micrograph; {text}".removesuffix("; ")}
    return _picture(group["intensity"], side, facts, limits)
