"""From columns to a sample: the noise-free image of them and the truth about them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_points
from atomotif.datasets.simulate._frame import Frame
from atomotif.io.readers import to_dataarray
from atomotif.numerics.rendering import render_columns

__all__ = ["make_sample"]

_AXES = ("y", "x")


def make_sample(
    frame: Frame,
    reference: ArrayLike,
    intensity: ArrayLike,
    label: ArrayLike,
    *,
    title: str,
    label_names: Sequence[str] | None = None,
    motif: ArrayLike | None = None,
    visible: ArrayLike | None = None,
    truth: Mapping[str, tuple[Sequence[str], ArrayLike]] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Draw columns and list the truth.

    Parameters
    ----------
    frame : Frame
        Pixels, profile and displacement.
    reference : array_like, shape (n, 2)
        (y, x) of all columns before they are displaced, nm; those whose tails reach in from outside too.
    intensity : array_like, shape (n,)
        Factor of the profile.
    label : array_like of str, shape (n,)
        Kind of every column.
    title : str
        What it is, in a few words.
    label_names : sequence of str, optional
        The order of the kinds; by default the alphabet's.
    motif : array_like of str, shape (n,), optional
        Kind with its neighbourhood. By default the kind.
    visible : array_like of bool, shape (n,), optional
        False for a site with nothing in it. By default where `intensity` is above 0.
    truth : mapping of str to (dims, array), optional
        More truth. What has the first dim "point" is listed for the columns in the image.
    attrs : mapping, optional
        What was asked for: only what JSON can hold.

    Returns
    -------
    Dataset
        `intensity` (y, x) float32 with coordinates in nm; on dim point `row`, `col` (float64, px), `label`,
        `motif` (int64), `visible` (bool), `column_intensity` (float64); `label_name` (kind) and `motif_name`
        (motif_kind), only those that occur; all of `truth`. With a displacement also `displacement` (point,
        axis), nm, and `displacement_gradient` (point, axis, derivative): d u_axis / d x_derivative. Columns
        up to half a pixel outside the image are listed.

    Examples
    --------
    >>> sample = make_sample(Frame((16, 16), 0.02), [[0.1, 0.14]], [1.0], ["A"], title="one column")
    >>> sample.row.item(), sample["col"].item(), sample["label_name"].item()
    (5.0, 7.0, 'A')
    """
    ideal, height = as_points(reference, "reference"), np.asarray(intensity, np.float64)
    position = frame.displaced(ideal)
    there = frame.listed(position)
    pixel = position / frame.pixel_size
    drawn = height != 0
    pixels = render_columns(frame.shape, pixel[drawn], height[drawn], frame.pixel_profile)
    image = to_dataarray(pixels, pixel_size=frame.pixel_size)
    image.attrs = {"pixel_size": float(frame.pixel_size), "units": "nm", "title": title}
    kinds = np.asarray(label, str)[there]
    environments = kinds if motif is None else np.asarray(motif, str)[there]
    label_index, label_name = _numbered(kinds, label_names)
    motif_index, motif_name = _numbered(environments, _by_kind(environments, label_index))
    data: dict[str, Any] = {
        "intensity": image,
        "row": ("point", pixel[there, 0]),
        "col": ("point", pixel[there, 1]),
        "label": ("point", label_index),
        "motif": ("point", motif_index),
        "visible": ("point", (height > 0 if visible is None else np.asarray(visible, bool))[there]),
        "column_intensity": ("point", height[there]),
        "label_name": ("kind", label_name),
        "motif_name": ("motif_kind", motif_name),
    }
    coords: dict[str, Any] = {}
    if frame.displacement is not None:
        moved = (position - ideal)[there]
        data["displacement"] = (("point", "axis"), moved, {"units": "nm"})
        data["displacement_gradient"] = (("point", "axis", "derivative"), frame.gradient(ideal[there]))
        coords["derivative"] = list(_AXES)
    for name, (dims, values) in (truth or {}).items():
        array = np.asarray(values)
        data[name] = (tuple(dims), array[there] if dims[0] == "point" else array)
    if any("axis" in value[0] for value in data.values() if isinstance(value, tuple)):
        coords["axis"] = list(_AXES)
    return xr.Dataset(data, coords=coords, attrs=image.attrs | dict(attrs or {}))


def _numbered(
    kinds: NDArray[np.str_], order: Sequence[str] | None
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Return the index of every kind among those that occur, and their names in the given order."""
    names, index = np.unique(kinds, return_inverse=True)
    if order is None:
        return index.astype(np.int64), names
    place = np.array([list(order).index(name) for name in names], np.int64)
    return np.argsort(np.argsort(place))[index].astype(np.int64), names[np.argsort(place)]


def _by_kind(environments: NDArray[np.str_], label: NDArray[np.int64]) -> list[str]:
    """Return the names of the environments in the order of their kinds, then of the alphabet."""
    names, first = np.unique(environments, return_index=True)
    return [str(name) for name in names[np.lexsort((names, label[first]))]]
