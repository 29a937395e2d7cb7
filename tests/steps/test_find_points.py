"""Feature points that are no columns: hollows and centres of pentagons; columns counted twice."""

from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from scipy.spatial import KDTree

from atomotif.session.session import MotifSession
from atomotif.steps.find_points import positions

SHAPE, SPACING = (240, 250), 15.0
VARIANTS = ("clean", "dose_high", "dose_medium", "dose_low", "jitter", "background")


class Field(NamedTuple):
    """A honeycomb with hollows, some of them filled."""

    columns: np.ndarray
    hollows: np.ndarray
    filled: np.ndarray
    image: np.ndarray


@pytest.fixture(scope="module")
def field(drawn: ModuleType) -> Field:
    rng = np.random.default_rng(0)
    columns, _ = drawn.columns(drawn.HONEYCOMB, SPACING, 0.15, SHAPE)
    three = (drawn.HONEYCOMB[0], np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0]]))
    sites, kind = drawn.columns(three, SPACING, 0.15, SHAPE)
    hollows = sites[kind == 2]
    # No two neighbours: a column between three filled ones has a ring of six, too.
    filled = np.zeros(len(hollows), bool)
    for k in np.flatnonzero(rng.random(len(hollows)) < 0.5):
        filled[k] = not filled[np.hypot(*(hollows - hollows[k]).T) < 2 * SPACING].any()
    image = drawn.draw(np.concatenate([columns, hollows[filled]]), 1.0, 3.2, SHAPE)
    return Field(columns, hollows, filled, image + rng.normal(0, 0.1, SHAPE))


@pytest.fixture
def session(field: Field) -> MotifSession:
    return MotifSession(field.image, pixel_size=0.01, units="nm")


def inner(points: np.ndarray, margin: float = 1.5 * SPACING) -> np.ndarray:
    return ((points > margin) & (points < np.array(SHAPE) - 1 - margin)).all(axis=1)


@pytest.mark.parametrize("empty", [None, True, False])
def test_hollows_are_found_empty_and_filled(session: MotifSession, field: Field, empty: bool | None) -> None:
    session.find_points(method="symmetry", place_fold=6, empty_places=empty, min_score=0.5)
    points = session.data["points"].to_dataset()
    found = positions(points)
    wanted = np.ones(len(field.hollows), bool) if empty is None else field.filled != empty
    distance, nearest = KDTree(field.hollows).query(found)
    assert np.median(distance) < 0.5
    assert (distance < 2).all()
    assert wanted[nearest].all()
    assert np.isin(np.flatnonzero(wanted & inner(field.hollows)), nearest).all()
    assert points.attrs["method"] == "symmetry"
    assert points.attrs["place_radius"] == pytest.approx(1.2 * SPACING, rel=0.04)
    assert (points["place_score"] >= 0.5).all()
    assert np.array_equal(points["filling"].values < 0.5, ~field.filled[nearest])
    np.testing.assert_allclose(points["y"], 0.01 * points["row"])


def test_dark_columns_have_bright_hollows(field: Field) -> None:
    keywords = {"method": "symmetry", "place_fold": 6, "empty_places": True, "min_score": 0.5}
    bright, dark = (MotifSession(sign * field.image).find_points(**keywords) for sign in (1, -1))
    assert dark.data["points"].attrs["contrast"] == "dark"
    np.testing.assert_allclose(positions(dark.data["points"]), positions(bright.data["points"]), atol=0.01)


def test_columns_and_empty_hollows_together(session: MotifSession, field: Field) -> None:
    session.find_points(method="both", place_fold=6, min_score=0.5)
    points = session.data["points"].to_dataset()
    found, place = positions(points), np.isfinite(points["place_score"].values)
    columns = np.concatenate([field.columns, field.hollows[field.filled]])
    empty = field.hollows[~field.filled]
    wanted = np.concatenate([columns, empty])
    assert KDTree(wanted).query(found[inner(found)])[0].max() < 4
    assert KDTree(found).query(wanted[inner(wanted)])[0].max() < 4
    assert KDTree(empty).query(found[place])[0].max() < 2
    # Noise in some empty hollows passes for a column: they are in once, as that.
    assert KDTree(empty).query(found[~place & inner(found)])[0].min() < 4
    assert np.mean(KDTree(found[place]).query(empty[inner(empty)])[0] < 4) > 0.9
    assert KDTree(found).query(found, 2)[0][inner(found), 1].min() > 0.8 * SPACING
    session.run()
    assert session.stale == ()
    alone = session.branch("hollows", ids=points["id"].values[place]).run()
    assert alone.data["points"].sizes["point"] == place.sum()


def test_the_patch_of_a_place_is_its_own(field: Field) -> None:
    session = MotifSession(field.image).find_points(method="symmetry", place_fold=6, min_score=0.5).run()
    patch = session.data["patch"].attrs
    assert patch["patch_size"] == pytest.approx(2.4 * SPACING, rel=0.04)
    assert patch["nearest_neighbor"] == pytest.approx(np.sqrt(3) * SPACING, rel=0.02)
    filled = session.data["points"]["filling"].values >= 0.5
    label = session.data["motifs"]["label"].values
    assert label.max() == 1
    assert len({(a, bool(b)) for a, b in zip(label, filled) if a >= 0}) == 2


