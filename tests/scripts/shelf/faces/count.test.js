import assert from "node:assert/strict";
import { test } from "node:test";

import { countMode } from "/static/shelf/faces/modes/count.js";
import { host, sighting } from "./page.js";

const BOTTLE = "6933132577789", APPLE = "6901555164282";

/** Codes count themselves. @param {any} mei */
function scanning(mei) {
  const count = countMode(mei);
  count.bar().actions.find((each) => each.name === "scan").run();
  return count;
}

test("count: when the camera was closed, what is in view again does not count itself once more", () => {
  const mei = host(), count = scanning(mei);
  count.see([sighting(mei.stock, 1, BOTTLE)]);
  const before = count.bar().title;
  count.pause();
  // Codes have other numbers after the camera was opened anew.
  count.see([sighting(mei.stock, 2, BOTTLE)]);
  assert.equal(count.bar().title, before);
  assert.equal(count.bar().actions.find((each) => each.name === "scan").pressed, false);
  assert.match(count.bar().detail, /^Scanning stopped/);
});

test("count: codes that were left out of a count that is booked are not offered for the next one", async () => {
  const mei = host(), count = scanning(mei), press = (name) => count.bar().actions.find((each) => each.name === name).run();
  count.see([sighting(mei.stock, 1, BOTTLE)]);
  count.pause();
  press("scan");
  const again = [sighting(mei.stock, 2, BOTTLE)];
  count.see(again);
  assert.match(count.bar().detail, /^1 codes may be/);
  mei.told.answers.count = ({ tally, place }) => tally.lines(mei.stock, place).filter((line) => line.counted !== null);
  await press("review");
  count.see(again);
  assert.equal(count.bar().actions.some((each) => each.name === "admit"), false);
});

test("count: scan pressed again after the camera was closed adds what is new, and leaves out what may be counted already", () => {
  const mei = host(), count = scanning(mei), press = (name) => count.bar().actions.find((each) => each.name === name).run();
  count.see([sighting(mei.stock, 1, BOTTLE), sighting(mei.stock, 2, BOTTLE)]);
  count.pause();
  press("scan");
  const again = [sighting(mei.stock, 3, BOTTLE), sighting(mei.stock, 4, BOTTLE), sighting(mei.stock, 5, APPLE)];
  count.see(again);
  assert.equal(count.bar().title, "2 products, 3 units", "the apple juice is new");
  assert.match(count.bar().detail, /^2 codes may be/);
  // The phone is turned away and back: still two bottles, whatever their numbers.
  count.see([]);
  again.splice(0, 2, sighting(mei.stock, 6, BOTTLE), sighting(mei.stock, 7, BOTTLE));
  count.see(again);
  assert.match(count.bar().detail, /^2 codes may be/);
  // They are others, a person says.
  press("admit");
  assert.equal(count.bar().title, "2 products, 5 units");
  count.see(again);
  assert.equal(count.bar().title, "2 products, 5 units");
  assert.equal(count.bar().actions.some((each) => each.name === "admit"), false);
});

test("count: a number that is typed settles what was left out, and elsewhere everything counts", async () => {
  const mei = host(), count = scanning(mei), press = (name) => count.bar().actions.find((each) => each.name === name).run();
  count.see([sighting(mei.stock, 1, BOTTLE)]);
  count.pause();
  press("scan");
  const again = [sighting(mei.stock, 2, BOTTLE)];
  count.see(again);
  mei.told.answers.number = { value: 7 };
  await count.ontap(again[0]);
  count.see(again);
  assert.deepEqual([count.bar().title, count.bar().actions.some((each) => each.name === "admit")], ["1 product, 7 units", false]);
  mei.told.answers.count = ({ tally, place }) => tally.lines(mei.stock, place).filter((line) => line.counted !== null);
  await press("review");
  count.see([sighting(mei.stock, 3, BOTTLE)]);
  assert.match(count.bar().title, /^0 products/, "booked, and seen again under another number");
  mei.place = "A-01-2";
  count.see([sighting(mei.stock, 4, BOTTLE)]);
  assert.match(count.bar().title, /^1 product, 1 unit/);
});

test("count: a code that comes into view while the count is written is counted after it, not lost", async () => {
  const mei = host(), count = scanning(mei);
  const late = [sighting(mei.stock, 1, BOTTLE), sighting(mei.stock, 2, BOTTLE)];
  count.see(late.slice(0, 1));
  mei.told.answers.count = ({ tally, place }) => tally.lines(mei.stock, place).filter((line) => line.counted !== null);
  mei.propose = async () => {
    count.see(late);
    return true;
  };
  await count.bar().actions.find((each) => each.name === "review").run();
  assert.match(count.bar().title, /^0 products/);
  count.see(late);
  assert.match(count.bar().title, /^1 product/);
});
