"""Step `reconstruct`: the micrograph rebuilt from averages, and what that leaves (METHOD section 7)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_positive
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions

UNITS = ("motifs", "cells", "motif_cells")


@dataclass(frozen=True, kw_only=True)
class ReconstructParameters(Parameters):
    """Rebuild the micrograph from averages, and look for what they do not account for.

    The averages are pasted where they were found, at sub-pixel positions; overlaps are blended. Beside the
    image and the residual there are candidates for columns that were missed or are not as their motif: places
    where the image, less what each point shows of its own column, departs significantly from noise.

    Parameters
    ----------
    units : {"motifs", "cells", "motif_cells"}, default "motifs"
        What is averaged and pasted: patches round points by motif; round the centres of cells by their class
        (paper, fig. 1I); or round the motif-cells of the hierarchy.
    shown : tuple of str, optional
        Names of motifs: only these are pasted, or only the cells that hold one of them.
    nodes : tuple of int, optional
        Only the points, cells or occurrences of these motif-cells of the hierarchy.
    level : int, optional
        Likewise of all motif-cells of this level.
    rotate : bool, default True
        Turn averages back by the angles by which patches were turned to be averaged; it changes nothing where
        they were not. Of "cells" only Voronoi cells are turned, of "motif_cells" those that the symmetry of
        the hierarchy turns.
    background : float, optional
        Value where nothing is pasted; by default NaN.
    candidate_height : float, default 0.25
        Least height of a candidate, as a share of the median column's: a single vacancy in a column of two
        light atoms differs by more.
    false_alarms : float, default 0.1
        Number of candidates that noise alone may raise in the whole image, on average.

    Examples
    --------
    >>> rebuilt = session.reconstruct().data["reconstruction"]
    >>> rebuilt.attrs["explained_variance"] > 0.8
    True
    >>> session.reconstruct(units="cells").data["reconstruction"]["intensity"].dims
    ('y', 'x')
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "patch", "motifs")
    motif_names: ClassVar[tuple[str, ...]] = ("shown",)
    units: str = "motifs"
    shown: tuple[str, ...] | None = None
    nodes: tuple[int, ...] | None = None
    level: int | None = None
    rotate: bool = True
    background: float | None = None
    candidate_height: float = 0.25
    false_alarms: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.units, "units", UNITS)
        check_positive(self.candidate_height, "candidate_height")
        check_positive(self.false_alarms, "false_alarms")
        if self.nodes is not None and self.level is not None:
            raise ValueError("`nodes` and `level` must not both be given.")

    @property
    def by_node(self) -> bool:
        """Whether motif-cells are chosen."""
        return self.nodes is not None or self.level is not None

    def required(self) -> tuple[str, ...]:
        """Return the groups that are read; cells and the hierarchy only where they are used."""
        hierarchy = self.by_node or self.units == "motif_cells"
        if hierarchy:
            return (*self.inputs, "cells", "hierarchy")
        return (*self.inputs, "cells") if self.units == "cells" else self.inputs


