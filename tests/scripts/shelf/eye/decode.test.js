import assert from "node:assert/strict";
import { test } from "node:test";
import { barsIn } from "/static/shelf/eye/decode/bars.js";
import { checked, secondOpinion } from "/static/shelf/eye/decode/ean.js";
import { brightnessOf, packed } from "/static/shelf/eye/decode/grey.js";
import { outline } from "/static/shelf/eye/decode/outline.js";
import { brightnessAt, profile } from "/static/shelf/eye/decode/sample.js";
import { middle, together } from "/static/shelf/eye/geometry.js";
import { told } from "/static/shelf/eye/camera.js";
import { reader } from "./house.js";
import { ean8, shelf, take, through, view, withCheck } from "./scene.js";

const SIZE = { width: 640, height: 360 };
/** @param {object} pose @param {object} [plan] @param {object} [how] */
function picture(pose, plan = {}, how = {}) {
  const scene = shelf({ columns: 3, rows: 3, module: 1.7, tall: 40, seed: 3, ...SIZE, ...plan });
  const h = view(scene, pose);
  const codes = scene.codes.map(({ text, format, corners }) => ({ text, format, quad: corners.map((corner) => through(h, corner)) }));
  const whole = codes.filter(({ quad }) => quad.every(({ x, y }) => x > 14 && x < SIZE.width - 14 && y > 4 && y < SIZE.height - 4));
  return { grey: take(scene, h, { noise: 3, ...SIZE, ...how }), codes, whole };
}

/** @param {any} quad @param {any} truth */
function off(quad, truth) {
  const [a, b] = [middle(quad), middle(truth)];
  return Math.hypot(a.x - b.x, a.y - b.y);
}

const POSES = { upright: {}, "a little turned": { turn: 0.06 }, "leaning away": { tilt_x: 0.06, tilt_y: 0.03, turn: -0.03 }, "far turned": { turn: 0.35 }, "on its side": { turn: 1.571 } };
for (const [name, pose] of Object.entries(POSES)) {
  test(`every whole code of 1.7 pixels a module is read and stands where it is: ${name}`, async () => {
    const { grey, codes, whole } = picture(pose, name === "leaning away" ? { columns: 2, module: 2.2 } : {});
    const found = (await reader()).read(grey);
    assert.ok(whole.length >= 2);
    for (const code of whole) {
      const one = found.find(({ text }) => text === code.text);
      assert.ok(one, `${code.text} was not read`);
      assert.ok(one.firm, `${code.text} is not firm`);
      assert.ok(off(one.quad, code.quad) < (name === "leaning away" ? 2 : 1), `${code.text} is off by ${off(one.quad, code.quad)}`);
    }
    for (const { text, firm } of found) if (firm) assert.ok(codes.some((code) => code.text === text), `${text} is a phantom`);
  });
}

test("the outline is that of the whole code, however few lines of it were scanned", () => {
  const { grey, whole } = picture({ turn: 0.06 });
  for (const { quad } of whole) {
    const [a, b, c, d] = quad;
    const part = (/** @type {any} */ u, /** @type {any} */ v, /** @type {number} */ t) => ({ x: Math.round(u.x + (v.x - u.x) * t), y: Math.round(u.y + (v.y - u.y) * t) });
    const scanned = /** @type {any} */ ([part(a, d, 0.5), part(b, c, 0.5), part(b, c, 0.6), part(a, d, 0.6)]);
    const whole_ = outline(grey, scanned);
    assert.ok(whole_ && !whole_.cut);
    whole_.quad.forEach((corner, at) => assert.ok(Math.hypot(corner.x - quad[at].x, corner.y - quad[at].y) < 2));
  }
});

test("each digit's shade says when a reading is wrong, and what it should have been", () => {
  const { grey, whole } = picture({ turn: 0.03 });
  for (const { text, quad } of whole) {
    const outlined = outline(grey, /** @type {any} */ (quad));
    assert.ok(outlined);
    const right = secondOpinion(grey, outlined.quad, "EAN13", text);
    assert.ok(right && right.text === text && right.margin >= 0.15, `${text}: ${JSON.stringify(right)}`);
    // Two digits changed so that the check digit holds by chance, as scanners do it.
    for (let digit = 0, tried = 0; digit < 10 && tried < 1; digit += 1) {
      const wrong = withCheck(text.slice(0, 8) + String(digit) + text.slice(9, 12));
      if (wrong === text) continue;
      tried += 1;
      assert.ok(checked(wrong));
      assert.equal(secondOpinion(grey, outlined.quad, "EAN13", wrong)?.text, text);
    }
  }
  assert.equal(secondOpinion(grey, /** @type {any} */ (whole[0].quad), "Code128", "A"), null);
});

test("EAN-8 is read and proven as EAN-13 is", async () => {
  const eights = (/** @type {number} */ at) => {
    const text = withCheck(String(9638507 + at * 131));
    return { text, format: "EAN8", modules: [ean8(text)] };
  };
  const { grey, whole } = picture({ turn: 0.02 }, { module: 2, code: eights });
  const found = (await reader()).read(grey);
  for (const { text } of whole) assert.ok(found.some((one) => one.text === text && one.format === "EAN8" && one.firm), text);
});

test("bars that cannot be read are told as unread, and print is no code", async () => {
  const { grey, whole } = picture({ turn: 0.02 }, { module: 0.7, columns: 2, rows: 2 }, { noise: 12 });
  const unread = (await reader()).read(grey).filter((one) => one.unread);
  for (const { quad } of whole) assert.ok(unread.some((one) => together(one.quad, /** @type {any} */ (quad))));
  const blank = picture({}, { columns: 0, rows: 0 });
  assert.deepEqual(barsIn(blank.grey), []);
  assert.deepEqual((await reader()).read(blank.grey), []);
});

