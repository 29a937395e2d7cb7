// The figure with the motif-cells: places and draws them, lights those that contain selected points.
import { FigureView } from "./figure_view.js";
import * as link from "./link.js";
import * as links from "./link_tree.js";

const DRAWN = ["edges", "rims", "bodies", "tiles", "discs", "counts"];
const LIT = DRAWN.map((name) => `lit-${name}`);
const LAYERS = [...DRAWN, "folded", "veil", ...LIT, "lit-cards", "hover"];
const { whole } = links;
const some = (n, one) => `${whole(n)} ${one}${n === 1 ? "" : "s"}`;

export class TreeView extends FigureView {
  // `on` holds hover(node, lines) and note(text), too.
  constructor({ figure, doc, columns, facts, fade, restricted, on }) {
    super({ figure, doc, layers: LAYERS, on });
    Object.assign(this, { columns, facts, on, rows: new Uint32Array(0), hovered: -1 });
    this.motifColors = facts.motifs.map(({ color }) => fade(color));
    this.only = restricted;
    for (const prefix of ["", "lit-"]) {
      this.layers[`${prefix}rims`].glyph.radius = { value: facts.tree.body };
      this.layers[`${prefix}bodies`].glyph.radius = { value: facts.tree.body };
      this.layers[`${prefix}discs`].glyph.radius = { value: facts.tree.disc };
    }
    this.fit(500, 450);
  }

  // Whether only motif-cells made of selected motifs are shown.
  set restricted(value) {
    this.only = value;
    this.refresh();
  }

  get whole() {
    return this.placed.node;
  }

  // ---- what is drawn

