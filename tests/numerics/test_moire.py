"""Twist, period and registry of simulated bilayers, against what was planted; and what is no moiré."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from atomotif.numerics.moire import NoMoireError, find_moire
from atomotif.numerics.moire_relaxation import measure_relaxation
from atomotif.numerics.moire_stacking import find_stackings, registry_at, stacking_distances

_spec = importlib.util.spec_from_file_location("bilayers", Path(__file__).parent / "bilayers.py")
assert _spec is not None
assert _spec.loader is not None
bilayers = importlib.util.module_from_spec(_spec)
sys.modules["bilayers"] = bilayers
_spec.loader.exec_module(bilayers)
bilayer, apart = bilayers.bilayer, bilayers.apart

DISTORTION = np.array([[0.03, 0.01], [-0.02, -0.02]])


@pytest.mark.parametrize(
    ("twist", "options", "arrangement"),
    [
        (3.15, {}, "antiparallel"),
        (3.15, {"stacking": "parallel", "rotation": 41.0}, "parallel"),
        (5.0, {"kind": "graphene"}, "alike"),
        (3.15, {"kind": "triangular"}, "single"),
        (4.0, {"kind": "square"}, "single"),
        (9.4, {"distortion": DISTORTION}, "antiparallel"),
        (21.8, {}, "antiparallel"),
        (28.0, {"rotation": 0.0}, "antiparallel"),
        (3.15, {"drift": 3.0}, "antiparallel"),
    ],
)
def test_what_was_planted_is_found(twist, options, arrangement) -> None:
    planted = bilayer(twist, noise=0.1, **options)
    moire = find_moire(planted.image)
    assert abs(moire.twist - twist) < min(0.01, 4 * moire.twist_error)
    assert abs(moire.period - planted.period) < 4 * moire.period_error
    assert np.abs(moire.heterostrain).max() < 0.001
    stackings = find_stackings(moire)
    assert stackings.arrangement == arrangement
    registry = registry_at(planted.points, moire, stackings, planted.image.shape)
    assert np.median(apart(registry, planted.registry, planted.cell)) < 0.01 * 16
    distances = stacking_distances(registry, moire, stackings)
    assert distances.shape == (len(registry), len(stackings.names))
    if moire.fold == 6:
        assert distances.min(axis=1).max() < 1.03 * np.hypot(*moire.vectors[0].T).max() / 3


def test_errors_are_those_of_the_scatter() -> None:
    planted = bilayer(3.15, size=400)
    pulls = []
    for seed in range(16):
        noise = np.random.default_rng(seed).normal(0, 0.4, planted.image.shape)
        moire = find_moire(planted.image + noise)
        pulls.append((moire.twist - 3.15) / moire.twist_error)
    assert 0.5 < np.std(pulls) < 1.5
    assert abs(np.mean(pulls)) < 1


def relaxed(places: np.ndarray) -> np.ndarray:
    y, x = 2 * np.pi / 200 * places.T
    return 1.2 * np.column_stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y)])


def test_relaxation_is_measured_where_it_is_and_not_where_it_is_not() -> None:
    planted = bilayer(3.15, relaxed=relaxed, noise=0.2)
    moire = find_moire(planted.image)
    stackings = find_stackings(moire)
    relaxation = measure_relaxation(planted.image, moire)
    shape = planted.image.shape
    rigid = apart(registry_at(planted.points, moire, stackings, shape), planted.registry, planted.cell)
    moved = relaxation.at(planted.points)[0]
    local = apart(registry_at(planted.points, moire, stackings, shape, moved), planted.registry, planted.cell)
    assert np.median(local) < 0.4 * np.median(rigid)
    assert np.median(local) < 0.025 * 16
    stiff = bilayer(3.15, noise=0.2)
    assert measure_relaxation(stiff.image, find_moire(stiff.image)).spread < 0.2 * relaxation.spread


def test_one_lattice_and_grains_side_by_side_are_refused() -> None:
    one = bilayer(6.0, noise=0.1).image
    y, x = np.mgrid[:256, :256]
    waves = [np.cos(0.5 * (np.sin(a) * y + np.cos(a) * x)) for a in np.radians([0, 60, 120, 20, 80, 140])]
    with pytest.raises(NoMoireError, match="no moiré"):
        find_moire(sum(waves[:3]) + np.random.default_rng(0).normal(0, 0.1, (256, 256)))
    grains = np.where(x < 128, sum(waves[:3]), sum(waves[3:]))
    with pytest.raises(NoMoireError, match=r"side by side|no moiré"):
        measure_relaxation(grains, find_moire(grains))
    with pytest.raises(NoMoireError, match=r"field holds .* below 9"):
        find_moire(one, min_periods=9.0)
    with pytest.raises(NoMoireError, match="constant"):
        find_moire(np.ones((64, 64)))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"fold": 5}, "`fold` must be 6 or 4, got 5"), ({"twist_range": (3, 1)}, "`twist_range` must grow")],
)
def test_bad_values_are_refused(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        find_moire(np.random.default_rng(0).normal(size=(64, 64)), **options)


@pytest.mark.parametrize("variant", ["clean", "dose_low", "jitter"])
def test_simulated_mos2(shared: Path, variant: str) -> None:
    with np.load(shared / "bench" / f"mos2_twist_3p15__{variant}.npz") as truth:
        image, nearest = truth["image"], truth["nearest_stacking"]
        points = truth["positions_xy_px"][:, ::-1].astype(float)
        planted = truth["registry_disp_A"][:, ::-1].astype(float) / 10 / float(truth["pixel_size_nm"])
    moire = find_moire(image)
    assert abs(moire.twist - 3.15) < 0.01
    stackings = find_stackings(moire)
    assert stackings.names == ("AA'", "AB'", "A'B")
    moved = measure_relaxation(image, moire).at(points)[0]
    registry = registry_at(points, moire, stackings, image.shape, moved)
    assert (stacking_distances(registry, moire, stackings).argmin(axis=1) == nearest).mean() > 0.98
    from_aa = registry - stackings.fractions[0] @ moire.vectors[0]
    assert np.median(apart(from_aa, planted, moire.vectors[0])) * 12.2 < 3  # pm
