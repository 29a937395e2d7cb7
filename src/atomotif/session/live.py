"""The open views of a session: what they are sent, and what comes back from them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from atomotif.export.picture import picture
from atomotif.session.carry import carry_ids
from atomotif.session.engine import MAIN
from atomotif.session.selection import rows_of
from atomotif.views.data import DisplayImage, detail
from atomotif.views.layers import layer, offered
from atomotif.views.workbench import VIEWS, figure_document, workbench
from atomotif.widget.host import Store, View, compressed_bokehjs
from atomotif.widget.packing import pack

if TYPE_CHECKING:
    from atomotif.session.session import MotifSession

#: Of how many versions of the columns the points are kept, for gestures made while they were replaced.
VERSIONS_KEPT = 4


def prepare_views(units: str) -> None:
    """Make what the views of all sessions have in common, which is kept for them."""
    figure_document("micrograph", units, True)
    figure_document("layout")
    figure_document("anchors")
    figure_document("tree")
    compressed_bokehjs()


class Live:
    """Keeps the views of one session at what the session holds.

    Ids of points stay in Python: the browser knows rows of the columns that it was sent.

    Parameters
    ----------
    session : MotifSession
        Whose groups and selection are shown.
    """

    def __init__(self, session: MotifSession) -> None:
        self._session = session
        self._shown: dict[str, xr.Dataset] = {}
        self._image: DisplayImage | None = None
        self._points: dict[int, xr.Dataset | None] = {}
        # Which side is taking over what the other one says, and need not answer.
        self._listening = self._telling = False
        self._views: dict[tuple[str, ...], View] = {}
        self.store = Store()
        self.store.observe(self._selected_there, "selection")
        self.store.on_msg(self._asked)
        session.observe(self._selected_here)
        self.refresh()

    # ---- to the browser --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Send what has changed since the last time; views in the browser then follow."""
        groups = dict(self._session._state.groups)
        as_shown = list(map(id, groups.values())) == list(map(id, self._shown.values()))
        if not (as_shown and sorted(self._session.stale) == self.store.facts.get("stale")):
            self._send(groups)
        for view in self._views.values():
            self._follow_branches(view)

    def _send(self, groups: dict[str, xr.Dataset]) -> None:
        known = self._image if groups.get("image") is self._shown.get("image") else None
        made = workbench(self._session.data, image=known or self._image_of_parent(groups))
        columns = dict(made.columns)
        image = columns.pop("image", None)
        facts = {**made.facts, "stale": sorted(self._session.stale)}
        changes: dict[str, Any] = {"facts": facts, "figures": made.figures}
        changes["columns"] = {name: pack(column) for name, column in columns.items()}
        if image is not None and known is None:
            changes["image"] = pack(image)
        self._image = made.image
        version = self.store.version + 1
        self._points = {
            **dict(list(self._points.items())[1 - VERSIONS_KEPT :]),
            version: groups.get("points"),
        }
        self._tell(**changes, version=version, selection=self._packed(version))
        self._shown = groups

    def _image_of_parent(self, groups: dict[str, xr.Dataset]) -> DisplayImage | None:
        """Return the display copy that the parent's views have made of the same image."""
        parent = self._session._parent
        live = None if parent is None else parent._live
        if live is None or live._shown.get("image") is not groups.get("image"):
            return None
        return live._image

    def _ids(self, version: int) -> NDArray[np.int64]:
        points = self._points.get(version)
        return np.empty(0, np.int64) if points is None else points["id"].values

    def _packed(self, version: int) -> bytes:
        rows, there = rows_of(self._session.selection, self._ids(version))
        rows = rows[there]
        numbers: NDArray[np.uint32] = np.concatenate([[version], rows]).astype("<u4")
        return numbers.tobytes()

    def _selected_here(self, _change: Any) -> None:
        # While points are being replaced, the ids are ahead of the columns: `refresh` sends both.
        in_step = self._points.get(self.store.version) is self._session._state.groups.get("points")
        if in_step and not self._listening:
            self._tell(selection=self._packed(self.store.version))

    def _tell(self, **traits: Any) -> None:
        self._telling = True
        try:
            self.store.replace(**traits)
        finally:
            self._telling = False

    # ---- from the browser ------------------------------------------------------------------------

    def _selected_there(self, change: Any) -> None:
        """Take over a selection; one of columns that have been replaced meanwhile is understood, too."""
        if self._telling:
            return
        numbers = np.frombuffer(change["new"], "<u4")
        version = int(numbers[0]) if len(numbers) else 0
        ids = self._ids(version)
        chosen = ids[numbers[1:][numbers[1:] < len(ids)]]
        before, now = self._points.get(version), self._session._state.groups.get("points")
        if before is not None and now is not None and before is not now:
            chosen = carry_ids(chosen, before, now)
        # The browser need not be told what it has just said, unless that is not what it has become.
        self._listening = True
        try:
            self._session._selection.ids = chosen
        finally:
            self._listening = False
        whole = version == self.store.version and len(chosen) == len(numbers) - 1
        if not (whole and np.array_equal(self._session.selection, chosen)):
            self._tell(selection=self._packed(self.store.version))

    def _asked(self, _store: Any, content: Any, _buffers: Any) -> None:
        """Send a part of the micrograph or a layer over it, or say that there is none."""
        if isinstance(content, dict) and content.get("kind") in ("detail", "layer"):
            answer = {"kind": content["kind"], "id": content.get("id")}
            (self._send_detail if content["kind"] == "detail" else self._send_layer)(content, answer)

    def _send_layer(self, content: dict[str, Any], answer: dict[str, Any]) -> None:
        name = content.get("name")
        if name not in [one["name"] for one in offered(self._shown)]:
            self.store.send(answer)
            return
        made = layer(self._shown, str(name), image=self._image)
        packed = {column: pack(values) for column, values in made.columns.items()}
        answer |= {"version": self.store.version, "facts": made.facts}
        answer["columns"] = [
            {"name": column, "dtype": one["dtype"], "shape": one["shape"]} for column, one in packed.items()
        ]
        self.store.send(answer, [one["data"] for one in packed.values()])

    def _send_detail(self, content: dict[str, Any], answer: dict[str, Any]) -> None:
        part = self._detail(*(content.get(name) for name in ("x0", "x1", "y0", "y1", "width", "height")))
        if part is None:
            self.store.send(answer)
            return
        answer |= {name: getattr(part, name) for name in ("x0", "x1", "y0", "y1")}
        self.store.send(answer | {"shape": list(part.pixels.shape)}, [part.pixels.tobytes()])

    def _detail(self, *numbers: Any) -> DisplayImage | None:
        if self._image is None or not all(isinstance(n, int | float) and np.isfinite(n) for n in numbers):
            return None
        x0, x1, y0, y1, width, height = numbers
        edges = {"x0": x0, "x1": x1, "y0": y0, "y1": y1}
        return detail(self._shown["image"], self._image, **edges, width=int(width), height=int(height))

    # ---- views -----------------------------------------------------------------------------------

    def view(self, names: Sequence[str]) -> View:
        """Return the view of these names: the same one each time, so that showing it again costs nothing.

        Parameters
        ----------
        names : sequence of str
            Which of `atomotif.views.workbench.VIEWS`; none means all.

        Returns
        -------
        View

        Raises
        ------
        ValueError
            If there is no such view.
        """
        wanted = tuple(names) or VIEWS
        for name in wanted:
            if name not in VIEWS:
                raise ValueError(f"`names` must be among {', '.join(map(repr, VIEWS))}, got {name!r}.")
        if wanted not in self._views:
            view = View(store=self.store, views=list(wanted), analysis=MAIN)
            view.picture = partial(self._picture, view)
            view.observe(self._choose, "analysis")
            self._views[wanted] = view
            self._follow_branches(view)
        return self._views[wanted]

    def _analysis(self, name: str) -> MotifSession:
        return self._session if name == MAIN else self._session.branches.get(name, self._session)

    def _follow_branches(self, view: View) -> None:
        names = [MAIN, *self._session.branches]
        name = view.analysis if view.analysis in names else MAIN
        store = self._analysis(name)._live_views().store
        with view.hold_sync():
            view.analyses, view.analysis, view.store = names, name, store

    def _choose(self, change: Any) -> None:
        self._follow_branches(change["owner"])

    def _picture(self, view: View) -> bytes:
        shown = self._analysis(view.analysis)
        image = shown._live_views()._image
        return picture(shown.data, view.views, self._session.selection, image=image)

    def renew_pictures(self) -> None:
        """Draw the saved pictures of all views anew."""
        for view in self._views.values():
            view.renew_picture()

    def close(self) -> None:
        """Close the views; what they took of memory, here and in the browser, is given back."""
        self._session.unobserve(self._selected_here)
        widgets: list[Any] = [*self._views.values(), self.store]
        for widget in widgets:
            widget.layout.close()  # a model of its own, which would stay
            widget.close()
        self._views.clear()
