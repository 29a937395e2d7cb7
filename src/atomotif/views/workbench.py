"""The workbench: micrograph, layout, tree, gallery and more of one session, linked by one selection."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from bokeh.document import Document
from numpy.typing import NDArray

from atomotif._palette import NEUTRAL
from atomotif.views.anchors import anchors
from atomotif.views.coloring import colorings
from atomotif.views.comparison import ComparisonData, comparison_data
from atomotif.views.data import DisplayImage, ViewData
from atomotif.views.environments import EnvironmentData, environment_data
from atomotif.views.gallery import gallery
from atomotif.views.layers import groups_of, offered
from atomotif.views.layout import layout
from atomotif.views.micrograph import micrograph
from atomotif.views.quads import QuadData, quad_data
from atomotif.views.tree import tree

VIEWS = (
    "micrograph",
    "layout",
    "anchors",
    "tree",
    "gallery",
    "selection",
    "environments",
    "quads",
    "comparison",
)


@dataclass(frozen=True)
class Workbench:
    """What a browser needs to show linked views.

    Attributes
    ----------
    figures : dict of dict
        Bokeh document of each figure as JSON, by name; their sources are empty.
    columns : dict of ndarray
        The data, sent in binary and once for all views: see `columns`.
    facts : dict
        The rest, small and JSON-able: views, motifs, units, extent of the image, stale groups.
    image : DisplayImage or None
        The display copy of the micrograph, which is among the columns, too.
    """

    figures: dict[str, dict[str, Any]]
    columns: dict[str, NDArray[Any]]
    facts: dict[str, Any]
    image: DisplayImage | None


def workbench(
    data: xr.DataTree, views: Iterable[str] = VIEWS, image: DisplayImage | None = None
) -> Workbench:
    """Return the views that `data` has something for.

    Parameters
    ----------
    data : xr.DataTree
        A session's data; needs the group `image` or `points`.
    views : iterable of str, default all
        Which views are wanted; those without data are left out.
    image : DisplayImage, optional
        The display copy of the micrograph, if it was made before.

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
    shown = ViewData.from_tree(data, image)
    there = {"micrograph": True, "layout": shown.u is not None, "gallery": bool(shown.motifs)}
    there["selection"] = there["gallery"]
    there["tree"] = shown.tree is not None
    there["anchors"] = shown.anchors is not None and len(shown.anchors.names) > 1
    groups = groups_of(data)
    sets: dict[str, EnvironmentData | QuadData | ComparisonData | None]
    sets = {"environments": None, "quads": None, "comparison": None}
    if "environments" in wanted:
        sets["environments"] = environment_data(groups, shown.ids, shown.image)
    if "quads" in wanted:
        sets["quads"] = quad_data(groups, shown.ids)
    if "comparison" in wanted:
        sets["comparison"] = comparison_data(groups, shown.ids)
    there |= {name: found is not None for name, found in sets.items()}
    names = [name for name in wanted if there[name]]
    figures = {}
    if "micrograph" in names:
        figures["micrograph"] = figure_document("micrograph", shown.units, shown.image is not None)
    for name in ("layout", "anchors", "tree"):
        if name in names:
            figures[name] = figure_document(name)
    facts = {**_facts(shown, names), "layers": offered(groups)}
    arrays = columns(shown)
    for name, found in sets.items():
        if found is not None:
            facts[name] = found.facts()
            arrays |= found.columns()
    return Workbench(figures, arrays, facts, shown.image)


@functools.cache
def figure_document(name: str, units: str = "px", has_image: bool = True) -> dict[str, Any]:
    """Return the Bokeh document of a figure as JSON.

    Figures hold no data, so that one document serves all sessions; making it takes a tenth of a second.

    Parameters
    ----------
    name : str
        "micrograph", "layout", "anchors" or "tree".
    units : str, default "px"
        Of a micrograph's axes.
    has_image : bool, default True
        Whether a micrograph has a picture below its points.

    Returns
    -------
    dict
        Shared: not to be changed.

    Examples
    --------
    >>> len(figure_document("layout")["roots"])
    1
    """
    document = Document()
    if name == "micrograph":
        document.add_root(micrograph(units, has_image=has_image))
    else:
        document.add_root({"layout": layout, "anchors": anchors, "tree": tree}[name]())
    return dict(document.to_json(deferred=False))


def columns(shown: ViewData) -> dict[str, NDArray[Any]]:
    """Return the arrays that travel in binary, by name.

    Returns
    -------
    dict of ndarray
        `id` (float64, exact up to 2**53, since browsers' integers are no wider), `x`, `y`, `label`,
        `confidence`, and where there are any `angle` (by which the average has turned a patch), `u`, `v`,
        `image` (uint8), `averages` (uint8) and those of `TreeData.columns`
        and `AnchorData.columns`.
    """
    arrays: dict[str, NDArray[Any] | None] = {
        "id": shown.ids.astype(np.float64),
        "x": shown.x,
        "y": shown.y,
        "label": shown.label,
        "confidence": shown.confidence,
        "angle": shown.angle,
        "u": shown.u,
        "v": shown.v,
        "image": None if shown.image is None else shown.image.pixels,
        "averages": shown.averages,
    }
    if shown.tree is not None:
        arrays |= shown.tree.columns()
    if shown.anchors is not None:
        arrays |= shown.anchors.columns()
    return {name: np.ascontiguousarray(array) for name, array in arrays.items() if array is not None}


def _facts(shown: ViewData, names: list[str]) -> dict[str, Any]:
    image = shown.image
    return {
        "views": names,
        "motifs": gallery(shown),
        "kind": shown.kind,
        "colorings": colorings(shown),
        "anchors": None if shown.anchors is None else shown.anchors.facts(),
        "neutral": NEUTRAL,
        "units": shown.units,
        "pixelSize": shown.pixel_size,
        "patchSize": shown.patch_size,
        "extent": None if image is None else {"x0": image.x0, "x1": image.x1, "y0": image.y0, "y1": image.y1},
        "reduction": 1 if image is None else image.reduction,
        "stale": sorted(shown.stale),
        "tree": None if shown.tree is None else shown.tree.facts(),
    }
