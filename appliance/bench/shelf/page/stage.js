// The page's own eye and overlay before a film: notes for every drawn frame which frame it was, what
// stood over it, and where the last detection would still stand if it were only held (the peer).

import { Eye } from "/static/shelf/eye/eye.js";
import { NOTHING_LAID } from "/static/shelf/faces/layout.js";
import { lookMode } from "/static/shelf/faces/modes/look.js";
import { draw } from "/static/shelf/faces/overlay.js";
import { paletteOf } from "/static/shelf/faces/parts/palette.js";
import { Words } from "/static/shelf/faces/words.js";
import { stockOf } from "/static/shelf/keep/stock.js";
import { numberIn } from "./number.js";

const MARK = "rgb(255, 0, 255)", HALF = 3;

/** @typedef {import("../../../web/static/shelf/types.js").Sighting} Sighting */
/** @typedef {import("../../../web/static/shelf/types.js").Quad} Quad */

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("canvas"));
const video = /** @type {HTMLVideoElement} */ (document.getElementById("video"));
const snapshot = await (await fetch("/shelf/stage/snapshot.json")).json();
const stock = stockOf(snapshot, [], snapshot.today);
const host = {
  words: await Words.load("en"), stock, place: "", roles: ["operator"],
  open() {}, changed() {}, maybe: () => [], say() {}, feel() {}, ask: async () => null, propose: async () => false,
};
const mode = lookMode(host), palette = paletteOf();

/** Everything that was drawn. @type {{ number: number | null, at_ms: number, shown: unknown[], held: unknown[] }[]} */
let drawn = [];
/** @type {{ text: string, quad: Quad }[]} */
let held = [];
/** @type {number[]} */
let detections = [];
let marks = false, laid = NOTHING_LAID;

/** @param {Quad} quad */
const corners = (quad) => quad.flatMap(({ x, y }) => [Math.round(x * 1000) / 1000, Math.round(y * 1000) / 1000]);

const eye = new Eye({
  video, canvas,
  lookup: (text, format) => stock.lookup(text, format),
  draw(context, sightings, frame) {
    const number = numberIn(context, frame.width, frame.height);
    const all = { x: 0, y: 0, width: frame.width, height: frame.height };
    mode.see?.(sightings);
    laid = draw(context, sightings, {
      marks: mode.marks(sightings, stock), visible: all, scale: 1, text: 1, palette, chosen: null, first: new Set(), blocked: [],
    }, laid);
    if (marks) sightings.filter((each) => each.state === "confirmed").forEach((each) => cross(context, each.quad));
    drawn.push({
      number, at_ms: performance.now(),
      shown: sightings.map((each) => [each.id, each.state, each.text, each.known?.gtin ?? "", ...corners(each.quad)]),
      held: held.map(({ text, quad }) => [text, ...corners(quad)]),
    });
  },
});

// The follower hears every detection as the page does; the peer draws it where it was.
const detected = eye.follower.detected.bind(eye.follower);
eye.follower.detected = (number, found) => {
  detections.push(performance.now());
  held = found.filter((each) => each.text);
  detected(number, found);
};

/** Where an anchor is drawn, for screenshots. @param {CanvasRenderingContext2D} context @param {Quad} quad */
function cross(context, quad) {
  const x = quad.reduce((sum, each) => sum + each.x, 0) / 4, y = quad.reduce((sum, each) => sum + each.y, 0) / 4;
  context.fillStyle = MARK;
  context.fillRect(x - HALF, y - HALF, 2 * HALF, 2 * HALF);
}

globalThis.stage = {
  /** Opens the eye. @returns {Promise<number>} when, by the page's clock */
  async open() {
    const at = performance.now();
    await eye.start();
    return at;
  },
  /** Forget what was noted; from now on with or without crosses. @param {boolean} crossed */
  begin(crossed) {
    marks = crossed;
    drawn = [];
    detections = [];
    return performance.now();
  },
  frames: () => drawn.length,
  pace: () => eye.pace,
  take: () => ({ drawn, detections, now: performance.now() }),
};
document.body.dataset.state = "ready";
