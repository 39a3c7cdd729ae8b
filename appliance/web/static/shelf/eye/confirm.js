// What is believed of what was decoded: no product is shown over a code that is not its own.
// Pure: a state goes in, a state comes out.
//
// - One code a region. Two texts in one region reject each other until one of them wins.
// - A text on the stock list needs one clean reading: symbology and check digit held and, for EAN and
//   UPC, each digit's shade fits no other digit; three lines or a matrix code for the rest. Where
//   phantoms occur (enlarged picture, UPC-E, ITF) two passes agree, and three where an EAN's
//   digits could be others.
// - A text on no list needs two passes that agree, three where phantoms occur, five for such an EAN.
// - A region never inherits: where another text is read, the old one stops standing at once, and
//   where what stands there looks different (`doubt_ms`), it needs a reading from after that.

import { areaOf, holds, middle, together } from "./geometry.js";
import { settled } from "./settle.js";

/** @typedef {import("./types.js").Detection} Detection */
/** @typedef {import("./types.js").Known} Known */
/** @typedef {import("./types.js").Lookup} Lookup */
/** @typedef {import("./types.js").Sighting} Sighting */
/** @typedef {import("./types.js").Quad} Quad */

/** A believed code is shown this long without being read again. */
export const HOLD_MS = 1000;
/** What is not believed goes sooner. */
const GLIMPSE_MS = 400;
/** How long a contradiction asks for more votes. */
const DISPUTE_MS = 1500;
/** A code that left the view keeps its number this long, for when it comes back. */
const MEMORY_MS = 30_000;
const MOST_GONE = 200;
/** A code may be found again this many of its own widths away. */
const STRAYED = 1.5;
const RISKY_FORMATS = new Set(["UPCE", "ITF", "ITF14"]);
const PROVABLE = new Set(["EAN13", "UPCA", "EAN8"]);
const LEAST_LINES = 3;

/** @typedef {{ regions: Region[], next_id: number }} ConfirmState */
/**
 * @typedef {object} Region
 * @property {number} id
 * @property {Quad} quad in the frame that is shown now
 * @property {number} fixes outlines that made up the quad
 * @property {number} odd outlines in a row that did not fit it
 * @property {string} text last read; believed if `believed`
 * @property {string} format
 * @property {boolean} believed
 * @property {number} run passes in a row that read this text, none another
 * @property {Known | null} known
 * @property {number} born_ms
 * @property {number} seen_ms when it was last read, or where nothing ever was: last found
 * @property {number} disputed_ms when another text was last read here, or -Infinity
 * @property {number} doubt_ms since when it looks different, or -Infinity
 * @property {number} passes that found it, read or not
 * @property {boolean} gone out of view or no longer found; kept for its id
 * @property {"phone" | "appliance"} reader
 */

/** @returns {ConfirmState} */
export function nothingSeen() {
  return { regions: [], next_id: 1 };
}

/** @param {Detection} detection @param {boolean} listed whether it is on the stock list @returns {number} passes that must agree */
export function passesFor(detection, listed) {
  if (PROVABLE.has(detection.format) && !detection.firm) return listed ? 3 : 5;
  return (listed ? 1 : 2) + (risky(detection) ? 1 : 0);
}

/** @param {Detection} detection whether phantoms occur among such readings */
export function risky({ format, upscaled, lines, firm }) {
  if (PROVABLE.has(format)) return !firm || lines === 0;
  const matrix = format.includes("QR") || format.includes("DataMatrix");
  return upscaled || RISKY_FORMATS.has(format) || (!matrix && lines < LEAST_LINES);
}

/** One reading a place: of two that lie over each other the firmer one, of two alike none is believed.
 * @param {Detection[]} detections
 */
function apart(detections) {
  const firm = (/** @type {Detection} */ one) => (one.unread ? 0 : risky(one) ? 1 : 2) * 1000 + one.lines;
  const sorted = [...detections].sort((one, other) => firm(other) - firm(one));
  /** @type {Detection[]} */
  const kept = [];
  for (const one of sorted) {
    const over = kept.find((other) => together(one.quad, other.quad));
    if (!over) kept.push(one);
  }
  return kept;
}

