"""Derivatives of the moments of patches, against patches that were drawn distorted."""

import numpy as np
import pytest

from atomotif.numerics.distortions import moment_derivatives
from atomotif.numerics.moments import zernike_moments

RNG = np.random.default_rng(0)
ATOMS = RNG.uniform(-5, 95, (60, 2))
POINTS = np.array([[30.0, 31.25], [52.5, 44.0], [61.0, 60.5]])
MIDDLE = np.array([45.5, 45.875])


def draw(gradient: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Columns as they are seen once the scan is distorted about the middle of the points."""
    matrix = np.linalg.inv(np.eye(2) + gradient)
    row, col = np.mgrid[:92, :90]
    at = (np.stack([row, col], -1) - MIDDLE) @ matrix.T + MIDDLE + shift
    away = at[:, :, None] - ATOMS
    return np.exp(-np.sum(away**2, -1) / (2 * 3.0**2)).sum(-1)


@pytest.mark.parametrize("parameter", range(6))
def test_derivatives_are_those_of_drawn_distortions(parameter: int) -> None:
    found = moment_derivatives(draw(np.zeros((2, 2)), np.zeros(2)), POINTS, 10.0)[:, parameter]
    amount = 0.005 if parameter > 1 else 0.1
    change = np.zeros(6)
    change[parameter] = amount
    gradient = change[2:].reshape(2, 2)
    sides = []
    for sign in (1, -1):
        # Displaced by a multiple of 1/16 px, to which centres of patches are rounded.
        at = (POINTS - MIDDLE) @ (np.eye(2) + sign * gradient).T + MIDDLE
        nearest = np.round(at * 16) / 16
        image = draw(sign * gradient, sign * change[:2])
        tuned = [
            np.array([zernike_moments(image, nearest + np.array(step) / 16, 10.0) for step in steps])
            for steps in [((0, 0),), ((1, 0), (-1, 0)), ((0, 1), (0, -1))]
        ]
        slope_y, slope_x = (tuned[k][0] - tuned[k][1] for k in (1, 2))
        rest = 8 * (at - nearest)
        sides.append(tuned[0][0] + rest[:, :1] * slope_y + rest[:, 1:] * slope_x)
    expected = (sides[0] - sides[1]) / (2 * amount)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, atol=0.08 * scale)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.995


def test_edges_none_and_threads() -> None:
    image = draw(np.zeros((2, 2)), np.zeros(2))
    assert moment_derivatives(image, np.empty((0, 2)), 10.0).shape == (0, 6, 66)
    assert np.isfinite(moment_derivatives(image, [[0.0, 0.0], [91.0, 89.0]], 10.0)).all()
    one, two = (moment_derivatives(image, POINTS, 10.0, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert not moment_derivatives(np.full((40, 40), 3.0), [[20.0, 20.0]], 10.0).round(3).any()
