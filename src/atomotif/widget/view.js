// The notebook's host of a workbench: an anywidget view. What it shows is in the store model, which all
// views of an analysis share, and so is the selection: views are linked even when the kernel is gone.
import { sameRows, unpack } from "./link.js";
import { mount } from "./workbench.js";

// What the views of a page share, whichever copy of this module they run.
const PAGE = (globalThis[Symbol.for("atomotif")] ??= { bokeh: new Map(), views: [] });
const PATIENCE = 5000; // ms after which a busy or dead kernel is no longer waited for

async function evaluate(compressed) {
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).text();
  // BokehJS takes its root from `this` at top level, which a module does not have. It is not shown the visual
  // viewport, to which every plot would listen for ever, long after its view is gone.
  const source = ["const root = {};\n(function (visualViewport) {\n", text, "\n}).call(root);\nexport default root.Bokeh;\n"];
  const url = URL.createObjectURL(new Blob(source, { type: "text/javascript" }));
  try {
    return (await import(url)).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}

// BokehJS, once a page and version.
function loadBokeh(assets) {
  const version = assets.get("version");
  if (!PAGE.bokeh.has(version)) {
    const loading = evaluate(assets.get("bokehjs"));
    PAGE.bokeh.set(version, loading);
    loading.catch(() => PAGE.bokeh.delete(version));
  }
  return PAGE.bokeh.get(version);
}

// The selection of the points that are shown. Its first number is the version of the columns that its rows
// mean: what is drawn round while the kernel replaces them is understood there, and not mistaken here.
function selectionOf(store) {
  const version = store.get("version");
  const read = () => {
    const bytes = store.get("selection");
    const numbers = bytes?.byteLength ? unpack({ dtype: "uint32", data: bytes }) : [];
    return numbers[0] === version ? numbers.subarray(1) : new Uint32Array(0);
  };
  return {
    get: read,
    set(rows) {
      if (sameRows(read(), rows)) return;
      const numbers = new Uint32Array(rows.length + 1);
      numbers[0] = version;
      numbers.set(rows, 1);
      store.set("selection", new DataView(numbers.buffer));
      store.save_changes();
    },
    subscribe(listener) {
      const tell = () => listener(read());
      store.on("change:selection", tell);
      return () => store.off("change:selection", tell);
    },
  };
}

// Asks the kernel for one kind of thing; resolves to what `read` makes of the answer, or after `patience` to nothing.
function asking(kind, store, signal, read, patience) {
  const waiting = new Map();
  const answer = (content, buffers) => {
    if (content?.kind === kind) waiting.get(content.id)?.(buffers.length ? read(content, buffers) : undefined);
  };
  store.on("msg:custom", answer);
  signal.addEventListener("abort", () => store.off("msg:custom", answer));
  return (question) =>
    new Promise((resolve) => {
      const id = crypto.randomUUID();
      const done = (found) => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(found);
      };
      const timer = patience && setTimeout(done, patience);
      waiting.set(id, done);
      store.send({ kind, id, ...question });
    });
}

// A part of the micrograph.
const readDetail = ({ x0, x1, y0, y1, shape }, [data]) => ({ x0, x1, y0, y1, shape, pixels: unpack({ dtype: "uint8", data }) });

// A layer over it; one of columns that have been replaced meanwhile is of no use.
function readLayer(store) {
  const version = store.get("version");
  return (content, buffers) => {
    if (content.version !== version) return undefined;
    const packed = content.columns.map(({ name, dtype, shape }, k) => [name, { dtype, shape, data: buffers[k] }]);
    return { facts: content.facts, packed: Object.fromEntries(packed) };
  };
}

// Dark or light as the notebook is; undefined leaves it to the reader's system.
function themeOfPage() {
  const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
  if (jpThemeLight !== undefined) return jpThemeLight === "false" ? "dark" : "light";
  if (vscodeThemeKind !== undefined) return vscodeThemeKind.includes("light") ? "light" : "dark";
  return document.documentElement.getAttribute("theme") ?? undefined;
}

