"""The table of pairs against the groups that it is made of."""

import numpy as np
import pytest
import xarray as xr

from atomotif.export.comparison import comparison_table


@pytest.fixture
def data(make_data, compared):
    def make(**options):
        groups = {str(name): node.to_dataset() for name, node in make_data(side=30).children.items()}
        return xr.DataTree.from_dict({**groups, **compared.compared_groups(groups["points"], **options)})

    return make


def test_each_pair_has_a_row_with_its_own_values(data, compared):
    tree = data()
    table = comparison_table(tree)
    group = tree["comparison"].to_dataset()
    names = [compared.NAMES[k] for k in compared.COMPARED]
    pairs = [(a, b) for a in range(5) for b in range(a + 1, 5)]
    assert list(zip(table["domain"], table["other"])) == [(names[a], names[b]) for a, b in pairs]
    for row, (a, b) in zip(table.itertuples(), pairs):
        assert (row.n, row.n_other) == (group["histogram"][a, 7].sum(), group["histogram"][b, 7].sum())
        assert row.divergence == group["divergence"].values[a, b]
        assert row.reverse == group["divergence"].values[b, a]
        for name in ("symmetric", "place_corrected", "p_value", "nuisance_p_adjusted", "raw_p_adjusted"):
            assert getattr(row, name) == group[name].values[a, b]
    # The fixture's one domain that differs has a divergence that depends on the direction.
    assert (table["divergence"] != table["reverse"]).sum() == 4


def test_without_the_nuisance_null_it_has_no_columns_of_it(data):
    assert not any("nuisance" in name for name in comparison_table(data(nuisance=False)).columns)


def test_one_domain_alone_has_no_pair(data):
    tree = data()
    tree["comparison"] = tree["comparison"].to_dataset().isel(compared=[1], other=[1])
    assert len(comparison_table(tree)) == 0


def test_the_points_of_either_domain_are_those_in_its_histograms(data):
    tree = data()
    group = tree["comparison"].to_dataset()
    fewer = group["histogram"] // xr.DataArray(np.arange(1, 6), dims="compared")
    tree["comparison"] = group.assign(histogram=fewer)
    table, counts = comparison_table(tree), fewer.values[:, 0].sum(axis=1)
    assert len(set(counts.tolist())) == 5
    first, second = np.triu_indices(5, 1)
    np.testing.assert_array_equal(table["n"], counts[first])
    np.testing.assert_array_equal(table["n_other"], counts[second])
