"""Class averages: of patches at known angles, of plain stacks, and their contract."""

import numpy as np
import pytest

from atomotif.numerics.averages import alignment_angles, motif_averages
from atomotif.numerics.zernike import rotate

RNG = np.random.default_rng(0)
RADIUS = 10.0


def turned_motif(angles, noise=0.0, pitch=40):
    """Image of one row of patches without symmetry, each turned by its angle, at sub-pixel centres."""
    image = (
        RNG.normal(scale=noise, size=(pitch, pitch * len(angles)))
        if noise
        else np.zeros((pitch, pitch * len(angles)))
    )
    points = np.empty((len(angles), 2))
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    for k, angle in enumerate(angles):
        points[k] = pitch / 2 + RNG.uniform(-0.5, 0.5), pitch * (k + 0.5) + RNG.uniform(-0.5, 0.5)
        for r, t, height in [(0, 0, 1.0), (6, 0.3, 0.8), (6, 2.4, 0.5), (6, 4.4, 1.2)]:
            row, col = points[k] + r * np.array([np.sin(t + angle), np.cos(t + angle)])
            near = np.s_[:, max(int(col) - 15, 0) : int(col) + 16]
            image[near] += height * np.exp(-((y[near] - row) ** 2 + (x[near] - col) ** 2) / (2 * 1.8**2))
    return image, points


def test_angles_undo_a_known_rotation():
    truth = RNG.uniform(-np.pi, np.pi, 40)
    image, points = turned_motif(truth, noise=0.05)
    found = motif_averages(image, points, np.zeros(40, int), 1, RADIUS)
    spread = np.angle(np.exp(1j * (found.angles + truth)) * np.exp(-1j * (found.angles + truth)[0]))
    assert np.abs(spread).max() < np.deg2rad(6)
    plain = motif_averages(image, points, np.zeros(40, int), 1, RADIUS, align=False)
    y, x = np.mgrid[-10:11, -10:11]
    ring = np.hypot(y, x) < 8
    assert found.deviation[0][ring].mean() < 0.5 * plain.deviation[0][ring].mean()
    assert (plain.angles == 0).all()


def test_alignment_is_that_of_the_moments():
    moment = RNG.normal(size=66)
    truth = RNG.uniform(-np.pi, np.pi, 25)
    angles = alignment_angles(rotate(np.tile(moment, (25, 1)), truth))
    aligned = rotate(rotate(np.tile(moment, (25, 1)), truth), angles)
    np.testing.assert_allclose(aligned, np.tile(aligned[0], (25, 1)), atol=1e-6)


def test_integer_centers_without_alignment_are_the_plain_mean():
    image = RNG.normal(size=(60, 60)).astype(np.float32) + 1000
    points = RNG.integers(12, 48, (30, 2)).astype(float)
    labels = np.arange(30) % 3 - 1
    found = motif_averages(image, points, labels, 2, 9.2, align=False)
    assert found.average.shape == found.deviation.shape == (2, 21, 21)
    assert found.average.dtype == np.float32
    for motif in range(2):
        stack = [image[r - 10 : r + 11, c - 10 : c + 11] for r, c in points[labels == motif].astype(int)]
        np.testing.assert_allclose(found.average[motif], np.mean(stack, 0, dtype=float), rtol=1e-6)
        np.testing.assert_allclose(found.deviation[motif], np.std(stack, 0, dtype=float), rtol=1e-3)


def test_cubic_sampling_keeps_parabolas():
    y, x = np.mgrid[:50, :50].astype(float)
    image = 0.02 * x**2 - 0.01 * y**2 + 0.03 * x * y
    found = motif_averages(image, [[25.3, 24.8]], [0], 1, 8.0, align=False)
    v, u = np.mgrid[-8:9, -8:9] + np.array([25.3, 24.8])[:, None, None]
    np.testing.assert_allclose(
        found.average[0], 0.02 * u**2 - 0.01 * v**2 + 0.03 * u * v, rtol=1e-5, atol=1e-4
    )
    assert (found.deviation == 0).all()


def test_threads_do_not_matter_and_neither_do_given_moments():
    image, points = turned_motif(RNG.uniform(0, 6, 12), noise=0.1)
    labels = np.arange(12) % 2
    one = motif_averages(image, points, labels, 2, RADIUS, n_threads=1)
    many = motif_averages(image, points, labels, 2, RADIUS, n_threads=4)
    for a, b in zip(one, many):
        np.testing.assert_array_equal(a, b)


def test_many_points_are_thinned_evenly():
    image = np.tile(np.arange(100.0), (30, 1))
    points = np.stack([np.full(81, 15.0), np.arange(10.0, 91.0)], axis=1)
    found = motif_averages(image, points, np.zeros(81, int), 1, 8.0, align=False, max_points=9)
    assert found.average[0, 8, 8] == pytest.approx(46, abs=1)
    assert found.deviation[0, 8, 8] > 20


def test_empty_motifs_and_no_points():
    image = np.ones((30, 30))
    found = motif_averages(image, [[15.0, 15.0]], [1], 3, 8.0)
    assert np.isnan(found.average[[0, 2]]).all()
    np.testing.assert_allclose(found.average[1], 1, rtol=1e-6)
    assert np.isnan(motif_averages(image, np.empty((0, 2)), [], 1, 8.0).average).all()
    assert (motif_averages(image, [[15.0, 15.0]], [-1], 0, 8.0).angles == 0).all()


@pytest.mark.parametrize(
    ("labels", "options", "error"),
    [
        ([0.5], {}, TypeError),
        ([0, 0], {}, ValueError),
        ([2], {}, ValueError),
        ([-2], {}, ValueError),
        ([0], {"moments": np.ones((2, 66))}, ValueError),
        ([0], {"max_points": 0}, ValueError),
        ([0], {"radius": -1.0}, ValueError),
    ],
)
def test_bad_input(labels, options, error):
    with pytest.raises(error, match="`"):
        motif_averages(np.ones((30, 30)), [[15.0, 15.0]], labels, 2, **{"radius": 8.0, **options})
