"""The comparison of domains in the saved pictures."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw

from atomotif.export.drawing import INK, MUTED, PAPER, Frame, draw_title, fit_text, font, wrapped
from atomotif.views.comparison import DIFFERENCE, NO_VALUE, PAIR_COLORS, ComparisonData
from atomotif.views.style import SEQUENTIAL

_TITLE = 26
_LEFT = 70  # px for the names of the domains
_CELL, _LEAST_CELL = 46, 30  # px: the latter has room for a value
_ROW = 3  # px of a moment
_SCALE = 100  # px
_KEY = 34  # px of a scale with its title
_BELOW = 22 + _KEY  # px of ticks and scale
_MUTED = 0.22  # part of its colour that a cell without significance keeps
_BEYOND = 99.0  # percentile that is the end of a scale of shares: a few full bins must not darken all others
_SIGNS = str.maketrans(
    {"\N{MINUS SIGN}": "-", "\N{LESS-THAN OR EQUAL TO}": "<=", "≥": ">="}
)  # not in the font


def draw_comparison(
    shown: ComparisonData, selected: NDArray[np.bool_], width: int, is_stale: bool
) -> Image.Image:
    """Return the map of the divergences, and the histograms of one or two domains that are selected."""
    n = len(shown.domains)
    pair = _pair(shown, selected)
    half = (width - 24) // 2 if pair else width
    cell = min(_CELL, max(1, (half - _LEFT) // n))
    lines = wrapped(shown.kinds[0].note.translate(_SIGNS), width)
    below = _TITLE + cell * n + _BELOW
    high = max(below, _TITLE + 24 + _ROW * len(shown.moments) + _KEY if pair else 0)
    made = Image.new("RGB", (width, high + 20 * len(lines)), PAPER)
    draw = ImageDraw.Draw(made)
    draw_title(draw, "Comparison of domains", is_stale)
    made.paste(_map(shown, pair, cell), (0, _TITLE))
    if pair:
        made.paste(_histograms(shown, pair, width - half - 24), (half + 24, _TITLE))
    for k, line in enumerate(lines):
        draw.text((0, high + 20 * k), line, MUTED, font(13))
    return made


def draw_domains(
    canvas: NDArray[np.uint8], frame: Frame, shown: ComparisonData, selected: NDArray[np.bool_]
) -> None:
    """Outline the domains that lie wholly in the selection, in place in the range of a micrograph."""
    part = canvas[frame.inside]
    drawn = Image.fromarray(part)
    draw = ImageDraw.Draw(drawn)
    whole = shown.whole(selected)
    colors = PAIR_COLORS if len(whole) <= len(PAIR_COLORS) else ["#555555"] * len(whole)
    for color, width in ((None, 6), ("own", 3)):
        for domain, own in zip(whole, colors):
            for ring in shown.rings(int(domain)):
                around = np.vstack([ring, ring[1:2]])  # so that its ends are joined, too
                corners = [*zip(*frame.place(around[:, 0], around[:, 1]))]
                draw.line(corners, fill=own if color else PAPER, width=width, joint="curve")
    part[:] = np.asarray(drawn)


def _pair(shown: ComparisonData, selected: NDArray[np.bool_]) -> list[int]:
    whole = shown.whole(selected).tolist()
    return whole if len(whole) in (1, 2) else []


def _map(shown: ComparisonData, pair: list[int], cell: int) -> Image.Image:
    """Return the first mode of the map with its scale."""
    n, found = len(shown.domains), shown.kinds[0]
    mode = found.modes[0]
    made = Image.new("RGB", (_LEFT + max(cell * n, 300) + 2, cell * n + _BELOW), PAPER)
    draw = ImageDraw.Draw(made)
    value = found.of(mode["measure"])
    for row in range(n):
        color = PAIR_COLORS[pair.index(row)] if row in pair else MUTED if pair else INK
        at = (row + 0.5) * cell
        name = shown.domains[row]["name"]
        draw.text((_LEFT - 6, at), fit_text(name, _LEFT - 8, 12), color, font(12), anchor="rm")
        if cell >= _LEAST_CELL:
            draw.text((_LEFT + at, cell * n + 3), fit_text(name, cell - 2, 12), color, font(12), anchor="ma")
        for col in range(n):
            box = (_LEFT + col * cell, row * cell, _LEFT + (col + 1) * cell - 2, (row + 1) * cell - 2)
            level, muted = found.level[0, row, col], found.muted[row, col]
            if level == NO_VALUE:
                draw.rectangle(box, fill=(243, 245, 247))
                continue
            strength = _MUTED if muted else 1.0
            red, green, blue = (
                round(strength * part + (1 - strength) * 255)
                for part in ImageColor.getrgb(SEQUENTIAL[level])[:3]
            )
            fill = (red, green, blue)
            draw.rectangle(box, fill=fill)
            if muted:
                _hatch(draw, box)
            if cell >= _LEAST_CELL:
                bright = np.dot(fill, (0.299, 0.587, 0.114)) > 120
                middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
                text = f"{value[row, col]:.2f}".replace("-0.00", "0.00")
                if muted:
                    draw.rectangle(draw.textbbox(middle, text, font(12), anchor="mm"), fill=fill)
                draw.text(middle, text, INK if bright else PAPER, font(12), anchor="mm")
    _scale(draw, (0, cell * n + 22), str(mode["title"]), SEQUENTIAL, [tick["text"] for tick in mode["ticks"]])
    return made


def _hatch(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int]) -> None:
    left, _, right, bottom = box
    side = right - left
    for start in range(-side, side, 9):
        x0, x1 = max(0, start), min(side, start + side)
        draw.line((left + x0, bottom - (x0 - start), left + x1, bottom - (x1 - start)), fill=MUTED)


def _histograms(shown: ComparisonData, pair: list[int], width: int) -> Image.Image:
    """Return the histograms of one or two domains and their difference, a row each moment."""
    counts = shown.kinds[0].histogram[pair]
    share = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1)
    end = _end(share)
    parts: list[tuple[str, str | tuple[int, int, int], tuple[str, ...], NDArray[np.float64]]] = [
        (shown.domains[k]["name"], PAIR_COLORS[place], SEQUENTIAL, share[place] / end)
        for place, k in enumerate(pair)
    ]
    if len(pair) == 2:
        difference = share[0] - share[1]
        both = _end(difference)
        parts.append(("difference", INK, DIFFERENCE, difference / both / 2 + 0.5))
    high = _ROW * len(shown.moments)
    made = Image.new("RGB", (width, 20 + high + 4 + _KEY), PAPER)
    draw = ImageDraw.Draw(made)
    across = (width - 36) // len(parts)
    for k, (name, color, palette, part) in enumerate(parts):
        left = 36 + k * across
        draw.text((left, 1), fit_text(name, across - 8, 13), color, font(13))
        colors = np.array([ImageColor.getrgb(one) for one in palette], np.uint8)
        pixels = colors[np.rint(np.clip(part, 0, 1) * (len(palette) - 1)).astype(int)]
        drawn = Image.fromarray(pixels).resize((across - 8, high), Image.Resampling.NEAREST)
        made.paste(drawn, (left, 20))
    last = -9.0
    for k, (p, q) in enumerate(shown.moments):
        at = 20 + _ROW * (k + 0.5)
        if (k == 0 or p != shown.moments[k - 1][0]) and at - last >= 12:
            draw.text((32, at), f"{p},{q}", MUTED, font(10), anchor="rm")
            last = at
    _scale(draw, (36, 20 + high + 4), "share of points", SEQUENTIAL, ["0", "", f">= {100 * end:.2g} %"])
    return made


def _end(values: NDArray[np.float64]) -> float:
    size = np.abs(values)
    return float(np.percentile(size, _BEYOND)) or float(size.max(initial=0.0)) or 1.0


def _scale(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], title: str, palette: tuple[str, ...], ticks: list[str]
) -> None:
    low, high = (ticks[k].translate(_SIGNS) for k in (0, 2))
    draw.text(at, title, INK, font(12))
    draw.text((at[0], at[1] + 17), low, MUTED, font(12))
    x, y = at[0] + int(draw.textlength(low, font(12))) + 6, at[1] + 17
    for k in range(_SCALE):
        draw.line((x + k, y + 2, x + k, y + 13), fill=palette[k * (len(palette) - 1) // (_SCALE - 1)])
    draw.text((x + _SCALE + 6, y), high, MUTED, font(12))
