"""The one selection, which every view of a session and of its branches shows."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from traitlets import HasTraits, TraitType


def as_ids(values: ArrayLike, name: str = "selection") -> NDArray[np.int64]:
    """Return ids as a read-only, sorted, unique int64 array.

    Parameters
    ----------
    values : array_like of int
        Ids of points, in any order.
    name : str, default "selection"
        The argument's name in the error.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    TypeError
        If the values are not whole numbers.

    Examples
    --------
    >>> as_ids([3, 1, 3])
    array([1, 3])
    """
    array = np.asarray(values)
    if array.size == 0:
        array = np.empty(0, np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"`{name}` must hold ids (whole numbers), got dtype {array.dtype}.")
    ids = np.unique(array.astype(np.int64))
    ids.flags.writeable = False
    return ids


def rows_of(ids: NDArray[np.int64], known: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where ids stand among those that are known, and which are there at all.

    Parameters
    ----------
    ids : ndarray of int64, shape (k,)
    known : ndarray of int64, shape (n,)
        In ascending order, as the ids of points always are.

    Returns
    -------
    rows : ndarray of int64, shape (k,)
        Meaningless for ids that are not known.
    there : ndarray of bool, shape (k,)

    Examples
    --------
    >>> rows_of(np.array([4, 7]), np.array([2, 4, 6]))
    (array([1, 2]), array([ True, False]))
    """
    rows = np.searchsorted(known, ids).clip(max=max(len(known) - 1, 0))
    there = known[rows] == ids if len(known) else np.zeros(len(ids), bool)
    return rows, there


class _Ids(TraitType[Any, Any]):  # type: ignore[misc]
    """A trait of ids; compared by value, so that setting an equal selection notifies nobody."""

    default_value = as_ids([])

    def validate(self, obj: Any, value: Any) -> NDArray[np.int64]:  # noqa: ARG002
        return as_ids(value)

    def set(self, obj: Any, value: Any) -> None:
        new = self._validate(obj, value)
        old = obj._trait_values.get(self.name, self.default_value)
        obj._trait_values[self.name] = new
        if not np.array_equal(old, new):
            obj._notify_trait(self.name, old, new)


class Selection(HasTraits):  # type: ignore[misc]
    """The selected ids, observable.

    Examples
    --------
    >>> selection = Selection()
    >>> seen = []
    >>> selection.observe(lambda change: seen.append(change["new"].tolist()), "ids")
    >>> selection.ids = [5, 2]
    >>> selection.ids = [2, 5, 5]
    >>> seen
    [[2, 5]]
    """

    ids: Any = _Ids()
