"""The tiles of environments against a session in which motifs were planted."""

import numpy as np
import pytest
import xarray as xr

from atomotif.steps.base import Context
from atomotif.steps.find_environments import FindEnvironmentsParameters, find_environments
from atomotif.views.environments import MOST_CLASSES, NOT_SHOWN, environment_data, ring_text, shown_classes
from atomotif.views.workbench import workbench


def groups_of(data, **parameters):
    groups = {str(name): node.to_dataset() for name, node in data.children.items()}
    given = FindEnvironmentsParameters(**parameters)
    groups["environments"] = find_environments(groups["points"], groups["motifs"], given, Context())
    return groups


@pytest.fixture(scope="module")
def groups(planted):
    return groups_of(planted.data)


@pytest.fixture(scope="module")
def found(groups):
    return environment_data(groups, groups["points"]["id"].values)


def run(found, k):
    return found.row[found.offset[k] : found.offset[k + 1]]


def test_centres_are_those_of_the_classes_and_no_others(found, groups):
    group, label = groups["environments"], groups["motifs"]["label"].values
    counts = np.bincount(found.center_class, minlength=256)
    assert [tile["count"] for tile in found.tiles] == counts[: len(found.tiles)].tolist()
    names = groups["motifs"]["name"].values
    for k, tile in enumerate(found.tiles):
        rows = np.flatnonzero(found.center_class == k)
        assert {str(names[one]) for one in label[rows]} == {tile["name"]}
    # A column at the edge is in no class.
    assert found.center_class[0] == NOT_SHOWN
    assert int(group["class_count"].sum()) >= counts[: len(found.tiles)].sum()


def test_points_of_a_tile_are_centres_and_two_rings_of_neighbours(found, groups):
    place = np.column_stack([groups["points"][name].values for name in ("row", "col")])
    near = np.linalg.norm(place[:, None] - place, axis=-1) < 1.2 * 14
    for k in range(len(found.tiles)):
        reached = found.center_class == k
        for _ in range(2):
            reached = reached | near[reached].any(axis=0)
        assert run(found, k).tolist() == np.flatnonzero(reached).tolist()


def test_a_tile_tells_what_surrounds_what_was_planted(found):
    of = {tuple(tile["text"]): tile for tile in found.tiles if tile["name"] == "V"}
    assert sum(tile["count"] for tile in of.values()) == 7
    # Single ones on the grid: A left and right, B above and below; round these four of each.
    assert of["2\u00a0A + 2\u00a0B", "4\u00a0A + 4\u00a0B"]["count"] == 3
    pair = of["2\u00a0A + B + V", "4\u00a0A + 4\u00a0B"]
    assert pair["count"] == 4
    colors = {tile["name"]: tile["color"] for tile in found.tiles}
    assert pair["rings"][0] == [colors[name] for name in "AABV"]
    assert [len(ring) for ring in pair["rings"]] == [4, 8]


def test_colours_are_those_that_motifs_have_now(groups):
    changed = dict(groups)
    color = np.array(["#111111", "#222222", "#333333"], object)
    changed["motifs"] = groups["motifs"].assign(color=("motif", color))
    tiles = environment_data(changed, groups["points"]["id"].values).tiles
    assert {tile["name"]: tile["color"] for tile in tiles} == dict(zip("ABV", color))


def test_motifs_that_are_gone_are_grey(groups):
    changed = dict(groups)
    changed["motifs"] = groups["motifs"].assign(name=("motif", np.array(["A", "B", "W"], object)))
    tiles = environment_data(changed, groups["points"]["id"].values).tiles
    assert {tile["color"] for tile in tiles if tile["name"] == "V"} == {"#737373"}


def test_rarest_centres_come_first(found):
    names = [tile["name"] for tile in found.tiles]
    assert names[0] == "V"
    for name in set(names):
        counts = [tile["count"] for tile in found.tiles if tile["name"] == name]
        assert counts == sorted(counts, reverse=True)


