"""Anchors and domains of a simulated moiré with truth, as a session finds them."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from atomotif.session.session import MotifSession
from atomotif.steps.find_anchors import FindAnchorsParameters

STACKINGS = ("AA'", "AB'", "A'B")


def true_stacking(rowcol: np.ndarray, truth: dict) -> np.ndarray:
    """Return the nearest of `STACKINGS` at places of a benchmark image, from its lattice alone."""
    lattice = json.loads(str(truth["meta_json"]))["lattice"]
    cell, tau, centre = (np.array(lattice[name]) for name in ("A", "tau", "centre"))
    twist = np.deg2rad(lattice["twist_deg"])
    back = np.array([[np.cos(twist), np.sin(twist)], [-np.sin(twist), np.cos(twist)]])
    place = rowcol[:, ::-1] * float(truth["pixel_size_nm"]) * 10 - centre
    # A point of the turned layer lay at `back @ place`: by so much it has been displaced.
    moved = place - place @ back.T
    near = np.array([(i, j) for i in range(-1, 2) for j in range(-1, 2)]) @ cell.T
    distance = []
    # AA' is no displacement; by -tau metal comes over metal (AB'), by tau chalcogen over chalcogen (A'B).
    for shift in (0 * tau, -tau, tau):
        fraction = np.linalg.solve(cell, (moved - shift).T).T
        rest = (fraction - np.round(fraction)) @ cell.T
        distance.append(np.linalg.norm(rest[:, None] - near, axis=2).min(axis=1))
    return np.argmin(distance, axis=0)


def session_and_truth(shared: Path, variant: str) -> tuple[MotifSession, dict]:
    truth = dict(np.load(shared / "bench" / f"mos2_twist_3p15__{variant}.npz", allow_pickle=False))
    image = truth["image"].astype(np.float32)
    return MotifSession(image, pixel_size=float(truth["pixel_size_nm"]), units="nm").run(), truth


@pytest.mark.parametrize("variant", ["dose_medium", "dose_low"])
def test_stackings_of_a_moire_are_found(shared: Path, variant: str) -> None:
    session, truth = session_and_truth(shared, variant)
    # The truth of the file, at its own places, holds the reference to its conventions.
    listed = truth["positions_xy_px"][:, ::-1].astype(float)
    assert (true_stacking(listed, truth) == truth["nearest_stacking"]).mean() > 0.99

    points = session.data["points"].to_dataset()
    stacking = true_stacking(np.column_stack([points["row"], points["col"]]), truth)
    moire = session.data["moire"].to_dataset()
    assert moire.attrs["twist_angle"] == pytest.approx(3.15, abs=0.02)
    named = moire["stacking_name"].values[moire["stacking"].values]
    assert (named == np.array(STACKINGS)[stacking]).mean() > 0.98

    anchors = session.data["anchors"].to_dataset()
    nearest = anchors["nearest"].values
    judged = nearest >= 0
    right = [
        (np.array(order)[nearest[judged]] == stacking[judged]).mean() for order in permutations(range(3))
    ]
    assert max(right) > 0.92
    assert sorted(session.anchors.names) == sorted(STACKINGS)
    # What is called AB' is AB', and the weight of an anchor grows towards it.
    for name, own in zip(session.anchors.names, anchors["weight"].values[judged].T, strict=True):
        is_it = stacking[judged] == STACKINGS.index(name)
        assert own[is_it].mean() > own[~is_it].mean() + 0.3

    domains = session.data["domains"].to_dataset()
    of_point = domains["domain"].values
    inside = of_point >= 0
    names = anchors["name"].values[domains["anchor"].values[of_point[inside]]]
    assert (names == np.array(STACKINGS)[stacking[inside]]).mean() > 0.9
    assert (session.comparison["p_adjusted"] > 0.05).all()


def test_the_parts_of_a_domain_are_its_columns(shared: Path) -> None:
    session, truth = session_and_truth(shared, "dose_high")
    points, domains = session.data["points"].to_dataset(), session.data["domains"].to_dataset()
    # In the middle of an AB' domain there are metal pairs, and chalcogen pairs of either layer.
    part, name = domains["part"].values, domains["part_name"].values
    own = [k for k, one in enumerate(name) if one.startswith("AB'.")]
    assert len(own) == 3
    pairs = truth["positions_xy_px"][truth["motif_labels"] == 1][:, ::-1]  # "Mo+Mo"
    place = np.column_stack([points["row"], points["col"]])
    at_pair = (np.linalg.norm(place[:, None] - pairs, axis=2) < 2).any(axis=1)
    shares = sorted(at_pair[part == k].mean() for k in own)
    assert shares[0] < 0.2
    assert shares[1] < 0.2
    assert shares[2] > 0.8


def test_anchors_can_be_given(shared: Path) -> None:
    session, _ = session_and_truth(shared, "dose_high")
    exemplars = [int(one) for one in session.data["anchors"]["anchor_id"].values]
    of_proposed = session.data["anchors"]["nearest"].values
    again = session.branch("given", anchors=exemplars, anchor_names=("x", "y", "z"))
    assert again.anchors.names == ["x", "y", "z"]
    judged = of_proposed >= 0
    assert (again.data["anchors"]["nearest"].values[judged] == of_proposed[judged]).mean() > 0.7
    by_place = session.branch("places", anchor_places=((100, 100), (500, 500)))
    assert len(by_place.anchors) == 2
    with pytest.raises(ValueError, match=r"`anchors` must hold ids of points, got 999999"):
        session.branch("wrong", anchors=(exemplars[0], 999999))
    assert "wrong" not in session.branches


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_anchors": 1}, "`n_anchors` must be from 2 to 8, got 1"),
        ({"method": "ica"}, "`method` must be one of"),
        ({"anchors": (1,)}, "`anchors` must name from 2 to 8 anchors, got 1"),
        ({"anchors": (1, 2), "anchor_places": ((0, 0), (1, 1))}, "must not both be given"),
        ({"anchor_names": ("a", "a", "b")}, "`anchor_names` must hold 3 different names"),
    ],
)
def test_bad_values_are_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FindAnchorsParameters(**values)
