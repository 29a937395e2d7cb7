import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const sets = await import(pathToFileURL(join(process.env.ATOMOTIF_WIDGET, "link_sets.js")).href);

const u32 = (...rows) => Uint32Array.from(rows);
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

// Two classes with a point in common; the points 1 and 4 are centres of the first, 2 of the second.
const CLASSES = { row: Int32Array.from([0, 1, 4, 5, 2, 5]), offset: u32(0, 4, 6) };
const OF_CENTER = Uint8Array.from([255, 0, 1, 255, 0, 255]);

test("the rows of a class are those of its centres and rings", () => {
  assert.deepEqual(sets.rowsOfClass(0, CLASSES), u32(0, 1, 4, 5));
  assert.deepEqual(sets.rowsOfClass(1, CLASSES), u32(2, 5));
});

test("the centres alone are counted", () => {
  assert.deepEqual(sets.countCenters(u32(), OF_CENTER, 2), u32(0, 0));
  assert.deepEqual(sets.countCenters(u32(0, 3, 5), OF_CENTER, 2), u32(0, 0));
  assert.deepEqual(sets.countCenters(u32(0, 1, 2, 4), OF_CENTER, 2), u32(2, 1));
});

test("a class lights itself: what a tap selects has all of its centres", () => {
  for (const [k, all] of [[0, 2], [1, 1]]) {
    assert.equal(sets.countCenters(sets.rowsOfClass(k, CLASSES), OF_CENTER, 2)[k], all);
  }
});

test("the discs of an environment lie on the unit disc and do not touch", () => {
  for (const sizes of [[], [3], [3, 6], [4, 8, 40], [0, 2], [1, 1, 1]]) {
    const { places, radius, circles } = sets.ringPlaces(sizes);
    assert.equal(places.length, 1 + sizes.reduce((n, size) => n + size, 0));
    assert.equal(circles.length, sizes.length);
    for (const [k, a] of places.entries()) {
      assert.ok(Math.hypot(a.x, a.y) + radius <= 1);
      for (const b of places.slice(k + 1)) assert.ok(Math.hypot(a.x - b.x, a.y - b.y) > 2 * radius);
    }
  }
});

test("the first disc of a ring is above the centre", () => {
  const { places } = sets.ringPlaces([3]);
  near(places[1].x, 0);
  assert.ok(places[1].y < 0);
  assert.deepEqual(places.map(({ ring }) => ring), [0, 1, 1, 1]);
});

// Three quads, the first two of state 5 and with points in common, one without a state; a point is not shown.
const QUADS = {
  quadRow: Int32Array.from([0, 1, 2, 3, 2, 3, 4, -1, 5, 6, 7, 8, 0, 1, 5, 6]),
  quadState: Uint8Array.from([5, 5, 9, 255]),
};

test("the rows of a state are those of its quads, as far as they are shown", () => {
  assert.deepEqual(sets.rowsOfState(5, QUADS), u32(0, 1, 2, 3, 2, 3, 4));
  assert.deepEqual(sets.rowsOfState(9, QUADS), u32(5, 6, 7, 8));
  assert.deepEqual(sets.rowsOfState(0, QUADS), u32());
});

test("a quad is selected with all of its points, and touched with one", () => {
  const of = (...rows) => {
    const { full, touched } = sets.quadsSelected(u32(...rows), 9, QUADS);
    assert.equal(full.length, 16);
    return [full[5], touched[5], full[9], touched[9]];
  };
  assert.deepEqual(of(), [0, 0, 0, 0]);
  assert.deepEqual(of(3), [0, 2, 0, 0]);
  assert.deepEqual(of(0, 1, 2, 3), [1, 2, 0, 0]);
  assert.deepEqual(of(2, 3, 4, 8), [1, 2, 0, 1]); // the point that is not shown is not missed
  assert.deepEqual(of(0, 1, 2, 3, 4, 5, 6, 7, 8), [2, 2, 1, 1]);
});

test("a quad of which no point is shown is never selected", () => {
  const none = { quadRow: Int32Array.from([-1, -1, -1, -1]), quadState: Uint8Array.from([3]) };
  assert.deepEqual(sets.quadsSelected(u32(0), 1, none).full[3], 0);
});

test("corners follow by quarter turns, and the arrow points towards those that are filled", () => {
  const { corners, arrow } = sets.quadPlaces(0b0001, Math.PI / 4);
  corners.forEach(({ x, y }, k) => {
    near(x, [1, -1, -1, 1][k] * Math.SQRT1_2); // lower right, lower left, upper left, upper right
    near(y, [1, 1, -1, -1][k] * Math.SQRT1_2);
  });
  assert.deepEqual(corners.map(({ filled }) => filled), [true, false, false, false]);
  near(arrow.dx, Math.SQRT1_2);
  near(arrow.dy, Math.SQRT1_2);
  const up = sets.quadPlaces(0b1100, Math.PI / 4).arrow;
  near(up.dx, 0);
  near(up.dy, -Math.SQRT2);
  for (const balanced of [0, 5, 10, 15]) assert.equal(sets.quadPlaces(balanced, 0.3).arrow, undefined);
});
