"""What the kernel answers when a view asks for a layer over the micrograph, without a browser."""

import json

import numpy as np
import pytest

import atomotif as am


@pytest.fixture
def session():
    side = 10
    row, col = (axis.ravel() for axis in np.mgrid[6 : 10 * side : 10, 6 : 10 * side : 10].astype(float))
    image = np.zeros((10 * side, 10 * side))
    image[row.astype(int), col.astype(int)] = 1.0
    made = am.MotifSession(image, pixel_size=0.0125, units="nm").set_points(np.column_stack([row, col]))
    yield made.set_motifs(np.zeros(side**2, int)).find_lattice().measure_strain()
    made.close()


def asked(session, monkeypatch, name):
    """Return what is sent when a view asks for a layer."""
    store, sent = session.view("micrograph").store, []
    monkeypatch.setattr(store, "send", lambda content, buffers=None: sent.append((content, buffers)))
    store._handle_custom_msg({"kind": "layer", "id": "a", "name": name}, [])
    return sent


def test_a_layer_is_sent_when_it_is_asked_for_and_not_before(session, monkeypatch):
    store = session.view("micrograph").store
    offered = {one["name"] for one in store.facts["layers"]}
    assert {"exx", "rotation", "displacement"} <= offered
    assert "level" not in store.columns
    [(answer, buffers)] = asked(session, monkeypatch, "exx")
    assert (answer["kind"], answer["id"], answer["version"]) == ("layer", "a", store.version)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    (column,) = answer["columns"]
    assert (column["name"], column["dtype"], column["shape"]) == ("level", "uint8", [100])
    assert len(np.frombuffer(buffers[0], np.uint8)) == 100
    assert answer["facts"]["scale"]["title"] == "exx (%)"


@pytest.mark.parametrize("name", ["grains", None, 5, ["exx"]])
def test_a_layer_that_is_not_there_is_answered_with_nothing(session, monkeypatch, name):
    assert asked(session, monkeypatch, name) == [({"kind": "layer", "id": "a"}, None)]


def test_layers_follow_the_results(session):
    store = session.view("micrograph").store
    assert "grains" not in [one["name"] for one in store.facts["layers"]]
    session.compute_features(patch_size=21).find_grains()
    assert "grains" in [one["name"] for one in store.facts["layers"]]

    def grains_are_stale():
        return {one["name"]: one["stale"] for one in store.facts["layers"]}["grains"]

    assert not grains_are_stale()
    session.compute_features(patch_size=25)
    assert grains_are_stale()
