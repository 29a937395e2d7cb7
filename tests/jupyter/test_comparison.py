"""The comparison of domains in JupyterLab: linked both ways with Python and with the views of other cells."""

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.browser

ALL, ALONE, PICTURE = 1, 2, 3  # cells
MAKE = Path(__file__).parents[1].joinpath("compared.py").read_text()
#: Puts the groups in place as steps do.
PUT = """
for name, group in compared_groups(session.data["points"].to_dataset()).items():
    session._state.restore(name, group)
session._renew_views()
"""


@pytest.fixture(scope="module")
def notebook(open_notebook):
    return open_notebook("session", 'session.view("comparison")', 'session.view("micrograph")')


@pytest.fixture(scope="module")
def rows(notebook, compared, lab):
    """A function that gives the rows of the points of domains by their places in the map."""
    notebook.kernel.run(MAKE + PUT)
    assert lab.until(lambda: notebook.view(ALONE).box.locator(".am-cell").count() == 25)
    domain = np.array(notebook.kernel.evaluate("session.data['domains']['domain'].values.tolist()"))
    return lambda *places: np.flatnonzero(np.isin(domain, [compared.COMPARED[k] for k in places])).tolist()


def cell(view, row, col):
    return view.box.locator(".am-panel-comparison .am-cell").nth(5 * row + col)


def names(view):
    return view.box.locator(".am-histogram figcaption .am-name").all_inner_texts()


def outline(notebook, view, place):
    """Colours of the pixels along the outline of a domain of the micrograph, at the middle of its sides."""
    x, y = notebook.kernel.evaluate(
        "[session.data['domains'][f'outline_{a}'].values[4 * k : 4 * k + 4].tolist() for a in 'xy']",
        f"k = COMPARED[{place}]",
    )
    middle = [(np.array(one) + np.roll(one, 1)) / 2 for one in (x, y)]
    view.page.mouse.move(2, 2)
    notebook.settle()
    return view.colors("micrograph", *middle)


def is_color(colors, hexadecimal):
    rgb = [int(hexadecimal[at : at + 2], 16) for at in (1, 3, 5)]
    return bool((np.abs(colors - rgb).max(axis=1) < 12).all())


def test_a_tap_on_a_pair_selects_its_points_in_python_and_outlines_it_elsewhere(notebook, rows, lab):
    from atomotif.views.comparison import PAIR_COLORS

    alone = notebook.view(ALONE)
    notebook.kernel.run("heard.clear()")
    cell(alone, 3, 1).click()
    ids = notebook.kernel.evaluate("session.data['points']['id'].values.tolist()")
    expected = [ids[row] for row in rows(1, 3)]
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected)
    assert notebook.kernel.evaluate("heard") == [expected]
    assert names(alone) == ["B #2", "B #4"]
    assert notebook.view(ALL).selected() == rows(1, 3)
    picture = notebook.view(PICTURE)
    for place in range(5):
        drawn = outline(notebook, picture, place)
        assert is_color(drawn, PAIR_COLORS[0]) == (place == 1)
        assert is_color(drawn, PAIR_COLORS[1]) == (place == 3)
    assert notebook.errors == []


def test_a_selection_made_in_python_is_shown(notebook, rows, lab):
    select = "session.selection = session.data['points']['id'].values"
    notebook.kernel.run(f"{select}[{rows(0, 4)}]")
    assert lab.until(lambda: names(notebook.view(ALL)) == ["B #1", "B #5"])
    assert names(notebook.view(ALONE)) == ["B #1", "B #5"]
    notebook.kernel.run(f"{select}[{rows(2)[:5]}]")
    ticks = notebook.view(ALONE).box.locator(".am-tick-left.am-some")
    assert lab.until(lambda: ticks.all_inner_texts() == ["B #3"])
    assert names(notebook.view(ALONE)) == []
    notebook.kernel.run("session.selection = []")
    assert lab.until(lambda: ticks.count() == 0)
    assert notebook.errors == []


def test_what_is_looked_at_stays_when_the_view_is_built_anew(notebook, rows, lab):
    view = notebook.view(ALONE)
    cell(view, 0, 3).click()
    view.button("Raw").click()
    view.button("Deviations at like places").click()
    view.box.locator(".am-histogram-rows").focus()
    view.page.keyboard.press("End")
    assert "66 of 66" in view.box.locator(".am-compare-lines").inner_text()
    notebook.kernel.run("session.motifs.rename('A', 'metal')")
    assert lab.until(lambda: "metal" in notebook.view(ALL).box.locator(".am-panel-gallery").inner_text())
    again = notebook.view(ALONE)
    assert lab.until(lambda: "66 of 66" in again.box.locator(".am-compare-lines").inner_text())
    for name in ("Raw", "Deviations at like places"):
        assert again.button(name).get_attribute("aria-pressed") == "true"
    assert names(again) == ["B #1", "B #4"]
    assert notebook.errors == []


def test_it_goes_with_its_groups(notebook, rows, lab):
    notebook.kernel.run("del session._state.groups['comparison']; session._renew_views()")
    assert lab.until(lambda: notebook.view(ALL).box.locator(".am-panel-comparison").count() == 0)
    assert notebook.view(ALL).box.locator(".am-panel-micrograph").count() == 1
    assert notebook.errors == []
