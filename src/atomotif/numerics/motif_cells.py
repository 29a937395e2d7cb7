"""Motif-cells: connected off-majority items of a lattice, and which of them are the same."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from atomotif.numerics._item_images import check_range, sorted_images
from atomotif.numerics.crystal_operations import Operations, is_group

__all__ = [
    "MotifCells",
    "canonical_forms",
    "grow",
]


@dataclass(frozen=True)
class MotifCells:
    """Distinct motif-cells, by level, then by falling count, then by canonical form.

    Parameters
    ----------
    level : ndarray of int64, shape (n_nodes,)
        Number of items of each motif-cell.
    count : ndarray of int64, shape (n_nodes,)
        Number of its occurrences.
    offsets : ndarray of int64, shape (n_nodes + 1,)
        The items of motif-cell n are ``offsets[n]`` to ``offsets[n + 1]`` of the next three arrays.
    index : ndarray of int64, shape (n_items, 2)
        Lattice indices of the canonical form; the least row and the least column are 0.
    kind, state : ndarray of int64, shape (n_items,)
        Sublattice and state of each item.
    node : ndarray of int64, shape (n_components,)
        The motif-cell that each component is an occurrence of.
    occurrence_offsets : ndarray of int64, shape (n_nodes + 1,)
        Likewise where the occurrences of each motif-cell are in the next.
    occurrence : ndarray of int64, shape (n_components,)
        Components, ascending within each motif-cell.
    operation : ndarray of int64, shape (n_components,)
        The operation that takes each component to its canonical form (the first that does).
    translation : ndarray of int64, shape (n_components, 2)
        What is added to the index afterwards: canonical index = operation(index) + translation.
    """

    level: NDArray[np.int64]
    count: NDArray[np.int64]
    offsets: NDArray[np.int64]
    index: NDArray[np.int64]
    kind: NDArray[np.int64]
    state: NDArray[np.int64]
    node: NDArray[np.int64]
    occurrence_offsets: NDArray[np.int64]
    occurrence: NDArray[np.int64]
    operation: NDArray[np.int64]
    translation: NDArray[np.int64]


def grow(index: ArrayLike, kind: ArrayLike, neighbors: ArrayLike) -> NDArray[np.int64]:
    """Join neighbours until nothing can be joined: number the connected components of items.

    O(k n log n) for n items and k neighbours of each: the items are sorted, then each offset is looked up.

    Parameters
    ----------
    index : array_like of int, shape (n, 2)
        Lattice indices of the items.
    kind : array_like of int, shape (n,)
        Their sublattices, from 0.
    neighbors : array_like of int, shape (k, 4)
        Rows (di, dj, s, t): an item of kind s at (i, j) adjoins one of kind t at (i + di, j + dj). See
        `near_offsets` and `von_neumann_offsets`.

    Returns
    -------
    ndarray of int64, shape (n,)
        Component of each item, numbered from 0 in the order of their first items.

    Raises
    ------
    ValueError
        If a shape does not fit, or if two items are the same.

    Examples
    --------
    >>> from atomotif.numerics.site_neighbors import von_neumann_offsets
    >>> grow([[0, 0], [5, 5], [0, 1]], [0, 0, 0], von_neumann_offsets())
    array([0, 1, 0])
    """
    where, kinds = _as_items(index, kind)
    steps = np.asarray(neighbors, np.int64)
    if steps.ndim != 2 or steps.shape[1] != 4:
        raise ValueError(f"`neighbors` must have shape (k, 4), got shape {steps.shape}.")
    n = len(where)
    if n == 0:
        return np.empty(0, np.int64)
    margin = int(np.abs(steps[:, :2]).max(initial=0))
    where = where - where.min(axis=0) + margin  # so that no step leaves its row
    width = int(where[:, 1].max()) + margin + 1
    check_range(int(where[:, 0].max() + margin + 1) * width)
    place = where[:, 0] * width + where[:, 1]
    rows = [np.flatnonzero(kinds == one) for one in range(int(kinds.max()) + 1)]
    rows = [row[np.argsort(place[row], kind="stable")] for row in rows]
    places = [place[row] for row in rows]
    for sorted_places in places:
        if (sorted_places[1:] == sorted_places[:-1]).any():
            raise ValueError("`index` must differ between items of one kind, got two that are the same.")
    ends = [np.empty((2, 0), np.int64)]
    for di, dj, one, other in steps.tolist():
        if max(one, other) >= len(rows) or rows[other].size == 0:
            continue
        wanted = places[one] + di * width + dj
        at = np.searchsorted(places[other], wanted)
        hit = places[other][np.minimum(at, len(places[other]) - 1)] == wanted
        ends.append(np.stack([rows[one][hit], rows[other][at[hit]]]))
    first, second = np.concatenate(ends, axis=1)
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n, n))
    labels = connected_components(graph, directed=False)[1]
    _, begin, label = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(begin.argsort().argsort()[label], np.int64)


def canonical_forms(
    index: ArrayLike, kind: ArrayLike, state: ArrayLike, component: ArrayLike, operations: Operations
) -> MotifCells:
    """Find which components are the same up to a translation and one of the operations.

    The canonical form of a component is the least of its images: each is moved to row 0 and column 0, its
    items (i, j, kind, state) are sorted, and the sorted lists are compared. Equal forms are found by sorting
    them. O(k n log n) for n items and k operations, whatever the number of components; memory O(n).

    Parameters
    ----------
    index : array_like of int, shape (n, 2)
        Lattice indices of the items.
    kind, state : array_like of int, shape (n,)
        Sublattice, from 0, and state of each item.
    component : array_like of int, shape (n,)
        Component of each item, numbered from 0 without gaps, see `grow`.
    operations : Operations
        A group: `identity`, `four_fold_of_index` or `crystal_operations`.

    Returns
    -------
    MotifCells

    Raises
    ------
    ValueError
        If a shape does not fit, a kind or component is out of range, or the operations are no group.

    Examples
    --------
    Two pairs, one of them turned by 90 degrees, and a single.

    >>> from atomotif.numerics.crystal_operations import four_fold_of_index, identity
    >>> index = [[0, 0], [0, 1], [5, 5], [6, 5], [9, 9]]
    >>> items = index, [0] * 5, [1] * 5, [0, 0, 1, 1, 2]
    >>> canonical_forms(*items, four_fold_of_index()).count
    array([1, 2])
    >>> canonical_forms(*items, identity()).count
    array([1, 1, 1])
    """
    where, kinds = _as_items(index, kind)
    states, component = _as_labels(state, "state", len(where)), _as_labels(component, "component", len(where))
    n_kinds = operations.perm.shape[1]
    if kinds.max(initial=0) >= n_kinds:
        raise ValueError(
            f"`kind` must be less than {n_kinds}, the sublattices of `operations`, got {kinds.max()}."
        )
    if not is_group(operations):
        raise ValueError(f"`operations` must be a group, got {len(operations.matrix)} that are none.")
    size = np.bincount(component[component >= 0])
    if component.min(initial=0) < 0 or (size == 0).any():
        raise ValueError("`component` must number the components from 0 without gaps.")
    order = np.argsort(component, kind="stable")
    value, rank = np.unique(states[order], return_inverse=True)
    forms = _least_images(where[order], kinds[order], rank, size, operations, len(value))
    node, count, example = _same_forms(forms.code, size)
    level = size[example]
    rows = _runs(np.append(0, np.cumsum(size))[example], level)
    code, rank = np.divmod(forms.code[rows], max(len(value), 1))
    code, kinds = np.divmod(code, n_kinds)
    return MotifCells(
        level=level,
        count=count,
        offsets=np.append(0, np.cumsum(level)),
        index=np.column_stack(np.divmod(code, forms.width)),
        kind=kinds,
        state=value[rank],
        node=node,
        occurrence_offsets=np.append(0, np.cumsum(count)),
        occurrence=np.argsort(node, kind="stable"),
        operation=forms.operation,
        translation=forms.translation,
    )


class _Forms(NamedTuple):
    code: NDArray[np.int64]
    operation: NDArray[np.int64]
    translation: NDArray[np.int64]
    width: int


def _least_images(
    index: NDArray[np.int64],
    kind: NDArray[np.int64],
    rank: NDArray[np.int64],
    size: NDArray[np.int64],
    operations: Operations,
    n_states: int,
) -> _Forms:
    """Return the least sorted list of codes of each component; items are grouped by component."""
    m = len(size)
    operation, translation = np.zeros(m, np.int64), np.zeros((m, 2), np.int64)
    if m == 0:
        return _Forms(np.empty(0, np.int64), operation, translation, 1)
    owner = np.repeat(np.arange(m), size)
    best = np.empty(0, np.int64)
    width = 1
    for number, (code, low, columns) in enumerate(
        sorted_images(index, kind, rank, size, operations, n_states)
    ):
        if number == 0:
            best, translation, width = code, -low, columns
            continue
        differs = np.flatnonzero(code != best)
        changed, first = np.unique(owner[differs], return_index=True)
        less = np.zeros(m, bool)
        less[changed] = code[differs[first]] < best[differs[first]]
        best = np.where(less[owner], code, best)
        operation[less], translation[less] = number, -low[less]
    return _Forms(best, operation, translation, width)


def _same_forms(
    code: NDArray[np.int64], size: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the class of each component, in the order of `MotifCells`, its count and first component."""
    node = np.empty(len(size), np.int64)
    counts, examples = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    starts, by_size = np.append(0, np.cumsum(size)), np.argsort(size, kind="stable")
    cuts = np.flatnonzero(np.diff(size[by_size])) + 1
    n_nodes = 0
    for members in np.split(by_size, cuts) if len(size) else []:
        lists = code[_runs(starts[members], size[members])].reshape(len(members), -1)
        # A level with a single component may have more items than lexsort takes keys.
        order = np.lexsort(lists.T[::-1]) if len(members) > 1 else np.zeros(1, np.int64)
        new = np.append(True, (lists[order[1:]] != lists[order[:-1]]).any(axis=1))
        group = np.cumsum(new) - 1
        count = np.bincount(group)
        falling = np.argsort(-count, kind="stable")
        node[members[order]] = n_nodes + np.argsort(falling)[group]
        counts.append(count[falling])
        examples.append(members[order][new][falling])
        n_nodes += len(count)
    return node, np.concatenate(counts), np.concatenate(examples)


def _runs(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of several runs, one after the other."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths))


def _as_items(index: ArrayLike, kind: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    where = np.asarray(index, np.int64)
    if where.ndim != 2 or where.shape[1] != 2:
        raise ValueError(f"`index` must have shape (n, 2), got shape {where.shape}.")
    kinds = _as_labels(kind, "kind", len(where))
    if kinds.min(initial=0) < 0:
        raise ValueError(f"`kind` must not be negative, got {kinds.min()}.")
    return where, kinds


def _as_labels(values: ArrayLike, name: str, n: int) -> NDArray[np.int64]:
    labels = np.asarray(values, np.int64)
    if labels.shape != (n,):
        raise ValueError(f"`{name}` must have one value for each of {n} items, got shape {labels.shape}.")
    return labels
