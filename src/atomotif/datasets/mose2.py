"""The bundled simulated micrograph: MoSe2 with selenium vacancies and their exact truth."""

import xarray as xr

from atomotif.datasets._simulated import image_of, truth_of

_ATTRS = {
    "source": "multislice simulation, abTEM 1.0.11: 80 keV, 30 mrad, ADF 60-130 mrad, 1500 electrons a px",
    "licence": "BSD-3-Clause, as atomotif",
    "citation": "The atomotif developers; simulated with abTEM, J. Madsen and T. Susi, "
    "Open Research Europe 1, 24 (2021)",
    "material": "monolayer MoSe2 with Se vacancies, single, paired and double",
    "title": "MoSe2 with vacancies, simulated",
}


def mose2_vacancies() -> xr.DataArray:
    """Return a simulated ADF-STEM image of MoSe2 with vacancies; `mose2_truth` tells what is in it.

    Returns
    -------
    DataArray of float32, shape (896, 896), dims (y, x)
        Detected electrons a pixel, with shot noise. `attrs` hold `pixel_size` (0.011 nm), `units`,
        `source`, `licence`, `citation` and `material`.

    Examples
    --------
    >>> image = mose2_vacancies()
    >>> image.shape, image.attrs["pixel_size"]
    ((896, 896), 0.011)
    """
    return image_of("mose2_vacancies", _ATTRS)


def mose2_truth() -> xr.Dataset:
    """Return the true columns of `mose2_vacancies`.

    Returns
    -------
    Dataset
        On dim `point` (2073): `row`, `col` (float64, px), `label` (int, the kind of column) and `motif`
        (int, the kind with its neighbourhood: an Mo column by its number of adjacent vacancies), and
        `visible` (bool; False for a site with nothing in it). The names of the kinds are `label_name`
        on dim `kind`, those of the motifs `motif_name` on dim `motif_kind`. Columns up to half a pixel
        outside the image are listed.

    Examples
    --------
    >>> truth = mose2_truth()
    >>> truth["label_name"].values.tolist()
    ['Mo', 'Se2', 'VSe', 'VSe2']
    """
    return truth_of("mose2_vacancies", _ATTRS)
