import numpy as np
import pytest

from atomotif.numerics.crystal_operations import crystal_operations
from atomotif.numerics.site_neighbors import near_offsets, von_neumann_offsets

HEX = np.array([[0, 20.0], [10 * np.sqrt(3), 10]])
SQUARE = np.diag([20.0, 20.0])


def brute_force(vectors, fractions, tolerance=0.1):
    reach = range(-12, 13)
    steps = np.array([(i, j) for i in reach for j in reach])
    limit = (1 + tolerance) * np.sort(np.linalg.norm(steps @ vectors, axis=1))[1]
    found = set()
    for s, one in enumerate(fractions):
        for t, other in enumerate(fractions):
            length = np.linalg.norm((steps + other - one) @ vectors, axis=1)
            near = steps[(length > 1e-6) & (length <= limit)]
            found |= {(i, j, s, t) for i, j in near.tolist()}
    return sorted(found)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("tolerance", [0.1, 0.5])
def test_equal_to_brute_force(seed, tolerance):
    rng = np.random.default_rng(seed)
    vectors = [HEX, SQUARE, rng.normal(size=(2, 2)) + np.diag([3, 3])][seed % 3]
    vectors = np.array([[1, rng.integers(-2, 3)], [0, 1]]) @ vectors
    fractions = rng.uniform(-2, 2, (rng.integers(1, 5), 2))
    found = near_offsets(vectors, fractions, tolerance)
    assert [tuple(row) for row in found.tolist()] == brute_force(vectors, fractions, tolerance)


def test_operations_complete_what_measurement_left_out():
    # Sites at 1.1 shortest vectors on a square lattice, one of the four distances a little more.
    sites = [[0, 0], [0.55, 0.0], [0.0, 0.5501]]
    vectors = SQUARE * 2
    operations = crystal_operations(vectors, [[0, 0], [0.5, 0], [0, 0.5]], [0, 1, 1])
    limit = 0.55 * 40 / 40 - 1
    alone = near_offsets(vectors, sites, tolerance=limit)
    full = near_offsets(vectors, sites, tolerance=limit, operations=operations)
    assert len(full) > len(alone)
    moved = {
        (*((np.array(step) @ m) + shift[t] - shift[s]).tolist(), int(perm[s]), int(perm[t]))
        for m, perm, shift in zip(*operations)
        for *step, s, t in full.tolist()
    }
    assert moved == {tuple(row) for row in full.tolist()}


def test_von_neumann_offsets():
    assert {tuple(row) for row in von_neumann_offsets().tolist()} == {
        (1, 0, 0, 0),
        (-1, 0, 0, 0),
        (0, 1, 0, 0),
        (0, -1, 0, 0),
    }
