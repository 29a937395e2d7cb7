"""Moments at every pixel, against moments at single points and sums over patches."""

import tracemalloc

import numpy as np
import pytest

from atomotif.numerics.dense_moments import dense_map, dense_moments, dense_symmetry
from atomotif.numerics.moments import zernike_moments
from atomotif.numerics.symmetry import mirror_score, rotation_score
from atomotif.numerics.zernike import basis

IMAGE = np.random.default_rng(0).normal(size=(90, 75)).astype(np.float32)


def slow(image: np.ndarray, row: int, col: int, radius: float, order: int) -> np.ndarray:
    """Cut the mirrored patch and sum."""
    half = int(np.ceil(radius))
    padded = np.pad(image.astype(float), half, mode="reflect")
    return (basis(radius, order) * padded[row : row + 2 * half + 1, col : col + 2 * half + 1]).sum((1, 2))


@pytest.mark.parametrize(("radius", "order"), [(8.0, 10), (13.4, 10), (16.0, 12), (5.0, 6)])
def test_equals_sums_over_patches_at_every_kind_of_place(radius: float, order: int) -> None:
    found = dense_moments(IMAGE, radius, order=order)
    for row, col in [(0, 0), (89, 74), (45, 37), (3, 70), (88, 31)]:
        np.testing.assert_allclose(found[:, row, col], slow(IMAGE, row, col, radius, order), atol=2e-6)


def test_equals_the_moments_at_points() -> None:
    found = dense_moments(IMAGE, 11.3)
    points = np.random.default_rng(1).integers(0, IMAGE.shape, (300, 2))
    expected = zernike_moments(IMAGE, points, 11.3, subpixel=False)
    np.testing.assert_allclose(found[:, points[:, 0], points[:, 1]].T, expected, atol=2e-6)


def test_tile_and_threads_do_not_matter() -> None:
    first = dense_moments(IMAGE, 9.0)
    for tile in (20, 33, 64, 200):
        np.testing.assert_allclose(dense_moments(IMAGE, 9.0, tile=tile), first, atol=2e-6)
    for n_threads in (1, 2, 5):
        again = dense_moments(IMAGE, 9.0, tile=40, n_threads=n_threads)
        assert np.array_equal(again, dense_moments(IMAGE, 9.0, tile=40, n_threads=3))


def test_small_images() -> None:
    for shape in ((1, 1), (1, 30), (7, 5)):
        image = IMAGE[: shape[0], : shape[1]]
        found = dense_moments(image, 9.0)
        expected = zernike_moments(image, [[0, shape[1] - 1]], 9.0, subpixel=False)[0]
        np.testing.assert_allclose(found[:, 0, -1], expected, atol=2e-6)


def test_reduced_maps_have_their_own_shape() -> None:
    moments = dense_moments(IMAGE, 9.0, tile=40)
    flat = dense_map(IMAGE, 9.0, lambda m: m[0], tile=40)
    assert flat.shape == IMAGE.shape
    assert np.array_equal(flat, moments[0])
    pair = dense_map(IMAGE, 9.0, lambda m: np.stack([m[2], (m**2).sum(0)]), tile=40)
    np.testing.assert_allclose(pair, [moments[2], (moments**2).sum(0)], rtol=1e-5)


def test_symmetry_is_that_of_the_moments() -> None:
    maps = dense_symmetry(IMAGE + 50, 10.0, folds=(6, 2, 3))
    moments = np.moveaxis(dense_moments(IMAGE, 10.0), 0, -1)
    assert maps.folds == (6, 2, 3)
    for n, found in zip(maps.folds, maps.rotation):
        np.testing.assert_allclose(found, rotation_score(moments, n), atol=1e-4)
    np.testing.assert_allclose(maps.mirror, mirror_score(moments)[0], atol=1e-4)
    without = dense_symmetry(IMAGE, 10.0, folds=(2,), mirror=False)
    assert without.mirror is None
    assert without.mirror_angle is None
    only = dense_symmetry(IMAGE, 10.0, folds=())
    assert only.rotation.shape == (0, *IMAGE.shape)
    assert only.mirror is not None


def test_square_lattice_is_fourfold_at_its_columns_and_hollows_twofold_between() -> None:
    y, x = np.mgrid[:96, :96]
    image = np.cos(2 * np.pi * y / 16) + np.cos(2 * np.pi * x / 16)
    maps = dense_symmetry(image, 12.0, folds=(2, 4))
    inner = slice(16, 80)
    two, four = maps.rotation[:, inner, inner]
    for row, col, is_four in [(0, 0, True), (8, 8, True), (0, 8, False), (8, 0, False)]:
        assert two[row, col] > 0.99
        assert (four[row, col] > 0.99) == is_four
    assert two[4, 4] < 0.1


def test_memory_is_that_of_the_tiles() -> None:
    dense_symmetry(np.zeros((80, 80)), 9.0)  # the transformed basis, and compiled code
    peaks = []
    for side in (256, 512):
        image = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
        tracemalloc.start()
        maps = dense_symmetry(image, 9.0, n_threads=2)
        peaks.append(tracemalloc.get_traced_memory()[1] - maps.rotation.nbytes * 7 / 5 - 2 * image.nbytes)
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0] + 1e6
    assert peaks[1] < 66 * 4 * 512 * 512 / 2  # the moments of all pixels are never held


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="`radius` must be at least 8 px for moments of order 10, got 7"):
        dense_moments(IMAGE, 7.0)
    with pytest.raises(ValueError, match="`tile` must be more than 19 px for a radius of 9, got 19"):
        dense_moments(IMAGE, 9.0, tile=19)
    with pytest.raises(ValueError, match="`folds` must be from 2 to the order of the moments, 6, got 7"):
        dense_symmetry(IMAGE, 9.0, folds=(7,), order=6)
