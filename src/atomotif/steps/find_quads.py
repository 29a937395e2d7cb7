"""Step `find_quads`: squares of four and of sixteen pentagons, and their order (METHOD section 8)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_not_negative, check_positive
from atomotif._warnings import warn
from atomotif.numerics.configurational_entropy import configurational_entropy, growth_curve
from atomotif.numerics.pentagon_states import EMPTY, FILLED, PARTIAL, abundances, covered_share, states
from atomotif.numerics.quads import find_quads as find
from atomotif.numerics.quads import level3, quad_states
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_cells import labels_of
from atomotif.steps.find_points import positions

#: Below this length of the mean direction the quads have no common orientation; random ones have 0.
_ALIGNED = 0.5

Counted = tuple[int, int, NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class FindQuadsParameters(Parameters):
    """Find quads of pentagons, empty or filled: level 2; and squares of four quads: level 3.

    The points of the motifs named here are the centres of pentagons that tile the plane. A quad is four of
    them round the corner that they share, its state which of them are filled (16 states). Each pentagon is in
    two quads, which are therefore of two sublattices; a level-3 square is made of four quads of one
    sublattice, so that its 16 pentagons are distinct (65,536 states).

    Parameters
    ----------
    empty, filled : str or tuple of str
        Names of the motifs in the middle of empty and of filled pentagons.
    partial : str or tuple of str, optional
        The same of partly filled ones; quads with such a pentagon have no state and are not counted (paper,
        fig. 4).
    n_draws : int, default 999
        Permutations of the labels for the null of every entropy: the least p is 1 / (n_draws + 1).
    random_state : int, default 0
        Seed of the permutations.

    Examples
    --------
    >>> session.find_quads(empty="M0", filled="M2")
    Traceback (most recent call last):
    ValueError: `empty` and `filled` must be motifs at the centres of pentagons ...
    """

    inputs: ClassVar[tuple[str, ...]] = ("points", "motifs")
    motif_names: ClassVar[tuple[str, ...]] = ("empty", "filled", "partial")
    empty: tuple[str, ...] | str | None = None
    filled: tuple[str, ...] | str | None = None
    partial: tuple[str, ...] | str | None = None
    n_draws: int = 999
    random_state: int = 0

    def __post_init__(self) -> None:
        for name in ("empty", "filled", "partial"):
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, (value,))
        super().__post_init__()
        check_positive(self.n_draws, "n_draws")
        check_not_negative(self.random_state, "random_state")


def find_quads(
    points: xr.Dataset, motifs: xr.Dataset, parameters: FindQuadsParameters, context: Context
) -> xr.Dataset:
    """Return the quads group.

    Raises
    ------
    ValueError
        If motifs are not named, named twice or unknown, or there are no quads.
    """
    pentagon = _pentagons(motifs, parameters)
    chosen = np.flatnonzero(pentagon >= 0)
    where, classes = positions(points)[chosen], pentagon[chosen]
    quads = find(where) if len(chosen) >= 4 else None
    if quads is None or len(quads.corners) == 0:
        raise ValueError(
            "`empty` and `filled` must be motifs at the centres of pentagons that tile the plane, "
            f"got {len(chosen)} points of which no four form a quad."
        )
    if quads.alignment < _ALIGNED:
        warn(
            f"the quads have no common orientation (alignment {quads.alignment:.2f}), as in several grains: "
            "their states do not compare"
        )
    state, arrow = quad_states(quads, where, classes)
    three = level3(quads)
    state3 = states(three.pentagons, classes)
    context.report(0.3)

    # The same positions in the units of the image.
    place = np.column_stack([points["y"].values, points["x"].values])[chosen]
    units = {"units": points["y"].attrs["units"]}
    ids = points["id"].values[chosen]
    middle = place[quads.corners].mean(axis=1)
    counted: list[Counted] = []
    for level, members, sublattice in (
        (2, quads.corners, quads.sublattice),
        (3, three.pentagons, three.sublattice),
    ):
        counted += [(level, -1, members, states(members, classes))]
        for number in (0, 1):
            rows = members[sublattice == number]
            counted.append((level, number, rows, states(rows, classes)))
    return xr.Dataset(
        {
            "motif_name": ("motif_", motifs["name"].values),
            "pentagon": ("point", pentagon),
            "pentagon_count": ("occupancy", np.bincount(classes, minlength=3)),
            "pentagon_label": ("pentagon_motif", _labels(motifs, parameters)[0]),
            "pentagon_occupancy": ("pentagon_motif", _labels(motifs, parameters)[1]),
            "quad_y": ("quad", middle[:, 0], units),
            "quad_x": ("quad", middle[:, 1], units),
            "quad_id": (("quad", "corner"), ids[quads.corners]),
            "quad_state": ("quad", state),
            "quad_sublattice": ("quad", quads.sublattice.astype(np.int64)),
            "irregularity": ("quad", quads.irregularity),
            "arrow": (("quad", "axis"), arrow),
            "square_y": ("square", middle[three.center, 0], units),
            "square_x": ("square", middle[three.center, 1], units),
            "square_center": ("square", three.center),
            "square_quad": (("square", "corner"), three.quads),
            "square_id": (("square", "pentagon_number"), ids[three.pentagons]),
            "square_state": ("square", state3),
            "square_sublattice": ("square", three.sublattice.astype(np.int64)),
            **_statistics(counted, classes, parameters, context),
        },
        coords={"axis": ["y", "x"]},
        attrs={"orientation": quads.orientation, "alignment": quads.alignment},
    )


def _labels(
    motifs: xr.Dataset, parameters: FindQuadsParameters
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the labels of the motifs that are named, and what each says of a pentagon."""
    labels: list[int] = []
    occupancy: list[int] = []
    for argument, kind in (("empty", EMPTY), ("filled", FILLED), ("partial", PARTIAL)):
        names = getattr(parameters, argument)
        if not names and argument != "partial":
            known = ", ".join(str(name) for name in motifs["name"].values)
            raise ValueError(f"`{argument}` must be names of motifs ({known}), got {names!r}.")
        of_kind = labels_of(motifs, tuple(names or ()), argument)
        if set(of_kind) & set(labels):
            twice = motifs["name"].values[(set(of_kind) & set(labels)).pop()]
            raise ValueError(f"`{argument}` must name other motifs than the arguments before, got {twice!r}.")
        labels += of_kind
        occupancy += [kind] * len(of_kind)
    return np.array(labels, np.int64), np.array(occupancy, np.int64)


