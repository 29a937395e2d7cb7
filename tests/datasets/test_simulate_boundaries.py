"""Simulated grain and twin boundaries: misorientation, distances and overlaps against brute force."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import minimize_scalar

from atomotif.datasets.simulate import grain_boundary, mirror_twin_boundary, uniform_strain
from atomotif.datasets.simulate.boundaries import _without_overlaps


def positions(sample: xr.Dataset) -> np.ndarray:
    return np.column_stack([sample["row"], sample["col"]]) * sample.attrs["pixel_size"]


def names(sample: xr.Dataset, what: str = "label") -> np.ndarray:
    return sample[f"{what}_name"].values[sample[what].values]


def distances(sample: xr.Dataset) -> np.ndarray:
    at = positions(sample)
    apart = np.linalg.norm(at[:, None] - at[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    return apart


def frame_of(sample: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The centre, and unit vectors along and across the boundary."""
    angle = np.deg2rad(sample.attrs["direction"])
    centre = (np.array(sample["intensity"].shape) - 1) / 2 * sample.attrs["pixel_size"]
    return centre, np.array([np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), -np.sin(angle)])


def inner(sample: xr.Dataset, nm: float = 0.35) -> np.ndarray:
    at = positions(sample)
    high = (np.array(sample["intensity"].shape) - 1) * sample.attrs["pixel_size"]
    return ((at > nm) & (at < high - nm)).all(axis=1)


@pytest.mark.parametrize("misorientation", [5.0, 18.0, 38.2])
@pytest.mark.parametrize("direction", [20.0, 90.0, -130.0])
def test_each_side_is_its_own_lattice(misorientation: float, direction: float) -> None:
    sample = grain_boundary(
        "MoS2", (300, 340), misorientation=misorientation, direction=direction, rotation=6.0
    )
    centre, _, normal = frame_of(sample)
    across = (positions(sample) - centre) @ normal
    np.testing.assert_array_equal(sample["grain"], across > 0)
    np.testing.assert_allclose(sample["distance"], np.abs(across), atol=1e-12)
    fraction = np.array([[0, 0], [1 / 3, 1 / 3]])[sample["basis"].values]
    for grain, angle in ((0, 6.0), (1, 6.0 + misorientation)):
        vector = sample["lattice_vector"].values[grain]
        np.testing.assert_allclose(np.linalg.norm(vector, axis=1), 0.316)
        np.testing.assert_allclose(np.rad2deg(np.arctan2(vector[0, 0], vector[0, 1])), angle)
        own = (sample["grain"].values == grain) & (sample["distance"].values > 0.2)
        there = (sample["cell"].values[own] + fraction[own]) @ vector + sample["origin"].values[grain]
        np.testing.assert_allclose(positions(sample)[own], there, atol=1e-9)
    assert sample.sizes["point"] == pytest.approx(300 * 340 * 0.012**2 * 2 / (0.316**2 * 0.75**0.5), rel=0.04)


def test_a_wavy_boundary_has_its_distances() -> None:
    sample = grain_boundary("MoS2", (300, 300), waviness=0.4, wavelength=2.0, direction=35.0)
    centre, along, normal = frame_of(sample)
    t, n = ((positions(sample) - centre) @ np.column_stack([along, normal])).T
    np.testing.assert_array_equal(sample["grain"], n > 0.4 * np.sin(np.pi * t))
    for k in range(0, len(t), 7):

        def squared(s: float, k: int = k) -> float:
            return float((s - t[k]) ** 2 + (0.4 * np.sin(np.pi * s) - n[k]) ** 2)

        grid = np.linspace(t[k] - 3, t[k] + 3, 601)
        start = grid[np.argmin([squared(s) for s in grid])]
        best = minimize_scalar(squared, bounds=(start - 0.02, start + 0.02), options={"xatol": 1e-10}).fun
        assert sample["distance"].values[k] == pytest.approx(np.sqrt(best), abs=1e-5)


