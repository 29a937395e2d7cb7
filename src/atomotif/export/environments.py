"""The classes of environments as a table, with the names that motifs have now."""

from collections import Counter
from itertools import pairwise

import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import xarray as xr


def environments_table(data: xr.DataTree) -> pd.DataFrame:
    """Return one row a class of environments, the most frequent first.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `environments`.

    Returns
    -------
    pandas.DataFrame
        Index `class`; `center` (motif), `ring 1`, `ring 2`, ... (as in "2 S2 + 1 VS"; with `ordered_rings`
        the cyclic sequence, as in "S2, S2, VS"), `count`, and `share` of those of the same centre motif whose
        rings are complete. Columns without a motif are "none".

    Examples
    --------
    >>> list(environments_table(session.find_environments().data).columns)
    ['center', 'ring 1', 'ring 2', 'count', 'share']
    """
    group = data["environments"].to_dataset()
    names = [*(str(name) for name in group["motif_name"].values), "none"]
    n_shells, ordered = int(group.attrs["n_shells"]), bool(group.attrs["ordered_rings"])
    center, count = group["class_center"].values, group["class_count"]
    starts, labels = group["class_ring_offset"].values, group["class_ring_label"].values
    texts = [_ring_text([names[label] for label in labels[a:b]], ordered) for a, b in pairwise(starts)]
    table = pd.DataFrame(
        {
            "center": [names[label] for label in center],
            **{f"ring {k + 1}": texts[k::n_shells] for k in range(n_shells)},
            "count": count.values,
        },
        index=pd.RangeIndex(len(center), name="class"),
    )
    return table.assign(share=table["count"] / table.groupby("center")["count"].transform("sum"))


def _ring_text(names: list[str], ordered: bool) -> str:
    if ordered:
        return ", ".join(names)
    return " + ".join(f"{number} {name}" for name, number in Counter(names).items())
