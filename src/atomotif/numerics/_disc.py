"""Exact integrals of Zernike polynomials over pixels cut by the rim of the unit disc."""

from functools import lru_cache
from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Gauss-Legendre nodes for one smooth piece of the rim; the integrand is a trigonometric polynomial of
# degree <= order + 2 there, which 16 nodes integrate to rounding on any piece shorter than a radian.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def pair_arrays(order: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return p and q of every moment up to `order`, in the order j = (p (p + 2) + q) / 2."""
    pairs = [(p, q) for p in range(order + 1) for q in range(-p, p + 1, 2)]
    p, q = np.array(pairs, dtype=np.int64).T
    return p, q


@lru_cache(maxsize=8)
def monomial_coefficients(order: int) -> Floats:
    """Return the coefficients of V_j in the monomials x^a y^b, shape (n_moments, order + 1, order + 1).

    They are sums of integers, scaled once by the norm: for order 10 the largest is about 1e5, so that
    values on the disc keep some eleven digits.
    """
    p_all, q_all = pair_arrays(order)
    table = np.zeros((len(p_all), order + 1, order + 1))
    for j, (p, signed_q) in enumerate(zip(p_all.tolist(), q_all.tolist(), strict=True)):
        q = abs(signed_q)
        norm = np.sqrt(p + 1.0) if q == 0 else np.sqrt(2.0 * (p + 1))
        for k in range((p - q) // 2 + 1):
            radial = (-1) ** k * factorial(p - k)
            radial //= factorial(k) * factorial((p + q) // 2 - k) * factorial((p - q) // 2 - k)
            half = (p - q) // 2 - k  # the radial term is r^q (x^2 + y^2)^half
            for i in range(half + 1):
                # r^q cos(q t) and r^q sin(q t) are the even and odd powers of y in (x + i y)^q.
                for s in range(1 if signed_q < 0 else 0, q + 1, 2):
                    sign = (-1) ** (s // 2)
                    a, b = 2 * (half - i) + q - s, 2 * i + s
                    table[j, a, b] += radial * comb(half, i) * sign * comb(q, s)
        table[j] *= norm
    table.flags.writeable = False
    return table


def box_integrals(x0: Floats, x1: Floats, y0: Floats, y1: Floats, order: int) -> Floats:
    """Return the integrals of x^a y^b over boxes cut by the unit disc, shape (n, order + 1, order + 1).

    Each box is [x0, x1] x [y0, y1]. Whole boxes are products of one-dimensional integrals. For the
    others x = sin(t), so that both limits of y are smooth between the places where the rim crosses an
    edge of the box, and Gauss-Legendre quadrature piece by piece is exact to rounding.
    """
    far = np.maximum(np.abs(x0), np.abs(x1)) ** 2 + np.maximum(np.abs(y0), np.abs(y1)) ** 2
    near = np.clip(0.0, x0, x1) ** 2 + np.clip(0.0, y0, y1) ** 2
    result = np.zeros((len(x0), order + 1, order + 1))

    whole = far <= 1.0
    x_part = _power_integrals(x0[whole], x1[whole], order)
    y_part = _power_integrals(y0[whole], y1[whole], order)
    result[whole] = x_part[:, :, None] * y_part[:, None, :]

    cut = (far > 1.0) & (near < 1.0)
    left, right = np.clip(x0[cut], -1, 1), np.clip(x1[cut], -1, 1)
    low, high = y0[cut], y1[cut]
    crossings = [np.sqrt(np.maximum(1.0 - edge**2, 0.0)) for edge in (low, high)]
    ends = np.stack([left, right, *crossings, *(-c for c in crossings)], axis=1)
    ends = np.arcsin(np.sort(np.clip(ends, left[:, None], right[:, None]), axis=1))
    half = np.diff(ends, axis=1)[:, :, None] / 2
    angle = (ends[:, :-1, None] + half + half * _NODES).reshape(len(left), 5 * len(_NODES))
    x, rim = np.sin(angle), np.cos(angle)
    weight = (half * _WEIGHTS).reshape(len(left), 5 * len(_NODES)) * rim
    bottom = np.maximum(low[:, None], -rim)
    top = np.maximum(np.minimum(high[:, None], rim), bottom)
    x_powers = weight[:, None, :] * _powers(x, order).transpose(0, 2, 1)
    result[cut] = x_powers @ _power_integrals(bottom, top, order)
    return result


def _powers(x: Floats, order: int) -> Floats:
    """Return x^0 ... x^order along a new last axis, by repeated products: `**` is ten times slower."""
    result = np.ones((*x.shape, order + 1))
    for power in range(1, order + 1):
        np.multiply(result[..., power - 1], x, out=result[..., power])
    return result


def _power_integrals(start: Floats, stop: Floats, order: int) -> Floats:
    """Return the integrals of x^0 ... x^order from `start` to `stop` along a new last axis."""
    difference = _powers(stop, order + 1)[..., 1:] - _powers(start, order + 1)[..., 1:]
    return np.asarray(difference / np.arange(1, order + 2))


def disc_weights(row_offsets: Floats, col_offsets: Floats, radius: float, order: int) -> Floats:
    """Return the projection weights on a grid of pixels, shape (n_moments, n_rows, n_cols).

    The offsets are those of the pixels' centres from the centre of the disc, px.
    """
    rows = np.repeat(row_offsets, len(col_offsets))
    cols = np.tile(col_offsets, len(row_offsets))
    x0, x1 = (cols - 0.5) / radius, (cols + 0.5) / radius
    y0, y1 = (rows - 0.5) / radius, (rows + 0.5) / radius
    integrals = box_integrals(x0, x1, y0, y1, order).reshape(len(rows), -1)
    coefficients = monomial_coefficients(order)
    weights = coefficients.reshape(len(coefficients), -1) @ integrals.T / np.pi
    return weights.reshape(-1, len(row_offsets), len(col_offsets))
