"""What `session.motifs` shows."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


class Motifs:
    """The motifs of a session: a read-only look at its group `motifs`.

    Parameters
    ----------
    group : xr.Dataset
        The group.
    """

    def __init__(self, group: xr.Dataset) -> None:
        self._group = group

    def __len__(self) -> int:
        return int(self._group.sizes["motif"])

    @property
    def names(self) -> list[str]:
        """The names, by label."""
        return [str(name) for name in self._group["name"].values]

    @property
    def counts(self) -> dict[str, int]:
        """Number of points by name."""
        return {name: int(n) for name, n in zip(self.names, self._group["count"].values, strict=True)}

    @property
    def averages(self) -> xr.DataArray:
        """Class averages, dims (motif, v, u), in the units of the image's intensity."""
        return self._group["average"].assign_coords(name=self._group["name"])

    @property
    def deviations(self) -> xr.DataArray:
        """Standard deviation of the patches of each motif, pixel by pixel; dims (motif, v, u)."""
        return self._group["deviation"].assign_coords(name=self._group["name"])

    def ids(self, motif: int | str) -> NDArray[np.int64]:
        """Return the ids of the points of a motif.

        Parameters
        ----------
        motif : int or str
            Its label or its name.

        Returns
        -------
        ndarray of int64

        Raises
        ------
        KeyError
            If there is no such motif.

        Examples
        --------
        >>> ids = session.motifs.ids("M1")
        >>> len(ids) == session.motifs.counts["M1"]
        True
        """
        label = self.names.index(motif) if isinstance(motif, str) and motif in self.names else motif
        if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label < len(self):
            raise KeyError(
                f"`motif` must be a label below {len(self)} or one of {self.names}, got {motif!r}."
            )
        ids: NDArray[np.int64] = self._group["id"].values[self._group["label"].values == label]
        return ids

    def table(self) -> "pd.DataFrame":
        """Return name, colour, count, share and mean confidence of every motif.

        Returns
        -------
        pandas.DataFrame
            One row a motif, by label.

        Examples
        --------
        >>> list(session.motifs.table().columns)
        ['name', 'color', 'count', 'share', 'confidence']
        """
        labels = self._group["label"].values
        confidence = self._group["confidence"].values
        return (
            self._group[["name", "color", "count"]]
            .to_dataframe()
            .assign(
                share=self._group["count"].values / max(len(labels), 1),
                confidence=[
                    float(confidence[labels == k].mean()) if (labels == k).any() else 0.0
                    for k in range(len(self))
                ],
            )
        )

    def __repr__(self) -> str:
        return "Motifs: " + ", ".join(f"{name} {count}" for name, count in self.counts.items())
