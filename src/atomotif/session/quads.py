"""What `session.quads` shows."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


class Quads:
    """The quads of pentagons of a session: a look at its group `quads`.

    Parameters
    ----------
    data : xr.DataTree
        The session's data.

    Examples
    --------
    >>> cell = np.array([[6.8, 18.2], [18.2, 43.2], [43.2, 31.8], [31.8, 6.8]])
    >>> centers = np.concatenate([cell + [50 * i, 50 * j] for i in range(5) for j in range(5)])
    >>> labels = (centers[:, 1] > 125).astype(int)  # filled on the right
    >>> session = session.set_points(centers).set_motifs(labels, ["empty", "filled"])
    >>> quads = session.find_quads(empty="empty", filled="filled", n_draws=99).quads
    >>> quads
    41 quads of pentagons in 3 states, 25 squares of four quads in 5
    >>> quads.table()[["drawing", "count"]].values.tolist()[:3]
    [['○○/○○', 18], ['●●/●●', 18], ['○●/○●', 5]]
    >>> quads.entropies()["p"].round(2)[0], len(quads.growth()), len(quads.ids(2, state=9))
    (np.float64(0.01), 41, 20)
    """

    def __init__(self, data: xr.DataTree) -> None:
        self._data = data
        self._group = data["quads"].to_dataset()

    def __len__(self) -> int:
        return int(self._group.sizes["quad"])

    def pentagons(self) -> "pd.DataFrame":
        """Return motifs, count and share of the empty, partly filled and filled pentagons (level 1)."""
        from atomotif.export.quads import pentagons_table

        return pentagons_table(self._data)

    def table(self, level: int = 2, sublattice: int | None = None) -> "pd.DataFrame":
        """Return how often each state occurs, the most frequent first.

        Parameters
        ----------
        level : {2, 3}, default 2
            Quads, or squares of four quads.
        sublattice : {0, 1}, optional
            By default both. Each pentagon is in quads of both; those of one have no pentagon in common.

        Returns
        -------
        pandas.DataFrame
            Index `state`; `drawing` (as in "●○/○●", rows from the top), `count`, `share`, `coverage` (the sum
            of the shares down to here) and `field` (share of all pentagons in the states down to here).

        Raises
        ------
        ValueError
            If there is no such level or sublattice.
        """
        from atomotif.export.quads import quads_table

        return quads_table(self._data, level, sublattice)

    def entropies(self) -> "pd.DataFrame":
        """Return the configurational entropies of every level and sublattice in bits, against chance.

        `p` tells whether the entropy is farther from that of permuted labels than chance makes it; `equal` is
        no test of order, see `atomotif.export.quads.entropies_table`.
        """
        from atomotif.export.quads import entropies_table

        return entropies_table(self._data)

    def growth(self, level: int = 2, sublattice: int | None = None) -> "pd.DataFrame":
        """Return the number of distinct states against the number of quads or squares looked at.

        A curve that flattens has seen its states (paper, figs S20 and S26). Parameters and errors as of
        `table`.
        """
        from atomotif.export.quads import growth_table

        return growth_table(self._data, level, sublattice)

    def ids(self, level: int, state: int, sublattice: int | None = None) -> NDArray[np.int64]:
        """Return the ids of the pentagons' centres in all motifs of a state, as for `session.selection`.

        Parameters
        ----------
        level : {2, 3}
        state : int
            0 to 15 on level 2, 0 to 65,535 on level 3; -1 for those with a partly filled pentagon.
        sublattice : {0, 1}, optional
            By default both.

        Returns
        -------
        ndarray of int64
            Sorted and unique; empty for a state that does not occur.

        Raises
        ------
        ValueError
            If there is no such level, state or sublattice.
        """
        if level not in (2, 3):
            raise ValueError(f"`level` must be 2 or 3, got {level!r}.")
        if sublattice not in (None, 0, 1):
            raise ValueError(f"`sublattice` must be 0, 1 or None, got {sublattice!r}.")
        limit = 16 if level == 2 else 65536
        if isinstance(state, bool) or not isinstance(state, int | np.integer) or not -1 <= state < limit:
            raise ValueError(f"`state` must be a whole number of -1 to {limit - 1}, got {state!r}.")
        kind = "quad" if level == 2 else "square"
        rows = self._group[f"{kind}_state"].values == state
        if sublattice is not None:
            rows &= self._group[f"{kind}_sublattice"].values == sublattice
        return np.unique(self._group[f"{kind}_id"].values[rows].astype(np.int64))

    def __repr__(self) -> str:
        return (
            f"{len(self)} quads of pentagons in {len(self.table())} states, "
            f"{self._group.sizes['square']} squares of four quads in {len(self.table(3))}"
        )
