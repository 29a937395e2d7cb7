"""The motif-cell hierarchy in the saved pictures."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from atomotif.export.drawing import INK, LINE, MUTED, PAPER, Frame, font
from atomotif.views.tree_data import TreeData
from atomotif.views.tree_layout import GAP, Placement, fit_tree

_ACCENT = (11, 87, 164)
_BODY = (243, 245, 247)
_LEFT = 64  # px for the names of the rows
_FINER = 3  # shapes are drawn so many times as large, to be smooth


def occurrences_touched(
    tree: TreeData, selected: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of how many occurrences of each motif-cell some point is selected, and those of which all are.

    Parameters
    ----------
    tree : TreeData
    selected : ndarray of bool, shape (n_points,)

    Returns
    -------
    touched : ndarray of int64, shape (n_nodes,)
    whole : ndarray of int64
        Occurrences.
    """
    offsets = tree.member_offset.astype(np.int64)
    count = np.append(0, np.cumsum(selected[tree.member_row]))[offsets]
    chosen = np.diff(count)
    before = np.append(0, np.cumsum(chosen > 0))[tree.occurrence_offset.astype(np.int64)]
    return np.diff(before), np.flatnonzero((chosen > 0) & (chosen == np.diff(offsets)))


def draw_tree(
    tree: TreeData, selected: NDArray[np.bool_], palette: NDArray[np.uint8], size: tuple[int, int]
) -> Image.Image:
    """Return the motif-cells with their edges and counts.

    Parameters
    ----------
    tree : TreeData
    selected : ndarray of bool, shape (n_points,)
        Motif-cells without any of these points are faded, if there are any.
    palette : ndarray of uint8, shape (n_motifs + 1, 3)
        Colours of the motifs, and that of none.
    size : (int, int)
        Width and height, px.
    """
    width, height = size
    placed, scale = fit_tree(
        tree.node_level,
        tree.node_count,
        tree.node_order,
        tree.node_width,
        tree.node_height,
        step=tree.step,
        size=(width - _LEFT, height),
    )
    touched = occurrences_touched(tree, selected)[0]
    lit = touched[placed.node] > 0 if selected.any() else np.ones(len(placed.node), bool)
    origin = np.array([(width + _LEFT - (placed.x0 + placed.x1) / scale) / 2, tree.step / scale / 2])
    place = np.column_stack([placed.x, placed.y]) / scale + origin
    made = _shapes(tree, placed, place, lit, palette, scale, size)
    draw = ImageDraw.Draw(made)
    for node, (x, y), bright in zip(placed.node, place, lit):
        right = x + tree.node_width[node] / scale / 2 + 3
        count = f"{tree.node_count[node]:,}"
        # The font has no sign of multiplication.
        text = f"{touched[node]:,} / {count}" if selected.any() and bright else f"x{count}"
        draw.text((right, y), text, INK if bright else LINE, font(12), anchor="lm")
    for level, folded, y, end in zip(
        placed.row_level, placed.row_folded, placed.row_y / scale + origin[1], placed.row_right
    ):
        plural = "" if level == 1 else "s"
        draw.text((_LEFT - 8, y), f"{level} {tree.unit}{plural}", MUTED, font(12), anchor="rm")
        if folded:
            right = origin[0] + (end + GAP * tree.step) / scale
            draw.text((right, y), f"+{folded:,} rare", MUTED, font(12), anchor="lm")
    return made


def _shapes(
    tree: TreeData,
    placed: Placement,
    place: NDArray[np.float64],
    lit: NDArray[np.bool_],
    palette: NDArray[np.uint8],
    scale: float,
    size: tuple[int, int],
) -> Image.Image:
    """Return all but the text, drawn larger and reduced."""
    made = Image.new("RGB", (size[0] * _FINER, size[1] * _FINER), PAPER)
    draw = ImageDraw.Draw(made)
    row = {int(node): k for k, node in enumerate(placed.node)}
    half = tree.node_height / scale / 2
    for lower, higher in zip(tree.edge_lower.tolist(), tree.edge_higher.tolist()):
        if lower in row and higher in row:
            (x0, y0), (x1, y1) = place[row[lower]], place[row[higher]]
            ends = np.array([x0, y0 + half[lower], x1, y1 - half[higher]]) * _FINER
            strong = not lit.all() and (lit[row[lower]] or lit[row[higher]])
            draw.line(tuple(ends), _ACCENT if strong else LINE, _FINER)

    def discs(
        xs: NDArray[np.float32], ys: NDArray[np.float32], at: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return (np.column_stack([xs, ys]) / scale + at) * _FINER

    for node, at, bright in zip(placed.node, place, lit):
        strong = bright and not lit.all()
        body = slice(tree.body_offset[node], tree.body_offset[node + 1])
        centers = discs(tree.body_x[body], tree.body_y[body], at)
        radius = tree.body / scale * _FINER
        for grown, color in ((_FINER * (2 if strong else 1), _ACCENT if strong else LINE), (0, _BODY)):
            for x, y in centers:
                r = radius + grown
                draw.ellipse((x - r, y - r, x + r, y + r), fill=color)
        for tile in range(tree.tile_offset[node], tree.tile_offset[node + 1]):
            corners = discs(tree.tile_x[tile], tree.tile_y[tile], at)
            draw.polygon(
                [*map(tuple, corners)], fill=_BODY, outline=_ACCENT if strong else LINE, width=_FINER
            )
        part = slice(tree.disc_offset[node], tree.disc_offset[node + 1])
        radius = tree.disc / scale * _FINER
        for (x, y), label, missing in zip(
            discs(tree.disc_x[part], tree.disc_y[part], at), tree.disc_label[part], tree.disc_missing[part]
        ):
            color = palette[label if 0 <= label < len(palette) - 1 else -1]
            shade = tuple((color if bright else color * 0.3 + 0.7 * np.array(PAPER)).astype(int).tolist())
            box = (x - radius, y - radius, x + radius, y + radius)
            # A ring must be told from a disc at this size, too.
            draw.ellipse(box, fill=None if missing else shade, outline=shade, width=max(1, round(radius / 3)))
    return made.resize(size, Image.Resampling.BOX)


def draw_outlines(
    canvas: NDArray[np.uint8], frame: Frame, tree: TreeData, selected: NDArray[np.bool_]
) -> None:
    """Outline the occurrences that lie wholly in the selection, in place in the range of a micrograph."""
    whole = occurrences_touched(tree, selected)[1]
    part = canvas[frame.inside]
    circles = [k for one in whole for k in range(tree.outline_offset[one], tree.outline_offset[one + 1])]
    col, row = frame.place(tree.outline_x[circles], tree.outline_y[circles])
    mask = Image.new("L", (part.shape[1], part.shape[0]), 0)
    draw = ImageDraw.Draw(mask)
    radius = tree.body * frame.scale
    # A light line within a dark one, and nothing inside.
    for grown, value in ((2.0, 1), (1.0, 2), (-0.5, 1), (-1.5, 0)):
        r = max(radius + grown, 0.0)  # of many columns each has less room than a line
        for x, y in zip(col, row):
            draw.ellipse((x - r, y - r, x + r, y + r), fill=value)
    drawn = np.asarray(mask)
    part[drawn == 1] = 0
    part[drawn == 2] = 255
