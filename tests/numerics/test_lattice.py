import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import KDTree

from atomotif.numerics.lattice import Lattice, find_lattice, sites

KINDS = {
    "square": [[0, 1], [1, 0]],
    "hexagonal": [[0, 1], [np.sqrt(3) / 2, -0.5]],
    "rectangular": [[0, 1], [1.45, 0]],
    "centred": [[0, 1], [0.8, 0.5]],
    "oblique": [[0, 1], [1.2, 0.3]],
}
BASES = {
    1: [[0, 0]],
    2: [[0, 0], [1 / 3, 1 / 3]],
    3: [[0, 0], [0.36, 0.12], [0.1, 0.55]],
    4: [[0, 0], [0.45, 0.3], [0.2, 0.7], [0.75, 0.55]],
}
HONEYCOMB = [[1 / 3, 2 / 3], [2 / 3, 1 / 3]]


class Planted:
    """A lattice in a square field: ideal positions, cells and columns, its own reference."""

    def __init__(self, vectors, basis, n, angle=0.0, spacing=20.0, shift=(0.0, 0.0)):
        c, s = np.cos(angle), np.sin(angle)
        self.vectors = spacing * np.sqrt(len(basis)) * np.array(vectors, float) @ np.array([[c, -s], [s, c]])
        self.size = np.sqrt(n * abs(np.linalg.det(self.vectors)) / len(basis))
        reach = int(1.6 * self.size / np.hypot(*self.vectors.T).min()) + 3
        grid = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
        parts = [(grid + f) @ self.vectors + self.size / 2 + shift for f in basis]
        self.index = np.tile(grid, (len(basis), 1))
        self.site = np.repeat(np.arange(len(basis)), len(grid))
        self.points = np.concatenate(parts)
        self.keep(np.all((self.points >= 0) & (self.points <= self.size), axis=1))
        self.spacing = float(np.median(KDTree(self.points).query(self.points, k=2)[0][:, 1]))

    def keep(self, mask):
        self.points, self.index, self.site = self.points[mask], self.index[mask], self.site[mask]
        return self


def disturbed(planted, rng, scatter=0.03, missing=0.03, extra=0.03, strain=0.01):
    """Strain that varies, scatter, missing and surplus points and wrong labels, in random order.

    Returns points, labels, and for each point its row in `planted` or -1.
    """
    x = planted.points / planted.size
    moved = strain * planted.size * np.stack([x[:, 0] + 0.3 * np.sin(3 * x[:, 1]), x[:, 0] ** 2 / 2], 1)
    points = planted.points + moved + rng.normal(0, scatter * planted.spacing, x.shape)
    row = np.flatnonzero(rng.random(len(points)) >= missing)
    surplus = planted.size * rng.random((int(extra * len(points)), 2))
    n_kinds = planted.site.max() + 1
    labels = np.concatenate([planted.site[row], rng.integers(0, n_kinds, len(surplus))])
    wrong = rng.random(len(labels)) < 0.03
    labels[wrong] = rng.integers(0, n_kinds, wrong.sum())
    order = rng.permutation(len(labels))
    row = np.concatenate([row, np.full(len(surplus), -1)])
    return np.concatenate([points[row[row >= 0]], surplus])[order], labels[order], row[order]


def agrees(lattice, planted, row, share=1.0):
    """Whether indices are the planted ones, up to a change of basis and a shift for each sublattice."""
    change = lattice.vectors @ np.linalg.inv(planted.vectors)
    integer = np.rint(change).astype(int)
    assert abs(round(np.linalg.det(integer))) == 1
    np.testing.assert_allclose(change, integer, atol=0.04)
    n_sites = planted.site.max() + 1
    assert len(lattice.fractions) == n_sites
    known = (row >= 0) & (lattice.sublattice >= 0)
    shift = planted.index[row[known]] - lattice.index[known] @ integer
    found = np.column_stack([planted.site[row[known]], lattice.sublattice[known], shift])
    different, count = np.unique(found, axis=0, return_counts=True)
    best = [count[different[:, 0] == s].max() for s in range(n_sites)]
    assert sum(best) >= share * known.sum()
    assert known.sum() >= 0.98 * (row >= 0).sum()


