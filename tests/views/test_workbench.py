import json

import numpy as np
import pytest
import xarray as xr
from bokeh.document import Document

from atomotif.views.workbench import workbench

IDS = {"id": ("point", [4, 5])}


@pytest.fixture
def data():
    return xr.DataTree.from_dict(
        {
            "image": xr.Dataset(
                {"intensity": (("y", "x"), np.eye(8))},
                {"y": np.arange(8.0), "x": np.arange(8.0)},
                {"units": "px"},
            ),
            "points": xr.Dataset({"x": ("point", [1.0, 2.0]), "y": ("point", [3.0, 4.0])}, IDS),
            "layout": xr.Dataset({"position": (("point", "axis"), np.zeros((2, 2)))}, IDS),
            "motifs": xr.Dataset({"label": ("point", [0, 0]), "name": ("motif", ["a"])}, IDS),
        }
    )


def figures_of(data):
    """The figures by name, as the browser makes them from what is sent."""
    sent = json.loads(json.dumps(workbench(data).figures))
    documents = {name: Document.from_json(document) for name, document in sent.items()}
    assert all([root.name for root in document.roots] == [name] for name, document in documents.items())
    return {name: document.roots[0] for name, document in documents.items()}


def test_each_figure_has_a_document_of_its_own(data):
    assert list(figures_of(data)) == ["micrograph", "layout"]


def test_document_holds_no_data(data):
    small = len(json.dumps(workbench(data).figures))
    data["image"] = data["image"].to_dataset().isel(y=slice(0, 4), x=slice(0, 4))
    assert abs(len(json.dumps(workbench(data).figures)) - small) < 20


def test_selection_tools_leave_the_base_alone(data):
    for figure in figures_of(data).values():
        tools = [tool for tool in figure.tools if "Select" in type(tool).__name__]
        assert len(tools) == 2
        assert all(tool.renderers == [] and not tool.continuous for tool in tools)


def test_only_the_base_is_on_the_main_canvas(data):
    for figure in figures_of(data).values():
        levels = {r.name.removeprefix(f"{figure.name}-"): r.level for r in figure.renderers}
        assert all(levels.pop(name, "image") == "image" for name in ("image", "detail"))
        assert levels.pop("layer", "underlay") == "underlay"
        assert levels.pop("base") == levels.pop("dots") == "glyph"
        outlines = (
            ("casing", "outline", "domain-casing", "domain-outline") if figure.name == "micrograph" else ()
        )
        assert levels == dict.fromkeys(("veil", "selected", "crowd", "hover", *outlines), "overlay")


def test_rows_of_the_image_run_downwards(data):
    micrograph, layout = figures_of(data).values()
    assert micrograph.y_range.start > micrograph.y_range.end
    assert layout.y_range.start < layout.y_range.end


@pytest.mark.parametrize("units", ["nm", "px", "Å", "µm"])
def test_scale_bar_is_in_the_units_of_the_image(data, units):
    data["image"].attrs["units"] = units
    micrograph = figures_of(data)["micrograph"]
    bar = next(model for model in micrograph.center if type(model).__name__ == "ScaleBar")
    assert bar.unit == units
    assert micrograph.xaxis.axis_label == f"x ({units})"


def test_one_view_alone_has_all_columns(data):
    alone = workbench(data, views=["layout"])
    assert alone.facts["views"] == ["layout"]
    assert set(alone.columns) >= {"id", "x", "u", "label"}


def test_an_unknown_view_is_refused(data):
    with pytest.raises(ValueError, match=r"`views` must be among 'micrograph', 'layout', .*, got 'trees'"):
        workbench(data, views=["trees"])
