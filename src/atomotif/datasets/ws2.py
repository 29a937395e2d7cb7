"""The bundled simulated micrograph of doped WS2 and its exact truth."""

import xarray as xr

from atomotif.datasets._simulated import image_of, truth_of

_ATTRS = {
    "source": "multislice simulation, abTEM 1.0.11: 80 keV, 30 mrad, ADF 60-130 mrad, 1000 electrons a px",
    "licence": "BSD-3-Clause, as atomotif",
    "citation": "The atomotif developers; simulated with abTEM, J. Madsen and T. Susi, "
    "Open Research Europe 1, 24 (2021)",
    "material": "monolayer WS2 with Fe on W sites, Te on S sites and S vacancies, 2 % each",
    "title": "WS2 doped with Fe and Te, simulated",
}


def ws2_dopants() -> xr.DataArray:
    """Return a simulated ADF-STEM image of doped WS2; `ws2_truth` tells what is in it.

    Returns
    -------
    DataArray of float32, shape (832, 832), dims (y, x)
        Detected electrons a pixel, with shot noise. `attrs` hold `pixel_size` (0.0108 nm), `units`,
        `source`, `licence`, `citation` and `material`.

    Examples
    --------
    >>> image = ws2_dopants()
    >>> image.shape, image.attrs["pixel_size"]
    ((832, 832), 0.0108)
    """
    return image_of("ws2_dopants", _ATTRS)


def ws2_truth() -> xr.Dataset:
    """Return the true columns of `ws2_dopants`.

    Returns
    -------
    Dataset
        On dim `point` (1878): `row`, `col` (float64, px), `label` (int, the kind of column) and `motif`
        (int, the kind with its neighbourhood), and `visible` (bool). The names of the kinds are `label_name`
        on dim `kind`, those of the motifs `motif_name` on dim `motif_kind`. Columns up to half a pixel
        outside the image are listed.

    Examples
    --------
    >>> ws2_truth()["label_name"].values.tolist()
    ['W', 'Fe_W', 'S2', 'TeS', 'VS']
    """
    return truth_of("ws2_dopants", _ATTRS)
