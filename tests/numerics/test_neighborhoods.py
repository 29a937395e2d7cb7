"""What surrounds a point is the same at all columns of a crystal, and differs between crystals."""

import numpy as np
import pytest

from atomotif.numerics.neighborhoods import neighborhood_features

A, SIZE = 20.0, 240
NONE = np.zeros((66, 66))


def crystal(intensities: tuple[float, float, float], turn: float = 0.1) -> np.ndarray:
    """Three columns in a hexagonal cell, drawn as plane waves so that nothing but them decides."""
    y, x = np.mgrid[:SIZE, :SIZE]
    image = np.zeros((SIZE, SIZE))
    waves = [
        2 * np.pi / (A * np.sqrt(0.75)) * np.array([np.sin(t), np.cos(t)])
        for t in turn + np.pi / 3 * np.arange(3)
    ]
    for k, intensity in enumerate(intensities):
        site = k * np.array([np.sin(turn + np.pi / 6), np.cos(turn + np.pi / 6)]) * A / np.sqrt(3)
        phase = [w[0] * (y - site[0]) + w[1] * (x - site[1]) for w in waves]
        image += intensity * np.exp(sum(np.cos(one) for one in phase))
    return image


def within(seed: int = 0, n: int = 40) -> np.ndarray:
    return SIZE / 2 + np.random.default_rng(seed).uniform(-30, 30, (n, 2))


def scatter(rows: np.ndarray) -> float:
    return float(np.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()))


def test_the_place_in_the_cell_does_not_matter_but_the_crystal_does() -> None:
    one = neighborhood_features(crystal((1.0, 0.2, 0.2)), within(), 10.0, 0.75 * A, NONE)
    other = neighborhood_features(crystal((0.7, 0.7, 0.0)), within(), 10.0, 0.75 * A, NONE)
    assert one.shape == (40, 72)
    apart = np.linalg.norm(one.mean(axis=0) - other.mean(axis=0))
    assert scatter(one) < 0.02 * apart
    # Without a neighbourhood the column decides.
    single = neighborhood_features(crystal((1.0, 0.2, 0.2)), within(), 10.0, 0.1 * A, NONE)
    assert scatter(single) > 10 * scatter(one)


def test_a_turn_of_the_crystal_does_not_matter() -> None:
    one, other = (
        neighborhood_features(crystal((1.0, 0.3, 0.1), turn), within(), 10.0, A, NONE).mean(axis=0)
        for turn in (0.1, 0.6)
    )
    flat = neighborhood_features(crystal((0.5, 0.5, 0.4)), within(), 10.0, A, NONE).mean(axis=0)
    assert np.linalg.norm(one - other) < 0.03 * np.linalg.norm(one - flat)


def test_deviations_are_those_of_the_patches_about_the_point() -> None:
    # A ramp: the mean intensity, the first invariant, has the Gaussian's deviation.
    ramp = np.tile(0.01 * np.arange(SIZE, dtype=float), (SIZE, 1))
    found = neighborhood_features(ramp, [[120.0, 120.0], [120.0, 170.0]], 10.0, 12.0, NONE)
    np.testing.assert_allclose(found[:, 0], [1.2, 1.7], rtol=1e-2)
    np.testing.assert_allclose(found[:, 36], 0.12, rtol=0.05)


def test_offset_gain_and_threads() -> None:
    image = crystal((1.0, 0.3, 0.1))
    one = neighborhood_features(image, within(), 10.0, 15.0, NONE, n_threads=1)
    np.testing.assert_array_equal(one, neighborhood_features(image, within(), 10.0, 15.0, NONE, n_threads=2))
    np.testing.assert_allclose(
        3 * one, neighborhood_features(3 * image, within(), 10.0, 15.0, NONE), rtol=1e-4, atol=1e-4
    )


def test_far_from_whole_patches_nothing_is_known() -> None:
    found = neighborhood_features(np.ones((100, 100)), [[50.0, 50.0], [0.0, 0.0]], 20.0, 3.0, NONE)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize(
    ("radius", "sigma", "message"),
    [
        (10.0, 0.0, "`sigma` must be positive and finite, got 0.0."),
        (-1.0, 3.0, "`radius` must be positive and finite, got -1.0."),
        (40.0, 3.0, "`radius` must leave whole patches in an image of"),
    ],
)
def test_unfit_sizes_are_refused(radius: float, sigma: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        neighborhood_features(np.ones((60, 60)), [[30.0, 30.0]], radius, sigma, NONE)
