"""The measured lattice: exact on synthetic crystals, refused where there is none."""

import json
from pathlib import Path

import numpy as np
import pytest

from atomotif.numerics.calibration import measure_lattice


def crystal(
    a: np.ndarray, b: np.ndarray, basis: list[tuple[float, float, float]], shape: tuple[int, int] = (200, 230)
) -> np.ndarray:
    """Gaussian columns at i a + j b + u a + v b with brightness, from (u, v, brightness)."""
    rows, cols = np.mgrid[: shape[0], : shape[1]].astype(float)
    inverse = np.linalg.inv(np.array([a, b]))
    reciprocal = [np.array([h, k]) @ inverse.T for h in range(-6, 7) for k in range(-6, 7)]
    image = np.zeros(shape)
    width = 0.16 * min(np.hypot(*a), np.hypot(*b))
    for (h, k), g in zip([(h, k) for h in range(-6, 7) for k in range(-6, 7)], reciprocal):
        factor = sum(bright * np.exp(-2j * np.pi * (h * u + k * v)) for u, v, bright in basis) * np.exp(
            -2 * (np.pi * width) ** 2 * (g @ g)
        )
        image += (factor * np.exp(2j * np.pi * (g[0] * rows + g[1] * cols))).real
    return image


def turned(length: float, degrees: float) -> np.ndarray:
    return length * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


CASES = {
    "hexagonal, one column": ("hexagonal", 60, 1.0, [(0, 0, 1)]),
    "honeycomb, equal columns": ("hexagonal", 60, 1.0, [(0, 0, 1), (1 / 3, 1 / 3, 1)]),
    "honeycomb, unequal columns": ("hexagonal", 60, 1.0, [(0, 0, 1), (1 / 3, 1 / 3, 0.3)]),
    "square, one column": ("square", 90, 1.0, [(0, 0, 1)]),
    "square, centred by a dimmer column": ("square", 90, 1.0, [(0, 0, 1), (0.5, 0.5, 0.4)]),
    "oblique": ("oblique", 75, 1.3, [(0, 0, 1)]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("constant", [9.3, 17.21, 31.4])
def test_known_lattices_within_a_thousandth(case: str, constant: float) -> None:
    kind, angle, ratio, basis = CASES[case]
    image = crystal(turned(constant, 11), turned(constant * ratio, 11 + angle), basis)
    measured = measure_lattice(image)
    assert measured.kind == kind
    assert measured.constant == pytest.approx(constant, rel=1e-3)
    assert measured.self_match > 0.9


@pytest.mark.parametrize("degrees", [0, 7, 30, 45, 88])
def test_at_any_angle_and_affine_intensity(degrees: float) -> None:
    image = crystal(turned(15, degrees), turned(15, degrees + 60), [(0, 0, 1), (1 / 3, 1 / 3, 0.4)])
    for changed in (image, -7 * image + 1e4, image.astype(np.float32).T):
        assert measure_lattice(changed).constant == pytest.approx(15, rel=1e-3)


def test_with_noise_ramp_and_defects() -> None:
    rng = np.random.default_rng(2)
    image = crystal(turned(14.2, 5), turned(14.2, 65), [(0, 0, 1), (1 / 3, 1 / 3, 0.4)])
    image += rng.normal(0, 1.5 * image.std(), image.shape)
    image += np.linspace(0, 10 * image.std(), image.shape[0])[:, None]
    image[40:70, 60:100] = image.min()
    assert measure_lattice(image).constant == pytest.approx(14.2, rel=5e-3)


def test_shear_of_the_scan_averages_out() -> None:
    shear = np.array([[1, 0.02], [0, 1]])
    image = crystal(turned(16, 5) @ shear, turned(16, 65) @ shear, [(0, 0, 1)])
    measured = measure_lattice(image)
    assert measured.kind == "hexagonal"
    assert measured.constant == pytest.approx(16, rel=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_lattice(seed: int) -> None:
    image = np.random.default_rng(seed).normal(size=(180, 200))
    with pytest.raises(ValueError, match="`image` must show a lattice"):
        measure_lattice(image)


@pytest.mark.parametrize("kind", ["constant", "stripes", "slanted stripes", "ramp"])
def test_no_lattice_in(kind: str) -> None:
    rows, cols = np.mgrid[:128, :128]
    image = {
        "constant": np.ones((128, 128)),
        "stripes": np.cos(rows / 2.0),
        "slanted stripes": np.cos(rows / 2.0 + cols / 3.0),
        "ramp": rows + 2.0 * cols,
    }[kind]
    with pytest.raises(ValueError, match="`image` must show a lattice"):
        measure_lattice(image)


@pytest.mark.parametrize("name", ["mose2_vse", "ws2_fe_te", "graphene_si"])
@pytest.mark.parametrize("variant", ["dose_low", "background"])
def test_simulated_micrographs(shared: Path, name: str, variant: str) -> None:
    with np.load(shared / f"bench/{name}__{variant}.npz") as truth:
        image, pixel_size = truth["image"], float(truth["pixel_size_nm"])
        constant = json.loads(str(truth["meta_json"]))["lattice"]["a_A"] / 10
    assert measure_lattice(image).constant * pixel_size == pytest.approx(constant, rel=1e-3)
