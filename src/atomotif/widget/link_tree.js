// The linking of motif-cells with points, and where motif-cells are drawn: pure functions over typed arrays, as
// in link.js. `tree` holds the columns that views/tree_data.py describes.
import { rowsInPolygon, rowsInRect } from "./link.js";

// As in views/tree_layout.py, which places the tree of a saved picture.
const MOST_ROWS = 8;
const MOST_IN_ROW = 12;
const FOLDED_CHARS = 8; // of "+23 rare"
const [CHAR, LINE] = [7, 16]; // px of a count
const [GAP, ROW_GAP] = [0.8, 1.4]; // between drawings and between rows, in shortest lattice vectors
// Px of the shortest lattice vector: what it may shrink to for the sake of more motif-cells in a row, and its largest.
const [LEAST_STEP, MOST_STEP] = [16, 60];
const STEPS = 32; // of a circle in an outline

// ---------------------------------------------------------------- nodes and points

// The rows of the points of all occurrences of these nodes, neither sorted nor distinct.
export function rowsOfNodes(nodes, { occurrenceOffset, memberOffset, memberRow }) {
  const runs = Array.from(nodes, (node) =>
    memberRow.subarray(memberOffset[occurrenceOffset[node]], memberOffset[occurrenceOffset[node + 1]]),
  );
  const rows = new Uint32Array(runs.reduce((n, run) => n + run.length, 0));
  let at = 0;
  for (const run of runs) {
    rows.set(run, at);
    at += run.length;
  }
  return rows;
}

// Of how many occurrences of each node some point is among `rows`, and the occurrences all of whose points are.
export function occurrencesTouched(rows, nRows, { occurrenceOffset, memberOffset, memberRow }) {
  const chosen = new Uint8Array(nRows);
  for (let k = 0; k < rows.length; k++) chosen[rows[k]] = 1;
  const touched = new Uint32Array(occurrenceOffset.length - 1);
  const whole = [];
  for (let node = 0; node < touched.length; node++) {
    for (let one = occurrenceOffset[node]; one < occurrenceOffset[node + 1]; one++) {
      const [start, end] = [memberOffset[one], memberOffset[one + 1]];
      let n = 0;
      for (let k = start; k < end; k++) n += chosen[memberRow[k]];
      if (n) touched[node]++;
      if (n && n === end - start) whole.push(one);
    }
  }
  return { touched, whole };
}

// Which nodes are made only of motifs that points among `rows` have: those with an occurrence of such points.
export function nodesMadeOf(rows, labels, { occurrenceOffset, memberOffset, memberRow }) {
  const wanted = new Set();
  for (let k = 0; k < rows.length; k++) wanted.add(labels[rows[k]]);
  wanted.delete(-1);
  return Uint8Array.from({ length: occurrenceOffset.length - 1 }, (_, node) => {
    for (let one = occurrenceOffset[node]; one < occurrenceOffset[node + 1]; one++) {
      const members = memberRow.subarray(memberOffset[one], memberOffset[one + 1]);
      if (members.length && members.every((row) => wanted.has(labels[row]))) return 1;
    }
    return 0;
  });
}

