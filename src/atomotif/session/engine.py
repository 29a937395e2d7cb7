"""What works inside a session: state, running of steps, branches that follow, views that are renewed."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from atomotif._warnings import warn
from atomotif.session.carry import carry_ids, same_places
from atomotif.session.commands import Edit, Rename, with_edits
from atomotif.session.history import History
from atomotif.session.progress import Progress, in_notebook, shown
from atomotif.session.selection import Selection, as_ids, rows_of
from atomotif.session.state import State
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_motifs import motifs_group
from atomotif.steps.graph import GROUPS, STEPS, makers

if TYPE_CHECKING:
    from atomotif.session.live import Live
    from atomotif.session.session import MotifSession

#: What the analysis that a session holds itself is called beside its branches.
MAIN = "main"
#: What the features say of whether a sample is continuous.
VERDICT = ("continuous", "continuity", "continuity_threshold", "continuity_reason")
#: Groups that a branch has in common with its parent.
SHARED = ("image", "points")
#: The same for a branch on some of the points, whose spacing says nothing about the crystal.
SHARED_BY_SUBSET = ("image", "points", "patch")


@functools.cache
def preload_views(units: str) -> None:
    """Prepare what shows a session while its steps run: the first view then appears without that wait."""

    def prepare() -> None:
        from atomotif.session.live import prepare_views

        prepare_views(units)

    threading.Thread(target=prepare, daemon=True).start()


class Engine:
    """The part of `MotifSession` that its users do not call."""

    def _init(self, title: str, n_threads: int | None = None, progress: Progress | None = None) -> None:
        self.title = title
        self.n_threads = n_threads
        self.progress = progress
        #: Seconds that each step took when it last ran here; not saved.
        self.timings: dict[str, float] = {}
        self._state = State()
        self._selection = Selection()
        self._next_id = 0
        self._parent: MotifSession | None = None
        self._subset: NDArray[np.int64] | None = None
        self._branches: dict[str, MotifSession] = {}
        self._live: Live | None = None
        self._shown: list[MotifSession] = []  # of a root: those of the family that have views
        self._history = History(self._this)

    @property
    def _this(self) -> MotifSession:
        return cast("MotifSession", self)

    @property
    def _root(self) -> MotifSession:
        return self._this if self._parent is None else self._parent._root

    def _family(self) -> list[MotifSession]:
        """Return the session with its branches and theirs."""
        return [self._this, *(one for branch in self._branches.values() for one in branch._family())]

    @property
    def _frozen(self) -> tuple[str, ...]:
        """Groups that are the parent's to make."""
        if self._parent is None:
            return ()
        return SHARED if self._subset is None else SHARED_BY_SUBSET

    # ---- changes ---------------------------------------------------------------------------------

    def _execute(
        self,
        steps: Iterable[tuple[str, Parameters]],
        asked_for: str | None = None,
        *,
        wanted: Mapping[str, Parameters] | None = None,
        may_fail: Collection[str] = (),
    ) -> None:
        """Run steps; after an error all is as it was, after an interrupt what is done stays done.

        The values that are `wanted` are known as such even where an interrupt comes before their steps. Of
        the steps that `may_fail` one that finds nothing is left out, with all that depends on it.
        """
        from atomotif.numerics._threads import one_blas_thread

        if in_notebook():
            preload_views(self._state.groups["image"].attrs["units"])
        saved = [(session, session._state.copy(), session._subset) for session in self._family()]
        selected = self._selection.ids
        self._state.wanted.update(wanted or {})
        try:
            with shown(self.progress) as progress, one_blas_thread():
                for verb, parameters in steps:
                    self._state.wanted[verb] = parameters
                    progress.update(verb, 0.0)
                    start = time.perf_counter()
                    try:
                        self._run_one(verb, parameters, partial(progress.update, verb), verb == asked_for)
                    except ValueError as error:
                        if verb not in may_fail:
                            raise
                        self._leave_out(STEPS[verb].group, parameters, str(error))
                    self.timings[verb] = time.perf_counter() - start
                    progress.update(verb, 1.0)
        except Exception:
            for session, state, subset in saved:
                session._state, session._subset = state, subset
            self._selection.ids = selected
            raise
        finally:
            self._renew_views()

    def _run_one(
        self, verb: str, parameters: Parameters, report: Callable[[float], None], asked_for: bool
    ) -> None:
        group = STEPS[verb].group
        if not asked_for and self._state.is_given(group):
            self._write(verb, self._given_motifs(), None)
            return
        for name in parameters.required():
            self._require(name)
        inputs = [self._state.groups[name] for name in parameters.required()]
        optional = {name: self._state.groups.get(name) for name in parameters.optional}
        context = Context(report, self.n_threads)
        made = STEPS[verb].function(*inputs, **optional, parameters=parameters, context=context)
        self._write(verb, made, parameters)

    def _leave_out(self, group: str, parameters: Parameters, reason: str) -> None:
        """Drop a group that cannot be made; its reason is the first one on the way to it."""
        left_out = self._state.left_out
        above = [left_out[name][0] for name in parameters.required() if name in left_out]
        left_out[group] = above[0] if above else reason, parameters
        self._state.groups.pop(group, None)

    def _given_motifs(self) -> xr.Dataset:
        """Return the motifs that were given, with averages of the patches as they are now."""
        motifs = self._state.groups["motifs"]
        return self._motifs_of(motifs["label"].values, [str(name) for name in motifs["name"].values])

    def _motifs_of(self, labels: NDArray[np.int64], names: list[str] | None) -> xr.Dataset:
        groups = self._state.groups
        size = (groups["features"] if "features" in groups else groups["patch"]).attrs["patch_size"]
        return motifs_group(
            groups["image"],
            groups["points"],
            labels,
            np.where(labels >= 0, 1.0, 0.0),
            patch_size=float(size),
            names=names,
            n_threads=self.n_threads,
        )

    def _write(self, verb: str, made: xr.Dataset, parameters: Parameters | None) -> None:
        group = STEPS[verb].group
        if group == "points":
            self._write_points(verb, made, parameters)
            return
        if "point" in made.dims:
            made = made.assign_coords(id=("point", self._state.ids.copy()))
        if group == "features" and self._parent is not None and not made.attrs["continuity"]:
            # Too few points to tell, but they are of the parent's sample.
            known = self._parent._state.groups.get("features", made).attrs
            made = made.assign_attrs({name: known[name] for name in VERDICT})
        edits = [edit for edit in self._state.edits if edit.group == group]
        if edits:
            made, lost = with_edits(made, edits)
            self._state.edits = [edit for edit in self._state.edits if edit not in lost]
            of_parent = () if self._parent is None else self._parent._state.edits
            for edit in lost:
                if edit in of_parent:  # a branch has other motifs, and need not have all of these names
                    continue
                warn(f"`{edit.code}` was not carried over: none of the {group} has most of its points")
        self._state.write(group, made, verb, parameters)
        for branch in self._branches.values():
            branch._follow(group)

    def _write_points(self, verb: str, made: xr.Dataset, parameters: Parameters | None) -> None:
        """Write points: in the same places they keep their ids, else they get ids never used before."""
        old = self._state.groups.get("points")
        count = made.sizes["point"]
        if old is not None and same_places(old, made):
            ids = old["id"].values.copy()
        else:
            ids = np.arange(self._next_id, self._next_id + count)
            self._next_id += count
            if self._state.is_given("motifs"):
                warn("the motifs that were set belong to points that are gone, and are dropped")
        self._state.write("points", made.assign_coords(id=("point", ids)), verb, parameters)
        if old is not None:
            new = self._state.groups["points"]
            self._state.edits = [edit.moved(carry_ids(edit.ids, old, new)) for edit in self._state.edits]
            carry = partial(carry_ids, old=old, new=new)
            self._state.wanted = {verb: one.carried(carry) for verb, one in self._state.wanted.items()}
        for branch in self._branches.values():
            branch._follow("points")
        if old is not None:
            self._selection.ids = carry_ids(self._selection.ids, old, self._state.groups["points"])

    def _apply(self, edit: Edit) -> None:
        with self._root._history.change(edit.code):
            self._state.restore(edit.group, edit.apply(self._state.groups[edit.group]))
            self._state.edits.append(edit)
            if isinstance(edit, Rename):
                self._state.rename(edit.group, edit.name, edit.value)
        self._renew_views()

    # ---- branches --------------------------------------------------------------------------------

    def _new_branch(self, name: str, subset: NDArray[np.int64] | None) -> MotifSession:
        branch = type(self._this).__new__(type(self._this))
        branch._init(f"{self.title}: {name}", self.n_threads, self.progress)
        branch._parent, branch._subset, branch._selection = self._this, subset, self._selection
        wanted = {verb: one for verb, one in self._state.wanted.items() if not STEPS[verb].on_demand}
        if subset is not None:
            wanted = {verb: one.carried(partial(np.intersect1d, subset)) for verb, one in wanted.items()}
        branch._state.wanted = wanted
        branch._state.edits = list(self._state.edits)  # parameters may name motifs by them
        for group in branch._frozen:
            if group in self._state.groups:
                branch._follow(group)
        return branch

    def _follow(self, group: str) -> None:
        """Take over a group from the parent, if it is shared."""
        if self._parent is None or group not in self._frozen:
            return
        dataset = self._parent._state.groups[group]
        if group == "points" and self._subset is not None:
            old = self._state.groups.get("points")
            if old is not None:
                self._subset = carry_ids(self._subset, old, dataset)
                if len(self._subset) < 3:
                    warn(f"the points of {self.title!r} are gone: nothing is near where they were")
            rows = np.flatnonzero(np.isin(dataset["id"].values, self._subset))
            dataset = dataset.isel(point=rows).assign_attrs(subset=1)
        self._state.put(group, dataset)
        for branch in self._branches.values():
            branch._follow(group)

    # ---- questions -------------------------------------------------------------------------------

    def _ordered_groups(self) -> dict[str, xr.Dataset]:
        return {name: self._state.groups[name] for name in GROUPS if name in self._state.groups}

    def _known(self, ids: ArrayLike, name: str) -> NDArray[np.int64]:
        wanted = as_ids(ids, name)
        unknown = wanted[~rows_of(wanted, self._state.ids)[1]]
        if len(unknown):
            listed = ", ".join(map(str, unknown[:5].tolist())) + (", ..." if len(unknown) > 5 else "")
            raise ValueError(f"`{name}` must hold ids of points of this session, got {listed}.")
        return wanted

    def _require_points(self) -> None:
        if "points" not in self._state.groups:
            raise ValueError("there are no points yet: call `run`, `find_points` or `set_points` first.")

    def _require(self, group: str) -> None:
        if group not in self._state.groups:
            verb = makers(group)[-1].verb
            how = "`run` or " if makers(group)[-1].suits(continuous=self._state.continuous) else ""
            reason, _ = self._state.left_out.get(group, (f"call {how}`{verb}` first.", None))
            raise ValueError(f"there is no group {group!r}: {reason}")

    # ---- views -----------------------------------------------------------------------------------

    def _live_views(self) -> Live:
        if self._live is None:
            from atomotif.session.live import Live

            self._live = Live(self._this)
            self._root._shown.append(self._this)
        return self._live

    def _renew_views(self) -> None:
        """Bring all views to what there is now; those of branches that are gone give back what they took."""
        family = self._root._family()
        for session in self._root._shown.copy():
            if session not in family:
                session._close_views()
        for session in family:
            if session._live is not None:
                session._live.refresh()

    def _close_views(self) -> None:
        if self._live is not None:
            self._live.close()
            self._live = None
            self._root._shown.remove(self._this)
