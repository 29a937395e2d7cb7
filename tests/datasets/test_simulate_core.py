"""Simulated samples: columns in, image and truth out."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial import cKDTree

import atomotif as am
from atomotif.datasets.simulate._atoms import ATOMIC_NUMBER, column_intensity
from atomotif.datasets.simulate._frame import Frame, unit_vectors
from atomotif.datasets.simulate._sample import make_sample

SQUARE = np.eye(2) * 0.3


def square(frame: Frame, **more: Any) -> Any:
    position, cell, basis = frame.sites(SQUARE, np.zeros((1, 2)), np.array([0.05, 0.11]))
    more = {"truth": {"cell": (("point", "vector"), cell), "basis": (("point",), basis)}} | more
    return make_sample(
        frame, position, np.ones(len(position)), np.full(len(position), "A"), title="t", **more
    )


def test_elements_have_their_numbers() -> None:
    assert len(ATOMIC_NUMBER) == 92
    assert [ATOMIC_NUMBER[e] for e in ("C", "S", "Fe", "Se", "Mo", "Te", "W", "U")] == [
        6, 16, 26, 34, 42, 52, 74, 92,
    ]  # fmt: skip
    assert column_intensity("S2", 1.5) == pytest.approx(2 * 16**1.5)
    for wrong in ("Xx", "2S", "s", "S-2"):
        with pytest.raises(ValueError, match="`atoms` must"):
            column_intensity(wrong)


def test_all_columns_in_the_frame_are_listed_where_they_are_and_once() -> None:
    frame = Frame((90, 61), 0.02)
    sample = square(frame)
    i, j = np.mgrid[-20:40, -20:40].reshape(2, -1)
    wanted = np.column_stack([0.05 + 0.3 * i, 0.11 + 0.3 * j]) / 0.02
    wanted = wanted[((wanted >= -0.5) & (wanted < [89.5, 60.5])).all(axis=1)]
    found = np.column_stack([sample["row"], sample["col"]])
    assert len(found) == len(wanted)
    np.testing.assert_allclose(found[np.lexsort(found.T)], wanted[np.lexsort(wanted.T)], atol=1e-9)
    np.testing.assert_allclose(sample["cell"].values @ SQUARE + [0.05, 0.11], found * 0.02, atol=1e-12)


def test_what_reaches_in_from_outside_is_drawn() -> None:
    wide, narrow = square(Frame((64, 64), 0.02)), square(Frame((40, 64), 0.02))
    np.testing.assert_allclose(narrow["intensity"], wide["intensity"][:40], atol=1e-6)
    assert narrow.sizes["point"] < wide.sizes["point"]


@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_a_gradient_moves_columns_about_the_centre(turn: float) -> None:
    gradient = np.array([[0.04, 0.02 + turn], [0.01 - turn, -0.03]])
    frame = Frame((120, 80), 0.02, displacement=gradient)
    sample = square(frame)
    reference = sample["cell"].values @ SQUARE + [0.05, 0.11]
    centre = np.array([59.5, 39.5]) * 0.02
    moved = (reference - centre) @ gradient.T
    np.testing.assert_allclose(sample["displacement"], moved, atol=1e-12)
    np.testing.assert_allclose(np.column_stack([sample["row"], sample["col"]]) * 0.02, reference + moved)
    np.testing.assert_allclose(
        sample["displacement_gradient"], np.broadcast_to(gradient, (len(moved), 2, 2)), atol=1e-9
    )
    # As many columns as the area holds: none is missing at the corners.
    count = 120 * 80 * 0.02**2 / (0.09 * np.linalg.det(np.eye(2) + gradient))
    assert sample.sizes["point"] == pytest.approx(count, abs=12)


def test_a_function_moves_columns_and_has_its_gradient() -> None:
    def wave(position: np.ndarray) -> np.ndarray:
        return 0.05 * np.column_stack([np.sin(3 * position[:, 1]), np.cos(2 * position[:, 0])])

    sample = square(Frame((100, 100), 0.02, displacement=wave))
    y, x = (sample["cell"].values @ SQUARE + [0.05, 0.11]).T
    np.testing.assert_allclose(sample["displacement"], wave(np.column_stack([y, x])), atol=1e-12)
    zero = np.zeros_like(x)
    wanted = np.array([[zero, 0.15 * np.cos(3 * x)], [-0.1 * np.sin(2 * y), zero]]).transpose(2, 0, 1)
    np.testing.assert_allclose(sample["displacement_gradient"], wanted, atol=1e-8)


@pytest.mark.parametrize(
    "displacement",
    [lambda position: np.full_like(position, 3.0), np.eye(2) * -0.4, np.array([[0.0, 0.9], [-0.9, 0.0]])],
    ids=["shift", "compression", "turn"],
)
def test_large_displacements_leave_no_holes(displacement: Any) -> None:
    frame = Frame((200, 200), 0.03, displacement=displacement)
    sample = square(frame)
    at = np.column_stack([sample["row"], sample["col"]])
    pixel = np.stack(np.meshgrid(np.arange(0, 200, 3), np.arange(0, 200, 3), indexing="ij"), -1).reshape(
        -1, 2
    )
    empty = cKDTree(at).query(pixel)[0].max()
    assert empty * 0.03 < 0.3 * np.sqrt(2) * np.linalg.norm(
        np.eye(2) + frame.gradient(np.zeros((1, 2)))[0], 2
    )


def test_profiles_are_in_nm() -> None:
    def gaussian(distance: np.ndarray) -> np.ndarray:
        return np.exp(-4 * np.log(2) * (distance / 0.12) ** 2)

    distance = np.linspace(0, 0.3, 1000)
    listed = np.column_stack([distance, gaussian(distance)])
    wanted = square(Frame((40, 40), 0.02, profile=0.12))["intensity"]
    for profile in (gaussian, listed):
        image = square(Frame((40, 40), 0.02, profile=profile))["intensity"]
        np.testing.assert_allclose(image, wanted, atol=1e-4)


def test_kinds_keep_their_order_and_only_those_that_occur_are_named() -> None:
    frame = Frame((32, 32), 0.02)
    position = np.array([[0.1, 0.1], [0.3, 0.3], [0.5, 0.5], [0.2, 0.4], [5.0, 5.0]])
    label = ["b", "a", "c", "a", "only outside"]
    sample = make_sample(
        frame, position, [1, 2, 0, 4, 5], label, title="t",
        label_names=["only outside", "missing", "c", "b", "a"], motif=["z", "a2", "y", "a1", "out"],
        truth={"number": (("point",), np.arange(5)), "other": (("any",), [7, 8])}, attrs={"seed": 3},
    )  # fmt: skip
    assert sample["label_name"].values.tolist() == ["c", "b", "a"]
    assert sample["label"].values.tolist() == [1, 2, 0, 2]
    assert sample["motif_name"].values[sample["motif"]].tolist() == ["z", "a2", "y", "a1"]
    assert sample["motif_name"].values.tolist() == ["y", "z", "a1", "a2"]
    assert sample["visible"].values.tolist() == [True, True, False, True]
    assert sample["column_intensity"].values.tolist() == [1, 2, 0, 4]
    assert sample["number"].values.tolist() == [0, 1, 2, 3]
    assert sample["other"].values.tolist() == [7, 8]
    assert sample.attrs == {"pixel_size": 0.02, "units": "nm", "title": "t", "seed": 3}


def test_a_session_takes_the_image() -> None:
    sample = square(Frame((128, 128), 0.02))
    session = am.MotifSession(sample["intensity"])
    assert session.data["image"].attrs["pixel_size"] == 0.02
    assert sample["intensity"].dtype == np.float32
    assert float(sample["intensity"].x[1]) == 0.02


def test_unit_vectors_turn_from_columns_towards_rows() -> None:
    np.testing.assert_allclose(unit_vectors([0, 30, 90]), [[0, 1], [0.5, np.sqrt(0.75)], [1, 0]], atol=1e-15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (7, 20)}, "`shape`"),
        ({"shape": (20, 20, 20)}, "`shape`"),
        ({"shape": (20.5, 20)}, "`shape`"),
        ({"pixel_size": 0}, "`pixel_size`"),
        ({"pixel_size": np.nan}, "`pixel_size`"),
        ({"profile": -0.1}, "`profile`"),
        ({"displacement": np.eye(3)}, "`displacement`"),
        ({"displacement": np.full((2, 2), np.nan)}, "`displacement`"),
        ({"displacement": lambda position: position[:, 0]}, "`displacement`"),
    ],
)
def test_wrong_frames_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message} must"):
        square(Frame(**({"shape": (40, 40), "pixel_size": 0.02} | options)))
