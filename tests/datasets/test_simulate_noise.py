"""Noise on simulated samples: its statistics, and where columns then appear."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage

from atomotif.datasets.simulate.noise import add_noise

PIXEL = 0.02


def gaussians(shape: tuple[int, int], at: np.ndarray, fwhm: float) -> np.ndarray:
    y, x = np.indices(shape)
    image = np.zeros(shape)
    for row, col in at:
        image += np.exp(-4 * np.log(2) * ((y - row) ** 2 + (x - col) ** 2) / fwhm**2)
    return image


def specimen(shape: tuple[int, int] = (160, 144), spacing: float = 16.3, fwhm: float = 6.0) -> xr.Dataset:
    axes = [np.arange(spacing / 2, side - 1, spacing) for side in shape]
    at = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    return xr.Dataset(
        {
            "intensity": (("y", "x"), gaussians(shape, at, fwhm).astype(np.float32)),
            "row": ("point", at[:, 0]),
            "col": ("point", at[:, 1]),
            "label": ("point", np.arange(len(at))),
        },
        attrs={"pixel_size": PIXEL, "units": "nm"},
    )


def flat(value: float = 3.0, shape: tuple[int, int] = (200, 200)) -> xr.Dataset:
    at = np.array([[10.0, 10.0]])
    image = (("y", "x"), np.full(shape, value))
    points = {"row": ("point", at[:, 0]), "col": ("point", at[:, 1])}
    return xr.Dataset({"intensity": image, **points}, attrs={"pixel_size": PIXEL})


def centroids(image: np.ndarray, at: np.ndarray, radius: int) -> np.ndarray:
    y, x = np.indices(image.shape)
    found = []
    for row, col in at:
        near = (y - row) ** 2 + (x - col) ** 2 <= radius**2
        found.append([np.average(axis[near], weights=image[near]) for axis in (y, x)])
    return np.array(found)


def test_nothing_asked_for_changes_nothing() -> None:
    sample = specimen()
    noisy = add_noise(sample)
    np.testing.assert_array_equal(noisy["intensity"], sample["intensity"])
    np.testing.assert_array_equal(noisy["row"], sample["row"])
    assert not noisy["contaminated"].any()
    assert not noisy["background"].any()
    assert not noisy["drift"].any()
    assert not noisy["row_shift"].any()


@pytest.mark.parametrize("dose", [50.0, 20_000.0])
def test_counts_have_the_mean_and_variance_of_poisson(dose: float) -> None:
    # Incident electrons per square ångström, a pixel of 0.2 Å, 3 % of them where it is brightest.
    expected = dose * 0.2**2 * 0.03
    counts = add_noise(flat(), dose=dose)["intensity"].values.astype(float)
    assert counts.dtype == np.float64
    np.testing.assert_array_equal(counts, np.rint(counts))
    error = np.sqrt(expected / counts.size)
    assert abs(counts.mean() - expected) < 4 * error
    assert abs(counts.var() / expected - 1) < 4 * np.sqrt((2 + 1 / expected) / counts.size)


def test_the_brightest_pixel_collects_the_given_share() -> None:
    sample = specimen()
    image = sample["intensity"].values
    counts = np.mean(
        [
            add_noise(sample, dose=1e6, collected=0.1, random_state=seed)["intensity"].values
            for seed in range(20)
        ],
        axis=0,
    )
    expected = image / image.max() * 1e6 * 0.2**2 * 0.1
    assert np.abs(counts - expected).max() < 6 * np.sqrt(expected.max() / 20)


@pytest.mark.parametrize("dose", [None, 3e4])
def test_gaussian_noise_is_a_share_of_the_mean(dose: float | None) -> None:
    noisy = add_noise(flat(), dose=dose, gaussian=0.4)["intensity"].values
    quiet = add_noise(flat(), dose=dose)["intensity"].values
    mean = 3.0 if dose is None else dose * 0.2**2 * 0.03
    difference = noisy - quiet
    assert abs(difference.std() / (0.4 * mean) - 1) < 0.02
    assert abs(difference.mean()) < 0.4 * mean * 4 / 200


def test_jitter_shifts_whole_lines_and_leaves_the_truth() -> None:
    sample = specimen((500, 64))
    noisy = add_noise(sample, jitter=0.4)
    shift = noisy["row_shift"].values
    assert abs(shift.std() / 0.4 - 1) < 0.1
    assert np.abs(shift).max() < 1.2 + 1e-9
    np.testing.assert_array_equal(noisy["row"], sample["row"])
    np.testing.assert_array_equal(noisy["col"], sample["col"])
    # A line shows the specimen's at x + shift: its columns are shifted back.
    line = int(np.rint(sample["row"].values[0]))
    at = np.column_stack([np.full(3, line), sample["col"].values[:3]])
    for i in (line, line + 1, line + 2):
        at[:, 0] = i
        profile = noisy["intensity"].values[i]
        for col in at[:2, 1]:
            window = np.arange(int(col) - 7, int(col) + 9)
            reference = sample["intensity"].values[i][window]
            before = np.average(window, weights=reference)
            after = np.average(window, weights=profile[window])
            assert after - before == pytest.approx(-shift[i], abs=0.05)


@pytest.mark.parametrize("drift", [6.0, (5.0, -4.0), (-12.0, 3.0), (0.0, 8.0)])
def test_columns_appear_where_the_drift_takes_them(drift: Any) -> None:
    sample = specimen()
    noisy = add_noise(sample, drift=drift, random_state=3)
    path = noisy["drift"].values
    total = path[-1] - path[0]
    if np.ndim(drift):
        np.testing.assert_allclose(total, drift, atol=1e-12)
    else:
        assert np.hypot(*total) == pytest.approx(drift)
    # Slow and smooth: no two lines differ by much more than the mean.
    assert np.abs(np.diff(path, axis=0)).max() < 2 * np.hypot(*total) / 159
    at = np.column_stack([noisy["row"], noisy["col"]])
    inside = ((at > 9) & (at < np.array([150, 134]))).all(axis=1)
    assert inside.sum() > 50
    image = noisy["intensity"].values
    peaks = np.argwhere((image == ndimage.maximum_filter(image, 9)) & (image > 0.5))
    nearest = np.abs(at[inside][:, None] - peaks).max(axis=2).min(axis=1)
    assert nearest.max() < 0.75
    np.testing.assert_allclose(centroids(image, at[inside], 7), at[inside], atol=0.06)
    # The reverse way: the line that shows a column is displaced by the drift there.
    there = [np.interp(at[:, 0], np.arange(160), path[:, axis]) for axis in (0, 1)]
    scanned = (at[:, 0] > 0) & (at[:, 0] < 159)
    back = np.column_stack([noisy["specimen_row"], noisy["specimen_col"]])
    np.testing.assert_allclose((at + np.transpose(there))[scanned], back[scanned], atol=1e-3)


def test_columns_that_drift_out_are_left_out_with_their_truth() -> None:
    sample = specimen()
    noisy = add_noise(sample, drift=(28.0, 28.0))
    at = np.column_stack([noisy["row"], noisy["col"]])
    assert ((at >= -0.5) & (at < np.array([159.5, 143.5]))).all()
    assert noisy.sizes["point"] < sample.sizes["point"]
    kept = sample.isel(point=noisy["label"].values)
    np.testing.assert_array_equal(kept["row"], noisy["specimen_row"])
    np.testing.assert_array_equal(kept["col"], noisy["specimen_col"])


def test_resampling_keeps_well_sampled_columns() -> None:
    at = np.array([[31.3, 30.2], [31.3, 62.7], [64.1, 31.6], [64.1, 63.3]])
    image = gaussians((96, 96), at, 4.0)
    points = {"row": ("point", at[:, 0]), "col": ("point", at[:, 1])}
    sample = xr.Dataset({"intensity": (("y", "x"), image), **points}, attrs={"pixel_size": PIXEL})
    noisy = add_noise(sample, drift=(0.0, 9.0), random_state=1)
    y, x = np.indices(image.shape)
    x = x + noisy["drift"].values[:, 1:]
    y = y + noisy["drift"].values[:, :1]
    exact = sum(np.exp(-4 * np.log(2) * ((y - row) ** 2 + (x - col) ** 2) / 16) for row, col in at)
    assert np.abs(noisy["intensity"].values - exact).max() < 0.01
    assert noisy["intensity"].values.min() >= 0


def test_background_is_slow_and_told() -> None:
    sample = specimen()
    noisy = add_noise(sample, background=0.8)
    background = noisy["background"].values
    np.testing.assert_allclose(noisy["intensity"] - sample["intensity"], background, atol=1e-6)
    assert background.min() == 0
    assert background.max() == pytest.approx(0.8 * float(sample["intensity"].mean()), rel=1e-5)
    assert np.abs(np.gradient(background)).max() < 0.1 * background.max()


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_contamination_covers_the_share_and_the_columns_it_names(share: float) -> None:
    sample = specimen((256, 256))
    noisy = add_noise(sample, contamination=share)
    added = noisy["background"].values
    # Half of the least height: certainly under the half maximum of a blob; half of the most: certainly none.
    assert (added >= 0.75).mean() < share + 0.03
    assert (added >= 0.25).mean() > share
    hit = noisy["contaminated"].values
    at = np.rint(np.column_stack([noisy["row"], noisy["col"]])).astype(int)
    under = added[at[:, 0], at[:, 1]]
    assert (under[hit] >= 0.25).all()
    assert (under[~hit] < 0.75).all()
    assert abs(hit.mean() - share) < 0.12


def test_a_blob_covers_what_is_within_its_half_maximum() -> None:
    at = np.indices((200, 200)).reshape(2, -1)
    every = xr.Dataset({"intensity": (("y", "x"), np.ones((200, 200)))}, attrs={"pixel_size": PIXEL})
    every = every.assign(row=("point", at[0].astype(float)), col=("point", at[1].astype(float)))
    noisy = add_noise(every, contamination=1e-4)  # one blob is more than enough
    added = noisy["background"].values
    np.testing.assert_array_equal(noisy["contaminated"].values.reshape(200, 200), added >= 0.5 * added.max())
    width = 2 * np.sqrt(noisy["contaminated"].values.sum() / np.pi)
    assert 0.06 * 200 - 1 < width < 0.16 * 200 + 1


def test_detector_noise_scales_with_the_mean_not_the_peak() -> None:
    sample = specimen((300, 300))
    noise = add_noise(sample, gaussian=0.5)["intensity"] - sample["intensity"]
    assert float(noise.std()) == pytest.approx(0.5 * float(sample["intensity"].mean()), rel=0.02)


def test_what_is_added_is_distorted_with_the_specimen() -> None:
    effects: dict[str, Any] = {"background": 0.5, "contamination": 0.1}
    still = add_noise(specimen(), **effects)["background"].values
    noisy = add_noise(specimen(), **effects, drift=(0, 10), jitter=0.5)
    cols = np.arange(144) + noisy["drift"].values[:, 1:] + noisy["row_shift"].values[:, None]
    rows = np.arange(160)[:, None] + noisy["drift"].values[:, :1] + 0 * cols
    moved = ndimage.map_coordinates(still.astype(float), [rows, cols], order=1, mode="nearest")
    np.testing.assert_allclose(noisy["background"], moved, atol=0.02)


def test_background_is_in_counts_where_the_intensity_is() -> None:
    sample = specimen()
    noisy = add_noise(sample, dose=1e6, background=0.8)
    factor = 1e6 * 0.2**2 * 0.03 / float(sample["intensity"].max())
    signal = noisy["intensity"] - noisy["background"]
    assert float(signal.mean()) == pytest.approx(factor * float(sample["intensity"].mean()), rel=0.01)


def test_hot_pixels_are_as_many_and_as_bright_as_said() -> None:
    noisy = add_noise(flat(), hot_pixels=0.02)["intensity"].values
    hot = noisy != 3
    assert abs(hot.mean() - 0.02) < 4 * np.sqrt(0.02 / hot.size)
    assert noisy[hot].min() >= 3
    assert noisy[hot].max() <= 9
    assert noisy[hot].mean() == pytest.approx(6, abs=0.3)


EFFECTS: dict[str, float] = {
    "dose": 1e4,
    "gaussian": 0.1,
    "jitter": 0.3,
    "drift": 4.0,
    "background": 0.5,
    "contamination": 0.1,
    "hot_pixels": 1e-3,
}


def test_the_seed_decides() -> None:
    first, again, other = (add_noise(specimen(), **EFFECTS, random_state=seed) for seed in (5, 5, 6))
    xr.testing.assert_identical(first, again)
    assert np.abs(first["intensity"] - other["intensity"]).max() > 1
    assert np.abs(first["row_shift"] - other["row_shift"]).max() > 0.1


def test_effects_do_not_disturb_each_other() -> None:
    everything = add_noise(specimen(), **EFFECTS)
    np.testing.assert_array_equal(everything["drift"], add_noise(specimen(), drift=4.0)["drift"])
    np.testing.assert_array_equal(everything["row_shift"], add_noise(specimen(), jitter=0.3)["row_shift"])
    assert everything.attrs["noise_dose"] == 1e4
    assert everything["intensity"].dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dose": 0}, "`dose` must be positive"),
        ({"gaussian": -1.0}, "`gaussian` must be finite and not negative, got -1.0"),
        ({"jitter": np.nan}, "`jitter` must be finite"),
        ({"background": np.inf}, "`background` must be finite"),
        ({"contamination": 1.0}, "`contamination` must be below 1"),
        ({"hot_pixels": 1.5}, "`hot_pixels` must be a share of at most 1, got 1.5"),
        ({"collected": 2.0}, "`collected` must be a share"),
        ({"drift": 100.0}, "`drift` must be a length or .* a quarter of the 160 rows, got 100.0"),
        ({"drift": (1, 2, 3)}, "`drift` must be a length or"),
        ({"drift": np.nan}, "`drift` must be a length or"),
        ({"random_state": -1}, "`random_state` must not be negative"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        add_noise(specimen(), **arguments)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_a_sample_without_signal_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="`sample` must have a finite intensity"):
        add_noise(flat(value), dose=100)
