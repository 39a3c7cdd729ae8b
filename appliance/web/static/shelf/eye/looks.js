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
/** Variance below which nothing is drawn there, whatever the noise says: a palm, a wall. */
const FLAT = 9;
/** A share: with less of it in the picture nobody can tell what stands there. */
const LEAST_INSIDE = 0.5;

/**
 * @param {Grey} small
 * @param {Quad} quad in pixels of the full frame
 * @param {number} factor how many times as small
 * @returns {Floats | null} brightness, NaN outside the picture; null where most of it is outside
 */
export function lookOf({ data, width, height }, quad, factor) {
  const [a, b, c, d] = grown(quad, WIDER, TALLER);
  /** @type {Floats} */
  const look = new Float32Array(ACROSS * DOWN);
  let inside = 0;
  for (let row = 0, at = 0; row < DOWN; row += 1) {
    const j = (row + 0.5) / DOWN;
    for (let column = 0; column < ACROSS; column += 1, at += 1) {
      const i = (column + 0.5) / ACROSS;
      const x = Math.floor(((a.x * (1 - i) + b.x * i) * (1 - j) + (d.x * (1 - i) + c.x * i) * j) / factor);
      const y = Math.floor(((a.y * (1 - i) + b.y * i) * (1 - j) + (d.y * (1 - i) + c.y * i) * j) / factor);
      const there = x >= 0 && y >= 0 && x < width && y < height;
      look[at] = there ? data[y * width + x] : NaN;
      if (there) inside += 1;
    }
  }
  return inside >= LEAST_INSIDE * look.length ? look : null;
}

/**
 * Pearson's correlation of what is inside the picture in both.
 * @param {Floats} one @param {Floats} other
 * @returns {number} 1: the same, 0: nothing in common, or nothing to see in one of them
 */
export function likeness(one, other) {
  let count = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  for (let at = 0; at < one.length; at += 1) {
    const u = one[at], v = other[at];
    if (u !== u || v !== v) continue;
    count += 1;
    a += u;
    b += v;
    aa += u * u;
    bb += v * v;
    ab += u * v;
  }
  if (count < LEAST_INSIDE * one.length) return 0;
  const of_one = aa / count - (a / count) ** 2, of_other = bb / count - (b / count) ** 2;
  if (of_one < FLAT || of_other < FLAT) return 0;
  return (ab / count - (a / count) * (b / count)) / Math.sqrt(of_one * of_other);
}
