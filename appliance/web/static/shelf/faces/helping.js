// What the person hears of codes that the appliance was asked about (help/damaged.js).

/** @import { Help, Helper } from "../help/damaged.js" */
/** @import { Page } from "./page.js" */

/** Guesses of codes that are long out of view are of no use: so many are kept, the newest. */
const MOST_GUESSES = 50;

export class Helping {
  /** Codes that the person asked about by hand: what becomes of them is told. @type {Set<number>} */
  #wanted = new Set();

  /** @param {Page} page @param {() => void} changed the marks are others now */
  constructor(page, changed) {
    this.page = page;
    this.changed = changed;
  }

  /** @param {Help} help */
  tell = ({ id, state, candidates }) => {
    const { maybes, host, words: { t } } = this.page;
    // Told as the newest, also where it was known before.
    maybes.delete(id);
    if (state === "candidates") maybes.set(id, candidates);
    for (const old of [...maybes.keys()].slice(0, -MOST_GUESSES)) maybes.delete(old);
    this.changed();
    // An answer that was refused is never silent; the others are told to whoever asked.
    if (state === "moved" || this.#wanted.has(id)) host.say(t(`shelf.help_${state}`), state === "answered" ? "accept" : state === "asking" ? "info" : "review");
    if (state !== "asking") this.#wanted.delete(id);
  };

  /** The person wants to know what a code is. @param {Helper} helper @param {number} id the sighting's */
  async ask(helper, id) {
    const now = helper.eye.sightings.find((each) => each.id === id);
    if (!now) return this.page.host.say(this.page.words.t("shelf.help_moved"), "review");
    this.#wanted.add(id);
    // Asked about already, its answer is told to this person too.
    await helper.help([now]);
  }
}
