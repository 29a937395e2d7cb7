"""Pasting of averages: exact cases, turned ones, overlaps; what a reconstruction explains and leaves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.averages import motif_averages
from atomotif.numerics.reconstruction import column_residual, explained_variance, paste_averages

RNG = np.random.default_rng(0)


def gaussians(shape, points, width=2.5, heights=None):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for k, (row, col) in enumerate(points):
        height = 1.0 if heights is None else heights[k]
        image += height * np.exp(-((y - row) ** 2 + (x - col) ** 2) / (2 * width**2))
    return image


def crystal(shape, pitch, jitter=0.0):
    """Image of a square lattice that goes on beyond the edges; points inside, -1 for those near an edge."""
    axes = [np.arange(-3 * pitch + pitch / 2, size + 3 * pitch, pitch) for size in shape]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    points = points + RNG.uniform(-jitter, jitter, points.shape)
    image = gaussians(shape, points)
    points = points[((points >= 0) & (points <= np.array(shape) - 1)).all(axis=1)]
    whole = ((points > 1.2 * pitch) & (points < np.array(shape) - 1 - 1.2 * pitch)).all(axis=1)
    return image, points, np.where(whole, 0, -1)


def disc(radius, half):
    v, u = np.mgrid[-half : half + 1, -half : half + 1]
    return np.hypot(v, u) < radius


def test_at_whole_pixels_an_average_is_pasted_as_it_is():
    average = RNG.normal(size=(1, 13, 13)) + 100
    image = paste_averages((40, 50), average, [[15, 20]], [0])
    assert image.dtype == np.float32
    inside = disc(6, 6)
    np.testing.assert_allclose(image[9:22, 14:27][inside], average[0][inside], rtol=1e-6)
    assert np.isfinite(image).sum() == inside.sum()


@pytest.mark.parametrize("shift", [(0.5, 0.5), (0.5, 0.0), (-0.25, 0.4), (1e-17, 1 - 1e-16)])
@pytest.mark.parametrize("angle", [0.0, 2 * np.pi])
def test_between_pixels_a_smooth_average_is_shifted(shift, angle):
    average = gaussians((21, 21), [[10, 10]])
    point = np.array([20.0, 25.0]) + shift
    image = paste_averages((45, 50), average[None], [point], [0], angles=[angle])
    covered = np.isfinite(image)
    assert covered.sum() == pytest.approx(np.pi * 100, rel=0.05)
    np.testing.assert_allclose(image[covered], gaussians((45, 50), [point])[covered], atol=2e-3)


def test_parabolas_are_exact_at_any_place():
    v, u = np.mgrid[-9:10, -9:10].astype(float)
    average = 0.02 * u**2 - 0.01 * v**2 + 0.03 * u * v
    point, angle = np.array([20.3, 24.8]), 0.4
    image = paste_averages((45, 50), average[None], [point], [0], angles=[angle], radius=4.0)
    row, col = np.nonzero(np.isfinite(image))
    dy, dx = row - point[0], col - point[1]
    y, x = np.cos(angle) * dy + np.sin(angle) * dx, np.cos(angle) * dx - np.sin(angle) * dy
    # The mirrored rim is felt by a factor of 0.27 less with each pixel.
    np.testing.assert_allclose(image[row, col], 0.02 * x**2 - 0.01 * y**2 + 0.03 * x * y, atol=0.01)


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_quarter_turns_are_exact_and_in_the_sense_of_the_averages(quarter_turns):
    image = RNG.normal(size=(31, 31))
    angle = quarter_turns * np.pi / 2
    turned = paste_averages((31, 31), image[None], [[15, 15]], [0], angles=[angle])
    inside = disc(15, 15)
    # Angles turn from columns towards rows: a patch that was turned so is turned back, its right side up.
    expected = np.rot90(image, quarter_turns)
    np.testing.assert_allclose(turned[inside], expected[inside], atol=1e-5)


def test_what_was_turned_to_be_averaged_is_turned_back():
    angles = np.array([0.0, 0.7, -2.1, 3.0])
    points = np.array([[30.2, 30.0], [30.7, 90.4], [30.1, 150.9], [29.5, 210.3]])
    image = np.zeros((60, 240))
    for point, angle in zip(points, angles):
        arm = point + 7 * np.array([np.sin(angle), np.cos(angle)])
        side = point + 6 * np.array([np.sin(angle + 1.9), np.cos(angle + 1.9)])
        image += gaussians(image.shape, [point, arm, side], heights=[1.0, 0.7, 0.4])
    found = motif_averages(image, points, np.zeros(4, int), 1, 14.0)
    rebuilt = paste_averages(image.shape, found.average, points, np.zeros(4, int), angles=found.angles)
    assert explained_variance(image, rebuilt) > 0.995
    straight = paste_averages(image.shape, found.average, points, np.zeros(4, int))
    assert explained_variance(image, straight) < 0.9


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-9, 45), st.floats(-9, 55), st.floats(-4, 4)), min_size=1, max_size=12),
    st.floats(1.0, 6.0),
)
def test_weights_of_overlaps_sum_to_one_within_the_discs(places, radius):
    places = np.array(places)
    image = paste_averages(
        (37, 47),
        np.full((1, 13, 13), 3.5),
        places[:, :2],
        np.zeros(len(places), int),
        angles=places[:, 2],
        radius=radius,
    )
    y, x = np.mgrid[:37, :47]
    nearest = np.min([np.hypot(y - row, x - col) for row, col, _ in places], axis=0)
    assert (np.isfinite(image) == (nearest < radius))[np.abs(nearest - radius) > 1e-6].all()
    np.testing.assert_allclose(image[np.isfinite(image)], 3.5, rtol=1e-6)


def test_overlaps_are_the_mean_weighted_by_the_window():
    levels = np.array([1.0, 5.0])
    points = np.array([[20.3, 18.6], [22.0, 25.1]])
    image = paste_averages(
        (40, 50), np.full((2, 19, 19), levels[:, None, None]), points, [0, 1], radius=[9, 6]
    )
    y, x = np.mgrid[:40, :50]
    square = np.array([((y - r) ** 2 + (x - c) ** 2) / reach**2 for (r, c), reach in zip(points, (9, 6))])
    window = np.clip(1 - square, 0, None) ** 2
    covered = window.sum(0) > 0
    expected = np.tensordot(levels, window, 1)[covered] / window.sum(0)[covered]
    np.testing.assert_allclose(image[covered], expected, rtol=1e-5)
    assert np.isnan(image[~covered]).all()


def test_points_without_motif_and_motifs_without_points_are_left_out():
    averages = np.stack([np.ones((7, 7)), np.full((7, 7), np.nan)])
    image = paste_averages((20, 40), averages, [[10, 8], [10, 20], [10, 32]], [0, -1, 1])
    assert np.nonzero(np.isfinite(image).any(axis=0))[0].tolist() == [6, 7, 8, 9, 10]
    assert np.isnan(paste_averages((9, 9), averages, np.empty((0, 2)), np.empty(0, int))).all()


def test_the_order_of_equal_rows_and_threads_do_not_matter_to_the_last_bit():
    points = RNG.uniform(-5, 405, (600, 2))
    averages, labels = RNG.normal(size=(3, 25, 25)), np.arange(600) % 3
    angles = np.where(np.arange(600) % 2, RNG.uniform(-3, 3, 600), 0)
    one, many = (
        paste_averages((400, 300), averages, points, labels, angles=angles, n_threads=n) for n in (1, 4)
    )
    np.testing.assert_array_equal(one, many)
    # A part of the rows alone, cut elsewhere, gives the same pixels.
    part = paste_averages((300, 300), averages, points - [100, 0], labels, angles=angles)
    np.testing.assert_allclose(part, one[100:], rtol=1e-3, atol=1e-4)


def test_a_perfect_crystal_is_explained_and_noise_is_not():
    shape = (200, 200)
    clean, points, labels = crystal(shape, 12, jitter=0.5)

    def rebuilt(image):
        return paste_averages(
            shape, motif_averages(image, points, labels, 1, 12.0, align=False).average, points, labels
        )

    assert explained_variance(clean, rebuilt(clean)) > 0.99
    noisy = clean + RNG.normal(0, 0.3, shape)
    covered = np.isfinite(rebuilt(noisy))
    limit = 1 - 0.3**2 / noisy[covered].var()
    assert explained_variance(noisy, rebuilt(noisy)) == pytest.approx(limit, abs=0.02)


def test_explained_variance_is_that_of_the_covered_pixels():
    image = RNG.normal(size=(30, 30))
    other = image + RNG.normal(scale=0.5, size=(30, 30))
    other[:10] = np.nan
    expected = 1 - (image - other)[10:].var() / image[10:].var()
    assert explained_variance(image, other) == pytest.approx(expected, rel=1e-5)
    assert explained_variance(image, image.astype(np.float32)) == 1
    assert np.isnan(explained_variance(image, np.full((30, 30), np.nan)))
    assert np.isnan(explained_variance(np.ones((30, 30)), np.ones((30, 30))))


def test_a_column_without_point_is_left_over_although_its_neighbours_show_it():
    shape, pitch = (180, 180), 12
    image, points, labels = crystal(shape, pitch)
    average = motif_averages(image, points, labels, 1, 1.2 * pitch, align=False).average
    missing = np.flatnonzero((points == [90, 90]).all(axis=1))
    rest, others = np.delete(points, missing, axis=0), np.delete(labels, missing)
    whole = paste_averages(shape, average, rest, others)
    assert abs(image[90, 90] - whole[90, 90]) < 0.05
    left = column_residual(image, average, rest, others, pitch)
    assert left[90, 90] > 0.7
    y, x = np.mgrid[:180, :180]
    assert np.nanmax(np.abs(left[np.hypot(y - 90, x - 90) > 0.7 * pitch])) < 0.1
    assert np.isnan(left[:6]).all()
    # A point without motif says that its column is known.
    labels[missing] = -1
    assert np.isnan(column_residual(image, average, points, labels, pitch)[90, 90])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"averages": np.ones((1, 6, 6))}, "`averages` must have shape"),
        ({"averages": np.ones((1, 7, 5))}, "`averages` must have shape"),
        ({"labels": [0, 0]}, "`labels` must have shape"),
        ({"labels": [1]}, "`labels` must be below"),
        ({"angles": [0.0, 1.0]}, "`angles` must have shape"),
        ({"radius": 4.0}, "`radius` must be above 0"),
        ({"radius": 0.0}, "`radius` must be above 0"),
        ({"points": [[1.0, np.nan]]}, "`points` must be finite"),
    ],
)
def test_bad_input(changes, message):
    good = {"averages": np.ones((1, 7, 7)), "points": [[9.0, 9.0]], "labels": [0]}
    with pytest.raises(ValueError, match=message):
        paste_averages((20, 20), **{**good, **changes})
    with pytest.raises(ValueError, match="`reconstruction` must have the shape"):
        explained_variance(np.ones((9, 9)), np.ones((9, 8)))
