"""Scores from moments, against patches that are turned and mirrored as functions of the plane."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.moments import moment_covariance, zernike_moments
from atomotif.numerics.symmetry import angular_power, mirror_score, orientation, rotation_score
from atomotif.numerics.zernike import functions, reconstruct, reflect, rotate

RADIUS, SIZE = 16.0, 41
Q = np.array([q for p in range(11) for q in range(-p, p + 1, 2)])
RANDOM = np.random.default_rng(0).normal(size=(300, 66))


def ring(n: int, angle: float, radius: float = 12.0, width: float = 3.0, centre: float = 1.0) -> np.ndarray:
    """A column in the middle of `n` columns, the first of them in the direction `angle`."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    image = centre * np.exp(-(x**2 + y**2) / (2 * width**2))
    for k in range(n):
        t = angle + 2 * np.pi * k / n
        distance = (x - radius * np.cos(t)) ** 2 + (y - radius * np.sin(t)) ** 2
        image = image + np.exp(-distance / (2 * width**2))
    return image


def moments_of(image: np.ndarray) -> np.ndarray:
    middle = [[image.shape[0] // 2, image.shape[1] // 2]]
    return zernike_moments(image, middle, RADIUS)[0].astype(float)


def off(a: np.ndarray, b: np.ndarray, period: float) -> np.ndarray:
    return np.abs((a - b + period / 2) % period - period / 2)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_rings_of_columns_have_their_own_fold(n: int) -> None:
    for angle in np.random.default_rng(n).uniform(0, 2 * np.pi, 5):
        moments = moments_of(ring(n, angle))
        for fold in range(2, 8):
            score = rotation_score(moments, fold)
            if n % fold == 0:
                assert score > 0.99
            else:
                assert score < 0.2
        assert mirror_score(moments)[0] > 0.99
        found, strength = orientation(moments, n)
        assert off(found, angle, 2 * np.pi / n) < np.deg2rad(0.5)
        assert strength > 0.7


def test_score_is_the_overlap_with_turned_patches() -> None:
    rng = np.random.default_rng(1)
    y, x = (rng.uniform(-1, 1, (2, 500)) * 0.70710).reshape(2, -1)
    for row in RANDOM[:3]:
        own = np.where(Q == 0, 0, row)
        for n in (2, 3, 5):
            turned = []
            for k in range(1, n):
                # The patch turned by t takes at a place what it had at that place turned back.
                t = 2 * np.pi * k / n
                back = functions(y * np.cos(t) - x * np.sin(t), x * np.cos(t) + y * np.sin(t))
                turned.append(project(own @ back, y, x))
            overlap = np.mean([own @ other for other in turned]) / (own @ own)
            assert rotation_score(row, n) == pytest.approx(overlap, abs=1e-6)


def project(values: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Coefficients of a sum of Zernike functions from its values at places, by least squares."""
    return np.linalg.lstsq(functions(y, x).T, values, rcond=None)[0]


def test_mirror_is_the_best_of_all_lines() -> None:
    score, angle = mirror_score(RANDOM)
    lines = np.linspace(0, np.pi, 1500, endpoint=False)
    rest = RANDOM[:, Q != 0]
    overlaps = np.array([(rest * reflect(RANDOM, t)[:, Q != 0]).sum(1) for t in lines]) / (rest**2).sum(1)
    assert (score >= overlaps.max(0) - 1e-9).all()
    np.testing.assert_allclose(score, overlaps.max(0), atol=1e-4)
    assert np.median(off(angle, lines[overlaps.argmax(0)], np.pi)) < 2e-3


@pytest.mark.parametrize("n_fold", [1, 3])
def test_mirrored_random_patches_are_found_symmetric(n_fold: int) -> None:
    rng = np.random.default_rng(2)
    line = rng.uniform(0, np.pi, len(RANDOM))
    patches = np.where(Q % n_fold == 0, RANDOM, 0)
    score, angle = mirror_score(patches + reflect(patches, line))
    np.testing.assert_allclose(score, 1, atol=1e-9)
    assert off(angle, line, np.pi / n_fold).max() < 1e-5


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), turn=st.floats(-7, 7), scale=st.floats(1e-3, 1e3), fold=st.integers(2, 10))
def test_scores_are_invariant_and_angles_turn_along(seed: int, turn: float, scale: float, fold: int) -> None:
    moments = np.random.default_rng(seed).normal(size=66)
    other = scale * rotate(moments, turn)
    other[0] += 100 * scale  # a constant added to the image
    for n in (2, 3, 4, 5, 6, 7):
        assert rotation_score(other, n) == pytest.approx(rotation_score(moments, n), abs=1e-9)
        assert rotation_score(reflect(other), n) == pytest.approx(rotation_score(moments, n), abs=1e-9)
    (score, angle), (score2, angle2) = mirror_score(moments), mirror_score(other)
    assert score2 == pytest.approx(score, abs=1e-6)
    at_line = reflect(other, float(angle2))
    at_turned_line = reflect(other, float(angle) + turn)
    rest = Q != 0
    assert other[rest] @ at_line[rest] == pytest.approx(other[rest] @ at_turned_line[rest], rel=1e-6)
    (angle, strength), (angle2, strength2) = orientation(moments, fold), orientation(other, fold)
    assert off(angle2, angle + turn, 2 * np.pi / fold) < 1e-6 / strength
    assert strength2 == pytest.approx(strength, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), line=st.floats(-4, 4))
def test_mirror_line_turns_along(seed: int, line: float) -> None:
    moments = np.random.default_rng(seed).normal(size=66)
    _, angle = mirror_score(moments + reflect(moments, line))
    assert off(angle, line, np.pi) < 1e-5


def test_angles_stay_in_their_range() -> None:
    for fold in range(1, 11):
        angle, strength = orientation(RANDOM, fold)
        assert ((angle >= 0) & (angle < 2 * np.pi / fold)).all()
        assert ((strength >= 0) & (strength <= 1)).all()
    angle = mirror_score(RANDOM.astype(np.float32))[1]
    assert angle.dtype == np.float32
    assert ((angle >= 0) & (angle < np.float32(np.pi))).all()


def test_noise_favours_no_fold() -> None:
    for n, mean in zip((2, 3, 4, 5, 6), (0.0, -0.10, -0.07, -0.08, -0.08)):
        many = np.random.default_rng(n).normal(size=(4000, 66))
        assert rotation_score(many, n).mean() == pytest.approx(mean, abs=0.01)
    score, _ = mirror_score(many)
    assert score.mean() == pytest.approx(0.37, abs=0.02)
    assert np.mean(score < 0.59) == pytest.approx(0.99, abs=0.01)


@pytest.mark.parametrize("n", [3, 4])
def test_noise_is_taken_off(n: int) -> None:
    clean = ring(n, 0.3)
    variance = 0.3
    covariance = moment_covariance(np.full(clean.shape, variance), [[20, 20]], RADIUS)
    rng = np.random.default_rng(0)
    noisy = np.array([moments_of(clean + rng.normal(0, variance**0.5, clean.shape)) for _ in range(200)])
    true = rotation_score(moments_of(clean), n)
    assert rotation_score(noisy, n).mean() < true - 0.05
    assert rotation_score(noisy, n, noise=covariance).mean() == pytest.approx(true, abs=0.04)
    power = angular_power(noisy, noise=covariance).mean(0)
    np.testing.assert_allclose(power, angular_power(moments_of(clean)), atol=2e-3)
    alone = np.array([moments_of(rng.normal(0, variance**0.5, clean.shape)) for _ in range(200)])
    assert rotation_score(alone, n).mean() < -0.05
    assert rotation_score(alone, n, noise=covariance).mean() == pytest.approx(0, abs=0.04)
    assert mirror_score(alone, noise=covariance)[0].mean() < 0.4


def test_round_and_flat_patches_have_no_fold() -> None:
    for image in (ring(0, 0.0), np.full((SIZE, SIZE), 7.0), np.zeros((SIZE, SIZE))):
        moments = moments_of(image)
        for n in (2, 3, 4, 5, 6):
            assert abs(rotation_score(moments, n)) < 0.01
        assert mirror_score(moments)[0] < 0.01
        assert orientation(moments, 4)[1] < 0.1


def test_a_column_in_the_middle_changes_no_score() -> None:
    without, with_it = moments_of(ring(5, 0.4, centre=0.0)), moments_of(ring(5, 0.4, centre=5.0))
    for n in (2, 3, 5):
        assert rotation_score(with_it, n) == pytest.approx(rotation_score(without, n), abs=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_leading_axes_and_order(dtype: type) -> None:
    moments = RANDOM[:24, :28].astype(dtype).reshape(2, 3, 4, 28)
    score = rotation_score(moments, 3)
    mirror, angle = mirror_score(moments)
    for values in (score, mirror, angle, *orientation(moments, 6)):
        assert values.shape == (2, 3, 4)
        assert values.dtype == dtype
    assert score[1, 2, 3] == rotation_score(moments[1, 2, 3], 3)
    assert angular_power(moments).shape == (2, 3, 4, 7)
    np.testing.assert_allclose(angular_power(moments).sum(-1), (moments**2).sum(-1), rtol=1e-5)
    empty = rotation_score(np.zeros((0, 66)), 2)
    assert empty.shape == (0,)
    assert mirror_score(np.zeros((0, 66)))[0].shape == (0,)


def test_reconstructed_patches_keep_their_scores() -> None:
    moments = RANDOM[0] / (1 + np.abs(Q))
    image = reconstruct(moments, RADIUS, (SIZE, SIZE))
    assert rotation_score(moments_of(image), 3) == pytest.approx(rotation_score(moments, 3), abs=1e-3)


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="`n` must be from 2 to the order of the moments, 10, got 11"):
        rotation_score(RANDOM, 11)
    with pytest.raises(ValueError, match="`n` must be from 2"):
        rotation_score(RANDOM, 1)
    with pytest.raises(TypeError, match=r"`n` must be an integer, got 2\.0"):
        rotation_score(RANDOM, 2.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`fold` must be from 1"):
        orientation(RANDOM, 0)
    with pytest.raises(ValueError, match=r"`noise` must be the covariance of 66 moments, got shape \(66,\)"):
        mirror_score(RANDOM, noise=np.ones(66))
    with pytest.raises(ValueError, match="`moments` must have"):
        rotation_score(np.zeros(65), 2)
