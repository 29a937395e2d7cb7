"""The page in a real browser: a real mouse in one view, the pixels of another; and not one request."""

import html
import io
import itertools
import re

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from atomotif import MotifSession
from atomotif._palette import NEUTRAL, anchor_colors, mixed_colors
from atomotif.export.html import to_html
from atomotif.session.environments import Environments
from atomotif.steps.base import Context
from atomotif.steps.find_environments import FindEnvironmentsParameters, find_environments
from atomotif.views.comparison import PAIR_COLORS
from atomotif.views.style import SEQUENTIAL

pytestmark = pytest.mark.browser

# Where a figure draws points of its data, px of the page.
PLACES = """([name, xs, ys]) => {
  const view = [...Bokeh.index].find((view) => view.model.name === name);
  const box = view.canvas_view.el.getBoundingClientRect();
  const { x_scale, y_scale } = view.frame;
  return xs.map((x, k) => [box.left + x_scale.compute(x), box.top + y_scale.compute(ys[k])]);
}"""


class Report:
    """A page that is open, the mouse over it, and all that it asked for or complained of."""

    def __init__(self, page, address):
        self.page, self.address, self.requests, self.complaints = page, address, [], []
        page.set_default_timeout(15_000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )

    def open(self):
        self.page.goto(self.address)
        self.page.wait_for_selector("[data-ready]")
        self.page.wait_for_timeout(300)  # the first layout of the figures
        return self

    def place(self, figure, x, y):
        return self.places(figure, [x], [y])[0]

    def places(self, figure, xs, ys):
        return self.page.evaluate(PLACES, [figure, [float(x) for x in xs], [float(y) for y in ys]])

    def selected(self):
        return self.page.evaluate("Array.from(atomotif.selection.get())")

    def drag(self, figure, corners):
        path = [self.place(figure, x, y) for x, y in corners]
        self.page.mouse.move(*path[0])
        self.page.mouse.down()
        for place in path[1:]:
            self.page.mouse.move(*place, steps=6)
        self.page.mouse.up()
        self.page.wait_for_timeout(250)

    def tap(self, figure, x, y):
        self.page.mouse.click(*self.place(figure, x, y))
        # Until then a second tap would make a double tap of the first.
        self.page.wait_for_timeout(500)

    def pixels(self):
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")).astype(int)


@pytest.fixture
def open_report(chromium, tmp_path):
    contexts = []

    def make(data, *, size=(1280, 720), scheme="light", **options):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, offline=True, **options
        )
        contexts.append(context)
        path = to_html(data, tmp_path / "report.html")
        return Report(context.new_page(), path.as_uri()).open()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def page_shared(chromium, make_data, tmp_path_factory):
    context = chromium.new_context(
        viewport={"width": 1280, "height": 720}, color_scheme="light", offline=True
    )
    path = to_html(make_data(), tmp_path_factory.mktemp("report") / "report.html")
    yield Report(context.new_page(), path.as_uri()).open()
    context.close()


@pytest.fixture
def report(page_shared):
    """A page of the default data, for tests that only select: opened once, as that takes the longest."""
    page_shared.page.evaluate("atomotif.selection.set(new Uint32Array(0))")
    page_shared.page.mouse.move(2, 2)
    page_shared.page.wait_for_timeout(450)  # no tap of this test is to be the second of a double tap
    yield page_shared
    # Whatever a test did, the page asked for nothing but itself and complained of nothing.
    assert page_shared.requests == [page_shared.address]
    assert page_shared.complaints == []


@pytest.fixture
def fresh(open_report, make_data):
    """A page of the default data, for tests that zoom, or choose a tool or a mode."""
    opened = open_report(make_data())
    yield opened
    assert opened.requests == [opened.address]
    assert opened.complaints == []


def heap(data, motif, half=2.5):
    """The corners of a square around one motif's points in the layout."""
    u, v = data["layout"]["position"].values[data["motifs"]["label"].values == motif].mean(axis=0)
    return [(u - half, v - half), (u + half, v - half), (u + half, v + half), (u - half, v + half)]


def rows_of(data, motif):
    return np.flatnonzero(data["motifs"]["label"].values == motif).tolist()


def distance(pixels, place, color):
    """How far the pixel drawn at `place` is from `color`."""
    x, y = (round(value) for value in place)
    return np.abs(pixels[y, x] - rgb(color)).max()


def rgb(color):
    return [int(color[at : at + 2], 16) for at in (1, 3, 5)]


def rgb_of(element):
    """The background of an element as the browser computes it."""
    return [
        int(part)
        for part in re.findall(r"\d+", element.evaluate("(el) => getComputedStyle(el).backgroundColor"))[:3]
    ]


def test_lasso_in_the_layout_lights_the_micrograph(report, make_data):
    data = make_data()
    before = report.pixels()
    report.drag("layout", heap(data, 2))
    after = report.pixels()
    assert report.selected() == rows_of(data, 2)
    x, y = data["points"]["x"].values, data["points"]["y"].values
    color = data["motifs"]["color"].values
    label = data["motifs"]["label"].values
    for row, place in enumerate(report.places("micrograph", x, y)):
        if label[row] == 2:
            assert distance(after, place, color[2]) < 12
        else:
            # Dimmed: darker than it was and no longer its motif's colour.
            assert distance(after, place, color[label[row]]) > 40
            assert (
                after[round(place[1]), round(place[0])].sum() < before[round(place[1]), round(place[0])].sum()
            )


def test_lasso_in_the_micrograph_lights_the_layout(report, make_data):
    data = make_data()
    report.drag("micrograph", [(0.0, 0.0), (2.45, 0.0), (2.45, 0.56), (0.0, 0.56)])
    x, y = data["points"]["x"].values, data["points"]["y"].values
    expected = np.flatnonzero(y < 0.56)
    assert report.selected() == expected.tolist()
    pixels = report.pixels()
    # Rows run downwards: what was caught by the mouse at the top of the micrograph has small y.
    assert report.place("micrograph", x[0], y[0])[1] < report.place("micrograph", x[399], y[399])[1]
    position = data["layout"]["position"].values
    label = data["motifs"]["label"].values
    rare = expected[label[expected] == 2]
    assert len(rare)
    for row in rare:
        box = [round(value) for value in report.place("layout", *position[row])]
        around = pixels[box[1] - 4 : box[1] + 5, box[0] - 4 : box[0] + 5].reshape(-1, 3)
        assert np.abs(around - [0x00, 0x9E, 0x73]).max(axis=1).min() < 12


def test_nothing_of_a_selection_is_drawn_outside_the_frame(fresh, make_data):
    before = fresh.pixels()
    fresh.page.mouse.move(*fresh.place("micrograph", 1.25, 1.25))
    fresh.page.mouse.wheel(0, -600)  # zoomed in, most selected points are outside
    fresh.page.wait_for_timeout(400)
    fresh.page.locator(".am-tile").nth(0).click()
    fresh.page.mouse.move(2, 2)
    fresh.page.wait_for_timeout(400)
    box = fresh.page.locator(".am-panel-micrograph").bounding_box()
    corner = np.s_[
        int(box["y"]) + 3 : int(box["y"]) + 6, int(box["x"]) + 3 : int(box["x"] + box["width"]) - 3
    ]
    np.testing.assert_array_equal(fresh.pixels()[corner], before[corner])


def test_a_crowd_of_selected_points_is_drawn_where_they_are(open_report, make_data):
    data = make_data(side=64)
    report = open_report(data)
    plain = report.pixels()
    report.page.get_by_role("button", name="Invert").click()
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(400)
    assert len(report.selected()) == 64**2
    label, color = data["motifs"]["label"].values, data["motifs"]["color"].values
    x, y = data["points"]["x"].values, data["points"]["y"].values

    def matching():
        pixels, box = report.pixels(), report.page.locator(".am-panel-micrograph").bounding_box()
        near = []
        for row, place in enumerate(report.places("micrograph", x, y)):
            if box["x"] + 80 < place[0] < box["x"] + box["width"] - 30 and box["y"] + 60 < place[1] < 480:
                near.append(distance(pixels, place, color[label[row]]))
        return len(near), np.mean(np.array(near) < 12)

    count, share = matching()
    assert count > 100
    assert share > 0.95
    assert not np.array_equal(report.pixels(), plain)
    report.page.mouse.move(*report.place("micrograph", 4.0, 4.0))
    report.page.mouse.wheel(0, -300)
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(600)
    count, share = matching()
    assert count > 20
    assert share > 0.95


def test_box_select(fresh, make_data):
    data = make_data()
    fresh.page.locator(".am-panel-layout").get_by_title(re.compile("Box Select", re.I)).click()
    corners = heap(data, 1)
    fresh.drag("layout", [corners[0], corners[2]])
    assert fresh.selected() == rows_of(data, 1)


