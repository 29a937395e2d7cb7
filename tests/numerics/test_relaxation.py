import numpy as np
import pytest
from scipy import sparse

from atomotif.numerics.neighbor_graph import fuzzy_graph
from atomotif.numerics.neighbors import nearest_neighbors
from atomotif.numerics.relaxation import Stage, relax

PAPER = (Stage(1, 1, 0, 2), Stage(5, 1, 2, 5))


def problem(n, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, 5))
    graph = fuzzy_graph(*nearest_neighbors(X, 8))
    return graph, X[:, :2].astype(np.float32)


def run(graph, start, stages=PAPER, counts=(5, 5), **options):
    return relax([graph] * len(stages), start, stages, counts, **options)


@pytest.mark.parametrize("n", [60, 5600])
def test_same_bits_at_any_number_of_threads(n):
    graph, start = problem(n)
    one = run(graph, start, n_threads=1)
    for threads in (2, 3, 7):
        np.testing.assert_array_equal(one, run(graph, start, n_threads=threads))


def test_seeds_differ():
    graph, start = problem(600)
    assert np.abs(run(graph, start, random_state=1) - run(graph, start, random_state=2)).max() > 1e-3


def brute_step(graph, start, stage, rate):
    """One iteration with every other node as a negative, in double precision."""
    weight = graph.toarray().astype(float)
    start = start.astype(float)
    n = len(start)
    apart = start[None] - start[:, None]
    length = np.linalg.norm(apart, axis=2)
    pull = 2 * stage.attraction * weight / (1 + length**stage.attraction_power)
    push = 2 * stage.repulsion / (1 + length**stage.repulsion_power) * (weight == 0)
    wanted = (weight > 0).sum(axis=1) * 5
    force = (pull[..., None] * apart).sum(axis=1)
    force -= (push[..., None] * apart).sum(axis=1) * (wanted / n)[:, None]
    step = rate * force / (1 + rate * pull.sum(axis=1, keepdims=True))
    return start + np.clip(step, -4, 4)


@pytest.mark.parametrize(
    "stage", [*PAPER, Stage(5, 2, 2, 4), Stage(2, 0.5, 1, 3), Stage(1, 2, 4, 1), Stage(1, 1, 5, 0)]
)
def test_one_iteration_is_the_law_of_forces(stage):
    # So few nodes that the run of negatives is all of them: nothing is left to chance.
    graph, start = problem(24)
    moved = run(graph, 3 * start, [stage], [1])
    np.testing.assert_allclose(moved, brute_step(graph, 3 * start, stage, 1.0), rtol=1e-4, atol=1e-4)


def test_random_negatives_are_right_on_average():
    graph, start = problem(1500)
    mean = np.mean(
        [run(graph, start, [PAPER[0]], [1], random_state=seed, learning_rate=1e-2) for seed in range(300)],
        axis=0,
    )
    expected = brute_step(graph, start, PAPER[0], 1e-2)
    moved = np.abs(expected - start).mean()
    assert np.abs(mean - expected).mean() < 0.1 * moved


def test_watch_sees_every_iteration_and_can_stop():
    graph, start = problem(50)
    seen = []

    def watch(done, positions):
        seen.append((done, positions()))
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(graph, start, watch=watch)
    assert [done for done, _ in seen] == list(range(1, 8))
    np.testing.assert_array_equal(seen[3][1].shape, start.shape)
    assert (seen[3][1] != seen[6][1]).any()


@pytest.mark.parametrize("n", [1, 2])
def test_few_nodes(n):
    graph = sparse.csr_array(1 - np.eye(n))
    end = run(graph, np.arange(2.0 * n).reshape(n, 2))
    assert np.isfinite(end).all()
    assert end.shape == (n, 2)


def test_start_is_left_alone():
    graph, start = problem(30)
    start.flags.writeable = False
    before = start.copy()
    run(graph, start)
    np.testing.assert_array_equal(start, before)


def test_far_apart_nodes_stay_finite():
    graph, start = problem(40)
    assert np.isfinite(run(graph, start * np.float32(1e6))).all()