def test_every_centre_motif_has_its_turn():
    center = np.repeat([0, 1, 2], [40, 40, 2])
    count = np.concatenate([1000 - np.arange(40), 500 - np.arange(40), [2, 1]])
    chosen = shown_classes(center, count)
    assert len(chosen) == MOST_CLASSES
    assert center[chosen].tolist() == [2] * 2 + [1] * 11 + [0] * 11
    assert set(chosen) == {80, 81, *range(40, 51), *range(11)}


def test_what_is_not_shown_is_counted():
    center, count = np.zeros(30, int), np.arange(30, 0, -1)
    ids = np.arange(int(count.sum()))
    group = xr.Dataset(
        {
            "motif_name": ("motif_", np.array(["M0"], object)),
            "center_id": ("center", ids),
            "class": ("center", np.repeat(np.arange(30), count)),
            "ring_offset": ("ring_bound", np.zeros(len(ids) + 1, int)),
            "ring_id": ("ring_member", np.empty(0, int)),
            "class_center": ("class_", center),
            "class_count": ("class_", count),
            "class_ring_offset": ("class_ring_bound", np.zeros(31, int)),
            "class_ring_label": ("class_ring_member", np.empty(0, int)),
        },
        attrs={"n_shells": 1, "ordered_rings": 0, "bond_length": 5.0},
    )
    found = environment_data({"environments": group}, ids)
    assert found.note.startswith("and 6 rarer classes of 21 centres")
    assert (found.center_class == NOT_SHOWN).sum() == 21
    assert found.average is None
    assert found.tiles[0]["text"] == ["nothing"]


def test_ids_and_not_rows_are_matched(groups, found):
    ids = groups["points"]["id"].values
    some = np.random.default_rng(0).permutation(ids)[:300]
    again = environment_data(groups, some)
    for k in range(len(found.tiles)):
        expected = np.intersect1d(ids[run(found, k)], some)
        np.testing.assert_array_equal(np.sort(some[run(again, k)]), expected)


def test_an_average_has_its_centre_in_the_middle_and_the_rings_around(found, groups):
    side = found.average.shape[1]
    assert found.average.shape == (len(found.tiles), side, side)
    # Two rings of a square grid reach to 20 px in the median, and half a step more.
    assert 45 < side < 75
    middle, half = found.average[:, side // 2, side // 2].astype(int), side // 2
    (single,) = [k for k, tile in enumerate(found.tiles) if tile["name"] == "V" and tile["count"] == 3]
    crystal = max((tile["count"], k) for k, tile in enumerate(found.tiles) if tile["name"] == "A")[1]
    assert middle[crystal] > 2 * middle[single]
    # 14 px away from a vacancy lie four columns that are brighter.
    around = [
        found.average[single, half + dy, half + dx] for dy, dx in [(-14, 0), (14, 0), (0, -14), (0, 14)]
    ]
    assert min(around) > 1.5 * middle[single]


def test_averages_can_be_left_out(groups):
    ids = groups["points"]["id"].values
    assert environment_data(groups, ids, with_averages=False).average is None
    assert environment_data({**groups, "environments": xr.Dataset()}, ids) is None


def test_points_outside_a_new_image_are_not_averaged(groups):
    cut = {**groups, "image": groups["image"].isel(y=slice(0, 60), x=slice(0, 60))}
    found = environment_data(cut, groups["points"]["id"].values)
    assert found.average is not None
    assert np.isfinite(found.average).all()


def test_rings_are_told_in_words():
    assert ring_text(["b", "a", "b"], ordered=False) == "2\u00a0b + a"
    assert ring_text(["b", "a", "b"], ordered=True) == "b, a, b"


def test_workbench_shows_them_only_where_they_are(groups, planted):
    assert "environments" not in workbench(planted.data).facts["views"]
    data = xr.DataTree.from_dict(groups)
    made = workbench(data)
    assert made.facts["views"][-1] == "environments"
    assert len(made.facts["environments"]["tiles"]) == len(made.columns["environmentOffset"]) - 1
    alone = workbench(data, ["environments"])
    assert alone.facts["views"] == ["environments"]
    assert alone.figures == {}
    assert "environments" not in workbench(data, ["micrograph"]).facts
