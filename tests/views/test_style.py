import itertools

import numpy as np
import pytest

from atomotif._palette import anchor_colors, mixed_colors
from atomotif.views.style import NEUTRAL, motif_colors

# Machado, Oliveira & Fernandes 2009, severity 1: what eyes without red or green cones see, in linear RGB.
EYES = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def seen(color, eyes):
    rgb = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.array(TO_LAB) @ np.cbrt(np.array(TO_CONES) @ np.clip(np.array(EYES[eyes]) @ linear, 0, 1))


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(("count", "least"), [(7, 0.07), (24, 0.06)])
def test_colours_are_told_apart_by_all_eyes(eyes, count, least):
    colors = [seen(color, eyes) for color in motif_colors(count)]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colors, 2)) > least


@pytest.mark.parametrize("eyes", EYES)
def test_no_colour_is_lost_on_black_white_or_among_points_without_a_motif(eyes):
    for color in motif_colors(24):
        for ground in ("#000000", "#ffffff", NEUTRAL):
            assert np.linalg.norm(seen(color, eyes) - seen(ground, eyes)) > 0.04


def test_colours_do_not_depend_on_how_many_motifs_there_are():
    assert motif_colors(30)[:5] == motif_colors(5)
    assert len(motif_colors(100)) == 100


@pytest.mark.parametrize("eyes", EYES)
def test_mixtures_of_three_anchors_are_told_apart_by_all_eyes(eyes):
    corners = [seen(color, eyes) for color in anchor_colors(3)]
    for k in range(3):
        tip, a, b = corners[k], corners[k - 1], corners[k - 2]
        side = (b - a) / np.linalg.norm(b - a)
        height = (tip - a) - (tip - a) @ side * side
        assert np.linalg.norm(height) > 0.2
    middle = np.mean(corners, axis=0)
    assert min(np.linalg.norm(one - seen(NEUTRAL, eyes)) for one in [middle, *corners]) > 0.09


@pytest.mark.parametrize("eyes", EYES)
def test_all_colours_of_anchors_are_told_apart_by_all_eyes(eyes):
    colors = [seen(color, eyes) for color in anchor_colors(8)]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colors, 2)) > 0.1
    assert anchor_colors(10)[:8] == anchor_colors(8)


def hexed(rgb):
    return "#" + bytes(rgb.tolist()).hex()


def test_a_mixture_lies_where_its_weights_say_to_the_eye():
    corners = anchor_colors(3)
    weights = np.random.default_rng(0).dirichlet([1, 1, 1], 200)
    mixed = mixed_colors(corners, 7 * weights)  # only ratios count
    assert mixed.dtype == np.uint8
    assert mixed.shape == (200, 3)
    wanted = weights @ np.array([seen(color, "normal") for color in corners])
    found = np.array([seen(hexed(one), "normal") for one in mixed])
    assert np.linalg.norm(found - wanted, axis=1).max() < 0.01


def test_an_anchor_itself_has_its_own_colour_and_nothing_known_the_neutral_grey():
    corners = anchor_colors(5)
    assert [hexed(one) for one in mixed_colors(corners, np.eye(5))] == corners
    unknown = mixed_colors(corners[:2], np.array([[np.nan, np.nan], [np.nan, 1.0]], ">f4"))
    assert [hexed(one) for one in unknown] == [NEUTRAL, NEUTRAL]
    assert mixed_colors(corners, np.empty((0, 5))).shape == (0, 3)
    assert mixed_colors(corners[:1], [2]).shape == (3,)


@pytest.mark.parametrize("weights", [[[1.0]], 1.0, [[0.0, 0.0]], [[-1.0, 2.0]], [[np.inf, 1.0]]])
def test_what_is_no_mixture_is_refused(weights):
    with pytest.raises(ValueError, match="`weights` must"):
        mixed_colors(["#0000ff", "#ffff00"], weights)
