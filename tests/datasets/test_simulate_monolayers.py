"""Simulated monolayers: lattices, counts of defects and neighbourhoods against brute force."""

import json
import re
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import atomotif as am
from atomotif.datasets import simulate
from atomotif.datasets.simulate import VacancyLine, monolayer

CONSTANTS = {
    "MoS2": (0.316, "Mo", "S2"),
    "MoSe2": (0.3288, "Mo", "Se2"),
    "MoTe2": (0.3519, "Mo", "Te2"),
    "WS2": (0.3153, "W", "S2"),
    "WSe2": (0.3282, "W", "Se2"),
    "graphene": (0.2464, "C", "C"),
    "hBN": (0.2504, "B", "N"),
}
NUMBER = {"B": 5, "C": 6, "N": 7, "Si": 14, "S": 16, "Fe": 26, "Se": 34, "Mo": 42, "Te": 52, "W": 74}


def positions(sample: xr.Dataset) -> np.ndarray:
    """(y, x), nm."""
    return np.column_stack([sample["row"], sample["col"]]) * sample.attrs["pixel_size"]


def names(sample: xr.Dataset, what: str = "label") -> np.ndarray:
    return sample[f"{what}_name"].values[sample[what].values]


def distances(sample: xr.Dataset) -> np.ndarray:
    at = positions(sample)
    return np.linalg.norm(at[:, None] - at[None], axis=-1)


def count(sample: xr.Dataset, name: str) -> int:
    return int((names(sample) == name).sum())


@pytest.mark.parametrize("material", CONSTANTS)
def test_materials_have_their_lattices_and_columns(material: str) -> None:
    a, cation, anion = CONSTANTS[material]
    sample = monolayer(material, (200, 240), rotation=11.0)
    vector = sample["lattice_vector"].values
    np.testing.assert_allclose(np.linalg.norm(vector, axis=1), a)
    np.testing.assert_allclose(np.rad2deg(np.arctan2(vector[:, 0], vector[:, 1])), [11, 71])
    assert set(names(sample)) == {cation, anion}
    apart = distances(sample)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(apart.min(axis=1)[inner(sample)], a / np.sqrt(3), rtol=1e-9)
    same = apart[np.ix_(sample["basis"] == 0, sample["basis"] == 0)]
    np.testing.assert_allclose(same.min(axis=1), a, rtol=1e-9)
    assert sample.attrs["material"] == material


def inner(sample: xr.Dataset, nm: float = 0.35) -> np.ndarray:
    size = sample.attrs["pixel_size"]
    at, high = positions(sample), (np.array(sample["intensity"].shape) - 1) * size
    return ((at > nm) & (at < high - nm)).all(axis=1)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["MoS2", "graphene"]),
    st.tuples(st.integers(8, 150), st.integers(8, 150)),
    st.floats(0.005, 0.05),
    st.floats(-400, 400),
    st.integers(0, 2**32),
)
def test_every_site_in_the_image_is_listed_at_its_place(
    material: str, shape: tuple[int, int], pixel_size: float, rotation: float, seed: int
) -> None:
    sample = monolayer(material, shape, pixel_size=pixel_size, rotation=rotation, random_state=seed)
    fraction = np.array([[0, 0], [1 / 3, 1 / 3]])
    vector, origin = sample["lattice_vector"].values, sample["origin"].values
    reach = 2 + int(np.hypot(*shape) * pixel_size / 0.2)
    cells = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    sites = ((cells[:, None] + fraction) @ vector + origin).reshape(-1, 2) / pixel_size
    sites = sites[((sites >= -0.5) & (sites < np.array(shape) - 0.5)).all(axis=1)]
    found = positions(sample) / pixel_size
    assert len(found) == len(sites)
    there = (sample["cell"].values + fraction[sample["basis"].values]) @ vector + origin
    np.testing.assert_allclose(there / pixel_size, found, atol=1e-9)
    assert len(set(map(tuple, np.column_stack([sample["cell"], sample["basis"]]).tolist()))) == len(sites)


