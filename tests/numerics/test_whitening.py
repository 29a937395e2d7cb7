import numpy as np
import pytest

from atomotif.numerics.whitening import cluster_means, pooled_whitening, systematic_variance, whitening


def covariance(rng, size):
    root = rng.normal(size=(size, size))
    return root @ root.T + np.eye(size)


def test_noise_becomes_white_and_signal_stays():
    rng = np.random.default_rng(0)
    noise = covariance(rng, 12)
    rows = rng.multivariate_normal(np.zeros(12), noise, 4000)
    group = rng.random(4000) < 0.3
    step = rng.normal(size=12) * 4
    rows[group] += step
    model = whitening(rows, noise)
    components = model.transform(rows)
    inner = components - cluster_means(components, group.astype(int))[group.astype(int)]
    assert model.rank == 2  # one direction of signal, and at least two are kept
    assert np.allclose(inner.T @ inner / 4000, np.eye(2), atol=0.15)  # the second is the largest of ten
    distance = np.linalg.norm(components[group].mean(0) - components[~group].mean(0))
    assert distance == pytest.approx(np.sqrt(step @ np.linalg.solve(noise, step)), rel=0.05)


@pytest.mark.parametrize("n_signals", [3, 6, 30])
def test_rank_is_the_number_of_signals_within_2_and_15(n_signals):
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(1500, 40))
    rows[:, :n_signals] *= 5.0
    assert whitening(rows, np.eye(40)).rank == min(n_signals, 15)


def test_pure_noise_has_the_least_rank():
    assert whitening(np.random.default_rng(2).normal(size=(800, 36)), np.eye(36)).rank == 2
    assert whitening(np.random.default_rng(2).normal(size=(80, 1)), np.eye(1)).rank == 1


def test_scale_of_the_intensity_does_not_matter():
    rng = np.random.default_rng(3)
    rows, noise = rng.normal(size=(300, 9)) * np.arange(1, 10), covariance(rng, 9)
    plain = whitening(rows, noise).transform(rows)
    scaled = whitening(64.0 * rows, 4096.0 * noise).transform(64.0 * rows)
    assert np.allclose(np.abs(plain), np.abs(scaled))


def test_directions_without_noise_do_not_divide_by_zero():
    rows = np.random.default_rng(4).normal(size=(100, 3))
    assert np.isfinite(whitening(rows, np.diag([1.0, 0.0, 0.0])).transform(rows)).all()


def test_systematic_variance_follows_the_strongest_feature_and_not_the_mean():
    rows = np.array([[100.0, 3.0, 1.0], [200.0, -3.0, 1.0]])
    assert systematic_variance(rows, 0.1) == pytest.approx(0.09)
    assert systematic_variance(rows + np.array([50.0, 0.0, 0.0]), 0.1) == pytest.approx(0.09)
    assert systematic_variance(7 * rows, 0.1) == pytest.approx(49 * 0.09)


def test_pooled_whitening_widens_but_never_narrows():
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1, 2], [600, 600, 4])
    centre = np.array([[0.0, 0.0, 0.0], [30.0, 0.0, 5.0], [0.0, 90.0, 0.0]])
    rows = centre[labels] + rng.normal(size=(1204, 3)) * [4.0, 1.0, 0.2]
    rows[-4:] *= [1.0, 1.0, 1000.0]  # too few to count
    scaled = rows @ pooled_whitening(rows, labels)
    inner = scaled[:600] - scaled[:600].mean(0)
    spread = np.sort(np.sqrt(np.linalg.eigvalsh(inner.T @ inner / 600)))
    assert np.allclose(spread, [0.2, 1.0, 1.0], rtol=0.1)


def test_pooled_whitening_counts_clusters_and_not_rows():
    rng = np.random.default_rng(8)
    rows = np.concatenate([rng.normal(size=(20_000, 2)), [90.0, 0.0] + 5.0 * rng.normal(size=(2000, 2))])
    matrix = pooled_whitening(rows, np.repeat([0, 1], [20_000, 2000]))
    assert np.allclose(matrix @ matrix.T, np.eye(2) / 13.0, atol=0.01)


def test_pooled_whitening_of_small_groups_alone_changes_no_distance():
    rows = np.random.default_rng(6).normal(size=(12, 2)) * 50
    matrix = pooled_whitening(rows, np.repeat([0, 1, 2], 4))
    assert np.allclose(matrix @ matrix.T, np.eye(2))
