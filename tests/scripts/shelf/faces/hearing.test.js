// What is asked before a spoken freeze, and that the yes is for what was asked.

import assert from "node:assert/strict";
import { test } from "node:test";

import { describing, hearingContext, obey } from "/static/shelf/faces/hearing.js";
import { Parser } from "/static/shelf/voice/parser.js";
import { Talk } from "/static/shelf/voice/talk.js";
import { EARLY, WATER } from "../keep/house.js";
import { grammar } from "../voice/speaking.js";
import { host, wordsIn } from "./page.js";

/** A person who speaks to the page. */
function speaking(language) {
  const page = { ...host(), words: wordsIn(language), sheets: { names: [], closeAll: () => {} } };
  const it = { page, question: null, told: [] };
  const face = {
    wait: () => {}, listen: () => {}, think: () => {}, clear: () => (it.question = null), tell: (text) => it.told.push(text),
    ask: (text, yes, no) => (it.question = { text, yes, no }), offer: (text) => it.told.push(text),
  };
  it.talk = new Talk({
    bar: {}, words: page.words, recogniser: null, parser: new Parser(grammar), context: () => hearingContext(page, WATER),
    onintent: (intent) => obey(page, {}, () => WATER, intent), describe: (intent) => describing(page, intent),
  }, () => face, () => 0);
  return it;
}

const ASKED = [
  ["en", "freeze this batch", "Freeze Water 0.5 l: batch EARLY, 11 units in all? Say yes, or tap it.", "Freeze Water 0.5 l: batch EARLY, LATE, 20 units in all? Say yes, or tap it."],
  ["zh", "冻结这批", "冻结 Water 0.5 l，批次 EARLY，共 11 件？请说“是”或点按。", "冻结 Water 0.5 l，批次 EARLY、LATE，共 20 件？请说“是”或点按。"],
];

for (const [language, said, here, everywhere] of ASKED) {
  test(`a spoken freeze asks with product, batches and quantity (${language})`, async () => {
    const mei = speaking(language);
    await mei.talk.heard(said);
    assert.equal(mei.question.text, here);
    mei.page.place = "";
    await mei.talk.heard(said);
    assert.equal(mei.question.text, everywhere);
  });
}

test("the yes freezes the batches that were named, wherever the person walks meanwhile", async () => {
  const mei = speaking("en");
  await mei.talk.heard("freeze this batch");
  mei.page.place = "A-01-2";
  await mei.question.yes();
  assert.deepEqual(mei.page.told.written.map(({ body }) => body.batch), [EARLY]);
});

test("of many batches four are named, and how many more there are", () => {
  const page = host(), water = page.stock.product(WATER);
  page.place = "";
  const batches = Array.from({ length: 6 }, (_, at) => ({ ...water.batches[0], lot: `L${at}` }));
  page.stock = { product: () => ({ ...water, batches }) };
  assert.match(describing(page, { name: "freeze", gtin: WATER }), /batch L0, L1, L2, L3 and 2 more, 66 units/);
  assert.equal(describing(page, { name: "undo" }), null);
});
