"""The linked views in JupyterLab: first paint, linking in both directions, pan and zoom, bytes on the wire.

Run ``python benchmarks/bench_workbench.py [points ...]``; without arguments 3,000, 20,000, 200,000 and
500,000 points, then a micrograph of 4096 x 4096 px, and 20,000 points with some 300 motif-cells. A real
JupyterLab, headless Chromium, a real mouse. Times are medians of `REPEATS`; both processes read the same
clock. Each lasso goes round another island.
"""

import math
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "jupyter"))

from lab import Browser, LiveView, Notebook, Server, find_chromium, launched, until

REPEATS = 10
ISLANDS = 24
RADIUS = 10.0

MAKE = """
import time
import numpy as np
import xarray as xr
import atomotif as am
from atomotif.steps.graph import STEPS

def field(n, side):
    rng = np.random.default_rng(0)
    across = int(np.ceil(np.sqrt(n)))
    spacing = side / across
    place = (np.stack(np.divmod(np.arange(n), across), axis=1) + 0.5) * spacing
    image = rng.normal(0, 0.1, (side, side)).astype(np.float32)
    image[tuple(place.astype(int).T)] += 1
    made = am.MotifSession(image, pixel_size=0.0125, units="nm").set_points(place)
    label = rng.integers(0, {islands}, n)
    made.set_motifs(label)
    angle = 2 * np.pi * label / {islands}
    position = {radius} * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0, 0.4, (n, 2))
    group = xr.Dataset({{"position": (("point", "axis"), position.astype(np.float32))}})
    made._write("compute_layout", group, STEPS["compute_layout"].parameters())
    return made

session = field({n}, {side})
heard = []
session.observe(lambda change: heard.append(time.time() * 1e3))
"""

# A crystal of two motifs with six others at every sixth column: singles, pairs, threes, ...
HIERARCHY = """
def defects(n, side):
    rng = np.random.default_rng(0)
    across = 2 * int(np.ceil(np.sqrt(n) / 2))
    row, col = np.divmod(np.arange(across**2), across)
    label = np.where(rng.random(across**2) < 0.16, rng.integers(2, 8, across**2), col % 2)
    place = (np.stack([row, col], axis=1) + 0.5) * (side / across)
    image = rng.normal(0, 0.1, (side, side)).astype(np.float32)
    made = am.MotifSession(image, pixel_size=0.0125, units="nm").set_points(place).set_motifs(label)
    position = np.stack([label, rng.normal(0, 0.4, across**2)], axis=1).astype(np.float32)
    group = xr.Dataset({{"position": (("point", "axis"), position)}})
    made._write("compute_layout", group, STEPS["compute_layout"].parameters())
    return made.find_lattice().find_cells().build_hierarchy()

session = defects({n}, {side})
heard = []
session.observe(lambda change: heard.append(time.time() * 1e3))
"""

# Times of paints of a figure and of the end of a gesture, ms since 1970 as Python's `time.time()`.
WATCH = """
async ([cell, name]) => {
  const now = () => performance.timeOrigin + performance.now();
  const plot = await harness.plot(cell, name);
  const painter = plot._actual_paint ? "_actual_paint" : "actual_paint";
  const paint = plot[painter];
  harness.paints = [];
  plot[painter] = function (...given) {
    const start = now();
    const result = paint.apply(this, given);
    harness.paints.push([start, now()]);
    return result;
  };
  if (!harness.watching) window.addEventListener("pointerup", () => (harness.up = now()), true);
  harness.watching = true;
}
"""
FIRST_PAINT = """
async (cell) => {
  while (!harness.ready(cell)) await harness.frames(1);
  await harness.frames(2);
  return performance.now() - harness.started;
}
"""


