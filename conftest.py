"""Names that the examples in docstrings may use."""

from typing import Any

import pytest

import atomotif
from atomotif.session.session import MotifSession


@pytest.fixture(scope="session")
def example_session() -> MotifSession:
    """Return a small session that has run; it is copied, not changed."""
    field = atomotif.datasets.mose2_vacancies().isel(y=slice(0, 300), x=slice(0, 300))
    return MotifSession(field).run()


@pytest.fixture(scope="session")
def example_bilayer() -> MotifSession:
    """Return a small session on a continuous sample that has run; it is copied, not changed."""
    return MotifSession(atomotif.datasets.simulate.twisted_bilayer(angle=6, shape=(640, 640))).run()


#: Modules whose examples are on a continuous sample.
CONTINUOUS = (
    "session/anchors",
    "session/domains",
    "steps/measure_moire",
    "steps/find_anchors",
    "steps/find_domains",
    "steps/compare_domains",
)


@pytest.fixture(autouse=True)
def _doctest_names(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Give each example `am`, and `session`, a session that has run; it works in a folder of its own."""
    if not isinstance(request.node, pytest.DoctestItem):
        return
    namespace = request.getfixturevalue("doctest_namespace")
    namespace["am"] = atomotif
    if any(room in request.node.nodeid for room in ("session", "steps", "export")):
        continuous = any(module in request.node.nodeid.replace(".", "/") for module in CONTINUOUS)
        done = request.getfixturevalue("example_bilayer" if continuous else "example_session")
        session = MotifSession(done.data["image"]["intensity"])
        session._state, session._next_id = done._state.copy(), done._next_id
        namespace["session"] = session
        monkeypatch.chdir(tmp_path)
