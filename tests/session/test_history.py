"""Edits of motifs by hand, undo and redo."""

import gc

import numpy as np
import pytest

from atomotif._warnings import AtomotifWarning
from atomotif.session import history
from atomotif.session.session import MotifSession

#: What setting points says of the motifs that were set before.
DROPPED = pytest.mark.filterwarnings("ignore:the motifs that were set")


@pytest.fixture
def session():
    side = 12
    row, col = (axis.ravel() for axis in np.mgrid[6 : 10 * side : 10, 6 : 10 * side : 10].astype(float))
    image = np.zeros((10 * side, 10 * side))
    image[row.astype(int), col.astype(int)] = 1.0
    made = MotifSession(image).set_points(np.column_stack([row, col]))
    return made.set_motifs(np.arange(side**2) % 3)


def texts(session):
    """Return what a user sees of the motifs."""
    return session.motifs.names, session.motifs.table()["color"].tolist()


def test_a_name_shows_everywhere(session):
    session.motifs.rename("M1", "V_Se")
    assert session.motifs.names == ["M0", "V_Se", "M2"]
    assert set(session.columns["motif"]) == {"M0", "V_Se", "M2"}
    assert session.stale == ()


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (lambda motifs: motifs.rename(0, "M1"), ValueError, "`name` must differ from .*, got 'M1'"),
        (lambda motifs: motifs.rename(0, " "), ValueError, "`name` must not be empty"),
        (lambda motifs: motifs.rename(0, 7), TypeError, "`name` must be a string, got 7"),
        (lambda motifs: motifs.rename(9, "x"), KeyError, "`motif` must be"),
        (lambda motifs: motifs.recolor(0, "red"), ValueError, "`color` must be \"#rrggbb\", got 'red'"),
        (lambda motifs: motifs.recolor(0, "#123456;x"), ValueError, "`color` must be"),
    ],
)
def test_a_wrong_edit_is_refused_and_changes_nothing(session, edit, error, message):
    before, done = texts(session), session.history
    with pytest.raises(error, match=message):
        edit(session.motifs)
    assert texts(session) == before
    assert session.history == done


def test_edits_go_to_the_motif_with_the_same_points(session):
    session.motifs.rename(2, "V_Se")
    session.motifs.recolor("V_Se", "#123456")
    session.set_motifs((np.arange(144) + 1) % 3)  # what was motif 2 is motif 0
    assert session.motifs.names == ["V_Se", "M1", "M2"]
    assert session.motifs.table()["color"][0] == "#123456"


@DROPPED
def test_edits_follow_points_that_are_found_anew(session):
    session.motifs.rename(2, "V_Se")
    places = np.column_stack([session.data["points"][axis].values for axis in ("row", "col")])
    session.set_points(places[::-1] + 0.4)
    session.set_motifs(np.arange(144)[::-1] % 3)
    assert session.motifs.names == ["M0", "M1", "V_Se"]


def test_an_edit_that_fits_no_motif_is_told(session):
    session.motifs.rename(2, "V_Se")
    with pytest.warns(AtomotifWarning, match=r"`motifs.rename\('M2', 'V_Se'\)` was not carried over"):
        session.set_motifs(np.arange(144) % 7)
    assert "V_Se" not in session.motifs.names


def test_names_that_are_given_outdo_earlier_ones(session):
    session.motifs.rename(2, "V_Se")
    session.set_motifs(np.arange(144) % 3, names=["a", "b", "c"])
    assert session.motifs.names == ["a", "b", "c"]


def test_edits_are_saved(session, tmp_path):
    session.motifs.rename(2, "V_Se")
    session.motifs.recolor(0, "#123456")
    opened = MotifSession.open(session.save(tmp_path / "a.zarr"))
    assert texts(opened) == texts(session)
    opened.set_motifs(np.arange(144) % 3)
    assert texts(opened) == texts(session)


def test_undo_and_redo_go_through_every_change(session):
    states = [repr(session)]
    session.motifs.rename(0, "Mo")
    states.append(repr(session))
    session.set_motifs((np.arange(144) + 1) % 3)
    states.append(repr(session))
    some = session.branch("some", ids=session.motifs.ids(0))
    states.append(repr(session))
    some.set_motifs(np.zeros(48, int))
    assert session.history[2:] == [
        "motifs.rename('M0', 'Mo')",
        "set_motifs(<144 values>)",
        "branch('some', ids=<48 values>)",
        "set_motifs(<48 values>)",
    ]
    some.undo()
    assert "motifs" not in some.data.children
    for state in states[-2::-1]:
        session.undo()
        assert repr(session) == state
    for state in states[1:]:
        session.redo()
        assert repr(session) == state
    session.redo()
    assert len(session.branches["some"].motifs) == 1
    with pytest.raises(ValueError, match="nothing to redo"):
        session.redo()


def test_nothing_to_undo():
    with pytest.raises(ValueError, match="there is nothing to undo"):
        MotifSession(np.eye(64)).undo()


def test_a_new_change_ends_redo(session):
    session.motifs.rename(0, "Mo")
    session.undo()
    session.motifs.rename(0, "W")
    with pytest.raises(ValueError, match="nothing to redo"):
        session.redo()


def test_what_changes_nothing_is_no_change(session):
    session.run(patch_size=21)
    done = session.history
    session.run(patch_size=21)
    with pytest.raises(ValueError, match="`patch_size`"):
        session.run(patch_size=-1)
    assert session.history == done


@DROPPED
def test_ids_are_never_used_again_after_undo(session):
    places = np.column_stack([session.data["points"][axis].values for axis in ("row", "col")])
    session.set_points(places + 0.25)
    ids = session.data["points"]["id"].values
    session.undo()
    session.set_points(places + 0.3)
    assert session.data["points"]["id"].values.min() > ids.max()


@DROPPED
def test_undo_brings_the_selection_back(session):
    session.selection = [3, 5]
    session.set_points([[20.0, 20.0], [40.0, 40.0], [60.0, 70.0]])
    session.undo()
    assert session.selection.tolist() == [3, 5]


def test_the_number_of_changes_kept_is_bounded(session, monkeypatch):
    monkeypatch.setattr(history, "MOST_CHANGES", 4)
    for k in range(9):
        session.motifs.rename(0, f"name {k}")
    assert session.history == [f"motifs.rename({'name ' + str(k - 1)!r}, 'name {k}')" for k in (5, 6, 7, 8)]


def test_the_memory_kept_is_bounded(session, monkeypatch):
    size = session.data["image"]["intensity"].nbytes
    monkeypatch.setattr(history, "MOST_BYTES", 3 * size)
    for order in range(1, 12):
        session.flatten(method=("plane", "none")[order % 2])
    gc.collect()
    assert 1 <= len(session.history) <= 4


def test_the_selection_alone_is_not_in_the_history(session):
    done = session.history
    session.selection = session.motifs.ids(0)
    assert session.history == done


def test_parameters_that_name_a_motif_follow_its_new_name(session):
    session.find_cells(dominant=("M0", "M1"))
    session.motifs.rename("M1", "Se2")
    assert session.stale == ()
    assert session._state.wanted["find_cells"].dominant == ("M0", "Se2")
    session.timings.clear()
    session.run()
    assert "find_cells" not in session.timings
    session.undo().undo()
    assert session._state.wanted["find_cells"].dominant == ("M0", "M1")
