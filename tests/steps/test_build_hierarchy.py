"""The hierarchy of samples whose truth is known, against a brute force that knows nothing of atomotif."""

import json
from collections import Counter

import networkx as nx
import numpy as np
import pytest

import atomotif as am

BORDER = 0.5  # nearest-neighbour distances, as `find_lattice` leaves out
TURN = np.array([[0, 1], [-1, -1]])  # by 120 degrees, of indices to vectors at 120 degrees; rows @ TURN


def read_truth(shared, family):
    with np.load(shared / "bench" / f"{family}__clean.npz", allow_pickle=False) as file:
        names = json.loads(str(file["label_names"]))
        return {
            "image": file["image"].astype(float),
            "rowcol": np.clip(
                file["positions_xy_px"][:, ::-1].astype(float), -0.5, np.array(file["image"].shape) - 0.5
            ),
            "kind": np.array([names[label] for label in file["labels"]]),
            "visible": file["visible"],
            "pixel": float(file["pixel_size_nm"]),
        }


def session_of(truth):
    seen = truth["visible"]
    names, labels = np.unique(truth["kind"][seen], return_inverse=True)
    session = am.MotifSession(truth["image"], pixel_size=truth["pixel"], units="nm")
    return session.set_points(truth["rowcol"][seen]).set_motifs(labels, names=names.tolist())


@pytest.fixture(scope="module", params=["mose2_vse", "ws2_fe_te"])
def sample(request, shared):
    truth = read_truth(shared, request.param)
    return request.param, truth, session_of(truth).build_hierarchy()


# ---- the brute force ---------------------------------------------------------------------------------


def vectors_of(points):
    """Two lattice vectors at 120 degrees, px, from the points of one sublattice."""
    apart = points[None] - points[:, None]
    length = np.hypot(*np.moveaxis(apart, -1, 0))
    shortest = np.min(length[length > 1])
    near = apart[(length > 0.9 * shortest) & (length < 1.1 * shortest)]
    angle = np.degrees(np.arctan2(near[:, 0], near[:, 1]))
    first = near[np.abs(angle - angle[0]) < 10].mean(axis=0)
    turned = (np.degrees(np.arctan2(*first)) + 120 + 180) % 360 - 180
    second = near[np.abs((angle - turned + 180) % 360 - 180) < 10].mean(axis=0)
    return np.array([first, second])


def normal(places):
    """A set of (place, kind) with its least place at the origin: places up to translation."""
    i, j = min(place for place, _ in places)
    return frozenset(((p - i, q - j), kind) for (p, q), kind in places)


def turned(places, turn):
    return normal({(tuple((np.array(place) @ turn).tolist()), kind) for place, kind in places})


def images(places, turn, order):
    found = [normal(places)]
    for _ in range(order - 1):
        found.append(turned(found[-1], turn))
    return found


def contains(larger, smaller):
    """Whether a translation maps each of the smaller one's places onto one of the larger one's."""
    (i, j), kind = min(smaller)
    for (p, q), other in larger:
        if other == kind and {((a + p - i, b + q - j), k) for (a, b), k in smaller} <= larger:
            return True
    return False


def brute_hierarchy(places, kinds, joined, turn, order):
    """Counts by class, and pairs of classes of which one is part of the other at the nearest level."""
    classes = Counter()
    for component in nx.connected_components(joined):
        shape = {(tuple(places[k]), kinds[k]) for k in component}
        classes[frozenset(images(shape, turn, order))] += 1
    size = {one: len(next(iter(one))) for one in classes}
    edges = set()
    for small in classes:
        larger = [
            big
            for big in classes
            if size[big] > size[small] and any(contains(next(iter(big)), image) for image in small)
        ]
        nearest = min((size[big] for big in larger), default=0)
        edges |= {(small, big) for big in larger if size[big] == nearest}
    return classes, edges


