// The histograms of all moments of two domains, or of one, side by side; their difference; one moment as lines.
import * as compare from "./link_compare.js";
import { draw, element, scaleBar, shape, swatch } from "./panels.js";

const MOST_LABELS = 14; // of moments
const HINT =
  "Tap a cell: its two domains are outlined in the micrograph, and the histograms of all their moments stand here.";

const { percent, signed } = compare;
const nameOf = ([p, q]) => `${p}, ${signed(q)}`;

export class PairView {
  // `kind` of features; `moment` that was looked at before; tell, quiet: what the pointer is on.
  constructor({ facts, columns, shapes, kind, moment, tell, quiet }) {
    Object.assign(this, { facts, columns, shapes, chosen: moment, tell, quiet, pair: [], nWhole: 0 });
    this.box = element("div", "am-compare-pair");
    this.pictures = element("div", "am-histograms");
    this.lines = element("div", "am-compare-lines");
    this.pictures.style.setProperty("--am-rows", String(facts.moments.length));
    this.kind = kind;
  }

  set kind(kind) {
    this.histogram = this.columns[`comparison${kind}Histogram`];
    this.sizes = this.shapes[`comparison${kind}Histogram`];
    this.edge = this.columns[`comparison${kind}Edge`];
    this.update();
  }

  // The moment that is shown as lines: the one that was tapped, or else the one that differs most.
  get moment() {
    const { difference } = this;
    return this.chosen ?? (difference ? compare.mostDifferent(difference, this.sizes[2]) : 0);
  }

  show(pair, nWhole) {
    if (nWhole === this.nWhole && pair.join() === this.pair.join()) return;
    Object.assign(this, { pair, nWhole });
    this.update();
  }

  update() {
    const { pair, nWhole } = this;
    if (!pair.length) {
      const many = nWhole ? `${nWhole} domains are selected as a whole: a pair of them, or one, can be shown. ` : "";
      this.box.replaceChildren(element("p", "am-compare-hint", many + HINT));
      return;
    }
    this.shares = pair.map((k) => compare.sharesOf(k, this.histogram, this.sizes));
    this.difference = pair.length === 2 ? compare.differenceOf(...this.shares) : undefined;
    this.showPictures();
    this.showMoment();
    this.box.replaceChildren(this.pictures, this.lines);
  }

  // ---- histograms as pictures, a row each moment

  showPictures() {
    const { facts, pair, shares, difference, sizes: [, nMoments, nBins] } = this;
    const most = compare.scaleEnd(...shares);
    const panels = pair.map((k, place) => {
      const { name, count, compared } = facts.domains[k];
      const points = compared === count ? `${count} points` : `${compared} of ${count} points`;
      const picture = compare.heatPixels(shares[place], [nMoments, nBins], facts.palette, 0, most);
      return this.panel([{ name, color: facts.pair[place] }], points, picture);
    });
    const keys = [scaleBar(compare.shareScale("share of points in a bin", 0, most), facts.palette)];
    if (difference) {
      const end = compare.scaleEnd(difference);
      const picture = compare.heatPixels(difference, [nMoments, nBins], facts.difference, -end, end);
      panels.push(this.panel([], "first less second", picture));
      keys.push(scaleBar(compare.shareScale("difference", -end, end), facts.difference));
    }
    const key = element("div", "am-compare-key");
    key.append(...keys);
    this.slider = element("div", "am-histogram-rows");
    this.slider.append(this.labels(), ...panels);
    this.slider.style.setProperty("--am-panels", String(panels.length));
    this.control(this.slider, nMoments);
    this.pictures.replaceChildren(this.slider, key);
  }

  panel(names, text, picture) {
    const box = element("figure", "am-histogram");
    const caption = element("figcaption", "");
    for (const { name, color } of names) caption.append(swatch(color), element("span", "am-name", name));
    caption.append(element("span", "am-count", text));
    const body = element("div", "am-histogram-body");
    const canvas = element("canvas", "");
    draw(canvas, picture);
    const mark = element("div", "am-histogram-mark");
    body.append(canvas, mark);
    body.addEventListener("pointermove", (event) => this.tellOf(event, body));
    body.addEventListener("pointerleave", () => this.quiet());
    body.addEventListener("click", (event) => this.choose(this.at(event, body).moment));
    box.append(caption, body);
    return box;
  }

