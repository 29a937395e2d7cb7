"""Colours of motifs: the same for a motif everywhere, and told apart by colour-blind eyes."""

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
