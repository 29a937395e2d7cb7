"""Step `find_anchors`: extremes of a continuous sample, and how near every point is (METHOD section 9)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import KDTree

from atomotif._checks import check_choice, check_not_negative, check_positive
from atomotif._palette import anchor_colors
from atomotif.steps.base import Context, Parameters
from atomotif.steps.compute_layout import used_features
from atomotif.steps.find_points import positions

METHODS = ("archetypes", "layout")
SEEN = ("neighborhood", "patch")
# As many as barycentric weights are made for.
_MOST = 8
# Standard deviation of the neighbourhood, in patch sizes: a patch spans about a lattice constant.
_NEIGHBORHOOD = 0.75
# Least number of points of a core, and its share of the points.
_CORE, _CORE_SHARE = 10, 0.01
# Points nearest to an anchor among which its core is the densest kind: a cell has some three kinds.
_KINDS = 4
# Points whose like are averaged in search of extremes.
_CANDIDATES = 2000


@dataclass(frozen=True, kw_only=True)
class FindAnchorsParameters(Parameters):
    """Choose or propose the extremes of which a continuous sample is a mixture, and weigh every point.

    Parameters
    ----------
    anchors : tuple of tuples of int, or tuple of int, optional
        Ids of points: of each anchor a selection, or one point. By default anchors are proposed.
    anchor_places : tuple of (float, float), optional
        Instead of ids (row, col), px, one for each anchor: the nearest point with a whole patch is taken.
    n_anchors : int, default 3
        How many are proposed, 2 to 8.
    method : {"archetypes", "layout"}, default "archetypes"
        How they are proposed: "archetypes" are those of the geodesic layout of the features, "layout" the
        corners of the largest polygon within the force-relaxed layout, of three anchors or more.
    seen : {"neighborhood", "patch"}, default "neighborhood"
        What a point is compared by: mean and deviation of the rotation invariants about it, which tell the
        stacking whichever column is the centre, or the features of its own patch, which tell columns apart.
    anchor_reach : float, optional
        Standard deviation of the Gaussian that weighs the neighbourhood, px; by default 0.75 patch sizes,
        about as many lattice constants.
    n_core : int, optional
        Number of points of each anchor whose patches are averaged; by default 1 % of the points, at least 10.
    anchor_names : tuple of str, optional
        By default, where a moiré was measured, those of the stackings that most of their points have, if
        these differ; else "A0", "A1", ...
    align_core : bool, default True
        Turn the patches of a core onto each other before averaging; only with rotation-invariant features.
    random_state : int, default 0
        Seed of what is sampled when there are many points.

    Examples
    --------
    >>> anchors = session.find_anchors(n_anchors=3).data["anchors"]
    >>> anchors["weight"].dims, float(anchors["weight"].sum("anchor").max())
    (('point', 'anchor'), 1.0)
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "features")
    optional: ClassVar[tuple[str, ...]] = ("moire",)
    point_ids: ClassVar[tuple[str, ...]] = ("anchors",)
    anchors: tuple[Any, ...] | None = None
    anchor_places: tuple[Any, ...] | None = None
    n_anchors: int = 3
    method: str = "archetypes"
    seen: str = "neighborhood"
    anchor_reach: float | None = None
    n_core: int | None = None
    anchor_names: tuple[str, ...] | None = None
    align_core: bool = True
    random_state: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.method, "method", METHODS)
        check_choice(self.seen, "seen", SEEN)
        check_not_negative(self.random_state, "random_state")
        for name in ("anchor_reach", "n_core"):
            if getattr(self, name) is not None:
                check_positive(getattr(self, name), name)
        if self.anchors is not None and self.anchor_places is not None:
            raise ValueError("`anchors` and `anchor_places` must not both be given.")
        if not 2 <= self.n_anchors <= _MOST:
            raise ValueError(f"`n_anchors` must be from 2 to {_MOST}, got {self.n_anchors}.")
        if self.method == "layout" and self.proposed and self.n_anchors < 3:
            raise ValueError('`n_anchors` must be at least 3 for `method="layout"`, got 2.')
        if self.anchors is not None:
            _check_number(self.anchors, "anchors")
            if not all(_is_id(one) or _are_ids(one) for one in self.anchors):
                raise TypeError(f"`anchors` must hold ids of points or tuples of them, got {self.anchors!r}.")
        if self.anchor_places is not None:
            _check_number(self.anchor_places, "anchor_places")
            if not all(_is_place(one) for one in self.anchor_places):
                raise TypeError(f"`anchor_places` must hold (row, col) pairs, got {self.anchor_places!r}.")
        given = self.anchors or self.anchor_places
        count = self.n_anchors if given is None else len(given)
        names = self.anchor_names
        if names is not None and (len(names) != count or len(set(names)) != count):
            raise ValueError(f"`anchor_names` must hold {count} different names, got {names!r}.")

    @property
    def proposed(self) -> bool:
        """Whether the anchors are found, not given."""
        return self.anchors is None and self.anchor_places is None

    def required(self) -> tuple[str, ...]:
        """Return the groups that are read; the layout only where anchors are its corners."""
        return (*self.inputs, "layout") if self.proposed and self.method == "layout" else self.inputs

    def carried(self, carry: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> Self:
        """Return the parameters with what `carry` makes of ids; None if it leaves an anchor without any."""
        if self.anchors is None:
            return self
        moved = [carry(np.atleast_1d(np.array(one, np.int64))).tolist() for one in self.anchors]
        if not all(moved):
            return replace(self, anchors=None, anchor_names=None)
        parts = zip(self.anchors, moved, strict=True)
        return replace(self, anchors=tuple(new[0] if _is_id(old) else tuple(new) for old, new in parts))


def _is_id(value: Any) -> bool:
    return type(value) is int


def _are_ids(values: Any) -> bool:
    return isinstance(values, tuple) and len(values) > 0 and all(map(_is_id, values))


def _is_place(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(type(one) in (int, float) for one in value)


def _check_number(given: tuple[Any, ...], name: str) -> None:
    if not 2 <= len(given) <= _MOST:
        raise ValueError(f"`{name}` must name from 2 to {_MOST} anchors, got {len(given)}.")


def find_anchors(
    image: xr.Dataset,
    points: xr.Dataset,
    features: xr.Dataset,
    *rest: xr.Dataset,
    moire: xr.Dataset | None = None,
    parameters: FindAnchorsParameters,
    context: Context,
) -> xr.Dataset:
    """Return the anchors group: distances, weights, cores, class averages and the geodesic layout.

    Raises
    ------
    ValueError
        If an id names no point, a point that is named has no whole patch, or too few points have one.
    """
    from atomotif.numerics.averages import motif_averages
    from atomotif.numerics.barycentric import barycentric_weights
    from atomotif.numerics.geodesic_layout import geodesic_layout

    where, patch_size = positions(points), float(features.attrs["patch_size"])
    whole = np.flatnonzero(features["complete"].values)
    if len(whole) <= _CORE:
        raise ValueError(f"`points` must hold more than {_CORE} with a whole patch, got {len(whole)}.")
    own = _components(features)[whole]
    if parameters.seen == "patch":
        rows, unit = own, "standard deviations of the noise"
    else:
        rows, unit = _neighborhoods(image, where, features, parameters, context)[whole], "intensity"
    context.report(0.4)
    n_core = min(parameters.n_core or max(_CORE, round(_CORE_SHARE * len(whole))), len(whole) // 2)
    dimensions = max(2, parameters.n_anchors - 1)
    flat = geodesic_layout(
        rows, dimensions, random_state=parameters.random_state, n_threads=context.n_threads
    )
    context.report(0.6)
    if parameters.proposed:
        # One anchor less is the dimension of their mixtures.
        space = rest[0]["position"].values[whole] if rest else flat[:, : parameters.n_anchors - 1]
        members = _proposed(rows, space, n_core, parameters)
    else:
        members = _given(points["id"].values, where, whole, parameters)
    corners = np.array([rows[one].mean(axis=0) for one in members])
    weight = barycentric_weights(rows, corners)
    if parameters.proposed:
        order = np.argsort(-np.bincount(weight.argmax(axis=1), minlength=len(corners)), kind="stable")
        corners, weight = corners[order], weight[:, order]
    distance = np.linalg.norm(rows[:, None] - corners, axis=2)
    core, exemplar = _cores(own, weight, distance, n_core)
    context.report(0.8)

    def of_all(values: NDArray[Any], fill: float) -> NDArray[Any]:
        result = np.full((len(where), *values.shape[1:]), fill, values.dtype)
        result[whole] = values
        return result

    nearest, core_label = of_all(weight.argmax(axis=1), -1), of_all(core, -1)
    averages = motif_averages(
        image["flattened" if "flattened" in image else "intensity"].values,
        where,
        core_label,
        len(corners),
        patch_size / 2,
        moments=features["zernike"].values,
        align=parameters.align_core and bool(features.attrs["rotation_invariant"]),
        n_threads=context.n_threads,
    )
    offset = np.arange(averages.average.shape[-1]) - averages.average.shape[-1] // 2
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    names = parameters.anchor_names or _names(nearest, len(corners), moire)
    return xr.Dataset(
        {
            "distance": (("point", "anchor"), of_all(distance.astype(np.float32), np.nan), {"units": unit}),
            "weight": (("point", "anchor"), of_all(weight.astype(np.float32), np.nan)),
            "nearest": ("point", nearest),
            "core": ("point", core_label),
            "position": (("point", "axis"), of_all(flat[:, :2].astype(np.float32), np.nan)),
            "name": ("anchor", np.array(names, dtype=object)),
            "color": ("anchor", np.array(anchor_colors(len(corners)), dtype=object)),
            "anchor_id": ("anchor", points["id"].values[whole[exemplar]].astype(np.int64)),
            "count": ("anchor", np.bincount(nearest[whole], minlength=len(corners))),
            "average": (("anchor", "v", "u"), averages.average),
            "deviation": (("anchor", "v", "u"), averages.deviation),
        },
        coords={
            "v": ("v", offset * pixel_size, {"units": units}),
            "u": ("u", offset * pixel_size, {"units": units}),
        },
        attrs={"patch_size": patch_size, "n_core": n_core},
    )


def _names(nearest: NDArray[np.int64], count: int, moire: xr.Dataset | None) -> tuple[str, ...]:
    """Return the stackings that most of the points of each anchor have, or numbers."""
    if moire is not None:
        stacking = moire["stacking"].values
        shares = np.zeros((count, moire.sizes["stacking_"]))
        for k in range(count):
            own = stacking[nearest == k]
            shares[k] = np.bincount(own, minlength=shares.shape[1]) / max(len(own), 1)
        if shares.max(axis=1).min() > 0.5 and len(set(shares.argmax(axis=1))) == count:
            return tuple(str(moire["stacking_name"].values[k]) for k in shares.argmax(axis=1))
    return tuple(f"A{k}" for k in range(count))


def _components(features: xr.Dataset) -> NDArray[np.float64]:
    """Return the features of patches in standard deviations of their noise, as motifs are found by."""
    from atomotif.numerics.invariants import debiased_invariants
    from atomotif.numerics.whitening import total_covariance, whitening

    rows, noise = used_features(features).astype(np.float64), features["noise_covariance"].values
    if features.attrs["rotation_invariant"]:
        rows, noise = debiased_invariants(features["zernike"].values, noise)
    learn = rows[features["complete"].values]
    return whitening(learn, total_covariance(learn, noise)).transform(rows)


def _neighborhoods(
    image: xr.Dataset,
    where: NDArray[np.float64],
    features: xr.Dataset,
    parameters: FindAnchorsParameters,
    context: Context,
) -> NDArray[np.float64]:
    from atomotif.numerics.neighborhoods import neighborhood_features

    size = float(features.attrs["patch_size"])
    return neighborhood_features(
        image[features.attrs["source"]].values,
        where,
        size / 2,
        parameters.anchor_reach or _NEIGHBORHOOD * size,
        features["noise_covariance"].values,
        n_threads=context.n_threads,
    )


def _proposed(
    rows: NDArray[np.float64], space: NDArray[np.floating], n_core: int, parameters: FindAnchorsParameters
) -> list[NDArray[np.int64]]:
    """Return for each anchor the points nearest to an extreme of `space`.

    Extremes are sought among means of as many like points as a core has: strays have no like.
    """
    from atomotif.numerics.archetypes import archetypes
    from atomotif.numerics.inscribed_polygon import inscribed_polygon

    tree = KDTree(space)
    rng = np.random.default_rng(parameters.random_state)
    tried = np.sort(rng.permutation(len(rows))[:_CANDIDATES])
    means = space[tree.query(space[tried], n_core)[1]].mean(axis=1)
    if parameters.method == "layout":
        extremes = means[inscribed_polygon(means, parameters.n_anchors)]
    else:
        extremes = archetypes(means, parameters.n_anchors).corners
    return list(tree.query(extremes, n_core)[1])


def _given(
    ids: NDArray[np.int64],
    where: NDArray[np.float64],
    whole: NDArray[np.int64],
    parameters: FindAnchorsParameters,
) -> list[NDArray[np.int64]]:
    """Return for each anchor its rows among the whole patches."""
    if parameters.anchor_places is not None:
        near = KDTree(where[whole]).query(np.array(parameters.anchor_places, np.float64))[1]
        return [np.array([one]) for one in near]
    members = []
    for one in parameters.anchors or ():
        named = np.atleast_1d(np.array(one, np.int64))
        unknown = named[~np.isin(named, ids)]
        if len(unknown):
            raise ValueError(f"`anchors` must hold ids of points, got {int(unknown[0])}.")
        rows = np.flatnonzero(np.isin(ids[whole], named))
        if not len(rows):
            raise ValueError(f"`anchors` must name points with a whole patch, got {one!r}.")
        members.append(rows)
    return members


def _cores(
    own: NDArray[np.float64], weight: NDArray[np.float64], distance: NDArray[np.float64], n_core: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the anchor of every point of a core, else -1, and the exemplar of each.

    Of the points nearest to an anchor the core is the kind of column that scatters least; all kinds together
    would have an average without contrast.
    """
    core, exemplar = np.full(len(own), -1, np.int64), np.zeros(weight.shape[1], np.int64)
    nearest = weight.argmax(axis=1)
    for k in range(weight.shape[1]):
        near = np.flatnonzero(nearest == k)
        near = near[np.argsort(distance[near, k], kind="stable")[: _KINDS * n_core]]
        if not len(near):
            # No point is mostly of it: it has an exemplar, but no core.
            exemplar[k] = int(distance[:, k].argmin())
            continue
        number = min(n_core, len(near))
        reach, like = KDTree(own[near]).query(own[near], number)
        reach, like = reach.reshape(len(near), -1), like.reshape(len(near), -1)
        densest = int(reach[:, -1].argmin())
        core[near[like[densest]]] = k
        exemplar[k] = near[densest]
    return core, exemplar
