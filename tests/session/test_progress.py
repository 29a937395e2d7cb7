"""Progress: one line, rewritten, and gone at the end."""

import io

import pytest

from atomotif.session.progress import Lines, Notebook, Silent, Terminal, choose_progress, shown


def test_terminal_rewrites_one_line_and_wipes_it() -> None:
    stream = io.StringIO()
    with shown(Terminal(stream)) as progress:
        for k in range(1000):
            progress.update("find_points", k / 999)
    text = stream.getvalue()
    assert "\n" not in text
    assert text.count("\r") < 130
    assert text.endswith("\r" + " " * len(text.split("\r")[-3]) + "\r")


def test_terminal_is_wiped_after_an_error() -> None:
    stream = io.StringIO()

    def fail() -> None:
        with shown(Terminal(stream)) as progress:
            progress.update("find_points", 0.5)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert stream.getvalue().endswith(" \r")


def test_a_log_gets_a_line_a_step() -> None:
    stream = io.StringIO()
    with shown(Lines(stream)) as progress:
        for verb in ("find_points", "find_motifs"):
            for k in range(10):
                progress.update(verb, k / 9)
    assert stream.getvalue() == "find_points ...\nfind_motifs ...\n"


def test_no_display_in_a_pipe() -> None:
    assert isinstance(choose_progress(), Silent)


def test_notebook_keeps_one_output_and_empties_it(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[list[str]] = []

    class Handle:
        def update(self, bundle: dict[str, str], raw: bool) -> None:
            outputs[-1].append(bundle["text/plain"])

    def display(bundle: dict[str, str], raw: bool, display_id: bool) -> Handle:
        outputs.append([bundle["text/plain"]])
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    with shown(Notebook()) as progress:
        for k in range(500):
            progress.update("compute_layout", k / 499)
    assert len(outputs) == 1
    assert len(outputs[0]) < 130
    assert outputs[0][-1] == ""
