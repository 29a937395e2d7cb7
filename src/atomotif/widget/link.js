// The linking core: pure functions over typed arrays. It knows nothing of Bokeh, of the page or of any
// kernel, so that notebook, report and node tests run the very same code. Rows are positions in the packed
// columns; a selection is a sorted Uint32Array of distinct rows.

export const NO_MOTIF = -1;

const ARRAYS = {
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

function bytesOf(data) {
  if (typeof data === "string") {
    const text = atob(data);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

// The typed array of a packed column {dtype, data}: base64 in a page, a DataView on a notebook's wire.
export function unpack({ dtype, data }) {
  const Type = ARRAYS[dtype];
  if (Type === undefined) throw new TypeError(`a column of dtype ${dtype} cannot be unpacked`);
  const bytes = bytesOf(data);
  const size = Type.BYTES_PER_ELEMENT;
  // A typed array must start at a multiple of its element's size: copy only where it does not.
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new Type(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}

export function take(values, rows) {
  const taken = new values.constructor(rows.length);
  for (let k = 0; k < rows.length; k++) taken[k] = values[rows[k]];
  return taken;
}

// ---------------------------------------------------------------- hit tests

export function rowsInRect(x, y, { x0, x1, y0, y1 }) {
  const [left, right] = x0 <= x1 ? [x0, x1] : [x1, x0];
  const [low, high] = y0 <= y1 ? [y0, y1] : [y1, y0];
  const rows = new Uint32Array(x.length);
  let n = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i] >= left && x[i] <= right && y[i] >= low && y[i] <= high) rows[n++] = i;
  }
  return rows.slice(0, n);
}

// Even-odd rule; the polygon closes itself.
export function rowsInPolygon(x, y, { x: px, y: py }) {
  const corners = px.length;
  if (corners < 3) return new Uint32Array(0);
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let j = 0; j < corners; j++) {
    left = Math.min(left, px[j]);
    right = Math.max(right, px[j]);
    low = Math.min(low, py[j]);
    high = Math.max(high, py[j]);
  }
  // A comparison with NaN (a point without a place in this view) is false, so it is never inside.
  const near = rowsInRect(x, y, { x0: left, x1: right, y0: low, y1: high });
  return near.filter((i) => {
    const [xi, yi] = [x[i], y[i]];
    let inside = false;
    for (let a = 0, b = corners - 1; a < corners; b = a++) {
      if (py[a] > yi !== py[b] > yi && xi < ((px[b] - px[a]) * (yi - py[a])) / (py[b] - py[a]) + px[a]) {
        inside = !inside;
      }
    }
    return inside;
  });
}

