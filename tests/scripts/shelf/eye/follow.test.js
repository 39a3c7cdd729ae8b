import assert from "node:assert/strict";
import { test } from "node:test";
import { Follower } from "/static/shelf/eye/follow.js";
import { around } from "/static/shelf/eye/eye.js";
import { middle } from "/static/shelf/eye/geometry.js";
import { likeness, lookOf } from "/static/shelf/eye/looks.js";
import { place, reader, stock } from "./house.js";
import { ean13, shelf, shrink, take, through, view } from "./scene.js";

const SIZE = { width: 640, height: 360 };
const FRAME_MS = 1000 / 30;
const LATE = 3;

/**
 * A film before reader and follower; a detection comes LATE frames after its frame, as on a phone.
 * @param {number} frames
 * @param {(at: number) => { grey: any, known: Map<string, any> }} film with where each listed code is
 * @param {string[]} listed
 */
async function watched(frames, film, listed) {
  const follower = new Follower(stock(listed));
  const one = await reader();
  /** @type {{ number: number, found: any[] } | null} */
  let reading = null;
  const told = [];
  for (let number = 0; number < frames; number += 1) {
    const { grey, known } = film(number);
    if (reading && number >= reading.number + LATE) {
      follower.detected(reading.number, reading.found);
      reading = null;
    }
    const sightings = follower.frame(shrink(grey), { ...SIZE, at_ms: number * FRAME_MS, number });
    reading ??= { number, found: one.read(grey, follower.wanted()) };
    told.push({ sightings, known, still: follower.still });
  }
  return told;
}

