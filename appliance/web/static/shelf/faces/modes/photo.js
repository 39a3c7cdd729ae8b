// A picture for quality: of goods that are damaged, of a label that is wrong. It becomes a ticket.

import { mark, marksOf, productOf } from "./common.js";

/** @import { Sighting } from "../../types.js" */
/** @import { Host, Mode, Proposal } from "../types.js" */
/** @import { Words } from "../words.js" */

/** What is wrong: the first two open a ticket for quality, the others ask for a look at the shelf. */
export const FAULTS = ["damaged", "spoiled", "wrong_price", "wrong_label", "misplaced", "other"];
export const QUALITY = new Set(["damaged", "spoiled"]);

/**
 * `name` of the product, empty where it is about none.
 * @typedef {{ fault: string, note: string, gtin: string, name: string, batch: import("../../keep/types.js").BatchKey | null, place: string }} Finding
 */

/**
 * The entry of a finding. What it says in words is in the language of who wrote it; `flag` is the code.
 * @param {Words} words @param {Finding} found
 * @returns {Proposal}
 */
export function reporting(words, { fault, note, gtin, name, batch, place }) {
  const word = words.t(`shelf.fault_${fault}`);
  // A ticket for quality names a batch or nothing: a product of which nobody knows the batch stands in its words.
  const of = QUALITY.has(fault) && gtin && !batch ? words.t("shelf.photo_which_batch", { name, gtin }) : "";
  const said = [word, of, note].filter(Boolean).join(": ");
  const says = words.t("shelf.photo_says", { fault: word });
  if (QUALITY.has(fault)) return { kind: "ticket_opened", body: { note: said, ...(batch && { batch }), location: place }, says, undo: null };
  return { kind: "flagged", body: { flag: fault, location: place, gtin, ...(batch && { batch }), note: said }, says, undo: null };
}

/**
 * @param {Host & { still: () => Promise<Blob> }} host
 * @returns {Mode}
 */
export function photoMode(host) {
  /** @type {Sighting | null} */
  let chosen = null;

  async function shoot() {
    const { words } = host;
    /** @type {Blob} */
    let jpeg;
    try {
      jpeg = await host.still();
    } catch {
      return host.say(words.t("shelf.photo_no_camera"), "review");
    }
    host.feel("tick");
    const known = chosen?.known ?? null;
    const found = await host.ask("photo", { jpeg, gtin: known?.gtin ?? "", lot: known?.lot ?? "", place: host.place });
    if (!found) return;
    chosen = null;
    await host.propose([reporting(words, found)], { sure: true, photos: [jpeg], done: words.t("shelf.photo_done") });
    host.changed();
  }

  return {
    name: "photo",
    marks: (sightings, stock) => marksOf(host, sightings, stock, (product, sighting) => {
      const mine = chosen?.id === sighting.id, word = mine ? host.words.t("shelf.photo_of_this") : product.name;
      return mark(mine ? "info" : "plain", mine ? "info" : "", word, {
        lines: [{ text: product.name, tone: mine ? "info" : "plain", icon: mine ? "info" : "", strong: true }], short: product.name, dim: chosen !== null && !mine, rank: mine ? 1 : 4,
      });
    }, chosen !== null),
    ontap(sighting) {
      const product = host.stock && productOf(host.stock, sighting);
      chosen = product && chosen?.id !== sighting.id ? sighting : null;
      host.changed();
    },
    leave() {
      chosen = null;
    },
    bar() {
      const { words, stock } = host, { t } = words, name = chosen?.known ? stock?.product(chosen.known.gtin)?.name : "";
      return {
        title: name || t("shelf.photo_title"), detail: name ? t("shelf.photo_of_this") : t("shelf.photo_do"), tone: "plain",
        actions: [{ name: "shoot", word: t("shelf.photo_shoot"), icon: "shelf-photo", main: true, run: shoot }],
      };
    },
  };
}
