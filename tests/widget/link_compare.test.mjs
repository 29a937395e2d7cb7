import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const compare = await import(pathToFileURL(join(process.env.ATOMOTIF_WIDGET, "link_compare.js")).href);

const u32 = (...rows) => Uint32Array.from(rows);
const f32 = (...values) => Float32Array.from(values);
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);

// Three domains of ten points; the second one's points are not shown.
const DOMAINS = { row: Int32Array.from([1, 2, 5, 3, 7]), offset: u32(0, 3, 3, 5) };

test("the rows of domains are those of their points, in the order in which they are asked for", () => {
  assert.deepEqual(compare.rowsOfDomains([0], DOMAINS), u32(1, 2, 5));
  assert.deepEqual(compare.rowsOfDomains([2, 0], DOMAINS), u32(3, 7, 1, 2, 5));
  assert.deepEqual(compare.rowsOfDomains([1], DOMAINS), u32());
  assert.deepEqual(compare.rowsOfDomains([], DOMAINS), u32());
});

test("of each domain the selected points are counted", () => {
  assert.deepEqual(compare.countSelected(u32(), 10, DOMAINS), u32(0, 0, 0));
  assert.deepEqual(compare.countSelected(u32(0, 2, 3, 7, 9), 10, DOMAINS), u32(1, 0, 2));
});

test("a domain is whole with all of its points, and never without any", () => {
  const whole = (...rows) => compare.wholeDomains(compare.countSelected(u32(...rows), 10, DOMAINS), DOMAINS.offset);
  assert.deepEqual(whole(), []);
  assert.deepEqual(whole(1, 2), []);
  assert.deepEqual(whole(0, 1, 2, 5), [0]);
  assert.deepEqual(whole(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), [0, 2]);
});

test("a pair is looked at, or one domain, and no more", () => {
  assert.deepEqual(compare.pairOf([]), []);
  assert.deepEqual(compare.pairOf([4]), [4]);
  assert.deepEqual(compare.pairOf([1, 4]), [1, 4]);
  assert.deepEqual(compare.pairOf([1, 4, 5]), []);
});

test("a tap on a cell is understood as its pair", () => {
  for (const pair of [[0], [0, 2], [2]]) {
    const rows = compare.rowsOfDomains(pair, DOMAINS).sort();
    const counts = compare.countSelected(rows, 10, DOMAINS);
    assert.deepEqual(compare.pairOf(compare.wholeDomains(counts, DOMAINS.offset)), pair);
  }
});

test("rings are those of the domains, each with its colour", () => {
  const rings = { x: f32(0, 1, 0, NaN, 5, 6, 5, NaN), y: f32(0, 0, 1, NaN, 5, 5, 6, NaN), offset: u32(0, 4, 4, 8) };
  const made = compare.ringsOf([2, 0], rings, (place, domain) => `${place}:${domain}`);
  assert.deepEqual(Array.from(made.xs[0]), [5, 6, 5, NaN]);
  assert.deepEqual(Array.from(made.ys[1]), [0, 0, 1, NaN]);
  assert.deepEqual(made.color, ["0:2", "1:0"]);
});

// Two domains, two moments, three bins.
const COUNTS = Uint16Array.from([1, 2, 1, 0, 0, 4, 5, 5, 0, 0, 0, 0]);

test("shares of a domain sum to one in each moment that has points", () => {
  assert.deepEqual(compare.sharesOf(0, COUNTS, [2, 2, 3]), f32(0.25, 0.5, 0.25, 0, 0, 1));
  assert.deepEqual(compare.sharesOf(1, COUNTS, [2, 2, 3]), f32(0.5, 0.5, 0, 0, 0, 0));
});

test("the moment that differs most is that of which the most points would have to move", () => {
  assert.equal(compare.mostDifferent(f32(0.1, -0.1, 0, 0, -0.3, 0.3, 0.2, 0, -0.2), 3), 1);
  assert.equal(compare.mostDifferent(f32(-0.5, 0.5, 0.4, -0.4), 2), 0);
  assert.equal(compare.mostDifferent(f32(0, 0, 0, 0), 2), 0);
  assert.deepEqual(compare.differenceOf(f32(0.5, 0.25), f32(0.25, 0.25)), f32(0.25, 0));
});

test("a few full bins are beyond the end of a scale, unless there are no others", () => {
  const many = Float32Array.from({ length: 1000 }, (_, k) => (k < 5 ? 1 : 0.1));
  near(compare.scaleEnd(many), 0.1);
  near(compare.scaleEnd(many.map((value) => -value)), 0.1);
  near(compare.scaleEnd(f32(0.2, -0.5), f32(0.3)), 0.5);
  const one = new Float32Array(1000);
  one[7] = 0.4;
  near(compare.scaleEnd(one), 0.4);
  assert.equal(compare.scaleEnd(f32(0, 0)), 0);
});

