import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.displacement import displacement
from atomotif.numerics.lattice import find_lattice

VECTORS = np.array([[2.0, 20.0], [23.0, -4.0]])
FRACTIONS = np.array([[0.2, 0.3], [0.7, 0.75]])


def field(n: int = 20, seed: int = 0, scatter: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    grid = np.stack(np.meshgrid(np.arange(n), np.arange(n) - 5, indexing="ij"), -1).reshape(-1, 2)
    index, site = np.tile(grid, (2, 1)), np.repeat([0, 1], n * n)
    points = (index + FRACTIONS[site]) @ VECTORS + [31.0, 47.0]
    return points + np.random.default_rng(seed).normal(0, scatter, points.shape), index, site


def test_vectors_offsets_and_scatter_are_those_planted() -> None:
    points, index, site = field(scatter=0.3)
    moved, reference = displacement(points, index, site)
    np.testing.assert_allclose(reference.vectors, VECTORS, atol=0.01)
    np.testing.assert_allclose(reference.offsets, FRACTIONS @ VECTORS + [31, 47], atol=0.15)
    assert reference.scatter == pytest.approx(0.3, rel=0.1)
    assert moved.std() == pytest.approx(0.3, rel=0.1)
    assert abs(moved.mean()) < 0.01


def test_a_shift_of_a_sublattice_outside_the_region_is_displacement() -> None:
    points, index, site = field(scatter=0.05)
    right = index[:, 0] >= 10
    points[right & (site == 1)] += [0.8, -0.5]
    moved, _ = displacement(points, index, site, region=~right)
    shifted = right & (site == 1)
    np.testing.assert_allclose(moved[shifted].mean(axis=0), [0.8, -0.5], atol=0.04)
    np.testing.assert_allclose(moved[~shifted].mean(axis=0), 0, atol=0.02)
    # Over all points the shift would be shared between both halves.
    assert displacement(points, index, site)[0][shifted, 0].mean() < 0.7


def test_wrong_points_do_not_pull_on_the_reference() -> None:
    points, index, site = field(scatter=0.05)
    rng = np.random.default_rng(1)
    bad = rng.random(len(points)) < 0.1
    points[bad] += rng.uniform(2, 5, (bad.sum(), 2))
    moved, reference = displacement(points, index, site)
    np.testing.assert_allclose(moved[~bad].mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(reference.vectors, VECTORS, atol=0.003)
    assert reference.scatter == pytest.approx(0.05, rel=0.3)


def test_points_without_a_site_have_no_displacement() -> None:
    points, index, site = field()
    site[[3, 500]] = -1
    points[3] += 100
    moved, _ = displacement(points, index, site)
    assert np.flatnonzero(np.isnan(moved).any(axis=1)).tolist() == [3, 500]
    np.testing.assert_allclose(moved[site >= 0], 0, atol=1e-9)


def test_sublattices_outside_the_region_need_fractions() -> None:
    points, index, site = field()
    points[site == 1] += [0.0, 1.0]
    with pytest.raises(ValueError, match="`region` must hold points of every sublattice unless"):
        displacement(points, index, site, region=site == 0)
    moved, reference = displacement(points, index, site, region=site == 0, fractions=FRACTIONS)
    np.testing.assert_allclose(moved[site == 1], np.tile([0.0, 1.0], (400, 1)), atol=1e-9)
    assert reference.offsets.shape == (2, 2)


@settings(max_examples=20, deadline=None)
@given(
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
    cell=st.tuples(st.integers(-50, 50), st.integers(-50, 50)),
    factor=st.floats(0.1, 10),
)
def test_origin_of_positions_and_indices_changes_nothing(shift, cell, factor) -> None:
    points, index, site = field(n=8, scatter=0.2)
    first = displacement(points, index, site)[0]
    second = displacement(factor * points + shift, index + np.array(cell), site)[0]
    np.testing.assert_allclose(second, factor * first, atol=1e-6 * factor)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"index": np.zeros((800, 2))}, r"`index` must be integers of shape \(800, 2\), got dtype float64"),
        ({"sublattice": np.zeros(3, int)}, r"`sublattice` must be integers of shape \(800,\)"),
        ({"region": np.ones(800)}, "`region` must be one bool a point"),
        ({"region": np.zeros(800, bool)}, "`region` must hold at least 4 points"),
        ({"index": np.zeros((800, 2), int)}, "`region` must hold points of one sublattice in more than one"),
    ],
)
def test_malformed_arguments(change, words) -> None:
    points, index, site = field()
    arguments = {"points": points, "index": index, "sublattice": site} | change
    with pytest.raises(ValueError, match=words):
        displacement(**arguments)


def test_polar_shift_of_a_simulated_ferroelectric(shared) -> None:
    with np.load(shared / "bench" / "bto_sto_interface__clean.npz", allow_pickle=False) as file:
        points = file["positions_xy_px"][:, ::-1].astype(float)
        labels, polar = file["labels"].astype(int), file["side_is_BTO"] == 1
        far = np.abs(file["cells_from_interface"]) >= 2
        pixel = float(file["pixel_size_nm"])
    lattice = find_lattice(points, labels)
    a_site = lattice.sublattice == lattice.sublattice[labels == 0][0]
    # The terrace of one cell at column 471 displaces all that lies on it.
    terrace = points[:, 1] > 455
    sto = displacement(points, lattice.index, lattice.sublattice, region=~polar & far)[1]
    fractions = sto.offsets @ np.linalg.inv(sto.vectors)
    region = polar & far & a_site & ~terrace
    moved, _ = displacement(points, lattice.index, lattice.sublattice, region=region, fractions=fractions)
    titanium = polar & far & ~a_site & ~terrace
    length = np.hypot(*moved[titanium].T) * pixel * 10
    np.testing.assert_allclose(length, 0.12, atol=0.001)
    np.testing.assert_allclose(moved[region], 0, atol=0.001)
