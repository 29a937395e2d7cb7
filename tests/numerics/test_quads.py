import itertools
import json
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics._quad_search import two_colors
from atomotif.numerics.pentagon_states import abundances, covered_share, states
from atomotif.numerics.quads import find_quads, level3, quad_states


def as_sets(rows: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(row) for row in rows.tolist()}


def same_sublattices(quads: object, squares: list[np.ndarray]) -> bool:
    """Say whether the two sublattices are those of the truth, whichever is called 0."""
    found = [as_sets(quads.corners[quads.sublattice == s]) for s in (0, 1)]
    truth = [as_sets(square) for square in squares]
    return found in (truth, truth[::-1])


def truth_level3(tiling: object) -> set[frozenset[int]]:
    """Return the 16 pentagons of every 2 x 2 block of squares of one sublattice, by their cells."""
    result = set()
    for squares, cells in zip(tiling.squares, tiling.cells):
        at = {tuple(cell): square for cell, square in zip(cells.tolist(), squares.tolist())}
        for i, j in at:
            block = [(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)]
            if all(cell in at for cell in block):
                result.add(frozenset(p for cell in block for p in at[cell]))
    return result


@pytest.mark.parametrize("x", ["SNUB", "FLAT"])
@pytest.mark.parametrize("angle", [0.0, 0.4, 0.8, 1.3])
@pytest.mark.parametrize("scatter", [0.0, 1.5])
def test_quads_of_a_tiling(tilings: ModuleType, x: str, angle: float, scatter: float) -> None:
    tiling = tilings.cairo(9, x=getattr(tilings, x), angle=angle, scatter=scatter)
    quads = find_quads(tiling.centers)
    assert as_sets(quads.corners) == as_sets(np.concatenate(tiling.squares))
    assert same_sublattices(quads, tiling.squares)
    assert quads.alignment > 0.99
    expected = (angle + np.pi / 4) % (np.pi / 2)
    assert abs(np.angle(np.exp(4j * (quads.orientation - expected)))) / 4 < 0.01
    found = level3(quads)
    assert as_sets(found.pentagons) == truth_level3(tiling)


def test_corners_are_numbered_alike(tilings: ModuleType) -> None:
    tiling = tilings.cairo(9, angle=0.1)
    quads = find_quads(tiling.centers)
    for squares in tiling.squares:
        rows = {frozenset(square): square for square in squares.tolist()}
        for corners in quads.corners.tolist():
            if frozenset(corners) in rows:
                assert corners == rows[frozenset(corners)]


