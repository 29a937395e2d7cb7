"""A small session's data for what leaves a session."""

import json
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives an installed Chromium or Chrome")


NAMES = ("Mo", "2 Se", "V_Se")


@pytest.fixture(scope="session")
def make_data() -> Callable[..., xr.DataTree]:
    """Return a maker of trees: `side` ** 2 columns, 10 px apart, of three motifs, heaps in the layout."""

    def make(
        *, side: int = 20, without: tuple[str, ...] = (), stale: tuple[str, ...] = (), **changes: object
    ) -> xr.DataTree:
        rng = np.random.default_rng(0)
        pixel = 0.0125
        row, col = (axis.ravel() for axis in np.mgrid[5 : 10 * side : 10, 5 : 10 * side : 10].astype(float))
        label = (col / 10).astype(int) % 2
        label[rng.permutation(side**2)[: side**2 // 20]] = 2
        image = np.zeros((10 * side, 10 * side), np.float32)
        image[row.astype(int), col.astype(int)] = 1.0
        heaps = np.array([[0.0, 0.0], [10.0, 0.0], [5.0, 9.0]])
        ids = {"id": ("point", np.arange(side**2) + 1000)}
        names = list(changes.get("names", NAMES))
        groups = {
            "image": xr.Dataset(
                {"intensity": (("y", "x"), image)},
                {"y": np.arange(10 * side) * pixel, "x": np.arange(10 * side) * pixel},
                {
                    "pixel_size": pixel,
                    "units": "nm",
                    "source": changes.get("source", "/some/where/field.dm4"),
                },
            ),
            "points": xr.Dataset(
                {
                    "row": ("point", row),
                    "col": ("point", col),
                    "y": ("point", row * pixel),
                    "x": ("point", col * pixel),
                    "intensity": ("point", np.ones(side**2, np.float32)),
                },
                ids,
                {"parameters": json.dumps({"contrast": "bright"})},
            ),
            "features": xr.Dataset(attrs={"patch_size": 12.0}),
            "layout": xr.Dataset(
                {
                    "position": (
                        ("point", "axis"),
                        (heaps[label] + rng.normal(0, 0.4, (side**2, 2))).astype("f4"),
                    )
                },
                ids,
            ),
            "motifs": xr.Dataset(
                {
                    "label": ("point", label),
                    "confidence": ("point", np.full(side**2, 0.9, np.float32)),
                    "name": ("motif", np.array(names, dtype=object)),
                    "color": ("motif", np.array(["#0072b2", "#e69f00", "#009e73"], dtype=object)),
                    "count": ("motif", np.bincount(label)),
                    "average": (("motif", "v", "u"), np.linspace(0, 1, 3 * 49, dtype="f4").reshape(3, 7, 7)),
                },
                ids,
                {"parameters": json.dumps({"detail": changes.get("detail", 1.0)})},
            ),
        }
        for name in stale:
            groups[name].attrs["stale"] = 1
        return xr.DataTree.from_dict({name: group for name, group in groups.items() if name not in without})

    return make
