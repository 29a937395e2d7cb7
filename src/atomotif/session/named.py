"""What motifs, anchors and domains have in common: they are sets of points with names."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.session.commands import KINDS, Edit, Recolor, Rename


class PointSets:
    """A look at a group of sets of points with names.

    Parameters
    ----------
    group : xr.Dataset
        The group.
    """

    #: Its dimension of sets, and the variable that tells which of them a point is of.
    dim: ClassVar[str]
    member: ClassVar[str]

    def __init__(self, group: xr.Dataset) -> None:
        self._group = group

    def __len__(self) -> int:
        return int(self._group.sizes[self.dim])

    @property
    def names(self) -> list[str]:
        """The names, by number."""
        return [str(name) for name in self._group["name"].values]

    def ids(self, which: int | str, /) -> NDArray[np.int64]:
        """Return the ids of the points of a motif or a domain, or of those nearest to an anchor.

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
            If there is no such one.

        Examples
        --------
        >>> ids = session.motifs.ids("M1")
        >>> len(ids) == session.motifs.counts["M1"]
        True
        """
        return self._ids(self._number(which))

    def _ids(self, number: int) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = self._group["id"].values[self._group[self.member].values == number]
        return ids

    def _number(self, which: int | str) -> int:
        number = self.names.index(which) if isinstance(which, str) and which in self.names else which
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not (whole and 0 <= int(number) < len(self)):
            raise KeyError(
                f"`{self.dim.rstrip('_')}` must be a number below {len(self)} or one of {self.names}, "
                f"got {which!r}."
            )
        return int(number)


class NamedSets(PointSets):
    """Sets of points that have a colour and an average, too, and what can be changed of them by hand.

    Parameters
    ----------
    group : xr.Dataset
        The group.
    edit : callable
        Makes an edit of the session.
    """

    #: Name of the group, one of `KINDS`.
    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.dim, cls.member = KINDS[cls.kind]

    def __init__(self, group: xr.Dataset, edit: Callable[[Edit], None]) -> None:
        super().__init__(group)
        self._edit = edit

    @property
    def counts(self) -> dict[str, int]:
        """Number of points by name."""
        return {name: int(n) for name, n in zip(self.names, self._group["count"].values, strict=True)}

    @property
    def averages(self) -> xr.DataArray:
        """Averages of the patches, dims (motif or anchor, v, u), in the units of the image's intensity."""
        return self._group["average"].assign_coords(name=self._group["name"])

    @property
    def deviations(self) -> xr.DataArray:
        """Standard deviation of the patches that were averaged, pixel by pixel; dims as `averages`."""
        return self._group["deviation"].assign_coords(name=self._group["name"])

    def rename(self, which: int | str, name: str) -> None:
        """Give a motif or an anchor another name, in all views too; found anew, it keeps it.

        Parameters
        ----------
        which : int or str
            Its number or its name.
        name : str
            Not empty, and no other one's.

        Raises
        ------
        KeyError
            If there is no such one.
        TypeError, ValueError
            If the name is not a string, is empty, or another one has it.

        Examples
        --------
        >>> session.motifs.rename(1, "V_Se")
        >>> session.find_motifs().motifs.names[1]
        'V_Se'
        """
        self._change(Rename, which, name)

    def recolor(self, which: int | str, color: str) -> None:
        """Give a motif or an anchor another colour, in all views too; found anew, it keeps it.

        Parameters
        ----------
        which : int or str
            Its number or its name.
        color : str
            "#rrggbb".

        Raises
        ------
        KeyError
            If there is no such one.
        ValueError
            If the colour is of another form.

        Examples
        --------
        >>> session.motifs.recolor("M0", "#d55e00")
        """
        self._change(Recolor, which, color)

    def _change(self, command: type[Edit], which: int | str, value: str) -> None:
        number = self._number(which)
        self._edit(command(self.kind, self.names[number], value, self._ids(number)))
