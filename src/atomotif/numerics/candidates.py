"""Candidates for columns at one filter width, and the choice of width and threshold by what repeats."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from atomotif.numerics._filters import laplacian_energy, laplacian_of_gaussian
from atomotif.numerics.prominence import peak_prominence, refine_peaks
from atomotif.numerics.spacing import coincidence

# Filter widths (standard deviation of the Gaussian) in lattice scales. The middle one is best on average
# over seven materials; dim columns close to bright ones want the narrow one (WS2), noisy images of
# columns far apart the wide one.
FIND_SIGMA = 0.23
_SIGMAS = (FIND_SIGMA, 0.27, 0.20)
# Thresholds tried, as multiples of the one that was asked for.
_FACTORS = (1.0, 0.5, 1.5)
_REFINE_SIGMA = 0.30
# Below this (px) the sampled kernel no longer is a Laplacian.
_MIN_SIGMA = 0.7
# A column answers with at least this share of the 90th percentile of the columns' responses.
_MIN_RESPONSE = 0.03
# The same for maxima on the outermost pixels, by the median of the others.
_BORDER_RESPONSE = 0.5
# A column whose centre is this much beyond the edge is still one that is seen, filter widths.
_OUTSIDE = 0.35
# Least distance of two columns, filter widths.
_RESOLVED = 1.9
# Side of the field in which the choice is made, lattice scales: some 500 columns.
_FIELD = 30.0
_MIN_POINTS = 30
# Gain of the objective that makes it worth while to leave the settings that are best on average.
_MIN_GAIN = 1.01
# What a point costs, in best shares, and the scatter that it is allowed, in nearest-neighbour distances:
# the noisiest columns scatter by 0.1, and a tighter measure would prefer the bright ones alone.
_COST = 0.5
_TOLERANCE = 0.21
# The nearest-neighbour distance by the lattice scale, which is 0.64 to 1.0 of it.
_SPACING_BY_SCALE = 1 / 0.8


@dataclass(frozen=True)
class Candidates:
    """Local maxima of the filtered image.

    Attributes
    ----------
    peaks : ndarray of int64, shape (n, 2)
        (row, col).
    prominence, response : ndarray of float64, shape (n,)
        Height above the highest saddle, and above zero.
    significance : ndarray of float64, shape (n,)
        Geometric mean of the two, in standard deviations of the filtered noise.
    on_border : ndarray of bool, shape (n,)
        In the outermost row or column of pixels.
    sigma : float
        Width of the filter, px.
    """

    peaks: NDArray[np.int64]
    prominence: NDArray[np.float64]
    response: NDArray[np.float64]
    significance: NDArray[np.float64]
    on_border: NDArray[np.bool_]
    sigma: float

    def select(self, min_prominence: float, relative_prominence: float) -> NDArray[np.bool_]:
        """Tell which candidates pass the thresholds."""
        keep: NDArray[np.bool_] = self.significance > min_prominence
        if keep.any():
            keep &= self.prominence > relative_prominence * np.percentile(self.prominence[keep], 90)
        if keep.any():
            keep &= self.response > _MIN_RESPONSE * np.percentile(self.response[keep], 90)
        inner = keep & ~self.on_border
        if inner.any():
            # The mirrored edge turns the flank of a column outside the image into a low maximum on the
            # outermost pixels; a column whose centre lies there answers in full.
            keep &= ~self.on_border | (self.response > _BORDER_RESPONSE * np.median(self.response[inner]))
        keep[self._crowded(np.flatnonzero(keep))] = False
        return keep

    def _crowded(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return those of the chosen that lie too close to a stronger one.

        The filter cannot resolve columns closer than about twice its width; such maxima are the rim of one
        flat-topped (saturated) column.
        """
        if not len(chosen):
            return chosen
        height = self.response[chosen]
        pairs = KDTree(self.peaks[chosen]).query_pairs(_RESOLVED * self.sigma, output_type="ndarray")
        # Of equal maxima the first in the image stays.
        swap = height[pairs[:, 1]] > height[pairs[:, 0]]
        strong, weak = np.where(swap[:, None], pairs[:, ::-1], pairs).T
        order = np.lexsort((weak, strong, -height[strong]))
        dropped = np.zeros(len(chosen), bool)
        for keeper, loser in zip(strong[order], weak[order], strict=True):
            dropped[loser] |= not dropped[keeper]
        return chosen[dropped]


