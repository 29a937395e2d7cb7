// Paints one layer over the micrograph on a canvas. A layer is {facts, columns, palette, picture, size}; a frame
// {context, width, height, range, scale, density}: px of the canvas, `scale` of them one unit of the data, `density`
// of them one px of the page. Returns what is to be said of it in the key.
import * as links from "./link_layer.js";

const SHEER = 0.55; // opacity where colours name things; a scale's are opaque, or they would not be those of its bar
const PITCH = 16; // px between arrows, at least
const LEAST_CELL = 14; // px below which a grid would be all that is seen
const BATCH = 400; // polygons drawn at once: a path of very many is slow to fill
// On the micrograph lines are light on dark, to be seen on any grey; on a scale's colours they are dark.
const GRID = [["rgb(0 0 0 / 45%)", 2], ["rgb(255 255 255 / 50%)", 0.8]];
const FAINT = 0.3; // opacity of what is seen by its outline
const GRID_ON_SCALE = [["rgb(0 0 0 / 45%)", 1]];

export function paintLayer(layer, frame) {
  return { tiles: paintTiles, cells: paintCells, regions: paintRegions, arrows: paintArrows, picture: paintPicture }[layer.facts.kind](layer, frame);
}

export function canvasOf(pixels, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const bytes = new Uint8ClampedArray(pixels.buffer);
  canvas.getContext("2d").putImageData(new ImageData(bytes, width, height), 0, 0);
  return canvas;
}

function paintPicture({ picture, facts }, { context, range, scale, density }) {
  const { x0, x1, y0, y1 } = facts.extent;
  context.imageSmoothingEnabled = Boolean(facts.outline) || (scale * (x1 - x0)) / picture.width < 1.5;
  if (facts.outline) context.globalAlpha = SHEER; // its colours name things
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (x0 - range.x0) * scale, (y0 - range.y0) * scale, (x1 - x0) * scale, (y1 - y0) * scale);
  context.globalAlpha = 1;
  if (!facts.outline) return "";
  context.beginPath();
  facts.outline.forEach(([x, y]) => context.lineTo((x - range.x0) * scale, (y - range.y0) * scale));
  context.closePath();
  strokeTwice(context, "#ffffff", density);
  return "";
}

// A line of a colour on a dark one, to be seen on any grey.
function strokeTwice(context, color, density) {
  context.lineJoin = "round";
  for (const [style, width] of [["rgb(0 0 0 / 75%)", 4], [color, 2]]) {
    context.strokeStyle = style;
    context.lineWidth = width * density;
    context.stroke();
  }
}

