"""TIFF by tifffile, with the calibrations that microscopes and ImageJ write into its tags."""

import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from atomotif.io._raw import RawImage

# Digital Micrograph's own tags: names of the units and sizes of a pixel along x and y.
_DM_UNITS = (65003, 65004)
_DM_SCALES = (65009, 65010)
# A pixel of a micrometre resolves no atom: such a resolution is a printer's (72 dpi is 353 µm).
_COARSEST_NM = 1000.0
_NM_PER_RESOLUTION_UNIT = {2: 2.54e7, 3: 1e7}


def read_tiff(path: Path) -> RawImage:
    """Read the first series of pages that is an image."""
    try:
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[0]
            data = series.asarray()
            axes = tuple(_role(letter) for letter in series.axes)
            page: Any = series.keyframe
            data, axes = _as_displayed(data, axes, page, tiff)
            scale, unit = _calibration(tiff, page)
    except Exception as error:
        # A bad byte leads to struct.error, zlib.error, KeyError, ...: tifffile promises no one error.
        detail = f"{type(error).__name__}: {error}"
        raise ValueError(f"it is truncated or not a TIFF file that can be read ({detail})") from error
    return RawImage(data, axes, scale, unit)


def _role(letter: str) -> str:
    if letter in "YX":
        return letter.lower()
    return "channel" if letter in "SC" else "frame"


def _as_displayed(
    data: NDArray[Any], axes: tuple[str, ...], page: Any, tiff: Any
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Undo inverted grey and look up a palette; ImageJ's lookup tables only colour the display."""
    photometric = int(page.photometric)
    if photometric == int(tifffile.PHOTOMETRIC.MINISWHITE) and data.dtype.kind == "u":
        return np.iinfo(data.dtype).max - data, axes
    is_palette = photometric == int(tifffile.PHOTOMETRIC.PALETTE)
    if is_palette and not tiff.is_imagej and page.colormap is not None:
        return np.moveaxis(np.asarray(page.colormap)[:, data], 0, -1), (*axes, "channel")
    return data, axes


def _calibration(tiff: Any, page: Any) -> tuple[tuple[float, float] | None, str | None]:
    """Return the size of a pixel along (y, x) and its unit from the most telling of the tags."""
    for source in (_from_ome, _from_fei, _from_dm, _from_resolution):
        found = source(tiff, page)
        if found is not None:
            return found
    return None, None


_Found = tuple[tuple[float, float], str] | None


def _from_ome(tiff: Any, _page: Any) -> _Found:
    if not tiff.is_ome:
        return None
    for element in ElementTree.fromstring(tiff.ome_metadata).iter():
        if element.tag.endswith("Pixels") and "PhysicalSizeX" in element.attrib:
            size = element.attrib
            x = float(size["PhysicalSizeX"])
            y = float(size.get("PhysicalSizeY", x))
            # The OME schema's default.
            return (y, x), size.get("PhysicalSizeXUnit", "µm")
    return None


def _from_fei(tiff: Any, _page: Any) -> _Found:
    scan = (tiff.fei_metadata or {}).get("Scan", {})
    if "PixelWidth" not in scan:
        return None
    return (float(scan.get("PixelHeight", scan["PixelWidth"])), float(scan["PixelWidth"])), "m"


def _from_dm(_tiff: Any, page: Any) -> _Found:
    if any(tag not in page.tags for tag in (*_DM_UNITS, *_DM_SCALES)):
        return None
    x, y = (float(page.tags[tag].value) for tag in _DM_SCALES)
    unit = str(page.tags[_DM_UNITS[0]].value).replace("\x00", "")
    return (y, x), unit


def _from_resolution(tiff: Any, page: Any) -> _Found:
    tags = page.tags
    if "XResolution" not in tags:
        return None
    x = _pixel_from(tags["XResolution"].value)
    y = _pixel_from(tags["YResolution"].value) if "YResolution" in tags else x
    if x is None or y is None:
        return None
    imagej_unit = (tiff.imagej_metadata or {}).get("unit") if tiff.is_imagej else None
    if imagej_unit:
        return (y, x), str(imagej_unit)
    code = int(tags["ResolutionUnit"].value) if "ResolutionUnit" in tags else 2
    nm = _NM_PER_RESOLUTION_UNIT.get(code)
    if nm is None or max(x, y) * nm > _COARSEST_NM:
        return None
    return (y * nm, x * nm), "nm"


def _pixel_from(resolution: Any) -> float | None:
    """Return units per pixel from the tag's fraction of pixels per unit."""
    pixels, units = resolution if isinstance(resolution, tuple) else (resolution, 1)
    if not (pixels and units and math.isfinite(pixels) and math.isfinite(units)):
        return None
    return float(units) / float(pixels)