/** @param {any} sighting @param {Map<string, any>} known */
function error({ text, quad }, known) {
  const [a, b] = [middle(quad), middle(known.get(text))];
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** @param {any} scene @param {any} h */
const placed = (scene, h) => new Map(scene.codes.map((/** @type {any} */ { text, corners }) => [text, corners.map((/** @type {any} */ corner) => through(h, corner))]));

test("what stands over a code stands on it while the hand moves, though readings come late", async () => {
  const scene = shelf({ columns: 3, rows: 3, module: 1.7, tall: 40, seed: 3, ...SIZE });
  const told = await watched(16, (at) => {
    const h = view(scene, { dx: 10 * Math.sin(at * 0.4), dy: at * 1.5, turn: 0.02 + 0.002 * at });
    return { grey: take(scene, h, { noise: 3, seed: at + 1, ...SIZE }), known: placed(scene, h) };
  }, scene.codes.map(({ text }) => text));
  const errors = [];
  const ids = new Map();
  for (const { sightings, known } of told.slice(4)) {
    const confirmed = sightings.filter(({ state }) => state === "confirmed");
    assert.ok(confirmed.length >= 8, `${confirmed.length} of 9 shown`);
    for (const one of confirmed) {
      errors.push(error(one, known));
      assert.equal(ids.get(one.text) ?? one.id, one.id, "a code keeps its number");
      ids.set(one.text, one.id);
    }
  }
  errors.sort((a, b) => a - b);
  assert.ok(errors[Math.floor(errors.length * 0.5)] < 0.5);
  assert.ok(errors[Math.floor(errors.length * 0.95)] < 1.5);
});

/** Both hands before it all. @param {any} grey */
function sleeves({ data }) {
  for (let y = 20; y < 340; y += 1) data.fill(95 + ((y >> 3) % 3) * 12, y * SIZE.width + 60, y * SIZE.width + 580);
}

/** Just the labels, so that the shelf around them goes on being followed. @param {any} grey @param {Map<string, any>} known */
function palms({ data }, known) {
  for (const quad of known.values()) {
    const [left, top, right, bottom] = [quad[0].x - 30, quad[0].y - 24, quad[2].x + 30, quad[2].y + 40].map(Math.round);
    for (let y = top; y < bottom; y += 1) data.fill(140, y * SIZE.width + left, y * SIZE.width + right);
  }
}

for (const [whose, hide] of /** @type {const} */ ([["two sleeves", sleeves], ["plain palms", palms]]))
test(`when goods change places behind ${whose}, no label shows what lay there before`, async () => {
  const plan = { columns: 2, rows: 2, module: 2, tall: 60, ...SIZE };
  const before = shelf({ ...plan, seed: 3 });
  const after = shelf({ ...plan, seed: 3, code: (at) => {
    const { text, format } = before.codes[[1, 0, 3, 2][at]];
    return { text, format, modules: [ean13(text)] };
  } });
  const told = await watched(26, (at) => {
    const scene = at < 12 ? before : after;
    const h = view(scene, { turn: 0.02 });
    const grey = take(scene, h, { noise: 3, seed: at + 1, ...SIZE });
    const covered = at >= 9 && at < 15;
    if (covered) hide(grey, placed(scene, h));
    return { grey, known: covered ? new Map() : placed(scene, h) };
  }, before.codes.map(({ text }) => text));
  assert.ok(told[8].sightings.some(({ state }) => state === "confirmed"));
  for (const [at, { sightings, known }] of told.entries()) {
    if (at >= 9 && at < 15) continue;
    for (const one of sightings) if (one.text) assert.ok(error(one, known) < 20, `frame ${at}: ${one.text} stands elsewhere`);
  }
  assert.ok(told[25].sightings.filter(({ state }) => state === "confirmed").length >= 3);
});

test("goods that change places while they are out of the picture come back as what they are", async () => {
  const plan = { columns: 3, rows: 2, module: 1.6, tall: 60, ...SIZE };
  const before = shelf({ ...plan, seed: 3 });
  const after = shelf({ ...plan, seed: 3, code: (at) => {
    const { text, format } = before.codes[[3, 1, 2, 0, 4, 5][at]];
    return { text, format, modules: [ean13(text)] };
  } });
  // To the right and back: the left column leaves the picture and comes back within a second.
  const told = await watched(42, (at) => {
    const scene = at < 16 ? before : after;
    const h = view(scene, { turn: 0.02, dx: -160 * Math.sin((Math.min(at, 32) / 32) * Math.PI) });
    return { grey: take(scene, h, { noise: 3, seed: at + 1, ...SIZE }), known: placed(scene, h) };
  }, before.codes.map(({ text }) => text));
  const outer = new Set([0, 3].map((at) => before.codes[at].text));
  const shown = told.map(({ sightings }) => sightings.filter(({ text }) => outer.has(text)).length);
  assert.equal(shown[16], 0, "out of the picture nothing is shown");
  assert.ok(Math.max(...shown.slice(0, 8)) === 2 && Math.max(...shown.slice(24)) === 2);
  for (const [at, { sightings, known }] of told.entries()) {
    for (const one of sightings) if (one.text) assert.ok(error(one, known) < 20, `frame ${at}: ${one.text} stands elsewhere`);
  }
});

test("after a hand before the lens the same codes keep their numbers, so that none is counted twice", async () => {
  const scene = shelf({ columns: 3, rows: 3, module: 1.7, tall: 40, seed: 3, ...SIZE });
  const told = await watched(18, (at) => {
    const h = view(scene, { turn: 0.02, dx: at > 8 ? 25 : 0 });
    const grey = take(scene, h, { noise: 3, seed: at + 1, ...SIZE });
    if (at === 7 || at === 8) grey.data.fill(40);
    return { grey, known: placed(scene, h) };
  }, scene.codes.map(({ text }) => text));
  const numbers = (/** @type {number} */ at) => new Map(told[at].sightings.filter(({ text }) => text).map(({ text, id }) => [text, id]));
  const [before, after] = [numbers(6), numbers(17)];
  assert.deepEqual(told[8].sightings, [], "while nothing is seen nothing is shown");
  assert.ok(after.size >= 7);
  for (const [text, id] of after) if (before.has(text)) assert.equal(id, before.get(text));
});

test("a phone that is held still is known to be", async () => {
  const scene = shelf({ columns: 2, rows: 1, module: 2, tall: 60, seed: 3, ...SIZE });
  const told = await watched(20, (at) => {
    const h = view(scene, { dx: at < 4 ? at * 8 : 32 });
    return { grey: take(scene, h, { noise: 3, seed: at + 1, ...SIZE }), known: new Map() };
  }, []);
  assert.equal(told[5].still, false);
  assert.equal(told[19].still, true);
});

test("a place looks as it did in other light, and does not with a hand before it", () => {
  const scene = shelf({ columns: 2, rows: 2, module: 2, tall: 60, seed: 3, ...SIZE });
  const grey = take(scene, view(scene, {}), SIZE);
  const quad = /** @type {any} */ (placed(scene, view(scene, {})).get(scene.codes[0].text));
  const small = shrink(grey);
  const look = lookOf(small, quad, 2);
  const darker = lookOf({ ...small, data: small.data.map((value) => value * 0.6) }, quad, 2);
  assert.ok(look && darker && likeness(look, darker) > 0.95);
  const hand = lookOf({ ...small, data: small.data.map((_, at) => 90 + ((at * 7919) % 23)) }, quad, 2);
  assert.ok(hand && likeness(look, hand) < 0.4);
  const palm = lookOf({ ...small, data: small.data.map(() => 140) }, quad, 2);
  assert.ok(palm && likeness(look, palm) === 0, "a plain palm is like nothing");
  const beside = lookOf({ ...small, width: 320 }, /** @type {any} */ (quad.map(({ x, y }) => ({ x: x - quad[0].x - 20, y }))), 2);
  assert.ok(beside?.some(Number.isNaN), "what is outside the picture is not compared");
  assert.equal(lookOf(small, /** @type {any} */ (place(-200, 50)), 2), null);
});

test("a still holds the code with room around it, and no more than the picture", () => {
  assert.deepEqual(around(undefined, 1280, 720), { left: 0, top: 0, width: 1280, height: 720 });
  assert.deepEqual(around(/** @type {any} */ (place(640, 360)), 1280, 720), { left: 527, top: 297, width: 226, height: 126 });
  assert.deepEqual(around(/** @type {any} */ (place(20, 10)), 1280, 720), { left: 0, top: 0, width: 133, height: 73 });
});
