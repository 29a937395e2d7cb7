"""What `session.grains` shows."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


class Grains:
    """The grains of a session, the largest first: a look at its group `grains`.

    Parameters
    ----------
    group : xr.Dataset
        The group.
    """

    def __init__(self, group: xr.Dataset) -> None:
        self._group = group

    def __len__(self) -> int:
        return int(self._group.sizes["grain_"])

    def table(self) -> "pd.DataFrame":
        """Return count and mean angle of every grain, with its error, in degrees.

        Examples
        --------
        >>> list(session.find_grains().grains.table().columns)
        ['count', 'angle', 'angle_error']
        """
        from atomotif.export.grains import grains_table

        return grains_table(self._group)

    def misorientations(self) -> "pd.DataFrame":
        """Return by how much neighbouring grains are turned against each other, in degrees.

        Examples
        --------
        >>> list(session.find_grains().grains.misorientations().columns)
        ['grain_a', 'grain_b', 'misorientation', 'misorientation_error']
        """
        from atomotif.export.grains import misorientations_table

        return misorientations_table(self._group)

    def ids(self, grain: int) -> NDArray[np.int64]:
        """Return the ids of the points of a grain; of those of none with -1.

        Raises
        ------
        KeyError
            If there is no such grain.

        Examples
        --------
        >>> zoom = session.branch("grain 0", ids=session.find_grains().grains.ids(0))
        >>> len(zoom.columns) == len(session.grains.ids(0))
        True
        """
        whole = isinstance(grain, int | np.integer) and not isinstance(grain, bool)
        if not (whole and -1 <= grain < len(self)):
            raise KeyError(f"`grain` must be a number below {len(self)} or -1, got {grain!r}.")
        return np.asarray(self._group["id"].values[self._group["grain"].values == grain], np.int64)

    def __repr__(self) -> str:
        counts = ", ".join(map(str, self._group["count"].values[:12].tolist()))
        more = ", ..." if len(self) > 12 else ""
        return f"{len(self)} grains of {counts}{more} points" if len(self) else "no grains"
