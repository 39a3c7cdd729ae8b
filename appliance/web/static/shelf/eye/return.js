// After the motion was lost (a swing of the arm, a hand before the lens): whether the same codes
// are in view again, and how they moved meanwhile. So a code keeps its number and is counted once.

import { enlarged, movedQuad } from "./geometry.js";
import { motionOf } from "./motion/fit.js";

/** @typedef {import("./confirm.js").Region} Region */
/** @typedef {import("./types.js").Detection} Detection */
/** @typedef {import("./types.js").Homography} Homography */

/** Codes that must agree: by their texts alone two of the same goods could be taken for one. */
const LEAST = 3;
const LEAST_AGREE = 0.7;

/** @template T @param {T[]} all @param {(one: T) => string} text @returns {Map<string, T>} those whose text occurs once */
function single(all, text) {
  const found = new Map();
  const twice = new Set();
  for (const one of all) {
    if (found.has(text(one))) twice.add(text(one));
    found.set(text(one), one);
  }
  for (const each of twice) found.delete(each);
  return found;
}

/**
 * The regions of before where they stand now, gone until each is read again.
 * @param {Region[]} before believed ones, in pixels of the last frame whose motion was known
 * @param {Detection[]} detections in pixels of the frame now
 * @param {number} width @param {number} height of the frame
 * @param {number} factor how many times as small the frames are that motion is measured in
 * @returns {Region[]} empty where the codes do not agree on a motion
 */
export function cameBack(before, detections, width, height, factor) {
  const old = single(before, ({ text }) => text);
  const now = single(detections.filter(({ text, cut }) => text !== "" && !cut), ({ text }) => text);
  const shared = [...now.keys()].filter((text) => old.has(text));
  if (shared.length < LEAST) return [];
  const small = (/** @type {{ x: number, y: number }} */ { x, y }) => ({ x: x / factor, y: y / factor });
  /** @type {import("./motion/fit.js").Pair[]} */
  const pairs = [];
  for (const text of shared) {
    const there = now.get(text)?.quad ?? [];
    old.get(text)?.quad.forEach((corner, at) => {
      const to = there[at];
      if (to) pairs.push([small(corner), small(to)]);
    });
  }
  const motion = motionOf(pairs, width / factor, height / factor);
  if (!motion || motion.agree < LEAST_AGREE) return [];
  const h = enlarged(motion.h, factor);
  return before.map((region) => ({ ...region, quad: movedQuad(h, region.quad), gone: true }));
}
