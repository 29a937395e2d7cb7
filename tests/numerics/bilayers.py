"""Simulated bilayers: two lattices of Gaussian columns, with their registry known everywhere."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ANGLE = {"honeycomb": 60, "graphene": 60, "triangular": 60, "square": 90}


@dataclass
class Bilayer:
    """An image of two layers, and what was planted."""

    image: np.ndarray
    points: np.ndarray
    registry: (
        np.ndarray
    )  # at the points, not reduced: heavy column of layer 2 from that of layer 1, (row, col) px
    cell: np.ndarray  # of the first layer, rows (row, col) px
    period: float


def bilayer(
    twist: float,
    *,
    kind: str = "honeycomb",
    stacking: str = "antiparallel",
    a: float = 16.0,
    size: int = 480,
    rotation: float = 7.0,
    distortion: np.ndarray | None = None,
    drift: float = 0.0,
    relaxed: Callable[[np.ndarray], np.ndarray] | None = None,
    noise: float = 0.0,
    dose: float = 0.0,
    seed: int = 0,
) -> Bilayer:
    """Draw a bilayer; angles in degrees turn from x towards y.

    `relaxed` gives the displacement of layer 2 (and, reversed, of layer 1), half each, at places (row, col).
    """
    rng = np.random.default_rng(seed)
    warp = np.eye(2) if distortion is None else np.eye(2) + distortion
    middle = (size - 1) / 2
    angle = np.radians(ANGLE[kind])
    # Columns (x, y) of the undistorted first layer.
    straight = a * np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    reach = int(1.5 * size / a) + 4
    index = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    third = (straight[0] + straight[1]) / 3
    image = np.zeros((size, size))
    corner = rng.uniform(-0.5, 0.5, 2) @ straight
    turns = [np.radians(rotation), np.radians(rotation + twist)]

    def turned(vectors: np.ndarray, by: float) -> np.ndarray:
        return vectors @ np.array([[np.cos(by), np.sin(by)], [-np.sin(by), np.cos(by)]])

    def seen(places: np.ndarray) -> np.ndarray:
        """Places (x, y) in the undistorted frame as (row, col) of the image: stretched, then drifting."""
        rows, cols = (places @ warp.T)[:, ::-1].T
        return np.column_stack([rows, cols + drift * np.sin(np.pi * rows / size)]) + middle

    for layer, by in enumerate(turns):
        sign = -1 if layer and stacking == "antiparallel" else 1
        columns = {
            "honeycomb": [(0 * third, 1.0), (sign * third, 0.45)],
            "graphene": [(0 * third, 1.0), (third, 1.0)],
        }
        for offset, height in columns.get(kind, [(0 * third, 1.0)]):
            places = turned(index @ straight + offset, by) + (turned(corner, by) if layer else 0)
            places = places[np.abs(places).max(axis=1) < size]
            if relaxed is not None:
                places = places + (layer - 0.5) * relaxed(places[:, ::-1] + middle)[:, ::-1]
            _draw(image, seen(places), height, 0.13 * a)
    grid = rng.uniform(20, size - 20, (600, 2)) - middle
    under = (grid - [0, 0])[:, ::-1]  # (x, y) in the image
    # Undo what `seen` did, to place the points in the undistorted frame.
    under[:, 0] -= drift * np.sin(np.pi * under[:, 1] / size)
    under = under @ np.linalg.inv(warp).T
    registry = under - turned(under, turns[0] - turns[1]) + turned(corner, turns[0])
    if relaxed is not None:
        registry = registry + relaxed(under[:, ::-1] + middle)[:, ::-1]
    registry = (registry @ warp.T)[:, ::-1]
    cell = (turned(straight, turns[0]) @ warp.T)[:, ::-1]
    if dose:
        image = rng.poisson(dose * (image + 0.05)).astype(float)
    image += noise * rng.normal(size=image.shape)
    period = a / (2 * np.sin(np.radians(twist) / 2)) * np.sqrt(np.linalg.det(warp))
    return Bilayer(image, grid + middle, registry, cell, period)


def _draw(image: np.ndarray, places: np.ndarray, height: float, sigma: float) -> None:
    """Add Gaussian columns at places (row, col)."""
    half = int(np.ceil(5 * sigma))
    size = len(image)
    inside = ((places > -half) & (places < size - 1 + half)).all(axis=1)
    offset = np.arange(-half, half + 1)
    for row, col in places[inside]:
        i, j = round(row) + offset, round(col) + offset
        i, j = i[(i >= 0) & (i < size)], j[(j >= 0) & (j < size)]
        if len(i) and len(j):
            image[i[0] : i[-1] + 1, j[0] : j[-1] + 1] += height * np.outer(
                np.exp(-(((i - row) / sigma) ** 2) / 2), np.exp(-(((j - col) / sigma) ** 2) / 2)
            )


def apart(registry: np.ndarray, planted: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the distance between registries modulo the cell."""
    fractions = (registry - planted) @ np.linalg.inv(cell)
    rest = (fractions - np.rint(fractions)) @ cell
    around = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ cell
    return np.hypot(*(rest[:, None] + around).T).min(axis=0)
