import assert from "node:assert/strict";
import { test } from "node:test";
import { VoiceError } from "../../../../appliance/web/static/shelf/voice/hearing/errors.js";
import { Parser } from "../../../../appliance/web/static/shelf/voice/parser.js";
import { Talk } from "../../../../appliance/web/static/shelf/voice/talk.js";
import { grammar, site } from "./speaking.js";

const parser = new Parser(grammar);
const words = {
  language: "en",
  t: (key, values = {}) => [key.replace("shelf.voice.", ""), ...Object.values(values)].join(" "),
  count: (noun, number) => `${number} ${noun}`,
};

/** A page with one hand, one ear and a memory of what it was shown. */
function standing({ selected = site.selected, audio = "hub", onintent = () => "", kept = new Map() } = {}) {
  const it = { done: [], told: [], question: null, offers: [], microphone: "closed", says: ["next"], opens: Promise.resolve(), at: 0 };
  const listening = () => {
    let over = () => {};
    const ended = new Promise((resolve) => (over = resolve));
    it.over = over;
    const close = () => (it.microphone = "closed");
    return { ended, drop: close, finish: async () => (close(), await Promise.resolve(), it.says instanceof Error ? Promise.reject(it.says) : it.says) };
  };
  const recogniser = {
    name: "hub", speaks: () => true, audio: async () => audio,
    listen: async () => {
      await it.opens;
      it.microphone = "open";
      return listening();
    },
  };
  const clear = () => ((it.question = null), (it.offers = []));
  const face = (hand) => {
    it.hand = hand;
    return {
      wait: () => {}, listen: () => {}, think: () => {}, clear, tell: (text) => it.told.push(text),
      ask: (text, yes, no) => (it.question = { text, yes, no }),
      offer: (text, offers) => ((it.told.push(text), (it.offers = offers))),
    };
  };
  const options = {
    bar: {}, words, recogniser, parser, context: () => ({ ...site, selected, asking: false }),
    onintent: (intent) => (it.done.push(intent), onintent(intent)),
    kept: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
  };
  it.talk = new Talk(options, face, () => it.at);
  it.hold = async (texts) => {
    it.says = texts;
    await it.hand.press();
    it.at += 2000;
    await it.hand.letGo();
  };
  return it;
}

test("what changes nothing is done at once, and told", async () => {
  const it = standing({ onintent: () => "3 products" });
  await it.hold(["show everything expiring in aisle A"]);
  assert.deepEqual(it.done, [{ name: "show", filter: "expiring", place: "A", within: null }]);
  assert.deepEqual([it.told.at(-1), it.microphone], ["3 products", "closed"]);
});

test("a change is asked first, with the product's name, and done after a spoken yes", async () => {
  const it = standing();
  await it.hold(["freeze this batch"]);
  assert.deepEqual(it.done, []);
  assert.match(it.question.text, /freeze Whole Milk 1 L/);
  await it.hold(["yes"]);
  assert.deepEqual(it.done, [{ name: "freeze", gtin: site.selected }]);
  assert.equal(it.question, null);
});

test("a change is done after a tapped yes, and not after a no", async () => {
  const it = standing();
  await it.hold(["count twelve cartons"]);
  it.question.no();
  assert.deepEqual([it.done, it.told.at(-1)], [[], "not_done"]);
  await it.hold(["count twelve cartons"]);
  await it.question.yes();
  assert.deepEqual(it.done, [{ name: "count", quantity: 12, unit: "carton", gtin: site.selected }]);
});

test("one yes is for one change: a second finds nothing to do", async () => {
  const it = standing();
  await it.hold(["undo that"]);
  await it.hold(["yes"]);
  await it.hold(["yes"]);
  assert.deepEqual(it.done, [{ name: "undo" }]);
});

test("noise leaves the question open, something else that is understood closes it undone", async () => {
  const it = standing();
  await it.hold(["freeze this"]);
  await it.hold(["the radio said rain"]);
  assert.ok(it.talk.asking);
  await it.hold([]);
  assert.ok(it.talk.asking);
  await it.hold(["next"]);
  assert.ok(!it.talk.asking);
  await it.hold(["yes"]);
  assert.deepEqual(it.done, [{ name: "next" }]);
});

test("a part that was understood is offered; tapped, a change is asked all the same", async () => {
  const it = standing();
  await it.hold(["I think we count twelve cartons then maybe"]);
  assert.deepEqual([it.done, it.offers.map(({ text }) => text)], [[], ["do.count 12 cartons Whole Milk 1 L"]]);
  await it.offers[0].run();
  assert.deepEqual(it.done, []);
  await it.question.yes();
  assert.equal(it.done.length, 1);
});

test("of several guesses the first that is understood counts", async () => {
  const it = standing();
  await it.hold(["sow everything expired", "show everything expired", "show everything"]);
  assert.deepEqual(it.done, [{ name: "show", filter: "expired", place: "", within: null }]);
});

test("a change without a chosen code asks for one, whatever was open before", async () => {
  const it = standing({ selected: "" });
  await it.hold(["freeze milk"]);
  assert.ok(it.talk.asking);
  await it.hold(["freeze this"]);
  assert.match(it.told.at(-1), /choose_first/);
  await it.hold(["yes"]);
  assert.deepEqual(it.done, []);
});

test("a tap opens the microphone until the next tap", async () => {
  const it = standing();
  await it.hand.press();
  it.at += 100;
  await it.hand.letGo();
  assert.equal(it.microphone, "open");
  it.at += 3000;
  await it.hand.press();
  await it.hand.letGo();
  assert.deepEqual([it.microphone, it.done], ["closed", [{ name: "next" }]]);
});

test("let go while the browser still asks for the microphone, nothing is recorded", async () => {
  const it = standing();
  let allow = () => {};
  it.opens = new Promise((resolve) => (allow = resolve));
  const pressed = it.hand.press();
  it.at += 2000;
  await it.hand.letGo();
  allow();
  await pressed;
  assert.deepEqual([it.microphone, it.done, it.told.at(-1)], ["closed", [], "hold"]);
});

test("whoever speaks too long is heard up to there", async () => {
  const it = standing();
  await it.hand.press();
  it.over();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([it.microphone, it.done], ["closed", [{ name: "next" }]]);
});

test("what went wrong is told in words, and the next try works", async () => {
  const it = standing();
  await it.hold(new VoiceError("no_network"));
  assert.equal(it.told.at(-1), "error.no_network");
  await it.hold(["next"]);
  assert.equal(it.done.length, 1);
});

test("sound goes to a browser's maker only after a yes, which is remembered", async () => {
  const kept = new Map();
  const it = standing({ audio: "vendor", kept });
  await it.hold(["next"]);
  assert.deepEqual([it.question.text, it.done, it.microphone], ["vendor", [], "closed"]);
  await it.question.yes();
  await it.hold(["next"]);
  assert.equal(it.done.length, 1);
  const again = standing({ audio: "vendor", kept });
  await again.hold(["next"]);
  assert.equal(again.done.length, 1);
});

test("when the page goes away, microphone and question are closed and nothing is done", async () => {
  const it = standing();
  await it.hold(["freeze this"]);
  await it.hand.press();
  it.talk.stop();
  assert.deepEqual([it.microphone, it.talk.asking, it.done], ["closed", false, []]);
});

test("help tells what can be said", async () => {
  const it = standing();
  await it.hold(["help"]);
  assert.ok(it.offers.length >= 3);
  assert.deepEqual(it.done, []);
});