def test_ids_stay_with_the_places_and_all_is_saved(field: Field, tmp_path: Path) -> None:
    session = MotifSession(field.image).find_points(method="symmetry", place_fold=6).run()
    ids = session.data["points"]["id"].values
    session.find_points(method="symmetry", place_fold=6)
    assert np.array_equal(session.data["points"]["id"].values, ids)
    session.run()
    again = MotifSession.open(session.save(tmp_path / "a.zarr"))
    assert again.data["points"].to_dataset().identical(session.data["points"].to_dataset())
    assert again.stale == ()
    again.find_points()
    assert "motifs" not in again.data.children  # they belonged to other points
    assert again.data["points"].attrs["method"] == "columns"
    assert not set(again.data["points"]["id"].values) & set(ids)
    assert "place_score" not in again.data["points"]


def test_over_counted_columns_are_pruned(drawn: ModuleType) -> None:
    """Flecks beside a quarter of the columns are counted, too, with low thresholds."""
    shape = (260, 260)
    rng = np.random.default_rng(2)
    true, _ = drawn.columns(drawn.SQUARE, 20.0, 0.2, shape)
    flecks = true[rng.random(len(true)) < 0.25]
    angle = rng.uniform(0, 2 * np.pi, len(flecks))
    flecks = flecks + 9 * np.column_stack([np.sin(angle), np.cos(angle)])
    image = drawn.draw(true, 1.0, 3.0, shape) + drawn.draw(flecks, 0.5, 2.0, shape)
    image += rng.normal(0, 0.12, shape)
    thresholds = {"min_prominence": 0.1, "relative_prominence": 0.01}
    many, few = (MotifSession(image).find_points(prune=prune, **thresholds) for prune in (False, True))
    middle = (np.abs(true - 129.5) < 90).all(axis=1)
    counts = []
    for session in (many, few):
        found = positions(session.data["points"])
        nearest = KDTree(true).query(found)[1]
        counts.append(np.bincount(nearest, minlength=len(true))[middle])
    assert (counts[0] > 1).sum() > 10
    assert (counts[1] > 1).sum() < 0.1 * (counts[0] > 1).sum()
    assert (counts[1] > 0).all()
    # What stays is the column, not what was beside it.
    assert KDTree(positions(few.data["points"])).query(true[middle])[0].max() < 2.5


def test_pruning_leaves_columns_alone(session: MotifSession) -> None:
    plain, pruned = (positions(session.find_points(prune=p).data["points"]) for p in (False, True))
    np.testing.assert_array_equal(pruned[inner(pruned)], plain[inner(plain)])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "circles"}, "`method` must be one of 'columns', 'symmetry', 'both', got 'circles'"),
        ({"method": "symmetry"}, '`place_fold` must be given for `method="symmetry"`, got None'),
        ({"place_fold": 5}, '`place_fold` goes with `method="symmetry"` or "both" only'),
        ({"method": "both", "place_fold": 1}, "`place_fold` must be from 2 to 10, got 1"),
        ({"method": "both", "place_fold": 5, "min_score": 2.0}, "`min_score` must be from -1 to 1, got 2.0"),
        ({"method": "both", "place_fold": 5, "place_radius": 0.0}, "`place_radius` must be positive"),
        (
            {"method": "both", "place_fold": 5, "place_radius": 3.0},
            "`place_radius` must be at least 4 px to tell an axis of order 5, got 3",
        ),
        (
            {"method": "symmetry", "place_fold": 7, "min_score": 0.9},
            "`place_fold` must be the order of an axis that at least three places have, found 0 of order 7",
        ),
    ],
)
def test_wrong_values_leave_the_points_as_they_were(
    session: MotifSession, values: dict[str, object], message: str
) -> None:
    session.find_points()
    before = session.data["points"].to_dataset()
    with pytest.raises(ValueError, match=message):
        session.find_points(**values)
    assert session.data["points"].to_dataset().identical(before)


@pytest.mark.parametrize("variant", VARIANTS)
def test_motifs_of_pentagon_centres(shared: Path, variant: str) -> None:
    """The centres of a simulated oxide: all found, and told empty from half filled and filled."""
    truth = np.load(shared / "bench" / f"pom_like__{variant}.npz")
    session = MotifSession(truth["image"].astype(np.float32)).find_points(method="symmetry", place_fold=5)
    session.run()
    found, radius = positions(session.data["points"]), session.data["points"].attrs["place_radius"]
    centres = truth["pentagon_centres_xy_px"][:, ::-1].astype(float)
    distance, nearest = KDTree(centres).query(found)
    right = distance < 12
    inside = ((centres > radius) & (centres < 959 - radius)).all(axis=1)
    assert np.isin(np.flatnonzero(inside), nearest[right]).all()
    assert right.mean() > 0.96
    label = session.data["motifs"]["label"].values
    kind = truth["pentagon_class"][nearest]
    told = right & (label >= 0)
    assert told[right].mean() > 0.99
    assert len(session.motifs) == 4  # the fourth: places that are no centres
    majority = [np.bincount(kind[told & (label == motif)], minlength=3) for motif in range(4)]
    assert sum(counts.max() for counts in majority) == told.sum()
    assert {int(counts.argmax()) for counts in majority if counts.sum()} == {0, 1, 2}


def test_a_constant_image_is_refused_as_such() -> None:
    with pytest.raises(ValueError, match=r"`image` must not be constant, got 2.5 everywhere"):
        MotifSession(np.full((64, 64), 2.5)).find_points()
