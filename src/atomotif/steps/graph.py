"""Which step makes which group, and in which order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import xarray as xr

from atomotif.steps import (
    build_hierarchy,
    compare_domains,
    compute_features,
    compute_layout,
    denoise,
    find_anchors,
    find_cells,
    find_domains,
    find_environments,
    find_grains,
    find_lattice,
    find_motifs,
    find_points,
    find_quads,
    flatten,
    map_symmetry,
    measure_moire,
    measure_patch_size,
    measure_strain,
    measure_symmetry,
    reconstruct,
)
from atomotif.steps.base import Parameters


@dataclass(frozen=True)
class Step:
    """A step of the method.

    Parameters
    ----------
    verb : str
        What a user calls.
    group : str
        The group that it makes or, of the image, adds to.
    parameters : type of Parameters
        The dataclass of its parameters.
    function : callable
        From the groups that its parameters require, in order, and the optional ones as keywords (None for
        one that is not there), to one group.
    sample : {"any", "discrete", "crystal", "continuous"}, default "any"
        For which samples `run` makes it unasked. "discrete": where the features fall into groups; "crystal":
        where they do and there is a lattice, so that it and what depends on it are left out where it finds
        nothing, instead of failing; "continuous": where they form a continuum, likewise left out where it
        finds nothing.
    on_demand : bool, default False
        Whether `run` makes it only where it was asked for before, or its parameters are given.
    """

    verb: str
    group: str
    parameters: type[Parameters]
    function: Callable[..., xr.Dataset]
    sample: str = "any"
    on_demand: bool = False

    @property
    def may_find_nothing(self) -> bool:
        """Whether only some of its samples have what it finds."""
        return self.sample in ("crystal", "continuous")

    def suits(self, *, continuous: bool) -> bool:
        """Return whether it is for samples that are continuous, or for those that are not."""
        return self.sample == "any" or (self.sample == "continuous") == continuous


#: All steps in the order in which they run.
STEPS: dict[str, Step] = {
    step.verb: step
    for step in (
        Step("flatten", "image", flatten.FlattenParameters, flatten.flatten),
        Step("denoise", "image", denoise.DenoiseParameters, denoise.denoise),
        Step("find_points", "points", find_points.FindPointsParameters, find_points.find_points),
        Step(
            "measure_patch_size",
            "patch",
            measure_patch_size.MeasurePatchSizeParameters,
            measure_patch_size.measure_patch_size,
        ),
        Step(
            "map_symmetry",
            "symmetry_map",
            map_symmetry.MapSymmetryParameters,
            map_symmetry.map_symmetry,
            on_demand=True,
        ),
        Step(
            "compute_features",
            "features",
            compute_features.ComputeFeaturesParameters,
            compute_features.compute_features,
        ),
        Step(
            "measure_symmetry",
            "symmetry",
            measure_symmetry.MeasureSymmetryParameters,
            measure_symmetry.measure_symmetry,
            on_demand=True,
        ),
        Step(
            "find_grains", "grains", find_grains.FindGrainsParameters, find_grains.find_grains, on_demand=True
        ),
        Step(
            "compute_layout", "layout", compute_layout.ComputeLayoutParameters, compute_layout.compute_layout
        ),
        Step("find_motifs", "motifs", find_motifs.FindMotifsParameters, find_motifs.find_motifs, "discrete"),
        Step(
            "find_lattice",
            "lattice",
            find_lattice.FindLatticeParameters,
            find_lattice.find_lattice,
            "crystal",
        ),
        Step(
            "measure_strain",
            "strain",
            measure_strain.MeasureStrainParameters,
            measure_strain.measure_strain,
            "crystal",
        ),
        Step("find_cells", "cells", find_cells.FindCellsParameters, find_cells.find_cells, "crystal"),
        Step(
            "build_hierarchy",
            "hierarchy",
            build_hierarchy.BuildHierarchyParameters,
            build_hierarchy.build_hierarchy,
            "crystal",
        ),
        Step(
            "find_environments",
            "environments",
            find_environments.FindEnvironmentsParameters,
            find_environments.find_environments,
            sample="crystal",
            on_demand=True,
        ),
        Step(
            "find_quads",
            "quads",
            find_quads.FindQuadsParameters,
            find_quads.find_quads,
            sample="crystal",
            on_demand=True,
        ),
        Step(
            "reconstruct",
            "reconstruction",
            reconstruct.ReconstructParameters,
            reconstruct.reconstruct,
            sample="crystal",
            on_demand=True,
        ),
        Step(
            "measure_moire",
            "moire",
            measure_moire.MeasureMoireParameters,
            measure_moire.measure_moire,
            "continuous",
        ),
        Step(
            "find_anchors",
            "anchors",
            find_anchors.FindAnchorsParameters,
            find_anchors.find_anchors,
            "continuous",
        ),
        Step(
            "find_domains",
            "domains",
            find_domains.FindDomainsParameters,
            find_domains.find_domains,
            "continuous",
        ),
        Step(
            "compare_domains",
            "comparison",
            compare_domains.CompareDomainsParameters,
            compare_domains.compare_domains,
            "continuous",
        ),
    )
}

#: The groups in the order in which they are made.
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(step.group for step in STEPS.values()))


def makers(group: str) -> tuple[Step, ...]:
    """Return the steps that make `group`, in order."""
    return tuple(step for step in STEPS.values() if step.group == group)


def steps_with(parameter: str) -> tuple[Step, ...]:
    """Return the steps that have a parameter of this name."""
    return tuple(step for step in STEPS.values() if parameter in step.parameters.names())


def dependents(group: str, parameters: Mapping[str, Parameters]) -> tuple[str, ...]:
    """Return the groups that depend on `group`, directly or not, in order.

    Parameters
    ----------
    group : str
        The group that changes.
    parameters : dict of str to Parameters
        For each step the values that it runs with; a step not in it counts with its defaults.
    """
    changed = {group}
    for step in STEPS.values():
        values = parameters.get(step.verb) or step.parameters()
        if step.group != group and changed.intersection(values.reads()):
            changed.add(step.group)
    return tuple(name for name in GROUPS if name in changed and name != group)
