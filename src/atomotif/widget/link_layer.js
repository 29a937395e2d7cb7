// What a layer over the micrograph is drawn from: pure functions, without Bokeh or the page.
import { rowsInRect } from "./link.js";

export const NO_LEVEL = 255; // as in views/layers.py

// The row of the nearest point for every pixel of `range`, row by row from y0 to y1; -1 where all are farther
// than `reach`. Each point stamps its disc, and the nearer one stays: linear in pixels for points of any spacing.
export function nearestRows({ x, y, range, width, height, reach }) {
  const { x0, x1, y0, y1 } = range;
  const nearest = new Int32Array(width * height).fill(-1);
  const least = new Float32Array(width * height).fill(Infinity);
  const [perX, perY] = [(x1 - x0) / width, (y1 - y0) / height];
  const rows = rowsInRect(x, y, { x0: x0 - reach, x1: x1 + reach, y0: y0 - reach, y1: y1 + reach });
  const limit = reach * reach;
  for (let k = 0; k < rows.length; k++) {
    const row = rows[k];
    const [px, py] = [x[row], y[row]];
    const top = Math.max(0, Math.ceil((py - reach - y0) / perY - 0.5));
    const bottom = Math.min(height - 1, Math.floor((py + reach - y0) / perY - 0.5));
    for (let line = top; line <= bottom; line++) {
      const dy = y0 + (line + 0.5) * perY - py;
      const half = Math.sqrt(Math.max(0, limit - dy * dy));
      const left = Math.max(0, Math.ceil((px - half - x0) / perX - 0.5));
      const right = Math.min(width - 1, Math.floor((px + half - x0) / perX - 0.5));
      let dx = x0 + (left + 0.5) * perX - px;
      for (let at = line * width + left, end = line * width + right; at <= end; at++, dx += perX) {
        const distance = dx * dx + dy * dy;
        if (distance >= least[at]) continue;
        least[at] = distance;
        nearest[at] = row;
      }
    }
  }
  return nearest;
}

