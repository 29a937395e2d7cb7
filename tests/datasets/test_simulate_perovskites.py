"""The interface of two perovskites."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.spatial import cKDTree

from atomotif.datasets.simulate.perovskites import perovskite_interface

PX = 0.0118
A, C = 0.3905, 0.4034  # nm, SrTiO3 and the c axis of BaTiO3


def crystal(sample: xr.Dataset, rotation: float = 2.0) -> np.ndarray:
    """(along the interface, up) from the frame's centre, nm."""
    shape = np.array(sample["intensity"].shape)
    place = (np.column_stack([sample["row"], sample["col"]]) - (shape - 1) / 2) * PX
    turn = np.deg2rad(rotation)
    along = place[:, 1] * np.cos(turn) + place[:, 0] * np.sin(turn)
    up = place[:, 1] * np.sin(turn) - place[:, 0] * np.cos(turn)
    return np.column_stack([along, up])


def kinds(sample: xr.Dataset, name: str = "label") -> np.ndarray:
    return sample[f"{name}_name"].values[sample[name].values]


@pytest.mark.parametrize("step", [0, 1, 2])
def test_spacings_of_both_sides_and_the_step(step: int) -> None:
    sample = perovskite_interface(step=step, mixed=0.0, antisites=0.0)
    place, kind = crystal(sample), kinds(sample)
    for name, spacing in (("Sr", A), ("Ba", C)):
        at = place[kind == name]
        for right in (False, True):
            here = at[(at[:, 0] > 0.1) == right]
            stacks = np.round(here[:, 0] / A).astype(int)
            np.testing.assert_allclose(here[:, 0] / A, stacks, atol=1e-9)
            for stack in np.unique(stacks):
                ups = np.sort(here[stacks == stack, 1])
                np.testing.assert_allclose(np.diff(ups), spacing)
                edge = ups[-1] if name == "Sr" else ups[0]
                # The last plane of the substrate is at -a, the first of the film the mean of both above it.
                last = -A + (step * A if right else 0)
                assert edge == pytest.approx(last if name == "Sr" else last + (A + C) / 2)


def test_polar_columns_are_off_the_middle_of_their_four_neighbours() -> None:
    sample = perovskite_interface(polar_shift=0.02, mixed=0.0, antisites=0.0)
    place, kind = crystal(sample), kinds(sample)
    corners, middle = place[kind != "Ti"], place[kind == "Ti"]
    distance, four = cKDTree(corners).query(middle, k=4)
    inside = distance.max(axis=1) < 0.32
    off = middle[inside] - corners[four[inside]].mean(axis=1)
    four_kinds = kind[kind != "Ti"][four[inside]]
    film = (four_kinds == "Ba").all(axis=1)
    substrate = (four_kinds == "Sr").all(axis=1)
    assert min(film.sum(), substrate.sum()) > 50
    np.testing.assert_allclose(off[film], np.tile([0, 0.02], (film.sum(), 1)), atol=1e-9)
    np.testing.assert_allclose(off[substrate], 0, atol=1e-9)
    length = np.hypot(*sample["polar_displacement"].values[kind == "Ti"][inside].T)
    np.testing.assert_allclose(length[film], 0.02)
    np.testing.assert_allclose(length[substrate], 0)


def test_neighbours_are_those_that_one_sees() -> None:
    sample = perovskite_interface(mixed=0.5, antisites=0.1, random_state=3)
    place, kind, motif = crystal(sample), kinds(sample), kinds(sample, "motif")
    is_a = np.isin(kind, ["Sr", "Ba", "SrBa_mixed"])
    distance, four = cKDTree(place[is_a]).query(place, k=4)
    inside = ~is_a & (distance.max(axis=1) < 0.32)
    assert inside.sum() > 100
    around = kind[is_a][four]
    for k in np.flatnonzero(inside):
        count = Counter(around[k])
        assert int(sample["n_adjacent_film"][k]) == count["Ba"]
        assert int(sample["n_adjacent_mixed"][k]) == count["SrBa_mixed"]
        if kind[k] == "Ti_SrTi_antisite":
            assert count["Sr"] == 4
            assert motif[k] == kind[k]
        else:
            side = {4: "SrTiO3"}.get(count["Sr"], "BaTiO3" if count["Ba"] == 4 else "interface")
            assert motif[k] == f"Ti|{side}"
    np.testing.assert_array_equal(motif[is_a], kind[is_a])
    assert (sample["n_adjacent_film"].values[is_a] == -1).all()
    mixed = kind == "SrBa_mixed"
    assert set(sample["cells_from_interface"].values[mixed]) <= {0, -1}
    assert (sample["cells_from_interface"].values[kind == "Ba"] >= 0).all()
    assert (sample["cells_from_interface"].values[kind == "Sr"] < 0).all()


