"""Step `find_motifs`: which points are alike, and what they look like (METHOD section 6)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_not_negative, check_positive
from atomotif._palette import motif_colors
from atomotif._warnings import warn
from atomotif.steps.base import Context, Parameters
from atomotif.steps.compute_layout import used_features
from atomotif.steps.find_points import positions

METHODS = ("significance", "layout")
#: With a smaller share of whole patches the user is told.
MOST_INSIDE = 0.5


@dataclass(frozen=True, kw_only=True)
class FindMotifsParameters(Parameters):
    """Group the points into motifs, without their number given.

    Parameters
    ----------
    method : {"significance", "layout"}, default "significance"
        "significance" over-segments the features in units of their noise and merges what differs
        neither significantly nor by much; "layout" takes the density clusters of the layout (the
        paper's way, whose density is in part an artefact of the forces).
    n_motifs : int, optional
        Ask for exactly this many motifs; only for "significance".
    detail : float, default 1.0
        Above 1 smaller differences make a motif of their own, below 1 only larger ones; only for
        "significance".
    min_cluster_size : int, optional
        Least number of points of a motif for "layout"; by default 0.5 % of the points, at least 5.
    min_coverage : float, default 0.9
        Points whose patch lies inside the image by less than this share get no motif (label -1).
        "significance" learns from whole patches only.
    align : bool, default True
        Turn the patches of a motif onto each other before averaging; only with rotation-invariant
        features, in which a motif holds patches of any orientation.
    random_state : int, default 0
        Seed of what is sampled when there are many points.

    Examples
    --------
    >>> len(session.find_motifs(n_motifs=3).motifs)
    3
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "features")
    method: str = "significance"
    n_motifs: int | None = None
    detail: float = 1.0
    min_cluster_size: int | None = None
    min_coverage: float = 0.9
    align: bool = True
    random_state: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.method, "method", METHODS)
        check_positive(self.detail, "detail")
        if not 0 < self.min_coverage <= 1:
            raise ValueError(f"`min_coverage` must be above 0 and at most 1, got {self.min_coverage!r}.")
        check_not_negative(self.random_state, "random_state")
        for name in ("n_motifs", "min_cluster_size"):
            if getattr(self, name) is not None:
                check_positive(getattr(self, name), name)
        if self.method == "layout" and self.n_motifs is not None:
            raise ValueError('`n_motifs` goes with `method="significance"` only.')

    def required(self) -> tuple[str, ...]:
        """Return the groups that are read; the layout only where motifs are its clusters."""
        return (*self.inputs, "layout") if self.method == "layout" else self.inputs


def find_motifs(
    image: xr.Dataset,
    points: xr.Dataset,
    features: xr.Dataset,
    *rest: xr.Dataset,
    parameters: FindMotifsParameters,
    context: Context,
) -> xr.Dataset:
    """Return the motifs group: labels, confidences, names, colours, counts and class averages."""
    from atomotif.numerics.density import layout_clusters

    inside = features["coverage"].values >= parameters.min_coverage
    if inside.mean() < MOST_INSIDE:
        warn(
            f"only {100 * inside.mean():.0f} % of the patches lie inside the image, the other points get no "
            f"motif: `patch_size` of {features.attrs['patch_size']:.0f} px is large for this image"
        )
    if parameters.method == "layout":
        (layout,) = rest
        size = parameters.min_cluster_size or max(5, round(0.005 * points.sizes["point"]))
        labels = np.full(len(inside), -1, np.int64)
        confidence = np.zeros(len(inside), np.float32)
        labels[inside], confidence[inside] = layout_clusters(
            layout["position"].values[inside], min_cluster_size=size, n_threads=context.n_threads
        )
    else:
        labels, confidence = _significant(features, inside, parameters)
    context.report(0.7)
    return motifs_group(
        image,
        points,
        labels,
        np.where(labels >= 0, confidence, np.float32(0)),
        patch_size=float(features.attrs["patch_size"]),
        features=features,
        align=parameters.align and bool(features.attrs["rotation_invariant"]),
        n_threads=context.n_threads,
    )


def _significant(
    features: xr.Dataset, inside: NDArray[np.bool_], parameters: FindMotifsParameters
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    from atomotif.numerics import invariants, motif_clusters

    covariance = features["noise_covariance"].values
    if features.attrs["rotation_invariant"]:
        used, covariance = invariants.debiased_invariants(features["zernike"].values, covariance)
    else:
        used = used_features(features)
    clusters = motif_clusters.cluster_motifs(
        used,
        covariance,
        complete=features["complete"].values,
        assign=inside,
        detail=parameters.detail,
        n_motifs=parameters.n_motifs,
        random_state=parameters.random_state,
    )
    return clusters.labels, clusters.confidence


def motifs_group(
    image: xr.Dataset,
    points: xr.Dataset,
    labels: NDArray[np.int64],
    confidence: NDArray[np.floating],
    *,
    patch_size: float,
    names: list[str] | None = None,
    features: xr.Dataset | None = None,
    align: bool = False,
    n_threads: int | None = None,
) -> xr.Dataset:
    """Return labels as a motifs group, with the class averages.

    Parameters
    ----------
    image, points : xr.Dataset
        The groups of the session.
    labels : ndarray of int64, shape (n,)
        Motif of every point, -1 for none.
    confidence : ndarray, shape (n,)
        0 to 1.
    patch_size : float
        Diameter of the patches, px.
    names : list of str, optional
        A name for each motif; by default "M0", "M1", ...
    features : xr.Dataset, optional
        The features group; its moments give the angles for `align`.
    align : bool, default False
        Turn the patches of a motif onto each other before averaging.
    n_threads : int, optional
        Threads to use.

    Returns
    -------
    xr.Dataset
    """
    from atomotif.numerics.averages import motif_averages

    count = int(labels.max(initial=-1)) + 1
    average, deviation, angle = motif_averages(
        image["flattened" if "flattened" in image else "intensity"].values,
        positions(points),
        labels,
        count,
        patch_size / 2,
        moments=features["zernike"].values if features is not None and align else None,
        align=align,
        n_threads=n_threads,
    )
    offset = np.arange(average.shape[-1]) - average.shape[-1] // 2
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    return xr.Dataset(
        {
            "label": ("point", labels),
            "confidence": ("point", np.asarray(confidence, np.float32)),
            "angle": ("point", np.asarray(angle, np.float32), {"units": "rad"}),
            "name": ("motif", np.array(names or [f"M{k}" for k in range(count)], dtype=object)),
            "color": ("motif", np.array(motif_colors(count), dtype=object)),
            "count": ("motif", np.bincount(labels[labels >= 0], minlength=count)),
            "average": (("motif", "v", "u"), average),
            "deviation": (("motif", "v", "u"), deviation),
        },
        coords={
            "v": ("v", offset * pixel_size, {"units": units}),
            "u": ("u", offset * pixel_size, {"units": units}),
        },
        attrs={"patch_size": patch_size},
    )
