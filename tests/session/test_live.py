"""What the open views of a session are sent, and what they send back, without a browser."""

import base64
import json

import numpy as np
import pytest

import atomotif as am
from atomotif._warnings import AtomotifWarning


@pytest.fixture
def session():
    side = 12
    row, col = (axis.ravel() for axis in np.mgrid[6 : 10 * side : 10, 6 : 10 * side : 10].astype(float))
    image = np.zeros((10 * side, 10 * side))
    image[row.astype(int), col.astype(int)] = 1.0
    made = am.MotifSession(image, pixel_size=0.0125, units="nm").set_points(np.column_stack([row, col]))
    yield made.set_motifs(np.arange(side**2) % 3)
    made.close()


def places(session):
    return np.column_stack([session.data["points"][axis].values for axis in ("row", "col")])


def rows_of(store):
    """Return version and rows as the browser reads them."""
    version, *rows = np.frombuffer(store.selection, "<u4").tolist()
    return version, rows


def choose(store, rows, version=None):
    """Do what the browser does after a gesture: its message arrives as a memoryview of its own."""
    numbers = np.array([store.version if version is None else version, *rows], "<u4")
    store.set_state({"selection": memoryview(numbers.tobytes())})


def told(store, monkeypatch, message):
    """Return what the kernel answers to a custom message."""
    sent = []
    monkeypatch.setattr(store, "send", lambda content, buffers=None: sent.append((content, buffers)))
    store._handle_custom_msg(message, [])
    return sent


def test_views_of_the_same_names_are_one_and_share_the_store(session):
    assert session.view() is session.view()
    assert session.view("layout") is session.view("layout")
    assert session.view("layout").store is session.view("micrograph").store
    assert session.view("layout").assets is session.view().assets


def test_an_unknown_view_is_refused(session):
    with pytest.raises(ValueError, match=r"`names` must be among 'micrograph'.*, got 'trees'"):
        session.view("trees")


def test_selecting_in_python_reaches_the_browser_as_rows(session):
    store = session.view().store
    ids = session.data["points"]["id"].values
    session.selection = ids[[5, 3]]
    assert rows_of(store) == (store.version, [3, 5])


@pytest.mark.filterwarnings("ignore:the motifs that were set")
def test_the_selection_outlives_new_points_while_views_are_open(session):
    store = session.view().store
    session.selection = session.data["points"]["id"].values[[3, 5, 80]]
    session.set_points(places(session)[:72])
    expected = session.data["points"]["id"].values[[3, 5]]
    np.testing.assert_array_equal(session.selection, expected)
    assert rows_of(store) == (store.version, [3, 5])


@pytest.mark.filterwarnings("ignore:the motifs that were set")
def test_a_gesture_reaches_observers_once_and_as_ids(session):
    session.set_points(
        np.column_stack([session.data["points"][axis].values for axis in ("row", "col")])[::-1]
    )  # ids that are not rows
    store = session.view().store
    ids = session.data["points"]["id"].values
    seen = []
    session.observe(lambda change: seen.append(change["new"].tolist()))
    choose(store, [2, 7])
    choose(store, [2, 7])
    assert ids[0] > 0
    assert seen == [ids[[2, 7]].tolist()]
    assert rows_of(store) == (store.version, [2, 7])


@pytest.mark.filterwarnings("ignore:the motifs that were set")
def test_a_gesture_on_columns_that_were_replaced_meanwhile_means_the_points_it_was_made_on(session):
    store = session.view().store
    before, ids = store.version, session.data["points"]["id"].values
    session.set_motifs(np.arange(len(ids)) % 2)
    choose(store, [4], version=before)
    assert session.selection.tolist() == [ids[4]]
    session.set_points(places(session)[::-1])  # all points are new
    choose(store, [4], version=before)
    assert session.selection.tolist() == []
    assert rows_of(store) == (store.version, [])


def test_an_observer_may_change_the_selection(session):
    store = session.view().store

    def only_even(change):
        session.selection = change["new"][change["new"] % 2 == 0]

    session.observe(only_even)
    choose(store, [2, 3, 4])
    assert session.selection.tolist() == [2, 4]
    assert rows_of(store) == (store.version, [2, 4])


@pytest.mark.parametrize("rows", [[], [10**6], [143, 10**6]])
def test_rows_that_do_not_exist_select_nothing(session, rows):
    store = session.view().store
    choose(store, rows)
    assert session.selection.tolist() == [143] * (143 in rows)