@pytest.mark.parametrize("least", [None, 0.05, 0.16])
def test_no_columns_overlap_and_metal_stays(least: float | None) -> None:
    wanted = 0.7 * 0.316 / np.sqrt(3) if least is None else least
    for seed in range(3):
        sample = grain_boundary("MoS2", (300, 300), min_distance=least, random_state=seed)
        assert distances(sample).min() >= wanted
        # All that was merged or left out is at the boundary: elsewhere the crystals are whole.
        whole = inner(sample) & (sample["distance"].values > 0.4)
        near = (distances(sample) < 0.24).sum(axis=1)
        assert (near[whole] == 3).all()
    loose = grain_boundary("MoS2", (300, 300), min_distance=1e-6)
    tight = grain_boundary("MoS2", (300, 300), min_distance=0.16)
    assert tight.sizes["point"] < loose.sizes["point"]


def test_columns_that_are_too_close_become_one() -> None:
    """The rules, by hand, on all pairs that are alone with each other in the uncut structure."""
    loose = grain_boundary("MoS2", (400, 400), min_distance=1e-6, random_state=2)
    merged = grain_boundary("MoS2", (400, 400), min_distance=0.12, random_state=2)
    apart = distances(loose)
    pairs = np.argwhere(np.triu(apart < 0.12))
    lonely = [(i, j) for i, j in pairs if (apart[i] < 0.3).sum() + (apart[j] < 0.3).sum() < 14]
    assert len(lonely) >= 3
    at, kept = positions(loose), positions(merged)
    taken = np.bincount(pairs.ravel(), minlength=len(at))
    kinds = set()
    for i, j in pairs:
        if taken[i] > 1 or taken[j] > 1:
            continue
        same = loose["basis"].values[i] == loose["basis"].values[j]
        metal, other = (i, j) if loose["basis"].values[i] == 0 else (j, i)
        here = (at[i] + at[j]) / 2 if same else at[metal]
        nearest = np.linalg.norm(kept - here, axis=1)
        assert nearest.min() < 1e-9
        assert np.linalg.norm(kept - at[other], axis=1).min() > 1e-3
        assert names(merged)[nearest.argmin()] == names(loose)[metal]
        kinds.add(bool(same))
    assert kinds == {True, False}


@pytest.mark.parametrize(
    ("kinds", "places"),
    [("SSS", [0.05, 0.25]), ("MSS", [0.0, 0.25]), ("SMM", [0.1, 0.25]), ("SMS", [0.1])],
)
def test_in_a_chain_the_closest_go_first_and_what_is_gone_counts_no_more(
    kinds: str, places: list[float]
) -> None:
    at = np.array([[0.0, 0.0], [0.0, 0.1], [0.0, 0.25]])
    rank = np.array(["MS".index(kind) for kind in kinds])
    found, kept = _without_overlaps(at, np.array(list(kinds)), rank, 0.1999 if kinds != "SMM" else 0.12)
    np.testing.assert_allclose(found[:, 1], places)
    assert len(kept) == len(places)
    assert at[1, 1] == 0.1, "the input stays"


def test_coordination_and_motifs_are_those_of_brute_force() -> None:
    sample = grain_boundary("MoS2", (300, 300))
    near = distances(sample) < 1.3 * 0.316 / np.sqrt(3)
    kind = names(sample)
    for k in np.flatnonzero(inner(sample)):
        around = kind[near[k]]
        assert sample["coordination"].values[k] == len(around)
        bulk = len(around) == 3 and (around != kind[k]).all()
        assert names(sample, "motif")[k] == kind[k] + ("" if bulk else "_gb")
    assert set(sample["motif_name"].values) == {"Mo", "Mo_gb", "S2", "S2_gb"}
    assert (sample["distance"].values[[name.endswith("_gb") for name in names(sample, "motif")]] < 0.3).all()


def test_graphene_without_a_boundary_is_whole() -> None:
    sample = grain_boundary("graphene", (200, 200), misorientation=20.0)
    far = sample["distance"] > 0.4
    assert set(names(sample, "motif")[far.values]) == {"C"}
    assert "C_gb" in sample["motif_name"].values


