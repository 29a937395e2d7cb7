"""What the tests of numerics may use."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def tilings() -> ModuleType:
    """`cairo.py`: tilings by pentagons; loaded by its path, since tests are in no package."""
    spec = importlib.util.spec_from_file_location("cairo", Path(__file__).with_name("cairo.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["cairo"] = module
    spec.loader.exec_module(module)
    return module
