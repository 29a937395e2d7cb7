"""The saved picture: what its pixels show, its size, and who it says drew it."""

import io

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from atomotif import MotifSession
from atomotif.export.picture import MOST_BYTES, picture
from atomotif.export.tree_picture import occurrences_touched
from atomotif.steps.base import Context
from atomotif.steps.find_environments import FindEnvironmentsParameters, find_environments
from atomotif.views.data import ViewData

COLORS = {"Mo": (0x00, 0x72, 0xB2), "2 Se": (0xE6, 0x9F, 0x00), "V_Se": (0x00, 0x9E, 0x73)}


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def near(image: np.ndarray, color: tuple[int, int, int], within: int = 12) -> np.ndarray:
    return (np.abs(image - color) <= within).all(axis=2)


def test_all_motifs_are_seen_in_their_colours(make_data):
    image = pixels(picture(make_data()))
    for color in COLORS.values():
        assert near(image, color).sum() > 100


def test_a_selection_leaves_its_own_colour_alone_bright(make_data):
    data = make_data()
    label, ids = data["motifs"]["label"].values, data["motifs"]["id"].values
    views = ["micrograph", "layout"]
    before = pixels(picture(data, views))
    after = pixels(picture(data, views, ids[label == 2]))
    figures = slice(60, 420)
    for name, chosen in (("Mo", False), ("V_Se", True)):
        count = near(after[figures], COLORS[name]).sum()
        assert (count > 0) == chosen
        assert near(before[figures], COLORS[name]).sum() > 0


def test_columns_are_drawn_where_they_are(make_data):
    """The places of one motif in the picture are those of its columns but for a scale and a shift."""
    data = make_data(side=10)
    chosen = data["motifs"]["label"].values == 2
    points = data["points"].to_dataset()
    image = pixels(picture(data, ["micrograph"], data["motifs"]["id"].values[chosen]))
    rows, cols = np.nonzero(near(image[60:430], COLORS["V_Se"]))
    expected = np.column_stack([points["row"].values[chosen], points["col"].values[chosen]])
    for found, wanted in ((rows, expected[:, 0]), (cols, expected[:, 1])):
        scale = (found.max() - found.min() - 4) / (np.ptp(wanted) or 1)
        assert 3.0 < scale < 4.2  # 100 px of the micrograph on some 330 px of the picture
        centred = (wanted - wanted.min()) * scale + found.min() + 2
        assert all(np.abs(found - place).min() <= 2 for place in centred)


def test_the_size_is_bounded_whatever_is_shown(make_data):
    rng = np.random.default_rng(0)
    data = make_data(names=[f"motif {k}" for k in range(3)])
    noise = xr.Dataset(
        {"intensity": (("y", "x"), rng.random((1500, 1500)))},
        {"y": np.arange(1500.0), "x": np.arange(1500.0)},
        {"units": "px"},
    )
    data["image"] = noise
    png = picture(data)
    assert len(png) <= MOST_BYTES
    assert len(np.unique(pixels(png)[100:300, 100:300])) > 4


def test_it_says_who_drew_it_at_its_beginning(make_data):
    png = picture(make_data())
    assert b"tEXtSoftware\x00atomotif" in png[:100]


def test_it_is_the_same_each_time(make_data):
    assert picture(make_data()) == picture(make_data())


@pytest.mark.parametrize("without", [("image",), ("layout",), ("motifs",), ("points", "layout", "motifs")])
def test_what_is_not_there_is_left_out(make_data, without):
    full = pixels(picture(make_data()))
    part = pixels(picture(make_data(without=without)))
    assert part.shape != full.shape or (part != full).any(axis=-1).mean() > 0.1  # of a micrograph, its grey


def test_one_view_takes_half_the_width(make_data):
    both = Image.open(io.BytesIO(picture(make_data(), ["micrograph", "layout"])))
    alone = Image.open(io.BytesIO(picture(make_data(), ["layout"])))
    assert alone.width < 0.6 * both.width
    assert alone.height == both.height


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "Мотив", "V₂O₅", "模体", "x" * 300, "a\nb"])
def test_any_name_can_be_drawn(make_data, name):
    usual = Image.open(io.BytesIO(picture(make_data())))
    odd = Image.open(io.BytesIO(picture(make_data(names=[name, "b", "c"]))))
    assert odd.size == usual.size


def test_stale_groups_are_grey_and_say_so(make_data):
    image = pixels(picture(make_data(stale=("motifs",))))
    assert near(image, COLORS["2 Se"]).sum() < near(pixels(picture(make_data())), COLORS["2 Se"]).sum() / 2


