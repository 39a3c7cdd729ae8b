// Who turns speech into text: a port with two adapters, the hub's recogniser and the browser's own.

import { BrowserRecogniser, speechRecognition } from "./hearing/browser.js";
import { HubRecogniser } from "./hearing/hub.js";

/**
 * `audio`: where what is said goes: "phone" nowhere, "hub" to the site's own hub, "vendor" to the
 * maker of the browser.
 * @typedef {object} Recogniser
 * @property {"browser" | "hub"} name
 * @property {(language: Language) => Promise<"phone" | "hub" | "vendor">} audio
 * @property {(language: Language) => boolean} speaks
 * @property {(language: Language, most_ms: number) => Promise<Listening>} listen the microphone is
 * open once this is fulfilled, `most_ms` at most; rejects with VoiceError
 */
/** @typedef {import("./intents.js").Language} Language */
/**
 * @typedef {object} Listening
 * @property {() => Promise<string[]>} finish closes the microphone; what was said, best first, may
 * be empty; rejects with VoiceError
 * @property {() => void} drop closes the microphone, nothing is wanted any more
 * @property {Promise<void>} ended fulfilled when it ended by itself: too long, or silence
 */

/**
 * What the hub says of voice (`GET /api/v1/shelf/voice`).
 * @typedef {{ voice: "off" | "hub" | "browser", languages: Language[], most_seconds: number }} VoiceSetting
 */

const KEY = "shelf.voice.setting";

/** @type {VoiceSetting} */
export const NO_VOICE = { voice: "off", languages: [], most_seconds: 0 };

/**
 * The recogniser that the site allows and this phone has.
 * @param {VoiceSetting} setting
 * @param {Pick<import("../keep/line/hub.js").Hub, "ask">} hub
 * @returns {Recogniser | null} null: there is no voice here, and no button
 */
export function recogniserFor(setting, hub) {
  if (setting.voice === "hub" && canRecord()) return new HubRecogniser(hub, setting.languages);
  const made = setting.voice === "browser" ? speechRecognition() : null;
  return made && new BrowserRecogniser(made);
}

/**
 * What this site allows, from the hub; without it, what it said last.
 * @param {Pick<import("../keep/line/hub.js").Hub, "ask">} hub
 * @param {Storage} kept
 * @returns {Promise<VoiceSetting>}
 */
export async function voiceSetting(hub, kept) {
  const answer = await hub.ask("/api/v1/shelf/voice").catch(() => null);
  const text = answer ? await answer.text() : (kept.getItem(KEY) ?? "{}");
  if (answer) kept.setItem(KEY, text);
  return { ...NO_VOICE, ...JSON.parse(text) };
}

/** On plain HTTP there is no microphone. */
function canRecord() {
  return globalThis.isSecureContext === true && "mediaDevices" in navigator && "AudioWorkletNode" in globalThis;
}
