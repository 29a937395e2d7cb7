// The page's own elements around the figures: panels, gallery, summary, hover card. Every text goes through
// textContent, so that a name is shown as it was typed and never read as markup.
import { countMotifs, cropPatch, MODES, stretch, tileOf } from "./link.js";

// What motifs are called: where there are only anchors, these take their place.
export const KINDS = {
  motif: { gallery: "Motifs", average: "motif average", confidence: "confidence" },
  anchor: { gallery: "Nearest anchor", average: "anchor average", confidence: "weight" },
};
// The weights of anchors as text; `of` gives that of each.
export const weightText = (names, of) => names.map((name, k) => `${of(k).toFixed(2)} ${name}`).join(" · ");


const TITLES = {
  micrograph: "Micrograph", layout: "Layout", tree: "Motif-cells", anchors: "Anchors", selection: "Selection",
  environments: "Environments", quads: "Quads", comparison: "Comparison of domains",
};
const PEEK = 150; // ms that the pointer rests on a motif before it is lit
const MODE_TITLES = { replace: "Replace", add: "Add", subtract: "Remove", intersect: "Intersect" };
const HINT =
  "Drag a lasso or a box, tap a column, a tile or a motif-cell. Shift adds, Ctrl or ⌘ removes, Alt intersects; " +
  "Esc or a double tap clears.";

export const whole = (n) => n.toLocaleString("en-GB");

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// An element of a drawing.
export function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function draw(canvas, { width, height, rgba }) {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
}

export function panel(name, isStale, title = TITLES[name]) {
  const box = element("section", `am-panel am-panel-${name}`);
  const head = element("header", "am-panel-head");
  head.append(element("h2", "", title));
  if (isStale) {
    box.classList.add("am-stale");
    head.append(element("span", "am-badge", "out of date"));
  }
  const body = element("div", "am-panel-body");
  box.append(head, body);
  return { box, head, body };
}

// A switch that looks like a button; `onChange` gets whether it is pressed.
export function toggle(text, pressed, onChange) {
  const button = element("button", "am-button", text);
  button.type = "button";
  const set = (value) => button.setAttribute("aria-pressed", String(value));
  set(pressed);
  button.addEventListener("click", () => {
    const value = button.getAttribute("aria-pressed") !== "true";
    set(value);
    onChange(value);
  });
  return button;
}

// The bar above the views: what is selected, how a gesture combines, clear and invert.
export function selectionBar({
  facts, labels, mode: first, compact, analyses, analysis, onAnalysis, onMode, onClear, onInvert,
}) {
  const box = element("div", "am-bar");
  const summary = element("div", "am-summary");
  summary.setAttribute("role", "status");
  const modes = element("div", "am-modes");
  modes.setAttribute("role", "group");
  modes.setAttribute("aria-label", "What a gesture does to the selection");
  const buttons = MODES.map((mode) => {
    const button = element("button", "am-button", MODE_TITLES[mode]);
    button.type = "button";
    button.setAttribute("aria-pressed", String(mode === first));
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      onMode(mode);
    });
    return button;
  });
  modes.append(...buttons);
  const action = (text, onClick) => {
    const button = element("button", "am-button", text);
    button.type = "button";
    button.addEventListener("click", onClick);
    return button;
  };
  const controls = element("div", "am-controls");
  controls.append(modes, action("Invert", onInvert), action("Clear", onClear));
  if (analyses.length > 1) box.append(tabs(analyses, analysis, onAnalysis));
  box.append(summary);
  if (labels.length === 0) return { box, show };
  box.append(controls);
  if (compact) controls.title = HINT;
  else box.append(element("p", "am-hint", HINT));

  function show(rows) {
    if (labels.length === 0) {
      summary.replaceChildren(element("strong", "", "No columns yet: call run() on the session."));
      return;
    }
    const total = element("strong", "", `${whole(rows.length)} of ${whole(labels.length)} columns selected`);
    const { counts, none } = countMotifs(labels, rows, facts.motifs.length);
    const parts = facts.motifs.flatMap((motif, k) => (counts[k] ? [chip(motif.name, motif.color, counts[k])] : []));
    if (none && facts.motifs.length) parts.push(chip("none", facts.neutral, none));
    summary.replaceChildren(total, ...parts);
  }
  return { box, show };
}

