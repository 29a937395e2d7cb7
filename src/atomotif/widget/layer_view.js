// A layer over the micrograph, one of several to be chosen: drawn below the columns as one picture of the range in
// sight, so that pan, zoom and selection cost what they cost without it, whatever it consists of.
import { faded, unpack } from "./link.js";
import * as links from "./link_layer.js";
import { element } from "./panels.js";

const NONE = "none";
const NO_PICTURE = { number: [], image: [], x: [], y: [], dw: [], dh: [] };
const SHEER = 0.55; // opacity where colours name things; a scale's are opaque, or they would not be those of its bar
const PITCH = 16; // px between arrows, at least
const LEAST_CELL = 14; // px below which a grid would be all that is seen
const BATCH = 400; // polygons drawn at once: a path of very many is slow to fill

// `view` is the micrograph's; `ask({name})` resolves to {facts, packed} of a layer, or to nothing; `onCover` is told
// when one appears or goes by choice. Returns `box` with chooser and key, and `moved`, to be called with the range.
export function layerView({ view, source, ndarray, columns, layers, ask, keep, onCover, onError }) {
  const chosen = { name: NONE, layer: undefined };
  const box = element("div", "am-layers");
  const key = element("div", "am-key");
  const select = element("select", "am-select");
  let pictures = 0;

  async function choose(name) {
    chosen.name = name;
    select.value = name;
    const answer = name === NONE ? undefined : await ask({ name });
    if (chosen.name !== name) return; // another one was chosen meanwhile
    chosen.layer = answer && prepared(answer, layers.find((one) => one.name === name));
    showKey();
    draw();
  }

  function chooser() {
    const label = element("label", "am-layer", "Layer:");
    for (const { name, title, stale } of [{ name: NONE, title: NONE }, ...layers]) {
      const option = element("option", "", stale ? `${title} (out of date)` : title);
      option.value = name;
      select.append(option);
    }
    select.addEventListener("change", () => {
      const covered = Boolean(chosen.layer);
      choose(select.value).then(() => {
        if (Boolean(chosen.layer) !== covered) onCover(!covered);
      }).catch(onError);
    });
    label.append(select);
    return label;
  }

  function prepared({ facts, packed }, { stale }) {
    const own = Object.fromEntries(Object.entries(packed).map(([name, column]) => [name, unpack(column)]));
    const fade = stale ? faded : (color) => color;
    const layer = { facts, stale, columns: { x: columns.x, y: columns.y, ...own }, fade, palette: facts.palette.map(fade) };
    if (facts.kind === "picture") {
      const [height, width] = packed.level.shape;
      const colors = links.pixelColors(layer.palette, 255);
      const [missing] = links.pixelColors([facts.missing], 255);
      layer.picture = canvasOf(links.paintLevels(own.level, colors, missing), width, height);
    }
    if (facts.kind === "cells") layer.size = links.polygonSize(own);
    return layer;
  }

  // ---- the key below the figure

  function showKey() {
    const { layer } = chosen;
    key.replaceChildren();
    if (chosen.name === NONE) return;
    if (!layer) {
      key.append(element("span", "am-key-note", "The kernel, which has this layer, does not answer."));
      return;
    }
    const { facts, fade, palette, stale } = layer;
    if (stale) key.append(element("span", "am-badge", "out of date"));
    if (facts.scale) key.append(...scaleOf(facts.scale, palette));
    for (const { color, text } of facts.swatches ?? []) {
      const entry = element("span", "am-key-entry");
      const mark = element("span", color ? "am-key-mark" : "am-key-mark am-key-hollow");
      if (color) mark.style.background = fade(color);
      entry.append(mark, element("span", "am-name", text));
      key.append(entry);
    }
    if (facts.more) key.append(element("span", "am-key-note", facts.more));
    layer.note = element("span", "am-key-note", facts.note ?? "");
    key.append(layer.note);
  }

  function scaleOf({ title, ticks }, palette) {
    const stops = palette.filter((_, k) => k % 8 === 0 || k === palette.length - 1);
    const bar = element("span", "am-scale");
    bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    const labels = ticks.map(({ text }) => element("span", "am-number", text));
    const box = element("span", "am-scale-box");
    box.append(labels[0], bar, labels[2]);
    bar.append(element("span", "am-scale-middle"));
    bar.title = `middle: ${ticks[1].text}`;
    return [element("span", "am-key-title", title), box];
  }

  // ---- what is drawn

  function draw() {
    const { layer } = chosen;
    if (!layer) {
      if (source.data.number.length) source.data = NO_PICTURE;
      return;
    }
    const density = window.devicePixelRatio;
    const [width, height] = [Math.round(view.width * density), Math.round(view.height * density)];
    if (!(width > 0 && height > 0)) return;
    const range = view.range;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    const scale = width / (range.x1 - range.x0); // px of the canvas for one unit of the data
    const { x0: left, x1: right, y0: top, y1: bottom } = view.home;
    context.beginPath();
    context.rect((left - range.x0) * scale, (top - range.y0) * scale, (right - left) * scale, (bottom - top) * scale);
    context.clip();
    const frame = { context, width, height, range, scale, density };
    const picture = { tiles: drawTiles, cells: drawCells, arrows: drawArrows, picture: drawPicture }[layer.facts.kind];
    picture(layer, frame);
    const { data } = context.getImageData(0, 0, width, height);
    const image = ndarray(data.buffer, { dtype: "uint32", shape: [height, width] });
    const { x0, x1, y0, y1 } = range;
    source.data = { number: [++pictures], image: [image], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
  }

  function drawPicture({ picture, facts }, { context, range, scale }) {
    const { x0, x1, y0, y1 } = facts.extent;
    context.imageSmoothingEnabled = (scale * (x1 - x0)) / picture.width < 1.5;
    context.imageSmoothingQuality = "high";
    context.drawImage(
      picture, (x0 - range.x0) * scale, (y0 - range.y0) * scale, (x1 - x0) * scale, (y1 - y0) * scale,
    );
  }

  // Tiles of half the resolution, if that is higher than a screen's usual one: they are large.
  function drawTiles({ facts, columns: { x, y, level, region }, palette }, { context, width, height, range, density }) {
    const coarser = Math.max(1, Math.round(density));
    const [w, h] = [Math.ceil(width / coarser), Math.ceil(height / coarser)];
    const nearest = links.nearestRows({ x, y, range, width: w, height: h, reach: facts.reach });
    const colors = links.pixelColors(palette, facts.scale ? 255 : Math.round(255 * SHEER));
    const [edge] = links.pixelColors(["#ffffff"], 255);
    const pixels = links.paintTiles({ nearest, width: w, level, colors, region, edge });
    context.imageSmoothingEnabled = false;
    context.drawImage(canvasOf(pixels, w, h), 0, 0, width, height);
  }

  function drawCells({ facts, columns: own, palette, size }, { context, range, scale, density }) {
    const { cornerX, cornerY, cornerOffset, level } = own;
    const all = links.polygonsInRange(own, range);
    const trace = (k) => {
      for (let c = cornerOffset[k]; c < cornerOffset[k + 1]; c++) {
        const [x, y] = [(cornerX[c] - range.x0) * scale, (cornerY[c] - range.y0) * scale];
        if (c === cornerOffset[k]) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
      context.closePath();
    };
    const batches = (cells, draw) => {
      for (let start = 0; start < cells.length; start += BATCH) {
        context.beginPath();
        cells.slice(start, start + BATCH).forEach(trace);
        draw();
      }
    };
    const large = size * scale >= LEAST_CELL * density;
    const of = new Map();
    for (const k of all) {
      if (level[k] === links.NO_LEVEL) continue;
      if (!of.has(level[k])) of.set(level[k], []);
      of.get(level[k]).push(k);
    }
    context.globalAlpha = facts.scale ? 1 : SHEER;
    for (const [one, cells] of of) {
      context.fillStyle = palette[one];
      batches(cells, () => context.fill());
    }
    context.globalAlpha = 1;
    if (!large) return;
    context.lineJoin = "round";
    for (const [color, width] of facts.scale ? [["rgb(0 0 0 / 45%)", 1]] : [["rgb(0 0 0 / 45%)", 2], ["rgb(255 255 255 / 50%)", 0.8]]) {
      context.strokeStyle = color;
      context.lineWidth = width * density;
      batches(all, () => context.stroke());
    }
  }

  function drawArrows(layer, { context, range, scale, density }) {
    const { facts, columns: own, palette, note } = layer;
    const { x, y, dx, dy, level } = own;
    const spacing = facts.spacing * scale; // px
    const least = PITCH * density;
    // Twice as far apart, again and again, until arrows have room.
    const pitch = spacing >= least ? 0 : spacing * 2 ** Math.ceil(Math.log2(least / spacing));
    const margin = 2 * facts.spacing;
    const wide = { x0: range.x0 - margin, x1: range.x1 + margin, y0: range.y0 - margin, y1: range.y1 + margin };
    const { rows, of } = links.thinned({ x, y, range: wide, pitch: (pitch || 1e-3 * spacing) / scale });
    const room = (facts.magnified ? 0.95 : 0.62) * Math.max(pitch, spacing);
    const factor = facts.magnified ? links.roundDown(room / (facts.longest * scale)) : room / (facts.longest * scale);
    const width = Math.max(1.6 * density, Math.min(0.09 * Math.max(pitch, spacing), 5 * density));
    const arrows = new Map();
    for (const row of rows) {
      if (level[row] === links.NO_LEVEL) continue;
      // Like the colours, lengths end with the scale: an outlier would cross the picture.
      const factored = factor * scale * Math.min(1, facts.longest / Math.hypot(dx[row], dy[row]) || 0);
      const along = { dx: dx[row] * factored, dy: dy[row] * factored };
      const start = facts.magnified ? 0 : 0.5; // how far behind its place an arrow begins
      const outline = links.arrowOutline({
        x: (x[row] - range.x0) * scale - start * along.dx, y: (y[row] - range.y0) * scale - start * along.dy, ...along, width,
      });
      const place = [(x[row] - range.x0) * scale, (y[row] - range.y0) * scale];
      if (!arrows.has(level[row])) arrows.set(level[row], []);
      arrows.get(level[row]).push({ outline, place, length: Math.hypot(along.dx, along.dy) });
    }
    context.lineJoin = "round";
    for (const casing of [true, false]) {
      for (const [one, drawn] of arrows) {
        context.beginPath();
        for (const { outline, place: [px, py], length } of drawn) {
          if (length < 1.5 * width && !facts.magnified) {
            // No direction: a disc.
            context.moveTo(px + width, py);
            context.arc(px, py, width, 0, 2 * Math.PI);
            continue;
          }
          outline.forEach(([ax, ay], k) => (k ? context.lineTo(ax, ay) : context.moveTo(ax, ay)));
          context.closePath();
        }
        if (casing) {
          context.strokeStyle = "rgb(0 0 0 / 80%)";
          context.lineWidth = 2 * density;
          context.stroke();
        } else {
          context.fillStyle = palette[one];
          context.fill();
        }
      }
    }
    const parts = facts.magnified ? [`arrows × ${factor.toLocaleString("en-GB")}`] : [];
    const every = Math.round(of / Math.max(rows.length, 1));
    if (every > 1) parts.push(`one of ${every} shown`);
    if (note) note.textContent = parts.join(", ");
  }

  box.append(chooser(), key);
  for (const side of ["inner_width", "inner_height"]) view.figure.properties[side].change.connect(draw);
  if (layers.some(({ name }) => name === keep)) choose(keep).catch(onError);
  return { box, moved: draw, get chosen() { return chosen.name; } };
}

function canvasOf(pixels, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const bytes = new Uint8ClampedArray(pixels.buffer);
  canvas.getContext("2d").putImageData(new ImageData(bytes, width, height), 0, 0);
  return canvas;
}