// The row nearest to (x, y) within the ellipse of half axes (rx, ry), or -1.
export function nearestRow(xs, ys, { x, y, rx, ry }) {
  let best = -1;
  let least = 1;
  for (let i = 0; i < xs.length; i++) {
    const dx = (xs[i] - x) / rx;
    const dy = (ys[i] - y) / ry;
    const distance = dx * dx + dy * dy;
    if (distance <= least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

export function rowsHit(geometry, x, y) {
  if (geometry.type === "rect") return rowsInRect(x, y, geometry);
  if (geometry.type === "poly") return rowsInPolygon(x, y, geometry);
  if (geometry.type === "point") {
    const row = nearestRow(x, y, geometry);
    return Uint32Array.from(row < 0 ? [] : [row]);
  }
  throw new TypeError(`a geometry of type ${geometry.type} cannot be hit-tested`);
}

// ---------------------------------------------------------------- selection algebra

export const MODES = ["replace", "add", "subtract", "intersect"];

// What the keys held during a gesture make of it; `fallback` is the mode chosen by button.
export function modeOf({ shift = false, ctrl = false, meta = false, alt = false } = {}, fallback = "replace") {
  if (alt) return "intersect";
  if (ctrl || meta) return "subtract";
  return shift ? "add" : fallback;
}

export function sameRows(a, b) {
  return a.length === b.length && a.every((row, k) => row === b[k]);
}

// The new selection, sorted, from the present one and the rows that were hit. Linear in both: merging
// sorted arrays, since a selection can hold half a million rows.
export function combine(current, hit, mode) {
  const sorted = Uint32Array.from(hit).sort();
  if (mode === "replace") return distinct(sorted);
  const keep = { add: [true, true, true], subtract: [true, false, false], intersect: [false, true, false] }[mode];
  if (keep === undefined) throw new TypeError(`a selection has no mode ${mode}`);
  const [onlyCurrent, both, onlyHit] = keep;
  const rows = new Uint32Array(current.length + sorted.length);
  let n = 0;
  let i = 0;
  let j = 0;
  while (i < current.length || j < sorted.length) {
    const a = i < current.length ? current[i] : Infinity;
    const b = j < sorted.length ? sorted[j] : Infinity;
    const row = Math.min(a, b);
    if (a === b ? both : a < b ? onlyCurrent : onlyHit) rows[n++] = row;
    while (i < current.length && current[i] === row) i++;
    while (j < sorted.length && sorted[j] === row) j++;
  }
  return rows.slice(0, n);
}

function distinct(sorted) {
  return sorted.filter((row, k) => k === 0 || row !== sorted[k - 1]);
}

export function invert(rows, n) {
  return combine(Uint32Array.from({ length: n }, (_, i) => i), rows, "subtract");
}

// ---------------------------------------------------------------- motifs and points

export function rowsOfMotifs(labels, motifs) {
  const wanted = new Set(motifs);
  const rows = [];
  for (let i = 0; i < labels.length; i++) if (wanted.has(labels[i])) rows.push(i);
  return Uint32Array.from(rows);
}

// How many of `rows` each motif has, and how many have none.
export function countMotifs(labels, rows, nMotifs) {
  const counts = new Uint32Array(nMotifs);
  let none = 0;
  for (let k = 0; k < rows.length; k++) {
    const label = labels[rows[k]];
    if (label >= 0 && label < nMotifs) counts[label]++;
    else none++;
  }
  return { counts, none };
}

// The mean confidence of each motif's points among `rows`; NaN where there are none, or none is known.
export function meanConfidence(labels, confidence, rows, nMotifs) {
  const sums = new Float64Array(nMotifs);
  const counts = new Uint32Array(nMotifs);
  for (let k = 0; k < rows.length; k++) {
    const label = labels[rows[k]];
    const value = confidence[rows[k]];
    if (!(label >= 0 && label < nMotifs) || !Number.isFinite(value)) continue;
    sums[label] += value;
    counts[label]++;
  }
  return sums.map((sum, k) => sum / counts[k]);
}

// The mean weights of `rows`, of which each has one for every anchor; of rows without weights none, NaN where no
// row has any.
export function meanWeights(weights, nAnchors, rows) {
  const sums = new Float64Array(nAnchors);
  let count = 0;
  for (let k = 0; k < rows.length; k++) {
    const at = rows[k] * nAnchors;
    if (Number.isNaN(weights[at])) continue;
    for (let a = 0; a < nAnchors; a++) sums[a] += weights[at + a];
    count++;
  }
  return sums.map((sum) => sum / count);
}

// At most `most` of the rows, evenly taken, the first always among them.
export function evenly(rows, most) {
  if (rows.length <= most) return rows;
  return Uint32Array.from({ length: most }, (_, k) => rows[Math.floor((k * rows.length) / most)]);
}

// ---------------------------------------------------------------- what is drawn

// "#rrggbb" as the number 0xRRGGBBAA, which BokehJS takes as a colour in a uint32 column.
export function packColor(hex, alpha = 255) {
  return Number.parseInt(hex.slice(1), 16) * 256 + alpha;
}

// A colour half way to mid-grey, for motifs that are out of date.
export function faded(hex) {
  const part = (at) => Math.round((Number.parseInt(hex.slice(at, at + 2), 16) + 160) / 2);
  return `#${[1, 3, 5].map((at) => part(at).toString(16).padStart(2, "0")).join("")}`;
}

export function pointColors(labels, motifColors, noneColor) {
  const packed = Uint32Array.from(motifColors, (color) => packColor(color));
  const none = packColor(noneColor);
  const colors = new Uint32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    colors[i] = label >= 0 && label < packed.length ? packed[label] : none;
  }
  return colors;
}

// The packed colours of sRGB bytes, three a point; half way to mid-grey for what is out of date.
export function mixtureColors(rgb, fade = false) {
  const part = fade ? (value) => Math.round((value + 160) / 2) : (value) => value;
  return Uint32Array.from({ length: rgb.length / 3 }, (_, i) => {
    const [r, g, b] = [part(rgb[3 * i]), part(rgb[3 * i + 1]), part(rgb[3 * i + 2])];
    return ((r << 24) | (g << 16) | (b << 8) | 255) >>> 0;
  });
}

// The same packed colours with another opacity.
export function withAlpha(colors, alpha) {
  return colors.map((color) => ((color & 0xffffff00) | alpha) >>> 0);
}

// The diameter of a marker in px: half the mean spacing of n points on a canvas, within legible limits.
export function markerSize(n, width, height) {
  const spacing = Math.sqrt((width * height) / Math.max(n, 1));
  return Math.min(9, Math.max(2, 0.42 * spacing));
}

// The range of one axis pair that shows all of `extent` on width x height px at the same scale in x and y.
export function squareRange({ x0, x1, y0, y1 }, width, height) {
  const scale = Math.max((x1 - x0) / width, (y1 - y0) / height);
  const cx = (x0 + x1) / 2;
  const cy = (y0 + y1) / 2;
  const halfWidth = (scale * width) / 2;
  const halfHeight = (scale * height) / 2;
  return { x0: cx - halfWidth, x1: cx + halfWidth, y0: cy - halfHeight, y1: cy + halfHeight };
}

// The extent of the finite points, widened by `margin` of its larger side.
export function extentOf(x, y, margin = 0.05) {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < x.length; i++) {
    if (!(Number.isFinite(x[i]) && Number.isFinite(y[i]))) continue;
    x0 = Math.min(x0, x[i]);
    x1 = Math.max(x1, x[i]);
    y0 = Math.min(y0, y[i]);
    y1 = Math.max(y1, y[i]);
  }
  if (x0 > x1) return { x0: 0, x1: 1, y0: 0, y1: 1 };
  const pad = margin * Math.max(x1 - x0, y1 - y0) || 1;
  return { x0: x0 - pad, x1: x1 + pad, y0: y0 - pad, y1: y1 + pad };
}

// A picture of the points of `rows` as discs: RGBA pixels of the range of a view, row by row from y0 to y1.
// Stamping pixels is much faster than drawing as many circles on a canvas.
export function stampPoints({ x, y, colors, rows, range, width, height, diameter }) {
  const { x0, x1, y0, y1 } = range;
  const radius = diameter / 2;
  const spans = []; // half the width of the disc at each of its rows
  for (let dy = Math.ceil(-radius); dy <= radius; dy++) {
    spans.push([dy, Math.floor(Math.sqrt(radius * radius - dy * dy))]);
  }
  const bytes = new Uint8Array(4 * width * height);
  const pixels = new DataView(bytes.buffer);
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k];
    const col = Math.floor(((x[row] - x0) / (x1 - x0)) * width);
    const line = Math.floor(((y[row] - y0) / (y1 - y0)) * height);
    // Written so that a point without a place (NaN) is left out, too.
    if (!(col >= -radius && col < width + radius && line >= -radius && line < height + radius)) continue;
    for (const [dy, half] of spans) {
      const at = line + dy;
      if (at < 0 || at >= height) continue;
      const end = Math.min(width - 1, col + half);
      for (let c = Math.max(0, col - half); c <= end; c++) pixels.setUint32(4 * (at * width + c), colors[row]);
    }
  }
  return bytes;
}

