"""Tables of columns, for a spreadsheet or a script."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import xarray as xr

from atomotif.views.data import ViewData


def columns_table(data: xr.DataTree) -> pd.DataFrame:
    """Return one row a column of atoms.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `points`. Without motifs the nearest anchor stands for the motif and
        its weight for the confidence; without anchors, too, every label is -1.

    Returns
    -------
    pandas.DataFrame
        `id` (int64), `y`, `x` (float64, in `attrs["units"]` of the table), `motif` (name, missing without
        one), `label` (int64, -1 = none), `confidence` (0 to 1, NaN if unknown), `intensity` (NaN if
        unknown), and where there is a lattice `displacement_y` and `displacement_x` from it.

    Raises
    ------
    ValueError
        If there are no points.

    Examples
    --------
    >>> import xarray as xr
    >>> points = xr.Dataset({"x": ("point", [0.5]), "y": ("point", [0.25])}, {"id": ("point", [7])})
    >>> columns_table(xr.DataTree.from_dict({"points": points}))[["id", "y", "x", "label"]].values.tolist()
    [[7.0, 0.25, 0.5, -1.0]]
    """
    if "points" not in data.children:
        raise ValueError(f"`data` must have the group `points`, got {sorted(data.children) or 'none'}.")
    points = data["points"].to_dataset()
    shown = ViewData.from_tree(data)
    names = np.array([*(motif.name for motif in shown.motifs), None], dtype=object)  # label -1 takes the last
    unknown = np.full(len(shown.ids), np.nan)
    label = shown.label.astype(np.int64)
    table = pd.DataFrame(
        {
            "id": shown.ids,
            "y": np.asarray(points["y"].values, dtype=np.float64),
            "x": np.asarray(points["x"].values, dtype=np.float64),
            "motif": names[label] if shown.motifs else names[np.full(len(label), -1)],
            "label": label,
            "confidence": shown.confidence.astype(np.float64),
            "intensity": np.asarray(points["intensity"].values, np.float64)
            if "intensity" in points
            else unknown,
        }
    )
    if "strain" in data.children:
        moved = data["strain"].to_dataset()["displacement"]
        table["displacement_y"], table["displacement_x"] = moved.values.T
    table.attrs["units"] = shown.units
    return table


def write_csv(tables: Mapping[str, pd.DataFrame], path: str | Path) -> Path:
    """Write tables of columns of one or several images as one CSV file.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        What `columns_table` gave, by the name of the image.
    path : str or Path
        Where to write; an existing file is replaced.

    Returns
    -------
    Path
        The file written. Its first column is `image`; the unit of length stands in the header, or in a
        column `units` of its own if the images differ in it.

    Examples
    --------
    >>> import tempfile
    >>> import xarray as xr
    >>> points = xr.Dataset({"x": ("point", [0.5]), "y": ("point", [0.25])}, {"id": ("point", [7])})
    >>> table = columns_table(xr.DataTree.from_dict({"points": points}))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_csv({"a.tif": table}, f"{folder}/columns.csv")
    ...     path.read_text().splitlines()
    ['image,id,y (px),x (px),motif,label,confidence,intensity', 'a.tif,7,0.25,0.5,,-1,,']
    """
    units = {table.attrs["units"] for table in tables.values()}
    parts = []
    for image, table in tables.items():
        part = table.copy()
        part.insert(0, "image", image)
        if len(units) == 1:
            lengths = ("y", "x", "displacement_y", "displacement_x")
            part = part.rename(columns={name: f"{name} ({table.attrs['units']})" for name in lengths})
        else:
            part.insert(2, "units", table.attrs["units"])
        parts.append(part)
    target = Path(path)
    # Six significant digits: more than an image resolves, and files that can be compared.
    pd.concat(parts).to_csv(target, index=False, float_format="%.6g")
    return target
