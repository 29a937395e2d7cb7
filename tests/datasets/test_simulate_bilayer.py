"""Twisted bilayers: their columns, their registry and what can be seen of them."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage
from scipy.spatial import cKDTree

from atomotif.datasets.simulate.bilayer import registry_at, twisted_bilayer
from atomotif.datasets.simulate.noise import add_noise

A = 0.316  # nm, MoS2
PX = 0.0122


def lattice(angle: float, a: float = A) -> np.ndarray:
    """Rows (y, x) of vectors at `angle` and 60 degrees more."""
    turned = np.deg2rad([angle, angle + 60])
    return a * np.column_stack([np.sin(turned), np.cos(turned)])


def shortest(vector: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The length of vectors up to lattice vectors, by trying all that could matter."""
    start = vector - np.round(vector @ np.linalg.inv(vectors)) @ vectors
    near = np.array(list(itertools.product(range(-2, 3), repeat=2))) @ vectors
    return np.linalg.norm(start[:, None] + near, axis=2).min(axis=1)


def atoms(sample: xr.Dataset, kind: str, layer: int) -> np.ndarray:
    named = sample["atom_name"].values[sample["atom_label"].values] == kind
    chosen = named & (sample["layer"].values == layer)
    return np.column_stack([sample["atom_row"], sample["atom_col"]])[chosen]


def points(sample: xr.Dataset) -> np.ndarray:
    return np.column_stack([sample["row"], sample["col"]])


def on_top(sample: xr.Dataset, above: str, below: str) -> float:
    """How far the columns of layer 2 are from those of layer 1 at most, nm."""
    distance = cKDTree(atoms(sample, below, 1)).query(atoms(sample, above, 2))[0]
    return float(np.sort(distance)[: int(0.9 * len(distance))].max()) * PX


@pytest.mark.parametrize(
    ("material", "stacking", "above", "below", "free"),
    [
        ("MoS2", "AA'", ["Mo", "S2"], ["S2", "Mo"], []),
        ("MoS2", "2H", ["Mo", "S2"], ["S2", "Mo"], []),
        ("MoS2", "AB'", ["Mo"], ["Mo"], ["S2"]),
        ("MoS2", "A'B", ["S2"], ["S2"], ["Mo"]),
        ("WSe2", "AA", ["W", "Se2"], ["W", "Se2"], []),
        ("WSe2", "AB", ["W"], ["Se2"], ["Se2"]),
        ("WSe2", "3R", ["W"], ["Se2"], ["Se2"]),
        ("WSe2", "BA", ["Se2"], ["W"], ["W"]),
        ("hBN", "AA'", ["B", "N"], ["N", "B"], []),
    ],
)
def test_without_a_twist_the_stacking_is_everywhere(
    material: str, stacking: str, above: list[str], below: list[str], free: list[str]
) -> None:
    sample = twisted_bilayer(material, angle=0, stacking=stacking, shape=(200, 180), rotation=17.0)
    for up, down in zip(above, below):
        assert on_top(sample, up, down) < 1e-9
    for up in free:  # over the hollows: a bond from every column of layer 1
        everything = np.concatenate([atoms(sample, k, 1) for k in set(sample["atom_name"].values)])
        nearest = cKDTree(everything).query(atoms(sample, up, 2))[0] * PX
        assert nearest.min() > 0.14
    name = {"2H": "AA'", "3R": "AB"}.get(stacking, stacking)
    assert sample["label_name"].values.tolist() == [name]
    assert sample["stacking_name"].values[sample["stacking"].values[0]] == name
    assert sample["stacking_distance"].values.min(axis=1).max() < 1e-9
    assert (sample["domain"] == -1).all()
    assert sample.sizes["moire_domain"] == 0
    assert "period" not in sample.attrs


