// What the points of all figures are coloured by, one of several: chooser, key, and the colours.
import { faded, mixtureColors, pointColors } from "./link.js";
import { draw, element, legend } from "./panels.js";

// `onChange` is told when another one is chosen. Returns `box`, the `chosen` one's name and its `colors`.
export function pointColoring({ facts, columns, shapes, stale, keep, onChange }) {
  const { colorings, neutral, anchors } = facts;
  let chosen = colorings.find(({ name }) => name === keep) ?? colorings[0];
  const box = element("div", "am-coloring");
  const key = element("span", "am-key");

  function colors() {
    const { column, palette, group } = chosen;
    const old = stale.has(group);
    if (palette === null) return mixtureColors(columns[column], old);
    return pointColors(columns[column], old ? palette.map(faded) : palette, neutral);
  }

  function showKey() {
    key.replaceChildren();
    if (chosen.group === "motifs") return; // the gallery says it
    if (chosen.palette === null && columns.anchorPicture) {
      const triangle = element("canvas", "am-mixture");
      const [height, width] = shapes.anchorPicture;
      draw(triangle, { width, height, rgba: new Uint8ClampedArray(columns.anchorPicture) });
      triangle.title = `mixtures of ${anchors.names.join(", ")}`;
      key.append(triangle);
    }
    key.append(...anchors.names.map((name, k) => legend({ name, color: anchors.colors[k] })));
  }

  if (colorings.length > 1) {
    const select = element("select", "am-select");
    for (const { name, title, group } of colorings) {
      const option = element("option", "", stale.has(group) ? `${title} (out of date)` : title);
      option.value = name;
      select.append(option);
    }
    select.value = chosen.name;
    select.addEventListener("change", () => {
      chosen = colorings.find(({ name }) => name === select.value);
      showKey();
      onChange(colors());
    });
    const label = element("label", "am-layer", "Colour by:");
    label.append(select);
    box.append(label, key);
    showKey();
  }
  return { box, colors, get chosen() { return chosen.name; } };
}
