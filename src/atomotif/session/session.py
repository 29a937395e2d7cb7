"""`MotifSession`: one analysis of one micrograph."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from atomotif._version import __version__
from atomotif._warnings import warn
from atomotif.io import readers
from atomotif.numerics._checks import as_image, as_points
from atomotif.session import describe
from atomotif.session.motifs import Motifs
from atomotif.session.progress import Progress, shown
from atomotif.session.selection import Selection, as_ids
from atomotif.session.state import State
from atomotif.session.verbs import StepVerb
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_motifs import motifs_group
from atomotif.steps.find_points import points_group
from atomotif.steps.graph import GROUPS, STEPS, makers, steps_with

if TYPE_CHECKING:
    import pandas as pd

#: Groups that a branch has in common with its parent.
SHARED = ("image", "points")


class MotifSession:
    """One analysis of one micrograph, from the image to its motifs.

    Parameters
    ----------
    image : array_like, shape (rows, cols), xr.DataArray or HyperSpy signal
        The micrograph. A DataArray or signal brings its pixel size.
    pixel_size : float or str, optional
        Side length of a pixel in `units`, or with its unit as in "12.7 pm"; overrides what the
        image brings. Without any, lengths are in px.
    units : str, optional
        Unit of `pixel_size`; lengths are kept in nm.
    title : str, optional
        Shown in reports; by default the `title` among the image's attributes or the name of its file.
    n_threads : int, optional
        Threads to use; by default all processors of the process. Results do not depend on it.
    progress : Progress, optional
        Where to show the progress of long steps; by default chosen for a terminal or a notebook.

    Raises
    ------
    ValueError
        If the image does not have two axes or holds NaN, infinite or masked values.
    TypeError
        If it does not hold real numbers.

    Examples
    --------
    >>> import atomotif as am
    >>> session = am.MotifSession(am.datasets.mose2_vacancies().isel(y=slice(0, 300), x=slice(0, 300)))
    >>> session.run().data["motifs"].sizes["motif"] > 2
    True
    """

    flatten = StepVerb("flatten")
    denoise = StepVerb("denoise")
    find_points = StepVerb("find_points")
    measure_patch_size = StepVerb("measure_patch_size")
    compute_features = StepVerb("compute_features")
    compute_layout = StepVerb("compute_layout")
    find_motifs = StepVerb("find_motifs")

    def __init__(
        self,
        image: Any,
        pixel_size: float | str | None = None,
        units: str | None = None,
        *,
        title: str | None = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        array = readers.to_dataarray(image, pixel_size=pixel_size, units=units)
        intensity = as_image(array.values, "image").copy()
        group = xr.Dataset({"intensity": (("y", "x"), intensity)}, coords={"y": array["y"], "x": array["x"]})
        group.attrs = {
            name: value for name, value in array.attrs.items() if isinstance(value, str | int | float)
        }
        self._init(title or str(array.attrs.get("title") or "micrograph"), n_threads, progress)
        self._state.groups["image"] = group

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

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        pixel_size: float | str | None = None,
        units: str | None = None,
        frame: int | None = None,
        channel: int | None = None,
        **keywords: Any,
    ) -> Self:
        """Start a session from a file.

        Parameters
        ----------
        path : str or Path
            See `atomotif.read` for the formats.
        pixel_size, units, frame, channel
            As in `atomotif.read`.
        **keywords
            As in `MotifSession`.

        Returns
        -------
        MotifSession
        """
        image = readers.read(path, pixel_size=pixel_size, units=units, frame=frame, channel=channel)
        keywords.setdefault("title", Path(path).name)
        return cls(image, **keywords)

    # ---- steps -----------------------------------------------------------------------------------

    def run_step(self, verb: str, **parameters: Any) -> Self:
        """Run one step with these parameters, and before it what is missing or stale of its inputs.

        Parameters
        ----------
        verb : str
            Name of the step.
        **parameters
            Of that step; the others take their defaults.

        Returns
        -------
        MotifSession
            The session itself.

        Raises
        ------
        TypeError
            If the step has no such parameter.
        """
        step = STEPS[verb]
        unknown = sorted(set(parameters) - set(step.parameters.names()))
        if unknown:
            allowed = ", ".join(f"`{name}`" for name in step.parameters.names())
            raise TypeError(f"`{unknown[0]}` must be a parameter of `{verb}` ({allowed}).")
        if self._parent is not None and step.group in SHARED:
            raise ValueError(f"`{verb}` must be called on the parent session: a branch shares its points.")
        wanted = step.parameters(**parameters)
        with shown(self.progress) as progress, self._blas():
            self._require(wanted, verb, progress)
            self._execute(verb, wanted, progress)
        return self

    def run(self, **parameters: Any) -> Self:
        """Run every step that is missing or stale, or whose parameters are given anew here.

        Parameters
        ----------
        **parameters
            Any step's parameter by its name, as in ``run(patch_size=41, rotation_invariant=False)``.
            A name that several steps have is refused, but for `random_state`, which goes to all; use
            ``run(find_motifs={"method": "layout"})`` for those.

        Returns
        -------
        MotifSession
            The session itself.

        Raises
        ------
        TypeError
            If no step has such a parameter, or several have.
        """
        changes = self._sort_parameters(parameters)
        ran_with = self._state.parameters()
        with shown(self.progress) as progress, self._blas():
            for verb, step in STEPS.items():
                if self._parent is not None and step.group in SHARED:
                    if verb in changes:
                        raise ValueError(f"`{verb}` must be changed on the parent session of a branch.")
                    continue
                wanted = replace(ran_with.get(verb, step.parameters()), **changes.get(verb, {}))
                if verb in changes and self._state.is_given(step.group):
                    raise ValueError(f"`{verb}` must not get parameters in `run`: its result was given.")
                if not self._state.is_current(verb, wanted):
                    self._execute(verb, wanted, progress)
        return self

    def _sort_parameters(self, parameters: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        changes: dict[str, dict[str, Any]] = {}
        for name, value in parameters.items():
            if name in STEPS:
                if not isinstance(value, Mapping):
                    raise TypeError(f"`{name}` must be a dict of parameters, got {value!r}.")
                unknown = sorted(set(value) - set(STEPS[name].parameters.names()))
                if unknown:
                    raise TypeError(f"`{unknown[0]}` must be a parameter of `{name}`.")
                changes.setdefault(name, {}).update(value)
                continue
            owners = [step.verb for step in steps_with(name)]
            if not owners:
                raise TypeError(f"`{name}` must be a parameter of a step; `help(session.STEP)` lists them.")
            if len(owners) > 1 and name != "random_state":
                raise TypeError(
                    f"`{name}` must name one step, but {', '.join(owners)} have it; "
                    f'use `run({owners[0]}={{"{name}": {value!r}}})`.'
                )
            for owner in owners:
                changes.setdefault(owner, {})[name] = value
        return changes

    def _require(self, parameters: Parameters, verb: str, progress: Progress) -> None:
        """Bring the inputs of a step up to date, with the parameters that they ran with last."""
        group = STEPS[verb].group
        ran_with = self._state.parameters()
        for name in parameters.required():
            for step in makers(name):
                if step.verb == verb:
                    break
                if self._parent is not None and step.group in SHARED:
                    continue
                earlier = ran_with.get(step.verb, step.parameters())
                if not self._state.is_current(step.verb, earlier):
                    if name != group:
                        self._require(earlier, step.verb, progress)
                    self._execute(step.verb, earlier, progress)

    def _execute(self, verb: str, parameters: Parameters, progress: Progress) -> None:
        step = STEPS[verb]
        progress.update(verb, 0.0)
        start = time.perf_counter()
        inputs = [self._state.groups[name] for name in parameters.required()]
        context = Context(lambda fraction: progress.update(verb, fraction), self.n_threads)
        made = step.function(*inputs, parameters=parameters, context=context)
        self._write(verb, made, parameters)
        self.timings[verb] = time.perf_counter() - start
        progress.update(verb, 1.0)

    def _write(self, verb: str, made: xr.Dataset, parameters: Parameters | None) -> None:
        group = STEPS[verb].group
        if group == "points":
            count = made.sizes["point"]
            made = made.assign_coords(id=("point", np.arange(self._next_id, self._next_id + count)))
            self._next_id += count
        elif "point" in made.dims:
            made = made.assign_coords(id=("point", self._state.ids.copy()))
        self._state.write(group, made, verb, parameters)
        if group == "points":
            self._selection.ids = np.intersect1d(self._selection.ids, self._state.ids)
        if group in SHARED:
            for branch in self._branches.values():
                branch._follow(group)

    @staticmethod
    def _blas() -> AbstractContextManager[Any]:
        # One BLAS thread: the steps spread their work themselves, in blocks that do not depend on the
        # number of threads, so that results do not either.
        return threadpool_limits(1, user_api="blas")

    # ---- results that are given ------------------------------------------------------------------

    def set_points(self, rowcol: ArrayLike) -> Self:
        """Give the points instead of finding them.

        Parameters
        ----------
        rowcol : array_like, shape (n, 2)
            Positions as (row, col) in px, sub-pixel. Order, count and values are kept exactly.

        Returns
        -------
        MotifSession
            The session itself.

        Raises
        ------
        ValueError
            If the shape is not (n, 2), a value is not finite, a point lies outside the image, or
            there are fewer than three.
        """
        if self._parent is not None:
            raise ValueError("`set_points` must be called on the parent session: a branch shares its points.")
        points = as_points(rowcol, "rowcol")
        image = self._state.groups["image"]
        if len(points) < 3:
            raise ValueError(f"`rowcol` must have at least three points, got {len(points)}.")
        limits = np.array([image.sizes["y"], image.sizes["x"]]) - 0.5
        outside = int(((points < -0.5) | (points > limits)).any(axis=1).sum())
        if outside:
            raise ValueError(
                f"`rowcol` must lie inside the image as (row, col), got {outside} points outside."
            )
        if self._state.is_given("motifs"):
            warn("the motifs that were set belong to the points before `set_points`, and are dropped")
        self._write("find_points", points_group(image, points), None)
        return self

    def set_motifs(self, labels: ArrayLike, names: Sequence[str] | None = None) -> Self:
        """Give the motif of every point instead of finding them.

        Parameters
        ----------
        labels : array_like of int, shape (n,)
            For every point, in order; 0 to k - 1, and -1 for none.
        names : sequence of str, optional
            k names; by default "M0", "M1", ...

        Returns
        -------
        MotifSession
            The session itself.

        Raises
        ------
        ValueError
            If there are no points, or lengths or values do not fit.
        TypeError
            If the labels are not whole numbers.
        """
        if "points" not in self._state.groups:
            raise ValueError(
                "`set_motifs` must come after `find_points` or `set_points`: there are no points."
            )
        array = np.asarray(labels)
        count = len(self._state.ids)
        if array.dtype.kind not in "iu":
            raise TypeError(f"`labels` must be whole numbers, got dtype {array.dtype}.")
        if array.shape != (count,):
            raise ValueError(f"`labels` must have shape ({count},), one a point, got {array.shape}.")
        array = array.astype(np.int64)
        if array.min(initial=0) < -1:
            raise ValueError(f"`labels` must be -1 or larger, got {array.min()}.")
        n_motifs = int(array.max(initial=-1)) + 1
        if names is not None and len(names) < n_motifs:
            raise ValueError(f"`names` must name all {n_motifs} motifs, got {len(names)}.")
        with shown(self.progress) as progress, self._blas():
            self._require(STEPS["compute_features"].parameters(), "compute_features", progress)
            groups = self._state.groups
            patch_size = float(groups.get("features", groups["patch"]).attrs["patch_size"])
            made = motifs_group(
                groups["image"],
                groups["points"],
                array,
                np.where(array >= 0, 1.0, 0.0),
                patch_size=patch_size,
                names=None if names is None else [str(name) for name in names][:n_motifs],
            )
            self._write("find_motifs", made, None)
        return self

    # ---- branches --------------------------------------------------------------------------------

    def branch(self, name: str, *, ids: ArrayLike | None = None, **parameters: Any) -> MotifSession:
        """Return a second analysis of the same points, linked by the selection and saved with this one.

        Parameters
        ----------
        name : str
            Its name in `branches`; an older branch of that name is replaced.
        ids : array_like of int, optional
            Look at these points only (drill-down); by default all.
        **parameters
            As in `run`, kept for when the branch is run.

        Returns
        -------
        MotifSession

        Raises
        ------
        ValueError
            If an id is not of this session, or fewer than three are given.
        """
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(f"`name` must be a non-empty string without a slash, got {name!r}.")
        self._require_points()
        subset = None if ids is None else self._known(ids, "ids")
        if subset is not None and len(subset) < 3:
            raise ValueError(f"`ids` must name at least three points, got {len(subset)}.")
        branch = self._new_branch(name, subset)
        if parameters:
            branch.run(**parameters)
        self._branches[name] = branch
        return branch

    def _new_branch(self, name: str, subset: NDArray[np.int64] | None) -> MotifSession:
        branch = MotifSession.__new__(MotifSession)
        branch._init(f"{self.title}: {name}", self.n_threads, self.progress)
        branch._parent, branch._subset, branch._selection = self, subset, self._selection
        for group in SHARED:
            branch._follow(group)
        if subset is not None and "patch" in self._state.groups:
            # The spacing of a subset says nothing about the crystal; the parent's is the one to use.
            branch._state.groups["patch"] = self._state.groups["patch"]
        return branch

    def _follow(self, group: str) -> None:
        """Take over a shared group from the parent."""
        assert self._parent is not None
        dataset = self._parent._state.groups[group]
        if group == "points" and self._subset is not None:
            dataset = dataset.isel(point=np.flatnonzero(np.isin(dataset["id"].values, self._subset)))
        self._state.follow(group, dataset)
        for branch in self._branches.values():
            branch._follow(group)

    @property
    def branches(self) -> Mapping[str, MotifSession]:
        """The branches by name."""
        return dict(self._branches)

    # ---- what a session holds --------------------------------------------------------------------

    @property
    def data(self) -> xr.DataTree:
        """All groups as an `xr.DataTree`; its arrays are read-only."""
        return xr.DataTree.from_dict(
            {"/": xr.Dataset(attrs={"title": self.title, "atomotif": __version__}), **self._ordered_groups()}
        )

    def _ordered_groups(self) -> dict[str, xr.Dataset]:
        return {name: self._state.groups[name] for name in GROUPS if name in self._state.groups}

    @property
    def stale(self) -> tuple[str, ...]:
        """Groups that are out of date: something that they depend on has changed since."""
        return tuple(name for name in self._ordered_groups() if self._state.is_stale(name))

    @property
    def selection(self) -> NDArray[np.int64]:
        """Ids of the selected points: read-only, sorted, unique; settable.

        Raises
        ------
        ValueError
            When set to an id that no point has.
        """
        return self._selection.ids

    @selection.setter
    def selection(self, ids: ArrayLike) -> None:
        root = self
        while root._parent is not None:
            root = root._parent
        self._selection.ids = root._known(ids, "selection")

    def observe(self, handler: Callable[[Any], None]) -> None:
        """Call `handler` with a change (`old`, `new`) whenever the selection takes another value."""
        self._selection.observe(handler, "ids")

    def unobserve(self, handler: Callable[[Any], None]) -> None:
        """Stop calling `handler`."""
        self._selection.unobserve(handler, "ids")

    def _known(self, ids: ArrayLike, name: str) -> NDArray[np.int64]:
        wanted = as_ids(ids)
        unknown = np.setdiff1d(wanted, self._state.ids)
        if len(unknown):
            listed = ", ".join(map(str, unknown[:5].tolist())) + (", ..." if len(unknown) > 5 else "")
            raise ValueError(f"`{name}` must hold ids of points of this session, got {listed}.")
        return wanted

    def _require_points(self) -> None:
        if "points" not in self._state.groups:
            raise ValueError("there are no points yet: call `run`, `find_points` or `set_points` first.")

    @property
    def motifs(self) -> Motifs:
        """The motifs: names, counts, averages, and the ids of their points.

        Raises
        ------
        ValueError
            If there are none yet.
        """
        if "motifs" not in self._state.groups:
            raise ValueError("there are no motifs yet: call `run`, `find_motifs` or `set_motifs` first.")
        return Motifs(self._state.groups["motifs"])

    @property
    def columns(self) -> pd.DataFrame:
        """The points as a table: id, y, x, motif, label, confidence, intensity.

        Raises
        ------
        ValueError
            If there are no points yet.
        """
        from atomotif.export.tables import columns_table

        self._require_points()
        return columns_table(self.data)

    def __repr__(self) -> str:
        return describe.session_text(self.title, self.data, self.stale, tuple(self._branches))

    # ---- in and out ------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Save the session with its branches as a Zarr store.

        An older store at `path` is replaced only once the new one is written and read back.

        Parameters
        ----------
        path : str or Path
            Ends in ``.zarr`` by convention.

        Returns
        -------
        Path
        """
        from atomotif.io.store import save_tree

        return save_tree(xr.DataTree.from_dict(self._to_dict()), path)

    def _to_dict(self, prefix: str = "") -> dict[str, xr.Dataset]:
        own = self._ordered_groups()
        if self._parent is not None:
            own = {name: group for name, group in own.items() if name not in SHARED}
        root = xr.Dataset(
            {"selection": ("selected", self.selection.copy())} if self._parent is None else {},
            attrs={"title": self.title, "atomotif": __version__, "next_id": self._next_id},
        )
        if self._subset is not None:
            root["subset"] = ("subset_point", self._subset.copy())
        groups = {f"{prefix}/": root} | {f"{prefix}/{name}": group for name, group in own.items()}
        for name, branch in self._branches.items():
            groups |= branch._to_dict(f"{prefix}/branches/{name}")
        return groups

    @classmethod
    def open(cls, path: str | Path, *, n_threads: int | None = None) -> Self:
        """Open a saved session; everything is read into memory and no file stays open.

        Parameters
        ----------
        path : str or Path
            What `save` wrote.
        n_threads : int, optional
            As in `MotifSession`.

        Returns
        -------
        MotifSession

        Raises
        ------
        FileNotFoundError
            If there is nothing at `path`.
        ValueError
            If what is there is not a saved session.
        """
        from atomotif.io.store import open_tree

        tree = open_tree(path)
        if "atomotif" not in tree.attrs or "image" not in tree.children:
            raise ValueError(f"`path` must be a session saved by atomotif, got {str(path)!r}.")
        session = cls.__new__(cls)
        session._init(str(tree.attrs["title"]), n_threads)
        session._load(tree)
        session._selection.ids = tree["selection"].values if "selection" in tree else []
        return session

    def _load(self, tree: xr.DataTree) -> None:
        self.title = str(tree.attrs["title"])
        self._next_id = int(tree.attrs.get("next_id", 0))
        for name in GROUPS:
            if name in tree.children:
                self._state.restore(name, tree[name].to_dataset(inherit=False))
        for name, node in tree["branches"].children.items() if "branches" in tree.children else ():
            subset = as_ids(node["subset"].values) if "subset" in node else None
            branch = self._new_branch(str(name), subset)
            branch._load(node)
            self._branches[str(name)] = branch

    def to_html(self, path: str | Path, *, title: str | None = None) -> Path:
        """Write a page with linked views of the session, which needs no kernel and no network.

        Parameters
        ----------
        path : str or Path
            The file to write.
        title : str, optional
            By default the session's.

        Returns
        -------
        Path
        """
        from atomotif.export.html import to_html

        return to_html(self.data, path, title=title or self.title)
