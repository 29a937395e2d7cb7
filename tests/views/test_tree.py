"""The tree's data against a session in which motif-cells were planted."""

import json

import numpy as np
import pytest
import xarray as xr

from atomotif.steps.base import Context
from atomotif.steps.build_hierarchy import BuildHierarchyParameters, build_hierarchy
from atomotif.views.tree import tree
from atomotif.views.tree_data import tree_data
from atomotif.views.tree_drawings import joined_circles
from atomotif.views.workbench import workbench

STEP = 14 * 0.0125  # nm: between columns, and the shortest lattice vector
SINGLE, MISSING, PAIR = 0, 1, 2  # nodes


def groups_of(session):
    return {name: node.to_dataset() for name, node in session.data.children.items()}


def read(groups):
    return tree_data(groups, groups["points"]["id"].values)


@pytest.fixture(scope="module")
def groups(planted):
    return groups_of(planted)


@pytest.fixture(scope="module")
def found(groups):
    return read(groups)


def run(offsets, one):
    return slice(int(offsets[one]), int(offsets[one + 1]))


def test_motif_cells_are_those_that_were_planted(found):
    assert found.node_level.tolist() == [1, 1, 2]
    assert found.node_count.tolist() == [3, 1, 2]
    assert list(zip(found.edge_lower, found.edge_higher)) == [(SINGLE, PAIR)]
    assert found.unit == "site"
    assert found.step == pytest.approx(STEP)


def test_points_of_an_occurrence_are_those_on_its_sites(found, groups, planted):
    ids = groups["points"]["id"].values
    for node in (SINGLE, PAIR):
        members = np.concatenate(
            [
                found.member_row[run(found.member_offset, one)]
                for one in range(*found.occurrence_offset[node : node + 2])
            ]
        )
        assert sorted(ids[members]) == sorted(planted.motif_cells.ids(node))
        assert len(members) == {SINGLE: 3, PAIR: 4}[node]
        assert (groups["motifs"]["label"].values[members] == 2).all()


def test_points_of_a_missing_column_are_those_next_to_it(found, groups):
    (one,) = range(*found.occurrence_offset[MISSING : MISSING + 2])
    members = found.member_row[run(found.member_offset, one)]
    points = groups["points"]
    away = np.hypot(points["row"].values - (8 * 14 + 7), points["col"].values - (5 * 14 + 7))
    assert sorted(members) == np.flatnonzero(away < 15).tolist()
    assert len(members) == 4


def test_a_drawing_has_the_columns_where_they_lie(found):
    discs = run(found.disc_offset, PAIR)
    x, y = found.disc_x[discs], found.disc_y[discs]
    np.testing.assert_allclose(x, 0, atol=1e-6)
    np.testing.assert_allclose(np.sort(y), [-STEP / 2, STEP / 2], atol=1e-3 * STEP)
    assert found.disc_label[discs].tolist() == [2, 2]
    assert found.node_height[PAIR] == pytest.approx(found.node_height[SINGLE] + STEP, rel=1e-3)
    # Half way between the two there is a circle, so that the body is one.
    assert run(found.body_offset, PAIR).stop - run(found.body_offset, PAIR).start == 3


def test_a_missing_column_is_a_ring_in_the_colour_of_what_is_usual_there(found):
    missing = np.flatnonzero(found.disc_missing)
    assert missing.tolist() == [run(found.disc_offset, MISSING).start]
    assert found.disc_label[missing].tolist() == [1]


def test_outlines_are_round_the_sites(found, planted):
    for node, one in ((SINGLE, 0), (PAIR, 4)):
        circles = run(found.outline_offset, one)
        middle = [found.outline_y[circles].mean(), found.outline_x[circles].mean()]
        places = planted.motif_cells.occurrences(node)
        assert np.hypot(*(places - middle).T).min() < 0.1 * STEP


