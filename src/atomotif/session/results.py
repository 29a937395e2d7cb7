"""What a session holds: its groups, and what they say as tables and graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import xarray as xr

from atomotif._version import __version__
from atomotif.session.anchors import Anchors
from atomotif.session.domains import Domains
from atomotif.session.engine import Engine
from atomotif.session.environments import Environments
from atomotif.session.grains import Grains
from atomotif.session.motif_cells import MotifCells
from atomotif.session.motifs import Motifs
from atomotif.session.quads import Quads

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd


class Results(Engine):
    """The part of `MotifSession` that tells what was found."""

    @property
    def data(self) -> xr.DataTree:
        """All groups as an `xr.DataTree`; its arrays are read-only."""
        return xr.DataTree.from_dict(
            {"/": xr.Dataset(attrs={"title": self.title, "atomotif": __version__}), **self._ordered_groups()}
        )

    @property
    def stale(self) -> tuple[str, ...]:
        """Groups that are out of date: something that they depend on has changed since."""
        return tuple(name for name in self._ordered_groups() if self._state.is_stale(name))

    @property
    def motifs(self) -> Motifs:
        """The motifs: names, counts, averages, and the ids of their points.

        Raises
        ------
        ValueError
            If there are none yet.
        """
        if "motifs" not in self._state.groups:
            if self._state.continuous:
                reason = self._state.groups["features"].attrs["continuity_reason"]
                raise ValueError(
                    f"there are no motifs: the sample is continuous, since {reason}. See `anchors` and "
                    "`domains`, or call `find_motifs` for groups of similar points all the same."
                )
            raise ValueError("there are no motifs yet: call `run`, `find_motifs` or `set_motifs` first.")
        return Motifs(self._state.groups["motifs"], self._apply)

    @property
    def grains(self) -> Grains:
        """The grains: counts, angles and misorientations, and the ids of their points.

        Raises
        ------
        ValueError
            If there are none yet.

        Examples
        --------
        >>> session.find_grains().grains.table().index.tolist()
        [0]
        """
        self._require("grains")
        return Grains(self._state.groups["grains"])

    @property
    def anchors(self) -> Anchors:
        """The anchors of a continuous sample: names, colours, averages, weights, ids of their points.

        Raises
        ------
        ValueError
            If there are none yet.
        """
        self._require("anchors")
        return Anchors(self._state.groups["anchors"], self._apply)

    @property
    def domains(self) -> Domains:
        """The domains of a continuous sample: sizes, places, compositions, ids of their points.

        Raises
        ------
        ValueError
            If there are none yet.
        """
        self._require("domains")
        return Domains(self._state.groups["domains"])

    @property
    def comparison(self) -> pd.DataFrame:
        """The compared domains as a table of pairs: divergences, errors, p; see `comparison_table`.

        Raises
        ------
        ValueError
            If they were not compared yet.
        """
        from atomotif.export.comparison import comparison_table

        self._require("comparison")
        return comparison_table(self.data)

    @property
    def cell_classes(self) -> pd.DataFrame:
        """The classes of the cells as a table: `composition`, `count`, `share`, `dominant`.

        Raises
        ------
        ValueError
            If there are no cells yet.

        Examples
        --------
        >>> session.cell_classes["composition"][0]
        'M0 + M1'
        """
        from atomotif.export.hierarchy import cell_classes_table

        self._require("cells")
        return cell_classes_table(self.data)

    @property
    def cell_shapes(self) -> pd.DataFrame:
        """The size and shape of every Voronoi cell against the mean cell (paper, fig. S17), as a table.

        `id` and `motif` of the point that it belongs to, `y`, `x`, `border` (cut by the edge), number of
        `sides`, `area`, and how far area, sides, angles (degrees) and corners depart from the mean cell: see
        `atomotif.export.cells.cell_shapes_table`.

        Raises
        ------
        ValueError
            If there are no cells yet, or they are those of a lattice.

        Examples
        --------
        >>> shapes = session.find_cells(cells="voronoi", seeds=["M0"]).cell_shapes
        >>> int(shapes["sides"][~shapes["border"]].mode()[0])
        6
        """
        from atomotif.export.cells import cell_shapes_table

        self._require("cells")
        return cell_shapes_table(self.data)

    @property
    def motif_cells(self) -> MotifCells:
        """The motif-cells: levels, counts and compositions, the ids of their points, and where they are.

        Raises
        ------
        ValueError
            If there is no hierarchy yet.
        """
        self._require("hierarchy")
        return MotifCells(self.data)

    @property
    def hierarchy(self) -> nx.DiGraph[int]:
        """The motif-cell hierarchy as a `networkx.DiGraph`, with edges towards the larger ones.

        Each node has `level`, `count`, `composition`, `cells` and `occurrences`; see
        `atomotif.export.hierarchy.hierarchy_graph`.

        Raises
        ------
        ValueError
            If there is no hierarchy yet.

        Examples
        --------
        >>> graph = session.hierarchy
        >>> all(graph.nodes[a]["level"] < graph.nodes[b]["level"] for a, b in graph.edges)
        True
        """
        from atomotif.export.hierarchy import hierarchy_graph

        self._require("hierarchy")
        return hierarchy_graph(self.data)

    @property
    def environments(self) -> Environments:
        """The classes of environments: centre and rings by motif, counts, and the ids of their points.

        Raises
        ------
        ValueError
            If they were not found yet.

        Examples
        --------
        >>> session.find_environments(centers="M1", n_shells=1).environments.table()["ring 1"][0]
        '3 M0'
        """
        self._require("environments")
        return Environments(self.data)

    @property
    def quads(self) -> Quads:
        """The quads of pentagons: abundances, entropies and growth on both levels, ids of their points.

        Raises
        ------
        ValueError
            If they were not found yet.
        """
        self._require("quads")
        return Quads(self.data)

    def ring_intensities(
        self, motifs: Sequence[str], radius: float | None = None, source: str = "intensity"
    ) -> pd.DataFrame:
        """Return the intensity in the middle of rings per motif, and how well it tells the motifs apart.

        The points of the motifs are the centres of rings, as of empty and filled pentagons (paper, fig. S16).

        Parameters
        ----------
        motifs : sequence of str
            Names of motifs.
        radius : float, optional
            Of the disc that is averaged round every centre, px; by default a fifth of the nearest-neighbour
            distance of the centres, which covers a column in the middle and stays clear of the ring.
        source : {"intensity", "flattened", "denoised"}, default "intensity"
            The image that is looked at: as it was taken, unless its background is uneven.

        Returns
        -------
        pandas.DataFrame
            One row a motif: `count`, `mean`, `std` and, for every motif B, `auc B` (probability that a ring
            of B is brighter than one of the row's motif; 0.5 is chance) and `d' B` (difference of the means
            in standard deviations).

        Raises
        ------
        ValueError
            If there are no motifs yet, a name is no motif's or given twice, or there is no such image.

        Examples
        --------
        >>> table = session.ring_intensities(["M0", "M1"])
        >>> bool(table.loc["M0", "auc M1"] + table.loc["M1", "auc M0"] == 1)
        True
        """
        from atomotif.export.ring_intensity import ring_intensity_table

        self._require("motifs")
        return ring_intensity_table(self.data, motifs, radius, source)

    @property
    def columns(self) -> pd.DataFrame:
        """The points as a table, one row each.

        `id`; `y` and `x` in the units of the image (`columns.attrs["units"]`; in px they are `row` and
        `col` of ``session.data["points"]``); `motif` (name, missing without one); `label` (-1 without
        one); `confidence` (0 to 1: how surely the point is of its motif and of no other); `intensity` of
        the nearest pixel; where there is a lattice, `displacement_y` and `displacement_x` from it.

        Raises
        ------
        ValueError
            If there are no points yet.
        """
        from atomotif.export.tables import columns_table

        self._require_points()
        return columns_table(self.data)
