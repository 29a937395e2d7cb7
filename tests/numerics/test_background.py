from pathlib import Path

import numpy as np
import pytest

from atomotif.numerics.background import (
    flatten,
    has_scan_lines,
    local_gain,
    scan_line_offsets,
    smooth_background,
)


def lattice(shape: tuple[int, int] = (256, 256), spacing: float = 16.0, angle: float = 0.2) -> np.ndarray:
    """Gaussian columns on a square lattice."""
    row, col = np.mgrid[: shape[0], : shape[1]]
    u = (np.cos(angle) * row + np.sin(angle) * col) / spacing
    v = (-np.sin(angle) * row + np.cos(angle) * col) / spacing
    distance = np.hypot(u - np.rint(u), v - np.rint(v)) * spacing
    return np.exp(-(distance**2) / (2 * (0.2 * spacing) ** 2))


def contrast(image: np.ndarray, reference: np.ndarray) -> float:
    """Share of the reference's contrast that is left, away from the edges."""
    inner = (slice(40, -40), slice(40, -40))
    centred = reference[inner] - reference[inner].mean()
    return float((image[inner] * centred).sum() / (centred**2).sum())


@pytest.mark.parametrize("method", ["auto", "plane", "scan_lines", "smooth"])
@pytest.mark.parametrize("angle", [0.0, 0.2])
@pytest.mark.parametrize("scale", [None, 16.0])
def test_lattice_contrast_is_kept(method: str, angle: float, scale: float | None) -> None:
    clean = lattice(angle=angle)
    flat = flatten(clean, method, scale)
    assert flat.dtype == np.float32
    assert contrast(flat, clean) == pytest.approx(1, abs=0.03)
    assert flat.mean() == pytest.approx(clean.mean(), abs=1e-4)


@pytest.mark.parametrize("method", ["auto", "plane", "scan_lines", "smooth"])
def test_a_plane_is_removed(method: str) -> None:
    clean = lattice()
    row, col = np.mgrid[:256, :256]
    flat = flatten(clean + 0.05 * row - 0.02 * col, method)
    blocks = flat.reshape(4, 64, 4, 64).mean(axis=(1, 3))
    assert np.ptp(blocks) < 0.05
    assert contrast(flat, clean) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("angle", [0.0, 0.2])
def test_scan_lines_are_noticed_and_removed(angle: float) -> None:
    clean = lattice(angle=angle)
    lines = np.random.default_rng(2).normal(0, 0.3, (256, 1))
    assert has_scan_lines(clean + lines)
    assert not has_scan_lines(clean)
    assert not has_scan_lines((clean + lines).T)
    flat = flatten(clean + lines, "auto")
    left = flat - flatten(clean, "auto")
    assert left.mean(axis=1).std() < 0.25 * lines.std()
    np.testing.assert_allclose(left - left.mean(axis=1, keepdims=True), 0, atol=0.02)
    assert scan_line_offsets(clean + lines).mean() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("scale", [None, 16.0])
def test_slow_blobs_are_removed(scale: float | None) -> None:
    clean = lattice((320, 320))
    row, col = np.mgrid[:320, :320]
    blob = 3 * np.exp(-((row - 120) ** 2 + (col - 200) ** 2) / (2 * 110**2))
    flat = flatten(clean + blob, scale=scale)
    left = (flat - flatten(clean, scale=scale)).astype(float)
    assert left[60:-60, 60:-60].std() < 0.3 * blob[60:-60, 60:-60].std()


def test_one_vacancy_hardly_changes_its_background() -> None:
    clean = lattice(angle=0.0)
    row, col = np.mgrid[:256, :256]
    column = np.exp(-((row - 128) ** 2 + (col - 128) ** 2) / (2 * 3.2**2))
    change = smooth_background(clean, 16.0) - smooth_background(clean - column, 16.0)
    assert change.max() < 0.02 * column.max()


def test_affine_change_passes_through() -> None:
    image = np.random.default_rng(0).normal(lattice(), 0.1)
    np.testing.assert_allclose(flatten(3 * image + 10), 3 * flatten(image) + 10, atol=2e-4)


def test_none_is_a_copy() -> None:
    image = lattice().astype(np.float32)
    flat = flatten(image, "none")
    np.testing.assert_array_equal(flat, image)
    assert not np.shares_memory(flat, image)


@pytest.mark.parametrize("method", ["auto", "plane", "scan_lines", "smooth"])
def test_constant_image_stays_constant(method: str) -> None:
    np.testing.assert_allclose(flatten(np.full((40, 24), 5, np.int16), method), 5, atol=1e-5)


def test_gain_follows_the_field_and_not_a_vacancy() -> None:
    clean = lattice((512, 512), angle=0.0)
    gain = np.tile(np.linspace(1, 2, 512), (512, 1))
    found = local_gain((clean - clean.mean()) * gain, 16.0)
    expected = gain / np.median(gain)
    np.testing.assert_allclose(found[100:-100, 100:-100], expected[100:-100, 100:-100], rtol=0.08)
    row, col = np.mgrid[:512, :512]
    hole = clean - np.exp(-((row - 256) ** 2 + (col - 256) ** 2) / (2 * 3.2**2))
    assert np.abs(local_gain(hole, 16.0) / local_gain(clean, 16.0) - 1).max() < 0.01
    assert (local_gain(np.ones((32, 32)), 4.0) == 1).all()


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="`method` must be one of"):
        flatten(lattice(), "median")
    with pytest.raises(ValueError, match="`scale` must be positive"):
        flatten(lattice(), scale=0)
    with pytest.raises(ValueError, match="`cells` must be at least 4"):
        local_gain(lattice(), 16.0, cells=1)


def test_stm_topograph_becomes_level(shared: Path) -> None:
    image = np.load(shared / "data" / "si111_7x7_stm" / "image.npy")
    flat = flatten(image)
    # Medians of quarters: the tilt and the bright island no longer dominate the lattice's own contrast.
    quarters = [np.median(part) for half in np.split(flat, 2) for part in np.split(half, 2, axis=1)]
    assert np.ptp(quarters) < 0.25 * flat.std()
    raw = [np.median(part) for half in np.split(image, 2) for part in np.split(half, 2, axis=1)]
    assert np.ptp(raw) > 1.0 * flat.std()
