import base64

import numpy as np
import pytest

from atomotif.widget.packing import pack, pack_text


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int32", "float32", "float64"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_bytes_are_little_endian_whatever_the_source(dtype, order):
    values = np.array([[0, 1, 2], [3, 4, 5]])
    column = values.astype(np.dtype(dtype).newbyteorder(order))[:, ::2]
    packed = pack(column)
    assert packed["dtype"] == dtype
    assert packed["shape"] == [2, 2]
    back = np.frombuffer(packed["data"], np.dtype(dtype).newbyteorder("<")).reshape(2, 2)
    np.testing.assert_array_equal(back, values[:, ::2])
    assert base64.b64decode(pack_text(column)["data"]) == bytes(packed["data"])


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex64"])
def test_what_a_browser_cannot_hold_is_refused(dtype):
    with pytest.raises(TypeError, match=rf"`column` .* {dtype}"):
        pack(np.zeros(2, dtype))
