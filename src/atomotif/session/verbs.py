"""Makes a method of the session out of a step, with the step's own signature and help."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from atomotif.steps.graph import STEPS

if TYPE_CHECKING:
    from atomotif.session.session import MotifSession


_RETURNS = """

Returns
-------
MotifSession
    The session itself.

Raises
------
TypeError, ValueError
    If a parameter is of another kind or out of its range, or the step cannot be done; the session
    then stays as it was."""


class StepVerb:
    """A method that runs one step.

    Parameters
    ----------
    verb : str
        The name of the step in `atomotif.steps.graph.STEPS`.
    """

    def __init__(self, verb: str) -> None:
        self._verb = verb
        parameters = STEPS[verb].parameters
        keywords = [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
            for f in fields(parameters)
        ]
        self.__signature__ = inspect.Signature(keywords)
        text = inspect.getdoc(parameters) or ""
        examples = "\n\nExamples\n" if "\n\nExamples\n" in text else None
        head, _, tail = text.partition(examples) if examples else (text, "", "")
        self.__doc__ = head + _RETURNS + (examples + tail if examples else "")

    def __get__(self, session: "MotifSession | None", owner: type) -> "Callable[..., MotifSession]":
        """Return the method bound to `session`, or for `help` on the class one that is not."""

        def run_step(**parameters: Any) -> "MotifSession":
            if session is None:
                raise TypeError(f"`{self._verb}` must be called on a session.")
            return session.run_step(self._verb, **parameters)

        run_step.__name__ = run_step.__qualname__ = self._verb
        run_step.__doc__ = self.__doc__
        run_step.__signature__ = self.__signature__  # type: ignore[attr-defined]
        return run_step
