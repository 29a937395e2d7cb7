"""What every test may use."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives an installed Chromium or Chrome")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of truth and of real micrographs that are too large or not free to be bundled."""
    folder = os.environ.get("ATOMOTIF_SHARED")
    if not folder:
        pytest.skip(
            "ATOMOTIF_SHARED is not set: the folder of benchmark truth and real micrographs is elsewhere"
        )
    return Path(folder)


@pytest.fixture(scope="session")
def lab() -> ModuleType:
    """`jupyter/lab.py`, which drives JupyterLab; loaded by its path, since tests are in no package."""
    spec = importlib.util.spec_from_file_location("lab", Path(__file__).parent / "jupyter" / "lab.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["lab"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def chromium(lab: ModuleType) -> Iterator[Any]:
    """An installed Chromium or Chrome that runs; without one a test fails, unless told not to try."""
    if os.environ.get("ATOMOTIF_BROWSER") == "no":
        pytest.skip("ATOMOTIF_BROWSER=no: nothing is tried in a browser")
    found: str | None = lab.find_chromium()
    if found is None:
        pytest.fail(
            f"none of {', '.join(lab.BROWSERS)} was found; ATOMOTIF_BROWSER=no leaves the browser tests out",
            pytrace=False,
        )
    with lab.launched(found) as running:
        yield running
