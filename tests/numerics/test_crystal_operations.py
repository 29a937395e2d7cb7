import numpy as np
import pytest

from atomotif.numerics.crystal_operations import (
    Operations,
    crystal_operations,
    four_fold_of_index,
    identity,
    is_group,
    reduced_basis,
)

HEX = np.array([[0, 20.0], [10 * np.sqrt(3), 10]])
SQUARE = np.diag([20.0, 20.0])

# Counts and actions for ten crystals are compared with plane geometry in test_hierarchy_brute_force.py.


def stretched(vectors, by, angle):
    turn = np.deg2rad(angle)
    q = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return vectors @ q @ np.diag([1 + by, 1]) @ q.T


@pytest.mark.parametrize("angle", range(0, 180, 15))
@pytest.mark.parametrize(("vectors", "order"), [(HEX, 6), (SQUARE, 4)])
def test_three_per_cent_of_strain_are_no_loss_of_symmetry(vectors, order, angle):
    measured = stretched(vectors, 0.03, angle)
    assert len(crystal_operations(measured, [[0, 0]], [0]).matrix) == order
    assert len(crystal_operations(measured, [[0, 0]], [0], mirrors=True).matrix) == 2 * order


@pytest.mark.parametrize(("ratio", "order"), [(1.01, 4), (1.04, 4), (1.065, 2), (1.2, 2)])
def test_a_tetragonal_axis_in_the_plane_is_seen(ratio, order):
    found = crystal_operations(np.diag([20, 20 * ratio]), [[0, 0], [0.5, 0.5]], [0, 1])
    assert len(found.matrix) == order


@pytest.mark.parametrize("seed", range(40))
def test_the_result_is_a_group_at_any_strain(seed):
    rng = np.random.default_rng(seed)
    vectors = [HEX, SQUARE][seed % 2] @ (np.eye(2) + rng.uniform(-0.07, 0.07, (2, 2)))
    sites = np.array([[0, 0], [0.5, 0.5], [0.5, 0], [0, 0.5]]) + rng.normal(scale=0.04, size=(4, 2))
    for mirrors in (False, True):
        found = crystal_operations(vectors, sites, [0, 0, 0, 0], mirrors=mirrors)
        assert is_group(found)
        assert np.array_equal(found.matrix[0], np.eye(2))
        assert np.array_equal(found.perm[0], np.arange(4))
        assert not found.shift[:, 0].any()


def test_mirrors_that_do_not_go_together():
    # Nearly a square, longer by 4.2 % and skew by 4.5 %: mirrors along the axes and along the diagonals pass,
    # but not their product, the quarter turn. The better pair is kept.
    found = crystal_operations([[0, 20], [20.84, 0.9]], [[0, 0]], [0], mirrors=True)
    assert len(found.matrix) == 4
    assert is_group(found)
    assert [0, 1, 1, 0] in found.matrix.reshape(-1, 4).tolist()


@pytest.mark.parametrize(("majority", "order"), [([0, 1, 1], 4), ([0, 1, 2], 2)])
def test_sites_of_another_state_do_not_coincide(majority, order):
    found = crystal_operations(SQUARE, [[0, 0], [0.5, 0], [0, 0.5]], majority)
    assert len(found.matrix) == order


def test_rotations_are_listed_by_angle_from_columns_to_rows():
    found = crystal_operations(SQUARE[::-1], [[0, 0]], [0])
    # With vectors along columns and along rows, a quarter turn takes the first onto the second.
    assert (np.array([1, 0]) @ found.matrix).tolist() == [[1, 0], [0, 1], [-1, 0], [0, -1]]
    assert np.array_equal(found.matrix, four_fold_of_index().matrix)


@pytest.mark.parametrize(("shift", "order"), [(0.0, 4), (0.05, 4), (0.1, 1)])
def test_a_polar_shift_beyond_the_tolerance_lowers_the_symmetry(shift, order):
    # Nearest sites are half a vector apart; a half turn doubles the shift of the centre.
    found = crystal_operations(
        SQUARE, [[0, 0], [0.5 + shift / 2, 0.5], [0.5, 0], [0, 0.5]], [0, 1, 2, 2], tolerance=0.1
    )
    assert len(found.matrix) == order


def test_a_supercell_adds_its_translations():
    single = crystal_operations(HEX, [[0, 0]], [0])
    sites = [[i / 2, j / 3] for i in range(2) for j in range(3)]
    double = crystal_operations(
        HEX * [[2], [2]], [[i / 2, j / 2] for i in range(2) for j in range(2)], [0] * 4
    )
    assert len(double.matrix) == 4 * len(single.matrix)
    # A cell of 2 x 3 is not hexagonal itself: of the rotations only the half turn keeps its lattice.
    assert len(crystal_operations(HEX * [[2], [3]], sites, [0] * 6).matrix) == 6 * 2


def test_majority_parts_sublattices():
    sites = [[1 / 3, 1 / 3], [2 / 3, 2 / 3]]
    assert len(crystal_operations(HEX, sites, [5, 5]).matrix) == 6
    assert len(crystal_operations(HEX, sites, [5, 7]).matrix) == 3


def test_identity_and_four_fold():
    assert [part.shape for part in identity(3)] == [(1, 2, 2), (1, 3), (1, 3, 2)]
    assert is_group(identity(3))
    four = four_fold_of_index()
    assert is_group(four)
    assert not is_group(Operations(four.matrix[1:], four.perm[1:], four.shift[1:]))


@pytest.mark.parametrize("seed", range(20))
def test_reduced_basis_has_the_shortest_vectors(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(2, 2))
    basis = reduced_basis(vectors)
    assert abs(round(np.linalg.det(basis))) == 1
    near = np.stack(np.meshgrid(np.arange(-40, 41), np.arange(-40, 41)), -1).reshape(-1, 2)
    lengths = np.sort(np.linalg.norm(near @ vectors, axis=1))[1:]
    reduced = np.linalg.norm(basis @ vectors, axis=1)
    assert reduced[0] == pytest.approx(lengths[0])
    angle = np.prod(reduced) / abs(np.linalg.det(vectors))
    assert angle <= 2 / np.sqrt(3) + 1e-9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": [[1, 2], [2, 4]]}, r"`vectors` must be independent"),
        ({"vectors": [1, 2]}, r"`vectors` must be a finite array of shape \(2, 2\)"),
        ({"fractions": [0, 0]}, r"`fractions` must have shape \(S, 2\)"),
        ({"majority": [0]}, r"`majority` must have one value for each of 2 sublattices, got shape \(1,\)"),
        ({"tolerance": 0}, r"`tolerance` must be positive"),
        ({"max_strain": -1}, r"`max_strain` must be positive"),
    ],
)
def test_errors(change, message):
    arguments = {"vectors": SQUARE, "fractions": [[0, 0], [0.5, 0.5]], "majority": [0, 1]} | change
    with pytest.raises(ValueError, match=message):
        crystal_operations(**arguments)
