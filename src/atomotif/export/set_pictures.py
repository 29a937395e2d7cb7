"""The classes of environments and the states of quads in a still picture."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from atomotif.export.drawing import INK, LINE, MUTED, PAPER, draw_title, fit_text, font, wrapped
from atomotif.views.environments import EnvironmentData
from atomotif.views.quads import N_STATES, QuadData

_TITLE = 26
_MOST_LINES = 12  # of environments
_TEXT, _BAR, _COUNT = 380, 200, 100  # px, at most
_ACROSS = 58  # px of a state


def draw_environments(
    shown: EnvironmentData, selected: NDArray[np.bool_], width: int, is_stale: bool
) -> Image.Image:
    """Return one line a class: what it is made of, and how many of its centres are selected."""
    chosen = np.bincount(shown.center_class[selected], minlength=256)[: len(shown.tiles)]
    bar = min(_BAR, width // 5)
    room = min(_TEXT, width - bar - _COUNT - 36)
    lines = list(enumerate(shown.tiles))[:_MOST_LINES]
    made = Image.new("RGB", (width, _TITLE + 20 * len(lines)), PAPER)
    draw = ImageDraw.Draw(made)
    more = len(shown.tiles) - len(lines)
    draw_title(draw, f"Environments ({more} classes more)" if more else "Environments", is_stale)
    for line, (k, tile) in enumerate(lines):
        top, count = _TITLE + 20 * line, int(tile["count"])
        text = ", ".join([tile["name"], *tile["text"]]).replace("\u00a0", " ")
        draw.ellipse((0, top + 4, 10, top + 14), fill=tile["color"])
        draw.text((16, top), fit_text(text, room, 13), INK, font(13))
        at = 16 + room + 10
        draw.rectangle((at, top + 3, at + bar, top + 14), fill=(235, 238, 241))
        if chosen[k]:
            part = bar * chosen[k] / max(count, 1)
            draw.rectangle((at, top + 3, at + part, top + 14), fill=tile["color"])
        words = f"{chosen[k]:,} / {count:,}" if selected.any() else f"{count:,}"
        draw.text((at + bar + 10, top), words, MUTED, font(13))
    return made


def draw_quads(shown: QuadData, selected: NDArray[np.bool_], width: int, is_stale: bool) -> Image.Image:
    """Return the sixteen states, each with how many of its quads are selected."""
    across = max(1, min(N_STATES, width // _ACROSS))
    lines = -(-N_STATES // across)
    texts = [line for text in shown.text for line in wrapped(text, width)]
    made = Image.new("RGB", (width, _TITLE + 66 * lines + 20 * len(texts)), PAPER)
    draw = ImageDraw.Draw(made)
    draw_title(draw, "Quads", is_stale)
    corners = shown.row.reshape(-1, 4)
    # Row -1, of a point that is not shown, takes the last.
    whole = np.append(selected, True)[corners].all(axis=1) & (corners >= 0).any(axis=1)
    chosen = np.bincount(shown.state[whole], minlength=256)
    for k, tile in enumerate(shown.tiles):
        line, place = divmod(k, across)
        x, y = place * _ACROSS + 22, _TITLE + 66 * line + 22
        for corner in range(4):
            angle = shown.orientation + corner * np.pi / 2
            at = (x + 15 * np.cos(angle), y + 15 * np.sin(angle))
            filled = tile["state"] >> corner & 1
            box = (at[0] - 6, at[1] - 6, at[0] + 6, at[1] + 6)
            draw.rectangle(box, fill=tile["color"] if filled else PAPER, outline=INK if filled else LINE)
        words = f"{chosen[tile['state']]:,} / {tile['count']:,}" if selected.any() else f"{tile['count']:,}"
        draw.text((x, y + 24), words, MUTED, font(12), anchor="ma")
    for k, text in enumerate(texts):
        draw.text((0, _TITLE + 66 * lines + 20 * k), text, MUTED, font(13))
    return made
