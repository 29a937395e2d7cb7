"""What layers over the micrograph have in common: levels on a scale of colours, and the key that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.views.style import BRIGHT, DIVERGING, SEQUENTIAL, robust_limits, scale_ticks

Groups = Mapping[str, xr.Dataset]

# The number for what has no value; those before are places on the colour scale.
NO_LEVEL = 255
# Entries of a key: what fits below a figure.
MAX_SWATCHES = 5


@dataclass(frozen=True)
class Layer:
    """One layer as it is sent.

    Attributes
    ----------
    facts : dict
        JSON-able. `kind` ("cells", "regions", "tiles", "arrows" or "picture"); `palette` of "#rrggbb", which
        the column `level` counts in; its key as `scale` (title and ticks) or `swatches`; and what its kind
        needs.
    columns : dict of ndarray
        `level` (uint8, `NO_LEVEL` for none) or, of a picture, `rgba`; and places, by name.
    """

    facts: dict[str, Any]
    columns: dict[str, NDArray[Any]]


def levels(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return places on a scale, 0 to 254, and `NO_LEVEL` for what is not finite."""
    with np.errstate(invalid="ignore"):
        places = np.rint(np.clip((values - low) / (high - low), 0, 1) * (NO_LEVEL - 1))
    return np.where(np.isfinite(values), places, NO_LEVEL).astype(np.uint8)


def scaled(
    values: NDArray[Any], title: str, *, centred: bool = False, from_zero: bool = False
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Return levels of values, and palette and key of their scale.

    Parameters
    ----------
    values : ndarray
    title : str
        Of the key, with units.
    centred : bool, default False
        Whether 0 is in the middle of a diverging scale.
    from_zero : bool, default False
        Whether the scale begins at 0, with a colour that is seen on dark grey.
    """
    low, high = robust_limits(values, centred=centred, from_zero=from_zero)
    finite = values[np.isfinite(values)]
    little = 1e-6 * (high - low)
    below, above = bool((finite < low - little).any()), bool((finite > high + little).any())
    ticks = scale_ticks(low, high, below, above)
    palette = DIVERGING if centred else BRIGHT if from_zero else SEQUENTIAL
    facts = {"palette": list(palette), "scale": {"title": title, "ticks": ticks}}
    return levels(values, low, high), facts


def swatch_key(swatches: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the key of colours that name things, the first ones of very many."""
    more = len(swatches) - MAX_SWATCHES
    return {"swatches": swatches[:MAX_SWATCHES], "more": f"and {more:,} more" if more > 0 else ""}