def test_a_scale_bar_is_as_long_as_it_says():
    """Of 6 nm a quarter is 1.5 nm: the largest of 1, 2, 5 ... that fits is 1 nm, a sixth of the frame."""
    nm = (np.arange(300) + 0.5) * 0.02
    level = xr.Dataset(
        {"intensity": (("y", "x"), np.ones((300, 300)))},
        {"y": nm, "x": nm},
        {"units": "nm", "pixel_size": 0.02},
    )
    image = pixels(picture(xr.DataTree.from_dict({"image": level}), ["micrograph"]))
    grey = near(image, (128, 128, 128), 2)
    frame = np.flatnonzero(grey.sum(axis=0) > 100)
    rows = np.flatnonzero(grey.sum(axis=1) > 100)
    inside = image[rows.min() + 5 : rows.max() - 5, frame.min() + 5 : frame.max() - 5]
    bar = near(inside, (255, 255, 255), 2).sum(axis=1).max()
    assert bar == pytest.approx((frame.max() - frame.min()) / 6, abs=2)


def test_many_points_of_a_large_image(make_data):
    rng = np.random.default_rng(0)
    n = 50_000
    ids = {"id": ("point", np.arange(n))}
    data = xr.DataTree.from_dict(
        {
            "points": xr.Dataset({"x": ("point", rng.random(n)), "y": ("point", rng.random(n))}, ids),
            "layout": xr.Dataset({"position": (("point", "axis"), rng.normal(size=(n, 2)))}, ids),
        }
    )
    assert len(picture(data, selection=np.arange(0, n, 2))) <= MOST_BYTES


def test_hundreds_of_motifs_make_no_large_picture(make_data):
    data = make_data()
    rng = np.random.default_rng(0)
    n = data["points"].sizes["point"]
    labels = np.arange(n) % 200
    groups = {name: node.to_dataset() for name, node in data.children.items()}
    groups["motifs"] = xr.Dataset(
        {
            "label": ("point", labels),
            "name": ("motif", np.array([f"M{k}" for k in range(200)], dtype=object)),
            "average": (("motif", "v", "u"), rng.random((200, 41, 41), np.float32)),
        },
        {"id": groups["points"]["id"]},
    )
    groups["image"]["intensity"] = (("y", "x"), rng.random(groups["image"]["intensity"].shape))
    many = xr.DataTree.from_dict(groups)
    assert len(picture(many, selection=groups["points"]["id"].values)) <= MOST_BYTES


def test_the_tree_has_the_colours_of_its_columns_and_follows_a_selection(planted):
    data = planted.data
    colors = [bytes.fromhex(str(color)[1:]) for color in data["motifs"]["color"].values]
    single, pair = planted.motif_cells.ids(0), planted.motif_cells.ids(2)
    plain = pixels(picture(data, ["tree"]))
    assert near(plain, tuple(colors[2])).sum() > 100
    # The ring of the missing column.
    assert near(plain, tuple(colors[1])).sum() > 20
    of_pair = pixels(picture(data, ["tree"], pair))
    of_both = pixels(picture(data, ["tree"], np.concatenate([single, pair])))
    lit = [near(image, tuple(colors[2])).sum() for image in (of_pair, of_both, plain)]
    assert 0 < lit[0] < lit[1]
    assert lit[1] == pytest.approx(lit[2], rel=0.1)
    # The missing column is faded, since no point next to it is selected.
    assert near(of_both, tuple(colors[1])).sum() == 0


def test_occurrences_that_are_selected_are_outlined_in_the_micrograph(planted):
    data, ids = planted.data, planted.motif_cells.ids(2)
    whole = pixels(picture(data, ["micrograph"], ids))
    part = pixels(picture(data, ["micrograph"], ids[:1]))
    assert near(whole, (255, 255, 255))[40:420].sum() > near(part, (255, 255, 255))[40:420].sum() + 50


def test_occurrences_touched_are_those_of_a_count_by_hand(planted):
    tree = ViewData.from_tree(planted.data).tree
    rng = np.random.default_rng(0)
    for share in (0.0, 0.01, 0.3, 1.0):
        selected = rng.random(399) < share
        touched, whole = occurrences_touched(tree, selected)
        members = [
            selected[tree.member_row[tree.member_offset[k] : tree.member_offset[k + 1]]] for k in range(6)
        ]
        assert touched.tolist() == [
            sum(any(members[k]) for k in range(*tree.occurrence_offset[n : n + 2])) for n in range(3)
        ]
        assert whole.tolist() == [k for k in range(6) if all(members[k])]


def test_environments_are_drawn_with_what_is_selected(planted):
    groups = {str(name): node.to_dataset() for name, node in planted.data.children.items()}
    given = FindEnvironmentsParameters()
    groups["environments"] = find_environments(groups["points"], groups["motifs"], given, Context())
    data, ids = xr.DataTree.from_dict(groups), groups["points"]["id"].values
    label = data["motifs"]["label"].values
    plain = pixels(picture(data, ["environments"]))
    chosen = pixels(picture(data, ["environments"], ids[label == 2]))
    assert plain.shape[0] > 100
    color = tuple(int(str(data["motifs"]["color"].values[2])[at : at + 2], 16) for at in (1, 3, 5))
    # A bar is filled, beside the discs that are there without a selection.
    assert near(chosen, color).sum() > near(plain, color).sum() + 500


