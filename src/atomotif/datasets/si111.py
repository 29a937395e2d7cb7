"""The bundled STM image: Si(111)-7x7."""

import xarray as xr

from atomotif.datasets._bundled import load
from atomotif.io.readers import to_dataarray


def si111_7x7() -> xr.DataArray:
    """Return a real STM image of the Si(111)-7x7 surface, which needs no network.

    Adatoms with vacancies and adsorbates among them; the tilt of the sample's plane is still in it.

    Returns
    -------
    DataArray of float32, shape (256, 256), dims (y, x)
        Height in nm. `attrs` hold `pixel_size` (0.0595 nm, derived from the period of 2.688 nm),
        `units`, `source`, `licence` (its text is in the package, in `datasets/data`), `citation`
        and `material`.

    Examples
    --------
    >>> image = si111_7x7()
    >>> image.shape, image.attrs["units"]
    ((256, 256), 'nm')
    """
    image = to_dataarray(load("si111_7x7.npz")["image"], pixel_size=0.0595)
    image.attrs |= {
        "source": "SPIEPy 0.2.1, spiepy/demo/image_with_defects.dat",
        "licence": "BSD-2-Clause, (c) 2014-2023 Stephan Zevenhuizen",
        "citation": "S. Zevenhuizen, SPIEPy, Eindhoven University of Technology",
        "material": "Si(111)-(7x7) surface with adatom vacancies and adsorbates, STM topography",
        "title": "Si(111)-7x7",
    }
    return image
