// Compared domains: the map of their divergences, and of the pair that is selected the histograms of all moments.
import * as compare from "./link_compare.js";
import { PairView } from "./pair_view.js";
import { element, scaleBar, swatch } from "./panels.js";

const MOST_TEXTS = 10; // domains up to which a cell has room for its value
const MODE_TITLES = { corrected: "Corrected", raw: "Raw", p: "p" };

// - onTap(rows, event): a cell was tapped; tell(about, lines, event), quiet(): what the pointer is on;
// - keep: the state of what was shown before.
export function comparisonView({ facts: { comparison: facts }, columns, shapes, keep, onTap, tell, quiet }) {
  const { domains, kinds, palette } = facts;
  const n = domains.length;
  const members = { row: columns.comparisonRow, offset: columns.comparisonOffset };
  const chosen = {
    kind: Math.max(0, kinds.findIndex(({ title }) => title === keep?.kind)),
    mode: Math.max(0, kinds[0].modes.findIndex(({ name }) => name === keep?.mode)),
  };
  const kind = () => kinds[chosen.kind];
  const measured = (measure, a, b) => {
    const at = kind().measures.indexOf(measure);
    return at < 0 ? undefined : columns[`comparison${chosen.kind}Value`][(at * n + a) * n + b];
  };
  const pairView = new PairView({ facts, columns, shapes, kind: chosen.kind, moment: keep?.moment, tell, quiet });

  const box = element("div", "am-comparison");
  const map = element("div", "am-compare-map");
  const matrix = element("div", n > MOST_TEXTS ? "am-matrix am-matrix-many" : "am-matrix");
  matrix.style.setProperty("--am-n", String(n));
  matrix.setAttribute("role", "group");
  matrix.setAttribute("aria-label", "Divergence of each two domains");
  const key = element("div", "am-compare-key");
  const note = element("p", "am-set-note");
  const switches = element("div", "am-compare-switches");
  if (kinds.length > 1) {
    const titles = kinds.map(({ title }) => title);
    switches.append(choice("What is compared", titles, chosen.kind, (k) => (chosen.kind = pairView.kind = k)));
  }
  const modes = kinds[0].modes.map(({ name }) => MODE_TITLES[name]);
  switches.append(choice("What the cells show", modes, chosen.mode, (k) => (chosen.mode = k)));
  map.append(switches, matrix, key, note);
  box.append(map, pairView.box);

  // Buttons of which one is pressed; `choose(k)` is told the place of another.
  function choice(label, titles, at, choose) {
    const group = element("div", "am-modes");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    const buttons = titles.map((title, k) => {
      const button = element("button", "am-button", title);
      button.type = "button";
      button.setAttribute("aria-pressed", String(k === at));
      button.addEventListener("click", () => {
        buttons.forEach((other, place) => other.setAttribute("aria-pressed", String(place === k)));
        choose(k);
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
    const tellOf = (event) => tell(`domains ${row} ${col} ${chosen.kind}`, lines(), event);
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
    const { measure, title, ticks } = kind().modes[chosen.mode];
    const [levels, mutes] = ["Level", "Muted"].map((name) => columns[`comparison${chosen.kind}${name}`]);
    cells.forEach((line, row) => line.forEach((cell, col) => {
      const value = measured(measure, row, col);
      const level = levels[(chosen.mode * n + row) * n + col];
      const muted = mutes[row * n + col] > 0;
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
    note.textContent = kind().note;
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
    const shown = (row, col) => pair.includes(row) && pair.includes(col) && (pair.length === 1) === (row === col);
    cells.forEach((line, row) => line.forEach((cell, col) => cell.setAttribute("aria-pressed", String(shown(row, col)))));
    pairView.show(pair, whole.length);
  }
  const state = () => ({ kind: kind().title, mode: kind().modes[chosen.mode].name, moment: pairView.chosen });
  return { box, show, state };
}
