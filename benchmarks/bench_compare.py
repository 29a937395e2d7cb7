"""Comparison of domains: time, level and power.

Run ``python benchmarks/bench_compare.py [folder of micrographs]``. The time is that of 20 domains of 150
points, all pairs. With the folder, level and power are those of the domains of the simulated twisted bilayer
MoS2, by the analytic registry: alike ones with new noise, random halves, and one domain that was strained,
blurred or given vacancies before noise was drawn.
"""

import importlib.util
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import xarray as xr
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from atomotif.numerics.moments import zernike_moments
from atomotif.numerics.zernike import index_pairs
from atomotif.steps.base import Context
from atomotif.steps.compare_domains import CompareDomainsParameters, compare_domains

PATCH_SIZE = 28.9
DOSES = {"high": 6000.0, "medium": 1000.0, "low": 200.0}
PLANTS = [
    ("none", 0.0),
    *[("strain", amount) for amount in (0.005, 0.01, 0.02, 0.04)],
    *[("blur", amount) for amount in (0.2, 0.4, 0.6, 0.8, 1.0)],
    *[("vacancies", amount) for amount in (4, 8, 16)],
]
REPEATS = 3


def groups_of(image, points, moments, domain, part, anchor, at_edge) -> tuple:  # type: ignore[no-untyped-def]
    """The groups that the step reads."""
    p, q = index_pairs()
    names = np.array([f"A{one} #{k}" for k, one in enumerate(anchor)])
    return (
        xr.Dataset({"flattened": (("y", "x"), image.astype(np.float32))}),
        xr.Dataset({"row": ("point", points[:, 0]), "col": ("point", points[:, 1])}),
        xr.Dataset(
            {
                "zernike": (("point", "moment"), moments.astype(np.float32)),
                "complete": ("point", np.ones(len(points), bool)),
            },
            coords={"p": ("moment", p), "q": ("moment", q)},
            attrs={"patch_size": PATCH_SIZE, "source": "flattened"},
        ),
        xr.Dataset(
            {
                "domain": ("point", domain),
                "part": ("point", part),
                "anchor": ("domain_", anchor),
                "name": ("domain_", names),
                "at_edge": ("domain_", at_edge),
            }
        ),
    )


def run(groups, **parameters):  # type: ignore[no-untyped-def]
    return compare_domains(*groups, CompareDomainsParameters(**parameters), Context())


def pairs(table: xr.DataArray) -> np.ndarray:
    return table.values[np.triu_indices(len(table), 1)]


def measure_time() -> None:
    rng = np.random.default_rng(0)
    grid = np.stack(np.mgrid[-7:8, -7:8], -1).reshape(-1, 2) * 12.0
    disc = grid[np.argsort(np.hypot(*grid.T), kind="stable")][:150]
    centres = np.stack(np.mgrid[:4, :5], -1).reshape(-1, 2) * 250 + 130
    points = np.concatenate([disc + centre for centre in centres])
    groups = groups_of(
        rng.normal(size=(1020, 1270)),
        points,
        rng.normal(size=(3000, 66)),
        np.repeat(np.arange(20), 150),
        np.zeros(3000, int),
        np.zeros(20, int),
        np.zeros(20, bool),
    )
    run(groups, compared=("A0 #0", "A0 #1"), nuisance=True)  # compiles
    for nuisance in (False, True):
        start = time.perf_counter()
        found = run(groups, nuisance=nuisance)
        print(
            f"20 domains of 150, {found.attrs['n_permutations']} permutations, nuisance {nuisance}: "
            f"{time.perf_counter() - start:.1f} s"
        )


