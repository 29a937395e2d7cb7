"""The lattice constant of a crystalline image in px, for calibrating the pixel size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage

from atomotif._checks import as_image

# Power of a Bragg spot over the median power of its ring of frequencies. In white noise, power is
# exponentially distributed and exceeds 6 medians at one frequency in 64.
_OVER_MEDIAN = 6.0
# The window's own side lobes are below this share of a spot, which matters where there is no noise.
_FAINT = 1e-3
# A translation belongs to the lattice if the image matches itself this well, relative to the best match.
# Two unlike columns a cell reach 0.5 (honeycomb) to 2 b / (1 + b^2) (centred, brightness ratio b).
_SAME = 0.85
# The least self-match of a crystal, as a share of the match at no shift; noise stays below 0.1.
_CRYSTAL = 0.25
# Between two lattice points the match falls below this share of the match at them.
_VALLEY = 0.6
# Sine of the angle between two vectors from which on they span a plane: reduced cells have 0.866 or more.
_ASLANT = 0.4
# Shifts at which less than this share of the (windowed) image overlaps itself tell too little.
_OVERLAP = 0.25
# Columns nearer than this, px, are not resolved.
_SHORTEST = 3.0
# A lattice this close to hexagonal or square, in the ratio of its vectors' lengths and in the cosine of
# their angle, is taken as one that drift has sheared or stretched. The next lattice of common crystals,
# a body-centred metal along [110], is off by 0.17.
_SHEAR = 0.12


@dataclass(frozen=True)
class MeasuredLattice:
    """A lattice measured in an image.

    Attributes
    ----------
    constant : float
        The lattice constant, px: what a hexagonal or square lattice of this cell area has, so that scan
        shear and stretch average out; for any other lattice the length of the shortest vector.
    vectors : ndarray of float64, shape (2, 2)
        The two shortest lattice vectors as (row, col), px.
    kind : str
        "hexagonal", "square" or "oblique" (anything else).
    self_match : float
        How well the periodic part of the image matches itself when shifted by a vector, 0 to 1.
    """

    constant: float
    vectors: NDArray[np.float64]
    kind: str
    self_match: float


def measure_lattice(image: ArrayLike) -> MeasuredLattice:
    """Measure the lattice of a crystalline image.

    The Bragg spots are kept from the power spectrum; their transform is the autocorrelation of the
    periodic part of the image, whose maxima are the lattice vectors. The two shortest are refined by least
    squares over all maxima within a quarter of the image, so the error is a few hundredths of a pixel over
    that distance.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        At least four cells across, columns at least 3 px apart, one grain: two grains together may give
        the lattice that they have in common.

    Returns
    -------
    MeasuredLattice
        In px.

    Raises
    ------
    ValueError
        If there is no lattice, as in noise, a constant image or an amorphous sample.

    Notes
    -----
    A lattice vector takes the image onto itself. Where the columns of a centred cell look (almost) alike,
    their distance is the lattice vector that can be seen: an AB square lattice of equal A and B has the
    constant a / sqrt(2).

    Examples
    --------
    >>> rows, cols = np.mgrid[:128, :128]
    >>> image = np.cos(2 * np.pi * rows / 12.5) + np.cos(2 * np.pi * cols / 12.5)
    >>> measured = measure_lattice(image)
    >>> round(measured.constant, 2), measured.kind
    (12.5, 'square')
    """
    values = as_image(image, min_size=32).astype(np.float64)
    match = _periodic_autocorrelation(values)
    vectors, height = _shortest_vectors(match)
    vectors = _reduced(_refined(match, vectors))
    if not (_repeats(match, vectors, _CRYSTAL * height) and _separate(match, vectors, _VALLEY * height)):
        raise _no_lattice()
    constant, kind = _constant(vectors)
    return MeasuredLattice(constant, vectors, kind, height)


def _periodic_autocorrelation(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the autocorrelation of the Bragg part, 1 at no shift (the centre), NaN where unreliable."""
    rows, cols = image.shape
    window = np.outer(np.hanning(rows), np.hanning(cols))
    flat = _without_plane(image) * window
    # A plane leaves the rounding of its values behind.
    if np.abs(flat).max() <= 1e-6 * np.abs(image).max():
        raise _no_lattice()
    # Twice the size: shifts must not wrap round.
    shape = (fft.next_fast_len(2 * rows), fft.next_fast_len(2 * cols))
    power = np.abs(fft.fft2(flat, shape)) ** 2
    row_frequency, col_frequency = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :]
    frequency = np.hypot(row_frequency, col_frequency)
    # The window spreads a spot over 2 / size; rings of that width keep its own power from their median.
    ring = np.floor(frequency * min(rows, cols) / 2).astype(np.int64)
    # Every second frequency is independent, the others come of the doubled size.
    medians = ndimage.median(power[::2, ::2], ring[::2, ::2], np.arange(ring.max() + 1))
    bragg = np.where(power > _OVER_MEDIAN * medians[ring], power, 0.0)
    # Fewer than four periods across are background, and beyond 1 / _SHORTEST nothing is resolved.
    bragg[(frequency < 4 / min(rows, cols)) | (frequency > 1 / _SHORTEST * 1.2)] = 0
    bragg[bragg < _FAINT * bragg.max()] = 0
    if not bragg.any():
        raise _no_lattice()
    spread = fft.ifft2(np.abs(fft.fft2(window, shape)) ** 2).real
    raw = fft.ifft2(bragg).real
    reliable = spread > _OVERLAP * spread[0, 0]
    match = np.where(reliable, raw / raw[0, 0] * spread[0, 0] / np.where(reliable, spread, 1), np.nan)
    return np.asarray(fft.fftshift(match), dtype=np.float64)


