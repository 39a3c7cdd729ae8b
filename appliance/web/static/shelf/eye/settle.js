// Where a code stands, out of many outlines that are each a little off: a mean that follows at once
// where the difference is large (One Euro filter, Casiez et al. 2012, on the difference alone, since
// the tracker has already moved the quad: no lag). An outline that does not fit is left out.

import { areaOf, middle } from "./geometry.js";

/** @typedef {import("./types.js").Quad} Quad */

/** Share of the difference that is taken over when the phone is still. */
const STILL = 0.12;
/** Grows by this for each pixel of difference beyond the reader's own error. */
const PER_PIXEL = 0.2;
const ERROR = 0.6;
const MOST = 0.85;
const LEARNING = 8;
const PATIENCE = 3;
/** Heights of a code: a middle that is farther from where the tracker took it is no error of its outline. */
const AWAY = 0.75;

/**
 * @param {{ quad: Quad, fixes: number, odd: number, gone: boolean, text: string }} region
 * @param {{ quad: Quad, cut: boolean, text: string }} one
 * @returns {{ quad: Quad, fixes: number, odd: number }}
 */
export function settled({ quad, fixes, odd, gone, text }, one) {
  if (fixes === 0 || gone || text !== one.text) return { quad: one.quad, fixes: one.cut ? 0 : 1, odd: 0 };
  const a = middle(quad);
  const b = middle(one.quad);
  const off = Math.hypot(b.x - a.x, b.y - a.y);
  // It was carried away by itself: where it stood may stand another already.
  if (off > AWAY * Math.hypot(quad[3].x - quad[0].x, quad[3].y - quad[0].y)) return { quad: one.quad, fixes: one.cut ? 0 : 1, odd: 0 };
  if (one.cut) return { quad, fixes, odd };
  if (!alike(quad, one.quad)) return odd < PATIENCE ? { quad, fixes, odd: odd + 1 } : { quad: one.quad, fixes: 1, odd: 0 };
  const follow = Math.min(MOST, STILL + PER_PIXEL * Math.max(0, off - ERROR));
  const gain = Math.max(follow, fixes < LEARNING ? 1 / (fixes + 1) : 0);
  return { quad: blended(quad, one.quad, gain), fixes: fixes + 1, odd: 0 };
}

/** @param {Quad} from @param {Quad} to @param {number} gain @returns {Quad} */
function blended([a, b, c, d], [p, q, r, s], gain) {
  const mix = (/** @type {{ x: number, y: number }} */ u, /** @type {{ x: number, y: number }} */ v) => ({ x: u.x + (v.x - u.x) * gain, y: u.y + (v.y - u.y) * gain });
  return [mix(a, p), mix(b, q), mix(c, r), mix(d, s)];
}

/** Whether an outline can be of the same code: about as large, about as long and tall. @param {Quad} one @param {Quad} other */
function alike(one, other) {
  const share = areaOf(other) / Math.max(1, areaOf(one));
  if (share < 0.75 || share > 1.33) return false;
  const side = (/** @type {Quad} */ quad, /** @type {0 | 1} */ at) => {
    const [from, to] = at === 0 ? [quad[0], quad[1]] : [quad[1], quad[2]];
    return Math.hypot(to.x - from.x, to.y - from.y);
  };
  return [0, 1].every((at) => {
    const ratio = side(other, /** @type {0 | 1} */ (at)) / Math.max(1, side(one, /** @type {0 | 1} */ (at)));
    return ratio > 0.75 && ratio < 1.33;
  });
}
