"""The store: whole trees come back, and a crash at any moment leaves one."""

import json
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from atomotif.io import store
from atomotif.io.store import open_tree, save_tree


def make_tree(n: int = 5, title: str = "a") -> xr.DataTree:
    rng = np.random.default_rng(n)
    ids = np.arange(n) * 3
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs={"title": title, "version": 1}),
            "image": xr.Dataset(
                {"intensity": (("y", "x"), np.array([[1, np.nan], [np.inf, -0.0]], np.float32))},
                coords={"y": ("y", [0.0, 0.1], {"units": "nm"}), "x": ("x", [0.0, 0.1], {"units": "nm"})},
                attrs={"pixel_size": 0.1, "units": "nm"},
            ),
            "points": xr.Dataset({"row": ("point", rng.random(n))}, coords={"id": ("point", ids)}),
            "motifs": xr.Dataset(
                {
                    "label": ("point", np.arange(n) - 1),
                    "complete": ("point", np.arange(n) % 2 == 0),
                    "neighbor": (("point", "k"), np.zeros((n, 3), np.int32)),
                    "name": ("motif", np.array(["Mo", "V_Se ünïcödé", ""])),
                    "empty": ("none", np.zeros(0, np.float32)),
                    "no_names": ("none", np.array([], dtype=np.str_)),
                    "scalar": ((), np.int64(-1)),
                },
                coords={"id": ("point", ids)},
                attrs={"parameters": json.dumps({"k": [1, 2]}), "stale": 0},
            ),
            "branches/rotinv/motifs": xr.Dataset({"label": ("point", np.arange(n))}),
            "bare": xr.Dataset(attrs={"note": "no variables"}),
        }
    )


@pytest.mark.parametrize("n", [0, 5])
def test_a_tree_comes_back_with_no_warning(tmp_path: Path, n: int) -> None:
    tree = make_tree(n)
    before = tree.copy(deep=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_tree(tree, tmp_path / "s.zarr")
        again = open_tree(tmp_path / "s.zarr")
    assert again.identical(before)
    assert tree.identical(before), "saving must not touch the tree"
    for node in before.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            assert again[node.path][name].dtype.kind == variable.dtype.kind
            if variable.dtype.kind != "U":
                assert again[node.path][name].dtype == variable.dtype
    assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]
    assert not [path for path in (tmp_path / "s.zarr").rglob("*") if ".zmetadata" in path.name]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=4),
    values=hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_]),
        hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=4),
    ),
    attribute=st.text(st.characters(exclude_categories=["Cs"]))
    | st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_values_come_back(
    tmp_path: Path, names: list[str], values: np.ndarray, attribute: object
) -> None:
    dims = ("a", "b")[: values.ndim]
    tree = xr.DataTree.from_dict(
        {
            "g/h": xr.Dataset(
                {"name": ("m", np.array(names, dtype=np.str_)), "values": (dims, values)},
                attrs={"attribute": attribute},
            )
        }
    )
    save_tree(tree, tmp_path / "s.zarr")
    again = open_tree(tmp_path / "s.zarr")
    assert again.identical(tree)
    assert again["g/h/values"].dtype == values.dtype
    np.testing.assert_array_equal(again["g/h/values"].values, values)


def test_object_strings_and_big_endian_come_back_by_value(tmp_path: Path) -> None:
    tree = xr.DataTree.from_dict(
        {"g": xr.Dataset({"name": ("m", np.array(["a", "bc"], object)), "x": ("m", np.array([1, 2], ">f4"))})}
    )
    again = open_tree(save_tree(tree, tmp_path / "s.zarr"))
    assert again["g/name"].values.tolist() == ["a", "bc"]
    assert again["g/x"].values.tolist() == [1, 2]


def test_a_tree_that_was_opened_is_saved_onto_its_own_place(tmp_path: Path) -> None:
    path = save_tree(make_tree(), tmp_path / "s.zarr")
    save_tree(open_tree(path), path)
    assert open_tree(path).identical(make_tree())


def test_relative_paths_and_trailing_slashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert save_tree(make_tree(), "deep/er/s.zarr/") == tmp_path / "deep/er/s.zarr"
    assert open_tree("deep/er/../er/s.zarr").identical(make_tree())


def test_a_link_keeps_pointing_at_the_session(tmp_path: Path) -> None:
    save_tree(make_tree(title="old"), tmp_path / "s.zarr")
    (tmp_path / "link.zarr").symlink_to(tmp_path / "s.zarr")
    save_tree(make_tree(title="new"), tmp_path / "link.zarr")
    assert (tmp_path / "link.zarr").is_symlink()
    assert open_tree(tmp_path / "s.zarr").attrs["title"] == "new"


def test_overwrite_must_be_allowed(tmp_path: Path) -> None:
    path = save_tree(make_tree(title="old"), tmp_path / "s.zarr")
    with pytest.raises(FileExistsError, match="`overwrite` must be True"):
        save_tree(make_tree(title="new"), path, overwrite=False)
    assert open_tree(path).attrs["title"] == "old"


