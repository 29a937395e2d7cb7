"""What was done to a session and to its branches, and the way back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from atomotif.session.state import State

if TYPE_CHECKING:
    from atomotif.session.session import MotifSession

Method = TypeVar("Method", bound=Callable[..., Any])

#: Changes that can be undone, at most.
MOST_CHANGES = 50
#: Bytes that states no longer current may hold: beyond, the oldest changes can no longer be undone.
MOST_BYTES = 2**30


@dataclass(frozen=True)
class Snapshot:
    """A session and its branches at one time; the groups are shared, since they are never modified.

    Attributes
    ----------
    parts : tuple of (MotifSession, State, ids or None, dict)
        Every session of the family with its state, subset and branches.
    selected : ndarray of int64
        The selection.
    """

    parts: tuple[tuple[MotifSession, State, NDArray[np.int64] | None, dict[str, MotifSession]], ...]
    selected: NDArray[np.int64]

    @classmethod
    def of(cls, root: MotifSession) -> Snapshot:
        """Take a snapshot of a session and of its branches."""
        return cls(
            tuple((one, one._state.copy(), one._subset, dict(one._branches)) for one in root._family()),
            root.selection,
        )

    def restore(self, root: MotifSession) -> None:
        """Put everything back as it was, except that ids once given stay used, and the selection on them."""
        points = root._state.groups.get("points")
        for one, state, subset, branches in self.parts:
            one._state, one._subset, one._branches = state.copy(), subset, dict(branches)
        if root._state.groups.get("points") is not points:
            root._selection.ids = self.selected  # the ids of now mean nothing there

    def differs(self, other: Snapshot) -> bool:
        """Return whether any result, parameter or branch is another."""
        return [self._identity(part) for part in self.parts] != [self._identity(part) for part in other.parts]

    @staticmethod
    def _identity(part: tuple[Any, State, Any, dict[str, Any]]) -> tuple[Any, ...]:
        one, state, _, branches = part
        groups = {name: id(group) for name, group in state.groups.items()}
        return id(one), groups, state.wanted, {name: id(branch) for name, branch in branches.items()}

    def arrays(self) -> dict[int, int]:
        """Return the bytes of each array that the snapshot keeps alive, by its place in memory."""
        return {
            array.__array_interface__["data"][0]: array.nbytes
            for _, state, _, _ in self.parts
            for group in state.groups.values()
            for array in (variable.values for variable in group.data_vars.values())
        }


class History:
    """The changes of a session and of all its branches, in the order in which they were made.

    Parameters
    ----------
    root : MotifSession
        The session that is nobody's branch.
    """

    def __init__(self, root: MotifSession) -> None:
        self._root = root
        self._done: list[tuple[str, Snapshot]] = []
        self._undone: list[tuple[str, Snapshot]] = []
        self._busy = False

    @property
    def done(self) -> list[str]:
        """What can be undone, as code, oldest first."""
        return [code for code, _ in self._done]

    @contextmanager
    def change(self, code: str) -> Iterator[None]:
        """Record what the block changes, if anything, as one change; blocks within belong to it."""
        if self._busy:
            yield
            return
        before = Snapshot.of(self._root)
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
            if before.differs(Snapshot.of(self._root)):
                self._done.append((code, before))
                self._undone.clear()
                self._forget()

    def undo(self) -> None:
        """Take the last change back.

        Raises
        ------
        ValueError
            If there is none.
        """
        self._step(self._done, self._undone, "undo")

    def redo(self) -> None:
        """Make the last change that was taken back again.

        Raises
        ------
        ValueError
            If there is none.
        """
        self._step(self._undone, self._done, "redo")

    def _step(self, taken: list[tuple[str, Snapshot]], given: list[tuple[str, Snapshot]], verb: str) -> None:
        if not taken:
            raise ValueError(f"there is nothing to {verb}.")
        code, there = taken.pop()
        given.append((code, Snapshot.of(self._root)))
        there.restore(self._root)

    def _forget(self) -> None:
        current = Snapshot.of(self._root).arrays()
        while len(self._done) > 1:
            held: dict[int, int] = {}
            for _, snapshot in self._done:
                held |= snapshot.arrays()
            old = sum(size for array, size in held.items() if array not in current)
            if len(self._done) <= MOST_CHANGES and old <= MOST_BYTES:
                return
            del self._done[0]


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray | list | tuple) and np.size(value) > 4:
        return f"<{len(value)} values>"
    return repr(value)


def recorded(method: Method) -> Method:
    """Make a method of a session one change of its history."""

    @functools.wraps(method)
    def call(session: MotifSession, *args: Any, **keywords: Any) -> Any:
        name, values = method.__name__, list(args)
        if name == "run_step":
            name = str(values.pop(0))
        parts = [_text(value) for value in values] + [f"{key}={_text(v)}" for key, v in keywords.items()]
        with session._root._history.change(f"{name}({', '.join(parts)})"):
            return method(session, *args, **keywords)

    return cast(Method, call)
