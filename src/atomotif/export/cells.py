"""Shapes of Voronoi cells as a table."""

import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import xarray as xr


def cell_shapes_table(data: xr.DataTree) -> pd.DataFrame:
    """Return size and shape of every Voronoi cell, against the mean cell (paper, fig. S17).

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `cells`, made with `cells="voronoi"`.

    Returns
    -------
    pandas.DataFrame
        Index `cell`; `id` of the point in it that it belongs to, its `motif`, `y` and `x` of the cell's
        middle, `border` (cut by the edge: all that follows is NaN), number of `sides`, `area`, `area_excess`,
        `side_excess` and `angle_excess` (of the side and of the interior angle, in degrees, that depart most
        from the mean cell's), and `distortion` (root mean square distance of the corners from those of the
        mean cell, over the square root of its area). The last three are NaN for a cell with another number
        of sides than most.

    Raises
    ------
    ValueError
        If the cells are those of a lattice.
    """
    group = data["cells"].to_dataset()
    if "distortion" not in group:
        raise ValueError('there are no shapes of cells of a lattice: run `find_cells(cells="voronoi")`.')
    points, motifs = data["points"].to_dataset(), data["motifs"].to_dataset()
    names = [*(str(name) for name in motifs["name"].values), ""]
    label = motifs["label"].values[np.searchsorted(points["id"].values, group["seed"].values)]
    inner = ~group["border"].values
    return pd.DataFrame(
        {
            "id": group["seed"].values,
            "motif": [names[one] for one in label],
            "y": group["y"].values,
            "x": group["x"].values,
            "border": group["border"].values,
            "sides": np.diff(group["corner_offset"].values),
            "area": np.where(inner, group["area"].values, np.nan),
            "area_excess": group["area_excess"].values,
            "side_excess": _largest(group["side"].values),
            "angle_excess": np.degrees(_largest(group["interior_angle"].values)),
            "distortion": group["distortion"].values,
        },
        index=pd.RangeIndex(len(inner), name="cell"),
    )


def _largest(values: np.ndarray) -> np.ndarray:
    """Return of every row the value farthest from 0, NaN for a row of NaN."""
    at = np.argmax(np.nan_to_num(np.abs(values)), axis=1)
    return np.asarray(values[np.arange(len(values)), at])
