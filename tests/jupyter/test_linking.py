"""Gestures with a real mouse in JupyterLab: the pixels of the other views, and Python."""

import re

import numpy as np
import pytest

pytestmark = pytest.mark.browser

ALL, LAYOUT, MICROGRAPH, ALL_AGAIN = 1, 2, 3, 4  # cells


@pytest.fixture(scope="module")
def opened(open_notebook):
    return open_notebook("session", 'session.view("layout")', 'session.view("micrograph")', "session.view()")


@pytest.fixture(scope="module")
def facts(opened, facts_of):
    return facts_of(opened)


@pytest.fixture
def notebook(opened, lab):
    """The notebook with nothing selected, no button pressed and nobody having heard of a selection."""
    view = opened.view(ALL)
    view.button("Replace").click()
    opened.page.mouse.move(2, 2)
    opened.kernel.run("session.selection = []")
    assert lab.until(lambda: view.selected() == [])
    opened.page.wait_for_timeout(500)  # no tap of this test is to be the second of a double tap
    opened.kernel.run("heard.clear()")
    yield opened
    assert opened.errors == []


def chosen(notebook, lab, expected):
    """Return the ids that are selected in Python, once they are those expected, or not in time."""
    expected = [int(one) for one in expected]
    lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected, 10)
    return notebook.kernel.evaluate("session.selection.tolist()") == expected


def inside(polygon, places):
    """Return which places are inside a polygon, and which of them for sure: 2 px from its edge or more."""
    ends = np.roll(polygon, -1, axis=0)
    x, y = places[:, :1], places[:, 1:]
    (x0, y0), (x1, y1) = polygon.T, ends.T
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2), 0, 1)
    distance = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)).min(axis=1)
    return crossing.sum(axis=1) % 2 == 1, distance > 2


def is_in(rows, n=400):
    """Return for every row whether it is among `rows`."""
    return np.isin(np.arange(n), rows)


def around(facts, motif, half=0.045):
    """The corners of a lasso around the middle of a motif in the layout, no rectangle."""
    of = facts.label == motif
    u, v = np.median(facts.u[of]), np.median(facts.v[of])
    du, dv = half * np.ptp(facts.u), half * np.ptp(facts.v)
    return [(u - du, v), (u, v - dv), (u + 0.8 * du, v + 0.1 * dv), (u + 0.2 * du, v + dv)]


def test_lasso_in_the_layout_lights_the_micrograph_and_reaches_python_once(notebook, facts, assert_lit, lab):
    view = notebook.view(ALL)
    corners = around(facts, 0)
    polygon = np.array([view.place("layout", *corner) for corner in corners])
    hit, sure = inside(polygon, view.places("layout", facts.u, facts.v))
    assert 20 < (hit & sure).sum() < 380
    view.drag("layout", [*corners, corners[0]])
    rows = view.selected()
    was_hit = is_in(rows)
    np.testing.assert_array_equal(was_hit[sure], hit[sure])
    assert chosen(notebook, lab, facts.id[rows])
    assert notebook.kernel.evaluate("heard") == [facts.id[rows].tolist()]
    assert_lit(view, facts, is_in(rows))


def test_lasso_in_the_micrograph_lights_the_layout(notebook, facts, lab):
    view = notebook.view(ALL)
    view.drag("micrograph", [(0.0, 0.0), (1.66, 0.0), (1.66, 1.0), (0.0, 1.0)])
    rows = np.flatnonzero((facts.x < 1.66) & (facts.y < 1.0))
    assert view.selected() == rows.tolist()
    assert chosen(notebook, lab, facts.id[rows])
    view.page.mouse.move(2, 2)
    notebook.settle()
    pixels = notebook.pixels()
    for motif in range(3):
        color, of = facts.color[motif], rows[facts.label[rows] == motif]
        found = 0
        for x, y in np.rint(view.places("layout", facts.u[of], facts.v[of])).astype(int):
            near = pixels[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3)
            found += np.abs(near - color).max(axis=1).min() < 12
        # A point may lie under one of another motif.
        assert found > 0.9 * len(of) > 0


