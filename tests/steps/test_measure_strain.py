"""Lattice, displacement and strain through the session, against what was planted."""

import json

import numpy as np
import pytest

import atomotif as am

PIXEL = 0.02  # nm


def session_of(points, labels, side, names):
    image = np.random.default_rng(1).normal(0, 1, (side, side))
    return am.MotifSession(image, pixel_size=PIXEL, units="nm").set_points(points).set_motifs(labels, names)


def field(side=520, a=20.0):
    """A square lattice of two columns a cell: points and labels."""
    index = np.stack(np.meshgrid(range(26), range(26), indexing="ij"), -1).reshape(-1, 2)
    points = np.concatenate([10 + a * index[:, :], 10 + a * (index[:-27] + 0.5)])
    inside = (points < side - 6).all(axis=1)
    labels = np.repeat([0, 1], [len(index), len(index) - 27])
    return points[inside], labels[inside], side


def test_the_lattice_is_in_units_of_the_image():
    points, labels, side = field()
    lattice = session_of(points, labels, side, ["A", "B"]).find_lattice().data["lattice"].to_dataset()
    np.testing.assert_allclose(lattice["length"], [0.4, 0.4], atol=1e-6)
    assert lattice["length"].attrs["units"] == lattice["vector"].attrs["units"] == "nm"
    assert lattice.attrs["angle"] == pytest.approx(90)
    assert lattice.sizes["sublattices"] == 2
    place = (
        lattice["origin"].values
        + (lattice["index"].values + lattice["fraction"].values[lattice["sublattice"].values])
        @ lattice["vector"].values
    )
    np.testing.assert_allclose(place, points * PIXEL, atol=1e-6)


def test_given_vectors_and_supercells_are_kept():
    points, labels, side = field()
    session = session_of(points, labels, side, ["A", "B"])
    given = [[20.0, 0.0], [20.0, 20.0]]
    lattice = session.find_lattice(vectors=given).data["lattice"]
    np.testing.assert_allclose(lattice["vector"], np.array(given) * PIXEL, atol=1e-6)
    session.timings.clear()
    session.run(vectors=np.array(given))  # the same, so that it is not found anew
    assert "find_lattice" not in session.timings
    assert session.find_lattice(supercell=2).data["lattice"].sizes["sublattices"] == 8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"supercell": 0}, "`supercell` must be positive"),
        ({"min_quality": -1.0}, "`min_quality` must be positive"),
        ({"vectors": [[1.0, 2.0], [2.0, 4.0]]}, "`vectors`"),
    ],
)
def test_bad_values_are_refused_and_nothing_is_lost(values, message):
    points, labels, side = field()
    session = session_of(points, labels, side, ["A", "B"]).find_lattice()
    before = session.data["lattice"]
    with pytest.raises(ValueError, match=message):
        session.find_lattice(**values)
    assert session.data["lattice"].identical(before)


def test_a_planted_gradient_of_strain_is_found():
    points, labels, side = field()
    y, x = (points - 10).T
    # exx grows from 0 to 1 % along x; that of y shrinks; a rotation grows along y.
    moved = np.column_stack([-0.005 * y, 0.01 * x**2 / (2 * 500) - 0.002 * y])
    session = session_of(points + moved, labels, side, ["A", "B"])
    strain = session.measure_strain().data["strain"].to_dataset()
    mean = 0.01 * x.mean() / 500
    relative = (strain["exx"].values - np.nanmean(strain["exx"].values)) - (0.01 * x / 500 - mean)
    inside = ((points > 60) & (points < side - 60)).all(axis=1)
    assert np.sqrt(np.nanmean(relative[inside] ** 2)) < 2e-4
    assert np.nanmax(np.abs(strain["eyy"].values[inside])) < 2e-4  # the reference took it up
    assert (strain["exx_error"].values[inside] > 0).all()