class Twisted:
    """The simulated bilayer: its clean image, and its domains by the analytic registry."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.spec_from_file_location("score", folder / "score.py")
        score = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        spec.loader.exec_module(score)  # type: ignore[union-attr]
        truth = score.load_truth(folder / "mos2_twist_3p15__clean.npz")
        self.image = np.maximum(truth["image_float"], 0)
        points = truth["positions_xy_px"][:, ::-1].astype(float)
        margin = PATCH_SIZE / 2 + 1
        used = truth["visible"] & (
            (points > margin) & (points < np.array(self.image.shape) - 1 - margin)
        ).all(1)
        self.points, self.part = points[used], truth["motif_labels"][used].astype(int)
        nearest = score.twist_registry(self.points[:, ::-1], truth)[1].argmin(1)
        links = KDTree(self.points).query_pairs(27.0, output_type="ndarray")
        links = links[nearest[links[:, 0]] == nearest[links[:, 1]]]
        n = len(self.points)
        _, component = connected_components(
            coo_matrix((np.ones(len(links)), links.T), shape=(n, n)), directed=False
        )
        size = np.bincount(component)
        large = np.flatnonzero(size > 200)  # whole ones
        self.domain = np.full(n, -1)
        for k, one in enumerate(large):
            self.domain[component == one] = k
        self.anchor = np.array([nearest[component == one][0] for one in large])

    def noisy(self, rng: np.random.Generator, dose: float, image: np.ndarray | None = None) -> np.ndarray:
        return rng.poisson((self.image if image is None else image) * dose) / dose

    def groups(self, image: np.ndarray, moments: np.ndarray) -> tuple:
        at_edge = np.zeros(len(self.anchor), bool)
        return groups_of(image, self.points, moments, self.domain, self.part, self.anchor, at_edge)

    def changed(
        self, kind: str, amount: float, own: np.ndarray, rng: np.random.Generator, dose: float
    ) -> np.ndarray:
        """Moments of the points of one domain once it was changed."""
        image, points = self.image, self.points[own]
        centre = points.mean(0)
        if kind == "strain":
            stretch = np.diag([1 + amount, 1.0])
            back = np.linalg.inv(stretch)
            image = ndimage.affine_transform(image, back, centre - back @ centre, mode="mirror")
            points = (points - centre) @ stretch.T + centre
        elif kind == "blur":
            image = ndimage.gaussian_filter(image, amount)
        else:  # a quarter of the columns' height over the darkest pixels: one S of two S2
            row, col = np.indices(image.shape)
            image, near = image.copy(), np.flatnonzero(np.hypot(*(points - centre).T) < 90)
            for y, x in points[rng.choice(near, int(amount), replace=False)]:
                height = 0.25 * (image[round(y), round(x)] - self.image.min())
                image -= height * np.exp(-((row - y) ** 2 + (col - x) ** 2) / (2 * 4.0**2))
        noisy = self.noisy(rng, dose, np.maximum(image, 0))
        return zernike_moments(noisy, points, PATCH_SIZE / 2)


def measure_power(twisted: Twisted) -> None:
    print("share of pairs of p_adjusted <= 0.05, with the change and without it (raw, at like places)")
    for name, dose in DOSES.items():
        for kind, amount in PLANTS:
            hits = defaultdict(list)
            for repeat in range(REPEATS):
                rng = np.random.default_rng([repeat, int(dose)])
                image = twisted.noisy(rng, dose)
                moments = zernike_moments(image, twisted.points, PATCH_SIZE / 2)
                for anchor in np.unique(twisted.anchor):
                    members = np.flatnonzero(twisted.anchor == anchor)
                    if len(members) < 3:
                        continue
                    own = twisted.domain == members[repeat % len(members)]
                    values = moments.copy()
                    if kind != "none":
                        values[own] = twisted.changed(kind, amount, own, rng, dose)
                    found = run(twisted.groups(image, values), compared=f"A{anchor}", n_permutations=399)
                    k = repeat % len(members)
                    touched = np.array([k in pair for pair in zip(*np.triu_indices(len(members), 1))])
                    touched &= kind != "none"
                    for prefix in ("raw_", ""):
                        p = pairs(found[prefix + "p_adjusted"])
                        hits[prefix, True] += (p[touched] <= 0.05).tolist()
                        hits[prefix, False] += (p[~touched] <= 0.05).tolist()
            shares = [
                f"{np.mean(hits[prefix, which]):.2f}" if hits[prefix, which] else "   -"
                for which in (True, False)
                for prefix in ("raw_", "")
            ]
            print(
                f"{name:7s}{kind:10s}{amount:6g}  "
                f"with {shares[0]} {shares[1]}  without {shares[2]} {shares[3]}",
                flush=True,
            )


def measure_halves(twisted: Twisted) -> None:
    for name, dose in DOSES.items():
        image = twisted.noisy(np.random.default_rng(0), dose)
        own = twisted.domain == 0
        moments = zernike_moments(image, twisted.points[own], PATCH_SIZE / 2)
        part, p = twisted.part[own], []
        for seed in range(50):
            rng, half = np.random.default_rng(seed), np.empty(own.sum(), int)
            for one in np.unique(part):
                there = part == one
                half[there] = (rng.permutation(there.sum()) + rng.integers(2)) % 2
            # Set apart, so that no half is full of points of the other one.
            points = twisted.points[own] + 10 * image.shape[0] * half[:, None]
            groups = groups_of(image, points, moments, half, part, np.zeros(2, int), np.zeros(2, bool))
            found = run(groups)
            p.append([float(found[key][0, 1]) for key in ("raw_p_value", "p_value")])
        shares = np.mean(np.array(p) > 0.05, axis=0)
        print(
            f"{name:7s}random halves, share of p > 0.05 (raw, at like places): {shares}; "
            f"quartiles {np.quantile(p, [0.25, 0.5, 0.75], axis=0).T.round(2).tolist()}"
        )


if __name__ == "__main__":
    measure_time()
    if len(sys.argv) > 1:
        bilayer = Twisted(Path(sys.argv[1]))
        measure_halves(bilayer)
        measure_power(bilayer)
