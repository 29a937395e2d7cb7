import itertools
import json
import math
import random
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomotif.numerics.configurational_entropy import configurational_entropy, entropy_bits, growth_curve
from atomotif.numerics.pentagon_states import abundances, covered_share, states
from atomotif.numerics.quads import find_quads, level3


def bits(values: list[object]) -> float:
    """Return the plug-in entropy of a list of states."""
    return -sum(n / len(values) * math.log2(n / len(values)) for n in Counter(values).values())


def whole(rows: list[list[int]], classes: list[int]) -> list[tuple[int, ...]]:
    return [tuple(classes[p] for p in row) for row in rows if all(classes[p] != 1 for p in row)]


def brute_null(rows: list[list[int]], classes: list[int], draws: int) -> list[float]:
    """Permute the labels of the pentagons of all counted motifs; partly filled ones stay."""
    rows = [row for row in rows if all(classes[p] != 1 for p in row)]
    used = sorted({p for row in rows for p in row})
    rng = random.Random(5)
    result = []
    for _ in range(draws):
        labels = [classes[p] for p in used]
        rng.shuffle(labels)
        there = dict(zip(used, labels))
        result.append(bits([tuple(there[p] for p in row) for row in rows]))
    return result


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=12))
def test_entropy_of_counts(counts: list[int]) -> None:
    values = [k for k, n in enumerate(counts) for _ in range(n)]
    assert entropy_bits(counts) == pytest.approx(bits(values) if values else 0.0, abs=1e-12)
    occurring = sum(n > 0 for n in counts)
    if values:
        more = (occurring - 1) / (2 * len(values) * math.log(2))
        assert entropy_bits(counts, "miller_madow") == pytest.approx(bits(values) + more)


def test_correction_brings_the_mean_nearer_to_the_truth() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(16))
    truth = float(-(p * np.log2(p)).sum())
    samples = rng.multinomial(150, p, size=400)
    plain, corrected = (np.mean([entropy_bits(s, c) for s in samples]) for c in ("none", "miller_madow"))
    assert abs(corrected - truth) < 0.3 * abs(plain - truth)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_growth_is_the_mean_over_all_samples(counts: list[int]) -> None:
    values = [k for k, n in enumerate(counts) for _ in range(n)]
    sizes, distinct = growth_curve(counts, range(len(values) + 1))
    for n, found in zip(sizes, distinct):
        all_samples = list(itertools.combinations(values, int(n)))
        assert found == pytest.approx(np.mean([len(set(sample)) for sample in all_samples]), abs=1e-9)


def test_growth_of_a_large_sample() -> None:
    counts = np.concatenate([np.ones(3000, int), [4000, 20000]])
    sizes, distinct = growth_curve(counts)
    assert sizes[0] == 1
    assert sizes[-1] == counts.sum()
    assert distinct[0] == pytest.approx(1)
    assert distinct[-1] == pytest.approx(len(counts))
    assert (np.diff(distinct) > 0).all()
    rng = np.random.default_rng(0)
    values = np.repeat(np.arange(len(counts)), counts)
    drawn = [len(np.unique(rng.choice(values, sizes[10], replace=False))) for _ in range(20)]
    assert distinct[10] == pytest.approx(np.mean(drawn), rel=0.02)
    assert growth_curve([])[1].tolist() == [0.0]


def test_random_filling_shows_no_order(tilings: ModuleType) -> None:
    tiling = tilings.cairo(12)
    quads = find_quads(tiling.centers)
    p = [
        configurational_entropy(
            quads.corners, tilings.random_classes(len(tiling.centers), seed), n_draws=99
        ).p
        for seed in range(60)
    ]
    # p is uniform on the multiples of 1/100: about 3 of 60 at most 0.05, and not all near 1.
    assert sum(value <= 0.05 for value in p) <= 9
    assert 0.35 < np.mean(p) < 0.65


@pytest.mark.parametrize("level", [2, 3])
def test_a_planted_phase_is_found(tilings: ModuleType, level: int) -> None:
    tiling = tilings.cairo(36, scatter=1.0)
    one, other = 0b0011, 0b0100
    classes = tilings.planted_classes(tiling, one, other, seed=1)
    gone = np.random.default_rng(2).random(len(classes)) < 0.002
    tiling, classes = tiling.without(gone), classes[~gone]
    quads = find_quads(tiling.centers)
    three = level3(quads)
    wanted = {frozenset(square) for square in tiling.squares[0].tolist()}
    zero = int(
        next(s for s, row in zip(quads.sublattice, quads.corners.tolist()) if frozenset(row) in wanted)
    )
    rows = (
        quads.corners[quads.sublattice == zero] if level == 2 else three.pentagons[three.sublattice == zero]
    )
    found = configurational_entropy(rows, classes, n_draws=299)
    assert found.p < 0.01
    assert found.z < -10
    if level == 3:
        top = abundances(states(rows, classes))
        assert top.state[:2].tolist() == [sum(s << (4 * k) for k in range(4)) for s in (one, other)]
        assert 2.4 < top.counts[0] / top.counts[1] < 3.6
        # 16 of 35 columns; in the other 19 half of the squares have a partly filled pentagon.
        assert top.coverage[1] == pytest.approx(16 / (16 + 19 * (1 - 0.043) ** 16), abs=0.05)
        covered = covered_share(rows, states(rows, classes), top.state[:2], len(classes))
        assert covered[1] == pytest.approx(18 / 36, abs=0.02)
        assert top.counts[2] <= 35  # the border between the strips