def brute_sites(truth):
    """Defects in thirds of lattice vectors, joined where they are at most one vector apart."""
    usual = [kind for kind, _ in Counter(truth["kind"]).most_common(2)]
    vectors = vectors_of(truth["rowcol"][truth["kind"] == usual[0]])
    spacing = np.hypot(*vectors[0]) / np.sqrt(3)
    low, high = BORDER * spacing, np.array(truth["image"].shape) - 1 - BORDER * spacing
    inside = ((truth["rowcol"] >= low) & (truth["rowcol"] <= high)).all(axis=1)
    defect = ~np.isin(truth["kind"], usual) & (inside | truth["visible"])
    where, kinds = truth["rowcol"][defect], truth["kind"][defect]
    thirds = 3 * (where - where[0]) @ np.linalg.inv(vectors)
    assert np.abs(thirds - thirds.round()).max() < 0.1
    apart = np.hypot(*np.moveaxis(where[:, None] - where[None], -1, 0))
    joined = nx.from_numpy_array(apart <= 1.1 * np.hypot(*vectors[0]))
    return brute_hierarchy(thirds.round().astype(int).tolist(), kinds.tolist(), joined, TURN, 3)


# ---- what the session found --------------------------------------------------------------------------


def shapes_found(session, scale):
    """Each node's places, in thirds of lattice vectors or in cells, with what is there."""
    fractions = session.data["lattice"]["fraction"].values
    shapes = {}
    for node, values in session.hierarchy.nodes(data=True):
        if scale == 3:
            cells = [((i, j), s, name) for i, j, s, name in values["cells"]]
            thirds = [3 * (np.array(cell) + fractions[s]) for cell, s, _ in cells]
            offset = thirds[0] - thirds[0].round()
            shapes[node] = {
                (tuple((place - offset).round().astype(int).tolist()), name)
                for place, (_, _, name) in zip(thirds, cells)
            }
        else:
            shapes[node] = {((i, j), name) for i, j, name in values["cells"]}
    return shapes


def basis_of_brute(session, truth):
    """How indices of the session's vectors become indices of those of the brute force."""
    usual = Counter(truth["kind"]).most_common(1)[0][0]
    mine = session.data["lattice"]["vector"].values / truth["pixel"]
    change = mine @ np.linalg.inv(vectors_of(truth["rowcol"][truth["kind"] == usual]))
    assert np.abs(change - change.round()).max() < 0.01
    return change.round().astype(int)


def test_sites_compose_as_the_brute_force_says(sample):
    family, truth, session = sample
    classes, edges = brute_sites(truth)
    change = basis_of_brute(session, truth)
    graph = session.hierarchy
    empty = {"no Se2": "VSe2"}
    node_class = {}
    for node, shape in shapes_found(session, 3).items():
        named = {(tuple((np.array(place) @ change).tolist()), empty.get(name, name)) for place, name in shape}
        node_class[node] = frozenset(images(named, TURN, 3))
    found = {node_class[node]: values["count"] for node, values in graph.nodes(data=True)}
    assert len(found) == len(graph)
    assert found == dict(classes)
    assert {(node_class[a], node_class[b]) for a, b in graph.edges} == edges
    assert sum(found.values()) > 20
    assert len(edges) >= 3, family


def test_cells_hold_what_the_brute_force_says(sample):
    _, truth, session = sample
    data = session.data
    corner = data["lattice"]["origin"].values / truth["pixel"]
    vectors = data["lattice"]["vector"].values / truth["pixel"]
    seen = truth["visible"]
    index = np.floor((truth["rowcol"] - corner) @ np.linalg.inv(vectors)).astype(int)
    held = {}
    for cell, kind in zip(map(tuple, index[seen].tolist()), truth["kind"][seen]):
        held.setdefault(cell, set()).add(str(kind))
    cells = data["cells"].to_dataset()
    counts = Counter(
        frozenset(held.get(tuple(cell), ()))
        for cell, border in zip(cells["index"].values.tolist(), cells["border"].values)
        if not border
    )
    table = session.cell_classes
    assert {
        frozenset(text.split(" + ")): count for text, count in zip(table["composition"], table["count"])
    } == counts
    assert table["dominant"].tolist() == [True] + [False] * (len(table) - 1)
    assert cells["cell_of_point"].shape == (seen.sum(),)
    np.testing.assert_array_equal(cells["index"].values[cells["cell_of_point"].values], index[seen])
    # All cells but those at the edge are there: together they are as large as the image without its margin.
    area = float(cells["area"].sum()) / truth["pixel"] ** 2
    assert 0.9 < area / truth["image"].size < 1.2