// One tab an analysis: the session's own and its branches.
function tabs(names, current, onChoose) {
  const box = element("div", "am-tabs");
  box.setAttribute("role", "tablist");
  box.setAttribute("aria-label", "Analysis");
  for (const name of names) {
    const tab = element("button", "am-tab", name);
    tab.type = "button";
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", String(name === current));
    tab.addEventListener("click", () => onChoose(name));
    box.append(tab);
  }
  return box;
}

export function swatch(color) {
  const mark = element("span", "am-swatch");
  mark.style.setProperty("--am-motif", color);
  return mark;
}

// What a colour means.
export function legend({ name, color }) {
  const made = element("span", "am-chip");
  made.append(swatch(color), element("span", "am-name", name));
  return made;
}

function chip(name, color, count) {
  const made = element("span", "am-chip");
  made.append(swatch(color), element("span", "am-name", name), element("span", "am-count", whole(count)));
  return made;
}

// A scale of colours with its ends; `ticks` are of the lower end, the middle and the upper end.
export function scaleBar({ title, ticks }, palette) {
  const stops = palette.filter((_, k) => k % 8 === 0 || k === palette.length - 1);
  const bar = element("span", "am-scale");
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  const labels = ticks.map(({ text }) => element("span", "am-number", text));
  const box = element("span", "am-scale-box");
  box.append(element("span", "am-key-title", title), labels[0], bar, labels[2]);
  bar.append(element("span", "am-scale-middle"));
  bar.title = `middle: ${ticks[1].text}`;
  return box;
}

// Tells `onPeek` of the thing that the pointer rests on, and with undefined that it has left.
export function peeking(onPeek) {
  let resting;
  const stop = () => clearTimeout(resting);
  const at = (thing) => {
    stop();
    resting = setTimeout(() => onPeek(thing), thing === undefined ? 0 : PEEK);
  };
  return { at, stop };
}

// One button a motif: class average, name, how many of its points are selected.
export function gallery({ facts, labels, averages, averagesShape, onTap, onPeek }) {
  const box = element("div", "am-gallery");
  const peek = peeking(onPeek);
  const tiles = facts.motifs.map((motif, index) => {
    const tile = element("button", "am-tile");
    tile.type = "button";
    tile.style.setProperty("--am-motif", motif.color);
    tile.title = motif.name;
    if (averages) {
      const canvas = element("canvas", "am-average");
      draw(canvas, tileOf(averages, averagesShape, index));
      tile.append(canvas);
    }
    const caption = element("span", "am-caption");
    caption.append(swatch(motif.color), element("span", "am-name", motif.name));
    const count = element("span", "am-count", whole(motif.count));
    const share = element("span", "am-share");
    tile.append(caption, count, share);
    tile.addEventListener("click", (event) => {
      peek.stop();
      onTap(index, event);
    });
    tile.addEventListener("pointerenter", () => peek.at(index));
    tile.addEventListener("pointerleave", () => peek.at(undefined));
    box.append(tile);
    return { tile, count, share };
  });

  function show(rows) {
    const { counts } = countMotifs(labels, rows, tiles.length);
    tiles.forEach(({ tile, count, share }, k) => {
      const { count: all } = facts.motifs[k];
      tile.setAttribute("aria-pressed", String(all > 0 && counts[k] === all));
      tile.classList.toggle("am-some", counts[k] > 0);
      tile.classList.toggle("am-dim", rows.length > 0 && counts[k] === 0);
      count.textContent = rows.length ? `${whole(counts[k])} / ${whole(all)}` : whole(all);
      share.style.setProperty("--am-share", String(all ? counts[k] / all : 0));
    });
  }
  return { box, show };
}

