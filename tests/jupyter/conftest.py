"""One JupyterLab and one browser for all tests of this folder, and a small session to show in them."""

from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

SIDE, STEP, PIXEL = 20, 14, 0.0125
NAMES = ("A", "B", "C")

#: Makes `session`: SIDE x SIDE columns of three motifs, whose ids are not their rows, and `heard`, what an
#: observer of the selection was told.
MAKE = f"""
import warnings
import numpy as np
import scipy.ndimage
import atomotif as am

side, step = {SIDE}, {STEP}
row, col = np.mgrid[7 : side * step : step, 7 : side * step : step].reshape(2, -1)
label = (col // step) % 2
rng = np.random.default_rng(0)
label[rng.permutation(side**2)[:20]] = 2
image = np.zeros((side * step, side * step))
image[row, col] = np.array([1.0, 0.6, 0.25])[label]
image = scipy.ndimage.gaussian_filter(image, 2.5) + rng.normal(0, 0.002, image.shape)
rowcol = np.column_stack([row, col]).astype(float)
session = am.MotifSession(image, pixel_size={PIXEL}, units="nm")
session.set_points(rowcol[:100] + 3).set_points(rowcol)
session.set_motifs(label, names={list(NAMES)}).run()
heard = []
session.observe(lambda change: heard.append(change["new"].tolist()))
"""


@pytest.fixture(scope="session")
def server(lab: ModuleType, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A JupyterLab that runs."""
    with lab.Server(tmp_path_factory.mktemp("notebooks")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(lab: ModuleType, chromium: Any) -> Iterator[Any]:
    """A browser that refuses what is asked of other machines."""
    with lab.Browser(chromium) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_outside_request(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "browser" in request.fixturenames:
        assert request.getfixturevalue("browser").outside == []


@pytest.fixture(scope="module")
def open_notebook(
    lab: ModuleType, server: Any, browser: Any, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a notebook of the cells given, the first of which makes the session."""
    opened = []

    def make(*cells: str, name: str | None = None, app: str = "lab", run: bool = True) -> Any:
        name = name or f"{request.module.__name__.rpartition('.')[2]}-{len(opened)}.ipynb"
        server.write(name, MAKE, *cells)
        notebook = lab.Notebook(browser.page(), server).open(name, app=app)
        opened.append(notebook)
        if run:
            for cell in range(1 + len(cells)):
                notebook.run(cell)
        return notebook

    yield make
    for notebook in opened:
        if not notebook.page.is_closed():
            notebook.close()


def read_facts(notebook: Any) -> SimpleNamespace:
    """Return what the session of a notebook holds, as arrays: the truth that views are compared with."""
    expression = """{
        "id": session.data["points"]["id"].values.tolist(),
        "u": session.data["layout"]["position"].values[:, 0].tolist(),
        "v": session.data["layout"]["position"].values[:, 1].tolist(),
        "label": session.data["motifs"]["label"].values.tolist(),
        "color": [str(color) for color in session.data["motifs"]["color"].values],
    }"""
    read = {name: np.array(values) for name, values in notebook.kernel.evaluate(expression).items()}
    color = [[int(text[at : at + 2], 16) for at in (1, 3, 5)] for text in read.pop("color")]
    # The places are known from how the session was made, not from what it says.
    row, col = np.mgrid[7 : SIDE * STEP : STEP, 7 : SIDE * STEP : STEP].reshape(2, -1)
    x, y = col * PIXEL, row * PIXEL
    # Columns beside the scale bar, which is drawn over those at the bottom left.
    clear = ~((x < 1.4) & (y > 2.8))
    return SimpleNamespace(x=x, y=y, clear=clear, color=np.array(color), **read)


@pytest.fixture(scope="session")
def facts_of() -> Callable[[Any], SimpleNamespace]:
    """Return `read_facts`."""
    return read_facts


@pytest.fixture(scope="session")
def assert_lit() -> Callable[..., None]:
    """Asserts, by pixels, that of all columns of the micrograph those in `lit` alone have their colour."""

    def check(view: Any, facts: SimpleNamespace, lit: np.ndarray) -> None:
        view.page.mouse.move(2, 2)
        view.notebook.settle()
        drawn = view.colors("micrograph", facts.x, facts.y)
        off = np.abs(drawn - facts.color[facts.label]).max(axis=1)
        assert off[lit & facts.clear].max(initial=0) < 12
        # The others are under a veil: darker, too, than they are without a selection.
        assert off[~lit & facts.clear].min(initial=255) > 40
        assert drawn[~lit & facts.clear].max(initial=0) < 150

    return check
