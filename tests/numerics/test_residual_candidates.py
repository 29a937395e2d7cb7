"""Candidates in a residual: as many false alarms as the rule says, and columns where they are."""

import numpy as np
import pytest

from atomotif.numerics.residual_candidates import false_alarm_threshold, residual_candidates

SIGMA = 3.0


def spot(shape, row, col, width=3.0):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((y - row) ** 2 + (x - col) ** 2) / (2 * width**2))


@pytest.mark.parametrize("counts", [0.3, 2.0, 50.0, 1000.0])
@pytest.mark.parametrize("rate", [0.1, 3.0])
def test_counting_noise_raises_no_more_false_alarms_than_the_rule_says(counts, rate):
    rng = np.random.default_rng(1)
    images = 30
    found = [
        residual_candidates(
            rng.poisson(counts, (192, 192)) - counts, counts, SIGMA, gain=1.0, false_alarms=rate
        )
        for _ in range(images)
    ]
    number = sum(len(one.positions) for one in found)
    expected = rate * images
    assert number <= expected + 3 * np.sqrt(expected)
    if rate > 1:  # ... and not many fewer, in maxima and minima alike: it is no blunt bound
        assert number > 0.5 * expected
        bright = sum(int((one.significance > 0).sum()) for one in found)
        assert 0.3 < bright / number < 0.7
    assert np.mean([one.excess for one in found]) == pytest.approx(1.0, abs=0.05)


def test_without_the_gain_few_counts_raise_false_alarms():
    rng = np.random.default_rng(1)
    residuals = [rng.poisson(0.3, (192, 192)) - 0.3 for _ in range(20)]
    numbers = [
        sum(len(residual_candidates(one, 0.3, SIGMA, gain=gain).positions) for one in residuals)
        for gain in (0.0, 1.0)
    ]
    assert numbers[0] > 5 > numbers[1]


@pytest.mark.parametrize("shape", [(40, 90), (192, 192)])
def test_noise_at_edges_and_rims_of_holes_is_no_more_significant(shape):
    rng = np.random.default_rng(2)
    number = 0
    for _ in range(30):
        residual = rng.normal(0, 2.0, shape)
        residual[:, shape[1] // 2 :: 12] = np.nan
        number += len(residual_candidates(residual, 4.0, SIGMA, false_alarms=1.0).positions)
    assert number <= 30 + 3 * np.sqrt(30)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_column_that_is_left_is_found_in_its_place_alone(sign):
    rng = np.random.default_rng(3)
    shape = (160, 160)
    places = np.array([[40.3, 60.8], [100.0, 52.5], [100.0, 64.5]])  # the last two one spacing apart
    expected = 40 + sum(25 * spot(shape, *place) for place in places)
    residual = sign * (rng.poisson(expected) - 40.0)
    found = residual_candidates(residual, 40.0, SIGMA, gain=0.0)
    assert len(found.positions) == 3  # not the rings of the opposite sign round them
    for place in places:
        nearest = np.hypot(*(found.positions - place).T)
        assert nearest.min() < 1.0  # SIGMA over the ratio of signal to noise, 0.3 px, each way
    assert (np.sign(found.significance) == sign).all()
    assert (np.abs(found.significance) >= found.threshold).all()
    assert (np.diff(np.abs(found.significance)) <= 0).all()
    np.testing.assert_array_equal(np.sign(found.contrast), np.sign(found.significance))
    high = residual_candidates(residual, 40.0, SIGMA, min_contrast=1e4)
    assert len(high.positions) == 0


def test_a_residual_that_scatters_more_than_noise_is_held_against_its_own_scatter():
    rng = np.random.default_rng(4)
    residual = rng.normal(0, 5.0, (128, 128))
    told_less = residual_candidates(residual, 1.0, SIGMA)
    told = residual_candidates(residual, 25.0, SIGMA)
    assert told_less.excess == pytest.approx(5, rel=0.1)
    assert len(told_less.positions) == len(told.positions) == 0


def test_variance_may_differ_from_place_to_place():
    rng = np.random.default_rng(5)
    variance = np.where(np.arange(128) < 64, 1.0, 100.0) * np.ones((128, 1))
    bump = 8 * spot((128, 128), 64, 30) + 8 * spot((128, 128), 64, 98)
    number = seen = 0
    for _ in range(20):
        found = residual_candidates(rng.normal(0, np.sqrt(variance)) + bump, variance, SIGMA)
        np.testing.assert_allclose(found.positions[0], [64, 30], atol=0.6)
        away = np.hypot(*(found.positions - [64, 98]).T) > 2 * SIGMA
        number += int(away.sum()) - 1
        seen += int((~away).sum())
    assert number <= 2 + 3 * np.sqrt(2)  # a tenth an image
    assert seen < 10  # most of the time the bump in the noise is not significant


def test_units_do_not_matter():
    rng = np.random.default_rng(6)
    residual = rng.normal(size=(96, 96)) + 6 * spot((96, 96), 50, 40)
    one = residual_candidates(residual, 1.0, SIGMA)
    other = residual_candidates(1000 * residual, 1e6, SIGMA)
    np.testing.assert_allclose(one.positions, other.positions, atol=1e-3)
    np.testing.assert_allclose(one.significance, other.significance, rtol=1e-4)
    np.testing.assert_allclose(1000 * one.contrast, other.contrast, rtol=1e-4)


def test_nothing_known_no_noise_and_bad_input():
    assert len(residual_candidates(np.full((32, 32), np.nan), 1.0, SIGMA).positions) == 0
    assert len(residual_candidates(np.zeros((32, 32)), 0.0, SIGMA).positions) == 0
    assert false_alarm_threshold(0, 2.0, 0.1) == 1.0
    assert false_alarm_threshold(10**6, 2.0, 0.1) > false_alarm_threshold(10**4, 2.0, 0.1) > 3
    with pytest.raises(ValueError, match="`variance` must not be negative"):
        residual_candidates(np.zeros((32, 32)), -1.0, SIGMA)
    with pytest.raises(ValueError, match="`sigma` must be positive"):
        residual_candidates(np.zeros((32, 32)), 1.0, 0.0)
    with pytest.raises(ValueError, match="`false_alarms` must be positive"):
        residual_candidates(np.zeros((32, 32)), 1.0, SIGMA, false_alarms=0.0)