def test_keys_add_remove_and_intersect(report, make_data):
    data = make_data()
    tiles, keys = report.page.locator(".am-tile"), report.page.keyboard
    tiles.nth(1).click()
    keys.down("Shift")
    report.drag("layout", heap(data, 2))
    keys.up("Shift")
    assert report.selected() == sorted(rows_of(data, 1) + rows_of(data, 2))
    keys.down("Control")
    report.drag("layout", heap(data, 1))
    keys.up("Control")
    assert report.selected() == rows_of(data, 2)
    keys.down("Alt")
    report.drag("micrograph", [(0.0, 0.0), (2.45, 0.0), (2.45, 1.25), (0.0, 1.25)])
    keys.up("Alt")
    assert report.selected() == [row for row in rows_of(data, 2) if row < 200]


def test_buttons_choose_the_mode_where_there_are_no_keys(fresh, make_data):
    data = make_data()
    fresh.page.get_by_role("button", name="Add").click()
    fresh.page.locator(".am-tile").nth(1).click()
    fresh.drag("layout", heap(data, 2))
    assert fresh.selected() == sorted(rows_of(data, 1) + rows_of(data, 2))
    fresh.page.get_by_role("button", name="Invert").click()
    assert fresh.selected() == rows_of(data, 0)
    fresh.page.get_by_role("button", name="Clear").click()
    assert fresh.selected() == []


def test_gallery_tap_selects_a_motif_and_says_so(report, make_data):
    data = make_data()
    tile = report.page.locator(".am-tile").nth(2)
    tile.click()
    assert report.selected() == rows_of(data, 2)
    assert tile.get_attribute("aria-pressed") == "true"
    assert "20 / 20" in tile.inner_text()
    summary = report.page.locator(".am-summary").inner_text()
    assert "20 of 400 columns selected" in summary
    assert "V_Se" in summary
    assert "Mo" not in summary


def test_tap_selects_a_point_and_clears_beside_one(report, make_data):
    data = make_data()
    x, y = data["points"]["x"].values[210], data["points"]["y"].values[210]
    report.tap("micrograph", x, y)
    assert report.selected() == [210]
    report.page.keyboard.down("Shift")
    report.tap("micrograph", data["points"]["x"].values[215], data["points"]["y"].values[215])
    report.page.keyboard.up("Shift")
    assert report.selected() == [210, 215]
    report.tap("layout", *(np.array(heap(data, 0)[0]) - 0.5))
    assert report.selected() == []


@pytest.mark.parametrize("how", ["Escape", "double tap"])
def test_a_selection_is_cleared(report, how):
    report.page.locator(".am-tile").nth(0).click()
    assert report.selected()
    if how == "Escape":
        report.page.keyboard.press("Escape")
    else:
        report.page.mouse.dblclick(*report.place("layout", 5.0, 4.0))
        report.page.wait_for_timeout(400)
    assert report.selected() == []


def test_hover_shows_the_patch_beside_the_average(report, make_data):
    data = make_data()
    row = 210
    x, y = (data["points"][name].values[row] for name in "xy")
    card = report.page.locator(".am-card")
    assert not card.is_visible()
    report.page.mouse.move(*report.place("micrograph", x + 0.4, y))
    report.page.mouse.move(*report.place("micrograph", x, y), steps=3)
    card.wait_for(state="visible")
    text = card.inner_text()
    label = int(data["motifs"]["label"].values[row])
    for part in (f"#{1000 + row}", str(data["motifs"]["name"].values[label]), "0.90"):
        assert part in text
    shown = dict(re.findall(r"^([xy])\n([\d.]+) nm$", text, re.M))
    assert float(shown["x"]) == pytest.approx(x, abs=0.001)
    assert float(shown["y"]) == pytest.approx(y, abs=0.001)
    patch = report.page.evaluate("""() => {
      const canvas = document.querySelector(".am-picture canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return Array.from({ length: canvas.width * canvas.height }, (_, k) => data[4 * k]);
    }""")
    side = int(np.sqrt(len(patch)))
    assert side == 12
    # The image has one bright pixel a column, so the patch has one near its middle.
    bright = np.argwhere(np.reshape(patch, (side, side)) == 255)
    assert np.abs(bright - (side - 1) / 2).max(axis=1).min() <= 1
    report.page.mouse.move(3, 3)
    card.wait_for(state="hidden")


