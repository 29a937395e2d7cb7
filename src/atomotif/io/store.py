"""A session's tree on disk: one zarr folder, replaced as a whole or not at all.

A tree is written beside its place, read back and compared; only then is the old one set aside, the new one
renamed in and the old one deleted. Whatever moment a crash picks, one whole tree is left: in its place, or
set aside, where `open_tree` finds it.
"""

import json
import math
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

# In the root's attributes: what tells our folders from others, and the layout of what is in them.
_MARK: Final = "atomotif_format"
_FORMAT: Final = 1
_NEW: Final = ".tmp-"
_OLD: Final = ".old-"
# No save takes an hour: a younger folder may belong to another process that is saving now.
_ABANDONED_S: Final = 3600.0
_STRING: Final = np.dtypes.StringDType()


def save_tree(tree: xr.DataTree, path: str | Path, overwrite: bool = True) -> Path:
    """Write a tree to a zarr folder.

    Parameters
    ----------
    tree : DataTree
        Groups of any depth; variables of bool, integers, floats or str (no Python objects, dates or
        complex numbers); attributes of str, int, float or bool.
    path : str or Path
        The folder, `NAME.zarr` by convention.
    overwrite : bool, default True
        Whether a tree that is there already is replaced.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    FileExistsError
        If there is a tree already and `overwrite` is False; or if there is something that atomotif did
        not write, which is never replaced.
    TypeError
        If the tree holds something that would not come back as it is.
    OSError
        If it cannot be written, or was not read back as it was written. What was there before stays.

    Examples
    --------
    >>> import tempfile
    >>> tree = xr.DataTree.from_dict({"motifs": xr.Dataset({"name": ("motif", ["Mo", "Se2"])})})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = open_tree(save_tree(tree, f"{folder}/session.zarr"))
    >>> again["motifs/name"].values.tolist()
    ['Mo', 'Se2']
    """
    place = _absolute(path)
    _check_tree(tree)
    _refuse_foreign(place, overwrite)
    _recover(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    tag = secrets.token_hex(4)
    new, old = place.with_name(place.name + _NEW + tag), place.with_name(place.name + _OLD + tag)
    try:
        _write(tree, new)
        if not _load(new).identical(_plain(tree)):
            raise OSError(f"{str(new)!r} was not read back as it was written; {str(place)!r} is unchanged.")
        if place.exists():
            place.rename(old)
        try:
            new.rename(place)
        except OSError:
            if old.exists():
                old.rename(place)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    for leftover in (*_aside(place), *_abandoned(place)):
        shutil.rmtree(leftover, ignore_errors=True)
    return place


def open_tree(path: str | Path) -> xr.DataTree:
    """Load a tree that `save_tree` wrote, all of it, into memory; no file stays open.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    DataTree
        As it was given to `save_tree`.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, and none set aside by a save that a crash cut short.
    ValueError
        If it is not a tree of atomotif's, is of a later format or is damaged.

    Examples
    --------
    >>> open_tree("nowhere.zarr")
    Traceback (most recent call last):
    FileNotFoundError: `path` must be a saved session, got '...nowhere.zarr', which does not exist.
    """
    place = _absolute(path)
    _recover(place)
    if not place.exists():
        raise FileNotFoundError(f"`path` must be a saved session, got {str(place)!r}, which does not exist.")
    version = _format_of(place)
    if version is None:
        raise ValueError(
            f"`path` must be a session saved by atomotif, got {str(place)!r}, which is something else."
        )
    if version > _FORMAT:
        raise ValueError(
            f"{str(place)!r} was saved by a later atomotif (format {version}, known up to {_FORMAT}): "
            "update atomotif to open it."
        )
    try:
        return _load(place)
    except Exception as error:
        # zarr raises whatever a missing or damaged file leads to.
        raise ValueError(
            f"{str(place)!r} is damaged and cannot be opened ({type(error).__name__}: {error})."
        ) from error


def _absolute(path: str | Path) -> Path:
    place = Path(path).expanduser().absolute()
    if not place.name:
        raise ValueError(f"`path` must name a folder such as 'session.zarr', got {str(path)!r}.")
    # A link to a session is followed, so that renaming replaces the session and not the link.
    return place.resolve()


def _format_of(place: Path) -> int | None:
    """Return the format of a folder of ours, None for anything else."""
    try:
        node = json.loads((place / "zarr.json").read_text(encoding="utf-8"))
        version = node["attributes"][_MARK]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, int) else None


