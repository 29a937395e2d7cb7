"""Each step by itself: what it adds to its group, and what it says when it cannot."""

import numpy as np
import pytest

from atomotif import datasets
from atomotif.session.session import MotifSession


@pytest.fixture(scope="module")
def session() -> MotifSession:
    return MotifSession(datasets.mose2_vacancies().isel(y=slice(0, 320), x=slice(0, 320))).run()


def test_flatten_takes_the_tilt_out_of_an_stm_image() -> None:
    image = datasets.si111_7x7()
    data = MotifSession(image).flatten().data["image"]
    rows = np.arange(image.sizes["y"])

    def tilt(pixels: np.ndarray) -> float:
        return abs(np.polyfit(rows, pixels.mean(axis=1), 1)[0]) * len(rows)

    assert tilt(data["intensity"].values) > 5 * tilt(data["flattened"].values)
    assert data["flattened"].values.std() > 0.2 * data["intensity"].values.std()


def test_flatten_leaves_a_level_image_alone(session: MotifSession) -> None:
    image = session.data["image"]
    pixels = image["intensity"].values
    np.testing.assert_allclose(image["flattened"].values, pixels, atol=0.05 * pixels.std())


@pytest.mark.parametrize("method", ["low_pass", "svd"])
def test_denoise_says_what_survives(session: MotifSession, method: str) -> None:
    fresh = MotifSession(session.data["image"]["intensity"]).denoise(method=method)
    denoised = fresh.data["image"]["denoised"]
    assert 0.3 < denoised.attrs["surviving_contrast"] <= 1.1
    assert "of a vacancy's contrast survives" in repr(fresh)
    fresh.find_points()
    assert fresh.data["points"].attrs["source"] == "denoised"
    found, expected = fresh.data["points"].sizes["point"], session.data["points"].sizes["point"]
    assert abs(found - expected) < 0.05 * expected
    fresh.denoise()
    assert "denoised" not in fresh.data["image"]
    assert fresh.stale == ("points",)


def test_patch_size_by_either_rule(session: MotifSession) -> None:
    patch = session.data["patch"]
    truth = datasets.mose2_truth()
    position = np.column_stack([truth["row"], truth["col"]])
    near = np.sort(np.linalg.norm(position[:400, None] - position[None], axis=-1), axis=1)[:, 1]
    assert patch.attrs["nearest_neighbor"] == pytest.approx(np.median(near), rel=0.02)
    assert patch.attrs["patch_size"] == pytest.approx(2.4 * patch.attrs["nearest_neighbor"])
    assert patch.attrs["repeat_length"] == pytest.approx(np.sqrt(3) * np.median(near), rel=0.03)
    assert patch.attrs["confidence"] > 0.8
    fresh = MotifSession(session.data["image"]["intensity"]).measure_patch_size(rule="repeat_length")
    assert fresh.data["patch"].attrs["patch_size"] == pytest.approx(patch.attrs["repeat_length"])


def test_features_agree_with_a_plain_sum(session: MotifSession) -> None:
    """The mean of the patch, summed pixel by pixel, is the first moment."""
    features, points, image = (session.data[name] for name in ("features", "points", "image"))
    radius = features.attrs["patch_size"] / 2
    fresh = MotifSession(image["intensity"]).flatten(method="none")
    pixels = fresh.data["image"]["flattened"].values.astype(float)
    fresh.compute_features(patch_size=2 * radius)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    whole = np.flatnonzero(features["complete"].values)[:20]
    for k in whole:
        row, col = float(points["row"][k]), float(points["col"][k])
        disc = np.hypot(y - row, x - col) <= radius
        assert fresh.data["features"]["zernike"].values[k, 0] == pytest.approx(pixels[disc].mean(), rel=0.02)


def test_features_have_their_noise(session: MotifSession) -> None:
    features = session.data["features"]
    covariance = features["noise_covariance"].values
    np.testing.assert_allclose(covariance, covariance.T)
    assert (np.linalg.eigvalsh(covariance) > 0).all()
    assert features["p"].values[:6].tolist() == [0, 1, 1, 2, 2, 2]
    assert features["q"].values[:6].tolist() == [0, -1, 1, -2, 0, 2]


def test_layout_can_be_filmed(session: MotifSession) -> None:
    branch = session.branch("film")
    branch.compute_layout(record_every=20)
    layout = branch.data["layout"]
    assert layout["frames"].sizes["frame"] >= 5
    np.testing.assert_array_equal(layout["frames"][-1], layout["position"])
    np.testing.assert_array_equal(layout["position"], session.data["layout"]["position"])


def test_motifs_of_the_layout(session: MotifSession) -> None:
    branch = session.branch("by density")
    branch.find_motifs(method="layout")
    motifs = branch.data["motifs"]
    assert 2 <= motifs.sizes["motif"] < 60
    assert branch.stale == ()
    branch.compute_layout(random_state=1)
    assert branch.stale == ("motifs",)


def test_counts_colours_and_averages(session: MotifSession) -> None:
    motifs = session.data["motifs"]
    labels = motifs["label"].values
    np.testing.assert_array_equal(motifs["count"], np.bincount(labels[labels >= 0]))
    assert (np.diff(motifs["count"]) <= 0).all()
    assert len(set(motifs["color"].values.tolist())) == motifs.sizes["motif"]
    assert np.isfinite(motifs["average"]).all()
    assert (motifs["deviation"].values >= 0).all()
    incomplete = session.data["features"]["coverage"].values < 0.9
    assert (labels[incomplete] == -1).all()
    assert (labels[~incomplete] >= 0).all()
    assert (motifs["confidence"].values[incomplete] == 0).all()


@pytest.mark.parametrize("n_motifs", [1, 2, 5])
def test_as_many_motifs_as_asked_for(session: MotifSession, n_motifs: int) -> None:
    branch = session.branch("k")
    branch.find_motifs(n_motifs=n_motifs)
    assert len(branch.motifs) == n_motifs


def test_detail_asks_for_more_or_fewer(session: MotifSession) -> None:
    counts = [len(session.branch("detail").find_motifs(detail=detail).motifs) for detail in (0.3, 1, 3)]
    assert counts[0] <= counts[1] <= counts[2]
    assert counts[0] < counts[2]
