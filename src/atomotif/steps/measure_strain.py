"""Step `measure_strain`: displacement of every column from one lattice, and its gradient."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from atomotif._checks import check_positive
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions


@dataclass(frozen=True, kw_only=True)
class MeasureStrainParameters(Parameters):
    """Measure displacement, strain and rotation against one lattice that is fitted to a region.

    x runs along the columns of the image, y along its rows (downwards). Strain is positive where the sample
    is longer than the reference; the shear `exy` is half of the change of the angle between x and y; the
    rotation is positive from x towards y. Errors follow from the scatter of the positions.

    Parameters
    ----------
    region : tuple of int, optional
        Ids of the points that the reference is fitted to, robustly; by default all. The mean place of every
        sublattice in the region belongs to the reference, so that the shift of a sublattice elsewhere, as by
        polarisation, is displacement and no strain.
    window : float, default 2.0
        Radius of the window of the fit, in lengths of the longer lattice vector; strain that varies within
        it is averaged, and errors shrink with its square.
    within : int, optional
        Sublattice whose displacements are used at all points; by default that of each point.

    Examples
    --------
    >>> strain = session.measure_strain().data["strain"]
    >>> abs(float(strain["exx"].median())) < 0.001
    True
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "lattice")
    point_ids: ClassVar[tuple[str, ...]] = ("region",)
    region: tuple[int, ...] | None = None
    window: float = 2.0
    within: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.window, "window")


def measure_strain(
    image: xr.Dataset,
    points: xr.Dataset,
    lattice: xr.Dataset,
    parameters: MeasureStrainParameters,
    context: Context,  # noqa: ARG001
) -> xr.Dataset:
    """Return the strain group.

    Raises
    ------
    ValueError
        If the region holds ids that no point has, or too few points.
    """
    from atomotif.numerics.displacement import displacement
    from atomotif.numerics.strain import strain

    where, index, sublattice = positions(points), lattice["index"].values, lattice["sublattice"].values
    region = None
    if parameters.region is not None:
        region = np.isin(points["id"].values, parameters.region)
        unknown = sorted(set(parameters.region) - set(points["id"].values.tolist()))
        if unknown:
            raise ValueError(f"`region` must hold ids of points of this session, got {unknown[0]}.")
    moved, reference = displacement(
        where, index, sublattice, region=region, fractions=lattice["fraction"].values
    )
    extent = float(np.hypot(*np.ptp(where, axis=0)))
    longer = float(np.hypot(*reference.vectors.T).max())
    if parameters.window * longer > extent:
        raise ValueError(
            f"`window` must be below the size of the field in vectors, {extent / longer:.3g}, "
            f"got {parameters.window}."
        )
    local = strain(
        where, index, sublattice, reference.vectors, window=parameters.window, within=parameters.within
    )
    if not np.isfinite(local.exx_error).any():
        raise ValueError(
            "`window` must take in more columns than the three that a plane goes through, "
            f"got {parameters.window}."
        )
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    return xr.Dataset(
        {
            "displacement": (("point", "axis"), moved * pixel_size, {"units": units}),
            "exx": ("point", local.exx),
            "eyy": ("point", local.eyy),
            "exy": ("point", local.exy),
            "rotation": ("point", local.rotation, {"units": "rad"}),
            "exx_error": ("point", local.exx_error),
            "eyy_error": ("point", local.eyy_error),
            "exy_error": ("point", local.exy_error),
            "reference": (("vectors", "axis"), reference.vectors * pixel_size, {"units": units}),
        },
        coords={"axis": ["y", "x"], "vectors": ["a", "b"]},
        attrs={"scatter": local.sigma * pixel_size, "units": units},
    )
