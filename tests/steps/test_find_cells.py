"""Voronoi cells through the session: what they cover, their shapes, and what they hold."""

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from atomotif.session.session import MotifSession

PIXEL = 0.02


def hexagons(scatter: float = 0.0):
    """Triangular places (0, of them 4 %: 2), each with a column (1) beside it: positions, labels."""
    a = 20.0 * np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    index = np.stack(np.meshgrid(np.arange(-15, 25), np.arange(-15, 25)), -1).reshape(-1, 2)
    places = index @ a + np.random.default_rng(1).normal(0, scatter, index.shape)
    points = np.concatenate([places, places + np.array([0.0, 7.0])]) + 1.7
    labels = np.repeat([0, 1], len(index))
    keep = (points > 0).all(axis=1) & (points < 299).all(axis=1)
    points, labels = points[keep], labels[keep]
    chosen = (np.random.default_rng(2).random(len(labels)) < 0.04) & (labels == 0)
    return points, np.where(chosen, 2, labels)


def session_of(points: np.ndarray, labels: np.ndarray) -> MotifSession:
    session = MotifSession(np.zeros((300, 300), np.float32), pixel_size=PIXEL, units="nm")
    return session.set_points(points).set_motifs(labels)


def test_cells_tile_the_image_and_hold_every_point_once() -> None:
    points, labels = hexagons(0.8)
    session = session_of(points, labels).find_cells(cells="voronoi", seeds=["M0", "M2"])
    cells = session.data["cells"].to_dataset()
    seeds = np.flatnonzero(labels != 1)
    assert cells["seed"].values.tolist() == session.data["points"]["id"].values[seeds].tolist()
    assert cells["area"].values.sum() == pytest.approx((300 * PIXEL) ** 2)
    nearest = np.linalg.norm(points[:, None] - points[seeds], axis=2).argmin(axis=1)
    np.testing.assert_array_equal(cells["cell_of_point"].values, nearest)
    # Cut by the edge, or not: by corners on it.
    starts, low, high = cells["corner_offset"].values, -0.5 * PIXEL, 299.5 * PIXEL
    corners = np.column_stack([cells["corner_y"].values, cells["corner_x"].values])
    on_edge = ((corners < low + 1e-9) | (corners > high - 1e-9)).any(axis=1)
    cut = np.array([on_edge[a:b].any() for a, b in pairwise(starts)])
    assert cells["border"].values[cut].all()
    assert not cells["border"].values[(np.abs(points[seeds] - 149.5) < 110).all(axis=1)].any()
    # Classes: what each inner cell holds, by the nearest seed.
    held = [tuple(sorted(set(labels[nearest == k]))) for k in range(len(seeds))]
    table = session.cell_classes
    for name, composition in {"M0 + M1": (0, 1), "M1 + M2": (1, 2)}.items():
        inner = [h == composition and not b for h, b in zip(held, cells["border"].values)]
        assert table.loc[table["composition"] == name, "count"].item() == sum(inner)
    minority = {held[k] for k in np.flatnonzero(cells["minority"].values)}
    assert (0, 1) not in minority
    assert (1, 2) in minority
    assert "cells" in repr(session)


def test_regular_cells_are_not_distorted_and_one_displaced_seed_distorts_seven() -> None:
    points, labels = hexagons()
    even = session_of(points, labels).find_cells(cells="voronoi", seeds=["M0", "M2"])
    shapes = even.cell_shapes
    inner = shapes[~shapes["border"]]
    assert (inner["sides"] == 6).all()
    assert inner["area"].to_numpy() == pytest.approx(20 * 20 * np.sqrt(3) / 2 * PIXEL**2)
    for name in ("area_excess", "side_excess", "angle_excess", "distortion"):
        assert np.abs(inner[name]).max() < 1e-6
        assert shapes.loc[shapes["border"], name].isna().all()
    cells = even.data["cells"].to_dataset()
    np.testing.assert_allclose(np.linalg.norm(cells["mean_cell"], axis=1), 20 / np.sqrt(3) * PIXEL)
    assert cells["mean_cell"].coords["axis"].values.tolist() == ["y", "x"]

    seeds = np.flatnonzero(labels != 1)
    middle = seeds[np.linalg.norm(points[seeds] - 150, axis=1).argmin()]
    moved = points.copy()
    moved[middle] += [1.5, 0.0]
    uneven = session_of(moved, labels).find_cells(cells="voronoi", seeds=["M0", "M2"]).cell_shapes
    far = uneven[~uneven["border"]].sort_values("distortion", ascending=False)
    near = seeds[np.argsort(np.linalg.norm(points[seeds] - points[middle], axis=1))[:7]]
    assert set(far["id"][:7]) == set(near)
    assert far["distortion"].iloc[6] > 5 * far["distortion"].iloc[7]
    assert far["motif"].isin(["M0", "M2"]).all()
    assert far["area_excess"].sum() == pytest.approx(
        far["area"].sum() - len(far) * (far["area"] - far["area_excess"]).iloc[0]
    )
    # Sides and angles of the displaced cell against its corners.
    cells = session_of(moved, labels).find_cells(cells="voronoi", seeds=["M0", "M2"]).data["cells"]
    cell = int(np.flatnonzero(cells["seed"].values == middle)[0])
    rows = slice(*cells["corner_offset"].values[cell : cell + 2])
    z = cells["corner_x"].values[rows] + 1j * cells["corner_y"].values[rows]
    mean = cells["mean_cell"].values @ np.array([1j, 1])
    sides = [np.abs(np.roll(one, -1) - one) for one in (z, mean)]
    excess = cells["side"].values[cell]
    assert any(np.allclose(np.roll(sides[0], -s) - sides[1], excess) for s in range(6))
    angles = [
        np.angle((np.roll(one, 1) - one) * (np.roll(one, -1) - one).conj()) % (2 * np.pi) for one in (z, mean)
    ]
    excess = cells["interior_angle"].values[cell]
    assert any(np.allclose(np.roll(angles[0], -s) - angles[1], excess) for s in range(6))