@pytest.mark.parametrize("n", [200, 1000])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_planted_lattices(kind, number, n) -> None:
    rng = np.random.default_rng(number)
    planted = Planted(KINDS[kind], BASES[number], n, angle=rng.uniform(0, 2 * np.pi))
    points, labels, row = disturbed(planted, rng)
    for given in (None, labels):
        lattice = find_lattice(points, given)
        agrees(lattice, planted, row)
        assert lattice.quality > 0.8
        assert lattice.spacing == pytest.approx(planted.spacing, rel=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_many_missing_and_surplus_columns(kind) -> None:
    planted = Planted(KINDS[kind], BASES[2], 800, angle=0.3)
    for share in (0.1, 0.2):
        points, _, row = disturbed(planted, np.random.default_rng(1), 0.05, share, share)
        agrees(find_lattice(points), planted, row, 0.99)


@pytest.mark.parametrize("labelled", [False, True])
def test_honeycomb_has_two_columns_a_cell(labelled) -> None:
    rng = np.random.default_rng(5)
    planted = Planted(KINDS["hexagonal"], HONEYCOMB, 2000, angle=0.7)
    points, labels, row = disturbed(planted, rng)
    lattice = find_lattice(points, labels if labelled else None)
    agrees(lattice, planted, row)
    # Cells are bounded halfway through the hollows.
    np.testing.assert_allclose(np.sort(lattice.fractions[:, 0]), [1 / 3, 2 / 3], atol=0.01)


def test_every_point_is_where_its_site_drift_and_residual_put_it() -> None:
    rng = np.random.default_rng(2)
    points, labels, _ = disturbed(Planted(KINDS["oblique"], BASES[3], 900), rng)
    lattice = find_lattice(points, labels)
    on = lattice.sublattice >= 0
    site = lattice.index[on] + lattice.fractions[lattice.sublattice[on]]
    rebuilt = lattice.origin + site @ lattice.vectors + lattice.drift[on] + lattice.residual[on]
    np.testing.assert_allclose(rebuilt, points[on], atol=1e-8)
    assert np.isnan(lattice.residual[~on]).all()
    assert (np.hypot(*lattice.residual[on].T) < 1.2 * lattice.tolerance).all()
    # A point off sites is in the cell round it.
    cell = (points[~on] - lattice.origin - lattice.drift[~on]) @ np.linalg.inv(lattice.vectors)
    np.testing.assert_array_equal(np.floor(cell), lattice.index[~on])
    assert lattice.index.min(axis=0).tolist() == [0, 0]


def test_cells_do_not_cut_columns() -> None:
    for number in (1, 2, 3, 4):
        planted = Planted(KINDS["rectangular"], BASES[number], 600, angle=0.4, shift=(3.3, 7.7))
        lattice = find_lattice(planted.points)
        for axis in (0, 1):
            here = np.sort(lattice.fractions[:, axis])
            widest = np.diff(here, append=here[0] + 1).max()
            assert min(here[0], 1 - here[-1]) == pytest.approx(widest / 2, abs=0.01)


def test_labels_make_the_cell_larger_only_where_they_are_ordered() -> None:
    rng = np.random.default_rng(0)
    row, col = np.mgrid[:20, :20]
    points = 10.0 * np.column_stack([row.ravel(), col.ravel()]) + rng.normal(0, 0.2, (400, 2))
    salt = ((row + col) % 2).ravel()
    rows = (row % 3 == 0).ravel().astype(int)
    alloy = rng.integers(0, 2, 400)
    area = [abs(np.linalg.det(find_lattice(points, k).vectors)) for k in (None, salt, rows, alloy)]
    np.testing.assert_allclose(area, [100, 200, 300, 100], rtol=0.01)
    assert len(find_lattice(points, salt).fractions) == 2
    unknown = np.where(rng.random(400) < 0.3, -1, salt)
    assert abs(np.linalg.det(find_lattice(points, unknown).vectors)) == pytest.approx(200, rel=0.01)


def test_partly_occupied_sites_and_interstitials() -> None:
    rng = np.random.default_rng(0)
    planted = Planted(KINDS["square"], [[0, 0], [0.5, 0.5]], 2000)
    some = planted.keep((planted.site == 0) | (rng.random(len(planted.site)) < 0.5))
    lattice = find_lattice(some.points)
    assert len(lattice.fractions) == 2
    few = planted.keep((planted.site == 0) | (rng.random(len(planted.site)) < 0.2))
    lattice = find_lattice(few.points)
    assert len(lattice.fractions) == 1
    np.testing.assert_array_equal(lattice.sublattice == -1, few.site == 1)
    assert len(find_lattice(few.points, min_occupancy=0.05).fractions) == 2


def test_missing_columns_are_found_inside_the_border_only() -> None:
    rng = np.random.default_rng(3)
    planted = Planted(KINDS["hexagonal"], HONEYCOMB, 1500, angle=0.3)
    shape = (int(planted.size) + 1, int(planted.size) + 1)
    inside = np.all((planted.points > 2 * 20) & (planted.points < planted.size - 2 * 20), axis=1)
    gone = np.flatnonzero(inside)[rng.choice(inside.sum(), 25, replace=False)]
    rest = np.delete(planted.points, gone, axis=0)
    strained = rest + 0.01 * np.column_stack([rest[:, 1], rest[:, 0] ** 2 / planted.size])
    index, sublattice, position = sites(find_lattice(strained), shape)
    lost = planted.points[gone]
    lost = lost + 0.01 * np.column_stack([lost[:, 1], lost[:, 0] ** 2 / planted.size])
    distance, which = KDTree(position).query(lost)
    assert distance.max() < 0.5
    assert len(np.unique(which)) == len(position) == 25
    assert index.shape == (25, 2)
    assert set(sublattice.tolist()) == {0, 1}


@pytest.mark.parametrize("supercell", [2, [[1, 1], [-1, 1]], [[2, 1], [0, 3]]])
def test_supercell(supercell) -> None:
    planted = Planted(KINDS["hexagonal"], HONEYCOMB, 800, angle=0.1)
    single = find_lattice(planted.points)
    lattice = find_lattice(planted.points, supercell=supercell)
    multiple = np.eye(2) * supercell if np.ndim(supercell) == 0 else np.array(supercell)
    np.testing.assert_allclose(lattice.vectors, multiple @ single.vectors, atol=1e-9)
    assert len(lattice.fractions) == 2 * round(np.linalg.det(multiple))
    site = lattice.origin + (lattice.index + lattice.fractions[lattice.sublattice]) @ lattice.vectors
    np.testing.assert_allclose(site, planted.points, atol=1e-6)
    key = np.column_stack([lattice.index, lattice.sublattice])
    assert len(np.unique(key, axis=0)) == len(key)


def test_given_vectors_are_refined_and_kept() -> None:
    planted = Planted(KINDS["square"], BASES[1], 600, angle=0.1)
    wanted = np.array([[1, 1], [-1, 2]]) @ planted.vectors
    lattice = find_lattice(planted.points, vectors=wanted + 0.8)
    np.testing.assert_allclose(lattice.vectors, wanted, atol=1e-6)
    assert len(lattice.fractions) == 3
    with pytest.raises(ValueError, match="no lattice found: the given `vectors` lead only"):
        find_lattice(planted.points, vectors=0.6 * planted.vectors)


def test_turning_the_micrograph_turns_the_result() -> None:
    planted = Planted(KINDS["hexagonal"], HONEYCOMB, 600, angle=0.2)
    first = find_lattice(planted.points)
    turned = find_lattice(np.column_stack([planted.size - planted.points[:, 1], planted.points[:, 0]]))
    np.testing.assert_allclose(
        np.sort(np.hypot(*turned.vectors.T)), np.sort(np.hypot(*first.vectors.T)), rtol=1e-6
    )
    assert turned.quality == pytest.approx(first.quality, abs=1e-6)
    again = find_lattice(planted.points)
    np.testing.assert_array_equal(again.index, first.index)
    np.testing.assert_array_equal(again.vectors, first.vectors)


def test_scan_drift_of_some_per_cent_is_followed() -> None:
    # The frame drifts by more than a lattice vector over the field, unevenly.
    planted = Planted(KINDS["hexagonal"], HONEYCOMB, 4000, angle=0.5)
    x = planted.points[:, 0] / planted.size
    drift = 1.5 * np.hypot(*planted.vectors[0]) * np.column_stack([0.3 * x**2, np.sin(1.5 * x)])
    lattice = find_lattice(planted.points + drift)
    integer = np.rint(lattice.vectors @ np.linalg.inv(planted.vectors)).astype(int)
    assert len(lattice.fractions) == 2
    for s in (0, 1):
        mine = planted.site == s
        shift = planted.index[mine] - lattice.index[mine] @ integer
        assert len(np.unique(np.column_stack([shift, lattice.sublattice[mine]]), axis=0)) == 1


def pushed_apart(n, steps, rng) -> np.ndarray:
    """Random points pushed apart until they keep a distance: amorphous, with sharp first neighbours."""
    side = np.sqrt(n)
    points = side * rng.random((n, 2))
    for _ in range(steps):
        distance, other = KDTree(points % side, boxsize=side).query(points % side, k=7)
        apart = points[:, None] - points[other[:, 1:]]
        apart -= side * np.rint(apart / side)
        push = np.maximum(1 - distance[:, 1:, None], 0) / np.maximum(distance[:, 1:, None], 1e-3) * apart
        points = points + 0.3 * push.sum(axis=1)
    return 20 * (points % side)


@pytest.mark.parametrize("steps", [0, 5, 60])
@pytest.mark.parametrize("n", [200, 1000])
def test_random_and_amorphous_points_are_refused(n, steps) -> None:
    for seed in range(2):
        points = pushed_apart(n, steps, np.random.default_rng(seed))
        with pytest.raises(ValueError, match=r'^no lattice found: .*use `cells="voronoi"`'):
            find_lattice(points)


@pytest.mark.parametrize("seed", range(3))
def test_maxima_of_smoothed_noise_are_refused(seed) -> None:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(512, 512)), 4.0)
    points = np.argwhere(smooth == ndimage.maximum_filter(smooth, 3)).astype(float)
    with pytest.raises(ValueError, match="no lattice found"):
        find_lattice(points)


