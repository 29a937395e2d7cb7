import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const layer = await import(pathToFileURL(join(process.env.ATOMOTIF_WIDGET, "link_layer.js")).href);

const f32 = (...values) => Float32Array.from(values);

function random(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

test("every pixel has the nearest point within reach", () => {
  const next = random(3);
  const n = 60;
  const x = Float32Array.from({ length: n }, () => 14 * next() - 2);
  const y = Float32Array.from({ length: n }, () => 9 * next() - 2);
  x[7] = NaN;
  const range = { x0: 0.3, x1: 10.3, y0: -0.5, y1: 5.5 };
  const [width, height, reach] = [50, 24, 0.9];
  const nearest = layer.nearestRows({ x, y, range, width, height, reach });
  let none = 0;
  for (let line = 0; line < height; line++) {
    for (let col = 0; col < width; col++) {
      const [px, py] = [range.x0 + ((col + 0.5) * 10) / width, range.y0 + ((line + 0.5) * 6) / height];
      let best = -1;
      let least = reach;
      for (let i = 0; i < n; i++) {
        const distance = Math.hypot(x[i] - px, y[i] - py);
        if (distance <= least) [best, least] = [i, distance];
      }
      const found = nearest[line * width + col];
      if (found !== best) {
        // Only by the rounding of a distance.
        const distance = found < 0 ? reach : Math.hypot(x[found] - px, y[found] - py);
        assert.ok(Math.abs(distance - least) < 1e-5, `${col}, ${line}`);
      }
      none += best < 0;
    }
  }
  assert.ok(none > 0 && none < width * height);
});

test("tiles are in the colour of their level, with an edge where the region changes", () => {
  const colors = Uint32Array.from([10, 20]);
  const given = { nearest: Int32Array.from([0, 0, 1, -1, 2, 2, 1, 1]), width: 4, colors, edge: 99 };
  const level = Uint8Array.from([0, 1, layer.NO_LEVEL]);
  assert.deepEqual(layer.tilePixels({ ...given, level }), Uint32Array.from([10, 10, 20, 0, 0, 0, 20, 20]));
  const region = Int32Array.from([0, 1, -1]);
  assert.deepEqual(layer.tilePixels({ ...given, level, region }), Uint32Array.from([10, 99, 20, 0, 0, 0, 20, 20]));
});

test("a tile at the end of a line has no edge with the first one of the next line", () => {
  const given = { nearest: Int32Array.from([0, 1, 0, 1]), width: 2, colors: Uint32Array.from([10, 20]), edge: 99 };
  const pixels = layer.tilePixels({ ...given, level: Uint8Array.from([0, 1]), region: Int32Array.from([0, 1]) });
  assert.deepEqual(pixels, Uint32Array.from([99, 20, 99, 20]));
});

test("colours of pixels are RGBA in memory", () => {
  const bytes = new Uint8Array(layer.pixelColors(["#102030", "#ff0001"], 128).buffer);
  assert.deepEqual([...bytes], [0x10, 0x20, 0x30, 128, 0xff, 0, 1, 128]);
});

test("a picture without a value has the colour that says so", () => {
  const pixels = layer.picturePixels(Uint8Array.from([1, 0, 255]), Uint32Array.from([5, 6]), 7);
  assert.deepEqual(pixels, Uint32Array.from([6, 5, 7]));
});

test("rows are sorted by level, those without one left out", () => {
  const found = layer.byLevel([3, 0, 2, 1], Uint8Array.from([4, 255, 4, 1]));
  assert.deepEqual([...found], [[1, [3]], [4, [0, 2]]]);
});

test("arrows are thinned in steps of the root of two, and none that have room", () => {
  assert.deepEqual(layer.arrowPitch(3, 2), { pace: 3, pitch: 0 });
  const { pace, pitch } = layer.arrowPitch(3, 7);
  assert.ok(Math.abs(pace - 3 * Math.SQRT2 ** 3) < 1e-9 && pace === pitch);
  const x = Float32Array.from({ length: 100 }, (_, k) => k % 10);
  const y = Float32Array.from({ length: 100 }, (_, k) => Math.floor(k / 10));
  const range = { x0: 0, x1: 9, y0: 0, y1: 9 };
  assert.equal(layer.thinned({ x, y, range, pitch: 0 }).rows.length, 100);
  const { rows, of } = layer.thinned({ x, y, range, pitch: 5 });
  assert.deepEqual([[...rows], of], [[0, 5, 50, 55], 100]);
});

test("the arrows that are kept stay when the range moves", () => {
  const next = random(5);
  const x = Float32Array.from({ length: 300 }, () => 30 * next() - 10);
  const y = Float32Array.from({ length: 300 }, () => 30 * next() - 10);
  const at = (shift) => layer.thinned({ x, y, range: { x0: -8 + shift, x1: 12 + shift, y0: -8, y1: 12 }, pitch: 4 }).rows;
  const [here, there] = [new Set(at(0)), at(4)];
  const both = there.filter((row) => x[row] < 12);
  assert.ok(both.length > 10);
  assert.ok(both.every((row) => here.has(row)));
});

test("a factor is rounded down to 1, 2 or 5 times a power of ten", () => {
  const cases = [[1, 1], [1.99, 1], [2, 2], [4.9, 2], [730, 500], [0.06, 0.05], [0, 1], [Infinity, 1]];
  for (const [given, expected] of cases) assert.ok(Math.abs(layer.roundDown(given) - expected) < 1e-12, given);
});

test("an arrow ends at its tip and is as long as it is told", () => {
  const outline = layer.arrowOutline({ x: 1, y: 2, dx: 30, dy: -40, width: 3 });
  assert.deepEqual(outline[3], [31, -38]);
  const along = outline.map(([x, y]) => ((x - 1) * 30 + (y - 2) * -40) / 50);
  assert.ok(Math.min(...along) > -1e-9 && Math.max(...along) < 50 + 1e-9);
  assert.deepEqual(layer.arrowOutline({ x: 1, y: 2, dx: 0, dy: 0, width: 3 }), []);
});

// Two unit squares and a triangle.
const POLYGONS = {
  cornerX: f32(0, 1, 1, 0, 5, 6, 6, 5, 0, 2, 0), cornerY: f32(0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 7),
  cornerOffset: Uint32Array.from([0, 4, 8, 11]),
};

test("corners are steps from the least one", () => {
  const corners = { cornerX: Uint16Array.from([0, 65535]), cornerY: Uint16Array.from([2, 0]) };
  const found = layer.cornersOf(corners, { x0: -1, xStep: 4 / 65535, y0: 7, yStep: 0.5 });
  assert.deepEqual(found, { cornerX: f32(-1, 3), cornerY: f32(8, 7) });
});

test("polygons of which something may be in sight", () => {
  const within = (x0, x1, y0, y1) => [...layer.polygonsInRange(POLYGONS, { x0, x1, y0, y1 })];
  assert.deepEqual(within(-1, 10, -1, 10), [0, 1, 2]);
  assert.deepEqual(within(0.2, 0.4, 0.2, 0.4), [0]);
  assert.deepEqual(within(2, 4, 0, 1), []);
});

test("the size of polygons is that of a square of their mean area", () => {
  assert.ok(Math.abs(layer.polygonSize(POLYGONS) - Math.sqrt(4 / 3)) < 1e-9);
  assert.equal(layer.polygonSize(POLYGONS, 2), 1);
  assert.equal(layer.polygonSize({ cornerX: f32(), cornerY: f32(), cornerOffset: Uint32Array.from([0]) }), 0);
});

test("a place is in the region whose rings surround it, but not in its hole", () => {
  // A square of 6 with a hole from 2 to 4, in which another region lies; a third one apart, in two parts.
  const square = (x, y, side) => [[x, y], [x + side, y], [x + side, y + side], [x, y + side]];
  const rings = [square(0, 0, 6), square(2, 2, 2), square(2.5, 2.5, 1), square(10, 0, 1), square(12, 0, 1)];
  const corners = rings.flat();
  const regions = {
    cornerX: f32(...corners.map(([x]) => x)), cornerY: f32(...corners.map(([, y]) => y)),
    cornerOffset: Uint32Array.from([0, 4, 8, 12, 16, 20]), region: Int32Array.from([0, 0, 1, 2, 2]),
  };
  const at = (x, y) => layer.regionAt(regions, x, y);
  assert.deepEqual([at(1, 1), at(5, 3), at(2.2, 3), at(3, 3), at(10.5, 0.5), at(12.5, 0.5)], [0, 0, -1, 1, 2, 2]);
  assert.deepEqual([at(-1, 3), at(11.5, 0.5), at(3, 7), at(NaN, 1)], [-1, -1, -1, -1]);
  assert.deepEqual([...layer.ringsOfRegions(regions.region)], [[0, [0, 1]], [1, [2]], [2, [3, 4]]]);
});

test("pixels fade half way to grey and keep what is clear", () => {
  assert.deepEqual(layer.fadedPixels(Uint8Array.from([0, 160, 255, 255, 0, 0, 0, 0])), Uint8Array.from([80, 160, 208, 255, 80, 80, 80, 0]));
});
