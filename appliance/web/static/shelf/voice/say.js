// An intent in the words of the page: what was understood, and what is asked before a change. Pure.

/**
 * @typedef {import("./intents.js").Context} Context
 * @typedef {import("./intents.js").Intent} Intent
 * @typedef {Pick<import("../faces/words.js").Words, "t" | "count" | "language">} Words
 */

/**
 * @param {Intent} intent
 * @param {Words} words
 * @param {Context} context
 * @returns {string} a short sentence without a full stop, fit for a button
 */
export function inWords(intent, words, context) {
  const { t } = words;
  switch (intent.name) {
    case "show":
      return shown(intent, words, context);
    case "find":
      return t("shelf.voice.do.find", { product: named(intent.gtin, words, context) });
    case "count":
      return t("shelf.voice.do.count", { amount: amount(intent, words), product: named(intent.gtin, words, context) });
    case "freeze":
      return t("shelf.voice.do.freeze", { product: named(intent.gtin, words, context) });
    case "card":
      return t("shelf.voice.do.card", { product: named(intent.gtin, words, context) });
    case "mode":
      return t("shelf.voice.do.mode", { mode: t(`shelf.mode_${intent.mode}`) });
    case "place":
      return t("shelf.voice.do.place", { place: placed(intent.place, context) });
    case "torch":
      return t(intent.on ? "shelf.voice.do.torch_on" : "shelf.voice.do.torch_off");
    default:
      return t(`shelf.voice.do.${intent.name}`);
  }
}

/** @param {import("./intents.js").ShowIntent} intent @param {Words} words @param {Context} context */
function shown({ filter, place, within }, words, context) {
  const { t } = words;
  const goods = within === null ? t(`shelf.voice.goods.${filter}`) : t("shelf.voice.goods.within", { days: words.count("days", within) });
  return place === "" ? t("shelf.voice.do.show", { goods }) : t("shelf.voice.do.show_at", { goods, place: placed(place, context) });
}

/** @param {import("./intents.js").CountIntent} intent @param {Words} words */
function amount({ quantity, unit }, words) {
  if (unit === "") return String(quantity);
  return words.count(unit === "carton" ? "cartons" : "units", quantity);
}

/** @param {string} gtin @param {Words} words @param {Context} context */
function named(gtin, words, context) {
  const code = gtin || context.selected;
  return context.products.find((product) => product.gtin === code)?.name ?? (code || words.t("shelf.voice.this"));
}

/** @param {string} place @param {Context} context */
function placed(place, context) {
  const name = context.words[place];
  return name ? `${place} (${name})` : place;
}