@pytest.mark.parametrize("cut", [0.5, 0.8])
@pytest.mark.parametrize("degrees", [5, 8, 13, 18, 21.8, 27.8, 36.9])
@pytest.mark.parametrize(
    ("kind", "basis"), [("hexagonal", HONEYCOMB), ("square", BASES[1]), ("oblique", BASES[3])], ids=str
)
def test_two_grains_are_refused(kind, basis, degrees, cut) -> None:
    # 21.8, 27.8 and 36.9 degrees make coincidence lattices, into whose large cell both grains fit.
    rng = np.random.default_rng(0)
    one = Planted(KINDS[kind], basis, 1000, angle=0.2)
    two = Planted(KINDS[kind], basis, 1000, angle=0.2 + np.radians(degrees), shift=(3.0, 5.0))
    points = np.concatenate(
        [one.points[one.points[:, 1] < cut * one.size], two.points[two.points[:, 1] > cut * one.size]]
    )
    close = KDTree(points).query_pairs(0.6 * one.spacing, output_type="ndarray")
    points = np.delete(points, close[:, 0], axis=0)
    points += rng.normal(0, 0.02 * one.spacing, points.shape)
    with pytest.raises(ValueError, match="no lattice found"):
        find_lattice(points)


def test_disorder_of_close_sites_is_no_sign_of_grains() -> None:
    # Each second column is at one of two places, half a spacing apart, at random.
    planted = Planted(KINDS["rectangular"], [[0, 0], [0.35, 0.5], [0.65, 0.5]], 1800)
    choice = np.random.default_rng(1).random((400, 400)) < 0.5
    chosen = choice[tuple((planted.index % 400).T)]
    planted.keep((planted.site == 0) | ((planted.site == 1) == chosen))
    lattice = find_lattice(planted.points)
    assert len(lattice.fractions) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"points": np.zeros((3, 2))}, "no lattice found: `points` must hold at least 16 points, got 3"),
        ({"points": np.zeros((20, 2))}, "`points` must be apart from each other"),
        ({"points": np.arange(30.0)[:, None] * [1, 2]}, "no lattice found: the `points` lie on one line"),
        ({"labels": np.zeros(99, int)}, r"`labels` must be one integer a point, shape \(100,\), got"),
        ({"labels": np.zeros(100)}, "`labels` must be one integer a point"),
        ({"supercell": 0}, "`supercell` must be a positive integer or"),
        ({"supercell": [[0, 1], [1, 0]]}, "`supercell` must be a positive integer or"),
        ({"supercell": 1.5}, "`supercell` must be a positive integer or"),
        ({"vectors": [[1, 0], [2, 0]]}, "`vectors` must not be parallel"),
        ({"tolerance": 0}, "`tolerance` must be positive"),
        ({"min_quality": 1.01}, "no lattice found: the quality 1.00 of the best lattice is below"),
    ],
)
def test_malformed_arguments(change, words) -> None:
    row, col = np.mgrid[:10, :10]
    arguments = {"points": 10.0 * np.column_stack([row.ravel(), col.ravel()])} | change
    with pytest.raises(ValueError, match=words):
        find_lattice(**arguments)


