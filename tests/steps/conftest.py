"""What the tests of steps may use."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def drawn() -> ModuleType:
    """`drawn_crystals.py`: images of drawn columns; loaded by its path, since tests are in no package."""
    spec = importlib.util.spec_from_file_location(
        "drawn_crystals", Path(__file__).with_name("drawn_crystals.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["drawn_crystals"] = module
    spec.loader.exec_module(module)
    return module
