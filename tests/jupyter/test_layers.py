"""Layers over the micrograph in JupyterLab: asked of the kernel, drawn by the page, kept over new results."""

import numpy as np
import pytest

pytestmark = pytest.mark.browser

VIEW = 1  # cell


@pytest.fixture(scope="module")
def opened(open_notebook):
    return open_notebook('session.view("micrograph")')


@pytest.fixture(scope="module")
def facts(opened, facts_of):
    return facts_of(opened)


#: Measures a strain that is negative above and positive below, or, with the other sign, the reverse.
STRAIN = """
import dataclasses
from atomotif.steps.graph import STEPS

real = STEPS["measure_strain"]

def made_up(image, points, lattice, **given):
    exx = {sign} * np.where(points["y"].values < 1.75, -0.02, 0.02)
    return real.function(image, points, lattice, **given).assign(exx=("point", exx))

STEPS["measure_strain"] = dataclasses.replace(real, function=made_up)
try:
    session.measure_strain(window={window})
finally:
    STEPS["measure_strain"] = real
"""


def drawn(notebook, facts, view):
    """Return the colours a little beside columns, above and below the middle."""
    view.page.mouse.move(2, 2)
    notebook.settle()
    rows = np.flatnonzero(facts.clear & (facts.x > 0.5) & (facts.x < 3.0))
    colors = view.colors("micrograph", facts.x[rows] + 0.04, facts.y[rows])
    return colors[facts.y[rows] < 1.6], colors[facts.y[rows] > 1.9]


def test_a_layer_is_asked_of_the_kernel_and_outlives_new_results(opened, facts, lab):
    notebook = opened
    notebook.kernel.run(STRAIN.format(sign=1, window=2.0))
    view = notebook.view(VIEW)
    received = notebook.received
    chooser = view.box.locator(".am-select")
    chooser.click()
    view.page.keyboard.type("strain exx", delay=20)
    view.page.keyboard.press("Enter")
    blue, red = [0x05, 0x30, 0x61], [0x67, 0x00, 0x1F]

    def seen():
        above, below = drawn(notebook, facts, view)
        return np.abs(above - blue).max() < 12 and np.abs(below - red).max() < 12

    assert lab.until(seen)
    assert "exx (%)" in view.box.locator(".am-key").inner_text()
    # What was asked for, not the columns again.
    assert notebook.received - received < 40_000

    notebook.kernel.run(STRAIN.format(sign=-1, window=2.5))
    blue, red = red, blue
    view = notebook.view(VIEW)
    assert lab.until(seen)
    assert view.box.locator(".am-select").input_value() == "exx"
    view.box.locator(".am-select").select_option("none")
    assert lab.until(lambda: view.box.locator(".am-key").inner_text() == "")
    above, _ = drawn(notebook, facts, view)
    assert np.ptp(above, axis=1).max() < 5  # grey, as the micrograph is
    assert notebook.errors == []
