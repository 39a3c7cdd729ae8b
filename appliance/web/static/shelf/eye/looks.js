// Whether what stands in a place still looks as it did when it was read: a hand before it, or
// other goods in its place, end what is believed at once, long before the next reading.

import { grown } from "./geometry.js";

/** @typedef {import("./types.js").Floats} Floats */
/** @typedef {import("./types.js").Grey} Grey */
/** @typedef {import("./types.js").Quad} Quad */

const ACROSS = 24;
const DOWN = 10;
/** The label around the code belongs to its look. */
const WIDER = 1.25;
const TALLER = 1.7;
const FLAT = 9;

/**
 * @param {Grey} small
 * @param {Quad} quad in pixels of the full frame
 * @param {number} factor how many times as small
 * @returns {Floats | null} mean 0, length 1; null where it leaves the picture or is flat
 */
export function lookOf({ data, width, height }, quad, factor) {
  const [a, b, c, d] = grown(quad, WIDER, TALLER);
  /** @type {Floats} */
  const look = new Float32Array(ACROSS * DOWN);
  let mean = 0;
  for (let row = 0, at = 0; row < DOWN; row += 1) {
    const j = (row + 0.5) / DOWN;
    for (let column = 0; column < ACROSS; column += 1, at += 1) {
      const i = (column + 0.5) / ACROSS;
      const x = Math.floor(((a.x * (1 - i) + b.x * i) * (1 - j) + (d.x * (1 - i) + c.x * i) * j) / factor);
      const y = Math.floor(((a.y * (1 - i) + b.y * i) * (1 - j) + (d.y * (1 - i) + c.y * i) * j) / factor);
      if (x < 0 || y < 0 || x >= width || y >= height) return null;
      look[at] = data[y * width + x];
      mean += look[at] / look.length;
    }
  }
  let power = 0;
  for (let at = 0; at < look.length; at += 1) {
    look[at] -= mean;
    power += look[at] ** 2;
  }
  if (power / look.length < FLAT) return null;
  const norm = 1 / Math.sqrt(power);
  for (let at = 0; at < look.length; at += 1) look[at] *= norm;
  return look;
}

/** @param {Floats} one @param {Floats} other @returns {number} 1: the same, 0: nothing in common */
export function likeness(one, other) {
  let sum = 0;
  for (let at = 0; at < one.length; at += 1) sum += one[at] * other[at];
  return sum;
}