def _pentagons(motifs: xr.Dataset, parameters: FindQuadsParameters) -> NDArray[np.int64]:
    """Return for every point 0 (empty), 1 (partly filled), 2 (filled), or -1 for no pentagon's centre."""
    meaning = np.full(motifs.sizes["motif"] + 1, -1, np.int64)  # label -1 takes the last
    labels, occupancy = _labels(motifs, parameters)
    meaning[labels] = occupancy
    return np.asarray(meaning[motifs["label"].values])


def _statistics(
    counted: list[Counted],
    classes: NDArray[np.int64],
    parameters: FindQuadsParameters,
    context: Context,
) -> dict[str, Any]:
    """Return entropies, abundances and growth for every level and sublattice (-1 for both)."""
    entropies, found, growth = [], [], []
    for done, (_, _, members, state) in enumerate(counted):
        entropies.append(
            configurational_entropy(
                members, classes, n_draws=parameters.n_draws, random_state=parameters.random_state
            )
        )
        most = abundances(state)
        found.append((most, covered_share(members, state, most.state, len(classes))))
        growth.append(growth_curve(most.counts))
        context.report(0.3 + 0.7 * (done + 1) / len(counted))

    def joined(parts: list[Any], dtype: type) -> NDArray[Any]:
        return np.concatenate([np.empty(0, dtype), *parts])

    def offsets(parts: list[Any]) -> NDArray[np.int64]:
        return np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)

    return {
        "level": ("sample", np.array([level for level, *_ in counted])),
        "sublattice": ("sample", np.array([number for _, number, *_ in counted])),
        "n_left_out": ("sample", np.array([most.left_out for most, _ in found])),
        **{
            name: ("sample", np.array([getattr(one, name) for one in entropies]))
            for name in type(entropies[0])._fields
        },
        "abundance_offset": ("sample_bound", offsets([most.state for most, _ in found])),
        "abundance_state": ("abundance", joined([most.state for most, _ in found], np.int64)),
        "abundance_count": ("abundance", joined([most.counts for most, _ in found], np.int64)),
        "abundance_coverage": ("abundance", joined([most.coverage for most, _ in found], np.float64)),
        "abundance_field": ("abundance", joined([field for _, field in found], np.float64)),
        "growth_offset": ("sample_bound", offsets([size for size, _ in growth])),
        "growth_size": ("growth", joined([size for size, _ in growth], np.int64)),
        "growth_distinct": ("growth", joined([distinct for _, distinct in growth], np.float64)),
    }
