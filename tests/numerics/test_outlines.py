"""Outlines of regions: their areas, and which points they enclose."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.outlines import outlines
from atomotif.numerics.voronoi import voronoi_cells


def shoelace(ring: np.ndarray) -> float:
    after = np.roll(ring, -1, axis=0)
    return float(np.sum(ring[:, 1] * after[:, 0] - ring[:, 0] * after[:, 1]) / 2)


def winding(ring: np.ndarray, point: np.ndarray) -> int:
    """How often a ring turns round a point, from columns towards rows."""
    arm = ring - point
    angle = np.arctan2(arm[:, 0], arm[:, 1])
    step = (np.roll(angle, -1) - angle + np.pi) % (2 * np.pi) - np.pi
    return int(np.rint(step.sum() / (2 * np.pi)))


def squares(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners and offsets of unit squares, one for each entry."""
    row, col = np.mgrid[: labels.shape[0], : labels.shape[1]].reshape(2, -1)
    around = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
    corners = (np.column_stack([row, col])[:, None] + around).reshape(-1, 2)
    return corners, 4 * np.arange(row.size + 1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n_labels=st.integers(1, 4), lattice=st.booleans())
def test_rings_enclose_the_seeds_of_their_region_and_no_others(
    seed: int, n_labels: int, lattice: bool
) -> None:
    rng = np.random.default_rng(seed)
    seeds = rng.uniform(1, 99, (80, 2))
    if lattice:  # many corners of four cells
        seeds = 10.0 * np.mgrid[:10, :10].reshape(2, -1).T + 5
    cells = voronoi_cells(seeds, (100, 100), short_side=0)
    labels = rng.integers(-1, n_labels, len(seeds))
    found = outlines(cells.corners, cells.offsets, labels)
    assert (np.diff(found.region) >= 0).all()
    rings = [found.corners[a:b] for a, b in zip(found.offsets, found.offsets[1:], strict=False)]
    for label in range(n_labels):
        own = [ring for ring, region in zip(rings, found.region, strict=True) if region == label]
        assert sum(map(shoelace, own)) == pytest.approx(cells.area[labels == label].sum(), rel=1e-9, abs=1e-9)
        for point, other in zip(seeds, labels, strict=True):
            assert sum(winding(ring, point) for ring in own) == (other == label)


def test_a_hole_turns_the_other_way() -> None:
    labels = np.zeros((3, 3), int)
    labels[1, 1] = 1
    found = outlines(*squares(labels), labels.ravel())
    rings = [found.corners[a:b] for a, b in zip(found.offsets, found.offsets[1:], strict=False)]
    assert sorted(shoelace(ring) for ring in rings) == [-1.0, 1.0, 9.0]
    assert found.region.tolist() == [0, 0, 1]


def test_rings_that_touch_in_a_corner_do_not_cross() -> None:
    labels = np.array([[0, -1], [-1, 0]])
    found = outlines(*squares(labels), labels.ravel())
    assert np.diff(found.offsets).tolist() == [4, 4]
    # The holes of this one touch in a corner, too.
    labels = np.zeros((4, 4), int)
    labels[1, 1] = labels[2, 2] = -1
    found = outlines(*squares(labels), labels.ravel())
    rings = [found.corners[a:b] for a, b in zip(found.offsets, found.offsets[1:], strict=False)]
    assert sum(map(shoelace, rings)) == 14


def test_corners_that_rounding_keeps_apart_are_one() -> None:
    corners, offsets = squares(np.zeros((1, 2)))
    moved = corners + np.random.default_rng(0).uniform(-1e-13, 1e-13, corners.shape)
    assert len(outlines(moved, offsets, [0, 0]).corners) == 6


def test_nothing_has_no_outline() -> None:
    found = outlines(*squares(np.zeros((2, 2))), np.full(4, -1))
    assert found.corners.shape == (0, 2)
    assert found.offsets.tolist() == [0]
    assert found.region.shape == (0,)


def test_labels_must_fit() -> None:
    corners, offsets = squares(np.zeros((1, 2)))
    with pytest.raises(ValueError, match=r"`labels` must have shape \(2,\), .* got shape \(3,\)."):
        outlines(corners, offsets, [0, 0, 0])
