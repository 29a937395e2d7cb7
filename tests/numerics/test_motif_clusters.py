import dataclasses

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from atomotif.numerics.invariants import debiased_invariants
from atomotif.numerics.moments import moment_covariance, patch_coverage, zernike_moments
from atomotif.numerics.motif_clusters import cluster_motifs

LATTICES = {
    "oblique": [[22.0, 0.0], [7.0, 25.0]],
    "rectangular": [[21.0, 0.0], [0.0, 27.0]],
    "centred": [[24.0, 0.0], [12.0, 15.0]],
    "square": [[23.0, 0.0], [0.0, 23.0]],
    "hexagonal": [[24.0, 0.0], [12.0, 20.785]],
}
BASIS = np.array([[0.0, 0.0], [0.5, 0.5], [0.5, 0.0], [0.0, 0.5]])
HEIGHTS = [1.0, 0.5, 0.75, 0.3]
RADIUS = 15.0  # px: 0.7 to 1.6 nearest-neighbour distances of these crystals


def crystal(vectors, basis, heights, size=160, sigma=2.6, turn=0.1):
    """Image of Gaussian columns, their positions (row, col), and which of the basis each one is."""
    cosine, sine = np.cos(turn), np.sin(turn)
    vectors = np.asarray(vectors) @ np.array([[cosine, sine], [-sine, cosine]])
    steps = np.arange(-30, 31)
    cells = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    points = np.concatenate([(cells + b) @ vectors + 3.3 for b in basis])
    kind = np.repeat(np.arange(len(basis)), len(cells))
    near = ((points > -20) & (points < size + 20)).all(1)
    points, kind = points[near], kind[near]
    axis = np.arange(size)
    rows = np.exp(-((axis - points[:, :1]) ** 2) / (2 * sigma**2)) * np.asarray(heights)[kind][:, None]
    image = rows.T @ np.exp(-((axis - points[:, 1:]) ** 2) / (2 * sigma**2))
    inside = ((points >= 0) & (points <= size - 1)).all(1)
    return image, points[inside], kind[inside]


def described(image, points, oriented, noise=0.0):
    """Features of the patches, their covariance, and which of them are whole."""
    pixels = np.asarray(image, np.float32)
    moments = zernike_moments(pixels, points, RADIUS)
    covariance = moment_covariance(np.full_like(pixels, noise**2), points, RADIUS)
    whole = patch_coverage(points, RADIUS, pixels.shape) > 0.999
    return (moments, covariance, whole) if oriented else (*debiased_invariants(moments, covariance), whole)


def same_partition(a, b):
    return len(set(zip(a.tolist(), b.tolist()))) == len(set(a.tolist())) == len(set(b.tolist()))


