// The accessible twin of the camera: what is seen as a list, each entry a button that does what a tap does.

import { h } from "./dom.js";

/** @import { Sighting } from "../../types.js" */
/** @import { Mark } from "../types.js" */

const EVERY_MS = 1000;

/** A mark as one sentence. @param {Mark} mark */
export const sentence = (mark) => [mark.word, ...mark.lines.map((line) => line.text)].filter((text, index, all) => text && all.indexOf(text) === index).join(", ");

export class Seen {
  #last = 0;
  /** @type {Map<number, { item: HTMLLIElement, button: HTMLButtonElement, says: string }>} */
  #items = new Map();

  /** @param {HTMLElement} list @param {(id: number) => void} ontap @param {(text: string) => void} say what came newly */
  constructor(list, ontap, say) {
    this.list = list;
    this.ontap = ontap;
    this.say = say;
  }

  /** @param {readonly Sighting[]} sightings @param {ReadonlyMap<number, Mark>} marks @param {number} now ms */
  show(sightings, marks, now) {
    if (now - this.#last < EVERY_MS) return;
    this.#last = now;
    const news = [];
    const told = sightings.filter((each) => each.state !== "seen" && (marks.get(each.id)?.lines.length ?? 0) > 0);
    for (const each of told) {
      const says = sentence(/** @type {Mark} */ (marks.get(each.id))), kept = this.#items.get(each.id);
      if (!kept) {
        this.#items.set(each.id, this.#add(each.id, says));
        news.push(says);
      } else if (kept.says !== says) {
        kept.says = says;
        kept.button.textContent = says;
      }
    }
    const ids = new Set(told.map((each) => each.id));
    for (const [id, { item, button }] of this.#items) {
      if (ids.has(id) || document.activeElement === button) continue;
      item.remove();
      this.#items.delete(id);
    }
    if (news.length) this.say(news.slice(0, 3).join(". "));
  }

  /** @param {number} id @param {string} says */
  #add(id, says) {
    const button = h("button", { type: "button", text: says, on: { click: () => this.ontap(id) } });
    const item = h("li", {}, button);
    this.list.append(item);
    return { item, button, says };
  }
}
