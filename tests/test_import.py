"""Import: little, and nothing that a user did not ask for."""

import subprocess
import sys

import pytest

import atomotif

HEAVY = ("numpy", "scipy", "numba", "sklearn", "skimage", "xarray", "bokeh", "ipywidgets", "zarr", "pandas")


def loaded(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted(m for m in sys.modules if '.' not in m))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(out.split())


def test_import_is_lazy() -> None:
    assert loaded("import atomotif").isdisjoint(HEAVY)


def test_a_session_needs_no_gpl_code_and_no_views() -> None:
    modules = loaded("import atomotif, numpy; atomotif.MotifSession(numpy.ones((20, 20)))")
    assert modules.isdisjoint({"rsciio", "hyperspy", "bokeh", "matplotlib"})


def test_the_public_names_are_there() -> None:
    assert list(atomotif.__all__) == sorted(atomotif.__all__)
    for name in atomotif.__all__:
        assert getattr(atomotif, name) is not None
    assert set(atomotif.__all__) <= set(dir(atomotif))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = atomotif.nothing
