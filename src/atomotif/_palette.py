"""Colours of motifs: the same for a motif everywhere, and told apart by colour-blind eyes."""

_BASE = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442")


def motif_colors(count: int) -> list[str]:
    """Return `count` colours as "#rrggbb"."""
    return [_BASE[k % len(_BASE)] for k in range(count)]
