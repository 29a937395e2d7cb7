"""What the page is sent of anchors: places and colours of mixtures, what takes the motifs' place, layers."""

import json

import numpy as np
import pytest
import xarray as xr

from atomotif._palette import NEUTRAL, anchor_colors, mixed_colors
from atomotif.views.anchor_data import NO_ANCHOR, anchor_data
from atomotif.views.anchor_layout import (
    TILE_HALF,
    anchor_corners,
    anchor_extent,
    anchor_places,
    anchor_tiles,
    mixture_extent,
    mixture_picture,
)
from atomotif.views.coloring import colorings, point_colors
from atomotif.views.data import ViewData
from atomotif.views.layer_scale import NO_LEVEL
from atomotif.views.layers import groups_of, layer, offered
from atomotif.views.workbench import workbench


@pytest.fixture(scope="module")
def data(make_continuous):
    return make_continuous()


@pytest.fixture
def groups(data):
    return {name: group.copy(deep=True) for name, group in groups_of(data).items()}


# ---- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 4, 6])
def test_corners_are_those_of_a_regular_polygon(count):
    corners = anchor_corners(count)
    np.testing.assert_allclose(np.linalg.norm(corners, axis=1), 1)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 2 * np.sin(np.pi / count))
    assert corners[0] == pytest.approx([0, 1])


