"""What a microscope adds to a simulated specimen: background, contamination, scan distortion and noise."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from atomotif._checks import check_finite, check_not_negative, check_positive

__all__ = ["add_noise"]

# Contamination: FWHM of a blob as a share of the shorter side, and its height over the brightest column.
_BLOB_WIDTHS = (0.06, 0.16)
_BLOB_HEIGHTS = (0.5, 1.5)
_FWHM = 2 * np.sqrt(2 * np.log(2))
# Most drift in either direction, over the rows: each specimen row is then scanned exactly once.
_MOST_DRIFT = 0.25
_BROAD_BLOBS = 3


def add_noise(
    sample: xr.Dataset,
    *,
    dose: float | None = None,
    collected: float = 0.03,
    gaussian: float = 0.0,
    jitter: float = 0.0,
    drift: float | Sequence[float] = 0.0,
    background: float = 0.0,
    contamination: float = 0.0,
    hot_pixels: float = 0.0,
    random_state: int = 0,
) -> xr.Dataset:
    """Return a sample as a microscope would record it.

    In the order of nature: contamination and background lie on the specimen, the scan distorts both, the
    beam's electrons are counted, the detector adds its noise. Every effect draws from its own random
    numbers, so that one more effect leaves the others as they were.

    Parameters
    ----------
    sample : Dataset
        Noise-free, as the functions of `atomotif.datasets.simulate` return it: `intensity` (y, x), `row` and
        `col` (point), px, and the attribute `pixel_size`, nm.
    dose : float, optional
        Incident electrons per square ångström. The intensity then is Poisson counts; otherwise there is no
        shot noise and the intensity keeps its units.
    collected : float, default 0.03
        Share of the incident electrons that the detector gets where the noise-free image is brightest: a few
        per cent on heavy columns of a monolayer in annular dark field, tens of per cent on thick crystals.
    gaussian : float, default 0
        Rms of the detector's additive noise, in units of the noise-free image's mean (its mean count).
    jitter : float, default 0
        Rms of the independent horizontal shifts of the scan lines, px; draws are limited to 3 rms.
    drift : float or (float, float), default 0
        (row, col) by which the specimen's place under the last line differs from that under the first, px: at
        most a quarter of the rows. A number is the length, in a direction that is drawn. The drift is smooth,
        bends by up to a quarter of its length, and is 0 in the middle line.
    background : float, default 0
        Range of a slow background (a ramp and three broad blobs, from 0 up), in units of the noise-free
        image's mean.
    contamination : float, default 0
        Share of the frame, below 1, under bright soft blobs, whose widths are 6 - 16 % of the shorter side
        and whose heights are 0.5 - 1.5 times the brightest column.
    hot_pixels : float, default 0
        Share of pixels that show one to three times the brightest column instead.
    random_state : int, default 0

    Returns
    -------
    Dataset
        The sample with the recorded `intensity` float32 and, as apparent in it, `row` and `col`: with the
        drift, without the jitter, whose mean is zero. New are `specimen_row` and `specimen_col` (point), px,
        where they were; `contaminated` (point) bool, within the half maximum of a blob; `background` (y, x)
        float32, all that was added to the specimen, as it appears, in the units of the intensity; `drift`
        (y, axis) and `row_shift` (y), px: pixel (i, j) shows the specimen's (i + drift[i, 0], j + drift[i, 1]
        + row_shift[i]). Points that drifted out of the frame are left out; what comes in from outside repeats
        the specimen's edge. `attrs` hold the arguments as `noise_dose`, ...

    Raises
    ------
    ValueError
        If an argument is negative or not finite, if a share is above 1, if the drift is above a quarter of
        the rows, or if the sample has no positive intensity.

    Notes
    -----
    The image is resampled with cubic splines from the noise-free one, which must be sampled well: columns of
    a FWHM of 4 px or more change by less than 1 % of their height.

    Examples
    --------
    >>> columns = {"row": ("point", [16.0]), "col": ("point", [16.0])}
    >>> y, x = np.mgrid[:32, :32] - 16
    >>> image = (("y", "x"), np.exp(-(y**2 + x**2) / 18))
    >>> sample = xr.Dataset({"intensity": image, **columns}, attrs={"pixel_size": 0.01})
    >>> noisy = add_noise(sample, dose=1e6, drift=(4, 0), jitter=0.3)
    >>> int(noisy.intensity.max()), noisy["drift"].shape, noisy.row.size
    (312, (32, 2), 1)
    """
    shares = {"contamination": contamination, "hot_pixels": hot_pixels, "collected": collected}
    amounts = {"gaussian": gaussian, "jitter": jitter, "background": background} | shares
    for name, value in amounts.items():
        if check_finite(value, name) < 0:
            raise ValueError(f"`{name}` must be finite and not negative, got {value!r}.")
        if name in shares and value > 1:
            raise ValueError(f"`{name}` must be a share of at most 1, got {value!r}.")
    if contamination == 1:
        raise ValueError("`contamination` must be below 1, got 1: soft blobs never cover all of a frame.")
    specimen = sample["intensity"].values.astype(np.float64)
    if not (np.isfinite(specimen).all() and specimen.min() >= 0 and specimen.max() > 0):
        raise ValueError("`sample` must have a finite intensity of at least 0 that is above 0 somewhere.")
    seeds = np.random.SeedSequence(check_not_negative(random_state, "random_state")).spawn(7)
    for_drift, for_jitter, for_ramp, for_blobs, for_dose, for_detector, for_hot = map(
        np.random.default_rng, seeds
    )

    added = background * specimen.mean() * _slow_background(specimen.shape, for_ramp)
    blobs, covered = _contamination(specimen.shape, contamination, for_blobs)
    added += blobs * specimen.max()
    path = _Drift(specimen.shape, drift, for_drift)
    lines = np.arange(specimen.shape[0], dtype=np.float64)
    shift = jitter * np.clip(for_jitter.standard_normal(len(lines)), -3, 3)

    displaced = path.at(lines)
    scale = (
        1.0 if dose is None else _electrons(sample, check_positive(dose, "dose")) * collected / specimen.max()
    )
    added = _resampled(added, displaced, shift) * scale
    expected = _resampled(specimen, displaced, shift) * scale + added
    intensity = expected if dose is None else for_dose.poisson(expected).astype(np.float64)
    if gaussian:
        intensity = intensity + for_detector.normal(0, gaussian * specimen.mean() * scale, intensity.shape)
    hot = for_hot.random(intensity.shape) < hot_pixels
    intensity = np.where(hot, specimen.max() * scale * for_hot.uniform(1, 3, intensity.shape), intensity)

    before = np.column_stack([sample["row"].values, sample["col"].values]).astype(np.float64)
    after = path.apparent(before)
    stays = ((after >= -0.5) & (after < np.array(specimen.shape) - 0.5)).all(axis=1)
    pixel = np.clip(np.rint(before).astype(np.int64), 0, np.array(specimen.shape) - 1)
    arguments = {
        "dose": dose if dose is None else float(dose),
        "drift": np.ravel(drift).astype(float).tolist(),
        "random_state": random_state,
    } | {name: float(value) for name, value in amounts.items()}
    noisy = sample.assign(
        intensity=sample["intensity"].copy(data=intensity.astype(np.float32)),
        row=("point", after[:, 0]),
        col=("point", after[:, 1]),
        specimen_row=("point", before[:, 0]),
        specimen_col=("point", before[:, 1]),
        contaminated=("point", covered[pixel[:, 0], pixel[:, 1]]),
        background=(("y", "x"), added.astype(np.float32)),
        drift=(("y", "axis"), displaced),
        row_shift=("y", shift),
    ).assign_coords(axis=["y", "x"])
    for kind in ("atom", "domain", "pentagon", "quad"):  # what else has a place
        if f"{kind}_row" in sample:
            there = np.column_stack([sample[f"{kind}_row"].values, sample[f"{kind}_col"].values])
            for axis, place in zip(("row", "col"), path.apparent(there).T):
                noisy[f"{kind}_{axis}"] = sample[f"{kind}_{axis}"].copy(data=place)
    # netCDF and Zarr have no attribute "none".
    known = {f"noise_{name}": value for name, value in arguments.items() if value is not None}
    return noisy.isel(point=np.flatnonzero(stays)).assign_attrs(known)


class _Drift:
    """Where the specimen is under every scan line, relative to the middle one."""

    def __init__(
        self, shape: tuple[int, ...], drift: float | Sequence[float], random: np.random.Generator
    ) -> None:
        self.rows = shape[0]
        angle, bend = random.uniform(0, 2 * np.pi), random.uniform(-1, 1)
        total = np.asarray(drift, np.float64)
        if total.ndim == 0:
            total = total * np.array([np.sin(angle), np.cos(angle)])
        length = float(np.hypot(*total)) if total.shape == (2,) else np.nan
        if not length <= _MOST_DRIFT * self.rows:
            raise ValueError(
                "`drift` must be a length or (row, col) of at most a quarter of the "
                f"{self.rows} rows, got {drift!r}."
            )
        self.total = total
        # Across the drift; a parabola of this height is bent by a quarter of it.
        self.bend = bend * np.array([total[1], -total[0]])

    def at(self, line: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (row, col) of the drift at lines or between them, shape (n, 2)."""
        time = (line / (self.rows - 1) - 0.5)[:, None]
        result: NDArray[np.float64] = self.total * time + self.bend * time**2
        return result

    def apparent(self, position: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where positions (n, 2) of the specimen appear in the image."""
        line = position[:, 0].copy()
        for _ in range(60):  # contracts by 0.5 or better, as the drift is limited
            line = position[:, 0] - self.at(line)[:, 0]
        return position - self.at(line)


def _resampled(
    image: NDArray[np.float64], drift: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the image as scanned; cubic splines swing below 0 beside steep flanks, electrons do not."""
    if not (drift.any() or shift.any()):
        return image
    rows, cols = np.meshgrid(*map(np.arange, image.shape), indexing="ij")
    at = [rows + drift[:, :1], cols + (drift[:, 1] + shift)[:, None]]
    scanned: NDArray[np.float64] = ndimage.map_coordinates(image, at, order=3, mode="nearest")
    return np.maximum(scanned, 0)


def _electrons(sample: xr.Dataset, dose: float) -> float:
    """Return the incident electrons per pixel."""
    return dose * (10 * check_positive(sample.attrs.get("pixel_size"), "pixel_size")) ** 2


def _slow_background(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float64]:
    """Return a ramp and broad blobs, from 0 to 1."""
    y, x = (np.linspace(-0.5, 0.5, side) for side in shape)
    slope = random.normal(size=2)
    field: NDArray[np.float64] = (slope[0] * y)[:, None] + slope[1] * x
    for centre_y, centre_x, width, height in random.uniform(
        [-0.5, -0.5, 0.1, 0.5], [0.5, 0.5, 0.25, 1.5], (_BROAD_BLOBS, 4)
    ):
        field += height * _gaussian(y, x, centre_y, centre_x, width)
    field -= field.min()
    field /= field.max()
    return field


def _contamination(
    shape: tuple[int, ...], share: float, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return soft blobs, and which pixels are within the half maximum of one."""
    field, covered = np.zeros(shape), np.zeros(shape, bool)
    rows, cols = (np.arange(side, dtype=np.float64) for side in shape)
    while covered.mean() < share:
        centre_y, centre_x = random.uniform(0, shape)
        fwhm = random.uniform(*_BLOB_WIDTHS) * min(shape)
        blob = _gaussian(rows, cols, centre_y, centre_x, fwhm / _FWHM)
        covered |= blob >= 0.5
        # Where blobs overlap the higher one counts: many blobs make a film, not a tower.
        field = np.maximum(field, random.uniform(*_BLOB_HEIGHTS) * blob)
    return field, covered


def _gaussian(
    y: NDArray[np.float64], x: NDArray[np.float64], centre_y: float, centre_x: float, sigma: float
) -> NDArray[np.float64]:
    """Return a Gaussian of height 1 on the grid of two axes."""
    along_y = np.exp(-((y - centre_y) ** 2) / (2 * sigma**2))
    along_x = np.exp(-((x - centre_x) ** 2) / (2 * sigma**2))
    result: NDArray[np.float64] = along_y[:, None] * along_x
    return result
