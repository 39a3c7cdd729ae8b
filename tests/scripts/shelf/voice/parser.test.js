import assert from "node:assert/strict";
import { test } from "node:test";
import { Parser } from "../../../../appliance/web/static/shelf/voice/parser.js";
import { grammar, site } from "./speaking.js";

const parser = new Parser(grammar);
const calm = { ...site, asking: false };

function understood(text, language, context = calm) {
  const parse = parser.parse(text, language, context);
  return parse.kind === "intent" ? parse.intent : parse.kind;
}

test("the sentences of the order are understood", () => {
  const expiring = { name: "show", filter: "expiring", place: "A", within: null };
  assert.deepEqual(understood("查看A区货架所有临期商品", "zh"), expiring);
  assert.deepEqual(understood("Show everything expiring in aisle A.", "en"), expiring);
  assert.deepEqual(understood("count twelve", "en"), { name: "count", quantity: 12, unit: "", gtin: "" });
  assert.deepEqual(understood("数十二个", "zh"), { name: "count", quantity: 12, unit: "piece", gtin: "" });
  assert.deepEqual(understood("数两百零三箱", "zh"), { name: "count", quantity: 203, unit: "carton", gtin: "" });
});

test("a place is understood by letters, numbers, the spelling alphabet and the site's own name", () => {
  for (const said of ["A 01 1", "alpha zero one dash one", "aisle A row one slot one", "A-01-1", "a one one"]) {
    assert.deepEqual(understood(`I'm at ${said}`, "en"), { name: "place", place: "A-01-1" }, said);
  }
  for (const said of ["A区一排一号", "A零一杠一", "A区幺幺", "Ａ０１－１"]) {
    assert.deepEqual(understood(`我在${said}`, "zh"), { name: "place", place: "A-01-1" }, said);
  }
  assert.deepEqual(understood("show all in the cold room", "en"), { name: "show", filter: "all", place: "B", within: null });
});

test("a place that this site has not is not understood", () => {
  assert.equal(understood("I am at D one", "en"), "unknown");
  assert.equal(understood("我在A区九排", "zh"), "unknown");
});

test("of two products of the same name one is chosen by tapping", () => {
  const parse = parser.parse("找纯牛奶", "zh", calm);
  assert.equal(parse.kind, "ambiguous");
  assert.deepEqual(parse.offers.map((offer) => offer.gtin), ["06901234567892", "06907992500133"]);
  assert.deepEqual(understood("找蒙牛牛奶", "zh"), { name: "find", gtin: "06907992500133" });
});

test("a product is found by the last digits of its code", () => {
  assert.deepEqual(understood("find 3931", "en"), { name: "find", gtin: "04006381333931" });
  assert.equal(understood("find 31", "en"), "unknown");
});

test("counting and freezing want a code that was tapped, or a product that was named", () => {
  const nothing = { ...calm, selected: "" };
  assert.equal(understood("count twelve", "en", nothing), "unchosen");
  assert.equal(understood("冻结这批", "zh", nothing), "unchosen");
  assert.deepEqual(understood("count twelve cartons of milk", "en", nothing), { name: "count", quantity: 12, unit: "carton", gtin: "04006381333931" });
  assert.deepEqual(understood("把蒙牛纯牛奶冻结", "zh", nothing), { name: "freeze", gtin: "06907992500133" });
});

test("a no before it is not a yes: what is forbidden is not done", () => {
  assert.equal(understood("don't freeze this", "en"), "unknown");
  assert.equal(understood("不要冻结这批", "zh"), "unknown");
  assert.equal(understood("count minus five", "en"), "unknown");
});

test("what was understood of a longer speech is offered, and not done", () => {
  const parse = parser.parse("well I think we should count twelve cartons or so", "en", calm);
  assert.equal(parse.kind, "unknown");
  assert.deepEqual(parse.offers, [{ name: "count", quantity: 12, unit: "carton", gtin: "" }]);
});

test("yes and no answer a question, and are nothing else", () => {
  assert.deepEqual(understood("yes", "en", site), { name: "yes" });
  assert.deepEqual(understood("不对", "zh", site), { name: "no" });
  assert.equal(understood("yes", "en"), "unknown");
  assert.equal(understood("好的", "zh"), "unknown");
});

test("silence, signs and a flood of words are unknown", () => {
  for (const text of ["", "  ", "?!", "🥛", "milk ".repeat(5000)]) assert.equal(understood(text, "en"), "unknown");
});
