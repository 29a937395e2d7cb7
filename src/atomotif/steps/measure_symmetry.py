"""Step `measure_symmetry`: rotation and mirror scores of the patch round every point (METHOD section 4)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.steps.base import Context, Parameters

#: Patches that lie inside the image by less get no score: the mirrored image beyond the edge is symmetric.
MIN_INSIDE = 0.9


@dataclass(frozen=True, kw_only=True)
class MeasureSymmetryParameters(Parameters):
    """Measure how symmetric the patch round every point is.

    The patches are those of the features. A rotation score is 1 where a patch agrees with itself turned by
    the n-th part of a full turn; a mirror score is 1 where it has a mirror line. The power of noise is
    subtracted, as far as the features know it. Patches cut by the edge of the image get NaN.

    Parameters
    ----------
    folds : tuple of int, default (2, 3, 4, 5, 6)
        Orders of rotation, from 2 to 10.

    Examples
    --------
    >>> symmetry = session.measure_symmetry(folds=(3, 4)).data["symmetry"]
    >>> symmetry["rotation"].median("point").values.astype(float).round(1)
    array([ 1. , -0.3])
    """

    inputs: ClassVar[tuple[str, ...]] = ("features",)
    folds: tuple[int, ...] = (2, 3, 4, 5, 6)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_folds(self.folds, "folds")


def measure_symmetry(
    features: xr.Dataset, parameters: MeasureSymmetryParameters, context: Context
) -> xr.Dataset:
    """Return the symmetry group."""
    from atomotif.numerics.symmetry import mirror_score, rotation_score

    moments = features["zernike"].values
    noise = noise_of(features)
    cut = features["coverage"].values < MIN_INSIDE
    rotation = np.stack([rotation_score(moments, n, noise=noise) for n in parameters.folds], axis=1)
    context.report(0.5)
    mirror, axis = mirror_score(moments, noise=noise)
    rotation[cut], mirror[cut], axis[cut] = np.nan, np.nan, np.nan
    return xr.Dataset(
        {
            "rotation": (("point", "fold"), rotation.astype(np.float32)),
            "mirror": ("point", mirror.astype(np.float32)),
            "mirror_angle": ("point", axis.astype(np.float32), {"units": "rad"}),
        },
        coords={"fold": ("fold", np.array(parameters.folds, np.int64))},
        attrs={"patch_size": float(features.attrs["patch_size"])},
    )


def noise_of(features: xr.Dataset) -> NDArray[np.float64] | None:
    """Return the covariance of the noise of the moments, if it is that of the image they are from."""
    if features.attrs.get("source") == "denoised":  # whose noise is not that of independent pixels
        return None
    covariance: NDArray[np.float64] = features["noise_covariance"].values
    return covariance


def check_folds(folds: tuple[int, ...], name: str) -> None:
    """Refuse what are not orders of rotation from 2 to 10, each once.

    Raises
    ------
    ValueError
        With the value.
    """
    whole = all(isinstance(n, int) and not isinstance(n, bool) and 2 <= n <= 10 for n in folds)
    if not folds or not whole or len(set(folds)) < len(folds):
        raise ValueError(f"`{name}` must be whole numbers from 2 to 10, each once, got {folds!r}.")


def order_for(radius: float, fold: int, name: str) -> int:
    """Return the order of the moments, 10 or the highest that a disc of this radius supports.

    Raises
    ------
    ValueError
        If it cannot tell an axis of order `fold`.
    """
    from atomotif.numerics.zernike import supported_order

    order = min(10, supported_order(radius))
    if order < fold:
        raise ValueError(
            f"`{name}` must be at least {0.8 * fold:g} px to tell an axis of order {fold}, got {radius:g}; "
            "enlarge the image."
        )
    return order