def test_a_new_result_is_sent_once_and_the_image_only_if_it_changed(session, monkeypatch):
    store = session.view().store
    image, version = store.image, store.version
    session.set_motifs(np.zeros(144, int), names=["all"])
    assert store.version == version + 1
    assert [motif["name"] for motif in store.facts["motifs"]] == ["all"]
    assert store.image is image
    session.selection = []
    assert store.version == version + 1
    session.flatten(method="plane")
    assert store.image is not image


def test_an_error_changes_nothing_in_the_views(session):
    store = session.view().store
    version = store.version
    with pytest.raises(ValueError, match="`patch_size`"):
        session.compute_features(patch_size=1e6)
    assert store.version == version


def test_branches_are_offered_and_shown_in_the_same_view(session):
    view = session.view()
    assert view.analyses == ["main"]
    some = session.branch("some", ids=session.motifs.ids(0))
    assert view.analyses == ["main", "some"]
    view.set_state({"analysis": "some"})
    assert view.store is some.view().store
    choose(view.store, [1])
    assert session.selection.tolist() == [session.motifs.ids(0)[1]]
    assert rows_of(session.view("layout").store)[1] == [3]
    again = session.branch("some", ids=session.motifs.ids(1))
    assert view.store is again.view().store


def test_part_of_a_large_micrograph_is_sent_at_full_resolution(monkeypatch):
    rng = np.random.default_rng(0)
    image = rng.random((2200, 2200))
    session = am.MotifSession(image)
    store = session.view("micrograph").store
    assert store.facts["reduction"] == 2
    ask = {
        "kind": "detail",
        "id": "a",
        "x0": 99.6,
        "x1": 199.4,
        "y0": 49.6,
        "y1": 99.4,
        "width": 800,
        "height": 400,
    }
    [(answer, [pixels])] = told(store, monkeypatch, ask)
    assert (answer["id"], answer["shape"]) == ("a", [50, 100])
    assert [answer[edge] for edge in ("x0", "x1", "y0", "y1")] == [99.5, 199.5, 49.5, 99.5]
    part = np.frombuffer(pixels, np.uint8).reshape(50, 100)
    assert np.corrcoef(part.ravel(), image[50:100, 100:200].ravel())[0, 1] > 0.98  # but for clipping
    session.close()


@pytest.mark.parametrize("edge", [None, float("nan"), "1", 1e12])
def test_a_part_that_is_nowhere_is_answered_with_nothing(session, monkeypatch, edge):
    ask = {"kind": "detail", "id": "a", "x0": edge, "x1": edge, "y0": 0, "y1": 1, "width": 8, "height": 8}
    assert told(session.view().store, monkeypatch, ask) == [({"kind": "detail", "id": "a"}, None)]


def test_an_error_in_the_browser_is_a_warning_here(session):
    with pytest.warns(AtomotifWarning, match="could not be drawn: no such thing"):
        session.view()._handle_custom_msg({"kind": "error", "message": "no such thing"}, [])


def test_facts_and_figures_are_json(session):
    store = session.view().store
    assert json.loads(json.dumps(store.facts, allow_nan=False)) == store.facts
    assert "roots" in json.loads(json.dumps(store.figures, allow_nan=False))["micrograph"]


def test_the_saved_picture_shows_the_selection_and_is_renewed_in_place(session, monkeypatch):
    shown = []
    monkeypatch.setattr("atomotif.widget.host.display", lambda data, **options: shown.append((data, options)))
    session.view()._ipython_display_()
    session.selection = session.motifs.ids(0)
    session.snapshot()
    (widget, _), (picture, first), (renewed, second) = shown
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] == session.view().model_id
    assert base64.b64decode(picture["image/png"])[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture != renewed
    assert first["display_id"] == second["display_id"]
    assert (first["update"], second["update"]) == (False, True)


def test_closed_views_give_back_their_models(session):
    from ipywidgets.widgets.widget import _instances

    session.branch("some", ids=session.motifs.ids(0)).view()
    before = session.view().model_id
    assert before in _instances
    count = len(_instances)
    session.close()
    assert before not in _instances
    assert len(_instances) < count
    assert session.view().model_id != before


def test_a_session_without_points_shows_its_micrograph():
    session = am.MotifSession(np.random.default_rng(0).random((40, 50)))
    assert session.view().store.facts["views"][0] == "micrograph"
    assert rows_of(session.view().store) == (1, [])
    session.close()


def test_a_terminal_shows_text(session):
    with pytest.raises(NotImplementedError):
        session._ipython_display_()
