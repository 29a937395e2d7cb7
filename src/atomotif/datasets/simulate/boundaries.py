"""Two grains of a monolayer: boundaries at any angle, and mirror twin boundaries."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from atomotif._checks import check_choice, check_not_negative, check_positive
from atomotif.datasets.simulate._defects import NEAR, Sites, label_order, neighborhoods, plant_defects
from atomotif.datasets.simulate._frame import Displacement, Frame, check_finite, unit_vectors
from atomotif.datasets.simulate._materials import BASIS, Material, hexagonal_vectors, material_named
from atomotif.datasets.simulate._sample import make_sample
from atomotif.numerics.rendering import Profile

__all__ = ["grain_boundary", "mirror_twin_boundary"]

# Columns of different grains nearer than this many bonds are one: in a rigid cut they would overlap.
_OVERLAP = 0.7
# Samples of a wavy boundary in a wavelength: its distance is then exact to 1e-5 of it.
_SAMPLES = 2000
# Distance of the metal rows across a 4|4P boundary in lattice constants.
_ACROSS = 0.8


def grain_boundary(
    material: str = "MoS2",
    shape: tuple[int, int] = (512, 512),
    *,
    misorientation: float = 18.0,
    direction: float = 20.0,
    waviness: float = 0.0,
    wavelength: float = 6.0,
    min_distance: float | None = None,
    pixel_size: float = 0.012,
    rotation: float = 4.0,
    defects: Mapping[str, float | ArrayLike] | None = None,
    displacement: Displacement | None = None,
    profile: Profile = 0.1,
    exponent: float = 1.7,
    random_state: int = 0,
) -> xr.Dataset:
    """Return two grains, cut and joined without relaxation, and the truth about every column.

    Parameters
    ----------
    material, shape, pixel_size, defects, displacement, profile, exponent
        As of `monolayer`.
    misorientation : float, default 18.0
        By which grain 1 is turned against grain 0, degrees, turning from x towards y.
    direction : float, default 20.0
        Along which the boundary runs through the centre of the image, degrees; grain 1 is on the side of
        `direction` + 90.
    waviness : float, default 0.0
        Amplitude of a sine that is added to the straight line, nm.
    wavelength : float, default 6.0
        Of that sine, nm.
    min_distance : float, optional
        Columns nearer to each other are too close: two of one kind become one midway, of two kinds the
        fainter is left out. By default 0.7 of the distance of neighbours. nm.
    rotation : float, default 4.0
        Angle of the first lattice vector of grain 0, degrees.
    random_state : int, default 0
        Seed of the places of defects and of the origins of both lattices.

    Returns
    -------
    Dataset
        As of `monolayer`, with `grain` (point) 0 or 1, `distance` (point) from the boundary, nm, and
        `coordination` (point), the number of neighbours within 1.3 bonds; `cell` (point, vector) is that
        in its own grain, `vector` (grain_, vector, axis) and `origin` (grain_, axis) are for both. A column
        without exactly three neighbours of the other kind has "_gb" behind the name of its motif.

    Raises
    ------
    ValueError
        As `monolayer`.

    Examples
    --------
    >>> sample = grain_boundary("MoS2", (256, 256), misorientation=21.8)
    >>> np.unique(sample["grain"]).tolist(), sample.attrs["misorientation"]
    ([0, 1], 21.8)
    """
    kind = material_named(material)
    frame = Frame(shape, pixel_size, profile, displacement)
    generator = np.random.default_rng(check_not_negative(random_state, "random_state"))
    least = _OVERLAP * kind.bond if min_distance is None else check_positive(min_distance, "min_distance")
    check_positive(wavelength, "wavelength")
    given = {
        "misorientation": misorientation,
        "direction": direction,
        "waviness": waviness,
        "rotation": rotation,
    }
    for name, value in given.items():
        check_finite(value, name)
    vectors = np.stack(
        [hexagonal_vectors(kind.lattice_constant, angle) for angle in (rotation, rotation + misorientation)]
    )
    origins = np.stack([frame.centre + generator.random(2) @ each for each in vectors])
    along, normal = unit_vectors([direction, direction + 90.0])

    def side(position: NDArray[np.float64]) -> NDArray[np.int64]:
        t, n = ((position - frame.centre) @ np.column_stack([along, normal])).T
        return np.asarray(n > waviness * np.sin(2 * np.pi * t / wavelength), np.int64)

    position, cell, basis = _joined(frame, vectors, BASIS, origins, side)
    column = np.array(kind.columns)[basis]
    position, kept = _without_overlaps(position, column, basis, least)
    local = (position - frame.centre) @ np.column_stack([along, normal])
    return _two_grains(
        kind,
        frame,
        position,
        basis[kept],
        dict(defects or {}),
        generator,
        exponent,
        truth={
            "grain": (("point",), side(position)),
            "distance": (("point",), _distance_from_sine(local, waviness, wavelength)),
            "cell": (("point", "vector"), cell[kept]),
            "vector": (("grain_", "vector", "axis"), vectors),
            "origin": (("grain_", "axis"), origins),
        },
        attrs={
            "title": f"Grain boundary in {material}, simulated",
            "rotation": float(rotation),
            "misorientation": float(misorientation),
            "direction": float(direction),
            "random_state": int(random_state),
        },
    )


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
        `cell` and `vector` are mirrored in grain 1, so that a mirrored pair has the same cell; those of
        the row are of grain 0.

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
    return _two_grains(
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
            "vector": (("grain_", "vector", "axis"), vectors),
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


def _joined(
    frame: Frame,
    vectors: NDArray[np.float64],
    basis: NDArray[np.float64],
    origins: NDArray[np.float64],
    side: Callable[[NDArray[np.float64]], NDArray[np.int64]],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the sites of each lattice on its own side."""
    parts = []
    for grain in (0, 1):
        sites = frame.sites(vectors[grain], basis, origins[grain])
        own = side(sites[0]) == grain
        parts.append([array[own] for array in sites])
    position, cell, which = (np.concatenate(both) for both in zip(*parts))
    return position, cell, which


