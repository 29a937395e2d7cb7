"""By what points are coloured: motifs, mixtures of anchors, the nearest anchor, domains."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomotif._palette import NEUTRAL
from atomotif.views.data import ViewData


def colorings(shown: ViewData) -> list[dict[str, Any]]:
    """Return what there is to colour points by; the first is shown until another one is chosen.

    Parameters
    ----------
    shown : ViewData

    Returns
    -------
    list of dict
        `name` and `title`; `column`, which holds numbers of colours of the `palette`, or sRGB where that is
        None; `group`, which the colours come from.

    Examples
    --------
    >>> import xarray as xr
    >>> points = xr.Dataset({"x": ("point", [0.0]), "y": ("point", [0.0])}, {"id": ("point", [0])})
    >>> colorings(ViewData.from_tree(xr.DataTree.from_dict({"points": points})))
    [{'name': 'motifs', 'title': 'motifs', 'column': 'label', 'palette': [], 'group': 'motifs'}]
    """
    found: list[dict[str, Any]] = []

    def add(name: str, title: str, column: str, palette: list[str] | None, group: str) -> None:
        found.append({"name": name, "title": title, "column": column, "palette": palette, "group": group})

    anchors = shown.anchors
    if shown.kind == "motif":
        add("motifs", "motifs", "label", [motif.color for motif in shown.motifs], "motifs")
    if anchors is not None:
        add("mixture", "anchors (soft)", "anchorMixture", None, "anchors")
        add("nearest", "anchors (nearest)", "anchorNearest", anchors.colors, "anchors")
        if anchors.domain_anchor is not None:
            add("domains", "domains", "anchorOfDomain", anchors.colors, "domains")
    return found


def point_colors(coloring: dict[str, Any], column: NDArray[Any], *, fade: bool) -> NDArray[np.uint8]:
    """Return the colours of points as one of the `colorings` says.

    Parameters
    ----------
    coloring : dict
    column : ndarray
        The column that it names.
    fade : bool
        Whether half of the colour is to be mid-grey, for what is out of date.

    Returns
    -------
    ndarray of uint8, shape (n, 3)

    Examples
    --------
    >>> point_colors({"palette": ["#ff0000"]}, np.array([0, -1]), fade=False)
    array([[255,   0,   0],
           [115, 115, 115]], dtype=uint8)
    """
    palette = coloring["palette"]
    colors = column
    if palette is not None:
        table = np.array([list(bytes.fromhex(color[1:])) for color in [*palette, NEUTRAL]], np.uint8)
        colors = table[np.where((column >= 0) & (column < len(palette)), column, len(palette))]
    return (colors // 2 + 80).astype(np.uint8) if fade else colors
