"""The largest inscribed polygon against all choices of corners."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from atomotif.numerics.inscribed_polygon import inscribed_polygon


def area(corners: np.ndarray) -> float:
    """Of a convex polygon, whatever the order of its corners."""
    arm = corners - corners.mean(axis=0)
    arm = arm[np.argsort(np.arctan2(arm[:, 0], arm[:, 1]))]
    after = np.roll(arm, -1, axis=0)
    return float(abs(np.sum(arm[:, 1] * after[:, 0] - arm[:, 0] * after[:, 1])) / 2)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(3, 5))
def test_no_other_corners_span_more(seed: int, k: int) -> None:
    points = np.random.default_rng(seed).normal(size=(12, 2))
    if len(ConvexHull(points).vertices) < k:
        with pytest.raises(ValueError, match="must have a hull of at least"):
            inscribed_polygon(points, k)
        return
    found = inscribed_polygon(points, k)
    assert len(set(found.tolist())) == k
    assert found[0] == found.min()
    best = max(area(points[list(chosen)]) for chosen in combinations(range(12), k))
    # Of all choices, those that are not convex have less area than their hull, so that none exceeds it.
    assert area(points[found]) == pytest.approx(best, rel=1e-9)


def test_corners_are_in_order_around_the_polygon() -> None:
    angle = np.array([0.0, 4.0, 1.2, 5.2, 2.5])
    points = np.column_stack([np.sin(angle), np.cos(angle)])
    found = angle[inscribed_polygon(points, 5)]
    assert (np.diff(found) % (2 * np.pi) < np.pi).all() or (np.diff(found) % (2 * np.pi) > np.pi).all()


def test_of_very_round_hulls_some_corners_are_tried() -> None:
    angle = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    circle = np.column_stack([np.sin(angle), np.cos(angle)])
    assert area(circle[inscribed_polygon(circle, 3)]) > 0.99 * 0.75 * np.sqrt(3)


@pytest.mark.parametrize(
    ("points", "k", "message"),
    [
        (np.eye(5, 2), 2, "`k` must be at least 3, got 2."),
        ([[0, 0], [1, 1], [2, 2]], 3, "`points` must be at least 3 that do not lie on one line."),
        ([[0, 0], [1, 1]], 3, "`points` must be at least 3 that do not lie on one line."),
        ([[0, 0], [0, 4], [4, 0], [1, 1]], 4, "`points` must have a hull of at least 4 corners, got 3."),
    ],
)
def test_unfit_input_is_refused(points: list[list[int]], k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        inscribed_polygon(points, k)
