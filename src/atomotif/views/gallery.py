"""The gallery: the class average of every motif with its name, its colour and how many points it has."""

from typing import Any

from atomotif.views.data import ViewData


def gallery(shown: ViewData) -> list[dict[str, Any]]:
    """Return one entry a motif, in the order of the labels.

    The page draws each as a button around a small canvas, not as a glyph: buttons wrap with the width of
    the page, can be reached by keyboard and are read aloud.

    Parameters
    ----------
    shown : ViewData

    Returns
    -------
    list of dict
        `name`, `color` ("#rrggbb") and `count`.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> points = xr.Dataset({"x": ("point", [0.0]), "y": ("point", [0.0])}, {"id": ("point", [0])})
    >>> motifs = xr.Dataset({"label": ("point", [0]), "name": ("motif", ["V_Se"])}, {"id": ("point", [0])})
    >>> gallery(ViewData.from_tree(xr.DataTree.from_dict({"points": points, "motifs": motifs})))
    [{'name': 'V_Se', 'color': '#0072b2', 'count': 1}]
    """
    return [{"name": motif.name, "color": motif.color, "count": motif.count} for motif in shown.motifs]
