"""Compared domains as a table of pairs."""

import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import xarray as xr

_OF_PAIR = (
    "symmetric",
    "corrected",
    "error",
    "place_symmetric",
    "place_corrected",
    "place_error",
    "p_value",
    "p_adjusted",
    "nuisance_p",
    "nuisance_p_adjusted",
    "raw_p_value",
    "raw_p_adjusted",
)


def comparison_table(data: xr.DataTree) -> pd.DataFrame:
    """Return one row a pair of compared domains, in the order of the domains (paper, fig. 5H).

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the groups `domains` and `comparison`.

    Returns
    -------
    pandas.DataFrame
        `domain` and `other` (names), `n` and `n_other` (points whose histograms were compared); in nats per
        feature `divergence` (of the first from the second) and `reverse`, their mean `symmetric`, `corrected`
        by the bias of finite samples, and its `error`, and with `place_` before the name the same of the
        deviations from what is common to like places of all domains; `p_value` of the test at like places,
        `p_adjusted` for the number of pairs, and where it was asked for `nuisance_p` and
        `nuisance_p_adjusted`, against what noise and scan alone do; `raw_p_value` and `raw_p_adjusted` of
        the moments themselves.

    Examples
    --------
    >>> domains = xr.Dataset({"name": ("domain_", ["A #1", "B #1", "A #2"])})
    >>> comparison = xr.Dataset(
    ...     {
    ...         "histogram": (("compared", "moment", "bin"), np.full((2, 66, 4), 12)),
    ...         "divergence": (("compared", "other"), [[0, 0.2], [0.3, 0]]),
    ...     },
    ...     {"domain": ("compared", [0, 2])},
    ... )
    >>> data = xr.DataTree.from_dict({"domains": domains, "comparison": comparison})
    >>> comparison_table(data)[["domain", "other", "divergence", "reverse"]].values.tolist()
    [['A #1', 'A #2', 0.2, 0.3]]
    """
    group, domains = data["comparison"].to_dataset(), data["domains"].to_dataset()
    compared = group["domain"].values
    names = np.array([str(domains["name"].values[domain]) for domain in compared], dtype=object)
    counts = group["histogram"].values[:, 0].sum(axis=1)
    first, second = np.triu_indices(len(compared), 1)
    divergence = group["divergence"].values
    return pd.DataFrame(
        {
            "domain": names[first],
            "other": names[second],
            "n": counts[first],
            "n_other": counts[second],
            "divergence": divergence[first, second],
            "reverse": divergence[second, first],
            **{name: group[name].values[first, second] for name in _OF_PAIR if name in group},
        }
    )