def test_a_pixel_is_as_tall_as_wide_whatever_the_window(open_report, make_data):
    report = open_report(make_data(), size=(1280, 720))
    for size in ((1280, 720), (1920, 1080), (1500, 640)):
        report.page.set_viewport_size({"width": size[0], "height": size[1]})
        report.page.wait_for_timeout(500)
        for figure in ("micrograph", "layout"):
            origin, across, down = (report.place(figure, *xy) for xy in ((0, 0), (1, 0), (0, 1)))
            wide, tall = across[0] - origin[0], abs(down[1] - origin[1])
            assert wide == pytest.approx(tall, rel=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_all_is_within_the_window_and_follows_the_theme(open_report, make_data, size, scheme):
    report = open_report(make_data(), size=size, scheme=scheme)
    width, height = report.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert width <= size[0]
    assert height <= size[1]
    boxes = [locator.bounding_box() for locator in report.page.locator(".am-panel").all()]
    assert len(boxes) == 3
    for left, right in itertools.pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"]
    x, y = (round(value) for value in report.place("layout", 5.0, 4.0))  # between the heaps
    brightness = report.pixels()[y, x].mean()
    assert brightness > 200 if scheme == "light" else brightness < 60


def test_page_works_inside_a_frame_without_an_origin(chromium, make_data, tmp_path):
    page = to_html(make_data(), tmp_path / "report.html").read_text("utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text(
        f'<iframe sandbox="allow-scripts" width="1250" height="700" srcdoc="{html.escape(page)}"></iframe>',
        "utf-8",
    )
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    report = Report(context.new_page(), outer.as_uri())
    report.page.goto(report.address)
    frame = report.page.frame_locator("iframe")
    frame.locator("[data-ready]").wait_for()
    frame.locator(".am-tile").nth(2).click()
    assert "20 of 400" in frame.locator(".am-summary").inner_text()
    assert [url for url in report.requests if url not in (report.address, "about:srcdoc")] == []
    assert report.complaints == []
    context.close()


def test_hostile_names_are_shown_as_typed(open_report, make_data):
    hostile = '"><script>document.title="run"</script><img src=x onerror=\'document.title="run"\'>'
    report = open_report(make_data(names=(hostile, "b", "c"), source=hostile))
    report.page.locator(".am-tile").nth(0).click()
    report.page.mouse.move(*report.place("micrograph", 0.0625, 0.0625))
    report.page.wait_for_timeout(300)
    assert report.page.title() != "run"
    assert hostile in report.page.locator(".am-tile").nth(0).inner_text()
    assert report.page.locator("img").count() == 0
    assert report.requests == [report.address]


@pytest.fixture
def layered(make_data):
    """Data with a strain that is negative above and positive below, square cells, and a reconstruction."""
    data = make_data()
    points, label = data["points"].to_dataset(), data["motifs"]["label"].values
    n, half, ids = len(label), 5 * 0.0125, {"id": ("point", data["points"]["id"].values)}
    exx = np.where(points["y"].values < 1.25, -0.02, 0.02)
    moved = np.column_stack([np.zeros(n), 2e-3 * np.ones(n)])
    data["strain"] = xr.Dataset(
        {"exx": ("point", exx), "displacement": (("point", "axis"), moved)}, ids, {"units": "nm"}
    )
    around = {"x": [-1, 1, 1, -1], "y": [-1, -1, 1, 1]}
    corners = {
        f"corner_{axis}": ("corner", np.add.outer(points[axis].values, half * np.array(steps)).ravel())
        for axis, steps in around.items()
    }
    data["cells"] = xr.Dataset(
        {
            **corners,
            "corner_offset": ("cell_bound", 4 * np.arange(n + 1)),
            "class": ("cell", (label == 2).astype(int)),
            "minority": ("cell", label == 2),
            "class_dominant": ("class_", [True, False]),
            "class_label": ("class_member", [0, 2]),
            "class_offset": ("class_bound", [0, 1, 2]),
        }
    )
    image = data["image"].to_dataset()
    data["reconstruction"] = image[["intensity"]].assign(residual=-image["intensity"])
    return data


def choose_layer(report, title):
    """Choose a layer as a user does: a click opens the list, keys find the entry."""
    report.page.locator(".am-select").click()
    report.page.keyboard.type(title, delay=20)
    report.page.keyboard.press("Enter")
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(500)
    return report.pixels()


def beside(report, data, rows, by=0.03):
    """Where the micrograph draws what is a little to the right of the middle of columns, px of the page."""
    points = data["points"]
    places = report.places("micrograph", points["x"].values[rows] + by, points["y"].values[rows])
    return np.rint(places).astype(int)


INSIDE = np.r_[20 * 4 + 4 : 20 * 4 + 16, 20 * 15 + 9 : 20 * 15 + 18]  # not below the scale bar


def test_a_layer_is_chosen_and_follows_the_zoom_and_goes_again(open_report, layered):
    report = open_report(layered)
    options = report.page.locator(".am-select option").all_inner_texts()
    assert options == ["none", "cells by class", "strain exx", "displacement", "reconstruction", "residual"]
    before = report.pixels()

    def assert_strain(pixels):
        for row, place in zip(INSIDE, beside(report, layered, INSIDE)):
            # Blue where it is shorter, red where it is longer: the ends of the scale.
            assert distance(pixels, place, "#053061" if row < 200 else "#67001f") < 12

    assert_strain(choose_layer(report, "strain exx"))
    assert "exx (%)" in report.page.locator(".am-key").inner_text()
    report.page.mouse.move(*report.place("micrograph", 1.3, 1.25))
    report.page.mouse.wheel(0, -60)
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(400)
    assert_strain(report.pixels())
    report.page.locator(".am-panel-micrograph").get_by_title("Reset").click()
    after = choose_layer(report, "none")
    for x, y in beside(report, layered, INSIDE, by=0):
        assert np.abs(after[y, x] - before[y, x]).max() < 4
    assert report.complaints == []
    assert report.requests == [report.address]


def test_cells_of_the_crystal_are_unfilled(open_report, layered):
    report = open_report(layered)
    pixels = choose_layer(report, "cells")
    label = layered["motifs"]["label"].values
    for row, (x, y) in zip(INSIDE, beside(report, layered, INSIDE)):
        red, green, blue = pixels[y, x]
        assert (green > red + 40 and green > blue) if label[row] == 2 else max(red, green, blue) < 60
    key = report.page.locator(".am-key").inner_text()
    assert "crystal (380)" in key
    assert "V_Se (20)" in key


def test_arrows_point_as_things_are_displaced(open_report, layered):
    report = open_report(layered)
    choose_layer(report, "displacement")
    key = report.page.locator(".am-key").inner_text()
    factor = int(re.search(r"arrows × (\d+)", key)[1])
    assert 2e-3 * factor < 0.125  # shorter than columns are apart
    choose_layer(report, "none")
    report.page.get_by_role("button", name="Columns").click()
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(300)
    before = report.pixels()
    changed = np.abs(choose_layer(report, "displacement") - before).max(axis=2) > 40
    half = 1e-3 * factor
    drawn = [changed[y, x] for x, y in beside(report, layered, INSIDE, by=half)]
    behind = [changed[y, x] for x, y in beside(report, layered, INSIDE, by=-0.0125)]
    # As far as it says, to the right of the column and not to the left; not every column has one.
    assert np.mean(drawn) > 0.2
    assert not any(behind)


def test_the_residual_is_a_picture(open_report, layered):
    report = open_report(layered)
    pixels = choose_layer(report, "residual")
    x, y = (
        round(value) for value in report.place("micrograph", 1.25, 1.25)
    )  # between columns, where it is 0
    assert pixels[y, x].min() > 230
    assert "residual (intensity)" in report.page.locator(".am-key").inner_text()


def test_a_selection_is_seen_on_a_layer(open_report, layered):
    report = open_report(layered)
    plain = choose_layer(report, "strain exx")
    report.page.locator(".am-tile").nth(2).click()
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(400)
    pixels = report.pixels()
    rows = [row for row in rows_of(layered, 2) if row in INSIDE]
    assert rows
    for place in beside(report, layered, rows, by=0):
        assert distance(pixels, place, "#009e73") < 12
    for x, y in beside(report, layered, np.setdiff1d(INSIDE, rows_of(layered, 2))):
        # The layer is dimmed with all else, not gone.
        assert 0.3 < pixels[y, x].sum() / plain[y, x].sum() < 0.7


def test_a_stale_layer_is_greyed_and_says_so(open_report, layered):
    layered["strain"].attrs["stale"] = 1
    report = open_report(layered)
    pixels = choose_layer(report, "strain exx")
    assert "out of date" in report.page.locator(".am-key").inner_text()
    (place,) = beside(report, layered, [90])
    assert distance(pixels, place, "#536881") < 12  # half way to grey


def test_a_page_with_large_layers_is_still_small(tmp_path, make_data, monkeypatch):
    data = make_data()
    rng = np.random.default_rng(0)
    side = np.arange(1500.0)
    maps = {"rotation": (("fold", "y", "x"), rng.random((5, 1500, 1500), np.float32))}
    data["symmetry_map"] = xr.Dataset(maps, {"fold": [2, 3, 4, 5, 6], "y": side, "x": side})
    plain = to_html(make_data(), tmp_path / "plain.html").stat().st_size
    assert 5e6 < to_html(data, tmp_path / "all.html").stat().st_size < 15e6
    monkeypatch.setattr("atomotif.export.html.PAGE_BUDGET", plain + 500_000)
    text = to_html(data, tmp_path / "some.html").read_text("utf-8")
    assert len(text) - plain < 5.5e5
    absent = dict(re.findall(r'"name":"(symmetry-\d)","title":"[^"]*","stale":false,"absent":(\w+)', text))
    assert set(absent.values()) == {"true", "false"}
    assert all((f'"{name}":{{"facts"' in text) == (found == "false") for name, found in absent.items())


def test_stale_views_are_greyed_and_still_work(open_report, make_data):
    data = make_data(stale=("layout",))
    report = open_report(data)
    assert report.page.locator(".am-stale").count() == 1
    assert "out of date" in report.page.locator(".am-panel-layout").inner_text()
    report.drag("layout", heap(data, 2))
    assert report.selected() == rows_of(data, 2)


@pytest.mark.parametrize(
    "without", [("image",), ("motifs",), ("layout",), ("motifs", "layout", "features", "points")]
)
def test_page_of_an_unfinished_session_opens(open_report, make_data, without):
    report = open_report(make_data(without=without))
    assert report.complaints == []
    assert report.page.locator(".am-error").count() == 0


# ---- environments and quads ----------------------------------------------------------------------

TILE = ".am-panel-{} .am-tile"


@pytest.fixture
def surrounded(planted):
    """The planted session's data with the environments of its columns."""
    groups = {str(name): node.to_dataset() for name, node in planted.data.children.items()}
    given = FindEnvironmentsParameters()
    groups["environments"] = find_environments(groups["points"], groups["motifs"], given, Context())
    return xr.DataTree.from_dict(groups)


def class_of(data, center, *rings):
    """The class of environments that is so described in the table, and the rows of its points."""
    found = Environments(data)
    table = found.table()
    (k,) = table.index[(table[["center", "ring 1", "ring 2"]] == [center, *rings]).all(axis=1)]
    return int(table["count"][k]), np.flatnonzero(
        np.isin(data["points"]["id"].values, found.members(k))
    ).tolist()


def test_a_tap_on_a_class_of_environments_lights_its_columns(open_report, surrounded):
    report = open_report(surrounded, size=(1280, 1800))
    x, y = (surrounded["points"][name].values for name in "xy")
    before = report.pixels()
    count, rows = class_of(surrounded, "V", "2 A + 1 B + 1 V", "4 A + 4 B")
    assert count == 4
    tile = report.page.locator(
        TILE.format("environments"), has_text="V · 2\u00a0A + B + V · 4\u00a0A + 4\u00a0B"
    )
    assert tile.locator("svg circle:not(.am-ring)").count() == 1 + 4 + 8
    tile.click()
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(300)
    assert report.selected() == rows
    assert tile.get_attribute("aria-pressed") == "true"
    assert "4 / 4" in tile.inner_text()
    after = report.pixels()
    color, label = surrounded["motifs"]["color"].values, surrounded["motifs"]["label"].values
    for row, place in enumerate(report.places("micrograph", x, y)):
        if x[row] < 1.4 and y[row] > 2.8:
            continue  # the scale bar
        off = distance(after, place, color[label[row]])
        assert (off < 12) == (row in rows)
        assert (
            row in rows
            or after[round(place[1]), round(place[0])].sum() < before[round(place[1]), round(place[0])].sum()
        )
    # Keys do what they do elsewhere.
    _, singles = class_of(surrounded, "V", "2 A + 2 B", "4 A + 4 B")
    report.page.keyboard.down("Shift")
    report.page.locator(TILE.format("environments"), has_text="V · 2\u00a0A + 2\u00a0B ·").first.click()
    report.page.keyboard.up("Shift")
    assert report.selected() == sorted({*rows, *singles})
    assert report.requests == [report.address]
    assert report.complaints == []


def test_a_lasso_lights_the_classes_whose_centres_it_holds(open_report, surrounded):
    report = open_report(surrounded, size=(1280, 1800))
    bottom = 6 * 14 * 0.0125  # below two of the three single V, above all pairs
    report.drag("micrograph", [(0.0, 0.0), (3.45, 0.0), (3.45, bottom), (0.0, bottom)])
    tiles = report.page.locator(TILE.format("environments"))
    texts = tiles.all_inner_texts()
    of = {text.split("\n")[0].replace("\u00a0", " "): text for text in texts}
    assert "2 / 3" in of["V · 2 A + 2 B · 4 A + 4 B"]
    assert "0 / 4" in of["V · 2 A + B + V · 4 A + 4 B"]
    dim = ["am-dim" in tiles.nth(k).get_attribute("class") for k in range(len(texts))]
    assert dim == [" / " in text and "\n0 / " in text for text in texts]
    assert 0 < sum(dim) < len(dim)
    report.page.keyboard.press("Escape")
    assert not any(" / " in text for text in tiles.all_inner_texts())
    assert report.complaints == []


def test_stale_environments_are_greyed_and_hostile_names_are_text(open_report, surrounded):
    hostile = "<img src=x onerror=alert(1)>"
    names = np.array([hostile, "B", "V"], object)
    surrounded["environments"] = (
        surrounded["environments"].to_dataset().assign(motif_name=("motif_", names)).assign_attrs(stale=1)
    )
    report = open_report(surrounded, size=(1280, 1800))
    panel = report.page.locator(".am-panel-environments")
    assert "am-stale" in panel.get_attribute("class")
    assert "out of date" in panel.inner_text()
    assert hostile in panel.inner_text().replace("\u00a0", " ")
    assert report.page.locator("img").count() == 0
    panel.locator(".am-tile").first.click()
    assert report.selected()
    assert report.complaints == []


@pytest.fixture(scope="module")
def paved():
    """A session of pentagons that tile the plane, filled on the right, with their quads."""
    cell = np.array([[6.8, 18.2], [18.2, 43.2], [43.2, 31.8], [31.8, 6.8]])
    centers = np.concatenate([np.add(cell, [50 * i, 50 * j]) for i in range(5) for j in range(5)])
    labels = (centers[:, 1] > 125).astype(int)
    image = np.random.default_rng(0).normal(0, 0.1, (250, 250))
    image[tuple(centers.astype(int).T)] = 1.0
    session = MotifSession(image, pixel_size=0.01, units="nm").set_points(centers)
    return session.set_motifs(labels, ["empty", "filled"]).find_quads(
        empty="empty", filled="filled", n_draws=9
    )


def test_a_tap_on_a_state_of_quads_lights_its_columns_and_a_lasso_its_states(open_report, paved):
    report = open_report(paved.data, size=(1280, 1500))
    ids = paved.data["points"]["id"].values
    tiles = report.page.locator(TILE.format("quads"))
    assert tiles.count() == 16
    full = tiles.last  # all four corners filled
    rows = np.flatnonzero(np.isin(ids, paved.quads.ids(2, 15))).tolist()
    assert full.inner_text().startswith("18\n")
    full.click()
    assert report.selected() == rows
    assert full.inner_text().startswith("18 / 18\n")
    assert full.get_attribute("aria-pressed") == "true"
    # No column on the left is filled.
    assert "am-dim" in tiles.first.get_attribute("class")
    report.drag("micrograph", [(0.0, 0.0), (1.25, 0.0), (1.25, 2.5), (0.0, 2.5)])
    assert tiles.first.inner_text().startswith("18 / 18\n")
    assert full.inner_text().startswith("0 / 18\n")
    text = report.page.locator(".am-panel-quads").inner_text()
    assert f"Entropy {paved.quads.entropies()['entropy'][0]:.2f} bits" in text
    # Level 3: no pentagon of 16 is filled at the left, all are at the right.
    report.page.keyboard.press("Escape")
    pixels = choose_layer(report, "quads, level 3")
    squares = paved.data["quads"]
    state, x, y = (squares[f"square_{name}"].values for name in ("state", "x", "y"))
    for value, color in ((0, "#440154"), (65535, "#fde724")):
        (there,) = np.nonzero(state == value)
        assert len(there)
        off = [distance(pixels, place, color) for place in report.places("micrograph", x[there], y[there])]
        assert min(off) < 12
    assert report.requests == [report.address]
    assert report.complaints == []


@pytest.mark.parametrize("width", [480, 1280, 1920])
def test_tiles_have_their_place_at_every_width(open_report, surrounded, paved, width):
    surrounded["quads"] = paved.data["quads"].to_dataset()
    report = open_report(surrounded, size=(width, 900))
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("environments", "quads"):
        panel = report.page.locator(f".am-panel-{name}").bounding_box()
        whole = report.page.locator(".am-views").bounding_box()
        assert abs(panel["width"] - whole["width"]) < 2
        for tile in report.page.locator(TILE.format(name)).all():
            box = tile.bounding_box()
            assert panel["x"] <= box["x"]
            assert box["x"] + box["width"] <= panel["x"] + panel["width"]
            assert box["y"] + box["height"] <= panel["y"] + panel["height"]


# ---- the tree ------------------------------------------------------------------------------------

SINGLE, MISSING, PAIR = 0, 1, 2  # motif-cells of the planted session

# What the tree draws of the motif-cells, by layer.
LAYER = """(name) => {
  const view = [...Bokeh.index].find((view) => view.model.name === "tree");
  const { data } = view.model.renderers.find((renderer) => renderer.name === `tree-${name}`).data_source;
  return Object.fromEntries(Object.entries(data).map(([key, values]) => [key, Array.from(values)]));
}"""


class Tree:
    """The tree of a page that shows the planted session."""

    def __init__(self, report, session):
        self.report, self.page, self.session = report, report.page, session
        points = session.data["points"]
        self.x, self.y, self.ids = (points[name].values for name in ("x", "y", "id"))

    def layer(self, name):
        return self.page.evaluate(LAYER, name)

    def counts(self, prefix=""):
        return self.layer(f"{prefix}counts")["text"]

    def see(self):
        self.page.locator(".am-panel-tree").scroll_into_view_if_needed()
        self.page.wait_for_timeout(150)

    def places(self):
        """Where the discs are drawn, in the order of the motif-cells as they are placed."""
        discs = self.layer("discs")
        return self.report.places("tree", discs["x"], discs["y"])

    def tap(self, count):
        """Tap the motif-cell that has this count beside it."""
        self.see()
        counts = self.layer("counts")
        at = counts["text"].index(count)
        x, y = self.report.place("tree", counts["x"][at], counts["y"][at])
        self.page.mouse.click(x - 5, y)
        self.page.wait_for_timeout(500)

    def rows(self, node):
        return np.flatnonzero(np.isin(self.ids, self.session.motif_cells.ids(node))).tolist()


@pytest.fixture
def tree(open_report, planted):
    report = open_report(planted.data, size=(1280, 1250))
    yield Tree(report, planted)
    assert report.requests == [report.address]
    assert report.complaints == []


def test_tree_shows_motif_cells_in_the_colours_of_their_columns(tree):
    assert sorted(tree.counts()) == ["×1", "×2", "×3"]
    panel = tree.page.locator(".am-panel-tree")
    assert "3 motif-cells" in panel.inner_text()
    assert "rare" not in panel.inner_text()
    tree.see()
    pixels = tree.report.pixels()
    colors = [rgb(str(color)) for color in tree.session.data["motifs"]["color"].values]
    drawn = [pixels[round(y), round(x)] for x, y in tree.places()]
    v = [np.abs(one - colors[2]).max() < 12 for one in drawn]
    # Three discs of V; the fourth is a ring, which is empty and has the colour of B.
    assert sum(v) == 3
    ring = tree.places()[v.index(False)]
    assert drawn[v.index(False)].min() > 225
    around = pixels[round(ring[1]), round(ring[0]) - 30 : round(ring[0]) + 30]
    assert np.abs(around - colors[1]).max(axis=1).min() < 40


def test_a_tap_on_a_motif_cell_lights_micrograph_and_layout(tree):
    report = tree.report
    before = report.pixels()
    tree.tap("×2")
    rows = tree.rows(PAIR)
    assert report.selected() == rows
    assert tree.counts("lit-") == ["2 / 2"]
    report.page.mouse.move(2, 2)
    report.page.evaluate("window.scrollTo(0, 0)")
    report.page.wait_for_timeout(300)
    after = report.pixels()
    color = [str(one) for one in tree.session.data["motifs"]["color"].values]
    label = tree.session.data["motifs"]["label"].values
    for row, place in enumerate(report.places("micrograph", tree.x, tree.y)):
        if row in rows:
            assert distance(after, place, color[2]) < 12
        elif tree.x[row] > 1.2 or tree.y[row] < 2.8:  # beside the scale bar
            assert distance(after, place, color[label[row]]) > 40
    # Each pair is outlined: above the upper column there is a white line on a black one.
    radius = report.page.evaluate(
        "JSON.parse(document.getElementById('atomotif-workbench').text).facts.tree.body"
    )
    for row in rows:
        x, y = report.place("micrograph", tree.x[row] + radius, tree.y[row])
        # Between pixels the line is spread over two: on one of three rows it is seen as it is.
        near = after[round(y) - 1 : round(y) + 2, round(x) - 3 : round(x) + 4].reshape(-1, 3)
        assert near.min(axis=1).max() > 200
        assert near.max(axis=1).min() < 60
        assert before[round(y), round(x) - 3 : round(x) + 4].min(axis=1).max() < 120
    u, v = tree.session.data["layout"]["position"].values[rows].T
    for x, y in report.places("layout", u, v):
        around = after[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5].reshape(-1, 3)
        assert np.abs(around - rgb(color[2])).max(axis=1).min() < 12


def test_a_missing_column_can_be_tapped(tree):
    tree.tap("×1")
    rows = tree.report.selected()
    assert len(rows) == 4
    away = np.hypot(tree.x[rows] - (5 * 14 + 7) * 0.0125, tree.y[rows] - (8 * 14 + 7) * 0.0125)
    assert away.max() < 15 * 0.0125
    assert tree.counts("lit-") == ["1 / 1"]


def test_a_lasso_in_the_micrograph_lights_the_motif_cells_that_it_meets(tree):
    report = tree.report
    # Rows 0 to 8 of the columns: two of the singles, the upper half of a pair, three next to the one missing.
    bottom = (8 * 14 + 14) * 0.0125
    report.drag("micrograph", [(0.0, 0.0), (3.45, 0.0), (3.45, bottom), (0.0, bottom)])
    assert sorted(tree.counts("lit-")) == ["1 / 1", "1 / 2", "2 / 3"]
    tree.see()
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(200)
    pixels = report.pixels()
    color = str(tree.session.data["motifs"]["color"].values[2])
    lit = tree.layer("lit-discs")
    found = [distance(pixels, place, color) for place in report.places("tree", lit["x"], lit["y"])]
    assert sum(off < 12 for off in found) == 3
    report.page.keyboard.press("Escape")
    assert tree.counts("lit-") == []
    # Nothing of another motif-cell is lit where only a single V is selected.
    report.page.evaluate("window.scrollTo(0, 0)")
    report.tap("micrograph", *np.array([3, 3]) * 14 * 0.0125 + 7 * 0.0125)
    assert tree.counts("lit-") == ["1 / 3"]
    report.page.mouse.move(2, 2)
    tree.see()
    pixels = report.pixels()
    assert sum(distance(pixels, place, color) < 12 for place in tree.places()) == 1


def test_a_lasso_in_the_tree_takes_the_motif_cells_inside_and_keys_combine(tree):
    tree.tap("×3")
    assert tree.report.selected() == tree.rows(SINGLE)
    tree.page.keyboard.down("Shift")
    tree.tap("×2")
    tree.page.keyboard.up("Shift")
    assert tree.report.selected() == sorted(tree.rows(SINGLE) + tree.rows(PAIR))
    tree.page.keyboard.down("Control")
    tree.tap("×3")
    tree.page.keyboard.up("Control")
    assert tree.report.selected() == tree.rows(PAIR)
    box = tree.page.locator(".am-panel-tree").bounding_box()
    middle = tree.report.place("tree", 0, 0)
    left, right = middle[0] - 400, middle[0] + 400
    path = [(left, box["y"] + 45), (right, box["y"] + 45), (right, box["y"] + box["height"] - 40)]
    tree.page.mouse.move(*path[0])
    tree.page.mouse.down()
    for place in (*path[1:], (left, path[2][1])):
        tree.page.mouse.move(*place, steps=6)
    tree.page.mouse.up()
    tree.page.wait_for_timeout(300)
    assert set(tree.report.selected()) > set(tree.rows(SINGLE) + tree.rows(PAIR))
    assert sorted(tree.counts("lit-")) == ["1 / 1", "2 / 2", "3 / 3"]


def test_the_tree_can_be_restricted_to_what_is_selected(tree):
    switch = tree.page.get_by_role("button", name="Only of selected motifs")
    switch.click()
    assert sorted(tree.counts()) == ["×1", "×2", "×3"]  # nothing is selected
    tree.page.locator(".am-tile").nth(2).click()
    assert sorted(tree.counts()) == ["×2", "×3"]
    assert sorted(tree.counts("lit-")) == ["2 / 2", "3 / 3"]
    assert (
        "2 of 3 motif-cells made of the selected motifs alone" in tree.page.locator(".am-note").inner_text()
    )
    tree.page.locator(".am-tile").nth(0).click()
    assert tree.counts() == []
    tree.page.keyboard.down("Shift")
    tree.page.locator(".am-tile").nth(1).click()
    tree.page.keyboard.up("Shift")
    assert tree.counts() == ["×1"]
    switch.click()
    assert sorted(tree.counts()) == ["×1", "×2", "×3"]


def test_pointing_at_a_motif_cell_tells_what_it_is(tree):
    tree.see()
    counts = tree.layer("counts")
    x, y = tree.report.place("tree", counts["x"][0], counts["y"][0])
    at = counts["text"].index("×2")
    x, y = tree.report.place("tree", counts["x"][at], counts["y"][at])
    tree.page.mouse.move(x - 40, y)
    tree.page.mouse.move(x - 4, y, steps=4)
    card = tree.page.locator(".am-card")
    card.wait_for(state="visible")
    text = card.inner_text()
    for part in ("2 V", "2 sites", "2 times"):
        assert part in text
    tree.page.mouse.move(2, 2)
    card.wait_for(state="hidden")


def test_a_selection_leaves_the_main_canvas_of_the_tree_alone(tree):
    before = [tree.layer(name) for name in ("edges", "bodies", "discs", "counts")]
    tree.page.locator(".am-tile").nth(2).click()
    assert [tree.layer(name) for name in ("edges", "bodies", "discs", "counts")] == before
    tree.see()
    wheel = tree.report.places("tree", [0.0], [0.0])[0]
    tree.page.mouse.move(*wheel)
    tree.page.mouse.wheel(0, -400)
    tree.page.wait_for_timeout(400)
    assert sorted(tree.counts("lit-")) == ["2 / 2", "3 / 3"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 1920])
