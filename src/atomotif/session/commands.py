"""Edits of motifs and anchors by hand: each a command that can be told as code and applied again.

Edits are an overlay. When the motifs are found anew, each goes to the motif that has most of the points which
its motif had when it was made; anchors likewise.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

#: Groups that can be edited: the dimension of what has names, and what tells which of them a point is of.
KINDS = {"motifs": ("motif", "label"), "anchors": ("anchor", "nearest")}
#: An edit belongs to a motif that shares this part of the points of either.
SAME_MOTIF = 0.5
_COLOR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True, eq=False)
class Edit:
    """Another value for something of one motif or anchor.

    Attributes
    ----------
    group : str
        One of `KINDS`.
    name : str
        The name that the motif had.
    value : str
        The new value.
    ids : ndarray of int64
        The motif's points.
    """

    group: str
    name: str
    value: str
    ids: NDArray[np.int64]

    verb: ClassVar[str]
    field: ClassVar[str]

    @property
    def code(self) -> str:
        """The edit as a user types it after `session.`."""
        return f"{self.group}.{self.verb}({self.name!r}, {self.value!r})"

    def check(self, found: xr.Dataset, number: int) -> None:
        """Raise an error if the motif cannot have the value."""

    def apply(self, found: xr.Dataset) -> xr.Dataset:
        """Return the group with the edit.

        Raises
        ------
        LookupError
            If no motif has most of the points.
        TypeError, ValueError
            If the motif cannot have the value.
        """
        number = self._number(found)
        self.check(found, number)
        values = found[self.field].values.astype(object)
        values[number] = self.value
        return found.assign({self.field: (KINDS[self.group][0], values)})

    def _number(self, found: xr.Dataset) -> int:
        dim, member = KINDS[self.group]
        numbers = found[member].values
        own = numbers[np.isin(found["id"].values, self.ids)]
        shared = np.bincount(own[own >= 0], minlength=found.sizes[dim])
        if shared.any():
            best = int(shared.argmax())
            larger = max(len(self.ids), int(np.count_nonzero(numbers == best)))
            if shared[best] >= SAME_MOTIF * larger:
                return best
        raise LookupError(f"no {dim} has most of the points of {self.name!r}")

    def moved(self, ids: NDArray[np.int64]) -> Self:
        """Return the same edit of other points."""
        return replace(self, ids=ids)


class Rename(Edit):
    """Another name for a motif or an anchor.

    Examples
    --------
    >>> import numpy as np
    >>> Rename("motifs", "M3", "V_Se", np.array([7, 9])).code
    "motifs.rename('M3', 'V_Se')"
    """

    verb = "rename"
    field = "name"

    def check(self, found: xr.Dataset, number: int) -> None:
        """Raise an error if the name is empty or another motif's."""
        if not isinstance(self.value, str):
            raise TypeError(f"`name` must be a string, got {self.value!r}.")
        if not self.value.strip():
            raise ValueError(f"`name` must not be empty, got {self.value!r}.")
        if self.value in np.delete(found["name"].values.astype(object), number):
            raise ValueError(
                f"`name` must differ from the names of the other {self.group}, got {self.value!r}."
            )


class Recolor(Edit):
    """Another colour for a motif or an anchor.

    Examples
    --------
    >>> import numpy as np
    >>> Recolor("motifs", "M0", "#d55e00", np.array([7, 9])).code
    "motifs.recolor('M0', '#d55e00')"
    """

    verb = "recolor"
    field = "color"

    def check(self, found: xr.Dataset, number: int) -> None:  # noqa: ARG002
        """Raise an error if the colour is not "#rrggbb"."""
        if not isinstance(self.value, str) or not _COLOR.fullmatch(self.value):
            raise ValueError(f'`color` must be "#rrggbb", got {self.value!r}.')


COMMANDS: dict[str, type[Edit]] = {command.verb: command for command in (Rename, Recolor)}


def with_edits(found: xr.Dataset, edits: Sequence[Edit]) -> tuple[xr.Dataset, list[Edit]]:
    """Return motifs with the edits made before they were found anew, and the edits that fit no motif.

    Parameters
    ----------
    found : xr.Dataset
        The group that the edits are of, with `id`.
    edits : sequence of Edit
        In the order in which they were made.

    Returns
    -------
    tuple of xr.Dataset and list of Edit
    """
    lost = []
    for edit in edits:
        try:
            found = edit.apply(found)
        except (LookupError, ValueError):
            lost.append(edit)
    return found, lost


def to_dataset(edits: Sequence[Edit]) -> dict[str, Any]:
    """Return edits as variables to be saved: texts, and ids flat with offsets."""
    sizes = [len(edit.ids) for edit in edits]
    return {
        "edit_text": (
            ("edit", "edit_part"),
            np.array(
                [[edit.group, edit.verb, edit.name, edit.value] for edit in edits], dtype=object
            ).reshape(-1, 4),
        ),
        "edit_offset": ("edit_bound", np.cumsum([0, *sizes])),
        "edit_id": ("edited", np.concatenate([np.empty(0, np.int64), *(edit.ids for edit in edits)])),
    }


def from_dataset(saved: xr.Dataset) -> list[Edit]:
    """Return the edits that `to_dataset` gave."""
    offset, ids = saved["edit_offset"].values, saved["edit_id"].values
    return [
        COMMANDS[str(verb)](str(group), str(name), str(value), ids[start:end].copy())
        for (group, verb, name, value), start, end in zip(
            saved["edit_text"].values, offset[:-1], offset[1:], strict=True
        )
    ]
