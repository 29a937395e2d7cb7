// Outlines, in the micrograph, what lies wholly in the selection: occurrences of motif-cells, domains.
import { countSelected, pairOf, ringsOf, wholeDomains } from "./link_compare.js";
import { occurrencesTouched, outlinesOf } from "./link_tree.js";

export function outlineLayer({ doc, columns, facts }) {
  const sources = ["casing", "outline"].map((name) => doc.get_model_by_name(`micrograph-${name}`).data_source);
  let drawn = "";

  function show(rows) {
    const { whole } = occurrencesTouched(rows, columns.id.length, columns);
    const now = whole.join(" ");
    if (now === drawn) return;
    drawn = now;
    const outline = outlinesOf(whole, columns, facts.tree.body);
    for (const source of sources) source.data = outline;
  }
  return { show };
}

// Domains that are compared: a pair, or one alone, in the colours of its histograms.
export function domainOutlines({ doc, columns, facts: { comparison: facts, neutral } }) {
  const names = ["domain-casing", "domain-outline"];
  const sources = names.map((name) => doc.get_model_by_name(`micrograph-${name}`).data_source);
  const members = { row: columns.comparisonRow, offset: columns.comparisonOffset };
  const [x, y, offset] = ["X", "Y", "Offset"].map((name) => columns[`comparisonOutline${name}`]);
  let drawn = "";

  function show(rows) {
    const whole = wholeDomains(countSelected(rows, columns.id.length, members), members.offset);
    const now = whole.join(" ");
    if (now === drawn) return;
    drawn = now;
    const pair = pairOf(whole);
    const outlines = ringsOf(whole, { x, y, offset }, (place) => (pair.length ? facts.pair[place] : neutral));
    for (const source of sources) source.data = outlines;
  }
  return { show };
}
