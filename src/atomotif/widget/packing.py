"""Columns for the wire: what `unpack` of link.js reads."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = ("uint8", "uint16", "uint32", "int32", "float32", "float64")


def pack(column: NDArray[Any]) -> dict[str, Any]:
    """Return a column as dtype, shape and little-endian bytes.

    Parameters
    ----------
    column : ndarray
        Of a dtype that a browser has a typed array for: unsigned integers up to 32 bits, int32, floats.

    Returns
    -------
    dict
        `dtype` (str), `shape` (list of int), `data` (memoryview of bytes).

    Raises
    ------
    TypeError
        If a browser has no typed array for the dtype.

    Examples
    --------
    >>> import numpy as np
    >>> packed = pack(np.array([1.0, 2.0], dtype=np.float32))
    >>> packed["dtype"], packed["shape"], len(packed["data"])
    ('float32', [2], 8)
    """
    if column.dtype.name not in DTYPES:
        raise TypeError(f"`column` must have one of the dtypes {', '.join(DTYPES)}, got {column.dtype.name}.")
    little = np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<"))
    return {"dtype": column.dtype.name, "shape": list(column.shape), "data": memoryview(little.tobytes())}


def pack_text(column: NDArray[Any]) -> dict[str, Any]:
    """Return a column as `pack` does, with its bytes in base64, for a page.

    Examples
    --------
    >>> import numpy as np
    >>> pack_text(np.array([1, 2], dtype=np.uint8))["data"]
    'AQI='
    """
    packed = pack(column)
    return {**packed, "data": base64.b64encode(packed["data"]).decode("ascii")}