def test_graphene_has_the_parallel_stackings_alone() -> None:
    sample = twisted_bilayer("graphene", angle=0, stacking="AB", shape=(128, 128))
    together = cKDTree(atoms(sample, "C", 1)).query(atoms(sample, "C", 2))[0] * PX
    assert ((together < 1e-9) | (together > 0.13)).all()
    assert np.mean(together < 1e-9) == pytest.approx(0.5, abs=0.1)
    with pytest.raises(ValueError, match="`stacking` must be one of 'AA', 'AB', 'BA', '3R', got \"AA'\""):
        twisted_bilayer("graphene", stacking="AA'")


@pytest.mark.parametrize("angle", [3.15, -7.0, 21.8])
@pytest.mark.parametrize("stacking", ["AA'", "AB'", "BA"])
def test_the_registry_is_where_layer_2_lies_on_layer_1(angle: float, stacking: str) -> None:
    sample = twisted_bilayer(
        angle=angle, stacking=stacking, shape=(240, 200), rotation=11.0, translation=(0.3, -0.4)
    )
    # A column of layer 2 and the lattice of those of layer 1 that it is on top of at registry 0.
    below = "Mo" if stacking == "BA" else "S2"
    above, site = atoms(sample, "Mo", 2), atoms(sample, below, 1)[0]
    found = registry_at(sample, above)
    np.testing.assert_allclose(shortest((above - site) * PX - found, lattice(11.0)), 0, atol=1e-9)
    assert np.linalg.norm(found, axis=1).max() <= A / np.sqrt(3) + 1e-9
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), shortest(found, lattice(11.0)), atol=1e-12)
    centre = np.array([119.5, 99.5]) + np.array([0.3, -0.4]) / PX
    step = {"AA'": 0, "AB'": -1, "BA": -1}[stacking] * lattice(11.0).sum(axis=0) / 3
    at_centre = registry_at(sample, centre[None])
    np.testing.assert_allclose(shortest(at_centre - step, lattice(11.0)), 0, atol=1e-9)
    # Layer 2 is turned from x to y.
    first = atoms(sample, "Mo", 2)
    pairs = cKDTree(first).query_pairs(A / PX * 1.01, output_type="ndarray")
    step = first[pairs[:, 1]] - first[pairs[:, 0]]
    turned = np.rad2deg(np.arctan2(step[:, 0], step[:, 1])) % 60
    np.testing.assert_allclose(turned, (11.0 + angle) % 60, atol=1e-6)


@pytest.mark.parametrize("common", [None, [[0.02, 0.01], [-0.015, 0.01]]])
def test_the_registry_of_strained_layers(common: Any) -> None:
    gradient = np.array([[0.012, 0.004], [-0.003, -0.01]])
    sample = twisted_bilayer(
        angle=2.0, shape=(256, 256), layer_displacement=gradient, displacement=common, rotation=4.0
    )
    above, site = atoms(sample, "Mo", 2), atoms(sample, "S2", 1)[0]
    moved = np.eye(2) + (np.zeros((2, 2)) if common is None else np.array(common))
    plain = np.linalg.solve(moved, ((above - site) * PX).T).T
    found = registry_at(sample, above)
    np.testing.assert_allclose(shortest(plain - found, lattice(4.0)), 0, atol=1e-9)
    # The moiré: by its vectors the registry comes back.
    period = sample["moire_vector"].values @ moved.T / PX
    at = np.array([[100.0, 120.0]])
    for vector in period:
        np.testing.assert_allclose(
            shortest(registry_at(sample, at) - registry_at(sample, at + vector), lattice(4.0)), 0, atol=1e-8
        )


