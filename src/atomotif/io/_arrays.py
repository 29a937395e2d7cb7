"""NumPy files: `.npy` and `.npz`, never with pickled objects."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomotif.io._raw import RawImage, guess_axes

# The names that people give to the image among other arrays, in the order of preference.
_IMAGE_NAMES = ("image", "intensity", "img", "data", "arr_0")


def read_npy(path: Path) -> RawImage:
    """Read one array."""
    with path.open("rb") as file:
        try:
            data = np.lib.format.read_array(file, allow_pickle=False)
        except ValueError as error:
            raise _refusal(error) from error
    return RawImage(data, guess_axes(data))


def read_npz(path: Path, key: str | None = None) -> RawImage:
    """Read the array `key`, or the only one that can be an image.

    A scalar `pixel_size_nm` beside it, or `pixel_size` with `units`, is the calibration.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            data = _member(archive, _image_key(archive, key))
            scale, unit = _calibration(archive)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"it is truncated or not an npz file ({error})") from error
    return RawImage(data, guess_axes(data), scale, unit)


def _image_key(archive: Any, key: str | None) -> str:
    names = [str(name) for name in archive.files]
    if key is not None:
        if key not in names:
            raise ValueError(f"`key` must be one of {', '.join(names)}, got {key!r}.")
        return key
    candidates = [name for name in _IMAGE_NAMES if name in names]
    if candidates:
        return candidates[0]
    images = [name for name in names if _member(archive, name).ndim >= 2]
    if len(images) != 1:
        listed = ", ".join(repr(name) for name in names) or "none"
        raise ValueError(f"`key` must name the image, as in key='image'; the arrays are {listed}.")
    return images[0]


def _member(archive: Any, name: str) -> NDArray[Any]:
    try:
        return np.asarray(archive[name])
    except ValueError as error:
        raise _refusal(error) from error


def _calibration(archive: Any) -> tuple[tuple[float, float] | None, str | None]:
    for name, unit in (("pixel_size_nm", "nm"), ("pixel_size", None)):
        if name not in archive.files:
            continue
        value = _member(archive, name)
        if value.size != 1 or value.dtype.kind not in "iuf":
            continue
        if unit is None:
            if "units" not in archive.files:
                continue
            unit = str(_member(archive, "units"))
        return (float(value.item()), float(value.item())), unit
    return None, None


def _refusal(error: ValueError) -> ValueError:
    if "allow_pickle" in str(error) or "Object arrays" in str(error):
        return ValueError("it holds pickled Python objects, which are never loaded: save numbers instead")
    return ValueError(f"it is truncated or not a NumPy file ({error})")
