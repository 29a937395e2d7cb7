"""Domains of a drawn field with an island, and of a simulated moiré."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.spatial import KDTree

from atomotif import MotifSession
from atomotif.steps.base import Context
from atomotif.steps.find_anchors import FindAnchorsParameters, find_anchors
from atomotif.steps.find_domains import FindDomainsParameters, find_domains

SHAPE, SPACING, PIXEL, MIDDLE, RADIUS = (320, 340), 12.0, 0.01, np.array([160.0, 170.0]), 75.0


@pytest.fixture(scope="module")
def island(drawn: ModuleType) -> tuple[list[xr.Dataset], np.ndarray]:
    """A honeycomb whose second columns are dark within a disc: image, points, features, anchors; inside."""
    points, kind = drawn.columns(drawn.HONEYCOMB, SPACING, 0.2, SHAPE)
    inside = np.hypot(*(points - MIDDLE).T) < RADIUS
    image = drawn.draw(points, np.where(inside & (kind == 1), 0.35, 1.0), 2.8, SHAPE)
    image += np.random.default_rng(0).normal(0, 0.05, SHAPE)
    session = MotifSession(image, pixel_size=PIXEL, units="nm").set_points(points).compute_features()
    groups = [session.data[name].to_dataset() for name in ("image", "points", "features")]
    # The origin of the axes is elsewhere, as in a crop.
    groups[0] = groups[0].assign_coords(y=groups[0]["y"] + 3.0, x=groups[0]["x"] - 1.0)
    ids = points_of(groups)[1]
    chosen = tuple(
        int(ids[KDTree(points_of(groups)[0]).query(at)[1]]) for at in (MIDDLE, MIDDLE - [100.0, 100.0])
    )
    parameters = FindAnchorsParameters(anchors=chosen, anchor_names=("unlike", "like"))
    return [*groups, find_anchors(*groups, parameters=parameters, context=Context())], inside


def points_of(groups: list[xr.Dataset]) -> tuple[np.ndarray, np.ndarray]:
    return np.column_stack([groups[1]["row"], groups[1]["col"]]), groups[1]["id"].values


def make(groups: list[xr.Dataset], n_threads: int = 1, **parameters: Any) -> xr.Dataset:
    return find_domains(*groups, FindDomainsParameters(**parameters), Context(n_threads=n_threads))


def ring_areas(domains: xr.Dataset) -> np.ndarray:
    offset = domains["outline_offset"].values
    place = domains[["outline_y", "outline_x"]].to_array().values.T
    areas = np.zeros(domains.sizes["domain_"])
    for start, end, domain in zip(offset, offset[1:], domains["outline_domain"].values, strict=False):
        y, x = place[start:end].T
        areas[domain] += np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2
    return areas


def test_an_island_is_a_domain(island: tuple[list[xr.Dataset], np.ndarray]) -> None:
    groups, inside = island
    domains = make(groups)
    assert domains["name"].values.tolist() == ["like #1", "unlike #1"]
    assert domains["anchor"].values.tolist() == [1, 0]
    assert domains["at_edge"].values.tolist() == [True, False]
    label, known = domains["domain"].values, groups[3]["nearest"].values >= 0
    assert np.mean((label == 1)[known] == inside[known]) > 0.93
    assert (label[~known] == -1).all()
    assert domains["count"].values.tolist() == np.bincount(label[label >= 0]).tolist()
    assert float(domains["y"][1]) == pytest.approx(3.0 + PIXEL * MIDDLE[0], abs=0.03)
    assert float(domains["x"][1]) == pytest.approx(-1.0 + PIXEL * MIDDLE[1], abs=0.03)
    assert float(domains["area"][1]) == pytest.approx(np.pi * (PIXEL * RADIUS) ** 2, rel=0.15)
    assert domains["area"].attrs["units"] == "nm²"
    np.testing.assert_allclose(ring_areas(domains), domains["area"], rtol=1e-9)
    # The large domain has an outer ring and a hole.
    assert np.bincount(domains["outline_domain"]).tolist() == [2, 1]
    composition = domains["composition"].values
    np.testing.assert_allclose(composition.sum(axis=1), 1)
    assert composition[[0, 1], [1, 0]].min() > 0.95


def test_the_border_and_walls(island: tuple[list[xr.Dataset], np.ndarray]) -> None:
    groups, _ = island
    dropped = make(groups, border="drop")
    assert dropped["name"].values.tolist() == ["unlike #1"]
    assert dropped["anchor"].values.tolist() == [0]
    assert dropped["at_edge"].values.tolist() == [False]
    assert dropped["outline_domain"].values.tolist() == [0]
    walls = make(groups, min_weight=0.8)
    between = np.abs(np.hypot(*(points_of(groups)[0] - MIDDLE).T) - RADIUS) < SPACING / 2
    assert (walls["domain"].values[between] == -1).mean() > 0.5
    assert walls["count"].values.sum() < make(groups)["count"].values.sum()


def test_size_and_smoothing(island: tuple[list[xr.Dataset], np.ndarray]) -> None:
    groups, _ = island
    size = int(make(groups)["count"][1])
    merged = make(groups, min_domain_points=size + 1)
    assert merged["anchor"].values.tolist() == [1]
    known = groups[3]["nearest"].values >= 0
    assert (merged["domain"].values[known] == 0).all()
    assert merged["composition"].values[0, 0] == pytest.approx(size / known.sum(), abs=0.02)
    dropped = make(groups, min_domain_points=size + 1, small_domains="drop")
    assert dropped["domain"].values[known].tolist() == (-make(groups)["domain"].values[known]).tolist()
    assert make(groups).attrs["smoothing"] == pytest.approx(0.25 * groups[2].attrs["patch_size"])
    # Smoothed over more than the island, nothing is left of it.
    assert make(groups, domain_smoothing=150.0)["anchor"].values.tolist() == [1]
    unsmoothed = make(groups, domain_smoothing=0.0)
    assert (
        unsmoothed["anchor"].values[unsmoothed["domain"].values[known]] == groups[3]["nearest"].values[known]
    ).mean() > 0.99


def test_parts_are_the_columns_of_a_cell(island: tuple[list[xr.Dataset], np.ndarray]) -> None:
    groups, inside = island
    domains = make(groups)
    part, known = domains["part"].values, groups[2]["complete"].values
    # Both columns of either crystal: unlike in kind, or alike but turned by half a turn.
    assert domains["part_anchor"].values.tolist() == [0, 0, 1, 1]
    assert domains["part_name"].values.tolist() == ["unlike.0", "unlike.1", "like.0", "like.1"]
    assert domains["part_count"].values.tolist() == np.bincount(part[part >= 0]).tolist()
    where = points_of(groups)[0]
    height = groups[0]["intensity"].values[tuple(np.rint(where).astype(int).T)]
    own = known & inside & (part >= 0) & (np.hypot(*(where - MIDDLE).T) < RADIUS - 15)
    bright = part[own & (height > 0.75)]
    dark = part[own & (height <= 0.75)]
    assert len(set(bright)) == len(set(dark)) == 1
    assert bright[0] != dark[0]
    average = domains["part_average"].values
    middle = average.shape[1] // 2
    assert average[bright[0], middle, middle] > 2 * average[dark[0], middle, middle]
    like = average[2:]
    assert np.corrcoef(like[0].ravel(), like[1, ::-1, ::-1].ravel())[0, 1] > 0.98
    assert np.corrcoef(like[0].ravel(), like[1].ravel())[0, 1] < 0.8
    place = domains["part_position"].values
    assert np.isfinite(place[part >= 0]).all()
    assert np.isnan(place[part < 0]).all()
    assert make(groups, n_parts=3).sizes["part_"] == 6


def test_threads_change_nothing(island: tuple[list[xr.Dataset], np.ndarray]) -> None:
    groups, _ = island
    assert make(groups, 1).identical(make(groups, 2))


def test_nothing_above_the_least_weight(island: tuple[list[xr.Dataset], np.ndarray]) -> None:
    groups, _ = island
    flat = groups[3].assign(weight=groups[3]["weight"] * 0 + 0.5)
    domains = make([*groups[:3], flat], min_weight=0.9)
    assert domains.sizes["domain_"] == domains.sizes["part_"] == domains.sizes["ring"] == 0
    assert (domains["domain"].values == -1).all()


@pytest.mark.parametrize(
    ("variant", "least"),
    [
        ("clean", 0.95),
        ("dose_high", 0.95),
        ("dose_medium", 0.95),
        ("dose_low", 0.915),
        ("jitter", 0.94),
        ("background", 0.93),
    ],
)
def test_domains_of_a_moire(shared: Path, variant: str, least: float) -> None:
    with np.load(shared / "bench" / f"mos2_twist_3p15__{variant}.npz") as truth:
        session = MotifSession(truth["image"].astype(np.float32), pixel_size=float(truth["pixel_size_nm"]))
        positions, stacking = truth["positions_xy_px"][:, ::-1], truth["nearest_stacking"]
        distance = truth["dist_AAp_ABp_ApB_A"]
    session.compute_features()
    groups = [session.data[name].to_dataset() for name in ("image", "points", "features")]
    groups.append(find_anchors(*groups, parameters=FindAnchorsParameters(), context=Context(n_threads=1)))
    domains = make(groups)
    near = KDTree(positions).query(points_of(groups)[0])[1]
    label, known = domains["domain"].values, groups[3]["nearest"].values >= 0
    core = groups[3]["core"].values
    of_anchor = np.array([distance[near[core == k]].mean(axis=0).argmin() for k in range(3)])
    assert sorted(of_anchor) == [0, 1, 2]
    assert np.mean(of_anchor[domains["anchor"].values[label[known]]] == stacking[near[known]]) > least
    # Five whole domains lie in the field: one of AA', three of AB', one of A'B.
    whole = of_anchor[domains["anchor"].values[~domains["at_edge"].values]]
    assert np.bincount(whole).tolist() == [1, 3, 1]
    # Unlike columns of AB', and both orientations of AA'; columns of A'B are nearly alike.
    assert np.bincount(of_anchor[domains["part_anchor"].values]).tolist() == [2, 3, 1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"border": "cut"}, "`border` must be one of 'keep', 'drop', got 'cut'."),
        ({"small_domains": "keep"}, "`small_domains` must be one of 'merge', 'drop', got 'keep'."),
        ({"min_weight": -0.1}, "`min_weight` must be from 0 to 1, got -0.1."),
        ({"part_weight": 2.0}, "`part_weight` must be from 0 to 1, got 2.0."),
        ({"domain_smoothing": -1.0}, "`domain_smoothing` must be at least 0, got -1.0."),
        ({"min_domain_points": 0}, "`min_domain_points` must be positive and finite, got 0."),
        ({"n_parts": 0}, "`n_parts` must be positive and finite, got 0."),
        ({"random_state": -2}, "`random_state` must not be negative, got -2."),
    ],
)
def test_unfit_parameters_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        FindDomainsParameters(**values)
