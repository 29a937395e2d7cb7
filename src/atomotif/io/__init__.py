"""Files to xarray and back: readers of micrographs, the store of sessions."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atomotif.io.readers import read, to_dataarray
    from atomotif.io.store import open_tree, save_tree

_LAZY = {
    "open_tree": "atomotif.io.store",
    "read": "atomotif.io.readers",
    "save_tree": "atomotif.io.store",
    "to_dataarray": "atomotif.io.readers",
}

__all__ = ["open_tree", "read", "save_tree", "to_dataarray"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'atomotif.io' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
