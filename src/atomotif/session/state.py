"""The groups of a session, and the rules by which they change."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.steps.base import Parameters
from atomotif.steps.graph import GROUPS, STEPS, dependents, makers

#: Stored in place of parameters where a user gave the result.
GIVEN = "given"


class State:
    """The groups of one analysis; replaced as a whole, never modified in place.

    Staleness, parameters and whether a result was given are kept in the attributes of the groups,
    so that they are saved with them.
    """

    def __init__(self) -> None:
        self.groups: dict[str, xr.Dataset] = {}

    @property
    def ids(self) -> NDArray[np.int64]:
        """Ids of the points, shape (n,); empty before there are points."""
        points = self.groups.get("points")
        return np.empty(0, np.int64) if points is None else points["id"].values

    def write(self, group: str, dataset: xr.Dataset, verb: str, parameters: Parameters | None) -> None:
        """Put a group in place, made by `verb` or, with no parameters, given by the user.

        What depends on it becomes stale; what refers to points that are gone is dropped.

        Raises
        ------
        ValueError
            If the group refers to other points than the session has.
        """
        # What a later step of the same group had made (the denoised image) was made from what goes now.
        earlier = verbs_of(group)[: verbs_of(group).index(verb)] if verb in verbs_of(group) else ()
        made_by = {name: values for name, values in self.made_by(group).items() if name in earlier}
        made_by[verb] = GIVEN if parameters is None else parameters.to_dict()
        new = dataset.assign_attrs(parameters=json.dumps(made_by), stale=0)
        if group != "points":
            self._check_ids(group, new)
        self._put(group, new)

    def follow(self, group: str, dataset: xr.Dataset) -> None:
        """Put a group of the parent session in place."""
        self._put(group, dataset)

    def restore(self, group: str, dataset: xr.Dataset) -> None:
        """Put a saved group in place as it was; nothing becomes stale by it."""
        if group not in ("image", "points"):
            self._check_ids(group, dataset)
        self.groups[group] = _read_only(dataset)

    def _put(self, group: str, dataset: xr.Dataset) -> None:
        ids = self.ids
        self.groups[group] = _read_only(dataset)
        if group == "points" and not np.array_equal(ids, dataset["id"].values):
            self._drop_points()
        self._mark(dependents(group, self.parameters()))

    def made_by(self, group: str) -> dict[str, Any]:
        """Return for each step that made `group` the parameters it ran with, or GIVEN."""
        dataset = self.groups.get(group)
        return {} if dataset is None else dict(json.loads(dataset.attrs.get("parameters", "{}")))

    def is_given(self, group: str) -> bool:
        """Return whether a user gave the group."""
        return GIVEN in self.made_by(group).values()

    def is_stale(self, group: str) -> bool:
        """Return whether something that the group depends on has changed since."""
        return bool(self.groups[group].attrs.get("stale", 0)) if group in self.groups else False

    def parameters(self) -> dict[str, Parameters]:
        """Return for each step that has run the values it ran with."""
        return {
            verb: STEPS[verb].parameters.from_dict(values)
            for group in GROUPS
            for verb, values in self.made_by(group).items()
            if verb in STEPS and values != GIVEN
        }

    def is_current(self, verb: str, parameters: Parameters) -> bool:
        """Return whether the step has nothing to do."""
        group = STEPS[verb].group
        made_by = self.made_by(group)
        if GIVEN in made_by.values():
            return True
        return (
            verb in made_by
            and not self.is_stale(group)
            and STEPS[verb].parameters.from_dict(made_by[verb]) == parameters
        )

    def _check_ids(self, group: str, dataset: xr.Dataset) -> None:
        if "point" in dataset.dims and not np.array_equal(dataset["id"].values, self.ids):
            raise ValueError(f"group {group!r} must refer to the points of the session, got other ids.")

    def _drop_points(self) -> None:
        for name in GROUPS:
            if name != "points" and name in self.groups and "point" in self.groups[name].dims:
                del self.groups[name]

    def _mark(self, groups: Iterable[str]) -> None:
        for name in groups:
            if name in self.groups and not self.is_given(name):
                self.groups[name] = self.groups[name].assign_attrs(stale=1)


def _read_only(dataset: xr.Dataset) -> xr.Dataset:
    """Protect the arrays of a group, which undo, branches and views refer to."""
    for variable in dataset.variables.values():
        if isinstance(variable.values, np.ndarray):
            variable.values.flags.writeable = False
    return dataset


def verbs_of(group: str) -> tuple[str, ...]:
    """Return the names of the steps that make `group`."""
    return tuple(step.verb for step in makers(group))
