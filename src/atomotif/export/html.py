"""One page with linked views, which needs no kernel, no network and no other file."""

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import Any

import xarray as xr

from atomotif._version import __version__
from atomotif.views.data import parameters
from atomotif.views.layers import MAX_LAYER_SIDE, groups_of, layer
from atomotif.views.workbench import Workbench, workbench
from atomotif.widget.packing import pack_text
from atomotif.widget.sources import bokehjs, script, stylesheet

#: One screen's worth, and what there is of neighbourhoods below; the bar above tells what is selected.
VIEWS = ("micrograph", "layout", "anchors", "tree", "gallery", "environments", "quads", "comparison")

#: Bytes up to which layers over the micrograph are put into a page, which is to be sent by mail; one that is
#: larger without any may grow by a tenth.
PAGE_BUDGET = 15_000_000

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="atomotif {version}">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="atomotif">
<header class="am-head">
<h1>{title}</h1>
<ul class="am-facts">{facts}</ul>
{parameters}
</header>
<noscript><p class="am-error">The views need JavaScript, all of which is inside this page.</p></noscript>
<main id="atomotif-views"></main>
<footer>atomotif {version}</footer>
{scripts}
</body>
</html>
"""

_STYLE = """
html { background: #e9ecf0; }
@media (prefers-color-scheme: dark) { html { background: #0d1117; } }
body { max-width: 2400px; margin: 0 auto; padding: 10px 16px; }
.am-head { display: flex; flex-wrap: wrap; gap: 2px 24px; align-items: baseline; margin-bottom: 6px; }
.am-head h1 { margin: 0; font-size: 20px; overflow-wrap: anywhere; }
.am-facts { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0; padding: 0; list-style: none; }
.am-head details { flex: 1 1 auto; }
.am-head summary { color: var(--am-accent); cursor: pointer; }
.am-head table { margin: 6px 0; border-collapse: collapse; font-size: 13px; }
.am-head th, .am-head td { padding: 1px 14px 1px 0; text-align: left; vertical-align: top; }
.am-head td { overflow-wrap: anywhere; }
footer { margin-top: 8px; color: var(--am-muted); font-size: 12px; }
@media print { .am-controls, .am-hint { display: none; } }
"""


def to_html(data: xr.DataTree, path: str | Path, *, title: str | None = None) -> Path:
    """Write micrograph, layout, anchors, motif-cells and gallery, linked by one selection, as one page.

    Classes of environments, states of quads and the comparison of domains stand below, if they were looked
    for.

    A lasso, a box or a tap in one view lights the same points in the others; pointing at a point shows its
    patch beside the average of its motif, and pointing at a motif-cell what it is made of. The page opens
    from a file, by mail or inside a frame, and its content security policy forbids it any request.

    Parameters
    ----------
    data : xr.DataTree
        A session's data. It needs the group `image` or `points`; views without data are left out, and groups
        marked stale are greyed. Layers over the micrograph (cells, strain, symmetry, ...) are put in, the
        largest only while the page stays below 15 MB.
    path : str or Path
        Where to write; an existing file is replaced.
    title : str, optional
        Heading of the page; the name of the image's source by default.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ValueError
        If there is neither an image nor points.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, xarray as xr
    >>> pixels = np.arange(16.0)
    >>> image = xr.Dataset({"intensity": (("y", "x"), np.eye(16))}, {"y": pixels, "x": pixels})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_html(xr.DataTree.from_dict({"image": image}), f"{folder}/report.html").name
    'report.html'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_page(data, workbench(data, VIEWS), title), encoding="utf-8", newline="\n")
    return target


def _page(data: xr.DataTree, shown: Workbench, title: str | None) -> str:
    heading = title or _source_name(data) or "atomotif report"
    packed = {name: pack_text(column) for name, column in shown.columns.items()}
    fixed = (bokehjs(), script("report"), stylesheet(), _json([shown.figures, shown.facts]))
    size = sum(map(len, fixed)) + _size(packed)
    layers = _layers(data, shown, max(PAGE_BUDGET - size, size // 10))
    offered = [{**one, "absent": one["name"] not in layers} for one in shown.facts["layers"]]
    content = {
        "figures": shown.figures,
        "facts": {**shown.facts, "layers": offered},
        "layers": layers,
        "packed": packed,
    }
    library, program = _inline(bokehjs()), _inline(script("report"))
    policy = "; ".join(
        [
            "default-src 'none'",
            # Only the two scripts written here run: markup in a name could not, even if it were not escaped.
            f"script-src {_fingerprint(library)} {_fingerprint(program)}",
            "style-src 'unsafe-inline'",  # BokehJS sets styles of its own
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    scripts = [
        f"<script>{library}</script>",
        f'<script type="application/json" id="atomotif-workbench">{_json(content)}</script>',
        f'<script type="module">{program}</script>',
    ]
    return _PAGE.format(
        policy=policy,
        version=escape(__version__),
        title=escape(heading),
        style=stylesheet() + _STYLE,
        facts="".join(f"<li>{escape(fact)}</li>" for fact in _facts(data, shown, heading)),
        parameters=_parameter_table(parameters(data)),
        scripts="\n".join(scripts),
    )


def _layers(data: xr.DataTree, shown: Workbench, room: int) -> dict[str, Any]:
    """Return the layers that `room` bytes hold: all, or with coarser pictures, or without the largest."""
    groups, names = groups_of(data), [one["name"] for one in shown.facts["layers"]]
    packed: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for side in (MAX_LAYER_SIDE, MAX_LAYER_SIDE // 2):
        packed = {}
        for name in names:
            made = layer(groups, name, image=shown.image, side=side)
            columns = {column: pack_text(values) for column, values in made.columns.items()}
            packed[name] = {"facts": made.facts, "packed": columns}
        sizes = {name: _size(one["packed"]) for name, one in packed.items()}
        if sum(sizes.values()) <= room:
            return packed
    while sum(sizes.values()) > room:
        largest = max(sizes, key=lambda name: sizes[name])
        del packed[largest], sizes[largest]
    return packed


def _size(packed: dict[str, Any]) -> int:
    return sum(len(column["data"]) for column in packed.values())


def _inline(source: str) -> str:
    """Return a script that no text in it can end early; `<\\/` means the same inside a string."""
    return source.replace("</script", "<\\/script").replace("<!--", "<\\!--").replace("\r\n", "\n")


def _fingerprint(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _json(content: Any) -> str:
    # JSON has no NaN; "<" appears only inside strings, where its escape means the same.
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _source_name(data: xr.DataTree) -> str | None:
    source = data["image"].attrs.get("source") if "image" in data.children else None
    # Arrays that were never a file are read as from "memory".
    return Path(str(source)).name if source and source != "memory" else None


def _facts(data: xr.DataTree, shown: Workbench, heading: str) -> list[str]:
    name = _source_name(data)
    facts = [name] if name and name != heading else []
    units = shown.facts["units"]
    if "image" in data.children:
        rows, cols = data["image"].sizes["y"], data["image"].sizes["x"]
        size = shown.facts["pixelSize"]
        facts.append(f"{cols:,} × {rows:,} px")
        facts.append(f"{size:.4g} {units} per px" if units != "px" else "no pixel size known")
    facts.append(f"{len(shown.columns['id']):,} columns")
    if shown.facts["motifs"]:
        count = len(shown.facts["motifs"])
        facts.append(f"{count} {shown.facts['kind']}{'s' if count != 1 else ''}")
    if shown.facts["patchSize"]:
        facts.append(f"patches of {shown.facts['patchSize']:.3g} px")
    if shown.facts["stale"]:
        facts.append(f"out of date: {', '.join(shown.facts['stale'])}")
    return facts


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_value(part)}" for name, part in value.items())
    return json.dumps(value, ensure_ascii=False)


def _parameter_table(found: dict[str, dict[str, Any]]) -> str:
    if not found:
        return ""
    rows = "".join(
        f"<tr><th>{escape(step)}</th><td>{escape(name)}</td><td>{escape(_value(value))}</td></tr>"
        for step, values in found.items()
        for name, value in values.items()
    )
    return f"<details><summary>Parameters</summary><table>{rows}</table></details>"
