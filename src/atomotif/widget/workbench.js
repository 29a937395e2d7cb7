// Links the figures of one Bokeh document, the gallery and the summary through one selection. It holds
// what both hosts, a page and a notebook, have in common; what they differ in (where BokehJS, the columns and
// the selection come from) is given to `mount`.
import * as link from "./link.js";
import * as panels from "./panels.js";

const TAP_RADIUS = 12; // px around the pointer in which a tap or a hover finds a point
const SELECTED_GROWTH = 2; // px by which a selected marker is wider than the others
const CROWD = 3000; // selected points beyond which they are drawn as one picture
const LARGEST_MARKER = 12; // px
const LAYERS = ["base", "veil", "selected", "crowd", "hover"];

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

function* viewsUnder(view) {
  yield view;
  for (const child of view.children()) yield* viewsUnder(child);
}

// One figure with points: draws base, selection and pointed-at point, and reports gestures.
class PointView {
  constructor({ figure, doc, ndarray, x, y, colors, home, veilColor, onGesture, onClear, onHover }) {
    Object.assign(this, { figure, x, y, colors, home, veilColor, ndarray, rows: new Uint32Array(0) });
    this.flipped = figure.y_range.start > figure.y_range.end;
    this.layers = Object.fromEntries(
      LAYERS.map((layer) => [layer, doc.get_model_by_name(`${figure.name}-${layer}`)]),
    );
    this.width = 0;
    this.fit(500, 450);
    this.layers.base.data_source.data = { x, y, color: colors };
    figure.on_event("selectiongeometry", (event) => {
      if (event.final) onGesture(link.rowsHit(event.geometry, x, y));
    });
    figure.on_event("tap", (event) => onGesture(link.rowsHit({ type: "point", ...this.reach(event) }, x, y)));
    figure.on_event("doubletap", onClear);
    figure.on_event("mousemove", (event) => onHover(link.nearestRow(x, y, this.reach(event))));
    figure.on_event("mouseleave", () => onHover(-1));
    figure.on_event("reset", () => this.fit(figure.inner_width, figure.inner_height));
    let due = 0;
    const zoomed = () => {
      due ||= requestAnimationFrame(() => {
        due = 0;
        this.zoomed();
      });
    };
    for (const range of [figure.x_range, figure.y_range]) range.change.connect(zoomed);
    for (const side of ["inner_width", "inner_height"]) {
      figure.properties[side].change.connect(() => this.resize());
    }
  }

  get range() {
    const { x_range, y_range } = this.figure;
    return { x0: x_range.start, x1: x_range.end, y0: Math.min(y_range.start, y_range.end), y1: Math.max(y_range.start, y_range.end) };
  }

  set range({ x0, x1, y0, y1 }) {
    const { x_range, y_range } = this.figure;
    x_range.setv({ start: x0, end: x1 });
    y_range.setv(this.flipped ? { start: y1, end: y0 } : { start: y0, end: y1 });
  }

  reach({ x, y }) {
    const { x0, x1, y0, y1 } = this.range;
    const { inner_width, inner_height } = this.figure;
    return { x, y, rx: (TAP_RADIUS * (x1 - x0)) / inner_width, ry: (TAP_RADIUS * (y1 - y0)) / inner_height };
  }

  // Shows all, at the same scale in x and y.
  fit(width, height) {
    Object.assign(this, { width, height });
    this.range = link.squareRange(this.home, width, height);
    this.fitted = this.range;
    this.zoomed();
  }

  // Markers grow with the zoom, but more slowly than what they mark, so that it comes to be seen.
  zoomed() {
    const all = link.squareRange(this.home, this.width, this.height);
    const zoom = (all.x1 - all.x0) / (this.range.x1 - this.range.x0);
    const least = link.markerSize(this.x.length, this.width, this.height);
    const size = Math.round(4 * Math.min(LARGEST_MARKER, least * Math.sqrt(Math.max(zoom, 1)))) / 4;
    if (size !== this.size) {
      this.size = size;
      for (const [layer, grown] of [["base", 0], ["selected", SELECTED_GROWTH]]) {
        this.layers[layer].glyph.size = { value: size + grown };
      }
    }
    if (this.rows.length > CROWD) this.showCrowd();
  }

  // A new size of the frame keeps the scale and the centre of what was zoomed to.
  resize() {
    const { inner_width: width, inner_height: height } = this.figure;
    if (!(width > 0 && height > 0) || (width === this.width && height === this.height)) return;
    const now = this.range;
    const untouched = Object.keys(now).every((edge) => now[edge] === this.fitted[edge]);
    if (untouched) {
      this.fit(width, height);
      return;
    }
    const half = (low, high, ratio) => ((high - low) * ratio) / 2;
    const [cx, cy] = [(now.x0 + now.x1) / 2, (now.y0 + now.y1) / 2];
    const [hx, hy] = [half(now.x0, now.x1, width / this.width), half(now.y0, now.y1, height / this.height)];
    Object.assign(this, { width, height });
    this.range = { x0: cx - hx, x1: cx + hx, y0: cy - hy, y1: cy + hy };
  }

