"""Intensity at the centres of rings per motif, as a table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import xarray as xr

from atomotif.numerics.ring_intensity import disc_intensity, separation


def ring_intensity_table(
    data: xr.DataTree, motifs: Sequence[str], radius: float | None = None, source: str = "intensity"
) -> pd.DataFrame:
    """Return the intensity at the points of some motifs, and how well it tells each pair of these apart.

    Parameters
    ----------
    data : xr.DataTree
        A session's data with the group `motifs`.
    motifs : sequence of str
        Names of motifs whose points are the centres of rings.
    radius : float, optional
        Of the disc that is averaged, px; by default a fifth of the nearest-neighbour distance of the points.
    source : {"intensity", "flattened", "denoised"}, default "intensity"
        The image that is looked at.

    Returns
    -------
    pandas.DataFrame
        One row a motif, in the given order: `count`, `mean`, `std` (in the intensity of the image), and for
        every motif B two columns: `auc B` (probability that a ring of B is brighter than one of the row's
        motif: area under the ROC curve, 0.5 is chance) and `d' B` (difference of the means, B less the row's,
        over the root mean square of the standard deviations). NaN for a motif without points.

    Raises
    ------
    ValueError
        If a name is no motif's or given twice, none is given, or there is no such image.
    """
    group, points = data["motifs"].to_dataset(), data["points"].to_dataset()
    image = data["image"].to_dataset()
    known = [str(name) for name in group["name"].values]
    names = [motifs] if isinstance(motifs, str) else list(motifs)
    if not names or len(set(names)) < len(names) or not set(names) <= set(known):
        raise ValueError(f"`motifs` must be different names of motifs ({', '.join(known)}), got {names!r}.")
    if source not in ("intensity", "flattened", "denoised") or source not in image:
        raise ValueError(f"`source` must be an image that was made, got {source!r}.")
    place = np.full(len(known) + 1, -1)  # label -1 takes the last
    place[[known.index(name) for name in names]] = np.arange(len(names))
    kind = place[group["label"].values]
    where = np.column_stack([points["row"].values, points["col"].values])[kind >= 0]
    kind = kind[kind >= 0]
    if len(kind) < 2:
        raise ValueError(f"`motifs` must have at least two points, got {len(kind)}.")
    values = disc_intensity(image[source].values, where, radius)
    found = separation(values, kind)
    table = pd.DataFrame(
        {
            "count": np.bincount(kind[np.isfinite(values)], minlength=len(names)),
            "mean": np.nan,
            "std": np.nan,
            **{f"{what} {name}": np.nan for name in names for what in ("auc", "d'")},
        },
        index=pd.Index(names, name="motif"),
    )
    rows = [names[k] for k in found.classes]
    table.loc[rows, "mean"], table.loc[rows, "std"] = found.mean, found.std
    for column, name in enumerate(rows):
        table.loc[rows, f"auc {name}"] = found.auc[:, column]
        table.loc[rows, f"d' {name}"] = found.d_prime[:, column]
    return table
