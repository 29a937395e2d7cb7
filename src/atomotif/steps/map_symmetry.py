"""Step `map_symmetry`: rotation and mirror scores about every place of the image (METHOD section 4)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_positive
from atomotif.steps.base import Context, Parameters
from atomotif.steps.compute_features import SOURCES
from atomotif.steps.measure_symmetry import check_folds, order_for

#: Distance of the edge, in radii, at which a tenth of the disc lies beyond it.
_WHOLE = 0.687
#: With the default step a map has no more places: what a large screen shows.
_MOST_PLACES = 2048 * 2048
#: Least height of the bands that the image is cut into, in radii: less than a fifth is then computed twice.
_BAND = 12
_LEAST_BAND = 256


@dataclass(frozen=True, kw_only=True)
class MapSymmetryParameters(Parameters):
    """Map how symmetric the image is about every place, columns or not.

    The scores are those of `measure_symmetry`, of discs round the pixels; NaN where the edge of the image
    cuts off a tenth of the disc. Memory beyond the maps is that
    of a band of the image.

    Parameters
    ----------
    map_folds : tuple of int, default (2, 3, 4, 5, 6)
        Orders of rotation, from 2 to 10.
    map_radius : float, optional
        Radius of the discs, px; by default half of the patch size as `measure_patch_size` found it, that is
        1.2 nearest-neighbour distances. It should take in the nearest columns of the places looked for.
    map_step : int, optional
        Distance of the places, px. Scores change over a tenth of the radius. By default the least with which
        a map has at most 2048 x 2048 places.
    map_mirror : bool, default True
        Whether to map mirror lines, too.
    map_source : {"flattened", "intensity", "denoised"}, default "flattened"
        The image that is looked at. The power of its noise is subtracted, but for the denoised one.

    Examples
    --------
    >>> maps = session.map_symmetry(map_folds=(3,), map_step=4).data["symmetry_map"]
    >>> maps["rotation"].dims, bool(maps["rotation"].max() > 0.9)
    (('fold', 'y', 'x'), True)
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "patch")
    map_folds: tuple[int, ...] = (2, 3, 4, 5, 6)
    map_radius: float | None = None
    map_step: int | None = None
    map_mirror: bool = True
    map_source: str = "flattened"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_folds(self.map_folds, "map_folds")
        for name in ("map_radius", "map_step"):
            if getattr(self, name) is not None:
                check_positive(getattr(self, name), name)
        check_choice(self.map_source, "map_source", SOURCES)


def map_symmetry(
    image: xr.Dataset, patch: xr.Dataset, parameters: MapSymmetryParameters, context: Context
) -> xr.Dataset:
    """Return the maps as a group.

    Raises
    ------
    ValueError
        If the image to look at was not made, or the radius is too small for the orders of rotation.
    """
    from atomotif.numerics.dense_moments import dense_symmetry

    if parameters.map_source not in image:
        raise ValueError(f"`map_source` must be an image that was made, got {parameters.map_source!r}.")
    radius = float(patch.attrs["patch_size"]) / 2 if parameters.map_radius is None else parameters.map_radius
    order = order_for(radius, max(parameters.map_folds), "map_radius")
    pixels = image[parameters.map_source].values
    rows, cols = pixels.shape
    if 2 * radius > min(rows, cols):
        raise ValueError(
            f"`map_radius` must be at most half of the image, {min(rows, cols) / 2:g} px, got {radius:g}."
        )
    step = parameters.map_step or max(1, int(np.ceil(np.sqrt(rows * cols / _MOST_PLACES))))
    half = int(np.ceil(radius))
    # Bands begin at multiples of the step.
    height = -(-max(_BAND * half, _LEAST_BAND) // step) * step
    covariance = None
    if parameters.map_source != "denoised":
        covariance = _noise_covariance(image["intensity"].values, radius, order, height)
    n_folds, mirror = len(parameters.map_folds), parameters.map_mirror
    shape = -(-rows // step), -(-cols // step)
    maps = np.empty((n_folds + 2 * mirror, *shape), np.float32)
    for start in range(0, rows, height):
        stop = min(start + height, rows)
        first = max(start - half, 0)
        found = dense_symmetry(
            pixels[first : min(stop + half, rows)],
            radius,
            parameters.map_folds,
            mirror=mirror,
            noise=covariance,
            order=order,
            n_threads=context.n_threads,
        )
        inside = slice(start - first, stop - first, step), slice(None, None, step)
        band = slice(start // step, -(-stop // step))
        maps[:n_folds, band] = found.rotation[:, *inside]
        if found.mirror is not None and found.mirror_angle is not None:
            maps[n_folds, band], maps[n_folds + 1, band] = found.mirror[inside], found.mirror_angle[inside]
        context.report(stop / rows)
    # A disc whose edge is this near loses a tenth of its area; what is seen there is its mirror image.
    cut = int(np.ceil(_WHOLE * radius / step))
    maps[:, :cut] = maps[:, -cut:] = np.nan
    maps[:, :, :cut] = maps[:, :, -cut:] = np.nan
    made = xr.Dataset(
        {"rotation": (("fold", "y", "x"), maps[:n_folds])},
        coords={
            "fold": ("fold", np.array(parameters.map_folds, np.int64)),
            "y": image["y"][::step],
            "x": image["x"][::step],
        },
        attrs={"radius": float(radius), "step": int(step), "order": order},
    )
    if mirror:
        made["mirror"] = (("y", "x"), maps[n_folds])
        made["mirror_angle"] = (("y", "x"), maps[n_folds + 1], {"units": "rad"})
    return made


def _noise_covariance(
    intensity: NDArray[np.float32], radius: float, order: int, height: int
) -> NDArray[np.float64]:
    """Return the covariance of the noise of the moments, averaged over places in all bands of the image."""
    from atomotif.numerics.moments import moment_covariance
    from atomotif.numerics.noise import noise_variance

    model = noise_variance(intensity)
    every = max(1, round(radius))
    total: Any = 0.0
    for start in range(0, len(intensity), height):
        band = intensity[start : start + height]
        places = np.mgrid[: band.shape[0] : every, : band.shape[1] : every].reshape(2, -1).T
        total = total + len(band) * moment_covariance(model.variance(band), places, radius, order=order)
    return np.asarray(total / len(intensity))
