"""Grains as tables."""

import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import xarray as xr


def grains_table(grains: xr.Dataset) -> pd.DataFrame:
    """Return one row a grain.

    Parameters
    ----------
    grains : xr.Dataset
        The group `grains` of a session.

    Returns
    -------
    pandas.DataFrame
        Index `grain`; `count` (points), `angle` and `angle_error` (degrees from x towards y, known up to the
        fold-th part of a turn, which is in ``attrs["fold"]``).

    Examples
    --------
    >>> group = session.find_grains().data["grains"].to_dataset()
    >>> grains_table(group).attrs
    {'fold': 6, 'units': 'deg'}
    """
    table = pd.DataFrame(
        {
            "count": grains["count"].values,
            "angle": grains["grain_angle"].values,
            "angle_error": grains["grain_angle_error"].values,
        },
        index=pd.RangeIndex(grains.sizes["grain_"], name="grain"),
    )
    table.attrs = {"fold": int(grains.attrs["fold"]), "units": "deg"}
    return table


def misorientations_table(grains: xr.Dataset) -> pd.DataFrame:
    """Return one row a pair of neighbouring grains.

    Parameters
    ----------
    grains : xr.Dataset
        The group `grains` of a session.

    Returns
    -------
    pandas.DataFrame
        `grain_a`, `grain_b`; `misorientation`, the angle of b less that of a, and `misorientation_error`, in
        degrees.

    Examples
    --------
    >>> group = session.find_grains().data["grains"].to_dataset()
    >>> len(misorientations_table(group))
    0
    """
    table = pd.DataFrame(
        {
            "grain_a": grains["pair"].values[:, 0],
            "grain_b": grains["pair"].values[:, 1],
            "misorientation": grains["misorientation"].values,
            "misorientation_error": grains["misorientation_error"].values,
        }
    )
    table.attrs = {"fold": int(grains.attrs["fold"]), "units": "deg"}
    return table