test("pixels have the colours of their values, row by row", () => {
  const palette = ["#000000", "#804020", "#ffffff"];
  const { width, height, rgba } = compare.heatPixels(f32(-1, 0, 1, 5, -7, 0.1), [3, 2], palette, -1, 1);
  assert.deepEqual([width, height], [2, 3]);
  const pixel = (k) => Array.from(rgba.subarray(4 * k, 4 * k + 4));
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((k) => pixel(k)[0]), [0, 128, 255, 255, 0, 128]);
  assert.deepEqual(pixel(1), [128, 64, 32, 255]);
  assert.deepEqual(Array.from(compare.heatPixels(f32(0), [1, 1], palette, 0, 0).rgba), [0, 0, 0, 255]);
});

test("the outline of a histogram goes up and down at the edges of its bins", () => {
  assert.deepEqual(compare.stepsOf(f32(0.5, 0.25), 0.5), [[0, 0], [0, 1], [0.5, 1], [0.5, 0.5], [1, 0.5], [1, 0]]);
  assert.deepEqual(compare.stepsOf(f32(0), 0), [[0, 0], [0, 0], [1, 0], [1, 0]]);
});

test("labels stand at the first moment of an order, as far as there is room", () => {
  const moments = [];
  for (let n = 0; n < 5; n++) for (let m = -n; m <= n; m += 2) moments.push([n, m]);
  assert.deepEqual(compare.labelledMoments(moments, 15), [0, 1, 3, 6, 10]);
  assert.deepEqual(compare.labelledMoments(moments, 5), [0, 3, 6, 10]);
  assert.deepEqual(compare.labelledMoments(moments, 1), [0]);
});

test("arrow keys lead from cell to cell and not beyond the edge", () => {
  const from = (row, col, key) => Object.values(compare.cellBeyond(key, { row, col }, 3));
  assert.deepEqual(from(1, 1, "ArrowUp"), [0, 1]);
  assert.deepEqual(from(1, 1, "ArrowDown"), [2, 1]);
  assert.deepEqual(from(1, 1, "ArrowLeft"), [1, 0]);
  assert.deepEqual(from(1, 1, "ArrowRight"), [1, 2]);
  assert.deepEqual(from(0, 2, "ArrowUp"), [0, 2]);
  assert.deepEqual(from(0, 2, "ArrowRight"), [0, 2]);
  assert.deepEqual(from(1, 1, "Enter"), [1, 1]);
});

test("ink is legible on every colour: at least 4.5 to 1", () => {
  const light = (hex) => [1, 3, 5].reduce((sum, at, k) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return sum + [0.2126, 0.7152, 0.0722][k] * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
  for (let value = 0; value < 4096; value += 7) {
    const hex = `#${[8, 4, 0].map((bit) => (((value >> bit) & 15) * 17).toString(16).padStart(2, "0")).join("")}`;
    const [a, b] = [light(hex), light(compare.inkOn(hex))].sort((x, y) => x - y);
    assert.ok((b + 0.05) / (a + 0.05) >= 4.5, hex);
  }
});

test("texts are short, and their minus signs true", () => {
  const texts = [0.1839, -0.0123, 0.00049, 0, NaN, 1.5].map(compare.cellText);
  assert.deepEqual(texts, ["0.18", "−0.012", "5e−4", "0", "", "1.50"]);
  assert.deepEqual([1, 0.123, 0.0456, -0.2].map(compare.percent), ["100 %", "12 %", "4.6 %", "−20 %"]);
  const texted = compare.shareScale("share", -0.5, 0.5).ticks.map(({ text }) => text);
  assert.deepEqual(texted, ["≤ −50 %", "0", "≥ 50 %"]);
  assert.deepEqual(compare.shareScale("share", 0, 0.5).ticks.map(({ text }) => text), ["0", "25 %", "≥ 50 %"]);
});

const PAIR = [{ name: "A #1", count: 50, compared: 48 }, { name: "A #2", count: 48, compared: 48 }];

test("all that is known of a pair is told", () => {
  const known = {
    symmetric: 0.3, corrected: 0.184, error: 0.025, null_mean: 0.116, null_std: 0.02, p_value: 0.001, p_adjusted: 0.01,
    nuisance_p: 0.004, nuisance_p_adjusted: 0.04,
  };
  const lines = Object.fromEntries(compare.linesOfPair(...PAIR, (measure) => known[measure]));
  assert.deepEqual(lines, {
    domains: "A #1, A #2", points: "48, 48", divergence: "0.184 ± 0.025 nats per feature", raw: "0.300",
    "raw of equal domains": "0.116 ± 0.020", "p at like places": "0.001, adjusted 0.01", "p of nuisances": "0.004, adjusted 0.04",
  });
});

test("what is not known of a pair is left out", () => {
  const lines = compare.linesOfPair(...PAIR, (measure) => ({ corrected: -0.01, p_value: 0.5, nuisance_p: NaN })[measure]);
  assert.deepEqual(lines.slice(2), [["divergence", "−0.0100 nats per feature"], ["p at like places", "0.5"]]);
});

test("of one domain its points are told, and how many of them were compared", () => {
  assert.deepEqual(compare.linesOfDomain(PAIR[0]), [["domain", "A #1"], ["points", "50"], ["compared", "48"]]);
});
