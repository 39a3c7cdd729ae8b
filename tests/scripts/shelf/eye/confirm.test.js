import assert from "node:assert/strict";
import { test } from "node:test";
import { answered, confirm, HOLD_MS, nothingSeen, sightingsOf } from "/static/shelf/eye/confirm.js";
import { seen, stock, unread } from "./house.js";
import { dice } from "./scene.js";

const OATS = "6901234567892", TEA = "6909876543210", STRANGER = "4006381333931";
const lookup = stock([OATS, TEA]);

/** Passes a tenth of a second apart. @param {object[][]} passes @param {number} [from_ms] */
function after(passes, from_ms = 0, state = nothingSeen()) {
  passes.forEach((pass, at) => { state = confirm(state, pass, lookup, from_ms + at * 100); });
  return { state, at_ms: from_ms + (passes.length - 1) * 100 };
}

/** @param {object[][]} passes */
function shown(passes) {
  const { state, at_ms } = after(passes);
  return sightingsOf(state, at_ms).map((each) => [each.state, each.text]);
}

test("a product on the list is shown after one clean reading", () => {
  assert.deepEqual(shown([[seen(OATS, 300, 300)]]), [["confirmed", OATS]]);
});

test("a code on no list needs a second reading that agrees", () => {
  assert.deepEqual(shown([[seen(STRANGER, 300, 300)]]), [["seen", ""]]);
  assert.deepEqual(shown([[seen(STRANGER, 300, 300)], [seen(STRANGER, 301, 300)]]), [["off_list", STRANGER]]);
});

test("an EAN whose digits could be others is believed late, and on no list later still", () => {
  const faint = { firm: false };
  const oats = [seen(OATS, 300, 300, faint)];
  const other = [seen(STRANGER, 300, 300, faint)];
  assert.deepEqual(shown([oats, oats]), [["seen", ""]]);
  assert.deepEqual(shown([oats, oats, oats]), [["confirmed", OATS]]);
  assert.deepEqual(shown([other, other, other, other]), [["seen", ""]]);
  assert.deepEqual(shown([other, other, other, other, other]), [["off_list", STRANGER]]);
});

test("where phantoms occur a listed code needs two readings: enlarged, of few lines, or ITF", () => {
  for (const more of [{ format: "Code128", upscaled: true }, { format: "Code128", lines: 2 }, { format: "ITF14" }]) {
    assert.deepEqual(shown([[seen(OATS, 300, 300, more)]]), [["seen", ""]]);
    assert.deepEqual(shown([[seen(OATS, 300, 300, more)], [seen(OATS, 300, 300, more)]]), [["confirmed", OATS]]);
  }
});

test("two texts in one place reject each other until one of them wins", () => {
  const oats = [seen(OATS, 300, 300)], tea = [seen(TEA, 302, 300)];
  assert.deepEqual(shown([oats, tea]), [["rejected", ""]]);
  assert.deepEqual(shown([oats, tea, oats]), [["rejected", ""]]);
  assert.deepEqual(shown([oats, tea, tea, tea]), [["confirmed", TEA]]);
});

test("of two readings that lie over one another in one pass the firmer one counts", () => {
  const phantom = seen(TEA, 305, 302, { firm: false, lines: 2 });
  assert.deepEqual(shown([[phantom, seen(OATS, 300, 300)]]), [["confirmed", OATS]]);
});

test("a code that was moved keeps its number, and what takes its place starts anew", () => {
  const first = after([[seen(OATS, 300, 300)]]);
  const id = first.state.regions[0].id;
  const moved = after([[seen(TEA, 300, 300), seen(OATS, 420, 300)]], 100, first.state);
  const now = sightingsOf(moved.state, 100);
  assert.equal(now.find(({ text }) => text === OATS)?.id, id);
  assert.notEqual(now.find(({ text }) => text === TEA)?.id, id);
});

