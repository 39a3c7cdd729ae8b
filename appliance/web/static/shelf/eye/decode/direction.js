// Which way bars run: that in which the mean of many rows is sharpest. Gradients alone would lie,
// since modules of one and a half pixels alias.

import { profile } from "./sample.js";

/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {{ from: Point, u: Point, v: Point, length: number }} Strip from a point along u (unit) for `length` pixels; v (unit) runs along the bars */

const ANGLES = 5;
const ROWS = 7;
/** Pixels across the bars that are enough to tell their direction. */
const MOST = 96;

// Used anew by each call: dozens of times a pass.
/** @type {Floats} */
const row = new Float32Array(MOST);
/** @type {Floats} */
const found = new Float32Array(ANGLES);

/** @param {Floats} values */
function sharpness(values) {
  let sum = 0;
  for (let at = 1; at < values.length; at += 1) sum += (values[at] - values[at - 1]) ** 2;
  return sum;
}

/**
 * The direction along which the bars run: that in which their mean is sharpest.
 * @param {Grey} grey @param {Strip} strip its v is the first guess @param {number} reach rows go this far to either side
 * @param {number} doubt radians to either side of the guess
 * @returns {Point} unit
 */
export function alongBars(grey, strip, reach, doubt) {
  const length = Math.min(MOST, Math.max(2, Math.round(strip.length)));
  const values = row.subarray(0, length);
  const skipped = (strip.length - length) / 2;
  const from = { x: strip.from.x + strip.u.x * skipped, y: strip.from.y + strip.u.y * skipped };
  let angle = Math.atan2(strip.v.y, strip.v.x);
  let step = doubt / ((ANGLES - 1) / 2);
  const finest = 0.25 / reach;
  for (let round = 0; round < 4; round += 1) {
    let best = 0;
    for (let at = 0; at < ANGLES; at += 1) {
      const turned = angle + (at - (ANGLES - 1) / 2) * step;
      profile(grey, { from, u: strip.u, v: { x: Math.cos(turned), y: Math.sin(turned) } }, -reach, reach, ROWS, values);
      found[at] = sharpness(values);
      if (found[at] > found[best]) best = at;
    }
    const inside = best > 0 && best < ANGLES - 1;
    const bend = inside ? found[best - 1] - 2 * found[best] + found[best + 1] : 0;
    angle += (best - (ANGLES - 1) / 2 + (bend < 0 ? (0.5 * (found[best - 1] - found[best + 1])) / bend : 0)) * step;
    if (step < finest) break;
    step *= 0.4;
  }
  return { x: Math.cos(angle), y: Math.sin(angle) };
}
