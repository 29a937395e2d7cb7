"""Maps of symmetry: at the points what is measured there, in any bands, at hollows that were planted."""

from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import KDTree

from atomotif.numerics.dense_moments import dense_symmetry
from atomotif.session.session import MotifSession
from atomotif.steps import map_symmetry

SHAPE, SPACING = (170, 190), 14.0


class Field(NamedTuple):
    """A honeycomb with noise."""

    points: np.ndarray
    image: np.ndarray


@pytest.fixture(scope="module")
def field(drawn: ModuleType) -> Field:
    points, _ = drawn.columns(drawn.HONEYCOMB, SPACING, 0.1, SHAPE)
    noise = np.random.default_rng(0).normal(0, 0.1, SHAPE)
    return Field(points, drawn.draw(points, 1.0, 3.2, SHAPE) + noise)


@pytest.fixture(scope="module")
def session(field: Field) -> MotifSession:
    session = MotifSession(field.image, pixel_size=0.01, units="nm").flatten(method="none")
    return session.set_points(field.points).map_symmetry()


def test_maps_are_those_of_the_whole_image(session: MotifSession, field: Field) -> None:
    maps = session.data["symmetry_map"].to_dataset()
    assert maps["rotation"].dims == ("fold", "y", "x")
    assert maps["rotation"].shape == (5, *SHAPE)
    assert {maps[name].dtype for name in maps.data_vars} == {np.dtype("float32")}
    np.testing.assert_allclose(maps["x"], 0.01 * np.arange(SHAPE[1]))
    assert maps["y"].attrs["units"] == "nm"
    assert maps.attrs["radius"] == pytest.approx(1.2 * SPACING, rel=0.02)
    # Without what noise takes from the scores they are higher, by as much everywhere.
    plain = dense_symmetry(field.image, maps.attrs["radius"])
    middle = np.s_[:, 20:-20, 20:-20]
    ratio = maps["rotation"].values[middle] / plain.rotation[middle]
    strong = plain.rotation[middle] > 0.5
    assert 1.0 < np.median(ratio[strong]) < 1.1
    known = np.isfinite(maps["rotation"].values)
    assert np.corrcoef(maps["rotation"].values[known], plain.rotation[known])[0, 1] > 0.99
    assert plain.mirror is not None
    known = np.isfinite(maps["mirror"].values)
    assert np.corrcoef(maps["mirror"].values[known], plain.mirror[known])[0, 1] > 0.98
    # Nothing is said of discs that the edge cuts by more than a tenth.
    cut = int(np.ceil(0.687 * maps.attrs["radius"]))
    assert known[cut:-cut, cut:-cut].all()
    assert known.sum() == (SHAPE[0] - 2 * cut) * (SHAPE[1] - 2 * cut)


def test_a_disc_larger_than_the_image_is_refused(session: MotifSession) -> None:
    with pytest.raises(ValueError, match="`map_radius` must be at most half of the image"):
        session.map_symmetry(map_radius=5000.0)


def test_hollows_and_columns_are_where_they_were_drawn(session: MotifSession, field: Field) -> None:
    six = session.data["symmetry_map"]["rotation"].sel(fold=6).values
    three = session.data["symmetry_map"]["rotation"].sel(fold=3).values
    top = (six == ndimage.maximum_filter(six, 9)) & (six > 0.8)
    peaks = np.argwhere(top)
    peaks = peaks[((peaks > 25) & (peaks < np.array(SHAPE) - 26)).all(axis=1)]
    assert len(peaks) > 20
    around = KDTree(field.points).query(peaks, 6)[0]
    assert np.abs(around - SPACING).max() < 1.5
    inner = field.points[((field.points > 25) & (field.points < np.array(SHAPE) - 26)).all(axis=1)]
    at = tuple(np.rint(inner).astype(int).T)
    assert three[at].min() > 0.9
    assert six[at].max() < 0.3


def test_at_the_points_it_is_what_is_measured_there(session: MotifSession, field: Field) -> None:
    whole = np.unique(np.rint(field.points), axis=0)
    other = MotifSession(field.image).flatten(method="none").set_points(whole)
    radius = session.data["symmetry_map"].attrs["radius"]
    other.compute_features(patch_size=2 * radius).measure_symmetry().map_symmetry(map_radius=radius)
    measured, maps = other.data["symmetry"].to_dataset(), other.data["symmetry_map"].to_dataset()
    row, col = whole.astype(int).T
    inside = ~np.isnan(measured["mirror"].values)
    mapped = maps["rotation"].values[:, row, col].T
    np.testing.assert_allclose(mapped[inside], measured["rotation"].values[inside], atol=0.01)
    np.testing.assert_allclose(maps["mirror"].values[row, col][inside], measured["mirror"][inside], atol=0.01)


@pytest.mark.parametrize("step", [1, 3])
def test_bands_and_steps_change_nothing(
    session: MotifSession, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    whole = session.data["symmetry_map"].to_dataset()
    monkeypatch.setattr(map_symmetry, "_BAND", 1)
    monkeypatch.setattr(map_symmetry, "_LEAST_BAND", 8)
    shares: list[float] = []
    context = map_symmetry.Context(shares.append, 1)
    image, patch = session.data["image"].to_dataset(), session.data["patch"].to_dataset()
    bands = map_symmetry.map_symmetry(
        image, patch, map_symmetry.MapSymmetryParameters(map_step=step), context
    )
    assert len(shares) > 5
    assert shares[-1] == 1
    rest = whole.isel(y=slice(None, None, step), x=slice(None, None, step))
    assert bands.sizes == rest.sizes
    np.testing.assert_array_equal(bands["x"], rest["x"])
    np.testing.assert_allclose(bands["rotation"], rest["rotation"], atol=2e-3)
    np.testing.assert_allclose(bands["mirror"], rest["mirror"], atol=2e-3)


def test_large_images_are_mapped_coarsely(session: MotifSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_symmetry, "_MOST_PLACES", 100 * 100)
    coarse = session.branch("coarse").map_symmetry(map_folds=(6,), map_mirror=False).data["symmetry_map"]
    assert coarse.attrs["step"] == 2
    assert coarse["rotation"].shape == (1, 85, 95)
    assert "mirror" not in coarse


def test_only_on_demand_and_saved(session: MotifSession, tmp_path: Path) -> None:
    assert "symmetry_map folds 2, 3, 4, 5, 6 within 16" in repr(session)
    assert "symmetry_map" not in session.branch("b").compute_features().data.children
    again = MotifSession.open(session.save(tmp_path / "a.zarr"))
    assert again.data["symmetry_map"].to_dataset().identical(session.data["symmetry_map"].to_dataset())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"map_radius": 4.0}, "`map_radius` must be at least 4.8 px to tell an axis of order 6, got 4"),
        ({"map_radius": -1.0}, "`map_radius` must be positive"),
        ({"map_step": 0}, "`map_step` must be positive"),
        ({"map_folds": (1,)}, "`map_folds` must be whole numbers from 2 to 10"),
        ({"map_source": "denoised"}, "`map_source` must be an image that was made, got 'denoised'"),
        ({"map_source": "raw"}, "`map_source` must be one of"),
    ],
)
def test_wrong_values_are_refused(session: MotifSession, values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        session.map_symmetry(**values)
