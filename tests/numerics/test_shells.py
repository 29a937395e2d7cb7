from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.shells import bond_length, environments, neighbor_shells

SPACING = 10.0


def honeycomb(n: int = 12, angle: float = 0.2, scatter: float = 0.0, seed: int = 0):
    """Return points and labels: 0 the one sublattice, 1 the other."""
    a = SPACING * np.sqrt(3)
    vectors = a * np.array([[1, 0], [0.5, np.sqrt(3) / 2]])
    index = np.stack(np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1)), -1).reshape(-1, 2)
    points = np.concatenate([index @ vectors, index @ vectors + vectors.sum(axis=0) / 3])
    labels = np.repeat([0, 1], len(index))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points @ turn
    points += np.random.default_rng(seed).normal(0, scatter, points.shape)
    inside = np.abs(points).max(axis=1) < 9 * SPACING
    return points[inside], labels[inside]


def brute_rings(points: np.ndarray, center: int, reach: float, n_shells: int) -> list[set[int]]:
    near = np.linalg.norm(points[:, None] - points, axis=2) < reach
    steps = np.full(len(points), 99)
    steps[center] = 0
    for step in range(n_shells):
        steps[(near[steps == step].any(axis=0)) & (steps == 99)] = step + 1
    return [set(np.flatnonzero(steps == k + 1).tolist()) for k in range(n_shells)]


@pytest.mark.parametrize("scatter", [0.0, 0.4, 0.8])
def test_rings_of_a_honeycomb(scatter: float) -> None:
    points, labels = honeycomb(scatter=scatter)
    assert 1.15 < bond_length(points) / SPACING < 1.6
    found = environments(points, labels, np.arange(len(points)), n_shells=3)
    assert set(found.classes) == {
        (0, ((1,) * 3, (0,) * 6, (1,) * 9)),
        (1, ((0,) * 3, (1,) * 6, (0,) * 9)),
    }
    inner = np.abs(points).max(axis=1) < 4.5 * SPACING
    assert (found.of_center[inner] >= 0).all()


def test_gaps_of_other_lattices() -> None:
    index = np.stack(np.meshgrid(np.arange(15), np.arange(15)), -1).reshape(-1, 2)
    square, triangles = 10.0 * index, 10.0 * index @ np.array([[1, 0], [0.5, np.sqrt(3) / 2]])
    assert bond_length(square) == pytest.approx(12.1, abs=0.2)
    assert bond_length(triangles) == pytest.approx(13.7, abs=0.2)
    shells = neighbor_shells(triangles, [7 * 15 + 7], 2)
    assert np.diff(shells.offsets).tolist() == [6, 12]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_rings_match_brute_force_with_missing_and_additional_points(seed: int, n_shells: int) -> None:
    points, _ = honeycomb(scatter=0.6, seed=seed)
    rng = np.random.default_rng(seed)
    points = points[rng.random(len(points)) > 0.05]
    points = np.concatenate([points, rng.uniform(-80, 80, (6, 2))])
    centers = rng.choice(len(points), 12, replace=False)
    shells = neighbor_shells(points, centers, n_shells)
    for row, center in enumerate(centers):
        expected = brute_rings(points, int(center), shells.bond_length, n_shells)
        for k in range(n_shells):
            a, b = shells.offsets[row * n_shells + k : row * n_shells + k + 2]
            ring = shells.members[a:b]
            assert len(set(ring.tolist())) == len(ring)
            assert set(ring.tolist()) == expected[k]
            offset = points[ring] - points[center]
            assert (np.diff(np.arctan2(offset[:, 0], offset[:, 1])) >= 0).all()


def test_dopants_and_their_rings() -> None:
    points, labels = honeycomb()
    order = np.argsort(np.linalg.norm(points, axis=1))
    iron = order[labels[order] == 0][0]
    labels[iron] = 7
    neighbors = np.argsort(np.linalg.norm(points - points[iron], axis=1))
    labels[neighbors[1]] = 9  # a vacancy beside it
    assert environments(points, labels, [iron]).classes == ((7, ((1, 1, 9), (0,) * 6)),)
    ordered = environments(points, labels, [iron], ordered=True, n_shells=1)
    assert ordered.classes == ((7, ((1, 1, 9),)),)


