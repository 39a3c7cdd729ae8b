// The whole code out of the lines that were scanned. A linear reader tells between which points its
// scan lines ran, in whole pixels; what an overlay stands on is the code. So: the direction of
// the bars in either half (the one in which their mean is sharpest), the bars' ends (where half of
// their pattern is left), and the outer edges of the first and the last bar.

import { crossing } from "../geometry.js";
import { alongBars } from "./direction.js";
import { profile } from "./sample.js";

/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("../types.js").Quad} Quad */
/** @typedef {import("./direction.js").Strip} Strip */

const ROWS = 7;

/** @param {Point} a @param {Point} b */
const between = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

/** @param {Point} v */
function unit({ x, y }) {
  const length = Math.hypot(x, y) || 1;
  return { x: x / length, y: y / length };
}

/** Pixels from a point along a direction to the picture's rim.
 * @param {Grey} grey @param {Point} at @param {Point} way unit
 */
function toRim({ width, height }, { x, y }, way) {
  const across = way.x > 0 ? (width - x) / way.x : way.x < 0 ? -x / way.x : Infinity;
  const down = way.y > 0 ? (height - y) / way.y : way.y < 0 ? -y / way.y : Infinity;
  return Math.max(0, Math.min(across, down));
}

/**
 * How far the bars reach from the strip's line in one direction, pixels: where half their pattern is left.
 * @param {Grey} grey @param {Strip} strip @param {1 | -1} sign @param {Floats} pattern with mean 0
 * @param {number} from pixels that the bars are known to reach @param {number} most
 * @returns {{ reach: number, cut: boolean }} cut: the picture ends first
 */
function end(grey, strip, sign, pattern, from, most) {
  /** @type {Floats} */
  const row = new Float32Array(pattern.length);
  let norm = 0;
  for (const value of pattern) norm += value * value;
  const left = (/** @type {number} */ t) => {
    profile(grey, strip, sign * t, sign * t, 1, row);
    let sum = 0;
    for (let at = 0; at < row.length; at += 1) sum += row[at] * pattern[at];
    return sum / norm;
  };
  const middle = { x: strip.from.x + (strip.u.x * strip.length) / 2, y: strip.from.y + (strip.u.y * strip.length) / 2 };
  const rim = toRim(grey, middle, { x: sign * strip.v.x, y: sign * strip.v.y });
  const stride = 4;
  let t = Math.max(0, from);
  while (t > 0 && left(t) <= 0.5) t = Math.max(0, t - stride);
  let missed = 0;
  for (let next = t + stride; next <= Math.min(most, rim) && missed < 2; next += stride) {
    if (left(next) > 0.5) {
      t = next;
      missed = 0;
    } else missed += 1;
  }
  let before = left(t);
  for (let next = t + 1; next <= t + stride + 1 && next < rim; next += 1) {
    const now = left(next);
    if (now <= 0.5) return { reach: next - 1 + (before - 0.5) / Math.max(before - now, 1e-6), cut: false };
    before = now;
  }
  return { reach: Math.min(t + stride, rim), cut: t + stride + 1 >= rim };
}

/** Where brightness first falls through the middle between quiet zone and bars, to a part of a pixel.
 * @param {Floats} values from the quiet zone inwards @param {number} guess index @param {number} doubt
 * @returns {number | null}
 */
function firstEdge(values, guess, doubt) {
  const from = Math.max(1, Math.floor(guess - doubt));
  const to = Math.min(values.length - 1, Math.ceil(guess + doubt));
  let light = 0;
  let dark = 255;
  for (let at = from - 1; at <= to; at += 1) {
    light = Math.max(light, values[at]);
    dark = Math.min(dark, values[at]);
  }
  if (light - dark < 12) return null;
  const half = (light + dark) / 2;
  for (let at = from; at <= to; at += 1) {
    if (values[at] <= half && values[at - 1] > half) return at - 1 + (values[at - 1] - half) / (values[at - 1] - values[at]);
  }
  return null;
}

/**
 * Where bars begin and end along a strip of which only the middle is sure: outwards until it stays
 * light for longer than any space within a code (4 modules of an EAN, GS1 General Specifications 5.2).
 * @param {Floats} values one a pixel @param {number} width of the bars, about @returns {{ from: number, to: number } | null} pixels of the strip
 */
