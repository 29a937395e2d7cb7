"""The same in Notebook 7."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser


def test_views_are_shown_and_linked_in_notebook_7(open_notebook, facts_of, assert_lit, lab):
    notebook = open_notebook("session", app="notebook")
    view = notebook.view(1)
    facts = facts_of(notebook)
    view.drag("micrograph", [(0.0, 0.0), (1.66, 0.0), (1.66, 1.0), (0.0, 1.0)])
    hit = (facts.x < 1.66) & (facts.y < 1.0)
    assert view.selected() == np.flatnonzero(hit).tolist()
    expected = facts.id[hit].tolist()
    assert lab.until(lambda: notebook.kernel.evaluate("session.selection.tolist()") == expected)
    assert notebook.kernel.evaluate("heard") == [expected]
    assert_lit(view, facts, hit)
    assert not view.box.locator("img").first.is_visible()
    notebook.kernel.run("session.selection = session.motifs.ids('C')")
    assert lab.until(lambda: view.selected() == np.flatnonzero(facts.label == 2).tolist())
    assert_lit(view, facts, facts.label == 2)
    assert notebook.errors == []
