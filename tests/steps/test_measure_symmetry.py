"""Symmetry of the patches of a session, against plain sums over angles."""

from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from scipy import ndimage

from atomotif.session.session import MotifSession

SHAPE, SPACING, TURN = (200, 220), 16.0, 0.21


class Field(NamedTuple):
    """A honeycomb of which a few columns are missing, so that some patches have no symmetry."""

    points: np.ndarray
    image: np.ndarray

    def session(self, noise: float = 0.0) -> MotifSession:
        image = self.image + np.random.default_rng(1).normal(0, noise, SHAPE)
        return MotifSession(image).flatten(method="none").set_points(self.points)


@pytest.fixture(scope="module")
def field(drawn: ModuleType) -> Field:
    points, kind = drawn.columns(drawn.HONEYCOMB, SPACING, TURN, SHAPE)
    there = np.random.default_rng(0).random(len(points)) > 0.06
    points, kind = points[there], kind[there]
    return Field(points, drawn.draw(points, np.where(kind == 0, 1.0, 0.6), 3.6, SHAPE))


@pytest.fixture(scope="module")
def session(field: Field) -> MotifSession:
    return field.session().measure_symmetry()


def polar(point: np.ndarray, radius: float, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The patch on circles round its centre, less the mean of each, and the radii of these."""
    r = (np.arange(40) + 0.5) / 40 * radius
    t = 2 * np.pi * np.arange(360) / 360
    where = point[:, None, None] + r[:, None] * np.stack([np.sin(t), np.cos(t)])[:, None]
    ring = ndimage.map_coordinates(image, where, order=3, mode="mirror")
    return ring - ring.mean(axis=1, keepdims=True), r


def test_scores_agree_with_plain_sums(session: MotifSession, field: Field) -> None:
    symmetry, features = session.data["symmetry"].to_dataset(), session.data["features"].to_dataset()
    radius = symmetry.attrs["patch_size"] / 2
    assert symmetry["rotation"].dims == ("point", "fold")
    assert symmetry["fold"].values.tolist() == [2, 3, 4, 5, 6]
    for k in np.flatnonzero(features["complete"].values)[::7]:
        ring, r = polar(field.points[k], radius, field.image)
        whole = (r[:, None] * ring**2).sum()
        for fold, score in zip((2, 3, 4, 5, 6), symmetry["rotation"].values[k]):
            turned = [np.roll(ring, 360 * j // fold, axis=1) for j in range(1, fold)]
            plain = np.mean([(r[:, None] * ring * other).sum() for other in turned]) / whole
            assert score == pytest.approx(plain, abs=0.06)
        mirrored = [
            (r[:, None] * ring * np.roll(ring[:, ::-1], 1 + 2 * degree, axis=1)).sum() / whole
            for degree in range(180)
        ]
        assert symmetry["mirror"].values[k] == pytest.approx(max(mirrored), abs=0.06)


def test_the_bulk_is_three_fold_and_the_vacancys_neighbours_are_not(
    session: MotifSession, field: Field
) -> None:
    whole = session.data["features"]["complete"].values
    distance = np.linalg.norm(field.points[:, None] - field.points[None], axis=-1)
    near = (distance < 1.2 * SPACING).sum(axis=1) - 1
    three = session.data["symmetry"]["rotation"].sel(fold=3).values
    assert three[whole & (near == 3)].min() > 0.95
    assert three[whole & (near == 2)].max() < 0.7
    axis = session.data["symmetry"]["mirror_angle"].values[whole & (near == 3)]
    off = (axis - TURN - np.pi / 6 + np.pi / 6) % (np.pi / 3) - np.pi / 6  # lines along the bonds
    assert np.abs(off).max() < 0.02


def test_noise_is_taken_out(field: Field) -> None:
    sessions = [field.session(noise).measure_symmetry(folds=(3,)) for noise in (0.0, 0.35)]
    scores = [np.nanmedian(one.data["symmetry"]["rotation"].values) for one in sessions]
    assert scores[1] == pytest.approx(scores[0], abs=0.04)
    # With the noise of the image as it was, not of the denoised one.
    smooth = field.session(0.35).denoise(method="low_pass")
    smooth.compute_features(source="denoised").measure_symmetry(folds=(3,))
    assert np.nanmedian(smooth.data["symmetry"]["rotation"].values) > 0.8


def test_patches_cut_by_the_edge_have_none(session: MotifSession) -> None:
    cut = session.data["features"]["coverage"].values < 0.9
    symmetry = session.data["symmetry"]
    assert 0.1 < cut.mean() < 0.5
    for name in ("mirror", "mirror_angle"):
        assert np.array_equal(np.isnan(symmetry[name].values), cut)
    assert np.array_equal(np.isnan(symmetry["rotation"].values).any(axis=1), cut)


def test_only_on_demand_and_kept_up_to_date(session: MotifSession, field: Field, tmp_path: Path) -> None:
    assert "symmetry  of the patches: 2-fold" in repr(session)
    fresh = field.session().compute_features()
    assert "symmetry" not in fresh.branch("b").run().data.children
    fresh.measure_symmetry(folds=[4, 3])
    assert fresh.data["symmetry"]["fold"].values.tolist() == [4, 3]
    fresh.compute_features(patch_size=50)
    assert fresh.stale == ("symmetry",)
    fresh.run()
    assert fresh.stale == ()
    assert fresh.data["symmetry"].attrs["patch_size"] == 50
    again = MotifSession.open(fresh.save(tmp_path / "a.zarr"))
    assert again.data["symmetry"].to_dataset().identical(fresh.data["symmetry"].to_dataset())


@pytest.mark.parametrize("folds", [(), (1, 2), (3, 3), (11,), (2.5,)])
def test_wrong_folds_are_refused(session: MotifSession, folds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="`folds` must be whole numbers from 2 to 10, each once, got"):
        session.measure_symmetry(folds=folds)