  labels() {
    const { moments } = this.facts;
    const box = element("div", "am-histogram-labels");
    for (const k of compare.labelledMoments(moments, MOST_LABELS)) {
      const label = element("span", "", nameOf(moments[k]));
      label.style.top = `${(100 * (k + 0.5)) / moments.length}%`;
      box.append(label);
    }
    box.title = "radial and azimuthal order of the moments";
    return box;
  }

  at({ clientX, clientY }, body) {
    const { left, top, width, height } = body.getBoundingClientRect();
    const [, nMoments, nBins] = this.sizes;
    const within = (part, n) => Math.min(n - 1, Math.max(0, Math.floor(part * n)));
    return { moment: within((clientY - top) / height, nMoments), bin: within((clientX - left) / width, nBins) };
  }

  tellOf(event, body) {
    const { moment, bin } = this.at(event, body);
    const nBins = this.sizes[2];
    const edge = this.edge.subarray(moment * (nBins + 1), (moment + 1) * (nBins + 1));
    const lines = [
      ["moment", nameOf(this.facts.moments[moment])],
      ["value", `${signed(edge[bin].toPrecision(3))} to ${signed(edge[bin + 1].toPrecision(3))}`],
      ...this.pair.map((k, place) => [this.facts.domains[k].name, percent(this.shares[place][moment * nBins + bin])]),
    ];
    this.tell(`moment ${moment} ${bin} ${this.pair}`, lines, event);
  }

  // ---- the moment that is looked at

  control(slider, nMoments) {
    slider.tabIndex = 0;
    const range = { "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": nMoments - 1 };
    for (const [name, value] of Object.entries({ role: "slider", "aria-label": "Moment", ...range })) {
      slider.setAttribute(name, String(value));
    }
    slider.addEventListener("keydown", (event) => {
      const to = { ArrowUp: this.moment - 1, ArrowDown: this.moment + 1, Home: 0, End: nMoments - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.choose(Math.min(nMoments - 1, Math.max(0, to)));
    });
  }

  choose(moment) {
    this.chosen = moment;
    this.showMoment();
  }

  showMoment() {
    const { moment, facts, pair, edge, sizes: [, nMoments, nBins] } = this;
    this.slider.style.setProperty("--am-row", String(moment));
    this.slider.setAttribute("aria-valuenow", String(moment));
    this.slider.setAttribute("aria-valuetext", nameOf(facts.moments[moment]));
    const parts = this.shares.map((shares) => shares.subarray(moment * nBins, (moment + 1) * nBins));
    const most = compare.largest(...parts);
    const stretched = { viewBox: "0 0 1 1", preserveAspectRatio: "none" };
    const plot = shape("svg", { ...stretched, class: "am-lines", "aria-hidden": "true" });
    parts.forEach((part, place) => {
      const points = compare.stepsOf(part, most).map(([x, y]) => `${x},${1 - y}`).join(" ");
      const style = place ? "am-line am-line-second" : "am-line";
      plot.append(shape("polyline", { points, stroke: facts.pair[place], class: style }));
    });
    const start = moment * (nBins + 1);
    const heading = element("figcaption", "", `Moment ${nameOf(facts.moments[moment])}, ${moment + 1} of ${nMoments}`);
    for (const [place, k] of pair.entries()) {
      heading.append(swatch(facts.pair[place]), element("span", "am-name", facts.domains[k].name));
    }
    const axis = element("div", "am-lines-axis");
    axis.append(
      element("span", "am-number", signed(edge[start].toPrecision(3))), element("span", "", "value of the moment"),
      element("span", "am-number", signed(edge[start + nBins].toPrecision(3))),
    );
    const height = element("span", "am-lines-most am-number", percent(most));
    height.title = "share of the points in the fullest bin";
    this.lines.replaceChildren(heading, height, plot, axis);
  }
}
