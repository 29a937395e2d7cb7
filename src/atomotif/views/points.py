"""Points in a figure: all of them, and on Bokeh's overlay canvas those that are selected or pointed at."""

from bokeh.models import ColumnDataSource
from bokeh.plotting import figure


def add_points(plot: figure) -> None:
    """Add the empty layers that the page fills and styles, named `<figure>-<layer>`.

    Only `base` and `dots` are on the main canvas, so that a selection repaints the overlay canvas alone. The
    `veil` dims all that is not `selected`, so that the base need not be restyled; `dots` and `crowd` are
    pictures of all points and of the selected ones where these are too many to be drawn one by one.

    Parameters
    ----------
    plot : bokeh.plotting.figure
        A named figure.

    Examples
    --------
    >>> from atomotif.views.style import empty_figure
    >>> plot = empty_figure("layout")
    >>> add_points(plot)
    >>> [renderer.name for renderer in plot.renderers]
    ['layout-base', 'layout-dots', 'layout-veil', 'layout-selected', 'layout-crowd', 'layout-hover']
    """
    plot.scatter(
        "x",
        "y",
        color="color",
        line_color=None,
        fill_alpha=0.85,
        source=empty_source("x", "y", "color"),
        name=f"{plot.name}-base",
    )
    plot.image_rgba(
        **{key: key for key in ("image", "x", "y", "dw", "dh")},
        level="glyph",
        source=empty_source("number", "image", "x", "y", "dw", "dh"),
        name=f"{plot.name}-dots",
    )
    plot.quad(
        "left",
        "right",
        "top",
        "bottom",
        line_color=None,
        level="overlay",
        source=empty_source("left", "right", "top", "bottom"),
        name=f"{plot.name}-veil",
    )
    plot.scatter(
        "x",
        "y",
        fill_color="color",
        line_width=1,
        level="overlay",
        source=empty_source("x", "y", "color"),
        name=f"{plot.name}-selected",
    )
    plot.image_rgba(
        **{key: key for key in ("image", "x", "y", "dw", "dh")},
        level="overlay",
        source=empty_source("number", "image", "x", "y", "dw", "dh"),
        name=f"{plot.name}-crowd",
    )
    plot.scatter(
        "x",
        "y",
        size=16,
        fill_color=None,
        line_width=2.5,
        level="overlay",
        source=empty_source("x", "y"),
        name=f"{plot.name}-hover",
    )


def empty_source(*columns: str) -> ColumnDataSource:
    """Return a source that the page fills.

    Examples
    --------
    >>> empty_source("x").column_names
    ['x']
    """
    return ColumnDataSource({column: [] for column in columns})
