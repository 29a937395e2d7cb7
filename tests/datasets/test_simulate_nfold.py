"""Isolated motifs of known symmetry."""

from typing import Any

import numpy as np
import pytest

from atomotif.datasets.simulate.nfold import n_fold_motifs


@pytest.mark.parametrize("central", [True, False])
def test_rings_are_regular_and_as_told(central: bool) -> None:
    sample = n_fold_motifs((2, 3, 5, 7), central=central, radius=0.2)
    centre = np.column_stack([sample["row"], sample["col"]])
    ring = np.column_stack([sample["atom_row"], sample["atom_col"]])
    for k in range(sample.sizes["point"]):
        spoke = (ring[sample["atom_motif"].values == k] - centre[k]) * 0.0125
        fold = int(sample["fold"][k])
        assert len(spoke) == fold
        np.testing.assert_allclose(np.hypot(*spoke.T), 0.2)
        angle = np.sort(np.rad2deg(np.arctan2(spoke[:, 0], spoke[:, 1])) % 360)
        np.testing.assert_allclose(angle, float(sample["rotation"][k]) + np.arange(fold) * 360 / fold)
        assert 0 <= float(sample["rotation"][k]) < 360 / fold
    names = sample["label_name"].values[sample["label"].values]
    np.testing.assert_array_equal(names, [f"{fold}-fold" for fold in sample["fold"].values])
    assert sample["visible"].values.tolist() == [central] * sample.sizes["point"]


def test_the_image_is_the_sum_of_the_columns() -> None:
    sample = n_fold_motifs((3, 4), (140, 200))
    at = np.concatenate(
        [
            np.column_stack([sample["row"], sample["col"]]),
            np.column_stack([sample["atom_row"], sample["atom_col"]]),
        ]
    )
    y, x = np.indices((140, 200))
    wanted = np.zeros((140, 200))
    for row, col in at:
        wanted += np.exp(-4 * np.log(2) * ((y - row) ** 2 + (x - col) ** 2) / 8.0**2)
    np.testing.assert_allclose(sample["intensity"], wanted, atol=2e-5)


def test_motifs_do_not_touch_and_lie_in_the_frame() -> None:
    sample = n_fold_motifs(shape=(300, 420))
    at = np.column_stack([sample["atom_row"], sample["atom_col"]])
    owner = sample["atom_motif"].values
    apart = np.linalg.norm(at[:, None] - at, axis=2)[owner[:, None] != owner].min()
    sigma = 8.0 / np.sqrt(8 * np.log(2))
    assert apart > 2 * 5 * sigma
    assert (at > 5 * sigma - 1).all()
    assert (at < np.array([300, 420]) - 5 * sigma).all()
    turned = np.abs(np.exp(1j * np.deg2rad(sample["rotation"] * sample["fold"])).mean())
    assert turned < 3 / np.sqrt(sample.sizes["point"])


@pytest.mark.parametrize(
    ("shares", "wanted"), [(None, [13, 12]), ((3, 1), [19, 6]), ((0, 1), [0, 25]), ((0.9, 0.1), [23, 2])]
)
def test_shares_are_exact(shares: Any, wanted: list[int]) -> None:
    sample = n_fold_motifs((4, 6), (320, 320), shares=shares)
    assert sample.sizes["point"] == 25
    counts = np.bincount(sample["fold"], minlength=7)[[4, 6]]
    assert np.abs(counts - wanted).max() <= (1 if shares is None or shares[0] == 0.9 else 0)


def test_the_seed_decides_the_order() -> None:
    first, again, other = (n_fold_motifs(random_state=seed) for seed in (1, 1, 2))
    assert first.identical(again)
    assert (first["fold"].values != other["fold"].values).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"folds": ()}, "`folds` must be different whole numbers"),
        ({"folds": (3, 3)}, "`folds` must be different"),
        ({"folds": (1,)}, "`folds` must be different whole numbers of at least 2"),
        ({"folds": (2.5,)}, "`folds` must be different whole"),
        ({"shares": (1, 2)}, "`shares` must be 4 numbers of at least 0"),
        ({"shares": (0, 0, 0, 0)}, "`shares` must be 4"),
        ({"spacing": 0.3}, "`spacing` must be at least"),
        ({"shape": (40, 400)}, "`shape` must hold a motif"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        n_fold_motifs(**arguments)