/** @param {Quad} one @param {Quad} other */
function distance(one, other) {
  const a = middle(one);
  const b = middle(other);
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** @param {Quad} quad */
const widthOf = ([a, b]) => Math.hypot(b.x - a.x, b.y - a.y);

/**
 * Which detection belongs to which region: the same text in the same place first, then the same text
 * nearby (it moved), then the place alone.
 * @param {Region[]} regions @param {Detection[]} detections
 * @returns {Map<Detection, Region>}
 */
function matched(regions, detections) {
  /** @type {Map<Detection, Region>} */
  const pairs = new Map();
  const taken = new Set();
  const assign = (/** @type {(one: Detection, region: Region) => boolean} */ fits) => {
    const wishes = [];
    for (const one of detections) {
      if (pairs.has(one)) continue;
      for (const region of regions) if (!taken.has(region) && fits(one, region)) wishes.push({ one, region, far: distance(one.quad, region.quad) });
    }
    for (const { one, region } of wishes.sort((a, b) => a.far - b.far)) {
      if (pairs.has(one) || taken.has(region)) continue;
      pairs.set(one, region);
      taken.add(region);
    }
  };
  assign((one, region) => one.text !== "" && one.text === region.text && together(one.quad, region.quad));
  assign((one, region) => one.text !== "" && one.text === region.text && distance(one.quad, region.quad) < STRAYED * widthOf(one.quad));
  assign((one, region) => !region.gone && together(one.quad, region.quad));
  return pairs;
}

/** @param {Region} region @param {Detection} one @param {Lookup} lookup @param {number} at_ms @returns {Region} */
function read(region, one, lookup, at_ms) {
  const same = region.text === one.text;
  const disputed_ms = same || region.text === "" ? region.disputed_ms : at_ms;
  const known = lookup(one.text, one.format);
  const run = same && !region.gone ? region.run + 1 : 1;
  let needed = passesFor(one, known !== null);
  if (at_ms - disputed_ms < DISPUTE_MS) needed = Math.max(needed, 2) + 1;
  const believed = run >= needed || (same && region.believed && !region.gone);
  return {
    ...region,
    ...settled(region, one),
    text: one.text,
    format: one.format,
    known,
    run,
    believed,
    disputed_ms,
    seen_ms: at_ms,
    doubt_ms: at_ms >= region.doubt_ms ? -Infinity : region.doubt_ms,
    passes: region.passes + 1,
    gone: false,
    reader: "phone",
  };
}

/** @param {number} id @param {Detection} one @param {number} at_ms @returns {Region} */
function born(id, one, at_ms) {
  return {
    id, quad: one.quad, fixes: 0, odd: 0, text: "", format: "", believed: false, run: 0, known: null, born_ms: at_ms, seen_ms: at_ms,
    disputed_ms: -Infinity, doubt_ms: -Infinity, passes: 0, gone: false, reader: "phone",
  };
}

/** A code's pattern that gave no text. @param {Region} region @param {Detection} one @param {number} at_ms @returns {Region} */
function glimpsed(region, one, at_ms) {
  // What only the appliance can read stays for as long as it is there and looks the same.
  if (region.reader === "appliance" && region.doubt_ms === -Infinity) return { ...region, seen_ms: at_ms, passes: region.passes + 1 };
  if (region.text) return { ...region, passes: region.passes + 1 };
  return { ...region, quad: one.quad, seen_ms: at_ms, passes: region.passes + 1 };
}

/** @param {Region} region @param {number} at_ms @returns {Region | null} */
function aged(region, at_ms) {
  const age = at_ms - region.seen_ms;
  if (region.gone) return age < MEMORY_MS ? region : null;
  if (age < (region.believed ? HOLD_MS : GLIMPSE_MS)) return region;
  return region.believed ? { ...region, gone: true } : null;
}

/**
 * The state after one frame's detections, all in pixels of the frame that is shown now.
 * @param {ConfirmState} state
 * @param {Detection[]} detections all that one pass over a frame found
 * @param {Lookup} lookup
 * @param {number} at_ms when the frame was taken
 * @returns {ConfirmState}
 */
export function confirm(state, detections, lookup, at_ms) {
  const kept = apart(detections);
  const pairs = matched(state.regions, kept);
  const changed = new Map();
  let next_id = state.next_id;
  const fresh = [];
  for (const one of kept) {
    const region = pairs.get(one);
    const place = region ?? born(next_id, one, at_ms);
    const now = one.unread ? glimpsed(place, one, at_ms) : read(place, one, lookup, at_ms);
    if (region) changed.set(region, now);
    else {
      fresh.push(now);
      next_id += 1;
    }
  }
  const regions = [];
  for (const region of state.regions) {
    const now = aged(changed.get(region) ?? region, at_ms);
    if (now) regions.push(now);
  }
  return { regions: fewer(alone([...regions, ...fresh])), next_id };
}

/**
 * The state after the appliance read a code that the phone could not.
 * @param {ConfirmState} state
 * @param {number} id the region's; nothing changes where it is no longer shown
 * @param {import("../types.js").Decoded} decoded
 * @param {Lookup} lookup
 * @param {number} at_ms now
 * @returns {ConfirmState}
 */
export function answered(state, id, { text, format }, lookup, at_ms) {
  const regions = state.regions.map((region) => {
    if (region.id !== id || region.gone || region.believed) return region;
    return { ...region, text, format, known: lookup(text, format), believed: true, run: 1, seen_ms: at_ms, disputed_ms: -Infinity, doubt_ms: -Infinity, reader: /** @type {const} */ ("appliance") };
  });
  return { ...state, regions };
}

/** No two regions over one another: the one that was read last stands. @param {Region[]} regions */
function alone(regions) {
  const shown = regions.filter((region) => !region.gone);
  const under = shown.filter((one) => {
    const at = middle(one.quad);
    return shown.some((other) => other !== one && holds(other.quad, at) && newer(other, one));
  });
  return under.length ? regions.filter((region) => !under.includes(region)) : regions;
}

/** @param {Region} one @param {Region} other */
function newer(one, other) {
  if (one.text && !other.text) return true;
  if (!one.text && other.text) return false;
  return one.seen_ms !== other.seen_ms ? one.seen_ms > other.seen_ms : areaOf(one.quad) !== areaOf(other.quad) ? areaOf(one.quad) > areaOf(other.quad) : one.id < other.id;
}

/** @param {Region[]} regions */
function fewer(regions) {
  const gone = regions.filter((region) => region.gone).sort((one, other) => other.seen_ms - one.seen_ms);
  if (gone.length <= MOST_GONE) return regions;
  const forgotten = new Set(gone.slice(MOST_GONE));
  return regions.filter((region) => !forgotten.has(region));
}

/** @param {Region} region @param {number} at_ms @returns {import("../types.js").SightingState | null} null: not shown */
export function stateOf(region, at_ms) {
  const age = at_ms - region.seen_ms;
  if (region.gone || age >= (region.believed ? HOLD_MS : GLIMPSE_MS)) return null;
  if (!region.text) return region.passes >= 2 ? "unread" : null;
  if (region.doubt_ms > -Infinity) return "seen";
  if (region.believed) return region.known ? "confirmed" : "off_list";
  return at_ms - region.disputed_ms < DISPUTE_MS ? "rejected" : "seen";
}

/**
 * What the overlay shows of it. Only believed codes carry their text.
 * @param {ConfirmState} state
 * @param {number} at_ms now
 * @returns {Sighting[]}
 */
export function sightingsOf(state, at_ms) {
  const sightings = [];
  for (const region of state.regions) {
    const shown = stateOf(region, at_ms);
    if (!shown) continue;
    const told = shown === "confirmed" || shown === "off_list";
    sightings.push({
      id: region.id,
      state: shown,
      text: told ? region.text : "",
      format: told ? region.format : "",
      known: told ? region.known : null,
      quad: region.quad,
      age_ms: Math.max(0, at_ms - region.seen_ms),
      reader: region.reader,
    });
  }
  return sightings;
}
