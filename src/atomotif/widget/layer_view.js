// A layer over the micrograph, one of several to be chosen: drawn below the columns as one picture of the range in
// sight, so that pan, zoom and selection cost what they cost without it, whatever it consists of.
import { faded, rowsOfMotifs, unpack } from "./link.js";
import { canvasOf, paintLayer } from "./layer_paint.js";
import * as links from "./link_layer.js";
import { draw, element, scaleBar } from "./panels.js";

export const NO_LAYER = "none";
const NO_PICTURE = { number: [], image: [], x: [], y: [], dw: [], dh: [] };

// `view` is the micrograph's; `ask({name})` resolves to {facts, packed} of a layer, or to nothing; `onCover` is told
// when one appears or goes by choice. Returns `box` with chooser and key, and `moved`, to be called with the range.
export function layerView({ view, source, ndarray, columns, layers, ask, keep, onCover, onError }) {
  const chosen = { name: NO_LAYER, layer: undefined };
  const box = element("div", "am-layers");
  const key = element("div", "am-key");
  const select = element("select", "am-select");
  let pictures = 0;

  async function choose(name) {
    chosen.name = name;
    select.value = name;
    // It may be busy for long, or gone for ever.
    if (name !== NO_LAYER) key.replaceChildren(element("span", "am-key-note", "waiting for the kernel"));
    const answer = name === NO_LAYER ? undefined : await ask({ name });
    if (chosen.name !== name) return; // another one was chosen meanwhile
    chosen.layer = answer && prepared(answer, layers.find((one) => one.name === name));
    view.rowsInside = chosen.layer?.columns.member && rowsInside;
    showKey();
    drawLayer();
  }

  function chooser() {
    const label = element("label", "am-layer", "Layer:");
    for (const { name, title, stale, absent } of [{ name: NO_LAYER, title: NO_LAYER }, ...layers]) {
      const remark = absent ? " (too large for this page)" : stale ? " (out of date)" : "";
      const option = element("option", "", title + remark);
      option.value = name;
      option.disabled = Boolean(absent);
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
    if (own.rgba) {
      const [height, width] = packed.rgba.shape;
      layer.picture = canvasOf(stale ? links.fadedPixels(own.rgba) : own.rgba, width, height);
    } else if (facts.kind === "picture") {
      const [height, width] = packed.level.shape;
      const colors = links.pixelColors(layer.palette, 255);
      const [missing] = links.pixelColors([facts.missing], 255);
      layer.picture = canvasOf(links.picturePixels(own.level, colors, missing), width, height);
    }
    if (own.legend) {
      const [height, width] = packed.legend.shape;
      layer.legend = { height, width, rgba: new Uint8ClampedArray(own.legend) };
    }
    if (facts.corners) {
      Object.assign(layer.columns, links.cornersOf(own, facts.corners));
      layer.size = links.polygonSize(layer.columns);
    }
    return layer;
  }

  // The points of the region at a place, if it is in one.
  function rowsInside({ x, y }) {
    const number = links.regionAt(chosen.layer.columns, x, y);
    return number < 0 ? undefined : rowsOfMotifs(chosen.layer.columns.member, [number]);
  }

  // ---- the key below the figure

  function showKey() {
    const { layer } = chosen;
    key.replaceChildren();
    if (chosen.name === NO_LAYER) return;
    if (!layer) {
      key.append(element("span", "am-key-note", "there is nothing to show any more"));
      return;
    }
    const { facts, fade, palette, stale } = layer;
    if (stale) key.append(element("span", "am-badge", "out of date"));
    if (layer.legend) {
      const triangle = element("canvas", "am-mixture");
      draw(triangle, layer.legend);
      key.append(triangle);
    }
    if (facts.scale) key.append(scaleBar(facts.scale, palette));
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

  // ---- what is drawn

  function drawLayer() {
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
    const said = paintLayer(layer, { context, width, height, range, scale, density });
    if (layer.note && said) layer.note.textContent = said;
    const { data } = context.getImageData(0, 0, width, height);
    const image = ndarray(data.buffer, { dtype: "uint32", shape: [height, width] });
    const { x0, x1, y0, y1 } = range;
    source.data = { number: [++pictures], image: [image], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
  }

  box.append(chooser(), key);
  for (const side of ["inner_width", "inner_height"]) view.figure.properties[side].change.connect(drawLayer);
  if (layers.some(({ name }) => name === keep)) choose(keep).catch(onError);
  return { box, moved: drawLayer, get chosen() { return chosen.name; } };
}
