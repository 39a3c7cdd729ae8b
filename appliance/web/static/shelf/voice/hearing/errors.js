// What can go wrong between a mouth and a text.

/** @typedef {"refused" | "no_microphone" | "no_network" | "busy" | "no_engine" | "no_language" | "failed"} Trouble */

/** The page says `shelf.voice.error.<trouble>`. */
export class VoiceError extends Error {
  /** @param {Trouble} trouble @param {string} [why] for the log */
  constructor(trouble, why = "") {
    super(why || trouble);
    this.trouble = trouble;
  }
}
