"""Views that outlive a reload or their kernel, a second tab, and views that come and go."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

SHOWN, MICROGRAPH = 1, 2  # cells


@pytest.fixture
def notebook(open_notebook):
    opened = open_notebook("session", 'session.view("micrograph")')
    yield opened
    opened.close()


def select_motif(notebook, facts, motif, lab):
    """Tap on a motif and wait until Python knows."""
    notebook.view(SHOWN).box.locator(".am-tile").nth(motif).click()
    expected = facts.id[facts.label == motif].tolist()
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected)


def test_views_come_back_after_a_reload_with_the_selection(notebook, facts_of, assert_lit, lab):
    facts = facts_of(notebook)
    select_motif(notebook, facts, 2, lab)
    notebook.save()
    notebook.reload()
    assert_lit(notebook.view(MICROGRAPH), facts, facts.label == 2)
    assert_lit(notebook.view(SHOWN), facts, facts.label == 2)
    view = notebook.view(SHOWN)
    view.drag("micrograph", [(0, 0), (1, 0), (1, 1), (0, 1)])
    expected = facts.id[(facts.x < 1) & (facts.y < 1)].tolist()
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected)
    assert notebook.errors == []


def test_a_second_tab_follows(notebook, facts_of, assert_lit, lab, browser, server):
    facts = facts_of(notebook)
    notebook.save()
    second = lab.Notebook(browser.page(), server)
    second.open(notebook.name, workspace="second")
    try:
        assert second.kernel_id == notebook.kernel_id
        shown = second.view(MICROGRAPH)
        select_motif(notebook, facts, 1, lab)
        assert lab.until(lambda: shown.selected() == np.flatnonzero(facts.label == 1).tolist())
        assert_lit(shown, facts, facts.label == 1)
        shown.drag("micrograph", [(0, 0), (1, 0), (1, 1), (0, 1)])
        expected = np.flatnonzero((facts.x < 1) & (facts.y < 1)).tolist()
        assert lab.until(lambda: notebook.view(SHOWN).selected() == expected)
    finally:
        second.page.close()
    assert notebook.errors == second.errors == []


def test_views_work_among_themselves_after_a_restart_and_come_back_when_run_again(
    notebook, facts_of, assert_lit, lab
):
    facts = facts_of(notebook)
    notebook.view(SHOWN)
    notebook.restart()
    view = notebook.view(SHOWN)
    view.box.locator(".am-tile").nth(2).click()
    rows = np.flatnonzero(facts.label == 2).tolist()
    micrograph = notebook.view(MICROGRAPH)
    assert micrograph.selected() == rows
    assert_lit(micrograph, facts, facts.label == 2)
    for cell in (0, SHOWN, MICROGRAPH):
        notebook.run(cell)
    facts = facts_of(notebook)
    assert notebook.view(MICROGRAPH).selected() == []
    assert notebook.count_views() == 2
    select_motif(notebook, facts, 0, lab)
    assert_lit(notebook.view(MICROGRAPH), facts, facts.label == 0)
    assert notebook.errors == []


COUNT = """{
    "widgets": len(__import__("ipywidgets").widget._instances),
    "observers": len(session._selection._trait_notifiers["ids"]["change"]),
}"""


def counted(notebook, protocol):
    """Return what is alive, in the page and in Python, after the garbage is gone."""
    for _ in range(3):
        protocol.send("HeapProfiler.collectGarbage")
        notebook.page.wait_for_timeout(200)
    measured = {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}
    window = protocol.send("Runtime.evaluate", {"expression": "window"})["result"]["objectId"]
    listeners = protocol.send("DOMDebugger.getEventListeners", {"objectId": window})["listeners"]
    bokeh = notebook.page.evaluate(
        """async () => {
          const [Bokeh] = await Promise.all(globalThis[Symbol.for("atomotif")].bokeh.values());
          return { shown: [...Bokeh.index].length, documents: Bokeh.documents.length };
        }"""
    )
    return {
        "views": notebook.count_views(),
        "nodes": measured["Nodes"],
        "listeners": measured["JSEventListeners"],
        "window listeners": len(listeners),
        "heap": measured["JSHeapUsedSize"] / 1e6,
        **bokeh,
        **notebook.kernel.evaluate(COUNT),
    }


def test_fifty_times_shown_anew_leaves_nothing_behind(notebook, facts_of, lab):
    facts = facts_of(notebook)
    protocol = notebook.page.context.new_cdp_session(notebook.page)
    protocol.send("Performance.enable")

    def cycle(times):
        for _ in range(times):
            notebook.run(SHOWN)
            notebook.page.wait_for_function("(cell) => harness.ready(cell)", arg=SHOWN)
        select_motif(notebook, facts, 2, lab)
        notebook.page.mouse.move(2, 2)
        notebook.see(SHOWN)
        notebook.settle()
        return counted(notebook, protocol)

    cycle(3)
    before = cycle(5)
    after = cycle(50)
    for name in ("views", "window listeners", "shown", "documents", "widgets", "observers"):
        assert after[name] == before[name], name
    # What Jupyter and Bokeh themselves keep of a cell that has run is far below what a view is.
    assert after["nodes"] < before["nodes"] + 600
    assert after["listeners"] < before["listeners"] + 200
    assert after["heap"] < before["heap"] + 10
    assert notebook.errors == []
