import numpy as np
import pytest
from scipy.stats import multivariate_normal

from atomotif.numerics.discriminant import Discriminant, reassign


def two_classes(seed=0, shape=(900, 100)):
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], shape)
    rows = rng.normal(size=(sum(shape), 2)) @ np.array([[2.0, 1.0], [0.0, 1.0]])
    rows[labels == 1] += [0.0, 5.0]
    return rows, labels


def test_posterior_is_that_of_gaussian_classes():
    rows, labels = two_classes()
    means = np.array([rows[labels == k].mean(0) for k in (0, 1)])
    rest = rows - means[labels]
    scatter = rest.T @ rest / len(rows)
    scatter = 0.9 * scatter + 0.1 * np.trace(scatter) / 2 * np.eye(2)
    density = np.stack([multivariate_normal(m, scatter).pdf(rows) for m in means], 1) * [0.9, 0.1]
    model = Discriminant.learn(rows, labels)
    assert np.array_equal(model.assign(rows), density.argmax(1))
    expected = density[:, 0] / density.sum(1)
    usual = model.distances(rows)[:, 0] < 10.0
    confidence = model.confidence(rows, np.zeros(len(rows), np.int64))
    assert confidence.dtype == np.float32
    assert np.allclose(confidence[usual], expected[usual], atol=1e-5)


def test_far_from_every_class_there_is_no_confidence():
    rows, labels = two_classes()
    model = Discriminant.learn(rows, labels)
    far = np.array([[300.0, -300.0]])
    assert model.confidence(far, model.assign(far))[0] < 1e-6
    assert model.confidence(rows[:50], labels[:50]).min() > 0.5


def test_reassign_repairs_wrong_labels():
    rows, labels = two_classes()
    wrong = labels.copy()
    wrong[:40] = 1
    assert np.mean(reassign(rows, wrong) == labels) > 0.985
    assert np.mean(wrong == labels) < 0.97


def test_reassign_dissolves_no_class():
    rows = np.random.default_rng(1).normal(size=(200, 2))
    labels = np.zeros(200, np.int64)
    labels[:3] = 1
    assert np.array_equal(reassign(rows, labels), labels)
    assert np.array_equal(reassign(rows, np.zeros(200, np.int64)), np.zeros(200))


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9])
def test_scatter_may_be_degenerate(scale):
    rows = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0], [6.0, 0.0]]) * scale
    model = Discriminant.learn(rows, np.array([0, 0, 1, 1]))
    assert model.assign(rows).tolist() == [0, 0, 1, 1]
    same = Discriminant.learn(np.zeros((3, 2)), np.zeros(3, np.int64))
    assert same.confidence(np.zeros((3, 2)), np.zeros(3, np.int64)).tolist() == [1.0, 1.0, 1.0]