// RGBA numbers as a little-endian Uint32 holds them, one a colour.
export function pixelColors(palette, alpha) {
  return Uint32Array.from(palette, (hex) => {
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
    return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

// The pixels of tiles: the colour of the level of the nearest point; dark where a region ends.
export function tilePixels({ nearest, width, level, colors, region, edge }) {
  const pixels = new Uint32Array(nearest.length);
  for (let at = 0; at < nearest.length; at++) {
    const row = nearest[at];
    if (row < 0 || level[row] === NO_LEVEL) continue;
    const next = (at + 1) % width ? nearest[at + 1] : row;
    const below = nearest[at + width] ?? row;
    const differs = (other) => other >= 0 && region[other] >= 0 && region[other] !== region[row];
    pixels[at] = region && (differs(next) || differs(below)) ? edge : colors[level[row]];
  }
  return pixels;
}

// The pixels of a picture of levels; `missing` where there is none.
export function picturePixels(level, colors, missing) {
  return Uint32Array.from(level, (one) => (one === NO_LEVEL ? missing : colors[one]));
}

// RGBA bytes with their colours half way to mid-grey.
export function fadedPixels(rgba) {
  return rgba.map((value, at) => (at % 4 === 3 ? value : Math.round((value + 160) / 2)));
}

// The rows of each level that occurs, those without one left out.
export function byLevel(rows, level) {
  const found = new Map();
  for (const row of rows) {
    if (level[row] === NO_LEVEL) continue;
    if (!found.has(level[row])) found.set(level[row], []);
    found.get(level[row]).push(row);
  }
  return found;
}

// How far arrows are apart that would be nearer than `least`: by steps of 2^(1/2) farther than their places, so that
// few zooms change them. `pitch` is 0 where all have room.
export function arrowPitch(spacing, least) {
  const pace = spacing >= least ? spacing : spacing * 2 ** (Math.ceil(2 * Math.log2(least / spacing)) / 2);
  return { pace, pitch: pace > spacing ? pace : 0 };
}

// Which of the places (x, y) in the range have an arrow of their own: all, or at most one, the first, in each
// square of side `pitch`. The squares stay where they are when the range moves.
export function thinned({ x, y, range, pitch }) {
  const rows = rowsInRect(x, y, range);
  if (!(pitch > 0)) return { rows, of: rows.length };
  const [left, top] = [Math.floor(range.x0 / pitch), Math.floor(range.y0 / pitch)];
  const across = Math.floor(range.x1 / pitch) - left + 1;
  const taken = new Set();
  const kept = [];
  for (const row of rows) {
    const square = (Math.floor(y[row] / pitch) - top) * across + Math.floor(x[row] / pitch) - left;
    if (taken.has(square)) continue;
    taken.add(square);
    kept.push(row);
  }
  return { rows: Uint32Array.from(kept), of: rows.length };
}

// The greatest of 1, 2 or 5 times a power of ten that is at most `value`.
export function roundDown(value) {
  if (!(value > 0 && Number.isFinite(value))) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].find((digit) => digit * power <= value * (1 + 1e-9)) * power;
}

// The outline of an arrow from (x, y) along (dx, dy), all in px: shaft and head in one, [x, y] a corner.
export function arrowOutline({ x, y, dx, dy, width }) {
  const length = Math.hypot(dx, dy);
  if (!(length > 0)) return [];
  const head = Math.min(3.2 * width, 0.6 * length);
  const [ux, uy] = [dx / length, dy / length];
  const at = (along, aside) => [x + along * ux - aside * uy, y + along * uy + aside * ux];
  const [half, wide] = [width / 2, Math.min(1.5 * width, 0.5 * length)];
  const neck = length - head;
  return [at(0, half), at(neck, half), at(neck, wide), at(length, 0), at(neck, -wide), at(neck, -half), at(0, -half)];
}

// Corners that were sent as steps from the least one, in the units of the data.
export function cornersOf({ cornerX, cornerY }, { x0, xStep, y0, yStep }) {
  return {
    cornerX: Float32Array.from(cornerX, (steps) => x0 + steps * xStep),
    cornerY: Float32Array.from(cornerY, (steps) => y0 + steps * yStep),
  };
}

// The polygons, corners flat with offsets, of which something may be in the range.
export function polygonsInRange({ cornerX, cornerY, cornerOffset }, { x0, x1, y0, y1 }) {
  const found = [];
  for (let k = 0; k + 1 < cornerOffset.length; k++) {
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let c = cornerOffset[k]; c < cornerOffset[k + 1]; c++) {
      left = Math.min(left, cornerX[c]);
      right = Math.max(right, cornerX[c]);
      low = Math.min(low, cornerY[c]);
      high = Math.max(high, cornerY[c]);
    }
    if (right >= x0 && left <= x1 && high >= y0 && low <= y1) found.push(k);
  }
  return Uint32Array.from(found);
}

// The number of the region that (x, y) is in, by the even-odd rule over all rings of a region; -1 in none.
export function regionAt({ cornerX, cornerY, cornerOffset, region }, x, y) {
  const inside = new Set();
  for (let ring = 0; ring < region.length; ring++) {
    const [start, end] = [cornerOffset[ring], cornerOffset[ring + 1]];
    for (let a = start, b = end - 1; a < end; b = a++) {
      if (cornerY[a] > y === cornerY[b] > y) continue;
      if (x >= ((cornerX[b] - cornerX[a]) * (y - cornerY[a])) / (cornerY[b] - cornerY[a]) + cornerX[a]) continue;
      if (!inside.delete(region[ring])) inside.add(region[ring]);
    }
  }
  return inside.size ? Math.min(...inside) : -1;
}

// The rings of each region.
export function ringsOfRegions(region) {
  const found = new Map();
  region.forEach((number, ring) => found.set(number, [...(found.get(number) ?? []), ring]));
  return found;
}

// A polygon's size: the square root of the mean area of the first ones.
export function polygonSize({ cornerX, cornerY, cornerOffset }, most = 500) {
  const count = Math.min(most, cornerOffset.length - 1);
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const [start, end] = [cornerOffset[k], cornerOffset[k + 1]];
    let twice = 0;
    for (let c = start, before = end - 1; c < end; before = c++) {
      twice += cornerX[before] * cornerY[c] - cornerX[c] * cornerY[before];
    }
    sum += Math.abs(twice) / 2;
  }
  return count > 0 ? Math.sqrt(sum / count) : 0;
}
