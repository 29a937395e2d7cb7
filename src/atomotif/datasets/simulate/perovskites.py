"""The interface of two perovskites along [100], with a step, intermixing, antisites and polar shifts."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_not_negative, check_positive
from atomotif.datasets.simulate._atoms import column_intensity
from atomotif.datasets.simulate._frame import Displacement, Frame, unit_vectors
from atomotif.datasets.simulate._sample import make_sample
from atomotif.numerics.rendering import Profile

__all__ = ["perovskite_interface"]

#: A and B, and the (pseudo)cubic or tetragonal lattice constants a and c of the bulk at room temperature, nm:
#: Mitchell, Perovskites: Modern and Ancient (2002).
_PEROVSKITES = {
    "BaTiO3": ("Ba", "Ti", 0.3994, 0.4034),
    "KTaO3": ("K", "Ta", 0.3989, 0.3989),
    "LaAlO3": ("La", "Al", 0.3790, 0.3790),
    "LaMnO3": ("La", "Mn", 0.3880, 0.3880),
    "PbTiO3": ("Pb", "Ti", 0.3904, 0.4152),
    "SrRuO3": ("Sr", "Ru", 0.3930, 0.3930),
    "SrTiO3": ("Sr", "Ti", 0.3905, 0.3905),
}


def perovskite_interface(
    substrate: str = "SrTiO3",
    film: str = "BaTiO3",
    shape: tuple[int, int] = (512, 512),
    *,
    pixel_size: float = 0.0118,
    rotation: float = 2.0,
    offset: float = 0.0,
    step: int = 1,
    mixed: float = 0.3,
    antisites: float = 0.03,
    polar_shift: float = 0.012,
    film_spacing: float | None = None,
    thickness: int = 4,
    displacement: Displacement | None = None,
    profile: Profile = 0.11,
    exponent: float = 1.7,
    random_state: int = 0,
) -> xr.Dataset:
    """Return a film of one perovskite, A'B'O3, on another, ABO3, both seen along [100].

    The film grows upwards (towards smaller y) and takes over the substrate's lattice constant in the plane.
    Columns of oxygen alone, too faint for annular dark field, are left out.

    Parameters
    ----------
    substrate, film : {"BaTiO3", "KTaO3", "LaAlO3", "LaMnO3", "PbTiO3", "SrRuO3", "SrTiO3"}
    shape : (int, int), default (512, 512)
    pixel_size : float, default 0.0118
        nm.
    rotation : float, default 2
        Of the interface from x towards y, degrees.
    offset : float, default 0
        Of the interface above the frame's centre, nm.
    step : int, default 1
        Cells by which the substrate is higher on the right of the centre.
    mixed : float, default 0.3
        Share of the A columns in the two planes that meet at the interface that are half A, half A'. Exact.
    antisites : float, default 0.03
        Share of the B columns of the substrate (all four neighbours A) that are half A. Exact.
    polar_shift : float, default 0.012
        Of the film's B columns along the growth direction, nm.
    film_spacing : float, optional
        Of the film's planes, nm; by default c of the bulk. The cell at the interface has the mean of both.
    thickness : int, default 4
        Cells along the beam; an even number, so that half a column is a number of atoms.
    displacement : Displacement, optional
        A gradient (2, 2) about the frame's centre or a function of (y, x) in nm.
    profile : Profile, default 0.11
        How a column looks: FWHM of a Gaussian, nm, or as `numerics.rendering.render_columns` with nm.
    exponent : float, default 1.7
        The intensity of a column is the sum of Z**exponent over its atoms; oxygen counts in B columns.
    random_state : int, default 0
        Draws which columns are mixed or antisites.

    Returns
    -------
    Dataset
        `label` has the kinds A, A', AA'_mixed, B, B' and B_AB_antisite by their elements (as "Sr", "Ba",
        "SrBa_mixed", "Ti", "Ti_SrTi_antisite"); `motif` also splits B by its four neighbours:
        "Ti|SrTiO3", "Ti|interface", "Ti|BaTiO3". `cells_from_interface` (point) int64: planes above
        the first of the film, below 0 in the substrate; `n_adjacent_film`, `n_adjacent_mixed` (point): of
        a B column's four neighbours, -1 for A columns; `polar_displacement` (point, axis), nm; `cell`
        (point, vector): along the interface and along the growth.

    Raises
    ------
    ValueError
        If a name is unknown, a share is not one, `thickness` is odd, or a length is not positive.

    Examples
    --------
    >>> sample = perovskite_interface(shape=(256, 256))
    >>> sample["label_name"].values.tolist()
    ['Sr', 'Ba', 'SrBa_mixed', 'Ti', 'Ti_SrTi_antisite']
    """
    a_name, b_name, spacing, _ = _PEROVSKITES[check_choice(substrate, "substrate", tuple(_PEROVSKITES))]
    film_a, film_b, _, bulk_c = _PEROVSKITES[check_choice(film, "film", tuple(_PEROVSKITES))]
    height = bulk_c if film_spacing is None else check_positive(film_spacing, "film_spacing")
    for name, share in {"mixed": mixed, "antisites": antisites}.items():
        if not 0 <= share <= 1:
            raise ValueError(f"`{name}` must be a share from 0 to 1, got {share!r}.")
    if thickness < 2 or thickness % 2:
        raise ValueError(f"`thickness` must be an even number of cells, got {thickness!r}.")
    random = np.random.default_rng(check_not_negative(random_state, "random_state"))
    frame = Frame(shape, pixel_size, profile, displacement)

    reach = float(np.hypot(*frame.centre)) + 2 * frame.margin + abs(offset)
    n = int(np.ceil(reach / min(spacing, height))) + abs(step) + 2
    i, k, is_b = (axis.ravel() for axis in np.mgrid[-n : n + 1, -n : n + 1, 0:2])
    along = (i + 0.5 * is_b) * spacing
    first = np.where(along > 0, step, 0)  # of the film's planes, in this stack of columns
    above = k - first
    plane = (_heights(above, spacing, height) + first * spacing).reshape(2 * n + 1, 2 * n + 1, 2)
    plane[..., 1] = _over_four(plane[..., 0]) / 4  # B is in the middle of its four A columns
    growth = plane.ravel()
    polar = np.where((is_b == 1) & (above >= 0), polar_shift, 0.0)
    axes = unit_vectors([rotation, rotation - 90])
    origin = frame.centre + offset * axes[1]
    position = origin + along[:, None] * axes[0] + (growth + polar)[:, None] * axes[1]
    near = ((position >= -frame.margin) & (position <= 2 * frame.centre + frame.margin)).all(axis=1)
    near &= (is_b == 0) | ((i < n) & (k < n))  # the last B have no four A
    listed = near & frame.listed(frame.displaced(position))

    # B (i, k) is in the middle of A (i, k), (i + 1, k), (i, k + 1) and (i + 1, k + 1).
    in_film = (above >= 0).reshape(2 * n + 1, 2 * n + 1, 2)
    halves = np.zeros(in_film.shape[:2], bool)
    candidate = (is_b == 0) & ((above == 0) | (above == -1))
    halves.ravel()[_drawn(candidate[is_b == 0], listed[is_b == 0], mixed, random)] = True
    n_film = _over_four(1.0 * (in_film[..., 0] & ~halves)).astype(np.int64)
    n_mixed = _over_four(1.0 * halves).astype(np.int64)
    b_film, b_mixed = n_film.ravel(), n_mixed.ravel()
    b_rows = is_b == 1
    in_substrate = (b_film == 0) & (b_mixed == 0)
    swapped = np.zeros(len(b_film), bool)
    swapped[_drawn(in_substrate, listed[b_rows], antisites, random)] = True

    a_film = in_film[..., 0].ravel()
    a_kind = np.where(halves.ravel(), f"{a_name}{film_a}_mixed", np.where(a_film, film_a, a_name))
    b_of_film = above[b_rows] >= 0
    antisite = f"{b_name}_{a_name}{b_name}_antisite"
    b_kind = np.where(swapped, antisite, np.where(b_of_film, film_b, b_name))
    b_side = np.where(in_substrate, substrate, np.where(b_film == 4, film, "interface"))
    b_motif = np.where(swapped, antisite, np.char.add(np.char.add(b_kind, "|"), b_side))
    half = thickness // 2
    formula = {
        a_name: f"{a_name}{thickness}",
        film_a: f"{film_a}{thickness}",
        f"{a_name}{film_a}_mixed": f"{a_name}{half}{film_a}{half}",
        b_name: f"{b_name}{thickness}O{thickness}",
        film_b: f"{film_b}{thickness}O{thickness}",
        antisite: f"{b_name}{half}{a_name}{half}O{thickness}",
    }
    kind = _interleaved(a_kind, b_kind)
    heights = {name: column_intensity(atoms, exponent) for name, atoms in formula.items()}
    none = np.full(len(b_film), -1)
    truth = {
        "cells_from_interface": (("point",), above),
        "n_adjacent_film": (("point",), _interleaved(none, b_film)),
        "n_adjacent_mixed": (("point",), _interleaved(none, b_mixed)),
        "polar_displacement": (("point", "axis"), polar[:, None] * axes[1]),
        "cell": (("point", "vector"), np.column_stack([i, k])),
    }
    motif = _interleaved(a_kind, b_motif)
    return make_sample(
        frame,
        position[near],
        [heights[name] for name in kind[near]],
        kind[near],
        label_names=list(
            dict.fromkeys([a_name, film_a, f"{a_name}{film_a}_mixed", b_name, film_b, antisite])
        ),
        motif=motif[near],
        title=f"{film} on {substrate} along [100], simulated",
        truth={name: (dims, values[near]) for name, (dims, values) in truth.items()},
        attrs={
            "substrate": substrate,
            "film": film,
            "rotation": float(rotation),
            "offset": float(offset),
            "step": step,
            "mixed": float(mixed),
            "antisites": float(antisites),
            "polar_shift": float(polar_shift),
            "substrate_spacing": spacing,
            "film_spacing": height,
            "thickness": thickness,
            "random_state": random_state,
        },
    )


def _heights(above: NDArray[np.int64], spacing: float, film_spacing: float) -> NDArray[np.float64]:
    """Return heights of A planes above where the substrate's next plane would be.

    Plane -1 is the substrate's last, at -spacing; the cell above it has the mean of both spacings.
    """
    film = 0.5 * (film_spacing - spacing) + above * film_spacing
    return np.where(above < 0, above * spacing, film)


def _over_four(corner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over the four A columns round each B column (i + 1/2, k + 1/2)."""
    total: NDArray[np.float64] = np.sum(
        [np.roll(corner, (-a, -b), (0, 1)) for a in (0, 1) for b in (0, 1)], axis=0
    )
    return total


def _drawn(
    candidate: NDArray[np.bool_], listed: NDArray[np.bool_], share: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return a share of the candidates, exact among those that are listed and among the rest."""
    chosen = []
    for group in (candidate & listed, candidate & ~listed):
        index = np.flatnonzero(group)
        chosen.append(random.permutation(index)[: round(share * len(index))])
    return np.concatenate(chosen)


def _interleaved(a: NDArray[np.generic], b: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return what belongs to A and to B columns in the order of the sites."""
    return np.stack([a.astype(b.dtype) if a.dtype.kind != "U" else a, b], -1).ravel()
