"""What must not matter does not: intensity, contrast, rotation and scale of the micrograph."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree
from sklearn.metrics import adjusted_rand_score

from atomotif import datasets
from atomotif.session.session import MotifSession

SIZE = 512
Mapped = tuple[np.ndarray, Callable[[np.ndarray], np.ndarray], dict[str, object]]


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return datasets.mose2_vacancies().values[:SIZE, :SIZE].astype(float)


@pytest.fixture(scope="module")
def reference(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return labelled(image)


def labelled(image: np.ndarray, **parameters: object) -> tuple[np.ndarray, np.ndarray]:
    """Positions and motifs of the points that got one."""
    data = MotifSession(image).run(**parameters).data
    labels = data["motifs"]["label"].values
    position = np.column_stack([data["points"]["row"], data["points"]["col"]])
    return position[labels >= 0], labels[labels >= 0]


def brighter(image: np.ndarray) -> Mapped:
    return 37.5 * image - 1234.0, lambda p: p, {}


def inverted(image: np.ndarray) -> Mapped:
    return image.max() - image, lambda p: p, {"contrast": "dark"}


def quarter_turn(image: np.ndarray) -> Mapped:
    return np.rot90(image), lambda p: np.column_stack([image.shape[1] - 1 - p[:, 1], p[:, 0]]), {}


def turned(image: np.ndarray) -> Mapped:
    angle = np.deg2rad(17)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(image.shape) - 1) / 2
    # A square inside the turned field, so that no made-up corners are seen.
    half = int(middle[0] / (np.cos(angle) + np.sin(angle)))
    offset = middle - matrix @ (np.ones(2) * half)
    made = ndimage.affine_transform(image, matrix, offset, output_shape=(2 * half + 1,) * 2, order=3)
    return made, lambda p: (p - offset) @ matrix, {}


def scaled(factor: float) -> Callable[[np.ndarray], Mapped]:
    def scale(image: np.ndarray) -> Mapped:
        made = ndimage.zoom(image, factor, order=3, grid_mode=True, mode="reflect")
        actual = made.shape[0] / image.shape[0]
        return made, lambda p: (p + 0.5) * actual - 0.5, {}

    scale.__name__ = f"scaled_{factor}"
    return scale


@pytest.mark.parametrize(
    "change", [brighter, inverted, quarter_turn, turned, scaled(0.7), scaled(1.4)], ids=lambda f: f.__name__
)
def test_labels_agree(
    change: Callable[[np.ndarray], Mapped], image: np.ndarray, reference: tuple[np.ndarray, np.ndarray]
) -> None:
    made, place, parameters = change(image)
    position, labels = labelled(made, **parameters)
    expected, expected_labels = place(reference[0]), reference[1]
    spacing = np.median(cKDTree(position).query(position, k=2)[0][:, 1])
    distance, nearest = cKDTree(position).query(expected)
    shown = ((expected > 1.5 * spacing) & (expected < np.array(made.shape) - 1.5 * spacing)).all(axis=1)
    pairs = shown & (distance < 0.25 * spacing)
    assert pairs.sum() > 0.98 * shown.sum()
    assert adjusted_rand_score(expected_labels[pairs], labels[nearest[pairs]]) >= 0.95
