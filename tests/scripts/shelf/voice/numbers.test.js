import assert from "node:assert/strict";
import { test } from "node:test";
import { numbersAt } from "../../../../appliance/web/static/shelf/voice/text/numbers.js";
import { tokensOf } from "../../../../appliance/web/static/shelf/voice/text/tokens.js";
import { grammar, inChinese, inEnglish } from "./speaking.js";

/** What the whole text may mean. */
function meaning(text, language) {
  const tokens = tokensOf(text);
  const found = numbersAt(tokens, 0, grammar.languages[language].numbers);
  return [...new Set(found.filter(({ end }) => end === tokens.length).map(({ value }) => value))];
}

test("every number that fits a shelf is understood as it is said, and as nothing else", () => {
  for (let number = 0; number <= 99_999; number += number < 1200 ? 1 : 37) {
    assert.deepEqual(meaning(inEnglish(number), "en"), [number], inEnglish(number));
    assert.deepEqual(meaning(inEnglish(number, ""), "en"), [number], inEnglish(number, ""));
    assert.deepEqual(meaning(inChinese(number), "zh"), [number], inChinese(number));
    assert.deepEqual(meaning(String(number), "zh"), [number]);
  }
});

test("short forms that people use are numbers too", () => {
  for (const [text, number] of [["两百三", 230], ["一万二", 12000], ["一百一十五", 115], ["二十", 20], ["〇", 0]]) {
    assert.deepEqual(meaning(text, "zh"), [number], text);
  }
  for (const [text, number] of [["a dozen", 12], ["two dozen", 24], ["a hundred and one", 101], ["1,200", 1200], ["a thousand", 1000]]) {
    assert.deepEqual(meaning(text, "en"), [number], text);
  }
});

test("what nobody says as a number is none", () => {
  for (const text of ["一二三", "十百", "百", "零零", "两百零", "三百二千", "十十", "123456"]) assert.deepEqual(meaning(text, "zh"), [], text);
  for (const text of ["twenty eleven", "hundred", "one two", "ten thousand thousand", "and five", "-5", "2.5"]) assert.deepEqual(meaning(text, "en"), [], text);
});
