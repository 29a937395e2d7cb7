import json

import numpy as np
import pytest
import xarray as xr

from atomotif.views.data import DisplayImage
from atomotif.views.layer_scale import MAX_SWATCHES, NO_LEVEL
from atomotif.views.layers import layer, offered
from atomotif.views.style import DIVERGING, MISSING, SEQUENTIAL, robust_limits, scale_ticks

IDS = np.array([7, 3, 12, 40])


def points_group():
    x, y = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    return xr.Dataset({"x": ("point", x), "y": ("point", y)}, {"id": ("point", IDS)})


def cells_group(**extra):
    """Two squares and a triangle: crystal, with a defect, cut by the edge."""
    return xr.Dataset(
        {
            "class": ("cell", [0, 1, -1]),
            "minority": ("cell", [False, True, False]),
            "border": ("cell", [False, False, True]),
            "corner_y": ("corner", np.array([0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 7.0])),
            "corner_x": ("corner", np.array([0, 1, 1, 0, 1, 2, 2, 1, 0, 2, 0.0])),
            "corner_offset": ("cell_bound", [0, 4, 8, 11]),
            "class_count": ("class_", [1, 1]),
            "class_dominant": ("class_", [True, False]),
            "class_label": ("class_member", [0, 1, 0, 2, 2]),
            "class_offset": ("class_bound", [0, 2, 5]),
            **extra,
        }
    )


def motifs_group():
    names, colors = np.array(["Mo", "Se", "V"], object), np.array(["#0072b2", "#e69f00", "#009e73"], object)
    return xr.Dataset({"name": ("motif", names), "color": ("motif", colors)})


def picture_group(values, **attrs):
    rows, cols = values.shape
    step = 0.5
    coords = {"y": 1 + step * np.arange(rows), "x": 2 + step * np.arange(cols)}
    return xr.Dataset({"intensity": (("y", "x"), values), "residual": (("y", "x"), values)}, coords, attrs)


def strain_group(ids=IDS, **values):
    exx = values.get("exx", np.linspace(-0.01, 0.02, len(ids)))
    made = dict.fromkeys(("exx", "eyy", "exy", "rotation"), ("point", exx))
    moved = values.get("displacement", np.column_stack([exx, 2 * exx]))
    return xr.Dataset(
        {**made, "displacement": (("point", "axis"), moved)}, {"id": ("point", ids)}, {"units": "nm"}
    )


@pytest.fixture
def groups():
    maps = xr.Dataset(
        {"rotation": (("fold", "y", "x"), np.zeros((2, 3, 4))), "mirror": (("y", "x"), np.zeros((3, 4)))},
        {"fold": [3, 6], "y": np.arange(3.0), "x": np.arange(4.0)},
    )
    quads = xr.Dataset(
        {
            "quad_y": ("quad", [0.0, 1.0, 2.0]),
            "quad_x": ("quad", [0.0, 0.0, 0.0]),
            "quad_state": ("quad", [0, 11, -1]),
            "arrow": (("quad", "axis"), np.array([[0, 0], [1, -0.5], [np.nan, np.nan]])),
        }
    )
    grains = xr.Dataset(
        {
            "grain": ("point", [0, 1, -1, 1]),
            "count": ("grain_", [1, 2]),
            "grain_angle": ("grain_", [12.0, 40.0]),
        },
        {"id": ("point", IDS)},
    )
    return {
        "points": points_group(),
        "motifs": motifs_group(),
        "cells": cells_group(
            distortion=("cell", [0.01, 0.03, np.nan]), mean_cell=(("side_number", "axis"), np.zeros((4, 2)))
        ),
        "grains": grains,
        "strain": strain_group(),
        "quads": quads,
        "symmetry_map": maps,
        "reconstruction": picture_group(np.arange(12.0).reshape(3, 4) - 5, explained_variance=0.9),
    }


ALL = [
    "cells", "voronoi", "grains", "exx", "eyy", "exy", "rotation", "displacement", "quads",
    "symmetry-3", "symmetry-6", "mirror", "reconstruction", "residual",
]  # fmt: skip


def test_only_what_has_a_group_is_offered(groups):
    assert [one["name"] for one in offered(groups)] == ALL
    assert offered({"points": points_group(), "motifs": motifs_group()}) == []
    del groups["cells"]["distortion"], groups["quads"], groups["reconstruction"]["residual"]
    left = [name for name in ALL if name not in ("voronoi", "quads", "residual")]
    assert [one["name"] for one in offered(groups)] == left


