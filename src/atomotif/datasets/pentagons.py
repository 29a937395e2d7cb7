"""The bundled simulated tiling of pentagons, in which some centres are filled, and its exact truth."""

import xarray as xr

from atomotif.datasets._simulated import image_of, truth_of

_ATTRS = {
    "source": "sum of Gaussian columns, 250 electrons a px; no scattering physics",
    "licence": "BSD-3-Clause, as atomotif",
    "citation": "The atomotif developers",
    "material": "Cairo tiling of pentagons, some with filled centres, as in Mo-V-Te-Nb oxides",
    "title": "Pentagons with filled centres, simulated",
}


def pentagon_tiling() -> xr.DataArray:
    """Return a simulated image of a tiling of pentagons; `pentagon_truth` tells which are filled.

    It is not the crystal structure of the oxide of Dan et al. (2022), fig. 4, but has its pentagons. The
    centres are filled at random: 36.3 %, partly 4.3 %.

    Returns
    -------
    DataArray of float32, shape (960, 960), dims (y, x)
        Detected electrons a pixel, with shot noise. `attrs` hold `pixel_size` (0.012 nm), `units`,
        `source`, `licence`, `citation` and `material`.

    Examples
    --------
    >>> image = pentagon_tiling()
    >>> image.shape, image.attrs["pixel_size"]
    ((960, 960), 0.012)
    """
    return image_of("pentagon_tiling", _ATTRS)


def pentagon_truth() -> xr.Dataset:
    """Return the true columns and centres of `pentagon_tiling`.

    Returns
    -------
    Dataset
        On dim `point` (1327): `row`, `col` (float64, px), `label` (int: columns of the rings and centres of
        the pentagons), `motif` (int, with the number of filled centres around) and `visible` (bool; False for
        an empty centre). The names of the kinds are `label_name` on dim `kind`, those of the motifs
        `motif_name` on dim `motif_kind`.

    Examples
    --------
    >>> pentagon_truth()["label_name"].values.tolist()
    ['ring_M4', 'ring_M3', 'centre_empty', 'centre_partial', 'centre_filled']
    """
    return truth_of("pentagon_tiling", _ATTRS)
