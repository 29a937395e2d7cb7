"""The fetched micrograph: monolayer MoS2 implanted with Se, a real DM3 file."""

from typing import Final

import xarray as xr

from atomotif.datasets._fetch import WheelMember, cached_member
from atomotif.io._formats import format_reader
from atomotif.io.readers import read

_FILE: Final = WheelMember(
    requirement="temul-toolkit==0.1.9",
    member="temul/example_data/experimental/example_Se_implanted_MoS2.dm3",
    sha256="fe7ebcc367c5620bb5ede7e45efc59d08721a7751878777342716ec26d9022e3",
    name="example_Se_implanted_MoS2.dm3",
)


def mos2_se() -> xr.DataArray:
    """Return a real ADF-STEM image of Se-implanted monolayer MoS2, about 3,300 columns.

    The file is part of the package temul-toolkit 0.1.9 (GPL-3), so it is not bundled: the first call
    fetches that package by pip (13 MB, nothing is installed), checks the file's SHA-256 and keeps the
    file in the user's cache, or in the folder that the environment variable `ATOMOTIF_DATA` names.

    Returns
    -------
    DataArray of float32, shape (1024, 1024), dims (y, x)
        `attrs` hold `pixel_size` (0.0126953125 nm, as the file says; the lattice says about 5 % more,
        see `calibrate`), `units`, `source`, `licence`, `citation` and `material`.

    Raises
    ------
    ImportError
        If RosettaSciIO, which reads DM3 files, is not installed: ``pip install "atomotif[formats]"``.
    OSError
        If the file is not in the cache and cannot be fetched, as without pip or network; the message
        says where to put it.

    Examples
    --------
    >>> image = mos2_se()  # doctest: +SKIP
    >>> image.attrs["pixel_size"]  # doctest: +SKIP
    0.0126953125
    """
    format_reader("dm3")  # before anything is fetched
    image = read(cached_member(_FILE))
    image.attrs |= {
        "source": f"temul-toolkit 0.1.9, {_FILE.member}",
        "licence": "GPL-3.0",
        "citation": "E. O'Connell, M. Hennessy, E. Moynihan, TEMUL Toolkit 0.1.9",
        "material": "monolayer MoS2 implanted with Se, ADF-STEM",
        "title": "MoS2 implanted with Se",
    }
    return image
