"""The views as a still picture, drawn without a browser: for readers of a notebook that has no kernel."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from atomotif._palette import NEUTRAL
from atomotif.export.anchor_picture import draw_anchors
from atomotif.export.comparison_picture import draw_comparison, draw_domains
from atomotif.export.drawing import (
    INK,
    LINE,
    MUTED,
    PAPER,
    Frame,
    draw_title,
    fit_text,
    font,
    nice_length,
    nice_ticks,
    number,
    stamp_discs,
)
from atomotif.export.set_pictures import draw_environments, draw_quads
from atomotif.export.tree_picture import draw_outlines, draw_tree
from atomotif.views.anchor_data import AnchorData
from atomotif.views.anchor_layout import anchor_extent
from atomotif.views.coloring import colorings, point_colors
from atomotif.views.comparison import ComparisonData, comparison_data
from atomotif.views.data import DisplayImage, ViewData
from atomotif.views.environments import environment_data
from atomotif.views.layers import groups_of
from atomotif.views.quads import quad_data
from atomotif.views.workbench import VIEWS, columns

#: Bytes of a picture at most: ten of them keep a notebook well below 2 MB.
MOST_BYTES = 130_000
_CAPTION = "Saved picture. Run the cell for linked views."
_HEIGHT = 400  # px of a panel with a figure
_GAP = 16
_TITLE = 26
_TILE = 92
_MOST_LINES = 3  # of motifs; the saved picture of hundreds would be a large part of a notebook
_MOST_SHARES = 12
_CROWD = 1000  # selected points from which on they are drawn as small as the others


@dataclass(frozen=True)
class _Shown:
    """What all panels of one picture draw."""

    data: ViewData
    selected: NDArray[np.bool_]
    palette: NDArray[np.uint8]  # of the motifs, and of none
    colors: NDArray[np.uint8]  # of the points
    comparison: ComparisonData | None

    @property
    def any_selected(self) -> bool:
        return bool(self.selected.any())


def picture(
    data: xr.DataTree,
    views: Iterable[str] = VIEWS,
    selection: ArrayLike = (),
    *,
    width: int = 960,
    image: DisplayImage | None = None,
) -> bytes:
    """Return a picture of the views as PNG; layers over the micrograph are seen in the live views only.

    Parameters
    ----------
    data : xr.DataTree
        A session's data; views without data are left out.
    views : iterable of str
        Names of views; all by default.
    selection : array_like of int
        Ids of the selected points: they are ringed and the others faded.
    width : int, default 960
        Width of two figures side by side, px; one figure alone takes half of it.
    image : DisplayImage, optional
        The display copy of the micrograph, if it was made before.

    Returns
    -------
    bytes
        At most 130 kB: where that is too little for the noise of a micrograph it has fewer colours. Says
        that atomotif drew it in a text chunk after its header.

    Raises
    ------
    ValueError
        If there is neither an image nor points.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> pixels = np.arange(16.0)
    >>> image = xr.Dataset({"intensity": (("y", "x"), np.eye(16))}, {"y": pixels, "x": pixels})
    >>> picture(xr.DataTree.from_dict({"image": image}))[:4]
    b'\\x89PNG'
    """
    shown = _shown(data, selection, image)
    half = (width - _GAP) // 2
    wanted = tuple(views)
    figures = []
    if "micrograph" in wanted:
        figures.append(_micrograph(shown, half))
    if "layout" in wanted and shown.data.u is not None:
        figures.append(_layout(shown, half))
    if "anchors" in wanted and shown.data.anchors is not None and len(shown.data.anchors.names) > 1:
        figures.append(_anchors(shown.data.anchors, shown, half))
    beside_anchors = len(figures) == 3 and "gallery" in wanted and shown.data.kind == "anchor"
    if beside_anchors:
        figures.append(_gallery(shown, half))
    pairs = [figures[k : k + 2] for k in range(0, len(figures), 2)]
    total = width if len(figures) > 1 else half
    if "tree" in wanted and shown.data.tree is not None:
        total = width
    rows = [_summary(shown, total)]
    rows += [_beside(pair) for pair in pairs]
    if "tree" in wanted and shown.data.tree is not None:
        rows.append(_tree(shown, total))
    if "gallery" in wanted and shown.data.motifs and not beside_anchors:
        rows.append(_gallery(shown, total))
    groups = groups_of(data)
    if "environments" in wanted:
        found = environment_data(groups, shown.data.ids, with_averages=False)
        if found is not None:
            rows.append(draw_environments(found, shown.selected, total, "environments" in shown.data.stale))
    if "quads" in wanted:
        quads = quad_data(groups, shown.data.ids)
        if quads is not None:
            rows.append(draw_quads(quads, shown.selected, total, "quads" in shown.data.stale))
    if "comparison" in wanted and shown.comparison is not None:
        is_stale = "comparison" in shown.data.stale
        rows.append(draw_comparison(shown.comparison, shown.selected, total, is_stale))
    if "selection" in wanted and shown.any_selected and shown.data.motifs:
        rows.append(_shares(shown, total))
    rows.append(_line(_CAPTION, total, 12, MUTED))
    return _png(_below(rows))


def _shown(data: xr.DataTree, selection: ArrayLike, image: DisplayImage | None) -> _Shown:
    found = ViewData.from_tree(data, image)
    palette = np.array([_rgb(motif.color) for motif in found.motifs] + [_rgb(NEUTRAL)], np.uint8)
    if f"{found.kind}s" in found.stale:
        palette = (palette // 2 + 80).astype(np.uint8)
    coloring = colorings(found)[0]
    column = columns(found)[coloring["column"]]
    colors = point_colors(coloring, column, fade=coloring["group"] in found.stale)
    chosen = np.asarray(selection, dtype=np.int64).reshape(-1)
    comparison = comparison_data(groups_of(data), found.ids)
    return _Shown(found, np.isin(found.ids, chosen), palette, colors, comparison)


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


# ---- panels --------------------------------------------------------------------------------------


def _micrograph(shown: _Shown, width: int) -> Image.Image:
    data = shown.data
    image = data.image
    if image is None:
        x0, x1, y0, y1 = _extent(data.x, data.y)
    else:
        x0, x1, y0, y1 = image.x0, image.x1, image.y0, image.y1
    frame = Frame(width, _HEIGHT, left=56, bottom=40, top=_TITLE, x0=x0, x1=x1, y0=y0, y1=y1)
    canvas = np.full((_HEIGHT, width, 3), 255, np.uint8)
    if image is not None:
        size = (frame.columns, frame.rows)
        grey = np.asarray(Image.fromarray(image.pixels).resize(size, Image.Resampling.BOX))
        if shown.any_selected:
            grey = grey // 5 * 3
        canvas[frame.inside] = grey[..., None]
    _points(canvas, frame, data.x, data.y, shown, np.array([0, 0, 0] if image is not None else PAPER))
    if data.tree is not None and shown.any_selected:
        draw_outlines(canvas, frame, data.tree, shown.selected)
    if shown.comparison is not None and shown.any_selected:
        draw_domains(canvas, frame, shown.comparison, shown.selected)
    made = Image.fromarray(canvas)
    draw = ImageDraw.Draw(made)
    _axes(draw, frame, data.units)
    _scale_bar(draw, frame, data.units)
    draw_title(draw, "Micrograph", "points" in data.stale or "image" in data.stale)
    return made


def _layout(shown: _Shown, width: int) -> Image.Image:
    u, v = shown.data.u, shown.data.v
    assert u is not None
    assert v is not None
    x0, x1, y0, y1 = _extent(u, v)
    frame = Frame(width, _HEIGHT, left=1, bottom=2, top=_TITLE, x0=x0, x1=x1, y0=y1, y1=y0)
    canvas = np.full((_HEIGHT, width, 3), 255, np.uint8)
    _points(canvas, frame, u, v, shown, np.array(PAPER))
    made = Image.fromarray(canvas)
    draw = ImageDraw.Draw(made)
    draw.rectangle(frame.box, outline=LINE)
    draw_title(draw, "Layout", "layout" in shown.data.stale)
    return made


def _anchors(anchors: AnchorData, shown: _Shown, width: int) -> Image.Image:
    extent = anchor_extent(len(anchors.names))
    x0, x1, y0, y1 = (extent[edge] for edge in ("x0", "x1", "y0", "y1"))
    frame = Frame(width, _HEIGHT, left=1, bottom=2, top=_TITLE, x0=x0, x1=x1, y0=y1, y1=y0)
    canvas = np.array(draw_anchors(anchors, frame))
    _points(canvas, frame, anchors.place[:, 0], anchors.place[:, 1], shown, np.array(PAPER))
    made = Image.fromarray(canvas)
    draw = ImageDraw.Draw(made)
    draw.rectangle(frame.box, outline=LINE)
    draw_title(draw, "Anchors", "anchors" in shown.data.stale)
    return made


def _tree(shown: _Shown, width: int) -> Image.Image:
    assert shown.data.tree is not None
    made = Image.new("RGB", (width, _HEIGHT), PAPER)
    drawn = draw_tree(shown.data.tree, shown.selected, shown.palette, (width, _HEIGHT - _TITLE))
    made.paste(drawn, (0, _TITLE))
    missing = " (a ring is a missing column)" if shown.data.tree.disc_missing.any() else ""
    draw_title(ImageDraw.Draw(made), f"Motif-cells{missing}", "hierarchy" in shown.data.stale)
    return made


def _points(
    canvas: NDArray[np.uint8],
    frame: Frame,
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    shown: _Shown,
    paper: NDArray[np.int64],
) -> None:
    """Draw the points, those that are selected above the others, ringed, and the others faded."""
    there = np.isfinite(x) & np.isfinite(y)
    col, row = frame.place(x[there], y[there])
    colors, chosen = shown.colors[there], shown.selected[there]
    spacing = np.sqrt(frame.columns * frame.rows / max(len(x), 1))
    diameter = float(np.clip(0.42 * spacing, 2.0, 9.0))
    part = canvas[frame.inside]
    if not shown.any_selected:
        stamp_discs(part, col, row, colors, diameter)
        return
    faded = (0.3 * colors + 0.7 * paper).astype(np.uint8)
    stamp_discs(part, col[~chosen], row[~chosen], faded[~chosen], diameter)
    ring = np.array(255 - paper, np.uint8)
    larger = max(diameter + 1, 5.0) if np.count_nonzero(chosen) < _CROWD else diameter
    stamp_discs(part, col[chosen], row[chosen], np.broadcast_to(ring, colors[chosen].shape), larger + 2)
    stamp_discs(part, col[chosen], row[chosen], colors[chosen], larger)


def _extent(x: NDArray[np.float32], y: NDArray[np.float32]) -> tuple[float, float, float, float]:
    there = np.isfinite(x) & np.isfinite(y)
    if not there.any():
        return 0.0, 1.0, 0.0, 1.0
    x0, x1, y0, y1 = (float(edge) for axis in (x[there], y[there]) for edge in (axis.min(), axis.max()))
    pad = 0.05 * max(x1 - x0, y1 - y0) or 1.0
    return x0 - pad, x1 + pad, y0 - pad, y1 + pad


def _axes(draw: ImageDraw.ImageDraw, frame: Frame, units: str) -> None:
    left, top, right, bottom = frame.box
    draw.rectangle(frame.box, outline=LINE)
    small = font(12)
    for value in nice_ticks(frame.x0, frame.x1, 5):
        at = frame.place(np.array([value]), np.array([frame.y0]))[0][0] + left
        draw.line([(at, bottom), (at, bottom + 4)], fill=INK)
        draw.text((at, bottom + 6), number(value), INK, small, anchor="ma")
    for value in nice_ticks(frame.y0, frame.y1, 5):
        at = frame.place(np.array([frame.x0]), np.array([value]))[1][0] + top
        draw.line([(left - 4, at), (left, at)], fill=INK)
        draw.text((left - 7, at), number(value), INK, small, anchor="rm")
    draw.text(((left + right) / 2, bottom + 38), f"x ({units})", INK, font(13), anchor="ms")
    words = Image.new("L", (80, 18), 0)
    ImageDraw.Draw(words).text((40, 9), f"y ({units})", 255, font(13), anchor="mm")
    turned = words.transpose(Image.Transpose.ROTATE_90)
    draw.bitmap((left - 54, (top + bottom) // 2 - 40), turned, fill=INK)


def _scale_bar(draw: ImageDraw.ImageDraw, frame: Frame, units: str) -> None:
    left, _, _, bottom = frame.box
    length = nice_length((frame.x1 - frame.x0) / 4)
    pixels = length * frame.scale
    words = f"{number(length)} {units}"
    wide = max(pixels, draw.textlength(words, font(13)))
    draw.rectangle((left + 8, bottom - 46, left + 24 + wide, bottom - 8), fill=(30, 30, 30))
    draw.text((left + 16 + wide / 2, bottom - 41), words, "white", font(13), anchor="ma")
    start = left + 16 + (wide - pixels) / 2
    draw.rectangle((start, bottom - 20, start + pixels - 1, bottom - 17), fill="white")


def _summary(shown: _Shown, width: int) -> Image.Image:
    """Return the line above the views: how many columns there are, or are selected, and of which motifs."""
    total = len(shown.data.ids)
    count = int(shown.selected.sum())
    text = f"{count:,} of {total:,} columns selected" if count else f"{total:,} columns"
    made = Image.new("RGB", (width, 24), PAPER)
    draw = ImageDraw.Draw(made)
    draw.text((0, 3), text, INK, font(14))
    at = draw.textlength(text, font(14)) + 18
    counts = _counts(shown)
    for motif, number_selected in zip(shown.data.motifs, counts):
        if count and not number_selected:
            continue
        words = f"{fit_text(motif.name, 140, 13)} {number_selected if count else motif.count:,}"
        needed = 16 + draw.textlength(words, font(13))
        if at + needed > width - 14:
            draw.text((at, 3), "...", MUTED, font(13))
            break
        draw.ellipse((at, 7, at + 10, 17), fill=_rgb(motif.color))
        draw.text((at + 14, 3), words, INK, font(13))
        at += needed + 12
    return made


def _counts(shown: _Shown) -> NDArray[np.int64]:
    label = shown.data.label[shown.selected]
    return np.bincount(label[label >= 0], minlength=len(shown.data.motifs))


def _gallery(shown: _Shown, width: int) -> Image.Image:
    data = shown.data
    across = max(1, (width + 8) // (_TILE + 8))
    shown_motifs = data.motifs[: across * _MOST_LINES]
    lines = -(-len(shown_motifs) // across)
    tall = (_TILE + 40) if data.averages is not None else 44
    made = Image.new("RGB", (width, _TITLE + lines * (tall + 6)), PAPER)
    draw = ImageDraw.Draw(made)
    more = len(data.motifs) - len(shown_motifs)
    title = "Motifs" if data.kind == "motif" else "Nearest anchor"
    draw_title(
        draw, f"{title} ({more} rare ones not shown)" if more else title, f"{data.kind}s" in data.stale
    )
    counts = _counts(shown)
    for k, motif in enumerate(shown_motifs):
        line, place = divmod(k, across)
        left, top = place * (_TILE + 8), _TITLE + line * (tall + 6)
        color = _rgb(motif.color)
        if data.averages is not None:
            tile = Image.fromarray(data.averages[k]).resize((_TILE - 6, _TILE - 6), Image.Resampling.NEAREST)
            draw.rectangle((left, top, left + _TILE - 1, top + _TILE - 1), fill=color)
            made.paste(tile, (left + 3, top + 3))
        below = top + tall - 38
        draw.ellipse((left, below + 4, left + 10, below + 14), fill=color)
        draw.text((left + 14, below), fit_text(motif.name, _TILE - 14, 13), INK, font(13))
        count = f"{counts[k]:,} / {motif.count:,}" if shown.any_selected else f"{motif.count:,}"
        draw.text((left, below + 17), count, MUTED, font(12))
    return made


def _shares(shown: _Shown, width: int) -> Image.Image:
    """Return bars of the part of each motif that is selected."""
    counts = _counts(shown)
    chosen = [(m, int(n)) for m, n in zip(shown.data.motifs, counts) if n]
    more = len(chosen) - _MOST_SHARES
    chosen = sorted(chosen, key=lambda one: -one[1])[:_MOST_SHARES]
    made = Image.new("RGB", (width, _TITLE + 20 * len(chosen)), PAPER)
    draw = ImageDraw.Draw(made)
    draw_title(
        draw, f"Selection ({more} {shown.data.kind}s more)" if more > 0 else "Selection", is_stale=False
    )
    for k, (motif, count) in enumerate(chosen):
        top = _TITLE + 20 * k
        draw.text((0, top), fit_text(motif.name, 130, 13), INK, font(13))
        draw.rectangle((140, top + 3, 140 + 200, top + 14), fill=(235, 238, 241))
        draw.rectangle(
            (140, top + 3, 140 + 200 * count / max(motif.count, 1), top + 14), fill=_rgb(motif.color)
        )
        draw.text((350, top), f"{count:,} / {motif.count:,}", INK, font(13))
    return made


# ---- putting together ----------------------------------------------------------------------------


def _line(text: str, width: int, size: int, color: tuple[int, int, int]) -> Image.Image:
    made = Image.new("RGB", (width, size + 8), PAPER)
    ImageDraw.Draw(made).text((0, 2), text, color, font(size))
    return made


def _beside(parts: Sequence[Image.Image]) -> Image.Image:
    made = Image.new("RGB", (sum(p.width for p in parts) + _GAP * (len(parts) - 1), parts[0].height), PAPER)
    left = 0
    for part in parts:
        made.paste(part, (left, 0))
        left += part.width + _GAP
    return made


def _below(parts: Sequence[Image.Image]) -> Image.Image:
    edge = 8
    width = max(part.width for part in parts) + 2 * edge
    made = Image.new("RGB", (width, sum(part.height + 6 for part in parts) + 2 * edge), PAPER)
    top = edge
    for part in parts:
        made.paste(part, (edge, top))
        top += part.height + 6
    return made


def _png(image: Image.Image) -> bytes:
    author = PngInfo()
    author.add_text("Software", "atomotif")
    for colors in (128, 64, 32, 16, 8):
        few = image.quantize(colors, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        written = io.BytesIO()
        few.save(written, "PNG", pnginfo=author, optimize=True)
        if written.tell() <= MOST_BYTES:
            break
    return written.getvalue()
