"""Components, classes and edges against a geometric brute force, and what must leave them unchanged.

The reference imports nothing from atomotif: it works on ideal positions in the plane with real rotations.
"""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.crystal_operations import crystal_operations, four_fold_of_index, identity
from atomotif.numerics.motif_cell_edges import subset_edges
from atomotif.numerics.motif_cells import canonical_forms, grow
from atomotif.numerics.site_neighbors import near_offsets, von_neumann_offsets

HEX = np.array([[0, 20.0], [10 * np.sqrt(3), 10]])


class Lattice(NamedTuple):
    vectors: np.ndarray
    fractions: np.ndarray
    majority: tuple
    n_rotations: int  # rotations and partial translations of the plane group, counted by hand
    n_all: int


def lattice(vectors, fractions, majority, n_rotations, n_all):
    return Lattice(np.array(vectors, float), np.array(fractions, float), majority, n_rotations, n_all)


LATTICES = {
    "square": lattice([[0, 20], [20, 0]], [[0, 0]], (0,), 4, 8),
    "hexagonal": lattice(HEX, [[0, 0]], (0,), 6, 12),
    "oblique": lattice([[0, 20], [27, 6]], [[0, 0]], (0,), 2, 2),
    "rectangular": lattice([[0, 20], [25, 0]], [[0, 0]], (0,), 2, 4),
    "MX2": lattice(HEX, [[0, 0], [1 / 3, 1 / 3]], (0, 1), 3, 6),
    "graphene": lattice(HEX, [[1 / 3, 1 / 3], [2 / 3, 2 / 3]], (0, 0), 6, 12),
    "kagome": lattice(HEX, [[0.5, 0], [0, 0.5], [0.5, 0.5]], (0, 0, 0), 6, 12),
    "perovskite": lattice([[0, 20], [20, 0]], [[0, 0], [0.5, 0.5]], (0, 1), 4, 8),
    "centred": lattice([[0, 20], [27, 0]], [[0, 0], [0.5, 0.5]], (0, 0), 4, 8),
    "p2gg": lattice([[0, 20], [29, 0]], [[0.1, 0.2], [0.9, 0.8], [0.6, 0.3], [0.4, 0.7]], (0, 0, 0, 0), 2, 4),
}


# --- the reference ---------------------------------------------------------------------------------------


def whole(x):
    return np.abs(x - np.round(x)).max() < 1e-6


def reference_operations(crystal, mirrors):
    """All p -> p @ Q + t that map labelled sites on labelled sites, up to lattice translations."""
    inverse = np.linalg.inv(crystal.vectors)
    sites = crystal.fractions @ crystal.vectors
    found = []
    for angle, mirror in itertools.product(sorted({*range(0, 360, 60), *range(0, 360, 90)}), (1, -1)):
        for axis in range(0, 180, 15) if mirror < 0 else (0,):
            turn = np.deg2rad(angle if mirror > 0 else 2 * axis)
            q = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            q = q if mirror > 0 else q @ np.diag([1, -1])
            if (mirror < 0 and (angle or not mirrors)) or not whole(crystal.vectors @ q @ inverse):
                continue
            for target in range(len(sites)):
                t = sites[target] - sites[0] @ q
                perm = [
                    [
                        other
                        for other in range(len(sites))
                        if crystal.majority[other] == crystal.majority[one]
                        and whole((sites[one] @ q + t - sites[other]) @ inverse)
                    ]
                    for one in range(len(sites))
                ]
                if all(len(p) == 1 for p in perm):
                    found.append((q, t, [p[0] for p in perm]))
    return found


def positions(crystal, index, kind):
    return (index + crystal.fractions[kind]) @ crystal.vectors


def reference_components(crystal, index, kind):
    # Translations of the pattern, those by a part of the cell included.
    parts = [t for q, t, _ in reference_operations(crystal, False) if np.allclose(q, np.eye(2))]
    steps = np.array(list(itertools.product(range(-3, 4), repeat=2))) @ crystal.vectors
    lengths = np.linalg.norm(steps[:, None] + np.array(parts), axis=-1)
    limit = 1.1 * lengths[lengths > 1e-6].min()
    p = positions(crystal, index, kind)
    near = np.linalg.norm(p[:, None] - p[None], axis=-1) <= limit
    component, number = [-1] * len(p), 0
    for start in range(len(p)):
        if component[start] >= 0:
            continue
        stack = [start]
        while stack:
            i = stack.pop()
            if component[i] < 0:
                component[i] = number
                stack.extend(np.flatnonzero(near[i]).tolist())
        number += 1
    return component


