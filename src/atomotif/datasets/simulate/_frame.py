"""The frame of a simulated micrograph: its pixels, how columns look in it, and how it is displaced."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import check_positive
from atomotif.numerics.rendering import Profile, profile_reach

__all__ = ["Displacement", "Frame", "unit_vectors"]

#: A gradient about the frame's centre, shape (2, 2), or a function of reference positions (n, 2) in nm that
#: returns displacements (n, 2) in nm; axes are (y, x).
Displacement = ArrayLike | Callable[[NDArray[np.float64]], ArrayLike]

# Half of the step of the central differences of a displacement, nm: far below any column's spacing.
_STEP = 1e-4
# Least margin, nm: it holds the neighbours of all columns in the frame.
_LEAST = 1.0
# Rounds in which the margin grows to hold all that a displacement moves into the frame.
_ROUNDS = 8


@dataclass(frozen=True)
class Frame:
    """What of a structure is imaged, and how.

    The centre of pixel (0, 0) is the origin; positions are (y, x) in nm, y downwards.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns.
    pixel_size : float
        nm.
    profile : Profile
        How a column of intensity 1 looks, as for `atomotif.numerics.rendering.render_columns`, but with
        distances and widths in nm.
    displacement : Displacement, optional
        What is added to the reference positions of a structure. An array is the gradient
        ``d u_i / d x_j``, axes (y, x), about the frame's centre.
    """

    shape: tuple[int, int]
    pixel_size: float
    profile: Profile = 0.1
    displacement: Displacement | None = None

    def __post_init__(self) -> None:
        check_positive(self.pixel_size, "pixel_size")
        shape = tuple(self.shape)
        if len(shape) != 2 or not all(isinstance(side, int | np.integer) and side >= 8 for side in shape):
            raise ValueError(f"`shape` must be two whole numbers of at least 8 px, got {self.shape!r}.")
        if self.displacement is not None and not callable(self.displacement):
            gradient = np.asarray(self.displacement, np.float64)
            if gradient.shape != (2, 2) or not np.isfinite(gradient).all():
                raise ValueError(
                    f"`displacement` must be a finite gradient of shape (2, 2) or callable, got {gradient!r}."
                )

    @property
    def centre(self) -> NDArray[np.float64]:
        """(y, x) of the frame's centre, nm."""
        return (np.array(self.shape) - 1) / 2 * self.pixel_size

    @cached_property
    def pixel_profile(self) -> Profile:
        """The profile in pixels."""
        if callable(self.profile):
            function = self.profile
            return lambda distance: function(distance * self.pixel_size)
        if np.ndim(self.profile) == 0:
            return check_positive(self.profile, "profile") / self.pixel_size
        listed: NDArray[np.float64] = np.asarray(self.profile, np.float64) / [self.pixel_size, 1.0]
        return listed

    @cached_property
    def margin(self) -> float:
        """How far outside the frame reference positions may lie and still matter in it, nm."""
        reach = max((profile_reach(self.pixel_profile) + 1) * self.pixel_size, _LEAST)
        margin = reach
        if self.displacement is None:
            return margin
        for _ in range(_ROUNDS):
            low, high = -margin, 2 * self.centre + margin
            rows, cols = (np.linspace(low, top, 65) for top in high)
            grid = np.stack(np.meshgrid(rows, cols, indexing="ij"), -1).reshape(-1, 2)
            margin = reach + 1.05 * float(np.abs(self.displaced(grid) - grid).max())
        return margin

    def displaced(self, reference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where reference positions (n, 2), nm, are moved to."""
        if self.displacement is None:
            return reference
        if callable(self.displacement):
            moved = np.asarray(self.displacement(reference), np.float64)
            if moved.shape != reference.shape or not np.isfinite(moved).all():
                raise ValueError("`displacement` must return a finite (y, x) for each position, got others.")
            return reference + moved
        return reference + (reference - self.centre) @ np.asarray(self.displacement, np.float64).T

    def gradient(self, reference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``d u_i / d x_j`` at reference positions (n, 2), shape (n, 2, 2), by central differences."""
        result = np.empty((len(reference), 2, 2))
        for j, step in enumerate(np.eye(2) * _STEP):
            difference = self.displaced(reference + step) - self.displaced(reference - step)
            result[:, :, j] = difference / (2 * _STEP) - np.eye(2)[j]
        return result

    def listed(self, position: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which positions (n, 2), nm, lie on a pixel, and so are listed in the truth."""
        pixel = position / self.pixel_size
        inside: NDArray[np.bool_] = np.all((pixel >= -0.5) & (pixel < np.array(self.shape) - 0.5), axis=1)
        return inside

    def sites(
        self, vectors: NDArray[np.float64], basis: NDArray[np.float64], origin: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Return all sites of a lattice that may reach into the frame.

        Parameters
        ----------
        vectors : ndarray of float64, shape (2, 2)
            Lattice vectors as rows (y, x), nm.
        basis : ndarray of float64, shape (b, 2)
            Sites of a cell as fractions of the vectors.
        origin : ndarray of float64, shape (2,)
            Position of the corner of cell (0, 0), nm.

        Returns
        -------
        position : ndarray of float64, shape (n, 2)
            Reference positions, nm.
        cell : ndarray of int64, shape (n, 2)
        basis : ndarray of int64, shape (n,)
        """
        low, high = np.full(2, -self.margin), 2 * self.centre + self.margin
        corners = np.array([[y, x] for y in (low[0], high[0]) for x in (low[1], high[1])])
        inside = (corners - origin) @ np.linalg.inv(vectors)
        first = np.floor(inside.min(axis=0)).astype(np.int64) - 1
        last = np.ceil(inside.max(axis=0)).astype(np.int64) + 1
        i, j, which = np.meshgrid(
            np.arange(first[0], last[0] + 1),
            np.arange(first[1], last[1] + 1),
            np.arange(len(basis)),
            indexing="ij",
        )
        cell, site = np.column_stack([i.ravel(), j.ravel()]), which.ravel()
        position = origin + (cell + basis[site]) @ vectors
        near = ((position >= low) & (position <= high)).all(axis=1)
        return position[near], cell[near], site[near]


def unit_vectors(degrees: ArrayLike) -> NDArray[np.float64]:
    """Return unit vectors (y, x) at angles that turn from x towards y, shape (..., 2).

    Examples
    --------
    >>> unit_vectors([0, 90]).round(3).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    angle = np.deg2rad(np.asarray(degrees, np.float64))
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1)
