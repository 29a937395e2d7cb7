"""Layers over the micrograph: what other groups say of its places, for one at a time to be chosen."""

from typing import Any

import xarray as xr

from atomotif.views import layer_cells, layer_fields, layer_regions
from atomotif.views.data import DisplayImage
from atomotif.views.layer_scale import Groups, Layer

# The longer side of a picture that is a layer, px: a figure is narrower than the screen.
MAX_LAYER_SIDE = 1024


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
        if "anchors" in groups and "outline_offset" in groups.get("domains", ()):
            found.append(("domains", "domains", "domains"))
        if "stacking" in groups.get("moire", ()):
            found.append(("stacking", "nearest stacking", "moire"))
        if "grain" in groups.get("grains", ()):
            found.append(("grains", "grains", "grains"))
        strain = groups.get("strain", ())
        found += [
            (name, title, "strain") for name, (title, _, _) in layer_fields.STRAIN.items() if name in strain
        ]
        if "displacement" in strain:
            found.append(("displacement", "displacement", "strain"))
    if "arrow" in groups.get("quads", ()):
        found.append(("quads", "quads", "quads"))
    if groups.get("quads", xr.Dataset()).sizes.get("square"):
        found.append(("level-3", "quads, level 3", "quads"))
    if "registry_map" in groups.get("moire", ()):
        found.append(("registry", "registry of the layers", "moire"))
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
        return layer_cells.cells_by_class(groups)
    if name == "voronoi":
        return layer_cells.cells_by_distortion(groups["cells"])
    if name == "domains":
        return layer_regions.domains(groups)
    if name == "stacking":
        return layer_regions.stacking(groups)
    if name == "registry":
        return layer_regions.registry(groups)
    if name == "grains":
        return layer_fields.grains(groups)
    if name in layer_fields.STRAIN:
        return layer_fields.strain(groups, name)
    if name == "displacement":
        return layer_fields.displacement(groups)
    if name == "quads":
        return layer_fields.quads(groups["quads"])
    if name == "level-3":
        return layer_fields.level_three(groups["quads"])
    if name == "mirror" or name.startswith("symmetry-"):
        return layer_fields.symmetry(groups["symmetry_map"], name, side)
    return layer_fields.rebuilt(groups["reconstruction"], name, image, side)
