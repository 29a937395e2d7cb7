"""Step `find_environments`: the rings of columns round chosen motifs (METHOD section 8, paper fig. 3E)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from atomotif._checks import check_positive
from atomotif.numerics.shells import environments
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_cells import labels_of
from atomotif.steps.find_points import positions


@dataclass(frozen=True, kw_only=True)
class FindEnvironmentsParameters(Parameters):
    """Class the surroundings of chosen columns by the motifs of the rings round them.

    The first ring is a column's neighbours, the second one their further neighbours, and so on: on MX2 the
    ring of the other sublattice and that of the own one. Needs no lattice.

    Parameters
    ----------
    centers : str or tuple of str, optional
        Names of the motifs in the middle, such as a dopant's; by default all.
    n_shells : int, default 2
        Number of rings (paper, fig. 3E).
    ordered_rings : bool, default False
        Whether rings of the same motifs in another cyclic sequence are different (two vacancies side by side
        or opposite); a sequence and its mirror image are one.

    Examples
    --------
    >>> found = session.find_environments(centers="M1").data["environments"]
    >>> int(found["class_count"].sum()) == int((found["class"] >= 0).sum())
    True
    """

    inputs: ClassVar[tuple[str, ...]] = ("points", "motifs")
    motif_names: ClassVar[tuple[str, ...]] = ("centers",)
    centers: tuple[str, ...] | str | None = None
    n_shells: int = 2
    ordered_rings: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.centers, str):
            object.__setattr__(self, "centers", (self.centers,))
        super().__post_init__()
        check_positive(self.n_shells, "n_shells")


def find_environments(
    points: xr.Dataset,
    motifs: xr.Dataset,
    parameters: FindEnvironmentsParameters,
    context: Context,  # noqa: ARG001
) -> xr.Dataset:
    """Return the environments group.

    Raises
    ------
    ValueError
        If a name is no motif's.
    """
    labels = motifs["label"].values
    if parameters.centers is None:
        chosen = np.flatnonzero(labels >= 0)
    else:
        chosen = np.flatnonzero(np.isin(labels, labels_of(motifs, tuple(parameters.centers), "centers")))
    found = environments(
        positions(points), labels, chosen, parameters.n_shells, ordered=parameters.ordered_rings
    )
    ids, shells = points["id"].values, found.shells
    rings = [ring for _, form in found.classes for ring in form]
    of_point = np.full(len(labels), -1, np.int64)
    of_point[chosen] = found.of_center
    return xr.Dataset(
        {
            "motif_name": ("motif_", motifs["name"].values),
            "center_id": ("center", ids[chosen]),
            "class": ("center", found.of_center),
            "ring_number": ("ring", np.tile(np.arange(1, parameters.n_shells + 1), len(chosen))),
            "ring_complete": ("ring", shells.complete.reshape(-1)),
            "ring_offset": ("ring_bound", shells.offsets),
            "ring_id": ("ring_member", ids[shells.members]),
            "class_of_point": ("point", of_point),
            "class_center": ("class_", np.array([label for label, _ in found.classes], np.int64)),
            "class_count": ("class_", found.counts),
            "class_ring_offset": (
                "class_ring_bound",
                np.cumsum([0, *(len(ring) for ring in rings)]).astype(np.int64),
            ),
            "class_ring_label": (
                "class_ring_member",
                np.array([label for ring in rings for label in ring], np.int64),
            ),
        },
        attrs={
            "n_shells": parameters.n_shells,
            "ordered_rings": int(parameters.ordered_rings),
            "bond_length": shells.bond_length,
        },
    )
