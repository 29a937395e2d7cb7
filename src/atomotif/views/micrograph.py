"""The micrograph: a greyscale image with its columns, axes in its units, and a scale bar."""

from bokeh.models import ColumnDataSource, LinearColorMapper
from bokeh.plotting import figure

from atomotif.views.points import add_points, empty_source
from atomotif.views.style import axis_label, empty_figure, scale_bar


def micrograph(units: str, *, has_image: bool = True) -> figure:
    """Return the figure, without its data: the page fills its sources from the packed columns.

    Parameters
    ----------
    units : str
        Of the axes and of the scale bar.
    has_image : bool, default True
        Whether there is a picture below the points.

    Returns
    -------
    bokeh.plotting.figure
        Named "micrograph"; y grows downwards, as the rows of the image do.

    Examples
    --------
    >>> micrograph("nm").xaxis.axis_label
    'x (nm)'
    """
    plot = empty_figure("micrograph")
    plot.y_range.update(start=1, end=0)
    # Room for any tick labels from the start: the axis label is not left behind when they grow.
    plot.min_border_left = 64
    if has_image:
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
    # A layer, drawn by the page as a picture of what is in sight: above the image, below the points.
    plot.image_rgba(
        **{key: key for key in ("image", "x", "y", "dw", "dh")},
        level="underlay",
        source=empty_source("number", "image", "x", "y", "dw", "dh"),
        name="micrograph-layer",
    )
    plot.grid.visible = False
    plot.xaxis.axis_label = axis_label("x", units)
    plot.yaxis.axis_label = axis_label("y", units)
    add_points(plot)
    # Round motif-cells that are selected: a light line on a dark one, to be seen on any grey.
    for name, color, width in (("casing", "black", 4), ("outline", "white", 1.5)):
        plot.line(
            "x",
            "y",
            line_color=color,
            line_width=width,
            line_cap="round",
            level="overlay",
            source=empty_source("x", "y"),
            name=f"micrograph-{name}",
        )
    # Round domains that are compared, in colours of their own: on a light line, since these are dark.
    for name, width, style in (
        ("domain-casing", 6, {"line_color": "white"}),
        ("domain-outline", 3, {"line_color": "color"}),
    ):
        plot.multi_line(
            "xs",
            "ys",
            **style,
            line_width=width,
            line_cap="square",  # a ring begins and ends at the same corner
            line_join="round",
            level="overlay",
            source=empty_source("xs", "ys", "color"),
            name=f"micrograph-{name}",
        )
    plot.add_layout(scale_bar(plot, units))
    return plot
