"""Lines, text and markers of the saved pictures."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

PAPER = (255, 255, 255)
INK = (28, 36, 48)
MUTED = (85, 96, 110)
LINE = (196, 202, 210)


@dataclass(frozen=True)
class Frame:
    """The axes of a panel: a range at the same scale in x and y, as large as fits between the margins.

    Attributes
    ----------
    width, height : int
        Of the panel, px.
    left, bottom, top : int
        Margins for labels and title, px.
    x0, x1, y0, y1 : float
        The range; y0 is drawn at the top.
    """

    width: int
    height: int
    left: int
    bottom: int
    top: int
    x0: float
    x1: float
    y0: float
    y1: float

    @property
    def scale(self) -> float:
        """Pixels a unit."""
        across = (self.width - self.left - 1) / (self.x1 - self.x0)
        down = (self.height - self.top - self.bottom - 1) / abs(self.y1 - self.y0)
        return min(across, down)

    @property
    def columns(self) -> int:
        """Width of the range, px."""
        return max(1, round((self.x1 - self.x0) * self.scale))

    @property
    def rows(self) -> int:
        """Height of the range, px."""
        return max(1, round(abs(self.y1 - self.y0) * self.scale))

    @property
    def inside(self) -> tuple[slice, slice]:
        """The rows and columns of the panel that the range takes."""
        return slice(self.top, self.top + self.rows), slice(self.left, self.left + self.columns)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom edge of the range in the panel, px."""
        return self.left, self.top, self.left + self.columns, self.top + self.rows

    def place(
        self, x: NDArray[np.floating], y: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return column and row of points within the range, px."""
        return (
            (np.asarray(x, float) - self.x0) / (self.x1 - self.x0) * self.columns,
            (np.asarray(y, float) - self.y0) / (self.y1 - self.y0) * self.rows,
        )


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font, so that a picture is the same on every machine."""
    return ImageFont.load_default(size)


def fit_text(text: str, width: float, size: int) -> str:
    """Return text on one line, cut where it would be wider than `width` px.

    Examples
    --------
    >>> fit_text("V_Se", 100, 13)
    'V_Se'
    >>> fit_text("a motif with a long name", 60, 13)
    'a motif...'
    """
    line = " ".join(text.split()).replace("\N{PRIME}", "'")  # of which the font has no glyph
    if font(size).getlength(line) <= width:
        return line
    while line and font(size).getlength(f"{line}...") > width:
        line = line[:-1]
    return f"{line.rstrip()}..."


def wrapped(text: str, width: float, size: int = 13) -> list[str]:
    """Return text as lines that are no wider than `width` px, as far as its words are not.

    Examples
    --------
    >>> wrapped("one two three", 60)
    ['one two', 'three']
    """
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if font(size).getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def nice_length(at_most: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above `at_most`.

    Examples
    --------
    >>> nice_length(0.7), nice_length(4.9)
    (0.5, 2.0)
    """
    power = 10.0 ** math.floor(math.log10(at_most))
    return max(digit * power for digit in (1.0, 2.0, 5.0) if digit * power <= at_most * (1 + 1e-12))


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round numbers from `low` to `high`.

    Examples
    --------
    >>> nice_ticks(-0.005, 9.8, 5)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    low, high = min(low, high), max(low, high)
    step = nice_length(2 * (high - low) / count)
    return [k * step + 0.0 for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def number(value: float) -> str:
    """Return a number as short as it can be.

    Examples
    --------
    >>> number(2.0), number(0.1 + 0.2)
    ('2', '0.3')
    """
    return f"{value:.6g}"


def stamp_discs(
    canvas: NDArray[np.uint8],
    col: NDArray[np.float64],
    row: NDArray[np.float64],
    colors: NDArray[np.uint8],
    diameter: float,
) -> None:
    """Draw discs of these colours into an RGB array, in place; later ones lie above earlier ones."""
    height, width = canvas.shape[:2]
    reach = math.ceil(diameter / 2)
    at_col, at_row = np.floor(col).astype(np.int64), np.floor(row).astype(np.int64)
    inside = (at_col >= 0) & (at_col < width) & (at_row >= 0) & (at_row < height)
    # Of many discs round one pixel only the last is seen.
    last = np.full(height * width, -1)
    last[at_row[inside] * width + at_col[inside]] = np.flatnonzero(inside)
    seen = np.sort(last[last >= 0])
    at_col, at_row, colors = at_col[seen], at_row[seen], colors[seen]
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy > diameter * diameter / 4:
                continue
            to_col, to_row = at_col + dx, at_row + dy
            there = (to_col >= 0) & (to_col < width) & (to_row >= 0) & (to_row < height)
            canvas[to_row[there], to_col[there]] = colors[there]


def draw_title(draw: ImageDraw.ImageDraw, text: str, is_stale: bool) -> None:
    """Write the title of a panel at its top left."""
    draw.text((0, 2), text, INK, font(15))
    if is_stale:
        at = draw.textlength(text, font(15)) + 12
        draw.text((at, 4), "out of date", MUTED, font(12))