@pytest.mark.parametrize("kind", ["4|4P", "8"])
@pytest.mark.parametrize("direction", [0.0, 5.0, 112.0])
def test_twins_are_mirror_images(kind: str, direction: float) -> None:
    sample = mirror_twin_boundary("MoSe2", (300, 300), kind=kind, direction=direction)
    centre, along, normal = frame_of(sample)
    at = positions(sample) - centre
    image = at - 2 * np.outer(at @ normal, normal)
    high = centre - 0.02
    back = (np.abs(image) < high).all(axis=1)
    apart = np.linalg.norm(image[back][:, None] - at[None], axis=-1)
    assert apart.min(axis=1).max() < 1e-9
    partner = apart.argmin(axis=1)
    np.testing.assert_array_equal(names(sample)[back], names(sample)[partner])
    grain = sample["grain"].values
    swapped = np.where(grain < 0, grain, 1 - grain)
    np.testing.assert_array_equal(swapped[back], grain[partner])
    off = grain[back] >= 0
    np.testing.assert_array_equal(sample["cell"].values[back][off], sample["cell"].values[partner][off])
    np.testing.assert_allclose(sample["distance"], np.abs(at @ normal), atol=1e-12)
    np.testing.assert_array_equal(grain[grain >= 0], (at @ normal > 0)[grain >= 0])
    row = np.sort(at[grain < 0] @ along)
    np.testing.assert_allclose(np.diff(row), 0.3288)
    assert set(names(sample)[grain < 0]) == {"Se2"}


@pytest.mark.parametrize(("kind", "metals", "bond"), [("4|4P", 4, 0.64031), ("8", 2, 0.57735)])
def test_columns_in_the_mirror_have_their_neighbours(kind: str, metals: int, bond: float) -> None:
    sample = mirror_twin_boundary("MoSe2", (300, 300), kind=kind)
    near = distances(sample) < 1.3 * 0.3288 / np.sqrt(3)
    middle = inner(sample)
    in_row = (sample["grain"].values == -1) & middle
    assert (near[in_row].sum(axis=1) == metals).all()
    np.testing.assert_allclose(np.sort(distances(sample)[in_row], axis=1)[:, 0] / 0.3288, bond, atol=1e-4)
    np.testing.assert_array_equal(sample["coordination"].values[middle], near[middle].sum(axis=1))
    assert (near[middle & ~in_row].sum(axis=1) == 3).all(), "all other columns keep three neighbours"
    wanted = np.where(sample["grain"].values == -1, "Se2_gb", names(sample))
    np.testing.assert_array_equal(names(sample, "motif"), wanted)


def test_the_gap_is_the_distance_of_metal_rows() -> None:
    sample = mirror_twin_boundary("MoS2", (300, 300), gap=0.29)
    centre, _, normal = frame_of(sample)
    across = ((positions(sample) - centre) @ normal)[names(sample) == "Mo"]
    assert across[across > 0].min() - across[across < 0].max() == pytest.approx(0.29)
    assert sample.attrs["gap"] == pytest.approx(0.29)


@pytest.mark.parametrize("make", [grain_boundary, mirror_twin_boundary])
def test_boundaries_take_defects_and_displacement(make: Any) -> None:
    options: dict[str, Any] = {"shape": (256, 256), "material": "MoS2", "defects": {"VS": 0.1, "Fe_Mo": 3}}
    plain = make(**options)
    sulfur = int((plain["basis"] == 1).sum())
    assert (names(plain) == "VS").sum() == round(0.1 * sulfur)
    assert (names(plain) == "Fe_Mo").sum() == 3
    xr.testing.assert_identical(plain, make(**options))
    gradient = uniform_strain(yy=0.02, xy=0.01)
    moved = make(**options, displacement=gradient)
    before = positions(moved) - moved["displacement"].values
    centre, _, _ = frame_of(moved)
    np.testing.assert_allclose(moved["displacement"], (before - centre) @ gradient.T, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (grain_boundary, {"min_distance": 0}, "`min_distance` must"),
        (grain_boundary, {"wavelength": 0}, "`wavelength` must"),
        (grain_boundary, {"misorientation": np.nan}, "`misorientation` must"),
        (grain_boundary, {"direction": np.inf}, "`direction` must"),
        (grain_boundary, {"waviness": np.nan}, "`waviness` must"),
        (mirror_twin_boundary, {"kind": "55|8"}, "`kind` must"),
        (mirror_twin_boundary, {"gap": -1}, "`gap` must"),
        (mirror_twin_boundary, {"material": "hBN"}, "`material` must"),
        (mirror_twin_boundary, {"direction": np.nan}, "`direction` must"),
    ],
)
def test_wrong_input_is_refused(make: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**({"shape": (64, 64)} | options))
