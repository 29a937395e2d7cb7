"""Continuity: fields of two parameters against motifs, gradients, domains and rare defects."""

import numpy as np
import pytest

import atomotif as am
from atomotif.numerics._ring_similarity import nearest_on_rings
from atomotif.numerics.continuity import measure_continuity
from atomotif.numerics.invariants import debiased_invariants

SIDE = 44
SPACING = 10.0
GRID = np.mgrid[:SIDE, :SIDE].reshape(2, -1).T * SPACING
N = len(GRID)
PERIOD = 200.0


def registry(period=PERIOD):
    """A field of two parameters that runs through all phases in one period each way."""
    phase = 2 * np.pi * GRID / period
    return np.column_stack([np.full(N, 3.0), np.cos(phase), np.sin(phase)])


def motifs(n_motifs, seed=0, places=None):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n_motifs, 5))
    label = rng.integers(0, n_motifs, N) if places is None else places
    return np.column_stack([np.full(N, 3.0), centres[label]])


def measured(rows, noise=0.05, seed=0, points=GRID, **keywords):
    noisy = rows + np.random.default_rng(seed + 100).normal(scale=noise, size=rows.shape)
    return measure_continuity(points, noisy, noise**2 * np.eye(rows.shape[1]), **keywords)


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("n_motifs", [1, 2, 5, 20, 70, 100])
def test_motifs_recur(n_motifs, noise):
    found = measured(motifs(n_motifs, seed=n_motifs), noise)
    assert not found.continuous
    assert 0.5 < found.ratio < 1.1
    assert "recur" in found.reason


@pytest.mark.parametrize(("noise", "least"), [(0.0, 2.5), (0.05, 2.0), (0.2, 1.5)])
@pytest.mark.parametrize("period", [110.0, 200.0, 300.0])
def test_registry_is_a_continuum(period, noise, least):
    found = measured(registry(period), noise)
    assert found.continuous
    assert least < found.ratio < 8.0
    assert f"{found.radius:.0f} px" in found.reason


def test_ring_is_half_a_period():
    assert measured(registry()).radius == pytest.approx(PERIOD / 2, abs=3 * SPACING / 2)


def test_density_alone_is_no_continuum():
    """The same features at other places: no gap between them, but all are found everywhere."""
    rows = registry()[np.random.default_rng(1).permutation(N)]
    assert measured(rows).ratio < 1.1


