import assert from "node:assert/strict";
import { test } from "node:test";
import { settled } from "../../../../appliance/web/static/shelf/eye/settle.js";

const at = (/** @type {number} */ x, /** @type {number} */ y) => [{ x, y }, { x: x + 200, y }, { x: x + 200, y: y + 70 }, { x, y: y + 70 }];
const tea = { quad: at(100, 500), fixes: 20, odd: 0, gone: false, text: "6904336026588" };

test("goods that were carried to the next board are shown there at once, and not where they stood", () => {
  const carried = settled(tea, { quad: at(100, 262), cut: false, text: tea.text });
  assert.deepEqual(carried.quad, at(100, 262));
});

test("an outline that is a little off moves what stands there a little", () => {
  const { quad } = settled(tea, { quad: at(101, 500), cut: false, text: tea.text });
  assert.ok(quad[0].x > 100 && quad[0].x < 100.5);
});
