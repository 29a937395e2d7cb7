"""Which steps have to run, and with what."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from atomotif.session.state import State
from atomotif.steps.base import Parameters
from atomotif.steps.graph import STEPS, steps_with


def sort_parameters(parameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters by the step that they belong to.

    Parameters
    ----------
    parameters : mapping
        Any step's parameter by its name, or a step's name with a dict of its parameters.

    Returns
    -------
    dict of str to dict

    Raises
    ------
    TypeError
        If no step has such a parameter, or several have.

    Examples
    --------
    >>> sort_parameters({"patch_size": 41, "find_motifs": {"method": "layout"}})
    {'compute_features': {'patch_size': 41}, 'find_motifs': {'method': 'layout'}}
    """
    changes: dict[str, dict[str, Any]] = {}
    for name, value in parameters.items():
        if name in STEPS:
            if not isinstance(value, Mapping):
                raise TypeError(f"`{name}` must be a dict of parameters, got {value!r}.")
            check_names(name, value)
            changes.setdefault(name, {}).update(value)
            continue
        owners = [step.verb for step in steps_with(name)]
        if not owners:
            known = {known for step in STEPS.values() for known in step.parameters.names()}
            near = difflib.get_close_matches(name, sorted(known), 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(sorted(known))}."
            raise TypeError(f"`{name}` must be a parameter of a step; {hint}")
        if len(owners) > 1:
            raise TypeError(
                f"`{name}` must name one step, but {', '.join(owners)} have it; "
                f'use `run({owners[0]}={{"{name}": {value!r}}})`.'
            )
        for owner in owners:
            changes.setdefault(owner, {})[name] = value
    return changes


def check_names(verb: str, parameters: Collection[str]) -> None:
    """Refuse what is not a parameter of the step `verb`.

    Raises
    ------
    TypeError
        With the first unknown name and those that there are.
    """
    known = STEPS[verb].parameters.names()
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        allowed = ", ".join(f"`{name}`" for name in known)
        raise TypeError(f"`{unknown[0]}` must be a parameter of `{verb}` ({allowed}).")


def with_seed(
    state: State, changes: Mapping[str, Mapping[str, Any]], seed: Any, *, frozen: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return the changes with `random_state` for every step that has it, if it is made here.

    Not for results that were given or are the parent's.

    Parameters
    ----------
    state : State
        What there is, and what was last asked for.
    changes : mapping
        New parameters by step, as of `sort_parameters`.
    seed : int
        The value.
    frozen : collection of str
        Groups that are not to be made here.
    """
    seeded = {verb: dict(values) for verb, values in changes.items()}
    for step in steps_with("random_state"):
        if step.group not in frozen and not state.is_given(step.group):
            seeded[step.verb] = {"random_state": seed, **seeded.get(step.verb, {})}
    return seeded


def needed_for(groups: Collection[str], wanted: Mapping[str, Parameters]) -> set[str]:
    """Return the groups that these are made from, directly or not, and themselves.

    Parameters
    ----------
    groups : collection of str
        What is asked for.
    wanted : mapping of str to Parameters
        For each step the values that it runs with; a step not in it counts with its defaults.
    """
    needed = set(groups)
    for verb, step in reversed(STEPS.items()):
        if step.group in needed:
            needed.update((wanted.get(verb) or step.parameters()).required())
    return needed


def plan(
    state: State,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    asked: Collection[str] | None = None,
    groups: Collection[str] | None = None,
    before: str | None = None,
    frozen: Collection[str] = (),
) -> list[tuple[str, Parameters]]:
    """Return the steps that are missing or out of date, in order, with their parameters.

    Parameters
    ----------
    state : State
        What there is, and what was last asked for.
    changes : mapping, optional
        New parameters by step, as of `sort_parameters`.
    asked : collection of str, optional
        Steps that are made even where they are for other samples or on demand only; by default those with
        new parameters.
    groups : collection of str, optional
        Only what is needed for these groups, themselves included; by default all groups.
    before : str, optional
        Only steps that come before this one.
    frozen : collection of str
        Groups that are not to be made here.

    Returns
    -------
    list of (str, Parameters)
    """
    wanted = {verb: state.parameters(verb, (changes or {}).get(verb)) for verb in STEPS}
    verbs = list(STEPS)
    if groups is not None:
        inputs = needed_for(groups, wanted)
        verbs = [verb for verb in verbs if STEPS[verb].group in inputs]
    if before is not None:
        earlier = list(STEPS)[: list(STEPS).index(before)]
        verbs = [verb for verb in verbs if verb in earlier]
    asked = changes or {} if asked is None else asked
    # Whatever is there, or was asked for once, is kept up to date with all that it needs.
    kept = {verb for verb, step in STEPS.items() if step.group in state.groups or verb in state.wanted}
    needed = needed_for({STEPS[verb].group for verb in kept.union(asked)}, wanted)
    todo: list[tuple[str, Parameters]] = []
    remade: set[str] = set()
    for verb in verbs:
        group = STEPS[verb].group
        if group in frozen or (group == "points" and state.is_given(group)):
            continue
        unasked = STEPS[verb].suits(continuous=state.continuous) and not STEPS[verb].on_demand
        if groups is None and not unasked and group not in needed:
            continue
        idle = state.is_current(verb, wanted[verb]) or (
            groups is None and state.was_left_out(verb, wanted[verb])
        )
        if remade.intersection(wanted[verb].reads()) or not idle:
            todo.append((verb, wanted[verb]))
            remade.add(group)
    return todo