def test_a_function_may_displace_layers() -> None:
    def wall(position: np.ndarray) -> np.ndarray:
        """From BA to AB: two bonds' step within 0.6 nm."""
        return np.tanh((position[:, 1] - 1.5) / 0.3)[:, None] * lattice(0.0).sum(axis=0) / 3

    sample = twisted_bilayer(angle=0, stacking="AA", layer_displacement=wall, shape=(200, 250))
    stacking = sample["stacking_name"].values[sample["stacking"].values]
    at = sample["col"].values * PX
    assert set(stacking[at < 0.8]) == {"BA"}
    assert set(stacking[at > 2.2]) == {"AB"}
    above, site = atoms(sample, "Mo", 2), atoms(sample, "Mo", 1)[0]
    near = cKDTree(points(sample)).query(above)
    same = near[0] < 0.02
    assert same.sum() > 5
    found = sample["registry"].values[near[1][same]]
    np.testing.assert_allclose(
        shortest((above[same] - site) * PX - found, lattice(0.0)), 0, atol=0.02 * PX * 2
    )
    with pytest.raises(ValueError, match="`sample` must not have a function as `layer_displacement`"):
        registry_at(sample, [[1.0, 1.0]])


def test_period_and_domains_of_a_moire() -> None:
    sample = twisted_bilayer(angle=3.15, shape=(960, 960), rotation=5.0)
    assert sample.attrs["period"] == pytest.approx(A / (2 * np.sin(np.deg2rad(3.15) / 2)))
    centres = np.column_stack([sample["domain_row"], sample["domain_col"]])
    distance = cKDTree(centres).query(centres, k=2)[0][:, 1] * PX
    np.testing.assert_allclose(distance, sample.attrs["period"] / np.sqrt(3), rtol=1e-9)
    step = np.array([0, -1, 1])[sample["domain_stacking"].values]
    there = registry_at(sample, centres) - step[:, None] * lattice(5.0).sum(axis=0) / 3
    np.testing.assert_allclose(shortest(there, lattice(5.0)), 0, atol=1e-9)
    # All of them: one of each stacking in every cell.
    cell = sample.attrs["period"] ** 2 * np.sqrt(3) / 2
    assert len(centres) / ((960 * PX) ** 2 / cell) == pytest.approx(3, abs=0.8)
    assert (np.diff(np.round(sample["domain_row"], 3)) >= 0).all()
    nearest = cKDTree(centres).query(points(sample))[1]
    np.testing.assert_array_equal(sample["domain"], nearest)


def test_as_the_simulated_benchmark_has_it(shared: Path) -> None:
    with np.load(shared / "bench/mos2_twist_3p15__clean.npz") as truth:
        about = json.loads(str(truth["meta_json"]))["lattice"]
        at = truth["positions_xy_px"][:, ::-1].astype(float)
        registry, names = truth["registry_disp_A"][:, ::-1] / 10, json.loads(str(truth["label_names"]))
        distance, shape = truth["dist_AAp_ABp_ApB_A"] / 10, truth["image"].shape
        label = truth["labels"]
    frame_centre = (np.array(shape) - 1) / 2 * PX
    sample = twisted_bilayer(
        angle=about["twist_deg"],
        rotation=5.0,
        shape=shape,
        translation=np.array(about["centre"])[::-1] / 10 - frame_centre,
    )
    found = registry_at(sample, at)
    assert shortest(found - registry, lattice(5.0)).max() < 1e-4
    # The names at the nearest of our own points, where the distances are clear.
    near = cKDTree(points(sample)).query(at)
    close = near[0] < 3
    assert close.sum() > 300
    mine = sample["stacking_distance"].values[near[1][close]]
    assert sample["stacking_name"].values.tolist() == ["AA'", "AB'", "A'B"] == names[:3]
    assert np.abs(mine - distance[close]).max() < 3 * PX * 0.055 + 1e-4
    clear = np.abs(distance.min(axis=1) - 0.06)[close] > 0.005
    ours = sample["label_name"].values[sample["label"].values[near[1][close]]][clear]
    np.testing.assert_array_equal(ours, np.array(names)[label[close]][clear])


