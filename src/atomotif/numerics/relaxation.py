"""Two-stage force relaxation of a graph in the plane (Dan et al. 2022, "Force-relaxed clustering")."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from atomotif.numerics._jit import jit
from atomotif.numerics._threads import resolve_threads

#: Longest run of random nodes that one node is repelled from in an iteration.
_LONGEST_RUN = 2048
#: Below this many nodes one thread and one block are fastest.
_SMALL = 5000
#: Blocks of nodes that are moved one after another in an iteration of a larger graph.
_BLOCKS = 8
#: Largest move along an axis in one iteration, in units of the layout (the start spans 20).
_LARGEST_MOVE = 4.0


class Stage(NamedTuple):
    """Forces of one stage along the separation of two nodes, d its length.

    Parameters
    ----------
    attraction, repulsion : float
        The paper's alpha and beta.
    attraction_power, repulsion_power : float
        The paper's n and m: attraction alpha w / (1 + d^n), repulsion beta / (1 + d^m).
    """

    attraction: float
    repulsion: float
    attraction_power: float
    repulsion_power: float


def relax(
    graphs: Sequence[sparse.csr_array],
    start: NDArray[np.float32],
    stages: Sequence[Stage],
    n_iterations: Sequence[int],
    *,
    n_negatives: int = 5,
    learning_rate: float = 1.0,
    random_state: int = 0,
    n_threads: int | None = None,
    watch: Callable[[int, Callable[[], NDArray[np.float32]]], None] | None = None,
) -> NDArray[np.float32]:
    """Return the positions of the nodes after all stages.

    Along each edge of its graph a node is attracted, and for each edge and iteration it is repelled
    from `n_negatives` random nodes that are no neighbours of it. The move is semi-implicit in the
    attraction, r F / (1 + r sum c), so that it cannot overshoot however many edges pull; the rate r
    falls from `learning_rate` to 0 within each stage. Nodes move in fixed blocks, one block after
    another, all nodes of a block at once. Positions are kept in a random order: a run of consecutive
    nodes then *is* a random sample, and reading it costs no random access.

    Parameters
    ----------
    graphs : sequence of scipy.sparse.csr_array, shape (n, n)
        Symmetric weights for each stage, nothing on the diagonal.
    start : ndarray, shape (n, 2)
        Positions to start from.
    stages : sequence of Stage
        The forces.
    n_iterations : sequence of int
        Iterations of each stage.
    n_negatives : int, default 5
        Random repulsions for each edge and iteration (the paper's k').
    learning_rate : float, default 1.0
        The rate that each stage begins with.
    random_state : int, default 0
        Seed of the order of the nodes and of the random repulsions.
    n_threads : int, optional
        Threads; the result does not depend on it, bit for bit.
    watch : callable, optional
        Called after each iteration with the number of iterations done and a function that returns
        the positions of that moment. An exception that it raises ends the relaxation.

    Returns
    -------
    ndarray of float32, shape (n, 2)

    Examples
    --------
    >>> graph = sparse.csr_array(np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> start = np.array([[-10.0, 0.0], [10.0, 0.0]])
    >>> end = relax([graph], start, [Stage(1, 1, 0, 2)], [50])
    >>> bool(abs(end[0, 0] - end[1, 0]) < 5)
    True
    """
    n = len(start)
    order = np.random.default_rng(random_state).permutation(n)
    rank = np.empty(n, np.int32)
    rank[order] = np.arange(n, dtype=np.int32)
    # The first nodes again at the end, so that a run may pass the last node.
    run = min(_LONGEST_RUN, n)
    x = np.empty(n + run, np.float32)
    y = np.empty(n + run, np.float32)
    x[:n], y[:n] = start[order, 0], start[order, 1]
    moved_x, moved_y = np.empty(n, np.float32), np.empty(n, np.float32)
    blocks = _BLOCKS if n >= _SMALL else 1
    cuts = [n * block // blocks for block in range(blocks + 1)]
    threads = resolve_threads(n_threads) if n >= _SMALL else 1
    done = 0
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        for graph, stage, count in zip(graphs, stages, n_iterations):
            edges = _relabelled(graph, order, rank)
            constants = (
                np.float32(stage.attraction_power),
                np.float32(stage.repulsion_power),
                # Each pair is visited from both ends, and the method moves both ends at each visit.
                np.float32(2 * stage.attraction),
                np.float32(2 * stage.repulsion),
                n_negatives,
            )
            for iteration in range(count):
                rate = np.float32(learning_rate * (1 - iteration / count))
                key = np.uint32((random_state * 1_000_003 + (done + 1) * 7_919) & 0xFFFFFFFF)
                for low, high in pairwise(cuts):
                    x[n:], y[n:] = x[:run], y[:run]

                    def move(part: int, low: int = low, high: int = high, key: np.uint32 = key) -> None:
                        first = low + (high - low) * part // threads
                        last = low + (high - low) * (part + 1) // threads
                        _move(first, last, *edges, x, y, moved_x, moved_y, n, run, rate, *constants, key)  # noqa: B023

                    if pool is None:
                        move(0)
                    else:
                        list(pool.map(move, range(threads)))
                    x[low:high], y[low:high] = moved_x[low:high], moved_y[low:high]
                done += 1
                if watch is not None:
                    watch(done, lambda: np.stack([x[rank], y[rank]], axis=1))
    return np.stack([x[rank], y[rank]], axis=1)


def _relabelled(
    graph: sparse.csr_array, order: NDArray[np.int64], rank: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return row offsets, columns and weights of the graph with its nodes renamed."""
    degree = np.diff(graph.indptr)[order]
    offsets = np.zeros(len(order) + 1, np.int64)
    np.cumsum(degree, out=offsets[1:])
    source = np.repeat(graph.indptr[:-1][order] - offsets[:-1], degree) + np.arange(graph.nnz)
    return offsets, rank[graph.indices[source]], graph.data[source].astype(np.float32)


@jit(inline="always")
def _hash(value):  # type: ignore[no-untyped-def]
    """Mix 32 bits (Wellons' "lowbias32"); numba promotes uint32 sums, hence the casts."""
    value = np.uint32(value)
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * np.uint32(0x7FEB352D))
    value = np.uint32(value ^ (value >> np.uint32(15)))
    value = np.uint32(value * np.uint32(0x846CA68B))
    return np.uint32(value ^ (value >> np.uint32(16)))


