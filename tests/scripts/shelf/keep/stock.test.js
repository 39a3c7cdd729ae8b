// What stands where, by the hub's list and what the phone wrote since.

import assert from "node:assert/strict";
import { test } from "node:test";

import { holdIdOf } from "/static/shelf/keep/pure/effects.js";
import { isWithin, levelOf, stockOf } from "/static/shelf/keep/stock.js";
import { EARLY, JUICE, JUICES, LATE, TODAY, WATER, phone, snapshot } from "./house.js";

/** @param {(mei: any) => Promise<void>} does @param {object} [more] */
async function after(does, more) {
  const mei = await phone();
  await does(mei);
  return stockOf(snapshot(more), mei.written, TODAY);
}

const cell = (stock, batch, location) =>
  stock.product(batch.gtin).batches.find((each) => each.lot === batch.lot).cells.find((each) => each.location === location);

test("a product shows all of its batches, nearest first, and its worst colour", () => {
  const water = stockOf(snapshot(), [], TODAY).product(WATER);
  assert.deepEqual(water.batches.map((batch) => [batch.lot, batch.level, batch.days]), [["EARLY", "warn", 18], ["LATE", "fresh", 190]]);
  assert.deepEqual([water.free, water.held, water.inspection, water.total], [15, 3, 2, 20]);
  assert.deepEqual([water.level, water.days, water.expiry, water.pending], ["warn", 18, "2026-12-10", 0]);
  assert.equal(water.suppliers[0].phone, "+8621555");
});

test("colours follow the day, also when midnight comes offline", () => {
  const limits = { warn: 30, freeze: 15, pull: 7 };
  const seen = [["2026-12-10", "warn"], ["2026-12-07", "freeze"], ["2026-11-29", "pull"], ["2026-11-22", "pull"], ["2026-11-21", "expired"], ["", "none"], ["2027-11-21", "fresh"], ["soon", "none"]];
  for (const [expiry, level] of seen) assert.equal(levelOf(expiry, TODAY, limits), level, expiry);
  assert.equal(levelOf("2026-11-25", TODAY, { warn: 30, freeze: 0, pull: 0 }), "warn");
  const tomorrow = stockOf(snapshot(), [], "2026-12-11").product(WATER);
  assert.deepEqual([tomorrow.level, tomorrow.days], ["expired", -1]);
  assert.equal(stockOf(snapshot(), [], TODAY).product(JUICE).level, "warn", "by limits of its own");
});

test("a carton's code counts its units, and a code of nobody is on no list", () => {
  const stock = stockOf(snapshot(), [], TODAY);
  assert.deepEqual(stock.lookup("6933132577789", "EAN13"), { gtin: WATER, units: 1, lot: "", expiry: "" });
  assert.deepEqual(stock.lookup("16933132577786", "ITF"), { gtin: WATER, units: 12, lot: "", expiry: "" });
  assert.equal(stock.lookup("4006381333931", "EAN13"), null);
});

test("a count changes what was expected, and the next count expects it", async () => {
  const stock = await after((mei) => mei.writes("counted", { batch: EARLY, location: "A-01-1", counted: 4, expected: 10 }));
  assert.deepEqual(cell(stock, EARLY, "A-01-1"), { location: "A-01-1", free: 0, held: 2, inspection: 2 });
  assert.equal(stock.expected(EARLY, "A-01-1"), 4);
  assert.equal(stock.product(WATER).pending, 1);
});

test("goods that were found or brought wait in inspection", async () => {
  const stock = await after(async (mei) => {
    await mei.writes("adjusted", { batch: LATE, location: "A-01-2", change: 2, reason: "" });
    await mei.writes("moved", { batch: LATE, quantity: 3, source: "A-01-2", target: "C-9" });
    await mei.writes("received", { batch: { ...LATE, gtin: "04006381333931" }, quantity: 7, location: "C-9", expiry: "2027-01-01" });
  });
  assert.deepEqual(cell(stock, LATE, "A-01-2"), { location: "A-01-2", free: 6, held: 0, inspection: 2 });
  assert.deepEqual(stock.at("C-9").map((each) => [each.product.gtin, each.cell.inspection]), [[WATER, 3], ["04006381333931", 7]]);
});

test("a hold acts on the screen at once, and a release only once the hub has agreed", async () => {
  const mei = await phone();
  const held = await mei.writes("held", { kind: "batch", note: "wet", batch: EARLY });
  await mei.writes("released", { holds: [holdIdOf(held.hash)], reason: "dry" });
  const water = stockOf(snapshot(), mei.written, TODAY).product(WATER);
  assert.deepEqual([water.free, water.held], [9, 9]);
  assert.deepEqual(water.holds.map((hold) => [hold.id, hold.note]), [[holdIdOf(held.hash), "wet"]]);
});

