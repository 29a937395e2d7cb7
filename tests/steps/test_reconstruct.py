"""The reconstruction of a session: what it explains, chosen parts, units, candidates, saving."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

import atomotif as am


@pytest.fixture(scope="module")
def session():
    field = am.datasets.mose2_vacancies().isel(y=slice(0, 420), x=slice(0, 420))
    return am.MotifSession(field).run()


@pytest.fixture(autouse=True)
def _as_it_was(request):
    """Let no test see the parameters of another."""
    if "session" in request.fixturenames:
        done = request.getfixturevalue("session")
        done.reconstruct()


def group_of(session):
    return session.data["reconstruction"].to_dataset()


def test_it_explains_all_but_the_noise(session):
    made = group_of(session)
    image = session.data["image"]["flattened"].values
    covered = np.isfinite(made["intensity"].values)
    assert made["intensity"].dtype == made["residual"].dtype == np.float32
    assert made["intensity"].dims == made["residual"].dims == ("y", "x")
    np.testing.assert_allclose(
        (made["intensity"] + made["residual"]).values[covered], image[covered], atol=1e-3 * np.ptp(image)
    )
    expected = 1 - made["residual"].values[covered].var() / image[covered].var()
    assert made.attrs["explained_variance"] == pytest.approx(expected, rel=1e-4)
    assert made.attrs["covered"] == pytest.approx(covered.mean())
    assert covered.mean() > 0.95
    limit = made.attrs["explained_variance_limit"]
    assert limit - 0.02 < made.attrs["explained_variance"] < limit
    assert 0.6 < made.attrs["ssim"] < 0.9
    assert f"{100 * expected:.1f} % of the variance explained" in repr(session)
    # One dim column is the only one of its kind in this field, and therefore has the motif of a whole one.
    assert made.sizes["candidate"] == 1
    assert made["candidate_id"].values[0] in session.data["points"]["id"].values
    assert made["candidate_significance"].values[0] < -10


def test_run_makes_it_only_on_demand():
    field = am.datasets.mose2_vacancies().isel(y=slice(0, 300), x=slice(0, 300))
    other = am.MotifSession(field).run()
    assert "reconstruction" not in other.data.children
    other.run(units="motifs")
    assert "reconstruction" in other.data.children
    other.compute_features(rotation_invariant=False)
    assert "reconstruction" in other.stale
    assert other.run().stale == ()


def test_only_the_defects(session):
    whole = group_of(session)
    names = [str(name) for name in session.data["motifs"]["name"].values]
    rare = tuple(names[2:])
    made = group_of(session.reconstruct(shown=rare))
    label = session.data["motifs"]["label"].values
    points = np.column_stack([session.data["points"][axis].values for axis in ("row", "col")])
    y, x = np.mgrid[:420, :420]
    reach = session.data["motifs"].attrs["patch_size"] / 2
    apart = cKDTree(points[label >= 2]).query(np.stack([y, x], -1).reshape(-1, 2))[0].reshape(420, 420)
    sure = np.abs(apart - reach) > 1e-3
    np.testing.assert_array_equal(np.isfinite(made["intensity"].values)[sure], (apart < reach)[sure])
    # Where only patches of defects reach, both show the same.
    crystal = cKDTree(points[(label >= 0) & (label < 2)]).query(np.stack([y, x], -1).reshape(-1, 2))[0]
    alone = (apart < reach - 1) & (crystal.reshape(420, 420) > reach)
    np.testing.assert_allclose(
        made["intensity"].values[alone], whole["intensity"].values[alone], rtol=1e-4, atol=1e-3
    )
    # The candidates are those of the whole image still.
    assert made.sizes["candidate"] == whole.sizes["candidate"]
    filled = group_of(session.reconstruct(shown=rare, background=-7.0))
    assert (filled["intensity"].values[~np.isfinite(made["intensity"].values)] == -7).all()
    assert np.isnan(filled["residual"].values[apart > reach + 1]).all()
    assert filled.attrs["explained_variance"] == made.attrs["explained_variance"]


@pytest.mark.parametrize("units", ["motifs", "cells", "motif_cells"])
def test_a_chosen_level_and_its_nodes_are_the_same(session, units):
    level = session.data["hierarchy"]["level"].values
    chosen = int(level[np.argmax(session.data["hierarchy"]["count"].values)])
    by_level = group_of(session.reconstruct(units=units, level=chosen))
    nodes = tuple(np.flatnonzero(level == chosen).tolist())
    by_node = group_of(session.reconstruct(units=units, nodes=nodes))
    np.testing.assert_array_equal(by_level["intensity"].values, by_node["intensity"].values)
    covered = np.isfinite(by_node["intensity"].values)
    assert 0 < covered.mean() < 0.9
    y, x = (session.data["image"][axis].values for axis in ("y", "x"))
    for node in nodes:
        for place in session.motif_cells.occurrences(node):
            assert covered[np.abs(y - place[0]).argmin(), np.abs(x - place[1]).argmin()]


def test_cells_explain_nearly_as_much_and_bring_their_averages(session):
    made = group_of(session.reconstruct(units="cells"))
    limit = made.attrs["explained_variance_limit"]
    assert limit - 0.05 < made.attrs["explained_variance"] < limit
    assert made.attrs["covered"] > 0.95
    counts = session.data["cells"]["class_count"].values
    np.testing.assert_array_equal(made["unit_count"].values, counts)
    assert made["unit_average"].sizes["unit"] == len(counts)
    assert np.isfinite(made["unit_average"].values[counts > 0]).all()
    rare = tuple(str(name) for name in session.data["motifs"]["name"].values[2:])
    part = group_of(session.reconstruct(units="cells", shown=rare))
    assert 0 < part.attrs["covered"] < 0.6


def test_motif_cells_are_rebuilt_from_the_mean_of_their_occurrences(session):
    made = group_of(session.reconstruct(units="motif_cells"))
    np.testing.assert_array_equal(made["unit_count"].values, session.data["hierarchy"]["count"].values)
    assert made.attrs["explained_variance"] > 0.8
    only = group_of(session.reconstruct(units="motif_cells", shown=("M0",)))
    assert only.attrs["covered"] <= made.attrs["covered"]


def test_voronoi_cells_do_without_a_lattice(session):
    other = session.branch("voronoi", rotation_invariant=True)
    other.find_cells(cells="voronoi").reconstruct(units="cells")
    made = group_of(other)
    assert made.attrs["explained_variance"] > made.attrs["explained_variance_limit"] - 0.1


def test_missed_columns_are_candidates_in_their_places():
    field = am.datasets.mose2_vacancies().isel(y=slice(0, 420), x=slice(0, 420))
    whole = am.MotifSession(field).run()
    points = np.column_stack([whole.data["points"][axis].values for axis in ("row", "col")])
    label = whole.data["motifs"]["label"].values
    inner = ((points > 60) & (points < 360)).all(axis=1)
    rng = np.random.default_rng(0)
    gone = np.concatenate(
        [rng.choice(np.flatnonzero(inner & (label == motif)), 3, replace=False) for motif in range(3)]
    )
    rest = np.delete(np.arange(len(points)), gone)
    session = am.MotifSession(field).set_points(points[rest]).run()
    made = group_of(session.reconstruct())
    made = made.isel(candidate=made["candidate_id"].values < 0)
    assert made.sizes["candidate"] == len(gone)
    pixel = session.data["image"].attrs["pixel_size"]
    corner = [float(session.data["image"][axis][0]) for axis in ("y", "x")]
    place = np.column_stack([made["candidate_y"].values, made["candidate_x"].values]) - corner
    distance, which = cKDTree(points).query(place / pixel)
    assert set(which.tolist()) == set(gone.tolist())
    assert distance.max() < 2.5  # px, of a spacing of 17
    assert (made["candidate_significance"].values > made.attrs["candidate_threshold"]).all()
    assert (made["candidate_contrast"].values > 0.25).all()
    # A higher bar lets the weaker ones go.
    high = group_of(session.reconstruct(candidate_height=0.8))
    assert (high["candidate_id"].values < 0).sum() < len(gone)


def test_a_column_that_is_not_as_its_motif_is_named():
    field = am.datasets.mose2_vacancies().isel(y=slice(0, 300), x=slice(0, 300)).copy()
    whole = am.MotifSession(field).run()
    label = whole.data["motifs"]["label"].values
    points = np.column_stack([whole.data["points"][axis].values for axis in ("row", "col")])
    inner = np.flatnonzero(((points > 80) & (points < 220)).all(axis=1) & (label == 0))
    odd = int(inner[0])
    y, x = np.mgrid[:300, :300]
    bump = np.exp(-((y - points[odd, 0]) ** 2 + (x - points[odd, 1]) ** 2) / (2 * 4.0**2))
    brighter = field + 0.5 * float(np.ptp(field.values)) * bump
    session = am.MotifSession(brighter).set_points(points).run()
    made = group_of(session.reconstruct())
    assert made["candidate_id"].values[0] == session.data["points"]["id"][odd]
    assert made["candidate_significance"].values[0] > 0


def test_names_of_motifs_follow(session):
    session.reconstruct(shown=("M1",))
    expected = group_of(session)
    session.motifs.rename("M1", "seen")
    try:
        session.run(background=0.0)
        assert group_of(session).attrs["explained_variance"] == expected.attrs["explained_variance"]
    finally:
        session.motifs.rename("seen", "M1")


def test_it_is_saved_and_opened(session, tmp_path):
    session.reconstruct(shown=("M1",), units="cells")
    expected = group_of(session)
    session.save(tmp_path / "s.zarr")
    opened = am.MotifSession.open(tmp_path / "s.zarr")
    assert group_of(opened).identical(expected)
    assert opened.run().stale == ()
    assert group_of(opened).identical(expected)


def test_bad_values_are_refused(session):
    for values, message in [
        ({"units": "points"}, "`units` must be one of"),
        ({"shown": ("nobody",)}, "`shown` must be names of motifs"),
        ({"nodes": (999,)}, "`nodes` must be numbers below"),
        ({"level": 999}, "`level` must be one that"),
        ({"nodes": (0,), "level": 1}, "`nodes` and `level` must not both"),
        ({"nodes": ()}, "there is nothing to paste"),
        ({"candidate_height": 0.0}, "`candidate_height` must be positive"),
        ({"false_alarms": -1.0}, "`false_alarms` must be positive"),
    ]:
        with pytest.raises(ValueError, match=message):
            session.reconstruct(**values)
