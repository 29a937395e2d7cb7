import numpy as np
import pytest

from atomotif.numerics.noise import NoiseModel, noise_variance


def lattice(size: int = 256, level: float = 50.0, height: float = 200.0) -> np.ndarray:
    row, col = np.mgrid[:size, :size]
    wave = (1 + np.cos(2 * np.pi * row / 18)) * (1 + np.cos(2 * np.pi * col / 18)) / 4
    return level + height * wave


@pytest.mark.parametrize(("gain", "read_out"), [(1.0, 0.0), (2.5, 0.0), (1.0, 12.0), (0.0, 5.0)])
def test_poisson_gaussian_noise_is_recovered(gain: float, read_out: float) -> None:
    rng = np.random.default_rng(3)
    clean = lattice(384)
    image = gain * rng.poisson(clean / gain) if gain else clean.copy()
    image = image + rng.normal(0, read_out, clean.shape)
    expected = gain * clean + read_out**2
    found = noise_variance(image).variance(image)
    inner = (slice(8, -8), slice(8, -8))
    ratio = found[inner] / expected[inner]
    assert found.dtype == np.float32
    assert abs(np.median(ratio) - 1) < 0.1
    assert np.percentile(np.abs(ratio - 1), 90) < 0.25


def test_variance_of_a_constant_image_is_exactly_zero() -> None:
    model = noise_variance(np.full((32, 32), 7.3))
    assert model == NoiseModel(0.0, 0.0, 0.0)
    assert not model.variance(np.full((32, 32), 7.3)).any()


def test_clean_image_has_next_to_no_noise() -> None:
    image = lattice()
    assert noise_variance(image).variance(image).max() < 1e-4 * image.var()


@pytest.mark.parametrize("mean", [0.2, 0.5, 3.0])
def test_few_integer_counts(mean: float) -> None:
    image = np.random.default_rng(0).poisson(mean, (256, 256)).astype(np.uint8)
    found = noise_variance(image).variance(image)
    assert found.mean() == pytest.approx(mean, rel=0.35)
    assert (found > 0).all()


@pytest.mark.parametrize(("factor", "shift"), [(4.0, 0.0), (0.01, 3.0), (2.0, -500.0), (1.0, 30000.0)])
def test_affine_change_of_units(factor: float, shift: float) -> None:
    image = np.random.default_rng(1).poisson(lattice()).astype(float)
    expected = factor**2 * noise_variance(image).variance(image)
    changed = factor * image + shift
    np.testing.assert_allclose(noise_variance(changed).variance(changed), expected, rtol=0.02)


def test_large_image_is_sampled_but_modelled_alike() -> None:
    image = np.random.default_rng(5).normal(10, 2, (1500, 1500)).astype(np.float32)
    assert noise_variance(image).variance(image).mean() == pytest.approx(4, rel=0.02)


def test_saturated_plateaus_do_not_break_the_bins() -> None:
    image = np.where(lattice() > 120, 255, 0).astype(np.uint8)
    found = noise_variance(image).variance(image)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_unusable_input_is_refused() -> None:
    with pytest.raises(ValueError, match="`image` must be finite"):
        noise_variance(np.full((16, 16), np.nan))
    with pytest.raises(ValueError, match="two axes"):
        noise_variance(np.zeros(16))