def test_points_are_the_maxima_of_the_image() -> None:
    sample = twisted_bilayer(angle=3.15, shape=(400, 420))
    image = sample["intensity"].values
    # A brute-force image at a twentieth of the pixel, round some points.
    at, heights = np.column_stack([sample["atom_row"], sample["atom_col"]]), sample["atom_intensity"].values
    inside = ((points(sample) > 20) & (points(sample) < 380)).all(axis=1)
    sigma = 0.1 / PX / np.sqrt(8 * np.log(2))
    offset = np.stack(np.meshgrid(*[np.arange(-10, 11) / 20] * 2, indexing="ij"), -1).reshape(-1, 2)
    for row, col in points(sample)[inside][::60]:
        near = np.linalg.norm(at - [row, col], axis=1) < 6 * sigma + 2
        distance = np.linalg.norm([row, col] + offset[:, None] - at[near], axis=2)
        value = np.exp(-(distance**2) / (2 * sigma**2)) @ heights[near]
        assert np.abs(offset[value.argmax()]).max() <= 0.05 + 1e-9
    brute = np.argwhere((image == ndimage.maximum_filter(image, 3)) & (image > 0.02 * image.max()))
    assert len(brute) == sample.sizes["point"]
    assert 0 < (~sample["visible"]).sum() < 0.1 * sample.sizes["point"]


def test_barely_split_maxima_are_seen_once() -> None:
    sample = twisted_bilayer(angle=3.15, shape=(700, 700))
    image, at = sample["intensity"].values, points(sample)
    spline = ndimage.spline_filter(image.astype(float), order=5)
    n_hidden = 0
    for i, j in sorted(cKDTree(at).query_pairs(A / np.sqrt(3) / PX)):
        way = at[i] + np.linspace(0, 1, 201)[:, None] * (at[j] - at[i])
        value = ndimage.map_coordinates(spline, way.T, order=5, prefilter=False)
        ratio = value.min() / min(value[0], value[-1])
        lower = i if value[0] < value[-1] else j
        if ratio > 0.972:
            assert not sample["visible"].values[lower]
            n_hidden += 1
    assert n_hidden > 5
    shown = at[sample["visible"].values]
    assert cKDTree(shown).query(shown, k=2)[0][:, 1].min() > 4


def test_motifs_tell_the_columns_under_a_maximum() -> None:
    sample = twisted_bilayer(angle=3.15, shape=(500, 500))
    kinds = sample["atom_name"].values[sample["atom_label"].values]
    at = np.column_stack([sample["atom_row"], sample["atom_col"]])
    names = sample["motif_name"].values[sample["motif"].values]
    inside = ((points(sample) > 10) & (points(sample) < 490)).all(axis=1)
    for place, name in zip(points(sample)[inside][::5], names[inside][::5]):
        near = sorted(kinds[np.linalg.norm(at - place, axis=1) < 0.075 / PX])
        assert name == ("+".join(near) if 1 <= len(near) <= 2 else "other")
    assert {"Mo+Mo", "S2+S2", "Mo+S2", "Mo", "S2"} <= set(names)


