"""The one selection: sorted unique ids, compared by value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomotif.session.selection import Selection, as_ids


@given(st.lists(st.integers(0, 50)))
def test_ids_are_sorted_unique_and_read_only(values: list[int]) -> None:
    ids = as_ids(values)
    assert ids.dtype == np.int64
    assert ids.tolist() == sorted(set(values))
    with pytest.raises(ValueError, match="read-only"):
        ids[...] = 0


def test_observers_hear_once_and_only_of_another_value() -> None:
    selection, heard = Selection(), []
    selection.observe(lambda change: heard.append(change["new"].tolist()), "ids")
    selection.ids = [4, 2, 2]
    selection.ids = np.array([2, 4])
    selection.ids = []
    selection.ids = ()
    assert heard == [[2, 4], []]


@pytest.mark.parametrize("values", [[1.5], ["a"], [True, False]])
def test_only_whole_numbers(values: list[object]) -> None:
    with pytest.raises(TypeError, match=r"`selection` must hold ids"):
        as_ids(values)
