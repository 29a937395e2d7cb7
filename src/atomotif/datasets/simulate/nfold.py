"""Isolated motifs of known symmetry: columns in regular polygons, each turned at random."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_not_negative, check_positive
from atomotif.datasets.simulate._frame import Frame, unit_vectors
from atomotif.datasets.simulate._sample import make_sample
from atomotif.numerics.rendering import Profile, profile_reach

__all__ = ["n_fold_motifs"]


def n_fold_motifs(
    folds: Sequence[int] = (3, 4, 5, 6),
    shape: tuple[int, int] = (512, 512),
    *,
    shares: Sequence[float] | None = None,
    central: bool = True,
    radius: float = 0.16,
    spacing: float | None = None,
    pixel_size: float = 0.0125,
    profile: Profile = 0.1,
    random_state: int = 0,
) -> xr.Dataset:
    """Return motifs of n columns round a centre, on a square grid, each turned by a random angle.

    The simple synthetic motifs of Dan et al., Sci. Adv. 8, eabk1005 (2022), figs. S1 - S5: what an analysis
    of symmetry must tell apart, and all it must not.

    Parameters
    ----------
    folds : sequence of int, default (3, 4, 5, 6)
        Symmetries, each of at least 2 and listed once.
    shape : (int, int), default (512, 512)
    shares : sequence of float, optional
        Of the motifs of each fold; only their ratios count. Equal by default. The numbers are exact: rounded
        by the largest remainders.
    central : bool, default True
        Whether a column is in the centre.
    radius : float, default 0.16
        Of the ring of columns, nm.
    spacing : float, optional
        Of the grid, nm. By default such that not even the tails of motifs meet, which is also the least.
    pixel_size : float, default 0.0125
        nm.
    profile : Profile, default 0.1
        How a column looks: FWHM of a Gaussian, nm, or as `numerics.rendering.render_columns` with nm.
    random_state : int, default 0
        Draws the order, the angles and the sub-pixel places.

    Returns
    -------
    Dataset
        `intensity` (y, x). The points are the centres of the motifs: `row`, `col`, px; `label` and `motif` by
        the fold; `visible` where there is a column; `fold`, `rotation` (of the first column from x to y,
        degrees, below 360 / fold). Dim `atom` lists the columns of the
        rings: `atom_row`, `atom_col`, `atom_motif` (index of the point).

    Raises
    ------
    ValueError
        If a fold or a share makes no sense, if the spacing is too small, or if no motif fits into the frame.

    Examples
    --------
    >>> sample = n_fold_motifs((3, 6), (128, 128), shares=(3, 1))
    >>> np.bincount(sample.fold.values)[[3, 6]].tolist()
    [3, 1]
    """
    kinds = [int(fold) for fold in folds]
    if not kinds or len(set(kinds)) < len(kinds) or min(kinds) < 2 or kinds != list(folds):
        raise ValueError(f"`folds` must be different whole numbers of at least 2, got {list(folds)!r}.")
    weight = np.ones(len(kinds)) if shares is None else np.asarray(shares, np.float64)
    if weight.shape != (len(kinds),) or not (np.isfinite(weight).all() and weight.min() >= 0 < weight.max()):
        raise ValueError(f"`shares` must be {len(kinds)} numbers of at least 0, got {shares!r}.")
    check_positive(radius, "radius")
    frame = Frame(shape, pixel_size, profile)
    half = radius + (profile_reach(frame.pixel_profile) + 1) * pixel_size
    pitch = 2 * half if spacing is None else check_positive(spacing, "spacing")
    if pitch < 2 * half:
        raise ValueError(
            f"`spacing` must be at least {2 * half:.4g} nm so that no tails meet, got {spacing!r}."
        )
    random = np.random.default_rng(check_not_negative(random_state, "random_state"))
    counts = ((np.array(shape) - 1) * pixel_size / pitch).astype(np.int64)
    n = int(counts.prod())
    if n == 0:
        raise ValueError(f"`shape` must hold a motif of {pitch / pixel_size:.0f} px, got {shape!r}.")
    grid = np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), -1).reshape(-1, 2) + 0.5
    centre = (grid - counts / 2) * pitch + frame.centre + random.uniform(-0.5, 0.5, (n, 2)) * pixel_size
    fold = random.permutation(np.repeat(kinds, _apportioned(weight, n)))
    rotation = random.uniform(0, 360, n) / fold
    owner = np.repeat(np.arange(n), fold)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(fold) - fold, fold)
    ring = centre[owner] + radius * unit_vectors(rotation[owner] + place * 360 / fold[owner])
    names = [f"{kind}-fold" for kind in kinds]
    sample = make_sample(
        frame,
        np.concatenate([centre, ring]),
        np.concatenate([np.full(n, float(central)), np.ones(len(ring))]),
        np.concatenate([[f"{kind}-fold" for kind in fold], np.full(len(ring), "ring")]),
        label_names=[*names, "ring"],
        title="Motifs of known symmetry, simulated",
        attrs={"radius": float(radius), "spacing": float(pitch), "random_state": random_state},
    )
    centres = sample.isel(point=slice(n), kind=slice(-1), motif_kind=slice(-1))
    return centres.assign(
        fold=("point", fold),
        rotation=("point", rotation, {"units": "degrees"}),
        atom_row=("atom", ring[:, 0] / pixel_size),
        atom_col=("atom", ring[:, 1] / pixel_size),
        atom_motif=("atom", owner),
    )


def _apportioned(weight: NDArray[np.float64], n: int) -> list[int]:
    """Return whole numbers in the ratio of the weights, with the sum n, rounded by the largest remainders."""
    exact = weight / weight.sum() * n
    count = np.floor(exact).astype(np.int64)
    count[np.argsort(count - exact, kind="stable")[: n - int(count.sum())]] += 1
    return [int(number) for number in count]
