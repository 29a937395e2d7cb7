import numpy as np
import pytest

from atomotif.numerics.displacement import displacement
from atomotif.numerics.lattice import find_lattice
from atomotif.numerics.strain import strain

VECTORS = np.array([[2.0, 20.0], [23.0, -4.0]])
FRACTIONS = np.array([[0.2, 0.3], [0.7, 0.75]])


def field(n: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    grid = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), -1).reshape(-1, 2)
    index, site = np.tile(grid, (2, 1)), np.repeat([0, 1], n * n)
    return (index + FRACTIONS[site]) @ VECTORS, index, site


@pytest.mark.parametrize(
    ("name", "sign", "gradient"),
    [
        # gradient[i, j]: change of the displacement along axis j (row, col) along axis i.
        ("exx", 1, [[0, 0], [0, 0.01]]),
        ("eyy", 1, [[0.01, 0], [0, 0]]),
        ("exy", 1, [[0, 0.01], [0.01, 0]]),
        ("rotation", 1, [[0, -0.01], [0.01, 0]]),
        ("exy", 0.5, [[0, 0], [0.01, 0]]),
        ("rotation", 0.5, [[0, 0], [0.01, 0]]),
        ("rotation", -0.5, [[0, 0.01], [0, 0]]),
    ],
)
def test_signs_and_axes(name, sign, gradient) -> None:
    points, index, site = field()
    found = strain(points + points @ np.array(gradient), index, site, VECTORS)
    np.testing.assert_allclose(getattr(found, name), sign * 0.01, atol=1e-9)
    others = {"exx", "eyy", "exy", "rotation"} - {name}
    if abs(sign) == 1:
        for other in others:
            np.testing.assert_allclose(getattr(found, other), 0, atol=1e-9)


def test_rotation_turns_from_columns_towards_rows() -> None:
    points, index, site = field()
    c, s = np.cos(0.01), np.sin(0.01)
    # (row, col) -> (row cos + col sin, col cos - row sin): +x goes towards +y.
    turned = np.column_stack([c * points[:, 0] + s * points[:, 1], c * points[:, 1] - s * points[:, 0]])
    np.testing.assert_allclose(strain(turned, index, site, VECTORS).rotation, s, atol=1e-9)


def brute_force(points, index, site, at, window):
    """Slopes at one point by numpy's general least squares."""
    far = np.hypot(*VECTORS.T).max()
    arm = (index - index[at]) @ VECTORS
    radius = (window + 0.25) * far
    near = (site == site[at]) & (np.hypot(*arm.T) < radius)
    root = 1 - (np.hypot(*arm[near].T) / radius) ** 2
    design = np.column_stack([np.ones(near.sum()), arm[near]]) * root[:, None]
    moved = (points - index @ VECTORS)[near] * root[:, None]
    return np.linalg.lstsq(design, moved, rcond=None)[0][1:]


@pytest.mark.parametrize("window", [1.0, 2.0, 3.5])
def test_slopes_against_general_least_squares(window) -> None:
    points, index, site = field(10)
    rng = np.random.default_rng(0)
    points += rng.normal(0, 0.5, points.shape)
    kept = rng.random(len(points)) > 0.1
    points, index, site = points[kept], index[kept], site[kept]
    found = strain(points, index, site, VECTORS, window=window)
    checked = 0
    for at in np.flatnonzero(np.isfinite(found.exx))[::5]:
        slope = brute_force(points, index, site, at, window)
        assert found.eyy[at] == pytest.approx(slope[0, 0], abs=1e-9)
        assert found.exx[at] == pytest.approx(slope[1, 1], abs=1e-9)
        assert found.exy[at] == pytest.approx((slope[0, 1] + slope[1, 0]) / 2, abs=1e-9)
        assert found.rotation[at] == pytest.approx((slope[1, 0] - slope[0, 1]) / 2, abs=1e-9)
        checked += 1
    assert checked > 20


@pytest.mark.parametrize("scatter", [0.1, 0.4])
def test_gradients_of_one_per_cent_are_recovered_within_the_errors(scatter) -> None:
    points, index, site = field(30)
    rng = np.random.default_rng(1)
    size = np.ptp(points, axis=0).max()
    y, x = (points - points.mean(axis=0)).T
    g = 0.01 / size  # from -0.5 % to 0.5 % over the field
    moved = points + np.column_stack([g * y**2 / 2 + g * x * y, g * x**2 / 2])
    moved += rng.normal(0, scatter, points.shape)
    found = strain(moved, index, site, VECTORS)
    assert found.sigma == pytest.approx(scatter, rel=0.05)
    truth = {"exx": g * x, "eyy": g * (x + y), "exy": g * y / 2, "rotation": g * y / 2}
    for name, value in truth.items():
        error = getattr(found, f"{name}_error" if name != "rotation" else "exy_error")
        pull = (getattr(found, name) - value) / error
        assert pull.std() == pytest.approx(1, abs=0.12)
        assert abs(pull.mean()) < 0.15
    given = strain(moved, index, site, VECTORS, sigma=2 * scatter)
    np.testing.assert_allclose(given.exx_error, found.exx_error * 2 * scatter / found.sigma)
    assert strain(moved, index, site, VECTORS, window=4).exx_error.mean() < 0.4 * found.exx_error.mean()


