"""A continuous sample as the steps make it: anchors, domains, the registry of a moiré."""

import numpy as np
import xarray as xr

from atomotif._palette import anchor_colors


def make(
    *, side: int = 30, count: int = 3, without: tuple[str, ...] = (), stale: tuple[str, ...] = ()
) -> xr.DataTree:
    """Return a tree of `side` ** 2 columns, 10 px apart, whose weights of anchors wander.

    Domains are squares of 8 x 8 columns, 10 x 10 apart, of one anchor after the other. What weighs most at a
    column of a domain is its anchor; columns of the outermost row have no whole patch, and no weights.
    """
    rng = np.random.default_rng(0)
    pixel, n = 0.0125, side**2
    names = ["AA\u2032", "AB\u2032", "A\u2032B", "SP", "X"][:count]
    row, col = np.mgrid[:side, :side].reshape(2, -1)
    inner = np.minimum(np.minimum(row, col), side - 1 - np.maximum(row, col)) > 0
    block = row // 10 * (side // 10) + col // 10
    inside = (row % 10 > 0) & (row % 10 < 9) & (col % 10 > 0) & (col % 10 < 9) & inner
    number = np.arange((side // 10) ** 2)
    of_block = (number // (side // 10) + number % (side // 10)) % count
    score = rng.normal(0, 0.2, (n, count))
    score[np.arange(n), of_block[block]] += np.where(inside, 1.5, 0.5)
    weight = np.exp(2 * score) / np.exp(2 * score).sum(axis=1, keepdims=True)
    weight[~inner] = np.nan
    nearest = np.where(inner, np.argmax(np.nan_to_num(weight), axis=1), -1)
    domain = np.where(inside, block, -1)
    y, x = (10 * place * pixel + 5 * pixel for place in (row, col))
    image = np.zeros((10 * side, 10 * side), np.float32)
    image[10 * row + 5, 10 * col + 5] = 1.0
    ids = {"id": ("point", np.arange(n) + 1000)}
    corners = np.array([[np.cos(k), np.sin(k)] for k in 2 * np.pi * np.arange(count) / count])
    top, left = (10 * part * 10 * pixel for part in divmod(number, side // 10))
    ring = 0.5 * pixel * np.array([[20, 20], [20, 180], [180, 180], [180, 20]])
    coords = {"y": np.arange(10 * side) * pixel, "x": np.arange(10 * side) * pixel}
    # The registry grows along the image, twice through the cell of a layer; stackings are thirds of it.
    nodes = np.linspace(0, 10 * side * pixel, 40)
    lattice = np.array([[0.0, 0.3], [0.26, 0.15]])
    moire = 5 * side * pixel * np.array([[0.0, 1.0], [np.sqrt(0.75), 0.5]])
    to_registry = np.linalg.inv(moire) @ lattice
    registry = np.column_stack([y, x]) @ to_registry
    registry -= np.floor(registry @ np.linalg.inv(lattice)) @ lattice
    bins = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1) @ to_registry
    stackings = np.array([[0, 0], [1, 1], [2, 2]]) / 3 @ lattice
    steps = np.array([[a, b] for a in range(-1, 3) for b in range(-1, 3)]) @ lattice
    apart = registry[:, None, None] - stackings[:, None] - steps
    distance = np.linalg.norm(apart, axis=-1).min(axis=-1)
    groups = {
        "image": xr.Dataset(
            {"intensity": (("y", "x"), image)},
            coords,
            {"pixel_size": pixel, "units": "nm", "source": "twisted.dm4"},
        ),
        "points": xr.Dataset(
            {
                "row": ("point", 10.0 * row + 5),
                "col": ("point", 10.0 * col + 5),
                "y": ("point", y),
                "x": ("point", x),
            },
            ids,
        ),
        "features": xr.Dataset(attrs={"patch_size": 12.0}),
        "layout": xr.Dataset(
            {"position": (("point", "axis"), (weight @ corners).astype("f4"))},
            ids,
        ),
        "anchors": xr.Dataset(
            {
                "distance": (("point", "anchor"), (1 - weight).astype("f4")),
                "weight": (("point", "anchor"), weight.astype("f4")),
                "nearest": ("point", nearest),
                "core": ("point", np.where(weight.max(axis=1) > 0.9, nearest, -1)),
                "name": ("anchor", np.array(names, dtype=object)),
                "color": ("anchor", np.array(anchor_colors(count), dtype=object)),
                "anchor_id": ("anchor", 1000 + np.arange(count)),
                "count": ("anchor", np.bincount(nearest[nearest >= 0], minlength=count)),
                "average": (
                    ("anchor", "v", "u"),
                    np.linspace(0, 1, count * 49, dtype="f4").reshape(count, 7, 7),
                ),
            },
            ids,
        ),
        "domains": xr.Dataset(
            {
                "domain": ("point", domain),
                "anchor": ("domain_", of_block),
                "name": (
                    "domain_",
                    np.array([f"{names[of_block[k]]} #{k + 1}" for k in number], dtype=object),
                ),
                "count": ("domain_", np.bincount(domain[domain >= 0], minlength=len(number))),
                "area": ("domain_", np.full(len(number), (80 * pixel) ** 2)),
                "y": ("domain_", top + 50 * pixel),
                "x": ("domain_", left + 50 * pixel),
                "at_edge": ("domain_", np.ones(len(number), bool)),
                "outline_y": ("vertex", (top[:, None] + ring[:, 0]).ravel()),
                "outline_x": ("vertex", (left[:, None] + ring[:, 1]).ravel()),
                "outline_offset": ("ring_bound", 4 * np.arange(len(number) + 1)),
                "outline_domain": ("ring", number),
            },
            ids,
        ),
        "moire": xr.Dataset(
            {
                "registry": (("point", "axis"), registry),
                "stacking": ("point", np.argmin(distance, axis=1)),
                "stacking_distance": (("point", "stacking_"), distance),
                "stacking_registry": (("stacking_", "axis"), stackings),
                "stacking_name": ("stacking_", np.array(["AA", "AB", "BA"], dtype=object)),
                "registry_map": (("map_y", "map_x", "axis"), bins),
                "layer_vector": (
                    ("layer", "vector", "axis"),
                    np.array([[[0.0, 0.3], [0.26, 0.15]], [[0.01, 0.3], [0.26, 0.16]]]),
                ),
                "moire_vector": (("vector", "axis"), moire),
            },
            {**ids, "map_y": nodes, "map_x": nodes},
            {
                "twist_angle": 3.15,
                "twist_error": 0.004,
                "period": 1.875,
                "period_error": 0.002,
                "units": "nm",
            },
        ),
    }
    for name in stale:
        groups[name].attrs["stale"] = 1
    return xr.DataTree.from_dict({name: group for name, group in groups.items() if name not in without})
