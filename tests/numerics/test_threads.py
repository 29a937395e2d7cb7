"""BLAS is held at one thread inside, and left as it was, also by callers that overlap in time."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from atomotif.numerics._threads import run_blocks


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_limits_hold_until_the_last_of_overlapping_callers_has_left():
    first_in, first_out, inside = threading.Event(), threading.Event(), []

    def long_block(_):
        first_in.set()
        assert first_out.wait(10)
        inside.append(blas_threads())

    before = blas_threads()
    other = threading.Thread(target=run_blocks, args=(long_block, [0], 1))
    other.start()
    assert first_in.wait(10)
    run_blocks(lambda _: inside.append(blas_threads()), [0], 1)
    first_out.set()
    other.join()
    assert inside == [{1}, {1}]
    assert blas_threads() == before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_in_a_block_restores_the_limits(n_threads):
    before = blas_threads()
    with pytest.raises(ZeroDivisionError):
        run_blocks(lambda i: 1 // i, [1, 0], n_threads)
    assert blas_threads() == before


def test_another_thread_sets_limits_after_the_main_one_has():
    run_blocks(lambda _: None, [0], 1)
    before, inside = blas_threads(), []
    with threadpool_limits(2, user_api="blas"):
        other = threading.Thread(target=run_blocks, args=(lambda _: inside.append(blas_threads()), [0], 1))
        other.start()
        other.join()
    assert inside == [{1}]
    assert blas_threads() == before


def test_the_first_to_come_may_be_the_first_to_leave():
    second_in, first_out, inside = threading.Event(), threading.Event(), []

    def second_block(_):
        second_in.set()
        assert first_out.wait(10)
        inside.append(blas_threads())

    before = blas_threads()
    other = threading.Thread(target=run_blocks, args=(second_block, [0], 1))

    def first_block(_):
        other.start()
        assert second_in.wait(10)

    run_blocks(first_block, [0], 1)
    first_out.set()
    other.join()
    assert inside == [{1}]
    assert blas_threads() == before