def test_cells_compose_as_the_paper_says(sample):
    _, _, session = sample
    paper = session.build_hierarchy(neighborhood="von_neumann", symmetry="c4")
    cells = paper.data["cells"].to_dataset()
    classes = paper.cell_classes["composition"]
    chosen = cells["minority"].values
    places = cells["index"].values[chosen].tolist()
    kinds = [classes[number] for number in cells["class"].values[chosen]]
    grid = nx.Graph()
    grid.add_nodes_from(range(len(places)))
    at = {tuple(place): k for k, place in enumerate(places)}
    for (i, j), k in at.items():
        grid.add_edges_from((k, at[cell]) for cell in ((i + 1, j), (i, j + 1)) if cell in at)
    quarter = np.array([[0, 1], [-1, 0]])
    expected = brute_hierarchy(places, kinds, grid, quarter, 4)[0]
    shapes = shapes_found(paper, 1)
    found = {
        frozenset(images(shapes[node], quarter, 4)): values["count"]
        for node, values in paper.hierarchy.nodes(data=True)
    }
    assert found == dict(expected)
    # Edges: without rotation, of the forms as they stand.
    forms = {node: normal(shape) for node, shape in shapes.items()}
    level = nx.get_node_attributes(paper.hierarchy, "level")
    edges = set()
    for small, form in forms.items():
        larger = [n for n in forms if level[n] > level[small] and contains(forms[n], form)]
        nearest = min((level[n] for n in larger), default=0)
        edges |= {(small, n) for n in larger if level[n] == nearest}
    assert set(paper.hierarchy.edges) == edges


def test_occurrences_are_where_the_points_are(sample):
    _, _, session = sample
    session.build_hierarchy()
    points = session.columns.set_index("id")
    for node, values in session.hierarchy.nodes(data=True):
        ids = session.motif_cells.ids(node)
        assert len(values["occurrences"]) == values["count"]
        np.testing.assert_array_equal(session.motif_cells.occurrences(node), values["occurrences"])
        if any(name.startswith("no ") for name in values["composition"]):
            continue
        assert len(ids) == values["count"] * values["level"]
        mean = points.loc[ids, ["y", "x"]].mean()
        np.testing.assert_allclose(values["occurrences"].mean(axis=0), mean, atol=1e-6)


def test_names_and_renames_are_those_of_now(sample):
    _, _, session = sample
    graph = session.hierarchy
    name = next(iter(graph.nodes[0]["composition"]))
    session.motifs.rename(name, "seen")
    try:
        assert session.hierarchy.nodes[0]["composition"] == {"seen": 1}
        assert session.motif_cells.table().loc[0, "composition"] == "seen"
        assert session.stale == ()
    finally:
        session.motifs.rename("seen", name)


def test_the_crystal_may_have_several_motifs_a_sublattice(sample):
    family, truth, session = sample
    # Metal columns are told apart by what is next to them, as a clustering does.
    seen = truth["visible"]
    kinds = truth["kind"][seen]
    usual = [kind for kind, _ in Counter(truth["kind"]).most_common(2)]
    points = truth["rowcol"][seen]
    defect = points[~np.isin(kinds, usual)]
    spacing = session.data["lattice"].attrs["spacing"]
    beside = np.hypot(*np.moveaxis(points[:, None] - defect[None], -1, 0)).min(axis=1) < 1.1 * spacing
    finer = np.where(np.isin(kinds, usual) & beside, np.char.add(kinds, "*"), kinds)
    names, labels = np.unique(finer, return_inverse=True)
    other = session_of(truth).set_motifs(labels, names=names.tolist())
    crystal = tuple(name for name in names if name.rstrip("*") in usual)
    other.find_cells(dominant=crystal).build_hierarchy()
    expected = session.build_hierarchy().motif_cells.table()
    assert other.motif_cells.table()[["level", "count"]].equals(expected[["level", "count"]]), family
    of_crystal = other.cell_classes.query("dominant")["composition"]
    assert len(of_crystal) > 1
    assert all(set(text.split(" + ")) <= set(crystal) for text in of_crystal)
    cells = other.data["cells"].to_dataset()
    assert int(cells["minority"].sum()) == int(session.data["cells"]["minority"].sum())


