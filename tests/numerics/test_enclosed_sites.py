"""Sites within the region of a grain: half planes at all angles, vacancies, whole fields."""

import numpy as np
import pytest

from atomotif.numerics.enclosed_sites import enclosed
from atomotif.numerics.lattice import find_lattice, sites

SHAPE = (300, 300)
VECTORS = {
    "square": np.array([[12.0, 1.0], [-1.0, 12.0]]),
    "hexagonal": np.array([[12.0, 0.0], [6.0, 10.39]]),
}


def lattice_points(kind: str) -> np.ndarray:
    index = np.stack(np.meshgrid(*[np.arange(-60, 61)] * 2), -1).reshape(-1, 2)
    points = index @ VECTORS[kind] + 150
    return points[((points >= 0) & (points <= 299)).all(axis=1)]


@pytest.mark.parametrize("kind", ["square", "hexagonal"])
@pytest.mark.parametrize("degrees", [0, 17, 45, 71])
def test_a_ragged_wedge_keeps_its_vacancies_only(kind: str, degrees: float) -> None:
    rng = np.random.default_rng(degrees)
    points = lattice_points(kind)
    x, y = (points[:, ::-1] - 150).T
    t = np.deg2rad(degrees)
    # Three quarters of the plane: the fourth is in the convex hull; its borders are ragged.
    u = x * np.cos(t) + y * np.sin(t) + rng.normal(0, 3, len(points))
    v = y * np.cos(t) - x * np.sin(t) + rng.normal(0, 3, len(points))
    inside = (u < 0) | (v < 0)
    deep = np.minimum(u, v) < -40
    vacancy = points[inside & deep & ((np.abs(points - 150) < 110).all(axis=1))][::60]
    taken = inside & ~np.isin(points[:, 0] + 1000 * points[:, 1], vacancy[:, 0] + 1000 * vacancy[:, 1])
    lattice = find_lattice(points[taken])
    _, _, empty = sites(lattice, SHAPE)
    kept = empty[enclosed(empty, points[taken], lattice, SHAPE)]
    near = np.linalg.norm(kept[:, None] - vacancy[None], axis=-1) < 1
    assert len(vacancy) >= 3
    assert near.any(axis=0).all()
    assert len(empty) - len(vacancy) > 60
    # Of the sites beyond the border hardly one is kept.
    assert len(kept) - len(vacancy) <= 0.05 * (len(empty) - len(vacancy))


def test_in_a_whole_field_all_are_kept_up_to_the_edge() -> None:
    points = lattice_points("square")
    gone = np.random.default_rng(0).random(len(points)) < 0.1
    lattice = find_lattice(points[~gone])
    _, _, empty = sites(lattice, SHAPE)
    assert len(empty) > 30
    assert enclosed(empty, points[~gone], lattice, SHAPE).all()
    assert enclosed(np.empty((0, 2)), points, lattice, SHAPE).shape == (0,)
