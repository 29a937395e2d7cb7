"""The contract of the transformer, which scikit-learn's own checks do not exercise for 3-D input."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from atomotif import AtomotifWarning, ZernikeFeatures

PATCHES = np.random.default_rng(0).normal(size=(7, 20, 20)) + 1.0


@pytest.mark.parametrize(("invariant", "n_features"), [(False, 66), (True, 36)])
def test_shapes_names_and_dtype(invariant, n_features):
    features = ZernikeFeatures(rotation_invariant=invariant).fit(PATCHES)
    found = features.transform(PATCHES)
    assert found.shape == (7, n_features)
    assert found.dtype == np.float32
    names = features.get_feature_names_out()
    assert len(set(names)) == n_features
    assert names[0] == ("magnitude_0_0" if invariant else "zernike_0_0")


def test_invariant_under_quarter_turns():
    features = ZernikeFeatures(rotation_invariant=True).fit(PATCHES)
    turned = np.rot90(PATCHES, axes=(1, 2))
    np.testing.assert_allclose(features.transform(turned), features.transform(PATCHES), atol=1e-5)


@pytest.mark.parametrize("shape", [(20, 20), (21, 21), (19, 24), (24, 19)])
def test_inverse_keeps_the_moments(shape):
    patches = np.random.default_rng(1).normal(size=(3, *shape))
    features = ZernikeFeatures().fit(patches)
    moments = features.transform(patches)
    back = features.inverse_transform(moments)
    assert back.shape == patches.shape
    np.testing.assert_allclose(features.transform(back), moments, atol=1e-5)


def test_first_moment_is_the_mean_of_the_disc():
    patches = np.full((2, 16, 16), 4.0)
    np.testing.assert_allclose(ZernikeFeatures().fit_transform(patches)[:, 0], 4.0, rtol=1e-5)


def test_parameters_clone_and_refit():
    features = ZernikeFeatures(order=6).set_params(rotation_invariant=True)
    assert features.get_params() == {"order": 6, "rotation_invariant": True, "n_threads": None}
    copy = clone(features)
    assert copy.get_params() == features.get_params()
    assert copy.fit(PATCHES) is copy
    assert copy.patch_shape_ == (20, 20)
    assert copy.fit(np.ones((1, 17, 18))).patch_shape_ == (17, 18)


def test_threads_and_blocks_do_not_matter(monkeypatch):
    expected = ZernikeFeatures(n_threads=1).fit_transform(PATCHES)
    np.testing.assert_array_equal(ZernikeFeatures(n_threads=3).fit_transform(PATCHES), expected)
    monkeypatch.setattr("atomotif.numerics.zernike_features._BLOCK_PIXELS", 900)
    np.testing.assert_allclose(ZernikeFeatures().fit_transform(PATCHES), expected, atol=1e-6)


def test_pipeline_and_pandas_output():
    pipeline = make_pipeline(ZernikeFeatures(order=4), StandardScaler())
    assert pipeline.fit_transform(PATCHES).shape == (7, 15)
    pytest.importorskip("pandas")
    frame = ZernikeFeatures(order=4).set_output(transform="pandas").fit_transform(PATCHES)
    assert frame.columns[3] == "zernike_2_-2"


def test_small_patches_warn():
    with pytest.warns(AtomotifWarning, match="too small"):
        ZernikeFeatures().fit_transform(PATCHES[:, :10, :10])


@pytest.mark.parametrize("method", ["transform", "inverse_transform", "get_feature_names_out"])
def test_unfitted(method):
    with pytest.raises(NotFittedError):
        getattr(ZernikeFeatures(), method)(PATCHES)


def with_nan():
    patches = PATCHES.copy()
    patches[2, 3, 4] = np.nan
    return patches


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: ZernikeFeatures().fit(PATCHES[0]), ValueError),
        (lambda: ZernikeFeatures().fit(PATCHES[:0]), ValueError),
        (lambda: ZernikeFeatures(order=2.5).fit(PATCHES), TypeError),
        (lambda: ZernikeFeatures().fit(PATCHES).transform(PATCHES[:, :19]), ValueError),
        (lambda: ZernikeFeatures().fit(PATCHES).transform(with_nan()), ValueError),
        (lambda: ZernikeFeatures().fit(PATCHES).transform(PATCHES.astype(complex)), TypeError),
        (lambda: ZernikeFeatures().fit(PATCHES).inverse_transform(np.ones((2, 5))), ValueError),
        (
            lambda: ZernikeFeatures(rotation_invariant=True).fit(PATCHES).inverse_transform(np.ones((2, 36))),
            ValueError,
        ),
    ],
)
def test_bad_input(call, error):
    with pytest.raises(error, match="`"):
        call()
