// A figure that is linked: its range, its gestures, what is drawn of it on the overlay canvas.
import * as link from "./link.js";

const TAP_RADIUS = 12; // px around the pointer in which a tap or a hover finds a point
const MOST_ZOOM = 200; // of all that there is, into a side of the frame
const LEAST_ZOOM = 1.5;

function* viewsUnder(view) {
  yield view;
  for (const child of view.children()) yield* viewsUnder(child);
}

export class FigureView {
  // `on` holds what is called: gesture(rows), clear(), moved(). A view has `rowsHit(geometry)`, `hover(event)`
  // and `leave()`, `show(rows)`, `paint(theme)`.
  constructor({ figure, doc, layers, home, on }) {
    Object.assign(this, { figure, home, width: 0 });
    this.layers = Object.fromEntries(
      layers.map((layer) => [layer, doc.get_model_by_name(`${figure.name}-${layer}`)]),
    );
    this.flipped = figure.y_range.start > figure.y_range.end;
    figure.on_event("selectiongeometry", (event) => {
      if (event.final) on.gesture(this.rowsHit(event.geometry));
    });
    figure.on_event("tap", (event) => on.gesture(this.rowsHit({ type: "point", ...this.reach(event) })));
    figure.on_event("doubletap", on.clear);
    figure.on_event("mousemove", (event) => this.hover(event));
    figure.on_event("mouseleave", () => this.leave());
    figure.on_event("reset", () => this.fit(figure.inner_width, figure.inner_height));
    let due = 0;
    const zoomed = () => {
      due ||= requestAnimationFrame(() => {
        due = 0;
        on.moved();
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

  // Shows all, in a frame of this size.
  fit(width, height) {
    Object.assign(this, { width, height });
    this.arrange();
    this.showAll();
  }

  // At the same scale in x and y.
  showAll() {
    this.range = this.limit();
    this.fitted = this.range;
    this.zoomed();
  }

  // Sets how far one can zoom, and returns the range that shows all.
  limit() {
    const all = link.squareRange(this.home, this.width, this.height);
    const { x_range, y_range } = this.figure;
    for (const [range, length] of [[x_range, all.x1 - all.x0], [y_range, all.y1 - all.y0]]) {
      range.setv({ min_interval: length / MOST_ZOOM, max_interval: length * LEAST_ZOOM });
    }
    return all;
  }

  // What is placed anew where there is more or less room, or drawn anew at another zoom.
  arrange() {}
  zoomed() {}

  // What a range is a part of: one that was zoomed to is kept for the same.
  get whole() {
    return this.home;
  }

  // Points at a column.
  point(_row) {}

  // Whether all is in sight, as at first.
  get untouched() {
    const now = this.range;
    return Object.keys(now).every((edge) => now[edge] === this.fitted[edge]);
  }

  // A new size of the frame keeps the scale and the centre of what was zoomed to.
  resize() {
    const { inner_width: width, inner_height: height } = this.figure;
    if (!(width > 0 && height > 0) || (width === this.width && height === this.height)) return;
    const now = this.range;
    if (this.untouched) {
      this.fit(width, height);
      return;
    }
    const half = (low, high, ratio) => ((high - low) * ratio) / 2;
    const [cx, cy] = [(now.x0 + now.x1) / 2, (now.y0 + now.y1) / 2];
    const [hx, hy] = [half(now.x0, now.x1, width / this.width), half(now.y0, now.y1, height / this.height)];
    Object.assign(this, { width, height });
    this.arrange();
    this.limit();
    this.range = { x0: cx - hx, x1: cx + hx, y0: cy - hy, y1: cy + hy };
  }

  // Bokeh clips what is on the main canvas to the frame, but not what is on the overlay canvas.
  clip(plotView) {
    for (const view of viewsUnder(plotView)) {
      const { type, level } = view.model;
      if (type === "GlyphRenderer" && level === "overlay") Object.defineProperty(view, "needs_clip", { value: true });
    }
  }

  // Dims all that is on the main canvas, if anything is selected: nothing there need be drawn anew.
  veil(rows, reach = 0) {
    const { x0, x1, y0, y1 } = this.home;
    this.layers.veil.data_source.data = rows.length
      ? { left: [x0 - reach], right: [x1 + reach], top: [y1 + reach], bottom: [y0 - reach] }
      : { left: [], right: [], top: [], bottom: [] };
  }

  // The range reaches far beyond what is shown, so that panning finds no edge.
  get beyond() {
    const { x0, x1, y0, y1 } = this.home;
    return 50 * Math.max(x1 - x0, y1 - y0);
  }

  paint(theme) {
    const { figure } = this;
    figure.setv({ background_fill_color: theme.surface, outline_line_color: theme.line });
    for (const axis of [...figure.below, ...figure.left]) {
      if (!("axis_label" in axis)) continue;
      axis.setv({
        axis_label_text_color: theme.text, major_label_text_color: theme.text,
        axis_line_color: theme.line, major_tick_line_color: theme.line,
      });
    }
  }
}
