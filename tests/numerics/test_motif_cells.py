import numpy as np
import pytest
from scipy import ndimage

from atomotif.numerics.crystal_operations import Operations, crystal_operations, four_fold_of_index, identity
from atomotif.numerics.motif_cells import canonical_forms, grow
from atomotif.numerics.site_neighbors import near_offsets, von_neumann_offsets

HEX = np.array([[0, 20.0], [10 * np.sqrt(3), 10]])
MX2 = HEX, np.array([[0, 0], [1 / 3, 1 / 3]])  # metal, chalcogen
GRAPHENE = HEX, np.array([[1 / 3, 1 / 3], [2 / 3, 2 / 3]])

# Random lattices are compared with plane geometry in test_hierarchy_brute_force.py.


def triangles(crystal, kind):
    """The two kinds of triangles of neighbouring sites of one sublattice, by what is in their middle."""
    vectors, fractions = crystal
    found = {}
    for index in ([[0, 0], [1, 0], [0, 1]], [[1, 1], [1, 0], [0, 1]]):
        middle = (np.array(index) + fractions[kind]).mean(axis=0)
        apart = np.linalg.norm((middle - fractions - np.round(middle - fractions)) @ vectors, axis=1)
        found["site" if apart.min() < 1 else "hollow"] = np.array(index)
    assert len(found) == 2
    return found


def n_classes(groups, operations):
    index = np.concatenate([one for one, _ in groups])
    kind = np.concatenate([np.full(len(one), k) for one, k in groups])
    component = np.repeat(np.arange(len(groups)), [len(one) for one, _ in groups])
    return len(canonical_forms(index, kind, np.ones(len(index), int), component, operations).level)


@pytest.mark.parametrize("mirrors", [False, True])
def test_vacancy_triangles_round_a_metal_and_round_a_hollow(mirrors):
    operations = crystal_operations(*MX2, [0, 1], mirrors=mirrors)
    found = triangles(MX2, 1)
    assert n_classes([(found["site"], 1), (found["hollow"], 1)], operations) == 2
    turned = found["site"] @ operations.matrix[1] + operations.shift[1, 1] + [4, -7]
    assert n_classes([(found["site"], 1), (turned, 1), (found["hollow"] + 3, 1)], operations) == 2
    # Where all sites are alike, or there is no other sublattice, they are the same.
    assert n_classes([(found["site"], 0), (found["hollow"], 0)], crystal_operations(HEX, [[0, 0]], [0])) == 1


def test_triangles_of_graphene():
    operations = crystal_operations(*GRAPHENE, [0, 0])
    first, second = triangles(GRAPHENE, 0), triangles(GRAPHENE, 1)
    assert n_classes([(first["site"], 0), (second["site"], 1)], operations) == 1
    assert n_classes([(first["hollow"], 0), (second["hollow"], 1)], operations) == 1
    assert n_classes([(first["site"], 0), (first["hollow"], 0)], operations) == 2
    assert n_classes([(first["site"], 0), (second["site"], 1)], identity(2)) == 2


@pytest.mark.parametrize("vectors", [HEX, np.diag([20.0, 20.0])])
def test_mirror_images(vectors):
    shape = np.array([[0, 0], [1, 0], [2, 0], [2, 1]])
    mirrored = np.array([[0, 0], [1, 0], [2, 0], [2, -1]])
    if vectors is HEX:
        mirrored = np.array([[0, 0], [1, 0], [2, 0], [3, -1]])
    for mirrors, count in ((False, 2), (True, 1)):
        operations = crystal_operations(vectors, [[0, 0]], [0], mirrors=mirrors)
        assert n_classes([(shape, 0), (mirrored, 0)], operations) == count


def test_state_and_kind_count():
    index, component = [[0, 0], [5, 5], [9, 9]], [0, 1, 2]
    assert canonical_forms(index, [0, 0, 1], [1, 1, 1], component, identity(2)).count.tolist() == [2, 1]
    assert canonical_forms(index, [0, 0, 0], [1, 2, 1], component, identity(2)).count.tolist() == [2, 1]
    assert canonical_forms(index, [0, 0, 0], [-5, 10**12, -5], component, identity()).state.tolist() == [
        -5,
        10**12,
    ]


@pytest.mark.parametrize("share", [0.3, 0.55, 0.6])
def test_growth_equals_labelled_image(share):
    image = np.random.default_rng(0).random((300, 300)) < share
    index = np.argwhere(image)
    labels = ndimage.label(image)[0][tuple(index.T)]
    component = grow(index, np.zeros(len(index), int), von_neumann_offsets())
    first = np.unique(labels, return_index=True)[1]
    assert np.array_equal(component, np.argsort(np.argsort(first))[labels - 1])


@pytest.mark.parametrize("length", [1, 2, 40_000])
def test_long_chains(length):
    # Two long chains of one level, one turned, and one longer by an item.
    line = np.arange(length)
    one = np.column_stack([line, line // 2])
    other = np.column_stack([-(line // 2), line]) - 7
    index = np.concatenate(
        [one, other + 10**6, np.column_stack([np.arange(length + 1), np.zeros(length + 1)])]
    )
    component = np.repeat([0, 1, 2], [length, length, length + 1])
    cells = canonical_forms(
        index, np.zeros(len(index)), np.zeros(len(index)), component, four_fold_of_index()
    )
    assert cells.level.tolist() == [length, length + 1]
    assert cells.count.tolist() == [2, 1]
    assert cells.node.tolist() == [0, 0, 1]


def test_nothing():
    empty = np.empty((0, 2), int), np.empty(0, int)
    component = grow(*empty, von_neumann_offsets())
    assert component.tolist() == []
    cells = canonical_forms(*empty, component, component, identity())
    assert cells.level.tolist() == []
    assert cells.offsets.tolist() == [0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index": [0, 1]}, r"`index` must have shape \(n, 2\), got shape \(2,\)"),
        ({"kind": [0]}, r"`kind` must have one value for each of 2 items, got shape \(1,\)"),
        ({"kind": [0, -1]}, r"`kind` must not be negative, got -1"),
        ({"kind": [0, 1]}, r"`kind` must be less than 1, the sublattices of `operations`, got 1"),
        ({"state": [0]}, r"`state` must have one value"),
        ({"component": [0, 2]}, r"`component` must number the components from 0 without gaps"),
        ({"component": [0, -1]}, r"`component` must number"),
        (
            {"operations": Operations(*(part[:2] for part in four_fold_of_index()))},
            r"`operations` must be a group",
        ),
        ({"index": [[0, 0], [2**40, 2**40]], "component": [0, 0]}, r"`index` must span fewer than"),
    ],
)
def test_errors_of_canonical_forms(change, message):
    arguments = {"index": [[0, 0], [1, 1]], "kind": [0, 0], "state": [0, 0], "component": [0, 1]}
    with pytest.raises(ValueError, match=message):
        canonical_forms(**(arguments | {"operations": identity()} | change))


def test_errors_of_growth():
    with pytest.raises(ValueError, match=r"`index` must differ between items of one kind"):
        grow([[0, 0], [0, 0]], [0, 0], von_neumann_offsets())
    with pytest.raises(ValueError, match=r"`neighbors` must have shape \(k, 4\), got shape \(4, 2\)"):
        grow([[0, 0]], [0], von_neumann_offsets()[:, :2])
    assert grow([[0, 0], [0, 0]], [0, 1], near_offsets(*MX2)).tolist() == [0, 0]
