"""What `session.environments` shows."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


class Environments:
    """The classes of environments of a session: a look at its group `environments`.

    Parameters
    ----------
    data : xr.DataTree
        The session's data.
    """

    def __init__(self, data: xr.DataTree) -> None:
        self._data = data
        self._group = data["environments"].to_dataset()

    def __len__(self) -> int:
        return int(self._group.sizes["class_"])

    def table(self) -> "pd.DataFrame":
        """Return centre motif, rings, count and share of every class, the most frequent first.

        The share is that among environments of the same centre motif with complete rings.

        Returns
        -------
        pandas.DataFrame
            One row a class; see `atomotif.export.environments.environments_table`.

        Examples
        --------
        >>> session.find_environments(centers="M1", n_shells=1).environments.table()["center"][0]
        'M1'
        """
        from atomotif.export.environments import environments_table

        return environments_table(self._data)

    def ids(self, k: int) -> NDArray[np.int64]:
        """Return the ids of the centres of class `k`, as for `session.selection`.

        Raises
        ------
        KeyError
            If there is no such class.

        Examples
        --------
        >>> found = session.find_environments().environments
        >>> len(found.ids(0)) == int(found.table()["count"][0])
        True
        """
        return np.asarray(self._group["center_id"].values[self._rows(k)], np.int64)

    def members(self, k: int) -> NDArray[np.int64]:
        """Return the ids of all columns of the environments of class `k`: their centres and rings.

        Raises
        ------
        KeyError
            If there is no such class.

        Examples
        --------
        >>> found = session.find_environments().environments
        >>> session.selection = found.members(0)
        >>> set(found.ids(0)) <= set(session.selection)
        True
        """
        rows = self._rows(k)
        n_shells = int(self._group.attrs["n_shells"])
        starts = self._group["ring_offset"].values[:: max(n_shells, 1)]
        ring = self._group["ring_id"].values
        parts = [ring[starts[row] : starts[row + 1]] for row in rows]
        return np.unique(np.concatenate([self.ids(k), *parts]))

    def _rows(self, k: int) -> NDArray[np.int64]:
        whole = isinstance(k, int | np.integer) and not isinstance(k, bool)
        if not (whole and 0 <= k < len(self)):
            raise KeyError(f"`k` must be a class below {len(self)}, got {k!r}.")
        return np.flatnonzero(self._group["class"].values == k)

    def __repr__(self) -> str:
        classed = int((self._group["class"].values >= 0).sum())
        return f"{len(self)} classes of environments, {classed} centres"