def reconstruct(
    image: xr.Dataset,
    points: xr.Dataset,
    patch: xr.Dataset,
    motifs: xr.Dataset,
    *rest: xr.Dataset,
    parameters: ReconstructParameters,
    context: Context,
) -> xr.Dataset:
    """Return the reconstruction group.

    Raises
    ------
    ValueError
        If a name is no motif's, a number is no motif-cell's, or there is nothing to paste.
    """
    from atomotif.numerics.noise import noise_variance
    from atomotif.numerics.reconstruction import explained_variance, paste_averages
    from atomotif.numerics.structural_similarity import structural_similarity
    from atomotif.steps._pieces import of_cells, of_motif_cells, of_motifs

    pixels = image["flattened" if "flattened" in image else "intensity"].values
    if parameters.units == "motifs":
        pieces = of_motifs(points, motifs, rest, parameters)
    elif parameters.units == "cells":
        pieces = of_cells(image, pixels, motifs, rest, parameters, context)
    else:
        pieces = of_motif_cells(image, pixels, motifs, rest, parameters, context)
    if not (pieces.labels >= 0).any():
        raise ValueError("there is nothing to paste: no unit with a column is among those asked for.")
    context.report(0.2)
    rebuilt = paste_averages(
        pixels.shape,
        pieces.average,
        pieces.places,
        pieces.labels,
        angles=pieces.angles if parameters.rotate else None,
        radius=pieces.radius,
        n_threads=context.n_threads,
    )
    residual = pixels - rebuilt
    covered = np.isfinite(rebuilt)
    context.report(0.4)
    raw = image["intensity"].values
    model = noise_variance(raw)
    noise = model.variance(raw - np.where(covered, residual, 0))
    inside = pixels[covered].astype(np.float64)
    attrs = {
        "explained_variance": explained_variance(pixels, rebuilt),
        "explained_variance_limit": 1 - float(noise[covered].mean()) / float(inside.var()),
        "ssim": structural_similarity(pixels, rebuilt, n_threads=context.n_threads),
        "covered": float(covered.mean()),
    }
    context.report(0.6)
    if parameters.background is not None:
        rebuilt[~covered] = parameters.background
    candidates = _candidates(image, pixels, points, patch, motifs, parameters, context)
    made = xr.Dataset(
        {"intensity": (("y", "x"), rebuilt), "residual": (("y", "x"), residual.astype(np.float32))},
        coords={"y": image["y"], "x": image["x"]},
        attrs=attrs,
    ).merge(candidates, combine_attrs="no_conflicts")
    if parameters.units != "motifs":
        made["unit_average"] = (("unit", "v", "u"), pieces.average)
        made["unit_count"] = (
            "unit",
            np.bincount(pieces.labels[pieces.labels >= 0], minlength=len(pieces.average)),
        )
    return made


def _candidates(
    image: xr.Dataset,
    pixels: NDArray[np.float32],
    points: xr.Dataset,
    patch: xr.Dataset,
    motifs: xr.Dataset,
    parameters: ReconstructParameters,
    context: Context,
) -> xr.Dataset:
    """Return where the image departs from what all points show of their own columns, whatever is shown."""
    from scipy.spatial import cKDTree

    from atomotif.numerics.noise import noise_variance
    from atomotif.numerics.reconstruction import column_residual
    from atomotif.numerics.residual_candidates import column_heights, residual_candidates

    where, labels = positions(points), motifs["label"].values
    spacing = float(patch.attrs["nearest_neighbor"])
    residual = column_residual(
        pixels,
        motifs["average"].values,
        where,
        labels,
        spacing,
        angles=motifs["angle"].values,
        n_threads=context.n_threads,
    )
    raw = image["intensity"].values
    model = noise_variance(raw)
    sigma = 0.25 * spacing
    height = float(np.median(np.abs(column_heights(pixels, where[labels >= 0], sigma, context.n_threads))))
    found = residual_candidates(
        residual,
        # Of what was expected: where noise makes the image bright, it would pass for more noise.
        model.variance(raw - np.nan_to_num(residual)),
        sigma,
        gain=max(model.slope, 0.0),
        false_alarms=parameters.false_alarms,
        min_contrast=parameters.candidate_height * height,
        n_threads=context.n_threads,
    )
    distance, nearest = cKDTree(where).query(found.positions)
    pixel_size, units = image.attrs["pixel_size"], {"units": image.attrs["units"]}
    place = np.array([float(image["y"][0]), float(image["x"][0])]) + found.positions * pixel_size
    ids = points["id"].values[np.minimum(nearest, len(where) - 1)]
    return xr.Dataset(
        {
            "candidate_y": ("candidate", place[:, 0], units),
            "candidate_x": ("candidate", place[:, 1], units),
            "candidate_significance": ("candidate", found.significance),
            "candidate_contrast": ("candidate", found.contrast / height if height > 0 else found.contrast),
            "candidate_id": ("candidate", np.where(distance < 0.5 * spacing, ids, -1)),
        },
        attrs={"candidate_threshold": found.threshold, "residual_excess": found.excess},
    )
