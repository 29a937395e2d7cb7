"""Mirror twin boundaries of dichalcogenides."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from atomotif._checks import check_choice, check_finite, check_not_negative, check_positive
from atomotif.datasets.simulate._frame import Displacement, Frame, unit_vectors
from atomotif.datasets.simulate._materials import BASIS, hexagonal_vectors, material_named
from atomotif.datasets.simulate._two_grains import two_grains
from atomotif.numerics.rendering import Profile

__all__ = ["mirror_twin_boundary"]

# Distance of the metal rows across a 4|4P boundary in lattice constants.
_ACROSS = 0.8


def mirror_twin_boundary(
    material: str = "MoSe2",
    shape: tuple[int, int] = (512, 512),
    *,
    kind: str = "4|4P",
    direction: float = 5.0,
    gap: float | None = None,
    pixel_size: float = 0.012,
    defects: Mapping[str, float | ArrayLike] | None = None,
    displacement: Displacement | None = None,
    profile: Profile = 0.1,
    exponent: float = 1.7,
    random_state: int = 0,
) -> xr.Dataset:
    """Return a twin boundary of a dichalcogenide: grains at 60 degrees with a row of chalcogen in the mirror.

    Parameters
    ----------
    material, shape, pixel_size, defects, displacement, profile, exponent
        As of `monolayer`.
    kind : {"4|4P", "8"}
        "4|4P": four-fold rings that share a point; each chalcogen column in the mirror has four metal
        neighbours (Zhou et al., Nano Lett. 13, 2615 (2013)). "8": eight-fold rings that share edges; it has
        two. Both kinds of rings are seen in MoSe2 (Truong et al., RSC Adv. 8, 33391 (2018)).
    direction : float, default 5.0
        Of the boundary, a zigzag row through the centre of the image, degrees, from x towards y.
    gap : float, optional
        Distance of the metal rows on both sides, nm. By default for "8" that with all bonds as in the
        crystal, 2 a / sqrt(3), and for "4|4P" 0.8 a: rigid grains with such bonds would have metal
        columns only 0.58 a apart, so they are drawn apart until bonds are a tenth longer. The grains
        themselves are not relaxed.
    random_state : int, default 0
        Seed of the places of defects and of the lattice's place along the boundary.

    Returns
    -------
    Dataset
        As of `grain_boundary`; `grain` is -1 on the row in the mirror, `distance` that from the mirror.
        `cell` and `lattice_vector` are mirrored in grain 1, so that a mirrored pair has the same cell;
        those of the row are of grain 0.

    Raises
    ------
    ValueError
        As `monolayer`; if the material is no dichalcogenide.

    Examples
    --------
    >>> sample = mirror_twin_boundary("MoSe2", (256, 256))
    >>> [str(name) for name in sample["motif_name"].values if name.endswith("_gb")]
    ['Se2_gb']
    """
    dichalcogenide = material_named(material)
    if not dichalcogenide.columns[1].endswith("2"):
        raise ValueError(f"`material` must be a dichalcogenide, got {material!r}.")
    check_choice(kind, "kind", ("4|4P", "8"))
    frame = Frame(shape, pixel_size, profile, displacement)
    generator = np.random.default_rng(check_not_negative(random_state, "random_state"))
    a = dichalcogenide.lattice_constant
    points = kind == "4|4P"
    natural = _ACROSS * a if points else 2 * dichalcogenide.bond
    half = (natural if gap is None else check_positive(gap, "gap")) / 2
    along, normal = unit_vectors(check_finite(direction, "direction") + np.array([0.0, 90.0]))
    lower = hexagonal_vectors(a, direction)
    start = frame.centre + generator.random() * a * along
    # Chalcogen beyond the outermost metal row: between two of its columns, or straight before one.
    basis_sites = BASIS if points else 2 * BASIS
    mirror = np.eye(2) - 2 * np.outer(normal, normal)
    vectors = np.stack([lower, lower @ mirror])
    origins = np.stack([start - half * normal, start + half * normal])
    parts = [frame.sites(vectors[g], basis_sites, origins[g]) for g in (0, 1)]
    # Metal rows up to number 0, chalcogen rows up to -1.
    inside = [cell[:, 1] <= -basis for _, cell, basis in parts]
    reach = 2 + int(np.hypot(*(frame.centre + frame.margin)) / a)
    row = np.arange(-reach, reach + 1)
    in_row = start + (row[:, None] + 0.5 * points) * a * along
    position = np.concatenate([p[0][keep] for p, keep in zip(parts, inside)] + [in_row])
    cell = np.concatenate(
        [p[1][keep] for p, keep in zip(parts, inside)] + [np.column_stack([row, np.zeros_like(row)])]
    )
    basis = np.concatenate([p[2][keep] for p, keep in zip(parts, inside)] + [np.ones_like(row)])
    grain = np.repeat([0, 1, -1], [inside[0].sum(), inside[1].sum(), len(row)])
    return two_grains(
        dichalcogenide,
        frame,
        position,
        basis,
        dict(defects or {}),
        generator,
        exponent,
        truth={
            "grain": (("point",), grain),
            "distance": (("point",), np.abs((position - frame.centre) @ normal)),
            "cell": (("point", "vector"), cell),
            "lattice_vector": (("grain_", "vector", "axis"), vectors),
            "origin": (("grain_", "axis"), origins),
        },
        attrs={
            "title": f"{kind} mirror twin boundary in {material}, simulated",
            "kind": kind,
            "direction": float(direction),
            "gap": 2 * float(half),
            "random_state": int(random_state),
        },
    )