def test_quads_across_corners(tilings: ModuleType) -> None:
    quads = find_quads(tilings.cairo(7).centers)
    for a, (corners, across) in enumerate(zip(quads.corners.tolist(), quads.across.tolist())):
        for corner, other in zip(corners, across):
            having = set(np.flatnonzero((quads.corners == corner).any(axis=1)).tolist()) - {a}
            assert having == ({other} if other >= 0 else set())
            if other >= 0:
                assert quads.sublattice[a] != quads.sublattice[other]
    found = level3(quads)
    for center, four, pentagons in zip(found.center, found.quads, found.pentagons):
        assert pentagons.tolist() == quads.corners[four].ravel().tolist()
        assert len(set(pentagons.tolist())) == 16
        assert set(quads.corners[center].tolist()) < set(pentagons.tolist())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_missing_additional_and_displaced_centers(tilings: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tiling = tilings.cairo(14, angle=rng.uniform(0, 1.5), scatter=1.2, seed=seed)  # 3 % of a side
    tiling = tiling.without(rng.random(len(tiling.centers)) < 0.04)
    low, high = tiling.centers.min(axis=0), tiling.centers.max(axis=0)
    centers = np.concatenate([tiling.centers, rng.uniform(low, high, (12, 2))])
    # A slow distortion, 8 % strain at most.
    centers = centers + 20 * np.sin((centers[:, ::-1] - low) / 250)
    quads = find_quads(centers)
    found, truth = as_sets(quads.corners), as_sets(np.concatenate(tiling.squares))
    assert len(found & truth) > 0.95 * len(truth)
    assert len(found - truth) <= 0.03 * len(truth)  # where a chance point stands for a missing one
    for s in (0, 1):  # shared corners are never counted twice
        used = quads.corners[quads.sublattice == s].ravel()
        assert len(np.unique(used)) == len(used)
    assert np.bincount(quads.corners.ravel()).max() <= 2
    sides = [[len(found & as_sets(square)) for square in tiling.squares] for found in
             (as_sets(quads.corners[quads.sublattice == s]) for s in (0, 1))]  # fmt: skip
    right = max(sides[0][0] + sides[1][1], sides[0][1] + sides[1][0])
    assert right > 0.99 * len(found & truth)
    # A square too many is in up to five of these.
    three = as_sets(level3(quads).pentagons)
    assert len(three - truth_level3(tiling)) <= 5 * len(found - truth)


def test_triangles_and_random_points_are_no_tiling() -> None:
    index = np.stack(np.meshgrid(np.arange(12), np.arange(12)), -1).reshape(-1, 2)
    assert len(find_quads(10.0 * index @ np.array([[1, 0], [0.5, np.sqrt(3) / 2]])).corners) == 0
    points = np.random.default_rng(0).random((2000, 2)) * 800
    assert len(level3(find_quads(points)).center) < 10
    line = find_quads(np.column_stack([np.arange(9.0), np.zeros(9)]))
    assert line.corners.shape == (0, 4)
    assert level3(line).pentagons.shape == (0, 16)


def test_faults_of_the_tiling_belong_to_no_sublattice() -> None:
    # Three quads that share corners with one another cannot differ pairwise; the least regular stays out.
    links = np.array([[0, 1], [0, 2], [1, 2], [2, 3]])
    colors = two_colors(4, links, np.array([0.01, 0.02, 0.05, 0.03]), np.array([0.3, -0.3, 0.3, -0.3]))
    assert colors.tolist() == [0, 1, -1, 1]


def test_two_grains_are_not_aligned(tilings: ModuleType) -> None:
    one, other = (tilings.cairo(8, angle=angle).centers for angle in (0.0, np.pi / 4))
    both = find_quads(np.concatenate([one, other + np.array([0, 3000])]))
    assert both.alignment < 0.1
    assert len(both.corners) == 2 * (64 + 49)


def test_arrows() -> None:
    square = np.array([[0.0, 0], [0, 10], [10, 10], [10, 0]])
    quads = find_quads(square)
    for classes in itertools.product([0, 1, 2], repeat=4):
        state, arrow = quad_states(quads, square, classes)
        if 1 in classes:
            assert state.tolist() == [-1]
            assert np.isnan(arrow).all()
            continue
        assert state[0] == sum(1 << k for k in range(4) if classes[quads.corners[0, k]] == 2)
        expected = sum((square[k] - 5) / np.hypot(5, 5) for k in range(4) if classes[k] == 2)
        np.testing.assert_allclose(arrow[0], expected, atol=1e-12)


def test_abundances_of_states() -> None:
    classes = np.array([0, 2, 0, 2, 1, 2])
    rows = [[0, 1], [2, 3], [1, 3], [4, 1], [0, 2], [5, 3], [0, 5]]
    state = states(rows, classes)
    assert state.tolist() == [2, 2, 3, -1, 0, 3, 2]
    found = abundances(state)
    assert found.state.tolist() == [2, 3, 0]
    assert found.counts.tolist() == [3, 2, 1]
    np.testing.assert_allclose(found.coverage, [3 / 6, 5 / 6, 1])
    assert found.left_out == 1
    assert abundances([]).counts.tolist() == []
    # 2: 0 1 2 3 5 (0 and 5 from the last row), 3: 1 3 5; 0: 0 2; pentagon 4 is in none.
    assert covered_share(rows, state, [2], 6).tolist() == [5 / 6]
    assert covered_share(rows, state, [3, 0, 2], 6).tolist() == [3 / 6, 5 / 6, 5 / 6]
    assert covered_share(rows, state, [3, 7], 6).tolist() == [3 / 6, 3 / 6]
    assert covered_share(rows, state, [], 6).tolist() == []


def test_errors() -> None:
    with pytest.raises(ValueError, match="`centers` must hold at least 4 points, got 3"):
        find_quads([[0, 0], [0, 1], [1, 1]])
    with pytest.raises(ValueError, match="`classes` must be integers 0"):
        states([[0, 1]], [0, 3])
    with pytest.raises(ValueError, match="`members` must be rows of indices below 2"):
        states([[0, 2]], [0, 2])


def test_truth_of_the_benchmark_is_exact(shared: Path) -> None:
    """Quads from the 4-connected columns of the truth, corner by corner, in plain Python."""
    with np.load(shared / "bench/pom_like__clean.npz") as file:
        centers = file["pentagon_centres_xy_px"][:, ::-1].astype(float)
        classes = file["pentagon_class"].astype(int)
        vertices = file["positions_xy_px"][file["labels"] == 0][:, ::-1].astype(float)
        turn = np.deg2rad(json.loads(str(file["meta_json"]))["lattice"]["rot_deg"])
    # The centres of pentagons round a 4-connected column are its four nearest, equally far.
    distance = np.linalg.norm(vertices[:, None] - centers, axis=2)
    typical = np.median(distance.min(axis=1))
    truth = []
    for vertex, row in zip(vertices, distance):
        four = np.flatnonzero(row < 1.2 * typical)
        if len(four) == 4:
            offset = centers[four] - vertex
            angle = np.arctan2(offset[:, 0], offset[:, 1]) - (turn + np.pi / 4)
            slot = np.round(angle / (np.pi / 2)).astype(int) % 4
            assert sorted(slot) == [0, 1, 2, 3]
            truth.append(tuple(four[np.argsort(slot)].tolist()))
    quads = find_quads(centers)
    assert sorted(map(tuple, quads.corners.tolist())) == sorted(truth)
    expected = Counter(
        sum(1 << k for k, corner in enumerate(four) if classes[corner] == 2)
        for four in truth
        if all(classes[corner] != 1 for corner in four)
    )
    found = abundances(states(quads.corners, classes))
    assert dict(zip(found.state.tolist(), found.counts.tolist())) == dict(expected)
    assert found.left_out == len(truth) - sum(expected.values())

    # Level 3: round every quad whose corners each belong to another one.
    of_corner: dict[int, list[tuple[int, ...]]] = {}
    for four in truth:
        for corner in four:
            of_corner.setdefault(corner, []).append(four)
    blocks = []
    for four in truth:
        around = [other for corner in four for other in of_corner[corner] if other != four]
        if len(around) == 4:
            blocks.append(tuple(p for other in around for p in other))
    three = level3(quads)
    assert sorted(map(tuple, three.pentagons.tolist())) == sorted(blocks)
    expected = Counter(
        sum(1 << k for k, p in enumerate(block) if classes[p] == 2)
        for block in blocks
        if all(classes[p] != 1 for p in block)
    )
    found = abundances(states(three.pentagons, classes))
    assert dict(zip(found.state.tolist(), found.counts.tolist())) == dict(expected)


def test_oxide(shared: Path) -> None:
    with np.load(shared / "data/points_only/oxide_qian_pentagon_points.npz") as file:
        centers = file["pos_xy"][:, ::-1]
    quads = find_quads(centers)
    number = np.bincount(quads.corners.ravel(), minlength=len(centers))
    assert (number == 2).mean() > 0.95
    assert quads.alignment > 0.99
    assert (quads.sublattice >= 0).all()
    assert len(level3(quads).center) > 0.94 * len(quads.corners)
