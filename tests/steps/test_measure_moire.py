"""The moiré group: shapes, units and refusals."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from atomotif.steps.base import Context
from atomotif.steps.measure_moire import MeasureMoireParameters, measure_moire

_spec = importlib.util.spec_from_file_location(
    "bilayers", Path(__file__).parents[1] / "numerics" / "bilayers.py"
)
assert _spec is not None
assert _spec.loader is not None
bilayers = importlib.util.module_from_spec(_spec)
sys.modules["bilayers"] = bilayers
_spec.loader.exec_module(bilayers)

PIXEL = 0.02  # nm


def test_the_group_is_in_units_of_the_image() -> None:
    planted = bilayers.bilayer(3.15, noise=0.1)
    size = len(planted.image)
    axis = 5.0 + PIXEL * np.arange(size)
    image = xr.Dataset(
        {"intensity": (("y", "x"), planted.image.astype(np.float32))},
        coords={"y": axis, "x": axis},
        attrs={"pixel_size": PIXEL, "units": "nm"},
    )
    points = xr.Dataset({"row": ("point", planted.points[:, 0]), "col": ("point", planted.points[:, 1])})
    group = measure_moire(image, points, MeasureMoireParameters(), Context())
    assert group.attrs["twist_angle"] == pytest.approx(3.15, abs=0.01)
    assert group.attrs["period"] == pytest.approx(planted.period * PIXEL, rel=0.005)
    found = group["registry"].values / PIXEL
    assert np.median(bilayers.apart(found, planted.registry, planted.cell)) < 0.2
    assert group["registry_error"].values.min() > 0
    np.testing.assert_array_equal(group["stacking"], group["stacking_distance"].values.argmin(axis=1))
    assert group["stacking_name"].values.tolist() == ["AA'", "AB'", "A'B"]
    assert group["registry_map"].dims == ("map_y", "map_x", "axis")
    assert float(group["map_y"][-1]) == pytest.approx(axis[-1])
    # The map says the same as the points.
    near = [
        np.abs(group[name].values[:, None] - at).argmin(axis=0)
        for name, at in (
            ("map_y", 5 + PIXEL * planted.points[:, 0]),
            ("map_x", 5 + PIXEL * planted.points[:, 1]),
        )
    ]
    mapped = group["registry_map"].values[near[0], near[1]] / PIXEL
    assert np.median(bilayers.apart(mapped, found, planted.cell)) < 0.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"layer_fold": 3}, "`layer_fold` must be 6 or 4, got 3"),
        ({"moire_source": "spots"}, "`moire_source` must be one of"),
        ({"twist_range": (5.0, 2.0)}, "`twist_range` must be two numbers"),
        ({"registry_window": 0.0}, "`registry_window` must be positive"),
    ],
)
def test_bad_values_are_refused(values, message) -> None:
    with pytest.raises(ValueError, match=message):
        MeasureMoireParameters(**values)