  // Bokeh clips what is on the main canvas to the frame, but not what is on the overlay canvas.
  clip(plotView) {
    const { veil, selected, crowd, hover } = this.layers;
    for (const view of viewsUnder(plotView)) {
      if ([veil, selected, crowd, hover].includes(view.model)) Object.defineProperty(view, "needs_clip", { value: true });
    }
  }

  show(rows) {
    const { x, y, colors, home } = this;
    // Over a page the veil reaches far beyond what is shown, so that panning finds no edge.
    const reach = this.veilColor === undefined ? 50 * Math.max(home.x1 - home.x0, home.y1 - home.y0) : 0;
    const veil = rows.length
      ? { left: [home.x0 - reach], right: [home.x1 + reach], top: [home.y1 + reach], bottom: [home.y0 - reach] }
      : { left: [], right: [], top: [], bottom: [] };
    this.layers.veil.data_source.data = veil;
    const single = rows.length > CROWD ? [] : rows;
    this.layers.selected.data_source.data = {
      x: link.take(x, single), y: link.take(y, single), color: link.take(colors, single),
    };
    const wasCrowd = this.rows.length > CROWD;
    this.rows = rows;
    if (rows.length > CROWD) this.showCrowd();
    else if (wasCrowd) this.layers.crowd.data_source.data = { number: [], image: [], x: [], y: [], dw: [], dh: [] };
  }

