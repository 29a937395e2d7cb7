"""Environments and quads in JupyterLab: they appear when they are found, and are linked both ways."""

import pytest

pytestmark = pytest.mark.browser

ALL, ALONE = 1, 2  # cells


@pytest.fixture(scope="module")
def notebook(open_notebook):
    return open_notebook("session", 'session.view("environments")')


def tiles(view):
    return view.box.locator(".am-panel-environments .am-tile")


def test_environments_appear_and_are_linked_with_python_and_with_each_other(notebook, lab):
    assert tiles(notebook.view(ALL)).count() == 0
    notebook.kernel.run("session.find_environments(centers='C')")
    assert lab.until(lambda: tiles(notebook.view(ALONE)).count() > 1)
    counts = notebook.kernel.evaluate("session.environments.table()['count'].tolist()")
    alone = notebook.view(ALONE)
    assert tiles(alone).count() == min(len(counts), 24)
    assert tiles(alone).first.inner_text().split("\n")[1] == str(counts[0])

    notebook.kernel.run("heard.clear()")
    tiles(alone).first.click()
    members = notebook.kernel.evaluate("session.environments.members(0).tolist()")
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == members)
    assert notebook.kernel.evaluate("heard") == [members]
    every = notebook.kernel.evaluate("session.data['points']['id'].values.tolist()")
    view = notebook.view(ALL)
    assert view.selected() == [every.index(one) for one in members]
    assert f"{counts[0]} / {counts[0]}" in tiles(view).first.inner_text()

    notebook.kernel.run("session.selection = session.environments.ids(1)[:1]")
    assert lab.until(lambda: f"1 / {counts[1]}" in tiles(notebook.view(ALL)).nth(1).inner_text())
    assert tiles(notebook.view(ALONE)).first.inner_text().split("\n")[1] == f"0 / {counts[0]}"
    assert notebook.errors == []


def test_names_and_staleness_follow(notebook, lab):
    notebook.kernel.run("session.selection = []; session.find_environments(centers='C')")
    notebook.kernel.run("session.motifs.rename('C', 'void')")
    assert lab.until(lambda: "void" in tiles(notebook.view(ALONE)).first.inner_text())
    panel = notebook.view(ALONE).box.locator(".am-panel-environments")
    assert "am-stale" not in panel.get_attribute("class")
    notebook.kernel.run("warnings.simplefilter('ignore'); session.set_motifs(label, names=['A', 'B', 'D'])")
    stale = ".am-panel-environments.am-stale"
    assert lab.until(lambda: notebook.view(ALONE).box.locator(stale).count() == 1)
    assert notebook.errors == []


def test_quads_appear_and_are_linked(notebook, lab):
    notebook.kernel.run(
        "cell = np.array([[6.8, 18.2], [18.2, 43.2], [43.2, 31.8], [31.8, 6.8]])\n"
        "centers = np.concatenate([np.add(cell, [50 * i, 50 * j]) for i in range(5) for j in range(5)])\n"
        "session.set_points(centers)\n"
        "session.set_motifs((centers[:, 1] > 125).astype(int), names=['empty', 'filled'])\n"
        "session.find_quads(empty='empty', filled='filled', n_draws=9)"
    )
    shown = ".am-panel-quads .am-tile"
    assert lab.until(lambda: notebook.view(ALL).box.locator(shown).count() == 16)
    view = notebook.view(ALL)
    view.box.locator(shown).last.click()
    expected = notebook.kernel.evaluate("session.quads.ids(2, 15).tolist()")
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected)
    count = notebook.kernel.evaluate("int(session.quads.table()['count'][15])")
    assert view.box.locator(shown).last.inner_text().startswith(f"{count} / {count}\n")
    assert notebook.errors == []
