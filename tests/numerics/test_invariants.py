import numpy as np
import pytest

from atomotif.numerics.invariants import debiased_invariants

PAIRS = [(p, q) for p in range(11) for q in range(-p, p + 1, 2)]
KEPT = [(p, q) for p in range(11) for q in range(p % 2, p + 1, 2)]


def turned(moments, angle):
    result = moments.copy()
    for p, q in KEPT:
        if q:
            a, b = PAIRS.index((p, q)), PAIRS.index((p, -q))
            c, s = np.cos(q * angle), np.sin(q * angle)
            result[:, a] = c * moments[:, a] - s * moments[:, b]
            result[:, b] = s * moments[:, a] + c * moments[:, b]
    return result


def test_values_and_order():
    moments = np.random.default_rng(0).normal(size=(7, 66))
    got, covariance = debiased_invariants(moments, np.zeros((66, 66)))
    assert got.shape == (7, 36)
    assert covariance.shape == (36, 36)
    for column, (p, q) in enumerate(KEPT):
        cosine, sine = moments[:, PAIRS.index((p, q))], moments[:, PAIRS.index((p, -q))]
        assert np.allclose(got[:, column], cosine if q == 0 else np.hypot(cosine, sine))


@pytest.mark.parametrize("angle", [0.3, 2.0, -1.1])
def test_rotation_changes_nothing(angle):
    moments = np.random.default_rng(1).normal(size=(5, 66))
    noise = 0.04 * np.eye(66)
    assert np.allclose(
        debiased_invariants(turned(moments, angle), noise)[0], debiased_invariants(moments, noise)[0]
    )


def test_mean_is_that_without_noise():
    rng = np.random.default_rng(2)
    moments = rng.normal(scale=3.0, size=66)
    truth, _ = debiased_invariants(moments[None], np.zeros((66, 66)))
    strong = truth[0] > 3.0
    noisy = moments + 0.6 * rng.normal(size=(20000, 66))
    plain, _ = debiased_invariants(noisy, np.zeros((66, 66)))
    got, covariance = debiased_invariants(noisy, 0.36 * np.eye(66))
    assert strong.sum() > 10
    bias = np.abs(got.mean(0) - truth[0])[strong]
    magnitudes = [k for k, (_, q) in enumerate(KEPT) if q and strong[k]]
    assert bias.max() < 0.02
    assert np.all((plain.mean(0) - truth[0])[magnitudes] > 0.015)
    assert np.allclose(got.var(0)[strong], covariance.diagonal()[strong], rtol=0.1)


def test_covariance_keeps_that_of_symmetric_moments():
    root = np.random.default_rng(3).normal(size=(66, 66))
    noise = root @ root.T
    _, covariance = debiased_invariants(np.zeros((1, 66)), noise)
    for a, (p, q) in enumerate(KEPT):
        for b, (r, s) in enumerate(KEPT):
            i, j = PAIRS.index((p, q)), PAIRS.index((r, s))
            if q == 0 and s == 0:
                assert covariance[a, b] == noise[i, j]
            elif a == b:
                k = PAIRS.index((p, -q))
                assert covariance[a, b] == pytest.approx(0.5 * (noise[i, i] + noise[k, k]))
            else:
                assert covariance[a, b] == 0.0


def test_weak_magnitudes_are_zero_not_nan():
    got, _ = debiased_invariants(np.full((2, 3), 0.1, np.float32), np.eye(3))
    assert np.allclose(got, [[0.1, 0.0]] * 2)


@pytest.mark.parametrize(
    ("moments", "noise", "name"),
    [
        (np.zeros((3, 65)), np.eye(65), "moments"),
        (np.zeros(66), np.eye(66), "moments"),
        (np.zeros((3, 66)), np.eye(36), "noise_covariance"),
    ],
)
def test_refuses_wrong_shapes(moments, noise, name):
    with pytest.raises(ValueError, match=f"`{name}` must have"):
        debiased_invariants(moments, noise)
