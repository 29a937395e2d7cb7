import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from atomotif.numerics.reduction import as_basis, reduce_basis


def turned(vectors: object, angle: float) -> np.ndarray:
    """Rows (d_row, d_col) turned by `angle` from columns towards rows."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(vectors, dtype=float) @ np.array([[c, -s], [s, c]])


HEXAGONAL = [[0, 1], [np.sqrt(3) / 2, -0.5]]


def test_hexagonal_has_the_obtuse_basis() -> None:
    a, b = reduce_basis([[0, 1], [np.sqrt(3) / 2, 0.5]])
    np.testing.assert_allclose([a, b], HEXAGONAL, atol=1e-12)


def test_rectangular_puts_the_shorter_vector_first() -> None:
    np.testing.assert_allclose(reduce_basis([[0, 3], [2, 0]]), [[2, 0], [0, -3]], atol=1e-12)
    np.testing.assert_allclose(reduce_basis([[0, 2], [-3, 0]]), [[0, 2], [3, 0]], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    vectors=st.lists(st.floats(-20, 20), min_size=4, max_size=4),
    steps=st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), max_size=5),
    swap=st.booleans(),
)
def test_every_basis_of_a_lattice_gives_the_same(vectors, steps, swap) -> None:
    basis = np.array(vectors).reshape(2, 2)
    lengths = np.hypot(*basis.T)
    assume(lengths.min() > 0.1)
    assume(abs(np.linalg.det(basis)) > 0.05 * lengths.prod())
    other = basis.copy()
    for first, count in steps:
        other[int(first)] += count * other[1 - int(first)]
    if swap:
        other = -other[::-1]
    reduced = reduce_basis(basis)
    np.testing.assert_allclose(reduce_basis(other), reduced, atol=1e-6 * lengths.max())
    change = reduced @ np.linalg.inv(basis)
    np.testing.assert_allclose(change, np.rint(change), atol=1e-6)
    assert np.linalg.det(reduced[:, ::-1]) == pytest.approx(abs(np.linalg.det(basis)))
    # No vector of the lattice is shorter than the 5 % within which lengths count as equal.
    grid = np.stack(np.meshgrid(range(-4, 5), range(-4, 5)), -1).reshape(-1, 2)
    length = np.hypot(*(grid[np.any(grid != 0, axis=1)] @ reduced).T)
    assert np.hypot(*reduced[0]) <= 1.05 * length.min() * (1 + 1e-9)
    assert -np.pi / 2 < np.arctan2(*reduced[0]) + 1e-8


@pytest.mark.parametrize("vectors", [HEXAGONAL, [[0, 1], [1, 0]]], ids=["hexagonal", "square"])
def test_little_strain_does_not_change_the_choice(vectors) -> None:
    rng = np.random.default_rng(0)
    exact = reduce_basis(turned(vectors, 0.2))
    for _ in range(20):
        strained = exact @ (np.eye(2) + rng.uniform(-0.01, 0.01, (2, 2)))
        np.testing.assert_allclose(reduce_basis(strained), exact, atol=0.03)


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ([[1, 2]], r"`vectors` must have shape \(2, 2\), one vector a row, got shape \(1, 2\)"),
        ([[1, np.nan], [0, 1]], "`vectors` must be finite, got"),
        ([[1, 2], [2, 4]], "`vectors` must not be parallel, got"),
        ([[0, 0], [1, 0]], "`vectors` must not be parallel, got"),
    ],
)
def test_malformed_vectors(vectors, words) -> None:
    with pytest.raises(ValueError, match=words):
        as_basis(vectors)
