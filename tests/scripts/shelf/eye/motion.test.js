import assert from "node:assert/strict";
import { test } from "node:test";
import { chained, enlarged, holds, inverted, middle, moved, movedQuad, squared, together, unmoved } from "/static/shelf/eye/geometry.js";
import { motionOf } from "/static/shelf/eye/motion/fit.js";
import { Tracker } from "/static/shelf/eye/motion/track.js";
import { settled } from "/static/shelf/eye/settle.js";
import { place } from "./house.js";
import { dice, inverse, shelf, shrink, take, through, view } from "./scene.js";

const SIZE = { width: 640, height: 360 };
const SCENE = shelf({ columns: 3, rows: 3, module: 1.6, tall: 40, seed: 5, ...SIZE });
const LEANING = Float64Array.of(1.02, 0.03, 4, -0.02, 0.99, -3, 0.0001, -0.00005, 1);

/** @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b */
const far = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

test("a motion and the way back leave every point where it was", () => {
  const both = chained(inverted(LEANING), LEANING);
  for (const point of [{ x: 0, y: 0 }, { x: 320, y: 20 }, { x: 100, y: 180 }]) assert.ok(far(moved(both, point), point) < 1e-9);
});

test("a motion seen in a small picture is the same in the large one", () => {
  const point = { x: 200, y: 120 };
  const small = moved(LEANING, { x: 50, y: 30 });
  assert.ok(far(moved(enlarged(LEANING, 4), point), { x: small.x * 4, y: small.y * 4 }) < 1e-9);
});

test("the middle of a leaning quad is the middle of what it shows", () => {
  const quad = movedQuad(LEANING, place(200, 100));
  assert.ok(far(middle(quad), moved(LEANING, { x: 200, y: 100 })) < 1e-9);
  assert.ok(far(moved(squared(quad), { x: 0.5, y: 0.5 }), middle(quad)) < 1e-9);
  assert.ok(holds(quad, middle(quad)));
  assert.ok(!holds(quad, { x: 500, y: 100 }));
  assert.ok(together(quad, place(205, 102)));
  assert.ok(!together(place(200, 100), place(360, 100)));
});

/** Points and where a motion takes them, with a third that go elsewhere. @param {number} count @param {number} wrong */
function pairs(count, wrong) {
  const random = dice(9);
  return Array.from({ length: count }, (_, at) => {
    const from = { x: random() * 320, y: random() * 180 };
    const to = moved(LEANING, from);
    const away = at < wrong ? { x: to.x + 20 * random() + 5, y: to.y - 15 } : { x: to.x + 0.1 * (random() - 0.5), y: to.y + 0.1 * (random() - 0.5) };
    return /** @type {[typeof from, typeof to]} */ ([from, away]);
  });
}

test("a third of the points may be wrong, and the motion is still found to a tenth of a pixel", () => {
  const found = motionOf(pairs(60, 20), 320, 180);
  assert.ok(found);
  for (const point of [{ x: 10, y: 10 }, { x: 310, y: 170 }, { x: 160, y: 90 }]) assert.ok(far(moved(found.h, point), moved(LEANING, point)) < 0.1);
});

test("points that agree on nothing, or hardly any, are no motion", () => {
  const random = dice(4);
  const lost = Array.from({ length: 40 }, () => /** @type {any} */ ([{ x: random() * 320, y: random() * 180 }, { x: random() * 320, y: random() * 180 }]));
  assert.equal(motionOf(lost, 320, 180), null);
  assert.equal(motionOf(pairs(4, 0), 320, 180), null);
});

const MOTIONS = {
  "held still": () => ({}),
  "a hand's shake": (/** @type {number} */ at) => ({ dx: 6 * Math.sin(at * 0.7), dy: 4 * Math.sin(at * 0.9), turn: 0.01 * Math.sin(at * 0.3) }),
  "walked along": (/** @type {number} */ at) => ({ dx: at * 9 }),
  "turned and brought nearer": (/** @type {number} */ at) => ({ turn: at * 0.02, zoom: 1 + at * 0.01 }),
};

for (const [name, pose] of Object.entries(MOTIONS)) {
  test(`the picture's motion is known to half a pixel: ${name}`, () => {
    const tracker = new Tracker();
    const views = [];
    for (let at = 0; at < 9; at += 1) {
      const h = view(SCENE, pose(at));
      views.push(h);
      const step = tracker.frame(shrink(take(SCENE, h, { noise: 3, seed: at + 1, ...SIZE })), at);
      assert.equal(step === null, at === 0, `lost in frame ${at}`);
    }
    const since = tracker.between(3);
    assert.ok(since);
    for (const point of [{ x: 320, y: 180 }, { x: 200, y: 90 }, { x: 440, y: 270 }]) {
      const truth = through(views[8], through(inverse(views[3]), point));
      assert.ok(far(moved(enlarged(since, 2), point), truth) < 0.5);
    }
  });
}

test("where the view jumps the motion is lost, and what was before is no longer answered for", () => {
  const tracker = new Tracker();
  tracker.frame(shrink(take(SCENE, view(SCENE, {}), SIZE)), 1);
  const elsewhere = shelf({ columns: 2, rows: 2, module: 2.5, tall: 60, seed: 77, ...SIZE });
  assert.equal(tracker.frame(shrink(take(elsewhere, view(elsewhere, { turn: 0.5 }), SIZE)), 2), null);
  assert.equal(tracker.between(1), null);
  assert.deepEqual(tracker.between(2), unmoved());
});

test("a place settles on the mean of its outlines, follows a real move at once, and ignores what does not fit", () => {
  const random = dice(2);
  /** @type {any} */
  let region = { quad: place(300, 300), fixes: 1, odd: 0, gone: false, text: "a" };
  const near = (/** @type {number} */ x) => ({ quad: place(x + random() - 0.5, 300 + random() - 0.5), cut: false, text: "a" });
  for (let at = 0; at < 30; at += 1) region = { ...region, ...settled(region, near(300.2)) };
  assert.ok(far(middle(region.quad), { x: 300.2, y: 300 }) < 0.25);
  const short = { quad: [{ x: 225, y: 275 }, { x: 375, y: 275 }, { x: 375, y: 290 }, { x: 225, y: 290 }], cut: false, text: "a" };
  assert.ok(far(middle(settled(region, /** @type {any} */ (short)).quad), middle(region.quad)) < 1e-9, "half a code is not where the code is");
  for (let at = 0; at < 3; at += 1) region = { ...region, ...settled(region, near(312)) };
  assert.ok(far(middle(region.quad), { x: 312, y: 300 }) < 1);
});

test("a swing so quick that each label could be its neighbour is no motion, and what is seen again is followed", () => {
  // Seven labels across, all alike but for their bars: a step of one label's width looks like none.
  const scene = shelf({ columns: 7, rows: 5, module: 0.7, tall: 30, seed: 5, ...SIZE });
  const pitch = SIZE.width / 7;
  const tracker = new Tracker();
  const at = (/** @type {number} */ dx, /** @type {number} */ number) => tracker.frame(shrink(take(scene, view(scene, { dx, turn: 0.01 }), { noise: 3, seed: number + 1, ...SIZE })), number);
  at(-pitch, 0);
  assert.ok(at(-pitch + 2, 1));
  const swung = at(2, 2);
  assert.ok(swung === null || Math.abs(swung[2] - pitch / 2) < 1, "lost, or as far as it went");
  const on = at(6, 3);
  assert.ok(on && Math.abs(on[2] - 2) < 0.5);
});