def test_box_in_the_micrograph(notebook, facts, lab):
    view = notebook.view(ALL)
    panel = view.box.locator(".am-panel-micrograph")
    panel.get_by_title(re.compile("Box Select", re.I)).click()
    try:
        view.drag("micrograph", [(0.6, 0.8), (2.0, 1.9)])
    finally:
        panel.get_by_title(re.compile("Lasso Select", re.I)).click()
    rows = np.flatnonzero((facts.x > 0.6) & (facts.x < 2.0) & (facts.y > 0.8) & (facts.y < 1.9))
    assert view.selected() == rows.tolist()
    assert chosen(notebook, lab, facts.id[rows])
    assert notebook.kernel.evaluate("heard") == [facts.id[rows].tolist()]


def test_tap_selects_a_column_and_clears_beside_the_points(notebook, facts, lab):
    view = notebook.view(ALL)
    row = 210
    view.tap("micrograph", facts.x[row], facts.y[row])
    assert view.selected() == [row]
    assert chosen(notebook, lab, [facts.id[row]])
    u = facts.u.min() - 0.035 * np.ptp(facts.u)
    free = np.hypot(facts.u - u, facts.v[:, None] - facts.v).min(axis=1)
    view.tap("layout", u, facts.v[free.argmax()])
    assert view.selected() == []
    assert chosen(notebook, lab, [])
    assert notebook.kernel.evaluate("heard") == [[int(facts.id[row])], []]


def test_tap_on_a_motif_in_the_gallery(notebook, facts, assert_lit, lab):
    view = notebook.view(ALL)
    tile = view.box.locator(".am-tile").nth(2)
    tile.click()
    rows = np.flatnonzero(facts.label == 2)
    assert chosen(notebook, lab, facts.id[rows])
    assert notebook.kernel.evaluate("heard") == [facts.id[rows].tolist()]
    assert tile.get_attribute("aria-pressed") == "true"
    assert "20 of 400 columns selected" in view.box.locator(".am-summary").inner_text()
    notebook.see(ALL)
    assert_lit(view, facts, is_in(rows))


@pytest.mark.parametrize("how", ["Escape", "double tap", "Clear"])
def test_a_selection_is_cleared(notebook, facts, lab, how):
    view = notebook.view(ALL)
    view.box.locator(".am-tile").nth(1).click()
    assert chosen(notebook, lab, facts.id[facts.label == 1])
    notebook.see(ALL)
    if how == "Escape":
        notebook.page.mouse.move(*view.place("micrograph", 1.0, 1.0))
        notebook.page.keyboard.press("Escape")
    elif how == "Clear":
        view.button("Clear").click()
    else:
        view.double_tap("micrograph", 1.0, 1.0)
    assert view.selected() == []
    assert chosen(notebook, lab, [])
    notebook.page.mouse.move(2, 2)
    notebook.settle()
    drawn = view.colors("micrograph", facts.x[facts.clear], facts.y[facts.clear])
    # There is no veil: points are but a little translucent.
    assert np.abs(drawn - facts.color[facts.label[facts.clear]]).max() < 60


@pytest.mark.parametrize("by", ["keys", "buttons"])
def test_add_remove_and_intersect(notebook, facts, lab, by):
    view = notebook.view(ALL)
    left, middle = [(0.0, 0.0), (1.0, 0.0), (1.0, 3.5), (0.0, 3.5)], [(0.6, 0), (2, 0), (2, 3.5), (0.6, 3.5)]
    in_left, in_middle = facts.x < 1.0, (facts.x > 0.6) & (facts.x < 2)
    view.drag("micrograph", left)
    steps = [
        ("Add", "Shift", middle, in_left | in_middle),
        ("Remove", "Control", left, in_middle & ~in_left),
        ("Intersect", "Alt", [(0, 0), (3.5, 0), (3.5, 1), (0, 1)], in_middle & ~in_left & (facts.y < 1)),
    ]
    for button, key, corners, expected in steps:
        if by == "buttons":
            view.button(button).click()
            view.drag("micrograph", corners)
        else:
            notebook.page.keyboard.down(key)
            view.drag("micrograph", corners)
            notebook.page.keyboard.up(key)
        assert view.selected() == np.flatnonzero(expected).tolist()
        assert chosen(notebook, lab, facts.id[expected])
    assert len(notebook.kernel.evaluate("heard")) == 4


