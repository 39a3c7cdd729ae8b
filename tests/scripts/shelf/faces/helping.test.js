// What the person hears of codes that the hub was asked about.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Helping } from "/static/shelf/faces/helping.js";
import { JUICE } from "../keep/house.js";
import { host } from "./page.js";

function page() {
  const mei = host();
  return { maybes: new Map(), words: mei.words, host: mei, told: mei.told };
}
const guess = (id) => ({ id, state: "candidates", candidates: [{ gtin: JUICE, text: "", share: 1 }], reasons: [] });

test("guesses of a whole day do not pile up: the newest are kept", () => {
  const mei = page(), helping = new Helping(mei, () => {});
  for (let id = 1; id <= 5000; id += 1) helping.tell(guess(id));
  assert.ok(mei.maybes.size <= 50, String(mei.maybes.size));
  assert.ok(mei.maybes.has(5000));
  helping.tell({ ...guess(5000), state: "answered", candidates: [] });
  assert.ok(!mei.maybes.has(5000));
});

test("an answer that was refused, since something else stands there, is told; what nobody asked for is not", () => {
  const mei = page(), helping = new Helping(mei, () => {});
  for (const state of ["asking", "not_read", "offline", "answered"]) helping.tell({ ...guess(3), state });
  assert.deepEqual(mei.told.said, []);
  helping.tell({ ...guess(3), state: "moved" });
  assert.match(mei.told.said[0], /Something else stands there/);
});

test("whoever asks about a code hears what became of it, each time", async () => {
  const mei = page(), helping = new Helping(mei, () => {});
  const states = ["moved", "answered"];
  const helper = { eye: { sightings: [{ id: 7 }] }, help: async ([{ id }]) => helping.tell({ ...guess(id), state: states.shift() }) };
  await helping.ask(helper, 7);
  await helping.ask(helper, 7);
  await helping.ask({ ...helper, eye: { sightings: [] } }, 7);
  assert.deepEqual(mei.told.said.map((text) => text.slice(0, 12)), ["Something el", "The hub has ", "Something el"]);
});