@pytest.mark.parametrize("vectors", [[[2.0, 12.0], [30.0, -3.0]], [[3.0, 30.0], [12.0, 2.0]]])
def test_errors_are_the_scatter_over_draws_where_axes_differ(vectors) -> None:
    # Cells 2.5 times as long as wide, and a window at the edge that holds more rows than columns or fewer.
    grid = np.stack(np.meshgrid(np.arange(9), np.arange(9), indexing="ij"), -1).reshape(-1, 2)
    exact, site = grid @ np.array(vectors), np.zeros(len(grid), dtype=int)
    rng = np.random.default_rng(2)
    draws = [
        strain(exact + rng.normal(0, 0.3, exact.shape), grid, site, vectors, window=1.0, sigma=0.3)
        for _ in range(600)
    ]
    for name in ("exx", "eyy", "exy", "rotation"):
        values = np.array([getattr(draw, name) for draw in draws])
        error = getattr(draws[0], f"{name}_error" if name != "rotation" else "exy_error")
        # The scatter of 600 draws is known to 3 %, at the worst of 81 points to 10 %.
        np.testing.assert_allclose(values.std(axis=0), error, rtol=0.12)
    along, across = draws[0].exx_error[40], draws[0].eyy_error[40]
    assert max(along, across) > 1.5 * min(along, across)


def test_a_gradient_is_recovered_through_the_lattice_search() -> None:
    points, _, _ = field(30)
    size = np.ptp(points, axis=0).max()
    x = points[:, 1] - points[:, 1].mean()
    moved = points + np.column_stack([np.zeros(len(x)), 0.01 / size * x**2 / 2])
    lattice = find_lattice(moved)
    found = strain(moved, lattice.index, lattice.sublattice, lattice.vectors)
    expected = 0.01 / size * x
    off = (found.exx - found.exx.mean()) - (expected - expected.mean())
    assert np.abs(off).max() < 5e-4
    assert np.sqrt((off**2).mean()) < 1e-4


def test_a_rigid_shift_of_a_sublattice_is_displacement_but_no_strain() -> None:
    points, index, site = field()
    moved = points + np.where(site == 1, 1.5, 0.0)[:, None] * [1.0, -0.4]
    found = strain(moved, index, site, VECTORS)
    for name in ("exx", "eyy", "exy", "rotation"):
        np.testing.assert_allclose(getattr(found, name), 0, atol=1e-12)


def test_a_wall_of_one_sublattice_is_left_out_by_the_other() -> None:
    points, index, site = field()
    moved = points + np.where((site == 1) & (index[:, 1] > 11), 1.5, 0.0)[:, None] * [1.0, 0.0]
    assert np.abs(strain(moved, index, site, VECTORS).eyy).max() > 0.01
    found = strain(moved, index, site, VECTORS, within=0)
    assert np.isfinite(found.eyy).all()
    np.testing.assert_allclose(found.eyy, 0, atol=1e-12)


def test_too_few_neighbours_give_nan() -> None:
    points, index, site = field(6)
    row = index[:, 0] == 0
    alone = strain(points[row], index[row], site[row], VECTORS)
    assert np.isnan(alone.exx).all()
    assert np.isnan(alone.sigma)
    site[0] = -1
    found = strain(points, index, site, VECTORS)
    assert np.flatnonzero(np.isnan(found.exx)).tolist() == [0]


def test_points_that_share_a_site_count_once() -> None:
    points, index, site = field(8)
    both = strain(
        np.concatenate([points, points[:1] + np.array([0.4, 0])]),
        np.concatenate([index, index[:1]]),
        np.concatenate([site, site[:1]]),
        VECTORS,
    )
    points[0] += [0.2, 0]
    np.testing.assert_allclose(both.eyy[:-1], strain(points, index, site, VECTORS).eyy, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"window": 0}, "`window` must be positive"),
        ({"sigma": -1.0}, "`sigma` must be positive"),
        ({"within": 2}, "`within` must be a sublattice that has points, got 2"),
        ({"within": -1}, "`within` must be a sublattice that has points, got -1"),
        ({"vectors": np.zeros((2, 2))}, "`vectors` must not be parallel"),
    ],
)
def test_malformed_arguments(change, words) -> None:
    points, index, site = field(5)
    arguments = {"points": points, "index": index, "sublattice": site, "vectors": VECTORS} | change
    with pytest.raises(ValueError, match=words):
        strain(**arguments)


def test_a_simulated_ferroelectric_is_not_strained_by_its_polarisation(shared) -> None:
    with np.load(shared / "bench" / "bto_sto_interface__clean.npz", allow_pickle=False) as file:
        points = file["positions_xy_px"][:, ::-1].astype(float)
        labels, polar = file["labels"].astype(int), file["side_is_BTO"] == 1
        far = np.abs(file["cells_from_interface"]) >= 4
    lattice = find_lattice(points, labels)
    inside = polar & far & (points[:, 1] < 400)  # a terrace of one cell begins at column 471
    region = polar & far & (points[:, 1] < 455)
    own = displacement(points, lattice.index, lattice.sublattice, region=region)[1]
    found = strain(points, lattice.index, lattice.sublattice, own.vectors)
    for name in ("exx", "eyy", "exy", "rotation"):
        assert np.abs(getattr(found, name)[inside]).max() < 1e-4
    # Seen from the titanate of strontium the cell is longer along the growth: 4.06 against 3.905 Angstrom.
    sto = displacement(points, lattice.index, lattice.sublattice, region=~polar & far)[1]
    found = strain(points, lattice.index, lattice.sublattice, sto.vectors)
    assert found.eyy[inside].mean() == pytest.approx(4.06 / 3.905 - 1, abs=2e-4)
    assert np.abs(found.exx[inside]).max() < 2e-4