def places(p, kind, state):
    return {(round(x, 3) + 0.0, round(y, 3) + 0.0, k, s) for (x, y), k, s in zip(p.tolist(), kind, state)}


def is_part(crystal, operations, one, other):
    """Whether an operation and a translation take all items of `one` onto items of `other`."""
    index, kind, state = other
    target = positions(crystal, index, kind)
    there = places(target - target[0], kind, state)
    for q, _, perm in operations:
        image = positions(crystal, one[0], one[1]) @ q
        kinds = [perm[k] for k in one[1]]
        for n in range(len(target)):
            if kind[n] == kinds[0] and state[n] == one[2][0]:
                moved = image - image[0] + target[n] - target[0]
                if places(np.round(moved, 6), kinds, one[2]) <= there:
                    return True
    return False


def reference_classes(crystal, operations, groups):
    classes, examples = [], []
    for group in groups:
        for number, example in enumerate(examples):
            if len(example[0]) == len(group[0]) and is_part(crystal, operations, group, example):
                classes.append(number)
                break
        else:
            classes.append(len(examples))
            examples.append(group)
    return classes, examples


def reference_edges(levels, part, rule):
    """Pairs (a, b) by the rule, from the levels and a test of parts."""
    edges = set()
    for a, level in enumerate(levels):
        higher = [b for b in range(len(levels)) if levels[b] > level]
        if isinstance(rule, int):
            higher = [b for b in higher if levels[b] - level < rule]
        above = [b for b in higher if part(a, b)]
        if rule == "nearest" and above:
            above = [b for b in above if levels[b] == min(levels[c] for c in above)]
        edges |= {(a, b) for b in above}
    return edges


# --- samples -----------------------------------------------------------------------------------------------


def sample(crystal, seed, side, share, n_states):
    rng = np.random.default_rng(seed)
    items = np.argwhere(rng.random((side, side, len(crystal.fractions))) < share)
    return items[:, :2] - side // 2, items[:, 2], rng.integers(1, n_states + 1, len(items))


samples = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(3, 9), st.sampled_from([0.1, 0.2, 0.3, 0.45]), st.integers(1, 3)
)
names = st.sampled_from(sorted(LATTICES))
rules = st.sampled_from(["nearest", "all", 1, 2, 3])


def engine(crystal, items, mirrors=False, rule="nearest"):
    operations = crystal_operations(crystal.vectors, crystal.fractions, crystal.majority, mirrors=mirrors)
    near = near_offsets(crystal.vectors, crystal.fractions, operations=operations)
    component = grow(items[0], items[1], near)
    cells = canonical_forms(*items, component, operations)
    return operations, component, cells, subset_edges(cells, operations, rule)


def partition(labels):
    """The same for all numberings of the same partition."""
    first = {}
    return [first.setdefault(label, len(first)) for label in np.asarray(labels).tolist()]


def named_edges(cells, edges):
    """Edges by the first occurrence of each motif-cell, whatever the order of the motif-cells."""
    first = cells.occurrence[cells.occurrence_offsets[:-1]].tolist()
    return {(first[a], first[b]) for a, b in zip(*(end.tolist() for end in edges))}


# --- tests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("mirrors", [False, True])
def test_operations_of_the_plane_group(name, mirrors):
    crystal = LATTICES[name]
    expected = reference_operations(crystal, mirrors)
    found = crystal_operations(crystal.vectors, crystal.fractions, crystal.majority, mirrors=mirrors)
    turned = [(np.round(np.linalg.inv(crystal.vectors) @ m @ crystal.vectors, 6) + 0.0) for m in found.matrix]
    assert len(found.matrix) == (crystal.n_all if mirrors else crystal.n_rotations)
    assert {(q.tobytes(), tuple(perm)) for q, perm in zip(turned, found.perm.tolist())} == {
        ((np.round(q, 6) + 0.0).tobytes(), tuple(perm)) for q, _, perm in expected
    }
    index = np.zeros(len(crystal.fractions), int)
    for matrix, perm, shift in zip(*found):  # the integer map is one rigid motion of all sites
        before = positions(crystal, np.zeros((len(index), 2)), np.arange(len(index)))
        after = positions(crystal, shift, perm)
        apart = after - before @ np.linalg.inv(crystal.vectors) @ matrix @ crystal.vectors
        np.testing.assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(names, samples, st.booleans(), rules)
