// Round buttons beside the thumb: light, a code by hand, the list of what is seen, tags that had no room.

import { h, icon } from "./dom.js";

/** @import { Page } from "../page.js" */

export class Beside {
  #left = 0;

  /** @param {HTMLElement} home @param {Page} page @param {{ turn: () => void, list: () => void }} does */
  constructor(home, page, { turn, list }) {
    this.page = page;
    const round = (/** @type {string} */ name, /** @type {string} */ sign, /** @type {() => void} */ run) =>
      h("button", { type: "button", class: "round", "data-do": name, on: { click: run } }, icon(sign));
    this.pager = h("button", { type: "button", class: "round pager", "data-do": "pager", hidden: true, on: { click: turn } }, h("span", { class: "num" }));
    this.torch = round("torch", "shelf-torch", () => this.#light());
    this.list = round("seen", "shelf-list", list);
    this.keys = round("keys", "shelf-keys", () => void page.host.ask("entry"));
    this.talk = h("div", { class: "talk", id: "talk" });
    this.torch.hidden = true;
    home.replaceChildren(this.pager, this.torch, this.list, this.keys, this.talk);
    this.reword();
  }

  reword() {
    const { t } = this.page.words;
    this.torch.setAttribute("aria-label", t("shelf.torch"));
    this.list.setAttribute("aria-label", t("shelf.seen"));
    this.keys.setAttribute("aria-label", t("shelf.type_code"));
    this.left(this.#left);
  }

  /** How many tags had no room. @param {number} count */
  left(count) {
    this.#left = count;
    this.pager.hidden = count === 0;
    this.pager.setAttribute("aria-label", this.page.words.t("shelf.no_room", { n: count }));
    const number = this.pager.querySelector("span");
    if (number) number.textContent = `+${count}`;
  }

  /** The camera opened: whether it has a light. */
  opened() {
    this.torch.hidden = !this.page.eye?.torch;
  }

  /** @param {boolean} [on] */
  async #light(on = this.torch.getAttribute("aria-pressed") !== "true") {
    await this.page.eye?.light(on);
    this.torch.setAttribute("aria-pressed", String(on));
  }

  /** @param {boolean} on @returns {Promise<boolean>} whether there is a light */
  async light(on) {
    if (this.torch.hidden) return false;
    await this.#light(on);
    return true;
  }
}
