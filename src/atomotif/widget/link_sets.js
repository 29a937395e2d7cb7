// The linking of sets of points (environments, quads) with the selection, and how they are drawn: pure functions
// over typed arrays, as in link.js.

// ---------------------------------------------------------------- environments

// The rows of the points of class `k`, centres and rings.
export function rowsOfClass(k, { row, offset }) {
  return Uint32Array.from(row.subarray(offset[k], offset[k + 1]));
}

// How many of `rows` are centres of each class; `classOf` is a number a point, one beyond the last for none.
export function countCenters(rows, classOf, nClasses) {
  const counts = new Uint32Array(nClasses);
  for (let k = 0; k < rows.length; k++) if (classOf[rows[k]] < nClasses) counts[classOf[rows[k]]]++;
  return counts;
}

// Places on the unit disc of the discs that stand for an environment, the centre's among them: `ring` 0 is the centre.
export function ringPlaces(sizes) {
  const places = [{ ring: 0, x: 0, y: 0 }];
  const circles = sizes.map((_, ring) => (ring + 1) / sizes.length);
  let radius = 0.5 / (sizes.length + 0.5);
  sizes.forEach((size, ring) => {
    if (size > 1) radius = Math.min(radius, circles[ring] * Math.sin(Math.PI / size));
    for (let k = 0; k < size; k++) {
      const angle = (2 * Math.PI * k) / size - Math.PI / 2;
      places.push({ ring: ring + 1, x: circles[ring] * Math.cos(angle), y: circles[ring] * Math.sin(angle) });
    }
  });
  const scale = 1 / (1 + radius);
  return {
    places: places.map(({ ring, x, y }) => ({ ring, x: x * scale, y: y * scale })),
    circles: circles.map((circle) => circle * scale),
    radius: 0.92 * radius * scale, // they do not touch
  };
}

// ---------------------------------------------------------------- quads

const CORNERS = 4;

// The rows of the points of all quads in a state, neither sorted nor distinct.
export function rowsOfState(state, { quadRow, quadState }) {
  const rows = [];
  for (let quad = 0; quad < quadState.length; quad++) {
    if (quadState[quad] !== state) continue;
    for (let k = CORNERS * quad; k < CORNERS * (quad + 1); k++) if (quadRow[k] >= 0) rows.push(quadRow[k]);
  }
  return Uint32Array.from(rows);
}

// Of each state, of how many quads all shown points are among `rows`, and of how many some are.
export function quadsSelected(rows, nRows, { quadRow, quadState }, nStates = 16) {
  const chosen = new Uint8Array(nRows);
  for (let k = 0; k < rows.length; k++) chosen[rows[k]] = 1;
  const [full, touched] = [new Uint32Array(nStates), new Uint32Array(nStates)];
  for (let quad = 0; quad < quadState.length; quad++) {
    if (quadState[quad] >= nStates) continue;
    let there = 0;
    let n = 0;
    for (let k = CORNERS * quad; k < CORNERS * (quad + 1); k++) {
      if (quadRow[k] < 0) continue;
      there++;
      n += chosen[quadRow[k]];
    }
    if (n) touched[quadState[quad]]++;
    if (n && n === there) full[quadState[quad]]++;
  }
  return { full, touched };
}

// Where the corners of a quad are on the unit circle, y downwards, which are filled, and the arrow towards these.
export function quadPlaces(state, orientation) {
  const corners = Array.from({ length: CORNERS }, (_, k) => {
    const angle = orientation + (k * Math.PI) / 2;
    return { x: Math.cos(angle), y: Math.sin(angle), filled: Boolean((state >> k) & 1) };
  });
  const sum = (axis) => corners.reduce((total, corner) => total + (corner.filled ? corner[axis] : 0), 0);
  const [dx, dy] = [sum("x"), sum("y")];
  return { corners, arrow: Math.hypot(dx, dy) > 1e-6 ? { dx, dy } : undefined };
}