def _without_overlaps(
    position: NDArray[np.float64], column: NDArray[np.str_], rank: NDArray[np.int64], least: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Merge or leave out columns that are too close, the closest first, until none are.

    Of two kinds that of the lower `rank` stays: the metal. Returns positions and the indices of what is kept.
    """
    position, kept = position.copy(), np.arange(len(position))
    while True:
        pairs = cKDTree(position[kept]).query_pairs(least, output_type="ndarray")
        if not len(pairs):
            return position[kept], kept
        pairs = np.sort(kept[pairs], axis=1)
        apart = np.linalg.norm(position[pairs[:, 0]] - position[pairs[:, 1]], axis=1)
        touched = np.zeros(len(position), bool)
        gone = np.zeros(len(position), bool)
        for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0], apart))]:
            if touched[first] or touched[second]:
                continue
            touched[[first, second]] = True
            if column[first] == column[second]:
                position[first] = (position[first] + position[second]) / 2
                gone[second] = True
            else:
                gone[first if rank[first] > rank[second] else second] = True
        kept = kept[~gone[kept]]


def _distance_from_sine(
    local: NDArray[np.float64], amplitude: float, wavelength: float
) -> NDArray[np.float64]:
    """Return the distance of points (along, across) from the curve ``amplitude * sin``."""
    if amplitude == 0:
        return np.abs(local[:, 1])
    reach = np.abs(local[:, 0]).max() + np.abs(local[:, 1]).max() + abs(amplitude)
    t = np.linspace(-reach, reach, int(2 * reach / wavelength * _SAMPLES) + 2)
    phase = 2 * np.pi * t / wavelength
    curve = np.column_stack([t, amplitude * np.sin(phase)])
    nearest = cKDTree(curve).query(local)[1]
    # Along the normal there, which takes out the error of the sampling to first order.
    slope = 2 * np.pi / wavelength * amplitude * np.cos(phase[nearest])
    across = local - curve[nearest]
    return np.asarray(np.abs(across[:, 1] - slope * across[:, 0]) / np.hypot(1.0, slope))


def _two_grains(
    material: Material,
    frame: Frame,
    reference: NDArray[np.float64],
    basis: NDArray[np.int64],
    defects: dict[str, float | ArrayLike],
    generator: np.random.Generator,
    exponent: float,
    truth: dict[str, Any],
    attrs: dict[str, Any],
) -> xr.Dataset:
    """Plant defects in joined grains and make the sample, with coordination and "_gb" where it is changed."""
    position = frame.displaced(reference)
    column = np.array(material.columns, object)[basis]
    sites = Sites(
        material, reference, position / frame.pixel_size, basis, frame.listed(position), column.copy()
    )
    pairs = cKDTree(reference).query_pairs(NEAR * material.bond, output_type="ndarray")
    alike = (column[pairs[:, 0]] == column[pairs[:, 1]]) & (len(set(material.columns)) == 2)
    coordination = np.bincount(pairs.ravel(), minlength=len(reference))
    others = np.bincount(pairs[~alike].ravel(), minlength=len(reference))
    plant_defects(sites, defects, generator)
    return make_sample(
        frame,
        reference,
        sites.intensity(exponent),
        sites.label,
        title=attrs["title"],
        label_names=label_order(material, list(defects)),
        motif=neighborhoods(sites, boundary=(coordination != 3) | (others != 3)),
        truth=truth | {"basis": (("point",), basis), "coordination": (("point",), coordination)},
        attrs={"material": material.name, "lattice_constant": material.lattice_constant} | attrs,
    )
