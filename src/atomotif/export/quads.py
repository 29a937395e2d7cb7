"""Quads of pentagons as tables: states, entropies, growth."""

import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import xarray as xr

FILLED, EMPTY = "●", "○"
#: Corner of a quad at each place of its drawing: corner 0 is towards the lower right, 1 the lower left, ...
_PLACES = ((2, 3), (1, 0))


def state_drawing(state: int, level: int = 2) -> str:
    """Return the state of a quad (level 2) or of a square of four quads (level 3) as a drawing in text.

    Parameters
    ----------
    state : int
        Bit k of it is set if pentagon k is filled.
    level : {2, 3}, default 2

    Returns
    -------
    str
        Rows from the top, parted by "/". Turned against the image by less than 45 degrees: corner 0, at the
        lower right, lies in the direction `orientation` of the group `quads`, from 0 (right) to 90 degrees
        (down).

    Examples
    --------
    >>> state_drawing(0b0001), state_drawing(0b1100), state_drawing(0b1111, level=3)
    ('○○/○●', '●●/○○', '○○ ○○/○○ ○○/○○ ●●/○○ ●●')
    """
    if level == 2:
        return "/".join("".join(FILLED if state >> k & 1 else EMPTY for k in row) for row in _PLACES)
    rows = []
    for quads in _PLACES:
        drawn = [state_drawing(state >> 4 * quad & 15).split("/") for quad in quads]
        rows += [" ".join(parts) for parts in zip(*drawn, strict=True)]
    return "/".join(rows)


def quads_table(data: xr.DataTree, level: int = 2, sublattice: int | None = None) -> pd.DataFrame:
    """Return how often each state of quads (level 2) or of squares of four quads (level 3) occurs.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `quads`.
    level : {2, 3}, default 2
    sublattice : {0, 1}, optional
        By default both.

    Returns
    -------
    pandas.DataFrame
        Index `state`, the most frequent first; `drawing` (see `state_drawing`), `count`, `share` of those
        without a partly filled pentagon, `coverage` (the sum of the shares down to here: "83 % in six
        states"), and `field` (share of all pentagons that are part of the states down to here, each counted
        once: "two states cover a quarter of the field").

    Raises
    ------
    ValueError
        If there is no such level or sublattice.
    """
    group = data["quads"].to_dataset()
    rows = _rows(group, "abundance_offset", level, sublattice)
    state, count = (group[f"abundance_{name}"].values[rows] for name in ("state", "count"))
    return pd.DataFrame(
        {
            "drawing": [state_drawing(int(one), level) for one in state],
            "count": count,
            "share": count / max(int(count.sum()), 1),
            "coverage": group["abundance_coverage"].values[rows],
            "field": group["abundance_field"].values[rows],
        },
        index=pd.Index(state, name="state"),
    )


def pentagons_table(data: xr.DataTree) -> pd.DataFrame:
    """Return motifs, count and share of the empty, partly filled and filled pentagons (level 1).

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `quads`.

    Returns
    -------
    pandas.DataFrame
        Index `pentagon`; `motifs` (as in "M0 + M3"), `count`, `share`.
    """
    group = data["quads"].to_dataset()
    names = group["motif_name"].values
    labels, kind = group["pentagon_label"].values, group["pentagon_occupancy"].values
    count = group["pentagon_count"].values
    return pd.DataFrame(
        {
            "motifs": [" + ".join(str(name) for name in names[labels[kind == k]]) for k in range(3)],
            "count": count,
            "share": count / count.sum(),
        },
        index=pd.Index(["empty", "partial", "filled"], name="pentagon"),
    )


def entropies_table(data: xr.DataTree) -> pd.DataFrame:
    """Return the configurational entropies of every level and sublattice, against what chance gives.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `quads`.

    Returns
    -------
    pandas.DataFrame
        `level`; `sublattice` ("both", "0", "1"); `n_motifs` counted and `n_distinct` states; in bits
        `entropy`, `corrected` (Miller and Madow), `equal` (all states equally probable: the paper's null),
        `independent` (pentagons at the sample's composition, a field without end), `null_mean` and `null_std`
        (the labels permuted over the same pentagons), `z` and two-sided `p` against these.
    """
    group = data["quads"].to_dataset()
    names = ["n_motifs", "n_distinct", "entropy", "corrected", "equal", "independent"]
    names += ["null_mean", "null_std", "z", "p"]
    return pd.DataFrame(
        {
            "level": group["level"].values,
            "sublattice": ["both" if one < 0 else str(one) for one in group["sublattice"].values],
            **{name: group[name].values for name in names},
        }
    )


def growth_table(data: xr.DataTree, level: int = 2, sublattice: int | None = None) -> pd.DataFrame:
    """Return how many distinct states a part of the sample shows, in the mean over all parts of that size.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `quads`.
    level : {2, 3}, default 2
    sublattice : {0, 1}, optional
        By default both.

    Returns
    -------
    pandas.DataFrame
        `n_motifs` looked at, and `distinct`.

    Raises
    ------
    ValueError
        If there is no such level or sublattice.
    """
    group = data["quads"].to_dataset()
    rows = _rows(group, "growth_offset", level, sublattice)
    return pd.DataFrame(
        {"n_motifs": group["growth_size"].values[rows], "distinct": group["growth_distinct"].values[rows]}
    )


def _rows(group: xr.Dataset, offsets: str, level: int, sublattice: int | None) -> slice:
    number = -1 if sublattice is None else sublattice
    found = np.flatnonzero((group["level"].values == level) & (group["sublattice"].values == number))
    if level not in (2, 3):
        raise ValueError(f"`level` must be 2 or 3, got {level!r}.")
    if len(found) == 0:
        raise ValueError(f"`sublattice` must be 0, 1 or None, got {sublattice!r}.")
    start = group[offsets].values
    return slice(int(start[found[0]]), int(start[found[0] + 1]))
