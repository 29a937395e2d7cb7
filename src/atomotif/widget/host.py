"""The notebook's host: BokehJS once a kernel, one store an analysis, and as many views as are wanted."""

import base64
import functools
import gzip
from collections.abc import Callable
from typing import Any

import anywidget
import bokeh
import traitlets
from IPython.display import display

from atomotif._warnings import warn
from atomotif.widget.sources import bokehjs, script, stylesheet

#: Module of a model that is never shown by itself.
_NO_VIEW = "export default {}"


class Assets(anywidget.AnyWidget):  # type: ignore[misc]
    """BokehJS of the installed wheel: sent once a kernel, since every view refers to this one model."""

    _esm = _NO_VIEW

    version = traitlets.Unicode(bokeh.__version__).tag(sync=True)
    """Version of Bokeh; a page loads each version once."""

    bokehjs = traitlets.Bytes().tag(sync=True)
    """The script, compressed by gzip."""


@functools.cache
def compressed_bokehjs() -> bytes:
    """Return BokehJS as it is sent."""
    return gzip.compress(bokehjs().encode("utf-8"), mtime=0)


_assets: list[Assets] = []


def assets() -> Assets:
    """Return the one model of BokehJS of this kernel; a new one once somebody has closed all widgets."""
    if not (_assets and _assets[0].comm is not None):
        _assets[:] = [Assets(bokehjs=compressed_bokehjs())]
    return _assets[0]


def _as_bytes(value: Any, widget: Any) -> bytes:  # noqa: ARG001
    # A browser's DataView arrives as a memoryview, which a later message would overwrite.
    return b"" if value is None else bytes(value)


class Store(anywidget.AnyWidget):  # type: ignore[misc]
    """The columns of one analysis and the one selection, to which all its views listen."""

    _esm = _NO_VIEW

    columns = traitlets.Dict().tag(sync=True)
    """What `packing.pack` returns, by name."""

    image = traitlets.Dict().tag(sync=True)
    """The display copy of the image, packed; empty without one. It changes less often than the columns."""

    facts = traitlets.Dict().tag(sync=True)
    """The rest, small and JSON-able."""

    figures = traitlets.Dict().tag(sync=True)
    """Bokeh documents as JSON, by name."""

    version = traitlets.Int(0).tag(sync=True)
    """Grows with every change of the above: views listen to it alone."""

    selection = traitlets.Bytes(b"").tag(sync=True, from_json=_as_bytes)
    """Little-endian uint32: the version of the columns that are meant, then rows, sorted and distinct."""

    def replace(self, **traits: Any) -> None:
        """Put all that is shown in place in one message, so that no view ever sees one half of it."""
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)


class View(anywidget.AnyWidget):  # type: ignore[misc]
    """Linked views of one analysis in the output of a cell.

    Parameters
    ----------
    picture : callable, optional
        Returns a PNG of the views as they are. It is put out beside the widget, for a reader without a
        kernel; the browser hides it while the widget lives.
    **traits
        As below.
    """

    _esm = script("view")
    _css = stylesheet()

    assets = anywidget.WidgetTrait().tag(sync=True)
    """The `Assets`."""

    store = anywidget.WidgetTrait().tag(sync=True)
    """The `Store` that is shown."""

    views = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Names of the views that are wanted."""

    analyses = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Names of the analyses to choose from."""

    analysis = traitlets.Unicode().tag(sync=True)
    """Name of the analysis that is shown; settable."""

    def __init__(self, picture: Callable[[], bytes] | None = None, **traits: Any) -> None:
        super().__init__(assets=assets(), **traits)
        self.picture = picture
        self.on_msg(self._told)

    def _told(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "error":
            warn(f"a view could not be drawn: {str(content.get('message'))[:500]}")

    def __repr__(self) -> str:
        return f"Linked views ({', '.join(self.views)}): run the cell to see them"

    def _ipython_display_(self) -> None:
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)
        if self.picture is not None:
            self._put_out(self.picture(), update=False)

    def renew_picture(self) -> None:
        """Draw the saved picture anew wherever the view was shown."""
        if self.picture is not None:
            self._put_out(self.picture(), update=True)

    def _put_out(self, png: bytes, *, update: bool) -> None:
        # One id for all pictures of the view: all are renewed together.
        display(
            {"image/png": base64.b64encode(png).decode("ascii")},
            raw=True,
            display_id=f"{self.model_id}-picture",
            update=update,
        )
