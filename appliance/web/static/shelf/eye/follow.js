// From small frames and late detections to sightings that stand still on their codes. Pure: no DOM,
// no clock. The page feeds it from the camera, the bench and the tests from files.

import { answered, confirm, nothingSeen, sightingsOf, stateOf } from "./confirm.js";
import { enlarged, inverted, moved, movedQuad } from "./geometry.js";
import { likeness, lookOf } from "./looks.js";
import { cameBack } from "./return.js";
import { Tracker } from "./motion/track.js";

/** @typedef {import("./confirm.js").Region} Region */
/** @typedef {import("./types.js").Detection} Detection */
/** @typedef {import("./types.js").Floats} Floats */
/** @typedef {import("./types.js").Frame} Frame */
/** @typedef {import("./types.js").Grey} Grey */
/** @typedef {import("./types.js").Homography} Homography */
/** @typedef {import("./types.js").Lookup} Lookup */
/** @typedef {import("./types.js").Quad} Quad */
/** @typedef {import("./types.js").Sighting} Sighting */

/** Width of the frames that motion is measured in; their height keeps the video's shape. */
export const MOTION_WIDTH = 320;

/** Frames of which a detection may still come. */
const KEPT = 24;
/** Below this likeness what stands there is something else. */
const LEAST_LIKENESS = 0.4;
/** Pixels of the full frame that a hand at rest moves from frame to frame. */
const REST = 3;
const REST_MS = 400;
/** For so long after the motion was lost codes may come back with their numbers. */
const RETURN_MS = 5000;

export class Follower {
  /** @param {Lookup} lookup whether a text stands for something here */
  constructor(lookup) {
    this.lookup = lookup;
    this.state = nothingSeen();
    this.tracker = new Tracker();
    /** @type {{ small: Grey, frame: Frame }[]} */
    this.recent = [];
    /** How each region looked when it was last read. @type {Map<number, Floats>} */
    this.looks = new Map();
    /** Unread codes of which a still went to the appliance: where each stands and how it looked. @type {Map<number, { quad: Quad, look: Floats }>} */
    this.asked = new Map();
    this.moved_ms = 0;
    /** What was believed when the motion was lost. @type {{ regions: Region[], at_ms: number } | null} */
    this.before = null;
    /** No motion that matters for a while: a sharp still can be cut out. */
    this.still = false;
  }

  /**
   * The next video frame: moves all that is known to where it stands now.
   * @param {Grey} small the frame scaled to MOTION_WIDTH
   * @param {Frame} frame the full frame's size, time and number (numbers rise)
   * @returns {Sighting[]} as the overlay shows them in this very frame
   */
  frame(small, frame) {
    const step = this.tracker.frame(small, frame.number);
    if (step) this.carry(enlarged(step, frame.width / small.width), frame);
    else this.lose(frame);
    this.recent.push({ small, frame });
    if (this.recent.length > KEPT) this.recent.shift();
    this.look(small, frame);
    return sightingsOf(this.state, frame.at_ms);
  }