def test_the_reference_is_that_of_the_region():
    points, labels, side = field()
    right = points[:, 1] > 260
    # In the right half the B columns are shifted and all is stretched along y.
    moved = np.zeros_like(points)
    moved[right & (labels == 1), 0] = 2.0
    session = session_of(points + moved, labels, side, ["A", "B"])
    ids = session.data["points"]["id"].values
    session.measure_strain(region=ids[~right])
    strain = session.data["strain"].to_dataset()
    shift = strain["displacement"].sel(axis="y").values / PIXEL
    far = right & (points[:, 1] > 320)
    np.testing.assert_allclose(shift[far & (labels == 1)], 2.0, atol=0.01)
    np.testing.assert_allclose(shift[labels == 0], 0.0, atol=0.01)
    # A rigid shift of a sublattice is displacement, not strain.
    assert np.nanmax(np.abs(strain["eyy"].values[far])) < 1e-6
    assert np.nanmax(np.abs(strain["exy"].values[far])) < 1e-6
    table = session.columns
    np.testing.assert_allclose(table["displacement_y"], shift * PIXEL)
    with pytest.raises(ValueError, match="`region` must hold ids of points of this session"):
        session.measure_strain(region=[10**9])


def test_the_polar_shift_of_barium_titanate_is_displacement(shared):
    with np.load(shared / "bench" / "bto_sto_interface__clean.npz", allow_pickle=False) as file:
        names = json.loads(str(file["label_names"]))
        points = np.clip(file["positions_xy_px"][:, ::-1].astype(float), -0.5, None)
        points = np.minimum(points, np.array(file["image"].shape) - 0.5)
        labels, pixel = file["labels"].astype(int), float(file["pixel_size_nm"])
        motif_names = json.loads(str(file["motif_label_names"]))
        motif = np.array([motif_names[k] for k in file["motif_labels"]])
        image = file["image"].astype(float)
    session = am.MotifSession(image, pixel_size=pixel, units="nm").set_points(points)
    session.set_motifs(labels, names)
    ids = session.data["points"]["id"].values
    strontium_side = np.isin(motif, ["Sr", "Ti_STO"])
    session.measure_strain(region=ids[strontium_side])
    moved = session.data["strain"]["displacement"].values
    sublattice = session.data["lattice"]["sublattice"].values
    inside = ((points > 40) & (points < np.array(image.shape) - 40)).all(axis=1)
    inside &= np.abs(points[:, 1] - 471) > 30  # there the interface has a step, and the crystal with it
    barium = inside & (motif == "Ba")
    titanium = inside & (motif == "Ti_BTO")
    assert len(set(sublattice[barium])) == len(set(sublattice[titanium])) == 1
    # Each Ti against the four Ba around it: the lattice's own change drops out.
    shifts = []
    for row in np.flatnonzero(titanium):
        near = np.argsort(np.hypot(*(points - points[row]).T))[1:5]
        if np.isin(near, np.flatnonzero(barium)).all():
            shifts.append(moved[row] - moved[near].mean(axis=0))
    shift = np.array(shifts)
    assert len(shift) > 50
    assert np.hypot(*shift.mean(axis=0)) == pytest.approx(0.012, abs=0.0005)  # nm
    assert shift.std(axis=0).max() < 0.001
    # The shift of the Ti is no strain: both sublattices have that of the crystals, 4.06 A against 3.905.
    strain = session.data["strain"].to_dataset()
    away = np.abs(points[:, 1] - 471) > 120
    deep = [kind & away & (points[:, 0] > points[titanium, 0].mean()) for kind in (barium, titanium)]
    for kind in deep:
        assert kind.sum() > 20
        assert np.nanstd(strain["eyy"].values[kind]) < 1e-4
        assert np.nanmedian(strain["eyy"].values[kind]) == pytest.approx(4.06 / 3.905 - 1, abs=5e-4)


@pytest.mark.parametrize(
    ("window", "message"), [(0.5, "must take in more columns"), (1e9, "must be below the size")]
)
def test_windows_that_see_too_little_or_too_much_are_refused(window, message):
    points, labels, side = field()
    with pytest.raises(ValueError, match=f"`window` {message}"):
        session_of(points, labels, side, ["A", "B"]).measure_strain(window=window)


@pytest.mark.filterwarnings("ignore:the motifs that were set")
def test_the_region_follows_points_that_are_found_anew():
    points, labels, side = field()
    session = session_of(points, labels, side, ["A", "B"])
    session.measure_strain(region=session.data["points"]["id"].values[:200])
    session.set_points(points[::-1]).set_motifs(labels[::-1], ["A", "B"]).run()
    ids = session.data["points"]["id"].values
    assert session._state.wanted["measure_strain"].region == tuple(sorted(ids[-200:].tolist()))
    assert "strain" in session.data.children
    branch = session.branch("half", ids=ids[: len(ids) // 2])
    assert branch._state.wanted["measure_strain"].region is None
    with pytest.raises(ValueError, match="`region` must not be empty"):
        session.measure_strain(region=[])