def test_states_of_quads_are_drawn_with_their_counts():
    cell = np.array([[6.8, 18.2], [18.2, 43.2], [43.2, 31.8], [31.8, 6.8]])
    centers = np.concatenate([np.add(cell, [50 * i, 50 * j]) for i in range(4) for j in range(4)])
    session = MotifSession(np.random.default_rng(0).normal(size=(200, 200))).set_points(centers)
    session.set_motifs((centers[:, 1] > 100).astype(int), ["empty", "filled"])
    data = session.find_quads(empty="empty", filled="filled", n_draws=9).data
    plain = pixels(picture(data, ["quads"]))
    # Squares at four corners where all are filled, at one in each of four states, at two in each of six.
    for color, corners in (((0xF0, 0xE4, 0x42), 4), ((0x56, 0xB4, 0xE9), 4), ((0xE6, 0x9F, 0x00), 12)):
        assert near(plain, color).sum() == pytest.approx(corners * 121, rel=0.1)
    chosen = pixels(picture(data, ["quads"], session.quads.ids(2, 15)))
    assert (plain[60:] != chosen[60:]).any()
    points = data["points"].to_dataset().isel(point=slice(0))
    empty = xr.DataTree.from_dict({"points": points, "quads": data["quads"].to_dataset()})
    assert pixels(picture(empty, ["quads"])).shape == plain.shape


def test_outlines_have_no_room_among_very_many_columns(make_data, planted):
    from atomotif.export.drawing import Frame
    from atomotif.export.tree_picture import draw_outlines

    tree = ViewData.from_tree(planted.data).tree
    everyone = np.ones(planted.data["points"].sizes["point"], bool)
    # At so small a scale a column has less room than a line is wide.
    frame = Frame(60, 60, left=2, bottom=2, top=2, x0=0.0, x1=400.0, y0=0.0, y1=400.0)
    canvas = np.full((60, 60, 3), 100, np.uint8)
    draw_outlines(canvas, frame, tree, everyone)
    assert (canvas != 100).any()


CORNERS = [(0x3C, 0x64, 0xFF), (0xF0, 0xE4, 0x42), (0xE1, 0x0F, 0x0F)]


def test_a_continuous_sample_is_drawn_softly_with_its_anchors(make_continuous):
    data = make_continuous()
    image = pixels(picture(data))
    assert image.shape[1] == 960 + 16
    # Frames of the tiles in the triangle and in the gallery.
    for color in CORNERS:
        assert near(image[450:], color).sum() > 2 * 300
    # Mixtures have many hues between those of the anchors.
    figures = image[60:440].reshape(-1, 3)
    hues = figures[np.ptp(figures, axis=1) > 60]
    assert len({tuple(color) for color in hues // 24}) > 12
    assert len(picture(data, ["anchors"])) < len(picture(data))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_points_lie_where_their_weights_say(make_continuous, count):
    """Points of which an anchor weighs most are nearest to its tile."""
    data = make_continuous(count=count)
    data["anchors"] = data["anchors"].to_dataset().drop_vars("average")
    weight, ids = np.nan_to_num(data["anchors"]["weight"].values), data["points"]["id"].values
    colors = [tuple(bytes.fromhex(str(color)[1:])) for color in data["anchors"]["color"].values]
    # Without averages only the rings of selected points are black, and others are faded.
    drawn = [pixels(picture(data, ["anchors"], ids[weight[:, k] > 0.8]))[40:] for k in range(count)]
    tiles = [np.argwhere(near(drawn[k - 1], colors[k], 8)).mean(axis=0) for k in range(count)]
    for k, image in enumerate(drawn):
        rings = np.argwhere(near(image, (0, 0, 0), 10))
        assert len(rings) > 50
        away = [np.linalg.norm(np.median(rings, axis=0) - tile) for tile in tiles]
        assert np.argmin(away) == k


def test_stale_anchors_are_drawn_grey(make_continuous):
    bright = pixels(picture(make_continuous(), ["layout"]))
    faded = pixels(picture(make_continuous(stale=("anchors",)), ["layout"]))
    assert np.ptp(bright[60:440], axis=2).max() > 150
    assert np.ptp(faded[60:440], axis=2).max() < 130


def test_a_prime_is_drawn_as_a_character_that_the_font_has(make_continuous):
    data = make_continuous()
    plain = data["anchors"].to_dataset()
    names = [str(name).replace("\N{PRIME}", "'") for name in plain["name"].values]
    same = make_continuous()
    same["anchors"] = plain.assign(name=("anchor", np.array(names, object)))
    assert picture(data) == picture(same)
