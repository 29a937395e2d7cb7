"""Step `find_grains`: regions of one orientation, and the angles between them (METHOD section 4)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from atomotif._checks import check_positive
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions

#: The orders of axis that a crystal can have; 1 is none.
CRYSTAL_FOLDS = (2, 3, 4, 6)


@dataclass(frozen=True, kw_only=True)
class FindGrainsParameters(Parameters):
    """Cut the field into grains by the local orientation of the patches of the features.

    A crystal that is bent slowly is one grain. Angles turn from x (columns) towards y (rows, downwards).

    Parameters
    ----------
    grain_fold : int, optional
        Order of the axis whose direction is the orientation, from 1 to 10; angles are known up to the n-th
        part of a turn. By default that of 2, 3, 4 and 6 by which neighbouring patches agree most strongly
        (the mean of the product of their strengths times the cosine of their difference of phase), or a
        divisor of it by which they agree as well. On a honeycomb that is 6, as its two sites point opposite
        ways by 3.
    grain_tolerance : float, optional
        Largest step of the smoothed angle between neighbours of one grain, degrees; by default four standard
        deviations of that step, and at least 2, which is what a strain of 3 % does to bonds.
    min_grain_points : int, default 12
        Least number of points of the core of a grain: about what a patch and its neighbours see.

    Examples
    --------
    >>> grains = session.find_grains().grains
    >>> len(grains), session.data["grains"].attrs["fold"]
    (1, 6)
    """

    inputs: ClassVar[tuple[str, ...]] = ("points", "features")
    grain_fold: int | None = None
    grain_tolerance: float | None = None
    min_grain_points: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grain_fold is not None and not 1 <= self.grain_fold <= 10:
            raise ValueError(f"`grain_fold` must be from 1 to 10, got {self.grain_fold}.")
        if self.grain_tolerance is not None:
            check_positive(self.grain_tolerance, "grain_tolerance")
        check_positive(self.min_grain_points, "min_grain_points")


def find_grains(
    points: xr.Dataset,
    features: xr.Dataset,
    parameters: FindGrainsParameters,
    context: Context,  # noqa: ARG001
) -> xr.Dataset:
    """Return the grains group; angles are in degrees.

    Raises
    ------
    ValueError
        If there are fewer than four points, or all lie on one line.
    """
    from atomotif.numerics.grains import find_grains as find
    from atomotif.numerics.orientation_order import choose_fold, orientation_coherence
    from atomotif.numerics.symmetry import orientation

    where, moments = positions(points), features["zernike"].values
    whole = features["complete"].values
    coherence = orientation_coherence(where, moments, CRYSTAL_FOLDS, used=whole)
    fold = parameters.grain_fold or choose_fold(coherence, CRYSTAL_FOLDS)
    angle, strength = orientation(moments, fold)
    tolerance = None if parameters.grain_tolerance is None else np.deg2rad(parameters.grain_tolerance)
    found = find(
        where,
        angle,
        fold,
        # The angle of a patch cut by the edge is that of its mirror image.
        np.where(whole, strength, 0.0),
        tolerance=tolerance,
        min_points=parameters.min_grain_points,
    )
    degrees = {"units": "deg"}
    attrs = {"fold": int(fold), "tolerance": float(np.rad2deg(found.tolerance)), "units": "deg"}
    if len(found.count):
        attrs["noise"] = float(np.rad2deg(found.noise))
    return xr.Dataset(
        {
            "grain": ("point", found.label),
            "angle": ("point", np.rad2deg(angle), degrees),
            "strength": ("point", strength),
            "count": ("grain_", found.count),
            "grain_angle": ("grain_", np.rad2deg(found.angle), degrees),
            "grain_angle_error": ("grain_", np.rad2deg(found.error), degrees),
            "pair": (("boundary", "side"), found.pairs),
            "misorientation": ("boundary", np.rad2deg(found.misorientation), degrees),
            "misorientation_error": ("boundary", np.rad2deg(found.misorientation_error), degrees),
            "coherence": ("candidate_fold", coherence.coherence),
        },
        coords={"candidate_fold": ("candidate_fold", np.array(CRYSTAL_FOLDS, np.int64))},
        attrs=attrs,
    )
