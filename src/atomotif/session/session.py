"""`MotifSession`: one analysis of one micrograph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import as_image
from atomotif.io import readers
from atomotif.session import describe, saving
from atomotif.session.commands import Rename
from atomotif.session.engine import MAIN, SHARED, SHARED_BY_SUBSET
from atomotif.session.given import checked_labels, checked_points
from atomotif.session.history import recorded
from atomotif.session.planning import check_names, needed_for, plan, sort_parameters, with_seed
from atomotif.session.progress import Progress, in_notebook
from atomotif.session.results import Results
from atomotif.session.verbs import StepVerb
from atomotif.steps.base import Parameters
from atomotif.steps.find_points import points_group
from atomotif.steps.graph import STEPS

if TYPE_CHECKING:
    from atomotif.widget.host import View


class MotifSession(Results):
    """One analysis of one micrograph, from the image to its motifs.

    Parameters
    ----------
    image : array_like, shape (rows, cols), xr.DataArray, xr.Dataset or HyperSpy signal
        The micrograph; of a Dataset, as simulated samples are, its `intensity`. All but plain arrays bring
        their pixel size.
    pixel_size : float or str, optional
        Side length of a pixel in `units`, or with its unit as in "12.7 pm"; overrides what the
        image brings. Without any, lengths are in px.
    units : str, optional
        Unit of `pixel_size`; lengths are kept in nm.
    frame, channel : int, optional
        Which one of a stack or of a colour image.
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
    map_symmetry = StepVerb("map_symmetry")
    compute_features = StepVerb("compute_features")
    measure_symmetry = StepVerb("measure_symmetry")
    find_grains = StepVerb("find_grains")
    compute_layout = StepVerb("compute_layout")
    find_motifs = StepVerb("find_motifs")
    find_lattice = StepVerb("find_lattice")
    measure_strain = StepVerb("measure_strain")
    find_cells = StepVerb("find_cells")
    build_hierarchy = StepVerb("build_hierarchy")
    find_environments = StepVerb("find_environments")
    find_quads = StepVerb("find_quads")
    reconstruct = StepVerb("reconstruct")
    measure_moire = StepVerb("measure_moire")
    find_anchors = StepVerb("find_anchors")
    find_domains = StepVerb("find_domains")
    compare_domains = StepVerb("compare_domains")

    def __init__(
        self,
        image: Any,
        pixel_size: float | str | None = None,
        units: str | None = None,
        *,
        frame: int | None = None,
        channel: int | None = None,
        title: str | None = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        array = readers.to_dataarray(image, pixel_size=pixel_size, units=units, frame=frame, channel=channel)
        intensity = as_image(array.values, "image").copy()
        group = xr.Dataset({"intensity": (("y", "x"), intensity)}, coords={"y": array["y"], "x": array["x"]})
        group.attrs = {
            name: value
            for name, value in array.attrs.items()
            if isinstance(value, str) or (isinstance(value, int | float) and np.isfinite(value))
        }
        self._init(title or str(array.attrs.get("title") or "micrograph"), n_threads, progress)
        self._state.restore("image", group)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        pixel_size: float | str | None = None,
        units: str | None = None,
        frame: int | None = None,
        channel: int | str | None = None,
        key: str | None = None,
        **keywords: Any,
    ) -> Self:
        """Start a session from a file.

        Parameters
        ----------
        path : str or Path
            See `atomotif.read` for the formats.
        pixel_size, units, frame, channel, key
            As in `atomotif.read`.
        **keywords
            As in `MotifSession`.

        Returns
        -------
        MotifSession

        Examples
        --------
        >>> import numpy as np
        >>> np.save("image.npy", session.data["image"]["intensity"].values)
        >>> am.MotifSession.from_file("image.npy", pixel_size="11 pm").title
        'image.npy'
        """
        image = readers.read(path, pixel_size=pixel_size, units=units, frame=frame, channel=channel, key=key)
        keywords.setdefault("title", Path(path).name)
        return cls(image, **keywords)

    # ---- steps -----------------------------------------------------------------------------------

    @recorded
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

        Examples
        --------
        >>> session.run_step("find_motifs", n_motifs=4).motifs.names
        ['M0', 'M1', 'M2', 'M3']
        """
        step = STEPS[verb]
        check_names(verb, parameters)
        if step.group in self._frozen:
            raise ValueError(f"`{verb}` must be called on the parent session: a branch shares its points.")
        wanted = step.parameters(**parameters)
        before = plan(self._state, groups=wanted.required(), before=verb, frozen=self._frozen)
        self._execute([*before, (verb, wanted)], asked_for=verb)
        return self

    @recorded
    def run(self, **parameters: Any) -> Self:
        """Run every step that is missing or stale, or whose parameters are given anew here.

        Parameters
        ----------
        **parameters
            Any step's parameter by its name, as in ``run(patch_size=41, rotation_invariant=False)``.
            A name that several steps have is refused, but for `random_state`, which goes to all that are
            made here; use ``run(find_motifs={"method": "layout"})`` for those.

        Returns
        -------
        MotifSession
            The session itself.

        Raises
        ------
        TypeError
            If no step has such a parameter, or several have.

        Examples
        --------
        >>> session.run(patch_size=41, rotation_invariant=False).stale
        ()
        """
        seed = parameters.pop("random_state", None)
        changes = sort_parameters(parameters)
        for verb in changes:
            if STEPS[verb].group in self._frozen:
                raise ValueError(f"`{verb}` must be changed on the parent session of a branch.")
            if self._state.is_given(STEPS[verb].group):
                raise ValueError(f"`{verb}` must not get parameters in `run`: its result was given.")
        seeded = changes if seed is None else with_seed(self._state, changes, seed, frozen=self._frozen)
        values = {verb: self._state.parameters(verb, seeded.get(verb)) for verb in STEPS}
        # What not every sample has must be there only if it is asked for, or is needed for that.
        needed = needed_for({STEPS[verb].group for verb in changes}, values)
        may_fail = [verb for verb, one in STEPS.items() if one.may_find_nothing and one.group not in needed]
        remembered = [verb for verb in seeded if verb in changes or STEPS[verb].group in self._state.groups]

        def steps() -> Iterator[tuple[str, Parameters]]:
            # Only once there are features is it known whether a sample is continuous: which steps are for it.
            yield from plan(self._state, seeded, asked=changes, before="find_motifs", frozen=self._frozen)
            yield from plan(self._state, seeded, asked=changes, frozen=self._frozen)

        self._execute(steps(), wanted={verb: values[verb] for verb in remembered}, may_fail=may_fail)
        return self

    # ---- results that are given ------------------------------------------------------------------

    @recorded
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

        Examples
        --------
        >>> session.set_points([[10.5, 20.0], [30.25, 41.0], [80.0, 12.0]]).data["points"]["row"].values
        array([10.5 , 30.25, 80.  ])
        """
        if self._parent is not None:
            raise ValueError("`set_points` must be called on the parent session: a branch shares its points.")
        image = self._state.groups["image"]
        points = checked_points(rowcol, (image.sizes["y"], image.sizes["x"]))
        self._write("find_points", points_group(image, points), None)
        self._renew_views()
        return self

    @recorded
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

        Examples
        --------
        >>> labels = [0, 1] * (len(session.columns) // 2) + [-1] * (len(session.columns) % 2)
        >>> session.set_motifs(labels, names=["Mo", "Se2"]).motifs.names
        ['Mo', 'Se2']
        """
        self._require_points()
        array, known_names = checked_labels(labels, names, len(self._state.ids))
        self._execute(plan(self._state, groups=("patch",), frozen=self._frozen))
        if known_names is not None:
            self._state.edits = [
                edit for edit in self._state.edits if edit.group != "motifs" or not isinstance(edit, Rename)
            ]
        self._write("find_motifs", self._motifs_of(array, known_names), None)
        self._renew_views()
        return self

    # ---- branches --------------------------------------------------------------------------------

    @recorded
    def branch(self, name: str, *, ids: ArrayLike | None = None, **parameters: Any) -> MotifSession:
        """Return a second analysis of the same points, linked by the selection and saved with this one.

        Parameters
        ----------
        name : str
            Its name in `branches`; an older branch of that name is replaced, and left to itself.
        ids : array_like of int, optional
            Look at these points only (drill-down); by default all.
        **parameters
            As in `run`, with which the branch runs at once; without any it waits for its `run`. All
            others are those of this session.

        Returns
        -------
        MotifSession

        Raises
        ------
        ValueError
            If the name is empty, there are no points, an id is not of this session, or fewer than
            three are given.
        TypeError
            If an id is not a whole number.

        Examples
        --------
        >>> oriented = session.branch("oriented", rotation_invariant=False)
        >>> zoom = session.branch("vacancies", ids=session.motifs.ids("M1"))
        >>> list(session.branches)
        ['oriented', 'vacancies']
        """
        if not isinstance(name, str) or not name or name == MAIN:
            raise ValueError(f"`name` must be a non-empty string other than {MAIN!r}, got {name!r}.")
        self._require_points()
        subset = None if ids is None else self._known(ids, "ids")
        if subset is not None and len(subset) < 3:
            raise ValueError(f"`ids` must name at least three points, got {len(subset)}.")
        shared = SHARED if subset is None else SHARED_BY_SUBSET
        self._execute(plan(self._state, groups=shared, frozen=self._frozen))
        branch = self._new_branch(name, subset)
        if parameters:
            branch.run(**parameters)
        self._branches[name] = branch
        self._renew_views()
        return branch

    @property
    def branches(self) -> Mapping[str, MotifSession]:
        """The branches by name."""
        return dict(self._branches)

    # ---- selection and history -------------------------------------------------------------------
    @property
    def selection(self) -> NDArray[np.int64]:
        """Ids of the selected points: read-only, sorted, unique; settable.

        Raises
        ------
        ValueError
            When set to an id that no point has.
        """
        ids: NDArray[np.int64] = self._selection.ids
        return ids

    @selection.setter
    def selection(self, ids: ArrayLike) -> None:
        self._selection.ids = self._root._known(ids, "selection")

    def observe(self, handler: Callable[[Any], None]) -> None:
        """Call `handler` with a change (`old`, `new`) whenever the selection takes another value.

        Examples
        --------
        >>> session.observe(lambda change: print(change["new"]))
        >>> session.selection = [2, 1, 2]
        [1 2]
        """
        if not callable(handler):
            raise TypeError(f"`handler` must be callable, got {handler!r}.")
        self._selection.observe(handler, "ids")

    def unobserve(self, handler: Callable[[Any], None]) -> None:
        """Stop calling `handler`."""
        self._selection.unobserve(handler, "ids")

    def undo(self) -> Self:
        """Take back the last change of this session or of a branch: a run, a step, an edit, a new branch.

        The 50 last changes can be taken back, fewer where what they replaced takes much memory. The
        selection goes back with a change of the points.

        Returns
        -------
        MotifSession
            The session itself.

        Raises
        ------
        ValueError
            If there is nothing to take back.

        Examples
        --------
        >>> session.motifs.rename("M1", "Se2")
        >>> session.undo().motifs.names[1]
        'M1'
        """
        self._root._history.undo()
        self._root._renew_views()
        return self

    def redo(self) -> Self:
        """Make a change again that `undo` took back, until something else is changed.

        Returns
        -------
        MotifSession
            The session itself.

        Raises
        ------
        ValueError
            If there is nothing to make again.

        Examples
        --------
        >>> session.motifs.rename("M1", "Se2")
        >>> session.undo().redo().motifs.names[1]
        'Se2'
        """
        self._root._history.redo()
        self._root._renew_views()
        return self

    @property
    def history(self) -> list[str]:
        """The changes that `undo` can take back, as code, oldest first.

        Examples
        --------
        >>> session.find_motifs(n_motifs=4).motifs.rename("M3", "vacancy")
        >>> session.history
        ['find_motifs(n_motifs=4)', "motifs.rename('M3', 'vacancy')"]
        """
        return self._root._history.done

    def __repr__(self) -> str:
        left_out = {group: reason for group, (reason, _) in self._state.left_out.items()}
        return describe.session_text(self.title, self.data, self.stale, tuple(self._branches), left_out)

    # ---- views -----------------------------------------------------------------------------------

    def view(self, *names: str) -> View:
        """Return linked views for the output of a cell; `session` as its last line shows all of them.

        All views of a session, in any number of cells, show its one selection. They follow when a step
        runs again, and offer the branches to choose from. Below the micrograph there is a choice of layers:
        cells, domains, stacking, grains, strain, displacement, quads, registry, symmetry, reconstruction,
        residual, as far as there are results; where columns are hidden below the domains, a tap selects those
        of a domain. Of a continuous sample, anchors take the place of motifs: columns have the mixture of
        their colours by weight, unless they are to be coloured by the nearest anchor or by domain. Beside
        each view a picture, without layers, is saved in the notebook, for readers without a kernel.

        Parameters
        ----------
        *names : str
            Of "micrograph", "layout", "anchors" (their ternary plot), "tree", "gallery", "selection",
            "environments", "quads" and "comparison" (divergences of domains, and their histograms); all of
            them by default. Views that there is nothing for yet are left out.

        Returns
        -------
        View
            A widget; the same one each time for the same names.

        Raises
        ------
        ValueError
            If there is no view of that name.

        Examples
        --------
        >>> session.view("micrograph", "layout").views
        ['micrograph', 'layout']
        """
        return self._live_views().view(names)

    def snapshot(self) -> None:
        """Renew the pictures that are saved in the notebook beside the views, to show what these show now.

        Examples
        --------
        >>> session.selection = session.motifs.ids("M1")
        >>> session.snapshot()
        """
        if self._live is not None:
            self._live.renew_pictures()

    def close(self) -> None:
        """Close the views of the session and of its branches, in all cells; what was found stays.

        A notebook's session is kept until its kernel ends; this gives back what the views take of memory.

        Examples
        --------
        >>> session.close()
        """
        for session in self._family():
            session._close_views()
        self._renew_views()  # a view of the parent may show the branch

    def _ipython_display_(self) -> None:
        """Show the views as the result of a cell; a terminal shows the text of `repr` instead."""
        if not in_notebook():
            raise NotImplementedError
        self.view()._ipython_display_()

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

        Examples
        --------
        >>> session.save("a.zarr").name
        'a.zarr'
        """
        from atomotif.io.store import save_tree

        return save_tree(xr.DataTree.from_dict(saving.to_dict(self)), path)

    @classmethod
    def open(
        cls, path: str | Path, *, n_threads: int | None = None, progress: Progress | None = None
    ) -> Self:
        """Open a saved session; everything is read into memory and no file stays open.

        Parameters
        ----------
        path : str or Path
            What `save` wrote.
        n_threads, progress : optional
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

        Examples
        --------
        >>> path = session.save("a.zarr")
        >>> repr(am.MotifSession.open(path)) == repr(session)
        True
        """
        from atomotif.io.store import open_tree

        tree = open_tree(path)
        if "next_id" not in tree.attrs or "image" not in tree.children:
            raise ValueError(f"`path` must be a session saved by atomotif, got {str(path)!r}.")
        session = cls.__new__(cls)
        session._init(str(tree.attrs["title"]), n_threads, progress)
        saving.load(session, tree)
        return session

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

        Examples
        --------
        >>> session.to_html("report.html").stat().st_size > 100_000
        True
        """
        from atomotif.export.html import to_html

        return to_html(self.data, path, title=title or self.title)