@pytest.fixture(scope="module")
def triangles():
    """A made monolayer MX2: a triangle of vacancies round a metal column, one round a hollow, and a pair."""
    a = 20.0
    vectors = np.array([[0.0, a], [a * np.sqrt(0.75), -a / 2]])
    cells = np.stack(np.meshgrid(range(-30, 60), range(40), indexing="ij"), -1).reshape(-1, 2)
    metal = cells @ vectors + 9.0
    chalcogen = metal + (vectors[0] * 2 + vectors[1]) / 3
    side = 500
    inside = ((metal > 2) & (metal < side - 3)).all(axis=1)
    also = ((chalcogen > 2) & (chalcogen < side - 3)).all(axis=1)

    def nearest(place):
        return chalcogen[np.argmin(np.hypot(*(chalcogen - place).T))]

    def three_round(place):
        return chalcogen[np.argsort(np.hypot(*(chalcogen - place).T).round(6), kind="stable")[:3]]

    middle = metal[np.argmin(np.hypot(*(metal - [150, 150]).T))]
    hollow = metal[np.argmin(np.hypot(*(metal - [350, 150]).T))] + (vectors[0] + 2 * vectors[1]) / 3
    pair = nearest([250, 380])
    vacancies = np.concatenate([three_round(middle), three_round(hollow), [pair, pair + vectors[1]]])
    points = np.concatenate([metal[inside], chalcogen[also]])
    labels = np.concatenate([np.zeros(inside.sum(), int), np.ones(also.sum(), int)])
    for vacancy in vacancies:
        labels[np.argmin(np.hypot(*(points - vacancy).T))] = 2
    return points, labels, side


def made_session(points, labels, side):
    session = am.MotifSession(
        np.random.default_rng(0).normal(0, 1, (side, side)), pixel_size=0.02, units="nm"
    )
    return session.set_points(points).set_motifs(labels, names=["M", "X", "V"])


def test_a_triangle_round_a_metal_column_is_not_one_round_a_hollow(triangles):
    session = made_session(*triangles).build_hierarchy()
    assert session.motif_cells.table()[["level", "count"]].values.tolist() == [[2, 1], [3, 1], [3, 1]]
    assert sorted(session.hierarchy.edges) == [(0, 1), (0, 2)]
    # By the paper's rules the grid of indices decides, which has no such symmetry.
    assert session.build_hierarchy(symmetry="none").data["hierarchy"].attrs["symmetry_order"] == 1


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_turned_image_has_the_same_hierarchy(triangles, quarter_turns):
    points, labels, side = triangles
    expected = made_session(points, labels, side).build_hierarchy()
    for _ in range(quarter_turns):
        points = np.column_stack([side - 1 - points[:, 1], points[:, 0]])
    turned_too = made_session(points, labels, side).build_hierarchy()
    assert turned_too.motif_cells.table().equals(expected.motif_cells.table())
    assert sorted(turned_too.hierarchy.edges) == sorted(expected.hierarchy.edges)


