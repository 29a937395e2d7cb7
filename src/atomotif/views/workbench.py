"""The workbench: micrograph, layout and gallery of one session, to be linked by one selection."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from bokeh.document import Document
from numpy.typing import NDArray

from atomotif.views.data import NEUTRAL, ViewData
from atomotif.views.gallery import gallery
from atomotif.views.layout import layout
from atomotif.views.micrograph import micrograph

VIEWS = ("micrograph", "layout", "gallery")


@dataclass(frozen=True)
class Workbench:
    """What a browser needs to show linked views.

    Attributes
    ----------
    document : dict
        Bokeh document as JSON, one root a figure; its sources are empty.
    columns : dict of ndarray
        The data, sent in binary and once for all views: see `columns`.
    facts : dict
        The rest, small and JSON-able: views, motifs, units, extent of the image, stale groups.
    """

    document: dict[str, Any]
    columns: dict[str, NDArray[Any]]
    facts: dict[str, Any]


def workbench(data: xr.DataTree, views: Iterable[str] = VIEWS) -> Workbench:
    """Return the views that `data` has something for.

    Parameters
    ----------
    data : xr.DataTree
        A session's data; needs the group `image` or `points`.
    views : iterable of str, default ("micrograph", "layout", "gallery")
        Which views are wanted; those without data are left out.

    Returns
    -------
    Workbench

    Raises
    ------
    ValueError
        If a view is not known, or if there is neither an image nor points.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> points = xr.Dataset({"x": ("point", [0.5]), "y": ("point", [0.0])}, {"id": ("point", [7])})
    >>> workbench(xr.DataTree.from_dict({"points": points})).facts["views"]
    ['micrograph']
    """
    wanted = tuple(views)
    for name in wanted:
        if name not in VIEWS:
            raise ValueError(f"`views` must be among {', '.join(map(repr, VIEWS))}, got {name!r}.")
    shown = ViewData.from_tree(data)
    there = {"micrograph": True, "layout": shown.u is not None, "gallery": bool(shown.motifs)}
    names = [name for name in wanted if there[name]]
    document = Document()
    if "micrograph" in names:
        document.add_root(micrograph(shown))
    if "layout" in names:
        document.add_root(layout())
    return Workbench(
        document=dict(document.to_json(deferred=False)), columns=columns(shown), facts=_facts(shown, names)
    )


def columns(shown: ViewData) -> dict[str, NDArray[Any]]:
    """Return the arrays that travel in binary, by name.

    Returns
    -------
    dict of ndarray
        `id` (float64, exact up to 2**53, since browsers' integers are no wider), `x`, `y`, `label`,
        `confidence`, and where there are any `u`, `v`, `image` (uint8) and `averages` (uint8).
    """
    arrays: dict[str, NDArray[Any] | None] = {
        "id": shown.ids.astype(np.float64),
        "x": shown.x,
        "y": shown.y,
        "label": shown.label,
        "confidence": shown.confidence,
        "u": shown.u,
        "v": shown.v,
        "image": None if shown.image is None else shown.image.pixels,
        "averages": shown.averages,
    }
    return {name: np.ascontiguousarray(array) for name, array in arrays.items() if array is not None}


def _facts(shown: ViewData, names: list[str]) -> dict[str, Any]:
    image = shown.image
    return {
        "views": names,
        "motifs": gallery(shown),
        "neutral": NEUTRAL,
        "units": shown.units,
        "pixelSize": shown.pixel_size,
        "patchSize": shown.patch_size,
        "extent": None if image is None else {"x0": image.x0, "x1": image.x1, "y0": image.y0, "y1": image.y1},
        "reduction": 1 if image is None else image.reduction,
        "stale": sorted(shown.stale),
    }
