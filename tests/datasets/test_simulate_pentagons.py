"""The Cairo tiling: its geometry, composition, correlation and planted order."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.spatial import cKDTree

from atomotif.datasets.simulate._fillings import correlated
from atomotif.datasets.simulate.noise import add_noise
from atomotif.datasets.simulate.pentagons import pentagon_tiling

PX = 0.012
EDGE = (np.sqrt(7) - 1) / np.sqrt(18)  # of a cell of side 1: 2 sqrt(2) (sqrt(7) - 1) / 12


def places(sample: xr.Dataset, prefix: str = "") -> np.ndarray:
    return np.column_stack([sample[f"{prefix}row"], sample[f"{prefix}col"]])


def kinds(sample: xr.Dataset, name: str = "label") -> np.ndarray:
    return sample[f"{name}_name"].values[sample[name].values]


def neighbour_correlation(sample: xr.Dataset) -> float:
    """Pearson's, of being filled, over pairs of filled or empty pentagons with an edge in common."""
    use = (sample["pentagon_class"].values != 1) & ~sample["pentagon_ordered"].values
    at, filled = places(sample, "pentagon_")[use], sample["pentagon_class"].values[use] == 2
    pairs = cKDTree(at).query_pairs(0.6 / PX, output_type="ndarray")
    deviation = filled - filled.mean()
    return float((deviation[pairs[:, 0]] * deviation[pairs[:, 1]]).mean() / deviation.var())


@pytest.mark.parametrize("period", [1.0, 1.3])
def test_the_tiling_is_equilateral(period: float) -> None:
    sample = pentagon_tiling((600, 560), period=period, rotation=19.0)
    kind = kinds(sample)
    ring = np.char.startswith(kind, "ring")
    at = places(sample)[ring]
    inside = ((at > 60) & (at < np.array([540, 500]))).all(axis=1)
    distance = cKDTree(at).query(at, k=6)[0] * PX / period
    n_edges = (np.abs(distance[:, 1:] - EDGE) < 1e-9).sum(axis=1)
    np.testing.assert_array_equal(n_edges[inside], np.where(kind[ring] == "ring_M4", 4, 3)[inside])
    assert distance[inside, 1].min() == pytest.approx(EDGE)
    # Two threefold vertices on each fourfold one, two pentagons too.
    area = (480 * PX / period) * (440 * PX / period)
    assert (kind[ring][inside] == "ring_M4").sum() == pytest.approx(2 * area, rel=0.15)
    assert (kind[ring][inside] == "ring_M3").sum() == pytest.approx(4 * area, rel=0.15)
    # Centres: each has five vertices round it, whose area centroid it is.
    centre = places(sample, "pentagon_")
    inner = ((centre > 60) & (centre < np.array([540, 500]))).all(axis=1)
    corners = at[cKDTree(at).query(centre[inner], k=5)[1]] - centre[inner][:, None]
    turn = np.argsort(np.arctan2(corners[..., 0], corners[..., 1]), axis=1)
    corners = np.take_along_axis(corners, turn[..., None], axis=1)
    after = np.roll(corners, -1, axis=1)
    np.testing.assert_allclose(np.linalg.norm(after - corners, axis=2) * PX / period, EDGE)
    cross = corners[..., 0] * after[..., 1] - after[..., 0] * corners[..., 1]
    np.testing.assert_allclose(((corners + after) * cross[..., None]).sum(axis=1), 0, atol=1e-5)


