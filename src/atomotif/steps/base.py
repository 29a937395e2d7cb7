"""What all steps share: the base of their parameters, and what they run in."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from types import NoneType
from typing import Any, ClassVar, Self, get_args

import numpy as np


def no_report(fraction: float) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Context:
    """What a step may use beside its inputs; nothing in it changes a result.

    Parameters
    ----------
    report : callable
        Called now and then with the share of the step that is done, 0 to 1. An exception that it
        raises ends the step.
    n_threads : int, optional
        Threads to use; by default all processors of the process.
    """

    report: Callable[[float], None] = no_report
    n_threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Base of the parameters of every step: plain values that JSON can hold."""

    #: Names of the groups that the step reads, in the order of its function's arguments.
    inputs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.generic):  # NumPy's numbers are welcome, but JSON does not know them
                value = value.item()
                object.__setattr__(self, item.name, value)
            kinds = get_args(item.type) or (item.type,)
            fits = type(value) in kinds or (type(value) is int and float in kinds)
            if not fits:
                names = " or ".join("None" if kind is NoneType else kind.__name__ for kind in kinds)
                raise TypeError(f"`{item.name}` must be {names}, got {value!r}.")

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the parameters."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the parameters from stored values, dropping what this version does not know."""
        return cls(**{name: values[name] for name in cls.names() if name in values})

    def to_dict(self) -> dict[str, Any]:
        """Return the values as a dictionary."""
        return asdict(self)

    def required(self) -> tuple[str, ...]:
        """Return the groups that the step reads with these values."""
        return self.inputs
