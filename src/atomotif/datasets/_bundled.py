"""Arrays that come with the package."""

from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray


def load(name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of an `.npz` file in `datasets/data`."""
    with (
        resources.files("atomotif.datasets").joinpath("data", name).open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        return {key: archive[key] for key in archive.files}
