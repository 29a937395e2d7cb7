"""Step `denoise`: an image in which columns are easier to find (METHOD section 1)."""

from dataclasses import dataclass
from typing import ClassVar

import xarray as xr

from atomotif.numerics import denoise as numeric
from atomotif.numerics._checks import check_choice, check_positive
from atomotif.steps.base import Context, Parameters

METHODS = ("none", "low_pass", "svd")


@dataclass(frozen=True, kw_only=True)
class DenoiseParameters(Parameters):
    """Smooth the image for finding columns.

    Parameters
    ----------
    method : {"none", "low_pass", "svd"}, default "none"
        "none", because the band-pass filter of `find_points` is already matched to the columns and
        was measured to find as many of them; "low_pass" keeps the lowest spatial frequencies (the
        paper's choice at high signal-to-noise), "svd" is a truncated singular value decomposition
        of overlapping patches (the paper's choice at low signal-to-noise).
    fraction : float, default 0.1
        Share of the spatial frequencies that "low_pass" keeps (the paper's value).
    patch : int, default 16
        Side length in px of the patches of "svd".
    rank : int, optional
        Number of components that "svd" keeps; by default those above the noise.
    """

    inputs: ClassVar[tuple[str, ...]] = ("image",)
    method: str = "none"
    fraction: float = 0.1
    patch: int = 16
    rank: int | None = None

    def __post_init__(self) -> None:
        check_choice(self.method, "method", METHODS)
        check_positive(self.fraction, "fraction")
        check_positive(self.patch, "patch")
        if self.rank is not None:
            check_positive(self.rank, "rank")


def denoise(image: xr.Dataset, parameters: DenoiseParameters, context: Context) -> xr.Dataset:  # noqa: ARG001
    """Return the image group with `denoised`, or without it where the method is "none"."""
    flattened = image["flattened"].values
    new = image.drop_vars("denoised", errors="ignore")
    if parameters.method == "low_pass":
        new["denoised"] = (("y", "x"), numeric.radial_low_pass(flattened, fraction=parameters.fraction))
    elif parameters.method == "svd":
        new["denoised"] = (
            ("y", "x"),
            numeric.patch_svd(flattened, patch_size=parameters.patch, rank=parameters.rank),
        )
    return new
