"""Columns of the views from groups: values of points, colours, grey levels."""

import re
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._palette import motif_colors

_COLOR = re.compile("#[0-9a-fA-F]{6}")


def of_points(
    ids: NDArray[np.int64], group: xr.Dataset, name: str, dtype: type, missing: float
) -> NDArray[Any]:
    """Return `group[name]` in the order of `ids`, with `missing` for ids that the group does not know."""
    values = np.asarray(group[name].values)
    known = np.asarray(group["id"].values) if "id" in group.coords else ids
    if len(known) == len(ids) and np.array_equal(known, ids):
        return values.astype(dtype)
    order = np.argsort(known)
    slot = np.searchsorted(known, ids, sorter=order).clip(max=max(len(known) - 1, 0))
    result = np.full((len(ids), *values.shape[1:]), missing, dtype=dtype)
    if len(known):
        row = order[slot]
        there = known[row] == ids
        result[there] = values[row[there]]
    return result


def grey(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Scale `low`..`high` to 0..255; NaN becomes mid-grey, as does everything in a constant picture."""
    if not high > low:
        return np.full(values.shape, 128, dtype=np.uint8)
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0) * 255.0
    return np.rint(np.nan_to_num(scaled, nan=128.0)).astype(np.uint8)


def grey_tiles(group: xr.Dataset) -> NDArray[np.uint8] | None:
    """Return the averages of a group, all with the same grey scale; None where there are none."""
    if "average" not in group or group["average"].size == 0:
        return None
    averages = np.asarray(group["average"].values, dtype=np.float32)
    finite = averages[np.isfinite(averages)]
    return grey(averages, *((finite.min(), finite.max()) if finite.size else (0.0, 0.0)))


def color_list(group: xr.Dataset, what: str, count: int) -> list[str]:
    """Return the colours of the motifs, or what `what` names, of a group; those of motifs by default.

    Raises
    ------
    ValueError
        If one is not "#rrggbb".
    """
    colors = [str(color) for color in group["color"].values] if "color" in group else motif_colors(count)
    for color in colors:
        # Colours go into style sheets, where anything else could ask for more than a colour.
        if not _COLOR.fullmatch(color):
            raise ValueError(f'`color` of {what} must be "#rrggbb", got {color!r}.')
    return colors
