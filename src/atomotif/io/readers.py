"""From a file or an object in memory to an image with physical coordinates."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import as_image
from atomotif.io._arrays import read_npy, read_npz
from atomotif.io._formats import READERS, read_format
from atomotif.io._objects import from_object
from atomotif.io._raster import read_raster
from atomotif.io._raw import RawImage, choose_plane
from atomotif.io._tiff import read_tiff
from atomotif.io.units import canonical_unit, pixel_size_in, to_nm

_RASTERS = ("bmp", "gif", "jpeg", "jpg", "png", "webp")
_CORE = {"npy": read_npy, "tif": read_tiff, "tiff": read_tiff} | dict.fromkeys(_RASTERS, read_raster)
# Beyond this difference between height and width, distances measured in px would be wrong by as much.
_SQUARE_TOLERANCE = 0.005
# The least steps of brightness that float32 must keep over an image's range (16 bits of a camera).
_LEVELS = 65536

Pick = int | tuple[int, ...] | None


def read(
    path: str | Path,
    *,
    pixel_size: float | str | None = None,
    units: str | None = None,
    frame: Pick = None,
    channel: int | str | tuple[int, ...] | None = None,
    key: str | None = None,
) -> xr.DataArray:
    """Read a micrograph.

    `.npy`, `.npz`, TIFF, PNG and JPEG are read by the core; DM3, DM4, EMD, MRC, SER and more by
    RosettaSciIO: ``pip install "atomotif[formats]"``.

    Parameters
    ----------
    path : str or Path
        The file.
    pixel_size : float or str, optional
        Size of a pixel, a number in `units` (nm if not given) or a length such as "12.7 pm". By default
        the file's own: TIFF tags (OME, ImageJ, FEI, Digital Micrograph, resolution), the calibration of
        a microscope's format, `pixel_size_nm` in an `.npz`. PNG and JPEG have none.
    units : str, optional
        The unit of `pixel_size`, or of the file's own scale where that has no unit or a wrong one. "px"
        forgets the calibration.
    frame : int or tuple of int, optional
        Which image of a stack; a tuple where the stack has several axes.
    channel : int, str or tuple of int, optional
        Which colour, detector or energy; for a file with several images, which by number or title. A
        colour image with equal colours is grey and needs no choice.
    key : str, optional
        Which array of an `.npz`.

    Returns
    -------
    DataArray of float32, dims (y, x)
        Coordinates `y` and `x` are the pixel size times the index, origin top left. `attrs`:
        `pixel_size` (float), `units` ("nm", or "px" where no pixel size is known, which is 1 then),
        `source` (name of the file), `title` where the file has one, and `intensity_offset` where that
        was subtracted because float32 could not hold the image's range on top of it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ImportError
        If the format needs RosettaSciIO and it is not installed.
    ValueError
        If the file is empty, truncated or of an unknown kind; if it is a stack or in colour and nothing
        was chosen; if a value is not finite; if pixels are not square by more than 0.5 % (resample the
        image first, or give `pixel_size`); if its axes are not lengths.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "image.npy")
    ...     np.save(file, np.arange(64.0).reshape(8, 8))
    ...     image = read(file, pixel_size="12.7 pm")
    >>> image.attrs
    {'pixel_size': 0.0127, 'units': 'nm', 'source': 'image.npy'}
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(f"`path` must be a file, got the directory {str(path)!r}.")
    if not path.exists():
        raise FileNotFoundError(f"`path` must be a file that exists, got {str(path)!r}.")
    if path.stat().st_size == 0:
        raise ValueError(f"`path` must be an image, got the empty file {str(path)!r}.")
    extension = path.suffix.lower().removeprefix(".")
    if key is not None and extension != "npz":
        raise ValueError(f"`key` must be left out except for .npz files, got {key!r} for {path.name!r}.")
    try:
        if extension in READERS:
            picks_image = isinstance(channel, int | str)
            raw = read_format(path, extension, channel if picks_image else None)  # type: ignore[arg-type]
            if "channel" not in raw.axes:
                channel = None
        elif extension == "npz":
            raw = read_npz(path, key)
        elif extension in _CORE:
            raw = _CORE[extension](path)
        else:
            raise ValueError(f"its kind is unknown; known are {', '.join(known_extensions())}")
        if isinstance(channel, str):
            raise ValueError(f"`channel` must be a number for this kind of file, got {channel!r}")
        return _to_image(raw, path.name, pixel_size, units, frame, channel)
    except (ValueError, TypeError) as error:
        raise type(error)(f"Cannot read {path.name!r}: {str(error).rstrip('.')}.") from error


