import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const tree = await import(pathToFileURL(join(process.env.ATOMOTIF_WIDGET, "link_tree.js")).href);

const u32 = (...rows) => Uint32Array.from(rows);
// Three nodes: two occurrences of one point, one of three (which share a point with the last), one of two.
const TREE = {
  occurrenceOffset: u32(0, 2, 3, 4),
  memberOffset: u32(0, 1, 2, 5, 7),
  memberRow: Int32Array.from([4, 7, 1, 2, 3, 3, 9]),
};
const LABELS = Int32Array.from([0, 0, 0, 1, 2, 0, 0, 2, -1, -1]);

test("the rows of nodes are those of all their occurrences", () => {
  assert.deepEqual(tree.rowsOfNodes([0], TREE), u32(4, 7));
  assert.deepEqual(tree.rowsOfNodes([2, 0], TREE), u32(3, 9, 4, 7));
  assert.deepEqual(tree.rowsOfNodes([], TREE), u32());
});

test("a node tells how many of its occurrences are touched, and which are selected as a whole", () => {
  const of = (...rows) => tree.occurrencesTouched(u32(...rows), 10, TREE);
  assert.deepEqual(of(), { touched: u32(0, 0, 0), whole: [] });
  assert.deepEqual(of(4), { touched: u32(1, 0, 0), whole: [0] });
  assert.deepEqual(of(3), { touched: u32(0, 1, 1), whole: [] });
  assert.deepEqual(of(1, 2, 3, 4, 7, 9), { touched: u32(2, 1, 1), whole: [0, 1, 2, 3] });
});

test("an occurrence without a point is never touched", () => {
  const bare = { occurrenceOffset: u32(0, 1), memberOffset: u32(0, 0), memberRow: new Int32Array(0) };
  assert.deepEqual(tree.occurrencesTouched(u32(0, 1), 2, bare), { touched: u32(0), whole: [] });
  assert.deepEqual(tree.nodesMadeOf(u32(0), LABELS, bare), Uint8Array.from([0]));
});

test("a selected node touches itself: what a tap selects lights the node that was tapped", () => {
  for (const node of [0, 1, 2]) {
    const { touched, whole } = tree.occurrencesTouched(tree.rowsOfNodes([node], TREE), 10, TREE);
    const [first, end] = [TREE.occurrenceOffset[node], TREE.occurrenceOffset[node + 1]];
    assert.equal(touched[node], end - first);
    for (let one = first; one < end; one++) assert.ok(whole.includes(one));
  }
});

test("nodes made of selected motifs have no point of another, and none without a motif", () => {
  const made = (...rows) => Array.from(tree.nodesMadeOf(u32(...rows), LABELS, TREE));
  assert.deepEqual(made(4), [1, 0, 0]); // motif 2
  assert.deepEqual(made(0), [0, 0, 0]); // motif 0 alone
  assert.deepEqual(made(0, 3), [0, 1, 0]); // motifs 0 and 1
  assert.deepEqual(made(8, 3, 4), [1, 0, 0]); // points without a motif make nothing
  assert.deepEqual(made(), [0, 0, 0]);
});

test("a composition is told in names as they were typed", () => {
  const discs = {
    discOffset: u32(0, 3, 5), discLabel: Int32Array.from([1, 1, 0, 0, 7]), discMissing: Uint8Array.from([0, 0, 1, 0, 0]),
  };
  assert.equal(tree.compositionOf(0, discs, ["<b>", "V"]), "2 V + no <b>");
  assert.equal(tree.compositionOf(1, discs, ["A", "V"]), "A + none");
});

const DRAWN = {
  nodeLevel: Int32Array.from([1, 1, 1, 3]), nodeCount: Int32Array.from([9, 2, 5, 1]), nodeOrder: Int32Array.from([2, 0, 1, 0]),
  nodeWidth: Float32Array.from([1, 1, 1, 3]), nodeHeight: Float32Array.from([1, 1, 1, 2]),
};
const SPACE = { gap: 1, rowGap: 2, char: 0, line: 0, mostWidth: 100 };