  arrange() {
    const { columns, facts, rows, width, height } = this;
    const keep = this.only && rows.length ? links.nodesMadeOf(rows, columns.label, columns) : undefined;
    this.placed = links.fitTree(columns, { keep, step: facts.tree.step, width, height });
    const { extent, scale } = this.placed;
    const [x, y] = [(extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2];
    const [halfWidth, halfHeight] = [(scale * width) / 2, (scale * height) / 2];
    this.home = { x0: x - halfWidth, x1: x + halfWidth, y0: y - halfHeight, y1: y + halfHeight };
    this.index = new Map(this.placed.node.map((node, k) => [node, k]));
    this.draw("", this.placed.node, (node) => `×${whole(columns.nodeCount[node])}`);
    this.name();
    this.light();
  }

  // Names the rows, and says what is folded and what a ring is.
  name() {
    const { placed, facts, columns, figure } = this;
    const [axis] = figure.left;
    axis.ticker.ticks = placed.rows.map(({ y }) => y);
    axis.major_label_overrides = new Map(placed.rows.map(({ y, level }) => [y, some(level, facts.tree.unit)]));
    const folded = placed.rows.filter((row) => row.folded);
    this.layers.folded.data_source.data = {
      x: folded.map(({ right }) => right + 0.5 * facts.tree.step),
      y: folded.map(({ y }) => y),
      text: folded.map((row) => `+${whole(row.folded)} rare`),
    };
    const all = columns.nodeLevel.length;
    const shown = placed.node.length;
    const parts = [`${shown < all ? `${whole(shown)} of ` : ""}${some(all, "motif-cell")}`];
    if (this.only && this.rows.length) parts[0] += " made of the selected motifs alone";
    if (placed.folded) parts.push(`+${some(placed.folded, "rare one")} not shown`);
    if (columns.discMissing.includes(1)) parts.push("○ missing column");
    const motifs = [...new Set(columns.discLabel)].sort((a, b) => a - b).flatMap((label) => facts.motifs[label] ?? []);
    this.on.note(parts.join("; "), motifs);
  }

  // Fills the layers of these nodes, which are placed; `text` says what stands beside one.
  draw(prefix, nodes, text) {
    const { columns, placed, layers } = this;
    const at = nodes.map((node) => this.index.get(node));
    const runs = (offset) => nodes.flatMap((node, k) => range(offset[node], offset[node + 1]).map((row) => [row, at[k]]));
    const moved = (values, along, pairs) => Float64Array.from(pairs, ([row, k]) => values[row] + placed[along][k]);
    const fill = (name, data) => (layers[`${prefix}${name}`].data_source.data = data);
    const bodies = runs(columns.bodyOffset);
    // Rims and bodies share a source.
    fill("bodies", { x: moved(columns.bodyX, "x", bodies), y: moved(columns.bodyY, "y", bodies) });
    const tiles = runs(columns.tileOffset);
    const corners = (values, along) =>
      tiles.map(([row, k]) => Array.from(values.subarray(4 * row, 4 * row + 4), (value) => value + placed[along][k]));
    fill("tiles", { xs: corners(columns.tileX, "x"), ys: corners(columns.tileY, "y") });
    const discs = runs(columns.discOffset);
    const color = (row) => this.motifColors[columns.discLabel[row]] ?? this.facts.neutral;
    fill("discs", {
      x: moved(columns.discX, "x", discs),
      y: moved(columns.discY, "y", discs),
      fill: Uint32Array.from(discs, ([row]) => link.packColor(color(row), columns.discMissing[row] ? 0 : 255)),
      line: Uint32Array.from(discs, ([row]) => link.packColor(color(row))),
    });
    fill("counts", {
      x: nodes.map((node, n) => placed.x[at[n]] + columns.nodeWidth[node] / 2),
      y: at.map((k) => placed.y[k]),
      text: nodes.map(text),
    });
    const shown = new Set(nodes);
    const ends = { x: [], y: [] };
    for (let k = 0; k < columns.edgeLower.length; k++) {
      const [lower, higher] = [columns.edgeLower[k], columns.edgeHigher[k]];
      if (!this.index.has(lower) || !this.index.has(higher) || !(shown.has(lower) || shown.has(higher))) continue;
      const [from, to] = [this.index.get(lower), this.index.get(higher)];
      ends.x.push(placed.x[from], placed.x[to], NaN);
      ends.y.push(placed.y[from] + columns.nodeHeight[lower] / 2, placed.y[to] - columns.nodeHeight[higher] / 2, NaN);
    }
    fill("edges", ends);
  }

  // The place of each node of `nodes` with its count, as cards.
  cards(nodes) {
    const { columns, placed, facts } = this;
    const margin = 0.3 * facts.tree.step;
    const at = nodes.map((node) => this.index.get(node));
    return {
      x: nodes.map((node, n) => placed.x[at[n]] + (placed.room[at[n]] - columns.nodeWidth[node]) / 2),
      y: at.map((k) => placed.y[k]),
      width: at.map((k) => placed.room[k] + margin),
      height: nodes.map((node) => columns.nodeHeight[node] + margin),
    };
  }

  // ---- selection

  show(rows) {
    this.rows = rows;
    if (this.only) this.refresh();
    else this.light();
  }

  // Places all anew; where a part was zoomed to, that stays in sight unless other motif-cells are shown now.
  refresh() {
    const { untouched, placed } = this;
    this.arrange();
    if (untouched || String(placed.node) !== String(this.placed.node)) this.showAll();
  }

  light() {
    const { columns, rows } = this;
    this.veil(rows, this.beyond);
    const { touched } = links.occurrencesTouched(rows, columns.id.length, columns);
    this.touched = touched;
    const lit = this.placed.node.filter((node) => touched[node]);
    this.draw("lit-", lit, (node) => `${whole(touched[node])} / ${whole(columns.nodeCount[node])}`);
    this.layers["lit-cards"].data_source.data = this.cards(lit);
  }

  // ---- gestures

  nodesHit(geometry) {
    return Array.from(links.cardsHit(geometry, this.cards(this.placed.node)), (k) => this.placed.node[k]);
  }

  rowsHit(geometry) {
    return links.rowsOfNodes(this.nodesHit(geometry), this.columns);
  }

  hover({ x, y }) {
    const [node = -1] = this.nodesHit({ type: "point", x, y });
    const { columns, facts, touched } = this;
    if (node !== this.hovered) this.layers.hover.data_source.data = this.cards(node < 0 ? [] : [node]);
    this.hovered = node;
    const lines = () => [
      ["motif-cell", links.compositionOf(node, columns, facts.motifs.map(({ name }) => name))],
      ["level", some(columns.nodeLevel[node], facts.tree.unit)],
      ["occurs", `${some(columns.nodeCount[node], "time")}`],
      ...(this.rows.length ? [["selected", `${whole(touched[node])} of ${whole(columns.nodeCount[node])}`]] : []),
    ];
    this.on.hover(node, node < 0 ? [] : lines());
  }

  leave() {
    this.hover({ x: NaN, y: NaN });
  }

  paint(theme) {
    super.paint(theme);
    const { layers } = this;
    const [axis] = this.figure.left;
    axis.setv({ major_label_text_color: theme.muted, axis_line_color: null, major_tick_line_color: null });
    const style = (name, given) =>
      layers[name].glyph.setv(Object.fromEntries(Object.entries(given).map(([key, value]) => [key, { value }])));
    style("veil", { fill_color: theme.surface, fill_alpha: 0.75 });
    style("folded", { text_color: theme.muted });
    style("lit-cards", { fill_color: theme.surface, line_color: theme.accent, line_width: 1.5 });
    style("hover", { fill_alpha: 0, line_color: theme.accent, line_width: 2.5 });
    for (const [prefix, strong] of [["", false], ["lit-", true]]) {
      style(`${prefix}edges`, { line_color: strong ? theme.accent : theme.line, line_width: strong ? 1.5 : 1, line_alpha: strong ? 0.8 : 1 });
      style(`${prefix}rims`, { fill_color: theme.line, line_color: theme.line, line_width: 2 });
      style(`${prefix}bodies`, { fill_color: theme.raised, line_alpha: 0 });
      style(`${prefix}tiles`, { fill_color: theme.raised, line_color: theme.line });
      style(`${prefix}counts`, { text_color: strong ? theme.text : theme.muted });
    }
    layers["lit-counts"].glyph.text_font_style = { value: "bold" };
  }
}

function range(start, end) {
  return Array.from({ length: end - start }, (_, k) => start + k);
}
