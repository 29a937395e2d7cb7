"""Step `build_hierarchy`: how minority cells compose motif-cells, and these larger ones."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif._checks import check_choice, check_positive
from atomotif.numerics.crystal_operations import (
    Operations,
    crystal_operations,
    four_fold_of_index,
    identity,
)
from atomotif.steps.base import Context, Parameters

NEIGHBORHOODS = ("nearest", "von_neumann")
SYMMETRIES = ("crystal", "c4", "none")


@dataclass(frozen=True, kw_only=True)
class BuildHierarchyParameters(Parameters):
    """Grow motif-cells from what departs from the crystal, and find which are part of which.

    Parameters
    ----------
    neighborhood : {"nearest", "von_neumann"}, default "nearest"
        "nearest" joins sites whose motif is not the crystal's (or that are empty) when they are no farther
        apart than the shortest lattice vectors; the level of a motif-cell is its number of sites. No count
        depends on the origin, on the choice of lattice vectors or on how columns are paired into cells.
        "von_neumann" joins minority cells with (i +- 1, j) and (i, j +- 1), and the level is the number of
        cells (paper, Methods, steps 5 and 6). On a hexagonal lattice these are four of six neighbours, and
        which ones depends on the choice of lattice vectors: counts change when the image is turned.
    symmetry : {"crystal", "c4", "none"}, default "crystal"
        What makes two motif-cells the same, beside translations: the rotations of the lattice that map the
        perfect crystal onto itself; rotations by 90 degrees of the grid of indices (the paper, right on a
        square lattice); or nothing. Rotations of the crystal may strain it by `max_strain` and move sites by
        10 % of their distance; a cell that is not primitive should keep the shape of the primitive one.
    mirrors : bool, default False
        With "crystal" mirrors, too.
    max_strain : float, default 0.06
        By how much the crystal may be strained by an operation that counts as its symmetry. A lattice that is
        distorted by 3 %, as scans often are, is strained by up to 6 % when it is turned; a tetragonal crystal
        with c/a = 1.065 is not taken for a cubic one.
    edges : {"nearest", "all"} or int, default "nearest"
        From each motif-cell to those it is part of: at the next level that has any (paper, fig. 2D); at all
        levels; or where the levels differ by less than a number (paper, Methods, step 7). With "crystal" the
        smaller one may be turned by the symmetry, else it is only shifted, in the orientation in which it
        happens to be kept: with "c4" edges are those of the paper, but no property of the sample.

    Notes
    -----
    Points without a motif (-1) say nothing of their site: it is neither part of a motif-cell nor of the
    crystal. Motif-cells at the edge of the image may be cut by it.

    Examples
    --------
    >>> hierarchy = session.build_hierarchy().data["hierarchy"]
    >>> int(hierarchy["level"][0]), bool((hierarchy["count"] > 0).all())
    (1, True)
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "lattice", "cells")
    neighborhood: str = "nearest"
    symmetry: str = "crystal"
    mirrors: bool = False
    max_strain: float = 0.06
    edges: str | int = "nearest"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.neighborhood, "neighborhood", NEIGHBORHOODS)
        check_choice(self.symmetry, "symmetry", SYMMETRIES)
        check_positive(self.max_strain, "max_strain")
        whole = isinstance(self.edges, int) and not isinstance(self.edges, bool)
        if self.edges not in ("nearest", "all") and not (whole and int(self.edges) >= 1):
            raise ValueError(
                f"`edges` must be 'nearest', 'all' or a number of at least 1, got {self.edges!r}."
            )
        if self.mirrors and self.symmetry != "crystal":
            raise ValueError('`mirrors` goes with `symmetry="crystal"` only.')


@dataclass(frozen=True)
class _Items:
    """What a motif-cell is made of: sites, or cells."""

    index: NDArray[np.int64]
    kind: NDArray[np.int64]
    state: NDArray[np.int64]
    component: NDArray[np.int64]
    sites: NDArray[np.int64]  # rows of the sites that show an occurrence ...
    site_component: NDArray[np.int64]  # ... and to which component each belongs