def find_candidates(
    signal: NDArray[np.float32], noise: float, sigma: float, n_threads: int | None = None
) -> Candidates:
    """Return the maxima of `signal` filtered by a Laplacian of a Gaussian of `sigma` px.

    The noise is that of the mean variance of the image, not of each column's own: where only a few
    particles were counted, a single one makes both a maximum and the variance that it is held against.

    Parameters
    ----------
    signal : ndarray of float32, shape (rows, cols)
        Columns bright.
    noise : float
        Mean variance of a pixel.
    sigma : float
        px.
    n_threads : int, optional

    Returns
    -------
    Candidates

    Examples
    --------
    >>> spot = np.zeros((32, 32), np.float32)
    >>> spot[10, 20] = 1
    >>> found = find_candidates(spot, 0.0, 2.0)
    >>> found.peaks[found.response.argmax()]
    array([10, 20])
    """
    filtered = laplacian_of_gaussian(signal, sigma, n_threads)
    peaks, prominence = peak_prominence(filtered)
    response = filtered[peaks[:, 0], peaks[:, 1]].astype(np.float64)
    positive = response > 0
    peaks, prominence, response = peaks[positive], prominence[positive], response[positive]
    last = np.array(signal.shape) - 1
    on_border = np.any((peaks == 0) | (peaks == last), axis=1)
    deviation = np.sqrt(laplacian_energy(sigma) * noise)
    with np.errstate(divide="ignore"):
        significance = np.sqrt(prominence * response) / deviation
    return Candidates(peaks, prominence, response, significance, on_border, sigma)


def is_flank(signal: NDArray[np.float32], peaks: NDArray[np.int64], sigma: float) -> NDArray[np.bool_]:
    """Tell which maxima on the outermost pixels are the flank of a column that lies outside the image.

    A parabola through the profile from the edge inwards, averaged along the edge, has its top inside or
    little beyond it for a column that is there, and further out, or none, for a flank.

    Parameters
    ----------
    signal : ndarray of float32, shape (rows, cols)
        Columns bright.
    peaks : ndarray of int64, shape (n, 2)
        (row, col).
    sigma : float
        Width of the filter that found them, px.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> row, col = np.mgrid[:32, :32]
    >>> at_edge = np.exp(-(row**2 + (col - 9) ** 2) / 18).astype(np.float32)
    >>> beyond = np.exp(-((row + 3) ** 2 + (col - 9) ** 2) / 18).astype(np.float32)
    >>> [bool(is_flank(image, np.array([[0, 9]]), 3.0)[0]) for image in (at_edge, beyond)]
    [False, True]
    """
    flank = np.zeros(len(peaks), bool)
    depth = np.arange(max(3, round(0.8 * sigma) + 1), dtype=np.float64)
    along = np.arange(-max(1, round(0.4 * sigma)), max(1, round(0.4 * sigma)) + 1)
    solver = np.linalg.pinv(np.vander(depth, 3))
    for axis, side in ((0, 0), (0, -1), (1, 0), (1, -1)):
        image = np.moveaxis(signal, axis, 0)[:: 1 if side == 0 else -1]
        edge = 0 if side == 0 else signal.shape[axis] - 1
        on_edge = np.flatnonzero(peaks[:, axis] == edge)
        beside = np.clip(peaks[on_edge, 1 - axis][:, None] + along, 0, image.shape[1] - 1)
        profile = image[: len(depth)][:, beside].mean(axis=2)
        square, slope, _ = solver @ profile
        # Top at -slope / (2 square); not concave means no top at all.
        flank[on_edge] |= (square >= 0) | (slope < 2 * _OUTSIDE * sigma * square)
    return flank


def refine_points(
    signal: NDArray[np.float32],
    peaks: NDArray[np.int64],
    r_min: float,
    spacing: float,
    n_threads: int | None = None,
) -> NDArray[np.float64]:
    """Return the peaks refined below the pixel, (row, col).

    A paraboloid is fitted by least squares to the image filtered a little wider than for finding: fits of
    Gaussians to the raw image get worse than rounding to the pixel at low dose.

    Examples
    --------
    >>> row, col = np.mgrid[:40, :40]
    >>> spot = np.exp(-((row - 20.3) ** 2 + (col - 18.8) ** 2) / 18).astype(np.float32)
    >>> refine_points(spot, np.array([[20, 19]]), 12.0, 14.0).round(1)
    array([[20.3, 18.8]])
    """
    smooth = laplacian_of_gaussian(signal, filter_width(_REFINE_SIGMA, r_min), n_threads)
    return refine_peaks(smooth, peaks, max(2, round(0.15 * spacing)), 0.2 * spacing)


