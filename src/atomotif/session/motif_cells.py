"""What `session.motif_cells` shows."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


class MotifCells:
    """The motif-cells of a session: a look at its group `hierarchy`.

    Parameters
    ----------
    data : xr.DataTree
        The session's data.
    """

    def __init__(self, data: xr.DataTree) -> None:
        self._data = data
        self._group = data["hierarchy"].to_dataset()

    def __len__(self) -> int:
        return int(self._group.sizes["node"])

    def table(self) -> "pd.DataFrame":
        """Return level, count and composition of every motif-cell.

        Examples
        --------
        >>> list(session.motif_cells.table().columns)
        ['level', 'count', 'composition', 'part_of']
        """
        from atomotif.export.hierarchy import motif_cells_table

        return motif_cells_table(self._data)

    def ids(self, node: int) -> NDArray[np.int64]:
        """Return the ids of the points of all occurrences of a motif-cell, as for `session.selection`.

        A site without a column has no point.

        Raises
        ------
        KeyError
            If there is no such motif-cell.

        Examples
        --------
        >>> session.selection = session.motif_cells.ids(0)
        >>> len(session.selection) > 0
        True
        """
        known = self._known(node)
        return np.asarray(self._group["id"].values[self._group["node"].values == known], np.int64)

    def occurrences(self, node: int) -> NDArray[np.float64]:
        """Return where a motif-cell occurs: centres as (y, x) in the units of the image, shape (count, 2).

        Raises
        ------
        KeyError
            If there is no such motif-cell.

        Examples
        --------
        >>> session.motif_cells.occurrences(0).shape[1]
        2
        """
        known = self._known(node)
        starts = self._group["occurrence_offset"].values
        rows = slice(int(starts[known]), int(starts[known + 1]))
        return np.column_stack([self._group[f"occurrence_{axis}"].values[rows] for axis in ("y", "x")])

    def _known(self, node: int) -> int:
        whole = isinstance(node, int | np.integer) and not isinstance(node, bool)
        if not (whole and 0 <= node < len(self)):
            raise KeyError(f"`node` must be a number below {len(self)}, got {node!r}.")
        return int(node)

    def __repr__(self) -> str:
        levels = int(self._group["level"].values.max(initial=0))
        return f"{len(self)} motif-cells of up to {levels} {self._group.attrs['unit']}"
