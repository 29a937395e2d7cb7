"""The layout: similar patches lie near one another; only distances between points mean something."""

from bokeh.plotting import figure

from atomotif.views.points import add_points
from atomotif.views.style import empty_figure


def layout() -> figure:
    """Return the figure, without its data: the page fills its sources from the packed columns.

    Returns
    -------
    bokeh.plotting.figure
        Named "layout"; without axes, since neither its directions nor its scale have a meaning.

    Examples
    --------
    >>> layout().name
    'layout'
    """
    plot = empty_figure("layout")
    plot.axis.visible = False
    plot.grid.visible = False
    add_points(plot)
    return plot
