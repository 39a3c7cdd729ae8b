// Counting a place: sums, shares over batches, and entries that take each other back.

import assert from "node:assert/strict";
import test from "node:test";

import { bookings, shareOut, signed, Tally } from "/static/shelf/faces/modes/tally.js";
import { moved } from "/static/shelf/faces/modes/shares.js";
import { stockOf } from "/static/shelf/keep/stock.js";
import { snapshot, TODAY, WATER } from "../keep/house.js";

const part = (lot, expected, counted = 0) => ({ batch: { supplier: "ACME", gtin: WATER, lot }, expiry: "", expected, counted });

test("whatever is counted is shared out whole, and a missing unit is missed where it was picked first", () => {
  for (let counted = 0; counted <= 30; counted += 1) {
    const shared = shareOut([part("EARLY", 5), part("LATE", 9)], counted);
    assert.equal(shared.reduce((sum, each) => sum + each.counted, 0), counted);
    assert.ok(shared.every((each) => each.counted >= 0));
  }
  assert.deepEqual(shareOut([part("EARLY", 5), part("LATE", 9)], 12).map((each) => each.counted), [3, 9]);
  assert.deepEqual(shareOut([part("EARLY", 5), part("LATE", 9)], 16).map((each) => each.counted), [5, 11]);
  assert.deepEqual(shareOut([], 4), []);
});

test("a person moves units between batches, and the sum stays", () => {
  let parts = shareOut([part("EARLY", 5), part("LATE", 9)], 12);
  for (const [index, by] of [[0, 1], [1, -1], [0, -1], [1, 1], [0, -1], [0, -1], [0, -1], [0, -1]]) {
    parts = moved(parts, index, by);
    assert.equal(parts.reduce((sum, each) => sum + each.counted, 0), 12);
    assert.ok(parts.every((each) => each.counted >= 0));
  }
});

test("several batches in one place must be looked at before a difference is booked", () => {
  const both = snapshot();
  both.products[0].batches[0].cells = [{ location: "A-01-1", free: 9, held: 0, inspection: 0 }];
  const stock = stockOf(both, [], TODAY), tally = new Tally();
  tally.set(WATER, "", 19);
  assert.equal(tally.lines(stock, "A-01-1").find((line) => line.gtin === WATER).split, false, "as the list says");
  tally.set(WATER, "", 17);
  const line = tally.lines(stock, "A-01-1").find((each) => each.gtin === WATER);
  assert.deepEqual([line.split, line.expected, line.parts.map((each) => each.counted)], [true, 19, [8, 9]]);
  tally.share(line.key, line.parts);
  assert.equal(tally.lines(stock, "A-01-1").find((each) => each.gtin === WATER).split, false);
});

test("what a person shared out is booked against the list as it is by then, and asked anew where another batch came", () => {
  const both = snapshot(), [late, early] = both.products[0].batches;
  late.cells = [{ location: "A-01-1", free: 9, held: 0, inspection: 0 }];
  const tally = new Tally(), lines = () => tally.lines(stockOf(both, [], TODAY), "A-01-1").find((each) => each.gtin === WATER);
  tally.set(WATER, "", 17);
  tally.share(lines().key, lines().parts);
  // Meanwhile four of the late ones were moved away.
  late.cells[0].free = 5;
  assert.deepEqual([lines().expected, lines().split, lines().parts.map(({ counted, expected }) => [counted, expected])], [15, false, [[8, 10], [9, 5]]]);
  early.cells = [];
  assert.deepEqual(lines().parts.map(({ counted, expected }) => [counted, expected]), [[8, 0], [9, 5]]);
  both.products[0].batches.push({ supplier: "ACME", lot: "NEW", expiry: "", cells: [{ location: "A-01-1", free: 2, held: 0, inspection: 0 }], holds: [] });
  assert.equal(lines().split, true);
});

test("each booking has a counter-entry that leads back", () => {
  const stock = stockOf(snapshot(), [], TODAY), tally = new Tally();
  tally.set(WATER, "EARLY", 7);
  const [booking] = bookings(tally.lines(stock, "A-01-1"), "A-01-1");
  assert.equal(booking.body.counted - booking.body.expected + booking.undo.body.counted - booking.undo.body.expected, 0);
});

test("a product of which nothing is known here is counted, and not booked by a guess", () => {
  const bare = snapshot();
  bare.products[0].batches = [];
  const tally = new Tally();
  tally.set(WATER, "", 3);
  const line = tally.lines(stockOf(bare, [], TODAY), "A-01-1").find((each) => each.gtin === WATER);
  assert.deepEqual([line.counted, line.parts], [3, []]);
  assert.deepEqual(bookings([line], "A-01-1"), []);
});

test("a code with a serial is one wherever it is seen again", () => {
  const tally = new Tally(), data = { serial: "S1", sscc: "", quantity: null }, plain = { serial: "", sscc: "", quantity: null };
  const seen = (id) => ({ id, state: "confirmed", text: "code", known: { gtin: WATER, units: 1, lot: "", expiry: "" } });
  assert.deepEqual([tally.see(seen(1), data), tally.see(seen(9), data)], [1, 0]);
  assert.deepEqual([tally.see(seen(1), plain), tally.see(seen(1), plain), tally.see(seen(2), plain)], [1, 0, 1]);
  assert.equal(tally.see(seen(3), { ...plain, quantity: 30 }), 30, "AI 30 says how many");
  assert.equal(tally.counted(WATER, ""), 33);
});

test("a difference carries its sign", () => assert.deepEqual([signed(3), signed(-2), signed(0)], ["+3", "−2", "0"]));
