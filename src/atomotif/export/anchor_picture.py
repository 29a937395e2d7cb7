"""The anchors in a still picture: the triangle of their mixtures, average and name at each corner."""

import numpy as np
from PIL import Image, ImageDraw

from atomotif.export.drawing import INK, MUTED, PAPER, Frame, fit_text, font
from atomotif.views.anchor_data import AnchorData
from atomotif.views.anchor_layout import (
    TILE_HALF,
    anchor_corners,
    anchor_tiles,
    mixture_extent,
    mixture_picture,
)

# Opacity of the mixtures: points of the same colours are drawn on them.
_FAINT = 0.3


def draw_anchors(anchors: AnchorData, frame: Frame) -> Image.Image:
    """Return all of the figure but its points.

    Parameters
    ----------
    anchors : AnchorData
    frame : Frame
        The figure's, y upwards.

    Returns
    -------
    PIL.Image.Image
        As large as the frame's panel.
    """
    count = len(anchors.names)
    made = Image.new("RGB", (frame.width, frame.height), PAPER)
    draw = ImageDraw.Draw(made)
    left, top, _, _ = frame.box

    def at(x: float, y: float) -> tuple[int, int]:
        col, row = frame.place(np.array([x]), np.array([y]))
        return round(left + float(col[0])), round(top + float(row[0]))

    extent = mixture_extent(count)
    if extent is not None:
        corner, opposite = at(extent["x0"], extent["y1"]), at(extent["x1"], extent["y0"])
        size = (opposite[0] - corner[0], opposite[1] - corner[1])
        mixture = Image.fromarray(mixture_picture(anchors.colors, size[0])).resize(size)
        made.paste(mixture.convert("RGB"), corner, mixture.getchannel("A").point(lambda a: _FAINT * a))
    draw.polygon([at(*corner) for corner in anchor_corners(count)], outline=MUTED)
    half = round(TILE_HALF * frame.scale)
    for k, (x, y) in enumerate(anchor_tiles(count)):
        col, row = at(x, y)
        draw.rectangle((col - half, row - half, col + half, row + half), fill=anchors.colors[k])
        inner = 2 * half - 5
        if anchors.averages is None:
            draw.rectangle((col - half + 3, row - half + 3, col + half - 3, row + half - 3), fill=PAPER)
        else:
            tile = Image.fromarray(anchors.averages[k]).resize((inner, inner), Image.Resampling.NEAREST)
            made.paste(tile, (col - half + 3, row - half + 3))
        name = fit_text(anchors.names[k], 3 * half, 13)
        edge, anchor = (row - half - 4, "mb") if y > 0 else (row + half + 4, "mt")
        draw.text((col, edge), name, INK, font(13), anchor=anchor)
    return made
