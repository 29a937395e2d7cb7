"""The classes of environments as tiles: what they are made of, their average, whose points they are."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._palette import NEUTRAL
from atomotif.views.columns import grey
from atomotif.views.data import DisplayImage, picture_of, reduced
from atomotif.views.tree_data import rows_of

# Tiles that are looked at one by one.
MOST_CLASSES = 24
# The column that says which class a point is the centre of has one byte.
NOT_SHOWN = 255
# Patches that an average is made of: their noise is then a seventh of that of one.
_MOST_PATCHES = 50
# Rings that an average reaches to, and its side at most, px: a tile is no larger on the screen.
_RINGS_SEEN = 2
_MOST_MEASURED = 500  # centres, for how far that is
_MOST_SIDE = 96


@dataclass(frozen=True)
class EnvironmentData:
    """What the page needs of the environments.

    Attributes
    ----------
    center_class : ndarray of uint8, shape (n,)
        For every point the tile that it is a centre of, 255 for none.
    row, offset : ndarray of int32 and uint32
        Rows of the points, centres and rings, of every tile, one after the other.
    average : ndarray of uint8, shape (n_tiles, side, side), or None
        Mean of the micrograph round the centres, each turned to match the others; None without a micrograph.
    tiles : tuple of dict
        `name`, `color` and `count` of the centre; `rings`, a list of colours a ring; `text` of all rings.
    note : str
        What is not shown.
    """

    center_class: NDArray[np.uint8]
    row: NDArray[np.int32]
    offset: NDArray[np.uint32]
    average: NDArray[np.uint8] | None
    tiles: tuple[dict[str, Any], ...]
    note: str

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by the names that the page knows."""
        found: dict[str, NDArray[Any]] = {
            "environmentOfCenter": self.center_class,
            "environmentRow": self.row,
            "environmentOffset": self.offset,
        }
        return found if self.average is None else {**found, "environmentAverage": self.average}

    def facts(self) -> dict[str, Any]:
        """Return the rest."""
        return {"tiles": list(self.tiles), "note": self.note}


def environment_data(
    groups: Mapping[str, xr.Dataset],
    ids: NDArray[np.int64],
    image: DisplayImage | None = None,
    *,
    with_averages: bool = True,
) -> EnvironmentData | None:
    """Read the environments.

    Parameters
    ----------
    groups : mapping of str to xr.Dataset
        A session's groups.
    ids : ndarray of int64
        Of the points that are shown, in their order.
    image : DisplayImage, optional
        The display copy of the micrograph, for its grey levels.
    with_averages : bool, default True
        Averages take a tenth of a second.

    Returns
    -------
    EnvironmentData or None
        None where there are no environments.

    Examples
    --------
    >>> environment_data({}, np.arange(3)) is None
    True
    """
    if "environments" not in groups or groups["environments"].sizes.get("class_", 0) == 0:
        return None
    group = groups["environments"]
    count = group["class_count"].values
    chosen = shown_classes(group["class_center"].values, count)
    number = np.full(len(count) + 1, -1)  # class -1 takes the last
    number[chosen] = np.arange(len(chosen))
    of_center = number[group["class"].values]
    center_row = rows_of(group["center_id"].values, ids)
    center_class = np.full(len(ids), NOT_SHOWN, np.uint8)
    there = (of_center >= 0) & (center_row >= 0)
    center_class[center_row[there]] = of_center[there]

    n_shells = int(group.attrs["n_shells"])
    start = group["ring_offset"].values[::n_shells]
    member_row = rows_of(group["ring_id"].values, ids)
    tile = np.concatenate([of_center, np.repeat(of_center, np.diff(start))])
    row = np.concatenate([center_row, member_row])
    known = (tile >= 0) & (row >= 0)
    held = np.zeros((len(chosen), len(ids)), bool)
    held[tile[known], row[known]] = True
    return EnvironmentData(
        center_class=center_class,
        row=np.nonzero(held)[1].astype(np.int32),
        offset=np.cumsum([0, *held.sum(axis=1)]).astype(np.uint32),
        average=_averages(groups, of_center, len(chosen), image) if with_averages else None,
        tiles=tuple(_tiles(group, groups.get("motifs", xr.Dataset()), chosen)),
        note=_note(len(count) - len(chosen), int(count.sum() - count[chosen].sum())),
    )


def shown_classes(
    center: NDArray[np.int64], count: NDArray[np.int64], most: int = MOST_CLASSES
) -> NDArray[np.int64]:
    """Return the classes that are shown, those of the rarest centre motif first, the most frequent first.

    Every centre motif has its turn, one class after the other, until there are `most`: what surrounds a
    dopant is not crowded out by the many ways in which the crystal meets a defect.

    Parameters
    ----------
    center, count : ndarray of int, shape (n_classes,)
        Motif of the centre, and number of centres, of each class.
    most : int

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> shown_classes(np.array([0, 0, 0, 1, 1]), np.array([90, 20, 9, 6, 1]), most=4)
    array([3, 4, 0, 1])
    """
    order = np.lexsort([np.arange(len(count)), -count])
    turn = np.empty(len(count), np.int64)
    for motif in np.unique(center):
        own = order[center[order] == motif]
        turn[own] = np.arange(len(own))
    chosen = np.lexsort([-count, turn])[:most]
    total = {int(motif): int(count[center == motif].sum()) for motif in np.unique(center)}
    rarity = np.array([total[int(motif)] for motif in center[chosen]])
    return np.asarray(chosen[np.lexsort([chosen, -count[chosen], center[chosen], rarity])], np.int64)


