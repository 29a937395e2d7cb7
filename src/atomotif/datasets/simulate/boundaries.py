"""Boundaries between two grains of a monolayer, at any angle."""

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from atomotif._checks import check_finite, check_not_negative, check_positive
from atomotif.datasets.simulate._frame import Displacement, Frame, unit_vectors
from atomotif.datasets.simulate._materials import BASIS, hexagonal_vectors, material_named
from atomotif.datasets.simulate._two_grains import two_grains
from atomotif.numerics.rendering import Profile

__all__ = ["grain_boundary"]

# Columns of different grains nearer than this many bonds are one: in a rigid cut they would overlap.
_OVERLAP = 0.7
# Samples of a wavy boundary in a wavelength: its distance is then exact to 1e-5 of it.
_SAMPLES = 2000


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
        in its own grain, `lattice_vector` (grain_, vector, axis) and `origin` (grain_, axis) are for both. A
        column without exactly three neighbours of the other kind has "_gb" behind the name of its motif.

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
    return two_grains(
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
            "lattice_vector": (("grain_", "vector", "axis"), vectors),
            "origin": (("grain_", "axis"), origins),
        },
        attrs={
            "title": f"Grain boundary in {material}, simulated",
            "rotation": float(rotation),
            "misorientation": float(misorientation),
            "direction": float(direction),
            "waviness": float(waviness),
            "wavelength": float(wavelength),
            "min_distance": float(least),
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
