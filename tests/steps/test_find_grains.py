"""Grains of drawn and simulated bicrystals through the session, and the analysis of one grain alone."""

import re
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from scipy.spatial import KDTree

from atomotif.session.session import MotifSession

SHAPE, SPACING = (300, 320), 15.0
TURNS = (0.1, 0.1 + np.deg2rad(17.0))
VARIANTS = ("clean", "dose_high", "dose_medium", "dose_low", "jitter", "background")


class Field(NamedTuple):
    """Two grains of a honeycomb that meet at an oblique line; in the first one column is missing."""

    points: np.ndarray
    kind: np.ndarray
    grain: np.ndarray
    vacancy: np.ndarray
    image: np.ndarray


@pytest.fixture(scope="module")
def field(drawn: ModuleType) -> Field:
    parts = []
    for grain, turn in enumerate(TURNS):
        points, kind = drawn.columns(drawn.HONEYCOMB, SPACING, turn, SHAPE)
        own = (points[:, 1] + 0.4 * points[:, 0] < 200) == (grain == 0)
        parts.append((points[own], kind[own], np.full(own.sum(), grain)))
    points, kind, grain = map(np.concatenate, zip(*parts, strict=True))
    near = KDTree(points).query_pairs(0.7 * SPACING, output_type="ndarray")
    there = np.ones(len(points), bool)
    there[near[:, 1]] = False
    missing = int(np.hypot(*(points - [90, 70]).T).argmin())
    vacancy = points[missing]
    there[missing] = False
    points, kind, grain = points[there], kind[there], grain[there]
    noise = np.random.default_rng(0).normal(0, 0.1, SHAPE)
    image = drawn.draw(points, np.where(kind == 0, 1.0, 0.6), 3.4, SHAPE) + noise
    return Field(points, kind, grain, vacancy, image)


@pytest.fixture(scope="module")
def session(field: Field) -> MotifSession:
    session = MotifSession(field.image, pixel_size=0.01, units="nm").set_points(field.points)
    return session.set_motifs(field.kind, names=["Mo", "S2"]).find_grains()


def test_planted_grains_are_found(session: MotifSession, field: Field) -> None:
    grains = session.grains
    assert len(grains) == 2
    assert repr(grains).startswith("2 grains of ")
    label = session.data["grains"]["grain"].values
    first = int(np.median(label[field.grain == 0]))
    on = label >= 0
    assert np.mean((label == first)[on] == (field.grain == 0)[on]) > 0.99
    assert on.mean() > 0.95
    assert session.data["grains"].attrs["fold"] == 6
    assert session.data["grains"].attrs["units"] == "deg"
    table, pairs = grains.table(), grains.misorientations()
    assert table["count"].tolist() == np.bincount(label[on]).tolist()
    # The bonds of an upright honeycomb are at 30 degrees and every 60 from there, of either site.
    planted = 30 + np.rad2deg(TURNS)[[first, 1 - first]]
    off = (table["angle"] - planted + 30) % 60 - 30
    assert np.abs(off).max() < 0.2
    assert pairs[["grain_a", "grain_b"]].values.tolist() == [[0, 1]]
    expected = 17.0 if first == 0 else -17.0
    assert pairs["misorientation"][0] == pytest.approx(expected, abs=0.2)
    assert 0 < pairs["misorientation_error"][0] < 0.2
    assert re.search(r"grains    2: .* points by the 6-fold axis", repr(session))


def test_ids_are_those_of_the_points(session: MotifSession) -> None:
    label, ids = session.data["grains"]["grain"].values, session.data["points"]["id"].values
    for grain in (-1, 0, 1):
        assert session.grains.ids(grain).tolist() == ids[label == grain].tolist()
    for wrong in (2, -2, True, "0"):
        with pytest.raises(KeyError, match="`grain` must be a number below 2 or -1, got"):
            session.grains.ids(wrong)


def test_the_whole_field_has_no_lattice_and_says_what_to_do(session: MotifSession) -> None:
    advice = r'use `cells="voronoi"`, or one grain \(`find_grains`\) or region alone\.$'
    with pytest.raises(ValueError, match="^no lattice found: .*" + advice):
        session.find_lattice()


def test_one_grain_has_its_lattice_and_hierarchy(session: MotifSession, field: Field) -> None:
    label = session.data["grains"]["grain"].values
    of_vacancy = int(np.median(label[field.grain == 0]))
    for grain in (0, 1):
        branch = session.branch(f"grain {grain}", ids=session.grains.ids(grain))
        branch.set_motifs(field.kind[label == grain], names=["Mo", "S2"]).run()
        assert branch._state.left_out == {}
        lattice = branch.data["lattice"].to_dataset()
        np.testing.assert_allclose(lattice["length"], np.sqrt(3) * SPACING * 0.01, rtol=1e-3)
        assert lattice.attrs["angle"] == pytest.approx(120, abs=0.2)
        # The sites of this lattice beyond the boundary are not missing, although within the convex hull.
        missing = lattice["missing_place"].values / 0.01
        inner = missing[(np.abs(missing[:, 1] + 0.4 * missing[:, 0] - 200) > 2 * SPACING)]
        assert len(missing) <= 4
        assert len(inner) == (grain == of_vacancy)
        if grain == of_vacancy:
            np.testing.assert_allclose(inner[0], field.vacancy, atol=0.5)
            cells = branch.motif_cells
            at = [cells.occurrences(node) / 0.01 for node in range(len(cells))]
            distance = [np.hypot(*(where - field.vacancy).T).min() for where in at]
            assert min(distance) < 1
            assert cells.table()["level"][int(np.argmin(distance))] == 1


