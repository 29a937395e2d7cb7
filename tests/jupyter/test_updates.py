"""What open views show when the session changes: a new result, a branch, an interrupt, an error."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

SHOWN, SLOW = 1, 2  # cells

# Stands for a step that takes long on a large micrograph: it tells of progress as they all do.
SLOW_LAYOUT = """
import dataclasses, time
from atomotif.steps.graph import STEPS

def slowly(*groups, parameters, context):
    for k in range(600):
        context.report(k / 600)
        time.sleep(0.1)

quick = STEPS["compute_layout"]
STEPS["compute_layout"] = dataclasses.replace(quick, function=slowly)
try:
    session.compute_layout()
finally:
    STEPS["compute_layout"] = quick
"""


@pytest.fixture(scope="module")
def opened(open_notebook):
    return open_notebook("session", SLOW_LAYOUT, run=False)


@pytest.fixture
def notebook(opened):
    """The notebook with a new session, which is shown."""
    opened.run(0)
    opened.run(SHOWN)
    opened.errors.clear()
    opened.page.mouse.move(2, 2)
    return opened


def motif_names(view):
    return view.box.locator(".am-tile .am-name").all_inner_texts()


def zoomed_in(view):
    """Zoom into the micrograph with the wheel and return what is shown of it."""
    before = view.state("view.mounted.figures.micrograph.x_range.end")
    view.page.mouse.move(*view.place("micrograph", 1.0, 1.0))
    for _ in range(5):
        view.page.mouse.wheel(0, -120)
        view.notebook.settle()
    view.page.mouse.move(2, 2)
    shown = range_of(view)
    assert shown[1] < 0.8 * before
    return shown


def range_of(view):
    micrograph = "view.mounted.figures.micrograph"
    ends = ", ".join(f"{micrograph}.{axis}_range.{end}" for axis in "xy" for end in ("start", "end"))
    return view.state(f"[{ends}]")


def test_a_new_result_updates_the_open_view_in_place(notebook, facts_of, lab):
    view = notebook.view(SHOWN)
    shown = zoomed_in(view)
    view.state("view.el.harness = 'the same node'")
    facts = facts_of(notebook)
    notebook.kernel.run(f"session.selection = {facts.id[[5, 9]].tolist()}")
    notebook.kernel.run("session.set_motifs((label == 2).astype(int), names=['most', 'rare'])")
    assert lab.until(lambda: motif_names(view) == ["most", "rare"])
    view = notebook.view(SHOWN)
    assert view.state("view.el.harness") == "the same node"
    assert range_of(view) == pytest.approx(shown, rel=1e-6)
    assert view.selected() == [5, 9]
    # The colours that are drawn are those of the new motifs.
    view.button("Clear").click()
    view.page.mouse.move(2, 2)
    now = facts_of(notebook)
    (x0, x1, y1, y0), margin = shown, 0.1  # y grows downwards; below lies the scale bar
    there = (now.x > x0 + margin) & (now.x < x1 - margin) & (now.y > y0 + margin) & (now.y < y1 - 0.3)
    assert there.sum() > 10
    notebook.settle()
    drawn = view.colors("micrograph", now.x[there], now.y[there])
    assert np.abs(drawn - now.color[now.label[there]]).max() < 60
    assert notebook.errors == []


def test_a_run_after_new_points_updates_the_open_view(notebook, lab):
    view = notebook.view(SHOWN)
    view.box.locator(".am-tile").nth(2).click()
    assert lab.until(lambda: notebook.kernel.evaluate("len(heard)"))
    notebook.kernel.run("warnings.simplefilter('ignore'); session.set_points(rowcol[:200]); session.run()")
    assert lab.until(lambda: notebook.view(SHOWN).state("view.mounted.columns.id.length") == 200)
    assert "of 200 columns" in lab.until(lambda: notebook.view(SHOWN).box.locator(".am-summary").inner_text())
    # The columns that stayed are still selected, by new ids.
    kept = notebook.kernel.evaluate("np.flatnonzero(label[:200] == 2).tolist()")
    assert notebook.view(SHOWN).selected() == kept
    assert notebook.errors == []


def test_branches_are_offered_as_tabs_and_share_the_selection(notebook, lab):
    view = notebook.view(SHOWN)
    assert view.box.get_by_role("tab").count() == 0
    view.state("view.el.harness = 'the same node'")
    notebook.kernel.run("some = session.branch('some', ids=session.motifs.ids('B')); some.run()")
    tabs = view.box.get_by_role("tab")
    assert lab.until(lambda: tabs.all_inner_texts() == ["main", "some"])
    tabs.nth(1).click()
    assert lab.until(lambda: notebook.view(SHOWN).state("view.mounted.columns.id.length") < 300)
    view = notebook.view(SHOWN)
    assert view.state("view.el.harness") == "the same node"
    assert notebook.kernel.evaluate("session.view().analysis") == "some"
    # A column of the branch is the same column in the session.
    x, y = view.state("[view.mounted.columns.x[10], view.mounted.columns.y[10]]")
    view.tap("micrograph", x, y)
    assert view.selected() == [10]
    expected = notebook.kernel.evaluate("[int(some.data['points']['id'].values[10])]")
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected)
    tabs.nth(0).click()
    assert lab.until(lambda: notebook.view(SHOWN).state("view.mounted.columns.id.length") == 400)
    row = notebook.kernel.evaluate(f"session.data['points']['id'].values.tolist().index({expected[0]})")
    assert notebook.view(SHOWN).selected() == [row]
    assert notebook.errors == []


def test_a_long_step_shows_progress_and_can_be_interrupted(notebook, facts_of, lab):
    view = notebook.view(SHOWN)
    facts = facts_of(notebook)
    view.box.locator(".am-tile").nth(2).click()
    notebook.see(SHOWN)
    notebook.start(SLOW)
    assert lab.until(lambda: "compute_layout" in notebook.output(SLOW) and "2 %" in notebook.output(SLOW))
    # The views are alive while the kernel is busy.
    view = notebook.view(SHOWN)
    view.drag("micrograph", [(0, 0), (1, 0), (1, 1), (0, 1)])
    rows = np.flatnonzero((facts.x < 1) & (facts.y < 1)).tolist()
    assert view.selected() == rows
    notebook.interrupt()
    notebook.finish()
    assert "KeyboardInterrupt" in notebook.output(SLOW)
    assert "█" not in notebook.output(SLOW)
    # What was drawn round meanwhile has arrived; all else is as it was.
    assert lab.until(
        lambda: notebook.kernel.evaluate("session.selection.tolist()") == facts.id[rows].tolist()
    )
    now = facts_of(notebook)
    np.testing.assert_array_equal(now.u, facts.u)
    np.testing.assert_array_equal(now.label, facts.label)
    assert notebook.kernel.evaluate("list(session.stale)") == []
    assert notebook.view(SHOWN).selected() == rows
    view.box.locator(".am-tile").nth(0).click()
    expected = facts.id[facts.label == 0].tolist()
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected)
    assert notebook.errors == []


CATCH = """
told = []
warnings.simplefilter("always")
warnings.showwarning = lambda message, category, *rest: told.append([category.__name__, str(message)])
"""
BREAK = {
    "columns of an unknown kind": """
        columns = dict(store.columns)
        columns["x"] = {**columns["x"], "dtype": "complex256"}
        store.replace(columns=columns, version=store.version + 1)""",
    "a figure that Bokeh cannot read": """
        store.replace(figures={"micrograph": {"roots": 7}, "layout": {}}, version=store.version + 1)""",
}


@pytest.mark.parametrize("how", BREAK)
def test_an_error_in_the_page_is_shown_and_reaches_python(notebook, lab, how):
    view = notebook.view(SHOWN)
    assert view.box.get_by_role("alert").all_inner_texts() in ([], [""])
    notebook.kernel.run(CATCH)
    code = "\n".join(line.strip() for line in BREAK[how].splitlines())
    notebook.kernel.run(f"store = session.view().store\n{code}")
    alert = view.box.get_by_role("alert").first
    alert.wait_for(state="visible")
    assert "atomotif" in alert.inner_text()
    told = lab.until(lambda: notebook.kernel.evaluate("told"))
    assert told[0][0] == "AtomotifWarning"
    # The reason is the same in both places.
    assert told[0][1].rpartition(": ")[2] in alert.inner_text()
    # A result that can be shown takes the place of the error.
    notebook.kernel.run("session.set_motifs((label == 2).astype(int), names=['most', 'rare'])")
    view = notebook.view(SHOWN)
    assert motif_names(view) == ["most", "rare"]
    assert view.box.get_by_role("alert").all_inner_texts() in ([], [""])


def test_names_with_markup_are_shown_as_typed(notebook, lab):
    hostile = "<img src=x onerror=\"document.title='run'\"><b>bold</b>"
    notebook.kernel.run(f"session.motifs.rename('C', {hostile!r})")
    view = notebook.view(SHOWN)
    assert lab.until(lambda: hostile in motif_names(view))
    view.box.locator(".am-tile").nth(2).click()
    assert hostile in view.box.locator(".am-summary").inner_text()
    row = int(notebook.kernel.evaluate("np.flatnonzero(label == 2)[4].item()"))
    x, y = view.state(f"[view.mounted.columns.x[{row}], view.mounted.columns.y[{row}]]")
    notebook.see(SHOWN)
    place = view.place("micrograph", x, y)
    notebook.page.mouse.move(place[0] + 8, place[1])
    notebook.page.mouse.move(*place, steps=3)
    card = view.box.locator(".am-card")
    card.wait_for(state="visible")
    assert hostile in card.inner_text()
    assert notebook.page.title() != "run"
    assert view.state("view.el.querySelectorAll('img, b').length") == 0