def filter_width(relative: float, r_min: float) -> float:
    """Return the width of a filter, px.

    Examples
    --------
    >>> filter_width(0.25, 16.0)
    4.0
    """
    return max(relative * r_min, _MIN_SIGMA)


def guess_contrast(signal: NDArray[np.float32], r_min: float, n_threads: int | None = None) -> str:
    """Return "dark" if the filtered image is clearly skewed towards the dark, else "bright".

    Columns are sharper than what is between them, so their side of the histogram has the longer tail. The
    answer was right on 42 simulated and 10 real micrographs and on their inversions, but for the inverted
    Si(111)-7x7 in STM: its corner holes are as sharp as its adatoms, and its skewness is -0.1, whence the
    threshold of -0.3 and "bright" in doubt.

    Examples
    --------
    >>> row, col = np.mgrid[:96, :96]
    >>> lattice = np.exp(np.cos(np.pi * row / 8) + np.cos(np.pi * col / 8)).astype(np.float32)
    >>> guess_contrast(lattice, 10.0), guess_contrast(-lattice, 10.0)
    ('bright', 'dark')
    """
    filtered = laplacian_of_gaussian(
        _middle(signal, r_min), filter_width(FIND_SIGMA, r_min), n_threads
    ).astype(np.float64)
    filtered -= filtered.mean()
    spread = float(np.sqrt((filtered**2).mean()))
    skewness = float((filtered**3).mean()) / spread**3 if spread > 0 else 0.0
    return "dark" if skewness < -0.3 else "bright"


def _middle(signal: NDArray[np.float32], r_min: float) -> NDArray[np.float32]:
    half = round(_FIELD / 2 * r_min)
    top, left = (max(0, n // 2 - half) for n in signal.shape)
    middle: NDArray[np.float32] = np.ascontiguousarray(
        signal[top : signal.shape[0] - top, left : signal.shape[1] - left]
    )
    return middle


def choose_settings(
    signal: NDArray[np.float32],
    noise: float,
    r_min: float,
    min_prominence: float,
    relative_prominence: float,
    n_threads: int | None = None,
) -> tuple[float, float]:
    """Choose filter width and threshold in the middle of the field.

    No single pair suits dim columns beside bright ones and noisy columns far apart alike. Truth is not
    at hand, but in a lattice a found column has partners at the translations of the lattice, and a
    false one has not: with a share C of the points that the best translation maps onto points (less what
    chance maps), ``n C`` points are accounted for. The pair is taken that has most of them, where each point
    costs half the best share, so that it must pay for itself: ``n (C - max(C) / 2)``. A different
    pair must gain 1 % on the one that is best on average, which is kept where nothing repeats.

    Parameters
    ----------
    signal : ndarray of float32, shape (rows, cols)
        Columns bright.
    noise : float
        Mean variance of a pixel.
    r_min : float
        Lattice scale, px.
    min_prominence, relative_prominence : float
        As in `find_columns`.
    n_threads : int, optional

    Returns
    -------
    sigma, min_prominence : float
        Filter width (px) and threshold.

    Examples
    --------
    >>> row, col = np.mgrid[:96, :96]
    >>> lattice = (np.cos(np.pi * row / 8) + np.cos(np.pi * col / 8)).astype(np.float32)
    >>> choose_settings(lattice, 0.0, 10.0, 2.0, 0.05)
    (2.3, 2.0)
    """
    base = (filter_width(FIND_SIGMA, r_min), min_prominence)
    field = _middle(signal, r_min)
    tried = []
    for relative in _SIGMAS:
        sigma = filter_width(relative, r_min)
        candidates = find_candidates(field, noise, sigma, n_threads)
        refined = refine_points(field, candidates.peaks, r_min, _SPACING_BY_SCALE * r_min, n_threads)
        for factor in _FACTORS:
            keep = candidates.select(factor * min_prominence, relative_prominence)
            number = int(keep.sum())
            if number >= _MIN_POINTS:
                share = coincidence(refined[keep], field.shape, _TOLERANCE)
                tried.append((sigma, factor * min_prominence, number, share))
    if not tried:
        return base
    best_share = max(share for *_, share in tried)
    gain = [number * (share - _COST * best_share) for *_, number, share in tried]
    best = int(np.argmax(gain))
    at_base = [g for g, t in zip(gain, tried, strict=True) if t[:2] == base]
    if not gain[best] > 0 or (at_base and not gain[best] > _MIN_GAIN * at_base[0]):
        return base
    return tried[best][:2]