test("a place or a supplier on hold takes every batch of it", async () => {
  const place = await after((mei) => mei.writes("held", { kind: "location", note: "leak", location: "A-01-1" }));
  assert.equal(cell(place, EARLY, "A-01-1").free, 0);
  assert.equal(cell(place, JUICES, "A-01-1").free, 0);
  assert.equal(cell(place, EARLY, "B-02-1").free, 1, "elsewhere it is free");
  const supplier = await after((mei) => mei.writes("held", { kind: "supplier", note: "recall", supplier: "ACME" }));
  assert.equal(supplier.product(WATER).free, 0);
  assert.equal(supplier.product(JUICE).free, 4);
});

test("of two dates the earlier counts", async () => {
  const stock = await after(async (mei) => {
    await mei.writes("observed", { batch: LATE, expiry: "2026-11-25" });
    await mei.writes("observed", { batch: LATE, expiry: "2027-12-31" });
  });
  assert.equal(stock.product(WATER).expiry, "2026-11-25");
  assert.deepEqual(stock.expiring("pull").map((each) => each.batch.lot), ["LATE"]);
});

test("a flag is a ticket on the product", async () => {
  const stock = await after((mei) => mei.writes("flagged", { flag: "price", gtin: JUICE, location: "A-01-1", note: "tag torn" }));
  assert.deepEqual(stock.product(JUICE).tickets.map((ticket) => [ticket.kind, ticket.title]), [["flagged", "tag torn"]]);
});

test("what the list contains is not counted again", async () => {
  const mei = await phone();
  await mei.writes("adjusted", { batch: LATE, location: "A-01-2", change: -4, reason: "" });
  await mei.writes("adjusted", { batch: LATE, location: "A-01-2", change: -1, reason: "" });
  assert.equal(stockOf(snapshot({ seen: { "phone-7": 1 } }), mei.written, TODAY).product(WATER).pending, 1);
  assert.equal(cell(stockOf(snapshot({ seen: { "phone-7": 1 } }), mei.written, TODAY), LATE, "A-01-2").free, 8);
  assert.equal(cell(stockOf(snapshot({ seen: { "phone-7": 2 } }), mei.written, TODAY), LATE, "A-01-2").free, 9);
});

test("one entry more is the same as all of them from the beginning, and the list stays as it was", async () => {
  const mei = await phone(), told = snapshot(), untouched = structuredClone(told);
  const going = stockOf(told, [], TODAY);
  for (const [kind, body] of [
    ["counted", { batch: EARLY, location: "A-01-1", counted: 4, expected: 10 }],
    ["moved", { batch: EARLY, quantity: 1, source: "B-02-1", target: "A-01-2" }],
    ["held", { kind: "batch", note: "wet", batch: JUICES }],
    ["ticket_opened", { note: "look", batch: JUICES, location: "A-01-1" }],
  ]) {
    const before = going.product(WATER), kept = structuredClone(before);
    going.apply(await mei.writes(kind, body));
    assert.deepEqual(before, kept, "what was handed out does not change");
  }
  const anew = stockOf(told, mei.written, TODAY);
  assert.deepEqual(going.products(), anew.products());
  assert.deepEqual(going.at(""), anew.at(""));
  assert.deepEqual(told, untouched);
});

test("places lie within each other by their names", () => {
  const within = [["A-01-1", "A-01", true], ["A-01-1", "A", true], ["A-01-1", "A-0", false], ["A-01", "A-01-1", false], ["A-01-1", "A-01-1", true], ["AB", "A", false], ["货架1/2", "货架1", true]];
  for (const [place, area, lies] of within) assert.equal(isWithin(place, area), lies, `${place} in ${area}`);
});

test("what stands where the plan does not want it, and what is missing where it does", () => {
  const stock = stockOf(snapshot(), [], TODAY);
  assert.equal(stock.misplaced(JUICE, "A-01-1"), true);
  assert.equal(stock.misplaced(WATER, "A-01-1"), false);
  assert.equal(stock.misplaced(WATER, "A"), false, "a whole aisle may hold its shelf");
  assert.equal(stock.misplaced("04006381333931", "A-01-1"), false);
  assert.deepEqual(stock.missing("B-02-1").map((each) => each.gtin), [JUICE]);
});

test("an aisle's goods in walking order, those near their date first", () => {
  const stock = stockOf(snapshot(), [], TODAY);
  assert.deepEqual(stock.at("A").map((each) => [each.cell.location, each.batch.lot]), [["A-01-1", "EARLY"], ["A-01-1", "J-1"], ["A-01-2", "LATE"]]);
  assert.deepEqual(stock.expiring("warn", "A").map((each) => each.batch.lot), ["EARLY", "J-1"]);
});

test("products are found by name, number and code", () => {
  const stock = stockOf(snapshot(), [], TODAY);
  for (const text of ["water", "W-05", "0.5 wat", "6933132577789", "16933132577786"]) {
    assert.deepEqual(stock.search(text).map((each) => each.gtin), [WATER], text);
  }
  assert.deepEqual(stock.search("苹果").map((each) => each.gtin), [JUICE]);
  assert.deepEqual(stock.search("  "), []);
});