function followTheme(host, onChange, signal) {
  const apply = () => {
    const theme = themeOfPage();
    if (theme === host.dataset.theme) return;
    if (theme) host.dataset.theme = theme;
    else delete host.dataset.theme;
    onChange();
  };
  const observer = new MutationObserver(apply);
  observer.observe(document.body, { attributes: true });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["theme"] });
  signal.addEventListener("abort", () => observer.disconnect());
  apply();
}

// The saved picture is the output after the view's, and says in its first bytes who drew it.
function isOurPicture(output) {
  const source = output?.querySelector("img")?.src ?? "";
  const start = source.indexOf("base64,");
  return start >= 0 && atob(source.slice(start + 7, start + 207)).includes("atomotif");
}

function hidePicture(el, signal) {
  const own = el.closest(".jp-OutputArea-child");
  const area = own?.parentElement;
  if (!area) return;
  let hidden;
  const update = () => {
    const next = own.nextElementSibling;
    const picture = isOurPicture(next) ? next : undefined;
    if (picture === hidden) return;
    if (hidden) hidden.style.display = "";
    if (picture) picture.style.display = "none";
    hidden = picture;
  };
  const observer = new MutationObserver(update);
  observer.observe(area, { childList: true, subtree: true });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    if (hidden) hidden.style.display = "";
  });
  update();
}

function element(className) {
  const made = document.createElement("div");
  made.className = className;
  return made;
}

async function render({ model, el, signal, host }) {
  const box = element("");
  box.dataset.host = "notebook";
  const problem = element("am-error");
  problem.hidden = true;
  problem.setAttribute("role", "alert");
  el.append(box, problem);
  let Bokeh;
  let live; // what is shown: its end, and once it is mounted its entry among the views of the page

  const fail = (error) => {
    console.error(error);
    const message = String(error?.message ?? error);
    problem.hidden = false;
    problem.textContent = `atomotif could not draw this view: ${message}`;
    model.send({ kind: "error", message });
  };

  function unmount() {
    const { entry, end } = live ?? {};
    live = undefined;
    end?.abort();
    if (!entry) return undefined;
    PAGE.views.splice(PAGE.views.indexOf(entry), 1);
    const keep = entry.mounted.state();
    entry.mounted.dispose();
    return keep;
  }

  async function show() {
    if (signal.aborted) return;
    const store = await host.getModel(model.get("store"));
    box.style.minHeight = `${box.offsetHeight}px`; // or the page would jump while it is built anew
    const keep = unmount();
    const end = new AbortController();
    live = { end };
    store.on("change:version", refresh);
    end.signal.addEventListener("abort", () => store.off("change:version", refresh));
    try {
      const image = store.get("image");
      const mounted = await mount({
        Bokeh,
        host: box,
        figures: store.get("figures"),
        packed: { ...store.get("columns"), ...(image.data ? { image } : {}) },
        facts: store.get("facts"),
        selection: selectionOf(store),
        views: model.get("views"),
        analyses: model.get("analyses"),
        analysis: model.get("analysis"),
        onAnalysis: (name) => {
          model.set("analysis", name);
          model.save_changes();
        },
        detail: asking("detail", store, end.signal, readDetail, PATIENCE),
        layer: asking("layer", store, end.signal, readLayer(store)),
        keep,
        onError: fail,
      });
      live.entry = { mounted, model, store, el: box };
      PAGE.views.push(live.entry);
      problem.hidden = true;
      if (signal.aborted) unmount();
    } catch (error) {
      box.replaceChildren();
      fail(error);
    } finally {
      box.style.minHeight = "";
    }
  }

  // One after another: a change that comes while a view is built is shown after it.
  let last = Promise.resolve();
  const refresh = () => (last = last.then(show).catch(fail));

  signal.addEventListener("abort", unmount);
  try {
    Bokeh = await loadBokeh(await host.getModel(model.get("assets")));
    for (const trait of ["store", "analyses", "views"]) model.on(`change:${trait}`, refresh);
    followTheme(box, () => live?.entry?.mounted.repaint(), signal);
    hidePicture(el, signal);
    await refresh();
  } catch (error) {
    fail(error);
  }
}

export default { render };
