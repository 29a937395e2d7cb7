"""A session and its branches as one tree of groups, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import xarray as xr

from atomotif._version import __version__
from atomotif.session import commands
from atomotif.session.selection import as_ids
from atomotif.steps.graph import GROUPS, STEPS

if TYPE_CHECKING:
    from atomotif.session.session import MotifSession


def to_dict(session: MotifSession, prefix: str = "") -> dict[str, xr.Dataset]:
    """Return all that is saved of a session by path; a branch leaves out what its parent has.

    Parameters
    ----------
    session : MotifSession
        The session.
    prefix : str, default ""
        Path of the session in the tree.

    Returns
    -------
    dict of str to xr.Dataset
    """
    state = session._state
    root = xr.Dataset(
        attrs={
            "title": session.title,
            "atomotif": __version__,
            "next_id": session._next_id,
            "wanted": json.dumps({verb: values.to_dict() for verb, values in state.wanted.items()}),
            "branches": json.dumps(list(session.branches)),
        }
    )
    if session._parent is None:
        root["selection"] = ("selected", session.selection.copy())
    if state.edits:
        root = root.assign(commands.to_dataset(state.edits))
    if session._subset is not None:
        root["subset"] = ("subset_point", session._subset.copy())
    own = {name: group for name, group in state.groups.items() if name not in session._frozen}
    groups = {f"{prefix}/": root} | {f"{prefix}/{name}": own[name] for name in GROUPS if name in own}
    # By number, since any text may be a name.
    for number, branch in enumerate(session.branches.values()):
        groups |= to_dict(branch, f"{prefix}/branches/{number}")
    return groups


def load(session: MotifSession, tree: xr.DataTree) -> None:
    """Put what `to_dict` gave into a fresh session.

    Parameters
    ----------
    session : MotifSession
        Without points yet, or a branch that has its parent's.
    tree : xr.DataTree
        The tree, or the part of it that holds the branch.
    """
    session.title = str(tree.attrs["title"])
    session._next_id = int(tree.attrs["next_id"])
    session._state.wanted = {
        verb: STEPS[verb].parameters.from_dict(values)
        for verb, values in json.loads(tree.attrs["wanted"]).items()
        if verb in STEPS
    }
    if "edit_offset" in tree.dataset:
        session._state.edits = commands.from_dataset(tree.dataset)
    for name in GROUPS:
        if name in tree.children:
            session._state.restore(name, tree.children[name].to_dataset(inherit=False))
    for number, name in enumerate(json.loads(tree.attrs["branches"])):
        node = tree.children["branches"].children[str(number)]
        subset = as_ids(node.dataset["subset"].values) if "subset" in node.dataset else None
        branch = session._new_branch(name, subset)
        load(branch, node)
        session._branches[name] = branch
    if "selection" in tree.dataset:
        session._selection.ids = tree.dataset["selection"].values
