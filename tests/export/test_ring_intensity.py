"""Intensities at the points of motifs, as a table."""

import numpy as np
import pytest

from atomotif.session.session import MotifSession


@pytest.fixture(scope="module")
def session() -> MotifSession:
    """A square lattice of discs: motif A of mean 1, B of 2 and 4."""
    row, col = np.mgrid[10:190:20, 10:190:20]
    points = np.column_stack([row.ravel(), col.ravel()]).astype(float)
    labels = np.arange(len(points)) % 2
    height = np.where(labels == 0, 1.0, np.where(np.arange(len(points)) % 4 == 1, 2.0, 4.0))
    y, x = np.mgrid[:200, :200]
    image = np.zeros((200, 200))
    for point, value in zip(points, height):
        image[np.hypot(y - point[0], x - point[1]) < 7] = value
    made = MotifSession(image).set_points(points)
    return made.set_motifs(np.where(np.arange(len(points)) < 3, 2, labels), ["A", "B", "C"])


def test_table(session: MotifSession) -> None:
    table = session.ring_intensities(["B", "A"])
    assert table.index.tolist() == ["B", "A"]
    assert list(table.columns) == ["count", "mean", "std", "auc B", "d' B", "auc A", "d' A"]
    labels = session.data["motifs"]["label"].values
    values = np.where(np.arange(len(labels)) % 4 == 1, 2.0, 4.0)[labels == 1]
    assert table["count"].tolist() == [(labels == 1).sum(), (labels == 0).sum()]
    assert table["mean"].to_numpy() == pytest.approx([values.mean(), 1.0])
    assert table["std"].to_numpy() == pytest.approx([values.std(ddof=1), 0.0])
    assert table.loc["A", "auc B"] == 1
    assert table.loc["B", "auc A"] == 0
    assert table.loc["A", "auc A"] == 0.5
    expected = (values.mean() - 1) / np.sqrt(values.var(ddof=1) / 2)
    assert table.loc["A", "d' B"] == pytest.approx(expected)
    assert table.loc["B", "d' A"] == pytest.approx(-expected)


def test_radius_and_source(session: MotifSession) -> None:
    # A disc larger than the columns holds some of the zeros between them.
    assert session.ring_intensities("A", radius=9.5).loc["A", "mean"] < 0.65
    one = session.ring_intensities(["A"])
    assert one.loc["A", "mean"] == pytest.approx(1)
    session.flatten(method="none")
    assert session.ring_intensities(["A"], source="flattened").equals(one)


def test_names_are_those_of_now(session: MotifSession) -> None:
    session.motifs.rename("A", "empty")
    assert "auc empty" in session.ring_intensities(["empty", "B"]).columns
    session.undo()


def test_errors(session: MotifSession) -> None:
    with pytest.raises(
        ValueError, match=r"`motifs` must be different names of motifs \(A, B, C\), got \['D'\]"
    ):
        session.ring_intensities(["D"])
    with pytest.raises(ValueError, match="`motifs` must be different names"):
        session.ring_intensities(["A", "A"])
    with pytest.raises(ValueError, match="`source` must be an image that was made, got 'denoised'"):
        session.ring_intensities(["A"], source="denoised")
    with pytest.raises(ValueError, match="there is no group 'motifs'"):
        MotifSession(np.zeros((20, 20))).ring_intensities(["A"])