def test_isolated_columns_lie_where_they_are_listed() -> None:
    sample = monolayer("MoS2", (300, 300), profile=0.03)
    image = sample["intensity"].values.astype(float)
    row, col = np.mgrid[-6:7, -6:7]
    disc = np.hypot(row, col) <= 6.0
    for at in (positions(sample) / 0.012)[inner(sample)]:
        middle = np.rint(at).astype(int)
        patch = image[middle[0] - 6 : middle[0] + 7, middle[1] - 6 : middle[1] + 7] * disc
        centroid = middle + np.array([(patch * row).sum(), (patch * col).sum()]) / patch.sum()
        np.testing.assert_allclose(centroid, at, atol=0.01)
        assert patch.argmax() == 6 * 13 + 6


@pytest.mark.parametrize("exponent", [1.7, 2.0])
def test_columns_are_as_bright_as_their_atoms(exponent: float) -> None:
    sample = monolayer(
        "MoS2", (400, 400), exponent=exponent, profile=0.03,
        defects={"VS": 0.05, "VS2": 5, "TeS": 4, "Te_S2": 3, "Fe_Mo": 0.02, "VMo": 3},
    )  # fmt: skip
    z = {name: number**exponent for name, number in NUMBER.items()}
    wanted = {
        "Mo": z["Mo"], "S2": 2 * z["S"], "VS": z["S"], "VS2": 0, "TeS": z["Te"] + z["S"], "Te_S2": z["Te"],
        "Fe_Mo": z["Fe"], "VMo": 0,
    }  # fmt: skip
    assert sample["label_name"].values.tolist() == list(wanted), "in the order in which they were asked for"
    heights = np.array([wanted[name] for name in names(sample)])
    np.testing.assert_allclose(sample["column_intensity"], heights)
    np.testing.assert_array_equal(sample["visible"], heights > 0)
    seen = inner(sample)
    at = np.rint(positions(sample)[seen] / 0.012).astype(int)
    np.testing.assert_allclose(
        sample["intensity"].values[at[:, 0], at[:, 1]], heights[seen], rtol=0.25, atol=1e-2
    )


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 20), st.floats(0, 1), st.integers(0, 10**6))
def test_counts_of_defects_are_exact(vs: float, te: float, double: int, fe: float, seed: int) -> None:
    defects = {"VS": vs, "TeS": te, "VS2": double, "Fe_Mo": fe}
    sample = monolayer("MoS2", (200, 260), defects=defects, random_state=seed)
    metal = int((sample["basis"] == 0).sum())
    sulfur = sample.sizes["point"] - metal
    assert [count(sample, name) for name in defects] == [
        round(vs * sulfur), round(te * sulfur), double, round(fe * metal)
    ]  # fmt: skip
    assert count(sample, "Mo") == metal - round(fe * metal)


def test_defects_beyond_the_edge_are_as_frequent() -> None:
    sample = monolayer("MoS2", (256, 256), defects={"VS": 1.0, "Fe_Mo": 1.0})
    assert set(names(sample, "motif")) == {"VS#3Fe_Mo", "Fe_Mo#3VS"}


def test_neighborhoods_are_those_of_brute_force() -> None:
    sample = monolayer(
        "MoS2", (420, 380), vacancy_pairs=3, vacancy_triples=2,
        defects={"VS": 0.08, "TeS": 0.08, "Fe_Mo": 0.1, "VS2": 0.05},
    )  # fmt: skip
    label, motif, near = names(sample), names(sample, "motif"), distances(sample) < 0.2
    for at in np.flatnonzero(inner(sample)):
        around = [str(label[k]) for k in np.flatnonzero(near[at]) if k != at]
        assert len(around) == 3
        strange = sorted(name for name in set(around) if name not in ("Mo", "S2"))
        wanted = ",".join(f"{around.count(name)}{name}" for name in strange)
        assert motif[at] == f"{label[at]}#{wanted}".rstrip("#")


@pytest.mark.parametrize("profile", [0.02, 0.1])
def test_columns_at_the_edge_know_the_defects_outside(profile: float) -> None:
    plain = monolayer("MoS2", (200, 200))
    at, basis, cell = positions(plain), plain["basis"].values, plain["cell"].values
    sulfur = {tuple(c) for c in cell[basis == 1].tolist()}
    found = 0
    for metal in np.flatnonzero(basis == 0):
        for step in ((0, 0), (-1, 0), (0, -1)):
            other = cell[metal] + step
            if tuple(other.tolist()) not in sulfur:
                there = (other + 1 / 3) @ plain["lattice_vector"].values + plain["origin"].values
                sample = monolayer("MoS2", (200, 200), profile=profile, defects={"VS": [there / 0.012]})
                np.testing.assert_allclose(positions(sample), at)
                assert names(sample, "motif")[metal] == "Mo#1VS"
                assert count(sample, "VS") == 0
                found += 1
        if found > 5:
            break
    assert found > 5


