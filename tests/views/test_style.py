import itertools

import numpy as np
import pytest

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
