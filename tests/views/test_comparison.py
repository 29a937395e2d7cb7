"""What the page is sent of compared domains, against the groups that they come from."""

import numpy as np
import pytest
import xarray as xr

from atomotif.views.comparison import NO_VALUE, comparison_data
from atomotif.views.workbench import workbench

IDS = np.arange(900) + 50


@pytest.fixture
def groups(compared):
    y, x = (axis.ravel() for axis in np.mgrid[0:30, 0:30] * 0.1)
    points = xr.Dataset({"y": ("point", y), "x": ("point", x)}, {"id": ("point", IDS)})
    return {"points": points, **compared.compared_groups(points)}


@pytest.fixture
def found(groups):
    return comparison_data(groups, IDS)


def rows_of(found, k):
    return found.row[found.offset[k] : found.offset[k + 1]]


def changed(groups, **variables):
    """The comparison with other values of some of its pairs."""
    group = groups["comparison"]
    made = {name: (group[name].dims, value) for name, value in variables.items()}
    return comparison_data({**groups, "comparison": group.assign(made)}, IDS)


def moments_of(groups, **variables):
    """What was found with the moments, with other values of some pairs."""
    return changed(groups, **variables).kinds[0]


def test_rows_are_those_of_the_points_of_each_compared_domain(found, groups, compared):
    for k, domain in enumerate(compared.COMPARED):
        expected = np.flatnonzero(groups["domains"]["domain"].values == domain)
        assert len(expected) > 30
        np.testing.assert_array_equal(rows_of(found, k), expected)
    assert len(found.offset) == len(compared.COMPARED) + 1


@pytest.mark.parametrize("shown", [IDS[::-1], IDS[100:], IDS[::7]])
def test_rows_follow_the_points_that_are_shown(groups, compared, shown):
    found = comparison_data(groups, shown)
    of = dict(zip(IDS.tolist(), groups["domains"]["domain"].values.tolist()))
    for k, domain in enumerate(compared.COMPARED):
        assert rows_of(found, k).tolist() == [row for row, one in enumerate(shown) if of[one] == domain]


def test_names_counts_and_moments_are_those_of_the_groups(found, compared):
    assert [one["name"] for one in found.domains] == [compared.NAMES[k] for k in compared.COMPARED]
    for k, one in enumerate(found.domains):
        assert one["count"] == one["compared"] == len(rows_of(found, k))
    assert found.moments[0] == (0, 0)
    assert found.moments[compared.MOMENT] == (4, -2)
    assert len(found.moments) == 66


def test_points_that_were_not_compared_are_told(groups):
    fewer = groups["comparison"]["histogram"].values // 2
    found = changed(groups, histogram=fewer)
    for k, one in enumerate(found.domains):
        assert one["compared"] == fewer[k, 0].sum() < one["count"]


def test_histograms_have_two_bytes_where_that_is_enough(found, groups):
    counts = groups["comparison"]["histogram"].values
    assert found.kinds[0].histogram.dtype == np.uint16
    np.testing.assert_array_equal(found.kinds[0].histogram, counts)
    many = moments_of(groups, histogram=counts + 70_000)
    assert many.histogram.dtype == np.uint32
    np.testing.assert_array_equal(many.histogram, counts + 70_000)


def test_rings_are_closed_and_of_the_right_domain(found, groups, compared):
    domains = groups["domains"]
    x, y = groups["points"]["x"].values, groups["points"]["y"].values
    for k in range(len(compared.COMPARED)):
        (ring,) = found.rings(k)
        np.testing.assert_array_equal(ring[0], ring[-1])
        rows = rows_of(found, k)
        assert ring[:, 0].min() < x[rows].min() < x[rows].max() < ring[:, 0].max()
        assert ring[:, 1].min() < y[rows].min() < y[rows].max() < ring[:, 1].max()
        centre = (domains[name].values[compared.COMPARED[k]] for name in "xy")
        np.testing.assert_allclose(ring[:-1].mean(axis=0), list(centre), rtol=1e-5)


