// The frame around the camera: the strip that tells how old everything is, the bar and the modes.

import { button, h, icon } from "./dom.js";
import { lineBadge } from "../sheets/house.js";

/** @import { Action } from "../types.js" */
/** @import { Page } from "../page.js" */

/** Redraws only what differs, so that a finger on a button is never left with another. */
export class Frame {
  #bar = "";
  #strip = "";

  /** @param {{ strip: HTMLElement, bar: HTMLElement, modes: HTMLElement }} parts @param {Page} page */
  constructor({ strip, bar, modes }, page) {
    this.strip = strip;
    this.bar = bar;
    this.modes = modes;
    this.page = page;
    for (const tab of modes.querySelectorAll("button")) tab.addEventListener("click", () => page.enter(tab.dataset.mode ?? ""));
  }

  draw() {
    const { page } = this;
    for (const tab of this.modes.querySelectorAll("button")) {
      if (tab.dataset.mode === page.mode.name) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
    this.#drawBar();
    this.#drawStrip();
  }

  #drawBar() {
    const { page } = this, { t } = page.words, bar = page.mode.bar();
    const key = JSON.stringify([bar.title, bar.detail, bar.tone, page.place, page.words.language, bar.actions.map(({ run, ...rest }) => ({ ...rest, run: typeof run }))]);
    if (key === this.#bar) return;
    this.#bar = key;
    const focus = document.activeElement instanceof HTMLElement && this.bar.contains(document.activeElement) ? document.activeElement.dataset.do : undefined;
    this.bar.dataset.tone = bar.tone;
    this.bar.replaceChildren(
      h("div", { class: "bar-top" },
        h("button", { type: "button", class: "place", "data-do": "place-chip", "aria-label": page.place ? t("shelf.place_is", { place: page.place }) : t("shelf.choose_place"), on: { click: () => page.host.ask("place") } },
          icon("shelf-place"), h("span", { class: page.place ? "id" : "", text: page.place || t("shelf.place_short") })),
        h("div", { class: "bar-said" }, h("p", { class: "bar-title", text: bar.title }), h("p", { class: "bar-detail", text: bar.detail })),
        h("button", { type: "button", class: "round", "data-do": "more", "aria-label": t("shelf.more"), on: { click: () => page.host.ask("more") } }, icon("shelf-more"))),
      h("div", { class: "bar-acts" }, ...bar.actions.map((action) => this.#action(action))));
    if (focus) /** @type {HTMLElement | null} */ (this.bar.querySelector(`[data-do="${focus}"]`))?.focus();
  }

  /** @param {Action} action */
  #action({ name, word, icon: sign, run, disabled, pressed, main }) {
    return button(word, run, { icon: sign, name, class: main ? "button-main" : "", ...(disabled !== undefined && { disabled }), ...(pressed !== undefined && { pressed }) });
  }

  #drawStrip() {
    const { page } = this, { state, words } = page, { t } = words;
    const old = state.version ? t("shelf.as_of", { age: words.age(state.age_us) }) : t("shelf.no_list_short");
    const open = state.troubles.filter((trouble) => !trouble.seen).length;
    const key = [state.line, old, state.unsent, open, state.update, words.language].join("|");
    if (key === this.#strip) return;
    this.#strip = key;
    this.strip.replaceChildren(h("button", { type: "button", class: "strip-state", "data-do": "line-state", "data-line": state.line, on: { click: () => page.host.ask("line") } },
      lineBadge(page), h("span", { class: "num strip-age", text: old }),
      h("span", { class: state.unsent ? "num strip-waits" : "num", text: t("shelf.unsent", { n: state.unsent }) }),
      open > 0 && h("span", { class: "badge tone-review" }, icon("review"), h("span", { text: t("shelf.troubles", { n: open }) })),
      state.update && h("span", { class: "badge tone-info" }, icon("info"), h("span", { text: t("shelf.update_short") }))));
  }

  /** Words of the shell that stand in the document. */
  reword() {
    const { t } = this.page.words;
    for (const each of document.querySelectorAll("[data-word]")) each.textContent = t(each.getAttribute("data-word") ?? "");
    for (const each of document.querySelectorAll("[data-word-label]")) each.setAttribute("aria-label", t(each.getAttribute("data-word-label") ?? ""));
    this.#bar = this.#strip = "";
    this.draw();
  }
}
