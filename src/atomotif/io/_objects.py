"""Images in memory: arrays, xarray's and, by duck typing, HyperSpy's."""

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.io._formats import axes_scale, axis_roles
from atomotif.io._raw import RawImage, guess_axes

# Coordinates made by adding up a step differ from uniform ones by their rounding.
_UNIFORM = 1e-3


def from_object(obj: Any) -> tuple[RawImage, dict[str, Any]]:
    """Return what `obj` holds, and the attributes that stay with it."""
    if isinstance(obj, xr.Dataset):
        if "intensity" not in obj:
            raise ValueError(
                f"`image` must have a variable 'intensity' where it is a Dataset, got {list(obj.data_vars)}."
            )
        obj = obj["intensity"].assign_attrs(obj.attrs)
    if isinstance(obj, xr.DataArray):
        return _from_dataarray(obj), dict(obj.attrs)
    if hasattr(obj, "axes_manager") and hasattr(obj, "data"):
        return _from_signal(obj), {}
    _refuse_masked(obj)
    try:
        data = np.asarray(obj)
    except ValueError as error:
        raise ValueError(f"`image` must have rows of equal length, got {type(obj).__name__}.") from error
    return RawImage(data, guess_axes(data)), {}


def _refuse_masked(data: Any) -> None:
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        raise ValueError(
            f"`image` must not have masked values, got {int(np.count_nonzero(np.ma.getmaskarray(data)))}; "
            "fill them first, for instance with the median of their surroundings."
        )


def _from_dataarray(array: xr.DataArray) -> RawImage:
    data: NDArray[Any] = np.asarray(array.values)
    axes = guess_axes(data)
    names = [str(dim) for dim in array.dims]
    if "y" in names and "x" in names:
        axes = tuple(
            name if name in ("y", "x") else "channel" if name in ("channel", "band", "rgb") else "frame"
            for name in names
        )
    y, x = names[axes.index("y")], names[axes.index("x")]
    steps = [_step(array, dim) for dim in (y, x)]
    own_unit = str(array.attrs.get("units", ""))
    if steps[0] is not None and steps[1] is not None:
        units = [str(array.coords[dim].attrs.get("units", own_unit)) for dim in (y, x)]
        scale, unit = axes_scale((steps[0], steps[1]), (units[0], units[1]))
        return RawImage(data, axes, scale, unit)
    size = array.attrs.get("pixel_size")
    scale, unit = axes_scale((size, size), (own_unit, own_unit))
    return RawImage(data, axes, scale, unit)


def _step(array: xr.DataArray, dim: str) -> float | None:
    """Return the spacing of a dimension's coordinates, if it has any."""
    if dim not in array.coords or array.sizes[dim] < 2:
        return None
    values = np.asarray(array.coords[dim].values)
    if values.dtype.kind not in "iuf":
        raise ValueError(f"`image` must have numbers as coordinates along {dim!r}, got {values.dtype}.")
    values = values.astype(np.float64)
    steps = np.diff(values)
    step = float((values[-1] - values[0]) / (len(values) - 1))
    if not np.isfinite(step) or step == 0 or np.abs(steps - step).max() > _UNIFORM * abs(step):
        raise ValueError(
            f"`image` must have uniform coordinates along {dim!r}, got steps from {steps.min():g} to "
            f"{steps.max():g}; interpolate it to a uniform grid first, or drop them and give `pixel_size`."
        )
    return step


def _from_signal(signal: Any) -> RawImage:
    _refuse_masked(signal.data)
    data = np.asarray(signal.data)
    axes = _signal_axes(signal.axes_manager, data.ndim)
    names = [str(getattr(axis, "name", "")) for axis in axes]
    roles = axis_roles(names, [bool(getattr(axis, "navigate", False)) for axis in axes])
    if data.dtype.names:  # HyperSpy keeps colours as structures (R, G, B)
        data = np.stack([data[name] for name in data.dtype.names], axis=-1)
        roles = (*roles, "channel")
    y, x = axes[roles.index("y")], axes[roles.index("x")]
    scale, unit = axes_scale(
        (getattr(y, "scale", None), getattr(x, "scale", None)),
        (str(getattr(y, "units", "")), str(getattr(x, "units", ""))),
    )
    general = getattr(getattr(signal, "metadata", None), "General", None)
    return RawImage(data, roles, scale, unit, str(getattr(general, "title", "")))


def _signal_axes(manager: Any, ndim: int) -> list[Any]:
    """Return the axes in the order of the array's, which is not the order of HyperSpy's index."""
    if hasattr(manager, "signal_axes") and hasattr(manager, "navigation_axes"):
        axes = [*manager.navigation_axes[::-1], *manager.signal_axes[::-1]]
    else:
        axes = [manager[index] for index in range(ndim)]
    if len(axes) != ndim or ndim < 2:
        raise ValueError(f"`image` must have two axes (rows, cols), got {len(axes)} axes.")
    return sorted(axes, key=lambda axis: int(getattr(axis, "index_in_array", 0)))