def test_a_domain_may_have_a_hole(groups):
    """Two rings of one domain, the second listed after those of others."""
    domains = groups["domains"]
    hole = {"outline_y": [1.0, 1.0, 1.1], "outline_x": [0.3, 0.4, 0.4]}
    more = xr.Dataset(
        {name: ("vertex", np.append(domains[name].values, hole[name])) for name in hole}
        | {
            "outline_offset": ("ring_edge", np.append(domains["outline_offset"].values, 27)),
            "outline_domain": ("ring", np.append(domains["outline_domain"].values, 0)),
        }
    )
    rest = domains.drop_vars([*hole, "outline_offset", "outline_domain"])
    found = comparison_data({**groups, "domains": rest.merge(more)}, IDS)
    assert [len(ring) for ring in found.rings(0)] == [5, 4]
    np.testing.assert_allclose(found.rings(0)[1][:3, 0], hole["outline_x"], rtol=1e-6)
    assert [len(found.rings(k)) for k in range(1, 5)] == [1] * 4


def test_colours_follow_the_divergence_from_zero_to_the_greatest(found, groups):
    pairs = ~np.eye(5, dtype=bool)
    for k, (name, measure) in enumerate((("corrected", "corrected"), ("raw", "symmetric"))):
        assert found.kinds[0].modes[k]["name"] == name
        assert "nats per feature" in found.kinds[0].modes[k]["title"]
        value = groups["comparison"][measure].values
        assert (found.kinds[0].level[k][~pairs] == NO_VALUE).all()
        expected = np.rint(254 * np.clip(value / value[pairs].max(), 0, 1))
        np.testing.assert_array_equal(found.kinds[0].level[k][pairs], expected[pairs])
        np.testing.assert_array_equal(found.kinds[0].of(measure), value.astype(np.float32))
    assert found.kinds[0].modes[0]["ticks"][0]["text"] == "≤ 0"  # a corrected divergence may be negative
    assert found.kinds[0].modes[1]["ticks"][0]["text"] == "0"


def test_where_all_divergences_are_negative_the_scale_is_of_their_size(groups):
    off = ~np.eye(5, dtype=bool)
    found = moments_of(groups, corrected=-0.004 * off)
    assert (found.level[0][off] == 0).all()
    assert [tick["text"] for tick in found.modes[0]["ticks"]] == ["≤ 0", "0.002", "0.004"]
    assert moments_of(groups, corrected=0.0 * off).modes[0]["ticks"][2]["text"] == "1"
    assert (moments_of(groups, corrected=np.nan * off).level[0] == NO_VALUE).all()


def test_colours_of_p_grow_with_its_smallness(found, groups):
    p = groups["comparison"]["p_adjusted"].values
    level = found.kinds[0].level[2]
    assert set(level[p == p[0, 1]]) == {0}  # an adjusted p of 1
    assert set(level[p == np.nanmin(p)]) == {254}
    assert [tick["text"] for tick in found.kinds[0].modes[2]["ticks"]] == ["1", "0.1", "0.01"]


def test_features_at_like_places_are_a_kind_of_their_own(found, groups):
    moments, near = found.kinds
    assert (moments.title, near.title) == ("Moments", "Deviations at like places")
    group = groups["comparison"]
    np.testing.assert_array_equal(near.histogram, group["place_histogram"].values)
    np.testing.assert_array_equal(near.edge, group["place_bin_edge"].values.astype(np.float32))
    np.testing.assert_array_equal(near.of("corrected"), group["place_corrected"].values.astype(np.float32))
    # Either has the test at like places: that of the moments may be misled by what fills a domain.
    np.testing.assert_array_equal(near.muted, moments.muted)
    for kind in found.kinds:
        np.testing.assert_array_equal(kind.of("p_value"), group["p_value"].values.astype(np.float32))
    without = group.drop_vars([name for name in group if name.startswith("place_")])
    assert len(comparison_data({**groups, "comparison": without}, IDS).kinds) == 1