def test_ids_and_not_rows_are_matched(groups):
    ids = groups["points"]["id"].values
    shuffled = np.random.default_rng(0).permutation(ids)
    expected, again = tree_data(groups, ids), tree_data(groups, shuffled)
    for node in (SINGLE, PAIR):
        rows = run(again.occurrence_offset, node)
        part = slice(int(again.member_offset[rows.start]), int(again.member_offset[rows.stop]))
        assert sorted(shuffled[again.member_row[part]]) == sorted(ids[expected.member_row[part]])


def test_points_that_are_gone_are_left_out(groups):
    kept = groups["points"]["id"].values[:200]
    found = tree_data(groups, kept)
    assert found.member_row.max() < 200
    assert found.member_offset[-1] == len(found.member_row)


@pytest.mark.parametrize("missing", ["lattice", "cells", "hierarchy", "points"])
def test_without_a_hierarchy_there_is_no_tree(groups, missing):
    assert read_or_none({name: group for name, group in groups.items() if name != missing}) is None


def read_or_none(groups):
    return tree_data(groups, np.arange(3))


@pytest.mark.parametrize(
    ("stale", "shown"),
    [
        ((), True),
        (("hierarchy",), False),
        (("cells", "hierarchy"), False),
        (("lattice", "cells", "hierarchy"), True),
    ],
)
def test_a_tree_whose_lattice_or_cells_were_replaced_is_not_drawn(groups, stale, shown):
    marked = {name: group.assign_attrs(stale=int(name in stale)) for name, group in groups.items()}
    assert (read(marked) is not None) == shown


def test_cells_are_tiles_with_their_motifs_inside(groups):
    parameters = BuildHierarchyParameters(neighborhood="von_neumann", symmetry="c4")
    given = [groups[name] for name in ("image", "points", "lattice", "cells")]
    found = read({**groups, "hierarchy": build_hierarchy(*given, parameters, Context())})
    assert found.unit == "cell"
    vectors = groups["lattice"]["vector"].values
    assert len(found.tile_x) == found.tile_offset[-1] == found.node_level.sum()
    for node in range(len(found.node_level)):
        tiles, discs = run(found.tile_offset, node), run(found.disc_offset, node)
        corner = np.column_stack([found.tile_y[tiles, 0], found.tile_x[tiles, 0]])
        for y, x in zip(found.disc_y[discs], found.disc_x[discs]):
            within = np.linalg.solve(vectors.T, (np.array([y, x]) - corner).T)
            assert ((within > 0) & (within < 1)).all(axis=0).any()
    # The most frequent of one cell holds A and V, and that of a missing column A alone.
    assert found.disc_label[run(found.disc_offset, 0)].tolist() == [0, 2]
    assert found.disc_label[run(found.disc_offset, 1)].tolist() == [0]


def test_circles_join_what_is_near_within_a_run_alone():
    place = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 1.5], [0.0, 5.0]])
    circles, offsets = joined_circles(place, np.array([0, 2, 4]), 1.1)
    assert offsets.tolist() == [0, 3, 5]
    assert circles[:3, 1].tolist() == [0.0, 1.0, 0.5]
    empty, none = joined_circles(np.empty((0, 2)), np.array([0]), 1.0)
    assert len(empty) == 0
    assert none.tolist() == [0]


def test_only_what_is_selected_is_on_the_overlay_canvas():
    levels = {renderer.name: renderer.level for renderer in tree().renderers}
    overlay = {name for name, level in levels.items() if level == "overlay"}
    assert overlay == {n for n in levels if n.startswith("tree-lit-")} | {"tree-veil", "tree-hover"}
    assert {n.removeprefix("tree-lit-") for n in overlay} > {"edges", "rims", "bodies", "discs", "counts"}


def test_the_workbench_has_the_tree_where_there_is_one(planted):
    made = workbench(planted.data)
    assert made.facts["views"] == ["micrograph", "layout", "tree", "gallery", "selection"]
    assert json.loads(json.dumps(made.facts))["tree"]["unit"] == "site"
    without = xr.DataTree.from_dict(
        {name: group for name, group in groups_of(planted).items() if name != "hierarchy"}
    )
    made = workbench(without)
    assert "tree" not in made.facts["views"]
    assert made.facts["tree"] is None
    assert "nodeLevel" not in made.columns
