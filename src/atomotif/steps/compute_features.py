"""Step `compute_features`: Zernike moments of the patch round every point (METHOD section 4)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from atomotif._checks import check_choice, check_positive
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions

SOURCES = ("flattened", "intensity", "denoised")


@dataclass(frozen=True, kw_only=True)
class ComputeFeaturesParameters(Parameters):
    """Compute the Zernike moments of the patch round every point.

    Parameters
    ----------
    patch_size : float, optional
        Diameter of the patches, px; by default as `measure_patch_size` found.
    rotation_invariant : bool, default True
        Whether the layout and the motifs are made from the 36 magnitudes, in which patches that
        differ only by a rotation are alike, or from the 66 oriented moments. On, because islands of
        the layout and motifs were measured better so on all materials tried.
    subpixel : bool, default True
        Whether the moments are taken about the sub-pixel positions or about the nearest pixels.
    source : {"flattened", "intensity", "denoised"}, default "flattened"
        The image that is looked at. The flattened one, because an uneven background is the largest
        single source of error in uneven fields; not the denoised one, because smoothing takes away
        part of the contrast of rare defects and makes the noise of neighbouring pixels alike.
    even_gain : bool, default False
        Whether the image is divided by the contrast of its surroundings (some 400 columns), for
        fields of uneven thickness or focus. Never by that of single patches: that would erase
        vacancies. Off, because a field of two phases has two contrasts by right.

    Examples
    --------
    >>> features = session.compute_features(patch_size=41).data["features"]
    >>> features["zernike"].sizes["moment"], features["invariant"].sizes["invariant_moment"]
    (66, 36)
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "patch")
    patch_size: float | None = None
    rotation_invariant: bool = True
    subpixel: bool = True
    source: str = "flattened"
    even_gain: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patch_size is not None:
            check_positive(self.patch_size, "patch_size")
            if self.patch_size < 4:
                raise ValueError(f"`patch_size` must be at least 4 px, got {self.patch_size!r}.")
        check_choice(self.source, "source", SOURCES)


def compute_features(
    image: xr.Dataset,
    points: xr.Dataset,
    patch: xr.Dataset,
    parameters: ComputeFeaturesParameters,
    context: Context,
) -> xr.Dataset:
    """Return the features group: oriented moments, debiased invariants, and their noise.

    Its attributes say whether the sample is `continuous`, and by what: `continuity` is the ratio of
    `measure_continuity`, 0 where the field is too small to tell.
    """
    from atomotif.numerics import background, continuity, invariants, moments, noise, zernike

    if parameters.source not in image:
        raise ValueError(f"`source` must be an image that was made, got {parameters.source!r}.")
    size = float(patch.attrs["patch_size"] if parameters.patch_size is None else parameters.patch_size)
    shape = (image.sizes["y"], image.sizes["x"])
    if size > min(shape):
        raise ValueError(f"`patch_size` must fit into the image of {shape[0]} x {shape[1]} px, got {size:g}.")
    radius = size / 2
    rowcol = positions(points)
    pixels = image[parameters.source].values
    intensity = image["intensity"].values
    variance = noise.noise_variance(intensity).variance(intensity)
    context.report(0.2)
    if parameters.even_gain:
        gain = background.local_gain(pixels, float(patch.attrs["nearest_neighbor"]))
        pixels, variance = pixels / gain, variance / gain**2
    context.report(0.3)
    zernike_moments = moments.zernike_moments(
        pixels, rowcol, radius, subpixel=parameters.subpixel, n_threads=context.n_threads
    )
    context.report(0.8)
    covariance = moments.moment_covariance(variance, rowcol, radius)
    invariant, invariant_covariance = invariants.debiased_invariants(zernike_moments, covariance)
    coverage = moments.patch_coverage(rowcol, radius, shape)
    complete = coverage >= 1 - 1e-6
    found = continuity.measure_continuity(rowcol, invariant, invariant_covariance, complete=complete)
    p, q = zernike.index_pairs()
    return xr.Dataset(
        {
            "zernike": (("point", "moment"), zernike_moments),
            "invariant": (("point", "invariant_moment"), invariant.astype(np.float32)),
            "coverage": ("point", coverage.astype(np.float32)),
            "complete": ("point", complete),
            "noise_covariance": (("moment", "moment_"), covariance),
        },
        coords={"p": ("moment", p), "q": ("moment", q)},
        attrs={
            "patch_size": size,
            "rotation_invariant": int(parameters.rotation_invariant),
            "source": parameters.source,
            "continuous": int(found.continuous),
            "continuity": found.ratio if np.isfinite(found.ratio) else 0.0,
            "continuity_threshold": found.threshold,
            "continuity_reason": found.reason,
        },
    )