def test_result_depends_on_the_seed_alone() -> None:
    rows = np.arange(400).reshape(-1, 4)
    classes = np.random.default_rng(0).integers(0, 3, 400)
    one, again, other = (configurational_entropy(rows, classes, random_state=s) for s in (3, 3, 4))
    assert one == again
    assert one.null_mean != other.null_mean
    assert one.entropy == other.entropy


@pytest.mark.parametrize("draws", [1, 99, 999])
def test_p_counts_the_sample_as_a_draw(draws: int) -> None:
    # All pairs alike: of the C(60, 30) ways to fill the pentagons none that is drawn is as ordered.
    ordered = configurational_entropy(np.arange(60).reshape(30, 2), [0] * 30 + [2] * 30, n_draws=draws)
    assert ordered.entropy == 1.0
    assert ordered.p == (1 / (draws + 1) if draws > 1 else 1.0)  # two values are equally far from their mean


def test_p_of_four_pentagons() -> None:
    # Two pairs, two of four filled: of 6 ways 2 (01 01, 10 10) have 0 bit, the others 1 bit.
    rows, classes = [[0, 1], [2, 3]], [0, 2, 0, 2]
    found = configurational_entropy(rows, classes, n_draws=1999)
    chance = sum(bits([c[:2], c[2:]]) == 0 for c in set(itertools.permutations(classes))) / 6
    assert chance == 1 / 3
    assert found.entropy == 0
    assert found.p == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 2000))
    other = configurational_entropy(rows, [0, 0, 2, 2], n_draws=1999)
    # The mean is 2/3: draws of 1 bit are as far from it as the sample, those of 0 bit farther.
    assert other.entropy == 1
    assert other.p == 1.0


def test_nothing_to_permute() -> None:
    single = configurational_entropy(np.arange(50)[:, None], [0] * 20 + [2] * 20 + [1] * 10)
    assert single.entropy == single.null_mean == single.independent == 1.0
    assert single.n_motifs == 40
    assert math.isnan(single.z)
    assert single.p == 1.0
    none = configurational_entropy(np.empty((0, 4), int), [0, 2])
    assert none.entropy == 0.0
    assert none.p == 1.0


def test_errors() -> None:
    with pytest.raises(ValueError, match="`n_draws` must be at least 1, got 0"):
        configurational_entropy([[0]], [0], n_draws=0)
    with pytest.raises(ValueError, match="`counts` must not be negative, got -1"):
        entropy_bits([2, -1])
    with pytest.raises(ValueError, match="`correction` must be one of"):
        entropy_bits([2], "jackknife")
    with pytest.raises(ValueError, match=r"`sizes` must lie within 0 \.\.\. 3"):
        growth_curve([1, 2], [4])


def test_benchmark_agrees_with_brute_force_and_has_no_order(shared: Path) -> None:
    with np.load(shared / "bench/pom_like__clean.npz") as file:
        centers = file["pentagon_centres_xy_px"][:, ::-1].astype(float)
        classes = file["pentagon_class"].astype(int)
        names, labels = json.loads(str(file["label_names"])), file["labels"]
    number = dict(zip(names, np.bincount(labels).tolist()))
    kinds = ("centre_empty", "centre_partial", "centre_filled")
    assert np.bincount(classes).tolist() == [number[kind] for kind in kinds] == [318, 16, 197]
    quads = find_quads(centers)
    for rows in (np.arange(len(centers))[:, None], quads.corners, level3(quads).pentagons):
        found = configurational_entropy(rows, classes)
        kept = whole(rows.tolist(), classes.tolist())
        assert found.n_motifs == len(kept)
        assert found.n_distinct == len(set(kept))
        assert found.entropy == pytest.approx(bits(kept), abs=1e-9)
        assert found.equal == rows.shape[1]
        assert found.p > 0.05
        null = brute_null(rows.tolist(), classes.tolist(), 400)
        assert found.null_mean == pytest.approx(np.mean(null), abs=4 * np.std(null) / 20 + 1e-9)
        assert found.null_std == pytest.approx(np.std(null), rel=0.2, abs=1e-9)
