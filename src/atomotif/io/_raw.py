"""What a reader of one format hands on: the array as it is in the file and what its axes are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RawImage:
    """An array as a file holds it, with the calibration that the file states.

    Attributes
    ----------
    data : ndarray
        Any shape and dtype.
    axes : tuple of str
        What each axis is: "y", "x", "frame" (a stack) or "channel" (colours, detectors, energies).
    scale : tuple of float or None
        Size of a pixel along (y, x) in `unit`; None if the file does not say.
    unit : str or None
        The unit as the file spells it.
    title : str
        The file's own title, or "".
    """

    data: NDArray[Any]
    axes: tuple[str, ...]
    scale: tuple[float, float] | None = None
    unit: str | None = None
    title: str = ""


def guess_axes(data: NDArray[Any]) -> tuple[str, ...]:
    """Return the roles of the axes of a bare array.

    The last two are the image, unless the last has 3 or 4 values and can only be a colour.

    Examples
    --------
    >>> guess_axes(np.zeros((5, 64, 64))), guess_axes(np.zeros((64, 64, 3)))
    (('frame', 'y', 'x'), ('y', 'x', 'channel'))
    """
    if data.ndim < 2:
        raise ValueError(f"`image` must have two axes (rows, cols), got shape {data.shape}.")
    if data.ndim >= 3 and data.shape[-1] in (3, 4) and min(data.shape[-3:-1]) > 4:
        return ("frame",) * (data.ndim - 3) + ("y", "x", "channel")
    return ("frame",) * (data.ndim - 2) + ("y", "x")


def choose_plane(
    raw: RawImage, frame: int | tuple[int, ...] | None, channel: int | tuple[int, ...] | None
) -> NDArray[Any]:
    """Return the one 2-D image, (y, x), that `frame` and `channel` name.

    Axes of length 1 need no choice. Colours that agree with each other (alpha aside) are grey and need
    none either.

    Raises
    ------
    ValueError
        If there is more than one image and no choice, with the words to type; or if the choice is out of
        range, or there is nothing to choose from.
    """
    data, axes = raw.data, list(raw.axes)
    for role, choice in (("frame", frame), ("channel", channel)):
        where = [axis for axis, name in enumerate(axes) if name == role and data.shape[axis] != 1]
        if choice is None:
            picks: tuple[int, ...] = ()
            if role == "channel" and len(where) == 1 and _is_grey(data, where[0]):
                picks = (0,)
            elif where:
                raise ValueError(_advice(role, [data.shape[axis] for axis in where]))
        else:
            picks = choice if isinstance(choice, tuple) else (choice,)
        if not where and all(pick == 0 for pick in picks):
            picks = ()
        if len(picks) != len(where):
            raise ValueError(
                f"`{role}` must be left out for this image, got {choice!r}: there is only one."
                if not where
                else _advice(role, [data.shape[axis] for axis in where])
            )
        for axis, pick in sorted(zip(where, picks), reverse=True):
            data = _take(data, axis, pick, role)
            del axes[axis]
    squeezed = tuple(axis for axis, name in enumerate(axes) if name not in ("y", "x"))
    data = data.squeeze(axis=squeezed)
    order = [name for name in axes if name in ("y", "x")]
    return data if order == ["y", "x"] else data.T


def _take(data: NDArray[Any], axis: int, pick: int, role: str) -> NDArray[Any]:
    if isinstance(pick, bool) or not isinstance(pick, int | np.integer):
        raise TypeError(f"`{role}` must be an integer, got {pick!r}.")
    size = data.shape[axis]
    if not -size <= pick < size:
        raise ValueError(f"`{role}` must be between 0 and {size - 1}, got {pick}.")
    plane: NDArray[Any] = data.take(pick, axis=axis)
    return plane


def _is_grey(data: NDArray[Any], axis: int) -> bool:
    """Whether the colours, without alpha, are equal everywhere: a grey image saved in colour."""
    planes = np.moveaxis(data, axis, 0)
    colours = planes[: 1 if len(planes) == 2 else 3]
    if len(planes) > 4 or data.ndim != 3:
        return False
    return all(np.array_equal(colours[0], colour) for colour in colours[1:])


def _advice(role: str, sizes: list[int]) -> str:
    if len(sizes) == 1:
        what = "a stack of" if role == "frame" else "an image of"
        noun = "images" if role == "frame" else "channels"
        return f"`{role}` must be given for {what} {sizes[0]} {noun}: {role}=0 to {role}={sizes[0] - 1}."
    shape = " x ".join(str(size) for size in sizes)
    zeros = ", ".join("0" for _ in sizes)
    return f"`{role}` must be given for a stack of {shape} images: one index an axis, as in {role}=({zeros})."
