"""Fields of displacement: their gradients are the strains that were asked for."""

from typing import Any

import numpy as np
import pytest

from atomotif.datasets.simulate import monolayer, ripple, strain_ramp, uniform_strain


def gradient(field: Any, at: np.ndarray) -> np.ndarray:
    """d u_i / d x_j at one place by differences."""
    steps = np.eye(2) * 1e-5
    columns = [(field((at + s)[None]) - field((at - s)[None]))[0] / 2e-5 for s in steps]
    return np.column_stack(columns)


def test_uniform_strain_is_strain_and_rotation() -> None:
    found = uniform_strain(yy=0.01, xx=-0.02, xy=0.003, rotation=0.005)
    np.testing.assert_allclose((found + found.T) / 2, [[0.01, 0.003], [0.003, -0.02]])
    x_axis = np.array([0.0, 1.0])
    assert (found @ x_axis)[0] == pytest.approx(0.003 + 0.005), "a rotation turns x towards y, which is down"


@pytest.mark.parametrize("angle", [0.0, 40.0, 90.0])
def test_ripples_are_waves_along_their_direction(angle: float) -> None:
    e = np.array([np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
    n = np.array([e[1], -e[0]])
    for at in np.random.default_rng(0).uniform(-5, 5, (6, 2)):
        slope = 0.02 * 2 * np.pi / 3 * np.cos(2 * np.pi / 3 * (at @ e))
        np.testing.assert_allclose(gradient(ripple(0.02, 3.0, angle), at), slope * np.outer(e, e), atol=1e-8)
        shear = gradient(ripple(0.02, 3.0, angle, transverse=True), at)
        np.testing.assert_allclose(shear, slope * np.outer(n, e), atol=1e-8)


def test_a_ramp_is_a_strain_that_grows() -> None:
    e = np.array([0.6, 0.8])
    field = strain_ramp(0.004, np.rad2deg(np.arctan2(0.6, 0.8)), (1.0, 2.0))
    for at in np.random.default_rng(0).uniform(-5, 5, (6, 2)):
        wanted = 0.004 * ((at - [1.0, 2.0]) @ e) * np.outer(e, e)
        np.testing.assert_allclose(gradient(field, at), wanted, atol=1e-9)


def test_the_lattice_is_stretched_as_asked() -> None:
    strain = uniform_strain(xx=0.05, yy=-0.03, xy=0.01, rotation=0.02)
    sample = monolayer("MoS2", (300, 300), displacement=strain)
    metal = (sample["basis"] == 0).values
    index = sample["cell"].values[metal]
    at = np.column_stack([sample["row"], sample["col"]])[metal] * 0.012
    design = np.column_stack([index, np.ones(len(index))])
    fitted = np.linalg.lstsq(design, at, rcond=None)[0][:2]
    np.testing.assert_allclose(fitted, sample["lattice_vector"].values @ (np.eye(2) + strain).T, atol=1e-9)


def test_the_wavelength_must_be_positive() -> None:
    with pytest.raises(ValueError, match="`wavelength` must"):
        ripple(0.1, 0.0)