def test_tree_has_its_place_at_every_width(open_report, planted, width, scheme):
    report = open_report(planted.data, size=(width, 1000), scheme=scheme)
    boxes = {
        name: report.page.locator(f".am-panel-{name}").bounding_box()
        for name in ("micrograph", "layout", "tree", "gallery")
    }
    for a, b in itertools.combinations(boxes.values(), 2):
        beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
        above = a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]
        assert beside or above
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 1920:
        assert all(box["y"] + box["height"] <= 1000 for box in boxes.values())
    report.page.locator(".am-panel-tree").scroll_into_view_if_needed()
    x, y = (boxes["tree"]["x"] + 90, boxes["tree"]["y"] + 60)
    brightness = report.pixels()[min(round(y), 990), round(x)].mean()
    assert brightness > 200 if scheme == "light" else brightness < 60
    assert report.complaints == []


def test_hostile_names_in_the_tree_are_text(open_report, planted):
    hostile = "<img src=x onerror=\"document.title='run'\">"
    groups = {name: node.to_dataset() for name, node in planted.data.children.items()}
    groups["motifs"] = groups["motifs"].assign(name=("motif", np.array(["A", "B", hostile], object)))
    report = open_report(xr.DataTree.from_dict(groups), size=(1280, 1250))
    shown = Tree(report, planted)
    shown.see()
    counts = shown.layer("counts")
    at = counts["text"].index("×3")
    x, y = report.place("tree", counts["x"][at], counts["y"][at])
    report.page.mouse.move(x - 40, y)
    report.page.mouse.move(x - 4, y, steps=4)
    card = report.page.locator(".am-card")
    card.wait_for(state="visible")
    assert hostile in card.inner_text()
    assert report.page.title() != "run"
    assert report.page.locator("img").count() == 0


