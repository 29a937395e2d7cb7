import numpy as np
import pytest
import xarray as xr

from atomotif.views import data as views_data
from atomotif.views.data import ViewData, display_image, parameters


def image_group(values, pixel=0.5, origin=(0.0, 0.0)):
    rows, cols = values.shape
    coords = {"y": origin[0] + np.arange(rows) * pixel, "x": origin[1] + np.arange(cols) * pixel}
    return xr.Dataset({"intensity": (("y", "x"), values)}, coords, {"pixel_size": pixel, "units": "nm"})


def tree(**groups):
    return xr.DataTree.from_dict(groups)


def points_group(ids):
    ids = np.asarray(ids)
    return xr.Dataset({"x": ("point", ids * 0.5), "y": ("point", ids * 0.25)}, {"id": ("point", ids)})


def test_image_reaches_half_a_pixel_beyond_its_centres():
    shown = display_image(image_group(np.eye(4), pixel=0.5, origin=(10.0, 20.0)))
    assert (shown.x0, shown.x1, shown.y0, shown.y1) == (19.75, 21.75, 9.75, 11.75)


def test_a_few_hot_pixels_do_not_darken_the_micrograph():
    values = np.random.default_rng(0).normal(size=(100, 100))
    plain = display_image(image_group(values)).pixels
    values[5, 5] = 1e6
    hot = display_image(image_group(values)).pixels
    assert hot[5, 5] == 255
    assert np.abs(hot.astype(int) - plain)[values < 1e6].max() <= 2


def test_a_constant_image_is_grey():
    assert (display_image(image_group(np.full((9, 9), 7.0))).pixels == 128).all()


def test_a_large_image_is_reduced_by_block_means_and_stays_in_place(monkeypatch):
    monkeypatch.setattr(views_data, "MAX_IMAGE_SIDE", 50)
    ramp = np.repeat(np.arange(101.0)[:, None], 121, axis=1)
    shown = display_image(image_group(ramp, pixel=1.0))
    assert shown.reduction == 3
    assert shown.pixels.shape == (33, 40)
    assert (shown.x1, shown.y1) == (119.5, 98.5)  # whole blocks only
    assert (np.diff(shown.pixels[:, 0].astype(int)) >= 0).all()


def test_groups_of_other_points_are_matched_by_id():
    label = xr.Dataset({"label": ("point", [1, 0])}, {"id": ("point", [9, 7])})
    position = xr.Dataset({"position": (("point", "axis"), [[1.0, 2.0]])}, {"id": ("point", [8])})
    shown = ViewData.from_tree(tree(points=points_group([7, 8, 9]), motifs=label, layout=position))
    np.testing.assert_array_equal(shown.label, [0, -1, 1])
    np.testing.assert_array_equal(shown.u, np.array([np.nan, 1.0, np.nan], "f4"))


def test_an_empty_group_knows_no_point():
    none = xr.Dataset({"label": ("point", np.zeros(0, int))}, {"id": ("point", np.zeros(0, int))})
    np.testing.assert_array_equal(
        ViewData.from_tree(tree(points=points_group([1, 2]), motifs=none)).label, [-1, -1]
    )


def test_averages_share_one_grey_scale():
    average = np.stack([np.full((3, 3), 0.0), np.full((3, 3), 1.0), np.full((3, 3), 0.5)])
    motifs = xr.Dataset(
        {"label": ("point", [0]), "name": ("motif", list("abc")), "average": (("motif", "v", "u"), average)},
        {"id": ("point", [1])},
    )
    shown = ViewData.from_tree(tree(points=points_group([1]), motifs=motifs))
    assert [int(tile[0, 0]) for tile in shown.averages] == [0, 255, 128]
    assert [motif.count for motif in shown.motifs] == [1, 0, 0]


def test_a_colour_that_is_none_is_refused():
    motifs = xr.Dataset(
        {"label": ("point", [0]), "name": ("motif", ["a"]), "color": ("motif", ["url(http://x)"])},
        {"id": ("point", [1])},
    )
    with pytest.raises(ValueError, match=r'`color` of a motif must be "#rrggbb", got'):
        ViewData.from_tree(tree(points=points_group([1]), motifs=motifs))


@pytest.mark.parametrize(
    ("features", "patch", "size"), [(31.0, 29.0, 31.0), (None, 29.0, 29.0), (None, None, None)]
)
def test_patch_size_is_that_of_the_features_before_that_measured(features, patch, size):
    groups = {"points": points_group([1])}
    if features:
        groups["features"] = xr.Dataset(attrs={"patch_size": features})
    if patch:
        groups["patch"] = xr.Dataset(attrs={"patch_size": patch})
    assert ViewData.from_tree(tree(**groups)).patch_size == size


def test_no_image_and_no_points_are_refused():
    with pytest.raises(ValueError, match="`image` or `points`, got \\['layout'\\]"):
        ViewData.from_tree(tree(layout=xr.Dataset()))


def test_parameters_of_groups_without_any_are_left_out():
    groups = tree(image=xr.Dataset(), points=xr.Dataset(attrs={"parameters": '{"a": [1, null]}'}))
    assert parameters(groups) == {"points": {"a": [1, None]}}