def test_stale_groups_are_said_to_be(groups):
    groups["strain"].attrs["stale"] = 1
    stale = [one["name"] for one in offered(groups) if one["stale"]]
    assert stale == ["exx", "eyy", "exy", "rotation", "displacement"]


@pytest.mark.parametrize("name", ALL)
def test_every_layer_is_ready_to_be_sent(groups, name):
    made = layer(groups, name)
    assert json.loads(json.dumps(made.facts, allow_nan=False)) == made.facts
    assert made.columns["level"].dtype == np.uint8
    used = made.columns["level"][made.columns["level"] < NO_LEVEL]
    assert used.max(initial=0) < len(made.facts["palette"])
    assert all(
        column.dtype.name in ("uint8", "uint16", "uint32", "int32", "float32")
        for column in made.columns.values()
    )


def test_a_layer_that_is_not_offered_is_refused(groups):
    with pytest.raises(ValueError, match=r"`name` must be among 'cells', .*, got 'symmetry-4'"):
        layer(groups, "symmetry-4")
    with pytest.raises(ValueError, match="must be among no layers"):
        layer({}, "cells")


def test_cells_of_the_crystal_are_unfilled_and_others_have_the_colour_of_their_odd_motif(groups):
    made = layer(groups, "cells")
    assert made.columns["level"].tolist() == [NO_LEVEL, 0, NO_LEVEL]
    assert made.facts["palette"] == ["#009e73"]
    assert [(one["color"], one["text"]) for one in made.facts["swatches"]] == [
        (None, "crystal (1)"),
        ("#009e73", "Mo + V × 2 (1)"),
    ]
    assert made.columns["cornerOffset"].tolist() == [0, 4, 8, 11]
    corners = made.facts["corners"]
    x = corners["x0"] + made.columns["cornerX"] * corners["xStep"]
    y = corners["y0"] + made.columns["cornerY"] * corners["yStep"]
    np.testing.assert_allclose(x, groups["cells"]["corner_x"], atol=1e-4)
    np.testing.assert_allclose(y, groups["cells"]["corner_y"], atol=1e-4)


def test_classes_have_colours_of_their_own_and_the_key_the_most_frequent_ones(groups):
    n = 40
    number = np.repeat(np.arange(n + 1), np.r_[100, np.arange(n, 0, -1)])
    groups["cells"] = xr.Dataset(
        {
            "class": ("cell", number),
            "minority": ("cell", number > 0),
            "corner_y": ("corner", np.zeros(0)),
            "corner_x": ("corner", np.zeros(0)),
            "corner_offset": ("cell_bound", np.zeros(len(number) + 1, int)),
            "class_dominant": ("class_", np.arange(n + 1) == 0),
            "class_label": ("class_member", np.zeros(n + 1, int)),
            "class_offset": ("class_bound", np.arange(n + 2)),
        }
    )
    facts = layer(groups, "cells").facts
    assert len(set(facts["palette"][:24])) == 24
    assert facts["swatches"][1]["text"] == "Mo (40)"
    assert facts["more"] == f"and {n - MAX_SWATCHES} more"


def test_distortion_is_a_sequential_scale_and_tells_what_has_none(groups):
    made = layer(groups, "voronoi")
    assert made.columns["level"].tolist() == [0, 254, NO_LEVEL]
    assert made.facts["palette"] == list(SEQUENTIAL)
    assert made.facts["scale"]["title"] == "distortion (%)"
    assert "4 sides" in made.facts["note"]


def test_strain_is_in_percent_about_zero_by_the_id_of_its_point(groups):
    ids = IDS[[2, 0, 3]]
    groups["strain"] = strain_group(ids, exx=np.array([0.0, -0.01, 0.01]))
    made = layer(groups, "exx")
    # In the order of the points; the one that has no strain has no colour.
    assert made.columns["level"].tolist() == [0, NO_LEVEL, 127, 254]
    assert made.facts["palette"] == list(DIVERGING)
    ticks = [tick["text"].removeprefix("≥ ").removeprefix("≤ ") for tick in made.facts["scale"]["ticks"]]
    assert (made.facts["scale"]["title"], ticks) == ("exx (%)", ["−0.96", "0", "0.96"])


def test_rotation_is_in_degrees(groups):
    groups["strain"] = strain_group(exx=np.deg2rad([-2.0, 2.0, 2.0, 0.0]))
    made = layer(groups, "rotation")
    assert made.facts["scale"]["title"] == "rotation (deg)"
    assert made.facts["scale"]["ticks"][2]["text"] == "2"


def test_tiles_reach_the_middle_of_a_honeycomb_and_not_far_beyond(groups):
    assert 1.0 < layer(groups, "exx").facts["reach"] < 1.5  # nearest neighbours are 1 apart


