"""Executes notebooks and saves their outputs: ``python notebooks/refresh.py [name.ipynb ...]``.

What changes from run to run without meaning (times, ids of widgets and of cells' runs) is left out, so that
the difference to what was saved before is what readers see differently.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(path: Path, folder: str | Path) -> Any:
    """Return the notebook after a run from top to bottom, in a kernel of its own that works in `folder`."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources)
    client.store_widget_state = False
    client.execute()
    return notebook


def steady(notebook: Any) -> Any:
    """Take out what differs between runs and means nothing."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {}
        outputs = []
        for output in cell.get("outputs", []):
            output.get("metadata", {}).clear()
            data = output.get("data", {})
            if "image/png" in data:
                data.pop("image/jpeg", None)  # of pictures Pillow gives both
            if WIDGET in data:
                data[WIDGET]["model_id"] = f"view-{number:02d}"
            # The progress of a step is one output that is emptied at its end.
            if data.keys() != {"text/plain"} or data["text/plain"]:
                outputs.append(output)
        if cell.cell_type == "code":
            cell.outputs = outputs
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.name for path in HERE.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(steady(execute(HERE / name, folder)), HERE / name)
