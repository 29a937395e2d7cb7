import numpy as np
import pytest

from atomotif.numerics.scale import lattice_scale


def hexagonal(size: tuple[int, int], spacing: float, angle: float = 0.1) -> np.ndarray:
    row, col = np.mgrid[: size[0], : size[1]]
    image = np.zeros(size)
    for turn in angle + np.pi / 3 * np.arange(3):
        phase = (np.cos(turn) * row + np.sin(turn) * col) * 2 * np.pi / (spacing * np.sqrt(3) / 2)
        image += np.cos(phase)
    return np.exp(image / 1.5)


@pytest.mark.parametrize("spacing", [6.0, 12.5, 30.0])
@pytest.mark.parametrize("size", [(256, 256), (200, 333)])
def test_scale_follows_the_spacing(spacing: float, size: tuple[int, int]) -> None:
    assert 0.5 * spacing < lattice_scale(hexagonal(size, spacing)) < 0.85 * spacing


def test_scale_is_that_of_the_magnified_image() -> None:
    small, large = (lattice_scale(hexagonal((320, 320), spacing)) for spacing in (12.0, 18.0))
    assert large / small == pytest.approx(1.5, rel=0.03)


def test_noise_tilt_units_and_rotation_hardly_change_it() -> None:
    image = hexagonal((256, 256), 14.0)
    expected = lattice_scale(image)
    rng = np.random.default_rng(0)
    row, col = np.mgrid[:256, :256]
    assert lattice_scale(image + rng.normal(0, 2 * image.std(), image.shape)) == pytest.approx(
        expected, rel=0.1
    )
    assert lattice_scale(image + 0.05 * row - 0.1 * col) == pytest.approx(expected, rel=0.1)
    assert lattice_scale(1000 - 3 * image) == pytest.approx(expected, rel=1e-3)
    assert lattice_scale(np.rot90(image)) == pytest.approx(expected, rel=1e-6)


def test_large_images_are_judged_by_tiles() -> None:
    image = hexagonal((1300, 2100), 20.0).astype(np.float32)
    assert lattice_scale(image) == pytest.approx(lattice_scale(image[:600, :600]), rel=0.03)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [(8, 8), (32, 64), (256, 256)])
def test_nothing_has_no_scale(seed: int, size: tuple[int, int]) -> None:
    assert lattice_scale(np.random.default_rng(seed).normal(size=size)) is None
    assert lattice_scale(np.full(size, 2.5)) is None
