"""What `session.motifs` shows."""

from typing import TYPE_CHECKING

from atomotif.session.named import NamedSets

if TYPE_CHECKING:
    import pandas as pd


class Motifs(NamedSets):
    """The motifs of a session: a look at its group `motifs`, and what can be changed of them by hand."""

    kind = "motifs"

    def table(self) -> "pd.DataFrame":
        """Return name, colour, count, share and mean confidence of every motif.

        Returns
        -------
        pandas.DataFrame
            One row a motif, by label.

        Examples
        --------
        >>> list(session.motifs.table().columns)
        ['name', 'color', 'count', 'share', 'confidence']
        """
        labels = self._group["label"].values
        confidence = self._group["confidence"].values
        return (
            self._group[["name", "color", "count"]]
            .to_dataframe()
            .assign(
                share=self._group["count"].values / max(len(labels), 1),
                confidence=[
                    float(confidence[labels == k].mean()) if (labels == k).any() else 0.0
                    for k in range(len(self))
                ],
            )
        )

    def __repr__(self) -> str:
        return "Motifs: " + ", ".join(f"{name} {count}" for name, count in self.counts.items())
