// How old the list is, on a phone that sleeps and whose date is turned.

import assert from "node:assert/strict";
import { test } from "node:test";

import { memory } from "./memory.js";
const { Keep } = await import("/static/shelf/keep/keep.js");
const { NEVER, siteTime, steadyClock } = await import("/static/shelf/keep/pure/clock.js");

const HOUR = 3_600_000;

/** A phone with its two clocks, in milliseconds. */
function phone() {
  const it = { date: 1_795_000_000_000, steady: 500 };
  it.clock = steadyClock(() => it.date, () => it.steady);
  it.passes = (ms) => ((it.date += ms), (it.steady += ms));
  it.sleeps = (ms) => (it.date += ms);
  it.began = it.clock();
  it.gone = () => (it.clock() - it.began) / 1000;
  return it;
}

test("a phone that slept knows for how long, though the browser's clock stood still", () => {
  const mei = phone();
  mei.passes(HOUR);
  mei.sleeps(8 * HOUR);
  assert.equal(mei.gone(), 9 * HOUR);
});

test("a date that is turned back makes nothing younger, before and after a sleep", () => {
  const mei = phone();
  mei.passes(HOUR);
  mei.date -= 3 * HOUR;
  assert.equal(mei.gone(), HOUR);
  mei.passes(HOUR);
  assert.equal(mei.gone(), 2 * HOUR);
  mei.sleeps(HOUR);
  assert.equal(mei.gone(), 3 * HOUR);
});

test("clocks that tick coarsely do not add up, however often they are read", () => {
  const mei = phone();
  for (let at = 0; at < 10_000; at += 1) {
    mei.steady += 0.4;
    mei.date = 1_795_000_000_000 + Math.round(mei.steady - 500) + (at % 2);
    mei.clock();
  }
  assert.ok(Math.abs(mei.gone() - 4000) < 60, String(mei.gone()));
});

test("the page says after a sleep how old its list is", async (context) => {
  const keep = new Keep(await memory({ at_us: Date.now() * 1000 }), { name: "clock" });
  context.after(() => keep.tabs.close());
  await keep.load();
  const awake = Date.now;
  context.after(() => (Date.now = awake));
  Date.now = () => awake() + 5 * HOUR;
  await keep.tick();
  assert.ok(keep.state.age_us >= 5 * HOUR * 1000, String(keep.state.age_us));
});

test("the hub's word is as old as its question: slept over, a list is not younger than it is", async () => {
  const { contact } = await import("/static/shelf/keep/line/exchange.js");
  let now = 1_000_000_000;
  const store = await memory(), keep = new Keep(store, { name: "asked", now: () => now });
  keep.tabs.close();
  await keep.load();
  keep.hub.get = async (path) => {
    if (!path.endsWith("/me")) throw new Error("the line is cut");
    now += HOUR * 1000;
    return { phone: "phone-7", now_us: 7_000_000_000, roles: ["operator"], csrf: "c", offline_until_us: 0 };
  };
  await assert.rejects(contact(keep));
  assert.equal(siteTime(now, { ...NEVER, ...store.kept.contact }).at_us, 7_000_000_000 + HOUR * 1000);
});

test("a page that comes into view again says at once how old its list is, before the hub has answered", async (context) => {
  const { Sync } = await import("/static/shelf/keep/sync.js");
  globalThis.document = { visibilityState: "hidden" };
  context.after(() => delete globalThis.document);
  let ticks = 0;
  const sync = new Sync({ tick: async () => void (ticks += 1) });
  sync.now = async () => {};
  sync.heard();
  assert.equal(ticks, 0);
  document.visibilityState = "visible";
  sync.heard();
  assert.equal(ticks, 1);
});
