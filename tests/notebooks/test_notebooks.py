"""The notebooks run from top to bottom, and what they have saved serves a reader without a kernel."""

import sys
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
sys.path.insert(0, str(FOLDER))
from refresh import WIDGET, execute, steady  # noqa: E402

named = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert "01_first_motifs" in [path.stem for path in NOTEBOOKS]


@named
def test_it_runs(path, tmp_path):
    done = steady(execute(path, tmp_path))
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    saved = nbformat.read(path, as_version=4)
    kinds = [[output.output_type for output in cell.get("outputs", [])] for cell in done.cells]
    assert kinds == [[output.output_type for output in cell.get("outputs", [])] for cell in saved.cells]


@named
def test_it_is_saved_for_a_cold_reader(path):
    saved = nbformat.read(path, as_version=4)
    assert "widgets" not in saved.metadata
    assert path.stat().st_size < 2_000_000
    pictures = 0
    for cell in code_cells(path):
        kinds = [list(output.get("data", {})) for output in cell.outputs]
        views = [k for k, data in enumerate(kinds) if WIDGET in data]
        assert all("image/png" in kinds[k + 1] for k in views)
        pictures += len(views)
        assert cell.execution_count
    assert pictures > 0


@named
def test_nothing_of_the_machine_is_in_it(path):
    text = path.read_text("utf-8")
    for part in (str(Path.home()) + "/", "/tmp/", "Traceback", "WARNING"):
        assert part not in text


def test_the_first_one_is_short():
    assert len(code_cells(FOLDER / "01_first_motifs.ipynb")) < 10
