"""The motif-cells in JupyterLab, with a real mouse: the other views, and Python."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

PLANTED, ALL, TREE = 1, 2, 3  # cells

# As the fixture `planted`: three single V, a missing column of B, two pairs of V.
PLANT = """
row, col = np.mgrid[:20, :20].reshape(2, -1)
label = col % 2
for at in [(3, 3), (3, 9), (15, 5), (8, 13), (9, 13), (14, 15), (15, 15)]:
    label[20 * at[0] + at[1]] = 2
there = np.arange(400) != 20 * 8 + 5
rowcol = np.column_stack([row, col])[there] * 14.0 + 7
label = label[there]
image = np.zeros((280, 280))
image[tuple(rowcol.astype(int).T)] = np.array([1.0, 0.6, 0.25])[label]
image = scipy.ndimage.gaussian_filter(image, 2.5) + rng.normal(0, 0.002, image.shape)
session = am.MotifSession(image, pixel_size=0.0125, units="nm")
session.set_points(rowcol).set_motifs(label, names=["A", "B", "V"]).run()
heard = []
session.observe(lambda change: heard.append(change["new"].tolist()))
"""


@pytest.fixture(scope="module")
def opened(open_notebook):
    return open_notebook(PLANT, "session", 'session.view("tree")')


@pytest.fixture
def notebook(opened, lab):
    """The notebook with nothing selected and nobody having heard of a selection."""
    view = opened.view(ALL)
    opened.page.mouse.move(2, 2)
    opened.kernel.run("session.selection = []")
    assert lab.until(lambda: view.selected() == [])
    opened.page.wait_for_timeout(500)  # no tap of this test is to be the second of a double tap
    opened.kernel.run("heard.clear()")
    yield opened
    assert opened.errors == []


@pytest.fixture(scope="module")
def places(opened):
    return np.array(
        opened.kernel.evaluate("[session.data['points'][name].values.tolist() for name in ('x', 'y')]")
    )


def layer(view, name):
    """Return what the tree draws in one of its layers."""
    return view.state(
        f"""Object.fromEntries(Object.entries(view.mounted.figures.tree.renderers
          .find(({{ name }}) => name === "tree-{name}").data_source.data)
          .map(([key, values]) => [key, Array.from(values)]))"""
    )


def tap(view, count):
    """Tap the motif-cell that has this count beside it."""
    view.box.locator(".am-panel-tree").scroll_into_view_if_needed()
    view.page.wait_for_timeout(200)
    counts = layer(view, "counts")
    at = counts["text"].index(count)
    x, y = view.place("tree", counts["x"][at], counts["y"][at])
    view.page.mouse.click(x - 5, y)
    view.page.wait_for_timeout(500)


def rows_of(notebook, node):
    ids = notebook.kernel.evaluate(f"session.motif_cells.ids({node}).tolist()")
    every = notebook.kernel.evaluate("session.data['points']['id'].values.tolist()")
    return [every.index(one) for one in ids]


def test_a_tap_on_a_motif_cell_lights_the_others_and_reaches_python_once(notebook, places, lab):
    view = notebook.view(ALL)
    x, y = places
    before = view.colors("micrograph", x, y)
    tap(view, "×2")
    rows = rows_of(notebook, 2)
    assert view.selected() == rows
    expected = notebook.kernel.evaluate("session.motif_cells.ids(2).tolist()")
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected)
    assert notebook.kernel.evaluate("heard") == [expected]
    assert layer(view, "lit-counts")["text"] == ["2 / 2"]
    assert "4 of 399" in view.box.locator(".am-summary").inner_text()
    notebook.see(ALL)
    view.page.mouse.move(2, 2)
    notebook.settle()
    after = view.colors("micrograph", x, y)
    color = notebook.kernel.evaluate("str(session.data['motifs']['color'].values[2])")
    color = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)])
    lit = np.isin(np.arange(399), rows)
    assert np.abs(after[lit] - color).max() < 12
    clear = ~lit & ~((x < 1.4) & (y > 2.8))
    assert (after[clear].sum(axis=1) < before[clear].sum(axis=1)).all()
    # White round each pair, which was not there before.
    radius = view.state("view.store.get('facts').tree.body")
    at = view.places("micrograph", x[lit] + radius, y[lit])
    pixels = notebook.pixels()
    for col, row in np.rint(at).astype(int):
        assert pixels[row, col - 3 : col + 4].min(axis=1).max() > 170


def test_a_lasso_in_the_micrograph_lights_the_motif_cells(notebook, lab):
    view = notebook.view(ALL)
    bottom = 9 * 14 * 0.0125
    view.drag("micrograph", [(0.0, 0.0), (3.45, 0.0), (3.45, bottom), (0.0, bottom)])
    assert sorted(layer(view, "lit-counts")["text"]) == ["1 / 1", "1 / 2", "2 / 3"]
    assert lab.until(lambda: len(notebook.kernel.evaluate("heard")) == 1)
    # The tree in a cell of its own has followed.
    alone = notebook.view(TREE)
    assert sorted(layer(alone, "lit-counts")["text"]) == ["1 / 1", "1 / 2", "2 / 3"]
    lit = layer(alone, "lit-discs")
    alone.page.mouse.move(2, 2)
    notebook.settle()
    drawn = alone.colors("tree", lit["x"], lit["y"])
    color = notebook.kernel.evaluate("str(session.data['motifs']['color'].values[2])")
    color = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)])
    assert (np.abs(drawn - color).max(axis=1) < 12).sum() == 3


def test_a_selection_made_in_python_lights_the_motif_cells(notebook, lab):
    view = notebook.view(TREE)
    notebook.kernel.run("session.selection = session.motif_cells.ids(0)[:2]")
    assert lab.until(lambda: layer(view, "lit-counts")["text"] == ["2 / 3"])
    assert len(notebook.kernel.evaluate("heard")) == 1


def test_the_restriction_follows_the_motifs(notebook, lab):
    view = notebook.view(ALL)
    view.box.get_by_role("button", name="Only of selected motifs").click()
    view.box.locator(".am-tile").nth(2).click()
    assert sorted(layer(view, "counts")["text"]) == ["×2", "×3"]
    # A name is shown anew, the zoom and the switch are kept.
    notebook.kernel.run("session.motifs.rename('V', 'void')")
    assert lab.until(lambda: "void" in notebook.view(ALL).box.locator(".am-gallery").inner_text())
    view = notebook.view(ALL)
    assert sorted(layer(view, "counts")["text"]) == ["×2", "×3"]
    switch = view.box.get_by_role("button", name="Only of selected motifs")
    assert switch.get_attribute("aria-pressed") == "true"
    switch.click()
    assert sorted(layer(view, "counts")["text"]) == ["×1", "×2", "×3"]
    notebook.kernel.run("session.undo()")
    assert lab.until(lambda: "void" not in notebook.view(ALL).box.locator(".am-gallery").inner_text())


def test_other_motifs_make_another_tree(notebook, lab):
    notebook.kernel.run(
        "warnings.simplefilter('ignore')\n"
        "other = np.where(label == 2, 1, label); other[[45, 47]] = 2\n"
        "session.set_motifs(other, names=['A', 'B', 'W']).run()"
    )
    assert lab.until(lambda: len(layer(notebook.view(ALL), "counts")["text"]) == 2, 30)
    view = notebook.view(ALL)
    tap(view, "×2")
    assert view.selected() == [45, 47]
    assert layer(view, "lit-counts")["text"] == ["2 / 2"]
    assert layer(notebook.view(TREE), "lit-counts")["text"] == ["2 / 2"]
