import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../../../appliance/web/static/shelf/voice/intents.js";
import { Parser } from "../../../../appliance/web/static/shelf/voice/parser.js";
import { chance, grammar, LANGUAGES, rules, say, site } from "./speaking.js";

const parser = new Parser(grammar);
const EACH = 30;

function meant(intent, slots) {
  return Object.fromEntries(
    Object.entries(intent).map(([key, value]) => [key, String(value).startsWith("$") ? (slots[value.slice(1)] ?? "") : value]),
  );
}

for (const language of LANGUAGES) {
  test(`whatever the ${language} grammar lets a person say is understood as meant`, () => {
    const random = chance(9);
    for (const { intent, node } of rules(language)) {
      for (let i = 0; i < EACH; i += 1) {
        const { text, slots } = say(language, node, random);
        const parse = parser.parse(text, language, site);
        assert.deepEqual({ kind: parse.kind, intent: parse.intent, text }, { kind: "intent", intent: meant(intent, slots), text });
      }
    }
  });

  test(`politeness and hesitation change nothing in ${language}`, () => {
    const random = chance(10);
    const { fillers } = grammar.languages[language];
    for (const { node } of rules(language)) {
      const { text } = say(language, node, random);
      const before = fillers[Math.floor(random() * fillers.length)];
      const after = fillers[Math.floor(random() * fillers.length)];
      assert.deepEqual(parser.parse(`${before} ${text} ${after}`, language, site).intent, parser.parse(text, language, site).intent, text);
    }
  });

  test(`noise never changes anything in ${language}: before, behind, or within what was said`, () => {
    const random = chance(11);
    const noise = language === "en" ? ["radio", "forklift", "yesterday", "weather", "lunch"] : ["天气", "叉车", "吃饭", "昨晚", "电影"];
    for (const { intent, node } of rules(language)) {
      for (let i = 0; i < 5; i += 1) {
        const words = say(language, node, random).text.split(" ");
        words.splice(Math.floor(random() * (words.length + 1)), 0, noise[Math.floor(random() * noise.length)]);
        const parse = parser.parse(words.join(" "), language, site);
        assert.ok(parse.kind === "unknown" || !changes(parse.intent ?? parse.offers[0]), `${intent.name}: ${words.join(" ")}`);
        assert.equal(parse.kind, "unknown", words.join(" "));
      }
    }
  });

  test(`words of no rule, in any number and order, do nothing at all in ${language}`, () => {
    const random = chance(12);
    const babble = language === "en" ? ["radio", "weather", "purple", "maybe", "tomorrow", "sunday"] : [..."天气怎样晚饭吃鱼电影票"];
    for (let i = 0; i < 100; i += 1) {
      const text = Array.from({ length: 1 + Math.floor(random() * 45) }, () => babble[Math.floor(random() * babble.length)]).join(" ");
      assert.deepEqual(parser.parse(text, language, site), { kind: "unknown", offers: [], heard: text });
    }
  });

  test(`while nothing is asked, no word of the ${language} grammar is a yes`, () => {
    const random = chance(13);
    for (const { intent, node } of rules(language)) {
      const parse = parser.parse(say(language, node, random).text, language, { ...site, asking: false });
      if (intent.name === "yes" || intent.name === "no") assert.equal(parse.kind, "unknown");
      assert.ok(parse.kind !== "intent" || (parse.intent.name !== "yes" && parse.intent.name !== "no"));
    }
  });
}