def test_a_place_in_the_triangle_tells_the_weights():
    weight = np.random.default_rng(0).dirichlet([1, 1, 1], 50)
    place = anchor_places(weight)
    corners = anchor_corners(3)
    # The weight of a corner is the area of the triangle opposite, as a share of all of it.
    for k in range(3):
        a, b = corners[k - 1] - place, corners[k - 2] - place
        area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
        np.testing.assert_allclose(area / (3 * np.sqrt(3) / 4), weight[:, k], atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_points_without_weights_have_no_place(count):
    weight = np.full((3, count), 1 / count, np.float32)
    weight[1] = np.nan
    place = anchor_places(weight)
    assert np.isnan(place[1]).all()
    assert np.isfinite(place[[0, 2]]).all()
    assert anchor_places(np.empty((0, count))).shape == (0, 2)


def test_points_between_two_anchors_are_stacked_as_a_histogram():
    share = np.random.default_rng(1).beta(0.5, 0.5, 400)
    place = anchor_places(np.column_stack([1 - share, share]))
    np.testing.assert_allclose(place[:, 0], 2 * share - 1)
    counts, _ = np.histogram(share, bins=100, range=(0, 1))
    for bar in (0, 40, 99):
        inside = np.minimum((share * 100).astype(int), 99) == bar
        heights = np.sort(place[inside, 1]) * counts.max()
        np.testing.assert_allclose(heights, np.arange(1, counts[bar] + 1))


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_tiles_cover_neither_points_nor_each_other_and_are_in_sight(count):
    tiles, extent = anchor_tiles(count), anchor_extent(count)
    apart = np.abs(tiles[:, None] - tiles).max(axis=2)[~np.eye(count, dtype=bool)]
    assert apart.min() > 2 * TILE_HALF
    assert tiles[:, 0].min() - TILE_HALF > extent["x0"]
    assert tiles[:, 0].max() + TILE_HALF < extent["x1"]
    assert tiles[:, 1].min() - TILE_HALF > extent["y0"]
    weight = np.random.default_rng(2).dirichlet(np.full(count, 0.3), 300)
    away = np.abs(anchor_places(weight)[:, None] - tiles).max(axis=2)
    assert away.min() > TILE_HALF


def test_the_triangle_has_at_each_place_the_mixture_of_its_weights():
    colors = anchor_colors(3)
    picture = mixture_picture(colors, 60)
    rows, cols = picture.shape[:2]
    extent = mixture_extent(3)
    # A place well inside, from the page's geometry: row 0 is at the top.
    for weight in ([0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.15, 0.15, 0.7], [1 / 3, 1 / 3, 1 / 3]):
        x, y = anchor_places(np.array([weight]))[0]
        col = (x - extent["x0"]) / (extent["x1"] - extent["x0"]) * cols
        row = (extent["y1"] - y) / (extent["y1"] - extent["y0"]) * rows
        found = picture[int(row), int(col)].astype(int)
        assert found[3] == 255
        assert np.abs(found[:3] - mixed_colors(colors, weight).astype(int)).max() < 12
    assert picture[0, 0, 3] == picture[0, -1, 3] == 0
    assert picture[-1, 2, 3] == 255


def test_the_bar_of_two_goes_from_one_to_the_other():
    picture = mixture_picture(["#000000", "#ffffff"], 40)
    assert (np.diff(picture[0, :, 0].astype(int)) >= 0).all()
    assert (picture[0, 0, 0], picture[0, -1, 0]) == (0, 251)
    assert (picture[..., 3] == 255).all()
    assert mixture_extent(4) is None


# ---- what is sent --------------------------------------------------------------------------------


def test_anchors_are_read_in_the_order_of_the_points(groups):
    ids = groups["points"]["id"].values
    shuffled = np.random.default_rng(3).permutation(np.append(ids, 5))  # 5 is no point of the anchors
    found = anchor_data(groups, shuffled)
    weight = dict(zip(ids.tolist(), groups["anchors"]["weight"].values))
    nearest = dict(zip(ids.tolist(), groups["anchors"]["nearest"].values))
    domain = dict(zip(ids.tolist(), groups["domains"]["domain"].values))
    anchor_of = groups["domains"]["anchor"].values
    for row, one in enumerate(shuffled.tolist()):
        np.testing.assert_array_equal(found.weight[row], weight.get(one, np.full(3, np.nan)))
        expected = nearest.get(one, -1)
        assert found.nearest[row] == (expected if expected >= 0 else NO_ANCHOR)
        number = domain.get(one, -1)
        assert found.domain_anchor[row] == (anchor_of[number] if number >= 0 else NO_ANCHOR)
    np.testing.assert_array_equal(found.mixture, mixed_colors(anchor_colors(3), found.weight))
    assert json.loads(json.dumps(found.facts(), allow_nan=False)) == found.facts()


def test_anchors_take_the_place_of_motifs_that_are_not_there(data, groups):
    shown = ViewData.from_tree(data)
    anchors = groups["anchors"]
    assert shown.kind == "anchor"
    assert [(one.name, one.color, one.count) for one in shown.motifs] == list(
        zip(anchors["name"].values, anchors["color"].values, anchors["count"].values)
    )
    np.testing.assert_array_equal(shown.label, anchors["nearest"])
    np.testing.assert_allclose(shown.confidence, anchors["weight"].max("anchor", skipna=False))
    assert len(shown.averages) == 3

    motifs = xr.Dataset({"label": ("point", np.zeros(900, int)), "name": ("motif", ["Mo"])})
    both = xr.DataTree.from_dict({**groups, "motifs": motifs.assign_coords(id=groups["points"]["id"])})
    assert ViewData.from_tree(both).kind == "motif"
    assert [one["name"] for one in colorings(ViewData.from_tree(both))] == [
        "motifs", "mixture", "nearest", "domains",
    ]  # fmt: skip


def test_colours_of_anchors_that_are_none_are_refused(data, groups):
    groups["anchors"]["color"] = ("anchor", np.array(["#000000", "red;", "#ffffff"], object))
    with pytest.raises(ValueError, match='`color` of an anchor must be "#rrggbb"'):
        ViewData.from_tree(xr.DataTree.from_dict(groups))


def test_a_continuous_sample_is_coloured_softly_at_first(data, groups):
    shown = workbench(data)
    assert shown.facts["kind"] == "anchor"
    assert shown.facts["views"][:5] == ["micrograph", "layout", "anchors", "gallery", "selection"]
    assert [one["name"] for one in shown.facts["colorings"]] == ["mixture", "nearest", "domains"]
    for one in shown.facts["colorings"]:
        assert one["column"] in shown.columns
    assert shown.columns["anchorWeight"].shape == (900, 3)
    assert shown.columns["anchorMixture"].shape == (900, 3)
    del groups["domains"]
    left = workbench(xr.DataTree.from_dict(groups)).facts["colorings"]
    assert [one["name"] for one in left] == ["mixture", "nearest"]


def test_a_single_anchor_has_no_mixtures_to_be_shown(make_continuous):
    data = make_continuous(count=1)
    shown = workbench(data)
    assert "anchors" not in shown.facts["views"]
    assert "anchorPicture" not in shown.columns


def test_points_have_the_colour_of_their_number_or_their_own():
    by_number = {"palette": ["#102030", "#ffffff"]}
    found = point_colors(by_number, np.array([1, 0, -1, 2]), fade=False)
    assert found.tolist() == [[255] * 3, [0x10, 0x20, 0x30], *2 * [list(bytes.fromhex(NEUTRAL[1:]))]]
    assert point_colors(by_number, np.array([NO_ANCHOR], np.uint8), fade=True).tolist() == [[137] * 3]
    own = np.array([[1, 2, 3]], np.uint8)
    assert point_colors({"palette": None}, own, fade=False).tolist() == [[1, 2, 3]]


# ---- layers --------------------------------------------------------------------------------------


def test_layers_of_a_continuous_sample_are_offered_as_far_as_there_are_results(groups):
    assert [one["name"] for one in offered(groups)] == ["domains", "stacking", "registry"]
    groups["domains"].attrs["stale"] = 1
    assert [one["stale"] for one in offered(groups)] == [True, False, False]
    del groups["anchors"], groups["moire"]["registry_map"]
    assert [one["name"] for one in offered(groups)] == ["stacking"]


@pytest.mark.parametrize("name", ["domains", "stacking", "registry"])
def test_every_layer_is_ready_to_be_sent(groups, name):
    made = layer(groups, name)
    assert json.loads(json.dumps(made.facts, allow_nan=False)) == made.facts
    for column in made.columns.values():
        assert column.dtype.name in ("uint8", "uint16", "uint32", "int32", "float32")


def test_domains_are_outlined_numbered_and_know_their_points(groups):
    made = layer(groups, "domains")
    corners, columns = made.facts["corners"], made.columns
    group = groups["domains"]
    x = corners["x0"] + columns["cornerX"] * corners["xStep"]
    y = corners["y0"] + columns["cornerY"] * corners["yStep"]
    np.testing.assert_allclose(x, group["outline_x"], atol=1e-4)
    np.testing.assert_allclose(y, group["outline_y"], atol=1e-4)
    np.testing.assert_array_equal(columns["region"], group["outline_domain"])
    np.testing.assert_array_equal(columns["member"], group["domain"])
    np.testing.assert_array_equal(columns["level"], group["anchor"])
    assert [one["text"] for one in made.facts["labels"]] == [str(k + 1) for k in range(9)]
    assert made.facts["swatches"][0] == {"color": anchor_colors(3)[0], "text": "AA\u2032 (3 domains)"}


def test_stackings_are_those_that_are_nearest(groups):
    groups["moire"]["stacking"][7] = -1
    made = layer(groups, "stacking")
    level = made.columns["level"]
    assert level[7] == NO_LEVEL
    others = np.arange(900) != 7
    np.testing.assert_array_equal(level[others], groups["moire"]["stacking"].values[others])
    assert [one["text"].split(" ")[0] for one in made.facts["swatches"]] == ["AA", "AB", "BA"]


def test_the_registry_has_at_a_stacking_its_colour_and_between_two_their_mixture(groups):
    moire = groups["moire"]
    made = layer(groups, "registry")
    rgba = made.columns["rgba"].astype(int)
    colors = [list(bytes.fromhex(color[1:])) for color in anchor_colors(3)]
    lattice = moire["layer_vector"].values[0]
    stackings = np.array([[0, 0], [1, 1], [2, 2]]) / 3 @ lattice
    field = moire["registry_map"].values
    steps = np.array([[a, b] for a in range(-4, 5) for b in range(-4, 5)]) @ lattice
    apart = np.linalg.norm(field[:, :, None, None] - stackings[:, None] - steps, axis=-1).min(axis=-1)
    for k in range(3):
        row, col = np.unravel_index(np.argmin(apart[..., k]), apart.shape[:2])
        assert np.abs(rgba[row, col, :3] - colors[k]).max() < 40
    # The nearest stacking is the one that weighs most.
    weight = np.clip(1 - apart / np.linalg.norm(lattice.sum(axis=0) / 3), 1e-9, None)
    expected = mixed_colors(anchor_colors(3), weight).astype(int)
    assert np.abs(rgba[..., :3] - expected).max(axis=2).mean() < 12
    assert made.columns["legend"].shape[2] == 4


def test_stackings_have_the_colours_of_the_anchors_that_they_are(groups):
    own = layer(groups, "stacking").facts["palette"]
    names = np.array(["BA", "AA", "AB"], object)
    groups["anchors"] = groups["anchors"].assign(name=("anchor", names))
    for name in ("stacking", "registry"):
        assert layer(groups, name).facts["palette"] == [own[1], own[2], own[0]]


def test_the_moire_cell_lies_in_the_picture_and_begins_at_the_first_stacking(groups):
    moire = groups["moire"]
    cell = np.array(layer(groups, "registry").facts["outline"])
    y, x = moire["moire_vector"].values[:, 0], moire["moire_vector"].values[:, 1]
    np.testing.assert_allclose(cell[1] - cell[0], [x[0], y[0]], atol=1e-9)
    np.testing.assert_allclose(cell[2] - cell[1], [x[1], y[1]], atol=1e-9)
    np.testing.assert_allclose(cell[3] - cell[2], [-x[0], -y[0]], atol=1e-9)
    at = np.argmin(np.hypot(groups["points"]["x"] - cell[0, 0], groups["points"]["y"] - cell[0, 1]).values)
    assert moire["stacking"].values[at] == 0


def test_the_registry_says_what_was_measured_and_is_clear_where_it_was_not(groups):
    made = layer(groups, "registry")
    assert made.facts["note"].startswith("twist and period 3.150 \xb1 0.004\xb0, 1.875 \xb1 0.002 nm;")
    groups["moire"]["registry_map"][3, 4] = np.nan
    alpha = layer(groups, "registry").columns["rgba"][..., 3]
    assert alpha[3, 4] == 0
    assert (alpha == 0).sum() == 1
