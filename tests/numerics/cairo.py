"""Centres of the pentagons of a Cairo tiling, with truth; imports nothing from atomotif."""

from dataclasses import dataclass

import numpy as np

# Edge-sharing triangles and squares of one side: the snub square tiling.
SNUB = (np.sqrt(3) - 1) / 4
FLAT = 0.155  # as for pentagons of five equal sides


@dataclass
class Cairo:
    """Pentagons, and the squares of both sublattices as rows of four pentagons."""

    centers: np.ndarray  # (n, 2) row, col px
    squares: list[np.ndarray]  # per sublattice (m, 4): corner k at angle + pi / 4 + k pi / 2, columns to rows
    cells: list[np.ndarray]  # per sublattice (m, 2): column and row of the square's cell
    vertices: list[np.ndarray]  # per sublattice (m, 2): the squares' centres, row, col px

    def without(self, gone: np.ndarray) -> "Cairo":
        """Return the tiling without some pentagons, nor the squares that had them."""
        keep = ~gone
        number = np.cumsum(keep) - 1
        rows = [keep[square].all(axis=1) for square in self.squares]
        return Cairo(
            self.centers[keep],
            [number[square[row]] for square, row in zip(self.squares, rows)],
            [cell[row] for cell, row in zip(self.cells, rows)],
            [vertex[row] for vertex, row in zip(self.vertices, rows)],
        )


def cairo(n: int = 10, size: float = 80.0, x: float = SNUB, angle: float = 0.1, scatter: float = 0.0,
          seed: int = 0) -> Cairo:  # fmt: skip
    """Return n x n cells of four pentagons, `size` px wide, turned by `angle`; `scatter` in px."""
    # Wyckoff position 4c of p4g: on the mirrors, round the fourfold centres (0, 0) and (1/2, 1/2).
    place = {}
    for i in range(n):
        for j in range(n):
            for k, (u, v) in enumerate([(x, x - 0.5), (0.5 - x, x), (-x, 0.5 - x), (x - 0.5, -x)]):
                place[i, j, k] = (i + u, j + v)
    names = list(place)
    number = {name: index for index, name in enumerate(names)}
    xy = np.array([place[name] for name in names])
    squares: list[list[list[int]]] = [[], []]
    cells: list[list[tuple[int, int]]] = [[], []]
    for i in range(n):
        for j in range(n):
            # Directions of the four within a cell: right and up, right and down, ... in (column, row).
            squares[0].append([number[i, j, k] for k in (1, 2, 3, 0)])
            cells[0].append((i, j))
            if i + 1 < n and j + 1 < n:
                # Round (i + 1/2, j + 1/2): towards each of the four cells, the pentagon that faces it.
                four = [(i + 1, j + 1, 3), (i, j + 1, 0), (i, j, 1), (i + 1, j, 2)]
                squares[1].append([number[name] for name in four])
                cells[1].append((i, j))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def to_pixels(units: np.ndarray) -> np.ndarray:
        return (units * size @ turn)[:, ::-1] + 10.0 * size

    noise = np.random.default_rng(seed).normal(0, scatter, xy.shape)
    grid = [np.array(cell) for cell in cells]
    return Cairo(
        to_pixels(xy) + noise,
        [np.array(square) for square in squares],
        grid,
        [to_pixels(grid[0] + 0.0), to_pixels(grid[1] + 0.5)],
    )


def random_classes(n: int, seed: int, shares: tuple[float, ...] = (0.594, 0.043, 0.363)) -> np.ndarray:
    """Return classes 0 empty, 1 partly filled, 2 filled, drawn independently."""
    return np.random.default_rng(seed).choice(3, size=n, p=shares)


def planted_classes(tiling: Cairo, one: int, other: int, seed: int) -> np.ndarray:
    """Return random classes with two ordered strips, whose squares of sublattice 0 are all in one state.

    Of 36 columns of cells 13 are in state `one` and 5 in `other`: 12 and 4 columns of level-3 squares.
    """
    classes = random_classes(len(tiling.centers), seed)
    for square, (column, _) in zip(tiling.squares[0], tiling.cells[0]):
        state = one if column < 13 else other if column < 18 else None
        if state is not None:
            classes[square] = [2 * ((state >> k) & 1) for k in range(4)]
    return classes
