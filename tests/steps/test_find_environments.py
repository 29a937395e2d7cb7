"""Environments through the session: against distances in plain Python, and what is kept of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from atomotif._warnings import AtomotifWarning
from atomotif.session.session import MotifSession

SPACING = 12.0


def honeycomb():
    """A honeycomb of W (0) and S2 (1) with some Fe (2) for W and VS (3) for S2: positions, labels."""
    a = SPACING * np.sqrt(3) * np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    index = np.stack(np.meshgrid(np.arange(-25, 50), np.arange(-25, 50)), -1).reshape(-1, 2)
    points = np.concatenate([index @ a, index @ a + a.sum(axis=0) / 3]) + 3.3
    labels = np.repeat([0, 1], len(index))
    keep = (points > 3).all(axis=1) & (points < 397).all(axis=1)
    points, labels = points[keep], labels[keep]
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(len(labels)) < 0.08, labels + 2, labels)
    return points + rng.normal(0, 0.3, points.shape), labels


NAMES = ["W", "S2", "Fe", "VS"]
POINTS, LABELS = honeycomb()


def rings_by_distance(center: int) -> tuple[Counter[int], Counter[int], set[int]]:
    """Return the motifs in both rings, and all points of them: on a whole honeycomb distances tell."""
    distance = np.linalg.norm(POINTS - POINTS[center], axis=1) / SPACING
    first, second = (np.flatnonzero((distance > a) & (distance < b)) for a, b in ((0.5, 1.4), (1.4, 1.87)))
    return (
        Counter(LABELS[first].tolist()),
        Counter(LABELS[second].tolist()),
        {center, *first.tolist(), *second.tolist()},
    )


def text(counts: Counter[int]) -> str:
    return " + ".join(f"{counts[label]} {NAMES[label]}" for label in sorted(counts))


@pytest.fixture(scope="module")
def done() -> MotifSession:
    session = MotifSession(np.zeros((400, 400), np.float32), pixel_size=0.02, units="nm")
    return session.set_points(POINTS).set_motifs(LABELS, NAMES)


@pytest.fixture
def session(done: MotifSession) -> MotifSession:
    fresh = MotifSession(np.zeros((400, 400), np.float32), pixel_size=0.02, units="nm")
    fresh._state, fresh._next_id = done._state.copy(), done._next_id
    return fresh


def test_classes_agree_with_distances(session: MotifSession) -> None:
    found = session.find_environments(centers=["Fe", "VS"]).environments
    group = session.data["environments"].to_dataset()
    rows = np.flatnonzero(group["class"].values >= 0)
    assert set(group["center_id"].values.tolist()) == set(np.flatnonzero(LABELS >= 2).tolist())
    assert len(rows) > 0.6 * group.sizes["center"]
    expected: dict[tuple[str, str, str], list[int]] = {}
    for center in group["center_id"].values[rows].tolist():
        first, second, _ = rings_by_distance(center)
        assert first.total() == 3
        assert second.total() == 6
        expected.setdefault((NAMES[LABELS[center]], text(first), text(second)), []).append(center)
    table = found.table()
    assert len(found) == len(table) == len(expected)
    for k, row in table.iterrows():
        centers = expected[row["center"], row["ring 1"], row["ring 2"]]
        assert row["count"] == len(centers)
        of_motif = sum(len(one) for key, one in expected.items() if key[0] == row["center"])
        assert row["share"] == pytest.approx(len(centers) / of_motif)
        assert found.ids(k).tolist() == sorted(centers)
        members = set().union(*(rings_by_distance(center)[2] for center in centers))
        assert set(found.members(k).tolist()) == members
    assert table["count"].is_monotonic_decreasing
    session.selection = found.members(0)


def test_rings_of_every_centre(session: MotifSession) -> None:
    group = session.find_environments(centers="Fe", n_shells=3).data["environments"].to_dataset()
    assert group["ring_number"].values[:6].tolist() == [1, 2, 3, 1, 2, 3]
    starts = group["ring_offset"].values
    for row in np.flatnonzero(group["class"].values >= 0):
        rings = [set(group["ring_id"].values[starts[k] : starts[k + 1]]) for k in range(3 * row, 3 * row + 3)]
        assert [len(ring) for ring in rings] == [3, 6, 9]
        assert set().union(*rings[:2]) == rings_by_distance(int(group["center_id"][row]))[2] - {
            int(group["center_id"][row])
        }


def test_one_name_several_names_or_all(session: MotifSession) -> None:
    one = session.find_environments(centers="Fe").environments.table()
    assert one.equals(session.find_environments(centers=("Fe",)).environments.table())
    assert session.stale == ()
    everything = session.find_environments().environments.table()
    assert everything["count"].sum() > one["count"].sum()
    assert set(everything["center"]) == set(NAMES)
    assert everything.groupby("center")["share"].sum().to_numpy() == pytest.approx(1)
    assert "environments" in repr(session)


def test_ordered_rings_show_the_sequence(session: MotifSession) -> None:
    plain = session.find_environments(centers="W").environments.table()
    ordered = session.find_environments(centers="W", ordered_rings=True).environments.table()
    assert len(ordered) > len(plain)
    assert ordered["ring 1"].str.count(", ").eq(2).all()
    assert plain["count"].sum() == ordered["count"].sum()


def test_names_are_those_of_now(session: MotifSession) -> None:
    found = session.find_environments(centers="Fe").environments.table()
    session.motifs.rename("Fe", "dopant")
    renamed = session.environments.table()
    assert set(renamed["center"]) == {"dopant"}
    assert renamed["ring 2"].tolist() == [text.replace("Fe", "dopant") for text in found["ring 2"]]


def test_points_without_a_motif_are_none(session: MotifSession) -> None:
    labels = np.where(LABELS == 3, -1, LABELS)
    found = session.set_motifs(labels, NAMES[:3]).find_environments(n_shells=1).environments
    assert "none" in " ".join(found.table()["ring 1"])
    assert set(found.table()["center"]) == set(NAMES[:3])


def test_saved_and_opened_again(session: MotifSession, tmp_path: Path) -> None:
    session.find_environments(centers="Fe")
    again = MotifSession.open(session.save(tmp_path / "a.zarr"))
    assert again.environments.table().equals(session.environments.table())
    np.testing.assert_array_equal(again.environments.members(1), session.environments.members(1))
    assert again.stale == ()
    again.run_step("find_environments", centers="Fe")
    assert again.environments.table().equals(session.environments.table())


def test_it_goes_with_its_points_and_is_made_anew_with_other_motifs(session: MotifSession) -> None:
    session.find_environments(centers="Fe")
    session.set_motifs(np.where(LABELS == 3, 1, LABELS), NAMES[:3])
    assert "environments" in session.stale
    session.run()
    assert "environments" not in session.stale
    assert not session.environments.table()["ring 1"].str.contains("VS").any()
    with pytest.warns(AtomotifWarning, match="belong to points that are gone"):
        session.set_points(POINTS[:-1])
    with pytest.raises(ValueError, match="there is no group 'environments': call `run` or `find_env"):
        _ = session.environments


def test_errors(session: MotifSession) -> None:
    with pytest.raises(ValueError, match=r"`centers` must be names of motifs \(W, S2, Fe, VS\), got 'Te'"):
        session.find_environments(centers="Te")
    with pytest.raises(ValueError, match="`n_shells` must be positive"):
        session.find_environments(n_shells=0)
    with pytest.raises(TypeError, match="`centers` must be tuple or str or None, got 3"):
        session.find_environments(centers=3)
    found = session.find_environments(centers="Fe").environments
    with pytest.raises(KeyError, match="`k` must be a class below"):
        found.ids(len(found))
    with pytest.raises(KeyError, match="`k` must be a class below"):
        found.members(True)


def test_dopants_of_the_doped_monolayer(shared: Path) -> None:
    """The authors' own positions and labels: which sites the minor motifs are on."""
    with np.load(shared / "data/points_only/ws2_te_doped_points_labels.npz") as file:
        points, labels = file["pos_xy"][:, ::-1], file["labels"].astype(int)
    image = np.zeros(np.ceil(points.max(axis=0)).astype(int) + 20, np.float32)
    session = MotifSession(image).set_points(points).set_motifs(labels)
    table = session.find_environments(centers=("M3", "M5")).environments.table()
    for dopant, first, second in (("M3", "M2", "M0"), ("M5", "M4", "M1")):
        top = table[table["center"] == dopant].iloc[0]
        assert top["ring 1"] == f"3 {first}"
        assert top["ring 2"] == f"6 {second}"
