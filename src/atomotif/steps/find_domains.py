"""Step `find_domains`: regions of a continuous sample and what fills them (METHOD section 9)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_not_negative, check_positive
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions

BORDERS = ("keep", "drop")
SMALL = ("merge", "drop")
# Standard deviation over which weights are smoothed, in patch sizes: they see no more than a patch anyway.
_SMOOTHING = 0.25


@dataclass(frozen=True, kw_only=True)
class FindDomainsParameters(Parameters):
    """Cut the field into domains of one anchor each, and sort what fills them into parts.

    Parameters
    ----------
    domain_smoothing : float, optional
        Standard deviation of the Gaussian by which the anchors' weights are averaged over neighbours, px; 0
        for none. By default a quarter of the patch size.
    min_weight : float, default 0
        Points of which no anchor has so much weight are of no domain: walls between domains. 0 for no walls.
    min_domain_points : int, default 12
        Least number of points of a domain: about what a patch and its neighbours see.
    small_domains : {"merge", "drop"}, default "merge"
        Whether smaller ones go to the domain round them, or to none.
    border : {"keep", "drop"}, default "keep"
        Whether domains that the edge of the field cuts are kept (`at_edge` marks them) or go to none.
    n_parts : int, optional
        Number of parts of the domains of each anchor; by default the most distinct grouping, up to six.
    part_weight : float, default 0.7
        Parts are learnt from, and their patches averaged over, points whose anchor has at least this weight:
        towards walls all parts change.
    random_state : int, default 0
        Seed of the parts and of their layout.

    Examples
    --------
    >>> session.find_domains(border="drop").data["domains"]["at_edge"].values.any()
    np.False_
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "features", "anchors")
    domain_smoothing: float | None = None
    min_weight: float = 0.0
    min_domain_points: int = 12
    small_domains: str = "merge"
    border: str = "keep"
    n_parts: int | None = None
    part_weight: float = 0.7
    random_state: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.small_domains, "small_domains", SMALL)
        check_choice(self.border, "border", BORDERS)
        check_not_negative(self.random_state, "random_state")
        check_positive(self.min_domain_points, "min_domain_points")
        if self.n_parts is not None:
            check_positive(self.n_parts, "n_parts")
        if self.domain_smoothing is not None and not 0 <= self.domain_smoothing < np.inf:
            raise ValueError(f"`domain_smoothing` must be at least 0, got {self.domain_smoothing!r}.")
        for name in ("min_weight", "part_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must be from 0 to 1, got {getattr(self, name)!r}.")


def find_domains(
    image: xr.Dataset,
    points: xr.Dataset,
    features: xr.Dataset,
    anchors: xr.Dataset,
    parameters: FindDomainsParameters,
    context: Context,
) -> xr.Dataset:
    """Return the domains group; areas, centres and outlines are in the image's units.

    Raises
    ------
    ValueError
        If there are fewer than four points, or all lie on one line.
    """
    from atomotif.numerics import domains as numerics
    from atomotif.numerics.outlines import outlines
    from atomotif.numerics.voronoi import voronoi_cells

    where, shape = positions(points), (image.sizes["y"], image.sizes["x"])
    size = float(features.attrs["patch_size"])
    smoothing = _SMOOTHING * size if parameters.domain_smoothing is None else parameters.domain_smoothing
    weights = numerics.smoothed_weights(where, anchors["weight"].values, smoothing)
    found = numerics.find_domains(
        where,
        weights,
        min_weight=parameters.min_weight,
        min_points=parameters.min_domain_points,
        small=parameters.small_domains,
    )
    if parameters.border == "drop":
        found = numerics.without(found, found.at_edge)
    context.report(0.3)
    cells = voronoi_cells(where, shape, short_side=0)
    rings = outlines(cells.corners, cells.offsets, found.label)
    context.report(0.5)
    inside, count = found.label >= 0, len(found.count)
    area = np.bincount(found.label[inside], cells.area[inside], count)
    centre = [np.bincount(found.label[inside], (cells.area * axis)[inside], count) / area for axis in where.T]
    nearest = anchors["nearest"].values
    known = inside & (nearest >= 0)
    composition = np.zeros((count, anchors.sizes["anchor"]))
    np.add.at(composition, (found.label[known], nearest[known]), 1.0)
    composition /= np.maximum(composition.sum(axis=1, keepdims=True), 1.0)
    pixel, units = image.attrs["pixel_size"], image.attrs["units"]
    top, left = float(image["y"][0]), float(image["x"][0])
    length = {"units": units}
    parts = _parts(image, where, features, anchors, found, weights, parameters, context)
    return xr.Dataset(
        {
            "domain": ("point", found.label),
            "anchor": ("domain_", found.anchor),
            "name": ("domain_", np.array(_names(anchors, found.anchor), dtype=object)),
            "count": ("domain_", found.count),
            "area": ("domain_", area * pixel**2, {"units": f"{units}²"}),
            "y": ("domain_", top + centre[0] * pixel, length),
            "x": ("domain_", left + centre[1] * pixel, length),
            "at_edge": ("domain_", found.at_edge),
            "composition": (("domain_", "anchor_"), composition),
            "outline_y": ("vertex", top + rings.corners[:, 0] * pixel, length),
            "outline_x": ("vertex", left + rings.corners[:, 1] * pixel, length),
            "outline_offset": ("ring_bound", rings.offsets),
            "outline_domain": ("ring", rings.region),
            **parts,
        },
        attrs={"smoothing": smoothing, "patch_size": size},
    )