def test_cyclic_sequences() -> None:
    row, col = np.mgrid[:9, :9]
    points = 10.0 * np.column_stack([row.ravel(), col.ravel()])
    points[:, 0] *= np.sqrt(3) / 2
    points[:, 1] += 5.0 * (row.ravel() % 2)
    centers = [2 * 9 + 2, 2 * 9 + 6, 6 * 9 + 4]
    sequences = [(1, 2, 3, 0, 0, 0), (0, 3, 2, 1, 0, 0), (1, 0, 2, 0, 3, 0)]
    labels = np.zeros(81, int)
    rings = neighbor_shells(points, centers, 1)
    for k, sequence in enumerate(sequences):
        labels[rings.members[rings.offsets[k] : rings.offsets[k + 1]]] = sequence
    plain = environments(points, labels, centers, 1)
    assert plain.counts.tolist() == [3]
    mirrored = environments(points, labels, centers, 1, ordered=True)
    assert mirrored.counts.tolist() == [2, 1]
    assert mirrored.classes[0] == (0, ((0, 0, 0, 1, 2, 3),))
    chiral = environments(points, labels, centers, 1, ordered=True, mirror=False)
    assert chiral.counts.tolist() == [1, 1, 1]
    assert (0, ((0, 0, 0, 3, 2, 1),)) in chiral.classes


def test_rings_at_the_edge_are_incomplete() -> None:
    points, labels = honeycomb()
    whole = neighbor_shells(points, np.arange(len(points)), 2)
    count = np.diff(whole.offsets).reshape(-1, 2)
    # Whatever is called complete is: three neighbours, six behind them. And most of the field is.
    assert (count[whole.complete[:, 1]] == [3, 6]).all()
    assert (count[whole.complete[:, 0], 0] == 3).all()
    assert whole.complete[:, 1].mean() > 0.54
    found = environments(points, labels, np.arange(len(points)))
    np.testing.assert_array_equal(found.of_center < 0, ~whole.complete.all(axis=1))
    np.testing.assert_array_equal(found.counts, np.bincount(found.of_center[found.of_center >= 0]))


def test_many_centers_are_those_of_a_count_by_hand() -> None:
    index = np.stack(np.meshgrid(np.arange(160), np.arange(160)), -1).reshape(-1, 2)
    points = 10.0 * index @ np.array([[1, 0], [0.5, np.sqrt(3) / 2]])
    labels = np.random.default_rng(0).integers(0, 3, len(points))
    every = np.arange(len(points))
    found = environments(points, labels, every)
    assert found.counts.sum() == (found.of_center >= 0).sum() > 24000
    for center in np.random.default_rng(1).choice(np.flatnonzero(found.of_center >= 0), 50):
        steps = np.abs(np.array([*(i := index - index[center]).T, i.sum(axis=1)])).max(axis=0)
        rings = tuple(tuple(sorted(labels[steps == k].tolist())) for k in (1, 2))
        assert found.classes[found.of_center[center]] == (labels[center], rings)


def test_no_centers_and_errors() -> None:
    points, labels = honeycomb()
    nothing = environments(points, labels, [])
    assert nothing.classes == ()
    assert nothing.shells.complete.shape == (0, 2)
    with pytest.raises(ValueError, match="`centers` must be indices of"):
        neighbor_shells(points, [len(points)])
    with pytest.raises(ValueError, match="`n_shells` must be at least 1, got 0"):
        neighbor_shells(points, [0], 0)
    with pytest.raises(ValueError, match="`labels` must be"):
        environments(points, labels[:-1], [0])


def test_environments_of_the_benchmark_are_exact(shared: Path) -> None:
    with np.load(shared / "bench/ws2_fe_te__clean.npz") as file:
        points = file["positions_xy_px"][:, ::-1].astype(float)
        labels = file["labels"].astype(int)  # W, Fe_W, S2, TeS, VS
        adjacent = {4: file["n_adjacent_VS"], 3: file["n_adjacent_Te"], 1: file["n_adjacent_Fe"]}
    found = environments(points, labels, np.arange(len(points)), n_shells=1)
    known = np.flatnonzero(found.of_center >= 0)
    assert len(known) > 0.85 * len(points)
    metal = labels <= 1
    for center in known:
        ring = found.classes[found.of_center[center]][1][0]
        assert len(ring) == 3
        for label in (4, 3) if metal[center] else (1,):
            assert ring.count(label) == adjacent[label][center]
    two = environments(points, labels, np.arange(len(points)))
    # The second ring is of the centre's own sublattice, six columns of it.
    for center, (_, second) in two.classes:
        assert len(second) == 6
        assert all((label <= 1) == (center <= 1) for label in second)


def test_shells_of_the_doped_monolayer(shared: Path) -> None:
    with np.load(shared / "data/points_only/ws2_te_doped_points_labels.npz") as file:
        points, labels = file["pos_xy"][:, ::-1], file["labels"].astype(int)
    for dopant, first, second in ((3, 2, 0), (5, 4, 1)):
        found = environments(points, labels, np.flatnonzero(labels == dopant))
        assert found.classes[0] == (dopant, ((first,) * 3, (second,) * 6))
        whole = found.of_center >= 0
        surrounded = [found.classes[c][1][0] == (first,) * 3 for c in found.of_center[whole]]
        assert np.mean(surrounded) > 0.95