def test_a_stale_tree_is_greyed_and_still_works(open_report, planted):
    old = ("lattice", "cells", "hierarchy")
    groups = {
        name: node.to_dataset().assign_attrs(stale=int(name in old))
        for name, node in planted.data.children.items()
    }
    report = open_report(xr.DataTree.from_dict(groups), size=(1280, 1250))
    assert "out of date" in report.page.locator(".am-panel-tree.am-stale").inner_text()
    shown = Tree(report, planted)
    shown.tap("×2")
    assert report.selected() == shown.rows(PAIR)


# ---- compared domains ----------------------------------------------------------------------------


@pytest.fixture
def compared_data(make_data, compared):
    groups = {str(name): node.to_dataset() for name, node in make_data(side=30).children.items()}
    return xr.DataTree.from_dict({**groups, **compared.compared_groups(groups["points"])})


class Comparison:
    """The view of compared domains in an open page."""

    def __init__(self, report, data, compared):
        self.report, self.page, self.data, self.compared = report, report.page, data, compared
        self.panel = self.page.locator(".am-panel-comparison")

    def cell(self, row, col):
        return self.panel.locator(".am-cell").nth(len(self.compared.COMPARED) * row + col)

    def tap(self, row, col):
        self.cell(row, col).click()
        self.page.mouse.move(2, 2)
        self.page.wait_for_timeout(300)

    def rows(self, *places):
        """The rows of the points of domains by their places in the map."""
        domains = [self.compared.COMPARED[k] for k in places]
        return np.flatnonzero(np.isin(self.data["domains"]["domain"].values, domains)).tolist()

    def ring(self, place):
        """Places on the page along the outline of a domain, and within it."""
        domain = self.compared.COMPARED[place]
        group = self.data["domains"]
        corners = slice(*group["outline_offset"].values[domain : domain + 2])
        x, y = (group[f"outline_{axis}"].values[corners] for axis in "xy")
        return self.report.places("micrograph", (x + np.roll(x, 1)) / 2, (y + np.roll(y, 1)) / 2)

    def is_outlined(self, pixels, place, color):
        return all(distance(pixels, at, color) < 12 for at in self.ring(place))

    def canvas(self, k):
        """The pixels of a picture of histograms as they were computed: (moments, bins, 3)."""
        data = self.page.evaluate(
            """(k) => {
              const canvas = document.querySelectorAll(".am-histogram canvas")[k];
              const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              return [canvas.height, canvas.width, Array.from(data)];
            }""",
            k,
        )
        return np.reshape(data[2], (data[0], data[1], 4))[..., :3]