@pytest.mark.filterwarnings("ignore:the points hardly repeat")
def test_a_sample_without_a_lattice_leaves_the_hierarchy_out_and_says_why(triangles):
    _, _, side = triangles
    rng = np.random.default_rng(0)
    points = rng.uniform(10, side - 10, (400, 2))
    session = made_session(points, np.arange(400) % 3, side)
    session.run()
    assert "lattice" not in session.data.children
    assert "no lattice found" in repr(session)
    with pytest.raises(ValueError, match="no lattice found"):
        session.find_lattice()
    with pytest.raises(ValueError, match="there is no group 'hierarchy': no lattice found"):
        session.hierarchy  # noqa: B018
    cells = session.find_cells(cells="voronoi", seeds=("M",)).data["cells"]
    assert cells.sizes["cell"] == 134
    with pytest.raises(ValueError, match="no lattice found"):
        session.build_hierarchy()


def lattice_of_one(n=18, a=16.0, defects=((5, 5), (9, 9), (9, 10))):
    """A square lattice of one kind of column with a few of another: points and labels."""
    index = np.stack(np.meshgrid(range(n), range(n), indexing="ij"), -1).reshape(-1, 2)
    labels = np.zeros(len(index), int)
    for i, j in defects:
        labels[i * n + j] = 1
    return 10 + a * index, labels, int(20 + a * n)


def of_one(**changes):
    points, labels, side = lattice_of_one(**changes)
    image = np.random.default_rng(0).normal(0, 1, (side, side))
    return am.MotifSession(image).set_points(points).set_motifs(labels, names=["A", "B"][: labels.max() + 1])


@pytest.mark.parametrize("supercell", [1, 2])
def test_a_motif_of_the_crystal_may_be_on_several_sublattices(supercell):
    session = of_one().run(dominant=("A",), supercell=supercell)
    assert int(session.data["cells"]["site_defect"].sum()) == 3
    assert session.motif_cells.table()[["level", "count"]].values.tolist() == [[1, 1], [2, 1]]


def test_a_perfect_crystal_has_an_empty_hierarchy_that_works():
    session = of_one(defects=()).run()
    assert len(session.motif_cells) == 0
    assert session.motif_cells.table().empty
    assert session.data["hierarchy"]["site_offset"].dtype == np.int64
    with pytest.raises(ValueError, match="there is nothing to paste"):
        session.reconstruct(units="motif_cells")


@pytest.mark.parametrize("symmetry", ["crystal", "c4", "none"])
def test_levels_of_cells_are_told_in_cells_for_edges_too(triangles, symmetry):
    session = made_session(*triangles)
    session.build_hierarchy(neighborhood="von_neumann", symmetry=symmetry, edges="all")
    level = session.motif_cells.table()["level"]
    every = {(a, b) for a, b in session.hierarchy.edges}
    session.build_hierarchy(neighborhood="von_neumann", symmetry=symmetry, edges=2)
    assert set(session.hierarchy.edges) == {(a, b) for a, b in every if level[b] - level[a] < 2}
    assert session.data["hierarchy"].attrs["unit"] == "cells"
    assert "cells" in repr(session.motif_cells)


def test_occurrences_are_turned_by_the_operation_that_joins_them(triangles):
    session = made_session(*triangles).build_hierarchy()
    hierarchy = session.data["hierarchy"].to_dataset()
    angle = np.degrees(hierarchy["occurrence_angle"].values)
    np.testing.assert_allclose(angle, 120 * np.round(angle / 120), atol=1e-6)
    # Turned so, the sites of an occurrence lie as those of its motif-cell do.
    cells, lattice = session.data["cells"].to_dataset(), session.data["lattice"].to_dataset()
    place = np.column_stack([cells["site_y"].values, cells["site_x"].values])
    starts, items = hierarchy["site_offset"].values, hierarchy["item_offset"].values
    node = np.repeat(np.arange(3), hierarchy["count"].values)
    for k, turn in enumerate(np.radians(angle)):
        here = place[hierarchy["site"].values[starts[k] : starts[k + 1]]]
        here = here - here.mean(axis=0)
        turned_back = np.column_stack(
            [
                here[:, 0] * np.cos(turn) + here[:, 1] * np.sin(turn),
                here[:, 1] * np.cos(turn) - here[:, 0] * np.sin(turn),
            ]
        )
        rows = slice(items[node[k]], items[node[k] + 1])
        form = (
            hierarchy["item_index"].values[rows]
            + lattice["fraction"].values[hierarchy["item_kind"].values[rows]]
        ) @ lattice["vector"].values
        form = form - form.mean(axis=0)
        apart = np.linalg.norm(turned_back[:, None] - form[None], axis=-1)
        assert apart.min(axis=1).max() < 0.02  # nm


