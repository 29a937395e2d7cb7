"""Makes a method of the session out of a step, with the step's own signature and help."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, overload

from atomotif.steps.graph import STEPS

if TYPE_CHECKING:
    from atomotif.session.session import MotifSession


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
        self.__doc__ = inspect.getdoc(parameters)

    @overload
    def __get__(self, session: None, owner: type) -> "StepVerb": ...
    @overload
    def __get__(self, session: "MotifSession", owner: type) -> "Callable[..., MotifSession]": ...
    def __get__(self, session: "MotifSession | None", owner: type) -> Any:
        """Return the method bound to `session`."""
        if session is None:
            return self

        def run_step(**parameters: Any) -> "MotifSession":
            return session.run_step(self._verb, **parameters)

        run_step.__name__ = run_step.__qualname__ = self._verb
        run_step.__doc__ = self.__doc__
        run_step.__signature__ = self.__signature__  # type: ignore[attr-defined]
        return run_step
