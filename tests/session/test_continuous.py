"""What a session makes of a continuous sample, and what names of anchors do."""

from pathlib import Path

import numpy as np
import pytest

import atomotif as am
from atomotif.datasets import simulate
from atomotif.session.session import MotifSession


@pytest.fixture(scope="module")
def run() -> MotifSession:
    """Return a session on a twisted bilayer that has run."""
    return MotifSession(simulate.twisted_bilayer(angle=6, shape=(700, 700))).run()


@pytest.fixture
def bilayer(run: MotifSession) -> MotifSession:
    """Return a copy of that session, to be changed."""
    session = MotifSession(run.data["image"]["intensity"])
    session._state, session._next_id = run._state.copy(), run._next_id
    return session


@pytest.fixture(scope="module")
def crystal() -> MotifSession:
    """Return a session on a monolayer that has run."""
    return MotifSession(simulate.monolayer("MoSe2", (300, 300), defects={"VSe": 0.05})).run()


def test_run_offers_anchors_instead_of_motifs(run: MotifSession) -> None:
    groups = set(run.data.children)
    assert {"moire", "anchors", "domains", "comparison", "layout"} <= groups
    assert not groups & {"motifs", "lattice", "cells", "hierarchy"}
    assert "clusters would mislead" in repr(run)
    with pytest.raises(ValueError, match="the sample is continuous"):
        run.motifs  # noqa: B018


def test_run_offers_motifs_where_they_recur(crystal: MotifSession) -> None:
    groups = set(crystal.data.children)
    assert "motifs" in groups
    assert not groups & {"moire", "anchors", "domains", "comparison"}
    assert "continuous" not in repr(crystal)
    with pytest.raises(ValueError, match=r"call `find_anchors` first"):
        crystal.anchors  # noqa: B018


def test_a_second_run_has_nothing_to_do(bilayer: MotifSession) -> None:
    before = dict(bilayer._state.groups)
    bilayer.run()
    assert all(bilayer._state.groups[name] is group for name, group in before.items())
    assert bilayer.history == []


def test_what_is_asked_for_is_made_all_the_same(bilayer: MotifSession, crystal: MotifSession) -> None:
    assert len(bilayer.find_motifs(n_motifs=4).motifs) == 4
    bilayer.run(detail=0.5)  # with motifs there, they are kept up to date
    assert "motifs" in bilayer.data.children
    assert bilayer.stale == ()
    branch = crystal.branch("mixed", n_anchors=2)
    assert len(branch.anchors) == 2
    assert "domains" not in branch.data.children


def test_steps_follow_each_other(bilayer: MotifSession) -> None:
    bilayer.find_anchors(n_anchors=2)
    assert set(bilayer.stale) == {"domains", "comparison"}
    bilayer.run()
    assert bilayer.stale == ()
    assert len(bilayer.anchors) == 2


def test_a_seed_asks_for_no_anchors(crystal: MotifSession) -> None:
    assert "anchors" not in crystal.branch("seeded", random_state=7).data.children


def test_anchors_are_called_by_their_stackings(run: MotifSession) -> None:
    assert sorted(run.anchors.names) == ["A'B", "AA'", "AB'"]
    stacking = run.data["moire"].to_dataset()
    for name in run.anchors.names:
        own = np.isin(run.data["points"]["id"].values, run.anchors.ids(name))
        named = stacking["stacking_name"].values[stacking["stacking"].values[own]]
        assert (named == name).mean() > 0.8


def test_names_of_anchors_follow_everywhere_and_are_undone(bilayer: MotifSession) -> None:
    bilayer.compare_domains(compared=("AB'",))
    bilayer.anchors.rename("AB'", "hollow")
    assert bilayer.history[-1] == "anchors.rename(\"AB'\", 'hollow')"
    assert bilayer.stale == ()
    assert "hollow #1" in bilayer.domains.names
    assert set(bilayer.comparison["domain"]) <= set(bilayer.domains.names)
    assert "hollow.0" in bilayer.domains.parts()["name"].tolist()
    bilayer.run(n_permutations=99)
    assert all(name.startswith("hollow") for name in bilayer.comparison["domain"])
    bilayer.find_anchors(n_core=15)
    assert "hollow" in bilayer.anchors.names
    for _ in range(3):
        bilayer.undo()
    assert "AB' #1" in bilayer.domains.names


def test_colours_of_anchors_are_edits_too(bilayer: MotifSession) -> None:
    bilayer.anchors.recolor(0, "#112233")
    assert bilayer.anchors.table()["color"][0] == "#112233"
    with pytest.raises(KeyError, match="`anchor` must be"):
        bilayer.anchors.rename("A7", "x")


def test_saved_with_names_and_opened(bilayer: MotifSession, tmp_path: Path) -> None:
    bilayer.anchors.rename(0, "first")
    opened = am.MotifSession.open(bilayer.save(tmp_path / "a.zarr"))
    assert repr(opened) == repr(bilayer)
    assert opened.stale == ()
    assert opened.run().history == []
    assert opened.find_anchors().anchors.names[0] == "first"


def test_domains_tell_their_points(run: MotifSession) -> None:
    table = run.domains.table()
    assert [len(run.domains.ids(name)) for name in table["name"]] == table["count"].tolist()
    np.testing.assert_allclose(table.filter(like="share").sum(axis=1), 1)
    for wrong in (len(run.domains), -1, "A #9", True):
        with pytest.raises(KeyError, match="`domain` must be"):
            run.domains.ids(wrong)


def test_weights_are_shares(run: MotifSession) -> None:
    weights = run.anchors.weights
    whole = weights.notnull().all("anchor")
    np.testing.assert_allclose(weights[whole].sum("anchor"), 1, atol=1e-5)
    assert float(weights.min()) >= 0


def test_a_few_points_of_a_continuous_sample_are_continuous(bilayer: MotifSession) -> None:
    domain = bilayer.branch("one domain", ids=bilayer.domains.ids(0)).run()
    assert "motifs" not in domain.data.children
    assert "anchors" in domain.data.children
    assert "continuous" in repr(domain)


def test_a_few_points_of_a_crystal_have_motifs(crystal: MotifSession) -> None:
    few = crystal.branch("few", ids=crystal.columns["id"][:80]).run()
    assert "motifs" in few.data.children
    assert "anchors" not in few.data.children
