import assert from "node:assert/strict";
import { test } from "node:test";

import { countMode } from "/static/shelf/faces/modes/count.js";
import { host, sighting } from "./page.js";

const BOTTLE = "6933132577789";

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
