"""Atomic structural motifs and their hierarchies in atomic-resolution micrographs.

The names below are loaded at first use, so that ``import atomotif`` takes milliseconds.
"""

import importlib
from typing import TYPE_CHECKING, Any

from atomotif._version import __version__
from atomotif._warnings import AtomotifWarning

if TYPE_CHECKING:
    from atomotif import datasets
    from atomotif.io.readers import read
    from atomotif.numerics.force_layout import ForceRelaxedLayout
    from atomotif.numerics.zernike_features import ZernikeFeatures
    from atomotif.session.session import MotifSession

_LAZY = {
    "ForceRelaxedLayout": "atomotif.numerics.force_layout",
    "MotifSession": "atomotif.session.session",
    "ZernikeFeatures": "atomotif.numerics.zernike_features",
    "read": "atomotif.io.readers",
}

__all__ = [
    "AtomotifWarning",
    "ForceRelaxedLayout",
    "MotifSession",
    "ZernikeFeatures",
    "__version__",
    "datasets",
    "read",
]


def __getattr__(name: str) -> Any:
    if name == "datasets":
        return importlib.import_module("atomotif.datasets")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'atomotif' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
