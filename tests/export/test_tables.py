import csv

import numpy as np
import pytest

from atomotif.export.tables import columns_table, write_csv


def test_table_has_one_row_a_column_in_the_order_of_the_points(make_data):
    data = make_data()
    table = columns_table(data)
    assert list(table.columns) == ["id", "y", "x", "motif", "label", "confidence", "intensity"]
    np.testing.assert_array_equal(table["id"], data["points"]["id"].values)
    np.testing.assert_array_equal(table["y"], data["points"]["y"].values)
    np.testing.assert_array_equal(table["label"], data["motifs"]["label"].values)
    assert [("Mo", "2 Se", "V_Se")[k] for k in table["label"]] == list(table["motif"])
    assert table.attrs["units"] == "nm"


def test_a_point_without_a_motif_has_no_name(make_data):
    data = make_data()
    label = data["motifs"]["label"].values.copy()
    label[3] = -1
    data["motifs"] = data["motifs"].to_dataset().assign(label=("point", label))
    assert columns_table(data)["motif"].isna().tolist() == [k == 3 for k in range(400)]


def test_without_motifs_every_label_is_none(make_data):
    table = columns_table(make_data(without=("motifs",)))
    assert (table["label"] == -1).all()
    assert table["confidence"].isna().all()
    assert table["motif"].isna().all()


def test_labels_of_other_points_are_matched_by_id(make_data):
    data = make_data()
    motifs = data["motifs"].to_dataset()
    data["motifs"] = motifs.isel(point=slice(None, None, -2))  # half of the points, in another order
    table = columns_table(data)
    expected = np.where(np.arange(400) % 2 == 1, motifs["label"].values, -1)
    np.testing.assert_array_equal(table["label"], expected)


def test_points_are_needed(make_data):
    with pytest.raises(ValueError, match="`data` must have the group `points`"):
        columns_table(make_data(without=("points", "layout", "motifs")))


def test_csv_names_the_unit_and_reads_back(make_data, tmp_path):
    data = make_data(names=('a,"b"', "ü", "c"))
    path = write_csv({"a.tif": columns_table(data)}, tmp_path / "columns.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["image", "id", "y (nm)", "x (nm)", "motif", "label", "confidence", "intensity"]
    assert len(rows) == 400
    label = data["motifs"]["label"].values
    assert [row["motif"] for row in rows] == [('a,"b"', "ü", "c")[k] for k in label]
    np.testing.assert_allclose([float(row["x (nm)"]) for row in rows], data["points"]["x"].values, rtol=1e-5)


def test_the_nearest_anchor_stands_for_the_motif_of_a_continuous_sample(make_continuous):
    data = make_continuous()
    anchors = data["anchors"].to_dataset()
    table = columns_table(data)
    near = anchors["nearest"].values
    assert table["label"].tolist() == near.tolist()
    assert table["motif"][near >= 0].tolist() == anchors["name"].values[near[near >= 0]].tolist()
    assert table["motif"][near < 0].isna().all()
    np.testing.assert_allclose(table["confidence"], anchors["weight"].max("anchor", skipna=False))
