"""Moments straight from the image, against patches cut and projected one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from atomotif import AtomotifWarning
from atomotif.numerics.moments import moment_covariance, patch_coverage, zernike_moments

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(70, 83)).astype(np.float32) + 2.0
POINTS = RNG.uniform(-0.5, [69.5, 82.5], (150, 2))


def radial_polynomials(order, r):
    """Radial polynomials by the recurrence in p of Kintner."""
    table = {}
    for q in range(order + 1):
        table[q, q] = r**q
        if q + 2 <= order:
            table[q + 2, q] = (q + 2) * r ** (q + 2) - (q + 1) * r**q
        for p in range(q + 4, order + 1, 2):
            k1 = (p + q) * (p - q) * (p - 2) / 2
            k2 = 2 * p * (p - 1) * (p - 2)
            k3 = -(q**2) * (p - 1) - p * (p - 1) * (p - 2)
            k4 = -p * (p + q - 2) * (p - q - 2) / 2
            table[p, q] = ((k2 * r**2 + k3) * table[p - 2, q] + k4 * table[p - 4, q]) / k1
    return table


def slow_moments(image, points, radius, order, fine=24):
    """Cut each patch, sample the functions at fine x fine places in each pixel, and sum."""
    half = int(np.ceil(radius)) + 1
    padded = np.pad(image.astype(float), half + 1, mode="reflect")
    offsets = (np.arange(fine) + 0.5) / fine - 0.5
    result = []
    for row, col in points:
        r0, c0 = int(np.floor(row + 0.5)), int(np.floor(col + 0.5))
        patch = padded[r0 + 1 : r0 + 2 * half + 2, c0 + 1 : c0 + 2 * half + 2]
        grid = (np.arange(-half, half + 1)[:, None] + offsets).ravel()
        y, x = np.meshgrid((grid + r0 - row) / radius, (grid + c0 - col) / radius, indexing="ij")
        big = np.kron(patch, np.ones((fine, fine))) / (np.pi * radius**2 * fine**2)
        inside = np.hypot(y, x) <= 1
        r, t, big = np.hypot(y, x)[inside], np.arctan2(y, x)[inside], big[inside]
        table = radial_polynomials(order, r)
        values = []
        for p in range(order + 1):
            for q in range(-p, p + 1, 2):
                wave = np.cos(q * t) if q >= 0 else np.sin(-q * t)
                norm = np.sqrt((1 if q == 0 else 2) * (p + 1))
                values.append(big @ (table[p, abs(q)] * wave) * norm)
        result.append(values)
    return np.array(result)


@pytest.mark.parametrize("radius", [8.0, 10.7])
@pytest.mark.parametrize("steps", [1, 2, 8])
def test_equals_slow_reference_at_every_kind_of_center(radius, steps):
    points = np.round(RNG.uniform([0, 0], [69, 82], (3, 2)) * steps) / steps
    points[0], points[1] = (0, 0), (69, 82)
    expected = slow_moments(IMAGE, points, radius, 10)
    for subpixel in {True, steps > 2}:
        found = zernike_moments(IMAGE, points, radius, subpixel=subpixel)
        # The reference errs at the rim; noise moves by 0.02 and more where a centre is off by 1/8 px.
        assert np.abs(found - expected).max() < 6e-3


def test_all_shifts_in_a_pixel_equal_the_folded_transform_of_a_moved_image():
    # Moments at (row + a, col + b) do not depend on where in the image: compare with the transposed
    # and flipped image, which puts every one of the 64 shifts through another table.
    eighths = (np.arange(-4, 4) + 0.0) / 8
    points = np.stack(np.meshgrid(35 + eighths[1:], 41 + eighths[1:], indexing="ij"), -1).reshape(-1, 2)
    direct = zernike_moments(IMAGE, points, 9.0)
    q = np.array([q for p in range(11) for q in range(-p, p + 1, 2)])
    upside = zernike_moments(IMAGE[::-1], np.c_[69 - points[:, 0], points[:, 1]], 9.0)
    np.testing.assert_allclose(np.where(q < 0, -upside, upside), direct, atol=1e-5)
    across = zernike_moments(IMAGE[:, ::-1], np.c_[points[:, 0], 82 - points[:, 1]], 9.0)
    odd = (q < 0) ^ (q % 2 == 1)
    np.testing.assert_allclose(np.where(odd, -across, across), direct, atol=1e-5)
    swapped = zernike_moments(IMAGE.T, points[:, ::-1], 9.0)
    j, a = np.arange(66), np.abs(q)
    sign = np.where(
        a % 2 == 1, np.where(a % 4 == 1, 1, -1), np.where(a % 4 == 0, 1, -1) * np.where(q < 0, -1, 1)
    )
    np.testing.assert_allclose(swapped[:, np.where(a % 2 == 1, j - q, j)] * sign, direct, atol=1e-5)


@pytest.mark.parametrize("subpixel", [True, False])
def test_order_of_rows_and_threads(subpixel):
    one = zernike_moments(IMAGE, POINTS, 9.3, subpixel=subpixel, n_threads=1)
    assert one.dtype == np.float32
    assert one.shape == (150, 66)
    for threads in (2, 5):
        many = zernike_moments(IMAGE, POINTS, 9.3, subpixel=subpixel, n_threads=threads)
        np.testing.assert_array_equal(one, many)
    reverse = zernike_moments(IMAGE, POINTS[::-1], 9.3, subpixel=subpixel)
    np.testing.assert_allclose(reverse[::-1], one, atol=1e-5)


@pytest.mark.parametrize("radius", [2.0, 8.0, 16.0, 33.3])
@pytest.mark.parametrize("subpixel", [True, False])
@pytest.mark.filterwarnings("ignore::atomotif.AtomotifWarning")
def test_constant_image_even_over_the_edges(radius, subpixel):
    moments = zernike_moments(np.full((20, 22), 7.0), POINTS[:20] % 19, radius, subpixel=subpixel)
    np.testing.assert_allclose(moments, np.tile(7 * np.eye(66)[0], (20, 1)), atol=1e-4)


def test_small_radius_warns_and_equals_the_enlarged_image():
    y, x = np.mgrid[0:40, 0:40]
    image = np.sin(x / 2.1) + np.cos(y / 1.7 + x / 5)
    points = np.array([[20.0, 20.0], [18.5, 21.25]])
    with pytest.warns(AtomotifWarning, match="enlarged 2 times"):
        found = zernike_moments(image, points, 5.0)
    big = ndimage.map_coordinates(image, np.mgrid[0:79, 0:79] / 2, order=3, mode="mirror")
    expected = zernike_moments(big, points * 2, 10.0)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_low_order_needs_no_enlargement():
    points = [[20.0, 20.0]]
    found = zernike_moments(IMAGE, points, 4.0, order=4)
    expected = slow_moments(IMAGE, points, 4.0, 4, fine=64)
    assert found.shape == (1, 15)
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()


def test_covariance_is_that_of_repeated_noise():
    tile = np.linspace(0.5, 2.0, 24 * 24).reshape(24, 24)
    variance = np.tile(tile, (40, 40))
    noise = np.random.default_rng(3).normal(size=variance.shape) * np.sqrt(variance)
    corners = 24.0 * np.stack(np.meshgrid(np.arange(40), np.arange(40), indexing="ij"), -1).reshape(-1, 2)
    points = corners + np.array([12.3, 11.6])
    sampled = np.cov(zernike_moments(noise, points, 8.5, order=4).T)
    expected = moment_covariance(variance, points, 8.5, order=4)
    assert np.abs(sampled - expected).max() < 0.15 * expected.diagonal().max()
    np.testing.assert_allclose(expected, expected.T, atol=1e-15)


def test_covariance_of_white_noise():
    covariance = moment_covariance(np.full((90, 90), 3.0), [[45.0, 45.2]], 32.0)
    np.testing.assert_allclose(covariance * np.pi * 32**2 / 3, np.eye(66), atol=0.13)


@settings(max_examples=20, deadline=None)
@given(st.floats(-12, 52), st.floats(-12, 42), st.floats(1, 15))
def test_coverage_equals_sampling(row, col, radius):
    y, x = np.mgrid[-1:1:400j, -1:1:400j]
    inside = np.hypot(y, x) <= 1
    y, x = row + radius * y[inside], col + radius * x[inside]
    share = np.mean((y >= -0.5) & (y <= 39.5) & (x >= -0.5) & (x <= 29.5))
    assert patch_coverage([[row, col]], radius, (40, 30))[0] == pytest.approx(share, abs=0.01)


def test_coverage_is_exactly_one_inside():
    assert (patch_coverage([[20.0, 20.0], [9.5, 9.5]], 10.0, (40, 40)) == 1).all()


@pytest.mark.parametrize(
    "image",
    [
        (IMAGE * 100).astype(np.int16),
        IMAGE.astype(">f8"),
        np.asfortranarray(IMAGE),
        np.repeat(IMAGE, 2, axis=1)[:, ::2],
        np.ma.masked_invalid(IMAGE),
    ],
    ids=["integer", "big-endian", "fortran", "strided", "nothing masked"],
)
def test_any_real_image(image):
    image = image.view()
    image.flags.writeable = False
    plain = np.ascontiguousarray(np.asarray(image), dtype=np.float32)
    found = zernike_moments(image, POINTS, 8.0)
    np.testing.assert_array_equal(found, zernike_moments(plain, POINTS, 8.0))


def test_no_points():
    assert zernike_moments(IMAGE, np.empty((0, 2)), 8.0).shape == (0, 66)
    assert patch_coverage(np.empty((0, 2)), 8.0, (5, 5)).shape == (0,)


BAD = IMAGE.copy()
BAD[3, 3] = np.nan


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: zernike_moments(BAD, POINTS, 8.0), "`image`"),
        (lambda: zernike_moments(IMAGE[0], POINTS, 8.0), "`image`"),
        (lambda: zernike_moments(np.ma.masked_less(IMAGE, 1), POINTS, 8.0), "`image`"),
        (lambda: zernike_moments(IMAGE, POINTS[0], 8.0), "`points`"),
        (lambda: zernike_moments(IMAGE, [[np.nan, 1.0]], 8.0), "`points`"),
        (lambda: zernike_moments(IMAGE, [[70.0, 1.0]], 8.0), "`points`"),
        (lambda: zernike_moments(IMAGE, POINTS, 0.0), "`radius`"),
        (lambda: zernike_moments(IMAGE, POINTS, 0.5), "`radius`"),
        (lambda: zernike_moments(IMAGE, POINTS, 8.0, order=-1), "`order`"),
        (lambda: zernike_moments(IMAGE, POINTS, 8.0, n_threads=0), "`n_threads`"),
        (lambda: moment_covariance(-np.ones((9, 9)), [[4.0, 4.0]], 8.0), "`variance`"),
        (lambda: moment_covariance(IMAGE**2, np.empty((0, 2)), 8.0), "`points`"),
        (lambda: patch_coverage(POINTS, 8.0, (0, 4)), "`shape`"),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(ValueError, match=match):
        call()
