"""Drawing columns: against direct sums, at sub-pixel places, at any number of threads."""

from typing import Any

import numpy as np
import pytest

from atomotif.numerics.rendering import profile_reach, render_columns

RNG = np.random.default_rng(0)


def direct(shape: tuple[int, int], points: np.ndarray, heights: np.ndarray, function: Any) -> np.ndarray:
    row, col = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for (r, c), height in zip(points, heights):
        image += height * function(np.hypot(row - r, col - c))
    return image


def gaussian(fwhm: float) -> Any:
    return lambda r: np.exp(-4 * np.log(2) * (r / fwhm) ** 2)


@pytest.mark.parametrize("shape", [(70, 33), (130, 9), (1, 20)])
@pytest.mark.parametrize("fwhm", [2.0, 7.3])
def test_gaussians_are_the_direct_sum(shape: tuple[int, int], fwhm: float) -> None:
    points = RNG.uniform(-12, np.array(shape) + 12.0, (40, 2))
    heights = RNG.uniform(-1, 2, 40)
    image = render_columns(shape, points, heights, fwhm)
    np.testing.assert_allclose(image, direct(shape, points, heights, gaussian(fwhm)), atol=3e-5)


def test_listed_and_called_profiles_are_the_direct_sum() -> None:
    points, heights = RNG.uniform(0, 50, (30, 2)), RNG.uniform(0, 2, 30)

    def cone(r: np.ndarray) -> np.ndarray:
        return np.interp(r, [0, 2, 6], [1.0, 0.7, 0.0])

    listed = render_columns((50, 50), points, heights, [[0, 1.0], [2, 0.7], [6, 0.0]])
    np.testing.assert_allclose(listed, direct((50, 50), points, heights, cone), atol=1e-2 / 256)

    def tailed(r: np.ndarray) -> np.ndarray:
        return gaussian(3.0)(r) + 0.06 * gaussian(6.0)(r)

    called = render_columns((50, 50), points, heights, tailed)
    np.testing.assert_allclose(called, direct((50, 50), points, heights, tailed), atol=1e-4)


def test_the_centroid_of_a_column_is_its_position() -> None:
    row, col = np.mgrid[:41, :41]
    for at in RNG.uniform(19, 21, (20, 2)):
        image = render_columns((41, 41), at[None], [3.0], 6.0).astype(float)
        found = [(image * row).sum() / image.sum(), (image * col).sum() / image.sum()]
        np.testing.assert_allclose(found, at, atol=1e-5)


def test_threads_and_order_do_not_matter_to_equal_input() -> None:
    points, heights = RNG.uniform(0, 200, (500, 2)), RNG.uniform(0, 1, 500)
    one = render_columns((200, 200), points, heights, 5.0, n_threads=1)
    np.testing.assert_array_equal(one, render_columns((200, 200), points, heights, 5.0, n_threads=3))
    # What is below the cut does not change what is above it.
    np.testing.assert_array_equal(one[:90], render_columns((90, 200), points, heights, 5.0))


@pytest.mark.parametrize("make", [lambda a: a.astype(">f8"), lambda a: a[::-1][::-1], lambda a: a.tolist()])
def test_any_layout_of_input(make: Any) -> None:
    points, heights = RNG.uniform(0, 20, (5, 2)), np.arange(5.0)
    frozen = points.copy()
    frozen.flags.writeable = False
    wanted = render_columns((20, 20), frozen, heights, 3.0)
    np.testing.assert_array_equal(render_columns((20, 20), make(points), make(heights), 3.0), wanted)
    assert wanted.dtype == np.float32


def test_no_columns_are_an_empty_image() -> None:
    assert not render_columns((8, 9), np.empty((0, 2)), [], 3.0).any()


def test_the_reach_is_where_the_profile_ends() -> None:
    assert profile_reach([[0, 1], [4.5, 0]]) == 4.5
    assert profile_reach(lambda r: np.where(r < 7, 1.0, 0.0)) == pytest.approx(7, abs=0.11)
    assert profile_reach(lambda r: 0 * r) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 9), [[1, 1]], [1.0], 2.0), "`shape`"),
        (((9, 9), [[1, np.nan]], [1.0], 2.0), "`points`"),
        (((9, 9), [[1, 1]], [1.0, 2.0], 2.0), "`heights`"),
        (((9, 9), [[1, 1]], [np.inf], 2.0), "`heights`"),
        (((9, 9), [[1, 1]], [1.0], 0.0), "`profile`"),
        (((9, 9), [[1, 1]], [1.0], [1.0, 2.0]), "`profile`"),
        (((9, 9), [[1, 1]], [1.0], [[0, 1], [0, 2]]), "`profile`"),
        (((9, 9), [[1, 1]], [1.0], [[-1, 1], [0, 2]]), "`profile`"),
        (((9, 9), [[1, 1]], [1.0], lambda r: 1 / (1 + r)), "`profile`"),
        (((9, 9), [[1, 1]], [1.0], lambda r: 1.0), "`profile`"),
        (((9, 9), [[1, 1]], [1.0], lambda r: np.full_like(r, np.nan)), "`profile`"),
    ],
)
def test_wrong_input_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"{message} must"):
        render_columns(*arguments)
