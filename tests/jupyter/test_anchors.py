"""Anchors of a continuous sample in JupyterLab: linked with Python and with other cells."""

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.browser

ALL, MICROGRAPH, ANCHORS = 2, 3, 4  # cells
#: A session of a continuous sample: groups are put in place as steps do, whether or not there are such steps.
CONTINUOUS = (
    Path(__file__).parents[1].joinpath("continuous.py").read_text()
    + """
from atomotif.session import engine
engine.GROUPS = tuple(dict.fromkeys((*engine.GROUPS, "anchors", "domains", "moire")))
sample = make()
points = sample["points"]
session = am.MotifSession(sample["image"]["intensity"].values, pixel_size=0.0125, units="nm")
session.set_points(np.column_stack([points["row"], points["col"]]))

def put(*names):
    ids = ("point", session.data["points"]["id"].values)
    for name in names:
        session._state.restore(name, sample[name].to_dataset().assign_coords(id=ids))
    session._renew_views()

put("layout", "anchors", "domains", "moire")
"""
)


@pytest.fixture(scope="module")
def notebook(open_notebook):
    made = open_notebook(CONTINUOUS, "session", 'session.view("micrograph")', 'session.view("anchors")')
    yield made
    assert made.errors == []


@pytest.fixture(scope="module")
def sample(make_continuous):
    return make_continuous()


@pytest.fixture
def view(notebook, lab):
    """The view of all, with nothing selected."""
    notebook.kernel.run("session.selection = []")
    assert lab.until(lambda: notebook.view(ALL).selected() == [])
    notebook.page.wait_for_timeout(500)
    return notebook.view(ALL)


def mixtures(sample):
    from atomotif._palette import mixed_colors

    anchors = sample["anchors"].to_dataset()
    return mixed_colors([str(color) for color in anchors["color"].values], anchors["weight"].values).astype(
        int
    )


def clear(sample):
    """Rows of points beside the scale bar."""
    x, y = sample["points"]["x"].values, sample["points"]["y"].values
    return np.flatnonzero((x > 1.5) | (y < 2.6))


def drawn(notebook, view, sample, rows):
    x, y = sample["points"]["x"].values[rows], sample["points"]["y"].values[rows]
    view.page.mouse.move(2, 2)
    notebook.settle()
    return view.colors("micrograph", x, y)


def triangle(weight):
    return weight @ np.array([[0, 1], [np.sqrt(0.75), -0.5], [-np.sqrt(0.75), -0.5]])


def test_a_lasso_in_the_triangle_lights_all_cells_and_python_holds_it(notebook, view, sample, lab):
    weight = sample["anchors"]["weight"].values
    place = triangle(weight)
    corner = place[np.nanargmax(weight[:, 1])]
    alone = notebook.view(ANCHORS)
    alone.drag(
        "anchors", [tuple(corner + 0.3 * np.array(step)) for step in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    )
    expected = np.flatnonzero((np.abs(place - corner) < 0.3).all(axis=1))
    assert lab.until(lambda: len(notebook.kernel.evaluate("session.selection.tolist()")) > 50)
    ids = notebook.kernel.evaluate("session.data['points']['id'].values.tolist()")
    selected = notebook.kernel.evaluate("session.selection.tolist()")
    rows = np.flatnonzero(np.isin(ids, selected))
    assert len(np.setxor1d(rows, expected)) <= 2  # but for what lies within half a pixel of the edge
    for cell in (ALL, MICROGRAPH):
        shown = notebook.view(cell)
        assert lab.until(lambda shown=shown: shown.selected() == rows.tolist())
        lit = np.intersect1d(rows, clear(sample))
        colors = drawn(notebook, shown, sample, lit)
        assert np.abs(colors - mixtures(sample)[lit]).max() < 12


def test_python_selects_in_the_triangle(notebook, view, sample, lab):
    notebook.kernel.run("session.selection = session.data['points']['id'].values[[100, 200]]")
    shown = notebook.view(ANCHORS)
    assert lab.until(lambda: shown.selected() == [100, 200])
    x, y = triangle(sample["anchors"]["weight"].values[[100, 200]]).T
    shown.page.mouse.move(2, 2)
    notebook.settle()
    colors = shown.colors("anchors", x, y)
    assert np.abs(colors - mixtures(sample)[[100, 200]]).max() < 12


def test_the_colouring_is_chosen_a_view_and_outlives_new_results(notebook, view, sample, lab):
    chooser = view.box.locator(".am-coloring .am-select")
    chooser.select_option("domains")
    rows = clear(sample)
    domain, anchor = sample["domains"]["domain"].values, sample["domains"]["anchor"].values
    palette = [str(color) for color in sample["anchors"]["color"].values]
    rgb = np.array([[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in [*palette, "#737373"]])
    expected = np.where(domain >= 0, anchor[domain], 3)

    def right():
        colors = drawn(notebook, notebook.view(ALL), sample, rows)
        found = np.argmin(np.abs(colors[:, None] - rgb).sum(axis=2), axis=1)
        return np.mean(found == expected[rows]) > 0.97

    assert lab.until(right)
    version = notebook.kernel.evaluate("session.view().store.version")
    notebook.kernel.run("put('moire')")
    assert notebook.kernel.evaluate("session.view().store.version") > version
    assert lab.until(
        lambda: notebook.view(ALL).box.locator(".am-coloring .am-select").input_value() == "domains"
    )
    assert lab.until(right)
    # Another cell has its own.
    assert notebook.view(MICROGRAPH).box.locator(".am-coloring .am-select").input_value() == "mixture"
    notebook.view(ALL).box.locator(".am-coloring .am-select").select_option("mixture")


def test_a_domain_of_the_layer_is_tapped(notebook, view, sample, lab):
    shown = notebook.view(MICROGRAPH)
    shown.box.locator(".am-layers .am-select").select_option("domains")
    assert lab.until(lambda: "AA\u2032 (3 domains)" in shown.box.locator(".am-layers").inner_text())
    shown.tap("micrograph", 2.0, 2.0)
    expected = np.flatnonzero(sample["domains"]["domain"].values == 4)
    assert lab.until(lambda: notebook.view(ALL).selected() == expected.tolist())
    ids = notebook.kernel.evaluate("session.data['points']['id'].values.tolist()")
    assert notebook.kernel.evaluate("session.selection.tolist()") == [ids[row] for row in expected]
    panel = notebook.view(ALL).box.locator(".am-panel-selection")
    mean = sample["anchors"]["weight"].values[expected].mean(axis=0)
    assert f"mean weights: {mean[0]:.2f} AA\u2032" in panel.inner_text()
    shown.box.locator(".am-layers .am-select").select_option("none")


def test_anchors_give_way_to_motifs(notebook, view, lab):
    titles = view.box.locator(".am-panel h2").all_inner_texts()
    assert titles == ["Micrograph", "Layout", "Anchors", "Nearest anchor", "Selection"]
    notebook.kernel.run("session.set_motifs(np.arange(900) % 2, names=['A', 'B'])")

    def gallery():
        return notebook.view(ALL).box.locator(".am-panel-gallery h2").inner_text()

    assert lab.until(lambda: gallery() == "Motifs")
    options = notebook.view(ALL).box.locator(".am-coloring option").all_inner_texts()
    # The anchors were put there without the features that they are made from: the patch size is news to them.
    names = [option.removesuffix(" (out of date)") for option in options]
    assert names == ["motifs", "anchors (soft)", "anchors (nearest)", "domains"]