  /** @param {Homography} step in pixels of the full frame @param {Frame} frame */
  carry(step, frame) {
    const regions = this.state.regions.map((region) => ({ ...region, quad: movedQuad(step, region.quad) }));
    this.state = { ...this.state, regions };
    for (const one of this.asked.values()) one.quad = movedQuad(step, one.quad);
    const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([i, j]) => ({ x: /** @type {number} */ (i) * frame.width, y: /** @type {number} */ (j) * frame.height }));
    const most = Math.max(...corners.map((corner) => Math.hypot(moved(step, corner).x - corner.x, moved(step, corner).y - corner.y)));
    if (most > REST) this.moved_ms = frame.at_ms;
    this.still = frame.at_ms - this.moved_ms > REST_MS;
  }

  /** Where things stand is no longer known: nothing is shown until it is read again. @param {Frame} frame */
  lose(frame) {
    const believed = this.state.regions.filter((region) => region.believed && region.fixes > 0);
    if (believed.length) this.before = { regions: believed, at_ms: frame.at_ms };
    this.state = { ...nothingSeen(), next_id: this.state.next_id };
    this.looks.clear();
    this.asked.clear();
    this.recent = [];
    this.moved_ms = frame.at_ms;
    this.still = false;
  }

  /** What no longer looks as it did is doubted until it is read again, and so is what cannot be
   * looked at, since it left the picture: other goods may stand there when it comes back.
   * @param {Grey} small @param {Frame} frame
   */
  look(small, frame) {
    const factor = frame.width / small.width;
    this.state = {
      ...this.state,
      regions: this.state.regions.map((region) => {
        if (!region.believed || !stateOf(region, frame.at_ms)) return region;
        const before = this.looks.get(region.id), now = lookOf(small, region.quad, factor);
        return before && now && likeness(before, now) >= LEAST_LIKENESS ? region : { ...region, doubt_ms: frame.at_ms };
      }),
    };
  }

  /**
   * What the reader found in an earlier frame (or this one), in that frame's pixels.
   * @param {number} number the frame's
   * @param {Detection[]} detections
   */
  detected(number, detections) {
    const then = this.recent.find(({ frame }) => frame.number === number);
    const motion = this.tracker.between(number);
    if (!then || !motion) return;
    const factor = then.frame.width / then.small.width;
    const since = enlarged(motion, factor);
    const here = detections.map((one) => ({ ...one, quad: movedQuad(since, one.quad) }));
    this.recall(here, then.frame, factor);
    this.state = confirm(this.state, here, this.lookup, then.frame.at_ms);
    const back = inverted(since);
    const alive = new Set();
    for (const region of this.state.regions) {
      alive.add(region.id);
      if (region.seen_ms !== then.frame.at_ms || !region.text) continue;
      const look = lookOf(then.small, movedQuad(back, region.quad), factor);
      if (look) this.looks.set(region.id, look);
    }
    for (const kept of [this.looks, this.asked]) for (const id of kept.keys()) if (!alive.has(id)) kept.delete(id);
  }

  /** Codes that came back after the motion was lost keep their numbers. @param {Detection[]} here @param {Frame} frame @param {number} factor */
  recall(here, { width, height, at_ms }, factor) {
    if (!this.before) return;
    if (at_ms - this.before.at_ms > RETURN_MS) this.before = null;
    // What was begun anew in the meantime stays as it is: one code never has two numbers at once.
    const taken = new Set(this.state.regions.map(({ text }) => text));
    const back = this.before ? cameBack(this.before.regions, here, width, height, factor) : [];
    if (!back.length) return;
    this.state = { ...this.state, regions: [...this.state.regions, ...back.filter(({ text }) => !taken.has(text))] };
    this.before = null;
  }

  /**
   * A still of it goes to the appliance: its answer is about what stands there now.
   * @param {number} id
   * @returns {boolean} false where most of it is outside the picture: nobody could tell later whether it is the same
   */
  ask(id) {
    const last = this.recent.at(-1), region = this.state.regions.find((one) => one.id === id);
    const look = last && region && lookOf(last.small, region.quad, last.frame.width / last.small.width);
    if (look) this.asked.set(id, { quad: region.quad, look });
    else this.asked.delete(id);
    return Boolean(look);
  }

  /** What the appliance read where the phone could not. @param {number} id @param {import("../types.js").Decoded} decoded */
  answer(id, decoded) {
    const last = this.recent[this.recent.length - 1];
    if (!last) return;
    const asked = this.asked.get(id), now = asked && lookOf(last.small, asked.quad, last.frame.width / last.small.width);
    // Something else came into its place meanwhile, or may have: the answer is about another code.
    if (!asked || !now || likeness(asked.look, now) < LEAST_LIKENESS) return;
    this.state = answered(this.state, id, decoded, this.lookup, last.frame.at_ms);
    const region = this.state.regions.find((one) => one.id === id);
    const look = region && lookOf(last.small, region.quad, last.frame.width / last.small.width);
    if (look) this.looks.set(id, look);
  }

  /** @returns {Quad[]} where codes were lately: they are tried enlarged if they are not read at once */
  wanted() {
    return this.state.regions.filter((region) => !region.gone && region.text !== "").map((region) => region.quad);
  }

  /** Frees all that was followed: the camera was stopped or turned to another place. */
  forget() {
    this.state = { ...nothingSeen(), next_id: this.state.next_id };
    this.tracker = new Tracker();
    this.before = null;
    this.recent = [];
    this.looks.clear();
    this.asked.clear();
    this.still = false;
  }
}
