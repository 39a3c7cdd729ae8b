import assert from "node:assert/strict";
import { test } from "node:test";
import { BrowserRecogniser, textsOf } from "../../../../appliance/web/static/shelf/voice/hearing/browser.js";
import { RATE, resampled, wavOf } from "../../../../appliance/web/static/shelf/voice/hearing/wav.js";
import { read } from "../../../../appliance/web/static/shelf/voice/text/expression.js";
import { tokensOf } from "../../../../appliance/web/static/shelf/voice/text/tokens.js";
import { Parser } from "../../../../appliance/web/static/shelf/voice/parser.js";
import { recogniserFor, voiceSetting } from "../../../../appliance/web/static/shelf/voice/recogniser.js";
import { chance, grammar, say, site } from "./speaking.js";

test("whatever the hub's recogniser may hear, the parser understands", () => {
  const random = chance(21);
  const parser = new Parser(grammar);
  const { hearing, lists } = grammar.languages.en;
  const node = (text) => read(text, (name) => node(lists[name]), tokensOf);
  for (const text of hearing.say) {
    for (let i = 0; i < 20; i += 1) {
      const said = say("en", node(text), random);
      assert.equal(parser.parse(said.text, "en", site).kind, "intent", said.text);
    }
  }
  for (const name of Object.keys(hearing.values)) assert.ok(grammar.languages.en.values[name], name);
});

/** A second of a tone. */
const tone = (hertz, rate) => Float32Array.from({ length: rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));
const loudness = (sound) => Math.sqrt(sound.reduce((sum, value) => sum + value * value, 0) / sound.length);

test("speech keeps its pitch and loudness at 16 kHz, and what lies above 8 kHz does not fold into it", () => {
  for (const rate of [44_100, 48_000]) {
    const voice = resampled(tone(440, rate), rate);
    assert.equal(voice.length, RATE);
    const rises = voice.filter((value, i) => i > 0 && voice[i - 1] < 0 && value >= 0).length;
    assert.ok(Math.abs(rises - 440) <= 1, String(rises));
    assert.ok(Math.abs(loudness(voice) - loudness(tone(440, rate))) < 0.005);
    assert.ok(loudness(resampled(tone(12_000, rate), rate)) < 0.02);
  }
});

test("a WAV file says what it holds, and too loud a sound is cut and not turned round", () => {
  const view = new DataView(wavOf(Float32Array.from([0, 1, -1, 3, -3])));
  const text = (at) => String.fromCharCode(...Array.from({ length: 4 }, (_, i) => view.getUint8(at + i)));
  assert.deepEqual([text(0), text(8), text(36)], ["RIFF", "WAVE", "data"]);
  assert.deepEqual([view.getUint32(24, true), view.getUint16(22, true), view.getUint16(34, true), view.getUint32(40, true)], [RATE, 1, 16, 10]);
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => view.getInt16(44 + 2 * i, true)), [0, 32_767, -32_767, 32_767, -32_767]);
});

test("parts of one speech belong together, each guess whole", () => {
  const results = [[{ transcript: "show all" }, { transcript: "so all" }], [{ transcript: " in aisle A" }]];
  assert.deepEqual(textsOf(results), ["show all in aisle A", "so all in aisle A"]);
  assert.deepEqual(textsOf([]), []);
});

/** A browser's recogniser that a test speaks for. */
function browser({ local = "unavailable", error = "" } = {}) {
  return class extends EventTarget {
    static available = async () => local;
    start() {
      globalThis.made = this;
      queueMicrotask(() => {
        if (error) this.dispatchEvent(Object.assign(new Event("error"), { error }));
        this.dispatchEvent(new Event(error ? "end" : "start"));
      });
    }
    stop() {
      queueMicrotask(() => {
        this.dispatchEvent(Object.assign(new Event("result"), { results: [[{ transcript: "下一个" }]] }));
        this.dispatchEvent(new Event("end"));
      });
    }
    abort() {
      this.dispatchEvent(new Event("end"));
    }
  };
}

test("the browser's recogniser listens in the page's language, on the phone itself where it can", async () => {
  const near = new BrowserRecogniser(browser({ local: "available" }));
  assert.equal(await near.audio("zh"), "phone");
  const listening = await near.listen("zh", 1000);
  assert.deepEqual([globalThis.made.lang, globalThis.made.processLocally], ["zh-CN", true]);
  assert.deepEqual(await listening.finish(), ["下一个"]);
  assert.equal(await new BrowserRecogniser(browser()).audio("zh"), "vendor");
});

test("a microphone that is refused is told as such", async () => {
  for (const [error, trouble] of [["not-allowed", "refused"], ["network", "no_network"], ["audio-capture", "no_microphone"], ["language-not-supported", "no_language"]]) {
    await assert.rejects(new BrowserRecogniser(browser({ error })).listen("en", 1000), { trouble });
  }
});

test("voice is off until the site says otherwise, and offline the last word of the hub holds", async () => {
  const store = new Map();
  const kept = { getItem: (key) => store.get(key) ?? null, setItem: (key, value) => store.set(key, value) };
  const offline = { ask: async () => Promise.reject(new Error("offline")) };
  assert.equal((await voiceSetting(offline, kept)).voice, "off");
  const said = { voice: "browser", languages: [], most_seconds: 8 };
  assert.deepEqual(await voiceSetting({ ask: async () => new Response(JSON.stringify(said)) }, kept), said);
  assert.deepEqual(await voiceSetting(offline, kept), said);
  assert.equal(recogniserFor({ ...said, voice: "off" }, offline), null);
});
