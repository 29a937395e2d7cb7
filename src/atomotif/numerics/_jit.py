"""One way to compile: lazily, cached on disk where that is possible."""

from collections.abc import Callable
from typing import Any

import numba


def jit(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a kernel with numba at its first call.

    The compiled code is cached where numba finds a writable directory; a read-only install (some
    containers, system packages) has none, and numba then raises at import. In that case the kernel
    is compiled afresh in every process instead.

    Parameters
    ----------
    function : callable, optional
        The kernel. Left out when used as ``@jit(nogil=True)``.
    **options
        Options of `numba.njit`.

    Returns
    -------
    callable
        The dispatcher.

    Examples
    --------
    >>> @jit
    ... def double(x):
    ...     return 2 * x
    >>> double(21)
    42
    """

    def wrap(kernel: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, **options)(kernel)
        except RuntimeError:  # "cannot cache function: no locator available"
            return numba.njit(cache=False, **options)(kernel)

    return wrap if function is None else wrap(function)
