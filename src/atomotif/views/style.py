"""The one visual language: colours of motifs, the scale bar, and how a figure is dressed.

What depends on the light or dark theme of the page (text, grid, background) is set by the page's style
sheet, `widget/workbench.css`, and carried over to the figures by `widget/workbench.js`.
"""

from bokeh.models import (
    BoxSelectTool,
    FixedTicker,
    LassoSelectTool,
    Range1d,
    ScaleBar,
    WheelZoomTool,
)
from bokeh.models.annotations.dimensional import Metric
from bokeh.plotting import figure

from atomotif._palette import motif_colors
from atomotif.views.data import NEUTRAL

__all__ = ["FONT", "NEUTRAL", "axis_label", "empty_figure", "motif_colors", "scale_bar"]

FONT = "system-ui, sans-serif"
_NICE = [digit * 10.0**power for power in range(-3, 6) for digit in (1, 2, 5)]


def axis_label(name: str, units: str) -> str:
    """Return the label of an axis with its unit.

    Examples
    --------
    >>> axis_label("x", "nm")
    'x (nm)'
    """
    return f"{name} ({units})"


def scale_bar(plot: figure, units: str) -> ScaleBar:
    """Return a scale bar of 1, 2 or 5 times a power of ten, which follows the zoom of `plot`.

    Parameters
    ----------
    plot : bokeh.plotting.figure
        Its x range is measured.
    units : str
        Units of the axis, in which the length is told at every zoom.

    Returns
    -------
    bokeh.models.ScaleBar

    Examples
    --------
    >>> scale_bar(empty_figure("micrograph"), "nm").unit
    'nm'
    """
    return ScaleBar(
        range=plot.x_range,
        unit=units,
        dimensional=Metric(base_unit=units, include=[units], ticks=_NICE),
        level="overlay",  # above the veil over what is not selected
        orientation="horizontal",
        location="bottom_left",
        length_sizing="adaptive",
        bar_length=0.12,  # the nice length at or above this share of the width
        bar_length_units="percent",
        ticker=FixedTicker(ticks=[]),
        # On a micrograph the bar must be legible on bright and dark grey in both themes of the page.
        background_fill_color="black",
        background_fill_alpha=0.55,
        border_line_color=None,
        bar_line_color="white",
        bar_line_width=4,
        label_text_color="white",
        label_text_font=FONT,
        label_text_font_size="13px",
        label_location="above",
        padding=8,
        margin=8,
    )


def empty_figure(name: str) -> figure:
    """Return a figure with the tools of every view and no data.

    Selection tools have no renderers: Bokeh's own selection repaints every point, the page's own
    (`widget/workbench.js`) only those that are selected.

    Parameters
    ----------
    name : str
        By which the page finds it.

    Returns
    -------
    bokeh.plotting.figure

    Examples
    --------
    >>> empty_figure("layout").name
    'layout'
    """
    lasso = LassoSelectTool(renderers=[], continuous=False)
    # At the limits of the zoom the wheel scrolls the page again.
    wheel = WheelZoomTool(zoom_on_axis=False, maintain_focus=False)
    plot = figure(
        name=name,
        sizing_mode="stretch_both",
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
        tools=[
            "pan",
            "box_zoom",
            wheel,
            BoxSelectTool(renderers=[], continuous=False),
            lasso,
            "reset",
            "save",
        ],
        active_drag=lasso,
        active_scroll=wheel,
        toolbar_location="above",
        min_border=4,
        border_fill_color=None,
        output_backend="canvas",  # software WebGL is slower than canvas where there is no graphics card
    )
    plot.toolbar.logo = None
    for axis in plot.axis:
        axis.axis_label_text_font = axis.major_label_text_font = FONT
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "12px"
        axis.minor_tick_line_color = None
    return plot
