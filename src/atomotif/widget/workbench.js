// Links the figures, the gallery and the summaries through one selection. It holds what both hosts, a page and
// a notebook, have in common; what they differ in (where BokehJS, the columns and the selection come from) is
// given to `mount`.
import { comparisonView } from "./compare_view.js";
import { AnchorView } from "./anchor_view.js";
import { pointColoring } from "./coloring.js";
import * as link from "./link.js";
import { micrographDetail } from "./detail.js";
import { layerView, NO_LAYER } from "./layer_view.js";
import * as panels from "./panels.js";
import { domainOutlines, outlineLayer } from "./outline_layer.js";
import { PointView } from "./point_view.js";
import { selectionPanel } from "./selection_panel.js";
import { environmentTiles, quadTiles } from "./set_tiles.js";
import { TreeView } from "./tree_view.js";

// A selection without a kernel: rows, and who wants to know of a change.
export function localSelection() {
  let rows = new Uint32Array(0);
  const listeners = new Set();
  return {
    get: () => rows,
    set(next) {
      if (link.sameRows(rows, next)) return;
      rows = next;
      for (const listener of listeners) listener(rows);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

// The keys held at the last event of pointer or keyboard: a Bokeh gesture does not tell them.
function heldKeys(signal) {
  const held = {};
  const note = (event) => {
    Object.assign(held, { shift: event.shiftKey, ctrl: event.ctrlKey, meta: event.metaKey, alt: event.altKey });
  };
  for (const type of ["pointerdown", "pointermove", "pointerup", "keydown", "keyup"]) {
    window.addEventListener(type, note, { capture: true, signal });
  }
  return held;
}

// The colours of the page as its style sheet sets them, for what is drawn on canvas.
function themeOf(host) {
  const style = getComputedStyle(host);
  const read = (name) => style.getPropertyValue(`--am-${name}`).trim();
  return Object.fromEntries(["text", "muted", "line", "surface", "raised", "accent"].map((name) => [name, read(name)]));
}

function fillImage(source, ndarray, { pixels, shape, x0, x1, y0, y1 }) {
  const { buffer, byteOffset, byteLength } = pixels;
  const image = ndarray(buffer.slice(byteOffset, byteOffset + byteLength), { dtype: "uint8", shape });
  source.data = { image: [image], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
}

const DEPENDS_ON = {
  micrograph: ["image", "points"], layout: ["layout"], anchors: ["anchors"], tree: ["hierarchy"],
  environments: ["environments"], quads: ["quads"], comparison: ["comparison"],
};

const SETS = ["environments", "quads", "comparison"];

// Shows a workbench in `host`. Resolves to {selection, columns, figures, state, repaint, dispose}.
// - figures: Bokeh documents as JSON, by name; packed: the columns as {dtype, shape, data};
//   facts: what Python's `Workbench.facts` says; views: names of those wanted, by default all with data;
// - selection: as `localSelection` makes it;
// - detail: asks for a part of a micrograph of which only a reduced copy is here (detail.js);
// - layer: asks for one of the layers over it that `facts.layers` names (layer_view.js);
// - analyses, analysis, onAnalysis: names to choose from, the one that is shown, who is told of another;
// - keep: the state() of what was shown before; onError: who is told of errors in what the user does.
export async function mount({
  Bokeh, host, figures, packed, facts, selection, views: wanted = facts.views, detail, layer, keep,
  analyses = [], analysis, onAnalysis, onError = (error) => console.error(error),
}) {
  const columns = Object.fromEntries(Object.entries(packed).map(([name, column]) => [name, link.unpack(column)]));
  const shapes = Object.fromEntries(Object.entries(packed).map(([name, column]) => [name, column.shape]));
  const names = wanted.filter((name) => facts.views.includes(name));
  const { ndarray } = Bokeh.require("core/util/ndarray");
  const { Document } = Bokeh.require("document/document");
  // A document can be embedded once: each view has its own.
  const docs = new Map(names.filter((name) => name in figures).map((name) => [name, Document.from_json(figures[name])]));
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const guarded = (action) => (...given) => {
    try {
      return action(...given);
    } catch (error) {
      onError(error);
      return undefined;
    }
  };
  const held = heldKeys(signal);
  const stale = new Set(facts.stale);
  const motifGroup = `${facts.kind}s`; // where the motifs come from
  const dependsOn = { ...DEPENDS_ON, gallery: [motifGroup], selection: [motifGroup] };
  const fade = stale.has(motifGroup) ? link.faded : (color) => color;
  const coloring = pointColoring({
    facts, columns, shapes, stale, keep: keep?.coloring,
    onChange: (colors) => {
      for (const view of figureViews.values()) view.recolor?.(colors);
    },
  });
  const colors = coloring.colors();
  let mode = keep?.mode ?? "replace";
  // Columns that a layer has hidden come back where there is no such layer.
  const keptLayer = facts.layers?.some(({ name }) => name === keep?.layer);
  let byLayer = keep?.byLayer ?? false;
  let columnsShown = byLayer ? !keptLayer : keep?.columnsShown ?? true;
  let treeRestricted = keep?.treeRestricted ?? false;
  const gesture = guarded((rows, keys = held) => {
    selection.set(link.combine(selection.get(), rows, link.modeOf(keys, mode)));
  });
  const clear = guarded(() => selection.set(new Uint32Array(0)));

  // ---- elements
  host.classList.add("atomotif");
  const micrograph = facts.extent && { pixels: columns.image, shape: shapes.image, ...facts.extent };
  const zoomedIn = { part: undefined }; // the part of the micrograph that is here at full resolution
  const copyAt = (x, y) => {
    const { part } = zoomedIn;
    return part && x > part.x0 && x < part.x1 && y > part.y0 && y < part.y1 ? part : micrograph;
  };
  const bar = panels.selectionBar({
    facts, labels: columns.label, mode, compact: names.length === 1, analyses, analysis, onAnalysis,
    onClear: clear,
    onMode: (chosen) => (mode = chosen),
    onInvert: guarded(() => selection.set(link.invert(selection.get(), columns.id.length))),
  });
  if (columns.id.length) bar.box.append(coloring.box);
  const card = panels.hoverCard({ facts, columns, shapes, copyAt });
  const grid = panels.element("div", "am-views");
  // Those of sets have a row of their own below, whichever of the others there are.
  grid.dataset.views = names.filter((name) => !SETS.includes(name)).join(" ");
  const made = Object.fromEntries(
    names.map((name) => {
      const title = name === "gallery" ? panels.KINDS[facts.kind].gallery : undefined;
      return [name, panels.panel(name, dependsOn[name].some((group) => stale.has(group)), title)];
    }),
  );
  grid.append(...Object.values(made).map(({ box }) => box));
  host.append(bar.box, grid, card.card);

  // ---- figures
  let pointer = { clientX: 0, clientY: 0 };
  host.addEventListener("pointermove", (event) => (pointer = event), { capture: true, signal });
  let hovered = -1;
  const hover = guarded((row) => {
    if (row < 0 || pointer.buttons) card.hide();
    else card.show(row, pointer);
    if (row === hovered) return;
    hovered = row;
    for (const view of figureViews.values()) view.point(row);
  });
  const places = {
    micrograph: { x: columns.x, y: columns.y, veilColor: "#000000", home: facts.extent ?? link.extentOf(columns.x, columns.y) },
    layout: { x: columns.u, y: columns.v, home: columns.u && link.extentOf(columns.u, columns.v) },
  };
  const treeView = (figure, doc, on) => {
    const note = panels.element("p", "am-note");
    const view = new TreeView({
      figure, doc, columns, facts, fade, restricted: treeRestricted,
      on: {
        ...on,
        note: (text, motifs) => note.replaceChildren(text, ...motifs.map(panels.legend)),
        hover: guarded((node, lines) => (node < 0 || pointer.buttons ? card.hide() : card.tell(`node ${node}`, lines, pointer))),
      },
    });
    const restrict = (value) => (view.restricted = treeRestricted = value);
    made.tree.head.append(panels.toggle("Only of selected motifs", treeRestricted, guarded(restrict)));
    made.tree.box.append(note);
    return view;
  };
  const figureViews = new Map();
  for (const [name, doc] of docs) {
    const [figure] = doc.roots();
    const on = {
      gesture, clear, hover,
      moved: guarded(() => {
        figureViews.get(name).zoomed();
        if (name === "micrograph") {
          sharpen?.();
          layers?.moved();
        }
      }),
    };
    if (name === "anchors") {
      figureViews.set(name, new AnchorView({ figure, doc, ndarray, colors, columns, shapes, anchors: facts.anchors, on }));
    } else if (name in places) figureViews.set(name, new PointView({ figure, doc, ndarray, colors, ...places[name], on }));
    else figureViews.set(name, treeView(figure, doc, on));
  }
  let sharpen;
  let layers; // over the micrograph, one at a time
  if (micrograph && docs.has("micrograph")) {
    const sourceOf = (name) => docs.get("micrograph").get_model_by_name(`micrograph-${name}`).data_source;
    fillImage(sourceOf("image"), ndarray, micrograph);
    const view = figureViews.get("micrograph");
    const showColumns = (visible) => {
      columnsShown = visible;
      view.pointsVisible = visible;
    };
    const columnsButton = panels.toggle("Columns", columnsShown, (visible) => {
      byLayer = false;
      showColumns(visible);
    });
    made.micrograph.head.append(columnsButton);
    showColumns(columnsShown);
    if (layer && facts.layers.length) {
      layers = layerView({
        view, source: sourceOf("layer"), ndarray, columns, layers: facts.layers, ask: layer, keep: keep?.layer, onError,
        // A layer is to be seen between the columns, not behind them.
        onCover: (covered) => {
          if (!(covered ? columnsShown : byLayer)) return;
          columnsButton.click();
          byLayer = covered;
        },
      });
      made.micrograph.box.append(layers.box);
    }
    if (detail && facts.reduction > 1) {
      sharpen = micrographDetail({
        view, ask: detail, facts, signal, onError,
        show(part) {
          zoomedIn.part = part;
          const source = sourceOf("detail");
          if (part) fillImage(source, ndarray, part);
          else source.data = { image: [], x: [], y: [], dw: [], dh: [] };
        },
      });
    }
  }
  const shown = [bar, ...figureViews.values()];
  if (facts.tree && docs.has("micrograph")) shown.push(outlineLayer({ doc: docs.get("micrograph"), columns, facts }));

  if (facts.comparison && docs.has("micrograph")) shown.push(domainOutlines({ doc: docs.get("micrograph"), columns, facts }));

  // ---- gallery, sets of points and summary
  const tap = (rows, { shiftKey: shift, ctrlKey: ctrl, metaKey: meta, altKey: alt }) => {
    gesture(rows, { shift, ctrl, meta, alt });
  };
  // Where points are, without selecting them: many colours are hard to tell apart.
  const peek = guarded((rows = selection.get()) => {
    if (!signal.aborted) figureViews.forEach((view) => view.show(rows));
  });
  if (made.gallery) {
    const gallery = panels.gallery({
      facts, labels: columns.label, averages: columns.averages, averagesShape: shapes.averages,
      onTap: (motif, event) => tap(link.rowsOfMotifs(columns.label, [motif]), event),
      onPeek: (motif) => peek(motif === undefined ? undefined : link.rowsOfMotifs(columns.label, [motif])),
    });
    made.gallery.body.append(gallery.box);
    shown.push(gallery);
  }
  for (const [name, make] of Object.entries({ environments: environmentTiles, quads: quadTiles })) {
    if (!made[name]) continue;
    const tiles = make({ facts, columns, shapes, stale: stale.has(name), onTap: tap, onPeek: peek });
    made[name].body.append(tiles.box);
    shown.push(tiles);
  }
  const comparison = made.comparison && comparisonView({
    facts, columns, shapes, keep: keep?.comparison, onTap: tap, quiet: card.hide,
    tell: guarded((about, lines, event) => (pointer.buttons ? card.hide() : card.tell(about, lines, event))),
  });
  if (comparison) {
    made.comparison.body.append(comparison.box);
    shown.push(comparison);
  }
  if (made.selection) {
    const summary = selectionPanel({ facts, columns, shapes, micrograph });
    made.selection.body.append(summary.box);
    shown.push(summary);
  }

  const show = guarded((rows) => shown.forEach((view) => view.show(rows)));
  const repaint = () => {
    const theme = themeOf(host);
    for (const view of figureViews.values()) view.paint(theme);
  };
  repaint();
  const unsubscribe = selection.subscribe(show);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint, { signal });
  // A card would lie over what is being drawn, or would tell of a column that has moved on.
  for (const type of ["pointerleave", "pointerdown", "wheel"]) {
    host.addEventListener(type, () => figureViews.forEach((view) => view.leave()), { capture: true, passive: true, signal });
  }
  window.addEventListener("keydown", (event) => {
    const focus = document.activeElement;
    if (event.defaultPrevented || focus?.closest("input, textarea, [contenteditable]")) return;
    if (event.key === "Escape" && (focus === document.body || host.contains(focus) || host.matches(":hover"))) clear();
  }, { signal });

  const dispose = () => {
    unsubscribe();
    lifetime.abort();
    for (const doc of docs.values()) {
      doc.views_manager?.clear(); // with that of the notifications, which is no root of the document
      doc.clear();
      // Bokeh lists all documents that it ever made.
      Bokeh.documents.splice(Bokeh.documents.indexOf(doc), 1);
    }
    host.replaceChildren();
    delete host.dataset.ready;
  };
  try {
    const { add_document_standalone: embed } = Bokeh.require("embed/standalone");
    for (const [name, view] of figureViews) {
      const drawn = await embed(docs.get(name), host, [made[name].body]);
      view.clip(drawn.get(view.figure));
      const before = keep?.places[name];
      if (before?.range && JSON.stringify(before.whole) === JSON.stringify(view.whole)) view.range = before.range;
    }
    show(selection.get());
  } catch (error) {
    dispose();
    throw error;
  }
  host.dataset.ready = "true"; // tells whoever drives the page that gestures are heard
  return {
    selection,
    columns,
    figures: Object.fromEntries([...figureViews].map(([name, { figure }]) => [name, figure])),
    // What the user has set, for a mount of newer columns; a range only if it was moved from the home.
    state: () => ({
      mode,
      coloring: coloring.chosen,
      columnsShown,
      treeRestricted,
      comparison: comparison?.state() ?? keep?.comparison,
      byLayer,
      layer: layers && (keptLayer || layers.chosen !== NO_LAYER) ? layers.chosen : keep?.layer,
      places: Object.fromEntries(
        [...figureViews].map(([name, { whole, range, untouched }]) => [name, { whole, range: untouched ? null : range }]),
      ),
    }),
    repaint,
    dispose,
  };
}
