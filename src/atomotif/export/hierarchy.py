"""The motif-cell hierarchy as a graph and as a table."""

from collections import Counter
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import xarray as xr
from numpy.typing import NDArray


def composition_names(labels: NDArray[np.int64], offsets: NDArray[np.int64], names: list[str]) -> list[str]:
    """Return a name for each set or multiset of motifs.

    Parameters
    ----------
    labels : ndarray of int64
        Labels of all sets, one after the other.
    offsets : ndarray of int64, shape (n + 1,)
        Where each set starts.
    names : list of str
        Of the motifs, by label.

    Returns
    -------
    list of str

    Examples
    --------
    >>> composition_names(np.array([0, 1, 0, 0]), np.array([0, 2, 4, 4]), ["Mo", "Se2"])
    ['Mo + Se2', '2 Mo', 'missing']
    """
    parts = [labels[a:b].tolist() for a, b in pairwise(offsets)]
    return [_sum_formula(Counter(names[label] for label in part)) or "missing" for part in parts]


def _sum_formula(counts: Counter[str]) -> str:
    return " + ".join(name if count == 1 else f"{count} {name}" for name, count in counts.items())


def item_names(data: xr.DataTree) -> list[str]:
    """Return what each item of the motif-cells is: the motifs at a site, or those of a cell.

    Names are those of the motifs that the cells were made from, also where there are others by now.
    """
    hierarchy, cells = data["hierarchy"].to_dataset(), data["cells"].to_dataset()
    names = [str(name) for name in cells["motif_name"].values]
    if hierarchy.attrs["items"] == "cells":
        classes = composition_names(cells["class_label"].values, cells["class_offset"].values, names)
        return [classes[state] for state in hierarchy["item_state"].values]
    states = composition_names(cells["state_label"].values, cells["state_offset"].values, names)
    usual = [states[state] if state >= 0 else "column" for state in cells["majority"].values]
    return [
        f"no {usual[kind]}" if states[state] == "missing" else states[state]
        for kind, state in zip(hierarchy["item_kind"].values, hierarchy["item_state"].values)
    ]


def hierarchy_graph(data: xr.DataTree) -> "nx.DiGraph[int]":
    """Return the hierarchy: a node for each motif-cell, an edge from each to those it is part of.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `hierarchy`.

    Returns
    -------
    networkx.DiGraph
        Nodes are numbers in the order of the group: by level, then the most frequent first. Each has
        `level` (int), `count` (int), `composition` (dict of name to number), `cells` (a tuple
        (i, j, sublattice, name) for each site, or (i, j, name) for each cell of its canonical form, in
        lattice vectors) and `occurrences` (float64 array (count, 2): centres as (y, x) in the units of the
        image).

    Examples
    --------
    >>> graph = hierarchy_graph(session.data)
    >>> graph.nodes[0]["level"], len(graph.nodes[0]["occurrences"]) == graph.nodes[0]["count"]
    (1, True)
    """
    group = data["hierarchy"].to_dataset()
    items, where = item_names(data), group["item_index"].values.tolist()
    kinds = group["item_kind"].values.tolist()
    by_site = group.attrs["items"] == "sites"
    centers = np.column_stack([group["occurrence_y"].values, group["occurrence_x"].values])
    starts, seen = group["item_offset"].values, group["occurrence_offset"].values
    graph: nx.DiGraph[int] = nx.DiGraph()
    for node in range(group.sizes["node"]):
        rows = range(starts[node], starts[node + 1])
        cells: list[tuple[Any, ...]] = [
            (*where[row], kinds[row], items[row]) if by_site else (*where[row], items[row]) for row in rows
        ]
        graph.add_node(
            node,
            level=int(group["level"][node]),
            count=int(group["count"][node]),
            composition=dict(Counter(items[row] for row in rows)),
            cells=cells,
            occurrences=centers[seen[node] : seen[node + 1]],
        )
    graph.add_edges_from(zip(group["lower"].values.tolist(), group["higher"].values.tolist()))
    return graph


def motif_cells_table(data: xr.DataTree) -> pd.DataFrame:
    """Return one row a motif-cell.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `hierarchy`.

    Returns
    -------
    pandas.DataFrame
        Index `node`; `level` (number of sites or cells), `count`, `composition` (as in "2 VSe + Mo"),
        `part_of` (number of motif-cells that an edge leads to).

    Examples
    --------
    >>> list(motif_cells_table(session.data).columns)
    ['level', 'count', 'composition', 'part_of']
    """
    group = data["hierarchy"].to_dataset()
    items, starts = item_names(data), group["item_offset"].values
    items = [f"({item})" if " + " in item else item for item in items]
    # In the order of the motifs, whichever form is the canonical one.
    node = np.repeat(np.arange(group.sizes["node"]), np.diff(starts))
    order = np.lexsort((group["item_kind"].values, group["item_state"].values, node))
    n_nodes = group.sizes["node"]
    return pd.DataFrame(
        {
            "level": group["level"].values,
            "count": group["count"].values,
            "composition": [_sum_formula(Counter(items[k] for k in order[a:b])) for a, b in pairwise(starts)],
            "part_of": np.bincount(group["lower"].values, minlength=n_nodes),
        },
        index=pd.RangeIndex(n_nodes, name="node"),
    )


def cell_classes_table(data: xr.DataTree) -> pd.DataFrame:
    """Return one row a class of cells.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `cells`.

    Returns
    -------
    pandas.DataFrame
        `composition`, `count`, `share` of the cells that have a class, `dominant` (the perfect crystal).

    Examples
    --------
    >>> list(cell_classes_table(session.data).columns)
    ['composition', 'count', 'share', 'dominant']
    """
    cells = data["cells"].to_dataset()
    names = [str(name) for name in cells["motif_name"].values]
    count = cells["class_count"].values
    return pd.DataFrame(
        {
            "composition": composition_names(
                cells["class_label"].values, cells["class_offset"].values, names
            ),
            "count": count,
            "share": count / max(int(count.sum()), 1),
            "dominant": cells["class_dominant"].values,
        },
        index=pd.RangeIndex(len(count), name="class"),
    )