test("a known code that stands where it was is taken at its word, without an outline each time", async () => {
  const one = await reader();
  const { grey } = picture({ turn: 0.02 });
  const first = one.read(grey);
  const second = one.read(grey, first.map(({ quad }) => quad));
  assert.ok(first.every(({ cut, firm }) => firm && !cut));
  assert.ok(second.every(({ firm }) => firm));
  assert.ok(second.some(({ cut }) => cut), "none was spared");
  assert.ok(second.some(({ cut }) => !cut), "each has its turn");
});

test("what is known is read on from each second row: the same texts in the same places, as firm as before", async () => {
  for (const pose of [{ turn: 0.02 }, { turn: -0.06 }, { tilt_x: 0.03, turn: 0.03 }]) {
    const one = await reader();
    const { grey, whole } = picture(pose);
    const first = one.read(grey);
    const wanted = first.map(({ quad }) => quad);
    for (const pass of [2, 3, 4, 5]) {
      const found = one.read(grey, wanted);
      for (const { text, quad } of whole) {
        const again = found.find((each) => each.text === text);
        assert.ok(again, `${text} was lost in pass ${pass}`);
        const before = first.find((each) => each.text === text);
        assert.ok(before && again.firm === before.firm, text);
        assert.ok(together(again.quad, /** @type {any} */ (quad)));
        if (!again.cut) assert.ok(off(again.quad, quad) < ("tilt_x" in pose ? 2 : 1), `${text} is off in pass ${pass} by ${off(again.quad, quad)}`);
      }
      assert.ok(found.every(({ text }) => first.some((each) => each.text === text)), "nothing comes that was not there");
    }
  }
});

test("rows are left out only where something is known, and never where matrix codes are looked for", async () => {
  const one = await reader();
  const { grey } = picture({});
  /** @type {number[]} */
  const heights = [];
  const decoder = one.zxing;
  one.zxing = Object.assign(Object.create(decoder), {
    readBarcodesFromPixmap: (/** @type {number} */ at, /** @type {number} */ width, /** @type {number} */ height, /** @type {any} */ options) => {
      if (height > 100) heights.push(options.formats.includes("QRCode") ? height : -height);
      return decoder.readBarcodesFromPixmap(at, width, height, options);
    },
  });
  const wanted = one.read(grey).map(({ quad }) => quad);
  one.read(grey);
  one.read(grey, wanted);
  one.read(grey, wanted);
  assert.deepEqual(heights, [360, -360, 360, -180]);
});

test("bars of codes that were read are not measured again, all others are found as before", () => {
  const { grey, whole } = picture({ turn: 0.02 });
  const all = barsIn(grey);
  const read = whole.slice(1).map(({ quad }) => /** @type {any} */ (quad));
  const left = barsIn(grey, read);
  assert.ok(left.length < all.length);
  const others = (/** @type {typeof all} */ quads) => quads.filter((quad) => !read.some((one) => together(one, quad)));
  assert.deepEqual(others(left), others(all));
});

test("a line of brightness is that of its points, inside the picture and across its rim", () => {
  const { grey } = picture({ turn: 0.3 });
  const lines = [{ x: 100, y: 90, turn: 0.4 }, { x: 0.2, y: 0.7, turn: 0.1 }, { x: 600, y: 300, turn: 0.8 }, { x: 300, y: 20, turn: -1.2 }, { x: 639.5, y: 359.5, turn: 3.5 }];
  for (const { x, y, turn } of lines) {
    const u = { x: Math.cos(turn), y: Math.sin(turn) };
    const values = new Float32Array(120);
    profile(grey, { from: { x, y }, u, v: { x: -u.y, y: u.x } }, 0, 0, 1, values);
    values.forEach((value, at) => assert.ok(Math.abs(value - brightnessAt(grey, x + u.x * at, y + u.y * at)) < 1e-3, `${x}, ${y}: ${at}`));
  }
});

test("a picture is brightness: from colours, and from rows that are longer than the picture is wide", () => {
  const out = new Uint8Array(3);
  brightnessOf(Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 255, 0, 255, 0, 255), out);
  assert.deepEqual([...out], [255, 0, 149]);
  assert.deepEqual([...packed(Uint8Array.of(9, 1, 2, 0, 3, 4, 0), 1, 3, 2, 2)], [1, 2, 3, 4]);
  assert.deepEqual([...packed(Uint8Array.of(1, 2, 3, 4, 5), 0, 2, 2, 2)], [1, 2, 3, 4]);
});

test("what keeps the camera away is told so that a person can act", () => {
  const named = (/** @type {string} */ name) => told(Object.assign(new Error("x"), { name })).reason.code;
  assert.deepEqual(["NotFoundError", "NotAllowedError", "NotReadableError"].map(named), ["camera_none", "camera_refused", "camera_in_use"]);
  assert.deepEqual(told(new Error("odd")).reason, { code: "camera_failed", params: { error: "odd" } });
});

test("codes of little more than a pixel a module are read by the shade of their digits, enlarged", async () => {
  const { grey, codes, whole } = picture({ turn: 0.03 }, { module: 1.2 });
  const found = (await reader()).read(grey);
  const read = whole.filter((code) => found.some(({ text }) => text === code.text));
  assert.ok(read.length >= whole.length - 1, `${read.length} of ${whole.length}`);
  for (const { text, firm } of found) if (firm) assert.ok(codes.some((code) => code.text === text), `${text} is a phantom`);
});
