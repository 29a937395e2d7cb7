"""The session: state, staleness, ids, branches, given results, saving."""

import inspect
import threading
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import atomotif as am
from atomotif.session.session import MotifSession


def honeycomb(cells: int = 14, spacing: float = 16.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A honeycomb with bright and dim columns and a few vacancies: image, (row, col), kind."""
    a1, a2 = np.array([0.0, np.sqrt(3)]) * spacing, np.array([1.5, np.sqrt(3) / 2]) * spacing
    size = int(cells * spacing * 1.5)
    points, kinds = [], []
    for i in range(-2 * cells, 2 * cells):
        for j in range(-2 * cells, 2 * cells):
            for kind, offset in enumerate(([0.0, 0.0], [spacing, 0.0])):
                point = i * a1 + j * a2 + offset + 5.3
                if (point > 2).all() and (point < size - 3).all():
                    points.append(point)
                    kinds.append(2 if kind and (i * 7 + j * 5) % 13 == 0 else kind)
    position, kind = np.array(points), np.array(kinds)
    y, x = np.mgrid[:size, :size]
    image = np.zeros((size, size))
    for (row, col), k in zip(position, kind):
        image += (1.0, 0.6, 0.3)[k] * np.exp(-((y - row) ** 2 + (x - col) ** 2) / (2 * (0.22 * spacing) ** 2))
    noise = np.random.default_rng(0).normal(0, 0.02, image.shape)
    return (image + noise).astype(np.float32), position, kind


IMAGE, POSITION, KIND = honeycomb()
#: What follows the motifs, and the steps that make it.
CRYSTAL = ("lattice", "strain", "cells", "hierarchy")
CRYSTAL_STEPS = ["find_lattice", "measure_strain", "find_cells", "build_hierarchy"]


@pytest.fixture(scope="module")
def done() -> MotifSession:
    return MotifSession(IMAGE, pixel_size=0.01, units="nm", title="honeycomb").run()


@pytest.fixture
def session(done: MotifSession) -> MotifSession:
    """A session of its own that has run; what was computed is taken over, not computed again."""
    fresh = MotifSession(IMAGE, pixel_size=0.01, units="nm", title="honeycomb")
    fresh._state.groups = dict(done._state.groups)
    fresh._next_id = done._next_id
    return fresh


def test_run_makes_every_group(done: MotifSession) -> None:
    data = done.data
    assert list(data.children) == ["image", "points", "patch", "features", "layout", "motifs", *CRYSTAL]
    count = data["points"].sizes["point"]
    assert abs(count - len(POSITION)) < 0.05 * len(POSITION)
    assert data["features"]["zernike"].shape == (count, 66)
    assert data["features"]["invariant"].shape == (count, 36)
    assert data["features"]["zernike"].dtype == np.float32
    assert data["layout"]["position"].shape == (count, 2)
    assert data["points"]["y"].attrs["units"] == "nm"
    np.testing.assert_allclose(data["points"]["y"], data["points"]["row"] * 0.01)
    for name in ("features", "layout", "motifs"):
        np.testing.assert_array_equal(data[name]["id"], data["points"]["id"])
    assert done.stale == ()


def test_motifs_agree_with_the_truth(done: MotifSession) -> None:
    points = done.columns
    found = np.column_stack([points["y"], points["x"]]) / 0.01
    distance = np.linalg.norm(found[:, None] - POSITION[None], axis=-1)
    kind, near = KIND[distance.argmin(1)], distance.min(1) < 4
    labelled = near & (points["label"].to_numpy() >= 0)
    for label in np.unique(points["label"][labelled]):
        of_motif = kind[labelled & (points["label"] == label).to_numpy()]
        assert (of_motif == np.bincount(of_motif).argmax()).mean() > 0.98


def test_arrays_are_read_only_and_the_users_stays_writeable() -> None:
    image = IMAGE.copy()
    session = MotifSession(image)
    with pytest.raises(ValueError, match="read-only"):
        session.data["image"]["intensity"].values[0, 0] = 1
    image[0, 0] = 5


def test_only_what_depends_is_stale_and_recomputed(session: MotifSession) -> None:
    points = session.data["points"]
    session.compute_features(patch_size=30)
    assert session.stale == ("layout", "motifs", *CRYSTAL)
    session.timings.clear()
    session.run()
    assert list(session.timings) == ["compute_layout", "find_motifs", *CRYSTAL_STEPS]
    assert session.stale == ()
    assert session.data["features"].attrs["patch_size"] == 30
    np.testing.assert_array_equal(session.data["points"]["id"], points["id"])


def test_run_again_does_nothing(session: MotifSession) -> None:
    session.timings.clear()
    session.run()
    assert session.timings == {}


def test_run_takes_any_steps_parameter(session: MotifSession) -> None:
    session.timings.clear()
    session.run(n_motifs=3)
    assert list(session.timings) == ["find_motifs", *CRYSTAL_STEPS]
    assert len(session.motifs) == 3
    session.run(find_motifs={"method": "layout", "n_motifs": None})
    assert session.data["motifs"].sizes["motif"] >= 1


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"patchsize": 3}, TypeError, "`patchsize` must be a parameter of a step"),
        ({"method": "svd"}, TypeError, "`method` must name one step, but flatten, denoise, find_points, "),
        ({"find_motifs": 3}, TypeError, "`find_motifs` must be a dict"),
        ({"patch_size": 10**6}, ValueError, "`patch_size` must fit into the image"),
        ({"patch_size": -1}, ValueError, "`patch_size` must be positive"),
    ],
)
def test_bad_parameters_leave_the_session_as_it_was(
    session: MotifSession, parameters: dict[str, object], error: type[Exception], message: str
) -> None:
    before = {name: id(group) for name, group in session._state.groups.items()}
    with pytest.raises(error, match=message):
        session.run(**parameters)
    assert {name: id(group) for name, group in session._state.groups.items()} == before


def test_verbs_tell_their_parameters() -> None:
    assert "patch_size" in inspect.signature(MotifSession(IMAGE).compute_features).parameters
    assert "Diameter of the patches" in (MotifSession.compute_features.__doc__ or "")
    with pytest.raises(TypeError, match=r"`size` must be a parameter of `compute_features`"):
        MotifSession(IMAGE).compute_features(size=3)


def test_a_verb_runs_what_it_needs() -> None:
    session = MotifSession(IMAGE).measure_patch_size()
    assert list(session.timings) == ["flatten", "denoise", "find_points", "measure_patch_size"]


def test_an_interrupted_step_harms_nothing(session: MotifSession) -> None:
    class Interrupting:
        def update(self, verb: str, fraction: float) -> None:
            if verb == "compute_layout" and fraction > 0:
                raise KeyboardInterrupt

        def close(self) -> None:
            pass

    before = session.data["layout"]["position"].values.copy()
    session.progress = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        session.run(n_neighbors=7)
    np.testing.assert_array_equal(session.data["layout"]["position"], before)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_same_at_any_number_of_threads(done: MotifSession, n_threads: int) -> None:
    other = MotifSession(IMAGE, pixel_size=0.01, units="nm", n_threads=n_threads).run()
    for name in ("points", "features", "layout", "motifs"):
        xr.testing.assert_identical(
            other.data[name].to_dataset().drop_attrs(), done.data[name].to_dataset().drop_attrs()
        )


def test_given_points_are_kept_exactly(session: MotifSession) -> None:
    wanted = POSITION[::-1]
    session.set_points(wanted)
    assert set(session.data.children) == {"image", "points", "patch"}
    np.testing.assert_array_equal(session.data["points"]["row"], wanted[:, 0])
    np.testing.assert_array_equal(session.data["points"]["col"], wanted[:, 1])
    session.run()
    np.testing.assert_array_equal(session.data["points"]["row"], wanted[:, 0])


def test_ids_are_never_used_again(session: MotifSession) -> None:
    old = session.data["points"]["id"].values
    session.set_points(POSITION)
    assert session.data["points"]["id"].values.min() > old.max()


def test_given_motifs_are_kept(session: MotifSession) -> None:
    session.set_points(POSITION).set_motifs(KIND, names=["metal", "two", "one"])
    session.run()
    assert session.motifs.names == ["metal", "two", "one"]
    np.testing.assert_array_equal(session.data["motifs"]["label"], KIND)
    assert session.motifs.counts == dict(
        zip(["metal", "two", "one"], np.bincount(KIND).tolist(), strict=True)
    )
    average = session.motifs.averages.values
    assert session.motifs.deviations.shape == average.shape
    middle = average.shape[-1] // 2
    assert average[0, middle, middle] > average[1, middle, middle] > average[2, middle, middle]
    with pytest.raises(ValueError, match="`find_motifs` must not get parameters in `run`"):
        session.run(detail=2)
    assert session.set_points(POSITION).motifs.names == ["metal", "two", "one"]
    with pytest.warns(am.AtomotifWarning, match="motifs that were set"):
        session.set_points(POSITION[1:])
    assert "motifs" not in session.data.children


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((4, 3)), r"`rowcol` must have shape \(n, 2\)"),
        (np.full((4, 2), np.nan), "`rowcol` must be finite"),
        (np.full((4, 2), 1e4), "must lie inside the image .* 4 points outside"),
        (np.ones((2, 2)), "at least three points, got 2"),
    ],
)
def test_bad_points_are_refused(session: MotifSession, points: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        session.set_points(points)
    assert "motifs" in session.data.children


def test_bad_labels_are_refused(session: MotifSession) -> None:
    with pytest.raises(ValueError, match="one a point"):
        session.set_motifs([0, 1])
    count = session.data["points"].sizes["point"]
    with pytest.raises(TypeError, match="whole numbers"):
        session.set_motifs(np.zeros(count))
    with pytest.raises(ValueError, match="-1 or larger"):
        session.set_motifs(np.full(count, -2))
    for names in (["a"], ["a", "a"], ["a", "b", "c"]):
        with pytest.raises(ValueError, match="`names` must name all 2"):
            session.set_motifs(np.arange(count) % 2, names=names)


def test_selection_knows_its_points(session: MotifSession) -> None:
    heard: list[list[int]] = []
    session.observe(lambda change: heard.append(change["new"].tolist()))
    session.selection = [5, 3, 3]
    assert session.selection.tolist() == [3, 5]
    with pytest.raises(ValueError, match=r"`selection` must hold ids of points of this session, got 99999"):
        session.selection = [3, 99999]
    session.selection = session.motifs.ids(0)
    np.testing.assert_array_equal(session.selection, session.motifs.ids("M0"))
    assert heard[0] == [3, 5]
    assert len(heard) == 2


def test_branches_share_points_and_selection(session: MotifSession) -> None:
    oriented = session.branch("oriented", rotation_invariant=False)
    oriented.run()
    assert oriented.data["features"].attrs["rotation_invariant"] == 0
    assert session.data["features"].attrs["rotation_invariant"] == 1
    np.testing.assert_array_equal(oriented.data["points"]["id"], session.data["points"]["id"])
    oriented.selection = [1, 2]
    assert session.selection.tolist() == [1, 2]
    with pytest.raises(ValueError, match="parent"):
        oriented.find_points()
    session.set_points(POSITION)
    assert oriented.data["points"].sizes["point"] == len(POSITION)
    assert "motifs" not in oriented.data.children


def test_a_drill_down_looks_at_its_points_only(session: MotifSession) -> None:
    ids = session.motifs.ids(0)
    zoom = session.branch("zoom", ids=ids).run()
    np.testing.assert_array_equal(zoom.data["points"]["id"], ids)
    assert zoom.data["patch"].attrs["patch_size"] == session.data["patch"].attrs["patch_size"]
    zoom.selection = ids[:2]
    assert session.selection.tolist() == ids[:2].tolist()


def test_saved_and_opened(session: MotifSession, tmp_path: Path) -> None:
    session.branch("oriented", rotation_invariant=False).run()
    session.branch("zoom", ids=session.motifs.ids(0)).run()
    session.compute_features(patch_size=30)
    session.selection = [1, 4]
    path = session.save(tmp_path / "a.zarr")
    opened = MotifSession.open(path)
    assert repr(opened) == repr(session)
    assert opened.selection.tolist() == [1, 4]
    assert opened.stale == ("layout", "motifs", *CRYSTAL)
    xr.testing.assert_identical(opened.data, session.data)
    for name in ("oriented", "zoom"):
        xr.testing.assert_identical(opened.branches[name].data, session.branches[name].data)
    opened.run()
    assert opened.set_points(POSITION).data["points"]["id"].values.min() >= session._next_id
    opened.save(path)
    np.testing.assert_array_equal(MotifSession.open(path).data["points"]["row"], POSITION[:, 0])


def test_open_refuses_other_things(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MotifSession.open(tmp_path / "nothing.zarr")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((32, 32), np.nan), "finite"),
        (np.random.default_rng(0).random((32, 32, 3)), "channel"),
        (np.ones((2, 2)), "at least"),
        (np.ma.masked_less(np.arange(400.0).reshape(20, 20), 3), "masked"),
        (np.ones((32, 32), complex), "real"),
    ],
)
def test_bad_images_are_refused(image: np.ndarray, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        MotifSession(image)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: (a * 1000 + 200).astype(np.uint16),
        lambda a: a.astype(">f8"),
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    ],
    ids=["integer", "big-endian", "fortran", "strided"],
)
def test_odd_arrays_work(change: object, done: MotifSession) -> None:
    session = MotifSession(change(IMAGE), pixel_size=0.01).run()  # type: ignore[operator]
    count = done.data["points"].sizes["point"]
    assert abs(session.data["points"].sizes["point"] - count) <= 0.02 * count


def test_an_image_without_columns_is_refused_clearly() -> None:
    session = MotifSession(np.ones((64, 64)))
    with pytest.raises(ValueError, match="`image` must"):
        session.run()
    assert "points" not in session.data.children


def test_repr_is_honest(done: MotifSession) -> None:
    text = repr(done)
    assert "honeycomb" in text
    assert f"{done.data['points'].sizes['point']} columns" in text
    assert "stale" not in text
    assert "nothing found yet" in repr(MotifSession(IMAGE))
    assert len(text.splitlines()) <= 1 + len(done.data.children)  # a line a group


def test_two_sessions_in_two_threads(done: MotifSession) -> None:
    results: list[np.ndarray] = []

    def work() -> None:
        session = MotifSession(IMAGE).run()
        results.append(session.data["motifs"]["label"].values)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for labels in results:
        np.testing.assert_array_equal(labels, done.data["motifs"]["label"])


def test_given_motifs_follow_the_patches(session: MotifSession) -> None:
    session.set_points(POSITION).set_motifs(KIND).run()
    session.compute_features(patch_size=30)
    assert session.stale == ("layout", "motifs", *CRYSTAL)
    session.run()
    assert session.data["motifs"].attrs["patch_size"] == 30
    np.testing.assert_array_equal(session.data["motifs"]["label"], KIND)
    with pytest.warns(am.AtomotifWarning, match="motifs that were set"):
        session.find_points(contrast="dark")
    session.find_points().run()
    assert session.motifs.names[0] == "M0"


def test_what_was_asked_for_outlives_its_result(session: MotifSession) -> None:
    session.run(even_gain=True, patch_size=30, n_motifs=2)
    session.set_points(POSITION).run()
    assert session.data["features"].attrs["patch_size"] == 30
    assert len(session.motifs) == 2
    session.denoise(method="low_pass").flatten(method="plane").run()
    assert "denoised" in session.data["image"]


def test_an_interrupted_run_is_taken_up_again(session: MotifSession) -> None:
    class Interrupting:
        def update(self, verb: str, fraction: float) -> None:
            if verb == "compute_layout":
                raise KeyboardInterrupt

        def close(self) -> None:
            pass

    session.progress = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        session.run(patch_size=30, n_motifs=2)
    assert session.stale == ("layout", "motifs", *CRYSTAL)
    session.progress = None
    session.run()
    assert session.data["features"].attrs["patch_size"] == 30
    assert len(session.motifs) == 2


def test_an_error_on_the_way_undoes_the_whole_run(session: MotifSession) -> None:
    before = session.data
    with pytest.raises(ValueError, match="`n_motifs`"):
        session.run(patch_size=30, n_motifs=10**6)
    xr.testing.assert_identical(session.data, before)
    assert session.stale == ()
    session.timings.clear()
    assert session.run().timings == {}


def test_points_in_the_same_places_keep_their_ids(session: MotifSession) -> None:
    session.selection = [3, 4]
    ids = session.data["points"]["id"].values
    session.find_points()
    np.testing.assert_array_equal(session.data["points"]["id"], ids)
    assert session.stale == ("patch", "features", "layout", "motifs", *CRYSTAL)
    assert session.selection.tolist() == [3, 4]


def test_selection_and_drill_down_follow_points_that_move(session: MotifSession) -> None:
    ids = session.motifs.ids(0)
    zoom = session.branch("zoom", ids=ids)
    session.selection = ids[:5]
    places = session.columns.set_index("id").loc[ids, ["y", "x"]].to_numpy()
    heard: list[int] = []
    session.observe(lambda _: heard.append(zoom.data["points"].sizes["point"]))
    moved = np.column_stack([session.data["points"]["row"], session.data["points"]["col"]]) + 0.25
    session.set_points(moved)
    assert heard == [len(ids)]  # the branch has followed before anybody hears of the selection
    now = session.columns.set_index("id")
    np.testing.assert_allclose(now.loc[zoom.data["points"]["id"], ["y", "x"]], places + 0.0025, atol=1e-9)
    np.testing.assert_allclose(now.loc[session.selection, ["y", "x"]], places[:5] + 0.0025, atol=1e-9)
    with pytest.warns(am.AtomotifWarning, match="zoom"):
        session.set_points([[1, 1], [1, 9], [9, 1]])


def test_a_branch_is_a_twin_but_for_what_is_asked(session: MotifSession) -> None:
    session.run(patch_size=30)
    oriented = session.branch("oriented", rotation_invariant=False)
    assert oriented.data["features"].attrs["patch_size"] == 30
    given = MotifSession(IMAGE).set_points(POSITION)
    assert len(given.branch("oriented", rotation_invariant=False).motifs) > 1
    zoom = session.branch("zoom", ids=session.motifs.ids(1)).run()
    session.flatten(method="plane").run()
    zoom.run()
    assert zoom.data["patch"].attrs["patch_size"] == session.data["patch"].attrs["patch_size"]


@pytest.mark.parametrize("name", [".", "a/b", "zarr.json", "x" * 300, "Größe <b>"])
def test_any_text_names_a_branch(session: MotifSession, tmp_path: Path, name: str) -> None:
    session.branch(name)
    opened = MotifSession.open(session.save(tmp_path / "a.zarr"))
    assert list(opened.branches) == [name]


def test_numpy_numbers_are_parameters(session: MotifSession) -> None:
    session.run(n_motifs=np.int64(3), patch_size=np.float32(30), rotation_invariant=np.bool_(False))
    assert len(session.motifs) == 3
    with pytest.raises(TypeError, match="`rotation_invariant` must be bool, got 'no'"):
        session.run(rotation_invariant="no")
    with pytest.raises(ValueError, match="`random_state` must not be negative"):
        session.run(random_state=-1)
    with pytest.raises(ValueError, match="`min_coverage` must be above 0"):
        session.run(min_coverage=5.0)


def test_odd_attributes_do_not_hinder_saving(tmp_path: Path) -> None:
    image = xr.DataArray(IMAGE, dims=("y", "x"), attrs={"dose": float("nan"), "note": [1], "title": "t"})
    session = MotifSession(image).set_points([[10, 10], [50, 90], [100, 30]])
    with pytest.warns(am.AtomotifWarning, match="`patch_size` is a guess"):
        session.measure_patch_size()
    assert MotifSession.open(session.save(tmp_path / "a.zarr")).title == "t"


def test_a_frame_of_a_stack_is_chosen_as_the_error_says() -> None:
    stack = np.stack([IMAGE, IMAGE[::-1]])
    with pytest.raises(ValueError, match="`frame`"):
        MotifSession(stack)
    np.testing.assert_array_equal(MotifSession(stack, frame=1).data["image"]["intensity"], IMAGE[::-1])
