"""What `session.motifs` shows."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.session.commands import Edit, Recolor, Rename

if TYPE_CHECKING:
    import pandas as pd


class Motifs:
    """The motifs of a session: a look at its group `motifs`, and what can be changed of them by hand.

    Parameters
    ----------
    group : xr.Dataset
        The group.
    edit : callable
        Makes an edit of the session.
    """

    def __init__(self, group: xr.Dataset, edit: Callable[[Edit], None]) -> None:
        self._group = group
        self._edit = edit

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
        return self._ids(self._label(motif))

    def _ids(self, label: int) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = self._group["id"].values[self._group["label"].values == label]
        return ids

    def _label(self, motif: int | str) -> int:
        label = self.names.index(motif) if isinstance(motif, str) and motif in self.names else motif
        if isinstance(label, bool) or not isinstance(label, int | np.integer) or not 0 <= label < len(self):
            raise KeyError(
                f"`motif` must be a label below {len(self)} or one of {self.names}, got {motif!r}."
            )
        return int(label)

    def rename(self, motif: int | str, name: str) -> None:
        """Give a motif another name, in all views too; when motifs are found anew, it keeps it.

        Parameters
        ----------
        motif : int or str
            Its label or its name.
        name : str
            Not empty, and no other motif's.

        Raises
        ------
        KeyError
            If there is no such motif.
        TypeError, ValueError
            If the name is not a string, is empty, or another motif has it.

        Examples
        --------
        >>> session.motifs.rename(1, "V_Se")
        >>> session.find_motifs().motifs.names[1]
        'V_Se'
        """
        self._change(Rename, motif, name)

    def recolor(self, motif: int | str, color: str) -> None:
        """Give a motif another colour, in all views too; when motifs are found anew, it keeps it.

        Parameters
        ----------
        motif : int or str
            Its label or its name.
        color : str
            "#rrggbb".

        Raises
        ------
        KeyError
            If there is no such motif.
        ValueError
            If the colour is of another form.

        Examples
        --------
        >>> session.motifs.recolor("M0", "#d55e00")
        """
        self._change(Recolor, motif, color)

    def _change(self, command: type[Edit], motif: int | str, value: str) -> None:
        label = self._label(motif)
        self._edit(command(self.names[label], value, self._ids(label)))

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