def _note(classes: int, centers: int) -> str:
    if classes == 0:
        return ""
    return f"and {classes:,} rarer classes of {centers:,} centres: find_environments(centers=...) chooses"


def _tiles(group: xr.Dataset, motifs: xr.Dataset, chosen: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    names = [*(str(name) for name in group["motif_name"].values), "none"]
    # The motifs that were named when the environments were found may be others now.
    now = dict(zip(map(str, motifs["name"].values), map(str, motifs["color"].values))) if motifs else {}
    colors = [now.get(name, NEUTRAL) for name in names]
    n_shells, ordered = int(group.attrs["n_shells"]), bool(group.attrs["ordered_rings"])
    bounds, labels = group["class_ring_offset"].values, group["class_ring_label"].values
    for k in chosen:
        limits = bounds[k * n_shells : (k + 1) * n_shells + 1]
        rings = [labels[a:b].tolist() for a, b in pairwise(limits)]
        center = int(group["class_center"].values[k])
        yield {
            "name": names[center],
            "color": colors[center],
            "count": int(group["class_count"].values[k]),
            "rings": [[colors[label] for label in ring] for ring in rings],
            "text": [ring_text([names[label] for label in ring], ordered) for ring in rings],
        }


def ring_text(names: Sequence[str], ordered: bool) -> str:
    r"""Return what a ring is made of.

    Examples
    --------
    >>> ring_text(["S", "S", "V"], ordered=False), ring_text(["S", "S", "V"], ordered=True)
    ('2\xa0S + V', 'S, S, V')
    """
    if not names:
        return "nothing"
    if ordered:
        return ", ".join(names)
    # A number stays with its name where a line is broken.
    return " + ".join(name if n == 1 else f"{n}\u00a0{name}" for name, n in Counter(names).items())


def _averages(
    groups: Mapping[str, xr.Dataset], of_center: NDArray[np.int64], n: int, image: DisplayImage | None
) -> NDArray[np.uint8] | None:
    """Return the mean of the micrograph round the centres of each tile."""
    if "image" not in groups or "points" not in groups:
        return None
    from atomotif.numerics.averages import motif_averages

    group, points = groups["environments"], groups["points"]
    pixels = picture_of(groups["image"])
    place = np.column_stack([points["row"].values, points["col"].values])
    center = rows_of(group["center_id"].values, points["id"].values)
    radius = _radius(group, points, place, center)
    # Whole patches only, wherever a class has any: beyond the edge an image is mirrored.
    edge = np.minimum(place[center], np.array(pixels.shape) - 1 - place[center]).min(axis=1)
    label = np.full(len(center), -1)
    for k in range(n):
        members = np.flatnonzero((of_center == k) & (center >= 0) & (edge >= 0))
        inner = members[edge[members] >= radius]
        members = inner if len(inner) else members
        label[members[np.linspace(0, len(members) - 1, min(len(members), _MOST_PATCHES)).astype(int)]] = k
    some = label >= 0
    average = motif_averages(pixels, place[center[some]], label[some], n, radius).average
    reduction = -(-average.shape[1] // _MOST_SIDE)
    small = np.stack([reduced(one, reduction) for one in average])
    finite = small[np.isfinite(small)]
    if not finite.size:
        return None
    low, high = (image.low, image.high) if image is not None else (float(finite.min()), float(finite.max()))
    return grey(small, low, high)


def _radius(
    group: xr.Dataset, points: xr.Dataset, place: NDArray[np.float64], center: NDArray[np.int64]
) -> float:
    """Return how far the rings that are seen reach, and half of the way to a neighbour more, px."""
    n_shells, offset = int(group.attrs["n_shells"]), group["ring_offset"].values
    some = np.flatnonzero(center >= 0)
    some = some[np.linspace(0, len(some) - 1, min(len(some), _MOST_MEASURED)).astype(int)]
    reach = []
    for shell in range(min(n_shells, _RINGS_SEEN)):
        start, end = (offset[some * n_shells + shell + k] for k in (0, 1))
        parts = [group["ring_id"].values[a:b] for a, b in zip(start, end)]
        member = rows_of(np.concatenate([np.empty(0, np.int64), *parts]), points["id"].values)
        of = np.repeat(center[some], end - start)[member >= 0]
        if len(of):
            reach.append(np.median(np.linalg.norm(place[of] - place[member[member >= 0]], axis=1)))
    return float(reach[-1] + reach[0] / 2) if reach else float(group.attrs["bond_length"])
