"""Domains of a drawn bilayer: alike ones, and what was planted in one of them."""

import re
from types import ModuleType

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage
from scipy.spatial import KDTree

from atomotif.numerics.moments import zernike_moments
from atomotif.numerics.zernike import index_pairs
from atomotif.steps.base import Context
from atomotif.steps.compare_domains import CompareDomainsParameters, compare_domains

SHAPE, SPACING, RADIUS = (680, 440), 13.0, 14.0
TWIST = np.deg2rad(6.0)
#: Of the moire of two honeycombs, px: all places a period apart have the same registry.
PERIOD = np.sqrt(3) * SPACING / (2 * np.sin(TWIST / 2))


class Bilayer:
    """Two rigid twisted honeycombs, and one domain round each point of the lattice of the moire."""

    def __init__(self, drawn: ModuleType) -> None:
        layers = [drawn.columns(drawn.HONEYCOMB, SPACING, turn, SHAPE) for turn in (-TWIST / 2, TWIST / 2)]
        self.atoms = np.concatenate([points for points, _ in layers])
        self.height = np.concatenate([np.where(kind == 0, 1.0, 0.5) for _, kind in layers])
        self.image = drawn.draw(self.atoms, self.height, 3.0, SHAPE)
        # One point for each site of the first layer: the sites of its sublattices are the parts.
        self.points, self.part = layers[0]
        inside = ((self.points > 16) & (self.points < np.array(SHAPE) - 17)).all(1)
        self.points, self.part = self.points[inside], self.part[inside]
        # The vectors of the moire are at right angles to those of the layers; the first one is along rows.
        vectors = PERIOD * np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
        self.centres = np.array([340.0, 130.0]) + [[0, 0], [1, 0], [-1, 0], [0, 1]] @ vectors
        distance, nearest = KDTree(self.centres).query(self.points)
        self.domain = np.where(distance < 0.45 * PERIOD, nearest, -1)

    def groups(self, image: np.ndarray, moments: np.ndarray, **changes: object) -> tuple[xr.Dataset, ...]:
        p, q = index_pairs()
        n = int(self.domain.max()) + 1
        domains = {
            "domain": ("point", self.domain),
            "part": ("point", self.part),
            "anchor": ("domain_", np.zeros(n, np.int64)),
            "name": ("domain_", np.array([f"AB #{k}" for k in range(n)])),
            "at_edge": ("domain_", np.zeros(n, bool)),
        }
        return (
            xr.Dataset({"flattened": (("y", "x"), image.astype(np.float32))}),
            xr.Dataset({"row": ("point", self.points[:, 0]), "col": ("point", self.points[:, 1])}),
            xr.Dataset(
                {
                    "zernike": (("point", "moment"), moments),
                    "complete": ("point", np.ones(len(moments), bool)),
                },
                coords={"p": ("moment", p), "q": ("moment", q)},
                attrs={"patch_size": 2 * RADIUS, "source": "flattened"},
            ),
            xr.Dataset(domains | changes),
        )

    def noisy(self, seed: int, image: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """An image with noise, and the moments of its points."""
        found = (self.image if image is None else image) + np.random.default_rng(seed).normal(0, 0.1, SHAPE)
        return found, zernike_moments(found, self.points, RADIUS)


@pytest.fixture(scope="module")
def bilayer(drawn: ModuleType) -> Bilayer:
    return Bilayer(drawn)


@pytest.fixture(scope="module")
def alike(bilayer: Bilayer) -> xr.Dataset:
    return compare_domains(
        *bilayer.groups(*bilayer.noisy(0)), CompareDomainsParameters(nuisance=True), Context()
    )


def run(groups: tuple[xr.Dataset, ...], n_threads: int = 1, **parameters: object) -> xr.Dataset:
    return compare_domains(*groups, CompareDomainsParameters(**parameters), Context(n_threads=n_threads))


def pairs(table: xr.DataArray) -> np.ndarray:
    return table.values[np.triu_indices(len(table), 1)]


def test_alike_domains_do_not_differ(bilayer: Bilayer, alike: xr.Dataset) -> None:
    tests = [alike] + [run(bilayer.groups(*bilayer.noisy(seed))) for seed in (1, 2)]
    for found in tests:
        for name in ("raw_p_adjusted", "p_adjusted"):
            assert pairs(found[name]).min() > 0.05
    p = np.concatenate([pairs(found["p_value"]) for found in tests])
    assert 0.25 < p.mean() < 0.9
    for prefix in ("", "raw_"):
        assert pairs(alike[prefix + "nuisance_p_adjusted"]).min() > 0.05
        assert (pairs(alike[prefix + "nuisance_p"]) > pairs(alike[prefix + "p_value"]) - 0.05).all()


def test_group_is_complete_and_says_what_it_is(bilayer: Bilayer, alike: xr.Dataset) -> None:
    n, n_bins = alike.attrs["n_points"], alike.attrs["n_bins"]
    assert n > 100
    assert n_bins == int(np.ceil(2 * np.cbrt(n)))
    assert alike.attrs["block_size"] == 4 * RADIUS
    assert alike["histogram"].shape == (4, 66, n_bins)
    assert (alike["histogram"].sum("bin") == n).all()
    assert alike["bin_edge"].shape == (66, n_bins + 1)
    assert alike["domain"].values.tolist() == [0, 1, 2, 3]
    assert alike["name"].values.tolist() == ["AB #0", "AB #1", "AB #2", "AB #3"]
    assert (alike["n_blocks"].values[~np.eye(4, dtype=bool)] >= 9).all()
    for prefix in ("", "place_"):
        share = (alike[prefix + "histogram"] + 0.5) / (n + 0.5 * n_bins)
        one, other = share.values[1], share.values[2]
        expected = [np.sum(a * np.log(a / b)) / 66 for a, b in ((one, other), (other, one))]
        assert alike[prefix + "divergence"].values[1, 2] == pytest.approx(expected[0])
        assert alike[prefix + "divergence"].values[2, 1] == pytest.approx(expected[1])
        assert alike[prefix + "symmetric"].values[2, 1] == pytest.approx(np.mean(expected))
        assert (pairs(alike[prefix + "corrected"]) < 0.5 * pairs(alike[prefix + "symmetric"])).all()
        assert np.isnan(np.diag(alike[prefix + "null_mean"])).all()
    for name in ("p_value", "raw_p_value", "nuisance_p_adjusted", "raw_nuisance_p"):
        assert np.isnan(np.diag(alike[name])).all()


def test_without_nuisance_its_test_is_the_plain_one(bilayer: Bilayer) -> None:
    none = {"scan_shift": 1e-9, "scan_distortion": 1e-9}
    found = run(bilayer.groups(*bilayer.noisy(0)), nuisance=True, n_permutations=1999, **none)
    for prefix in ("", "raw_"):
        apart = pairs(found[prefix + "nuisance_p"]) - pairs(found[prefix + "p_value"])
        assert np.abs(apart).max() < 4 * np.sqrt(2 * 0.25 / 2000)


def blurred(bilayer: Bilayer) -> tuple[np.ndarray, np.ndarray]:
    image, moments = bilayer.noisy(3)
    _, changed = bilayer.noisy(4, ndimage.gaussian_filter(bilayer.image, 1.3))
    moments[bilayer.domain == 2] = changed[bilayer.domain == 2]
    return image, moments


def strained(bilayer: Bilayer) -> tuple[np.ndarray, np.ndarray]:
    image, moments = bilayer.noisy(5)
    centre, own = bilayer.centres[2], bilayer.domain == 2
    stretch = np.diag([1.04, 1.0])
    back = np.linalg.inv(stretch)
    warped = ndimage.affine_transform(bilayer.image, back, centre - back @ centre, mode="mirror")
    warped += np.random.default_rng(6).normal(0, 0.1, SHAPE)
    moments[own] = zernike_moments(warped, (bilayer.points[own] - centre) @ stretch.T + centre, RADIUS)
    return image, moments


@pytest.mark.parametrize("plant", [blurred, strained])
def test_a_planted_difference_is_found_where_it_is(bilayer: Bilayer, plant: object) -> None:
    found = run(bilayer.groups(*plant(bilayer)))  # type: ignore[operator]
    with_it = np.zeros((4, 4), bool)
    with_it[2] = with_it[:, 2] = True
    upper = np.triu(np.ones((4, 4), bool), 1)
    assert found["p_adjusted"].values[upper & with_it].max() <= 0.05
    assert found["p_adjusted"].values[upper & ~with_it].min() > 0.05
    corrected, error = found["place_corrected"].values, found["place_error"].values
    assert (corrected > 2 * error)[upper & with_it].all()


def test_random_halves_of_one_domain_are_alike(bilayer: Bilayer) -> None:
    image, moments = bilayer.noisy(7)
    own = bilayer.domain == 0
    groups = bilayer.groups(image, moments)
    names = {"domain_": [0, 1]}
    p = []
    for seed in range(60):
        # Two copies of the field, one of each half, so that no half is full of holes.
        # Each has as many of each sublattice, as domains of one crystal do.
        half = np.empty(own.sum(), np.int64)
        for part in (0, 1):
            there = bilayer.part[own] == part
            half[there] = np.random.default_rng([seed, part]).permutation(there.sum()) % 2
        order = np.argsort(half, kind="stable")
        points, features, domains = (group.isel(point=np.flatnonzero(own)[order]) for group in groups[1:])
        points["row"] = points["row"] + SHAPE[0] * np.sort(half)
        domains = domains.isel(names).assign(domain=("point", np.sort(half)))
        found = run((groups[0], points, features, domains), n_permutations=99)
        p.append(float(found["p_value"][0, 1]))
    assert np.mean(np.array(p) <= 0.05) <= 0.1
    assert np.median(p) > 0.2


@pytest.mark.parametrize("n_threads", [1, 2])
def test_same_seed_same_result_at_any_number_of_threads(
    bilayer: Bilayer, alike: xr.Dataset, n_threads: int
) -> None:
    groups = bilayer.groups(*bilayer.noisy(0))
    xr.testing.assert_identical(run(groups, n_threads, nuisance=True), alike)
    other = run(groups, n_threads, random_state=1)
    assert not np.array_equal(other["p_value"], alike["p_value"], equal_nan=True)
    some = run(groups, compared=("AB #1", "AB #3"), n_bins=5, n_permutations=99)
    assert some["domain"].values.tolist() == [1, 3]
    assert some.sizes["bin"] == 5
    assert some.attrs["n_permutations"] == 99


def test_permutations_suffice_for_the_number_of_pairs(bilayer: Bilayer) -> None:
    groups = bilayer.groups(*bilayer.noisy(0))
    assert run(groups, n_permutations=9).attrs["n_permutations"] == 6 * 20 - 1
    by = run(groups, n_permutations=9, adjust="benjamini_yekutieli").attrs["n_permutations"]
    assert by == int(np.ceil(6 * 20 * (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5 + 1 / 6))) - 1


def test_which_domains_are_compared(bilayer: Bilayer) -> None:
    image, moments = bilayer.noisy(0)
    cut = bilayer.groups(image, moments, at_edge=("domain_", np.array([False, True, False, False])))
    assert run(cut, n_permutations=9)["domain"].values.tolist() == [0, 2, 3]
    assert run(cut, n_permutations=9, compared="AB")["domain"].values.tolist() == [0, 2, 3]
    named = run(cut, n_permutations=9, compared=("AB #3", "AB #1", "AB #3"))
    assert named["domain"].values.tolist() == [1, 3]
    other = bilayer.groups(
        image,
        moments,
        anchor=("domain_", np.array([0, 1, 1, 0])),
        name=("domain_", np.array(["AB #0", "BA #0", "BA #1", "AB #1"])),
        at_edge=("domain_", np.array([True, False, False, False])),
    )
    assert run(other, n_permutations=9)["domain"].values.tolist() == [1, 2]
    without = bilayer.groups(image, moments)
    without = (*without[:3], without[3].drop_vars("part"))
    assert pairs(run(without)["p_adjusted"]).min() > 0.05


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"compared": ("BA",)}, "`compared` must name domains or anchors that have any, got 'BA'."),
        ({"compared": ("AB #1",)}, "there must be at least two domains to compare, got 1."),
        ({"compared": ()}, "`compared` must not be empty."),
        ({"n_bins": 1}, "`n_bins` must be at least 2, got 1."),
        ({"n_permutations": 0}, "`n_permutations` must be positive and finite, got 0."),
        ({"block_size": -1.0}, "`block_size` must be positive and finite, got -1.0."),
        (
            {"adjust": "bonferroni"},
            "`adjust` must be one of 'holm', 'benjamini_yekutieli', got 'bonferroni'.",
        ),
        ({"scan_shift": -0.1}, "`scan_shift` must be positive and finite, got -0.1."),
        ({"random_state": -1}, "`random_state` must not be negative, got -1."),
    ],
)
def test_wrong_parameters_are_refused_in_one_sentence(
    bilayer: Bilayer, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(bilayer.groups(bilayer.image, np.zeros((len(bilayer.points), 66), np.float32)), **parameters)


def test_domains_that_cannot_be_compared_are_refused(bilayer: Bilayer) -> None:
    image, moments = bilayer.noisy(0)
    all_cut = bilayer.groups(image, moments, at_edge=("domain_", np.ones(4, bool)))
    with pytest.raises(ValueError, match=r"^there must be at least two domains that the edge does not cut, "):
        run(all_cut)
    empty = bilayer.groups(image, moments)
    empty[2]["complete"].values[bilayer.domain == 1] = False
    with pytest.raises(
        ValueError, match=r" with at least 2 whole patches about their centre, got 'AB #1'\.$"
    ):
        run(empty)
