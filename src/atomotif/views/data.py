"""What the views show, read once from a data tree into plain arrays."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.views.anchor_data import AnchorData, anchor_data, as_motifs
from atomotif.views.columns import color_list, grey, grey_tiles, of_points
from atomotif.views.tree_data import TreeData, tree_data

NO_MOTIF = -1
# Grey levels outside these percentiles are clipped: a few hot pixels must not darken a micrograph.
PERCENTILES = (0.5, 99.5)
# The longer side of the micrograph's display copy, px: more than a screen shows at once.
MAX_IMAGE_SIDE = 2048


@dataclass(frozen=True)
class DisplayImage:
    """A greyscale copy of the micrograph for the screen.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (rows, cols)
    reduction : int
        Side of the block of micrograph pixels that one display pixel is the mean of.
    x0, x1, y0, y1 : float
        Outer edges of the copy in the micrograph's units; y grows downwards.
    low, high : float
        Intensities drawn as black and as white.
    """

    pixels: NDArray[np.uint8]
    reduction: int
    x0: float
    x1: float
    y0: float
    y1: float
    low: float
    high: float


@dataclass(frozen=True)
class Motif:
    """One motif as the gallery shows it."""

    name: str
    color: str
    count: int


@dataclass(frozen=True)
class ViewData:
    """Everything that is sent to a browser, row by row in the order of the points' ids.

    Attributes
    ----------
    ids : ndarray of int64, shape (n,)
    x, y : ndarray of float32, shape (n,)
        Positions in `units`.
    label : ndarray of int32, shape (n,)
        Motif of each point, -1 = none.
    confidence : ndarray of float32, shape (n,)
        NaN where unknown.
    angle : ndarray of float32, shape (n,), or None
        By how much the average of its motif has turned each patch, radians; None if not at all.
    u, v : ndarray of float32, shape (n,), or None
        Positions in the layout, NaN for points that are not in it; None without a layout.
    image : DisplayImage or None
    motifs : tuple of Motif
        Where there are only anchors, these take the place of motifs, and the points nearest to one that of
        its points; the confidence is then the weight of the nearest.
    kind : str
        "motif" or "anchor": what `motifs` are.
    averages : ndarray of uint8, shape (n_motifs, rows, cols), or None
        Class averages, all with the same grey scale so that they can be compared.
    patch_size : float or None
        Diameter of a patch in px of the micrograph.
    pixel_size : float
    units : str
    stale : frozenset of str
        Names of the groups that are out of date.
    tree : TreeData or None
        The motif-cell hierarchy.
    anchors : AnchorData or None
        Anchors of a continuous sample.
    """

    ids: NDArray[np.int64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    label: NDArray[np.int32]
    confidence: NDArray[np.float32]
    angle: NDArray[np.float32] | None
    u: NDArray[np.float32] | None
    v: NDArray[np.float32] | None
    image: DisplayImage | None
    motifs: tuple[Motif, ...]
    averages: NDArray[np.uint8] | None
    patch_size: float | None
    pixel_size: float
    units: str
    stale: frozenset[str] = field(default_factory=frozenset)
    tree: TreeData | None = None
    kind: str = "motif"
    anchors: AnchorData | None = None

    @classmethod
    def from_tree(cls, data: xr.DataTree, image: DisplayImage | None = None) -> "ViewData":
        """Read the groups that are there; those of other points are matched by id.

        Parameters
        ----------
        data : xr.DataTree
            A session's data; needs the group `image` or `points`, all else may be missing or stale.
        image : DisplayImage, optional
            The display copy of the micrograph, if it was made before.

        Returns
        -------
        ViewData

        Raises
        ------
        ValueError
            If there is neither an image nor points.

        Examples
        --------
        >>> import numpy as np, xarray as xr
        >>> ids = {"id": ("point", [7, 9])}
        >>> points = xr.Dataset({"x": ("point", [0.5, 1.0]), "y": ("point", [0.0, 2.0])}, ids)
        >>> ViewData.from_tree(xr.DataTree.from_dict({"points": points})).ids
        array([7, 9])
        """
        groups = {str(name): node.to_dataset() for name, node in data.children.items()}
        if "image" not in groups and "points" not in groups:
            raise ValueError(
                f"`data` must have the group `image` or `points`, got {sorted(groups) or 'none'}."
            )
        points = groups.get("points")
        ids = np.asarray(points["id"].values if points is not None else [], dtype=np.int64)
        layout = groups.get("layout")
        position = None
        if layout is not None:
            position = of_points(ids, layout, "position", np.float32, np.nan)
        label = np.full(len(ids), NO_MOTIF, dtype=np.int32)
        confidence = np.full(len(ids), np.nan, dtype=np.float32)
        angle = None
        found, kind = groups.get("motifs"), "motif"
        if found is None and "anchors" in groups:
            found, kind = as_motifs(groups["anchors"]), "anchor"
        if found is not None:
            label = of_points(ids, found, "label", np.int32, NO_MOTIF)
            if "confidence" in found:
                confidence = of_points(ids, found, "confidence", np.float32, np.nan)
            if "angle" in found and found["angle"].values.any():
                angle = of_points(ids, found, "angle", np.float32, 0.0)
        attrs = groups["image"].attrs if "image" in groups else {}
        return cls(
            ids=ids,
            x=_column(points, "x"),
            y=_column(points, "y"),
            label=label,
            confidence=confidence,
            angle=angle,
            u=None if position is None else np.ascontiguousarray(position[:, 0]),
            v=None if position is None else np.ascontiguousarray(position[:, 1]),
            image=display_image(groups["image"]) if image is None and "image" in groups else image,
            motifs=_motifs(found, label, kind),
            averages=None if found is None else grey_tiles(found),
            patch_size=_patch_size(groups),
            pixel_size=float(attrs.get("pixel_size", 1.0)),
            units=str(attrs.get("units", "px")),
            stale=frozenset(name for name, group in groups.items() if group.attrs.get("stale")),
            tree=tree_data(groups, ids),
            kind=kind,
            anchors=anchor_data(groups, ids),
        )


def display_image(image: xr.Dataset) -> DisplayImage:
    """Return the micrograph as grey levels for the screen, reduced if it is large.

    Parameters
    ----------
    image : xr.Dataset
        The group `image`, with coordinates `y` and `x` of the pixel centres.
        The flattened picture is shown if there is one: on a tilted STM image hardly anything else is seen.

    Returns
    -------
    DisplayImage

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> pixels = np.arange(4.0)
    >>> picture = xr.Dataset({"intensity": (("y", "x"), np.eye(4))}, {"y": pixels, "x": pixels})
    >>> display_image(picture).x1
    3.5
    """
    values = picture_of(image)
    reduction = -(-max(values.shape) // MAX_IMAGE_SIDE)
    blocks = reduced(values, reduction)
    rows, cols = blocks.shape
    low, high = (float(level) for level in np.percentile(blocks, PERCENTILES))
    x, y = image["x"].values, image["y"].values
    dx, dy = step_of(x), step_of(y)
    return DisplayImage(
        pixels=grey(blocks, low, high),
        reduction=reduction,
        x0=float(x[0] - dx / 2),
        x1=float(x[0] + (cols * reduction - 0.5) * dx),
        y0=float(y[0] - dy / 2),
        y1=float(y[0] + (rows * reduction - 0.5) * dy),
        low=low,
        high=high,
    )


def detail(
    image: xr.Dataset,
    shown: DisplayImage,
    *,
    x0: float,
    x1: float,
    y0: float,
    y1: float,
    width: int,
    height: int,
) -> DisplayImage | None:
    """Return the part of the micrograph within a range, with as many pixels as a screen shows of it.

    Parameters
    ----------
    image : xr.Dataset
        The group `image`.
    shown : DisplayImage
        The copy that is shown of all of it, for the same grey levels.
    x0, x1, y0, y1 : float
        The range, in the micrograph's units.
    width, height : int
        Pixels of the screen that show the range.

    Returns
    -------
    DisplayImage or None
        None where nothing of the micrograph lies within the range.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> pixels = np.arange(64.0)
    >>> group = xr.Dataset({"intensity": (("y", "x"), np.eye(64))}, {"y": pixels, "x": pixels})
    >>> part = detail(group, display_image(group), x0=8, x1=16, y0=8, y1=24, width=400, height=400)
    >>> part.pixels.shape, part.x0
    ((17, 9), 7.5)
    """
    values = picture_of(image)
    spans = []
    for name, low, high, size in (("y", y0, y1, values.shape[0]), ("x", x0, x1, values.shape[1])):
        origin, step = float(image[name].values[0]), step_of(image[name].values)
        first = max(0, math.floor((low - origin) / step + 0.5))
        last = min(size, math.ceil((high - origin) / step + 0.5))
        spans.append((first, last, origin, step))
    (top, bottom, oy, dy), (left, right, ox, dx) = spans
    if bottom <= top or right <= left:
        return None
    reduction = max(1, min((bottom - top) // max(height, 1), (right - left) // max(width, 1)))
    blocks = reduced(values[top:bottom, left:right], reduction)
    rows, cols = blocks.shape
    return DisplayImage(
        pixels=grey(blocks, shown.low, shown.high),
        reduction=reduction,
        x0=ox + (left - 0.5) * dx,
        x1=ox + (left + cols * reduction - 0.5) * dx,
        y0=oy + (top - 0.5) * dy,
        y1=oy + (top + rows * reduction - 0.5) * dy,
        low=shown.low,
        high=shown.high,
    )


def picture_of(image: xr.Dataset) -> NDArray[np.float32]:
    """Return what is shown of the group `image`: flattened where that was done."""
    return np.asarray(image["flattened" if "flattened" in image else "intensity"].values, dtype=np.float32)


def reduced(values: NDArray[np.float32], reduction: int) -> NDArray[np.float32]:
    """Return the means of blocks of `reduction` x `reduction` px; what does not fill a block is left out."""
    if reduction == 1:
        return values
    rows, cols = (size // reduction for size in values.shape)
    blocks = values[: rows * reduction, : cols * reduction].reshape(rows, reduction, cols, reduction)
    # Several times as fast as `mean` over both axes, whose inner loop would have the length of a block.
    means = np.zeros((rows, cols), np.float32)
    for row, col in np.ndindex(reduction, reduction):
        means += blocks[:, row, :, col]
    means /= reduction**2
    return means


def step_of(coordinate: NDArray[Any]) -> float:
    """Return the distance of two pixels along a coordinate of an image; 1 where there is but one."""
    return float((coordinate[-1] - coordinate[0]) / (len(coordinate) - 1)) if len(coordinate) > 1 else 1.0


def _column(points: xr.Dataset | None, name: str) -> NDArray[np.float32]:
    return np.asarray([] if points is None else points[name].values, dtype=np.float32)


def _motifs(found: xr.Dataset | None, label: NDArray[np.int32], kind: str) -> tuple[Motif, ...]:
    if found is None or "name" not in found:
        return ()
    names = [str(name) for name in found["name"].values]
    colors = color_list(found, f"{'an' if kind == 'anchor' else 'a'} {kind}", len(names))
    counts = np.bincount(label[label >= 0], minlength=len(names))
    return tuple(Motif(name, color, int(count)) for name, color, count in zip(names, colors, counts))


def _patch_size(groups: dict[str, xr.Dataset]) -> float | None:
    for name in ("features", "patch"):
        size = groups[name].attrs.get("patch_size") if name in groups else None
        if size is not None and np.isfinite(size):
            return float(size)
    return None


def parameters(data: xr.DataTree) -> dict[str, dict[str, Any]]:
    """Return the parameters of every step that has left them in its group.

    Examples
    --------
    >>> import xarray as xr
    >>> motifs = xr.Dataset(attrs={"parameters": '{"detail": 1.0}'})
    >>> parameters(xr.DataTree.from_dict({"motifs": motifs}))
    {'motifs': {'detail': 1.0}}
    """
    found = {}
    for name, node in data.children.items():
        text = node.attrs.get("parameters")
        values = json.loads(text) if text else None
        if isinstance(values, dict) and values:
            found[str(name)] = values
    return found
