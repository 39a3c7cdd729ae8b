// What is done with an intent that was heard, and what is answered. A change was confirmed before.

import { listed } from "./filters.js";
import { batchShown, unitsOfBatchAt } from "./says.js";
import { batchesToFreeze, freezing } from "./modes/freeze.js";

/** @import { Context, Intent } from "../voice/intents.js" */
/** @import { Page } from "./page.js" */
/** @import { Beside } from "./parts/beside.js" */

/** @import { BatchView } from "../keep/types.js" */

const NOTHING = { locations: [], words: {}, products: [] };
/** So many batches are named in a question; of more it is told how many. */
const MOST_NAMED = 4;
/** The batches that a question named: those are frozen, wherever the person walks before the yes. @type {WeakMap<Intent, BatchView[]>} */
const named = new WeakMap();

/** @param {Page} page @param {string} selected gtin of the code that is chosen @returns {Context} */
export function hearingContext(page, selected) {
  // The snapshot's own lists: the parser indexes them once for as long as they are the same.
  const { locations, words, products } = page.stock?.snapshot ?? NOTHING;
  return { places: locations, words, products, selected, asking: page.sheets.names.at(-1) === "ask-sure" };
}

/**
 * What the question before a change says: a freeze names product, batches and how much it covers.
 * @param {Page} page @param {Intent} intent with its product
 * @returns {string | null} null: voice's own words are enough
 */
export function describing(page, intent) {
  const { words, stock } = page, { t } = words;
  const product = intent.name === "freeze" && intent.gtin ? stock?.product(intent.gtin) : null;
  const batches = product ? batchesToFreeze(product, page.place, "").filter((batch) => !batch.holds.length) : [];
  if (!product || !batches.length) return null;
  named.set(intent, batches);
  const some = batches.slice(0, MOST_NAMED).map((batch) => batch.lot).reduce((lots, lot) => t("shelf.voice.do.freeze_join", { lots, lot }));
  const lots = batches.length > MOST_NAMED ? t("shelf.voice.do.freeze_more", { lots: some, n: batches.length - MOST_NAMED }) : some;
  // A hold covers a batch in the whole house.
  const units = batches.reduce((sum, batch) => sum + unitsOfBatchAt(batch, ""), 0);
  return t("shelf.voice.do.freeze_batches", { product: product.name, batches: t("shelf.voice.do.freeze_lots", { lots }), units: words.units(units, product.unit) });
}

/**
 * @param {Page} page @param {Beside} beside @param {() => string} selected
 * @param {Intent} intent
 * @returns {Promise<string>} the answer
 */
export async function obey(page, beside, selected, intent) {
  const { words, stock } = page, { t } = words;
  if (!stock) return t("shelf.no_list");
  switch (intent.name) {
    case "show": {
      page.sheets.closeAll();
      const found = listed(stock, intent.place || page.place, intent.filter, intent.within);
      page.light(intent.filter, intent.within);
      void page.host.ask("goods", { filter: intent.filter, within: intent.within, place: intent.place || page.place });
      return t("shelf.goods_count", { n: found.length });
    }
    case "mode":
      page.sheets.closeAll();
      page.enter(intent.mode);
      return t(`shelf.mode_${intent.mode}`);
    case "place":
      page.goTo(intent.place);
      return t("shelf.you_are_at", { place: intent.place });
    case "torch":
      return (await beside.light(intent.on)) ? "" : t("shelf.no_torch");
    case "next":
    case "back":
    case "cancel":
    case "yes":
    case "no":
      return answerSheet(page, intent.name);
    case "help":
      return t("shelf.voice_help");
    default:
      return ofProduct(page, selected(), intent);
  }
}

/** @param {Page} page @param {"next" | "back" | "cancel" | "yes" | "no"} name */
function answerSheet(page, name) {
  const press = (/** @type {string} */ what) => /** @type {HTMLButtonElement | null} */ (document.querySelector(what))?.click();
  // A yes answers the question that stands open, and no other button.
  if (name === "yes") press('dialog:last-of-type [data-do="yes"]:not(:disabled)');
  else if (name === "next") press('dialog:last-of-type [data-do="next"], #bar [data-do="next"]');
  else page.sheets.back();
  return "";
}

/** @param {Page} page @param {string} selected @param {Intent} intent @returns {Promise<string>} */
async function ofProduct(page, selected, intent) {
  const { words, stock } = page, { t } = words, gtin = ("gtin" in intent && intent.gtin) || selected, product = gtin ? stock?.product(gtin) : null;
  if (intent.name === "undo") {
    const back = /** @type {HTMLButtonElement | null} */ (document.querySelector('#toast [data-do="undo"]'));
    back?.click();
    return back ? "" : t("shelf.nothing_to_undo");
  }
  if (!product || !stock) return t("shelf.voice_which");
  switch (intent.name) {
    case "card":
      void page.open(product.gtin);
      return product.name;
    case "find":
      page.act("find", product.gtin, "");
      return t("shelf.find_lit", { name: product.name });
    case "count": {
      if (!page.place) return t("shelf.count_where");
      const carton = product.codes.find((code) => code.units > 1)?.units ?? 0;
      if (intent.unit === "carton" && !carton) return t("shelf.no_carton", { name: product.name });
      const units = intent.quantity * (intent.unit === "carton" ? carton : 1);
      page.enter("count");
      page.count.put(product.gtin, "", units);
      return t("shelf.count_put", { name: product.name, units: words.units(units, product.unit) });
    }
    case "freeze": {
      const asked = named.get(intent) ?? batchesToFreeze(product, page.place, "");
      const held = new Set(product.batches.filter((batch) => batch.holds.length).map((batch) => `${batch.supplier}|${batch.lot}`));
      const batches = asked.filter((batch) => !held.has(`${batch.supplier}|${batch.lot}`));
      if (!batches.length) return t("shelf.held");
      const done = t("shelf.freeze_done", { n: batches.length, name: product.name });
      await page.propose(freezing(words, product, batches, t("shelf.by_voice")), { sure: true, done });
      return done;
    }
    case "read": {
      const batch = batchShown(product, page.place, "");
      return [product.name, words.units(product.total, product.unit), batch?.days === null || !batch ? "" : words.daysLeft(batch.days), product.held ? t("shelf.held") : ""].filter(Boolean).join(", ");
    }
    default:
      return "";
  }
}
