"""Two layers on top of each other: where each is displaced to, and their registry anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atomotif.datasets.simulate._frame import Frame
from atomotif.datasets.simulate._materials import BASIS

__all__ = ["BilayerGeometry", "reduced_to_cell"]

_ROUNDS = 200
# How exactly a displacement is inverted, nm.
_TOLERANCE = 1e-10
# Determinant of the registry's gradient below which the layers are alike: a twist of 0.001 degrees has 3e-10.
_NO_MOIRE = 1e-12


@dataclass(frozen=True)
class BilayerGeometry:
    """A honeycomb layer and its partner, twisted about `centre`; all vectors are (y, x) in nm.

    Attributes
    ----------
    frame : Frame
        Its displacement moves both layers.
    vectors : ndarray of float64, shape (2, 2)
        Lattice vectors of layer 1 as rows, 60 degrees apart.
    bond : ndarray of float64, shape (2,)
        From a site of the first kind to one of the second, in layer 1.
    centre : ndarray of float64, shape (2,)
        Axis of the twist: a site of the first kind of layer 1.
    twist : float
        Of layer 2, from x to y, degrees.
    shift : ndarray of float64, shape (2,)
        Of layer 2 at `centre` from the family's first stacking.
    highest : ndarray of float64, shape (2,)
        Registry of the stacking of the highest energy.
    relaxation : float
        0 for rigid layers, below 1.
    layer_gradient : ndarray of float64, shape (2, 2)
        Displacement gradient of layer 2 alone, about the frame's centre, after the twist.
    local_shift : callable
        Further displacement (n, 2) of layer 2 alone at positions (n, 2).
    """

    frame: Frame
    vectors: NDArray[np.float64]
    bond: NDArray[np.float64]
    centre: NDArray[np.float64]
    twist: float
    shift: NDArray[np.float64]
    highest: NDArray[np.float64]
    relaxation: float
    layer_gradient: NDArray[np.float64]
    local_shift: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    @property
    def turn(self) -> NDArray[np.float64]:
        """The twist as a matrix for (y, x) rows: ``rows @ turn``."""
        cosine, sine = np.cos(np.deg2rad(self.twist)), np.sin(np.deg2rad(self.twist))
        return np.array([[cosine, -sine], [sine, cosine]])

    @property
    def registry_gradient(self) -> NDArray[np.float64]:
        """How the registry of the rigid layers changes with the position: ``rows @ registry_gradient``."""
        gradient: NDArray[np.float64] = (
            np.eye(2) - np.linalg.inv(np.eye(2) + self.layer_gradient.T) @ self.turn.T
        )
        return gradient

    @property
    def has_moire(self) -> bool:
        """Whether the layers differ at all."""
        return bool(abs(np.linalg.det(self.registry_gradient)) > _NO_MOIRE)

    @property
    def moire_vectors(self) -> NDArray[np.float64]:
        """Periods of the moiré of rigid layers as rows, nm; infinite if there is none."""
        if not self.has_moire:
            return np.full((2, 2), np.inf)
        moire: NDArray[np.float64] = self.vectors @ np.linalg.inv(self.registry_gradient)
        return moire

    @property
    def period(self) -> float:
        """Period of the moiré as that of a hexagonal cell of its area, nm."""
        return (
            float(np.sqrt(abs(np.linalg.det(self.moire_vectors)) * 2 / np.sqrt(3)))
            if self.has_moire
            else np.inf
        )

    def layer_1(self, rigid: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where rigid places of layer 1 are displaced to, before what displaces both layers."""
        return rigid - 0.5 * self._relaxed(rigid)

    def layer_2(self, rigid: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where rigid places of layer 2, after the twist, are displaced to."""
        return self._displaced_2(rigid + (rigid - self.frame.centre) @ self.layer_gradient.T)

    def sites(self, layer: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return all sites of a layer that may reach into the frame, before what displaces both, and which.

        The site 0 of layer 1 is of the first kind; that of layer 2 is the one on top of it.
        """
        place = self.layer_1 if layer == 1 else self.layer_2
        turn = np.eye(2) if layer == 1 else self.turn
        origin = self.centre + (0 if layer == 1 else 1) * self.shift @ turn
        wide = replace(self.frame, displacement=lambda rigid: self.frame.displaced(place(rigid)) - rigid)
        rigid, _, which = wide.sites(self.vectors @ turn, BASIS, origin)
        return place(rigid), which

    def registry(self, position: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the displacement of layer 2 from the first stacking, reduced to the cell of layer 1.

        It is the difference, in the material, of the sites of both layers that lie at a position: exact also
        where the layers are strained.
        """
        plain = _inverse(self.frame.displaced, position)
        strained = _inverse(self._displaced_2, plain)
        return reduced_to_cell(self._rigid(strained) + _inverse(self.layer_1, plain) - strained, self.vectors)

    def places(self, registry: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where in the frame the rigid layers have a registry, before any displacement; (n, 2)."""
        if not self.has_moire:
            return np.empty((0, 2))
        at_centre = self._rigid(self.centre[None])[0]
        origin = self.centre + (registry - at_centre) @ np.linalg.inv(self.registry_gradient)
        place, _, _ = self.frame.sites(self.moire_vectors, np.zeros((1, 2)), origin)
        return place

    def _rigid(self, strained: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions less the sites of layer 2 that the twist and the gradient take there."""
        middle = self.frame.centre
        turned = (strained - middle) @ np.linalg.inv(np.eye(2) + self.layer_gradient.T) + middle
        return strained - ((turned - self.centre) @ self.turn.T + self.centre - self.shift)

    def _displaced_2(self, strained: NDArray[np.float64]) -> NDArray[np.float64]:
        return strained + 0.5 * self._relaxed(strained) + self.local_shift(strained)

    def _relaxed(self, position: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much the registry grows: down the slope of the energy at the rigid registry.

        The energy is the first star of its Fourier series, with its maximum at the highest stacking. At a
        relaxation of 1 the narrowest part of a wall, between two domains, would fold.
        """
        if self.relaxation == 0:
            return np.zeros_like(position)
        wave = 2 * np.pi * np.linalg.inv(self.vectors).T
        star = np.array([wave[0], wave[1], -wave[0] - wave[1]])
        down = np.sin((self._rigid(position) - self.highest) @ star.T) @ star
        result: NDArray[np.float64] = self.relaxation / (1.5 * star[0] @ star[0]) * down
        return result


def reduced_to_cell(vector: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shortest equivalent of vectors (n, 2): within the Wigner-Seitz cell of a reduced basis.

    Examples
    --------
    >>> reduced_to_cell(np.array([[0.9, 2.2]]), np.eye(2)).round(3)
    array([[-0.1,  0.2]])
    """
    fraction = vector @ np.linalg.inv(lattice)
    near = (fraction - np.round(fraction)) @ lattice
    around = np.array([(i, j) for i in (0, -1, 1) for j in (0, -1, 1)]) @ lattice
    candidates = near[:, None] + around
    nearest = np.argmin((candidates**2).sum(axis=2), axis=1)
    shortest: NDArray[np.float64] = candidates[np.arange(len(near)), nearest]
    return shortest


def _inverse(
    displaced: Callable[[NDArray[np.float64]], NDArray[np.float64]], position: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what is displaced to the positions."""
    result = position.copy()
    for _ in range(_ROUNDS):
        miss = position - displaced(result)
        result += miss
        if np.abs(miss).max(initial=0.0) < _TOLERANCE:
            return result
    raise ValueError("`displacement` must be gentle enough to be inverted: a gradient below 1 everywhere.")
