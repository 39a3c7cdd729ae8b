// How the picture moved since an earlier frame. Points are followed from a key frame, not from frame
// to frame, so that a phone held still adds no drift; a new key frame comes when too few points
// are left or the view has turned so far that patches no longer look alike.

import { chained, inverted, moved, unmoved } from "../geometry.js";
import { cornersOf } from "./corners.js";
import { motionOf } from "./fit.js";
import { flow } from "./flow.js";
import { isElsewhere } from "./glance.js";
import { pyramidOf } from "./pyramid.js";

/** @typedef {import("../types.js").Grey} Grey */
/** @typedef {import("../types.js").Homography} Homography */
/** @typedef {import("../types.js").Point} Point */
/** @typedef {import("./fit.js").Pair} Pair */
/** @typedef {import("./pyramid.js").Pyramid} Pyramid */
/** @typedef {{ number: number, pose: Homography }} Past pose: from the first frame of its stretch to that frame */

const KEPT = 64;
/** Below this share of the key frame's points a new key frame is taken. */
const LEAST_AGREE = 0.6;
const LEAST_POINTS = 12;
/** Share of scale, turn or lean at which patches stop to look alike. */
const MOST_CHANGE = 0.08;
const MOST_SHIFT = 0.2;

export class Tracker {
  constructor() {
    /** @type {{ pyramid: Pyramid, points: Point[], pose: Homography } | null} */
    this.key = null;
    /** From the key frame to the last frame. */
    this.since = unmoved();
    /** The last frame's change against the one before it. */
    this.step = unmoved();
    /** The last frame. @type {Pyramid | null} */
    this.last = null;
    /** @type {Past[]} */
    this.past = [];
    /** Grows by one when the motion was lost: nothing seen before stands anywhere now. */
    this.stretch = 0;
  }

  /**
   * @param {Grey} small
   * @param {number} number the frame's; numbers rise
   * @returns {Homography | null} from the frame before to this one, in pixels of `small` (the first one's edge is 0); null: lost, or the first
   */
  frame(small, number) {
    const pyramid = pyramidOf(small);
    const known = this.key;
    const last = this.last;
    this.last = pyramid;
    const found = known && this.follow(known, pyramid, small);
    if (!known || !found || (last && isElsewhere(last, pyramid, chained(found.h, inverted(this.since))))) {
      this.lose(pyramid, number);
      return null;
    }
    const before = this.since;
    this.since = found.h;
    this.step = chained(found.h, inverted(before));
    this.past.push({ number, pose: chained(found.h, known.pose) });
    if (this.past.length > KEPT) this.past.shift();
    if (found.agree < LEAST_AGREE || found.pairs < LEAST_POINTS || changed(found.h, small)) this.rekey(pyramid);
    return this.step;
  }

  /** @param {NonNullable<Tracker["key"]>} key @param {Pyramid} pyramid @param {Grey} small */
  follow(key, pyramid, small) {
    // Where it would be if it went on as it did.
    const guess = chained(this.step, this.since);
    const guesses = key.points.map((point) => centred(guess, point));
    const first = this.fitted(key, flow(key.pyramid, pyramid, key.points, guesses, 2), small);
    if (first && first.agree > 0.5) return first;
    const stayed = key.points.map((point) => centred(this.since, point));
    return this.fitted(key, flow(key.pyramid, pyramid, key.points, stayed, 3), small) ?? first;
  }

  /** @param {NonNullable<Tracker["key"]>} key @param {(Point | null)[]} there @param {Grey} small */
  fitted(key, there, { width, height }) {
    /** @type {Pair[]} */
    const pairs = [];
    key.points.forEach((point, at) => {
      const to = there[at];
      if (to) pairs.push([{ x: point.x + 0.5, y: point.y + 0.5 }, { x: to.x + 0.5, y: to.y + 0.5 }]);
    });
    const motion = motionOf(pairs, width, height);
    return motion && { h: motion.h, agree: (motion.agree * pairs.length) / key.points.length, pairs: pairs.length };
  }

  /** This frame is the one that points are followed from now on. @param {Pyramid} pyramid */
  rekey(pyramid) {
    const finest = pyramid[0];
    const last = this.past[this.past.length - 1];
    const points = finest ? cornersOf(finest) : [];
    if (!last || points.length < 5) return;
    // Poses count from the oldest frame that is kept, so that numbers stay small however far one walks.
    const oldest = inverted(this.past[0]?.pose ?? unmoved());
    for (const past of this.past) past.pose = chained(past.pose, oldest);
    this.key = { pyramid, points, pose: last.pose };
    this.since = unmoved();
  }

  /** @param {Pyramid} pyramid @param {number} number */
  lose(pyramid, number) {
    const finest = pyramid[0];
    const points = finest ? cornersOf(finest) : [];
    this.stretch += 1;
    this.since = unmoved();
    this.step = unmoved();
    this.past = [{ number, pose: unmoved() }];
    this.key = points.length >= 5 ? { pyramid, points, pose: unmoved() } : null;
  }

  /**
   * From an earlier frame to the last one, in pixels of the small frame.
   * @param {number} number
   * @returns {Homography | null} null: the motion between them is not known
   */
  between(number) {
    const then = this.past.find((past) => past.number === number);
    const now = this.past[this.past.length - 1];
    return then && now ? chained(now.pose, inverted(then.pose)) : null;
  }
}

/** @param {Homography} h @param {Point} point whose first pixel's centre is (0, 0) */
function centred(h, point) {
  const there = moved(h, { x: point.x + 0.5, y: point.y + 0.5 });
  return { x: there.x - 0.5, y: there.y - 0.5 };
}

/** @param {Homography} h @param {Grey} small */
function changed(h, { width, height }) {
  const centre = { x: width / 2, y: height / 2 };
  const there = moved(h, centre);
  if (Math.hypot(there.x - centre.x, there.y - centre.y) > MOST_SHIFT * width) return true;
  const most = Math.max(Math.abs(h[0] - 1), Math.abs(h[4] - 1), Math.abs(h[1]), Math.abs(h[3]), Math.abs(h[6]) * width, Math.abs(h[7]) * height);
  return most > MOST_CHANGE;
}
