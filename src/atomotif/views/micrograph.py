"""The micrograph: a greyscale image with its columns, axes in its units, and a scale bar."""

from bokeh.models import ColumnDataSource, LinearColorMapper
from bokeh.plotting import figure

from atomotif.views.data import ViewData
from atomotif.views.points import add_points
from atomotif.views.style import axis_label, empty_figure, scale_bar


def micrograph(shown: ViewData) -> figure:
    """Return the figure, without its data: the page fills its sources from the packed columns.

    Parameters
    ----------
    shown : ViewData

    Returns
    -------
    bokeh.plotting.figure
        Named "micrograph"; y grows downwards, as the rows of the image do.

    Examples
    --------
    >>> import xarray as xr, numpy as np
    >>> pixels = np.arange(8.0)
    >>> image = xr.Dataset({"intensity": (("y", "x"), np.eye(8))}, {"y": pixels, "x": pixels})
    >>> micrograph(ViewData.from_tree(xr.DataTree.from_dict({"image": image}))).xaxis.axis_label
    'x (px)'
    """
    plot = empty_figure("micrograph")
    plot.y_range.update(start=1, end=0)
    # Room for any tick labels from the start: the axis label is not left behind when they grow.
    plot.min_border_left = 64
    if shown.image is not None:
        empty: dict[str, list[float]] = {key: [] for key in ("image", "x", "y", "dw", "dh")}
        # The copy of all of it, and above it what is zoomed into, at full resolution.
        for name in ("image", "detail"):
            plot.image(
                **{key: key for key in empty},
                color_mapper=LinearColorMapper(palette="Greys256", low=0, high=255),
                source=ColumnDataSource(empty),
                level="image",
                name=f"micrograph-{name}",
            )
    plot.grid.visible = False
    plot.xaxis.axis_label = axis_label("x", shown.units)
    plot.yaxis.axis_label = axis_label("y", shown.units)
    add_points(plot)
    plot.add_layout(scale_bar(plot, shown.units))
    return plot
