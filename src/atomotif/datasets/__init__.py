"""Micrographs to start with: four come with the package, one is fetched once, `simulate` makes more."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atomotif.datasets import simulate
    from atomotif.datasets.calibration import calibrate
    from atomotif.datasets.mos2 import mos2_se
    from atomotif.datasets.mose2 import mose2_truth, mose2_vacancies
    from atomotif.datasets.pentagons import pentagon_tiling, pentagon_truth
    from atomotif.datasets.si111 import si111_7x7
    from atomotif.datasets.ws2 import ws2_dopants, ws2_truth

_LAZY = {
    "calibrate": "calibration",
    "mos2_se": "mos2",
    "mose2_truth": "mose2",
    "mose2_vacancies": "mose2",
    "pentagon_tiling": "pentagons",
    "pentagon_truth": "pentagons",
    "si111_7x7": "si111",
    "ws2_dopants": "ws2",
    "ws2_truth": "ws2",
}

__all__ = [
    "calibrate",
    "mos2_se",
    "mose2_truth",
    "mose2_vacancies",
    "pentagon_tiling",
    "pentagon_truth",
    "si111_7x7",
    "simulate",
    "ws2_dopants",
    "ws2_truth",
]


def __getattr__(name: str) -> Any:
    if name == "simulate":
        return importlib.import_module("atomotif.datasets.simulate")
    if name in _LAZY:
        return getattr(importlib.import_module(f"atomotif.datasets.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'atomotif.datasets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
