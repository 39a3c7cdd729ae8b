// The plane's motion out of points' motions, some of which are wrong: affine by random triples
// (RANSAC, Fischler and Bolles 1981), then a homography by reweighted Gauss-Newton steps with
// Tukey's weights. Few points give fewer degrees of freedom, none give null.

import { chained, moved, unmoved } from "../geometry.js";

/** @typedef {import("../types.js").Homography} Homography */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {[Point, Point]} Pair from, to */

const TRIES = 48;
const NEAR = 1.2;
const ROUNDS = 6;

/** Numbers that look like chance and are the same each time. @param {number} seed */
function dice(seed) {
  let state = seed | 1;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

/** @param {Homography} h @param {Pair} pair */
function off(h, [from, to]) {
  const there = moved(h, from);
  return Math.hypot(there.x - to.x, there.y - to.y);
}

/** @param {Pair} a @param {Pair} b @param {Pair} c @returns {Homography | null} */
function affine([a, p], [b, q], [c, r]) {
  const turn = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
  if (Math.abs(turn) < 200) return null;
  const row = (/** @type {number} */ u, /** @type {number} */ v, /** @type {number} */ w) => {
    const m = ((v - u) * (c.y - a.y) - (w - u) * (b.y - a.y)) / turn;
    const n = ((w - u) * (b.x - a.x) - (v - u) * (c.x - a.x)) / turn;
    return [m, n, u - m * a.x - n * a.y];
  };
  return Float64Array.from([...row(p.x, q.x, r.x), ...row(p.y, q.y, r.y), 0, 0, 1]);
}

/** @param {Pair[]} pairs @returns {{ near: Pair[], guess: Homography }} the pairs that move alike, and about how */
function alike(pairs) {
  const random = dice(pairs.length * 2654435761);
  /** @type {{ near: Pair[], guess: Homography }} */
  let best = { near: [], guess: unmoved() };
  for (let attempt = 0; attempt < TRIES && best.near.length < 0.9 * pairs.length; attempt += 1) {
    const [a, b, c] = [pairs[random(pairs.length)], pairs[random(pairs.length)], pairs[random(pairs.length)]];
    const guess = a && b && c ? affine(a, b, c) : null;
    if (!guess) continue;
    const near = pairs.filter((pair) => off(guess, pair) < NEAR * 2);
    if (near.length > best.near.length) best = { near, guess };
  }
  return best;
}

/** Solves a symmetric system in place (Gauss with pivots). @param {Floats64} a @param {Floats64} b @param {number} n */
function solved(a, b, n) {
  for (let column = 0; column < n; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < n; row += 1) if (Math.abs(a[row * n + column]) > Math.abs(a[pivot * n + column])) pivot = row;
    if (Math.abs(a[pivot * n + column]) < 1e-12) return null;
    for (let at = 0; at < n; at += 1) [a[column * n + at], a[pivot * n + at]] = [a[pivot * n + at], a[column * n + at]];
    [b[column], b[pivot]] = [b[pivot], b[column]];
    for (let row = 0; row < n; row += 1) {
      if (row === column) continue;
      const part = a[row * n + column] / a[column * n + column];
      if (!part) continue;
      for (let at = column; at < n; at += 1) a[row * n + at] -= part * a[column * n + at];
      b[row] -= part * b[column];
    }
  }
  for (let at = 0; at < n; at += 1) b[at] /= a[at * n + at];
  return b;
}
/** @typedef {import("../types.js").Floats64} Floats64 */

/**
 * @param {Pair[]} pairs
 * @param {Homography} start
 * @param {number} unknowns 8: homography, 6: affine
 * @param {{ x: number, y: number, size: number }} about centre and half size, so that the numbers are alike
 */
function refined(pairs, start, unknowns, about) {
  const near = (/** @type {Point} */ { x, y }) => ({ x: (x - about.x) / about.size, y: (y - about.y) / about.size });
  const scaled = pairs.map(([from, to]) => /** @type {Pair} */ ([near(from), near(to)]));
  const there = Float64Array.of(1 / about.size, 0, -about.x / about.size, 0, 1 / about.size, -about.y / about.size, 0, 0, 1);
  const back = Float64Array.of(about.size, 0, about.x, 0, about.size, about.y, 0, 0, 1);
  let h = chained(there, chained(start, back));
  for (let round = 0; round < ROUNDS; round += 1) {
    /** @type {Floats64} */
    const a = new Float64Array(unknowns * unknowns);
    /** @type {Floats64} */
    const b = new Float64Array(unknowns);
    const most = (round < 2 ? 2.5 : NEAR) / about.size;
    for (const [from, to] of scaled) {
      const w = h[6] * from.x + h[7] * from.y + 1;
      const u = (h[0] * from.x + h[1] * from.y + h[2]) / w;
      const v = (h[3] * from.x + h[4] * from.y + h[5]) / w;
      const ru = to.x - u;
      const rv = to.y - v;
      const far = (ru * ru + rv * rv) / (most * most);
      if (far >= 1) continue;
      const weight = (1 - far) ** 2;
      const jx = [from.x / w, from.y / w, 1 / w, 0, 0, 0, (-u * from.x) / w, (-u * from.y) / w];
      const jy = [0, 0, 0, from.x / w, from.y / w, 1 / w, (-v * from.x) / w, (-v * from.y) / w];
      for (let i = 0; i < unknowns; i += 1) {
        const [xi, yi] = [/** @type {number} */ (jx[i]) * weight, /** @type {number} */ (jy[i]) * weight];
        b[i] += xi * ru + yi * rv;
        for (let j = 0; j < unknowns; j += 1) a[i * unknowns + j] += xi * /** @type {number} */ (jx[j]) + yi * /** @type {number} */ (jy[j]);
      }
    }
    for (let i = 0; i < unknowns; i += 1) a[i * unknowns + i] += 1e-9;
    const change = solved(a, b, unknowns);
    if (!change) return null;
    let size = 0;
    for (let i = 0; i < unknowns; i += 1) {
      h[i] += change[i];
      size = Math.max(size, Math.abs(change[i]));
    }
    if (size < 1e-6 && round > 2) break;
  }
  return chained(back, chained(h, there));
}

/**
 * @param {Pair[]} pairs
 * @param {number} width @param {number} height of the picture
 * @returns {{ h: Homography, agree: number } | null} `agree`: share of the pairs that move so; null: no motion fits
 */
export function motionOf(pairs, width, height) {
  const { near, guess } = alike(pairs);
  if (near.length < 5 || near.length < 0.35 * pairs.length) return null;
  const about = { x: width / 2, y: height / 2, size: width / 2 };
  const start = refined(near, guess, 6, about);
  if (!start) return null;
  const h = near.length >= 14 ? (refined(pairs, start, 8, about) ?? start) : start;
  const agree = pairs.filter((pair) => off(h, pair) < NEAR).length / pairs.length;
  return agree >= 0.3 ? { h, agree } : null;
}