def test_equal_to_brute_force(name, drawn, mirrors, rule):
    crystal = LATTICES[name]
    items = sample(crystal, *drawn)
    _, component, cells, edges = engine(crystal, items, mirrors, rule)
    assert component.tolist() == reference_components(crystal, *items[:2])

    group = reference_operations(crystal, mirrors)
    groups = [tuple(part[component == c] for part in items) for c in range(component.max(initial=-1) + 1)]
    classes, examples = reference_classes(crystal, group, groups)
    assert partition(cells.node) == classes
    assert cells.count.sum() == len(groups)
    assert sorted(zip(cells.level.tolist(), cells.count.tolist())) == sorted(
        (len(example[0]), classes.count(number)) for number, example in enumerate(examples)
    )
    expected = reference_edges(
        [len(example[0]) for example in examples],
        lambda a, b: is_part(crystal, group, examples[a], examples[b]),
        rule,
    )
    first = [classes.index(number) for number in range(len(examples))]
    assert named_edges(cells, edges) == {(first[a], first[b]) for a, b in expected}


@settings(deadline=None, max_examples=60)
@given(names, samples, st.booleans())
def test_occurrences_are_mapped_onto_the_canonical_form(name, drawn, mirrors):
    crystal = LATTICES[name]
    index, kind, state = items = sample(crystal, *drawn)
    operations, component, cells, _ = engine(crystal, items, mirrors)
    assert sorted(cells.occurrence.tolist()) == list(range(len(cells.node)))
    for c, node in enumerate(cells.node.tolist()):
        run = slice(cells.offsets[node], cells.offsets[node + 1])
        form = np.column_stack([cells.index[run], cells.kind[run], cells.state[run]]).tolist()
        n, mine = cells.operation[c], component == c
        moved = index[mine] @ operations.matrix[n] + operations.shift[n][kind[mine]] + cells.translation[c]
        assert sorted(np.column_stack([moved, operations.perm[n][kind[mine]], state[mine]]).tolist()) == form
        assert np.min(form, axis=0)[:2].tolist() == [0, 0]
        where = slice(cells.occurrence_offsets[node], cells.occurrence_offsets[node + 1])
        assert c in cells.occurrence[where]
    order = list(zip(cells.level.tolist(), (-cells.count).tolist()))
    assert order == sorted(order)


@settings(deadline=None, max_examples=60)
@given(samples, st.sampled_from(["nearest", "all", 3]), st.sampled_from([four_fold_of_index, identity]))
def test_the_papers_rules_on_the_grid_of_indices(drawn, rule, symmetry):
    index, kind, state = sample(LATTICES["square"], *drawn)
    operations = symmetry()
    component = grow(index, kind, von_neumann_offsets())
    cells = canonical_forms(index, kind, state, component, operations)
    edges = subset_edges(cells, identity(), rule)

    def form(group):
        images = []
        for turn in range(len(operations.matrix)):
            image = [((i, j), (j, -i), (-i, -j), (-j, i))[turn] + (s,) for i, j, s in group]
            low = [min(x[axis] for x in image) for axis in (0, 1)]
            images.append(tuple(sorted((i - low[0], j - low[1], s) for i, j, s in image)))
        return min(images)

    at = {(i, j): s for (i, j), s in zip(index.tolist(), state.tolist())}
    groups = []
    while at:
        stack, group = [next(iter(at))], []
        while stack:
            i, j = stack.pop()
            if (i, j) in at:
                group.append((i, j, at.pop((i, j))))
                stack += [(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)]
        groups.append(form(group))
    nodes = sorted(set(groups), key=lambda node: (len(node), -groups.count(node), node))
    assert [nodes[node] for node in cells.node] == groups
    assert cells.count.tolist() == [groups.count(node) for node in nodes]
    items = np.column_stack([cells.index, cells.state]).tolist()
    assert [tuple(item) for item in items] == [item for node in nodes for item in node]

    def part(a, b):
        i0, j0, _ = nodes[a][0]
        return any(
            {(i - i0 + i1, j - j0 + j1, s) for i, j, s in nodes[a]} <= set(nodes[b]) for i1, j1, _ in nodes[b]
        )

    found = list(zip(*(end.tolist() for end in edges)))
    assert found == sorted(reference_edges([len(node) for node in nodes], part, rule))


shears = st.lists(
    st.sampled_from([((1, 1), (0, 1)), ((1, 0), (-1, 1)), ((0, 1), (1, 0)), ((1, -2), (0, 1))]), max_size=4
)


