// Sheets that rise from below, one above the other: what they ask is answered by a promise.

import { button, h, icon } from "./dom.js";
import { again, heldIn } from "./focus.js";

/** @import { Child } from "./dom.js" */
/** @import { Words } from "../words.js" */

/**
 * @typedef {object} Build
 * @property {string} title
 * @property {string} [name] of the sheet, for styles and tests
 * @property {(close: (answer?: any) => void, refill: () => void) => Child[]} body built anew by `refill`
 * @property {(close: (answer?: any) => void, refill: () => void) => Child[]} [foot] buttons in reach of the thumb
 */

export class Sheets {
  /** @type {{ close: (answer?: any) => void, refill: () => void, name: string, dialog: HTMLElement }[]} */
  #open = [];

  #shut = false;

  /** @param {HTMLElement} home @param {() => Words} words */
  constructor(home, words) {
    this.home = home;
    this.words = words;
  }

  /** Names of those that are open, the uppermost last. */
  get names() {
    return this.#open.map((each) => each.name);
  }

  /**
   * Shows a sheet until it is closed; null where nothing was answered, or while sheets are shut.
   * @param {Build} build
   * @returns {Promise<any>}
   */
  open(build) {
    if (this.#shut) return Promise.resolve(null);
    const { t } = this.words();
    const inside = h("div", { class: "sheet-body" }), foot = h("div", { class: "sheet-foot" });
    const heading = h("h2", { text: build.title, tabindex: "-1" });
    const dialog = h("dialog", { class: "sheet", "data-sheet": build.name, "aria-label": build.title },
      h("header", { class: "sheet-head" }, heading, h("button", { type: "button", class: "round", "aria-label": t("shelf.close"), "data-do": "close", on: { click: () => close(null) } }, icon("close"))),
      inside, foot);
    /** @type {(answer: any) => void} */
    let answered = () => {};
    let over = false;
    const close = (/** @type {any} */ answer = null) => {
      if (over) return;
      over = true;
      this.#open = this.#open.filter((each) => each.close !== close);
      dialog.close();
      dialog.remove();
      answered(answer);
    };
    const refill = () => {
      const top = inside.scrollTop, held = heldIn(dialog, document.activeElement);
      replaceAround(inside, build.body(close, refill));
      const buttons = build.foot?.(close, refill).filter((each) => each !== null && each !== undefined && each !== false) ?? [];
      foot.replaceChildren(...buttons);
      foot.hidden = !buttons.length;
      inside.scrollTop = top;
      if (held && !dialog.contains(document.activeElement)) (again(dialog, held) ?? heading).focus({ preventScroll: true });
    };
    refill();
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(null);
    });
    // A touch beside the sheet closes it.
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) close(null);
    });
    this.home.append(dialog);
    dialog.showModal();
    heading.focus({ preventScroll: true });
    this.#open.push({ close, refill, name: build.name ?? "", dialog });
    return new Promise((resolve) => {
      answered = resolve;
    });
  }

  /** The stock changed below what is shown. */
  refill() {
    // Whoever types or picks a date there is not disturbed.
    const typing = document.activeElement?.matches('input:not([type="checkbox"]), textarea') ? document.activeElement.closest("dialog") : null;
    for (const each of this.#open) if (!each.name.startsWith("ask-") && each.dialog !== typing) each.refill();
  }

  /** A gate stands before the page: all sheets go, and none opens over it. @param {boolean} shut */
  shut(shut) {
    this.#shut = shut;
    if (shut) this.closeAll();
  }

  /** Closes all, for instance before another mode. */
  closeAll() {
    for (const each of [...this.#open].reverse()) each.close(null);
  }

  /** Closes the uppermost. @returns {boolean} false: none was open */
  back() {
    const top = this.#open.at(-1);
    top?.close(null);
    return Boolean(top);
  }

  /**
   * A question with yes and no.
   * @param {{ title: string, lines: string[], yes: string }} asked
   * @returns {Promise<boolean>}
   */
  async sure({ title, lines, yes }) {
    const { t } = this.words();
    return Boolean(await this.open({
      title, name: "ask-sure",
      body: () => [h("ul", { class: "said" }, ...lines.map((line) => h("li", { text: line })))],
      foot: (close) => [button(t("shelf.cancel"), () => close(false)), button(yes, () => close(true), { class: "button-main", name: "yes" })],
    }));
  }
}

/**
 * Like replaceChildren, but a child that stays is never taken out: a field taken out under the hand
 * ends what an input method composes, and no Chinese could be typed.
 * @param {HTMLElement} parent @param {Child[]} children
 */
function replaceAround(parent, children) {
  const wanted = children.filter((each) => each !== null && each !== undefined && each !== false);
  for (const old of [...parent.childNodes]) if (!wanted.includes(old)) old.remove();
  let at = parent.firstChild;
  for (const each of wanted) {
    if (each === at) at = at?.nextSibling ?? null;
    else parent.insertBefore(typeof each === "string" ? document.createTextNode(each) : each, at);
  }
}