@pytest.mark.parametrize(
    ("filled", "partial"), [(0.363, 0.043), (0.5, 0.0), (0.0, 0.2), (1.0, 0.0), (0.0, 0.0)]
)
def test_the_composition_is_exact(filled: float, partial: float) -> None:
    sample = pentagon_tiling(filled=filled, partial=partial)
    n = sample.sizes["pentagon"]
    counts = np.bincount(sample["pentagon_class"], minlength=3)
    np.testing.assert_array_equal(counts[1:], [round(partial * n), round(filled * n)])
    kind, at = kinds(sample), sample["pentagon_index"].values
    for number, name in enumerate(("empty", "partial", "filled")):
        listed = kind == f"centre_{name}"
        assert (sample["pentagon_class"].values[at[listed]] == number).all()
        assert listed.sum() == counts[number]
    np.testing.assert_array_equal(places(sample)[at >= 0], places(sample, "pentagon_")[at[at >= 0]])
    np.testing.assert_array_equal(sample["visible"], kind != "centre_empty")
    height = sample["column_intensity"].values
    assert (height[kind == "centre_filled"] == 41**1.7).all()
    share = height[kind == "centre_partial"] / 41**1.7
    assert ((share >= 0.35) & (share <= 0.6)).all()
    assert (height[np.char.startswith(kind, "ring")] == 42**1.7).all()


def test_vertices_count_their_filled_pentagons() -> None:
    sample = pentagon_tiling((600, 600))
    kind, motif = kinds(sample), kinds(sample, "motif")
    filled = places(sample, "pentagon_")[sample["pentagon_class"].values == 2]
    at = places(sample)
    inside = ((at > 40) & (at < 560)).all(axis=1) & np.char.startswith(kind, "ring")
    near = [len(one) for one in cKDTree(filled).query_ball_point(at, 0.5 / PX)]
    wanted = [f"{name}|{count}filled" for name, count in zip(kind, near)]
    np.testing.assert_array_equal(motif[inside], np.array(wanted)[inside])
    np.testing.assert_array_equal(motif[sample["pentagon_index"] >= 0], kind[sample["pentagon_index"] >= 0])


