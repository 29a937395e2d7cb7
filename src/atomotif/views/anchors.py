"""The figure of the anchors: every point at the mean of its anchors by weight (paper, fig. 5C and D)."""

from bokeh.core.properties import value
from bokeh.models import LinearColorMapper
from bokeh.plotting import figure

from atomotif.views.points import add_points, empty_source
from atomotif.views.style import FONT, empty_figure


def anchors() -> figure:
    """Return the figure, without its data: the page fills its sources from the packed columns.

    Returns
    -------
    bokeh.plotting.figure
        Named "anchors": the triangle filled with its mixtures, the average and the name of the anchor at
        each corner, and the points.

    Examples
    --------
    >>> anchors().name
    'anchors'
    """
    plot = empty_figure("anchors")
    plot.axis.visible = False
    plot.grid.visible = False
    box = ("x", "y", "dw", "dh")
    plot.image_rgba(
        **{key: key for key in ("image", *box)},
        origin="top_left",
        global_alpha=0.3,  # points of the same colours are to be seen on it
        level="image",
        source=empty_source("image", *box),
        name="anchors-mixture",
    )
    plot.patch(
        "x", "y", fill_color=None, level="underlay", source=empty_source("x", "y"), name="anchors-edge"
    )
    add_points(plot)
    # Above the veil over what is not selected.
    plot.image(
        **{key: key for key in ("image", *box)},
        origin="top_left",
        color_mapper=LinearColorMapper(palette="Greys256", low=0, high=255),
        level="overlay",
        source=empty_source("image", *box),
        name="anchors-average",
    )
    plot.rect(
        "x",
        "y",
        "width",
        "height",
        fill_color=None,
        line_color="color",
        line_width=3,
        level="overlay",
        source=empty_source("x", "y", "width", "height", "color"),
        name="anchors-frame",
    )
    plot.text(
        "x",
        "y",
        "text",
        text_align="center",
        text_baseline="baseline",
        text_font=value(FONT),
        text_font_size="13px",
        level="overlay",
        source=empty_source("x", "y", "text", "baseline"),
        name="anchors-name",
    )
    return plot