def build_hierarchy(
    image: xr.Dataset,  # noqa: ARG001
    points: xr.Dataset,
    lattice: xr.Dataset,
    cells: xr.Dataset,
    parameters: BuildHierarchyParameters,
    context: Context,
) -> xr.Dataset:
    """Return the hierarchy group.

    Raises
    ------
    ValueError
        If the cells are not those of a lattice.
    """
    from atomotif.numerics.motif_cell_edges import subset_edges
    from atomotif.numerics.motif_cells import canonical_forms

    if "site_index" not in cells:
        raise ValueError('`build_hierarchy` needs the cells of a lattice; run `find_cells(cells="lattice")`.')
    vectors, fractions = lattice["vector"].values, lattice["fraction"].values
    majority, max_strain = cells["majority"].values, parameters.max_strain
    crystal = crystal_operations(vectors, fractions, majority, max_strain=max_strain)
    by_sites = parameters.neighborhood == "nearest"
    items = _sites(vectors, fractions, cells, crystal) if by_sites else _cells(cells)
    n_kinds = len(fractions) if by_sites else 1
    if parameters.symmetry == "crystal" and not by_sites:
        # The crystal's symmetry acts on sites, not on parallelograms.
        items, n_kinds = _sites_of_cells(items, cells), len(fractions)
    operations = _operations(parameters, vectors, fractions, cells, n_kinds)
    forms = canonical_forms(items.index, items.kind, items.state, items.component, operations)
    allowed = operations if parameters.symmetry == "crystal" else identity(n_kinds)
    # Cells whose sites are compared have as many items each: levels are told in cells.
    size = 1 if by_sites or parameters.symmetry != "crystal" else len(fractions)
    edges = parameters.edges if isinstance(parameters.edges, str) else (parameters.edges - 1) * size + 1
    lower, higher = subset_edges(forms, allowed, edges, n_threads=context.n_threads)
    order = np.argsort(items.site_component, kind="stable")
    at = items.sites[order]
    in_component = np.bincount(items.site_component, minlength=len(forms.node))
    node_of_site = np.full(cells.sizes["site"], -1, np.int64)
    node_of_site[items.sites] = forms.node[items.site_component]
    units = {"units": cells["site_y"].attrs["units"]}
    turns = (
        _angles(operations, vectors) if parameters.symmetry == "crystal" else np.zeros(len(operations.matrix))
    )

    def centers(axis: str) -> NDArray[np.float64]:
        total = np.bincount(items.site_component, cells[axis].values[items.sites], len(in_component))
        return np.asarray(total / in_component)[forms.occurrence]

    starts = np.append(0, np.cumsum(in_component))
    runs = [at[starts[k] : starts[k + 1]] for k in forms.occurrence]
    return xr.Dataset(
        {
            "level": ("node", forms.level // size),
            "count": ("node", forms.count),
            "item_offset": ("node_bound", forms.offsets),
            "item_index": (("item", "vectors"), forms.index),
            "item_kind": ("item", forms.kind),
            "item_state": ("item", forms.state),
            "occurrence_offset": ("node_bound", forms.occurrence_offsets),
            "occurrence_y": ("occurrence", centers("site_y"), units),
            "occurrence_x": ("occurrence", centers("site_x"), units),
            "occurrence_angle": ("occurrence", turns[forms.operation[forms.occurrence]], {"units": "rad"}),
            "site_offset": ("occurrence_bound", np.cumsum([0, *map(len, runs)], dtype=np.int64)),
            "site": ("occurrence_site", np.concatenate([np.empty(0, np.int64), *runs])),
            "lower": ("edge", lower),
            "higher": ("edge", higher),
            "node": ("point", node_of_site[cells["site_of_point"].values]),
        },
        coords={"id": ("point", points["id"].values)},
        attrs={
            "items": "sites" if by_sites or parameters.symmetry == "crystal" else "cells",
            "unit": "sites" if by_sites else "cells",
            "symmetry_order": len(operations.matrix),
        },
    )


def _angles(operations: Operations, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by which angle each operation turns the plane, from columns towards rows; 0 for mirrors."""
    turned = np.linalg.inv(vectors) @ operations.matrix @ vectors
    angle = np.arctan2(turned[:, 1, 0] - turned[:, 0, 1], turned[:, 0, 0] + turned[:, 1, 1])
    return np.asarray(np.where(np.linalg.det(turned) > 0, angle, 0.0))


def _operations(
    parameters: BuildHierarchyParameters,
    vectors: NDArray[np.float64],
    fractions: NDArray[np.float64],
    cells: xr.Dataset,
    n_kinds: int,
) -> Operations:
    if parameters.symmetry == "crystal":
        majority = cells["majority"].values
        return crystal_operations(
            vectors, fractions, majority, mirrors=parameters.mirrors, max_strain=parameters.max_strain
        )
    if parameters.symmetry == "none":
        return identity(n_kinds)
    turns = four_fold_of_index().matrix
    kinds = np.tile(np.arange(n_kinds), (len(turns), 1))
    return Operations(turns, kinds, np.zeros((len(turns), n_kinds, 2), np.int64))


def _sites(
    vectors: NDArray[np.float64], fractions: NDArray[np.float64], cells: xr.Dataset, crystal: Operations
) -> _Items:
    from atomotif.numerics.motif_cells import grow
    from atomotif.numerics.site_neighbors import near_offsets

    rows = np.flatnonzero(cells["site_defect"].values)
    index, kind = cells["site_index"].values[rows], cells["site_sublattice"].values[rows]
    component = grow(index, kind, near_offsets(vectors, fractions, operations=crystal))
    return _Items(index, kind, cells["site_state"].values[rows], component, rows, component)


def _cells(cells: xr.Dataset) -> _Items:
    from atomotif.numerics.motif_cells import grow
    from atomotif.numerics.site_neighbors import von_neumann_offsets

    chosen = np.flatnonzero(cells["minority"].values)
    index = cells["index"].values[chosen]
    kind = np.zeros(len(chosen), np.int64)
    component = grow(index, kind, von_neumann_offsets())
    cell_of_site = _cell_of_site(cells)
    sites = np.flatnonzero(np.isin(cell_of_site, chosen))
    of_cell = np.searchsorted(chosen, cell_of_site[sites])
    return _Items(index, kind, cells["class"].values[chosen], component, sites, component[of_cell])


def _sites_of_cells(items: _Items, cells: xr.Dataset) -> _Items:
    return _Items(
        cells["site_index"].values[items.sites],
        cells["site_sublattice"].values[items.sites],
        cells["site_state"].values[items.sites],
        items.site_component,
        items.sites,
        items.site_component,
    )


def _cell_of_site(cells: xr.Dataset) -> NDArray[np.int64]:
    # Cells are sorted by their index, and sites by that of their cell.
    rows: NDArray[np.int64] = np.unique(cells["site_index"].values, axis=0, return_inverse=True)[1]
    return rows.reshape(-1)