def _without_plane(image: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = np.linspace(-1, 1, image.shape[0])[:, None]
    cols = np.linspace(-1, 1, image.shape[1])[None, :]
    tilts = (image * rows).mean() / (rows**2).mean() * rows + (image * cols).mean() / (cols**2).mean() * cols
    return np.asarray(image - image.mean() - tilts)


def _shortest_vectors(match: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    centre = np.array(match.shape) // 2
    filled = np.nan_to_num(match, nan=-np.inf)
    peaks = np.argwhere((filled == ndimage.maximum_filter(filled, 3)) & (filled > _CRYSTAL))
    offsets = peaks - centre
    lengths = np.hypot(offsets[:, 0], offsets[:, 1])
    keep = lengths >= _SHORTEST
    offsets, lengths, heights = offsets[keep], lengths[keep], filled[tuple(peaks[keep].T)]
    if not len(offsets):
        raise _no_lattice()
    best = offsets[np.argmax(heights)]
    aslant = _sine(best, offsets) > _ASLANT
    if not aslant.any():
        raise ValueError(
            "`image` must show a lattice in two directions, got one that repeats along one only."
        )
    # Where two grains share one direction, the match along it is as high as for both together.
    height = float(heights[aslant].max())
    # A shoulder of the maximum at no shift is not a translation: between two there is a valley.
    hills, _ = ndimage.label(filled > _VALLEY * height)
    at_centre = hills[tuple(peaks[keep].T)] == hills[tuple(centre)]
    order = np.argsort(lengths, kind="stable")
    order = order[(heights[order] >= _SAME * height) & ~at_centre[order]]
    if len(order):
        first = offsets[order[0]]
        others = order[_sine(first, offsets[order]) > _ASLANT]
        if len(others):
            return np.array([first, offsets[others[0]]], dtype=np.float64), min(height, 1.0)
    raise _no_lattice()


def _sine(vector: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sine of the angle between one vector and others, without its sign."""
    cross = vector[0] * others[:, 1] - vector[1] * others[:, 0]
    return np.asarray(np.abs(cross) / (np.hypot(*vector) * np.hypot(others[:, 0], others[:, 1])))


def _refined(match: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit the vectors to more and more distant maxima, each looked for where the last fit predicts it."""
    centre = np.array(match.shape) // 2
    reach = min(match.shape) / 8  # of the doubled size: a quarter of the image
    shells = max(1, int(reach / np.hypot(*vectors.T).max()))
    for shell in range(1, shells + 1):
        indices = _indices(shell)
        found = [_peak_near(match, centre + index @ vectors) for index in indices]
        good = np.array([peak is not None for peak in found])
        if good.sum() < 2:
            break
        offsets = np.array([peak for peak in found if peak is not None]) - centre
        design = indices[good]
        if np.linalg.matrix_rank(design) < 2:
            break
        vectors = np.asarray(np.linalg.lstsq(design, offsets, rcond=None)[0], dtype=np.float64)
    return vectors


def _repeats(match: NDArray[np.float64], vectors: NDArray[np.float64], least: float) -> bool:
    """Whether the image also matches itself at the sums of the vectors, as chance maxima do not."""
    centre = np.array(match.shape) // 2
    nearest = [_peak_near(match, centre + np.array(index) @ vectors) for index in _indices(1)]
    rows, cols = np.rint(centre + _indices(2) @ vectors).astype(np.int64).T
    inside = (rows >= 0) & (rows < match.shape[0]) & (cols >= 0) & (cols < match.shape[1])
    heights = match[rows[inside], cols[inside]]
    heights = heights[np.isfinite(heights)]
    return all(peak is not None for peak in nearest) and bool(np.mean(heights > least) > 0.7)


def _separate(match: NDArray[np.float64], vectors: NDArray[np.float64], valley: float) -> bool:
    """Whether the match falls off on the way along both vectors, as it does not along stripes."""
    centre = np.array(match.shape) // 2
    ways = [centre[:, None] + np.linspace(0, 1, 64) * vector[:, None] for vector in vectors]
    return all(ndimage.map_coordinates(match, way, order=1).min() < valley for way in ways)


def _indices(reach: int) -> NDArray[np.float64]:
    """Return the indices of the lattice points up to `reach` cells away, one of each opposite pair."""
    steps = range(-reach, reach + 1)
    return np.array([(i, j) for i in steps for j in steps if (i, j) > (0, 0)], dtype=np.float64)


def _peak_near(match: NDArray[np.float64], position: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the sub-pixel maximum within 2 px of a position."""
    row, col = (int(value) for value in np.rint(position))
    if not (3 <= row < match.shape[0] - 3 and 3 <= col < match.shape[1] - 3):
        return None
    block = match[row - 2 : row + 3, col - 2 : col + 3]
    if not np.isfinite(match[row - 3 : row + 4, col - 3 : col + 4]).all():
        return None
    step = np.unravel_index(int(np.argmax(block)), block.shape)
    row, col = row + int(step[0]) - 2, col + int(step[1]) - 2
    peak = match[row - 1 : row + 2, col - 1 : col + 2]
    if peak[1, 1] < _CRYSTAL * _SAME or peak[1, 1] < peak.max():
        return None
    shifts = []
    for line in (peak[:, 1], peak[1, :]):
        curvature = line[0] - 2 * line[1] + line[2]
        shifts.append(0.0 if curvature >= 0 else 0.5 * (line[0] - line[2]) / curvature)
    return np.array([row + shifts[0], col + shifts[1]])


def _reduced(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two shortest vectors of the same lattice (Lagrange's), at most 90 degrees apart."""
    a, b = vectors
    while True:
        if a @ a > b @ b:
            a, b = b, a
        times = np.rint((a @ b) / (a @ a))
        if times == 0:
            break
        b = b - times * a
    return np.array([a, b if a @ b >= 0 else -b])


def _constant(vectors: NDArray[np.float64]) -> tuple[float, str]:
    a, b = np.hypot(vectors[:, 0], vectors[:, 1])
    cosine = float(vectors[0] @ vectors[1] / (a * b))
    area = abs(float(np.linalg.det(vectors)))
    if b / a - 1 < _SHEAR:
        if abs(cosine) < _SHEAR:
            return float(np.sqrt(area)), "square"
        if abs(cosine - 0.5) < _SHEAR:
            return float(np.sqrt(area * 2 / np.sqrt(3))), "hexagonal"
    return float(a), "oblique"


def _no_lattice() -> ValueError:
    return ValueError(
        "`image` must show a lattice, at least four cells across and 3 px apart, got one with no Bragg spots."
    )