def to_dataarray(
    obj: Any,
    *,
    pixel_size: float | str | None = None,
    units: str | None = None,
    frame: Pick = None,
    channel: Pick = None,
) -> xr.DataArray:
    """Return an image in memory as `read` returns one of a file.

    Parameters
    ----------
    obj : array_like, DataArray, Dataset or HyperSpy signal
        Two axes (rows, cols), or more with `frame` or `channel`. The pixel size is taken from a
        DataArray's coordinates where these are uniform, else from its `attrs`; from a HyperSpy
        signal's axes. Of a Dataset, as simulated samples are, its variable `intensity` is taken.
    pixel_size, units, frame, channel
        As for `read`.

    Returns
    -------
    DataArray of float32, dims (y, x)
        As `read` returns; the coordinates start at 0 also where those of `obj` did not. `attrs` of a
        DataArray are kept.

    Raises
    ------
    ValueError
        If it is not an image, or a value is masked or not finite, or coordinates are not uniform.
    TypeError
        If the values are not real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> image = to_dataarray(np.zeros((8, 9)), pixel_size=0.02)
    >>> image.dims, float(image.x[-1]), image.attrs["units"]
    (('y', 'x'), 0.16, 'nm')
    """
    if isinstance(obj, str | Path):
        raise TypeError(f"`image` must be an array, got {obj!r}; read a file with atomotif.read.")
    raw, attrs = from_object(obj)
    image = _to_image(raw, str(attrs.get("source", "memory")), pixel_size, units, frame, channel)
    image.attrs = attrs | image.attrs
    return image


def known_extensions() -> list[str]:
    """Return the file extensions that `read` knows, in alphabetical order.

    Examples
    --------
    >>> known_extensions()[:3]
    ['.ali', '.bcf', '.blo']
    """
    return sorted(f".{extension}" for extension in {*_CORE, *READERS, "npz"})


def _to_image(
    raw: RawImage, source: str, pixel_size: float | str | None, units: str | None, frame: Pick, channel: Pick
) -> xr.DataArray:
    plane = choose_plane(raw, frame, channel)
    values, offset = _as_float32(plane)
    size, unit = _pixel_size(raw, pixel_size, units)
    attrs: dict[str, Any] = {"pixel_size": size, "units": unit, "source": source}
    if raw.title:
        attrs["title"] = raw.title
    if offset:
        attrs["intensity_offset"] = offset
    rows, cols = values.shape
    return xr.DataArray(
        values,
        dims=("y", "x"),
        coords={
            "y": ("y", np.arange(rows) * size, {"units": unit}),
            "x": ("x", np.arange(cols) * size, {"units": unit}),
        },
        name="intensity",
        attrs=attrs,
    )


def _as_float32(plane: NDArray[Any]) -> tuple[NDArray[np.float32], float]:
    """Return the values and what was subtracted from them, which is 0 wherever float32 is fine enough."""
    if plane.dtype.kind in "iuf" and plane.dtype.itemsize >= 4 and plane.size:
        low, high = float(plane.min()), float(plane.max())
        # float32 keeps 24 bits of the largest value; NaN and infinity compare as False and are refused below.
        step = max(abs(low), abs(high)) * 2.0**-23
        if 0 < high - low < step * _LEVELS:
            return as_image(plane - plane.min()), low
    return as_image(plane), 0.0


def _pixel_size(raw: RawImage, pixel_size: float | str | None, units: str | None) -> tuple[float, str]:
    if pixel_size is not None:
        return pixel_size_in(pixel_size, units)
    if raw.scale is None:
        if units is not None and canonical_unit(units) != "px":
            raise ValueError(
                f"`pixel_size` must be given with `units`={units!r}: the image has no scale of its own."
            )
        return 1.0, "px"
    unit = canonical_unit((raw.unit or "px") if units is None else units)
    y, x = (abs(value) for value in raw.scale)
    if unit == "px" or not (0 < y < math.inf and 0 < x < math.inf):
        return 1.0, "px"
    if abs(y - x) > _SQUARE_TOLERANCE * max(y, x):
        larger, smaller = to_nm(max(y, x), unit), to_nm(min(y, x), unit)
        raise ValueError(
            f"pixels must be square within 0.5 %, got {to_nm(y, unit):g} nm (rows) by {to_nm(x, unit):g} nm "
            f"(columns): resample the image to {smaller:g} nm (a factor of {larger / smaller:.4g} along the "
            "coarser axis), or give `pixel_size` to take them as square"
        )
    return to_nm(y if y == x else math.sqrt(y * x), unit), "nm"