def test_what_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.jpg").write_text("cat")
    zarr = tmp_path / "other.zarr"
    xr.Dataset({"a": ("x", [1.0])}).to_zarr(zarr, consolidated=False)
    for path in (file, folder, zarr):
        with pytest.raises(FileExistsError, match="atomotif did not write"):
            save_tree(make_tree(), path)
        with pytest.raises(ValueError, match="must be a session saved by atomotif"):
            open_tree(path)
    assert file.read_text() == "mine"
    assert (folder / "cat.jpg").read_text() == "cat"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "other.zarr", "photos"]


def test_a_stranger_with_a_name_like_one_set_aside_survives(tmp_path: Path) -> None:
    stranger = tmp_path / "s.zarr.old-mine"
    stranger.mkdir()
    (stranger / "cat.jpg").write_text("cat")
    with pytest.raises(FileNotFoundError):
        open_tree(tmp_path / "s.zarr")
    save_tree(make_tree(), tmp_path / "s.zarr")
    save_tree(make_tree(), tmp_path / "s.zarr")
    assert (stranger / "cat.jpg").exists()


class Crash(BaseException):
    """As a process that is killed: nothing of ours handles it."""


@pytest.mark.parametrize("moment", ["while writing", "before the swap", "in the swap", "after the swap"])
def test_a_crash_at_any_moment_leaves_a_whole_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def make_tree(title: str) -> xr.DataTree:  # small, as this writes often
        return xr.DataTree.from_dict({"/": xr.Dataset({"a": ("x", [1.0])}, attrs={"title": title})})

    path = save_tree(make_tree(title="old"), tmp_path / "s.zarr")
    rename, rmtree, to_zarr = Path.rename, shutil.rmtree, xr.DataTree.to_zarr
    renames = 0

    def crashing_write(self: xr.DataTree, *args: object, **kwargs: object) -> None:
        to_zarr(self, *args, **kwargs)
        raise Crash

    def crashing_rename(self: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == (1 if moment == "before the swap" else 2):
            raise Crash
        return rename(self, target)

    def crashing_rmtree(*args: object, **kwargs: object) -> None:
        raise Crash

    # A killed process does not tidy up either.
    monkeypatch.setattr(store.shutil, "rmtree", lambda *args, **kwargs: None)
    if moment == "while writing":
        monkeypatch.setattr(xr.DataTree, "to_zarr", crashing_write)
    elif moment == "after the swap":
        monkeypatch.setattr(store.shutil, "rmtree", crashing_rmtree)
    else:
        monkeypatch.setattr(Path, "rename", crashing_rename)
    with pytest.raises(Crash):
        save_tree(make_tree(title="new"), path)
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(store.shutil, "rmtree", rmtree)
    monkeypatch.setattr(xr.DataTree, "to_zarr", to_zarr)

    assert len(list(tmp_path.iterdir())) > 1 or moment == "in the swap"
    expected = "new" if moment == "after the swap" else "old"
    assert open_tree(path).identical(make_tree(title=expected))
    for leftover in tmp_path.glob("*.tmp-*"):
        os.utime(leftover, (0, 0))
    save_tree(make_tree(title="newest"), path)
    assert open_tree(path).attrs["title"] == "newest"
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.zarr"], "leftovers of the crash stay"


def test_a_tree_that_is_read_back_otherwise_is_not_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_tree(make_tree(title="old"), tmp_path / "s.zarr")
    to_zarr = xr.DataTree.to_zarr

    def lossy(self: xr.DataTree, *args: object, **kwargs: object) -> None:
        self["points"].dataset = self["points"].to_dataset() * 0
        to_zarr(self, *args, **kwargs)

    monkeypatch.setattr(xr.DataTree, "to_zarr", lossy)
    with pytest.raises(OSError, match="not read back as it was written"):
        save_tree(make_tree(title="new"), path)
    assert open_tree(path).identical(make_tree(title="old"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.zarr"]


def test_damage_and_later_formats_are_told(tmp_path: Path) -> None:
    path = save_tree(make_tree(), tmp_path / "s.zarr")
    node = json.loads((path / "zarr.json").read_text())
    later = node | {"attributes": node["attributes"] | {"atomotif_format": 99}}
    (path / "zarr.json").write_text(json.dumps(later))
    with pytest.raises(ValueError, match="later atomotif"):
        open_tree(path)
    (path / "zarr.json").write_text(json.dumps(node))
    chunk = next(entry for entry in (path / "points/row/c").rglob("*") if entry.is_file())
    chunk.write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="damaged"):
        open_tree(path)


@pytest.mark.parametrize(
    "dataset",
    [
        xr.Dataset({"a": ("x", np.array([1j]))}),
        xr.Dataset({"a": ("x", np.array([{}], object))}),
        xr.Dataset({"a": ("x", np.array(["2020"], "M8[ns]"))}),
        xr.Dataset(attrs={"a": [1, 2]}),
        xr.Dataset(attrs={"a": None}),
        xr.Dataset(attrs={"a": float("nan")}),
        xr.Dataset({"a": ("x", [1.0], {"b": {}})}),
    ],
)
def test_what_would_not_come_back_is_refused(tmp_path: Path, dataset: xr.Dataset) -> None:
    with pytest.raises(TypeError, match=r"`tree` must (have|hold)"):
        save_tree(xr.DataTree.from_dict({"g": dataset}), tmp_path / "s.zarr")
    assert not list(tmp_path.iterdir())


def test_only_trees_are_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"`tree` must be an xarray\.DataTree"):
        save_tree(xr.Dataset(), tmp_path / "s.zarr")
