"""What `session.domains` shows."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


class Domains:
    """The domains of a continuous sample: a look at its group `domains`.

    Parameters
    ----------
    group : xr.Dataset
        The group.
    """

    def __init__(self, group: xr.Dataset) -> None:
        self._group = group

    def __len__(self) -> int:
        return int(self._group.sizes["domain_"])

    @property
    def names(self) -> list[str]:
        """The names, by number: that of the anchor, and a number among its domains."""
        return [str(name) for name in self._group["name"].values]

    def ids(self, which: int | str, /) -> NDArray[np.int64]:
        """Return the ids of the points of a domain.

        Parameters
        ----------
        which : int or str
            Its number or its name.

        Returns
        -------
        ndarray of int64

        Raises
        ------
        KeyError
            If there is no such domain.

        Examples
        --------
        >>> domains = session.find_domains().domains
        >>> bool(len(domains.ids(0)) == domains.table()["count"][0])
        True
        """
        number = self.names.index(which) if isinstance(which, str) and which in self.names else which
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not (whole and 0 <= int(number) < len(self)):
            raise KeyError(f"`domain` must be a number below {len(self)} or a domain's name, got {which!r}.")
        return np.asarray(self._group["id"].values[self._group["domain"].values == int(number)], np.int64)

    def table(self) -> "pd.DataFrame":
        """Return name, number of points, area, centre, whether the edge cuts it, and composition.

        Returns
        -------
        pandas.DataFrame
            One row a domain, the largest first. `area` is in squared, `y` and `x` in plain units of the
            image; `share 0`, `share 1`, ... are the shares of its points that are nearest to each anchor.

        Examples
        --------
        >>> list(session.find_domains().domains.table().columns)[:6]
        ['name', 'count', 'area', 'y', 'x', 'at_edge']
        """
        variables = ["name", "count", "area", "y", "x", "at_edge"]
        table = self._group[variables].reset_coords(drop=True).to_dataframe()[variables]
        for number, share in enumerate(self._group["composition"].values.T):
            table[f"share {number}"] = share
        return table

    def parts(self) -> "pd.DataFrame":
        """Return the parts that fill the domains of each anchor (paper, fig. 5E): name and number of points.

        Parts are kinds of columns in one orientation; their average patches are `part_average` of the group
        `domains`.

        Examples
        --------
        >>> list(session.find_domains().domains.parts().columns)
        ['name', 'count']
        """
        parts = self._group[["part_name", "part_count"]].to_dataframe()
        return parts.rename(columns={"part_name": "name", "part_count": "count"})

    def __repr__(self) -> str:
        counts = ", ".join(map(str, self._group["count"].values[:12].tolist()))
        more = ", ..." if len(self) > 12 else ""
        return f"{len(self)} domains of {counts}{more} points" if len(self) else "no domains"