test("a code that is no longer read is shown for a while, then kept in mind for its number", () => {
  const { state } = after([[seen(OATS, 300, 300)]]);
  const held = confirm(state, [], lookup, HOLD_MS - 1);
  assert.equal(sightingsOf(held, HOLD_MS - 1)[0]?.text, OATS);
  const gone = confirm(held, [], lookup, HOLD_MS + 100);
  assert.deepEqual(sightingsOf(gone, HOLD_MS + 100), []);
  const back = confirm(gone, [seen(OATS, 340, 310)], lookup, 9000);
  assert.deepEqual(sightingsOf(back, 9000).map(({ id, text }) => [id, text]), [[state.regions[0].id, OATS]]);
});

test("a pattern without a text is told as unread once it was found twice", () => {
  assert.deepEqual(shown([[unread(300, 300)]]), []);
  assert.deepEqual(shown([[unread(300, 300)], [unread(303, 300)]]), [["unread", ""]]);
});

test("a place that looks different needs a reading from after it changed", () => {
  const { state } = after([[seen(OATS, 300, 300)]]);
  const doubted = { ...state, regions: state.regions.map((region) => ({ ...region, doubt_ms: 150 })) };
  assert.equal(sightingsOf(doubted, 200)[0]?.state, "seen");
  const late = confirm(doubted, [seen(OATS, 300, 300)], lookup, 100);
  assert.equal(sightingsOf(late, 200)[0]?.state, "seen", "a frame from before the change proves nothing");
  const fresh = confirm(doubted, [seen(OATS, 300, 300)], lookup, 200);
  assert.equal(sightingsOf(fresh, 200)[0]?.state, "confirmed");
});

test("what the appliance read stands for as long as its pattern is there", () => {
  let { state } = after([[unread(300, 300)], [unread(300, 300)]]);
  state = answered(state, state.regions[0].id, { text: OATS, format: "EAN13", quad: seen(OATS, 300, 300).quad }, lookup, 150);
  for (let at_ms = 200; at_ms < 4000; at_ms += 100) state = confirm(state, [unread(300, 300)], lookup, at_ms);
  assert.deepEqual(sightingsOf(state, 4000).map(({ text, reader }) => [text, reader]), [[OATS, "appliance"]]);
  state = confirm(state, [], lookup, 4000 + HOLD_MS);
  assert.deepEqual(sightingsOf(state, 4000 + HOLD_MS), []);
});

test("the state that was given is left as it was", () => {
  const { state } = after([[seen(OATS, 300, 300)]]);
  const before = structuredClone(state);
  confirm(state, [seen(TEA, 300, 300)], lookup, 100);
  assert.deepEqual(state, before);
});

test("whatever is read, a text is shown only where it was read last, and never two in one place", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = dice(seed);
    const texts = [OATS, TEA, STRANGER];
    let state = nothingSeen();
    /** @type {Map<string, string>} */
    const last = new Map();
    for (let pass = 0; pass < 40; pass += 1) {
      const at_ms = pass * 100;
      const detections = [];
      for (const x of [200, 400, 600]) {
        if (random() < 0.3) continue;
        const text = texts[Math.floor(random() * 3)];
        const firm = random() < 0.7;
        detections.push(seen(text, x, 300, { firm, lines: firm ? 20 : 2 }));
        last.set(String(x), text);
      }
      state = confirm(state, detections, lookup, at_ms);
      const places = new Map();
      for (const { text, quad, state: told } of sightingsOf(state, at_ms)) {
        const x = (quad[0].x + quad[1].x) / 2;
        const near = String([200, 400, 600].sort((a, b) => Math.abs(a - x) - Math.abs(b - x))[0]);
        assert.ok(!places.has(near), `two codes in one place (seed ${seed}, pass ${pass})`);
        places.set(near, text);
        if (told === "confirmed" || told === "off_list") assert.equal(text, last.get(near), `seed ${seed}, pass ${pass}`);
      }
    }
  }
});
