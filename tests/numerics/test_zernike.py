"""The Zernike basis and the algebra of moments, against quadrature and scipy's Jacobi polynomials."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import eval_jacobi

from atomotif.numerics import zernike as z

SHIFTS = [(0.0, 0.0), (0.125, -0.375), (-0.5, 0.5)]


def reference_functions(y, x, order=10):
    """Zernike functions by Jacobi polynomials: R_pq(r) = r^q P_k^(0, q)(2 r^2 - 1), k = (p - q) / 2."""
    r, t = np.hypot(y, x), np.arctan2(y, x)
    values = []
    for p in range(order + 1):
        for q in range(-p, p + 1, 2):
            k, a = (p - abs(q)) // 2, abs(q)
            radial = r**a * eval_jacobi(k, 0, a, 2 * r**2 - 1)
            wave = np.ones_like(t) if q == 0 else (np.cos(a * t) if q > 0 else np.sin(a * t))
            values.append(np.sqrt((1 if q == 0 else 2) * (p + 1)) * radial * wave)
    return np.array(values) * (r <= 1)


def blob_patch(radius, angle=0.0, center=(0.0, 0.0)):
    """Gaussian columns on a window, turned about its middle from +x towards +y (rows)."""
    half = int(np.ceil(radius))
    y, x = np.mgrid[-half : half + 1, -half : half + 1] - np.reshape(center, (2, 1, 1))
    patch = np.zeros(y.shape)
    for r, t, height in [(0, 0, 1), (0.5, 0.3, 0.8), (0.6, 2.0, 0.6), (0.55, 4.1, 1.1)]:
        row, col = radius * r * np.sin(t + angle), radius * r * np.cos(t + angle)
        patch += height * np.exp(-((y - row) ** 2 + (x - col) ** 2) / (2 * (0.13 * radius) ** 2))
    return patch


def project(patch, radius, **options):
    return (z.basis(radius, **options) * patch).sum((1, 2))


def test_index_formula():
    p, q = z.index_pairs(10)
    assert len(p) == 66
    np.testing.assert_array_equal((p * (p + 2) + q) // 2, np.arange(66))
    assert ((p - q) % 2 == 0).all()
    assert (np.abs(q) <= p).all()
    p, q = z.invariant_pairs(10)
    assert list(zip(p, q)) == sorted(zip(p, q))
    assert len(p) == 36
    assert (q >= 0).all()


def test_functions_equal_jacobi_polynomials():
    y, x = np.random.default_rng(0).uniform(-1, 1, (2, 200))
    np.testing.assert_allclose(z.functions(y, x), reference_functions(y, x), atol=1e-9)


@pytest.mark.parametrize("radius", [8.0, 11.3])
@pytest.mark.parametrize("shift", SHIFTS)
def test_basis_equals_fine_quadrature(radius, shift):
    weights = z.basis(radius, shift=shift)
    half, fine = int(np.ceil(radius)), 16
    assert weights.shape == (66, 2 * half + 1, 2 * half + 1)
    at = (np.arange((2 * half + 1) * fine) + 0.5) / fine - 0.5 - half
    y, x = np.meshgrid((at - shift[0]) / radius, (at - shift[1]) / radius, indexing="ij")
    expected = np.array(
        [
            v.reshape(2 * half + 1, fine, -1, fine).mean((1, 3)) / (np.pi * radius**2)
            for v in reference_functions(y, x)
        ]
    )
    # The quadrature itself errs at the rim by the area of a few of its cells.
    assert np.abs(weights - expected).max() < 0.04 * np.abs(expected).max()


@pytest.mark.parametrize("radius", [1.0, 3.7, 8.0, 16.0, 40.5])
@pytest.mark.parametrize("shift", SHIFTS)
def test_constant_patch(radius, shift):
    moments = z.basis(radius, shift=shift).sum((1, 2))
    np.testing.assert_allclose(moments, np.eye(66)[0], atol=1e-12)


@pytest.mark.parametrize(("radius", "tolerance"), [(16.0, 0.25), (32.0, 0.13), (64.0, 0.065)])
@pytest.mark.parametrize("shift", SHIFTS)
def test_orthogonality(radius, tolerance, shift):
    weights = z.basis(radius, shift=shift).reshape(66, -1)
    gram = weights @ weights.T * np.pi * radius**2
    assert np.abs(gram - np.eye(66)).max() < tolerance


def test_magnitudes_hardly_change_under_rotation():
    patches = [blob_patch(16.0, a) for a in np.linspace(0, 2 * np.pi, 24, endpoint=False)]
    features = z.magnitudes(np.array([project(p, 16.0) for p in patches]))
    mean = features.mean(0)
    assert np.linalg.norm(features - mean, axis=1).max() < 0.01 * np.linalg.norm(mean)


@pytest.mark.parametrize("angle", [0.4, np.pi / 2, -2.3])
def test_analytic_rotation_equals_rotated_patch(angle):
    turned = z.rotate(project(blob_patch(24.0), 24.0), angle)
    expected = project(blob_patch(24.0, angle), 24.0)
    assert np.linalg.norm(turned - expected) < 0.01 * np.linalg.norm(expected)
    still = project(blob_patch(24.0), 24.0)
    assert np.linalg.norm(still - expected) > 0.1 * np.linalg.norm(expected)


def test_quarter_turns_and_mirrors_are_exact():
    patch = np.random.default_rng(1).normal(size=(25, 25))
    moments = project(patch, 12.0)
    # np.rot90 turns columns towards smaller rows, against our sense.
    np.testing.assert_allclose(z.rotate(moments, -np.pi / 2), project(np.rot90(patch), 12.0), atol=1e-12)
    np.testing.assert_allclose(z.reflect(moments), project(patch[::-1], 12.0), atol=1e-12)
    np.testing.assert_allclose(z.reflect(moments, np.pi / 2), project(patch[:, ::-1], 12.0), atol=1e-12)
    np.testing.assert_allclose(z.reflect(moments, np.pi / 4), project(patch.T, 12.0), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10), st.floats(-7, 7), st.floats(-7, 7), st.integers(0, 99))
def test_algebra_of_moments(order, a, b, seed):
    moments = np.random.default_rng(seed).normal(size=(3, (order + 1) * (order + 2) // 2))
    np.testing.assert_allclose(z.from_complex(z.to_complex(moments)), moments)
    np.testing.assert_allclose(z.rotate(z.rotate(moments, a), b), z.rotate(moments, a + b), atol=1e-12)
    np.testing.assert_allclose(z.reflect(z.reflect(moments, a), a), moments, atol=1e-12)
    np.testing.assert_allclose(z.magnitudes(z.rotate(moments, a)), z.magnitudes(moments), atol=1e-12)
    _, q = z.invariant_pairs(order)
    turned = z.to_complex(moments) * np.exp(1j * q * a)
    np.testing.assert_allclose(z.to_complex(z.rotate(moments, a)), turned, atol=1e-12)


@pytest.mark.parametrize("radius", [8.0, 9.6, 16.0])
@pytest.mark.parametrize("order", [4, 10])
def test_reconstruction_round_trip(radius, order):
    moments = np.random.default_rng(2).normal(size=(2, (order + 1) * (order + 2) // 2))
    patches = z.reconstruct(moments, radius)
    back = np.einsum("jyx,nyx->nj", z.basis(radius, order), patches)
    np.testing.assert_allclose(back, moments, atol=1e-9)


def test_reconstruction_of_a_constant_is_constant_up_to_the_rim():
    moments = np.zeros(66)
    moments[0] = 3.0
    patch = z.reconstruct(moments, 10.0, (24, 25))
    assert patch.shape == (24, 25)
    np.testing.assert_allclose(patch[patch != 0], 3.0, atol=1e-9)
    assert patch[0, 0] == 0


def test_reconstruction_of_a_polynomial_is_that_polynomial():
    y, x = np.mgrid[-16:17, -16:17] / 16
    patch = 1 + 0.5 * x - 0.3 * y**2 + 0.8 * x * y**2
    back = z.reconstruct(project(patch, 16.0), 16.0)
    inside = np.hypot(y, x) < 0.9
    assert np.std((back - patch)[inside]) < 0.02 * np.std(patch[inside])


def test_order_that_a_radius_supports():
    assert z.supported_order(8.0) == 10
    assert z.supported_order(7.9) == 9
    for radius in (8.0, 12.0):
        order = z.supported_order(radius)
        weights = z.basis(radius, min(order, 10)).reshape(-1, (2 * int(radius) + 1) ** 2)
        assert np.linalg.cond(weights @ weights.T) < 15


def test_dtypes_and_read_only():
    moments = np.ones((2, 66), dtype=np.float32)
    assert z.magnitudes(moments).dtype == np.float32
    assert z.rotate(moments, [0.1, 0.2]).dtype == np.float32
    assert z.reflect(moments.astype(">f8")).dtype == np.float64
    assert not z.basis(8.0).flags.writeable
    moments.flags.writeable = False
    z.magnitudes(moments)
    assert (moments == 1).all()


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: z.basis(-1.0), ValueError, "`radius`"),
        (lambda: z.basis(np.nan), ValueError, "`radius`"),
        (lambda: z.basis("8"), TypeError, "`radius`"),
        (lambda: z.basis(8.0, shift=(0.6, 0)), ValueError, "`shift`"),
        (lambda: z.basis(8.0, shift=(np.nan, 0)), ValueError, "`shift`"),
        (lambda: z.basis(8.0, order=17), ValueError, "`order`"),
        (lambda: z.index_pairs(2.5), TypeError, "`order`"),
        (lambda: z.index_pairs(True), TypeError, "`order`"),
        (lambda: z.magnitudes(np.ones(5)), ValueError, "`moments`"),
        (lambda: z.magnitudes(3.0), ValueError, "`moments`"),
        (lambda: z.from_complex(np.ones(5)), ValueError, "`amplitudes`"),
        (lambda: z.reconstruct(np.ones(66), 8.0, (0, 4)), ValueError, "`shape`"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()