@pytest.fixture
def open_comparison(open_report, compared_data, compared):
    def make(data=compared_data, **options):
        return Comparison(open_report(data, **{"size": (1280, 1700), **options}), data, compared)

    return make


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_tap_on_a_pair_outlines_selects_and_shows_it(open_comparison, scheme):
    view = open_comparison(scheme=scheme)
    before = view.report.pixels()
    assert not any(view.is_outlined(before, k, color) for k in range(5) for color in PAIR_COLORS)
    assert "Tap a cell" in view.panel.inner_text()
    view.tap(3, 0)
    assert view.report.selected() == view.rows(0, 3)
    after = view.report.pixels()
    for place, color in enumerate(PAIR_COLORS):
        drawn = [view.is_outlined(after, k, color) for k in range(5)]
        assert drawn == [k == (0, 3)[place] for k in range(5)]
    # Either cell of the pair is marked, and no other.
    pressed = view.panel.locator(".am-cell[aria-pressed=true]")
    assert pressed.count() == 2
    assert {pressed.nth(k).inner_text() for k in (0, 1)} == {"0.50"}
    captions = view.panel.locator(".am-histogram figcaption").all_inner_texts()
    assert [text.split("\n")[0] for text in captions] == ["B #1", "B #4", "first less second"]
    marks = view.panel.locator(".am-histogram .am-swatch")
    assert [rgb_of(marks.nth(k)) for k in (0, 1)] == [rgb(color) for color in PAIR_COLORS]
    # The pictures are those of the counts: brighter where there are more.
    counts = view.data["comparison"]["histogram"].values
    for k, domain in enumerate((0, 3)):
        bright = view.canvas(k).sum(axis=2)
        assert bright.shape == counts.shape[1:]
        order = np.argsort(counts[domain], axis=None)
        assert (np.diff(bright.ravel()[order]) >= -30).all()
        assert bright.ravel()[order[-1]] > bright.ravel()[order[0]] + 200
    difference = view.canvas(2)
    full = difference[view.compared.MOMENT, -1]
    assert np.abs(full - rgb(PAIR_COLORS[1])).max() < 12  # there the second has all of its points
    view.report.page.keyboard.press("Escape")
    view.page.wait_for_timeout(300)
    assert view.report.selected() == []
    assert not any(
        view.is_outlined(view.report.pixels(), k, color) for k in range(5) for color in PAIR_COLORS
    )
    assert view.panel.locator(".am-histogram").count() == 0
    assert view.report.requests == [view.report.address]
    assert view.report.complaints == []


def test_the_diagonal_shows_one_domain_alone(open_comparison):
    view = open_comparison()
    view.tap(2, 2)
    assert view.report.selected() == view.rows(2)
    assert view.panel.locator(".am-cell[aria-pressed=true]").count() == 1
    assert view.panel.locator(".am-histogram").count() == 1
    assert view.is_outlined(view.report.pixels(), 2, PAIR_COLORS[0])
    # A second one, added by key, makes a pair of them.
    view.page.keyboard.down("Shift")
    view.tap(4, 4)
    view.page.keyboard.up("Shift")
    assert view.report.selected() == view.rows(2, 4)
    assert view.panel.locator(".am-histogram").count() == 3
    assert view.is_outlined(view.report.pixels(), 4, PAIR_COLORS[1])
    view.page.get_by_role("button", name="Invert").click()
    view.page.get_by_role("button", name="Add").click()
    view.tap(2, 4)
    assert len(view.report.selected()) == 900
    assert "5 domains are selected" in view.panel.inner_text()
    assert view.report.complaints == []


def test_a_selection_made_elsewhere_marks_the_domains_that_it_meets(open_comparison):
    view = open_comparison()
    top = view.data["domains"]["outline_y"].values[:4]
    middle = float(top.mean())
    view.report.drag("micrograph", [(0.0, 0.0), (3.7, 0.0), (3.7, middle), (0.0, middle)])
    ticks = view.panel.locator(".am-tick-left")
    some = ["am-some" in ticks.nth(k).get_attribute("class") for k in range(5)]
    dim = ["am-dim" in ticks.nth(k).get_attribute("class") for k in range(5)]
    chosen = set(view.report.selected())
    met = [len(chosen & set(view.rows(k))) for k in range(5)]
    assert some == [n > 0 for n in met] == [True, True, False, False, False]
    assert dim == [not one for one in some]
    assert ticks.nth(0).get_attribute("title") == f"B #1: {met[0]} of {len(view.rows(0))} selected"
    assert 0 < met[0] < len(view.rows(0))
    assert view.panel.locator(".am-histogram").count() == 0
    view.page.keyboard.press("Escape")
    assert view.panel.locator(".am-tick.am-some, .am-tick.am-dim").count() == 0


def test_cells_show_what_is_chosen_and_mute_what_is_not_significant(open_comparison):
    view = open_comparison()
    group = view.data["comparison"]
    muted = view.panel.locator(".am-cell-muted")
    assert muted.count() == 12
    assert "4 of 10 pairs differ significantly" in view.panel.inner_text()
    for button, name, text in (
        ("Raw", "symmetric", "divergence, raw (nats per feature)"),
        ("p", "p_adjusted", "adjusted p"),
        ("Corrected", "corrected", "divergence, corrected (nats per feature)"),
    ):
        view.panel.get_by_role("button", name=button, exact=True).click()
        assert text in view.panel.locator(".am-compare-map").inner_text()
        for row, col in ((0, 3), (1, 2)):
            shown = view.cell(row, col).inner_text().replace("−", "-")
            assert float(shown) == pytest.approx(group[name].values[row, col], abs=0.006)
        assert view.cell(2, 2).inner_text() == ""
    assert "not significant" in view.cell(1, 2).get_attribute("aria-label")
    assert "not significant" not in view.cell(0, 3).get_attribute("aria-label")
    # On the screen, too: a pair that differs has the full colour of the scale, another little of it.
    pixels = view.report.pixels()
    box = view.cell(3, 4).bounding_box()
    at = (box["x"] + 4, box["y"] + 4)
    assert distance(pixels, at, SEQUENTIAL[254]) < 30
    box = view.cell(1, 2).bounding_box()
    patch = pixels[int(box["y"]) + 2 : int(box["y"]) + 12, int(box["x"]) + 2 : int(box["x"]) + 12]
    assert patch.mean() > 190
    assert np.ptp(patch.sum(axis=2)) > 20  # hatched