function paintRegions({ facts, columns, palette }, { context, range, scale, density }) {
  const { cornerX, cornerY, cornerOffset, region, level } = columns;
  const at = (x, y) => [(x - range.x0) * scale, (y - range.y0) * scale];
  for (const [number, rings] of links.ringsOfRegions(region)) {
    context.beginPath();
    for (const ring of rings) {
      for (let c = cornerOffset[ring]; c < cornerOffset[ring + 1]; c++) {
        const place = at(cornerX[c], cornerY[c]);
        if (c === cornerOffset[ring]) context.moveTo(...place);
        else context.lineTo(...place);
      }
      context.closePath();
    }
    context.globalAlpha = FAINT;
    context.fillStyle = palette[level[number]];
    context.fill("evenodd");
    context.globalAlpha = 1;
    strokeTwice(context, palette[level[number]], density);
  }
  context.font = `600 ${15 * density}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 4 * density;
  context.strokeStyle = "rgb(0 0 0 / 80%)";
  context.fillStyle = "#ffffff";
  for (const { text, x, y } of facts.labels) {
    context.strokeText(text, ...at(x, y));
    context.fillText(text, ...at(x, y));
  }
  return facts.note;
}

// A tile has straight edges: the pixels of the page are fine enough, those of the screen may be many more.
function paintTiles({ facts, columns: { x, y, level, region }, palette }, { context, width, height, range, density }) {
  const coarser = Math.max(1, Math.round(density));
  const [w, h] = [Math.ceil(width / coarser), Math.ceil(height / coarser)];
  const nearest = links.nearestRows({ x, y, range, width: w, height: h, reach: facts.reach });
  const colors = links.pixelColors(palette, facts.scale ? 255 : Math.round(255 * SHEER));
  const [edge] = links.pixelColors(["#ffffff"], 255);
  const pixels = links.tilePixels({ nearest, width: w, level, colors, region, edge });
  context.imageSmoothingEnabled = false;
  context.drawImage(canvasOf(pixels, w, h), 0, 0, width, height);
  return "";
}

function paintCells({ facts, columns, palette, size }, { context, range, scale, density }) {
  const { cornerX, cornerY, cornerOffset, level } = columns;
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
  const all = links.polygonsInRange(columns, range);
  context.globalAlpha = facts.scale ? 1 : SHEER;
  for (const [one, cells] of links.byLevel(all, level)) {
    context.fillStyle = palette[one];
    batches(cells, () => context.fill());
  }
  context.globalAlpha = 1;
  if (size * scale < LEAST_CELL * density) return "";
  context.lineJoin = "round";
  for (const [color, width] of facts.scale ? GRID_ON_SCALE : GRID) {
    context.strokeStyle = color;
    context.lineWidth = width * density;
    batches(all, () => context.stroke());
  }
  return "";
}

function paintArrows({ facts, columns, palette }, { context, range, scale, density }) {
  const { x, y, dx, dy, level } = columns;
  const { spacing, longest, magnified } = facts;
  const { pitch, pace } = links.arrowPitch(spacing, (PITCH * density) / scale);
  const wide = {
    x0: range.x0 - 2 * pace, x1: range.x1 + 2 * pace, y0: range.y0 - 2 * pace, y1: range.y1 + 2 * pace,
  };
  const { rows, of } = links.thinned({ x, y, range: wide, pitch });
  const room = (magnified ? 0.95 : 0.62) * pace;
  const factor = magnified ? links.roundDown(room / longest) : room / longest;
  const width = Math.max(1.6 * density, Math.min(0.09 * pace * scale, 5 * density));
  const trace = (row) => {
    // Like the colours, lengths end with the scale: an outlier would cross the picture.
    const length = factor * scale * Math.min(1, longest / Math.hypot(dx[row], dy[row]) || 0);
    const [along, down] = [dx[row] * length, dy[row] * length];
    const [px, py] = [(x[row] - range.x0) * scale, (y[row] - range.y0) * scale];
    if (!magnified && Math.hypot(along, down) < 1.5 * width) {
      context.moveTo(px + width, py); // no direction: a disc
      context.arc(px, py, width, 0, 2 * Math.PI);
      return;
    }
    const behind = magnified ? 0 : 0.5; // a displacement begins at its column
    const outline = links.arrowOutline({ x: px - behind * along, y: py - behind * down, dx: along, dy: down, width });
    outline.forEach(([ax, ay], k) => (k ? context.lineTo(ax, ay) : context.moveTo(ax, ay)));
    context.closePath();
  };
  const arrows = links.byLevel(rows, level);
  context.lineJoin = "round";
  context.lineWidth = 2 * density;
  context.strokeStyle = "rgb(0 0 0 / 80%)";
  for (const casing of [true, false]) {
    for (const [one, drawn] of arrows) {
      context.beginPath();
      drawn.forEach(trace);
      context.fillStyle = palette[one];
      if (casing) context.stroke();
      else context.fill();
    }
  }
  const every = Math.round(of / Math.max(rows.length, 1));
  const parts = magnified ? [`arrows × ${factor.toLocaleString("en-GB")}`] : [];
  if (every > 1) parts.push(`one of ${every} shown`);
  return parts.join(", ");
}
