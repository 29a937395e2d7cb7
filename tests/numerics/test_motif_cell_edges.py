import numpy as np
import pytest

from atomotif.numerics.crystal_operations import crystal_operations, four_fold_of_index, identity
from atomotif.numerics.motif_cell_edges import subset_edges
from atomotif.numerics.motif_cells import canonical_forms, grow
from atomotif.numerics.site_neighbors import near_offsets, von_neumann_offsets

HEX = np.array([[0, 20.0], [10 * np.sqrt(3), 10]])

# Random lattices are compared with plane geometry in test_hierarchy_brute_force.py.


def chains(*lengths, operations=None):
    index = np.concatenate([[[3 * n, i] for i in range(length)] for n, length in enumerate(lengths)])
    component = np.repeat(np.arange(len(lengths)), lengths)
    zeros = np.zeros(len(index), int)
    return canonical_forms(index, zeros, zeros, component, operations or four_fold_of_index())


def pairs(*arguments, **options):
    return list(zip(*(end.tolist() for end in subset_edges(*arguments, **options))))


def test_which_supersets_are_joined():
    cells = chains(1, 2, 4, 5)
    assert pairs(cells, identity()) == [(0, 1), (1, 2), (2, 3)]
    assert pairs(cells, identity(), "all") == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert pairs(cells, identity(), 1) == []
    assert pairs(cells, identity(), 2) == [(0, 1), (2, 3)]
    assert pairs(cells, identity(), np.int64(3)) == [(0, 1), (1, 2), (2, 3)]
    assert pairs(cells, identity(), 4) == [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]


def test_rotations_only_where_they_are_allowed():
    # A chain lies across the stem of a T; without rotations only the shorter arm holds it.
    lying = [[0, 0], [0, 1], [0, 2]]
    standing = [[10, 0], [11, 0], [12, 0], [12, 1]]
    index, component = lying + standing, [0] * 3 + [1] * 4
    cells = canonical_forms(index, [0] * 7, [0] * 7, component, identity())
    assert pairs(cells, identity()) == []
    assert pairs(cells, four_fold_of_index()) == [(0, 1)]


def test_others_may_lie_between():
    hook = [[0, 0], [0, 1], [1, 1], [2, 1], [2, 0]]
    block = [[10 + i, j] for i in range(3) for j in range(2)]
    cells = canonical_forms(hook + block, [0] * 11, [0] * 11, [0] * 5 + [1] * 6, identity())
    assert pairs(cells, identity()) == [(0, 1)]


@pytest.mark.parametrize("changed", [None, *range(60)])
def test_one_other_state_anywhere_parts(changed):
    # The bits of the surroundings of one item tell of a few places, the hash table of all.
    state = np.random.default_rng(0).integers(1, 3, 60)
    index = np.column_stack([np.zeros(121, int), np.r_[:60, 100:161]])
    larger = np.append(state, 1)
    if changed is not None:
        larger[changed] = 3 - larger[changed]
    component = np.repeat([0, 1], [60, 61])
    cells = canonical_forms(index, np.zeros(121, int), np.append(state, larger), component, identity())
    assert pairs(cells, identity()) == ([(0, 1)] if changed is None else [])


def test_long_motif_cells_that_are_found_at_their_first_item():
    # Each is longer than what is searched at a time, and begins amid a word of the bit table.
    lengths = [2, *range(4500, 4512)]
    index = np.concatenate([[[n, i] for i in range(length)] for n, length in enumerate(lengths)])
    state = (index[:, 1] == 0).astype(int)
    component = np.repeat(np.arange(len(lengths)), lengths)
    cells = canonical_forms(index, np.zeros(len(index), int), state, component, identity())
    nodes = range(len(lengths))
    assert pairs(cells, identity(), "all") == [(a, b) for a in nodes for b in nodes if a < b]


@pytest.mark.parametrize("edges", ["nearest", "all", 4])
@pytest.mark.parametrize("n_states", [1, 400])
def test_embedded_motif_cells_are_found_at_any_number_of_states(edges, n_states):
    # More states than the table has lines for: features share lines, the result is exact.
    rng = np.random.default_rng(n_states)
    operations = crystal_operations(HEX, [[1 / 3, 1 / 3], [2 / 3, 2 / 3]], [0, 0], mirrors=True)
    near = near_offsets(HEX, [[1 / 3, 1 / 3], [2 / 3, 2 / 3]])
    lists, truth = [], set()
    for n in range(30):
        items = np.argwhere(rng.random((6, 6, 2)) < 0.5)
        part = items[grow(items[:, :2], items[:, 2], near) == 0]
        state = rng.integers(0, n_states, len(part))
        pick = rng.permutation(len(part))[: max(1, len(part) - 1 - n % 3)]
        op = rng.integers(len(operations.matrix))
        turned = (part[pick, :2] @ operations.matrix[op]) + operations.shift[op][part[pick, 2]]
        lists.append((part[:, :2], part[:, 2], state))
        lists.append((turned + rng.integers(-9, 9, 2), operations.perm[op][part[pick, 2]], state[pick]))
        if len(pick) < len(part):
            truth.add((2 * n + 1, 2 * n))
    component = np.repeat(np.arange(len(lists)), [len(one[0]) for one in lists])
    cells = canonical_forms(*(np.concatenate(one) for one in zip(*lists)), component, operations)
    found = set(pairs(cells, operations, edges))
    expected = {(int(cells.node[a]), int(cells.node[b])) for a, b in truth}
    assert len(expected) > 10
    if edges == "nearest":  # the planted one, unless a smaller one happens to hold it
        missed = expected - found
        assert all(
            any(a == low and cells.level[b] < cells.level[high] for a, b in found) for low, high in missed
        )
    else:
        assert expected <= found


def test_any_number_of_threads():
    index = np.argwhere(np.random.default_rng(0).random((150, 150)) < 0.45)
    zeros = np.zeros(len(index), int)
    component = grow(index, zeros, von_neumann_offsets())
    cells = canonical_forms(index, zeros, zeros, component, four_fold_of_index())
    assert len(cells.level) > 200  # several blocks
    one, two = (subset_edges(cells, identity(), "all", n_threads=n) for n in (1, 2))
    assert np.array_equal(one, two)
    assert np.array_equal(np.lexsort((one[1], one[0])), np.arange(len(one[0])))


@pytest.mark.parametrize("lengths", [[], [3], [3, 3]])
def test_no_edges(lengths):
    if not lengths:
        empty = np.empty(0, int)
        cells = canonical_forms(np.empty((0, 2), int), empty, empty, empty, identity())
    else:
        cells = chains(*lengths)
    assert pairs(cells, identity()) == []


@pytest.mark.parametrize("edges", ["near", 0, -1, 2.0, True, None])
def test_errors(edges):
    with pytest.raises(ValueError, match=r"`edges` must be 'nearest', 'all' or a number of at least 1, got"):
        subset_edges(chains(1, 2), identity(), edges)


def test_operations_for_fewer_kinds():
    cells = canonical_forms([[0, 0], [3, 3], [3, 4]], [1, 1, 1], [0, 0, 0], [0, 1, 1], identity(2))
    with pytest.raises(ValueError, match=r"`operations` must be for all kinds of `cells`, got 1 for 2"):
        subset_edges(cells, identity(1))
