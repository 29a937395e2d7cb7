"""Microscopes' own formats by RosettaSciIO, which is GPL-3: an extra, imported when such a file is read."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from atomotif.io._raw import RawImage
from atomotif.io.units import canonical_unit

# Which of RosettaSciIO's readers takes which file. Not all of them are here: some hold no images, and
# its netCDF reader evaluates text of the file as Python, and that of zspy needs zarr 2.
READERS = {
    "ali": "mrc",
    "bcf": "bruker",
    "blo": "blockfile",
    "de5": "emd",
    "dm3": "digitalmicrograph",
    "dm4": "digitalmicrograph",
    "emd": "emd",
    "emi": "tia",
    "hspy": "hspy",
    "mib": "quantumdetector",
    "mrc": "mrc",
    "nxs": "nexus",
    "prz": "pantarhei",
    "rpl": "ripple",
    "ser": "tia",
    "sur": "digitalsurf",
    "tvips": "tvips",
    "unf": "semper",
}


def read_format(path: Path, extension: str, image: int | str | None = None) -> RawImage:
    """Read a file of a microscope's own format.

    Parameters
    ----------
    path : Path
        The file.
    extension : str
        Its extension in lower case without the dot, a key of `READERS`.
    image : int or str, optional
        Which of several images of the file, by its place or its title (a detector's name).

    Raises
    ------
    ImportError
        If RosettaSciIO is not installed.
    ValueError
        If the file cannot be read, or holds several images and `image` names none of them.
    """
    reader = format_reader(extension)
    try:
        signals = reader.file_reader(str(path))
    except Exception as error:
        # The readers raise whatever a bad byte leads to: struct.error, KeyError, AssertionError, ...
        raise ValueError(
            f"it is truncated or not a {extension.upper()} file ({type(error).__name__}: {error})"
        ) from error
    images = [signal for signal in signals if np.ndim(signal["data"]) >= 2]
    if not images:
        raise ValueError(f"it holds no image, only {len(signals)} signals of less than two axes")
    return signal_image(_chosen(images, image))


def format_reader(extension: str) -> ModuleType:
    """Return RosettaSciIO's module for files with this extension, a key of `READERS`."""
    try:
        return importlib.import_module(f"rsciio.{READERS[extension]}")
    except ImportError as error:
        raise ImportError(
            f"`.{extension}` files need RosettaSciIO, which cannot be imported ({error}): "
            'pip install "atomotif[formats]"'
        ) from None


def _chosen(images: list[dict[str, Any]], image: int | str | None) -> dict[str, Any]:
    titles = [_title(signal) for signal in images]
    if len(images) == 1 and not isinstance(image, str):
        return images[0]
    if isinstance(image, str) and titles.count(image) == 1:
        return images[titles.index(image)]
    if isinstance(image, int) and -len(images) <= image < len(images):
        return images[image]
    listed = ", ".join(f"{index} = {title!r}" for index, title in enumerate(titles))
    raise ValueError(f"`channel` must name one of the {len(images)} images, by number or title: {listed}.")


def _title(signal: dict[str, Any]) -> str:
    return str(signal.get("metadata", {}).get("General", {}).get("title", ""))


def signal_image(signal: dict[str, Any]) -> RawImage:
    """Return the image of a signal as RosettaSciIO describes one: a dict of data, axes and metadata."""
    data = np.asarray(signal["data"])
    axes = sorted(signal["axes"], key=lambda axis: int(axis.get("index_in_array", 0)))
    roles = axis_roles(
        [str(axis.get("name", "")) for axis in axes], [bool(axis.get("navigate", False)) for axis in axes]
    )
    if data.dtype.names:  # an RGB image is an array of structures (R, G, B)
        data = np.stack([data[name] for name in data.dtype.names], axis=-1)
        roles = (*roles, "channel")
    y, x = axes[roles.index("y")], axes[roles.index("x")]
    scale, unit = axes_scale(
        (y.get("scale"), x.get("scale")), (str(y.get("units", "")), str(x.get("units", "")))
    )
    return RawImage(data, roles, scale, unit, _title(signal))


def axis_roles(names: list[str], navigate: list[bool]) -> tuple[str, ...]:
    """Return what each axis is, given HyperSpy's names and whether one navigates among signals.

    A stack of images navigates among images; a spectrum image navigates over y and x and has energies at
    each place, which are channels then.

    Examples
    --------
    >>> axis_roles(["time", "y", "x"], [True, False, False])
    ('frame', 'y', 'x')
    >>> axis_roles(["y", "x", "Energy"], [True, True, False])
    ('y', 'x', 'channel')
    """
    moving = [axis for axis, moves in enumerate(navigate) if moves]
    still = [axis for axis, moves in enumerate(navigate) if not moves]
    plane = (
        still[-2:]
        if len(still) >= 2
        else moving[-2:]
        if len(moving) >= 2
        else [len(names) - 2, len(names) - 1]
    )
    if len(names) == 2:
        plane = [0, 1]
    y, x = plane
    if names[y].lower() in ("x", "width") and names[x].lower() in ("y", "height"):
        y, x = x, y
    rest = "frame" if len(still) >= 2 else "channel"
    return tuple("y" if axis == y else "x" if axis == x else rest for axis in range(len(names)))


def axes_scale(
    scales: tuple[Any, Any], units: tuple[str, str]
) -> tuple[tuple[float, float] | None, str | None]:
    """Return the size of a pixel along (y, x) and one unit for both, or None for an uncalibrated image."""
    if any(not isinstance(scale, int | float | np.integer | np.floating) for scale in scales):
        return None, None
    try:
        y_unit, x_unit = canonical_unit(units[0]), canonical_unit(units[1])
    except ValueError:
        # The reader of the file says what is wrong with it, unless the user gives a pixel size.
        return (float(scales[0]), float(scales[1])), units[0]
    if y_unit != x_unit:
        raise ValueError(f"its axes are in different units, {units[0]!r} and {units[1]!r}")
    return (None, None) if y_unit == "px" else ((float(scales[0]), float(scales[1])), y_unit)
