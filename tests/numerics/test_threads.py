"""BLAS is held at one thread inside, and left as it was, also by callers that overlap in time."""

import pytest
from threadpoolctl import threadpool_info

from atomotif.numerics._threads import _one_blas_thread, run_blocks


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_limits_hold_until_the_last_of_overlapping_callers_has_left():
    """The callers enter and leave in one thread: what OpenBLAS makes of several is its own affair."""
    before = blas_threads()
    first, second = _one_blas_thread(), _one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert blas_threads() == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_in_a_block_restores_the_limits(n_threads):
    before = blas_threads()
    with pytest.raises(ZeroDivisionError):
        run_blocks(lambda i: 1 // i, [1, 0], n_threads)
    assert blas_threads() == before
