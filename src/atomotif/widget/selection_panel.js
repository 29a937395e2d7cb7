// What is selected, in numbers and as an average patch.
import { countMotifs, evenly, meanConfidence, meanPatch, meanWeights, stretch, tileOf } from "./link.js";
import { draw, element, KINDS, picture, swatch, weightText, whole } from "./panels.js";

const MOST_PATCHES = 400; // of which the average is made, evenly taken: enough for any eye, and quick
const EMPTY = "Nothing is selected. Draw a lasso round columns in a figure, or tap a tile, to see here what they are.";

export function selectionPanel({ facts, columns, shapes, micrograph }) {
  const box = element("div", "am-selection");
  const pictures = element("div", "am-card-pictures");
  const table = element("table", "am-table");
  const total = element("p", "am-total");
  const numbers = element("div", "am-numbers");
  const weights = element("p", "am-note");
  numbers.append(total, table, weights);
  box.append(pictures, numbers);

  function patchOf(rows) {
    if (!micrograph || !facts.patchSize) return undefined;
    const pixel = facts.pixelSize * facts.reduction;
    const places = Array.from(evenly(rows, MOST_PATCHES), (row) => ({
      row: (columns.y[row] - micrograph.y0) / pixel - 0.5,
      col: (columns.x[row] - micrograph.x0) / pixel - 0.5,
      angle: columns.angle?.[row], // as in the average of its motif
    }));
    return meanPatch(micrograph.pixels, micrograph.shape, places, facts.patchSize / facts.reduction);
  }

  function drawn(caption, pixels) {
    const { box: figure, canvas } = picture(caption);
    draw(canvas, pixels);
    return figure;
  }

  function line(motif, count, confidence) {
    const row = element("tr", "");
    const name = element("td", "am-of-motif");
    name.append(swatch(motif.color), element("span", "am-name", motif.name));
    const share = element("td", "");
    const bar = element("div", "am-share");
    bar.style.setProperty("--am-motif", motif.color);
    bar.style.setProperty("--am-share", String(motif.count ? count / motif.count : 0));
    share.append(bar);
    row.append(
      name, element("td", "am-number", `${whole(count)} / ${whole(motif.count)}`), share,
      element("td", "am-number", Number.isFinite(confidence) ? confidence.toFixed(2) : ""),
    );
    return row;
  }

  function show(rows) {
    box.classList.toggle("am-empty", rows.length === 0);
    if (rows.length === 0) {
      total.textContent = EMPTY;
      pictures.replaceChildren();
      table.replaceChildren();
      weights.textContent = "";
      return;
    }
    const all = columns.id.length;
    const share = (100 * rows.length) / all;
    total.textContent = `${whole(rows.length)} columns, ${share < 1 ? share.toFixed(2) : share.toFixed(1)} % of ${whole(all)}`;
    const { counts, none } = countMotifs(columns.label, rows, facts.motifs.length);
    const confidence = meanConfidence(columns.label, columns.confidence, rows, facts.motifs.length);
    const head = element("tr", "");
    for (const text of [facts.kind, "selected", "", KINDS[facts.kind].confidence]) head.append(element("th", "", text));
    const lines = facts.motifs.flatMap((motif, k) => (counts[k] ? [line(motif, counts[k], confidence[k])] : []));
    if (none) {
      const withoutMotif = columns.label.reduce((n, label) => n + (label < 0), 0);
      lines.push(line({ name: "none", color: facts.neutral, count: withoutMotif }, none, NaN));
    }
    table.replaceChildren(head, ...lines);

    if (facts.anchors) {
      const { names } = facts.anchors;
      const mean = meanWeights(columns.anchorWeight, names.length, rows);
      weights.textContent = Number.isFinite(mean[0]) ? `mean weights: ${weightText(names, (k) => mean[k])}` : "";
    }

    const shown = [];
    const mean = patchOf(rows);
    if (mean) shown.push(drawn(`average of ${whole(mean.count)}`, stretch(mean.picture)));
    const largest = counts.indexOf(Math.max(...counts));
    if (columns.averages && counts[largest]) {
      // Stretched as the other one: the two are to be compared.
      shown.push(drawn(facts.motifs[largest].name, stretch(tileOf(columns.averages, shapes.averages, largest))));
    }
    pictures.replaceChildren(...shown);
  }
  return { box, show };
}
