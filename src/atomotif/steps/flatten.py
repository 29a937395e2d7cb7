"""Step `flatten`: take the background out of the image (METHOD section 1)."""

from dataclasses import dataclass
from typing import ClassVar

import xarray as xr

from atomotif._checks import check_choice, check_positive
from atomotif.steps.base import Context, Parameters

METHODS = ("auto", "none", "plane", "scan_lines", "smooth")


@dataclass(frozen=True, kw_only=True)
class FlattenParameters(Parameters):
    """Take the slow background out of the image.

    Nothing at or below the column spacing is removed; columns are found and looked at in what is left.

    Parameters
    ----------
    method : {"auto", "none", "plane", "scan_lines", "smooth"}, default "auto"
        "plane" takes out a tilt, "scan_lines" also the offset of every row, as in STM, "smooth" a
        plane and a Gaussian mean over three column spacings. "auto" is "smooth", with the offsets of
        rows where these are significant; on uneven fields it is the largest single gain for motifs.
    scale : float, optional
        Column spacing in px, three of which "smooth" averages over; by default estimated from the
        autocorrelation of the image.

    Examples
    --------
    >>> flat = session.flatten(method="plane").data["image"]["flattened"]
    >>> flat.dims
    ('y', 'x')
    """

    inputs: ClassVar[tuple[str, ...]] = ("image",)
    method: str = "auto"
    scale: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.method, "method", METHODS)
        if self.scale is not None:
            check_positive(self.scale, "scale")


def flatten(image: xr.Dataset, parameters: FlattenParameters, context: Context) -> xr.Dataset:  # noqa: ARG001
    """Return the image group with `flattened`; what was made from an older one is left out."""
    from atomotif.numerics import background

    new = image.drop_vars(["flattened", "denoised"], errors="ignore")
    pixels = image["intensity"].values
    new["flattened"] = (
        ("y", "x"),
        background.flatten(pixels, method=parameters.method, scale=parameters.scale),
    )
    return new