  showCrowd() {
    const { x, y, colors, rows, range } = this;
    const density = window.devicePixelRatio;
    const [width, height] = [Math.round(this.width * density), Math.round(this.height * density)];
    const diameter = Math.max(1, Math.round(this.size * density));
    const picture = link.stampPoints({ x, y, colors, rows, range, width, height, diameter });
    const image = this.ndarray(picture.buffer, { dtype: "uint32", shape: [height, width] });
    const { x0, x1, y0, y1 } = range;
    // The number, first, spares Bokeh a comparison of the old picture with the new one, pixel by pixel.
    const number = [(this.pictures = (this.pictures ?? 0) + 1)];
    this.layers.crowd.data_source.data = { number, image: [image], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
  }

  point(row) {
    this.layers.hover.data_source.data = row < 0 ? { x: [], y: [] } : { x: [this.x[row]], y: [this.y[row]] };
  }

  paint(theme) {
    const { figure, layers } = this;
    figure.setv({ background_fill_color: theme.surface, outline_line_color: theme.line });
    for (const axis of [...figure.below, ...figure.left]) {
      if (!("axis_label" in axis)) continue;
      axis.setv({
        axis_label_text_color: theme.text, major_label_text_color: theme.text,
        axis_line_color: theme.line, major_tick_line_color: theme.line,
      });
    }
    const onPage = this.veilColor === undefined;
    layers.veil.glyph.setv({
      fill_color: { value: onPage ? theme.surface : this.veilColor }, fill_alpha: { value: onPage ? 0.7 : 0.5 },
    });
    layers.selected.glyph.line_color = { value: onPage ? theme.text : "#ffffff" };
    layers.hover.glyph.line_color = { value: onPage ? theme.text : "#ffffff" };
  }
}

// The colours of the page as its style sheet sets them, for what is drawn on canvas.
function themeOf(host) {
  const style = getComputedStyle(host);
  const read = (name) => style.getPropertyValue(`--am-${name}`).trim();
  return { text: read("text"), line: read("line"), surface: read("surface") };
}

function fillImage(doc, ndarray, columns, shapes, extent) {
  const source = doc.get_model_by_name("micrograph-image")?.data_source;
  if (!source) return;
  const { buffer, byteOffset, byteLength } = columns.image;
  const image = ndarray(buffer.slice(byteOffset, byteOffset + byteLength), { dtype: "uint8", shape: shapes.image });
  const { x0, x1, y0, y1 } = extent;
  source.data = { image: [image], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
}

// Shows a workbench in `host`. `packed` are the columns as {dtype, shape, data}, `facts` what Python's
// `Workbench.facts` says, `figures` its Bokeh documents, `views` the names of those that are wanted, `selection`
// as `localSelection` makes it. Resolves to {selection, columns, figures, state, repaint, dispose}.
export async function mount({ Bokeh, host, figures, packed, facts: all, selection, views: wanted = all.views }) {
  const facts = { ...all, views: wanted.filter((name) => all.views.includes(name)) };
  const columns = Object.fromEntries(Object.entries(packed).map(([name, column]) => [name, link.unpack(column)]));
  const shapes = Object.fromEntries(Object.entries(packed).map(([name, column]) => [name, column.shape]));
  const { ndarray } = Bokeh.require("core/util/ndarray");
  const { Document } = Bokeh.require("document/document");
  // A document can be embedded once: each view has its own.
  const docs = facts.views.filter((name) => name in figures).map((name) => Document.from_json(figures[name]));
  const lifetime = new AbortController();
  const { signal } = lifetime;
  const held = heldKeys(signal);
  const stale = new Set(facts.stale);
  const fade = stale.has("motifs") ? link.faded : (color) => color;
  const colors = link.pointColors(columns.label, facts.motifs.map(({ color }) => fade(color)), facts.neutral);
  let buttonMode = "replace";
  const gesture = (rows, keys = held) => {
    selection.set(link.combine(selection.get(), rows, link.modeOf(keys, buttonMode)));
  };
  const clear = () => selection.set(new Uint32Array(0));

  host.classList.add("atomotif");
  const bar = panels.selectionBar({
    facts, labels: columns.label, onClear: clear,
    onMode: (mode) => (buttonMode = mode),
    onInvert: () => selection.set(link.invert(selection.get(), columns.id.length)),
  });
  const card = panels.hoverCard({ facts, columns, shapes });
  const views = panels.element("div", "am-views");
  views.dataset.views = facts.views.join(" ");
  host.append(bar.box, views, card.card);

  const pointViews = [];
  let pointer = { clientX: 0, clientY: 0 };
  host.addEventListener("pointermove", (event) => (pointer = event), { capture: true, signal });
  let hovered = -1;
  const hover = (row) => {
    if (row < 0 || pointer.buttons) card.hide();
    else card.show(row, pointer);
    if (row === hovered) return;
    hovered = row;
    for (const view of pointViews) view.point(row);
  };

  const dependsOn = { micrograph: ["image", "points"], layout: ["layout"], gallery: ["motifs"] };
  const made = Object.fromEntries(
    facts.views.map((name) => [name, panels.panel(name, dependsOn[name].some((group) => stale.has(group)))]),
  );
  views.append(...Object.values(made).map(({ box }) => box));

  const places = {
    micrograph: () => ({ x: columns.x, y: columns.y, veilColor: "#000000", home: facts.extent ?? link.extentOf(columns.x, columns.y) }),
    layout: () => ({ x: columns.u, y: columns.v, home: link.extentOf(columns.u, columns.v) }),
  };
  for (const doc of docs) {
    const [figure] = doc.roots();
    pointViews.push(new PointView({
      figure, doc, ndarray, colors, ...places[figure.name](), onGesture: gesture, onClear: clear, onHover: hover,
    }));
  }
  if (facts.extent && made.micrograph) {
    fillImage(docs.find((doc) => doc.roots()[0].name === "micrograph"), ndarray, columns, shapes, facts.extent);
    const { base } = pointViews.find(({ figure }) => figure.name === "micrograph").layers;
    made.micrograph.head.append(panels.toggle("Columns", true, (visible) => (base.visible = visible)));
  }
  const shown = [bar, ...pointViews];
  if (made.gallery) {
    const gallery = panels.gallery({
      facts, labels: columns.label, averages: columns.averages, averagesShape: shapes.averages,
      onTap: (motif, event) => gesture(link.rowsOfMotifs(columns.label, [motif]), {
        shift: event.shiftKey, ctrl: event.ctrlKey, meta: event.metaKey, alt: event.altKey,
      }),
    });
    made.gallery.body.append(gallery.box);
    shown.push(gallery);
  }

  const show = (rows) => shown.forEach((view) => view.show(rows));
  const repaint = () => {
    const theme = themeOf(host);
    for (const view of pointViews) view.paint(theme);
  };
  repaint();
  const unsubscribe = selection.subscribe(show);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint, { signal });
  // A card would lie over what is being drawn, or would tell of a column that has moved on.
  for (const type of ["pointerleave", "pointerdown", "wheel"]) {
    host.addEventListener(type, () => hover(-1), { capture: true, passive: true, signal });
  }
  window.addEventListener("keydown", (event) => {
    const focus = document.activeElement;
    if (event.key === "Escape" && (focus === document.body || host.contains(focus) || host.matches(":hover"))) clear();
  }, { signal });

  for (const [k, doc] of docs.entries()) {
    const slot = made[doc.roots()[0].name].body;
    const drawn = await Bokeh.require("embed/standalone").add_document_standalone(doc, host, [slot]);
    pointViews[k].clip(drawn.get(pointViews[k].figure));
  }
  show(selection.get());
  host.dataset.ready = "true"; // tells whoever drives the page that gestures are heard
  return {
    selection,
    columns,
    figures: Object.fromEntries(pointViews.map(({ figure }) => [figure.name, figure])),
    repaint,
    state: () => ({}),
    dispose() {
      unsubscribe();
      lifetime.abort();
      for (const doc of docs) doc.clear();
      delete host.dataset.ready;
      host.replaceChildren();
    },
  };
}