def _names(anchors: xr.Dataset, anchor: NDArray[np.int64]) -> list[str]:
    """Return a name for each domain: that of its anchor and its rank among its domains."""
    names, seen = anchors["name"].values, np.zeros(anchors.sizes["anchor"], np.int64)
    result = []
    for one in anchor:
        seen[one] += 1
        result.append(f"{names[one]} #{seen[one]}")
    return result


def _parts(
    image: xr.Dataset,
    where: NDArray[np.float64],
    features: xr.Dataset,
    anchors: xr.Dataset,
    found: Any,
    weights: NDArray[np.float64],
    parameters: FindDomainsParameters,
    context: Context,
) -> dict[str, Any]:
    """Return the kinds of columns in their orientations that fill the domains of each anchor (fig. 5E)."""
    from atomotif.numerics.averages import motif_averages
    from atomotif.numerics.force_layout import ForceRelaxedLayout
    from atomotif.numerics.parts import find_parts
    from atomotif.numerics.whitening import total_covariance, whitening

    moments, whole = features["zernike"].values.astype(np.float64), features["complete"].values
    noise = features["noise_covariance"].values
    part, averaged = np.full((2, len(where)), -1, np.int64)
    place = np.full((len(where), 2), np.nan, np.float32)
    part_anchor: list[int] = []
    of_point = np.append(found.anchor, -1)[found.label]
    for k in range(anchors.sizes["anchor"]):
        rows = np.flatnonzero((of_point == k) & whole)
        pure = weights[rows, k] >= parameters.part_weight
        if pure.sum() < max(parameters.min_domain_points, parameters.n_parts or 0):
            continue
        learnt = moments[rows[pure]]
        components = whitening(learnt, total_covariance(learnt, noise)).transform(moments[rows])
        own = find_parts(components, pure, parameters.n_parts, parameters.random_state)
        part[rows] = own + len(part_anchor)
        averaged[rows[pure]] = part[rows[pure]]
        part_anchor += [k] * (int(own.max()) + 1)
        layout = ForceRelaxedLayout(random_state=parameters.random_state, n_threads=context.n_threads)
        place[rows] = layout.fit_transform(components)
    count = len(part_anchor)
    averages = motif_averages(
        image["flattened" if "flattened" in image else "intensity"].values,
        where,
        averaged,
        count,
        float(features.attrs["patch_size"]) / 2,
        align=False,
        n_threads=context.n_threads,
    )
    of_anchor = np.array(part_anchor, np.int64)
    rank = np.arange(count) - np.searchsorted(of_anchor, of_anchor)
    names = [f"{anchors['name'].values[k]}.{j}" for k, j in zip(of_anchor, rank, strict=True)]
    return {
        "part": ("point", part),
        "part_position": (("point", "axis"), place),
        "part_anchor": ("part_", of_anchor),
        "part_name": ("part_", np.array(names, dtype=object)),
        "part_count": ("part_", np.bincount(part[part >= 0], minlength=count)),
        "part_average": (("part_", "v", "u"), averages.average),
    }
