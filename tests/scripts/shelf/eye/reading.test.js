import assert from "node:assert/strict";
import { test } from "node:test";
import { Reading } from "/static/shelf/eye/reading.js";

class Dead extends EventTarget {
  terminate() {}
  postMessage() {}
}

test("a reader that gave up is tried again when the camera is opened anew", (t) => {
  t.after(() => delete globalThis.Worker);
  const hired = [];
  globalThis.Worker = class extends Dead { constructor() { super(); hired.push(this); } };
  const told = [];
  const reading = new Reading(new Dead(), () => {}, (error) => told.push(error));
  reading.again();
  assert.equal(hired.length, 0, "one that works stays");
  for (let at = 0; at < 3; at += 1) reading.died("it did not answer");
  assert.deepEqual([told.length, reading.free], [1, false]);
  reading.again();
  assert.equal(reading.free, true);
  reading.died("once more");
  assert.equal(told.length, 1, "and it has its three tries again");
});