@pytest.mark.parametrize(("crystal", "fold"), [("SQUARE", 4), ("HONEYCOMB", 6), ("RECTANGLE", 2)])
def test_the_axis_is_the_crystals(drawn: ModuleType, crystal: str, fold: int) -> None:
    shape = (200, 210)
    points, _ = drawn.columns(getattr(drawn, crystal), 15.0, 0.3, shape)
    image = drawn.draw(points, 1.0, 3.4, shape) + np.random.default_rng(0).normal(0, 0.1, shape)
    grains = MotifSession(image).set_points(points).find_grains().data["grains"].to_dataset()
    assert grains.attrs["fold"] == fold
    assert grains["coherence"].sel(candidate_fold=fold) >= 0.5 * grains["coherence"].max()
    assert grains["count"].values.tolist() == [len(points)]


def test_parameters(session: MotifSession) -> None:
    by_three = session.branch("three").find_grains(grain_fold=3).data["grains"]
    assert by_three.attrs["fold"] == 3
    assert by_three["angle"].values.max() > 60
    assert len(session.branch("large").find_grains(min_grain_points=len(session.columns)).grains) == 0
    wide = session.branch("wide").find_grains(grain_tolerance=12.0)
    assert wide.data["grains"].attrs["tolerance"] == pytest.approx(12)
    assert len(wide.grains) == 1
    for values, message in (
        ({"grain_fold": 11}, "`grain_fold` must be from 1 to 10, got 11"),
        ({"grain_tolerance": -1.0}, "`grain_tolerance` must be positive"),
        ({"min_grain_points": 0}, "`min_grain_points` must be positive"),
    ):
        with pytest.raises(ValueError, match=message):
            session.find_grains(**values)


def test_noise_has_no_grains() -> None:
    rng = np.random.default_rng(0)
    session = MotifSession(rng.normal(size=(200, 200))).set_points(rng.uniform(0, 199, (300, 2)))
    # Of random points no length repeats.
    with pytest.warns(UserWarning, match="hardly repeat"):
        session.measure_patch_size()
    session.compute_features(patch_size=30).find_grains()
    assert len(session.grains) == 0
    assert repr(session.grains) == "no grains"
    assert "none found" in repr(session)


def test_saved_and_kept_up_to_date(session: MotifSession, tmp_path: Path) -> None:
    again = MotifSession.open(session.save(tmp_path / "a.zarr"))
    assert again.data["grains"].to_dataset().identical(session.data["grains"].to_dataset())
    again.compute_features(patch_size=40)
    assert "grains" in again.stale
    again.run()
    assert again.stale == ()
    assert len(again.grains) == 2
    with pytest.raises(ValueError, match="there is no group 'grains': call `run` or `find_grains` first"):
        _ = session.branch("none").grains


@pytest.mark.parametrize("variant", VARIANTS)
def test_simulated_bicrystal(shared: Path, variant: str) -> None:
    truth = np.load(shared / "bench" / f"polycrystal_mos2__{variant}.npz")
    session = MotifSession(truth["image"].astype(np.float32)).find_grains()
    points, label = session.data["points"], session.data["grains"]["grain"].values
    found = np.column_stack([points["col"], points["row"]])
    distance, nearest = KDTree(truth["positions_xy_px"]).query(found)
    on = (distance < 8) & (label >= 0)
    largest = np.median(truth["grain"][nearest][on & (label == 0)])
    assert np.mean((label[on] == 0) == (truth["grain"][nearest][on] == largest)) > 0.998
    assert on.mean() > 0.98
    pairs = session.grains.misorientations()
    assert len(pairs) == 1
    assert abs(pairs["misorientation"][0]) == pytest.approx(18.0, abs=0.06)  # rows are shifted in one
    advice = (
        r"no lattice found: several grains \(.*\); run `find_grains` and look at one grain at a time, or "
    )
    with pytest.raises(ValueError, match=advice + 'use `cells="voronoi"`'):
        session.find_lattice()
    branch = session.branch("grain 0", ids=session.grains.ids(0)).run()
    assert branch.data["lattice"].attrs["quality"] > 0.95
    assert branch.data["lattice"].sizes["sublattices"] == 2
    assert len(branch.motif_cells) > 0


def test_real_boundaries(shared: Path) -> None:
    iron = MotifSession(np.load(shared / "data" / "fe_bcc_grain_boundary" / "image.npy")).find_grains()
    assert iron.data["grains"].attrs["fold"] == 4
    assert len(iron.grains) == 2
    # A coincidence boundary of 36.9 degrees.
    assert abs(iron.grains.misorientations()["misorientation"][0]) == pytest.approx(36.87, abs=1)
    flower = MotifSession(np.load(shared / "data" / "graphene_flower_hrtem" / "image.npy")).find_grains()
    assert len(flower.grains) == 2
    assert flower.grains.table()["count"][1] < 50
    assert abs(flower.grains.misorientations()["misorientation"][0]) == pytest.approx(30, abs=2)
