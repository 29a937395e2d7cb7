"""What `session.domains` shows."""

from typing import TYPE_CHECKING

from atomotif.session.named import PointSets

if TYPE_CHECKING:
    import pandas as pd


class Domains(PointSets):
    """The domains of a continuous sample: a look at its group `domains`.

    They are called by their anchor and a number, as in "A0 #3".
    """

    dim = "domain_"
    member = "domain"

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
