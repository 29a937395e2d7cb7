"""Drives a real JupyterLab: a server of its own, headless Chromium, a real mouse, a second kernel client.

    with Server(folder) as server, launched(find_chromium()) as chromium, Browser(chromium) as browser:
        server.write("some.ipynb", "import atomotif as am; ...", "session")
        notebook = Notebook(browser.page(), server).open("some.ipynb")
        notebook.run(0)
        notebook.run(1)
        view = notebook.view(1)                 # what the page shows below the second cell
        view.drag("layout", [(0, 0), (1, 0), (1, 1), (0, 1)])
        notebook.kernel.evaluate("session.selection.tolist()")

Coordinates of gestures are those of the data. All that a page asks of any other machine is refused and kept
in `Browser.outside`.
"""

import ast
import base64
import contextlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from jupyter_client import BlockingKernelClient
from PIL import Image

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60.0  # s: a first import of numba's cache on a busy machine

# What a test asks of the page. A view is found by the cell that it is in, among those that have registered.
_PAGE_SCRIPT = """
window.harness = {
  panel: () => window.jupyterapp?.shell.currentWidget,
  cell: (index) => harness.panel().content.widgets[index],
  all: () => globalThis[Symbol.for("atomotif")]?.views ?? [],
  views: (index) => harness.all().filter(({ el }) => harness.cell(index)?.node.contains(el)),
  ready: (index) => {
    const found = harness.views(index);
    return found.length > 0 && found.every(({ el, mounted }) => {
      const laidOut = Object.values(mounted.figures).every((figure) => figure.inner_width > 0);
      return el.dataset.ready === "true" && laidOut;
    });
  },
  frames: async (n = 2) => {
    for (let k = 0; k < n; k++) await new Promise((resolve) => requestAnimationFrame(resolve));
  },
  still: async (index) => {
    for (let last, same = 0; same < 4; ) {
      await harness.frames(1);
      const now = JSON.stringify(harness.views(index).map(({ el }) => el.getBoundingClientRect()));
      same = now === last ? same + 1 : 0;
      last = now;
    }
  },
  plot: async (index, name) => {
    for (const { mounted } of harness.views(index)) {
      const figure = mounted.figures[name];
      if (!figure) continue;
      for (const loaded of globalThis[Symbol.for("atomotif")].bokeh.values()) {
        for (const view of (await loaded).index) if (view.model === figure) return view;
      }
    }
    throw new Error(`cell ${index} shows no figure ${name}`);
  },
  places: async (index, name, xs, ys) => {
    const { canvas_view, frame } = await harness.plot(index, name);
    const box = canvas_view.el.getBoundingClientRect();
    return xs.map((x, k) => [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(ys[k])]);
  },
};
"""


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Return what `condition` returns as soon as that is true, or the last that it returned."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A `jupyter lab`, which serves Notebook 7, too, with nothing of the user's settings.

    Parameters
    ----------
    folder : Path
        Where notebooks lie; settings are kept in a folder of it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._own = folder / ".jupyter"

    def __enter__(self) -> "Server":
        names = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        for name in names.values():
            (self._own / name).mkdir(parents=True, exist_ok=True)
        notifications = self._own / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        notifications.parent.mkdir(parents=True)
        notifications.write_text('{"fetchNews": "false", "checkForUpdates": false}')
        options = [
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.news_url=None",
            "--IdentityProvider.token=",
            "--ServerApp.password=",
            "--ServerApp.disable_check_xsrf=True",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.url.rpartition(':')[2]}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.folder}",
        ]
        self._log = (self._own / "log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env={**os.environ, **{name: str(self._own / part) for name, part in names.items()}},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        if not until(self._answers, PATIENCE):
            self.__exit__()
            raise RuntimeError(f"JupyterLab did not start:\n{(self._own / 'log').read_text()[-2000:]}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            return False
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/api/status", timeout=2):
            return True
        return False

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of code cells."""
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(made, self.folder / name)
        return self.folder / name

    def trust(self, name: str) -> None:
        """Sign a notebook, as its author's saving it does."""
        environment = {**os.environ, "JUPYTER_DATA_DIR": str(self._own / "data")}
        command = [sys.executable, "-m", "jupyter", "trust", str(self.folder / name)]
        subprocess.run(command, check=True, env=environment, capture_output=True)

    def connection_file(self, kernel: str) -> Path:
        return self._own / "runtime" / f"kernel-{kernel}.json"

    def stop_kernel(self, kernel: str) -> None:
        asked = urllib.request.Request(f"{self.url}/api/kernels/{kernel}", method="DELETE")
        urllib.request.urlopen(asked, timeout=30).close()


@contextlib.contextmanager
def launched(path: str) -> Iterator[Any]:
    """Start headless Chromium: one a process, since Playwright drives one event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Browser:
    """A profile of a browser, in which every request that leaves the machine is refused.

    Parameters
    ----------
    chromium : playwright.sync_api.Browser
    size : (int, int)
        Of the window, px.
    scheme : str
        "light" or "dark".
    """

    def __init__(self, chromium: Any, *, size: tuple[int, int] = (1280, 1100), scheme: str = "light") -> None:
        self.context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
        )
        self.outside: list[str] = []
        self.context.add_init_script(_PAGE_SCRIPT)
        self.context.route(re.compile(r"^https?://(?!127\.0\.0\.1[:/])"), self._refuse)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _refuse(self, route: Any) -> None:
        self.outside.append(route.request.url)
        route.abort()

    def page(self) -> Any:
        """Return a new tab."""
        return self.context.new_page()


class Kernel:
    """A second client of the kernel of a notebook."""

    def __init__(self, connection_file: Path) -> None:
        self._client = BlockingKernelClient(connection_file=str(connection_file))
        self._client.load_connection_file()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)

    def evaluate(self, expression: str, before: str = "") -> Any:
        """Run the code `before` and return the value of an expression, which must fit into JSON."""
        reply = self._client.execute_interactive(
            before,
            silent=True,
            store_history=False,
            allow_stdin=False,
            timeout=PATIENCE,
            output_hook=lambda _message: None,
            user_expressions={"value": f"__import__('json').dumps({expression})"},
        )["content"]
        result = reply.get("user_expressions", {}).get("value", reply)
        if result["status"] != "ok":
            raise RuntimeError(f"{result['ename']}: {result['evalue']}")
        return json.loads(ast.literal_eval(result["data"]["text/plain"]))

    def run(self, code: str) -> None:
        self.evaluate("None", code)

    def close(self) -> None:
        self._client.stop_channels()


class Notebook:
    """A notebook that is open in a tab.

    Parameters
    ----------
    page : playwright.sync_api.Page
    server : Server
    """

    def __init__(self, page: Any, server: Server) -> None:
        self.page, self.server = page, server
        self.errors: list[str] = []  # of our scripts; Jupyter has some of its own
        self.received = 0  # bytes through all websockets
        self._kernel: Kernel | None = None
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", self._note_error)
        page.on("console", self._note_message)
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))

    def _count(self, frame: Any) -> None:
        self.received += len(frame)

    def _note_error(self, error: Any) -> None:
        # A widget's script is loaded from a blob.
        if "blob:" in (error.stack or ""):
            self.errors.append(str(error))

    def _note_message(self, message: Any) -> None:
        if message.type in ("error", "warning") and message.location["url"].startswith("blob:"):
            self.errors.append(message.text)

    def open(
        self, name: str, *, app: str = "lab", kernel: bool = True, workspace: str = "default"
    ) -> "Notebook":
        """Open a notebook in JupyterLab, or in Notebook 7 (`app="notebook"`)."""
        self.name = name
        place = f"lab/workspaces/{workspace}/tree/{name}?reset" if app == "lab" else f"notebooks/{name}"
        self.page.goto(f"{self.server.url}/{place}")
        self.loaded(kernel=kernel)
        return self

    def loaded(self, *, kernel: bool = True) -> None:
        """Wait until the notebook is there, and its kernel, unless it is to have none."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function(
            "harness.panel()?.context?.isReady && harness.panel().content.widgets.length"
        )
        if kernel:
            self.page.wait_for_function("harness.panel().sessionContext?.session?.kernel?.status === 'idle'")

    def reload(self) -> None:
        self.page.reload()
        self.loaded()

    def close(self) -> None:
        """Close the tab and end the kernel."""
        if self._kernel is not None:
            self._kernel.close()
        kernel = self.kernel_id
        # The tab first: JupyterLab would ask whether to start another kernel.
        self.page.close()
        if kernel:
            self.server.stop_kernel(kernel)

    # ---- kernel ----------------------------------------------------------------------------------

    @property
    def kernel_id(self) -> str | None:
        found: str | None = self.page.evaluate("harness.panel()?.sessionContext?.session?.kernel?.id")
        return found

    @property
    def kernel(self) -> Kernel:
        if self._kernel is None:
            self._kernel = Kernel(self.server.connection_file(str(self.kernel_id)))
        return self._kernel

    def restart(self) -> None:
        """Restart the kernel, as the button does."""
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None
        self.page.evaluate("harness.panel().sessionContext.restartKernel()")
        self.page.wait_for_function("harness.panel().sessionContext.session?.kernel?.status === 'idle'")

    def interrupt(self) -> None:
        """Interrupt the kernel, as the button does."""
        self.page.evaluate("harness.panel().sessionContext.session.kernel.interrupt()")

    # ---- cells -----------------------------------------------------------------------------------

    def start(self, cell: int) -> None:
        """Run a cell without waiting for its end; `performance.now()` of the start is `harness.started`."""
        self.page.evaluate(
            """(index) => {
              harness.panel().content.activeCellIndex = index;
              harness.ran = false;
              harness.started = performance.now();
              jupyterapp.commands.execute("notebook:run-cell").finally(() => (harness.ran = true));
            }""",
            cell,
        )

    def finish(self) -> None:
        """Wait for the end of the cell that was started."""
        self.page.wait_for_function("harness.ran === true")

    def run(self, cell: int) -> str:
        """Run a cell and return the text that is put out below it."""
        self.start(cell)
        self.finish()
        return self.output(cell)

    def output(self, cell: int) -> str:
        text: str = self.page.evaluate("(index) => harness.cell(index).outputArea.node.innerText", cell)
        return text

    def see(self, cell: int) -> None:
        """Scroll the output of a cell into sight and wait until it stays where it is."""
        self.page.evaluate(
            """async (index) => {
              await harness.panel().content.scrollToItem(index);
              const { node } = harness.cell(index).outputArea;
              node.scrollIntoView({ block: "start", behavior: "instant" });
              await harness.still(index);
            }""",
            cell,
        )

    def save(self) -> None:
        """Save the notebook and wait until it is written."""
        self.page.evaluate("harness.panel().context.save()")

    def pixels(self) -> np.ndarray:
        """Return what the tab shows, as integers (rows, cols, 3)."""
        shot = Image.open(io.BytesIO(self.page.screenshot()))
        return np.asarray(shot.convert("RGB")).astype(int)

    def settle(self) -> None:
        """Wait until what was asked of the page is painted."""
        self.page.evaluate("harness.frames(3)")

    # ---- views -----------------------------------------------------------------------------------

    def view(self, cell: int) -> "LiveView":
        """Wait for the live view below a cell, and scroll to it."""
        self.page.wait_for_function("(index) => harness.ready(index)", arg=cell)
        self.see(cell)
        return LiveView(self, cell)

    def count_views(self) -> int:
        """Return how many views of the page are alive, in any notebook."""
        count: int = self.page.evaluate("harness.all().length")
        return count


class LiveView:
    """A view that is alive below a cell."""

    def __init__(self, notebook: Notebook, cell: int) -> None:
        self.notebook, self.page, self.cell = notebook, notebook.page, cell

    @property
    def box(self) -> Any:
        """The locator of the output of the cell."""
        marked = "(index) => (harness.cell(index).outputArea.node.dataset.harness = index)"
        self.page.evaluate(marked, self.cell)
        return self.page.locator(f"[data-harness='{self.cell}']")

    def state(self, expression: str) -> Any:
        """Return the value of a JavaScript expression of `view`, {mounted, model, store, el}."""
        function = f"(index) => {{ const [view] = harness.views(index); return {expression}; }}"
        return self.page.evaluate(function, self.cell)

    def selected(self) -> list[int]:
        """Return the selected rows as the browser has them."""
        rows: list[int] = self.state("Array.from(view.mounted.selection.get())")
        return rows

    def places(self, figure: str, xs: Sequence[float], ys: Sequence[float]) -> np.ndarray:
        """Return where points of the data are drawn, (n, 2) as x, y in px of the page."""
        arguments = [self.cell, figure, [float(x) for x in xs], [float(y) for y in ys]]
        return np.array(self.page.evaluate("(given) => harness.places(...given)", arguments)).reshape(-1, 2)

    def place(self, figure: str, x: float, y: float) -> tuple[float, float]:
        return tuple(self.places(figure, [x], [y])[0].tolist())

    def colors(self, figure: str, xs: Sequence[float], ys: Sequence[float]) -> np.ndarray:
        """Return the colours of the pixels at points of the data, (n, 3)."""
        at = np.rint(self.places(figure, xs, ys)).astype(int)
        pixels = self.notebook.pixels()
        return pixels[at[:, 1], at[:, 0]]

    def drag(self, figure: str, corners: Sequence[tuple[float, float]], steps: int = 6) -> None:
        """Press the mouse at the first corner, draw along the others, let go at the last."""
        xs, ys = zip(*corners)
        path = self.places(figure, xs, ys).tolist()
        self.page.mouse.move(*path[0])
        self.page.mouse.down()
        for place in path[1:]:
            self.page.mouse.move(*place, steps=steps)
        self.page.mouse.up()
        self.notebook.settle()

    def tap(self, figure: str, x: float, y: float) -> None:
        self.page.mouse.click(*self.place(figure, x, y))
        self.page.wait_for_timeout(500)  # until then a second tap would make a double tap of it

    def double_tap(self, figure: str, x: float, y: float) -> None:
        self.page.mouse.dblclick(*self.place(figure, x, y))
        self.page.wait_for_timeout(500)

    def button(self, name: str) -> Any:
        return self.box.get_by_role("button", name=name, exact=True)


def picture_of(output: Any) -> Image.Image:
    """Return the PNG of an output as a notebook file holds it."""
    return Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"])))
