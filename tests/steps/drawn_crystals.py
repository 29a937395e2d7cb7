"""Drawn crystals: positions of their columns, and images of round spots there."""

import numpy as np

HONEYCOMB = (np.array([[np.sqrt(3), 0.0], [np.sqrt(3) / 2, 1.5]]), np.array([[0.0, 0.0], [0.0, 1.0]]))
SQUARE = (np.eye(2), np.zeros((1, 2)))
RECTANGLE = (np.array([[1.0, 0.0], [0.0, 1.35]]), np.zeros((1, 2)))


def columns(crystal: tuple[np.ndarray, np.ndarray], spacing: float, turn: float, shape: tuple[int, int]):
    """Return (row, col) of the columns in an image, and their sublattice; `turn` in radians from x to y."""
    vectors, basis = crystal
    reach = int(2 * max(shape) / spacing)
    index = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    kind = np.repeat(np.arange(len(basis)), len(index))
    xy = spacing * np.concatenate([index @ vectors + offset for offset in basis])
    xy = xy @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    rowcol = xy[:, ::-1] + np.array(shape) / 2 + [0.3, 0.2]
    inside = ((rowcol > -0.4) & (rowcol < np.array(shape) - 0.6)).all(axis=1)
    return rowcol[inside], kind[inside]


def draw(points: np.ndarray, height: np.ndarray | float, width: float, shape: tuple[int, int]) -> np.ndarray:
    """Return an image of Gaussian spots."""
    image = np.zeros(shape)
    reach = int(5 * width) + 1
    for (row, col), peak in zip(points, np.broadcast_to(height, len(points))):
        low = np.maximum([int(row) - reach, int(col) - reach], 0)
        y, x = np.mgrid[low[0] : int(row) + reach + 1, low[1] : int(col) + reach + 1]
        y, x = y[y[:, 0] < shape[0]], x[: np.count_nonzero(y[:, 0] < shape[0])]
        y, x = y[:, x[0] < shape[1]], x[:, x[0] < shape[1]]
        image[y, x] += peak * np.exp(-((y - row) ** 2 + (x - col) ** 2) / (2 * width**2))
    return image
