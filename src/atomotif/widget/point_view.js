// One figure with points: draws them all, those that are selected and the one pointed at, and reports gestures.
import { FigureView } from "./figure_view.js";
import * as link from "./link.js";

const SELECTED_GROWTH = 2; // px by which a selected marker is wider than the others
const CROWD = 3000; // selected points beyond which they are drawn as one picture
const MANY = 20000; // points beyond which all of them are one picture, unless few are in sight
const FEW = 4000;
const ALPHA = 217; // of a marker, as in views/points.py
const LARGEST_MARKER = 12; // px
const LAYERS = ["base", "dots", "veil", "selected", "crowd", "hover"];
const NO_PICTURE = { number: [], image: [], x: [], y: [], dw: [], dh: [] };

export class PointView extends FigureView {
  // `on` holds hover(row), too.
  constructor({ figure, doc, ndarray, x, y, colors, home, veilColor, on }) {
    super({ figure, doc, layers: LAYERS, home, on });
    Object.assign(this, { x, y, colors, veilColor, ndarray, onHover: on.hover, rows: new Uint32Array(0), pictures: 0 });
    this.fainter = x.length > MANY ? link.withAlpha(colors, ALPHA) : undefined;
    this.fit(500, 450);
    if (!this.fainter) this.layers.base.data_source.data = { x, y, color: colors };
  }

  recolor(colors) {
    this.colors = colors;
    if (this.fainter) {
      this.fainter = link.withAlpha(colors, ALPHA);
      this.showBase();
    } else this.layers.base.data_source.data = { x: this.x, y: this.y, color: colors };
    this.show(this.rows);
  }

  rowsHit(geometry) {
    // Points that are hidden below a layer of regions are not what is tapped: a region is.
    const inside = geometry.type === "point" && !this.layers.base.visible ? this.rowsInside?.(geometry) : undefined;
    return inside ?? link.rowsHit(geometry, this.x, this.y);
  }

  hover(event) {
    this.onHover(link.nearestRow(this.x, this.y, this.reach(event)));
  }

  leave() {
    this.onHover(-1);
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

  show(rows) {
    const { x, y, colors } = this;
    this.veil(rows, this.veilColor === undefined ? this.beyond : 0);
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
    super.paint(theme);
    const { layers } = this;
    const onPage = this.veilColor === undefined;
    layers.veil.glyph.setv({
      fill_color: { value: onPage ? theme.surface : this.veilColor }, fill_alpha: { value: onPage ? 0.7 : 0.5 },
    });
    layers.selected.glyph.line_color = { value: onPage ? theme.text : "#ffffff" };
    layers.hover.glyph.line_color = { value: onPage ? theme.text : "#ffffff" };
  }
}