def sample(n=1200, n_features=36, seed=0, counts=(0.6, 0.3, 0.08, 0.02)):
    """Rows of four classes about 9 standard deviations of their unit noise apart."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(counts)), np.round(np.array(counts) * n).astype(int))
    centre = np.eye(n_features)[1 : len(counts) + 1] * 6.5
    rows = centre[truth] + rng.normal(size=(len(truth), n_features))
    order = rng.permutation(len(truth))
    return rows[order], np.eye(n_features), truth[order]


@pytest.mark.parametrize(
    ("n_columns", "oriented"), [(1, False), (2, False), (3, False), (4, False), (4, True)]
)
@pytest.mark.parametrize("lattice", LATTICES)
def test_perfect_crystal_has_as_many_motifs_as_distinct_columns(lattice, n_columns, oriented):
    image, points, kind = crystal(LATTICES[lattice], BASIS[:n_columns], HEIGHTS)
    features, covariance, whole = described(image, points, oriented)
    motifs = cluster_motifs(features, covariance, complete=whole)
    assert motifs.n_motifs == n_columns
    assert same_partition(motifs.labels[whole], kind[whole])


@pytest.mark.parametrize(
    ("basis", "heights", "truth"),
    [
        ([[1 / 3, 1 / 3], [2 / 3, 2 / 3]], [1, 1], [0, 0]),  # honeycomb: alike by a half turn
        ([[0.5, 0], [0, 0.5], [0.5, 0.5]], [1, 1, 1], [0, 0, 0]),  # kagome: alike by thirds of a turn
        ([[0.5, 0], [0, 0.5], [0.5, 0.5], [0, 0]], [1, 1, 1, 0.5], [0, 0, 0, 1]),
    ],
)
def test_columns_alike_by_symmetry_are_one_motif(basis, heights, truth):
    image, points, kind = crystal(LATTICES["hexagonal"], np.array(basis), heights)
    features, covariance, whole = described(image, points, oriented=False)
    motifs = cluster_motifs(features, covariance, complete=whole)
    assert same_partition(motifs.labels[whole], np.array(truth)[kind[whole]])


def test_vacancies_in_noise_and_an_affine_change_of_intensity():
    image, points, kind = crystal(LATTICES["square"], BASIS[:2], [1.0, 0.6], size=300)
    rng = np.random.default_rng(0)
    centre = np.flatnonzero((kind == 1) & (np.abs(points - 150) < 110).all(1))
    gone = rng.choice(centre, 6, replace=False)
    grid = np.arange(300)
    for row, col in points[gone]:
        weaker = np.exp(-((grid[:, None] - row) ** 2 + (grid - col) ** 2) / (2 * 2.6**2))
        image = image - 0.35 * weaker
    image = image + rng.normal(0, 0.05, image.shape)
    found = []
    for gain, offset in ((1.0, 0.0), (64.0, 0.0), (0.013, 5.0)):
        features, covariance, whole = described(gain * image + offset, points, False, noise=0.05 * gain)
        found.append(cluster_motifs(features, covariance, complete=whole).labels)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert len(set(found[0][gone])) == 1
    assert np.array_equal(np.sort(gone), np.flatnonzero(whole & (found[0] == found[0][gone[0]])))


@pytest.mark.parametrize("n", [60, 300, 1200, 5000])
def test_classes_are_found_without_their_number(n):
    rows, covariance, truth = sample(n, counts=(0.5, 0.3, 0.2) if n < 300 else (0.6, 0.3, 0.08, 0.02))
    motifs = cluster_motifs(rows, covariance)
    assert motifs.n_motifs == truth.max() + 1
    assert adjusted_rand_score(truth, motifs.labels) > 0.97
    assert np.all(np.diff(np.bincount(motifs.labels)) <= 0)
    assert motifs.labels.dtype == np.int64
    assert motifs.confidence.dtype == np.float32
    assert motifs.confidence.min() >= 0.0
    assert motifs.confidence.max() <= 1.0
    assert motifs.components.shape == (len(rows), motifs.rank)


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_is_one_motif(seed):
    rows = np.random.default_rng(seed).normal(size=(600, 36))
    assert cluster_motifs(rows, np.eye(36)).n_motifs == 1


@pytest.mark.parametrize("width", [6.0, 25.0])
@pytest.mark.parametrize("shape", ["normal", "uniform"])
def test_a_continuum_is_one_motif_however_wide(shape, width):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 10))
    rows[:, 1] += width * (rng.normal(size=2000) if shape == "normal" else rng.uniform(0, 4, 2000))
    assert cluster_motifs(rows, np.eye(10)).n_motifs == 1


def test_underestimated_noise_is_measured_anew():
    rows, covariance, truth = sample(1500)
    motifs = cluster_motifs(3.0 * rows + 12.0 * np.eye(36)[1 + truth], covariance)
    assert motifs.n_motifs <= 6
    assert adjusted_rand_score(truth, motifs.labels) > 0.95


@pytest.mark.parametrize("n_motifs", [1, 2, 3, 4, 5, 9])
def test_exact_number(n_motifs):
    rows, covariance, truth = sample()
    motifs = cluster_motifs(rows, covariance, n_motifs=n_motifs)
    assert motifs.n_motifs == n_motifs
    assert np.unique(motifs.labels).tolist() == list(range(n_motifs))
    if n_motifs == 4:
        assert adjusted_rand_score(truth, motifs.labels) > 0.98


def test_detail_asks_for_more_or_fewer():
    rng = np.random.default_rng(2)
    truth = np.repeat(np.arange(3), 300)
    rows = np.array([[0, 0.0], [6.5, 0], [90, 0]])[truth] @ np.eye(2, 10, 1) + rng.normal(size=(900, 10))
    found = [cluster_motifs(rows, np.eye(10), systematic=0.0, detail=d).n_motifs for d in (0.1, 0.4, 1.0)]
    assert found == [1, 2, 3]


def test_incomplete_rows_are_assigned_but_not_learnt_from():
    rows, covariance, truth = sample()
    rng = np.random.default_rng(3)
    complete = rng.random(len(rows)) < 0.8
    rest = np.flatnonzero(~complete)
    changed = rows.copy()
    changed[rest[:20]] = 900.0
    changed[rest[20:], 0] += 0.5
    shown = np.ones(len(rows), bool)
    shown[rest[:20]] = False
    plain = cluster_motifs(rows, covariance, complete=complete)
    motifs = cluster_motifs(changed, covariance, complete=complete, assign=shown)
    assert np.array_equal(motifs.labels[complete], plain.labels[complete])
    assert np.all(motifs.labels[rest[:20]] == -1)
    assert np.all(motifs.confidence[rest[:20]] == 0.0)
    assert adjusted_rand_score(truth[rest[20:]], motifs.labels[rest[20:]]) > 0.95
    assert np.all(np.diff(np.bincount(motifs.labels[motifs.labels >= 0])) <= 0)


def test_motifs_are_found_again_elsewhere():
    rows, covariance, _ = sample(seed=0)
    other, _, other_truth = sample(seed=8)
    motifs = cluster_motifs(rows, covariance)
    labels, confidence = motifs.assign(other)
    assert adjusted_rand_score(other_truth, labels) > 0.97
    assert confidence.shape == labels.shape
    labels, confidence = motifs.assign(rows)
    assert np.mean(labels == motifs.labels) > 0.999


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_few_rows(n):
    rows, covariance, _ = sample()
    motifs = cluster_motifs(rows[:n], covariance)
    assert motifs.labels.shape == (n,)
    assert np.isfinite(motifs.confidence).all()
    same = cluster_motifs(np.repeat(rows[:1], n, axis=0), 0.0 * covariance)
    assert same.n_motifs == 1
    assert np.all(same.confidence == 1.0)


def test_nothing_at_all_in_the_image():
    motifs = cluster_motifs(np.zeros((50, 36)), np.zeros((36, 36)))
    assert motifs.labels.tolist() == [0] * 50


@pytest.mark.parametrize("n", [800, 4000])
def test_same_result_again_and_at_any_number_of_threads(n):
    rows, covariance, _ = sample(n)
    results = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads):
            results.append(cluster_motifs(rows, covariance))
    for other in results[1:]:
        for name in ("labels", "confidence", "components"):
            assert np.array_equal(getattr(results[0], name), getattr(other, name))


def test_input_of_any_layout_is_left_alone():
    rows, covariance, _ = sample(400)
    expected = cluster_motifs(rows.astype(np.float32), covariance).labels
    for form in (
        rows.astype(">f4"),
        np.asfortranarray(rows, dtype=np.float32),
        np.repeat(rows.astype(np.float32), 2, axis=0)[::2],
    ):
        kept = form.copy()
        form.flags.writeable = False
        assert np.array_equal(cluster_motifs(form, covariance).labels, expected)
        assert np.array_equal(form, kept)


def test_result_is_frozen():
    rows, covariance, _ = sample(100)
    with pytest.raises(dataclasses.FrozenInstanceError):
        cluster_motifs(rows, covariance).n_motifs = 3


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"features": np.zeros(36)}, "features"),
        ({"features": np.full((9, 36), np.nan)}, "features"),
        ({"covariance": np.eye(35)}, "covariance"),
        ({"covariance": np.full((36, 36), np.inf)}, "covariance"),
        ({"complete": np.zeros(9, bool)}, "complete"),
        ({"complete": np.ones(8, bool)}, "complete"),
        ({"assign": np.ones(9)}, "assign"),
        ({"detail": 0.0}, "detail"),
        ({"floor": -1.0}, "floor"),
        ({"significance": 1.0}, "significance"),
        ({"systematic": -0.1}, "systematic"),
        ({"n_motifs": 0}, "n_motifs"),
        ({"n_motifs": 2.5}, "n_motifs"),
        ({"n_motifs": 2}, "n_motifs"),
    ],
)
def test_errors_name_the_argument(change, name):
    arguments = {"features": np.ones((9, 36)), "covariance": np.eye(36), **change}
    features, covariance = arguments.pop("features"), arguments.pop("covariance")
    with pytest.raises(ValueError, match=f"`{name}` must"):
        cluster_motifs(features, covariance, **arguments)
