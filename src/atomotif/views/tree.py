"""The tree: motif-cells, drawn as they lie in the micrograph, above the larger ones that they are part of."""

from bokeh.core.properties import value
from bokeh.models import FixedTicker
from bokeh.plotting import figure

from atomotif.views.points import empty_source
from atomotif.views.style import FONT, empty_figure


def tree() -> figure:
    """Return the figure, without its data: the page places the motif-cells and fills the layers.

    Each motif-cell has a body, tiles (where it is made of cells), discs in the colours of the motifs, rings
    for missing columns, and its count. Layers whose names begin with `lit-` are the same for those that
    contain selected points; they are on the overlay canvas, so that a selection repaints it alone.

    Returns
    -------
    bokeh.plotting.figure
        Named "tree"; y grows downwards, as in the micrograph, and with the level.

    Examples
    --------
    >>> tree().name
    'tree'
    """
    plot = empty_figure("tree")
    plot.y_range.update(start=1, end=0)
    plot.grid.visible = False
    plot.xaxis.visible = False
    plot.yaxis.ticker = FixedTicker(ticks=[])
    plot.yaxis.major_tick_line_color = None
    plot.yaxis.axis_line_color = None
    plot.min_border_left = 64
    _add_edges(plot, "edges", "glyph")
    _add_motif_cells(plot, "", "glyph")
    _add_counts(plot, "folded", "glyph")
    plot.quad(
        "left",
        "right",
        "top",
        "bottom",
        line_color=None,
        level="overlay",
        source=empty_source("left", "right", "top", "bottom"),
        name="tree-veil",
    )
    _add_edges(plot, "lit-edges", "overlay")
    for name in ("lit-cards", "hover"):
        plot.rect(
            "x",
            "y",
            "width",
            "height",
            border_radius=6,
            level="overlay",
            source=empty_source("x", "y", "width", "height"),
            name=f"tree-{name}",
        )
    _add_motif_cells(plot, "lit-", "overlay")
    return plot


def _add_edges(plot: figure, name: str, level: str) -> None:
    plot.line("x", "y", level=level, source=empty_source("x", "y"), name=f"tree-{name}")


def _add_motif_cells(plot: figure, prefix: str, level: str) -> None:
    bodies = empty_source("x", "y")
    # Rims lie below all bodies of a motif-cell, so that these look like one.
    for name in ("rims", "bodies"):
        plot.circle("x", "y", radius=1, level=level, source=bodies, name=f"tree-{prefix}{name}")
    plot.patches("xs", "ys", level=level, source=empty_source("xs", "ys"), name=f"tree-{prefix}tiles")
    plot.circle(
        "x",
        "y",
        radius=1,
        fill_color="fill",
        line_color="line",
        line_width=1.5,
        level=level,
        source=empty_source("x", "y", "fill", "line"),
        name=f"tree-{prefix}discs",
    )
    _add_counts(plot, f"{prefix}counts", level)


def _add_counts(plot: figure, name: str, level: str) -> None:
    plot.text(
        "x",
        "y",
        "text",
        text_align="left",
        text_baseline="middle",
        x_offset=3,
        text_font=value(FONT),  # a bare string with a comma is taken for a column
        text_font_size="12px",
        level=level,
        source=empty_source("x", "y", "text"),
        name=f"tree-{name}",
    )
