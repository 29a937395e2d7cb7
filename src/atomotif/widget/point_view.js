// One figure with points: draws them all, those that are selected and the one pointed at, and reports gestures.
import * as link from "./link.js";

const TAP_RADIUS = 12; // px around the pointer in which a tap or a hover finds a point
const SELECTED_GROWTH = 2; // px by which a selected marker is wider than the others
const CROWD = 3000; // selected points beyond which they are drawn as one picture
const MANY = 20000; // points beyond which all of them are one picture, unless few are in sight
const FEW = 4000;
const ALPHA = 217; // of a marker, as in views/points.py
const LARGEST_MARKER = 12; // px
const MOST_ZOOM = 200; // of all that there is, into a side of the frame
const LEAST_ZOOM = 1.5;
const LAYERS = ["base", "dots", "veil", "selected", "crowd", "hover"];
const NO_PICTURE = { number: [], image: [], x: [], y: [], dw: [], dh: [] };

function* viewsUnder(view) {
  yield view;
  for (const child of view.children()) yield* viewsUnder(child);
}

export class PointView {
  // `on` holds what is called: gesture(rows), clear(), hover(row), moved().
  constructor({ figure, doc, ndarray, x, y, colors, home, veilColor, on }) {
    Object.assign(this, { figure, x, y, colors, home, veilColor, ndarray, rows: new Uint32Array(0), pictures: 0 });
    this.fainter = x.length > MANY ? link.withAlpha(colors, ALPHA) : undefined;
    this.flipped = figure.y_range.start > figure.y_range.end;
    this.layers = Object.fromEntries(
      LAYERS.map((layer) => [layer, doc.get_model_by_name(`${figure.name}-${layer}`)]),
    );
    this.width = 0;
    this.fit(500, 450);
    if (!this.fainter) this.layers.base.data_source.data = { x, y, color: colors };
    figure.on_event("selectiongeometry", (event) => {
      if (event.final) on.gesture(link.rowsHit(event.geometry, x, y));
    });
    figure.on_event("tap", (event) => on.gesture(link.rowsHit({ type: "point", ...this.reach(event) }, x, y)));
    figure.on_event("doubletap", on.clear);
    figure.on_event("mousemove", (event) => on.hover(link.nearestRow(x, y, this.reach(event))));
    figure.on_event("mouseleave", () => on.hover(-1));
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

  // Shows all, at the same scale in x and y.
  fit(width, height) {
    Object.assign(this, { width, height });
    const all = link.squareRange(this.home, width, height);
    const { x_range, y_range } = this.figure;
    for (const [range, length] of [[x_range, all.x1 - all.x0], [y_range, all.y1 - all.y0]]) {
      range.setv({ min_interval: length / MOST_ZOOM, max_interval: length * LEAST_ZOOM });
    }
    this.range = all;
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
    if (this.fainter) this.showBase();
    if (this.rows.length > CROWD) this.showCrowd();
  }

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
    else if (wasCrowd) this.layers.crowd.data_source.data = NO_PICTURE;
  }

  // Many points are a picture of the range that is shown, drawn anew with it; few in sight are glyphs.
  showBase() {
    const { x, y, colors, fainter, layers } = this;
    const { x0, x1, y0, y1 } = this.range;
    const [padX, padY] = [0.05 * (x1 - x0), 0.05 * (y1 - y0)];
    const rows = link.rowsInRect(x, y, { x0: x0 - padX, x1: x1 + padX, y0: y0 - padY, y1: y1 + padY });
    const single = rows.length > FEW ? [] : rows;
    if (single.length || layers.base.data_source.data.x.length) {
      layers.base.data_source.data = {
        x: link.take(x, single), y: link.take(y, single), color: link.take(colors, single),
      };
    }
    if (!single.length) layers.dots.data_source.data = this.pictureOf(rows, fainter);
    else if (layers.dots.data_source.data.number.length) layers.dots.data_source.data = NO_PICTURE;
  }

  showCrowd() {
    this.layers.crowd.data_source.data = this.pictureOf(this.rows, this.colors);
  }

  pictureOf(rows, colors) {
    const { x, y, range } = this;
    const density = window.devicePixelRatio;
    const [width, height] = [Math.round(this.width * density), Math.round(this.height * density)];
    const diameter = Math.max(1, Math.round(this.size * density));
    const picture = link.stampPoints({ x, y, colors, rows, range, width, height, diameter });
    const image = this.ndarray(picture.buffer, { dtype: "uint32", shape: [height, width] });
    const { x0, x1, y0, y1 } = range;
    // The number, first, spares Bokeh a comparison of the old picture with the new one, pixel by pixel.
    return { number: [++this.pictures], image: [image], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
  }

  set pointsVisible(visible) {
    this.layers.base.visible = visible;
    this.layers.dots.visible = visible;
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
