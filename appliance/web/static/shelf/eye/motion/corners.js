// Points that can be found again: the best corner of each cell of a grid (Shi and Tomasi 1994).

/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("./pyramid.js").Level} Level */

const ACROSS = 8;
const DOWN = 8;
const RIM = 8;
const REACH = 3;
const LEAST = 12;

/** @param {Level} level @param {number} x @param {number} y pixels @returns {number} the smaller eigenvalue of the mean gradient products, a pixel */
function cornerness({ data, width }, x, y) {
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (let j = -REACH; j <= REACH; j += 1) {
    for (let i = -REACH; i <= REACH; i += 1) {
      const at = (y + j) * width + x + i;
      const gx = data[at + 1] - data[at - 1];
      const gy = data[at + width] - data[at - width];
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
    }
  }
  const share = 1 / (2 * REACH + 1) ** 2;
  return ((xx + yy) / 2 - Math.hypot((xx - yy) / 2, xy)) * share;
}

/** @param {Level} level @returns {Point[]} at most 64, spread over the picture, in its pixels (the first centre is (0, 0)) */
export function cornersOf(level) {
  const { width, height } = level;
  /** @type {Point[]} */
  const found = [];
  for (let row = 0; row < DOWN; row += 1) {
    for (let column = 0; column < ACROSS; column += 1) {
      let best = LEAST;
      let point = null;
      const right = Math.min(width - RIM, ((column + 1) * width) / ACROSS);
      const bottom = Math.min(height - RIM, ((row + 1) * height) / DOWN);
      for (let y = Math.max(RIM, Math.floor((row * height) / DOWN)); y < bottom; y += 2) {
        for (let x = Math.max(RIM, Math.floor((column * width) / ACROSS)); x < right; x += 2) {
          const worth = cornerness(level, x, y);
          if (worth > best) {
            best = worth;
            point = { x, y };
          }
        }
      }
      if (point) found.push(point);
    }
  }
  return found;
}
