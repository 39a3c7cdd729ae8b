// Tags at a shelf: never over a code, never over each other, in view, and still while the codes are.

import assert from "node:assert/strict";
import test from "node:test";

import { layTags, NOTHING_LAID, overlap } from "../../../../appliance/web/static/shelf/faces/layout.js";

const VISIBLE = { x: 40, y: 20, width: 640, height: 1100 };
const SIZES = [{ width: 190, height: 130 }, { width: 190, height: 62 }, { width: 80, height: 40 }];

/** A generator that gives the same shelf for the same seed (mulberry32). */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Codes in rows, as they hang on a shelf; some leave the view. */
function shelf(random, count) {
  return Array.from({ length: count }, (_, id) => ({
    id, rank: Math.floor(random() * 3), sizes: SIZES,
    code: { x: random() * 700 - 30, y: random() * 1250 - 60, width: 60 + random() * 120, height: 30 + random() * 50 },
  }));
}

const inside = (box) => box.x >= VISIBLE.x && box.y >= VISIBLE.y && box.x + box.width <= VISIBLE.x + VISIBLE.width + 1e-9 && box.y + box.height <= VISIBLE.y + VISIBLE.height + 1e-9;

test("no tag covers a code, another tag, or the edge of the view, on whatever shelf", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = chance(seed), wanting = shelf(random, 1 + Math.floor(random() * 40));
    const codes = wanting.map((one) => one.code);
    let before = NOTHING_LAID;
    for (let frame = 0; frame < 4; frame += 1) {
      const { placed, left } = layTags(wanting, codes, VISIBLE, before, 4);
      const boxes = [...placed.values()].map((each) => each.box);
      assert.ok(boxes.every(inside), `seed ${seed}: a tag left the view`);
      for (const [index, box] of boxes.entries()) {
        assert.ok(!codes.some((code) => overlap(box, code, 0)), `seed ${seed}: a tag covers a code`);
        assert.ok(!boxes.slice(index + 1).some((other) => overlap(box, other, 0)), `seed ${seed}: tags overlap`);
      }
      assert.equal(placed.size + left.length, wanting.length, "each is placed or said to have no room");
      before = { placed, left };
      for (const one of wanting) {
        one.code.x += random() * 6 - 3;
        one.code.y += random() * 6 - 3;
      }
    }
  }
});

test("while the codes stand still, tags stand still", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const wanting = shelf(chance(seed), 12), codes = wanting.map((one) => one.code);
    let before = NOTHING_LAID;
    for (let frame = 0; frame < 3; frame += 1) before = layTags(wanting, codes, VISIBLE, before, 4);
    const after = layTags(wanting, codes, VISIBLE, before, 4);
    assert.deepEqual([...after.placed].sort(), [...before.placed].sort(), `seed ${seed}`);
  }
});

test("a lone code has the fullest tag, and keeps its side when it moves a little", () => {
  const one = { id: 7, rank: 0, sizes: SIZES, code: { x: 300, y: 500, width: 120, height: 60 } };
  const first = layTags([one], [one.code], VISIBLE, NOTHING_LAID, 4);
  assert.equal(first.placed.get(7)?.level, 0);
  one.code = { ...one.code, x: 303, y: 498 };
  const then = layTags([one], [one.code], VISIBLE, first, 4);
  assert.equal(then.placed.get(7)?.slot, first.placed.get(7)?.slot);
  assert.equal(then.placed.get(7)?.box.x, (first.placed.get(7)?.box.x ?? 0) + 3);
});

test("on a crowded shelf who matters more is told, and the others are counted", () => {
  const codes = [];
  for (let row = 0; row < 10; row += 1) for (let column = 0; column < 5; column += 1) codes.push({ x: 42 + column * 127, y: 22 + row * 109, width: 124, height: 92 });
  const wanting = codes.map((code, id) => ({ id, code, rank: id === 22 ? 0 : 5, sizes: SIZES }));
  wanting[22].sizes = [{ width: 60, height: 14 }];
  const { placed, left } = layTags(wanting, codes, VISIBLE, NOTHING_LAID, 1);
  assert.ok(placed.has(22));
  assert.ok(left.length > 30);
  assert.ok(!left.includes(22));
});

test("whoever comes anew to a full shelf makes the others step back", () => {
  const size = [{ width: 600, height: 900 }, { width: 100, height: 40 }];
  const first = { id: 1, rank: 1, sizes: size, code: { x: 60, y: 30, width: 100, height: 40 } };
  const alone = layTags([first], [first.code], VISIBLE, NOTHING_LAID, 4);
  assert.equal(alone.placed.get(1)?.level, 0);
  const second = { id: 2, rank: 1, sizes: size, code: { x: 560, y: 1040, width: 100, height: 40 } };
  const both = layTags([first, second], [first.code, second.code], VISIBLE, alone, 4);
  assert.deepEqual(both.left, []);
});

test("forty codes are laid out many times a second", () => {
  const wanting = shelf(chance(3), 40), codes = wanting.map((one) => one.code);
  let before = NOTHING_LAID;
  // No clock here: `tallyman bench shelf` measures. That it ends at all says that no search runs away.
  for (let frame = 0; frame < 200; frame += 1) before = layTags(wanting, codes, VISIBLE, before, 4);
  assert.equal(before.placed.size + before.left.length, 40);
});
