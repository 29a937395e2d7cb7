// Tiles that stand for sets of points: classes of environments, states of quads.
import { faded, tileOf } from "./link.js";
import { arrowOutline } from "./link_layer.js";
import * as sets from "./link_sets.js";
import { draw, element, peeking, shape, whole } from "./panels.js";

const MOST_RINGS = 3; // in a drawing
const SIZE = 100; // of a drawing, in its own units

function drawing(...shapes) {
  const box = shape("svg", { class: "am-drawing", viewBox: `${-SIZE / 2} ${-SIZE / 2} ${SIZE} ${SIZE}`, "aria-hidden": "true" });
  box.append(...shapes);
  return box;
}

// A button of a set of `all` things. `mark(n, touched)` says how many of them are selected.
function setTile({ color, title, all, tap, peek }) {
  const tile = element("button", "am-tile");
  tile.type = "button";
  tile.title = title;
  tile.style.setProperty("--am-motif", color);
  tile.addEventListener("click", (event) => {
    peek.stop();
    tap(event);
  });
  tile.addEventListener("pointerleave", () => peek.at(undefined));
  const count = element("span", "am-count");
  const share = element("span", "am-share");
  const mark = (n, touched, any) => {
    tile.setAttribute("aria-pressed", String(all > 0 && n === all));
    tile.classList.toggle("am-some", n > 0);
    tile.classList.toggle("am-dim", any && touched === 0);
    count.textContent = any ? `${whole(n)} / ${whole(all)}` : whole(all);
    share.style.setProperty("--am-share", String(all ? n / all : 0));
  };
  return { tile, count, share, mark };
}

// ---------------------------------------------------------------- environments

function ringsDrawing(center, rings) {
  const drawn = rings.slice(0, MOST_RINGS);
  const { places, circles, radius } = sets.ringPlaces(drawn.map((ring) => ring.length));
  const half = SIZE / 2 - 1;
  const colors = [center, ...drawn.flat()];
  return drawing(
    ...circles.map((circle) => shape("circle", { r: circle * half, class: "am-ring" })),
    ...places.map(({ x, y }, k) =>
      shape("circle", { cx: x * half, cy: y * half, r: radius * half * (k ? 1 : 1.15), fill: colors[k] }),
    ),
  );
}

// One tile a class: average and drawing of the rings, what they are made of, how many centres are selected.
export function environmentTiles({ facts, columns, shapes, stale, onTap, onPeek }) {
  const { tiles, note } = facts.environments;
  const { environmentOfCenter, environmentRow: row, environmentOffset: offset, environmentAverage: average } = columns;
  const fade = stale ? faded : (color) => color;
  const box = element("div", "am-sets");
  const grid = element("div", "am-environments");
  const peek = peeking((k) => onPeek(k === undefined ? undefined : sets.rowsOfClass(k, { row, offset })));
  const made = tiles.map((one, k) => {
    const text = [one.name, ...one.text].join(" · ");
    const color = fade(one.color);
    const tile = setTile({
      color, title: text, all: one.count, peek, tap: (event) => onTap(sets.rowsOfClass(k, { row, offset }), event),
    });
    const pictures = element("span", "am-set-pictures");
    if (average) {
      const canvas = element("canvas", "am-average");
      draw(canvas, tileOf(average, shapes.environmentAverage, k));
      pictures.append(canvas);
    }
    pictures.append(ringsDrawing(color, one.rings.map((ring) => ring.map(fade))));
    tile.tile.append(pictures, element("span", "am-set-text", text), tile.count, tile.share);
    tile.tile.addEventListener("pointerenter", () => peek.at(k));
    grid.append(tile.tile);
    return tile;
  });
  box.append(grid);
  if (note) box.append(element("p", "am-set-note", note));

  function show(rows) {
    const counts = sets.countCenters(rows, environmentOfCenter, made.length);
    made.forEach(({ mark }, k) => mark(counts[k], counts[k], rows.length > 0));
  }
  return { box, show };
}

// ---------------------------------------------------------------- quads

function quadDrawing(state, orientation, color) {
  const { corners, arrow } = sets.quadPlaces(state, orientation);
  const [reach, half] = [33, 12];
  const turn = (orientation * 180) / Math.PI - 45; // sides of a corner are along those of the quad
  const outline = shape("polygon", {
    points: corners.map(({ x, y }) => `${reach * x},${reach * y}`).join(" "), class: "am-ring",
  });
  const squares = corners.map(({ x, y, filled }) =>
    shape("rect", {
      x: -half, y: -half, width: 2 * half, height: 2 * half,
      transform: `translate(${reach * x} ${reach * y}) rotate(${turn})`,
      ...(filled ? { fill: color, class: "am-corner" } : { class: "am-corner am-corner-empty" }),
    }),
  );
  if (!arrow) return drawing(outline, ...squares);
  const length = 19;
  const points = arrowOutline({ x: 0, y: 0, dx: length * arrow.dx, dy: length * arrow.dy, width: 4 });
  return drawing(outline, ...squares, shape("polygon", { points: points.map((at) => at.join(",")).join(" "), class: "am-arrow" }));
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

// The sixteen states: drawing, how often each occurs and would by chance, how many of its quads are selected.
export function quadTiles({ facts, columns, stale, onTap, onPeek }) {
  const { tiles, orientation, text } = facts.quads;
  const fade = stale ? faded : (color) => color;
  const most = Math.max(...tiles.flatMap(({ share, chance }) => [share, chance]), 1e-9);
  const box = element("div", "am-sets");
  const grid = element("div", "am-quads");
  const peek = peeking((state) => onPeek(state === undefined ? undefined : sets.rowsOfState(state, columns)));
  const made = tiles.map(({ state, count, share, chance, color }) => {
    const tile = setTile({
      color: fade(color), all: count, peek,
      title: `${whole(count)} quads, ${percent(share)}; independent corners would give ${percent(chance)}`,
      tap: (event) => onTap(sets.rowsOfState(state, columns), event),
    });
    const bar = element("span", "am-abundance");
    bar.style.setProperty("--am-of", String(share / most));
    bar.style.setProperty("--am-chance", String(chance / most));
    const numbers = element("span", "am-set-numbers");
    numbers.append(element("span", "", percent(share)), element("span", "am-chance", `chance ${percent(chance)}`));
    tile.tile.append(quadDrawing(state, orientation, fade(color)), tile.count, bar, numbers);
    tile.tile.addEventListener("pointerenter", () => peek.at(state));
    grid.append(tile.tile);
    return { state, ...tile };
  });
  box.append(grid, ...text.map((line) => element("p", "am-set-note", line)));

  function show(rows) {
    const { full, touched } = sets.quadsSelected(rows, columns.id.length, columns);
    made.forEach(({ state, mark }) => mark(full[state], touched[state], rows.length > 0));
  }
  return { box, show };
}