def test_listed_positions_get_the_defect() -> None:
    plain = monolayer("WS2", (200, 200))
    chosen = np.flatnonzero(plain["basis"] == 1)[[3, 20, 41]]
    where = positions(plain)[chosen] / 0.012 + [2.0, -3.0]
    sample = monolayer("WS2", (200, 200), defects={"TeS": where})
    np.testing.assert_array_equal(np.flatnonzero(names(sample) == "TeS"), chosen)


@pytest.mark.parametrize(("pairs", "triples"), [(4, 0), (0, 3), (3, 2)])
def test_clusters_are_planted(pairs: int, triples: int) -> None:
    sample = monolayer("MoSe2", (400, 400), vacancy_pairs=pairs, vacancy_triples=triples)
    assert count(sample, "VSe") == 2 * pairs + 3 * triples
    vacancy = names(sample) == "VSe"
    apart = distances(sample)[np.ix_(vacancy, vacancy)]
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_allclose(apart.min(axis=1), 0.3288)
    if triples and not pairs:
        assert (names(sample, "motif") == "Mo#3VSe").sum() == triples


@pytest.mark.parametrize("direction", [0, 1, 2])
@pytest.mark.parametrize("rows", [1, 2])
def test_lines_are_rows_of_adjacent_vacancies(direction: int, rows: int) -> None:
    line = VacancyLine((150.0, 150.0), 7, direction, rows)
    sample = monolayer("MoS2", (400, 400), rotation=3.0, vacancy_lines=[line])
    at = positions(sample)[names(sample) == "VS"]
    assert len(at) == 7 * rows
    assert np.linalg.norm(at - 150 * 0.012, axis=1).min() < 0.19
    angle = np.deg2rad(3.0 + 60 * direction)
    along = np.array([np.sin(angle), np.cos(angle)])
    assert ((at - 150 * 0.012) @ along > -0.2).all(), "it begins at its start"
    across = at @ np.array([np.cos(angle), -np.sin(angle)])
    levels = np.unique(across.round(6))
    assert len(levels) == rows
    for level in levels:
        t = np.sort(at[np.isclose(across, level)] @ along)
        np.testing.assert_allclose(np.diff(t), 0.316)
    if rows == 2:
        assert levels[1] - levels[0] == pytest.approx(0.316 * np.sqrt(0.75))


def test_graphene_and_boron_nitride_take_dopants() -> None:
    graphene = monolayer("graphene", (200, 200), pixel_size=0.01, defects={"Si_C": 7, "VC": 3})
    assert graphene["label_name"].values.tolist() == ["C", "Si_C", "VC"]
    assert set(graphene["basis"].values[names(graphene) != "C"].tolist()) == {0, 1}
    assert "C#1Si_C" in names(graphene, "motif")
    nitride = monolayer("hBN", (200, 200), pixel_size=0.01, defects={"C_N": 4})
    assert set(nitride["basis"].values[names(nitride) == "C_N"].tolist()) == {1}


def test_a_displacement_changes_places_and_nothing_else() -> None:
    field = simulate.ripple(0.01, 1.5, 30.0)
    plain = monolayer("MoS2", (200, 200), defects={"VS": 0.1})
    moved = monolayer("MoS2", (200, 200), defects={"VS": 0.1}, displacement=field)
    fraction = np.array([[0, 0], [1 / 3, 1 / 3]])
    reference = (moved["cell"].values + fraction[moved["basis"].values]) @ moved["lattice_vector"].values
    reference += moved["origin"].values
    np.testing.assert_array_equal(plain["lattice_vector"], moved["lattice_vector"])
    np.testing.assert_allclose(positions(moved), reference + field(reference))
    np.testing.assert_allclose(moved["displacement"], field(reference), atol=1e-12)
    assert moved.attrs == plain.attrs