def test_selection_set_in_python_lights_all_views(notebook, facts, assert_lit, lab):
    view = notebook.view(ALL)
    rows = [3, 4, 25, 399]
    notebook.kernel.run(f"session.selection = {facts.id[rows].tolist()}")
    assert lab.until(lambda: view.selected() == rows)
    assert_lit(view, facts, is_in(rows))
    assert "4 of 400" in view.box.locator(".am-summary").inner_text()
    # Nothing came back as a selection of its own.
    assert notebook.kernel.evaluate("heard") == [facts.id[rows].tolist()]
    for cell in (LAYOUT, MICROGRAPH, ALL_AGAIN):
        assert notebook.view(cell).selected() == rows


def test_views_in_several_cells_are_linked(notebook, facts, assert_lit, lab):
    layout = notebook.view(LAYOUT)
    corners = around(facts, 1)
    layout.drag("layout", [*corners, corners[0]])
    rows = layout.selected()
    assert 10 < len(rows) < 390
    assert chosen(notebook, lab, facts.id[rows])
    assert notebook.kernel.evaluate("heard") == [facts.id[rows].tolist()]
    assert_lit(notebook.view(MICROGRAPH), facts, is_in(rows))
    again = notebook.view(ALL_AGAIN)
    assert again.selected() == rows
    again.box.locator(".am-tile").nth(0).click()
    assert chosen(notebook, lab, facts.id[facts.label == 0])
    notebook.see(MICROGRAPH)
    assert_lit(notebook.view(MICROGRAPH), facts, facts.label == 0)


def test_each_cell_shows_what_was_asked_for(notebook):
    expected = {ALL: ["layout", "micrograph", "tree"], LAYOUT: ["layout"], MICROGRAPH: ["micrograph"]}
    for cell, figures in expected.items():
        view = notebook.view(cell)
        assert view.state("Object.keys(view.mounted.figures).sort()") == figures
        assert view.box.locator(".am-tile").count() == (3 if cell == ALL else 0)
    assert notebook.count_views() == 4


def test_hover_shows_the_patch_beside_the_average(notebook, facts):
    view = notebook.view(ALL)
    row = 210
    card = view.box.locator(".am-card")
    assert not card.is_visible()
    x, y = view.place("micrograph", facts.x[row], facts.y[row])
    notebook.page.mouse.move(x + 20, y + 3)
    notebook.page.mouse.move(x, y, steps=4)
    card.wait_for(state="visible")
    text = card.inner_text()
    assert f"#{facts.id[row]}" in text
    shown = dict(re.findall(r"^([xy]|motif)\s+([\w.]+)", text, re.M))
    assert shown["motif"] == "ABC"[facts.label[row]]
    assert float(shown["x"]) == pytest.approx(facts.x[row], abs=0.002)
    assert float(shown["y"]) == pytest.approx(facts.y[row], abs=0.002)
    # Beside the pointer, not somewhere else on the page of the notebook.
    box = card.bounding_box()
    assert abs(box["x"] - x) < 300
    assert abs(box["y"] - y) < 300
    assert card.locator("canvas").count() == 2
    # Each value beside its name: JupyterLab has rules of its own for such lists.
    tops = [
        card.locator(tag).evaluate_all("(all) => all.map((one) => one.offsetTop)") for tag in ("dt", "dd")
    ]
    assert len(tops[0]) == 5
    assert tops[0] == pytest.approx(tops[1], abs=2)
    notebook.page.mouse.move(2, 2)
    card.wait_for(state="hidden")
