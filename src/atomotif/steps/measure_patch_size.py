"""Step `measure_patch_size`: how large a patch to look at (METHOD section 3)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from atomotif._checks import check_choice
from atomotif._warnings import warn
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions

#: Below this confidence the user is told that the size is a guess.
GUESS = 0.3
RULES = ("nearest_neighbor", "repeat_length")


@dataclass(frozen=True, kw_only=True)
class MeasurePatchSizeParameters(Parameters):
    """Measure the column spacing and the size of the patches from the points.

    Parameters
    ----------
    rule : {"nearest_neighbor", "repeat_length"}, default "nearest_neighbor"
        "nearest_neighbor" gives discs of radius 1.2 nearest-neighbour distances, which was measured
        best for finding motifs over seven materials; "repeat_length" the side length of the
        repeating unit, as the paper does (Materials and Methods, "Determination of motif patch
        size"). Of symmetric places alone, which are farther apart than columns, "nearest_neighbor"
        gives the discs about which they are symmetric, 1.2 spacings of the columns.

    Examples
    --------
    >>> patch = session.measure_patch_size().data["patch"]
    >>> round(patch.attrs["patch_size"] / patch.attrs["nearest_neighbor"], 1)
    2.4
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points")
    rule: str = "nearest_neighbor"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.rule, "rule", RULES)


def measure_patch_size(
    image: xr.Dataset,
    points: xr.Dataset,
    parameters: MeasurePatchSizeParameters,
    context: Context,  # noqa: ARG001
) -> xr.Dataset:
    """Return the patch group: the radial distribution function, and the lengths as attributes."""
    from atomotif.numerics import spacing

    shape = (image.sizes["y"], image.sizes["x"])
    measured = spacing.patch_size(positions(points), shape)
    size = measured.size
    if points.attrs.get("method") == "symmetry":
        size = 2 * points.attrs["place_radius"]
    if parameters.rule == "repeat_length":
        if not np.isfinite(measured.repeat_length):
            raise ValueError('`rule="repeat_length"` needs points that repeat, found no repeating length.')
        size = measured.repeat_length
    if measured.confidence < GUESS:
        warn(f"the points hardly repeat (confidence {measured.confidence:.2f}): `patch_size` is a guess")
    attrs = {
        "patch_size": float(size),
        "confidence": float(measured.confidence),
        "nearest_neighbor": float(measured.nearest_neighbor),
    }
    if np.isfinite(measured.repeat_length):
        attrs["repeat_length"] = float(measured.repeat_length)
    return xr.Dataset(
        {"rdf": ("r", measured.rdf)},
        coords={"r": ("r", measured.r, {"units": "px"})},
        attrs=attrs,
    )
