"""Structural similarity against a loop over windows that knows nothing of atomotif."""

import numpy as np
import pytest

from atomotif.numerics.structural_similarity import structural_similarity

RNG = np.random.default_rng(0)


def by_hand(a, b, extent):
    """Mean over the pixels where `b` is known of the SSIM of Wang et al. (2004), window by window."""
    offset = np.arange(-5, 6)
    window = np.exp(-(offset[:, None] ** 2 + offset**2) / (2 * 1.5**2))
    rows, cols = a.shape
    scores = []
    for i, j in np.argwhere(np.isfinite(b)):
        line, column = i + offset, j + offset
        line = line[(line >= 0) & (line < rows)]
        column = column[(column >= 0) & (column < cols)]
        at = np.ix_(line, column)
        weight = window[np.ix_(line - i + 5, column - j + 5)] * np.isfinite(b[at])
        weight = weight / weight.sum()
        x, y = a[at], np.nan_to_num(b[at])
        mx, my = (weight * x).sum(), (weight * y).sum()
        vx, vy = (weight * (x - mx) ** 2).sum(), (weight * (y - my) ** 2).sum()
        vxy = (weight * (x - mx) * (y - my)).sum()
        c1, c2 = (0.01 * extent) ** 2, (0.03 * extent) ** 2
        scores.append((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    return float(np.mean(scores))


@pytest.mark.parametrize("holes", [0.0, 0.3])
@pytest.mark.parametrize("level", [0.0, 3000.0])
def test_it_is_that_of_the_definition(holes, level):
    image = RNG.normal(size=(150, 24)).cumsum(axis=0) + level  # more rows than are worked on at a time
    other = image + RNG.normal(scale=2.0, size=image.shape)
    other[RNG.random(image.shape) < holes] = np.nan
    known = np.isfinite(other)
    expected = by_hand(image, other, np.ptp(image[known]))
    assert structural_similarity(image, other) == pytest.approx(expected, abs=2e-4)
    given = by_hand(image, other, 7.0)
    assert structural_similarity(image, other, data_range=7.0) == pytest.approx(given, abs=2e-4)


def test_equal_images_negatives_and_threads():
    image = RNG.normal(size=(300, 40))
    assert structural_similarity(image, image.astype(np.float32)) == pytest.approx(1.0, abs=1e-6)
    assert structural_similarity(10 + image, 10 - image) < -0.5
    other = image + RNG.normal(size=image.shape)
    one, many = (structural_similarity(image, other, n_threads=n) for n in (1, 4))
    assert one == many


def test_nothing_known_or_nothing_to_see_is_nan():
    assert np.isnan(structural_similarity(np.ones((9, 9)), np.ones((9, 9))))
    assert np.isnan(structural_similarity(RNG.normal(size=(9, 9)), np.full((9, 9), np.nan)))
    with pytest.raises(ValueError, match="`other` must have the shape"):
        structural_similarity(np.ones((9, 9)), np.ones((9, 8)))
