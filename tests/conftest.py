"""What every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of truth and of real micrographs that are too large or not free to be bundled."""
    folder = os.environ.get("ATOMOTIF_SHARED")
    if not folder:
        pytest.skip(
            "ATOMOTIF_SHARED is not set: the folder of benchmark truth and real micrographs is elsewhere"
        )
    return Path(folder)