@pytest.mark.parametrize("steepness", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 4])
def test_gradient_is_no_continuum(steepness, angle):
    along = GRID @ [np.sin(angle), np.cos(angle)] / np.ptp(GRID)
    rows = motifs(2, places=(GRID.sum(1) // SPACING).astype(int) % 2) * (1 + steepness * along)[:, None]
    assert measured(rows).ratio < 1.1


def test_bend_is_no_continuum():
    """A dome: contour lines of one parameter are closed, and still meet the rings."""
    rows = motifs(1) + np.outer(np.hypot(*(GRID - GRID.mean(0)).T) / 50.0, [0, 1, 0, 2, 0, 0])
    assert measured(rows).ratio < 1.1


def test_domains_are_no_continuum():
    halves = np.where(GRID[:, 1] < 180, 0, 2) + np.arange(N) % 2
    assert measured(motifs(4, places=halves)).ratio < 1.1


def test_rare_defects_do_not_matter():
    rng = np.random.default_rng(2)
    rows = motifs(2, places=np.arange(N) % 2)
    rare = rng.choice(N, N // 10, replace=False)
    rows[rare] += rng.normal(size=(len(rare), rows.shape[1]))
    assert measured(rows).ratio < 1.1
    rows = registry()
    rows[rare] += rng.normal(size=(len(rare), rows.shape[1]))
    assert measured(rows).continuous


def test_crystal_without_noise():
    """Narrow rings would lie between the shells of a perfect crystal; these hold both sublattices."""
    lattice = np.mgrid[-30:31, -30:31].reshape(2, -1).T @ [[0.0, 26.0], [22.5166605, 13.0]]
    points = np.concatenate([lattice, lattice + np.array([7.5055535, 13.0])])
    label = np.repeat([0, 1], len(lattice))
    inside = (np.abs(points) < 250).all(1)
    rows = np.array([[3.0, 1.0, 0.0], [3.0, 0.0, 1.0]])[label[inside]]
    found = measure_continuity(points[inside], rows, np.zeros((3, 3)))
    assert found.ratio == pytest.approx(1.0, abs=1e-6)


def test_threshold_decides():
    found = measured(registry())
    assert not measured(registry(), threshold=found.ratio + 1e-6).continuous
    assert measured(registry(), threshold=found.ratio - 1e-6).continuous


def test_systematic_variation_is_no_continuum():
    """A field of 1 % of the contrast is what sampling does, however high the dose."""
    rows = registry() * [1.0, 0.01, 0.01, 0.01, 0.01] + [0.0, 5.0, 0.0, 0.0, 0.0]
    assert not measured(rows, 0.0).continuous
    assert measured(rows, 0.0, systematic=1e-4).continuous


@pytest.mark.parametrize("covariance", [np.zeros((3, 3)), np.eye(3)])
def test_constant_features(covariance):
    found = measure_continuity(GRID, np.zeros((N, 3)), covariance)
    assert not found.continuous
    assert found.ratio == pytest.approx(1.0)


@pytest.mark.parametrize(
    "points", [GRID[:0], GRID[:1], GRID[:20], GRID[:SIDE], np.zeros((50, 2)), GRID[(GRID < 100).all(1)]]
)
def test_too_small(points):
    found = measure_continuity(points, np.ones((len(points), 2)), np.eye(2))
    assert not found.continuous
    assert np.isnan(found.ratio)
    assert np.isnan(found.radius)
    assert found.reason == (
        f"the field of {len(points)} whole patches is too small to tell a continuum from motifs"
    )


def test_scales_and_places_do_not_matter():
    rows, covariance = registry(), 0.0025 * np.eye(5)
    found = measure_continuity(GRID, rows, covariance)
    for points, features, noise in (
        (GRID, 1e3 * rows, 1e6 * covariance),
        (GRID * 7 + [1e4, -300], rows, covariance),
        (GRID[:, ::-1], rows, covariance),
    ):
        other = measure_continuity(points, features, noise)
        assert other.ratio == pytest.approx(found.ratio, rel=1e-3)


def test_only_complete_points_count():
    complete = GRID[:, 0] < 300
    rows = registry()
    found = measure_continuity(GRID[complete], rows[complete], 0.01 * np.eye(5))
    rows[~complete] = 1e6
    assert measure_continuity(GRID, rows, 0.01 * np.eye(5), complete=complete) == found


def test_any_array_will_do():
    rows = np.rint(100 * registry()).astype(int)
    found = measure_continuity(GRID, rows, 100 * np.eye(5))
    wide = np.zeros((N, 10))
    wide[:, ::2] = rows
    swapped = rows.astype(">f8")
    swapped.setflags(write=False)
    for same in (wide[:, ::2], swapped, rows.tolist()):
        assert measure_continuity(GRID.astype(">i4"), same, 100 * np.eye(5)) == found


def test_seeded():
    found = [measured(registry(), random_state=seed) for seed in (0, 0, 1)]
    assert found[0] == found[1]
    assert found[0].ratio != found[2].ratio
    assert found[2].ratio == pytest.approx(found[0].ratio, rel=0.2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": GRID[:, :1]}, "`points` must have shape"),
        ({"points": np.full((N, 2), np.nan)}, "`points` must be finite"),
        ({"features": np.ones((N - 1, 3))}, "`features` must have shape"),
        ({"features": np.ones((N, 1))}, "`features` must have shape"),
        ({"features": np.full((N, 3), np.inf)}, "`features` must be finite, got 5808 NaN"),
        ({"covariance": np.eye(2)}, r"`covariance` must have shape \(3, 3\), got shape \(2, 2\)"),
        ({"covariance": np.full((3, 3), np.nan)}, "`covariance` must be finite"),
        ({"complete": np.ones(N)}, "`complete` must be a boolean array"),
        ({"complete": np.ones(3, bool)}, "`complete` must be a boolean array"),
        ({"threshold": 0.0}, "`threshold` must be"),
        ({"systematic": -0.1}, "`systematic` must be finite and not negative, got -0.1"),
        ({"systematic": np.nan}, "`systematic` must be finite"),
        ({"random_state": -1}, "`random_state` must"),
    ],
)
def test_errors(change, message):
    given = {"points": GRID, "features": np.ones((N, 3)), "covariance": np.eye(3)} | change
    with pytest.raises(ValueError, match=message):
        measure_continuity(**given)


def test_rings_against_brute_force():
    rng = np.random.default_rng(3)
    points, rows = rng.uniform(0, 100, (300, 2)), rng.normal(size=(300, 4)).astype(np.float32)
    shuffled, chosen = rows[::-1].copy(), np.array([5, 70, 299])
    count, nearest, other = nearest_on_rings(points, rows, shuffled, chosen, 8.0, 11.0, 4)
    assert count.shape == nearest.shape == other.shape == (3, 4)
    for i, centre in enumerate(chosen):
        away = np.hypot(*(points - points[centre]).T)
        for ring in range(4):
            on = (away >= 8 + 11 * ring) & (away < 19 + 11 * ring)
            assert count[i, ring] == on.sum()
            for least, table in ((nearest, rows), (other, shuffled)):
                square = ((table[on] - rows[centre]) ** 2).sum(1)
                assert least[i, ring] == pytest.approx(square.min() if on.any() else np.inf, rel=1e-5)


VARIANTS = ("clean", "dose_high", "dose_medium", "dose_low", "jitter", "background")
MOIRE = [f"mos2_twist_3p15__{name}" for name in VARIANTS]
MOTIFS = ["pom_like__background", "ws2_fe_te__background", "bto_sto_interface__clean", "mose2_vse__dose_low"]


@pytest.mark.parametrize("name", MOIRE + MOTIFS)
def test_simulated_micrographs(name, shared):
    with np.load(shared / "bench" / f"{name}.npz") as file:
        session = am.MotifSession(file["image"].astype(np.float32)).compute_features()
    points, features = session.data["points"], session.data["features"]
    rows, noise = debiased_invariants(features["zernike"].values, features["noise_covariance"].values)
    where = np.column_stack([points["row"].values, points["col"].values])
    found = measure_continuity(where, rows, noise, complete=features["complete"].values)
    if name in MOIRE:
        assert found.ratio > 2.0
        assert found.continuous
        # Half the period of 57.5 A at 0.122 A per px.
        assert found.radius == pytest.approx(236, abs=20)
    else:
        assert found.ratio < 1.1
        assert not found.continuous
