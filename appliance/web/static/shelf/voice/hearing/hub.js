// The hub's recogniser: records while the button is held, and sends one WAV to the site's own hub.

import { VoiceError } from "./errors.js";
import { joined, RATE, resampled, wavOf } from "./wav.js";

/**
 * @typedef {import("../intents.js").Language} Language
 * @typedef {import("../recogniser.js").Listening} Listening
 * @typedef {import("../recogniser.js").Recogniser} Recogniser
 * @typedef {Pick<import("../../keep/line/hub.js").Hub, "ask">} Hub
 */

/** Shorter than any word: the button was only touched. */
const LEAST_S = 0.15;
const CONSTRAINTS = { audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } };

/** @implements {Recogniser} */
export class HubRecogniser {
  name = /** @type {const} */ ("hub");

  /** @param {Hub} hub @param {Language[]} languages that its engine understands */
  constructor(hub, languages) {
    this.hub = hub;
    this.languages = languages;
  }

  /** @returns {Promise<"hub">} */
  async audio() {
    return "hub";
  }

  /** @param {Language} language */
  speaks(language) {
    return this.languages.includes(language);
  }

  /** @param {Language} language @param {number} most_ms @returns {Promise<Listening>} */
  async listen(language, most_ms) {
    if (!this.speaks(language)) throw new VoiceError("no_language");
    const stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS).catch(microphoneTrouble);
    const context = new AudioContext();
    const close = () => {
      for (const track of stream.getTracks()) track.stop();
      void context.close().catch(() => {});
    };
    try {
      const blocks = await recording(context, stream);
      return this.#listening(blocks, context.sampleRate, close, language, most_ms);
    } catch (why) {
      close();
      throw new VoiceError("failed", String(why));
    }
  }

  /**
   * @param {Float32Array[]} blocks
   * @param {number} rate
   * @param {() => void} close
   * @param {Language} language
   * @param {number} most_ms
   * @returns {Listening}
   */
  #listening(blocks, rate, close, language, most_ms) {
    let stop = () => {};
    const ended = /** @type {Promise<void>} */ (new Promise((resolve) => {
      const timer = setTimeout(() => (close(), resolve()), most_ms);
      stop = () => (clearTimeout(timer), close());
    }));
    const finish = async () => {
      stop();
      const sound = resampled(joined(blocks), rate);
      return sound.length < LEAST_S * RATE ? [] : this.#ask(wavOf(sound), language);
    };
    return { finish, drop: stop, ended };
  }

  /** @param {ArrayBuffer} wav @param {Language} language @returns {Promise<string[]>} */
  async #ask(wav, language) {
    try {
      const answer = await this.hub.ask(`/api/v1/shelf/voice?language=${language}`, {
        method: "POST",
        body: wav,
        headers: { "Content-Type": "audio/wav" },
      });
      return (await answer.json()).texts;
    } catch (why) {
      throw new VoiceError(TROUBLES[/** @type {{ code?: string }} */ (why).code ?? ""] ?? "failed", String(why));
    }
  }
}

/** @type {Record<string, import("./errors.js").Trouble>} */
const TROUBLES = { offline: "no_network", voice_busy: "busy", voice_off: "no_engine", voice_engine: "no_engine" };

/** @param {DOMException} why @returns {never} */
function microphoneTrouble(why) {
  const missing = why.name === "NotFoundError" || why.name === "OverconstrainedError";
  throw new VoiceError(missing ? "no_microphone" : why.name === "NotReadableError" ? "busy" : "refused", why.message);
}

/**
 * Starts to record; the blocks grow while the microphone is open.
 * @param {AudioContext} context
 * @param {MediaStream} stream
 */
async function recording(context, stream) {
  await context.audioWorklet.addModule(new URL("./capture.js", import.meta.url));
  const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  /** @type {Float32Array[]} */
  const blocks = [];
  node.port.onmessage = ({ data }) => blocks.push(data);
  context.createMediaStreamSource(stream).connect(node);
  await context.resume();
  return blocks;
}
