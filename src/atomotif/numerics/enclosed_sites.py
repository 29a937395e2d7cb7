"""Sites of a lattice that lie among its own points, where these are a part of a larger field."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree

from atomotif._checks import as_points
from atomotif.numerics.lattice import Lattice
from atomotif.numerics.moments import patch_coverage

__all__ = ["enclosed"]

# Radius within which sites are counted, in lengths of the longer lattice vector: a dozen cells.
_REACH = 2.0
# Least share of the sites there that are taken: on a straight border it is about a half, give or take a row.
_LEAST = 0.6


def enclosed(
    places: ArrayLike, points: ArrayLike, lattice: Lattice, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Tell which empty sites lie in the region that the points of a lattice cover.

    The convex hull of a grain holds parts of its neighbours; the sites there are not missing columns.

    Parameters
    ----------
    places : array_like, shape (m, 2)
        (row, col) px of empty sites, see `atomotif.numerics.lattice.sites`.
    points : array_like, shape (n, 2)
        (row, col) px of the points on sites.
    lattice : Lattice
        What `find_lattice` returned.
    shape : (int, int)
        Rows and columns of the image, px.

    Returns
    -------
    ndarray of bool, shape (m,)
        True where of the sites within two lattice vectors, and within the image, three fifths have a point:
        on a straight border of the region one half has. A vacancy in the outermost rows may be lost.

    Examples
    --------
    >>> from atomotif.numerics.lattice import find_lattice, sites
    >>> points = 10.0 + 10.0 * np.mgrid[:20, :20].reshape(2, -1).T
    >>> inside = (points[:, 0] < 100) | (points[:, 1] < 100)  # an L, with a vacancy
    >>> inside &= np.hypot(*(points - [50, 150]).T) > 5
    >>> lattice = find_lattice(points[inside])
    >>> _, _, empty = sites(lattice, (220, 220))
    >>> kept = enclosed(empty, points[inside], lattice, (220, 220))
    >>> len(empty) > 30, empty[kept].round(6).tolist()
    (True, [[50.0, 150.0]])
    """
    where = as_points(places, "places")
    if not len(where):
        return np.zeros(0, dtype=bool)
    reach = _REACH * np.hypot(*lattice.vectors.T).max()
    taken = KDTree(as_points(points)).query_ball_point(where, reach, return_length=True)
    density = len(lattice.fractions) / abs(np.linalg.det(lattice.vectors))
    expected = density * np.pi * reach**2 * patch_coverage(where, reach, shape) - 1  # without itself
    return np.asarray(taken >= _LEAST * expected)