def test_features_at_like_places_can_be_looked_at_instead(open_comparison):
    view = open_comparison()
    view.tap(0, 3)
    before = view.canvas(0)
    view.panel.get_by_role("button", name="Deviations at like places").click()
    assert view.panel.locator(".am-cell-muted").count() == 12
    assert view.cell(0, 3).inner_text() == "0.25"
    np.testing.assert_array_equal(view.canvas(0), before[:, ::-1])
    edge = view.data["comparison"]["place_bin_edge"].values[view.compared.MOMENT]
    text = view.panel.locator(".am-lines-axis").inner_text().replace("−", "-").split()
    assert [float(text[0]), float(text[-1])] == pytest.approx(edge[[0, -1]], abs=1e-4)
    assert view.report.selected() == view.rows(0, 3)
    view.panel.get_by_role("button", name="Moments").click()
    np.testing.assert_array_equal(view.canvas(0), before)
    assert view.report.complaints == []


def test_pointing_at_a_pair_tells_all_that_is_known(open_comparison):
    view = open_comparison()
    card = view.page.locator(".am-card")
    view.cell(0, 3).hover()
    card.wait_for(state="visible")
    text = card.inner_text()
    for part in (
        "B #1, B #4",
        "88, 88",
        "± 0.025 nats per feature",
        "0.120 ± 0.020",
        "0.001, adjusted 0.01",
        "0.002, adjusted 0.02",
    ):
        assert part in text
    view.cell(1, 1).hover()
    assert "B #2" in card.inner_text()
    view.page.mouse.move(2, 2)
    card.wait_for(state="hidden")


def test_a_tap_on_a_moment_shows_its_histograms_as_lines(open_comparison):
    view = open_comparison()
    view.tap(0, 3)
    lines = view.panel.locator(".am-compare-lines")
    assert "Moment 4, −2, 12 of 66" in lines.inner_text()  # the one that differs most
    counts = view.data["comparison"]["histogram"].values
    body = view.panel.locator(".am-histogram-body").first
    box = body.bounding_box()
    view.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 40.5 / 66)
    p, q = (view.data["comparison"][name].values[40] for name in "pq")
    assert f"Moment {p}, {q}, 41 of 66".replace("-", "−") in lines.inner_text()
    drawn = [
        np.array(line.get_attribute("points").replace(",", " ").split(), float).reshape(-1, 2)
        for line in lines.locator("polyline").all()
    ]
    shares = [counts[k, 40] / counts[k, 40].sum() for k in (0, 3)]
    for line, share in zip(drawn, shares, strict=True):
        np.testing.assert_allclose(1 - line[1:-1:2, 1], share / np.max(shares), atol=1e-5)
    # By keys, too; and the moment stays while other pairs are looked at.
    view.panel.locator(".am-histogram-rows").focus()
    view.page.keyboard.press("ArrowDown")
    assert "42 of 66" in lines.inner_text()
    view.tap(1, 2)
    assert "42 of 66" in lines.inner_text()
    assert view.report.complaints == []


