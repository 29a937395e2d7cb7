// The page written by `to_html`: BokehJS, columns and documents are already in it.
import { localSelection, mount } from "./workbench.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const host = document.getElementById("atomotif-views");
const { layers, ...workbench } = read("atomotif-workbench");

try {
  // `atomotif` on the console: the selection and the columns of the page.
  globalThis.atomotif = await mount({
    Bokeh: globalThis.Bokeh,
    host,
    ...workbench,
    layer: async ({ name }) => layers[name],
    selection: localSelection(),
  });
} catch (error) {
  const message = document.createElement("p");
  message.className = "am-error";
  message.textContent = `The views could not be drawn: ${error.message}`;
  host.replaceChildren(message);
  throw error;
}
