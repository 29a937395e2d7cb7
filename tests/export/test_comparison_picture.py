"""The comparison of domains in the saved picture: pixels against the groups."""

import io

import numpy as np
import pytest
import xarray as xr
from PIL import Image, ImageColor

from atomotif.export.comparison_picture import draw_comparison, draw_domains
from atomotif.export.drawing import Frame
from atomotif.export.picture import MOST_BYTES, picture
from atomotif.views.comparison import PAIR_COLORS, comparison_data
from atomotif.views.style import SEQUENTIAL

FIRST, SECOND = (np.array(ImageColor.getrgb(color)) for color in PAIR_COLORS)


@pytest.fixture
def data(make_data, compared):
    groups = {str(name): node.to_dataset() for name, node in make_data(side=30).children.items()}
    return xr.DataTree.from_dict({**groups, **compared.compared_groups(groups["points"])})


@pytest.fixture
def shown(data):
    groups = {str(name): node.to_dataset() for name, node in data.children.items()}
    return comparison_data(groups, groups["points"]["id"].values)


def selected(data, *domains):
    return np.isin(data["domains"]["domain"].values, domains)


def pixels(image):
    return np.asarray(image.convert("RGB")).astype(int)


def near(image, color, within=10):
    return (np.abs(image - color) <= within).all(axis=2)


def test_cells_have_the_colours_of_the_map_and_muted_ones_little_of_it(data, shown):
    image = pixels(draw_comparison(shown, selected(data), 960, is_stale=False))
    for row in range(5):
        for col in range(5):
            corner = image[26 + 46 * row + 3, 70 + 46 * col + 3]
            level = shown.kinds[0].level[0, row, col]
            if row == col:
                expected = np.array([243, 245, 247])
            else:
                expected = np.array(ImageColor.getrgb(SEQUENTIAL[level]))
                if shown.kinds[0].muted[row, col]:
                    expected = 0.22 * expected + 0.78 * 255
            assert np.abs(corner - expected).max() <= 1
    assert shown.kinds[0].muted.any()


def test_histograms_are_there_for_one_domain_or_a_pair_and_no_more(data, shown):
    none, one, two, three = (
        pixels(draw_comparison(shown, selected(data, *domains), 960, is_stale=False))
        for domains in ((), (1,), (1, 4), (1, 4, 5))
    )
    right = np.s_[46:200, 560:]
    assert (none[right] == 255).all()
    assert (three[right] == 255).all()
    full = near(one[right], ImageColor.getrgb(SEQUENTIAL[0])).sum()
    assert full > 1000
    assert near(one, FIRST).any()
    assert not near(one, SECOND).any()
    assert near(two, FIRST).any()
    assert near(two, SECOND).any()
    # In the moment in which it was planted, all of the second domain is in one bin, and none of the first.
    row = two[26 + 20 + 3 * 11 + 1, 528:]
    assert near(row[None], ImageColor.getrgb(SEQUENTIAL[-1])).sum() > 5
    # The difference, at the right: what the second has more of at its right end, the first in the middle.
    end = 960 - 8 - 4
    assert near(row[None], SECOND).sum() > 5
    assert np.abs(row[end - 528] - SECOND).max() < 10
    red, _, blue = row[end - 64 - 528]
    assert red > blue + 50
    assert near(two[50:200, end - 136 : end], [0xF7] * 3, 20).mean() > 0.2  # most moments do not differ


def test_rings_are_drawn_where_the_domains_are(data, shown):
    frame = Frame(400, 400, left=20, bottom=20, top=20, x0=0.0, x1=3.75, y0=0.0, y1=3.75)
    canvas = np.full((400, 400, 3), 90, np.uint8)
    draw_domains(canvas, frame, shown, selected(data, 0, 5))
    drawn = canvas.astype(int)
    for k, color in ((0, FIRST), (4, SECOND)):
        rows, cols = np.nonzero(near(drawn, color))
        (ring,) = shown.rings(k)
        col, row = frame.place(ring[:, 0], ring[:, 1])
        for found, wanted in ((rows - 20, row), (cols - 20, col)):
            assert abs(found.min() - wanted.min()) < 3
            assert abs(found.max() - wanted.max()) < 3
    inside = near(drawn, [90, 90, 90])
    assert inside.mean() > 0.8
    draw_domains(canvas, frame, shown, np.ones(900, bool))
    assert not near(canvas[2:].astype(int), SECOND).all()


def test_more_than_two_domains_are_outlined_alike(data, shown):
    frame = Frame(400, 400, left=20, bottom=20, top=20, x0=0.0, x1=3.75, y0=0.0, y1=3.75)
    canvas = np.full((400, 400, 3), 200, np.uint8)
    draw_domains(canvas, frame, shown, np.ones(900, bool))
    assert near(canvas.astype(int), [0x55] * 3).sum() > 500
    assert not near(canvas.astype(int), FIRST).any()


def test_saved_pictures_have_it_where_it_is(data):
    ids = data["domains"]["id"].values
    image = Image.open(io.BytesIO(picture(data, selection=ids[selected(data, 0, 4)])))
    without = Image.open(
        io.BytesIO(picture(data.drop_nodes("comparison"), selection=ids[selected(data, 0, 4)]))
    )
    assert image.height > without.height + 200
    top = pixels(image)[:430]
    assert near(top, FIRST, 24).sum() > 200
    assert near(top, SECOND, 24).sum() > 200
    assert near(pixels(without)[:430], FIRST, 24).sum() < 20


def test_a_view_alone_is_narrow_and_whole(data):
    ids = data["domains"]["id"].values
    for chosen in ((), (1,), (0, 1)):
        png = picture(data, ["comparison"], ids[selected(data, *chosen)])
        assert len(png) <= MOST_BYTES
        assert Image.open(io.BytesIO(png)).width < 520


def test_many_domains_fit(data, shown, compared):
    """Of 60 domains cells are small and have no text."""
    comparison = data["comparison"].to_dataset()
    many = np.arange(60) % 5
    data["comparison"] = comparison.isel(compared=many, other=many).assign_coords(
        domain=("compared", np.array(compared.COMPARED)[many])
    )
    assert len(picture(data)) <= MOST_BYTES


def test_stale_comparisons_say_so(data, shown):
    fresh, stale = (
        pixels(draw_comparison(shown, selected(data), 600, is_stale)) for is_stale in (False, True)
    )
    assert (fresh[:26] != stale[:26]).any()
    np.testing.assert_array_equal(fresh[26:], stale[26:])