def test_what_was_asked_for_is_told() -> None:
    sample = monolayer(
        "WS2", (64, 64), rotation=3, exponent=2.0, random_state=5, vacancy_lines=[VacancyLine((9.0, 9.0), 2)],
        defects={"VS": np.float32(0.25), "TeS": np.int64(1), "Fe_W": np.array([[30.0, 30.0]])},
    )  # fmt: skip
    told = json.loads(json.dumps(sample.attrs))
    assert told["defects"] == {"VS": 0.25, "TeS": 1, "Fe_W": [[30.0, 30.0]]}
    assert told["vacancy_lines"] == [[[9.0, 9.0], 2, 0, 1]]
    assert [told[key] for key in ("material", "rotation", "exponent", "random_state")] == ["WS2", 3.0, 2.0, 5]


def test_seeds_decide() -> None:
    options: dict[str, Any] = {"shape": (128, 128), "defects": {"VS": 0.2}, "vacancy_pairs": 1}
    xr.testing.assert_identical(monolayer(**options), monolayer(**options))
    assert not monolayer(**options, random_state=1).equals(monolayer(**options))


def test_the_analysis_finds_the_columns_and_their_kinds() -> None:
    sample = monolayer("MoSe2", (320, 320), defects={"VSe2": 3})
    session = am.MotifSession(sample["intensity"])
    session.find_points()
    found = np.column_stack([session.data["points"]["row"], session.data["points"]["col"]])
    seen = inner(sample) & sample["visible"].values
    at = positions(sample)[seen] / 0.012
    assert np.linalg.norm(at[:, None] - found[None], axis=-1).min(axis=1).max() < 1.0


def test_truth_has_the_names_of_the_bundled_micrographs() -> None:
    bundled, sample = am.datasets.mose2_truth(), monolayer("MoSe2", (64, 64))
    for name in bundled.data_vars:
        assert sample[name].dims == bundled[name].dims
        assert sample[name].dtype.kind == bundled[name].dtype.kind
    assert re.fullmatch(r"[\w ,]+", sample.attrs["title"])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"material": "MoX2"}, ValueError, "`material` must"),
        ({"defects": {"VSe": 0.1}}, ValueError, "`defects` must be named"),
        ({"defects": {"Fe": 0.1}}, ValueError, "`defects` must be named"),
        ({"defects": {"Xx_Mo": 0.0}}, ValueError, "`defects` must be named"),
        ({"defects": {"XxS": 0.1}}, ValueError, "`defects` must be named"),
        ({"defects": {"_Mo": 0.1}}, ValueError, "`defects` must be named"),
        ({"defects": {"VS": [[9.0, 9.0], [9.5, 9.0]]}}, ValueError, "`defects` must not list two"),
        ({"defects": {"TeS": -0.1}}, ValueError, "`defects` must have shares"),
        ({"defects": {"TeS": 1.1}}, ValueError, "`defects` must have shares"),
        ({"defects": {"TeS": np.nan}}, ValueError, "`defects` must have shares"),
        ({"defects": {"TeS": -1}}, ValueError, "`defects` must not be negative"),
        ({"defects": {"TeS": True}}, TypeError, "`defects` must give"),
        ({"defects": {"TeS": 10**6}}, ValueError, "`defects` must find room"),
        ({"defects": {"TeS": 0.6, "VS": 0.6}}, ValueError, "`defects` must find room"),
        ({"defects": {"TeS": [[1.0, np.nan]]}}, ValueError, "`defects` must be finite"),
        ({"vacancy_pairs": 10**4}, ValueError, "vacancies must find room"),
        ({"vacancy_pairs": -1}, ValueError, "`vacancy_pairs` must"),
        ({"vacancy_triples": -1}, ValueError, "`vacancy_triples` must"),
        ({"vacancy_lines": [((5, 5), 3, 4)]}, ValueError, "`vacancy_lines` must"),
        ({"vacancy_lines": [((5, 5), 0)]}, ValueError, "`vacancy_lines` must"),
        ({"vacancy_lines": [((5, 5), 3, 0, 3)]}, ValueError, "`vacancy_lines` must"),
        ({"rotation": np.nan}, ValueError, "`rotation` must"),
        ({"exponent": 0}, ValueError, "`exponent` must"),
        ({"random_state": -1}, ValueError, "`random_state` must"),
    ],
)
def test_wrong_input_is_refused(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        monolayer(**({"material": "MoS2", "shape": (64, 64)} | options))
