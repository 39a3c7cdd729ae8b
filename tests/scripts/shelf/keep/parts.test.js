// What a revoked phone wrote reaches the hub whole, however large its entries are.

import assert from "node:assert/strict";
import { test } from "node:test";

import { contact } from "/static/shelf/keep/line/exchange.js";
import { HubError } from "/static/shelf/keep/line/hub.js";
import { firstPart, MOST_BYTES } from "/static/shelf/keep/pure/parts.js";
import { WATER } from "./house.js";
import { memory } from "./memory.js";
const { Keep } = await import("/static/shelf/keep/keep.js");

const bytes = (value) => new TextEncoder().encode(JSON.stringify(value)).length;

test("a part has as many entries as have room, and one at least", () => {
  const entries = [1, 2, 3, 4].map((seq) => ({ seq, note: "牛".repeat(100) }));
  // Three bytes each, and what JSON writes around them.
  assert.deepEqual(firstPart(entries, 700).map(({ seq }) => seq), [1, 2]);
  assert.deepEqual(firstPart(entries, 10).map(({ seq }) => seq), [1]);
  assert.equal(firstPart(entries), entries);
  assert.deepEqual(firstPart([]), []);
});

test("the last words of a revoked phone go in parts that the hub reads of anybody, before it wipes itself", async (context) => {
  const store = await memory(), keep = new Keep(store, { name: `parts-${context.name}` });
  context.after(() => keep.tabs.close());
  await keep.load();
  for (let at = 0; at < 30; at += 1) await keep.write("flagged", { flag: "torn", gtin: WATER, location: "A-01-1", note: "see" });
  for (const entry of store.kept.log) entry.body = { ...entry.body, note: "x".repeat(60_000) };
  const written = store.kept.log.map(({ seq }) => seq), came = [];
  store.forgetList = async () => {};
  store.wipe = async () => assert.deepEqual(store.kept.log, [], "wiped only when all was handed over");
  keep.hub.get = async () => {
    throw new HubError(410, "phone_revoked", "This phone was revoked");
  };
  keep.hub.post = async (path, body) => {
    if (!path.endsWith("/last-words")) return {};
    assert.ok(bytes(body) <= MOST_BYTES + 20);
    came.push(...body.entries.map(({ seq }) => seq));
    return {};
  };
  // What comes after the wipe needs a whole store and a key.
  await contact(keep).catch(() => {});
  assert.deepEqual(came, written);
});
