"""Step `denoise`: an image in which columns are easier to find (METHOD section 1)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_positive
from atomotif.steps.base import Context, Parameters

METHODS = ("none", "low_pass", "svd")
#: With fewer columns there is nothing to measure the surviving contrast on.
MIN_COLUMNS = 20


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

    Examples
    --------
    >>> denoised = session.denoise(method="low_pass").data["image"]["denoised"]
    >>> denoised.attrs["surviving_contrast"] > 0.5
    True
    """

    inputs: ClassVar[tuple[str, ...]] = ("image",)
    method: str = "none"
    fraction: float = 0.1
    patch: int = 16
    rank: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.method, "method", METHODS)
        check_positive(self.fraction, "fraction")
        check_positive(self.patch, "patch")
        if self.rank is not None:
            check_positive(self.rank, "rank")


def denoise(image: xr.Dataset, parameters: DenoiseParameters, context: Context) -> xr.Dataset:
    """Return the image group with `denoised`, or without it where the method is "none".

    Its attribute `surviving_contrast` is the share of a vacancy's contrast that is left.
    """
    new = image.drop_vars("denoised", errors="ignore")
    if parameters.method == "none":
        return new
    from atomotif.numerics import denoise as numeric
    from atomotif.numerics.columns import find_columns

    flattened = image["flattened"].values

    def smooth(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if parameters.method == "low_pass":
            return numeric.radial_low_pass(pixels, fraction=parameters.fraction)
        return numeric.patch_svd(
            pixels, patch_size=parameters.patch, rank=parameters.rank, n_threads=context.n_threads
        )

    denoised = smooth(flattened)
    context.report(0.5)
    new["denoised"] = (("y", "x"), denoised)
    columns = find_columns(flattened, refine=False, n_threads=context.n_threads).points
    if len(columns) >= MIN_COLUMNS:
        new["denoised"].attrs["surviving_contrast"] = round(
            numeric.surviving_contrast(flattened, smooth, columns, denoised=denoised), 4
        )
    return new