def test_the_map_is_used_by_keys_alone(open_comparison):
    view = open_comparison()
    view.panel.get_by_role("button", name="p", exact=True).focus()
    for key in ("Tab", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        view.page.keyboard.press(key)
    assert "B #3, B #4" in view.page.locator(".am-card").inner_text()
    view.page.keyboard.press("Enter")
    assert view.report.selected() == view.rows(2, 3)
    assert view.panel.locator(".am-cell[tabindex='0']").count() == 1


def test_stale_comparisons_are_greyed_and_hostile_names_are_text(open_comparison, compared_data):
    hostile = "<img src=x onerror=alert(1)>"
    names = np.array([hostile] * 6, object)
    compared_data["domains"] = compared_data["domains"].to_dataset().assign(name=("domain_", names))
    compared_data["comparison"] = compared_data["comparison"].to_dataset().assign_attrs(stale=1)
    view = open_comparison(compared_data)
    assert "am-stale" in view.panel.get_attribute("class")
    view.tap(0, 1)
    assert view.report.selected() == view.rows(0, 1)
    assert hostile in view.panel.inner_text()
    assert view.page.locator("img").count() == 0
    assert view.report.complaints == []


@pytest.mark.parametrize("width", [480, 1280, 1920])
@pytest.mark.parametrize("many", [False, True])
def test_compared_domains_have_their_place_at_every_width(
    open_comparison, compared_data, compared, width, many
):
    if many:
        of = np.arange(24) % 5
        compared_data["comparison"] = (
            compared_data["comparison"]
            .to_dataset()
            .isel(compared=of, other=of)
            .assign_coords(domain=("compared", np.array(compared.COMPARED)[of]))
        )
    view = open_comparison(compared_data, size=(width, 1700))
    assert view.page.evaluate("document.documentElement.scrollWidth") <= width
    panel = view.panel.bounding_box()
    for cell in view.panel.locator(".am-cell, .am-tick").all():
        box = cell.bounding_box()
        assert panel["x"] <= box["x"]
        assert box["x"] + box["width"] <= panel["x"] + panel["width"]
        assert box["width"] > 8
    assert view.cell(0, 0).inner_text() == ""
    assert (view.panel.locator(".am-cell span").count() == 0) == many


# ---- anchors of a continuous sample --------------------------------------------------------------


@pytest.fixture
def continuous(open_report, make_continuous):
    """A page of a continuous sample, and its data."""
    data = make_continuous()
    report = open_report(data, size=(1280, 900))
    yield report, data
    assert report.requests == [report.address]
    assert report.complaints == []


def mixtures(data):
    """The colours of the points' mixtures, as a reader of the figure expects them."""
    anchors = data["anchors"].to_dataset()
    return mixed_colors([str(color) for color in anchors["color"].values], anchors["weight"].values)


def ternary(weight):
    """Places in the triangle whose corners are at the top, at the lower right and at the lower left."""
    return weight @ np.array([[0, 1], [np.sqrt(0.75), -0.5], [-np.sqrt(0.75), -0.5]])


def choose(report, chooser, title):
    """Choose an entry as a user does."""
    report.page.locator(f"{chooser} .am-select").click()
    report.page.keyboard.type(title, delay=20)
    report.page.keyboard.press("Enter")
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(500)
    return report.pixels()


def clear_of_the_scale_bar(data):
    """Rows of points of the micrograph that nothing is drawn over."""
    x, y = data["points"]["x"].values, data["points"]["y"].values
    return np.flatnonzero((x > 1.2) | (y < 2.8))


def drawn(report, data, rows, pixels):
    """The colours of the micrograph at points, a little beside the bright middle of their columns."""
    x, y = data["points"]["x"].values[rows], data["points"]["y"].values[rows]
    places = np.rint(report.places("micrograph", x, y)).astype(int)
    return pixels[places[:, 1], places[:, 0]]


def test_points_of_a_continuous_sample_have_their_mixtures_everywhere(continuous):
    report, data = continuous
    rows, pixels = clear_of_the_scale_bar(data), report.pixels()
    off = np.abs(drawn(report, data, rows, pixels) - mixtures(data)[rows]).max(axis=1)
    # Markers are a little translucent on the bright pixel of their column.
    assert np.median(off) < 45
    assert len({tuple(color) for color in drawn(report, data, rows, pixels)}) > 100
    assert report.page.locator(".am-panel-gallery h2").inner_text() == "Nearest anchor"
    counts = report.page.locator(".am-tile .am-count").all_inner_texts()
    assert counts == [str(count) for count in data["anchors"]["count"].values]


def test_a_lasso_in_the_triangle_lights_the_micrograph(continuous):
    report, data = continuous
    weight = data["anchors"]["weight"].values
    place = ternary(weight)
    # Round the lower left corner, where the third anchor weighs most.
    corner = place[np.nanargmax(weight[:, 2])]
    square = [corner + 0.35 * np.array(step) for step in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    before = report.pixels()
    report.drag("anchors", square)
    report.page.mouse.move(2, 2)
    expected = np.flatnonzero((np.abs(place - corner) < 0.35).all(axis=1))
    found = report.selected()
    # But for what lies within half a pixel of the edge.
    assert len(np.setxor1d(found, expected)) <= 2
    assert len(found) > 100
    after = report.pixels()
    rows = clear_of_the_scale_bar(data)
    lit, dark = np.intersect1d(rows, found), np.setdiff1d(rows, found)
    assert np.abs(drawn(report, data, lit, after) - mixtures(data)[lit]).max(axis=1).max() < 12
    darker = drawn(report, data, dark, before).sum(axis=1) - drawn(report, data, dark, after).sum(axis=1)
    assert darker.min() > 0
    assert f"{len(found)} of 900" in report.page.locator(".am-summary").inner_text()


def test_a_tap_in_the_triangle_selects_a_point_and_pointing_tells_its_weights(continuous):
    report, data = continuous
    weight = data["anchors"]["weight"].values
    row = int(np.nanargmax(weight.min(axis=1)))  # in the middle, where there are few
    report.tap("anchors", *ternary(weight)[row])
    assert report.selected() == [row]
    report.page.mouse.move(*report.place("anchors", *ternary(weight)[row]))
    report.page.wait_for_timeout(300)
    text = report.page.locator(".am-card").inner_text()
    names = data["anchors"]["name"].values
    assert " \N{MIDDLE DOT} ".join(f"{w:.2f} {name}" for w, name in zip(weight[row], names)) in text
    assert f"#{1000 + row}" in text


def test_what_points_are_coloured_by_is_chosen(continuous):
    report, data = continuous
    rows = clear_of_the_scale_bar(data)
    colors = np.array([rgb(str(color)) for color in [*data["anchors"]["color"].values, NEUTRAL]])
    anchor = np.append(data["domains"]["anchor"].values, 3)[data["domains"]["domain"].values]
    for title, number in (("anchors (n", data["anchors"]["nearest"].values), ("domains", anchor)):
        seen = drawn(report, data, rows, choose(report, ".am-coloring", title))
        off = np.abs(seen[:, None] - colors).sum(axis=2)
        assert np.mean(np.argmin(off, axis=1) == number[rows] % 4) > 0.97
    # A selection keeps the colours that were chosen, and so do tiles that are tapped.
    report.page.locator(".am-tile").first.click()
    report.page.mouse.move(2, 2)
    report.page.wait_for_timeout(400)
    chosen = np.intersect1d(rows, report.selected())
    np.testing.assert_array_equal(report.selected(), np.flatnonzero(data["anchors"]["nearest"].values == 0))
    seen = drawn(report, data, chosen, report.pixels())
    assert np.abs(seen - colors[anchor[chosen] % 4]).max() < 12


def test_a_tap_inside_of_a_domain_selects_its_points(continuous):
    report, data = continuous
    plain = report.pixels()
    pixels = choose(report, ".am-layers", "domains")
    domain = data["domains"]["domain"].values
    # Between columns, which the layer hides: faintly in the colour of the anchor, and lines at the outline.
    between = [4.0 * 0.125, 4.0 * 0.125]
    x, y = (round(value) for value in report.place("micrograph", *between))
    assert pixels[y, x, 2] > plain[y, x, 2] + 40
    assert pixels[y, x, 2] > 2 * pixels[y, x, 0]
    report.tap("micrograph", *between)
    assert report.selected() == np.flatnonzero(domain == 0).tolist()
    # Outside of all domains the nearest column is meant.
    at = int(np.flatnonzero(domain < 0)[75])
    report.tap("micrograph", data["points"]["x"].values[at], data["points"]["y"].values[at])
    assert report.selected() == [at]
    # Columns that are shown are tapped one by one.
    report.page.get_by_role("button", name="Columns").click()
    inside = int(np.flatnonzero(domain == 4)[20])
    report.tap("micrograph", data["points"]["x"].values[inside], data["points"]["y"].values[inside])
    assert report.selected() == [inside]


def test_the_nearest_stacking_and_the_registry_are_seen(continuous):
    report, data = continuous
    moire = data["moire"].to_dataset()
    rows = clear_of_the_scale_bar(data)
    points = data["points"]
    colors = np.array([rgb(color) for color in anchor_colors(3)])

    def hues(title):
        pixels = choose(report, ".am-layers", title)
        x, y = points["x"].values[rows] + 0.03, points["y"].values[rows] + 0.03
        at = np.rint(report.places("micrograph", x, y)).astype(int)
        return np.argmin(np.abs(pixels[at[:, 1], at[:, 0]][:, None] - 0.55 * colors).sum(axis=2), axis=1)

    assert np.mean(hues("nearest") == moire["stacking"].values[rows]) > 0.99
    # Mixtures: only where it is clear which stacking is the nearest.
    least = np.sort(moire["stacking_distance"].values[rows], axis=1)
    clear = least[:, 1] - least[:, 0] > 0.09
    assert clear.sum() > 50
    assert np.mean((hues("registry") == moire["stacking"].values[rows])[clear]) > 0.9
    key = report.page.locator(".am-layers .am-key")
    assert "3.150 \xb1 0.004\xb0" in key.inner_text()
    assert key.locator("canvas").count() == 1


def test_very_many_points_are_coloured_anew_too(open_report, make_continuous):
    data = make_continuous(side=150)
    report = open_report(data, size=(1280, 900))
    x, y = data["points"]["x"].values, data["points"]["y"].values
    row, col = np.divmod(np.arange(150**2), 150)
    # Where four domains meet, between them.
    rows = np.flatnonzero((row % 10 == 9) & (col % 10 == 9) & ((x > 6) | (y < 12)))

    def off(pixels):
        at = np.rint(report.places("micrograph", x[rows], y[rows])).astype(int)
        return np.median(np.abs(pixels[at[:, 1], at[:, 0]] - rgb(NEUTRAL)).max(axis=1))

    soft = off(report.pixels())
    assert soft > 40
    assert off(choose(report, ".am-coloring", "domains")) < 20
    assert off(choose(report, ".am-coloring", "anchors (s")) == soft
    assert report.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [480, 900, 1280, 1920])
def test_anchors_have_their_place_at_every_width(open_report, make_continuous, width, scheme):
    report = open_report(make_continuous(), size=(width, 900), scheme=scheme)
    assert report.page.evaluate("document.documentElement.scrollWidth") <= width
    frame = report.page.locator(".am-panel-anchors .am-panel-body").bounding_box()
    for x, y in ((0, 1.5), (1.1, -1.0), (-1.1, -1.0)):
        at = report.place("anchors", x, y)
        assert frame["x"] < at[0] < frame["x"] + frame["width"]
        assert frame["y"] < at[1] < frame["y"] + frame["height"]
    assert report.complaints == []


@pytest.mark.parametrize("count", [2, 5])
def test_other_numbers_of_anchors_are_drawn_and_linked(open_report, make_continuous, count):
    data = make_continuous(count=count)
    report = open_report(data)
    x0, x1 = (-1.2, 1.2)
    report.drag("anchors", [(x0, -1.2), (x1, -1.2), (x1, 1.2), (x0, 1.2)])
    np.testing.assert_array_equal(report.selected(), np.flatnonzero(data["anchors"]["nearest"].values >= 0))
    assert report.complaints == []


def test_stale_anchors_are_greyed_and_hostile_names_are_text(open_report, make_continuous):
    hostile = "<img src=x onerror=alert(1)>"
    data = make_continuous(stale=("anchors",))
    names = np.array([hostile] * 3, object)
    data["anchors"] = data["anchors"].to_dataset().assign(name=("anchor", names))
    report = open_report(data)
    for panel in ("anchors", "gallery"):
        assert "am-stale" in report.page.locator(f".am-panel-{panel}").get_attribute("class")
    assert hostile in report.page.locator(".am-coloring").inner_text()
    assert "(out of date)" in report.page.locator(".am-coloring option").first.inner_text()
    assert report.page.locator("img").count() == 0
    rows = clear_of_the_scale_bar(data)
    faded = drawn(report, data, rows, report.pixels())
    assert np.ptp(faded, axis=1).max() < 130  # less of a hue than any of the anchors has
    assert report.complaints == []


def test_other_views_keep_the_motifs_where_there_are_both(open_report, make_continuous):
    data = make_continuous()
    label = (data["points"]["x"].values / 0.125).astype(int) % 2
    motifs = {"label": ("point", label), "name": ("motif", np.array(["Mo", "Se"], object))}
    motifs["color"] = ("motif", np.array(["#0072b2", "#e69f00"], object))
    data["motifs"] = xr.Dataset(motifs, {"id": data["points"]["id"]})
    report = open_report(data)
    assert report.page.locator(".am-panel-gallery h2").inner_text() == "Motifs"
    rows, colors = clear_of_the_scale_bar(data), np.array([rgb("#0072b2"), rgb("#e69f00")])
    off = np.abs(drawn(report, data, rows, report.pixels()) - colors[label[rows]]).max(axis=1)
    assert np.median(off) < 45
    soft = drawn(report, data, rows, choose(report, ".am-coloring", "anchors (s"))
    assert np.median(np.abs(soft - mixtures(data)[rows]).max(axis=1)) < 45
    assert report.complaints == []
