"""What a reader sees of a saved notebook: without a kernel, with a fresh one, untrusted, as HTML."""

import io
import json
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

SHOWN = 1  # cell
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def saved(open_notebook, server):
    """The path of a notebook that its author has run, saved and closed."""
    notebook = open_notebook("session", name="cold.ipynb")
    view = notebook.view(SHOWN)
    assert shown_pictures(notebook) == []  # while the view lives
    view.box.locator(".am-tile").nth(2).click()
    notebook.save()
    notebook.close()
    return server.folder / "cold.ipynb"


@pytest.fixture
def reader(lab, browser, server):
    """Opens notebooks in a tab of its own."""
    notebook = lab.Notebook(browser.page(), server)
    yield notebook
    notebook.close()


def shown_pictures(notebook, cell=SHOWN):
    """Return the sizes of the pictures that are seen below a cell, px."""
    return notebook.page.evaluate(
        """(index) => [...harness.cell(index).outputArea.node.querySelectorAll("img")]
          .filter((image) => image.checkVisibility() && image.naturalWidth > 0)
          .map((image) => [image.clientWidth, image.clientHeight])""",
        cell,
    )


def assert_picture_is_seen(notebook, lab):
    sizes = lab.until(lambda: shown_pictures(notebook))
    assert len(sizes) == 1
    assert min(sizes[0]) > 150
    notebook.see(SHOWN)
    assert notebook.errors == []


def rewritten(saved, name, **metadata):
    notebook = nbformat.read(saved, 4)
    notebook.metadata.update(metadata)
    path = saved.with_name(name)
    nbformat.write(notebook, path)
    return path


def test_no_widget_state_is_saved_and_the_picture_is_a_picture_of_the_views(saved):
    content = json.loads(saved.read_text())
    assert "widgets" not in content["metadata"]
    view, picture = content["cells"][SHOWN]["outputs"]
    assert WIDGET in view["data"]
    assert list(picture["data"]) == ["image/png"]
    image = Image.open(io.BytesIO(__import__("base64").b64decode(picture["data"]["image/png"])))
    assert image.info["Software"] == "atomotif"
    # Both motifs that are frequent are drawn in their colours.
    pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    for color in ([0, 114, 178], [230, 159, 0]):
        assert (np.abs(pixels - color).max(axis=1) < 30).sum() > 500


def test_without_a_kernel_the_picture_is_seen(saved, reader, server, lab):
    # The reader's machine has no kernel of that language, and the reader wants none.
    language = "absent"
    kernel = {"name": language, "display_name": language, "language": language}
    rewritten(saved, "none.ipynb", kernelspec=kernel, language_info={"name": language})
    server.trust("none.ipynb")
    reader.open("none.ipynb", kernel=False)
    reader.page.locator(".jp-Dialog-button.jp-mod-reject", has_text="No Kernel").click()
    assert reader.kernel_id is None
    assert_picture_is_seen(reader, lab)


def test_with_a_fresh_kernel_the_picture_is_seen_until_the_cells_are_run(saved, reader, lab):
    reader.open(saved.name)
    assert_picture_is_seen(reader, lab)
    assert reader.count_views() == 0
    reader.run(0)
    reader.run(SHOWN)
    reader.view(SHOWN)
    assert shown_pictures(reader) == []


def test_untrusted_the_picture_is_seen(saved, reader, lab):
    rewritten(saved, "untrusted.ipynb", title="not as its author signed it")
    reader.open("untrusted.ipynb")
    assert reader.page.evaluate("harness.cell(1).model.trusted") is False
    assert_picture_is_seen(reader, lab)


def test_converted_to_html_the_picture_is_seen(saved, chromium, tmp_path):
    command = ["nbconvert", "--to", "html", "--output-dir", str(tmp_path), str(saved)]
    subprocess.run([sys.executable, "-m", "jupyter", *command], check=True, capture_output=True)
    # The page of nbconvert asks for scripts of others, which are not ours to count.
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto((tmp_path / "cold.html").as_uri(), wait_until="domcontentloaded")
    sizes = page.evaluate(
        "[...document.images].filter((one) => one.checkVisibility()).map((one) => one.naturalWidth)"
    )
    context.close()
    assert len(sizes) == 1
    assert sizes[0] > 150


def test_ten_views_are_below_two_megabytes(open_notebook, server):
    code = "am.MotifSession(am.datasets.mose2_vacancies()).run()"
    notebook = open_notebook(f"session = {code}", *["session.view()"] * 10, name="ten.ipynb")
    notebook.view(11)
    assert notebook.count_views() == 10
    notebook.save()
    size = (server.folder / "ten.ipynb").stat().st_size
    assert size < 2e6
    assert "widgets" not in json.loads((server.folder / "ten.ipynb").read_text())["metadata"]
    notebook.close()
