import numpy as np
import pytest

from atomotif.numerics.denoise import patch_svd, radial_low_pass, surviving_contrast


def lattice(shape: tuple[int, int], spacing: float = 14.0) -> tuple[np.ndarray, np.ndarray]:
    row, col = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(
        (row + spacing / 2) % spacing - spacing / 2, (col + spacing / 2) % spacing - spacing / 2
    )
    grid = [np.arange(0, n, spacing) for n in shape]
    return np.exp(-(distance**2) / 18), np.stack(np.meshgrid(*grid, indexing="ij"), -1).reshape(-1, 2)


def test_low_pass_keeps_low_and_drops_high_frequencies() -> None:
    row = np.arange(240)[:, None] + np.zeros(200)
    cut_off = np.sqrt(0.1 / np.pi)
    slow, fast = (np.cos(2 * np.pi * k * cut_off * row) for k in (0.8, 1.25))
    inner = (slice(40, -40), slice(40, -40))
    np.testing.assert_allclose(radial_low_pass(slow + fast)[inner], slow[inner], atol=0.02)
    everything = np.random.default_rng(0).normal(size=(64, 80)).astype(np.float32)
    share = np.var(radial_low_pass(everything, 0.1)) / np.var(everything)
    assert share == pytest.approx(0.1, rel=0.2)


def test_low_pass_is_radial_and_not_by_strength() -> None:
    clean, points = lattice((196, 196))
    clean[84 - 7 : 84 + 7, 98 - 7 : 98 + 7] -= clean[84 - 7 : 84 + 7, 98 - 7 : 98 + 7]  # a vacancy
    assert surviving_contrast(clean, radial_low_pass, points) > 0.95
    np.testing.assert_allclose(radial_low_pass(np.rot90(clean)), np.rot90(radial_low_pass(clean)), atol=1e-5)


def test_low_pass_in_tiles_is_seamless() -> None:
    image = np.random.default_rng(1).normal(size=(40, 2100)).astype(np.float32)
    tiled = radial_low_pass(image)
    np.testing.assert_allclose(tiled[:, 900:1200], radial_low_pass(image[:, 700:1400])[:, 200:500], atol=2e-3)


@pytest.mark.parametrize("method", [radial_low_pass, patch_svd])
def test_denoising_reduces_noise_and_follows_units(method: object) -> None:
    assert callable(method)
    clean, _ = lattice((150, 170))
    noisy = clean + np.random.default_rng(2).normal(0, 0.5, clean.shape)
    denoised = method(noisy)
    assert denoised.dtype == np.float32
    assert denoised.shape == clean.shape
    assert np.std(denoised - clean) < 0.5 * np.std(noisy - clean)
    np.testing.assert_allclose(method(5 * noisy - 300), 5 * denoised - 300, atol=5e-3)
    np.testing.assert_allclose(method(np.full((40, 50), 7)), 7, atol=1e-5)


def test_svd_of_full_rank_changes_nothing() -> None:
    image = np.random.default_rng(3).normal(size=(50, 61))
    np.testing.assert_allclose(patch_svd(image, 6, 36), image, atol=1e-4)
    assert np.std(patch_svd(image, 6, 3)) < 0.5 * np.std(image)


def test_svd_does_not_depend_on_the_threads() -> None:
    clean, _ = lattice((300, 200))
    noisy = clean + np.random.default_rng(4).normal(0, 0.5, clean.shape)
    one = patch_svd(noisy, 12, stride=2, n_threads=1)
    np.testing.assert_array_equal(one, patch_svd(noisy, 12, stride=2, n_threads=3))


def test_surviving_contrast_of_known_losses() -> None:
    clean, points = lattice((210, 210))
    assert surviving_contrast(clean, lambda image: image, points) == pytest.approx(1)
    assert surviving_contrast(clean, lambda image: 0.3 * image + 5, points) == pytest.approx(0.3, abs=1e-3)
    assert surviving_contrast(clean, lambda image: clean, points) == pytest.approx(0, abs=1e-6)
    # The perfect crystal alone, one component, fills vacancies in; more components let them live.
    low, high = (surviving_contrast(clean, lambda x, r=r: patch_svd(x, 14, r), points) for r in (4, 60))
    assert low < 0.9 < high


def test_surviving_contrast_takes_the_denoised_image_and_a_seed() -> None:
    clean, points = lattice((210, 210))
    noisy = clean + np.random.default_rng(5).normal(0, 0.2, clean.shape)
    expected = surviving_contrast(noisy, radial_low_pass, points)
    given = surviving_contrast(noisy, radial_low_pass, points, denoised=radial_low_pass(noisy))
    assert given == expected
    assert surviving_contrast(noisy, radial_low_pass, points, random_state=3) == pytest.approx(
        expected, abs=0.1
    )


def test_wrong_arguments_are_named() -> None:
    image, points = lattice((60, 60))
    with pytest.raises(ValueError, match=r"`fraction` must be in \(0, 1\], got 1.5"):
        radial_low_pass(image, 1.5)
    with pytest.raises(ValueError, match="`patch_size` must be a whole number from 2 to 48, got 60"):
        patch_svd(image, 60)
    with pytest.raises(ValueError, match="`rank` must be a whole number from 1 to 64, got 65"):
        patch_svd(image, 8, 65)
    with pytest.raises(ValueError, match="`stride` must be a whole number from 1 to 8, got 0"):
        patch_svd(image, 8, stride=0)
    with pytest.raises(ValueError, match="`points` must lie on columns"):
        surviving_contrast(np.ones((60, 60)), radial_low_pass, points)
