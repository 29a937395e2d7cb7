"""The one visual language: colours of motifs, the scale bar, and how a figure is dressed.

What depends on the light or dark theme of the page (text, grid, background) is set by the page's style
sheet, `widget/workbench.css`, and carried over to the figures by `widget/workbench.js`.
"""

from typing import Any

import numpy as np
from bokeh.models import (
    BoxSelectTool,
    FixedTicker,
    LassoSelectTool,
    Range1d,
    ScaleBar,
    WheelZoomTool,
)
from bokeh.models.annotations.dimensional import Metric
from bokeh.palettes import Greys256, RdBu, Viridis256, interp_palette
from bokeh.plotting import figure
from numpy.typing import NDArray

from atomotif._palette import NEUTRAL, motif_colors

__all__ = [
    "BRIGHT",
    "DIVERGING",
    "FONT",
    "GREYS",
    "MISSING",
    "NEUTRAL",
    "SEQUENTIAL",
    "axis_label",
    "empty_figure",
    "motif_colors",
    "robust_limits",
    "scale_bar",
    "scale_ticks",
]

FONT = "system-ui, sans-serif"
# Scales of 255 colours, told apart by colour-blind eyes: from less to more; about 0, red above; and greys.
SEQUENTIAL = tuple(Viridis256[:255])
BRIGHT = tuple(interp_palette(Viridis256[90:], 255))  # for what is thin, on a dark micrograph
DIVERGING = tuple(interp_palette(RdBu[11], 255))
GREYS = tuple(interp_palette((Greys256[0], Greys256[-1]), 255))
# What has no value in a picture: no colour of the scales.
MISSING = "#2a2230"
# Values beyond these percentiles are drawn as the ends of a scale, which a few outliers must not stretch.
LIMITS = (2.0, 98.0)
_NICE = [digit * 10.0**power for power in range(-3, 6) for digit in (1, 2, 5)]


def axis_label(name: str, units: str) -> str:
    """Return the label of an axis with its unit.

    Examples
    --------
    >>> axis_label("x", "nm")
    'x (nm)'
    """
    return f"{name} ({units})"


def robust_limits(
    values: NDArray[Any], *, centred: bool = False, from_zero: bool = False
) -> tuple[float, float]:
    """Return the ends of a colour scale: the 2nd and the 98th percentile of what is finite.

    Parameters
    ----------
    values : ndarray
    centred : bool, default False
        Whether 0 is to be in the middle; the farther percentile then counts for both ends.
    from_zero : bool, default False
        Whether 0 is to be the lower end, of values that are not negative.

    Returns
    -------
    low, high : float
        Never the same: 0 and 1, or -1 and 1, where there is nothing to tell apart.

    Examples
    --------
    >>> robust_limits(np.array([-1.0, 3.0, np.nan]), centred=True)
    (-2.92, 2.92)
    """
    finite = values[np.isfinite(values)]
    low, high = (float(level) for level in np.percentile(finite, LIMITS)) if finite.size else (0.0, 0.0)
    if centred:
        high = max(abs(low), abs(high)) or 1.0
        return -high, high
    if from_zero:
        return 0.0, high if high > 0 else 1.0
    return (low, high) if high > low else (low, low + (abs(low) or 1.0))


def scale_ticks(low: float, high: float, below: bool = False, above: bool = False) -> list[dict[str, Any]]:
    """Return the ends and the middle of a colour scale as text.

    Parameters
    ----------
    low, high : float
    below, above : bool, default False
        Whether there are values beyond an end, which have its colour.

    Returns
    -------
    list of dict
        `at` (0 to 1) and `text`.

    Examples
    --------
    >>> [tick["text"] for tick in scale_ticks(-0.5, 0.5, above=True)]
    ['−0.5', '0', '≥ 0.5']
    """
    # Two digits of the farther end, and of the difference of the ends.
    least = min(high - low, max(abs(low), abs(high)))
    decimals = max(0, 1 - int(np.floor(np.log10(least))))

    def text(value: float) -> str:
        shown = f"{value:.{decimals}f}"
        if decimals and "." in shown:
            shown = shown.rstrip("0").rstrip(".")
        return "0" if shown in ("-0", "0") else shown.replace("-", "\N{MINUS SIGN}")

    return [
        {"at": 0.0, "text": "\N{LESS-THAN OR EQUAL TO} " * below + text(low)},
        {"at": 0.5, "text": text((low + high) / 2)},
        {"at": 1.0, "text": "\N{GREATER-THAN OR EQUAL TO} " * above + text(high)},
    ]


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