@jit(inline="always")
def _falloff(square, power):  # type: ignore[no-untyped-def]
    """Return 1 / (1 + d^power) from d^2; the usual powers without a call of pow."""
    one = np.float32(1)
    if power == 2:
        return one / (one + square)
    if power == 4:
        return one / (one + square * square)
    if power == 5:
        return one / (one + square * square * np.sqrt(square))
    if power == 0:
        return np.float32(0.5)
    return one / (one + square ** (np.float32(0.5) * power))


@jit(nogil=True, fastmath=True, error_model="numpy")
def _move(  # type: ignore[no-untyped-def]
    first,
    last,
    offsets,
    columns,
    weights,
    x,
    y,
    moved_x,
    moved_y,
    n,
    longest,
    rate,
    attraction_power,
    repulsion_power,
    attraction,
    repulsion,
    n_negatives,
    key,
):
    """Write where the nodes first..last go, from the positions of all nodes; no two calls share a write."""
    one = np.float32(1)
    limit = np.float32(_LARGEST_MOVE)
    salt = _hash(key)
    for i in range(first, last):
        here_x, here_y = x[i], y[i]
        near = columns[offsets[i] : offsets[i + 1]]
        weight = weights[offsets[i] : offsets[i + 1]]
        degree = near.size
        pull = np.float32(0)
        pull_x = np.float32(0)
        pull_y = np.float32(0)
        for p in range(degree):
            dx = x[near[p]] - here_x
            dy = y[near[p]] - here_y
            c = weight[p] * _falloff(dx * dx + dy * dy, attraction_power)
            pull += c
            pull_x += c * dx
            pull_y += c * dy
        wanted = degree * n_negatives
        # Whole vectors of 32; the sum is scaled to the number wanted.
        length = min((wanted + 31) // 32 * 32, longest)
        at = np.int64((np.uint64(_hash(np.uint32(i) ^ salt)) * np.uint64(n)) >> np.uint64(32))
        run_x = x[at : at + length]
        run_y = y[at : at + length]
        push_x = np.float32(0)
        push_y = np.float32(0)
        if repulsion_power == 2:
            for t in range(length):
                dx = here_x - run_x[t]
                dy = here_y - run_y[t]
                c = one / (one + (dx * dx + dy * dy))
                push_x += c * dx
                push_y += c * dy
        elif repulsion_power == 5:
            for t in range(length):
                dx = here_x - run_x[t]
                dy = here_y - run_y[t]
                d2 = dx * dx + dy * dy
                c = one / (one + d2 * d2 * np.sqrt(d2))
                push_x += c * dx
                push_y += c * dy
        else:
            for t in range(length):
                dx = here_x - run_x[t]
                dy = here_y - run_y[t]
                c = _falloff(dx * dx + dy * dy, repulsion_power)
                push_x += c * dx
                push_y += c * dy
        # Neighbours in the run are taken out again: rare, so counted first without a branch.
        inside = 0
        for p in range(degree):
            past = near[p] - np.int32(at)
            past = past + np.int32(n) if past < 0 else past
            inside += 1 if past < length else 0
        if inside > 0:
            for p in range(degree):
                past = near[p] - at
                if past < 0:
                    past += n
                if past < length:
                    dx = here_x - x[near[p]]
                    dy = here_y - y[near[p]]
                    c = _falloff(dx * dx + dy * dy, repulsion_power)
                    push_x -= c * dx
                    push_y -= c * dy
        push = repulsion * np.float32(wanted) / np.float32(max(length, 1))
        step = rate / (one + rate * attraction * pull)
        step_x = step * (attraction * pull_x + push * push_x)
        step_y = step * (attraction * pull_y + push * push_y)
        moved_x[i] = here_x + min(max(step_x, -limit), limit)
        moved_y[i] = here_y + min(max(step_y, -limit), limit)
