"""Compared domains: a map of their divergences, the histograms that these come from, and where they lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from bokeh.palettes import interp_palette
from numpy.typing import NDArray

from atomotif.views.style import SEQUENTIAL, scale_ticks
from atomotif.views.tree_data import rows_of

#: Outlines, headings and lines of the two domains that are looked at: legible on light and on dark.
PAIR_COLORS = ("#d55e00", "#2583dc")
#: Of what one of them has more than the other.
DIFFERENCE = tuple(interp_palette((PAIR_COLORS[1], "#f7f7f7", PAIR_COLORS[0]), 255))
NO_VALUE = 255
#: An adjusted p above it is not taken as a difference.
SIGNIFICANCE = 0.05
#: Kinds of features that are compared, by what their names in the group begin with.
KINDS = (("", "Moments"), ("place_", "Deviations at like places"))
#: What can be told of a pair, by the names of the group: of either kind of features, and of both.
OF_KIND = ("divergence", "symmetric", "corrected", "error", "null_mean", "null_std")
OF_BOTH = ("p_value", "p_adjusted", "nuisance_p", "nuisance_p_adjusted")
_LEAST_P = 1e-12  # of a scale, whose logarithm must be finite
_UNIT = "nats per feature"


@dataclass(frozen=True)
class ComparedFeatures:
    """What was found with one kind of features.

    Attributes
    ----------
    title : str
    histogram : ndarray of uint16 or uint32, shape (n, n_moments, n_bins)
        How many points of a domain have a moment in a bin.
    edge : ndarray of float32, shape (n_moments, n_bins + 1)
    value : ndarray of float32, shape (n_measures, n, n)
        Of every pair what `measures` names.
    level : ndarray of uint8, shape (n_modes, n, n)
        Colour of a cell on the scale of each mode, 255 where there is no value.
    muted : ndarray of bool, shape (n, n)
        Pairs whose difference is not significant: as the test at like places says, with either kind.
    measures : tuple of str
    modes : tuple of dict
        `name`, `measure` in the cells, `title` and `ticks` of the scale.
    note : str
        What muted cells are.
    """

    title: str
    histogram: NDArray[np.unsignedinteger]
    edge: NDArray[np.float32]
    value: NDArray[np.float32]
    level: NDArray[np.uint8]
    muted: NDArray[np.bool_]
    measures: tuple[str, ...]
    modes: tuple[dict[str, Any], ...]
    note: str

    def of(self, measure: str) -> NDArray[np.float32]:
        """Return one of the measures, shape (n, n)."""
        found: NDArray[np.float32] = self.value[self.measures.index(measure)]
        return found


@dataclass(frozen=True)
class ComparisonData:
    """What the page needs of the comparison.

    Attributes
    ----------
    row, offset : ndarray of int32 and uint32
        Rows of the points of every compared domain, one after the other.
    outline_x, outline_y : ndarray of float32
        Closed rings round every compared domain, one after the other, with NaN after each ring.
    outline_offset : ndarray of uint32, shape (n + 1,)
        Where the rings of a domain begin.
    domains : tuple of dict
        `name`, `count` of points and `compared`, how many of them are in the histograms.
    moments : tuple of (int, int)
        Radial and azimuthal order.
    kinds : tuple of ComparedFeatures
        The moments, and where it was done their deviations from their course over the place in a domain.
    """

    row: NDArray[np.int32]
    offset: NDArray[np.uint32]
    outline_x: NDArray[np.float32]
    outline_y: NDArray[np.float32]
    outline_offset: NDArray[np.uint32]
    domains: tuple[dict[str, Any], ...]
    moments: tuple[tuple[int, int], ...]
    kinds: tuple[ComparedFeatures, ...]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by the names that the page knows."""
        found: dict[str, NDArray[Any]] = {
            "comparisonRow": self.row,
            "comparisonOffset": self.offset,
            "comparisonOutlineX": self.outline_x,
            "comparisonOutlineY": self.outline_y,
            "comparisonOutlineOffset": self.outline_offset,
        }
        for k, kind in enumerate(self.kinds):
            found |= {
                f"comparison{k}Histogram": kind.histogram,
                f"comparison{k}Edge": kind.edge,
                f"comparison{k}Value": kind.value,
                f"comparison{k}Level": kind.level,
                f"comparison{k}Muted": kind.muted.astype(np.uint8),
            }
        return found

    def facts(self) -> dict[str, Any]:
        """Return the rest."""
        return {
            "domains": list(self.domains),
            "moments": [list(pair) for pair in self.moments],
            "kinds": [
                {
                    "title": kind.title,
                    "measures": list(kind.measures),
                    "modes": list(kind.modes),
                    "note": kind.note,
                }
                for kind in self.kinds
            ],
            "palette": list(SEQUENTIAL),
            "difference": list(DIFFERENCE),
            "pair": list(PAIR_COLORS),
        }

    def whole(self, selected: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the compared domains of which all points are selected.

        Parameters
        ----------
        selected : ndarray of bool, shape (n_points,)

        Returns
        -------
        ndarray of int
        """
        count = np.append(0, np.cumsum(selected[self.row]))[self.offset.astype(np.int64)]
        chosen = np.diff(count)
        return np.flatnonzero((chosen > 0) & (chosen == np.diff(self.offset.astype(np.int64))))

    def rings(self, domain: int) -> list[NDArray[np.float32]]:
        """Return the closed rings round a domain, each of shape (n_vertices, 2), as x and y."""
        part = slice(self.outline_offset[domain], self.outline_offset[domain + 1])
        places = np.column_stack([self.outline_x[part], self.outline_y[part]])
        ends = np.flatnonzero(np.isnan(places[:, 0]))
        return [ring[~np.isnan(ring[:, 0])] for ring in np.split(places, ends) if len(ring) > 1]


def comparison_data(groups: Mapping[str, xr.Dataset], ids: NDArray[np.int64]) -> ComparisonData | None:
    """Read the comparison of domains.

    Parameters
    ----------
    groups : mapping of str to xr.Dataset
        A session's groups.
    ids : ndarray of int64
        Of the points that are shown, in their order.

    Returns
    -------
    ComparisonData or None
        None where no domains were compared, or where those that were are gone.

    Examples
    --------
    >>> comparison_data({}, np.arange(3)) is None
    True
    """
    if not {"comparison", "domains"} <= groups.keys():
        return None
    group, domains = groups["comparison"], groups["domains"]
    compared = group["domain"].values if "domain" in group else np.empty(0, np.int64)
    if len(compared) == 0 or compared.max() >= domains.sizes.get("domain_", 0):
        return None
    row, offset = _members(domains, compared, ids)
    outline, outline_offset = _outlines(domains, compared)
    counts = group["histogram"].values
    return ComparisonData(
        row=row,
        offset=offset,
        outline_x=outline[:, 0],
        outline_y=outline[:, 1],
        outline_offset=outline_offset,
        domains=tuple(
            {
                "name": str(domains["name"].values[domain]),
                "count": int(domains["count"].values[domain]),
                "compared": int(counts[k, 0].sum()),
            }
            for k, domain in enumerate(compared)
        ),
        moments=tuple((int(p), int(q)) for p, q in zip(group["p"].values, group["q"].values)),
        kinds=tuple(
            _features(group, prefix, title) for prefix, title in KINDS if f"{prefix}histogram" in group
        ),
    )


def _features(group: xr.Dataset, prefix: str, title: str) -> ComparedFeatures:
    counts = group[f"{prefix}histogram"].values
    names = {name: prefix + name for name in OF_KIND} | {name: name for name in OF_BOTH}
    measures = tuple(measure for measure, name in names.items() if name in group)
    value = np.array([group[names[measure]].values for measure in measures], np.float32)
    modes, level = _modes(dict(zip(measures, value)))
    muted = _not_significant(group)
    return ComparedFeatures(
        title=title,
        histogram=counts.astype(np.uint16 if counts.max(initial=0) < 2**16 else np.uint32),
        edge=group[f"{prefix}bin_edge"].values.astype(np.float32),
        value=value,
        level=level,
        muted=muted,
        measures=measures,
        modes=modes,
        note=_note(muted, with_nuisance="nuisance_p_adjusted" in measures),
    )


def _members(
    domains: xr.Dataset, compared: NDArray[np.int64], ids: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
    number = np.full(domains.sizes["domain_"] + 1, -1)  # domain -1 takes the last
    number[compared] = np.arange(len(compared))
    of_point = number[domains["domain"].values]
    row = rows_of(domains["id"].values, ids) if "id" in domains.coords else np.arange(len(of_point))
    there = np.flatnonzero((of_point >= 0) & (row >= 0))
    there = there[np.lexsort((row[there], of_point[there]))]
    offset = np.searchsorted(of_point[there], np.arange(len(compared) + 1))
    return row[there].astype(np.int32), offset.astype(np.uint32)


def _outlines(
    domains: xr.Dataset, compared: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
    places = np.column_stack([domains["outline_x"].values, domains["outline_y"].values])
    start, of_ring = domains["outline_offset"].values, domains["outline_domain"].values
    parts, offset = [np.empty((0, 2))], [0]
    for domain in compared:
        for ring in np.flatnonzero(of_ring == domain):
            corners = places[start[ring] : start[ring + 1]]
            parts += [corners, corners[:1], np.full((1, 2), np.nan)]
        offset.append(sum(map(len, parts)))
    return np.concatenate(parts).astype(np.float32), np.array(offset, np.uint32)


def _modes(value: dict[str, NDArray[np.float32]]) -> tuple[tuple[dict[str, Any], ...], NDArray[np.uint8]]:
    """Return the modes of the map, and the colours of its cells in each."""
    modes, levels = [], []
    for name, measure, title in (
        ("corrected", "corrected", f"divergence, corrected ({_UNIT})"),
        ("raw", "symmetric", f"divergence, raw ({_UNIT})"),
        ("p", "p_adjusted", "adjusted p"),
    ):
        if measure not in value:
            continue
        part, ticks = (_part_of_p if name == "p" else _part)(value[measure])
        np.fill_diagonal(part, np.nan)
        level = np.rint(254 * np.clip(part, 0, 1))
        levels.append(np.where(np.isfinite(part), level, NO_VALUE).astype(np.uint8))
        modes.append({"name": name, "measure": measure, "title": title, "ticks": ticks})
    return tuple(modes), np.array(levels)


def _part(value: NDArray[np.float32]) -> tuple[NDArray[np.floating], list[dict[str, Any]]]:
    """Return the place of each pair on a scale from 0 to the greatest, and the scale's ends and middle."""
    pairs = _pairs(value)
    # Where all are negative, by the spread of equal domains, it is of that size.
    high = float(pairs.max(initial=0.0)) or float(np.abs(pairs).max(initial=0.0)) or 1.0
    return value / high, scale_ticks(0.0, high, below=bool((pairs < 0).any()))


def _part_of_p(value: NDArray[np.float32]) -> tuple[NDArray[np.floating], list[dict[str, Any]]]:
    """Return the place of each pair on a logarithmic scale from 1 to the least p, at most 0.05."""
    least = max(min(float(_pairs(value).min(initial=1.0)), SIGNIFICANCE), _LEAST_P)
    part = np.log(np.clip(value, _LEAST_P, 1)) / np.log(least)
    ticks = [{"at": at, "text": f"{least**at:.2g}"} for at in (0.0, 0.5, 1.0)]
    return part, ticks


def _pairs(value: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what is finite beside the diagonal."""
    pairs = value[~np.eye(len(value), dtype=bool)]
    return pairs[np.isfinite(pairs)]


def _not_significant(group: xr.Dataset) -> NDArray[np.bool_]:
    muted = np.zeros((group.sizes["compared"],) * 2, bool)
    for name in ("p_adjusted", "nuisance_p_adjusted"):
        if name in group:
            muted |= ~(group[name].values <= SIGNIFICANCE)
    np.fill_diagonal(muted, False)
    return muted


def _note(muted: NDArray[np.bool_], with_nuisance: bool) -> str:
    pairs = len(muted) * (len(muted) - 1) // 2
    differ = pairs - int(muted.sum()) // 2
    against = "equal domains"
    if with_nuisance:
        against += " and what noise and scan alone do"
    return (
        f"{differ} of {pairs} pairs differ significantly at like places (adjusted p ≤ {SIGNIFICANCE}) "
        f"from {against}; the others are hatched."
    )