function ends(values, width) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = ((sorted[Math.floor(sorted.length * 0.1)] ?? 0) + (sorted[Math.floor(sorted.length * 0.85)] ?? 0)) / 2;
  const most = Math.max(5, (6.5 * width) / 95);
  const outward = (/** @type {number} */ sign) => {
    const middle = values.length >> 1;
    let last = middle;
    for (let at = middle; at >= 0 && at < values.length && Math.abs(at - last) < most; at += sign) if (values[at] < half) last = at;
    const next = last + sign;
    if (next < 0 || next >= values.length) return null;
    return last + sign * ((half - values[last]) / Math.max(1e-6, values[next] - values[last]));
  };
  const from = outward(-1);
  const to = outward(1);
  return from !== null && to !== null && to - from > 30 ? { from, to } : null;
}

/**
 * The bars' quad where only a region is known in which they stand, to about 16 pixels.
 * @param {Grey} grey @param {Quad} region
 * @returns {{ quad: Quad, cut: boolean } | null}
 */
export function outlineIn(grey, region) {
  const bars = barsOf(grey, region);
  if (!bars) return null;
  const { centre, u, v, width, tall } = bars;
  const room = 30 + width * 0.1;
  const strip = { from: { x: centre.x - u.x * (width / 2 + room), y: centre.y - u.y * (width / 2 + room) }, u, v };
  /** @type {Floats} */
  const values = new Float32Array(Math.round(width + 2 * room));
  profile(grey, strip, -tall * 0.6, tall * 0.6, ROWS, values);
  const found = ends(values, width);
  if (!found) return null;
  const at = (/** @type {number} */ along, /** @type {number} */ down) => ({ x: strip.from.x + u.x * along + v.x * down, y: strip.from.y + u.y * along + v.y * down });
  const half = tall * 0.6;
  return outline(grey, [at(found.from, -half), at(found.to, -half), at(found.to, half), at(found.from, half)]);
}

/** What the bars look like along a strip, less their mean; null where there is no contrast.
 * @param {Grey} grey @param {Strip} strip @param {number} reach
 */
function patternOf(grey, strip, reach) {
  /** @type {Floats} */
  const pattern = new Float32Array(Math.max(2, Math.round(strip.length)));
  profile(grey, strip, -reach, reach, ROWS, pattern);
  let mean = 0;
  for (const value of pattern) mean += value / pattern.length;
  let power = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    pattern[at] -= mean;
    power += pattern[at] ** 2;
  }
  return power / pattern.length < 25 ? null : pattern;
}

/**
 * @typedef {object} Bars
 * @property {Point} centre
 * @property {Point} u unit, square to the bars
 * @property {Point} v unit, along the bars
 * @property {number} width pixels
 * @property {number} tall pixels from the centre to either end
 * @property {boolean} cut the picture ends before the bars do
 */

/** The bars' middle, direction and length, from scan lines that may be few and slanted.
 * @param {Grey} grey @param {Quad} scanned @returns {Bars | null}
 */
function barsOf(grey, [a, b, c, d]) {
  const left = between(a, d);
  const right = between(b, c);
  const across = { x: right.x - left.x, y: right.y - left.y };
  let centre = between(left, right);
  const side = { x: (d.x + c.x - a.x - b.x) / 2, y: (d.y + c.y - a.y - b.y) / 2 };
  const tall = Math.hypot(side.x, side.y);
  // Clockwise from u, whichever way the lines were gone through.
  const square = unit({ x: -across.y, y: across.x });
  const turned = side.x * square.x + side.y * square.y < 0 ? { x: -side.x, y: -side.y } : side;
  let v = tall >= 8 ? unit(turned) : square;
  let reach = Math.max(3, tall * 0.4);
  let doubt = tall >= 8 ? Math.max(0.04, 1.5 / tall) : 0.3;
  for (let round = 0; ; round += 1) {
    const coarse = { from: { x: centre.x - across.x / 2, y: centre.y - across.y / 2 }, u: unit(across), v, length: Math.hypot(across.x, across.y) };
    v = alongBars(grey, coarse, reach, doubt);
    const u = { x: v.y, y: -v.x };
    const width = across.x * u.x + across.y * u.y;
    if (width < 30) return null;
    const strip = { from: { x: centre.x - (u.x * width) / 2, y: centre.y - (u.y * width) / 2 }, u, v, length: width };
    const pattern = patternOf(grey, strip, reach);
    if (!pattern) return null;
    const up = end(grey, strip, -1, pattern, reach, width * 2);
    const down = end(grey, strip, 1, pattern, reach, width * 2);
    const shift = (down.reach - up.reach) / 2;
    centre = { x: centre.x + v.x * shift, y: centre.y + v.y * shift };
    const half = (up.reach + down.reach) / 2;
    if (half * 0.8 < reach * 1.3 || round === 3) return { centre, u, v, width, tall: half, cut: up.cut || down.cut };
    reach = Math.min(half * 0.8, reach * 3);
    doubt = 2 / reach;
  }
}