def test_grains_tell_their_angles_and_are_told_apart_by_number(groups):
    made = layer(groups, "grains")
    assert made.columns["level"].tolist() == [0, 1, NO_LEVEL, 1]
    assert made.columns["region"].tolist() == [0, 1, -1, 1]
    assert [one["text"] for one in made.facts["swatches"]] == ["0: 12.0° (1)", "1: 40.0° (2)"]


@pytest.mark.parametrize(
    ("units", "shown", "high"), [("nm", "pm", "5"), ("Å", "Å", "0.005"), ("px", "px", "0.005")]
)
def test_displacement_has_a_scale_in_legible_units(groups, units, shown, high):
    groups["strain"] = strain_group(displacement=np.array([[3e-3, 4e-3]] * 4))
    groups["strain"].attrs["units"] = units
    made = layer(groups, "displacement")
    assert made.facts["scale"]["title"] == f"displacement ({shown})"
    assert [made.facts["scale"]["ticks"][k]["text"] for k in (0, 2)] == ["0", high]
    assert made.facts["longest"] == pytest.approx(5e-3)
    np.testing.assert_allclose(made.columns["dx"], 4e-3)
    np.testing.assert_allclose(made.columns["dy"], 3e-3)


def test_quads_are_coloured_by_how_many_corners_are_filled(groups):
    made = layer(groups, "quads")
    assert made.columns["level"].tolist() == [0, 3, NO_LEVEL]
    assert [one["text"] for one in made.facts["swatches"]][3] == "three (1)"
    assert (made.columns["dx"][1], made.columns["dy"][1]) == (-0.5, 1)


def test_a_picture_covers_what_it_is_of_and_is_reduced_to_a_side(groups):
    values = np.arange(70.0).reshape(7, 10)
    groups["reconstruction"] = picture_group(values)
    whole, small = layer(groups, "residual"), layer(groups, "residual", side=5)
    assert whole.columns["level"].shape == (7, 10)
    assert whole.facts["extent"] == {"x0": 1.75, "x1": 6.75, "y0": 0.75, "y1": 4.25}
    assert small.columns["level"].shape == (3, 5)
    assert small.facts["extent"] == {"x0": 1.75, "x1": 6.75, "y0": 0.75, "y1": 3.75}


def test_a_residual_is_white_at_zero_and_what_was_not_rebuilt_has_no_colour(groups):
    values = np.array([[-4.0, 0.0], [4.0, np.nan]])
    groups["reconstruction"] = picture_group(values)
    made = layer(groups, "residual")
    assert made.columns["level"].tolist() == [[0, 127], [254, NO_LEVEL]]
    assert made.facts["missing"] == MISSING
    red, green, blue = (int(made.facts["palette"][127][at : at + 2], 16) for at in (1, 3, 5))
    assert min(red, green, blue) > 240
    assert int(made.facts["palette"][254][1:3], 16) > int(made.facts["palette"][254][5:7], 16)  # red


def test_a_reconstruction_has_the_grey_levels_of_the_micrograph(groups):
    shown = DisplayImage(np.zeros((3, 4), np.uint8), 1, 0, 1, 0, 1, low=-5.0, high=15.0)
    made = layer(groups, "reconstruction", image=shown)
    assert made.columns["level"].ravel()[[0, 11]].tolist() == [0, round(11 / 20 * 254)]
    assert made.facts["palette"][0] == "#000000"
    assert "90.0 % of the variance" in made.facts["note"]


def test_outliers_do_not_stretch_a_scale():
    values = np.r_[np.linspace(0, 1, 200), 1e6]
    low, high = robust_limits(values)
    assert -0.01 < low < 0.05
    assert 0.9 < high < 1.01


@pytest.mark.parametrize("values", [[], [np.nan], [0.0, 0.0], [3.0], [-2.0, -2.0]])
@pytest.mark.parametrize("centred", [True, False])
def test_a_scale_of_nothing_to_tell_apart_has_two_ends(values, centred):
    low, high = robust_limits(np.array(values), centred=centred)
    assert low < high
    assert not centred or low == -high


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 1, ["0", "0.5", "1"]),
        (-0.0123, 0.0123, ["−0.012", "0", "0.012"]),
        (-120, 250, ["−120", "65", "250"]),
        (0, 30, ["0", "15", "30"]),
    ],
)
def test_ticks_are_short_and_tell_the_ends_apart(low, high, texts):
    assert [tick["text"] for tick in scale_ticks(low, high)] == texts
