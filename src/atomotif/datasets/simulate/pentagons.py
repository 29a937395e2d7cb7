"""A Cairo tiling of pentagons with filled and empty centres, correlated or with a planted ordered phase."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from atomotif._checks import check_not_negative, check_positive
from atomotif.datasets.simulate._atoms import column_intensity
from atomotif.datasets.simulate._fillings import Quads, correlated, order
from atomotif.datasets.simulate._frame import Displacement, Frame, unit_vectors
from atomotif.datasets.simulate._sample import make_sample
from atomotif.numerics.rendering import Profile

__all__ = ["pentagon_tiling"]

# The tiling has the plane group p4g, here with fourfold vertices at (0, 0) and (1/2, 1/2). The threefold ones
# are in pairs round (1/2, 0) and (0, 1/2), each (t, t) from there; all edges are equally long if
# t² + (1/2 - t)² = 8 t².
_T = (np.sqrt(7) - 1) / 12
_EDGE = 2 * np.sqrt(2) * _T
_VERTICES = np.array([[0, 0], [0.5, 0.5], [0.5 - _T, _T], [0.5 + _T, -_T], [-_T, 0.5 - _T], [_T, 0.5 + _T]])
# One pentagon (x, y): a trapezium and a triangle; the others are turned by quarters round (0, 0).
_PENTAGON = np.array([[0, 0], [0.5 - _T, _T], [0.5, 0.5], [_T, 0.5 + _T], [-_T, 0.5 - _T]])
_NEIGHBORS = 0.65
_CLASSES = ("empty", "partial", "filled")
_PARTIAL = (0.35, 0.60)


def pentagon_tiling(
    shape: tuple[int, int] = (512, 512),
    *,
    filled: float = 0.363,
    partial: float = 0.043,
    correlation: float | None = None,
    ordered: float = 0.0,
    ordered_states: Sequence[int] = (0b0011, 0b0100),
    period: float = 1.0,
    rotation: float = 6.0,
    pixel_size: float = 0.012,
    columns: Sequence[str] = ("Mo", "Nb"),
    displacement: Displacement | None = None,
    profile: Profile = 0.135,
    exponent: float = 1.7,
    random_state: int = 0,
) -> xr.Dataset:
    """Return columns on the vertices of a Cairo tiling, and on a share of the centres of its pentagons.

    All edges have one length, 0.388 periods. Not the crystal structure of a real oxide, but its topology.

    Parameters
    ----------
    shape : (int, int), default (512, 512)
    filled, partial : float, default 0.363 and 0.043
        Shares of the pentagons whose centre is filled and partly filled (35 - 60 % of the intensity); the
        rest is empty. Exact among the pentagons whose centre is in the frame. The defaults are those that
        Dan et al., Sci. Adv. 8, eabk1005 (2022) found in a Mo-V-Te-Nb oxide.
    correlation : float, optional
        Pearson correlation of being filled between pentagons that share an edge, among the filled and empty
        ones of the disordered part: met to 0.005 by exchanging them at random, which keeps the composition.
        By default none is imposed.
    ordered : float, default 0
        Share of the field in an ordered phase: columns of whole level-3 squares from the left of the lattice,
        three of four of them with all quads (of the first sublattice) in the first of `ordered_states`, the
        rest in the second.
    ordered_states : (int, int), default (0b0011, 0b0100)
        Bit k is set if corner k of a quad is filled: 0 is between the directions of the columns and the rows
        (at about 45 degrees), then in steps of 90 degrees from x towards y.
    period : float, default 1.0
        Side of the square cell of four pentagons, nm.
    rotation : float, default 6.0
        Degrees.
    pixel_size : float, default 0.012
        nm.
    columns : (str, str), default ("Mo", "Nb")
        Formulas of the columns on the vertices and in filled centres.
    displacement : Displacement, optional
        A gradient (2, 2) about the frame's centre or a function of (y, x) in nm.
    profile : Profile, default 0.135
        How a column looks: FWHM of a Gaussian, nm, or as `numerics.rendering.render_columns` with nm.
    exponent : float, default 1.7
        The intensity of a column is the sum of Z**exponent over its atoms.
    random_state : int, default 0

    Returns
    -------
    Dataset
        Points are vertices ("ring_M4", "ring_M3", by the number of edges) and centres ("centre_empty",
        "centre_partial", "centre_filled"; `visible` False if empty); the `motif` of a vertex also has its
        number of filled pentagons ("ring_M4|2filled"). `pentagon_index` (point) is the pentagon of a centre,
        else -1. Dim `pentagon`: `pentagon_row`, `pentagon_col`, px; `pentagon_class` (0 empty, 1 partial, 2
        filled; names `pentagon_class_name`); `pentagon_ordered`. Dim `quad`: the four pentagons round every
        fourfold vertex, where all are listed: `quad_row`, `quad_col`, `quad_sublattice` (0, 1), `quad_cell`
        (quad, vector), `quad_pentagon` (quad, corner), `quad_state` (-1 with a partly filled one). `attrs`
        hold what was asked for and `correlation_reached`, in the disordered part.

    Raises
    ------
    ValueError
        If shares do not add up to at most 1, the ordered phase holds more filled pentagons than there are, or
        the correlation cannot be reached.

    Examples
    --------
    >>> sample = pentagon_tiling((384, 384))
    >>> np.bincount(sample["pentagon_class"]).tolist()
    [50, 4, 31]
    """
    for name, share in {"filled": filled, "partial": partial, "ordered": ordered}.items():
        if not 0 <= share <= 1:
            raise ValueError(f"`{name}` must be a share from 0 to 1, got {share!r}.")
    if filled + partial > 1:
        raise ValueError(f"`filled` and `partial` must add up to at most 1, got {filled + partial:g}.")
    if len(ordered_states) != 2 or not all(0 <= state < 16 for state in ordered_states):
        raise ValueError(f"`ordered_states` must be two numbers from 0 to 15, got {list(ordered_states)!r}.")
    check_positive(period, "period")
    random = np.random.default_rng(check_not_negative(random_state, "random_state"))
    frame = Frame(shape, pixel_size, profile, displacement)
    vectors = period * unit_vectors([rotation, rotation + 90])
    origin = frame.centre + random.uniform(-0.5, 0.5, 2) @ vectors

    centre, cell, corner = frame.sites(vectors, _centres(), origin)
    listed = frame.listed(frame.displaced(centre))
    quads = _quads(cell, corner)
    fixed, is_filled = order(quads, listed, ordered, ordered_states)
    classes = _disordered(fixed, is_filled, listed, filled, partial, random)
    # Centres of pentagons with a common edge are 0.48 or 0.52 periods apart, all others 0.74 or more.
    pairs = cKDTree(centre).query_pairs(_NEIGHBORS * period, output_type="ndarray")
    free = listed & ~fixed & (classes != 1)
    now_filled, reached = correlated(
        classes == 2, np.flatnonzero(free), pairs[free[pairs].all(axis=1)], correlation, random
    )
    classes = np.where(now_filled, 2, np.where(classes == 1, 1, 0))
    vertex, _, basis = frame.sites(vectors, _VERTICES, origin)
    fourfold = basis < 2
    # Centres of the pentagons at a vertex are 0.27 to 0.37 periods away, all others 0.66 or more.
    near = cKDTree(centre).query_ball_point(vertex, _EDGE * period)
    around = np.array([int((classes[one] == 2).sum()) for one in near])
    ring = np.where(fourfold, "ring_M4", "ring_M3")
    ring_motif = np.array([f"{name}|{count}filled" for name, count in zip(ring, around)])
    kind = np.array([f"centre_{name}" for name in _CLASSES])[classes]
    occupancy = np.select([classes == 2, classes == 1], [1.0, random.uniform(*_PARTIAL, len(classes))], 0.0)
    ring_height, centre_height = (column_intensity(atoms, exponent) for atoms in columns)

    number = np.where(listed, np.cumsum(listed) - 1, -1)
    members = number[quads.pentagon]
    whole = (members >= 0).all(axis=1)
    of_quad = classes[quads.pentagon[whole]]
    state = np.where((of_quad == 1).any(axis=1), -1, (of_quad == 2) @ (1 << np.arange(4)))
    quad_place = frame.displaced(origin + (quads.cell + 0.5 * quads.sublattice[:, None]) @ vectors)[whole]
    pentagon_place = frame.displaced(centre[listed]) / pixel_size
    sample = make_sample(
        frame,
        np.concatenate([vertex, centre]),
        np.concatenate([np.full(len(vertex), ring_height), occupancy * centre_height]),
        np.concatenate([ring, kind]),
        motif=np.concatenate([ring_motif, kind]),
        label_names=["ring_M4", "ring_M3", *(f"centre_{name}" for name in _CLASSES)],
        title="Cairo tiling of pentagons, simulated",
        truth={"pentagon_index": (("point",), np.concatenate([np.full(len(vertex), -1), number]))},
        attrs={
            "filled": float(filled),
            "partial": float(partial),
            "ordered": float(ordered),
            "ordered_states": [int(one) for one in ordered_states],
            "period": float(period),
            "rotation": float(rotation),
            "random_state": random_state,
        }
        | ({} if correlation is None else {"correlation": float(correlation)})
        | ({} if np.isnan(reached) else {"correlation_reached": reached}),
    )
    return sample.assign(
        pentagon_row=("pentagon", pentagon_place[:, 0]),
        pentagon_col=("pentagon", pentagon_place[:, 1]),
        pentagon_class=("pentagon", classes[listed]),
        pentagon_class_name=("class", list(_CLASSES)),
        pentagon_ordered=("pentagon", fixed[listed]),
        quad_row=("quad", quad_place[:, 0] / pixel_size),
        quad_col=("quad", quad_place[:, 1] / pixel_size),
        quad_sublattice=("quad", quads.sublattice[whole]),
        quad_cell=(("quad", "vector"), quads.cell[whole]),
        quad_pentagon=(("quad", "corner"), members[whole]),
        quad_state=("quad", state),
    )


def _centres() -> NDArray[np.float64]:
    """Return the centroids of the four pentagons of a cell, (x, y) in periods, round (0, 0)."""
    after = np.roll(_PENTAGON, -1, axis=0)
    cross = _PENTAGON[:, 0] * after[:, 1] - after[:, 0] * _PENTAGON[:, 1]
    centroid = ((_PENTAGON + after) * cross[:, None]).sum(axis=0) / (3 * cross.sum())
    quarter = np.array([[0, 1], [-1, 0]])  # rows (x, y), from x to y
    return np.array([centroid @ np.linalg.matrix_power(quarter, k) for k in range(4)])


def _quads(cell: NDArray[np.int64], corner: NDArray[np.int64]) -> Quads:
    """Return the pentagons round every fourfold vertex that has all four."""
    number = {(*at, int(k)): index for index, (at, k) in enumerate(zip(cell.tolist(), corner))}
    members, sublattices, cells = [], [], []
    for i, j in sorted({tuple(at) for at in cell.tolist()}):
        # Towards each of the four cells round (i + 1/2, j + 1/2), the pentagon that faces it.
        facing = [(i + 1, j + 1, 2), (i, j + 1, 3), (i, j, 0), (i + 1, j, 1)]
        for sublattice, quad in enumerate([[(i, j, k) for k in range(4)], facing]):
            if all(one in number for one in quad):
                members.append([number[one] for one in quad])
                sublattices.append(sublattice)
                cells.append((i, j))
    return Quads(
        np.array(members, np.int64).reshape(-1, 4),
        np.array(sublattices, np.int64),
        np.array(cells, np.int64).reshape(-1, 2),
    )


def _disordered(
    fixed: NDArray[np.bool_],
    is_filled: NDArray[np.bool_],
    listed: NDArray[np.bool_],
    filled: float,
    partial: float,
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Return classes: ordered pentagons as they are, the others such that the shares of all are exact."""
    classes = np.where(is_filled, 2, 0)
    for group in (listed, ~listed):
        n_all, free = int(group.sum()), np.flatnonzero(group & ~fixed)
        n_filled = round(filled * n_all) - int((is_filled & group).sum())
        n_partial = round(partial * n_all)
        if group is listed and not 0 <= n_filled <= len(free) - n_partial:
            raise ValueError(
                f"`ordered` must leave room for the shares of filled and partly filled pentagons: {n_filled} "
                f"and {n_partial} would have to be among {len(free)} others."
            )
        drawn = random.permutation(free)
        n_filled = min(max(n_filled, 0), len(free))
        classes[drawn[:n_filled]] = 2
        classes[drawn[n_filled : n_filled + n_partial]] = 1
    return classes
