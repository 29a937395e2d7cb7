// The linking of compared domains with the selection, and what is drawn of their histograms: pure functions over
// typed arrays, as in link.js. Domains are numbers from 0, in the order in which they were compared.

// ---------------------------------------------------------------- domains and the selection

// The rows of the points of these domains.
export function rowsOfDomains(domains, { row, offset }) {
  const parts = domains.map((k) => row.subarray(offset[k], offset[k + 1]));
  const rows = new Uint32Array(parts.reduce((n, part) => n + part.length, 0));
  parts.reduce((at, part) => (rows.set(part, at), at + part.length), 0);
  return rows;
}

// Of each domain how many of its points are among `rows`.
export function countSelected(rows, nRows, { row, offset }) {
  const chosen = new Uint8Array(nRows);
  for (let k = 0; k < rows.length; k++) chosen[rows[k]] = 1;
  const counts = new Uint32Array(offset.length - 1);
  for (let domain = 0; domain < counts.length; domain++) {
    for (let k = offset[domain]; k < offset[domain + 1]; k++) counts[domain] += chosen[row[k]];
  }
  return counts;
}

// The domains of which all points are selected.
export function wholeDomains(counts, offset) {
  return Array.from(counts.keys()).filter((k) => counts[k] > 0 && counts[k] === offset[k + 1] - offset[k]);
}

// What is looked at: a pair of domains, or one alone, if no others are wholly selected.
export function pairOf(whole) {
  return whole.length === 1 || whole.length === 2 ? whole : [];
}

// The closed rings round domains as one line each, with NaN between the rings; `colorOf(place, domain)`.
export function ringsOf(domains, { x, y, offset }, colorOf) {
  const part = (values) => domains.map((k) => values.subarray(offset[k], offset[k + 1]));
  return { xs: part(x), ys: part(y), color: domains.map((k, place) => colorOf(place, k)) };
}

// ---------------------------------------------------------------- histograms

// Of one domain the share of its points in each bin, moment by moment; 0 where there are no points.
export function sharesOf(domain, histogram, [, nMoments, nBins]) {
  const shares = new Float32Array(nMoments * nBins);
  const start = domain * nMoments * nBins;
  for (let moment = 0; moment < nMoments; moment++) {
    let sum = 0;
    for (let bin = 0; bin < nBins; bin++) sum += histogram[start + moment * nBins + bin];
    if (!sum) continue;
    for (let bin = 0; bin < nBins; bin++) {
      shares[moment * nBins + bin] = histogram[start + moment * nBins + bin] / sum;
    }
  }
  return shares;
}

export function differenceOf(a, b) {
  return a.map((share, k) => share - b[k]);
}

// The moment in which two domains differ most: by half of the sum of |differences|, the share that would have to move.
export function mostDifferent(difference, nBins) {
  let [best, most] = [0, -1];
  for (let moment = 0; moment * nBins < difference.length; moment++) {
    const moved = difference.subarray(moment * nBins, (moment + 1) * nBins).reduce((sum, d) => sum + Math.abs(d), 0);
    if (moved > most) [best, most] = [moment, moved];
  }
  return best;
}

export function largest(...arrays) {
  return arrays.reduce((most, values) => values.reduce((m, value) => Math.max(m, Math.abs(value)), most), 0);
}

const BEYOND = 0.01; // of the bins have more than the end of a scale: a few full ones must not darken all others

// The end of a scale of shares, or of both ends of their differences.
export function scaleEnd(...arrays) {
  const sizes = Float32Array.from(arrays.flatMap((values) => Array.from(values, Math.abs))).sort();
  return sizes[Math.max(0, Math.ceil(sizes.length * (1 - BEYOND)) - 1)] || largest(sizes);
}