def _refuse_foreign(place: Path, overwrite: bool) -> None:
    if not place.exists():
        return
    if _format_of(place) is None and not (place.is_dir() and not any(place.iterdir())):
        raise FileExistsError(
            f"`path` must not be taken by anything but a session, got {str(place)!r}, which atomotif did not "
            "write and will not replace."
        )
    if not overwrite and _format_of(place) is not None:
        raise FileExistsError(f"`overwrite` must be True to replace the session {str(place)!r}, got False.")


def _aside(place: Path) -> list[Path]:
    """Return our folders that a save of `place` set aside, the latest first."""
    if not place.parent.is_dir():
        return []
    prefix = place.name + _OLD
    found = [
        path
        for path in place.parent.iterdir()
        if path.name.startswith(prefix) and _format_of(path) is not None
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _abandoned(place: Path) -> list[Path]:
    """Return half-written folders of saves of `place` that a crash cut short."""
    pattern = re.compile(re.escape(place.name + _NEW) + "[0-9a-f]{8}")
    return [
        path
        for path in place.parent.iterdir()
        if pattern.fullmatch(path.name) and time.time() - path.stat().st_mtime > _ABANDONED_S
    ]


def _recover(place: Path) -> None:
    """Put back what a crash left set aside, if nothing is in its place."""
    if not place.exists():
        for aside in _aside(place)[:1]:
            aside.rename(place)


def _write(tree: xr.DataTree, folder: Path) -> None:
    stored = _plain(tree)
    for node in stored.subtree:
        dataset = node.to_dataset(inherit=False)
        for name, variable in dataset.variables.items():
            if variable.dtype.kind == "U":
                # Fixed-width strings have no specification in zarr 3; variable-length ones have.
                dataset[name] = xr.Variable(variable.dims, variable.values.astype(_STRING), variable.attrs)
            # NaN is a value among others here, so no fill value is wanted.
            dataset[name].encoding = {"_FillValue": None} if variable.dtype.kind == "f" else {}
        node.dataset = dataset
    stored.attrs[_MARK] = _FORMAT
    stored.to_zarr(folder, mode="w-", consolidated=False, zarr_format=3)


def _load(folder: Path) -> xr.DataTree:
    with xr.open_datatree(
        folder, engine="zarr", consolidated=False, chunks=None, mask_and_scale=False, decode_times=False
    ) as stored:
        tree = _plain(stored.load())
    tree.attrs.pop(_MARK, None)
    return tree


def _plain(tree: xr.DataTree) -> xr.DataTree:
    """Return the tree with strings of fixed width, as NumPy has them, and without encodings."""
    groups: dict[str, xr.Dataset] = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False).drop_encoding()
        for name, variable in dataset.variables.items():
            if variable.dtype.kind in "UOT":
                values = np.array(variable.values.tolist(), dtype=np.str_).reshape(variable.shape)
                dataset[name] = xr.Variable(variable.dims, values, variable.attrs)
        groups[node.path] = dataset
    return xr.DataTree.from_dict(groups)


def _check_tree(tree: xr.DataTree) -> None:
    """Refuse what zarr would not give back as it is."""
    if not isinstance(tree, xr.DataTree):
        raise TypeError(f"`tree` must be an xarray.DataTree, got {type(tree).__name__}.")
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        _check_attrs(dataset.attrs, node.path)
        for name, variable in dataset.variables.items():
            where = f"{node.path.rstrip('/')}/{name}"
            _check_attrs(variable.attrs, where)
            kind = variable.dtype.kind
            is_text = kind == "O" and all(isinstance(item, str) for item in variable.values.flat)
            if kind not in "biufUT" and not is_text:
                raise TypeError(
                    f"`tree` must hold bool, integers, floats or str, got {variable.dtype} in {where!r}."
                )


def _check_attrs(attrs: dict[Any, Any], where: str) -> None:
    for name, value in attrs.items():
        if not isinstance(value, str | int | float | np.integer | np.floating | np.bool_):
            raise TypeError(
                f"`tree` must have str, int, float or bool as attributes, got {type(value).__name__} for "
                f"{name!r} of {where!r}."
            )
        if isinstance(value, float | np.floating) and not math.isfinite(value):
            raise TypeError(f"`tree` must have finite attributes, got {value!r} for {name!r} of {where!r}.")