class Bench:
    """One session of `n` columns in a notebook of its own."""

    def __init__(self, server: Server, browser: Browser, n: int, side: int, more: str = "") -> None:
        self.n = n
        make = MAKE.format(n=n, side=side, islands=ISLANDS, radius=RADIUS) + more.format(n=n, side=side)
        server.write("bench.ipynb", make, "session", "session.close()")
        self.notebook = Notebook(browser.page(), server).open("bench.ipynb")
        self.notebook.page.set_default_timeout(300_000)
        self.notebook.run(0)

    def first_paint(self) -> tuple[float, float]:
        """Return ms and bytes; the first time of a kernel and page, so BokehJS is among them."""
        before = self.notebook.received
        self.notebook.start(1)
        elapsed = self.notebook.page.evaluate(FIRST_PAINT, 1)
        self.notebook.finish()
        self.notebook.page.wait_for_timeout(500)
        return elapsed, self.notebook.received - before

    def again(self) -> float:
        """Return ms of a first paint with BokehJS in the page."""
        self.notebook.run(2)
        return self.first_paint()[0]

    def watch(self, view: LiveView, figure: str) -> None:
        view.page.evaluate(WATCH, [view.cell, figure])

    def next_paint(self, view: LiveView, after: float) -> float:
        """Return when the first paint after a time had ended."""
        found = until(
            lambda: view.page.evaluate("(t) => harness.paints.filter(([, end]) => end > t)", after), 30
        )
        view.page.wait_for_timeout(300 + self.n // 1000)
        return found[0][1]

    def lassos(self, view: LiveView) -> tuple[float, float]:
        """Return ms from the end of a lasso in the layout to the painted micrograph, and to Python."""
        painted, heard = [], []
        self.watch(view, "micrograph")
        for k in range(REPEATS):
            angle = 2 * math.pi * (5 * k % ISLANDS) / ISLANDS
            x, y = RADIUS * math.cos(angle), RADIUS * math.sin(angle)
            view.page.evaluate("harness.paints.length = 0")
            corners = [(-1.2, -1.2), (1.2, -1.2), (1.2, 1.2), (-1.2, 1.2)]
            view.drag("layout", [(x + dx, y + dy) for dx, dy in corners])
            up = view.page.evaluate("harness.up")
            painted.append(self.next_paint(view, up) - up)
            heard.append(self.notebook.kernel.evaluate("heard[-1]") - up)
        return median(painted), median(heard)

    def taps(self, view: LiveView) -> dict[str, float]:
        """Return ms from a tap on a motif-cell to the painted tree and micrograph, and to Python."""
        times: dict[str, list[float]] = {"micrograph": [], "tree": [], "Python": []}
        source = (
            "view.mounted.figures.tree.renderers.find(({ name }) => name === 'tree-counts').data_source.data"
        )
        view.box.locator(".am-panel-tree").scroll_into_view_if_needed()
        view.page.wait_for_timeout(500)
        # Among the rest of the tree, so that all of it is dimmed, and what is lit drawn anew.
        for figure in ("micrograph", "tree"):
            self.watch(view, figure)
            for k in range(REPEATS):
                x, y = view.state(f"[{source}.x[{k}], {source}.y[{k}]]")
                place = view.place("tree", x, y)
                view.page.mouse.move(place[0] - 5, place[1])
                view.page.wait_for_timeout(300)
                view.page.evaluate("harness.paints.length = 0")
                view.page.mouse.down()
                view.page.mouse.up()
                up = view.page.evaluate("harness.up")
                times[figure].append(self.next_paint(view, up) - up)
                times["Python"].append(self.notebook.kernel.evaluate("heard[-1]") - up)
                view.page.wait_for_timeout(400)
        figures = {f"tap > {name}": median(found) for name, found in times.items()}
        # A motif lights half of the motif-cells at once.
        view.page.evaluate("harness.paints.length = 0")
        lit = []
        tiles = view.box.locator(".am-tile").all()
        for tile in tiles[2:]:
            tile.scroll_into_view_if_needed()
            tile.click()
            up = view.page.evaluate("harness.up")
            lit.append(self.next_paint(view, up) - up)
            view.page.evaluate("harness.paints.length = 0")
        return figures | {"motif > tree": median(lit)}

    def hierarchy(self) -> dict[str, float]:
        first, size = self.first_paint()
        view = self.notebook.view(1)
        nodes = self.notebook.kernel.evaluate("len(session.motif_cells)")
        return {"motif-cells": nodes, "first paint": first, "MB": size / 1e6, **self.taps(view)}

    def from_python(self, view: LiveView) -> float:
        """Return ms from setting the selection in Python to the painted micrograph."""
        times = []
        self.watch(view, "micrograph")
        for k in range(REPEATS):
            code = f"ids = session.motifs.ids({k}); start = time.time() * 1e3; session.selection = ids"
            start = self.notebook.kernel.evaluate("start", code)
            times.append(self.next_paint(view, start) - start)
        return median(times)

    def frames(self, view: LiveView, figure: str, gesture: Any) -> float:
        """Return ms of painting one frame while the view moves."""
        self.watch(view, figure)
        middle = view.page.evaluate(
            "async (given) => { const { frame, canvas_view } = await harness.plot(...given);"
            " const box = canvas_view.el.getBoundingClientRect();"
            " return [box.left + frame.bbox.x_center, box.top + frame.bbox.y_center]; }",
            [view.cell, figure],
        )
        view.page.mouse.move(*middle)
        gesture(view.page.mouse, middle)
        view.page.wait_for_timeout(500 + self.n // 500)
        return median(end - start for start, end in view.page.evaluate("harness.paints"))

    def run(self) -> dict[str, float]:
        first, size = self.first_paint()
        figures = {"first paint": first, "again": median(self.again() for _ in range(3)), "MB": size / 1e6}
        view = self.notebook.view(1)
        figures["lasso > painted"], figures["lasso > Python"] = self.lassos(view)
        figures["Python > painted"] = self.from_python(view)
        self.notebook.kernel.run("session.selection = []")

        def zoom(mouse: Any, _middle: Any) -> None:
            for _ in range(REPEATS):
                mouse.wheel(0, -60)
                time.sleep(0.08)

        def pan(mouse: Any, middle: Any) -> None:
            tools = "view.mounted.figures.micrograph.toolbar.tools"
            view.state(f"({tools}.find(({{ type }}) => type === 'PanTool').active = true)")
            mouse.move(*middle)
            mouse.down()
            for k in range(REPEATS):
                mouse.move(middle[0] + 6 * k, middle[1] + 4 * k)
                time.sleep(0.08)
            mouse.up()

        for name in ("micrograph", "layout"):
            figures[f"zoom {name}"] = self.frames(view, name, zoom)
        figures["pan micrograph"] = self.frames(view, "micrograph", pan)
        self.notebook.close()
        return figures


def main(counts: list[int]) -> None:
    path = find_chromium()
    if path is None:
        raise SystemExit("bench_workbench needs Chromium or Chrome.")
    cases = [(n, max(512, 6 * math.isqrt(n))) for n in counts] + [(20_000, 4096)]
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder)) as server,
        launched(path) as chromium,
    ):
        for n, side in cases:
            with Browser(chromium) as browser:
                figures = Bench(server, browser, n, side).run()
            report(n, side, figures)
        with Browser(chromium) as browser:
            report(20_000, 1024, Bench(server, browser, 20_000, 1024, HIERARCHY).hierarchy())


def report(n: int, side: int, figures: dict[str, float]) -> None:
    named = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
    print(f"{n:7d} points, {side} x {side} px (ms): {named}", flush=True)


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [3_000, 20_000, 200_000, 500_000])
