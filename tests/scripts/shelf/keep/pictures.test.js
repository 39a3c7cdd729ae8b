// Pictures go before the log, and never stand in its way.

import assert from "node:assert/strict";
import { test } from "node:test";

import { WATER } from "./house.js";
import { memory } from "./memory.js";
const { Keep } = await import("/static/shelf/keep/keep.js");
const { contact } = await import("/static/shelf/keep/line/exchange.js");
const { HubError } = await import("/static/shelf/keep/line/hub.js");

/** A phone with a flag and its picture to send, before a hub that answers a picture with `status`. */
async function phone(context, status) {
  const store = await memory(), keep = new Keep(store, { name: `pictures-${context.name}` });
  context.after(() => keep.tabs.close());
  await keep.load();
  await keep.write("flagged", { flag: "torn", gtin: WATER, location: "A-01-1", note: "see" }, { photos: [new Blob(["jpeg"])] });
  const sent = [], hub = { answers: status };
  keep.hub.get = async (path) => {
    if (path.endsWith("/me")) return { phone: "phone-7", now_us: 1_795_000_000_000_000, roles: ["operator"], csrf: "c", offline_until_us: 0 };
    return path.includes("/logs/") ? { device: "phone-7", state: "active", expected: 1, waiting: 0, suspect_from: null, why: "" } : [];
  };
  keep.hub.post = async (_path, { entries }) => {
    sent.push(...entries.map((entry) => entry.seq));
    return { refused: [], logs: [{ device: "phone-7", state: "active", expected: sent.length + 1, waiting: 0, suspect_from: null, why: "" }] };
  };
  keep.hub.ask = async (path) => {
    if (!path.includes("/photos/")) return new Response(null, { status: 304 });
    if (hub.answers === 204) return new Response(null, { status: 204 });
    throw new HubError(hub.answers, hub.answers ? `http_${hub.answers}` : "offline", "no room for it");
  };
  return { keep, store, sent, hub };
}

for (const status of [400, 403, 404, 409, 413, 415, 422]) {
  test(`a picture that the hub refuses with ${status} is told and kept aside, and the log goes on`, async (context) => {
    const { keep, store, sent, hub } = await phone(context, status);
    await contact(keep);
    assert.deepEqual(sent, [1, 2]);
    assert.deepEqual(keep.state.troubles.map(({ code, params }) => [code, params.why]), [["photo_refused", "no room for it"]]);
    assert.deepEqual([keep.state.photos, keep.state.refused, store.kept.photos.size], [0, 1, 1], "kept aside");
    // Sent again when somebody says so, not at each contact.
    hub.answers = 204;
    await contact(keep);
    assert.equal(keep.state.refused, 1);
    keep.sync.now = () => contact(keep);
    await keep.photosAgain();
    assert.deepEqual([keep.state.photos, keep.state.refused, store.kept.photos.size], [0, 0, 0]);
  });
}

test("out of reach picture and log wait, and nothing is told to be refused", async (context) => {
  for (const status of [0, 401, 429]) {
    const { keep, sent } = await phone(context, status);
    await assert.rejects(contact(keep), HubError);
    assert.deepEqual([sent, keep.state.photos, keep.state.refused, keep.state.troubles.length], [[], 1, 0, 0], String(status));
  }
});

test("a hub that has no room for pictures now takes the log, and the picture waits", async (context) => {
  const { keep, sent } = await phone(context, 507);
  await contact(keep);
  assert.deepEqual([sent, keep.state.photos, keep.state.refused, keep.state.troubles.length], [[1, 2], 1, 0, 0]);
});
