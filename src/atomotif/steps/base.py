"""What all steps share: the base of their parameters, and what they run in."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, get_args, get_origin

import numpy as np
from numpy.typing import NDArray


def no_report(fraction: float) -> None:
    """Report nothing."""


def _kinds(annotation: Any) -> tuple[type, ...]:
    options = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return tuple(get_origin(option) or option for option in options)


def renamed(kind: str, name: str, old: str, new: str) -> str:
    """Return a name after one of the "motifs" or "anchors" that was called `old` has become `new`.

    Domains are called by their anchor and a number ("A0 #3"), and so are the parts that fill them ("A0.1").

    Examples
    --------
    >>> [renamed("anchors", name, "A0", "AB") for name in ("A0", "A0 #3", "A0.1", "A01")]
    ['AB', 'AB #3', 'AB.1', 'A01']
    """
    if name == old:
        return new
    head, separator, number = name.rpartition(" #" if " #" in name else ".")
    of_it = kind == "anchors" and head == old and number.isdecimal()
    return f"{new}{separator}{number}" if of_it else name


def _frozen(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return tuple(map(_frozen, values)) if isinstance(values, list | tuple) else values


def _thawed(values: Any) -> Any:
    return list(map(_thawed, values)) if isinstance(values, tuple) else values


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
    #: Names of groups that are read, too, where they are there when the step runs.
    optional: ClassVar[tuple[str, ...]] = ()
    #: Names of the parameters that name motifs: they follow when one is renamed.
    motif_names: ClassVar[tuple[str, ...]] = ()
    #: Names of the parameters that name anchors, or their domains: they follow likewise.
    anchor_references: ClassVar[tuple[str, ...]] = ()
    #: Names of the parameters that hold ids of points: they follow when points are found anew.
    point_ids: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            kinds = _kinds(item.type)
            if isinstance(value, np.generic):  # NumPy's numbers are welcome, but JSON does not know them
                value = value.item()
            elif tuple in kinds and isinstance(value, list | tuple | np.ndarray):
                value = _frozen(value)
            elif tuple in kinds and isinstance(value, str):  # one name needs no parentheses
                value = (value,)
            if value == () and item.name in (*self.motif_names, *self.anchor_references, *self.point_ids):
                raise ValueError(f"`{item.name}` must not be empty.")
            object.__setattr__(self, item.name, value)
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
        """Return the values as a dictionary that JSON gives back as it is."""
        return {name: _thawed(value) for name, value in asdict(self).items()}

    def renamed(self, kind: str, old: str, new: str) -> Self:
        """Return the parameters with another name of one of the "motifs" or "anchors"."""

        def follow(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(follow, value))
            return renamed(kind, value, old, new) if isinstance(value, str) else value

        names = {"motifs": self.motif_names, "anchors": self.anchor_references}[kind]
        return replace(self, **{name: follow(getattr(self, name)) for name in names})

    def carried(self, carry: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> Self:
        """Return the parameters with what `carry` makes of ids of points; None where it leaves none."""
        ids = {name: getattr(self, name) for name in self.point_ids}
        moved = {
            name: carry(np.array(one, np.int64)).tolist() for name, one in ids.items() if one is not None
        }
        return replace(self, **{name: tuple(one) or None for name, one in moved.items()})

    def required(self) -> tuple[str, ...]:
        """Return the groups that the step reads with these values, and cannot do without."""
        return self.inputs

    def reads(self) -> tuple[str, ...]:
        """Return the groups that the step reads with these values, if they are there."""
        return (*self.required(), *self.optional)
