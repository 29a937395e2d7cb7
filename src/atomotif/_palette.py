"""Colours of motifs and of mixtures of anchors: the same everywhere, and told apart by colour-blind eyes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The seven chromatic colours of Okabe and Ito (2008), then, one by one, the colour whose least distance in
# OKLab to all before it and to the neutral grey, seen with normal, protan and deutan eyes (Machado et al.
# 2009), is greatest; nothing nearly black, nearly white or nearly grey, which would be lost on a page or a
# micrograph.
_COLORS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
    "#f0e442",
    "#781e00",
    "#96f0f0",
    "#5a2d69",
    "#0000ff",
    "#5a87ff",
    "#874b5a",
    "#3c0fb4",
    "#78d2a5",
    "#b42d00",
    "#69ffa5",
    "#c31e96",
    "#87d2ff",
    "#0f69f0",
    "#78b478",
    "#c3d269",
    "#e100c3",
    "#5ac3c3",
)

# Points without a motif: no hue, and of the greys the one farthest from all motifs to colour-blind eyes.
NEUTRAL = "#737373"

# Corners of mixtures. Of the first three the least height of their triangle in OKLab is large to all of these
# eyes, so that no two different mixtures look alike, and its middle is far from the neutral grey; each of the
# others is then the farthest from all before it, from that middle and from the grey. None is darker than a
# lightness of 0.5: mixtures are drawn on micrographs.
_CORNERS = (
    "#3c64ff",
    "#f0e442",
    "#e10f0f",
    "#87f0ff",
    "#d2a500",
    "#69a5ff",
    "#873ca5",
    "#87d2a5",
)

# Of linear sRGB to responses of cones, and of their cube roots to OKLab (Ottosson 2020).
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def motif_colors(count: int) -> list[str]:
    """Return `count` colours as "#rrggbb", in an order that never changes.

    Parameters
    ----------
    count : int
        How many motifs there are. Up to 24 each has its own colour; beyond, no set of colours is told
        apart by eye, and they repeat: names, gallery and selection tell those motifs apart.

    Returns
    -------
    list of str

    Examples
    --------
    >>> motif_colors(2)
    ['#0072b2', '#e69f00']
    """
    return [_COLORS[k % len(_COLORS)] for k in range(count)]


def anchor_colors(count: int) -> list[str]:
    """Return the colours of `count` anchors as "#rrggbb", in an order that never changes.

    Parameters
    ----------
    count : int
        How many anchors there are. Mixtures of up to three are told apart by all eyes; of more, different
        mixtures may look alike. Beyond eight the colours repeat.

    Returns
    -------
    list of str

    Examples
    --------
    >>> anchor_colors(3)
    ['#3c64ff', '#f0e442', '#e10f0f']
    """
    return [_CORNERS[k % len(_CORNERS)] for k in range(count)]


def mixed_colors(colors: Sequence[str], weights: ArrayLike) -> NDArray[np.uint8]:
    """Return the barycentric mixtures of colours.

    They are mixed in OKLab, where equal distances look about equally different: halfway between two corners
    looks halfway, while mixtures of sRGB values, which follow no such law, are too dark and too grey. What a
    screen cannot show is clipped.

    Parameters
    ----------
    colors : sequence of str, length k
        The corners, "#rrggbb".
    weights : array_like of float, shape (..., k)
        At least 0, with a sum above 0 along the last axis; only their ratios count. A NaN among them makes
        the neutral grey.

    Returns
    -------
    ndarray of uint8, shape (..., 3)
        sRGB.

    Raises
    ------
    ValueError
        If the last axis of `weights` is not as long as `colors`, or a weight is below 0, infinite, or all of
        a mixture are 0.

    Examples
    --------
    >>> mixed_colors(["#0000ff", "#ffff00"], [[1, 0], [0.5, 0.5], [float("nan"), 0]])
    array([[  0,   0, 255],
           [108, 171, 199],
           [115, 115, 115]], dtype=uint8)
    """
    share = np.asarray(weights, dtype=np.float64)
    if share.ndim == 0 or share.shape[-1] != len(colors):
        raise ValueError(
            f"`weights` must have one column for each of {len(colors)} colours, got shape {share.shape}."
        )
    total = share.sum(axis=-1, keepdims=True)
    known = ~np.isnan(total)
    if not (np.isfinite(total) | ~known).all() or (share < 0).any() or not (total[known] > 0).all():
        raise ValueError("`weights` must be at least 0, finite, and not all 0 in a mixture.")
    mixed = np.where(known, share, 1.0) / np.where(known, total, len(colors)) @ _lab(_srgb(colors))
    linear = np.clip((mixed @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.where(known, np.rint(255 * encoded), np.rint(255 * _srgb([NEUTRAL])[0])), np.uint8)


def _srgb(colors: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)] for color in colors])


def _lab(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T)
