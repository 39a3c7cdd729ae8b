// Hold still, and the appliance's reader answers: the crop of a code that the phone cannot read goes
// over a WebSocket; a sure answer becomes a sighting of the appliance, anything else candidates to tap.

import { Line, LineError, readerUrl } from "./line.js";
import { flat, formatOf, sureOf } from "./messages.js";

/** @typedef {import("../types.js").Sighting} Sighting */
/** @typedef {import("./messages.js").Maybe} Maybe */
/** What is needed of the eye. @typedef {Pick<import("../eye/eye.js").Eye, "onstill" | "still" | "ask" | "answer" | "sightings"> & { follower: { state: { regions: readonly { id: number, text: string, reader: string }[] } } }} Eyes */
/** What became of one unread code.
 * `asking`: hold still; `answered`: the sighting is confirmed now; `candidates`: tap one; `not_read`: nothing;
 * `moved`: something else stands there by now, the answer was about another code; `offline`: the appliance is not reached.
 * @typedef {{ id: number, state: "asking" | "answered" | "candidates" | "not_read" | "moved" | "offline", candidates: Maybe[], reasons: string[] }} Help
 */

/** Codes that are asked about each time the phone is held still. */
const MOST = 3;
const TRIES = 2;

export class Helper {
  /**
   * @param {object} parts
   * @param {Eyes} parts.eye
   * @param {() => string} parts.place where the person stands, empty where unknown
   * @param {(help: Help) => void} parts.tell called when something changed for one unread code
   * @param {string} [parts.url] of the WebSocket; this hub's own if left out
   * @param {Pick<Line, "ask" | "close">} [parts.line] in the place of a WebSocket to `url`
   */
  constructor({ eye, place, tell, url, line }) {
    this.eye = eye;
    this.place = place;
    this.tell = tell;
    this.line = line ?? new Line(url ?? readerUrl());
    /** @type {(() => void) | null} */
    this.end = null;
    /** Sightings that are being asked about. @type {Set<number>} */
    this.asked = new Set();
  }

  /** Asks from now on, whenever the phone is held still over unread codes. */
  start() {
    this.end ??= this.eye.onstill((unread) => void this.help(unread));
  }

  /** Closes the socket and asks no more. */
  stop() {
    this.end?.();
    this.end = null;
    this.line.close();
  }

  /**
   * The person chose one of the candidates: it stands for that code from now on.
   * @param {number} id the sighting's
   * @param {Maybe} choice
   */
  choose(id, choice) {
    this.told(id, this.answer(id, choice.text, formatOf(choice.text)));
  }

  /** The nearest to the middle first: that is what the person points at. @param {Sighting[]} unread */
  async help(unread) {
    const fresh = unread.filter(({ id }) => !this.asked.has(id)).slice(0, MOST);
    for (const { id } of fresh) this.asked.add(id);
    await Promise.all(fresh.map((sighting) => this.one(sighting).finally(() => this.asked.delete(sighting.id))));
  }

  /** @param {Sighting} sighting */
  async one({ id, quad }) {
    this.told(id, "asking");
    try {
      if (!this.eye.ask(id)) return this.told(id, "not_read");
      const { jpeg, left, top } = await this.eye.still(quad);
      const question = { kind: /** @type {const} */ ("crop"), place: this.place(), quad: flat(quad, left, top) };
      for (let tries = 1; ; tries += 1) {
        const told = await this.line.ask(question, jpeg);
        if (!("problem" in told)) return this.answered(id, told);
        const { code, retry_ms } = told.problem;
        if (!retry_ms || tries === TRIES) return this.told(id, "not_read", [], [code]);
        await new Promise((done) => setTimeout(done, retry_ms));
      }
    } catch (error) {
      const reasons = error instanceof LineError && error.reason ? [error.reason] : [];
      return this.told(id, error instanceof LineError ? "offline" : "not_read", [], reasons);
    }
  }

  /** @param {number} id @param {import("./messages.js").Answer} told */
  answered(id, told) {
    const sure = sureOf(told);
    if (sure) return this.told(id, this.answer(id, sure.text, sure.format));
    return this.told(id, told.candidates.length ? "candidates" : "not_read", told.candidates);
  }

  /**
   * Only over a code that is followed still, and not read in the meantime.
   * @param {number} id @param {string} text @param {string} format
   * @returns {"answered" | "moved" | "not_read"}
   */
  answer(id, text, format) {
    const now = this.eye.sightings.find((each) => each.id === id);
    if (!now || now.state === "confirmed" || now.state === "off_list") return "not_read";
    this.eye.answer(id, { text, format, quad: now.quad });
    // The eye takes no answer about a picture whose place looks otherwise by now.
    const taken = this.eye.follower.state.regions.some((region) => region.id === id && region.text === text && region.reader === "appliance");
    return taken ? "answered" : "moved";
  }

  /** @param {number} id @param {Help["state"]} state @param {Maybe[]} [candidates] @param {string[]} [reasons] */
  told(id, state, candidates = [], reasons = []) {
    this.tell({ id, state, candidates, reasons });
  }
}
