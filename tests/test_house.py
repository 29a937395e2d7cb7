"""Imports point strictly downwards: the house of the package, floor by floor."""

import ast
from pathlib import Path

import pytest

import atomotif

PACKAGE = Path(atomotif.__file__).parent
FLOORS = {
    "io": 1,
    "numerics": 1,
    "datasets": 2,
    "steps": 2,
    "controls": 3,
    "export": 3,
    "views": 3,
    "widget": 3,
    "session": 4,
    "cli": 5,
    "__main__": 6,
}
#: What may look sideways.
SIDEWAYS = {("export", "views"), ("export", "widget"), ("controls", "widget")}
#: Used by all floors, using none.
GROUND = {"_checks", "_palette", "_version", "_warnings"}
#: Rooms and what they must not know.
UNKNOWN = {
    "numerics": {"xarray", "bokeh", "ipywidgets", "anywidget"},
    "steps": {"bokeh", "ipywidgets", "anywidget"},
    "views": {"ipywidgets", "anywidget", "ipykernel"},
    "session": {"bokeh", "anywidget"},
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    names = imported(path)
    for name in names:
        parts = name.split(".")
        if parts[0] != "atomotif" or len(parts) < 2:
            assert parts[0] not in UNKNOWN.get(here, set()), f"{here} must not know {parts[0]}"
            continue
        there = parts[1]
        if there == here or there in GROUND or there.startswith("__"):
            continue
        assert here not in GROUND, f"{here} must not import from the package"
        if there in FLOORS:
            assert FLOORS[there] < FLOORS[here] or (here, there) in SIDEWAYS, (
                f"{here} must not import {there}"
            )


def test_the_house_is_known() -> None:
    assert {room(path) for path in MODULES} <= FLOORS.keys() | GROUND | {"__init__"}


def test_core_imports_no_gpl_code() -> None:
    for path in MODULES:
        top_level = ast.parse(path.read_text()).body
        names = {alias.name for node in top_level if isinstance(node, ast.Import) for alias in node.names} | {
            node.module or "" for node in top_level if isinstance(node, ast.ImportFrom)
        }
        assert not any(name.split(".")[0] in {"rsciio", "hyperspy", "atomap"} for name in names), path
