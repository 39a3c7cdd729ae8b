// Whether the picture as a whole went where its points say. Shelves repeat: after a quick swing each
// point may have found the same corner of the next label, and all of them agree (measured: ten
// frames a second at 1,700 pixels a second put every product over its neighbour's code). What lies
// between the labels does not repeat, so the whole picture, small, tells one from the other.

import { moved } from "../geometry.js";

/** @typedef {import("../types.js").Homography} Homography */
/** @typedef {import("./pyramid.js").Level} Level */
/** @typedef {import("./pyramid.js").Pyramid} Pyramid */

/** Levels of the pyramid: where shifts are tried, and where they are compared. */
const COARSE = 3;
const FINE = 2;
/** Shares of width and height that a frame may go in one step. */
const FAR_X = 0.45;
const FAR_Y = 0.35;
/** Pixels of the coarse level that make another shift. */
const OTHER = 2;
const CANDIDATES = 4;
/** So alike the two pictures are only where the motion is right: nothing else is tried. */
const SURE = 0.97;
const LEAST_OVERLAP = 0.25;

/**
 * @param {Pyramid} before @param {Pyramid} now two frames, one after the other
 * @param {Homography} step from the one to the other, in pixels of the finest level
 * @returns {boolean} another shift of the whole picture fits better
 */
export function isElsewhere(before, now, step) {
  const [one, other, small_one, small_other] = [before[FINE], now[FINE], before[COARSE], now[COARSE]];
  if (!one || !other || !small_one || !small_other) return false;
  const said = warped(one, other, step, 2 ** -FINE);
  if (said >= SURE) return false;
  const size = 2 ** -COARSE;
  const centre = { x: small_one.width / 2, y: small_one.height / 2 };
  const went = moved(step, { x: centre.x / size, y: centre.y / size });
  const there = { x: went.x * size - centre.x, y: went.y * size - centre.y };
  return candidates(small_one, small_other, there).some(({ x, y }) => nearby(one, other, 2 * x, 2 * y) > said);
}

/** Shifts away from `there` at which the pictures fit best. @param {Level} one @param {Level} other @param {{ x: number, y: number }} there */
function candidates(one, other, there) {
  const [reach_x, reach_y] = [Math.round(FAR_X * one.width), Math.round(FAR_Y * one.height)];
  const found = [];
  for (let y = -reach_y; y <= reach_y; y += 1) {
    for (let x = -reach_x; x <= reach_x; x += 1) {
      if (Math.max(Math.abs(x - there.x), Math.abs(y - there.y)) < OTHER) continue;
      found.push({ x, y, fit: shifted(one, other, x, y) });
    }
  }
  return found.sort((a, b) => b.fit - a.fit).slice(0, CANDIDATES);
}

/** @param {Level} one @param {Level} other @param {number} x @param {number} y @returns {number} the best fit about that shift */
function nearby(one, other, x, y) {
  let best = -1;
  for (let j = -1; j <= 1; j += 1) for (let i = -1; i <= 1; i += 1) best = Math.max(best, shifted(one, other, x + i, y + j));
  return best;
}

/** Pearson's correlation where the two overlap. @param {Level} one @param {Level} other @param {number} dx @param {number} dy whole pixels from one to the other */
function shifted(one, other, dx, dy) {
  const { width, height } = one;
  const [left, right] = [Math.max(0, -dx), Math.min(width, width - dx)];
  const [top, bottom] = [Math.max(0, -dy), Math.min(height, height - dy)];
  const count = (right - left) * (bottom - top);
  if (count < LEAST_OVERLAP * width * height) return -1;
  let a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  for (let y = top; y < bottom; y += 1) {
    for (let at = y * width + left, to = (y + dy) * width + left + dx, end = y * width + right; at < end; at += 1, to += 1) {
      const u = one.data[at], v = other.data[to];
      a += u;
      b += v;
      aa += u * u;
      bb += v * v;
      ab += u * v;
    }
  }
  return correlation(count, a, b, aa, bb, ab);
}

/** The same for a motion that is no whole shift. @param {Level} one @param {Level} other @param {Homography} h @param {number} size of a finest pixel */
function warped(one, other, h, size) {
  const { width, height } = one;
  let count = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const there = moved(h, { x: (x + 0.5) / size, y: (y + 0.5) / size });
      const fx = there.x * size - 0.5, fy = there.y * size - 0.5;
      const left = Math.floor(fx), top = Math.floor(fy);
      if (left < 0 || top < 0 || left >= width - 1 || top >= height - 1) continue;
      const i = fx - left, j = fy - top, to = top * width + left;
      const u = one.data[y * width + x];
      const v = (other.data[to] * (1 - i) + other.data[to + 1] * i) * (1 - j) + (other.data[to + width] * (1 - i) + other.data[to + width + 1] * i) * j;
      count += 1;
      a += u;
      b += v;
      aa += u * u;
      bb += v * v;
      ab += u * v;
    }
  }
  return count < LEAST_OVERLAP * width * height ? -1 : correlation(count, a, b, aa, bb, ab);
}

/** @param {number} count @param {number} a @param {number} b @param {number} aa @param {number} bb @param {number} ab sums */
function correlation(count, a, b, aa, bb, ab) {
  const power = (aa - (a * a) / count) * (bb - (b * b) / count);
  return power > 0 ? (ab - (a * b) / count) / Math.sqrt(power) : 0;
}
