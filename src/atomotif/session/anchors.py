"""What `session.anchors` shows."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from atomotif.session.named import NamedSets

if TYPE_CHECKING:
    import pandas as pd


class Anchors(NamedSets):
    """The anchors of a continuous sample: a look at its group `anchors`, and what can be changed of them."""

    kind = "anchors"

    @property
    def weights(self) -> xr.DataArray:
        """By how much each point is like each anchor, dims (point, anchor): 0 to 1, 1 together.

        NaN for points whose patch is not whole.
        """
        return self._group["weight"].assign_coords(name=self._group["name"])

    def table(self) -> "pd.DataFrame":
        """Return name, colour, exemplar, number and share of the nearest points, mean weight of all points.

        Returns
        -------
        pandas.DataFrame
            One row an anchor.

        Examples
        --------
        >>> list(session.find_anchors().anchors.table().columns)
        ['name', 'color', 'anchor_id', 'count', 'share', 'weight']
        """
        counts = self._group["count"].values
        return (
            self._group[["name", "color", "anchor_id", "count"]]
            .to_dataframe()
            .assign(share=counts / max(counts.sum(), 1), weight=np.nanmean(self._group["weight"].values, 0))
        )

    def __repr__(self) -> str:
        return "Anchors: " + ", ".join(f"{name} {count}" for name, count in self.counts.items())
