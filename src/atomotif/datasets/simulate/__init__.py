"""Simulated micrographs of crystals, defects and boundaries, with the exact truth about every column."""

from atomotif.datasets.simulate._defects import VacancyLine
from atomotif.datasets.simulate.bilayer import registry_at, twisted_bilayer
from atomotif.datasets.simulate.boundaries import grain_boundary
from atomotif.datasets.simulate.monolayers import monolayer
from atomotif.datasets.simulate.nfold import n_fold_motifs
from atomotif.datasets.simulate.noise import add_noise
from atomotif.datasets.simulate.pentagons import pentagon_tiling
from atomotif.datasets.simulate.perovskites import perovskite_interface
from atomotif.datasets.simulate.strain import ripple, strain_ramp, uniform_strain
from atomotif.datasets.simulate.twins import mirror_twin_boundary

__all__ = [
    "VacancyLine",
    "add_noise",
    "grain_boundary",
    "mirror_twin_boundary",
    "monolayer",
    "n_fold_motifs",
    "pentagon_tiling",
    "perovskite_interface",
    "registry_at",
    "ripple",
    "strain_ramp",
    "twisted_bilayer",
    "uniform_strain",
]
