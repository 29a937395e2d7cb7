from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree

from atomotif.numerics.columns import DetectedColumns, find_columns


def honeycomb(size: int = 220, spacing: float = 14.0, angle: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Points of a honeycomb inside a square field, and which of the two sublattices each belongs to."""
    a = spacing * np.sqrt(3)
    vectors = a * np.array([[1, 0], [0.5, np.sqrt(3) / 2]])
    index = np.stack(np.meshgrid(np.arange(-40, 41), np.arange(-40, 41)), -1).reshape(-1, 2)
    first = index @ vectors
    points = np.concatenate([first, first + vectors.sum(axis=0) / 3])
    kind = np.repeat([0, 1], len(first))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points @ turn + size / 2 + 0.37
    inside = np.all((points > -spacing) & (points < size + spacing), axis=1)
    return points[inside], kind[inside]


def render(points: np.ndarray, heights: np.ndarray, size: int, width: float) -> np.ndarray:
    row, col = np.mgrid[:size, :size]
    image = np.zeros((size, size))
    for (at_row, at_col), height in zip(points, heights, strict=True):
        low_row, low_col = (max(0, int(x - 5 * width)) for x in (at_row, at_col))
        part = (slice(low_row, int(at_row + 5 * width) + 1), slice(low_col, int(at_col + 5 * width) + 1))
        distance = (row[part] - at_row) ** 2 + (col[part] - at_col) ** 2
        image[part] += height * np.exp(-distance / (2 * width**2))
    return image


def scene(dim: float = 0.3, size: int = 220) -> tuple[np.ndarray, np.ndarray]:
    points, kind = honeycomb(size)
    return render(points, np.where(kind == 0, 1.0, dim), size, 3.0), points


def inside(points: np.ndarray, size: int, border: float) -> np.ndarray:
    return points[np.all((points >= border) & (points <= size - 1 - border), axis=1)]


def scores(
    found: np.ndarray, truth: np.ndarray, size: int, border: float = 14.0
) -> tuple[float, float, float]:
    """Recall, precision and rms error (px) away from the edges; matched within 5 px."""
    to_truth, _ = KDTree(truth).query(inside(found, size, border))
    to_found, _ = KDTree(found).query(inside(truth, size, border))
    rms = float(np.sqrt((to_found[to_found < 5] ** 2).mean()))
    return float((to_found < 5).mean()), float((to_truth < 5).mean()), rms


def same_points(first: np.ndarray, second: np.ndarray, tolerance: float) -> bool:
    if len(first) != len(second):
        return False
    return bool(KDTree(first).query(second)[0].max() < tolerance)


@pytest.mark.parametrize("dim", [1.0, 0.3, 0.12])
def test_dim_columns_beside_bright_ones_below_the_pixel(dim: float) -> None:
    image, truth = scene(dim)
    found = find_columns(image)
    assert isinstance(found, DetectedColumns)
    recall, precision, rms = scores(found.points, truth, 220)
    assert (recall, precision) == (1.0, 1.0)
    assert rms < (0.05 if dim > 0.2 else 0.6)
    assert found.nearest_neighbor == pytest.approx(14, rel=0.02)
    assert 0.6 < found.r_min / 14 < 1.05
    assert found.points.dtype == np.float64
    assert len(found.points) == len(found.prominence) == len(found.significance) == len(found.response)


@pytest.mark.parametrize("counts", [400.0, 30.0])
def test_poisson_noise(counts: float) -> None:
    image, truth = scene(0.4)
    noisy = np.random.default_rng(4).poisson(counts * (image + 0.05)).astype(np.uint16)
    recall, precision, rms = scores(find_columns(noisy).points, truth, 220)
    assert recall > 0.99
    assert precision > 0.99
    assert rms < 12 / np.sqrt(counts)


def test_refinement_beats_the_pixel_grid() -> None:
    image, truth = scene(0.5)
    whole = find_columns(image, refine=False)
    np.testing.assert_array_equal(whole.points, np.rint(whole.points))
    rough = scores(whole.points, truth, 220)[2]
    fine = scores(find_columns(image).points, truth, 220)[2]
    assert fine < 0.2 * rough


def test_slow_background_is_ignored() -> None:
    image, truth = scene(0.5)
    row, col = np.mgrid[:220, :220]
    found = find_columns(image + 0.01 * row + np.sin(col / 60))
    recall, precision, _ = scores(found.points, truth, 220)
    assert (recall, precision) == (1.0, 1.0)


@settings(max_examples=8, deadline=None)
@given(factor=st.floats(1e-3, 1e3), shift=st.floats(-50, 50))
def test_affine_change_of_intensity(factor: float, shift: float) -> None:
    image = np.random.default_rng(7).normal(scene(0.5, 120)[0], 0.05)
    expected = find_columns(image).points
    assert same_points(find_columns(factor * (image + shift)).points, expected, 0.05)


def test_inversion_with_dark_contrast() -> None:
    image = np.random.default_rng(7).normal(scene(0.5)[0], 0.05)
    expected = find_columns(image)
    for contrast in ("dark", "auto"):
        found = find_columns(3 - image, contrast=contrast)
        assert found.contrast == "dark"
        assert same_points(found.points, expected.points, 0.01)
    assert find_columns(image, contrast="auto").contrast == "bright"


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_rotation_by_quarter_turns(turns: int) -> None:
    image = np.random.default_rng(7).normal(scene(0.5)[0], 0.05)
    expected = find_columns(image).points
    turned = find_columns(np.rot90(image, turns)).points
    for _ in range(turns):  # back: the last column becomes the first row, and so on
        turned = np.column_stack([turned[:, 1], 219 - turned[:, 0]])
    assert same_points(turned, expected, 0.02)


@pytest.mark.parametrize(("period", "top"), [(8, 1.0), (8, 0.7), (16, 1.0), (16, 0.3), (24, 0.3)])
def test_exactly_periodic_columns_with_ties_and_plateaus(period: int, top: float) -> None:
    row, col = np.mgrid[: 12 * period, : 12 * period]
    distance = np.hypot(
        (row + period // 2) % period - period // 2, (col + period // 2) % period - period // 2
    )
    image = np.minimum(np.exp(-(distance**2) / (2 * (0.2 * period) ** 2)), top)
    found = find_columns(image)
    inner = inside(found.points, 12 * period, 2)
    expected = np.argwhere((row % period == 0) & (col % period == 0))
    expected = inside(expected.astype(float), 12 * period, 2)
    assert same_points(inner, expected, 0.1)


def test_columns_at_the_edge_are_kept_and_flanks_are_not() -> None:
    period = 16
    grid = np.arange(0, 161, period, dtype=float)
    at_edge = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    found = find_columns(render(at_edge, np.ones(len(at_edge)), 161, 3.0)).points
    assert same_points(found, at_edge, 0.8)
    beyond = find_columns(render(at_edge + 4, np.ones(len(at_edge)), 161, 3.0)).points
    assert len(beyond) == 100


@pytest.mark.parametrize(
    "image",
    [
        np.full((64, 64), 3.0),
        np.full((64, 64), 0.1, np.float32),
        np.random.default_rng(0).normal(size=(256, 256)),
        np.random.default_rng(1).poisson(3.0, (200, 300)),
    ],
    ids=["constant", "constant float32", "gaussian noise", "poisson noise"],
)
@pytest.mark.parametrize("contrast", ["bright", "auto"])
def test_nothing_is_found_in_nothing(image: np.ndarray, contrast: str) -> None:
    found = find_columns(image, contrast=contrast)
    assert found.points.shape == (0, 2)
    assert np.isnan(found.r_min)
    assert np.isnan(found.nearest_neighbor)


def test_any_layout_of_the_array_and_any_thread_count() -> None:
    image = np.random.default_rng(3).poisson(200 * scene(0.5)[0] + 5)
    expected = find_columns(image.astype(np.float64))
    frozen = image.astype(">f8")
    frozen.flags.writeable = False
    padded = np.zeros((440, 440), np.int32)
    padded[::2, ::2] = image
    for other in (image.astype(np.uint16), frozen, padded[::2, ::2], np.ma.array(image, mask=False)):
        np.testing.assert_array_equal(find_columns(other).points, expected.points)
    for threads in (1, 2, 3):
        again = find_columns(image, n_threads=threads)
        np.testing.assert_array_equal(again.points, expected.points)
        np.testing.assert_array_equal(again.prominence, expected.prominence)


def test_given_scale_and_fixed_settings() -> None:
    image, truth = scene(0.5)
    found = find_columns(image, scale=11.0, adapt=False)
    assert found.r_min == 11.0
    assert scores(found.points, truth, 220)[:2] == (1.0, 1.0)
    few = find_columns(image, scale=11.0, relative_prominence=0.8, adapt=False)
    assert 0 < len(few.points) < 0.7 * len(found.points)


def test_wrong_arguments_are_named() -> None:
    image = scene(1.0, 60)[0]
    with pytest.raises(ValueError, match="`contrast` must be one of"):
        find_columns(image, contrast="grey")
    with pytest.raises(ValueError, match="`scale` must be positive"):
        find_columns(image, scale=-1.0)
    with pytest.raises(ValueError, match="`variance` must have the shape"):
        find_columns(image, variance=np.ones((8, 8)))
    with pytest.raises(ValueError, match="`min_prominence` must be positive"):
        find_columns(image, min_prominence=0)
    with pytest.raises(ValueError, match="`image` must be finite"):
        find_columns(np.where(image > 0.5, np.nan, image))


@pytest.mark.parametrize(
    ("name", "contrast", "least", "most"),
    [
        ("si111_7x7_stm", "bright", 330, 480),
        ("graphene_flower_hrtem", "bright", 540, 700),
        ("perovskite_110_abf", "dark", 340, 420),
        ("mose2_monolayer_vacancies", "bright", 350, 400),
    ],
)
def test_real_micrographs(shared: Path, name: str, contrast: str, least: int, most: int) -> None:
    image = np.load(shared / "data" / name / "image.npy")
    found = find_columns(image, contrast="auto")
    assert found.contrast == contrast
    assert least < len(found.points) < most


@pytest.mark.parametrize("name", ["ws2_fe_te__background", "pom_like__dose_low", "mose2_vse__dose_low"])
def test_simulated_micrographs_with_truth(shared: Path, name: str) -> None:
    with np.load(shared / "bench" / f"{name}.npz") as file:
        image, truth, visible = file["image"], file["positions_xy_px"][:, ::-1], file["visible"]
    found = find_columns(image).points
    nearest, _ = KDTree(found).query(inside(truth[visible], len(image), 25))
    assert (nearest < 5).mean() > 0.985
    surplus, _ = KDTree(truth).query(inside(found, len(image), 25))
    assert (surplus < 10).mean() > 0.985