// A card near the pointer. `show(row, event)` shows the patch of a point beside the average of its motif;
// `tell(about, lines, event)` the lines that it is given.
export function hoverCard({ facts, columns, shapes, copyAt }) {
  const card = element("div", "am-card");
  // On the browser's top layer: a notebook may clip or move what is laid out inside of it.
  card.popover = "manual";
  const pictures = element("div", "am-card-pictures");
  const patch = picture("patch");
  const { average: caption, confidence } = KINDS[facts.kind];
  const average = picture(caption);
  pictures.append(patch.box, average.box);
  const text = element("dl", "am-card-text");
  card.append(pictures, text);
  let shown;

  function linesOf(row) {
    const motif = facts.motifs[columns.label[row]];
    card.style.setProperty("--am-motif", motif?.color ?? facts.neutral);
    patch.box.hidden = !(columns.image && facts.patchSize);
    if (!patch.box.hidden) {
      const copy = copyAt(columns.x[row], columns.y[row]);
      const pixel = (copy.x1 - copy.x0) / copy.shape[1];
      const crop = cropPatch(copy.pixels, copy.shape, {
        row: (columns.y[row] - copy.y0) / pixel - 0.5,
        col: (columns.x[row] - copy.x0) / pixel - 0.5,
        size: (facts.patchSize * facts.pixelSize) / pixel,
      });
      draw(patch.canvas, stretch(crop));
    }
    average.box.hidden = !(columns.averages && motif);
    if (!average.box.hidden) draw(average.canvas, tileOf(columns.averages, shapes.averages, columns.label[row]));
    const place = (value) => `${value.toFixed(facts.units === "px" ? 1 : 3)} ${facts.units}`;
    const lines = [
      ["column", `#${columns.id[row]}`],
      [facts.kind, motif?.name ?? "none"],
      ["x", place(columns.x[row])],
      ["y", place(columns.y[row])],
    ];
    if (Number.isFinite(columns.confidence[row])) {
      lines.splice(2, 0, [confidence, columns.confidence[row].toFixed(2)]);
    }
    const { names } = facts.anchors ?? { names: [] };
    const at = row * names.length;
    if (Number.isFinite(columns.anchorWeight?.[at])) {
      lines.splice(-2, 0, ["weights", weightText(names, (k) => columns.anchorWeight[at + k])]);
    }
    return lines;
  }

  function place(about, event, lines) {
    if (about !== shown) {
      pictures.hidden = typeof about !== "number";
      text.replaceChildren(...lines().flatMap(([key, value]) => [element("dt", "", key), element("dd", "", value)]));
    }
    shown = about;
    if (!card.matches(":popover-open")) card.showPopover();
    const gap = 18;
    const { width, height } = card.getBoundingClientRect();
    const right = event.clientX + gap + width < window.innerWidth;
    const below = event.clientY + gap + height < window.innerHeight;
    card.style.left = `${Math.max(4, right ? event.clientX + gap : event.clientX - gap - width)}px`;
    card.style.top = `${Math.max(4, below ? event.clientY + gap : event.clientY - gap - height)}px`;
  }
  const show = (row, event) => place(row, event, () => linesOf(row));
  function tell(about, lines, event) {
    card.style.setProperty("--am-motif", "var(--am-accent)");
    place(about, event, () => lines);
  }
  function hide() {
    shown = undefined;
    if (card.matches(":popover-open")) card.hidePopover();
  }
  return { card, show, tell, hide };
}

// A small picture with its caption below.
export function picture(caption) {
  const box = element("figure", "am-picture");
  const canvas = element("canvas", "");
  box.append(canvas, element("figcaption", "", caption));
  return { box, canvas };
}