def test_where_nothing_is_significant_no_p_looks_so(groups):
    p = np.where(np.eye(5, dtype=bool), np.nan, 0.3)
    found = changed(groups, p_adjusted=p)
    assert found.kinds[0].level[2][0, 1] == round(254 * np.log(0.3) / np.log(0.05))
    assert found.kinds[0].modes[2]["ticks"][2]["text"] == "0.05"


def test_a_p_of_zero_has_a_colour(groups):
    p = np.where(np.eye(5, dtype=bool), np.nan, 0.0)
    assert (moments_of(groups, p_adjusted=p).level[2][0, 1:] == 254).all()


def test_pairs_are_muted_unless_they_differ_from_both_nulls(groups, found, compared):
    different = compared.COMPARED.index(compared.DIFFERENT)
    expected = ~np.eye(5, dtype=bool)
    expected[different] = expected[:, different] = False
    np.testing.assert_array_equal(found.kinds[0].muted, expected)
    assert "4 of 10 pairs differ significantly" in found.kinds[0].note
    ones = np.where(np.eye(5, dtype=bool), np.nan, 0.06)
    assert moments_of(groups, nuisance_p_adjusted=ones).muted[~np.eye(5, dtype=bool)].all()
    assert moments_of(groups, p_adjusted=ones).muted[~np.eye(5, dtype=bool)].all()
    just = np.where(np.eye(5, dtype=bool), np.nan, 0.05)
    assert not moments_of(groups, p_adjusted=just, nuisance_p_adjusted=just).muted.any()


@pytest.mark.parametrize("name", ["p_adjusted", "nuisance_p_adjusted"])
def test_a_p_that_is_not_known_is_not_significant(groups, name):
    assert moments_of(groups, **{name: np.full((5, 5), np.nan)}).muted[~np.eye(5, dtype=bool)].all()


def test_without_the_nuisance_null_the_other_one_decides(groups, compared):
    bare = compared.compared_groups(groups["points"], nuisance=False)
    found = comparison_data({**groups, **bare}, IDS)
    assert "nuisance_p" not in found.kinds[0].measures
    assert "noise" not in found.kinds[0].note
    assert "4 of 10" in found.kinds[0].note


def test_whole_domains_are_those_of_which_all_points_are_selected(found):
    selected = np.zeros(len(IDS), bool)
    assert found.whole(selected).tolist() == []
    selected[rows_of(found, 1)] = selected[rows_of(found, 3)] = True
    selected[rows_of(found, 4)[1:]] = True
    assert found.whole(selected).tolist() == [1, 3]
    assert found.whole(np.ones(len(IDS), bool)).tolist() == [0, 1, 2, 3, 4]


def test_a_domain_without_shown_points_is_never_whole(groups):
    found = comparison_data(groups, IDS[:0])
    assert found.whole(np.zeros(0, bool)).tolist() == []


@pytest.mark.parametrize("without", ["comparison", "domains"])
def test_both_groups_are_needed(groups, without):
    assert comparison_data({name: group for name, group in groups.items() if name != without}, IDS) is None


def test_domains_that_are_gone_are_not_shown(groups):
    groups["domains"] = groups["domains"].isel(domain_=slice(0, 5))
    assert comparison_data(groups, IDS) is None


def test_a_comparison_of_none_is_not_shown(groups):
    groups["comparison"] = groups["comparison"].isel(compared=[], other=[])
    assert comparison_data(groups, IDS) is None


def test_one_domain_alone_can_be_shown(groups):
    groups["comparison"] = groups["comparison"].isel(compared=[2], other=[2])
    found = comparison_data(groups, IDS)
    assert found.kinds[0].level.tolist() == [[[NO_VALUE]]] * 3
    assert "0 of 0 pairs" in found.kinds[0].note


def test_workbench_shows_it_only_where_it_is(groups):
    made = workbench(xr.DataTree.from_dict(groups))
    assert "comparison" in made.facts["views"]
    assert made.columns["comparison0Histogram"].shape == (5, 66, 12)
    assert made.columns["comparison0Muted"].dtype == np.uint8
    alone = workbench(xr.DataTree.from_dict({"points": groups["points"]}))
    assert "comparison" not in alone.facts["views"]
    assert not any(name.startswith("comparison") for name in alone.columns)
