// Outlines, in the micrograph, the occurrences of motif-cells that lie wholly in the selection.
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
