"""Step `find_points`: the columns of the image (METHOD section 2)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_positive
from atomotif.steps.base import Context, Parameters

CONTRASTS = ("bright", "dark", "auto")
SOURCES = ("auto", "intensity", "flattened", "denoised")


@dataclass(frozen=True, kw_only=True)
class FindPointsParameters(Parameters):
    """Find the columns, with sub-pixel positions.

    Parameters
    ----------
    contrast : {"auto", "bright", "dark"}, default "auto"
        Whether columns are brighter (ADF, HAADF, most STM) or darker (ABF) than what is between. "auto"
        goes by the skewness of the filtered image, and takes "bright" in doubt.
    min_prominence : float, default 2.0
        Least height of a maximum above the saddle to a higher one, in standard deviations of the
        noise of the filtered image; half and one and a half of it are tried, too, and the one that
        gives the most regular columns is taken.
    relative_prominence : float, default 0.05
        The same as a share of the strong columns' prominence.
    source : {"auto", "intensity", "flattened", "denoised"}, default "auto"
        The image to search; "auto" takes the denoised one if there is one, else the flattened one.

    Examples
    --------
    >>> session.find_points(min_prominence=3).data["points"].sizes["point"] > 200
    True
    """

    inputs: ClassVar[tuple[str, ...]] = ("image",)
    contrast: str = "auto"
    min_prominence: float = 2.0
    relative_prominence: float = 0.05
    source: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.contrast, "contrast", CONTRASTS)
        check_choice(self.source, "source", SOURCES)
        check_positive(self.min_prominence, "min_prominence")
        check_positive(self.relative_prominence, "relative_prominence")


def find_points(image: xr.Dataset, parameters: FindPointsParameters, context: Context) -> xr.Dataset:
    """Return the points group, without ids: those are the session's to give.

    Raises
    ------
    ValueError
        If fewer than three columns are found.
    """
    from atomotif.numerics.columns import find_columns
    from atomotif.numerics.noise import noise_variance

    source = parameters.source
    if source == "auto":
        source = "denoised" if "denoised" in image else "flattened"
    if source not in image:
        raise ValueError(f"`source` must be an image that was made, got {source!r}; run `denoise` first.")
    intensity = image["intensity"].values
    found = find_columns(
        image[source].values,
        # Of the image as it was taken: smoothing makes the noise of neighbouring pixels alike.
        variance=noise_variance(intensity).variance(intensity),
        n_threads=context.n_threads,
        contrast=parameters.contrast,
        min_prominence=parameters.min_prominence,
        relative_prominence=parameters.relative_prominence,
    )
    if len(found.points) < 3:
        other = "bright" if found.contrast == "dark" else "dark"
        raise ValueError(
            f"`image` must show at least three columns, found {len(found.points)}; "
            f'try `contrast="{other}"` or a lower `min_prominence`.'
        )
    return points_group(image, found.points, contrast=found.contrast, source=source)


def points_group(image: xr.Dataset, points: NDArray[np.float64], **attrs: Any) -> xr.Dataset:
    """Return positions in px as a points group with physical coordinates and intensities.

    Parameters
    ----------
    image : xr.Dataset
        The image group.
    points : ndarray of float64, shape (n, 2)
        (row, col) in px.
    **attrs
        Attributes of the group.

    Returns
    -------
    xr.Dataset
        `row`, `col` (px), `y`, `x` (units of the image), `intensity` (of the nearest pixel).
    """
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    row, col = points[:, 0], points[:, 1]
    intensity = image["intensity"].values
    nearest = (
        np.clip(np.rint(row).astype(int), 0, intensity.shape[0] - 1),
        np.clip(np.rint(col).astype(int), 0, intensity.shape[1] - 1),
    )
    return xr.Dataset(
        {
            "row": ("point", row.copy(), {"units": "px"}),
            "col": ("point", col.copy(), {"units": "px"}),
            "y": ("point", float(image["y"][0]) + row * pixel_size, {"units": units}),
            "x": ("point", float(image["x"][0]) + col * pixel_size, {"units": units}),
            "intensity": ("point", intensity[nearest]),
        },
        attrs=attrs,
    )


def positions(points: xr.Dataset) -> NDArray[np.float64]:
    """Return the (row, col) of a points group, px, shape (n, 2)."""
    return np.column_stack([points["row"].values, points["col"].values])
