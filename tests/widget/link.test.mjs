import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// The folder of link.js is given by whoever runs node, since the package may be installed anywhere.
const link = await import(pathToFileURL(join(process.env.ATOMOTIF_WIDGET, "link.js")).href);

const u32 = (...rows) => Uint32Array.from(rows);
const f32 = (...values) => Float32Array.from(values);
// A grid of 5 x 4 points at integers: row = 5 * y + x.
const gridX = Float32Array.from({ length: 20 }, (_, i) => i % 5);
const gridY = Float32Array.from({ length: 20 }, (_, i) => Math.floor(i / 5));

function random(seed) {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

test("unpack reads base64, DataView and misaligned bytes alike", () => {
  const values = f32(1.5, -2, NaN);
  const bytes = new Uint8Array(values.buffer);
  const text = Buffer.from(bytes).toString("base64");
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  for (const data of [text, new DataView(values.buffer), new DataView(shifted.buffer, 1)]) {
    assert.deepEqual(link.unpack({ dtype: "float32", data }), values);
  }
});

test("unpack refuses what has no typed array", () => {
  assert.throws(() => link.unpack({ dtype: "complex64", data: "" }), /complex64/);
});

test("take keeps type and order", () => {
  assert.deepEqual(link.take(f32(5, 6, 7), u32(2, 0)), f32(7, 5));
});

test("a rectangle takes its edge, whichever way it was drawn", () => {
  const expected = u32(6, 7, 11, 12);
  assert.deepEqual(link.rowsInRect(gridX, gridY, { x0: 1, x1: 2, y0: 1, y1: 2 }), expected);
  assert.deepEqual(link.rowsInRect(gridX, gridY, { x0: 2, x1: 1, y0: 2, y1: 1 }), expected);
});

test("a polygon agrees with its rectangle", () => {
  const rect = { x0: 0.5, x1: 3.5, y0: -0.5, y1: 1.5 };
  const poly = { x: [0.5, 3.5, 3.5, 0.5], y: [-0.5, -0.5, 1.5, 1.5] };
  assert.deepEqual(link.rowsInPolygon(gridX, gridY, poly), link.rowsInRect(gridX, gridY, rect));
});

test("a polygon agrees with the winding angle of random star shapes", () => {
  const next = random(7);
  const n = 400;
  const x = Float64Array.from({ length: n }, () => 2 * next() - 1);
  const y = Float64Array.from({ length: n }, () => 2 * next() - 1);
  for (let trial = 0; trial < 20; trial++) {
    const corners = 3 + Math.floor(9 * next());
    const angles = Array.from({ length: corners }, () => 2 * Math.PI * next()).sort((a, b) => a - b);
    const px = angles.map((a) => (0.2 + 0.8 * next()) * Math.cos(a));
    const py = angles.map((a, j) => (px[j] / Math.cos(a)) * Math.sin(a));
    const inside = (i) => {
      let turned = 0;
      for (let a = 0; a < corners; a++) {
        const b = (a + 1) % corners;
        const [ax, ay, bx, by] = [px[a] - x[i], py[a] - y[i], px[b] - x[i], py[b] - y[i]];
        turned += Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
      }
      return Math.abs(turned) > Math.PI;
    };
    const expected = Uint32Array.from({ length: n }, (_, i) => i).filter(inside);
    assert.deepEqual(link.rowsInPolygon(x, y, { x: px, y: py }), expected);
  }
});

test("a line or a point is no polygon", () => {
  assert.equal(link.rowsInPolygon(gridX, gridY, { x: [0, 4], y: [0, 3] }).length, 0);
});

test("a point without a place in a view is never hit", () => {
  const x = f32(NaN, 1);
  const y = f32(NaN, 1);
  const poly = { type: "poly", x: [0, 2, 2, 0], y: [0, 0, 2, 2] };
  assert.deepEqual(link.rowsHit(poly, x, y), u32(1));
  assert.deepEqual(link.rowsHit({ type: "rect", x0: -9, x1: 9, y0: -9, y1: 9 }, x, y), u32(1));
  assert.equal(link.nearestRow(x, y, { x: 1, y: 1, rx: 1, ry: 1 }), 1);
});

test("a tap takes the nearest point within reach, else none", () => {
  const near = { type: "point", x: 2.1, y: 0.9, rx: 0.5, ry: 0.5 };
  assert.deepEqual(link.rowsHit(near, gridX, gridY), u32(7));
  assert.deepEqual(link.rowsHit({ ...near, x: 2.5, y: 1.5, rx: 0.3, ry: 0.3 }, gridX, gridY), u32());
});

test("reach is measured in each axis' own units", () => {
  assert.equal(link.nearestRow(f32(0), f32(0), { x: 5, y: 0, rx: 10, ry: 0.1 }), 0);
  assert.equal(link.nearestRow(f32(0), f32(0), { x: 0, y: 5, rx: 10, ry: 0.1 }), -1);
});

test("an unknown geometry is refused", () => {
  assert.throws(() => link.rowsHit({ type: "span" }, gridX, gridY), /span/);
});

test("keys choose the mode, a button only where no key is held", () => {
  assert.equal(link.modeOf(), "replace");
  assert.equal(link.modeOf({ shift: true }), "add");
  assert.equal(link.modeOf({ ctrl: true }), "subtract");
  assert.equal(link.modeOf({ meta: true }), "subtract");
  assert.equal(link.modeOf({ alt: true }), "intersect");
  assert.equal(link.modeOf({}, "intersect"), "intersect");
  assert.equal(link.modeOf({ shift: true }, "intersect"), "add");
});

test("selection algebra is that of sets, on random rows", () => {
  const next = random(3);
  const some = () => Array.from({ length: Math.floor(40 * next()) }, () => Math.floor(50 * next()));
  for (let trial = 0; trial < 200; trial++) {
    const current = [...new Set(some())].sort((a, b) => a - b);
    const hit = some(); // neither sorted nor distinct
    const [a, b] = [new Set(current), new Set(hit)];
    const expected = {
      replace: [...b],
      add: [...new Set([...a, ...b])],
      subtract: current.filter((row) => !b.has(row)),
      intersect: current.filter((row) => b.has(row)),
    };
    for (const mode of link.MODES) {
      const want = Uint32Array.from(expected[mode]).sort();
      assert.deepEqual(link.combine(Uint32Array.from(current), Uint32Array.from(hit), mode), want, mode);
    }
  }
});

test("combining leaves its arguments as they were", () => {
  const current = u32(1, 2);
  const hit = u32(5, 3);
  link.combine(current, hit, "add");
  assert.deepEqual([current, hit], [u32(1, 2), u32(5, 3)]);
});

test("an unknown mode is refused", () => {
  assert.throws(() => link.combine(u32(), u32(1), "xor"), /xor/);
});

test("inverting twice gives back the selection", () => {
  assert.deepEqual(link.invert(u32(1, 3), 5), u32(0, 2, 4));
  assert.deepEqual(link.invert(link.invert(u32(1, 3), 5), 5), u32(1, 3));
});

test("rows are compared by value", () => {
  assert.ok(link.sameRows(u32(1, 2), u32(1, 2)));
  assert.ok(!link.sameRows(u32(1, 2), u32(1, 3)));
  assert.ok(!link.sameRows(u32(1), u32(1, 2)));
});

test("a motif's rows, and back to counts", () => {
  const labels = Int32Array.from([0, 1, -1, 1, 2]);
  assert.deepEqual(link.rowsOfMotifs(labels, [1]), u32(1, 3));
  assert.deepEqual(link.rowsOfMotifs(labels, [0, 2]), u32(0, 4));
  assert.deepEqual(link.countMotifs(labels, u32(1, 2, 3), 3), { counts: u32(0, 2, 0), none: 1 });
});

test("colours are packed as 0xRRGGBBAA, and those without a motif are neutral", () => {
  assert.equal(link.packColor("#0072b2"), 0x0072b2ff);
  assert.equal(link.packColor("#ffffff", 0), 0xffffff00);
  const colors = link.pointColors(Int32Array.from([1, -1, 0, 9]), ["#000001", "#000002"], "#8c8c8c");
  assert.deepEqual(colors, u32(0x2ff, 0x8c8c8cff, 0x1ff, 0x8c8c8cff));
});

test("a faded colour lies half way to grey and stays a colour", () => {
  assert.equal(link.faded("#ff0000"), "#d05050");
  assert.match(link.faded("#000000"), /^#[0-9a-f]{6}$/);
});

test("markers shrink with the number of points, within limits", () => {
  const sizes = [1, 100, 2000, 20000, 500000].map((n) => link.markerSize(n, 450, 450));
  assert.deepEqual([...sizes].sort((a, b) => b - a), sizes);
  assert.ok(sizes[0] <= 9 && sizes.at(-1) >= 2);
});

test("a square range shows all at one scale, about the same centre", () => {
  for (const [width, height] of [[400, 100], [100, 400], [300, 300]]) {
    const extent = { x0: -1, x1: 3, y0: 10, y1: 12 };
    const { x0, x1, y0, y1 } = link.squareRange(extent, width, height);
    assert.ok(Math.abs((x1 - x0) / width - (y1 - y0) / height) < 1e-12);
    assert.ok(x0 <= extent.x0 && x1 >= extent.x1 && y0 <= extent.y0 && y1 >= extent.y1);
    assert.ok(Math.abs(x0 + x1 - 2) < 1e-12 && Math.abs(y0 + y1 - 22) < 1e-12);
  }
});

test("the extent knows only finite points and is never empty", () => {
  assert.deepEqual(link.extentOf(f32(0, 10, NaN), f32(0, 5, 1), 0.1), { x0: -1, x1: 11, y0: -1, y1: 6 });
  for (const points of [f32(), f32(3), f32(NaN)]) {
    const { x0, x1, y0, y1 } = link.extentOf(points, points);
    assert.ok(x1 > x0 && y1 > y0);
  }
});

test("a patch is centred on its point and transparent beyond the image", () => {
  const image = Uint8Array.from({ length: 12 }, (_, i) => i); // 3 rows of 4
  const middle = link.cropPatch(image, [3, 4], { row: 1, col: 2, size: 3 });
  assert.deepEqual([middle.width, middle.height], [3, 3]);
  const grey = (patch) => Array.from({ length: patch.width * patch.height }, (_, k) => patch.rgba[4 * k]);
  const alpha = (patch) => Array.from({ length: patch.width * patch.height }, (_, k) => patch.rgba[4 * k + 3]);
  assert.deepEqual(grey(middle), [1, 2, 3, 5, 6, 7, 9, 10, 11]);
  assert.ok(alpha(middle).every((value) => value === 255));
  const corner = link.cropPatch(image, [3, 4], { row: 0, col: 0, size: 3 });
  assert.deepEqual(alpha(corner), [0, 0, 0, 0, 255, 255, 0, 255, 255]);
});

test("stretching spans black to white and leaves transparent and constant pictures alone", () => {
  const picture = link.cropPatch(Uint8Array.from([10, 20, 20, 30]), [2, 2], { row: 0.5, col: 0.5, size: 2 });
  assert.deepEqual([...link.stretch(picture).rgba.filter((_, k) => k % 4 === 0)], [0, 128, 128, 255]);
  const edge = link.cropPatch(Uint8Array.from([7]), [1, 1], { row: 0, col: 0, size: 3 });
  const before = Uint8ClampedArray.from(edge.rgba);
  assert.deepEqual(link.stretch(edge).rgba, before);
});

test("stamped points are discs of their colour, cut at the edge of the picture", () => {
  const colors = u32(0x112233ff, 0xaabbccff, 0xff0000ff);
  const picture = link.stampPoints({
    x: f32(2.5, 0.1, NaN), y: f32(3.5, 0.1, NaN), colors, rows: u32(0, 1, 2),
    range: { x0: 0, x1: 10, y0: 0, y1: 8 }, width: 10, height: 8, diameter: 3,
  });
  const lit = [];
  for (let k = 0; k < 80; k++) if (picture[4 * k + 3]) lit.push([Math.floor(k / 10), k % 10, picture[4 * k]]);
  const [low, high] = [0xaa, 0x11];
  assert.deepEqual(lit, [
    [0, 0, low], [0, 1, low], [1, 0, low], [1, 1, low],
    [2, 1, high], [2, 2, high], [2, 3, high], [3, 1, high], [3, 2, high], [3, 3, high], [4, 1, high], [4, 2, high], [4, 3, high],
  ]);
});

test("a tile is its own part of the stack", () => {
  const stack = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const tile = link.tileOf(stack, [2, 3, 2], 1);
  assert.deepEqual([tile.width, tile.height], [2, 3]);
  assert.deepEqual([tile.rgba[0], tile.rgba[4], tile.rgba[20]], [7, 8, 12]);
});

test("the mean of patches turns each back by its angle, and leaves out those that are cut", () => {
  const side = 41;
  const image = new Uint8Array(side * side);
  // A spot 6 px right of the middle of one patch, and one 6 px below that of another.
  const spot = (row, col) => {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const blob = 200 * Math.exp(-((y - row) ** 2 + (x - col) ** 2) / 4);
        image[y * side + x] = Math.max(image[y * side + x], Math.round(blob));
      }
    }
  };
  spot(12, 18);
  spot(34, 28);
  const size = 17;
  const at = (picture, v, u) => picture.rgba[4 * ((v + 8) * size + u + 8)];
  const first = { row: 12, col: 12 };
  const second = { row: 28, col: 28 };
  const plain = link.meanPatch(image, [side, side], [first, second], size);
  assert.equal(plain.count, 2);
  assert.equal(at(plain.picture, 0, 6), 100);
  assert.equal(at(plain.picture, 6, 0), 100);
  // What lies below is found to the right when the patch is turned back from rows towards columns.
  const turned = link.meanPatch(image, [side, side], [first, { ...second, angle: -Math.PI / 2 }], size);
  assert.equal(at(turned.picture, 0, 6), 200);
  assert.equal(at(turned.picture, 6, 0), 0);
  assert.equal(link.meanPatch(image, [side, side], [{ row: 2, col: 20 }], size), undefined);
  assert.equal(link.meanPatch(image, [side, side], [first, { row: 2, col: 20 }], size).count, 1);
});

test("a mixture has the colour of its bytes, or half way to grey", () => {
  const rgb = Uint8Array.from([0, 128, 255, 115, 115, 115]);
  assert.deepEqual(link.mixtureColors(rgb), Uint32Array.from([0x0080ffff, 0x737373ff]));
  assert.deepEqual(link.mixtureColors(rgb, true)[0], Number.parseInt(`${link.faded("#0080ff").slice(1)}ff`, 16));
  assert.equal(link.mixtureColors(new Uint8Array(0)).length, 0);
});

test("mean weights are those of the rows that have any", () => {
  const weights = Float32Array.from([0.5, 0.25, 0.25, NaN, NaN, NaN, 0, 0, 1, 1, 0, 0]);
  assert.deepEqual([...link.meanWeights(weights, 3, Uint32Array.from([0, 1, 2]))], [0.25, 0.125, 0.625]);
  assert.deepEqual([...link.meanWeights(weights, 3, Uint32Array.from([3]))], [1, 0, 0]);
  assert.ok(link.meanWeights(weights, 3, Uint32Array.from([1])).every(Number.isNaN));
});
