"""The tiles of quads against the table that the session gives."""

import numpy as np
import pytest
import xarray as xr

from atomotif import MotifSession
from atomotif.views.layer_scale import NO_LEVEL
from atomotif.views.layers import layer, offered
from atomotif.views.quads import NO_STATE, STATES, quad_data
from atomotif.views.workbench import workbench

CELL = np.array([[6.8, 18.2], [18.2, 43.2], [43.2, 31.8], [31.8, 6.8]])  # of pentagons' centres, px


@pytest.fixture(scope="module")
def session():
    rng = np.random.default_rng(0)
    centers = np.concatenate([np.add(CELL, [50 * i, 50 * j]) for i in range(6) for j in range(6)])
    labels = rng.choice(3, len(centers), p=[0.55, 0.4, 0.05])
    made = MotifSession(rng.normal(size=(300, 300)), pixel_size=0.01, units="nm")
    made.set_points(centers).set_motifs(labels, ["empty", "filled", "half"])
    return made.find_quads(empty="empty", filled="filled", partial="half", n_draws=19)


@pytest.fixture(scope="module")
def groups(session):
    return {str(name): node.to_dataset() for name, node in session.data.children.items()}


@pytest.fixture(scope="module")
def found(groups):
    return quad_data(groups, groups["points"]["id"].values)


def test_states_are_in_the_order_of_filled_corners(found):
    assert [tile["state"] for tile in found.tiles] == list(STATES)
    assert sorted(STATES) == list(range(16))
    assert [state.bit_count() for state in STATES] == [0] + [1] * 4 + [2] * 6 + [3] * 4 + [4]
    assert len({tile["color"] for tile in found.tiles}) == 5


def test_counts_and_shares_are_those_of_the_table(found, session):
    table = session.quads.table()
    for tile in found.tiles:
        there = tile["state"] in table.index
        assert tile["count"] == (table["count"][tile["state"]] if there else 0)
        assert tile["share"] == pytest.approx(table["share"][tile["state"]] if there else 0)


def test_chance_is_that_of_independent_corners(found, groups):
    label = groups["motifs"]["label"].values
    p = (label == 1).sum() / (label < 2).sum()
    assert sum(tile["chance"] for tile in found.tiles) == pytest.approx(1)
    assert found.tiles[0]["chance"] == pytest.approx((1 - p) ** 4)
    assert found.tiles[-1]["chance"] == pytest.approx(p**4)


def test_points_of_a_state_are_those_of_the_session(found, groups, session):
    ids = groups["points"]["id"].values
    corners = found.row.reshape(-1, 4)
    for state in STATES:
        np.testing.assert_array_equal(
            np.unique(ids[corners[found.state == state]]), session.quads.ids(2, state)
        )
    assert (found.state == NO_STATE).sum() == (session.data["quads"]["quad_state"].values < 0).sum() > 0


def test_points_that_are_not_shown_have_no_row(groups):
    ids = groups["points"]["id"].values
    assert quad_data(groups, ids[:10]).row.min() == -1
    assert quad_data(groups, ids[:0]).row.tolist() == [-1] * (4 * groups["quads"].sizes["quad"])


def test_corners_lie_where_the_drawing_has_them(found, groups):
    x, y = groups["points"]["x"].values, groups["points"]["y"].values
    for corners in found.row.reshape(-1, 4):
        angle = np.arctan2(y[corners] - y[corners].mean(), x[corners] - x[corners].mean())
        off = (angle - found.orientation - np.arange(4) * np.pi / 2 + np.pi) % (2 * np.pi) - np.pi
        # The squares of the two sublattices are turned against each other; a quarter of a turn is 1.57.
        assert np.abs(off).max() < 0.6


def test_text_tells_the_entropy_and_what_is_left_out(found, session):
    entropies = session.quads.entropies().iloc[0]
    assert f"Entropy {entropies['entropy']:.2f} bits of at most 4" in found.text[0]
    assert f"(p = {entropies['p']:.3g})" in found.text[0]
    left = int((session.data["quads"]["quad_state"].values < 0).sum())
    assert f"{left} quads with a partly filled corner are not counted" in found.text[1]


def test_level_three_is_a_tile_a_square(groups):
    made = layer(groups, "level-3")
    assert {"name": "level-3", "title": "quads, level 3", "stale": False} in offered(groups)
    state = groups["quads"]["square_state"].values
    np.testing.assert_array_equal(made.columns["level"] == NO_LEVEL, state < 0)
    assert (state < 0).any()
    assert "partly filled" in made.facts["note"]
    filled = np.array([int(one).bit_count() for one in state[state >= 0]])
    level = made.columns["level"][state >= 0].astype(int)
    order = np.argsort(filled, kind="stable")
    assert (np.diff(level[order]) >= 0).all()
    np.testing.assert_allclose(made.columns["x"], groups["quads"]["square_x"].values, rtol=1e-6)
    # Squares are a quad apart, so that tiles of three quarters of it leave no gap.
    x, y = (groups["quads"][f"square_{axis}"].values for axis in "xy")
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + np.diag(np.full(len(x), np.inf))
    assert 0.71 < made.facts["reach"] / np.median(apart.min(axis=1)) < 0.8


def test_workbench_shows_them_only_where_they_are(session, groups):
    made = workbench(session.data)
    assert "quads" in made.facts["views"]
    assert len(made.columns["quadRow"]) == 4 * len(made.columns["quadState"])
    without = xr.DataTree.from_dict({name: group for name, group in groups.items() if name != "quads"})
    assert "quads" not in workbench(without).facts["views"]
    assert workbench(session.data, ["quads"]).facts["views"] == ["quads"]
