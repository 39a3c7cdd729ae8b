import assert from "node:assert/strict";
import { test } from "node:test";
import { Follower } from "/static/shelf/eye/follow.js";

const FRAME = { width: 320, height: 180 };
const QUAD = [{ x: 100, y: 60 }, { x: 180, y: 60 }, { x: 180, y: 100 }, { x: 100, y: 100 }];
const unread = { text: "", format: "", quad: QUAD, unread: true, upscaled: false, lines: 0, cut: false, firm: false };
const sure = { text: "6901234567892", format: "EAN13", quad: QUAD };

/** A textured shelf; goods in the place of the code, of `kind`. */
function picture(kind) {
  const data = new Uint8Array(FRAME.width * FRAME.height);
  for (let y = 0; y < FRAME.height; y += 1) for (let x = 0; x < FRAME.width; x += 1) {
    const inside = x > 85 && x < 195 && y > 40 && y < 120;
    data[y * FRAME.width + x] = inside ? (kind === "rice" ? (x >> 3) & 1 : (y >> 3) & 1) * 200 + 20 : (Math.imul((x >> 3) * 73 + (y >> 3) * 151, 2654435761) >>> 24);
  }
  return { data, ...{ width: FRAME.width, height: FRAME.height } };
}

/** What stands there when the appliance answers about what stood there when it was asked. */
function answeredOver(later) {
  const follower = new Follower((text) => ({ gtin: `0${text}`, units: 1, lot: "", expiry: "" }));
  for (let number = 0; number < 3; number += 1) {
    follower.frame(picture("rice"), { ...FRAME, at_ms: number * 33, number });
    follower.detected(number, [unread]);
  }
  const [{ id }] = follower.frame(picture("rice"), { ...FRAME, at_ms: 100, number: 3 });
  follower.ask(id);
  follower.frame(picture(later), { ...FRAME, at_ms: 133, number: 4 });
  follower.detected(4, [unread]);
  follower.answer(id, sure);
  return follower.frame(picture(later), { ...FRAME, at_ms: 166, number: 5 }).find((each) => each.id === id)?.state ?? "gone";
}

test("the appliance's answer stands over the code that it was asked about", () => {
  assert.equal(answeredOver("rice"), "confirmed");
});

test("other goods that came into the place before the answer do not get it", () => {
  assert.notEqual(answeredOver("soup"), "confirmed");
});

test("of a code that is mostly outside the picture no answer is taken: other goods may come in with it", () => {
  const follower = new Follower((text) => ({ gtin: `0${text}`, units: 1, lot: "", expiry: "" }));
  const outside = QUAD.map(({ x, y }) => ({ x: x - 150, y }));
  for (let number = 0; number < 3; number += 1) {
    follower.frame(picture("rice"), { ...FRAME, at_ms: number * 33, number });
    follower.detected(number, [{ ...unread, quad: outside }]);
  }
  const [{ id }] = follower.frame(picture("rice"), { ...FRAME, at_ms: 100, number: 3 });
  assert.equal(follower.ask(id), false);
  follower.answer(id, sure);
  assert.notEqual(follower.frame(picture("rice"), { ...FRAME, at_ms: 133, number: 4 }).find((each) => each.id === id)?.state, "confirmed");
  assert.equal(follower.state.regions.find((each) => each.id === id)?.believed, false);
});
