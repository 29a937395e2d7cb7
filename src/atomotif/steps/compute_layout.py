"""Step `compute_layout`: the points as islands in a plane (METHOD section 5)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from atomotif._checks import check_choice, check_not_negative, check_positive
from atomotif.steps.base import Context, Parameters

PRESETS = ("paper", "code", "balanced", "reversed")


@dataclass(frozen=True, kw_only=True)
class ComputeLayoutParameters(Parameters):
    """Lay the points out in a plane by two-stage force relaxation of their features.

    Parameters
    ----------
    preset : str, default "paper"
        A named set of forces of `ForceRelaxedLayout`. The paper's own, because on well-centred,
        background-free, debiased invariants it was measured to give the most compact and best
        separated islands.
    n_neighbors : int, default 10
        Neighbours that attract each point.
    n_negatives : int, default 5
        Random points repelled for each neighbour and iteration.
    n_iterations : int, default 100
        Iterations of both stages together.
    record_every : int, default 0
        Keep the positions of every so many iterations as `frames`; 0 keeps none.
    random_state : int, default 0
        Seed of the random repulsion.

    Examples
    --------
    >>> session.compute_layout(record_every=50).data["layout"]["frames"].sizes["frame"]
    3
    """

    inputs: ClassVar[tuple[str, ...]] = ("features",)
    preset: str = "paper"
    n_neighbors: int = 10
    n_negatives: int = 5
    n_iterations: int = 100
    record_every: int = 0
    random_state: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.preset, "preset", PRESETS)
        for name in ("n_neighbors", "n_negatives", "n_iterations"):
            check_positive(getattr(self, name), name)
        for name in ("record_every", "random_state"):
            check_not_negative(getattr(self, name), name)


def compute_layout(features: xr.Dataset, parameters: ComputeLayoutParameters, context: Context) -> xr.Dataset:
    """Return the layout group: positions, neighbours and weights, and frames if they were asked for."""
    from atomotif.numerics.force_layout import ForceRelaxedLayout

    model = ForceRelaxedLayout(
        preset=parameters.preset,
        n_neighbors=parameters.n_neighbors,
        n_negatives=parameters.n_negatives,
        n_iterations=parameters.n_iterations,
        record_every=parameters.record_every or None,
        random_state=parameters.random_state,
        n_threads=context.n_threads,
        callback=context.report,
    )
    position = model.fit_transform(used_features(features))
    group = xr.Dataset(
        {
            "position": (("point", "axis"), position.astype(np.float32)),
            "neighbor": (("point", "k"), model.neighbors_),
            "weight": (("point", "k"), model.weights_),
        },
        attrs={"neighbor_recall": float(model.recall_)},
    )
    if parameters.record_every:
        group["frames"] = (("frame", "point", "axis"), np.asarray(model.frames_, np.float32))
    return group


def used_features(features: xr.Dataset) -> np.ndarray:
    """Return the features that drive layout and motifs: magnitudes or oriented moments."""
    name = "invariant" if features.attrs["rotation_invariant"] else "zernike"
    return features[name].values
