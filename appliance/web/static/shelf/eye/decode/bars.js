// Where bars stand, read or not: blocks whose gradients all point one way (structure tensor,
// Bigun and Granlund 1987), joined to regions, kept where a line through them crosses enough edges.

import { box, holds } from "../geometry.js";
import { alongBars } from "./direction.js";
import { profile } from "./sample.js";

/** @typedef {import("../types.js").Floats} Floats */
/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Quad} Quad */

const BLOCK = 16;
const LEAST_ENERGY = 90;
const LEAST_COHERENCE = 0.55;
const LEAST_EDGES = 24;
const SMALLEST = 40;

/**
 * @typedef {{ across: number, down: number, xx: Floats, xy: Floats, yy: Floats }} Tensors a value a block
 */

/** @param {Grey} grey @returns {Tensors} mean products of the 2 x 2 differences, every second row */
function tensors({ data, width, height }) {
  const across = Math.floor(width / BLOCK);
  const down = Math.floor(height / BLOCK);
  /** @type {Floats} */
  const xx = new Float32Array(across * down);
  /** @type {Floats} */
  const xy = new Float32Array(across * down);
  /** @type {Floats} */
  const yy = new Float32Array(across * down);
  for (let row = 0; row < down; row += 1) {
    for (let y = row * BLOCK; y < (row + 1) * BLOCK && y < height - 1; y += 2) {
      for (let column = 0; column < across; column += 1) {
        let sxx = 0;
        let sxy = 0;
        let syy = 0;
        const first = y * width + column * BLOCK;
        const last = first + Math.min(BLOCK, width - 1 - column * BLOCK);
        let above = data[first];
        let below = data[first + width];
        for (let at = first + 1; at <= last; at += 1) {
          const next = data[at];
          const under = data[at + width];
          const falling = under - above;
          const rising = next - below;
          above = next;
          below = under;
          const gx = falling + rising;
          const gy = falling - rising;
          sxx += Math.imul(gx, gx);
          sxy += Math.imul(gx, gy);
          syy += Math.imul(gy, gy);
        }
        const block = row * across + column;
        xx[block] += sxx;
        xy[block] += sxy;
        yy[block] += syy;
      }
    }
  }
  const share = 1 / (BLOCK * (BLOCK / 2) * 4);
  for (let block = 0; block < xx.length; block += 1) {
    xx[block] *= share;
    xy[block] *= share;
    yy[block] *= share;
  }
  return { across, down, xx, xy, yy };
}

/** Blocks that look like bars, joined where neighbours run the same way.
 * @param {Tensors} tensors @returns {number[][]} indices of blocks
 */
function regions({ across, down, xx, xy, yy }) {
  const barred = new Uint8Array(across * down);
  for (let block = 0; block < barred.length; block += 1) {
    const energy = xx[block] + yy[block];
    if (energy < LEAST_ENERGY) continue;
    const coherence = Math.hypot(xx[block] - yy[block], 2 * xy[block]) / energy;
    if (coherence > LEAST_COHERENCE) barred[block] = 1;
  }
  const alike = (/** @type {number} */ one, /** @type {number} */ other) => {
    const a = { c: xx[one] - yy[one], s: 2 * xy[one] };
    const b = { c: xx[other] - yy[other], s: 2 * xy[other] };
    return a.c * b.c + a.s * b.s > 0.85 * Math.hypot(a.c, a.s) * Math.hypot(b.c, b.s);
  };
  const found = [];
  for (let start = 0; start < barred.length; start += 1) {
    if (barred[start] !== 1) continue;
    const region = [start];
    barred[start] = 2;
    // The region grows while it is gone through.
    for (const block of region) {
      const column = block % across;
      for (const other of [column > 0 ? block - 1 : -1, column < across - 1 ? block + 1 : -1, block - across, block + across]) {
        if (other >= 0 && other < barred.length && barred[other] === 1 && alike(block, other)) {
          barred[other] = 2;
          region.push(other);
        }
      }
    }
    found.push(region);
  }
  return found;
}

