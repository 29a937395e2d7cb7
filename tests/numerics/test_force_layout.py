import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from atomotif.numerics.force_layout import PRESETS, ForceRelaxedLayout


@parametrize_with_checks([ForceRelaxedLayout(n_iterations=10)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def blobs(sizes, seed=0, features=12):
    rng = np.random.default_rng(seed)
    kind = np.repeat(np.arange(len(sizes)), sizes)
    return 6 * np.eye(features)[kind] + rng.normal(0, 0.5, (len(kind), features)), kind


@pytest.fixture(scope="module")
def fitted():
    X, kind = blobs([150, 100, 60])
    return X, kind, ForceRelaxedLayout(record_every=30).fit(X)


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("sizes", [(150, 100), (150, 100, 60)])
def test_separate_blobs_become_compact_islands(preset, sizes):
    X, kind = blobs(sizes)
    position = ForceRelaxedLayout(preset).fit_transform(X)
    centre = np.stack([position[kind == k].mean(axis=0) for k in range(len(sizes))])
    radius = [np.linalg.norm(position[kind == k] - centre[k], axis=1).max() for k in range(len(sizes))]
    gap = min(np.linalg.norm(centre[a] - centre[b]) for a in range(len(sizes)) for b in range(a))
    assert gap > 2.5 * max(radius)


@pytest.mark.parametrize("n", [200, 5200])
def test_threads_do_not_matter_and_seeds_do(n):
    X = np.random.default_rng(0).normal(size=(n, 6))
    model = ForceRelaxedLayout(n_iterations=6, n_threads=1)
    position = model.fit_transform(X)
    np.testing.assert_array_equal(position, clone(model).set_params(n_threads=3).fit_transform(X))
    assert np.abs(position - clone(model).set_params(random_state=1).fit_transform(X)).max() > 1e-3


def test_rows_seen_keep_their_position(fitted):
    X, _, layout = fitted
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(layout.transform(X), layout.embedding_)
    np.testing.assert_array_equal(layout.transform(X[order]), layout.embedding_[order])
    np.testing.assert_array_equal(layout.transform(X[7:8]), layout.embedding_[7:8])


def test_new_rows_are_independent_and_land_among_their_kind(fitted):
    X, kind, layout = fitted
    new, new_kind = blobs([20, 20, 20], seed=9)
    placed = layout.transform(new)
    np.testing.assert_array_equal(layout.transform(new[31:33]), placed[31:33])
    np.testing.assert_array_equal(layout.transform(np.concatenate([new[5:6], X]))[0], placed[5])
    apart = np.linalg.norm(placed[:, None] - layout.embedding_[None], axis=2)
    np.testing.assert_array_equal(kind[apart.argmin(axis=1)], new_kind)


def test_equal_rows(fitted):
    X = np.repeat(np.random.default_rng(0).normal(size=(6, 4)), 30, axis=0)
    layout = ForceRelaxedLayout().fit(X)
    assert np.isfinite(layout.embedding_).all()
    np.testing.assert_array_equal(layout.transform(X), layout.embedding_)
    np.testing.assert_array_equal(layout.transform(X[29:31]), layout.embedding_[[0, 30]])


def test_attributes(fitted):
    X, _, layout = fitted
    assert layout.embedding_.dtype == np.float32
    assert layout.neighbors_.shape == layout.weights_.shape == (len(X), 10)
    np.testing.assert_allclose(layout.weights_.sum(axis=1), np.log2(11), rtol=1e-5)
    assert layout.recall_ == 1
    assert (layout.graph_ != layout.graph_.T).nnz == 0
    np.testing.assert_array_equal(
        layout.get_feature_names_out(), ["forcerelaxedlayout0", "forcerelaxedlayout1"]
    )


def test_frames(fitted):
    X, _, layout = fitted
    np.testing.assert_array_equal(layout.frame_iterations_, [0, 30, 60, 90, 100])
    assert layout.frames_.shape == (5, len(X), 2)
    np.testing.assert_array_equal(layout.frames_[-1], layout.embedding_)
    assert np.abs(layout.frames_[0]).max() == pytest.approx(10)
    assert ForceRelaxedLayout(n_iterations=4).fit(X).frames_.shape == (0, len(X), 2)


def test_callback_sees_progress_and_ends_the_fit():
    seen = []

    def callback(done):
        seen.append(done)
        if done >= 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ForceRelaxedLayout(n_iterations=8, callback=callback).fit(blobs([30, 30])[0])
    assert seen == [0.125, 0.25, 0.375, 0.5]


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("n", [1, 2, 3, 8])
@pytest.mark.parametrize("features", [1, 2, 40])
def test_few_rows(preset, n, features):
    X = np.random.default_rng(0).normal(size=(n, features))
    layout = ForceRelaxedLayout(preset, n_iterations=6).fit(X)
    assert layout.embedding_.shape == (n, 2)
    assert np.isfinite(layout.embedding_).all()
    assert layout.neighbors_.shape == (n, n - 1)
    np.testing.assert_array_equal(layout.transform(X[:1]), layout.embedding_[:1])
    assert np.isfinite(layout.transform(X + 0.1)).all()


def test_constant_features_are_one_spot():
    layout = ForceRelaxedLayout().fit(np.ones((40, 3)))
    assert np.isfinite(layout.embedding_).all()
    assert np.ptp(layout.embedding_, axis=0).max() < 1


def test_dtypes_and_layouts_of_memory_agree():
    X = np.random.default_rng(0).integers(0, 9, (80, 5))
    expected = ForceRelaxedLayout(n_iterations=6).fit_transform(X.astype(float))
    frozen = X.astype(float)
    frozen.flags.writeable = False
    for other in (X, X.astype(np.int8), X.astype(">f8"), np.asfortranarray(X), frozen, X.tolist()):
        np.testing.assert_array_equal(ForceRelaxedLayout(n_iterations=6).fit_transform(other), expected)


def test_correlation_metric_places_scaled_rows():
    X, kind = blobs([60, 60])
    layout = ForceRelaxedLayout(metric="correlation", n_iterations=40).fit(X)
    placed = layout.transform(2 * X + 1)
    apart = np.linalg.norm(placed[:, None] - layout.embedding_[None], axis=2)
    assert (kind[apart.argmin(axis=1)] == kind).all()
    np.testing.assert_array_equal(layout.transform(X[3:5]), layout.embedding_[3:5])


def test_own_stages_replace_those_of_the_preset():
    X, _ = blobs([30, 30])
    same = ForceRelaxedLayout(stages=((1, 1, 0, 2), (5, 1, 2, 5)), n_iterations=6).fit_transform(X)
    np.testing.assert_array_equal(same, ForceRelaxedLayout(n_iterations=6).fit_transform(X))
    other = ForceRelaxedLayout(stages=((5, 1, 2, 5), (1, 1, 0, 2)), n_iterations=6).fit_transform(X)
    assert np.abs(other - same).max() > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "nice"}, "`preset` must be one of"),
        ({"n_neighbors": 0}, "`n_neighbors` must be an integer of at least 1"),
        ({"n_neighbors": 2.5}, "`n_neighbors` must be an integer"),
        ({"n_negatives": -1}, "`n_negatives` must be an integer of at least 0"),
        ({"n_iterations": 0}, "`n_iterations` must be"),
        ({"record_every": 0}, "`record_every` must be at least 1"),
        ({"learning_rate": 0.0}, "`learning_rate` must be positive"),
        ({"stages": ((1, 1, 0, 2),)}, "`stages` must be two of"),
        ({"metric": "cosine"}, "`metric` must be one of"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        ForceRelaxedLayout(**options).fit(blobs([10, 10])[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(value):
    X, _ = blobs([10, 10])
    X[3, 2] = value
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        ForceRelaxedLayout().fit(X)