@pytest.mark.parametrize(("stacking", "high", "low"), [("AA'", "A'B", "AA'"), ("AA", "AA", "AB")])
def test_relaxation_grows_the_domains_of_low_energy(stacking: str, high: str, low: str) -> None:
    area = {}
    grid = np.stack(np.meshgrid(*[np.arange(60) / 60] * 2), -1).reshape(-1, 2)  # over one cell of the moiré
    for relaxation in (0.0, 0.9):
        sample = twisted_bilayer(angle=2.0, stacking=stacking, shape=(900, 900), relaxation=relaxation)
        found = registry_at(sample, grid @ sample["moire_vector"].values / PX)
        bond = lattice(0.0).sum(axis=0) / 3
        family = {"AA'": 0, "AB'": -1, "A'B": 1, "AA": 0, "AB": 1, "BA": -1}
        area[relaxation] = {
            name: np.mean(shortest(found - step * bond, lattice(0.0)) < 0.06) for name, step in family.items()
        }
        # Columns are displaced so: exact up to the strain over less than a cell.
        above = atoms(sample, "Mo", 2)
        below = atoms(sample, "Mo" if stacking == "AA" else "S2", 1)
        inside = ((above > 40) & (above < 860)).all(axis=1)
        offset = (above - below[cKDTree(below).query(above)[1]]) * PX
        miss = shortest(offset - registry_at(sample, above), lattice(0.0))[inside]
        assert miss.max() < (1e-9 if relaxation == 0 else 0.004)
        centres = np.column_stack([sample["domain_row"], sample["domain_col"]])
        order = sample["stacking_name"].values[sample["domain_stacking"].values]
        steps = np.array([family[name] for name in order])[:, None] * bond
        assert shortest(registry_at(sample, centres) - steps, lattice(0.0)).max() < 1e-8
    assert area[0.0][high] == pytest.approx(area[0.0][low], rel=0.05)
    assert area[0.9][high] < 0.6 * area[0.0][high]
    assert area[0.9][low] > 1.2 * area[0.0][low]


def test_perturbed_domains_differ_and_others_do_not() -> None:
    arguments: dict[str, Any] = {"angle": 4.0, "shape": (800, 800), "rotation": 3.0}
    plain = twisted_bilayer(**arguments)
    shift = np.array([0.03, -0.02])
    sample = twisted_bilayer(
        **arguments, perturbed=(1, 3), perturbed_stacking="A'B", perturbation_shift=shift
    )
    of_kind = np.flatnonzero(sample["domain_stacking"].values == 2)
    np.testing.assert_array_equal(np.flatnonzero(sample["domain_perturbed"]), of_kind[[1, 3]])
    centres = np.column_stack([sample["domain_row"], sample["domain_col"]])
    change = registry_at(sample, centres) - registry_at(plain, centres)
    length = shortest(change - np.where(sample["domain_perturbed"].values[:, None], shift, 0), lattice(3.0))
    hit = sample["domain_perturbed"].values
    # Layer 2 brings along what was a shift away: a change of the registry by the twist.
    assert length[hit].max() < 0.003
    period = plain.attrs["period"] / PX
    sigma = 0.25 / np.sqrt(3) * period  # at which the Gaussian has fallen to exp(-1/2)
    beside = centres[hit][:1] + sigma * np.array([[0.6, 0.8], [-0.8, 0.6]])
    change = registry_at(sample, beside) - registry_at(plain, beside)
    assert shortest(change - shift * np.exp(-0.5), lattice(3.0)).max() < 0.003
    far = cKDTree(centres[hit]).query(centres)[0] > 0.8 * period
    assert far.sum() >= 4
    assert length[far].max() < 1e-6
    np.testing.assert_array_equal(sample["perturbed"], np.isin(sample["domain"], np.flatnonzero(hit)))
    above, site = atoms(sample, "Mo", 2), atoms(sample, "S2", 1)[0]
    found = registry_at(sample, above)
    np.testing.assert_allclose(shortest((above - site) * PX - found, lattice(3.0)), 0, atol=1e-9)


def test_vacancies_of_perturbed_domains_are_exact() -> None:
    sample = twisted_bilayer(
        angle=4.0, shape=(800, 800), perturbed=(0, 2), perturbation_vacancies=0.25, perturbed_stacking="AB'"
    )
    hit = sample["domain_perturbed"].values
    centres = np.column_stack([sample["domain_row"], sample["domain_col"]])[hit]
    radius = sample.attrs["period"] / PX / np.sqrt(12)
    vacancies, whole = atoms(sample, "VS", 2), atoms(sample, "S2", 2)
    assert len(atoms(sample, "VS", 1)) == 0
    assert cKDTree(centres).query(vacancies)[0].max() < radius
    near = (cKDTree(centres).query(whole)[0] < radius).sum()
    assert len(vacancies) / (len(vacancies) + near) == pytest.approx(0.25, abs=0.06)
    names = sample["atom_name"].values[sample["atom_label"].values]
    height = {name: sample["atom_intensity"].values[names == name].mean() for name in ("S2", "VS")}
    assert height["S2"] == pytest.approx(2 * height["VS"])
    other = twisted_bilayer(
        angle=4.0,
        shape=(800, 800),
        perturbed=(0, 2),
        perturbation_vacancies=0.25,
        perturbed_stacking="AB'",
        random_state=1,
    )
    assert len(atoms(other, "VS", 2)) > 0
    assert set(map(tuple, atoms(other, "VS", 2))) != set(map(tuple, vacancies))