test("nodes are placed in their order, rows below one another", () => {
  const placed = tree.placeTree(DRAWN, SPACE);
  assert.deepEqual(placed.node, [1, 2, 0, 3]);
  assert.deepEqual(placed.x, [-2, 0, 2, 0]);
  assert.deepEqual(placed.y, [0.5, 0.5, 0.5, 4]);
  assert.deepEqual(placed.extent, { x0: -2.5, x1: 2.5, y0: 0, y1: 5 });
  assert.equal(placed.folded, 0);
});

test("where there is no room the most frequent are kept", () => {
  const placed = tree.placeTree(DRAWN, { ...SPACE, mostWidth: 3 });
  assert.deepEqual(placed.node, [2, 0, 3]);
  assert.deepEqual(placed.rows.map(({ level, folded }) => [level, folded]), [[1, 1], [3, 0]]);
  assert.equal(placed.folded, 1);
});

test("a restricted tree is placed without the others, an empty one anywhere", () => {
  const placed = tree.placeTree(DRAWN, { ...SPACE, keep: Uint8Array.from([0, 1, 0, 0]) });
  assert.deepEqual([placed.node, placed.x, placed.folded], [[1], [0], 0]);
  const none = tree.fitTree(DRAWN, { keep: new Uint8Array(4), step: 1, width: 300, height: 200 });
  assert.deepEqual([none.node, none.folded], [[], 0]);
  assert.ok(none.scale > 0 && Number.isFinite(none.scale));
});

test("a tap takes the card under it, a lasso or a box those whose middle is inside", () => {
  const cards = { x: [0, 5], y: [0, 0], width: [2, 4], height: [2, 2] };
  const hit = (geometry) => Array.from(tree.cardsHit(geometry, cards));
  assert.deepEqual(hit({ type: "point", x: 3.2, y: 0.9 }), [1]);
  assert.deepEqual(hit({ type: "point", x: 2, y: 0 }), []);
  assert.deepEqual(hit({ type: "point", x: NaN, y: NaN }), []);
  assert.deepEqual(hit({ type: "rect", x0: -1, x1: 4.9, y0: -1, y1: 1 }), [0]);
  assert.deepEqual(hit({ type: "poly", x: [4, 6, 5], y: [-1, -1, 2] }), [1]);
});

const inside = (x, y, centers, radius) => centers.some(([cx, cy]) => Math.hypot(x - cx, y - cy) < 0.97 * radius);

test("an outline runs round circles and through none", () => {
  const centers = [[0, 0], [1, 0], [0.5, 0.2], [9, 9]];
  const circles = {
    outlineX: Float32Array.from(centers, ([x]) => x), outlineY: Float32Array.from(centers, ([, y]) => y),
    outlineOffset: u32(0, 3, 4),
  };
  const { x, y } = tree.outlinesOf([0], circles, 0.6);
  const seen = Array.from(x, (value, k) => [value, y[k]]).filter(([value]) => Number.isFinite(value));
  assert.ok(seen.length > 40);
  for (const [px, py] of seen) {
    assert.ok(!inside(px, py, centers, 0.6));
    assert.ok(Math.min(...centers.map(([cx, cy]) => Math.abs(Math.hypot(px - cx, py - cy) - 0.6))) < 1e-6);
  }
  // All round: in every direction from the middle there is a part of it.
  const angles = seen.map(([px, py]) => Math.atan2(py, px - 0.5)).sort((a, b) => a - b);
  for (let k = 1; k < angles.length; k++) assert.ok(angles[k] - angles[k - 1] < 0.5);
});

test("a single circle is closed, and no occurrence has no outline", () => {
  const circles = { outlineX: Float32Array.from([2]), outlineY: Float32Array.from([3]), outlineOffset: u32(0, 1) };
  const { x, y } = tree.outlinesOf([0], circles, 1);
  assert.ok(Number.isNaN(x.at(-1)));
  assert.ok(Math.abs(x[0] - x.at(-2)) < 1e-9 && Math.abs(y[0] - y.at(-2)) < 1e-9);
  assert.equal(tree.outlinesOf([], circles, 1).x.length, 0);
});
