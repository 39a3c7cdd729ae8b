// Two tabs on one phone, one log: what either wrote is seen by both, in its order, and counts once (I2).

import assert from "node:assert/strict";
import { test } from "node:test";

import { LATE, WATER } from "./house.js";
import { memory } from "./memory.js";
const { Keep } = await import("/static/shelf/keep/keep.js");

/** Tabs over one store. News between them takes a moment, in which a person may write. */
async function tabs(context, store, count = 2) {
  const opened = Array.from({ length: count }, () => new Keep(store, { name: `test-${context.name}` }));
  context.after(() => opened.forEach((keep) => keep.tabs.close()));
  for (const keep of opened) await keep.load();
  return opened;
}
const numbers = (keep) => keep.entries.map((entry) => entry.seq);
const torn = (keep, note) => keep.write("flagged", { flag: "torn", gtin: WATER, location: "A-01-1", note });
const heard = (keep) => new Promise((done) => keep.onchange(done));

test("an entry of another tab is not stepped over by one that is written here before the news of it came", async (context) => {
  const [one, other] = await tabs(context, await memory());
  await torn(one, "first");
  await torn(other, "second");
  assert.deepEqual(numbers(other), [1, 2, 3], "what it knew, and both");
  assert.deepEqual(other.recent().map(({ entry }) => entry.body.note), ["second", "first"]);
  assert.equal(other.stock.product(WATER).tickets.length, 2);
  await heard(one);
  assert.deepEqual(numbers(one), [1, 2, 3]);
  assert.equal(one.stock.product(WATER).tickets.length, 2, "none twice");
});

test("what another tab counted is expected here, whenever the news of it comes", async (context) => {
  const [one, other] = await tabs(context, await memory());
  await one.write("counted", { batch: LATE, location: "A-01-2", counted: 4 });
  const second = await other.write("counted", { batch: LATE, location: "A-01-2", counted: 4 });
  assert.equal(second.body.expected, 4, "the list says 9");
  assert.equal(other.stock.expected(LATE, "A-01-2"), 4);
});

test("an entry that another tab wrote and sent shows here too, until the list contains it", async (context) => {
  const store = await memory(), [one, other] = await tabs(context, store);
  await one.write("counted", { batch: LATE, location: "A-01-2", counted: 4 });
  // The other tab was told how far the hub is before it was told of the entry.
  store.kept.contact = { ...store.kept.contact, expected: 3 };
  await other.tick();
  await heard(other);
  assert.deepEqual(numbers(other), [1, 2]);
  assert.equal(other.stock.expected(LATE, "A-01-2"), 4);
});