def test_the_registry_of_a_drifting_image() -> None:
    sample = twisted_bilayer(angle=5.0, shape=(400, 400))
    noisy = add_noise(sample, drift=(9.0, -6.0))
    assert sample.sizes["moire_domain"] > 4
    away = ((points(noisy) > 1) & (points(noisy) < 398)).all(axis=1)
    found = registry_at(noisy, points(noisy)[away])
    np.testing.assert_allclose(shortest(found - noisy["registry"].values[away], lattice(0.0)), 0, atol=1e-5)
    for prefix in ("atom", "domain"):
        before = np.column_stack([sample[f"{prefix}_row"], sample[f"{prefix}_col"]])
        after = np.column_stack([noisy[f"{prefix}_row"], noisy[f"{prefix}_col"]])
        line = np.interp(after[:, 0], np.arange(400), noisy["drift"].values[:, 0])
        there = (after[:, 0] > 0) & (after[:, 0] < 399)
        np.testing.assert_allclose((after[:, 0] + line)[there], before[:, 0][there], atol=1e-3)


def test_all_that_is_asked_for_is_kept_as_json() -> None:
    arguments: dict[str, Any] = {"angle": 4.0, "shape": (500, 500), "displacement": [[0.0, 0.01], [0.0, 0.0]]}
    sample = twisted_bilayer(**arguments, perturbed=(0,), perturbation_shift=(0.02, 0.0), relaxation=0.4)
    again = sample.copy()
    again.attrs = json.loads(json.dumps(sample.attrs, allow_nan=False))
    at = [[240.0, 250.0], [100.0, 20.0]]
    np.testing.assert_array_equal(registry_at(again, at), registry_at(sample, at))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"material": "X"}, "`material` must be one of"),
        ({"stacking": "AC"}, "`stacking` must be one of"),
        ({"relaxation": 1.0}, "`relaxation` must be at least 0 and below 1, got 1.0"),
        ({"perturbation_vacancies": 1.5}, "`perturbation_vacancies` must be a share"),
        ({"perturbed": (99,)}, "`perturbed` must count the .* domains of AA' in the frame from 0"),
        ({"perturbed_stacking": "AB"}, "`perturbed_stacking` must be one of"),
        ({"layer_displacement": [[1.0]]}, "`layer_displacement` must be a finite gradient"),
        ({"random_state": -1}, "`random_state` must not be negative"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        twisted_bilayer(**{"shape": (64, 64)} | arguments)


def test_a_sample_that_is_no_bilayer_has_no_registry() -> None:
    with pytest.raises(ValueError, match="`sample` must be made by `twisted_bilayer`"):
        registry_at(xr.Dataset(), [[1.0, 1.0]])


@pytest.mark.parametrize(("material", "stacking"), [("WSe2", "AA'"), ("hBN", "AA'"), ("graphene", "AB")])
def test_the_default_stacking_is_one_that_the_material_has(material: str, stacking: str) -> None:
    assert twisted_bilayer(material, (128, 128), angle=9).attrs["stacking"] == stacking


@pytest.mark.parametrize("name", ["angle", "rotation"])
@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), ("3", TypeError)])
def test_angles_must_be_numbers(name: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"`{name}` must be (finite|a number), got"):
        twisted_bilayer(shape=(64, 64), **{name: value})
