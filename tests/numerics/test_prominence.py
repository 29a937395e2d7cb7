import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.prominence import peak_prominence, refine_peaks


def flooded(surface: np.ndarray) -> dict[tuple[int, int], float]:
    """Reference: pixels enter in order of height, components merge, the lower peak dies at the pass."""
    order = np.argsort(-surface.ravel(), kind="stable")
    peak_of: dict[int, int] = {}
    parent: dict[int, int] = {}
    rank = {int(pixel): at for at, pixel in enumerate(order)}
    prominence: dict[int, float] = {}

    def root(pixel: int) -> int:
        while parent[pixel] != pixel:
            pixel = parent[pixel]
        return pixel

    rows, cols = surface.shape
    for pixel in map(int, order):
        i, j = divmod(pixel, cols)
        parent[pixel] = pixel
        peak_of[pixel] = pixel
        for a in range(max(i - 1, 0), min(i + 2, rows)):
            for b in range(max(j - 1, 0), min(j + 2, cols)):
                other = a * cols + b
                if other == pixel or other not in parent:
                    continue
                first, second = root(pixel), root(other)
                if first == second:
                    continue
                if rank[peak_of[first]] > rank[peak_of[second]]:
                    first, second = second, first
                height = float(surface.ravel()[peak_of[second]] - surface.ravel()[pixel])
                if height > 0:
                    prominence[peak_of[second]] = height
                parent[second] = first
    top = int(order[0])
    if np.ptp(surface) > 0:
        prominence[top] = float(np.ptp(surface))
    return {divmod(pixel, cols): value for pixel, value in prominence.items()}


@pytest.mark.parametrize("levels", [3, 10, 10_000])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 13), cols=st.integers(1, 13))
def test_prominence_is_that_of_flooding(levels: int, seed: int, rows: int, cols: int) -> None:
    surface = np.random.default_rng(seed).integers(0, levels, (rows, cols)).astype(np.float32)
    peaks, prominence = peak_prominence(surface)
    found = {tuple(map(int, peak)): float(value) for peak, value in zip(peaks, prominence, strict=True)}
    assert found == flooded(surface)


def test_constant_surface_has_no_maximum() -> None:
    peaks, prominence = peak_prominence(np.ones((5, 6), np.float32))
    assert peaks.shape == (0, 2)
    assert prominence.shape == (0,)


def test_plateau_counts_once() -> None:
    surface = np.zeros((7, 9), np.float32)
    surface[2:4, 2:6] = 1
    peaks, prominence = peak_prominence(surface)
    assert peaks.tolist() == [[2, 2]]
    assert prominence.tolist() == [1.0]


@settings(max_examples=30, deadline=None)
@given(row=st.floats(0.0, 14.0), col=st.floats(0.0, 17.0), tilt=st.floats(-0.4, 0.4))
def test_paraboloid_is_found_exactly_even_at_the_edge(row: float, col: float, tilt: float) -> None:
    down, right = np.mgrid[:15, :18]
    down, right = down - row, right - col
    hill = (100 - down**2 - right**2 - tilt * down * right).astype(np.float32)
    start = np.array([[round(row), round(col)]])
    np.testing.assert_allclose(refine_peaks(hill, start, 2, 2.0), [[row, col]], atol=2e-3)


def test_refinement_gives_up_where_there_is_no_hill() -> None:
    bowl = (np.hypot(*np.mgrid[-5:6, -5:6]) ** 2).astype(np.float32)
    np.testing.assert_array_equal(refine_peaks(bowl, np.array([[5, 5]]), 2, 1.0), [[5.0, 5.0]])
    slope = -(np.mgrid[:11, :11][0] ** 2).astype(np.float32) - 0.001 * np.mgrid[:11, :11][1] ** 2
    np.testing.assert_array_equal(refine_peaks(slope, np.array([[8, 5]]), 2, 1.0), [[8.0, 5.0]])
