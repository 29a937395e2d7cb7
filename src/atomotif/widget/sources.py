"""The front end's source text: its modules as one script, its style sheet, BokehJS of the installed wheel."""

import functools
import re
from importlib.resources import files

from bokeh.resources import Resources

_IMPORT = re.compile(
    r'^import (?:\* as )?(?P<names>\w+|\{[^}]*\}) from "\./(?P<module>\w+)\.js";$', re.MULTILINE
)
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) (?P<name>\w+))", re.MULTILINE)


def _read(name: str) -> str:
    return (files("atomotif.widget") / name).read_text("utf-8")


@functools.cache
def stylesheet() -> str:
    """Return the style sheet shared by notebook and page.

    Examples
    --------
    >>> ".am-panel" in stylesheet()
    True
    """
    return _read("workbench.css")


@functools.cache
def script(entry: str) -> str:
    """Return the module `entry` and all that it imports as one ES module without imports.

    A page opened from a file may not import other files, and a notebook's host takes one text. That needs
    no build step: each imported module becomes a constant that holds its exports, in the order of need.

    Parameters
    ----------
    entry : str
        Name of a module of this folder, without ".js"; its own exports are kept.

    Returns
    -------
    str

    Examples
    --------
    >>> script("workbench").index("const $link =") < script("workbench").index("const $panels =")
    True
    """
    parts: dict[str, str] = {}

    def needed(text: str) -> str:
        for match in _IMPORT.finditer(text):
            module = match["module"]
            if module not in parts:
                source = _read(f"{module}.js")
                exports = ", ".join(found["name"] for found in _EXPORT.finditer(source))
                body = _EXPORT.sub("", needed(source))
                parts[module] = f"const ${module} = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();\n"
        return _IMPORT.sub(r"const \g<names> = $\g<module>;", text)

    main = needed(_read(f"{entry}.js"))
    return "\n".join([*parts.values(), main])


@functools.cache
def bokehjs() -> str:
    """Return BokehJS from the installed wheel, so that it always fits the documents that are written.

    Only its core: tables, widgets, mathematics and WebGL are not used here.

    Examples
    --------
    >>> "Bokeh" in bokehjs()
    True
    """
    return str(Resources(mode="inline", components=["bokeh"]).js_raw[0])