// RGBA pixels of rows of values from `low` to `high`, in the colours of a palette of "#rrggbb".
export function heatPixels(values, [rows, cols], palette, low, high) {
  const colors = palette.map((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  const rgba = new Uint8ClampedArray(4 * rows * cols);
  for (let k = 0; k < rows * cols; k++) {
    const part = high > low ? Math.min(1, Math.max(0, (values[k] - low) / (high - low))) : 0;
    rgba.set(colors[Math.round(part * (colors.length - 1))], 4 * k);
    rgba[4 * k + 3] = 255;
  }
  return { width: cols, height: rows, rgba };
}

// The corners of a histogram's outline in the unit square, y upwards, `most` being the full height.
export function stepsOf(shares, most) {
  const n = shares.length;
  const height = (share) => (most > 0 ? share / most : 0);
  const steps = Array.from(shares).flatMap((share, k) => [k, k + 1].map((at) => [at / n, height(share)]));
  return [[0, 0], ...steps, [1, 0]];
}

// Which rows of the moments have a label: the first of every radial order, as far as there is room for it.
export function labelledMoments(moments, most) {
  const first = moments.flatMap(([p], k) => (k === 0 || p !== moments[k - 1][0] ? [k] : []));
  const apart = moments.length / most;
  const kept = [];
  for (const k of first) if (!kept.length || k - kept.at(-1) >= apart) kept.push(k);
  return kept;
}

// ---------------------------------------------------------------- the map of pairs

// The cell that an arrow key leads to from cell (row, col) of n x n; the same one at the edge, or for another key.
export function cellBeyond(key, { row, col }, n) {
  const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key] ?? [0, 0];
  const within = (at) => Math.min(n - 1, Math.max(0, at));
  return { row: within(row + down), col: within(col + right) };
}

// Black or white, whichever is legible on a colour: by its relative luminance (WCAG 2).
export function inkOn(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}

// A number with a true minus sign.
export const signed = (number) => String(number).replace("-", "\u2212");

export function percent(share) {
  const value = 100 * share;
  return `${signed(value.toFixed(Math.abs(value) < 9.95 ? 1 : 0))} %`;
}

// The ends and the middle of a scale of shares; more than its ends has their colours.
export function shareScale(title, low, high) {
  const [below, above] = [low < 0 ? "\u2264 " : "", "\u2265 "];
  return {
    title,
    ticks: [
      { at: 0, text: below + (low ? percent(low) : "0") },
      { at: 0.5, text: low + high ? percent((low + high) / 2) : "0" },
      { at: 1, text: above + percent(high) },
    ],
  };
}

// A value as short as it is legible in a cell.
export function cellText(value) {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size === 0) return "0";
  return signed(size < 0.00095 ? value.toExponential(0) : value.toFixed(size < 0.0995 ? 3 : 2));
}

// What is told of a pair: lines of [key, value]. `of(measure)` is undefined for what is not known.
export function linesOfPair(a, b, of) {
  const known = (measure) => Number.isFinite(of(measure));
  const number = (value) => signed(value.toPrecision(3));
  const chance = (value) => String(Number(value.toPrecision(2)));
  const spread = (value, error) => number(of(value)) + (known(error) ? ` ± ${of(error).toPrecision(2)}` : "");
  const lines = [["domains", `${a.name}, ${b.name}`], ["points", `${a.compared}, ${b.compared}`]];
  if (known("corrected")) lines.push(["divergence", `${spread("corrected", "error")} nats per feature`]);
  if (known("symmetric")) lines.push(["raw", number(of("symmetric"))]);
  if (known("null_mean")) lines.push(["raw of equal domains", spread("null_mean", "null_std")]);
  const tests = [
    ["p at like places", "p_value", "p_adjusted"],
    ["p of nuisances", "nuisance_p", "nuisance_p_adjusted"],
  ];
  for (const [name, p, adjusted] of tests) {
    if (!known(p)) continue;
    lines.push([name, chance(of(p)) + (known(adjusted) ? `, adjusted ${chance(of(adjusted))}` : "")]);
  }
  return lines;
}

export function linesOfDomain({ name, count, compared }) {
  return [["domain", name], ["points", `${count}`], ["compared", `${compared}`]];
}
