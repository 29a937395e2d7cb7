"""Progress of long steps: one line in a terminal, one output in a notebook that is taken away again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO


class Progress(Protocol):
    """What a session reports to."""

    def update(self, verb: str, fraction: float) -> None:
        """Show that the step `verb` is done to `fraction` (0 to 1)."""

    def close(self) -> None:
        """Take the display away."""


class Silent:
    """Shows nothing."""

    def update(self, verb: str, fraction: float) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def _bar(verb: str, fraction: float, width: int = 24) -> str:
    done = round(width * min(max(fraction, 0.0), 1.0))
    return f"{verb:<20} {'█' * done}{'·' * (width - done)} {100 * fraction:3.0f} %"


class Terminal:
    """One line on a terminal, rewritten in place.

    Parameters
    ----------
    stream : file, optional
        By default standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._shown = ""

    def update(self, verb: str, fraction: float) -> None:
        """Rewrite the line if it would change."""
        line = _bar(verb, fraction)
        if line != self._shown:
            self._stream.write(f"\r{line}")
            self._stream.flush()
            self._shown = line

    def close(self) -> None:
        """Wipe the line."""
        if self._shown:
            self._stream.write("\r" + " " * len(self._shown) + "\r")
            self._stream.flush()
            self._shown = ""


class Lines:
    """A line for each step when it begins, for logs.

    Parameters
    ----------
    stream : file, optional
        By default standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._verb = ""

    def update(self, verb: str, fraction: float) -> None:  # noqa: ARG002
        """Write the line of a step that is new."""
        if verb != self._verb:
            self._stream.write(f"{verb} ...\n")
            self._stream.flush()
            self._verb = verb

    def close(self) -> None:
        """Begin anew."""
        self._verb = ""


class Notebook:
    """One output below the cell, replaced in place and cleared at the end.

    A notebook saved afterwards holds one empty output, however many updates there were.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = ""

    def update(self, verb: str, fraction: float) -> None:
        """Replace the output if it would change."""
        from IPython.display import display

        line = _bar(verb, fraction)
        if line == self._shown:
            return
        bundle = {"text/plain": line}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
        self._shown = line

    def close(self) -> None:
        """Empty the output."""
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)
            self._handle = None
            self._shown = ""


def in_notebook() -> bool:
    """Return whether the code runs in a Jupyter kernel; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return False
    return getattr(ipython.get_ipython(), "kernel", None) is not None


def choose_progress() -> Progress:
    """Return the display that fits where the code runs; a pipe or a file gets none."""
    if in_notebook():
        return Notebook()
    if sys.stderr.isatty():
        return Terminal()
    return Silent()


@contextmanager
def shown(progress: Progress | None) -> Iterator[Progress]:
    """Give a display for the time of a block and take it away afterwards, also after an error."""
    display = choose_progress() if progress is None else progress
    try:
        yield display
    finally:
        display.close()