/**
 * The quad of the bars themselves: without quiet zone, digits and the guard bars' longer feet.
 * @param {Grey} grey
 * @param {Quad} scanned between the ends of the scan lines, whole pixels
 * @returns {{ quad: Quad, cut: boolean } | null} null where the picture does not show the pattern;
 *   cut: the code goes on outside the picture
 */
export function outline(grey, scanned) {
  const bars = barsOf(grey, scanned);
  if (!bars) return null;
  const one = half(grey, bars, -1);
  const other = half(grey, bars, 1);
  if (!one || !other) return null;
  // Bars converge where the code leans away: the outermost ones lean by as much again.
  const lean = { x: (other.v.x - one.v.x) / 2, y: (other.v.y - one.v.y) / 2 };
  const begin = edge(grey, bars, { x: one.v.x - lean.x, y: one.v.y - lean.y }, -1);
  const finish = edge(grey, bars, { x: other.v.x + lean.x, y: other.v.y + lean.y }, 1);
  if (!begin || !finish) return null;
  const corners = [
    crossing(one.top, other.top, begin.at, begin.to),
    crossing(one.top, other.top, finish.at, finish.to),
    crossing(one.bottom, other.bottom, finish.at, finish.to),
    crossing(one.bottom, other.bottom, begin.at, begin.to),
  ];
  if (corners.some((corner) => corner === null)) return null;
  return { quad: /** @type {Quad} */ (corners), cut: bars.cut };
}

/** One half's bars: their direction and both ends in its middle.
 * @param {Grey} grey @param {Bars} bars @param {number} sign -1 left, 1 right
 */
function half(grey, { centre, u, v: whole, width, tall }, sign) {
  const length = Math.floor(width / 2) - 1;
  const start = sign < 0 ? -width / 2 : 1;
  const from = { x: centre.x + u.x * start, y: centre.y + u.y * start };
  const reach = tall * 0.8;
  const v = alongBars(grey, { from, u, v: whole, length }, reach, Math.min(0.06, 3 / reach));
  const strip = { from, u, v, length };
  const pattern = patternOf(grey, strip, reach * 0.7);
  if (!pattern) return null;
  const foot = { x: from.x + (u.x * length) / 2, y: from.y + (u.y * length) / 2 };
  // A label's frame or a line of print may look like one half's bars, but not like those of the whole.
  const most = tall + Math.max(4, width * 0.06);
  const up = end(grey, strip, -1, pattern, reach, most).reach;
  const down = end(grey, strip, 1, pattern, reach, most).reach;
  return {
    v,
    top: { x: foot.x - v.x * up, y: foot.y - v.y * up },
    bottom: { x: foot.x + v.x * down, y: foot.y + v.y * down },
  };
}

/** The outer edge of the first (-1) or last (1) bar as two points of a line.
 * @param {Grey} grey @param {Bars} bars @param {Point} v @param {number} sign
 */
function edge(grey, { centre, u, width, tall }, v, sign) {
  const outside = Math.max(8, width * 0.05);
  const inward = { x: -u.x * sign, y: -u.y * sign };
  const from = { x: centre.x - inward.x * (width / 2 + outside), y: centre.y - inward.y * (width / 2 + outside) };
  const values = new Float32Array(Math.round(outside * 2));
  profile(grey, { from, u: inward, v }, -tall * 0.7, tall * 0.7, ROWS, values);
  const at = firstEdge(values, outside, Math.max(4, outside * 0.5));
  if (at === null) return null;
  const foot = { x: from.x + inward.x * at, y: from.y + inward.y * at };
  return { at: foot, to: { x: foot.x + v.x * 10, y: foot.y + v.y * 10 } };
}