def test_results_that_are_out_of_date_keep_the_names_they_were_made_with(triangles):
    session = made_session(*triangles).run()
    before = session.cell_classes, session.motif_cells.table()
    session.find_environments()
    environments = session.environments.table()
    session.set_motifs(np.zeros(len(triangles[0]), int), names=["all"])
    assert "cells" in session.stale
    assert session.cell_classes.equals(before[0])
    assert session.motif_cells.table().equals(before[1])
    assert session.environments.table().equals(environments)
    assert len(session.hierarchy) == len(before[1])


@pytest.mark.filterwarnings("ignore:the points hardly repeat", "ignore:the motifs that were set")
def test_what_was_left_out_is_not_tried_again_until_something_changes(triangles):
    points, labels, side = triangles
    session = made_session(points, labels, side).run()
    rng = np.random.default_rng(0)
    session.set_points(rng.uniform(10, side - 10, (300, 2)))
    session.set_motifs(np.arange(300) % 3).run()
    assert "no lattice found" in repr(session)
    session.timings.clear()
    session.run()
    assert session.timings == {}
    session.undo().undo().undo()
    assert "no lattice found" not in repr(session)
    assert "lattice" in session.data.children


@pytest.mark.filterwarnings("ignore:the points hardly repeat")
def test_asking_for_voronoi_cells_does_not_ask_for_a_lattice(triangles):
    _, _, side = triangles
    points = np.random.default_rng(0).uniform(10, side - 10, (300, 2))
    session = made_session(points, np.arange(300) % 3, side)
    session.run(cells="voronoi", seeds="M")
    assert session.data["cells"].sizes["cell"] == 100
    assert "no lattice found" in repr(session)
    with pytest.raises(ValueError, match="no lattice found"):
        session.run(edges="all")


def test_empty_choices_are_refused(triangles):
    session = made_session(*triangles)
    for step, values in (("find_cells", {"dominant": ()}), ("find_environments", {"centers": []})):
        with pytest.raises(ValueError, match="must not be empty"):
            session.run_step(step, **values)


@pytest.mark.parametrize(("distortion", "order"), [(0.0, 3), (0.025, 3), (0.06, 1)])
def test_a_scan_that_distorts_a_little_leaves_the_symmetry(triangles, distortion, order):
    points, labels, side = triangles
    sheared = (points - 250) @ np.array([[1 + distortion, 0], [distortion, 1 - distortion]]).T + 250
    inside = ((sheared > 0) & (sheared < side - 1)).all(axis=1)
    session = made_session(sheared[inside], labels[inside], side).build_hierarchy()
    assert session.data["hierarchy"].attrs["symmetry_order"] == order
    assert f"symmetry of order {order}" in repr(session)
    loose = session.build_hierarchy(max_strain=0.25)
    assert loose.data["hierarchy"].attrs["symmetry_order"] == 3


@pytest.mark.filterwarnings("ignore:the points hardly repeat")
def test_another_seed_asks_for_nothing_more(triangles):
    points, labels, side = triangles
    session = made_session(points, labels, side).run(random_state=7)  # the motifs were given
    assert "quads" not in session.data.children
    assert session._state.wanted["find_lattice"].random_state == 7
    other = made_session(points, labels, side).run()
    assert session.motif_cells.table().equals(other.motif_cells.table())
    amorphous = np.random.default_rng(0).uniform(10, side - 10, (300, 2))
    assert "no lattice found" in repr(made_session(amorphous, np.arange(300) % 3, side).run(random_state=7))