/** @param {Grey} grey @param {Quad} quad @returns {number} edges that its middle line crosses */
function edgesAcross(grey, [a, b, c, d]) {
  const from = { x: (a.x + d.x) / 2, y: (a.y + d.y) / 2 };
  const across = { x: (b.x + c.x) / 2 - from.x, y: (b.y + c.y) / 2 - from.y };
  const length = Math.hypot(across.x, across.y);
  const u = { x: across.x / length, y: across.y / length };
  const values = new Float32Array(Math.round(length));
  profile(grey, { from, u, v: { x: -u.y, y: u.x } }, -2, 2, 3, values);
  let edges = 0;
  let turn = values[0] ?? 0;
  let way = 0;
  for (const value of values) {
    if (way >= 0 && value < turn - 10) {
      edges += 1;
      way = -1;
    } else if (way <= 0 && value > turn + 10) {
      edges += 1;
      way = 1;
    }
    turn = way > 0 ? Math.max(turn, value) : way < 0 ? Math.min(turn, value) : turn;
    if (edges && way < 0 && value < turn) turn = value;
  }
  return edges;
}

/** @param {Grey} grey @param {Tensors} tensors @param {number[]} region @param {Quad[]} read @returns {Quad | null} */
function quadOf(grey, { across, xx, xy, yy }, region, read) {
  let c = 0;
  let s = 0;
  for (const block of region) {
    c += xx[block] - yy[block];
    s += 2 * xy[block];
  }
  let angle = 0.5 * Math.atan2(s, c);
  if (Math.cos(angle) < -1e-6) angle += Math.PI;
  const centre = (/** @type {number} */ block) => ({ x: ((block % across) + 0.5) * BLOCK, y: (Math.floor(block / across) + 0.5) * BLOCK });
  const span = (/** @type {number} */ turned) => {
    const u = { x: Math.cos(turned), y: Math.sin(turned) };
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const block of region) {
      const { x, y } = centre(block);
      const along = x * u.x + y * u.y;
      const beside = y * u.x - x * u.y;
      left = Math.min(left, along);
      right = Math.max(right, along);
      top = Math.min(top, beside);
      bottom = Math.max(bottom, beside);
    }
    const [mx, my] = [(left + right) / 2, (top + bottom) / 2];
    return { u, middle: { x: mx * u.x - my * u.y, y: mx * u.y + my * u.x }, wide: right - left + BLOCK, tall: bottom - top + BLOCK };
  };
  const rough = span(angle);
  if (rough.wide < SMALLEST || rough.tall < 6) return null;
  // A finer direction moves the middle by less than a block.
  if (read.some((quad) => holds(quad, rough.middle))) return null;
  const from = { x: rough.middle.x - (rough.u.x * rough.wide) / 2, y: rough.middle.y - (rough.u.y * rough.wide) / 2 };
  const v = alongBars(grey, { from, u: rough.u, v: { x: -rough.u.y, y: rough.u.x }, length: rough.wide }, Math.max(3, rough.tall * 0.25), 0.12);
  const { u, middle, wide, tall } = span(Math.atan2(-v.x, v.y));
  return box(middle, { x: (u.x * wide) / 2, y: (u.y * wide) / 2 }, { x: (-u.y * tall) / 2, y: (u.x * tall) / 2 });
}

/**
 * Regions of bars in any direction, those of nothing but print or a box's edge left out.
 * @param {Grey} grey
 * @param {Quad[]} [read] codes whose bars need not be found: most of them are left out
 * @returns {Quad[]} to about a block (16 pixels); top left is where the reading may begin or end
 */
export function barsIn(grey, read = []) {
  const all = tensors(grey);
  const quads = [];
  for (const region of regions(all)) {
    if (region.length < 3) continue;
    const quad = quadOf(grey, all, region, read);
    if (quad && edgesAcross(grey, quad) >= LEAST_EDGES) quads.push(quad);
  }
  return quads;
}
