"""Which new point an old one has become, when points are found anew."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atomotif.steps.find_points import positions


def same_places(old: xr.Dataset, new: xr.Dataset) -> bool:
    """Return whether two points groups hold the same positions in the same order."""
    return old.sizes["point"] == new.sizes["point"] and bool(np.array_equal(positions(old), positions(new)))


def carry_ids(ids: NDArray[np.int64], old: xr.Dataset, new: xr.Dataset) -> NDArray[np.int64]:
    """Return the ids of the new points nearest to the old ones of these ids.

    Parameters
    ----------
    ids : ndarray of int64
        Ids of `old`.
    old, new : xr.Dataset
        Points groups.

    Returns
    -------
    ndarray of int64
        Sorted and unique. An old point without a new one within half a nearest-neighbour distance is
        left out.
    """
    if not len(ids):
        return ids
    before, after = positions(old), positions(new)
    reach = 0.5 * float(np.median(cKDTree(before).query(before, k=2)[0][:, 1]))
    distance, nearest = cKDTree(after).query(before[np.isin(old["id"].values, ids)])
    carried: NDArray[np.int64] = np.unique(new["id"].values[nearest[distance <= reach]])
    return carried