// RGBA pixels of a greyscale array; fully transparent where `grey` returns undefined.
function paint(width, height, grey) {
  const rgba = new Uint8ClampedArray(4 * width * height);
  for (let row = 0; row < height; row++) {
    for (let col = 0; col < width; col++) {
      const value = grey(row, col);
      if (value === undefined) continue;
      const at = 4 * (row * width + col);
      rgba[at] = rgba[at + 1] = rgba[at + 2] = value;
      rgba[at + 3] = 255;
    }
  }
  return { width, height, rgba };
}

// The square of `size` px of a greyscale image (rows x cols, row by row) around (row, col); what lies beyond
// the image is transparent.
export function cropPatch(image, [rows, cols], { row, col, size }) {
  const side = Math.max(1, Math.round(size));
  const top = Math.round(row - (side - 1) / 2);
  const left = Math.round(col - (side - 1) / 2);
  return paint(side, side, (r, c) => {
    const y = top + r;
    const x = left + c;
    return y >= 0 && y < rows && x >= 0 && x < cols ? image[y * cols + x] : undefined;
  });
}

// The mean of the patches of `size` px around (row, col) places, each turned by its angle (columns towards
// rows) and sampled between pixels; undefined where none is whole.
export function meanPatch(image, [rows, cols], places, size) {
  const side = Math.max(1, Math.round(size));
  const middle = (side - 1) / 2;
  const sum = new Float64Array(side * side);
  let count = 0;
  for (const { row, col, angle = 0 } of places) {
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    const reach = middle * (Math.abs(cosine) + Math.abs(sine));
    if (!(row >= reach && col >= reach && row + reach <= rows - 1 && col + reach <= cols - 1)) continue;
    for (let k = 0; k < sum.length; k++) {
      const v = Math.floor(k / side) - middle;
      const u = (k % side) - middle;
      const y = row + cosine * v - sine * u;
      const x = col + sine * v + cosine * u;
      const top = Math.min(Math.floor(y), rows - 2);
      const left = Math.min(Math.floor(x), cols - 2);
      const at = top * cols + left;
      const upper = image[at] + (x - left) * (image[at + 1] - image[at]);
      const lower = image[at + cols] + (x - left) * (image[at + cols + 1] - image[at + cols]);
      sum[k] += upper + (y - top) * (lower - upper);
    }
    count++;
  }
  if (!count) return undefined;
  return { count, picture: paint(side, side, (row, col) => sum[row * side + col] / count) };
}

// A picture with its least grey at black and its greatest at white, in place: a patch of a faint or uneven
// part of a micrograph is to be seen, too.
export function stretch(picture) {
  const { rgba } = picture;
  let [low, high] = [255, 0];
  for (let at = 0; at < rgba.length; at += 4) {
    if (!rgba[at + 3]) continue;
    low = Math.min(low, rgba[at]);
    high = Math.max(high, rgba[at]);
  }
  if (high <= low) return picture;
  for (let at = 0; at < rgba.length; at += 4) {
    if (rgba[at + 3]) rgba[at] = rgba[at + 1] = rgba[at + 2] = ((rgba[at] - low) / (high - low)) * 255;
  }
  return picture;
}

// One tile of a stack of greyscale images (n, rows, cols).
export function tileOf(stack, [, rows, cols], index) {
  const start = index * rows * cols;
  return paint(cols, rows, (r, c) => stack[start + r * cols + c]);
}
