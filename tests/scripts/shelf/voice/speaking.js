// What the voice's tests share: the grammar, a small site, and a person who says any of its phrases.
import { readFileSync } from "node:fs";
import { read } from "../../../../appliance/web/static/shelf/voice/text/expression.js";
import { tokensOf } from "../../../../appliance/web/static/shelf/voice/text/tokens.js";

const FILE = new URL("../../../../appliance/web/static/shelf/voice/grammar.json", import.meta.url);
export const grammar = JSON.parse(readFileSync(FILE, "utf8"));
export const LANGUAGES = ["en", "zh"];

export const site = {
  places: ["A-01-1", "A-01-2", "A-10-1", "B-02-3", "C1"],
  words: { B: "Cold room" },
  products: [
    { gtin: "04006381333931", name: "Whole Milk 1 L" },
    { gtin: "06901234567892", name: "伊利纯牛奶 250ml" },
    { gtin: "06907992500133", name: "蒙牛纯牛奶" },
    { gtin: "05000159407236", name: "Chocolate Bar" },
  ],
  selected: "04006381333931",
  asking: true,
};

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const ENGLISH = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(" ");
const TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** A number as English people say it, 0 to 99,999. */
export function inEnglish(number, and = "and ") {
  if (number < 20) return ENGLISH[number];
  if (number < 100) return TENS[Math.floor(number / 10)] + (number % 10 ? ` ${ENGLISH[number % 10]}` : "");
  const scale = number < 1000 ? 100 : 1000;
  const rest = number % scale;
  const head = `${inEnglish(Math.floor(number / scale), and)} ${scale === 100 ? "hundred" : "thousand"}`;
  return rest ? `${head} ${rest < 100 ? and : ""}${inEnglish(rest, and)}` : head;
}

/** A number as Chinese people say it, 0 to 99,999. */
export function inChinese(number) {
  if (number === 0) return "零";
  let text = "";
  let skipped = false;
  for (const [scale, sign] of [[10000, "万"], [1000, "千"], [100, "百"], [10, "十"], [1, ""]]) {
    const digit = Math.floor(number / scale) % 10;
    if (digit === 0) {
      skipped = text !== "";
      continue;
    }
    const name = digit === 2 && scale >= 100 ? "两" : "零一二三四五六七八九"[digit];
    text += (skipped ? "零" : "") + (scale === 10 && digit === 1 && text === "" ? "" : name) + sign;
    skipped = false;
  }
  return text;
}

/** What a person may say for each slot, and the value that is meant. */
function spoken(language, name, random) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  if (name === "number") {
    const value = Math.floor(random() * pick([13, 100, 1000, 100000]));
    return { value, text: pick([String(value), language === "en" ? inEnglish(value) : inChinese(value)]) };
  }
  if (name === "place") {
    return pick(language === "en"
      ? [{ value: "A", text: "aisle A" }, { value: "A-01", text: "A zero one" }, { value: "A-01-2", text: "A one dash two" }, { value: "B", text: "the cold room" }, { value: "C1", text: "charlie one" }]
      : [{ value: "A", text: "A区" }, { value: "A", text: "A区货架" }, { value: "A-01", text: "A区一排" }, { value: "A-01-2", text: "A01-2" }, { value: "A-10-1", text: "A十杠一" }]);
  }
  return pick([{ value: "04006381333931", text: "Whole Milk 1 L" }, { value: "05000159407236", text: "chocolate bar" }, { value: "06907992500133", text: "蒙牛纯牛奶" }, { value: "06901234567892", text: "伊利纯牛奶" }]);
}

/** Every rule of a language with all it may say: `{ template, nodes }`. */
export function rules(language) {
  const source = grammar.languages[language];
  const node = (text) => read(text, (name) => node(source.lists[name]), tokensOf);
  return source.rules.flatMap(({ intent, say }) => say.map((text) => ({ intent, text, node: node(text) })));
}

/** One phrase of a rule by chance: `{ text, slots }`. */
export function say(language, node, random) {
  const source = grammar.languages[language];
  const slots = {};
  const reading = (text) => read(text, (name) => reading(source.lists[name]), tokensOf);
  const speak = (part) => {
    if (part.kind === "word") return part.word;
    if (part.kind === "sequence") return part.parts.map(speak).filter(Boolean).join(" ");
    if (part.kind === "choice") return speak(part.parts[Math.floor(random() * part.parts.length)]);
    const values = source.values[part.name];
    if (!values) {
      const said = spoken(language, part.name, random);
      slots[part.name] = said.value;
      return said.text;
    }
    const ways = Object.entries(values);
    const [value, text] = ways[Math.floor(random() * ways.length)];
    slots[part.name] = value;
    return speak(reading(text));
  };
  return { text: speak(node), slots };
}
