"""Simulated micrographs that come with the package, and their truth."""

import json

import numpy as np
import xarray as xr

from atomotif.datasets._bundled import load
from atomotif.io.readers import to_dataarray


def image_of(name: str, attrs: dict[str, str]) -> xr.DataArray:
    """Return the image of a bundled file, with what it is."""
    data = load(f"{name}.npz")
    image = to_dataarray(data["image"], pixel_size=float(data["pixel_size_nm"]))
    image.attrs |= attrs
    return image


def truth_of(name: str, attrs: dict[str, str]) -> xr.Dataset:
    """Return the true columns of a bundled file: `row`, `col`, `label`, `motif`, `visible` and names."""
    data = load(f"{name}.npz")
    positions = data["positions_xy_px"].astype(np.float64)
    return xr.Dataset(
        {
            "row": ("point", positions[:, 1]),
            "col": ("point", positions[:, 0]),
            "label": ("point", data["labels"].astype(np.int64)),
            "motif": ("point", data["motif_labels"].astype(np.int64)),
            "visible": ("point", data["visible"]),
            "label_name": ("kind", np.array(json.loads(str(data["label_names"])))),
            "motif_name": ("motif_kind", np.array(json.loads(str(data["motif_label_names"])))),
        },
        attrs=attrs,
    )
