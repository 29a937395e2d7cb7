"""Point and line defects on the sites of a crystal, and the neighbourhoods that they make."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from atomotif._checks import as_points
from atomotif.datasets.simulate._atoms import column_intensity
from atomotif.datasets.simulate._defect_names import atoms_of, half_vacancy, hosts_of
from atomotif.datasets.simulate._materials import Material

__all__ = ["NEAR", "Sites", "VacancyLine", "neighborhoods", "plant_clusters", "plant_defects", "plant_lines"]

#: Neighbours are within this many bonds, those of one sublattice within this many lattice constants: in both
#: cases the next are at 1.73.
NEAR = 1.3


class VacancyLine(NamedTuple):
    """A row of vacancies along a zigzag direction, of half of the atoms of a chalcogen column each.

    Single and double rows are known from MoS2 (Komsa et al., Phys. Rev. B 88, 035301 (2013); Wang et al., ACS
    Nano 10, 5419 (2016)). There the lattice contracts across them; here columns stay in their places.

    Attributes
    ----------
    start : (float, float)
        (row, col) px; the line begins at the nearest site.
    length : int
        Number of vacancies in a row.
    direction : {0, 1, 2}
        Along the first lattice vector, the second, or their difference.
    rows : {1, 2}
        One row, or two next to each other.
    """

    start: tuple[float, float]
    length: int
    direction: int = 0
    rows: int = 1


class Sites(NamedTuple):
    """The sites of a crystal; `label` is changed as defects are planted.

    Attributes
    ----------
    material : Material
    reference : ndarray of float64, shape (n, 2)
        (y, x) before displacement, nm.
    pixel : ndarray of float64, shape (n, 2)
        (row, col) where they are imaged.
    basis : ndarray of int64, shape (n,)
        0 or 1, the site of the honeycomb.
    listed : ndarray of bool, shape (n,)
        Whether they are in the image.
    label : ndarray of object, shape (n,)
        What is there.
    """

    material: Material
    reference: NDArray[np.float64]
    pixel: NDArray[np.float64]
    basis: NDArray[np.int64]
    listed: NDArray[np.bool_]
    label: NDArray[np.object_]

    @property
    def pristine(self) -> NDArray[np.bool_]:
        """Sites on which there is no defect."""
        return np.asarray(self.label == np.array(self.material.columns, object)[self.basis])

    def intensity(self, exponent: float) -> NDArray[np.float64]:
        """Return the intensity of every column."""
        names, index = np.unique(self.label.astype(str), return_inverse=True)
        atoms = [atoms_of(str(name), self.material) for name in names]
        return np.array([column_intensity(each, exponent) for each in atoms])[index]


def plant_defects(
    sites: Sites, defects: Mapping[str, float | ArrayLike], generator: np.random.Generator
) -> None:
    """Put defects on random pristine sites, as `monolayer` tells, in the order in which they are given."""
    for name, amount in defects.items():
        where = hosts_of(name, sites.material)
        free = np.isin(sites.basis, where) & sites.pristine
        if np.ndim(amount) == 2:
            sites.label[_nearest(sites, free, as_points(amount, "defects"))] = name
            continue
        inside, outside = np.flatnonzero(free & sites.listed), np.flatnonzero(free & ~sites.listed)
        total = int((np.isin(sites.basis, where) & sites.listed).sum())
        count = _count(name, amount, total)
        if count > len(inside):
            raise ValueError(f"`defects` must find room: {name!r} needs {count} of {len(inside)} free sites.")
        sites.label[generator.choice(inside, count, replace=False)] = name
        around = generator.random(len(outside)) < count / max(total, 1)
        sites.label[outside[around]] = name


def plant_clusters(sites: Sites, size: int, count: int, generator: np.random.Generator) -> None:
    """Put vacancies on `count` pairs or triples of adjacent anion sites; triples are round one cation."""
    anion = np.flatnonzero(sites.basis == 1)
    tree = cKDTree(sites.reference[anion])
    if size == 2:
        groups = tree.query_pairs(NEAR * sites.material.lattice_constant, output_type="ndarray")
    else:
        around = tree.query_ball_point(sites.reference[sites.basis == 0], NEAR * sites.material.bond)
        groups = np.array([each for each in around if len(each) == size], np.int64)
    groups = anion[groups.reshape(-1, size)]
    for _ in range(count):
        free = (sites.pristine & sites.listed)[groups].all(axis=1)
        if not free.any():
            raise ValueError(f"vacancies must find room: no {size} adjacent free sites are left.")
        sites.label[groups[generator.choice(np.flatnonzero(free))]] = half_vacancy(sites.material)


def plant_lines(sites: Sites, lines: Iterable[VacancyLine], vectors: NDArray[np.float64]) -> None:
    """Put rows of vacancies on the anion sites."""
    vacancy = half_vacancy(sites.material)
    steps = np.array([vectors[0], vectors[1], vectors[1] - vectors[0]])
    aside = np.array([vectors[1], vectors[1] - vectors[0], -vectors[0]])
    anion = np.flatnonzero(sites.basis == 1)
    tree = cKDTree(sites.reference[anion])
    for each in lines:
        line = VacancyLine(*each)
        if line.direction not in (0, 1, 2) or line.rows not in (1, 2) or line.length < 1:
            raise ValueError(
                "`vacancy_lines` must have a length above 0, a direction of 0 to 2 and 1 or 2 rows, "
                f"got {each}."
            )
        start = sites.reference[_nearest(sites, sites.basis == 1, as_points([line.start], "vacancy_lines"))]
        for row in range(line.rows):
            along = np.arange(line.length)[:, None] * steps[line.direction]
            distance, found = tree.query(start + along + row * aside[line.direction])
            there = anion[found[distance < 0.5 * sites.material.bond]]
            sites.label[there] = vacancy


def neighborhoods(sites: Sites, boundary: NDArray[np.bool_] | None = None) -> NDArray[np.str_]:
    """Return the kind of every column with the defects on the nearest sites, such as "Mo#1TeS,1VS".

    A column whose neighbours are pristine is called by its kind alone. Columns marked by `boundary` have
    "_gb" behind their kind.
    """
    defect = ~sites.pristine
    names = sorted(set(sites.label[defect].tolist()))
    pairs = cKDTree(sites.reference).query_pairs(NEAR * sites.material.bond, output_type="ndarray")
    counts = np.zeros((len(sites.label), len(names)), np.int64)
    kind = {name: index for index, name in enumerate(names)}
    for a, b in ((pairs[:, 0], pairs[:, 1]), (pairs[:, 1], pairs[:, 0])):
        to = defect[b]
        np.add.at(counts, (a[to], [kind[name] for name in sites.label[b[to]]]), 1)
    base = sites.label.astype(str)
    if boundary is not None:
        base = np.where(boundary, np.char.add(base, "_gb"), base)
    result = base.astype(object)
    for row in np.flatnonzero(counts.any(axis=1)):
        around = ",".join(f"{number}{name}" for number, name in zip(counts[row], names) if number)
        result[row] = f"{base[row]}#{around}"
    return result.astype(str)


def _count(name: str, amount: object, total: int) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int | float | np.integer | np.floating):
        raise TypeError(f"`defects` must give a share, a number or positions for {name!r}, got {amount!r}.")
    if isinstance(amount, int | np.integer):
        if amount < 0:
            raise ValueError(f"`defects` must not be negative, got {amount} for {name!r}.")
        return int(amount)
    if not 0 <= amount <= 1:
        raise ValueError(f"`defects` must have shares from 0 to 1, got {amount} for {name!r}.")
    return round(float(amount) * total)


def _nearest(sites: Sites, free: NDArray[np.bool_], pixel: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the free sites next to positions in pixels."""
    index = np.flatnonzero(free)
    if len(index) < len(pixel):
        raise ValueError(f"`defects` must find room: {len(pixel)} positions for {len(index)} free sites.")
    found: NDArray[np.int64] = index[cKDTree(sites.pixel[index]).query(pixel)[1]]
    if len(np.unique(found)) < len(found):
        raise ValueError("`defects` must not list two positions at one site.")
    return found