@pytest.mark.parametrize(("mixed", "antisites"), [(0.0, 0.0), (0.3, 0.05), (1.0, 0.5)])
def test_shares_are_exact(mixed: float, antisites: float) -> None:
    sample = perovskite_interface(mixed=mixed, antisites=antisites)
    kind = kinds(sample)
    is_a = np.isin(kind, ["Sr", "Ba", "SrBa_mixed"])
    at_interface = is_a & np.isin(sample["cells_from_interface"], [0, -1])
    assert (kind == "SrBa_mixed").sum() == round(mixed * at_interface.sum())
    in_substrate = ~is_a & (sample["n_adjacent_film"] == 0).values & (sample["n_adjacent_mixed"] == 0).values
    assert (kind == "Ti_SrTi_antisite").sum() == round(antisites * in_substrate.sum())


def test_intensities_are_those_of_the_atoms() -> None:
    sample = perovskite_interface(mixed=0.5, antisites=0.1, exponent=1.8)
    kind = kinds(sample)
    z = {"Sr": 38**1.8, "Ba": 56**1.8, "Ti": 22**1.8, "O": 8**1.8}
    wanted = {
        "Sr": 4 * z["Sr"],
        "Ba": 4 * z["Ba"],
        "SrBa_mixed": 2 * z["Sr"] + 2 * z["Ba"],
        "Ti": 4 * z["Ti"] + 4 * z["O"],
        "Ti_SrTi_antisite": 2 * z["Ti"] + 2 * z["Sr"] + 4 * z["O"],
    }
    assert set(kind) == set(wanted)
    np.testing.assert_allclose(sample["column_intensity"], [wanted[name] for name in kind])


def test_all_places_of_the_frame_are_taken() -> None:
    sample = perovskite_interface(shape=(300, 400), rotation=33.0, offset=1.5)
    place = np.column_stack([sample["row"], sample["col"]])
    grid = np.stack(np.meshgrid(np.arange(20, 280, 5.0), np.arange(20, 380, 5.0)), -1).reshape(-1, 2)
    assert cKDTree(place).query(grid)[0].max() * PX < 0.22
    assert cKDTree(place).query(place, k=2)[0][:, 1].min() * PX > 0.26
    film = sample["cells_from_interface"].values >= 0
    # Half of the cells on the right are one plane higher; the film begins half of both spacings above.
    edge = crystal(sample, 33.0)[film, 1].min()
    assert edge == pytest.approx(1.5 + (C - A) / 2, abs=0.3)


def test_other_pairs_and_the_seed() -> None:
    sample = perovskite_interface("LaAlO3", "SrTiO3", mixed=0.2)
    assert sample["label_name"].values.tolist() == ["La", "Sr", "LaSr_mixed", "Al", "Ti", "Al_LaAl_antisite"]
    first, again, other = (perovskite_interface(random_state=seed) for seed in (1, 1, 2))
    assert first.identical(again)
    assert (first["label"].values != other["label"].values).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"film": "X"}, "`film` must be one of"),
        ({"substrate": "X"}, "`substrate` must be one of"),
        ({"mixed": 1.1}, "`mixed` must be a share from 0 to 1, got 1.1"),
        ({"antisites": -0.1}, "`antisites` must be a share"),
        ({"thickness": 3}, "`thickness` must be an even number of cells, got 3"),
        ({"film_spacing": 0.0}, "`film_spacing` must be positive"),
        ({"random_state": -1}, "`random_state` must not be negative"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        perovskite_interface(**arguments)