def test_quads_are_the_squares_round_fourfold_vertices() -> None:
    sample = pentagon_tiling((700, 650), rotation=11.0)
    vertex, pentagon = places(sample, "quad_"), places(sample, "pentagon_")
    fourfold = places(sample)[kinds(sample) == "ring_M4"]
    np.testing.assert_allclose(cKDTree(fourfold).query(vertex)[0], 0, atol=1e-9)
    member = sample["quad_pentagon"].values
    nearest = cKDTree(pentagon).query(vertex, k=4)[1]
    np.testing.assert_array_equal(np.sort(member, axis=1), np.sort(nearest, axis=1))
    spoke = pentagon[member] - vertex[:, None]
    angle = (np.rad2deg(np.arctan2(spoke[..., 0], spoke[..., 1])) - 11.0) % 360
    np.testing.assert_array_equal(angle // 90, np.tile(np.arange(4), (len(member), 1)))
    np.testing.assert_allclose(np.ptp(np.linalg.norm(spoke, axis=2), axis=1), 0, atol=1e-9)
    four = sample["pentagon_class"].values[member]
    wanted = [-1 if 1 in row else sum(2**k for k, one in enumerate(row) if one == 2) for row in four.tolist()]
    np.testing.assert_array_equal(sample["quad_state"], wanted)
    # All of them, on two square lattices.
    assert len(np.unique(member)) > 0.8 * len(pentagon)
    for sublattice in (0, 1):
        at = vertex[sample["quad_sublattice"].values == sublattice]
        np.testing.assert_allclose(cKDTree(at).query(at, k=2)[0][:, 1] * PX, 1.0)
    cell = sample["quad_cell"].values + 0.5 * sample["quad_sublattice"].values[:, None]
    turn = np.deg2rad(11.0)
    axes = np.array([[np.sin(turn), np.cos(turn)], [np.cos(turn), -np.sin(turn)]]) / PX
    np.testing.assert_allclose(np.ptp(vertex - cell @ axes, axis=0), 0, atol=1e-6)


@pytest.mark.parametrize("correlation", [-0.25, 0.0, 0.2, 0.5])
def test_the_correlation_of_neighbours_is_reached_at_the_same_composition(correlation: float) -> None:
    sample = pentagon_tiling((900, 900), correlation=correlation)
    assert neighbour_correlation(sample) == pytest.approx(correlation, abs=0.005)
    assert sample.attrs["correlation_reached"] == pytest.approx(neighbour_correlation(sample))
    n = sample.sizes["pentagon"]
    assert (sample["pentagon_class"] == 2).sum() == round(0.363 * n)
    free = pentagon_tiling((900, 900))
    assert abs(neighbour_correlation(free)) < 4 / np.sqrt(2.5 * n)


@pytest.mark.parametrize("seed", range(20))
def test_neighbours_that_are_exchanged_are_counted_right(seed: int) -> None:
    """On a ring, where a fifth of the exchanges are between neighbours."""
    pairs = np.column_stack([np.arange(10), np.roll(np.arange(10), -1)])
    filled = np.arange(10) % 2 == 0
    result, reached = correlated(filled, np.arange(10), pairs, 0.2, np.random.default_rng(seed))
    assert result.sum() == 5
    # Each of five has the other state next to it twice, so far; six like neighbours are wanted.
    assert (result == np.roll(result, -1)).sum() == 6
    assert reached == pytest.approx(0.2)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_ordered_phase_is_where_and_what_it_should_be(share: float) -> None:
    states = (0b0011, 0b0100)
    sample = pentagon_tiling((1500, 1500), ordered=share, ordered_states=states)
    ordered = sample["pentagon_ordered"].values
    assert ordered.mean() == pytest.approx(share, abs=0.5 * 16 / len(ordered) + 1e-9)
    n = len(ordered)
    assert (sample["pentagon_class"] == 2).sum() == round(0.363 * n)
    assert (sample["pentagon_class"] == 1).sum() == round(0.043 * n)
    assert not (sample["pentagon_class"].values[ordered] == 1).any()
    first = sample["quad_sublattice"].values == 0
    of_order = first & ordered[sample["quad_pentagon"].values].all(axis=1)
    assert set(sample["quad_state"].values[of_order]) == set(states)
    # Whole level-3 squares: 2 x 2 quads of one state, 3 : 1.
    square = [tuple(at) for at in (sample["quad_cell"].values[of_order] // 2).tolist()]
    found: dict[Any, list[int]] = {}
    for at, state in zip(square, sample["quad_state"].values[of_order].tolist()):
        found.setdefault(at, []).append(state)
    assert all(len(set(four)) == 1 for four in found.values())
    whole = [four[0] for four in found.values() if len(four) == 4]
    assert len(whole) > 10
    assert abs(sum(state == states[0] for state in whole) - 0.75 * len(whole)) <= 1
    # In one piece, from the left of the lattice.
    column = sample["quad_cell"].values[first, 0] // 2
    inner = of_order[first]
    assert column[inner].max() - column[~inner].min() <= 1


def test_the_seed_decides_and_noise_moves_everything() -> None:
    first, again, other = (pentagon_tiling(correlation=0.2, random_state=seed) for seed in (1, 1, 2))
    assert first.identical(again)
    assert (
        first.sizes != other.sizes or (first["pentagon_class"].values != other["pentagon_class"].values).any()
    )
    noisy = add_noise(first, drift=(6.0, 3.0))
    at = noisy["pentagon_index"].values
    np.testing.assert_allclose(places(noisy)[at >= 0], places(noisy, "pentagon_")[at[at >= 0]])
    assert np.abs(places(noisy, "quad_") - places(first, "quad_")).max() > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filled": 0.9, "partial": 0.2}, "`filled` and `partial` must add up to at most 1, got 1.1"),
        ({"filled": -0.1}, "`filled` must be a share from 0 to 1, got -0.1"),
        ({"ordered": 2.0}, "`ordered` must be a share"),
        ({"ordered_states": (3, 16)}, "`ordered_states` must be two numbers from 0 to 15"),
        ({"ordered": 0.8, "filled": 0.1}, "`ordered` must leave room"),
        ({"correlation": 0.99}, "`correlation` must be within reach, got 0.99"),
        ({"period": 0.0}, "`period` must be positive"),
        ({"random_state": -1}, "`random_state` must not be negative"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pentagon_tiling(**arguments)