@settings(deadline=None, max_examples=60)
@given(names, samples, st.booleans(), rules, shears, st.integers(0, 2**32 - 1))
def test_another_basis_another_origin_another_order(name, drawn, mirrors, rule, changes, seed):
    crystal = LATTICES[name]
    index, kind, state = items = sample(crystal, *drawn)
    _, component, cells, edges = engine(crystal, items, mirrors, rule)
    rng = np.random.default_rng(seed)
    n_kinds = len(crystal.fractions)
    basis = np.linalg.multi_dot([np.eye(2), np.eye(2), *map(np.array, changes)]).round().astype(int)
    back = np.linalg.inv(basis).round().astype(int)
    steps = rng.integers(-5, 6, (n_kinds, 2))
    names_of = rng.permutation(n_kinds)  # sublattice s is now called names_of[s]
    fractions, majority = np.empty((n_kinds, 2)), np.empty(n_kinds, int)
    fractions[names_of] = (crystal.fractions + steps + rng.random(2)) @ back
    majority[names_of] = crystal.majority
    other = Lattice(basis @ crystal.vectors, fractions, majority, 0, 0)
    moved = ((index - steps[kind]) @ back, names_of[kind], state)
    _, component_2, cells_2, edges_2 = engine(other, moved, mirrors, rule)
    assert np.array_equal(component, component_2)
    assert partition(cells.node) == partition(cells_2.node)
    assert cells.level.tolist() == cells_2.level.tolist()
    assert cells.count.tolist() == cells_2.count.tolist()
    assert named_edges(cells, edges) == named_edges(cells_2, edges_2)


@settings(deadline=None, max_examples=60)
@given(names, samples, st.booleans(), rules, st.integers(0, 2**32 - 1))
def test_a_sample_turned_by_a_symmetry_of_its_crystal(name, drawn, mirrors, rule, number):
    crystal = LATTICES[name]
    index, kind, state = items = sample(crystal, *drawn)
    operations, component, cells, edges = engine(crystal, items, mirrors, rule)
    n = number % len(operations.matrix)
    turned = index @ operations.matrix[n] + operations.shift[n][kind] + [17, -4]
    _, component_2, cells_2, edges_2 = engine(
        crystal, (turned, operations.perm[n][kind], state), mirrors, rule
    )
    assert np.array_equal(component, component_2)
    for one in ("level", "count", "offsets", "index", "kind", "state", "node", "occurrence"):
        assert np.array_equal(getattr(cells, one), getattr(cells_2, one)), one
    assert np.array_equal(edges, edges_2)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["square", "hexagonal", "MX2", "graphene"]), samples, st.booleans(), rules)
def test_a_supercell_in_place_of_the_cell(name, drawn, mirrors, rule):
    crystal = LATTICES[name]
    index, kind, state = items = sample(crystal, *drawn)
    _, component, cells, edges = engine(crystal, items, mirrors, rule)
    parts = np.array([(i, j) for i in (0, 1) for j in (0, 1)])
    fractions = ((crystal.fractions[:, None] + parts) / 2).reshape(-1, 2)
    larger = Lattice(2 * crystal.vectors, fractions, np.repeat(crystal.majority, 4), 0, 0)
    part = (index % 2) @ [2, 1]
    _, component_2, cells_2, edges_2 = engine(larger, (index // 2, 4 * kind + part, state), mirrors, rule)
    assert np.array_equal(component, component_2)
    assert partition(cells.node) == partition(cells_2.node)
    assert named_edges(cells, edges) == named_edges(cells_2, edges_2)


@settings(deadline=None, max_examples=40)
@given(names, samples, st.integers(0, 2**32 - 1))
def test_measured_vectors_give_what_ideal_ones_give(name, drawn, seed):
    crystal = LATTICES[name]
    items = sample(crystal, *drawn)
    rng = np.random.default_rng(seed)
    turn = rng.uniform(0, 2 * np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    strain = np.eye(2) + rng.uniform(-0.015, 0.015, (2, 2))
    noise = rng.normal(scale=0.1, size=crystal.fractions.shape) / 20  # 0.1 px
    measured = crystal._replace(
        vectors=crystal.vectors @ rotation @ strain, fractions=crystal.fractions + noise
    )
    ideal, found = engine(crystal, items, True), engine(measured, items, True)
    assert len(found[0].matrix) == len(ideal[0].matrix)
    assert np.array_equal(found[1], ideal[1])
    assert partition(found[2].node) == partition(ideal[2].node)
    assert named_edges(found[2], found[3]) == named_edges(ideal[2], ideal[3])
