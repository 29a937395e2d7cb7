"""What every test may use."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
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
def planted() -> Any:
    """A session of 20 x 20 columns, 14 px apart, in which motif-cells were planted.

    Columns of the grid are A and B in turn. There are three single V on B, two pairs of V on B one above the
    other, and one column of B is missing.
    """
    from scipy.ndimage import gaussian_filter

    from atomotif import MotifSession

    row, col = np.mgrid[:20, :20].reshape(2, -1)
    label = col % 2
    for at in [(3, 3), (3, 9), (15, 5), (8, 13), (9, 13), (14, 15), (15, 15)]:
        label[20 * at[0] + at[1]] = 2
    there = np.arange(400) != 20 * 8 + 5
    rowcol = np.column_stack([row, col])[there] * 14.0 + 7
    image = np.zeros((280, 280))
    image[tuple(rowcol.astype(int).T)] = np.array([1.0, 0.6, 0.25])[label[there]]
    image = gaussian_filter(image, 2.5) + np.random.default_rng(0).normal(0, 0.002, image.shape)
    session = MotifSession(image, pixel_size=0.0125, units="nm")
    return session.set_points(rowcol).set_motifs(label[there], names=["A", "B", "V"]).run()


def _loaded(name: str, path: str) -> ModuleType:
    """Load a module by its path, since tests are in no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_continuous() -> Callable[..., Any]:
    """`make` of `continuous.py`, which makes the groups of a continuous sample."""
    return _loaded("continuous", "continuous.py").make


@pytest.fixture(scope="session")
def lab() -> ModuleType:
    """`jupyter/lab.py`, which drives JupyterLab."""
    return _loaded("lab", "jupyter/lab.py")


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


@pytest.fixture(scope="session")
def compared() -> ModuleType:
    """`compared.py`, which makes the groups of domains that were compared."""
    return _loaded("compared", "compared.py")
