"""Domains and their comparison as the steps make them, of points on a square: for what shows them."""

import numpy as np
import xarray as xr

#: Of six domains, in two rows of three: those that are compared. One of them, the last but one, differs.
COMPARED = (0, 1, 3, 4, 5)
DIFFERENT = 4
NAMES = ("B #1", "B #2", "A #1", "B #3", "B #4", "B #5")
N_BINS = 12
#: The moment in which the domain differs, (4, -2), and by how much it does from all others.
MOMENT, DIVERGENCE = 11, 0.5


def compared_groups(points: xr.Dataset, *, nuisance: bool = True) -> dict[str, xr.Dataset]:
    """Return the groups `domains` and `comparison` of points within a square."""
    x, y = points["x"].values, points["y"].values
    size = max(np.ptp(x), np.ptp(y)) * 1.05
    x0, y0 = x.min() - 0.025 * size, y.min() - 0.025 * size
    tops, lefts = y0 + size * np.array([0.06, 0.56]), x0 + size * np.array([0.04, 0.37, 0.7])
    lows = [(top, left) for top in tops for left in lefts]
    high, wide = 0.38 * size, 0.26 * size
    domain = np.full(len(x), -1)
    for k, (top, left) in enumerate(lows):
        domain[(y > top) & (y < top + high) & (x > left) & (x < left + wide)] = k
    corner_y = [[top, top, top + high, top + high] for top, _ in lows]
    corner_x = [[left, left + wide, left + wide, left] for _, left in lows]
    domains = xr.Dataset(
        {
            "domain": ("point", domain),
            "name": ("domain_", np.array(NAMES, object)),
            "anchor": ("domain_", np.array([1, 1, 0, 1, 1, 1])),
            "count": ("domain_", np.bincount(domain[domain >= 0], minlength=6)),
            "area": ("domain_", np.full(6, high * wide)),
            "y": ("domain_", np.array([top + high / 2 for top, _ in lows])),
            "x": ("domain_", np.array([left + wide / 2 for _, left in lows])),
            "at_edge": ("domain_", np.zeros(6, bool)),
            "outline_y": ("vertex", np.ravel(corner_y)),
            "outline_x": ("vertex", np.ravel(corner_x)),
            "outline_offset": ("ring_edge", np.arange(0, 25, 4)),
            "outline_domain": ("ring", np.arange(6)),
        },
        {"id": points["id"]},
    )
    return {"domains": domains, "comparison": _comparison(domains, nuisance)}


def _comparison(domains: xr.Dataset, nuisance: bool) -> xr.Dataset:
    rng = np.random.default_rng(0)
    orders = [(n, m) for n in range(11) for m in range(-n, n + 1, 2)]
    counts = domains["count"].values[list(COMPARED)]
    share = np.exp(-((np.arange(N_BINS) - (N_BINS - 1) / 2) ** 2) / 8)
    share = np.tile(share / share.sum(), (len(COMPARED), len(orders), 1))
    share[COMPARED.index(DIFFERENT), MOMENT] = np.eye(N_BINS)[-1]
    histogram = np.array(
        [[rng.multinomial(n, part) for part in rows] for n, rows in zip(counts, share)], dtype=np.int64
    )
    differs = np.zeros((len(COMPARED),) * 2, bool)
    differs[COMPARED.index(DIFFERENT)] = True
    differs ^= differs.T
    off = ~np.eye(len(COMPARED), dtype=bool)
    noise = rng.normal(0, 0.01, differs.shape)
    corrected = np.where(differs, DIVERGENCE, 0.0) + off * (noise + noise.T) / 2
    p = np.where(off, np.where(differs, 0.001, 0.4), np.nan)
    values = {
        "divergence": corrected + 0.12 * off + np.where(differs, noise, 0),
        "symmetric": corrected + 0.12 * off,
        "corrected": corrected,
        "error": np.full(differs.shape, 0.025),
        "null_mean": 0.12 * off,
        "null_std": 0.02 * off,
        "p_value": p,
        "p_adjusted": np.minimum(p * 10, 1),
    }
    if nuisance:
        values |= {"nuisance_p": p * 2, "nuisance_p_adjusted": np.minimum(p * 20, 1)}
    halved = ("divergence", "symmetric", "corrected")
    values |= {f"place_{name}": values[name] / 2 for name in halved}
    values |= {f"place_{name}": values[name] for name in ("error", "null_mean", "null_std")}
    values |= {"raw_p_value": p / 2, "raw_p_adjusted": np.minimum(p * 5, 1)}
    edge = np.linspace(-1, 1, N_BINS + 1) * np.linspace(0.5, 2, len(orders))[:, None]
    return xr.Dataset(
        {
            "histogram": (("compared", "moment", "bin"), histogram),
            "bin_edge": (("moment", "edge"), edge),
            "place_histogram": (("compared", "moment", "bin"), histogram[..., ::-1]),
            "place_bin_edge": (("moment", "edge"), edge / 10),
            **{name: (("compared", "other"), value) for name, value in values.items()},
        },
        {
            "domain": ("compared", np.array(COMPARED)),
            "p": ("moment", [p for p, _ in orders]),
            "q": ("moment", [q for _, q in orders]),
        },
    )
