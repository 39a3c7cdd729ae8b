// A short message over the camera, and the same to a screen reader; with a way back where there is one.

import { h, icon } from "./dom.js";

/** @import { Tone } from "../types.js" */

const STAYS_MS = 6000;
/** @type {Partial<Record<Tone, string>>} */
const SIGNS = { accept: "accept", fine: "accept", review: "review", hold: "hold", info: "info", gone: "shelf-gone", off_list: "off_list" };

export class Toast {
  #ends = 0;

  /** @param {HTMLElement} home @param {HTMLElement} spoken a polite live region */
  constructor(home, spoken) {
    this.home = home;
    this.spoken = spoken;
  }

  /**
   * @param {string} text @param {Tone} [tone]
   * @param {{ word: string, run: () => void }} [back]
   */
  show(text, tone = "plain", back) {
    const sign = SIGNS[tone];
    this.home.replaceChildren(
      ...(sign ? [icon(sign)] : []), h("span", { text }),
      ...(back ? [h("button", { type: "button", class: "button", "data-do": "undo", on: { click: () => { this.hide(); back.run(); } } }, h("span", { text: back.word }))] : []),
    );
    this.home.dataset.tone = tone;
    this.home.hidden = false;
    this.say(text);
    clearTimeout(this.#ends);
    this.#ends = window.setTimeout(() => this.hide(), back ? 2 * STAYS_MS : STAYS_MS);
  }

  hide() {
    clearTimeout(this.#ends);
    this.home.hidden = true;
    // A spoken undo finds no button that is gone: nothing is taken back twice.
    this.home.replaceChildren();
  }

  /** Only to a screen reader. @param {string} text */
  say(text) {
    this.spoken.textContent = text;
  }
}