def truth(shared, name) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    with np.load(shared / "bench" / f"{name}__clean.npz", allow_pickle=False) as file:
        points = file["positions_xy_px"][:, ::-1].astype(float)
        return points, file["labels"].astype(int), file["visible"], file["image"].shape


@pytest.mark.parametrize(
    ("name", "n_sites"), [("mose2_vse", 2), ("ws2_fe_te", 2), ("graphene_si", 2), ("bto_sto_interface", 2)]
)
def test_simulated_crystals(shared, name, n_sites) -> None:
    points, labels, visible, shape = truth(shared, name)
    lattice = find_lattice(points[visible], labels[visible])
    assert len(lattice.fractions) == n_sites
    assert (lattice.sublattice >= 0).all()
    assert lattice.quality > 0.99
    key = np.column_stack([lattice.index, lattice.sublattice])
    assert len(np.unique(key, axis=0)) == len(key)
    empty = sites(lattice, shape)[2]
    hidden = points[~visible]
    assert len(empty) == len(hidden)
    if len(hidden):
        assert KDTree(hidden).query(empty)[0].max() < 0.1


@pytest.mark.parametrize("name", ["polycrystal_mos2", "mos2_twist_3p15"])
def test_simulated_grains_and_layers_are_refused(shared, name) -> None:
    points, labels, visible, _ = truth(shared, name)
    for given in (None, labels[visible]):
        with pytest.raises(ValueError, match=r"no lattice found: several grains"):
            find_lattice(points[visible], given)


@pytest.mark.parametrize(
    ("name", "n_sites", "n_off"),
    [
        ("points_only/ws2_te_doped_points_labels.npz", 2, 1),
        ("points_only/oxide_qian_pentagon_points.npz", 4, 0),
        ("points_only/mos2_bilayer_3deg_points.npz", 1, 4),
        ("mose2_monolayer_vacancies/full_field_points_labels.npz", 2, 0),
    ],
)
def test_columns_of_real_micrographs(shared, name, n_sites, n_off) -> None:
    with np.load(shared / "data" / name, allow_pickle=False) as file:
        points = file["pos_xy"][:, ::-1].astype(float)
        labels = file["labels"].astype(int) if "labels" in file.files else None
    lattice: Lattice = find_lattice(points, labels)
    assert len(lattice.fractions) == n_sites
    assert (lattice.sublattice < 0).sum() <= n_off
    assert lattice.quality > 0.9
    assert len(sites(lattice, (10_000, 10_000))[0]) < 0.002 * len(points)
