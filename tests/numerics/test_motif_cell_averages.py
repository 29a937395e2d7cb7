"""Averages over the occurrences of motif-cells: turned by known multiples, and plain means."""

import numpy as np
import pytest

from atomotif.numerics.motif_cell_averages import motif_cell_averages
from atomotif.numerics.reconstruction import explained_variance, paste_averages

RNG = np.random.default_rng(0)


def occurrences(turns, fold):
    """Image of one motif-cell without symmetry, turned by multiples of a part of a turn."""
    image = np.zeros((60, 60 * len(turns)))
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    centers = np.stack([30 + RNG.uniform(-0.5, 0.5, len(turns)), 30.0 + 60 * np.arange(len(turns))], axis=1)
    for (row, col), turn in zip(centers, turns):
        for r, t, height in [(0, 0, 0.5), (10, 0.2, 1.0), (10, 2.4, 0.6), (9, 4.0, 0.8)]:
            at = t + 2 * np.pi * turn / fold
            square = (y - row - r * np.sin(at)) ** 2 + (x - col - r * np.cos(at)) ** 2
            image += height * np.exp(-square / 18)
    return image, centers


@pytest.mark.parametrize("fold", [2, 3, 4, 6])
def test_occurrences_are_turned_back(fold):
    turns = np.array([0, 1, fold - 1, 0, 1, 0])
    image, centers = occurrences(turns, fold)
    image += RNG.normal(0, 0.1, image.shape)
    angles = -2 * np.pi * turns / fold
    average = motif_cell_averages(image, centers, np.zeros(6, int), [16.0], angles=angles)
    rebuilt = paste_averages(image.shape, average, centers, np.zeros(6, int), angles=angles, radius=[16.0])
    assert explained_variance(image, rebuilt) > 0.8
    smeared = motif_cell_averages(image, centers, np.zeros(6, int), [16.0])
    wrong = motif_cell_averages(image, centers, np.zeros(6, int), [16.0], angles=-angles)
    assert smeared.max() < average.max()
    assert fold == 2 or wrong.max() < average.max()


def test_without_turns_it_is_the_plain_mean_and_what_does_not_occur_is_nan():
    image = RNG.normal(size=(60, 60)).astype(np.float32)
    centers = RNG.integers(12, 48, (20, 2)).astype(float)
    nodes = np.arange(20) % 3 - 1
    found = motif_cell_averages(image, centers, nodes, [5.0, 8.2, 6.0], n_threads=1)
    assert found.shape == (3, 19, 19)
    for node in range(2):
        stack = [image[r - 9 : r + 10, c - 9 : c + 10] for r, c in centers[nodes == node].astype(int)]
        np.testing.assert_allclose(found[node], np.mean(stack, 0), atol=1e-6)
    assert np.isnan(found[2]).all()
    again = motif_cell_averages(image, centers, nodes, [5.0, 8.2, 6.0], n_threads=4)
    np.testing.assert_array_equal(found, again)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nodes": [0, 0]}, "`nodes` must have shape"),
        ({"nodes": [1]}, "`nodes` must be below"),
        ({"radii": [0.0]}, "`radii` must be positive"),
        ({"angles": [0.0, 1.0]}, "`angles` must have shape"),
    ],
)
def test_bad_input(changes, message):
    good = {"centers": [[9.0, 9.0]], "nodes": [0], "radii": [5.0]}
    with pytest.raises(ValueError, match=message):
        motif_cell_averages(np.ones((20, 20)), **{**good, **changes})
