"""Step `measure_moire`: twist and period of two layers, and how they lie on each other at every point."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_positive
from atomotif.numerics.spacing import nearest_neighbor_distance
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions

_SOURCES = ("image", "points")
# Full width at half maximum of a drawn point, in distances of nearest neighbours: spots do not overlap.
_SPOT = 0.4
# Places of the map of registry per lattice vector.
_PER_VECTOR = 4


@dataclass(frozen=True, kw_only=True)
class MeasureMoireParameters(Parameters):
    """Measure twist, moiré period and local registry of two layers.

    Both lattices are fitted to the spectrum at once, each with its own vectors. The registry is the place of
    the second layer's heavy column (of equal columns: the centre of the ring) from the first layer's, the
    shortest of the equivalent ones. The layers are in the order in which the twist is positive, from x
    (columns) towards y (rows); a projection does not tell which one is on
    top, nor which of AB and BA is which.

    Parameters
    ----------
    twist_range : (float, float), optional
        Least and largest twist that is looked for, degrees; by default all that the symmetry allows.
    layer_fold : int, optional
        Symmetry of the layers' lattices, 6 or 4; by default the one that fits.
    moire_periods : float, default 1.3
        Least number of moiré periods in the field (root of the number of cells): with less, two lattices are
        not told from one that is distorted.
    moire_source : {"image", "points"}, default "image"
        What is measured: the image, or the positions of the points alone.
    registry_window : float, default 1.5
        Standard deviation of the window in which registry is measured, in lattice vectors: it resolves
        structure of about this size. Where the data do not tell, layers are taken to be rigid.

    Examples
    --------
    >>> round(session.measure_moire().data["moire"].attrs["twist_angle"], 1)
    6.0
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points")
    twist_range: tuple[float, float] | None = None
    layer_fold: int | None = None
    moire_periods: float = 1.3
    moire_source: str = "image"
    registry_window: float = 1.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.moire_source, "moire_source", _SOURCES)
        check_positive(self.moire_periods, "moire_periods")
        check_positive(self.registry_window, "registry_window")
        if self.layer_fold not in (None, 4, 6):
            raise ValueError(f"`layer_fold` must be 6 or 4, got {self.layer_fold!r}.")
        if self.twist_range is not None and not (
            len(self.twist_range) == 2 and 0 <= self.twist_range[0] < self.twist_range[1]
        ):
            raise ValueError(f"`twist_range` must be two numbers that grow from 0, got {self.twist_range!r}.")


def measure_moire(
    image: xr.Dataset,
    points: xr.Dataset,
    parameters: MeasureMoireParameters,
    context: Context,
) -> xr.Dataset:
    """Return the moiré group.

    Raises
    ------
    ValueError
        If there are no two lattices that fill the field, or it holds too little of the moiré.
    """
    from atomotif.numerics.moire import find_moire
    from atomotif.numerics.moire_relaxation import measure_relaxation
    from atomotif.numerics.moire_stacking import find_stackings, registry_at, stacking_distances

    where = positions(points)
    pixels = _pixels(image, where, parameters, context)
    moire = find_moire(
        pixels,
        twist_range=parameters.twist_range,
        fold=parameters.layer_fold,
        min_periods=parameters.moire_periods,
    )
    context.report(0.4)
    relaxation = measure_relaxation(pixels, moire, window=parameters.registry_window)
    stackings = find_stackings(moire)
    moved, error = relaxation.at(where)
    registry = registry_at(where, moire, stackings, pixels.shape, moved)
    distance = stacking_distances(registry, moire, stackings)
    step = float(np.hypot(*moire.vectors[0].T).min()) / _PER_VECTOR
    rows, cols = (np.linspace(0, size - 1, int(np.ceil(size / step)) + 1) for size in pixels.shape)
    grid = np.stack(np.meshgrid(rows, cols, indexing="ij"), axis=-1).reshape(-1, 2)
    mapped = registry_at(grid, moire, stackings, pixels.shape, relaxation.at(grid)[0])
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    corner = np.array([float(image["y"][0]), float(image["x"][0])])
    middle = (np.array(pixels.shape) - 1) / 2
    origin = middle + np.einsum("lv,lva->la", stackings.origins, moire.vectors)
    in_units = {"units": units}
    return xr.Dataset(
        {
            "registry": (("point", "axis"), registry * pixel_size, in_units),
            "registry_error": ("point", error * pixel_size, in_units),
            "stacking": ("point", distance.argmin(axis=1)),
            "stacking_distance": (("point", "stacking_"), distance * pixel_size, in_units),
            "stacking_registry": (
                ("stacking_", "axis"),
                stackings.fractions @ moire.vectors[0] * pixel_size,
                in_units,
            ),
            "registry_map": (
                ("map_y", "map_x", "axis"),
                (mapped * pixel_size).reshape(len(rows), len(cols), 2),
                in_units,
            ),
            "layer_vector": (("layer", "vector", "axis"), moire.vectors * pixel_size, in_units),
            "layer_origin": (("layer", "axis"), corner + origin * pixel_size, in_units),
            "moire_vector": (("vector", "axis"), moire.moire_vectors * pixel_size, in_units),
            "heterostrain": (("axis", "axis_"), moire.heterostrain),
        },
        coords={
            "axis": ["y", "x"],
            "stacking_name": ("stacking_", list(stackings.names)),
            "map_y": ("map_y", corner[0] + rows * pixel_size, in_units),
            "map_x": ("map_x", corner[1] + cols * pixel_size, in_units),
        },
        attrs={
            "twist_angle": moire.twist,
            "twist_error": moire.twist_error,
            "period": moire.period * pixel_size,
            "period_error": moire.period_error * pixel_size,
            "periods_in_field": moire.periods_in_field,
            "arrangement": stackings.arrangement,
            "relaxation": relaxation.spread * pixel_size,
            "units": units,
        },
    )


def _pixels(
    image: xr.Dataset, where: NDArray[np.float64], parameters: MeasureMoireParameters, context: Context
) -> NDArray[np.float32]:
    """Return the image, or one that shows the points."""
    if parameters.moire_source == "image":
        return np.asarray(image["intensity"].values)
    from atomotif.numerics.rendering import render_columns

    if len(where) < 2:
        raise ValueError(f"`moire_source` 'points' needs points, got {len(where)}.")
    width = _SPOT * nearest_neighbor_distance(where)
    if width == 0:
        raise ValueError("`moire_source` 'points' needs points apart from each other.")
    shape = (image.sizes["y"], image.sizes["x"])
    return render_columns(shape, where, np.ones(len(where)), width, n_threads=context.n_threads)
