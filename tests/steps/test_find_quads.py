"""Quads through the session: against the tiling they were planted in, in plain Python."""

import importlib.util
import itertools
import json
import math
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from atomotif._warnings import AtomotifWarning
from atomotif.export.quads import state_drawing
from atomotif.numerics.configurational_entropy import configurational_entropy, growth_curve
from atomotif.session.session import MotifSession

NAMES = ["empty", "partial", "filled"]
ARGUMENTS = {"empty": "empty", "filled": "filled", "partial": "partial", "n_draws": 99}


@pytest.fixture(scope="module")
def tilings() -> ModuleType:
    """`tests/numerics/cairo.py`, by its path, since tests are in no package."""
    path = Path(__file__).parents[1] / "numerics" / "cairo.py"
    spec = importlib.util.spec_from_file_location("cairo", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["cairo"] = module
    spec.loader.exec_module(module)
    return module


def session_of(centers: np.ndarray, classes: np.ndarray, names: list[str] | None = None) -> MotifSession:
    image = np.zeros(np.ceil(centers.max(axis=0) + 20).astype(int), np.float32)
    session = MotifSession(image, pixel_size=0.01, units="nm").set_points(centers)
    return session.set_motifs(classes, names or NAMES)


@pytest.fixture(scope="module")
def tiling(tilings: ModuleType) -> object:
    return tilings.cairo(11, size=50.0, scatter=0.8)


@pytest.fixture(scope="module")
def classes(tilings: ModuleType, tiling: object) -> np.ndarray:
    return tilings.random_classes(len(tiling.centers), 3)


@pytest.fixture(scope="module")
def done(tiling: object, classes: np.ndarray) -> MotifSession:
    return session_of(tiling.centers, classes).find_quads(**ARGUMENTS)


@pytest.fixture
def session(done: MotifSession) -> MotifSession:
    """A session of its own with the same results."""
    fresh = MotifSession(done.data["image"]["intensity"])
    fresh._state, fresh._next_id = done._state.copy(), done._next_id
    return fresh


def bits(values: list[object]) -> float:
    return -sum(n / len(values) * math.log2(n / len(values)) for n in Counter(values).values())


def state_of(pentagons: list[int], classes: np.ndarray) -> int | None:
    """Return the state by the truth's order of the corners; None with a partly filled pentagon."""
    if any(classes[p] == 1 for p in pentagons):
        return None
    return sum(1 << k for k, p in enumerate(pentagons) if classes[p] == 2)


def truth(tiling: object, classes: np.ndarray) -> tuple[list[list[int]], list[list[list[int]]]]:
    """Return the states of all quads by sublattice, and the pentagons of every level-3 square."""
    states, squares = [], []
    for quads, cells in zip(tiling.squares, tiling.cells):
        rows = quads.tolist()
        states.append([s for row in rows if (s := state_of(row, classes)) is not None])
        at = {tuple(cell): row for cell, row in zip(cells.tolist(), rows)}
        # Towards the lower right, lower left, upper left and upper right, as corners are numbered.
        blocks = [[(i + 1, j + 1), (i, j + 1), (i, j), (i + 1, j)] for i, j in at]
        whole = [block for block in blocks if all(c in at for c in block)]
        squares.append([[p for c in block for p in at[c]] for block in whole])
    return states, squares


def test_counts_of_quads(session: MotifSession, tiling: object, classes: np.ndarray) -> None:
    states, _ = truth(tiling, classes)
    quads, n_quads = session.quads, sum(len(rows) for rows in tiling.squares)
    assert len(quads) == n_quads
    expected = Counter(states[0] + states[1])
    table = quads.table()
    assert dict(zip(table.index, table["count"])) == dict(expected)
    assert table["share"].sum() == pytest.approx(1)
    np.testing.assert_allclose(table["coverage"], table["share"].cumsum())
    single = [quads.table(2, sublattice=k)["count"].to_dict() for k in (0, 1)]
    assert single in ([dict(Counter(one)) for one in states], [dict(Counter(one)) for one in states[::-1]])
    pentagons = quads.pentagons()
    assert pentagons["count"].tolist() == np.bincount(classes, minlength=3).tolist()
    assert pentagons["motifs"].tolist() == NAMES


def test_squares_of_quads(session: MotifSession, tiling: object, classes: np.ndarray) -> None:
    _, squares = truth(tiling, classes)
    expected = Counter(s for rows in squares for row in rows if (s := state_of(row, classes)) is not None)
    table = session.quads.table(3)
    assert dict(zip(table.index, table["count"])) == dict(expected)
    group = session.data["quads"].to_dataset()
    assert sorted(map(sorted, group["square_id"].values.tolist())) == sorted(
        sorted(row) for rows in squares for row in rows
    )


@pytest.mark.parametrize("level", [2, 3])
def test_what_the_states_cover(
    session: MotifSession, tiling: object, classes: np.ndarray, level: int
) -> None:
    _, squares = truth(tiling, classes)
    of_sublattice = squares if level == 3 else [quads.tolist() for quads in tiling.squares]
    rows = [row for part in of_sublattice for row in part]
    table, seen = session.quads.table(level), set()
    for k, state in enumerate(table.index):
        own = {p for row in rows if state_of(row, classes) == state for p in row}
        assert session.quads.ids(level, state).tolist() == sorted(own)
        seen |= own
        assert table["field"].iloc[k] == pytest.approx(len(seen) / len(classes))
    partial = {p for row in rows if state_of(row, classes) is None for p in row}
    assert session.quads.ids(level, -1).tolist() == sorted(partial)
    parts = [session.quads.ids(level, int(table.index[0]), sublattice=k) for k in (0, 1)]
    assert sorted(set(parts[0]) | set(parts[1])) == session.quads.ids(level, int(table.index[0])).tolist()
    session.selection = parts[0]


def test_entropies_and_growth(session: MotifSession, tiling: object, classes: np.ndarray) -> None:
    states, squares = truth(tiling, classes)
    two = [states[0] + states[1], *states]
    three = [[s for row in rows if (s := state_of(row, classes)) is not None] for rows in squares]
    three = [three[0] + three[1], *three]
    table = session.quads.entropies().set_index(["level", "sublattice"])
    # The truth's first sublattice may be called the other one.
    first = len(session.quads.ids(2, -1, sublattice=0)) == len(
        {p for row in tiling.squares[0].tolist() if state_of(row, classes) is None for p in row}
    )
    names = ["both", "0", "1"] if first else ["both", "1", "0"]
    for level, samples in ((2, two), (3, three)):
        for name, sample in zip(names, samples):
            row = table.loc[level, name]
            assert row["n_motifs"] == len(sample)
            assert row["n_distinct"] == len(set(sample))
            assert row["entropy"] == pytest.approx(bits(sample))
            more = (len(set(sample)) - 1) / (2 * len(sample) * math.log(2))
            assert row["corrected"] == pytest.approx(row["entropy"] + more)
            assert row["equal"] == 4 ** (level - 1)
            assert row["p"] > 0.01
        sizes, distinct = growth_curve(list(Counter(samples[0]).values()))
        growth = session.quads.growth(level)
        np.testing.assert_array_equal(growth["n_motifs"], sizes)
        np.testing.assert_allclose(growth["distinct"], distinct)
    direct = configurational_entropy(np.concatenate(tiling.squares), classes, n_draws=99)
    assert table.loc[2, "both"]["null_mean"] == pytest.approx(direct.null_mean, abs=3 * direct.null_std)


def test_drawings_and_arrows_look_as_the_image_does(session: MotifSession, tiling: object) -> None:
    group = session.data["quads"].to_dataset()
    places = {"lower right": 0, "lower left": 1, "upper left": 2, "upper right": 3}
    for name, bit in places.items():
        upper, lower = state_drawing(1 << bit).split("/")
        assert ("●" in upper) == name.startswith("upper")
        column = (upper if "●" in upper else lower).index("●")
        assert (column == 1) == name.endswith("right")
        rows = np.flatnonzero(group["quad_state"].values == 1 << bit)
        assert len(rows) > 2
        for row in rows:
            filled = group["quad_id"].values[row, bit]
            toward = tiling.centers[filled] - tiling.centers[group["quad_id"].values[row]].mean(axis=0)
            drawn = np.array([1 if name.startswith("lower") else -1, 1 if name.endswith("right") else -1])
            assert toward @ drawn / np.linalg.norm(toward) / np.sqrt(2) > math.cos(math.radians(46))
            np.testing.assert_allclose(group["arrow"].values[row], toward / np.linalg.norm(toward), atol=1e-6)
    # One quad of level 3 drawn by itself, in the same place as one corner of level 2.
    for bit in range(4):
        drawn = state_drawing(15 << 4 * bit, level=3).replace(" ", "").split("/")
        small = state_drawing(1 << bit).split("/")
        for i, j in itertools.product(range(4), repeat=2):
            assert drawn[i][j] == small[i // 2][j // 2]
    for bit in range(16):
        assert state_drawing(1 << bit, level=3).count("●") == 1


def test_a_planted_phase_is_found(tilings: ModuleType) -> None:
    tiling = tilings.cairo(36, size=50.0, scatter=1.0)
    one, other = 0b0011, 0b0100
    classes = tilings.planted_classes(tiling, one, other, seed=1)
    quads = session_of(tiling.centers, classes).find_quads(**ARGUMENTS | {"n_draws": 199}).quads
    table = quads.entropies().set_index(["level", "sublattice"])
    best = max("01", key=lambda name: -table.loc[3, name]["z"])
    for level in (2, 3):
        assert table.loc[level, best]["p"] < 0.01
        assert table.loc[level, best]["z"] < -10
        assert table.loc[level, "both"]["p"] < 0.01
    top = quads.table(3, sublattice=int(best))
    assert top.index[:2].tolist() == [sum(s << (4 * k) for k in range(4)) for s in (one, other)]
    assert 2.4 < top["count"].iloc[0] / top["count"].iloc[1] < 3.6
    assert top["field"].iloc[1] == pytest.approx(18 / 36, abs=0.02)
    assert top["drawing"].iloc[0] == "○○ ○○/●● ●●/○○ ○○/●● ●●"


def test_names_are_those_of_now_and_several_may_be_one_kind(tiling: object, classes: np.ndarray) -> None:
    labels = np.where((classes == 2) & (np.arange(len(classes)) % 2 == 0), 3, classes)
    session = session_of(tiling.centers, labels, [*NAMES, "bright"])
    session.find_quads(empty="empty", filled=["filled", "bright"], partial="partial", n_draws=1)
    assert session.quads.pentagons()["motifs"].tolist() == ["empty", "partial", "filled + bright"]
    session.motifs.rename("bright", "Te")
    assert session.quads.pentagons()["motifs"].tolist() == ["empty", "partial", "filled + Te"]
    assert session.quads.pentagons()["count"].tolist() == np.bincount(classes).tolist()


def test_without_partly_filled_ones(tiling: object, classes: np.ndarray) -> None:
    """Points of a motif that is not named are no pentagons: they leave holes in the tiling."""
    session = session_of(tiling.centers, classes).find_quads(empty="empty", filled="filled", n_draws=1)
    assert session.quads.pentagons()["count"].tolist()[1] == 0
    assert len(session.quads.ids(2, -1)) == 0
    assert len(session.quads) < sum(len(rows) for rows in tiling.squares)


def test_saved_and_opened_again(session: MotifSession, tmp_path: Path) -> None:
    again = MotifSession.open(session.save(tmp_path / "a.zarr"))
    for level in (2, 3):
        assert again.quads.table(level).equals(session.quads.table(level))
        assert again.quads.growth(level).equals(session.quads.growth(level))
        np.testing.assert_array_equal(again.quads.ids(level, -1), session.quads.ids(level, -1))
    assert again.quads.entropies().equals(session.quads.entropies())
    assert again.stale == session.stale
    assert repr(again) == repr(session)
    assert "quads" in repr(session)


def test_result_depends_on_the_seed_alone(session: MotifSession) -> None:
    before = session.quads.entropies()
    assert session.find_quads(**ARGUMENTS).quads.entropies().equals(before)
    other = session.find_quads(**ARGUMENTS, random_state=1).quads.entropies()
    assert not np.allclose(other["null_mean"], before["null_mean"], atol=1e-9)
    np.testing.assert_array_equal(other["entropy"], before["entropy"])


def test_several_grains_are_told(tilings: ModuleType) -> None:
    one, other = (tilings.cairo(5, size=50.0, angle=angle).centers for angle in (0.0, np.pi / 4))
    centers = np.concatenate([one, other + np.array([0, 700])])
    centers -= centers.min(axis=0) - 10
    with pytest.warns(AtomotifWarning, match="the quads have no common orientation"):
        session_of(centers, tilings.random_classes(len(centers), 0)).find_quads(**ARGUMENTS)


def test_errors(session: MotifSession, tiling: object) -> None:
    with pytest.raises(ValueError, match=r"`empty` must be names of motifs \(empty, partial, filled\)"):
        session.find_quads()
    with pytest.raises(ValueError, match="`filled` must be names of motifs"):
        session.find_quads(empty="empty", filled="full")
    with pytest.raises(ValueError, match="`filled` must name other motifs than the arguments before"):
        session.find_quads(empty="empty", filled="empty")
    with pytest.raises(ValueError, match="`n_draws` must be positive"):
        session.find_quads(empty="empty", filled="filled", n_draws=0)
    with pytest.raises(ValueError, match="`level` must be 2 or 3, got 4"):
        session.quads.table(4)
    with pytest.raises(ValueError, match="`sublattice` must be 0, 1 or None, got 2"):
        session.quads.growth(2, sublattice=2)
    with pytest.raises(ValueError, match="`state` must be a whole number of -1 to 15, got 16"):
        session.quads.ids(2, 16)
    labels = np.full(len(tiling.centers), 3)
    labels[:3] = [0, 1, 2]
    other = session_of(tiling.centers, labels, [*NAMES, "other"])
    with pytest.raises(ValueError, match="got 3 points of which no four form a quad"):
        other.find_quads(**ARGUMENTS)


def test_truth_of_the_benchmark(shared: Path) -> None:
    """Shares as given; entropies as from the 4-connected columns of the truth, in plain Python."""
    with np.load(shared / "bench/pom_like__clean.npz") as file:
        centers = file["pentagon_centres_xy_px"][:, ::-1].astype(float)
        classes = file["pentagon_class"].astype(int)
        vertices = file["positions_xy_px"][file["labels"] == 0][:, ::-1].astype(float)
        turn = np.deg2rad(json.loads(str(file["meta_json"]))["lattice"]["rot_deg"])
        image = file["image"].astype(np.float32)
    four_of = []
    distance = np.linalg.norm(vertices[:, None] - centers, axis=2)
    for vertex, row in zip(vertices, distance):
        four = np.flatnonzero(row < 1.2 * np.median(distance.min(axis=1)))
        if len(four) == 4:
            angle = np.arctan2(*(centers[four] - vertex).T) - (turn + np.pi / 4)
            four_of.append(four[np.argsort(np.round(angle / (np.pi / 2)).astype(int) % 4)].tolist())
    session = MotifSession(image).set_points(centers).set_motifs(classes, NAMES)
    quads = session.find_quads(empty="empty", filled="filled", partial="partial").quads
    assert quads.pentagons()["count"].tolist() == [318, 16, 197]
    states = [s for four in four_of if (s := state_of(four, classes)) is not None]
    assert quads.table()["count"].to_dict() == dict(Counter(states))
    of_corner: dict[int, list[list[int]]] = {}
    for four in four_of:
        for corner in four:
            of_corner.setdefault(corner, []).append(four)
    blocks = []
    for four in four_of:
        around = [other for corner in four for other in of_corner[corner] if other != four]
        if len(around) == 4:
            blocks.append([p for other in around for p in other])
    squares = [s for block in blocks if (s := state_of(block, classes)) is not None]
    assert quads.table(3)["count"].to_dict() == dict(Counter(squares))
    table = quads.entropies().set_index(["level", "sublattice"])
    assert table.loc[2, "both"]["entropy"] == pytest.approx(bits(states))
    assert table.loc[3, "both"]["entropy"] == pytest.approx(bits(squares))
    assert table.loc[2, "both"]["p"] > 0.05  # the fillings were drawn independently
    assert table.loc[3, "both"]["p"] > 0.05
    rings = session.ring_intensities(NAMES)
    assert rings["count"].tolist() == [318, 16, 197]
    assert rings.loc["empty", "auc filled"] == 1
    assert rings.loc["empty", "d' filled"] > 10
