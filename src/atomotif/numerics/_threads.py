"""Threads: how many, and how work is spread over them without changing a result."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import scipy.linalg.blas  # noqa: F401  numba's products call it: loaded here, so that `_blas` finds it
from threadpoolctl import OpenBLASController, ThreadpoolController

T = TypeVar("T")

_lock = threading.Lock()
_holders = 0
_limiter: Any = None


@lru_cache(maxsize=1)
def _blas() -> ThreadpoolController:
    """Return the handle on the BLAS libraries of numpy and scipy; to look for them takes milliseconds."""
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS at one thread until the last of the callers that overlap in time has left.

    The order of BLAS's sums, and so the last bits of a result, depend on its number of threads. Our own
    work is spread in blocks instead, which do not depend on that number.

    Examples
    --------
    >>> with one_blas_thread():
    ...     sum(range(3))
    3
    """
    global _holders, _limiter
    with _lock:
        if _holders == 0:
            _take_control()
            _limiter = _blas().limit(limits=1, user_api="blas")
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _take_control()
                _limiter.restore_original_limits()


def _take_control() -> None:
    """Let this thread set limits: threadpoolctl >= 3.8 heeds only the thread that first set one."""
    clear = getattr(OpenBLASController, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


def resolve_threads(n_threads: int | None = None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    n_threads : int, optional
        A positive number; by default the processors that this process may run on.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If `n_threads` is not positive.

    Examples
    --------
    >>> resolve_threads(3)
    3
    """
    if n_threads is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if n_threads < 1:
        raise ValueError(f"`n_threads` must be at least 1, got {n_threads}.")
    return int(n_threads)


def run_blocks(function: Callable[[T], Any], blocks: Iterable[T], n_threads: int | None = None) -> None:
    """Call `function` on every block, spread over threads, with BLAS held at one thread.

    A result is the same at any number of threads as long as the cut into blocks does not depend on
    that number and no block writes what another one reads or writes.

    Parameters
    ----------
    function : callable
        Called with one block; what it returns is dropped. It should release the GIL.
    blocks : iterable
        The blocks of work.
    n_threads : int, optional
        See `resolve_threads`.

    Examples
    --------
    >>> out = [0, 0]
    >>> run_blocks(lambda i: out.__setitem__(i, i + 1), range(2))
    >>> out
    [1, 2]
    """
    threads = resolve_threads(n_threads)
    with one_blas_thread():
        if threads == 1:
            for block in blocks:
                function(block)
        else:
            with ThreadPoolExecutor(threads) as pool:
                for _ in pool.map(function, blocks):
                    pass
