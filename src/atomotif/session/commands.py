"""Edits of the motifs by hand: each a command that can be told as code and applied again.

Edits are an overlay. When the motifs are found anew, each goes to the motif that has most of the points which
its motif had when it was made.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

#: An edit belongs to a motif that shares this part of the points of either.
SAME_MOTIF = 0.5
_COLOR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True, eq=False)
class Edit:
    """Another value for something of one motif.

    Attributes
    ----------
    motif : str
        The name that the motif had.
    value : str
        The new value.
    ids : ndarray of int64
        The motif's points.
    """

    motif: str
    value: str
    ids: NDArray[np.int64]

    verb: ClassVar[str]
    field: ClassVar[str]

    @property
    def code(self) -> str:
        """The edit as a user types it after `session.`."""
        return f"motifs.{self.verb}({self.motif!r}, {self.value!r})"

    def check(self, motifs: xr.Dataset, label: int) -> None:
        """Raise an error if the motif cannot have the value."""

    def apply(self, motifs: xr.Dataset) -> xr.Dataset:
        """Return the group with the edit.

        Raises
        ------
        LookupError
            If no motif has most of the points.
        TypeError, ValueError
            If the motif cannot have the value.
        """
        label = self._label(motifs)
        self.check(motifs, label)
        values = motifs[self.field].values.astype(object)
        values[label] = self.value
        return motifs.assign({self.field: ("motif", values)})

    def _label(self, motifs: xr.Dataset) -> int:
        labels = motifs["label"].values
        own = labels[np.isin(motifs["id"].values, self.ids)]
        shared = np.bincount(own[own >= 0], minlength=motifs.sizes["motif"])
        if shared.any():
            best = int(shared.argmax())
            larger = max(len(self.ids), int(np.count_nonzero(labels == best)))
            if shared[best] >= SAME_MOTIF * larger:
                return best
        raise LookupError(f"no motif has most of the points of {self.motif!r}")

    def moved(self, ids: NDArray[np.int64]) -> Self:
        """Return the same edit of other points."""
        return replace(self, ids=ids)


class Rename(Edit):
    """Another name for a motif.

    Examples
    --------
    >>> import numpy as np
    >>> Rename("M3", "V_Se", np.array([7, 9])).code
    "motifs.rename('M3', 'V_Se')"
    """

    verb = "rename"
    field = "name"

    def check(self, motifs: xr.Dataset, label: int) -> None:
        """Raise an error if the name is empty or another motif's."""
        if not isinstance(self.value, str):
            raise TypeError(f"`name` must be a string, got {self.value!r}.")
        if not self.value.strip():
            raise ValueError(f"`name` must not be empty, got {self.value!r}.")
        if self.value in np.delete(motifs["name"].values.astype(object), label):
            raise ValueError(f"`name` must differ from the names of the other motifs, got {self.value!r}.")


class Recolor(Edit):
    """Another colour for a motif.

    Examples
    --------
    >>> import numpy as np
    >>> Recolor("M0", "#d55e00", np.array([7, 9])).code
    "motifs.recolor('M0', '#d55e00')"
    """

    verb = "recolor"
    field = "color"

    def check(self, motifs: xr.Dataset, label: int) -> None:  # noqa: ARG002
        """Raise an error if the colour is not "#rrggbb"."""
        if not isinstance(self.value, str) or not _COLOR.fullmatch(self.value):
            raise ValueError(f'`color` must be "#rrggbb", got {self.value!r}.')


COMMANDS: dict[str, type[Edit]] = {command.verb: command for command in (Rename, Recolor)}


def with_edits(motifs: xr.Dataset, edits: Sequence[Edit]) -> tuple[xr.Dataset, list[Edit]]:
    """Return motifs with the edits made before they were found anew, and the edits that fit no motif.

    Parameters
    ----------
    motifs : xr.Dataset
        The group, with `label` and `id`.
    edits : sequence of Edit
        In the order in which they were made.

    Returns
    -------
    tuple of xr.Dataset and list of Edit
    """
    lost = []
    for edit in edits:
        try:
            motifs = edit.apply(motifs)
        except (LookupError, ValueError):
            lost.append(edit)
    return motifs, lost


def to_dataset(edits: Sequence[Edit]) -> dict[str, Any]:
    """Return edits as variables to be saved: texts, and ids flat with offsets."""
    sizes = [len(edit.ids) for edit in edits]
    return {
        "edit_text": (
            ("edit", "edit_part"),
            np.array([[edit.verb, edit.motif, edit.value] for edit in edits], dtype=object).reshape(-1, 3),
        ),
        "edit_offset": ("edit_bound", np.cumsum([0, *sizes])),
        "edit_id": ("edited", np.concatenate([np.empty(0, np.int64), *(edit.ids for edit in edits)])),
    }


def from_dataset(saved: xr.Dataset) -> list[Edit]:
    """Return the edits that `to_dataset` gave."""
    offset, ids = saved["edit_offset"].values, saved["edit_id"].values
    return [
        COMMANDS[str(verb)](str(motif), str(value), ids[start:end].copy())
        for (verb, motif, value), start, end in zip(
            saved["edit_text"].values, offset[:-1], offset[1:], strict=True
        )
    ]