// What a node is made of, in words: "2 V_Se + no Mo".
export function compositionOf(node, { discOffset, discLabel, discMissing }, names) {
  const counts = new Map();
  for (let k = discOffset[node]; k < discOffset[node + 1]; k++) {
    const name = names[discLabel[k]] ?? (discMissing[k] ? "column" : "none");
    const part = discMissing[k] ? `no ${name}` : name;
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  return [...counts].map(([part, n]) => (n > 1 ? `${n} ${part}` : part)).join(" + ");
}

// ---------------------------------------------------------------- where nodes are drawn

export const whole = (n) => n.toLocaleString("en-GB");

// Places the most frequent of the nodes for which `keep` is set (all without it), each row centred; see
// `place_tree` of views/tree_layout.py. A count at the right of its drawing takes `char` a character.
export function placeTree(
  { nodeLevel, nodeCount, nodeOrder, nodeWidth, nodeHeight }, { keep, gap, rowGap, char, line, mostWidth },
) {
  const rows = new Map();
  for (let node = 0; node < nodeLevel.length; node++) {
    if (keep && !keep[node]) continue;
    const row = rows.get(nodeLevel[node]) ?? { level: nodeLevel[node], occurrences: 0, nodes: [] };
    rows.set(row.level, row);
    row.occurrences += nodeCount[node];
    row.nodes.push(node);
  }
  const room = (node) => nodeWidth[node] + char * (3 + 2 * whole(nodeCount[node]).length);
  const kept = [...rows.values()]
    .sort((a, b) => b.occurrences - a.occurrences || a.level - b.level)
    .slice(0, MOST_ROWS)
    .sort((a, b) => a.level - b.level);
  const placed = { node: [], x: [], y: [], room: [], rows: [] };
  let folded = [...rows.values()].reduce((n, { nodes }) => n + nodes.length, 0);
  let top = 0;
  let [half, end] = [0, 0];
  for (const { level, nodes } of kept) {
    const frequent = nodes
      .sort((a, b) => nodeCount[b] - nodeCount[a] || nodeOrder[a] - nodeOrder[b])
      .slice(0, MOST_IN_ROW);
    let width = -gap;
    const shown = frequent
      .filter((node, k) => (width += room(node) + gap) <= mostWidth || k === 0)
      .sort((a, b) => nodeOrder[a] - nodeOrder[b]);
    const right = shown.reduce((sum, node) => sum + room(node) + gap, -gap) / 2;
    const tall = Math.max(line, ...shown.map((node) => nodeHeight[node]));
    let left = -right;
    for (const node of shown) {
      placed.node.push(node);
      placed.x.push(left + nodeWidth[node] / 2);
      placed.y.push(top + tall / 2);
      placed.room.push(room(node));
      left += room(node) + gap;
    }
    const rare = nodes.length - shown.length;
    placed.rows.push({ level, folded: rare, y: top + tall / 2, right });
    folded -= shown.length;
    half = Math.max(half, right);
    end = Math.max(end, right + (rare ? gap + FOLDED_CHARS * char : 0));
    top += tall + rowGap;
  }
  return { ...placed, folded, extent: { x0: -half, x1: end, y0: 0, y1: Math.max(0, top - rowGap) } };
}

// The nodes placed in a frame of width x height px, and the length of a pixel. Counts have a size in px, so that
// how much room they take depends on the scale, and the scale on them.
export function fitTree(tree, { keep, step, width, height }) {
  let placed;
  let [scale, tall] = [0, 0];
  for (let round = 0; round < 4; round++) {
    placed = placeTree(tree, {
      keep, gap: GAP * step, rowGap: ROW_GAP * step, char: Math.min(CHAR * scale, step), line: LINE * scale,
      mostWidth: Math.max((step * width) / LEAST_STEP, (tall * width) / height),
    });
    const { x0, x1, y1 } = placed.extent;
    tall = y1 + step;
    // A single motif-cell is not to fill the frame.
    scale = Math.max((x1 - x0 + step) / width, tall / height, step / MOST_STEP);
  }
  return { ...placed, scale };
}

// The numbers of the cards {x, y, width, height} that a gesture meets: the one tapped, or those whose middle is
// within a lasso or a box.
export function cardsHit(geometry, { x, y, width, height }) {
  if (geometry.type === "rect") return rowsInRect(x, y, geometry);
  if (geometry.type === "poly") return rowsInPolygon(x, y, geometry);
  const tapped = x.findIndex(
    (_, k) => Math.abs(geometry.x - x[k]) <= width[k] / 2 && Math.abs(geometry.y - y[k]) <= height[k] / 2,
  );
  return Uint32Array.from(tapped < 0 ? [] : [tapped]);
}

// ---------------------------------------------------------------- outlines

// The outlines of occurrences as one broken line {x, y}: of the circles of each, the arcs that are in no other.
export function outlinesOf(occurrences, { outlineX, outlineY, outlineOffset }, radius) {
  const [x, y] = [[], []];
  for (const one of occurrences) {
    const [start, end] = [outlineOffset[one], outlineOffset[one + 1]];
    for (let k = start; k < end; k++) {
      const near = [];
      for (let j = start; j < end; j++) {
        const [dx, dy] = [outlineX[j] - outlineX[k], outlineY[j] - outlineY[k]];
        if (j !== k && dx * dx + dy * dy < 4 * radius * radius) near.push([dx, dy]);
      }
      const seen = Array.from({ length: STEPS }, (_, step) => {
        const [cx, cy] = circle(step, radius);
        return near.every(([dx, dy]) => (cx - dx) ** 2 + (cy - dy) ** 2 > 0.98 * radius * radius);
      });
      // From a step that is not seen on, so that no arc is cut in two; all round where all of it is seen.
      const first = Math.max(0, seen.indexOf(false));
      for (let step = first; step <= first + STEPS; step++) {
        const [cx, cy] = circle(step, radius);
        x.push(seen[step % STEPS] ? outlineX[k] + cx : NaN);
        y.push(seen[step % STEPS] ? outlineY[k] + cy : NaN);
      }
      x.push(NaN);
      y.push(NaN);
    }
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y) };
}

function circle(step, radius) {
  const angle = (2 * Math.PI * step) / STEPS;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}