def test_the_most_frequent_motif_is_the_default_seed() -> None:
    points, labels = hexagons()
    keep = (labels != 1) | (np.random.default_rng(0).random(len(labels)) < 0.5)
    session = session_of(points[keep], labels[keep]).find_cells(cells="voronoi")
    seeds = session.data["cells"]["seed"].values
    np.testing.assert_array_equal(seeds, np.flatnonzero(labels[keep] == 0))


def test_it_needs_no_lattice_and_the_hierarchy_does() -> None:
    points, labels = hexagons()
    session = session_of(points, labels).find_cells(cells="voronoi")
    assert "lattice" not in session.data.children
    with pytest.raises(ValueError, match="`build_hierarchy` needs the cells of a lattice"):
        session.build_hierarchy()


def test_points_on_the_edge_of_the_image() -> None:
    points, labels = hexagons()
    corners = np.array([[-0.5, -0.5], [299.5, 299.5], [-0.5, 150.0]])
    session = session_of(np.concatenate([points, corners]), np.append(labels, [0, 0, 0]))
    cells = session.find_cells(cells="voronoi").data["cells"].to_dataset()
    assert cells["area"].values.sum() == pytest.approx((300 * PIXEL) ** 2)
    assert cells["border"].values[-3:].all()
    assert cells["cell_of_point"].values[-3:].tolist() == list(range(cells.sizes["cell"]))[-3:]


def test_saved_and_opened_again(tmp_path: Path) -> None:
    session = session_of(*hexagons(0.8)).find_cells(cells="voronoi", seeds=["M0", "M2"])
    again = MotifSession.open(session.save(tmp_path / "a.zarr"))
    assert again.cell_shapes.equals(session.cell_shapes)
    assert again.cell_classes.equals(session.cell_classes)
    again.motifs.rename("M2", "dopant")
    assert "dopant" in set(again.cell_shapes["motif"])
    assert "M1 + dopant" in set(again.cell_classes["composition"])


def test_errors() -> None:
    points, labels = hexagons()
    session = session_of(points, labels)
    with pytest.raises(ValueError, match=r"`seeds` must be names of motifs \(M0, M1, M2\), got 'M7'"):
        session.find_cells(cells="voronoi", seeds=["M7"])
    with pytest.raises(ValueError, match='`seeds` goes with `cells="voronoi"` only'):
        session.find_cells(seeds=["M0"])
    with pytest.raises(ValueError, match="there are no shapes of cells of a lattice"):
        _ = session.find_cells().cell_shapes
    few = np.full(len(points), 1)
    few[:4] = 0
    with pytest.raises(ValueError, match="`seeds` must be motifs with cells that the edge of the image does"):
        session_of(points, few).find_cells(cells="voronoi", seeds=["M0"])


def test_pentagons_of_a_cairo_tiling() -> None:
    """Four cells or more meet at a corner: short sides are none, every inner cell has five."""
    path = Path(__file__).parents[1] / "numerics" / "cairo.py"
    spec = importlib.util.spec_from_file_location("cairo", path)
    assert spec is not None
    assert spec.loader is not None
    cairo = importlib.util.module_from_spec(spec)
    sys.modules["cairo"] = cairo
    spec.loader.exec_module(cairo)
    centers = cairo.cairo(9, size=50.0, scatter=0.8).centers
    centers -= centers.min(axis=0) - 20
    session = MotifSession(np.zeros(np.ceil(centers.max(axis=0)).astype(int) + 20, np.float32))
    session.set_points(centers).set_motifs(np.zeros(len(centers), int)).find_cells(cells="voronoi")
    shapes = session.cell_shapes
    inner = shapes[~shapes["border"]]
    assert len(inner) > 0.7 * len(shapes)
    assert (inner["sides"] == 5).all()
    assert 0 < inner["distortion"].max() < 0.1
