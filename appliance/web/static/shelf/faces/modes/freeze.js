// Freeze request: a tap chooses the goods, a reason is given, and from then on nothing of it may leave.

import { batchesAt, batchShown, expiryLine, hereLine, isFrozen } from "../says.js";
import { mark, marksOf, productOf, tapOther } from "./common.js";

/** @import { Host, Line, Mark, Mode, Proposal } from "../types.js" */
/** @import { BatchView, ProductView } from "../../keep/types.js" */
/** @import { Words } from "../words.js" */

/**
 * Which batches a freeze is about: the one that the code names; otherwise all in this place, or all
 * anywhere where it has none here. A person may leave some out.
 * @param {ProductView} product @param {string} place @param {string} lot
 * @returns {BatchView[]}
 */
export function batchesToFreeze(product, place, lot) {
  const named = lot ? product.batches.filter((batch) => batch.lot === lot) : [];
  if (named.length) return named;
  const here = batchesAt(product, place);
  return here.length ? here : batchesAt(product, "");
}

/**
 * The entries of a freeze. A hold is lifted by quality alone, by its id, which is known once it was written.
 * @param {Words} words @param {ProductView} product @param {readonly BatchView[]} batches @param {string} note
 * @returns {Proposal[]}
 */
export const freezing = (words, product, batches, note) => batches.map((batch) => ({
  kind: "held",
  body: { kind: "batch", note, batch: { supplier: batch.supplier, gtin: product.gtin, lot: batch.lot } },
  says: words.t("shelf.freeze_says", { lot: batch.lot, name: product.name }),
  undo: null,
}));

/**
 * Asks which batches and why, then writes.
 * @param {Host} host @param {ProductView} product @param {string} lot
 */
export async function askToFreeze(host, product, lot) {
  const chosen = await host.ask("freeze", { product, batches: batchesToFreeze(product, host.place, lot) });
  if (!chosen?.batches.length) return false;
  const done = host.words.t("shelf.freeze_done", { n: chosen.batches.length, name: product.name });
  return host.propose(freezing(host.words, product, chosen.batches, chosen.note), { sure: true, done });
}

/** @param {Host} host @returns {Mode} */
export function freezeMode(host) {
  let frozen = 0;
  return {
    name: "freeze",
    marks: (sightings, stock) => marksOf(host, sightings, stock, (product, sighting) => freezeMark(host, product, sighting.known?.lot ?? "")),
    async ontap(sighting) {
      const product = host.stock && productOf(host.stock, sighting);
      if (!product) return tapOther(host, sighting);
      if (await askToFreeze(host, product, sighting.known?.lot ?? "")) frozen += 1;
      host.changed();
    },
    bar() {
      const { t } = host.words;
      return {
        title: t("shelf.freeze_title"), detail: frozen ? t("shelf.freeze_count", { n: frozen }) : t("shelf.freeze_do"), tone: "hold",
        actions: [
          { name: "place", word: t("shelf.freeze_place"), icon: "hold", disabled: !host.place, run: async () => {
            const chosen = await host.ask("freeze", { place: host.place, batches: [] });
            if (!chosen) return;
            const says = t("shelf.freeze_place_says", { place: host.place });
            await host.propose([{ kind: "held", body: { kind: "location", note: chosen.note, location: host.place }, says, undo: null }], { sure: true, done: says });
          } },
          { name: "list", word: t("shelf.freeze_list"), icon: "shelf-list", run: () => host.ask("goods", { filter: "held", within: null }) },
        ],
      };
    },
  };
}

/** @param {Host} host @param {ProductView} product @param {string} lot @returns {Mark} */
function freezeMark({ words, place }, product, lot) {
  const { t } = words, batches = batchesToFreeze(product, place, lot), held = batches.length > 0 && batches.every(isFrozen);
  const some = batches.some(isFrozen), word = held ? t("shelf.held") : some ? t("shelf.freeze_some") : t("shelf.freeze_free");
  const tone = held || some ? "hold" : "fine", icon = held || some ? "hold" : "accept";
  const expiry = expiryLine(words, batchShown(product, place, lot));
  /** @type {Line[]} */
  const lines = [
    { text: product.name, tone: "plain", icon: "", strong: true },
    { text: word, tone, icon, strong: true },
    { text: batches.length === 1 ? t("shelf.lot", { lot: batches[0]?.lot ?? "" }) : t("shelf.freeze_batches", { n: batches.length }), tone: "plain", icon: "" },
    hereLine(words, product, place),
    ...(expiry ? [expiry] : []),
  ];
  return mark(tone, icon, word, { lines, short: held || some ? word : product.name, dim: held, rank: held ? 4 : 2 });
}
