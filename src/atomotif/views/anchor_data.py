"""What the page needs of anchors and domains: places and colours of mixtures, and the anchors' averages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._palette import mixed_colors
from atomotif.views.anchor_layout import (
    TILE_HALF,
    anchor_corners,
    anchor_extent,
    anchor_places,
    anchor_tiles,
    mixture_extent,
    mixture_picture,
)
from atomotif.views.columns import color_list, grey_tiles, of_points

# Points without an anchor: columns of anchors have one byte.
NO_ANCHOR = 255
# Width of the triangle of mixtures, px: colours change smoothly in it.
_SIDE = 120


@dataclass(frozen=True)
class AnchorData:
    """The anchors, row by row in the order of the points' ids.

    Attributes
    ----------
    weight : ndarray of float32, shape (n, n_anchors)
        NaN for points without any.
    nearest : ndarray of uint8, shape (n,)
        255 for none.
    mixture : ndarray of uint8, shape (n, 3)
        sRGB of the weights.
    place : ndarray of float32, shape (n, 2)
        In the figure of the anchors; NaN for points without weights.
    domain_anchor : ndarray of uint8, shape (n,), or None
        Anchor of the domain that a point lies in, 255 for none; None without domains.
    averages : ndarray of uint8, shape (n_anchors, rows, cols), or None
    names, colors : list of str
    """

    weight: NDArray[np.float32]
    nearest: NDArray[np.uint8]
    mixture: NDArray[np.uint8]
    place: NDArray[np.float32]
    domain_anchor: NDArray[np.uint8] | None
    averages: NDArray[np.uint8] | None
    names: list[str]
    colors: list[str]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by the names that the page knows."""
        plain = len(self.names) in (2, 3)
        found: dict[str, NDArray[Any] | None] = {
            "anchorPicture": mixture_picture(self.colors, _SIDE) if plain else None,
            "anchorWeight": self.weight,
            "anchorNearest": self.nearest,
            "anchorMixture": self.mixture,
            "anchorX": self.place[:, 0],
            "anchorY": self.place[:, 1],
            "anchorOfDomain": self.domain_anchor,
            "anchorAverages": self.averages,
        }
        return {name: array for name, array in found.items() if array is not None}

    def facts(self) -> dict[str, Any]:
        """Return the rest."""
        corners = anchor_corners(len(self.names))
        return {
            "names": self.names,
            "colors": self.colors,
            "corners": corners.tolist(),
            "tiles": anchor_tiles(len(self.names)).tolist(),
            "tileHalf": TILE_HALF,
            "picture": mixture_extent(len(self.names)),
            "extent": anchor_extent(len(self.names)),
        }


def anchor_data(groups: Mapping[str, xr.Dataset], ids: NDArray[np.int64]) -> AnchorData | None:
    """Read anchors and domains.

    Parameters
    ----------
    groups : mapping of str to xr.Dataset
        A session's groups.
    ids : ndarray of int64
        Of the points that are shown, in their order.

    Returns
    -------
    AnchorData or None
        None where there are no anchors.

    Examples
    --------
    >>> anchor_data({}, np.arange(3)) is None
    True
    """
    group = groups.get("anchors")
    if group is None or group.sizes.get("anchor", 0) == 0:
        return None
    weight = of_points(ids, group, "weight", np.float32, np.nan)
    names = [str(name) for name in group["name"].values]
    colors = color_list(group, "an anchor", len(names))
    domain_anchor = None
    domains = groups.get("domains")
    if domains is not None and "domain" in domains:
        number = of_points(ids, domains, "domain", np.int64, -1)
        domain_anchor = np.append(domains["anchor"].values, NO_ANCHOR)[number].astype(np.uint8)
    nearest = of_points(ids, group, "nearest", np.int64, -1)
    return AnchorData(
        weight=weight,
        nearest=np.where(nearest >= 0, nearest, NO_ANCHOR).astype(np.uint8),
        mixture=mixed_colors(colors, weight),
        place=anchor_places(weight).astype(np.float32),
        domain_anchor=domain_anchor,
        averages=grey_tiles(group),
        names=names,
        colors=colors,
    )


def as_motifs(anchors: xr.Dataset) -> xr.Dataset:
    """Return anchors as motifs: the label is the nearest one, the confidence its weight.

    Parameters
    ----------
    anchors : xr.Dataset
        The group `anchors`.

    Returns
    -------
    xr.Dataset
        What the views need of the group `motifs`.

    Examples
    --------
    >>> weight = ("point", "anchor"), np.array([[0.2, 0.8]])
    >>> group = xr.Dataset({"nearest": ("point", [1]), "weight": weight, "name": ("anchor", ["A", "B"])})
    >>> as_motifs(group)["confidence"].values
    array([0.8])
    """
    nearest, weight = anchors["nearest"].values, anchors["weight"].values
    own = np.take_along_axis(weight, nearest.clip(min=0)[:, None], axis=1)[:, 0]
    motifs = anchors[[name for name in ("name", "color", "average") if name in anchors]]
    return motifs.rename(anchor="motif").assign(label=("point", nearest), confidence=("point", own))
