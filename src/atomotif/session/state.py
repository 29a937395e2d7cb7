"""The groups of a session, and the rules by which they change."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.session.commands import KINDS, Edit
from atomotif.steps.base import Parameters, renamed
from atomotif.steps.graph import GROUPS, STEPS, dependents, makers

#: What in other groups names motifs, or anchors and what is called by them.
NAMING = {"motifs": ("motif_name",), "anchors": ("name", "part_name")}
#: Stored in place of parameters where a user gave the result.
GIVEN = "given"


@dataclass
class State:
    """The groups of one analysis; replaced as a whole, never modified in place.

    Staleness, parameters and whether a result was given are kept in the attributes of the groups,
    so that they are saved with them.

    Parameters
    ----------
    groups : dict of str to xr.Dataset
        What there is.
    wanted : dict of str to Parameters
        For each step the values that were last asked for; they outlive the groups made with them.
    edits : list of Edit
        What was changed of the motifs by hand, in order; it outlives them, too.
    left_out : dict of str to (str, Parameters)
        Groups that `run` could not make: why, and with what it tried. Not saved.
    """

    groups: dict[str, xr.Dataset] = field(default_factory=dict)
    wanted: dict[str, Parameters] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    left_out: dict[str, tuple[str, Parameters]] = field(default_factory=dict)

    def copy(self) -> Self:
        """Return a state with the same groups and values, which changes by itself."""
        return type(self)(dict(self.groups), dict(self.wanted), list(self.edits), dict(self.left_out))

    @property
    def ids(self) -> NDArray[np.int64]:
        """Ids of the points, shape (n,); empty before there are points."""
        points = self.groups.get("points")
        return np.empty(0, np.int64) if points is None else points["id"].values

    @property
    def continuous(self) -> bool:
        """Whether the features form a continuum, as far as there are any."""
        features = self.groups.get("features")
        return features is not None and bool(features.attrs.get("continuous", 0))

    def parameters(self, verb: str, changes: Mapping[str, Any] | None = None) -> Parameters:
        """Return the values that the step is to run with: those last asked for, and `changes`."""
        values = self.wanted.get(verb) or STEPS[verb].parameters()
        return type(values)(**{**values.to_dict(), **(changes or {})})

    def write(self, group: str, dataset: xr.Dataset, verb: str, parameters: Parameters | None) -> None:
        """Put a group in place, made by `verb` or, with no parameters, given by the user.

        What depends on it becomes stale; what refers to points that are gone is dropped.

        Raises
        ------
        ValueError
            If the group refers to other points than the session has.
        """
        # What a later step of the same group had made (the denoised image) was made from what goes now.
        verbs = [step.verb for step in makers(group)]
        earlier = verbs[: verbs.index(verb)]
        made_by = {name: values for name, values in self.made_by(group).items() if name in earlier}
        made_by[verb] = GIVEN if parameters is None else parameters.to_dict()
        self.put(group, dataset.assign_attrs(parameters=json.dumps(made_by), stale=0))

    def put(self, group: str, dataset: xr.Dataset) -> None:
        """Put a group in place as it is, and mark what depends on it."""
        ids = self.ids
        self.restore(group, dataset)
        self.left_out.pop(group, None)
        if group == "points" and not np.array_equal(ids, dataset["id"].values):
            for name in GROUPS:
                if name != "points" and name in self.groups and "point" in self.groups[name].dims:
                    del self.groups[name]
        for name in dependents(group, self.wanted):
            self.left_out.pop(name, None)  # from other inputs it may be made
            if name in self.groups and not (name == "points" and self.is_given(name)):
                self.groups[name] = self.groups[name].assign_attrs(stale=1)

    def restore(self, group: str, dataset: xr.Dataset) -> None:
        """Put a group in place as it is; nothing becomes stale by it.

        Raises
        ------
        ValueError
            If the group refers to other points than the session has.
        """
        refers = group not in ("image", "points") and "point" in dataset.dims
        if refers and not np.array_equal(dataset["id"].values, self.ids):
            raise ValueError(f"group {group!r} must refer to the points of the session, got other ids.")
        for variable in dataset.variables.values():
            # Undo, branches and views refer to the arrays.
            if isinstance(variable.values, np.ndarray):
                variable.values.flags.writeable = False
        self.groups[group] = dataset

    def rename(self, kind: str, old: str, new: str) -> None:
        """Let parameters that name a motif or an anchor follow: what was made with them stays current."""
        self.wanted = {verb: values.renamed(kind, old, new) for verb, values in self.wanted.items()}
        for group in self.groups:
            made_by = self.made_by(group)
            now = {
                verb: values
                if values == GIVEN
                else STEPS[verb].parameters.from_dict(values).renamed(kind, old, new).to_dict()
                for verb, values in made_by.items()
            }
            if now != made_by:
                self.groups[group] = self.groups[group].assign_attrs(parameters=json.dumps(now))
            for variable in NAMING[kind]:
                if group not in KINDS and variable in self.groups[group].variables:
                    names = self.groups[group][variable]
                    follow = [renamed(kind, str(name), old, new) for name in names.values]
                    values = np.array(follow, dtype=object)
                    self.groups[group] = self.groups[group].assign({variable: (names.dims, values)})

    def made_by(self, group: str) -> dict[str, Any]:
        """Return for each step that made `group` the values it ran with, or GIVEN."""
        dataset = self.groups.get(group)
        return {} if dataset is None else dict(json.loads(dataset.attrs.get("parameters", "{}")))

    def is_given(self, group: str) -> bool:
        """Return whether a user gave the group."""
        return GIVEN in self.made_by(group).values()

    def is_stale(self, group: str) -> bool:
        """Return whether the group was made from, or with, something else than there is now."""
        if group not in self.groups:
            return False
        return bool(self.groups[group].attrs.get("stale", 0)) or any(
            values not in (GIVEN, self.parameters(verb).to_dict())
            for verb, values in self.made_by(group).items()
        )

    def was_left_out(self, verb: str, parameters: Parameters) -> bool:
        """Return whether the step found nothing with these values, from what there is now."""
        group = STEPS[verb].group
        return group in self.left_out and self.left_out[group][1] == parameters

    def is_current(self, verb: str, parameters: Parameters) -> bool:
        """Return whether the step has nothing to do with these values."""
        group = STEPS[verb].group
        if group not in self.groups or self.groups[group].attrs.get("stale", 0):
            return False
        return self.made_by(group).get(verb) in (GIVEN, parameters.to_dict())
