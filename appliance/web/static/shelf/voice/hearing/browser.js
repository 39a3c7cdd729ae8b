// The browser's own recogniser (Web Speech API), on the phone itself where it can.

import { VoiceError } from "./errors.js";

/**
 * @typedef {import("../intents.js").Language} Language
 * @typedef {import("../recogniser.js").Listening} Listening
 * @typedef {import("../recogniser.js").Recogniser} Recogniser
 */
/** @typedef {{ transcript: string }[] & { isFinal: boolean }} Result */
/**
 * What is used of SpeechRecognition, which TypeScript's library does not know whole.
 * @typedef {EventTarget & { lang: string, continuous: boolean, interimResults: boolean, maxAlternatives: number, processLocally?: boolean, start: () => void, stop: () => void, abort: () => void }} Recognition
 * @typedef {{ new (): Recognition, available?: (asked: { langs: string[], processLocally: boolean }) => Promise<string> }} RecognitionClass
 */

const TAGS = { en: "en-US", zh: "zh-CN" };
const ALTERNATIVES = 5;

/** @returns {RecognitionClass | null} */
export function speechRecognition() {
  const scope = /** @type {any} */ (globalThis);
  return scope.SpeechRecognition ?? scope.webkitSpeechRecognition ?? null;
}

/** @implements {Recogniser} */
export class BrowserRecogniser {
  name = /** @type {const} */ ("browser");

  /** @param {RecognitionClass} made */
  constructor(made) {
    this.made = made;
  }

  /** @param {Language} language @returns {Promise<"phone" | "vendor">} */
  async audio(language) {
    const asked = { langs: [TAGS[language]], processLocally: true };
    const state = await this.made.available?.(asked).catch(() => "unavailable");
    return state === "available" ? "phone" : "vendor";
  }

  speaks() {
    return true;
  }

  /** @param {Language} language @param {number} most_ms @returns {Promise<Listening>} */
  async listen(language, most_ms) {
    const recognition = new this.made();
    recognition.lang = TAGS[language];
    recognition.continuous = true;
    recognition.interimResults = false;
    recognition.maxAlternatives = ALTERNATIVES;
    if ((await this.audio(language)) === "phone") recognition.processLocally = true;
    return heardBy(recognition, most_ms);
  }
}

/**
 * Fulfilled once the microphone is open.
 * @param {Recognition} recognition
 * @param {number} most_ms
 * @returns {Promise<Listening>}
 */
function heardBy(recognition, most_ms) {
  /** @type {Result[]} */
  let results = [];
  /** @type {VoiceError | null} */
  let trouble = null;
  recognition.addEventListener("result", (event) => (results = [.../** @type {any} */ (event).results]));
  recognition.addEventListener("error", (event) => (trouble ??= troubleOf(/** @type {any} */ (event).error)));
  const timer = setTimeout(() => recognition.stop(), most_ms);
  const ended = /** @type {Promise<void>} */ (new Promise((resolve) => {
    recognition.addEventListener("end", () => (clearTimeout(timer), resolve()));
  }));
  const finish = async () => {
    recognition.stop();
    await ended;
    if (trouble) throw trouble;
    return textsOf(results);
  };
  const drop = () => (clearTimeout(timer), recognition.abort());
  return new Promise((resolve, reject) => {
    recognition.addEventListener("start", () => resolve({ finish, drop, ended }));
    void ended.then(() => reject(trouble ?? new VoiceError("failed")));
    recognition.start();
  });
}

/** @param {string} error as the Web Speech API names it @returns {VoiceError | null} */
function troubleOf(error) {
  if (error === "no-speech" || error === "aborted") return null;
  if (error === "not-allowed" || error === "service-not-allowed") return new VoiceError("refused", error);
  if (error === "audio-capture") return new VoiceError("no_microphone", error);
  if (error === "network") return new VoiceError("no_network", error);
  return new VoiceError(error === "language-not-supported" ? "no_language" : "failed", error);
}

/**
 * The whole of what was said, best first: parts that came one after the other belong together.
 * @param {Result[]} results
 * @returns {string[]}
 */
export function textsOf(results) {
  const most = Math.max(0, ...results.map((result) => result.length));
  const texts = Array.from({ length: most }, (_, i) =>
    results.map((result) => (result[i] ?? result[0])?.transcript.trim() ?? "").join(" ").trim(),
  );
  return [...new Set(texts)].filter((text) => text !== "");
}
