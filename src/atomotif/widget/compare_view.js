// Compared domains: the map of their divergences, and of the pair that is selected the histograms of all moments.
import * as compare from "./link_compare.js";
import { PairView } from "./pair_view.js";
import { element, scaleBar, swatch } from "./panels.js";

const MOST_TEXTS = 10; // domains up to which a cell has room for its value
const MODE_TITLES = { corrected: "Corrected", raw: "Raw", p: "p" };

// - onTap(rows, event): a cell or a tick was tapped; tell(about, lines, event), quiet(): what the pointer is on;
// - keep: the state of what was shown before.
export function comparisonView({ facts: { comparison: facts }, columns, shapes, keep, onTap, tell, quiet }) {
  const { domains, modes, measures, palette } = facts;
  const n = domains.length;
  const members = { row: columns.comparisonRow, offset: columns.comparisonOffset };
  const measured = (measure, a, b) => {
    const at = measures.indexOf(measure);
    return at < 0 ? undefined : columns.comparisonValue[(at * n + a) * n + b];
  };
  let mode = Math.max(0, modes.findIndex(({ name }) => name === keep?.mode));
  const pairView = new PairView({ facts, columns, shapes, moment: keep?.moment, tell, quiet });

  const box = element("div", "am-comparison");
  const map = element("div", "am-compare-map");
  const matrix = element("div", n > MOST_TEXTS ? "am-matrix am-matrix-many" : "am-matrix");
  matrix.style.setProperty("--am-n", String(n));
  matrix.setAttribute("role", "group");
  matrix.setAttribute("aria-label", "Divergence of each two domains");
  const key = element("div", "am-compare-key");
  map.append(modeButtons(), matrix, key, element("p", "am-set-note", facts.note));
  box.append(map, pairView.box);

  function modeButtons() {
    const group = element("div", "am-modes");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "What the cells show");
    const buttons = modes.map(({ name, title }, k) => {
      const button = element("button", "am-button", MODE_TITLES[name]);
      button.type = "button";
      button.title = title;
      button.setAttribute("aria-pressed", String(k === mode));
      button.addEventListener("click", () => {
        mode = k;
        buttons.forEach((other, place) => other.setAttribute("aria-pressed", String(place === k)));
        paint();
      });
      return button;
    });
    group.append(...buttons);
    return group;
  }

  // ---- ticks

  function tick(k, side) {
    const made = element("span", `am-tick am-tick-${side}`);
    const mark = swatch("transparent");
    made.append(mark, element("span", "am-name", domains[k].name));
    return { made, mark };
  }
  const left = domains.map((_, k) => tick(k, "left"));
  const below = domains.map((_, k) => tick(k, "below"));

  // ---- cells: one of them can be reached by the tabulator, the others from it by the arrow keys

  const cells = domains.map((_, row) => domains.map((__, col) => cellAt(row, col)));

  function cellAt(row, col) {
    const cell = element("button", "am-cell");
    cell.type = "button";
    cell.tabIndex = row || col ? -1 : 0;
    const pair = row === col ? [row] : [row, col];
    const lines = () =>
      row === col
        ? compare.linesOfDomain(domains[row])
        : compare.linesOfPair(domains[row], domains[col], (measure) => measured(measure, row, col));
    const tellOf = (event) => tell(`domains ${row} ${col}`, lines(), event);
    cell.addEventListener("click", (event) => onTap(compare.rowsOfDomains(pair, members), event));
    cell.addEventListener("pointermove", tellOf);
    cell.addEventListener("pointerleave", quiet);
    cell.addEventListener("blur", quiet);
    cell.addEventListener("focus", () => {
      if (!cell.matches(":focus-visible")) return;
      const { right, bottom } = cell.getBoundingClientRect();
      tellOf({ clientX: right, clientY: bottom });
    });
    cell.addEventListener("keydown", (event) => {
      const next = compare.cellBeyond(event.key, { row, col }, n);
      if (next.row === row && next.col === col) return;
      event.preventDefault();
      cell.tabIndex = -1;
      cells[next.row][next.col].tabIndex = 0;
      cells[next.row][next.col].focus();
    });
    return cell;
  }

  function paint() {
    const { measure, title, ticks } = modes[mode];
    cells.forEach((line, row) => line.forEach((cell, col) => {
      const value = measured(measure, row, col);
      const level = columns.comparisonLevel[(mode * n + row) * n + col];
      const muted = columns.comparisonMuted[row * n + col] > 0;
      const color = palette[level]; // none where there is no value
      cell.classList.toggle("am-cell-none", color === undefined);
      cell.classList.toggle("am-cell-muted", muted);
      cell.style.setProperty("--am-cell", color ?? "transparent");
      cell.style.color = color && !muted ? compare.inkOn(color) : "";
      const text = row === col || color === undefined ? "" : compare.cellText(value);
      cell.replaceChildren(n > MOST_TEXTS ? "" : element("span", "", text));
      const names = row === col ? domains[row].name : `${domains[row].name}, ${domains[col].name}: ${text}`;
      cell.setAttribute("aria-label", muted ? `${names}, not significant` : names);
    }));
    key.replaceChildren(scaleBar({ title, ticks }, palette));
  }

  matrix.append(
    ...cells.flatMap((line, row) => [left[row].made, ...line]), element("span", ""), ...below.map(({ made }) => made),
  );
  paint();

  function show(rows) {
    const counts = compare.countSelected(rows, columns.id.length, members);
    const whole = compare.wholeDomains(counts, members.offset);
    const pair = compare.pairOf(whole);
    for (const ticks of [left, below]) {
      ticks.forEach(({ made, mark }, k) => {
        const { name, count } = domains[k];
        made.classList.toggle("am-some", counts[k] > 0);
        made.classList.toggle("am-dim", rows.length > 0 && counts[k] === 0);
        made.title = counts[k] ? `${name}: ${counts[k]} of ${count} selected` : name;
        mark.style.setProperty("--am-motif", facts.pair[pair.indexOf(k)] ?? "transparent");
      });
    }
    cells.forEach((line, row) => line.forEach((cell, col) => {
      const pressed = pair.length > 0 && pair.includes(row) && pair.includes(col) && (pair.length === 1) === (row === col);
      cell.setAttribute("aria-pressed", String(pressed));
    }));
    pairView.show(pair, whole.length);
  }
  return { box, show, get state() { return { mode: modes[mode]?.name, moment: pairView.chosen }; } };
}
