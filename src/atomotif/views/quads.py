"""The sixteen states of quads as tiles: how often each occurs, by chance, too, and whose points it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.views.layer_fields import QUAD_COLORS
from atomotif.views.tree_data import rows_of

NO_STATE = 255
N_STATES = 16
#: In the order of the drawings: by the number of filled corners.
STATES = tuple(sorted(range(N_STATES), key=lambda state: (state.bit_count(), state)))


@dataclass(frozen=True)
class QuadData:
    """What the page needs of the quads.

    Attributes
    ----------
    row : ndarray of int32, shape (4 * n_quads,)
        Rows of the four points of each quad, -1 for one that is not shown.
    state : ndarray of uint8, shape (n_quads,)
        255 for quads with a partly filled corner.
    tiles : tuple of dict
        `state`, `count`, `share` of those that have a state, `chance` (the share if each corner were filled
        independently) and `color`, in the order of `STATES`.
    orientation : float
        Of corner 0, radians from columns towards rows; the others follow by quarter turns.
    text : tuple of str
        Entropy against chance, and what is not counted.
    """

    row: NDArray[np.int32]
    state: NDArray[np.uint8]
    tiles: tuple[dict[str, Any], ...]
    orientation: float
    text: tuple[str, ...]

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by the names that the page knows."""
        return {"quadRow": self.row, "quadState": self.state}

    def facts(self) -> dict[str, Any]:
        """Return the rest."""
        return {"tiles": list(self.tiles), "orientation": self.orientation, "text": list(self.text)}


def quad_data(groups: Mapping[str, xr.Dataset], ids: NDArray[np.int64]) -> QuadData | None:
    """Read the quads.

    Parameters
    ----------
    groups : mapping of str to xr.Dataset
        A session's groups.
    ids : ndarray of int64
        Of the points that are shown, in their order.

    Returns
    -------
    QuadData or None
        None where there are no quads.

    Examples
    --------
    >>> quad_data({}, np.arange(3)) is None
    True
    """
    if "quads" not in groups or groups["quads"].sizes.get("quad", 0) == 0:
        return None
    group = groups["quads"]
    state = group["quad_state"].values
    counts = np.bincount(state[state >= 0], minlength=N_STATES)
    empty, _, filled = (int(n) for n in group["pentagon_count"].values)
    probability = filled / max(empty + filled, 1)
    tiles = tuple(
        {
            "state": one,
            "count": int(counts[one]),
            "share": float(counts[one] / max(counts.sum(), 1)),
            "chance": probability ** one.bit_count() * (1 - probability) ** (4 - one.bit_count()),
            "color": QUAD_COLORS[one.bit_count()],
        }
        for one in STATES
    )
    return QuadData(
        row=rows_of(group["quad_id"].values.ravel(), ids).astype(np.int32),
        state=np.where(state >= 0, state, NO_STATE).astype(np.uint8),
        tiles=tiles,
        orientation=float(group.attrs["orientation"]),
        text=(_entropy(group), _counted(group, probability)),
    )


def _entropy(group: xr.Dataset) -> str:
    sample = int(np.flatnonzero((group["level"].values == 2) & (group["sublattice"].values == -1))[0])
    of = {
        name: float(group[name].values[sample])
        for name in ("entropy", "equal", "independent", "null_mean", "null_std", "p")
    }
    return (
        f"Entropy {of['entropy']:.2f} bits of at most {of['equal']:.3g}; permuted corners would give "
        f"{of['null_mean']:.2f} ± {of['null_std']:.2f} (p = {of['p']:.3g}), "
        f"independent ones {of['independent']:.2f}."
    )


def _counted(group: xr.Dataset, probability: float) -> str:
    partial = int((group["quad_state"].values < 0).sum())
    text = f"{100 * probability:.1f} % of the pentagons are filled."
    if partial:
        text += f" {partial:,} quads with a partly filled corner are not counted."
    squares = group.sizes.get("square", 0)
    if squares:
        state = group["square_state"].values
        distinct = len(np.unique(state[state >= 0]))
        text += (
            f" Level 3, a layer over the micrograph: {squares:,} squares of four quads, {distinct:,} states."
        )
    return text
