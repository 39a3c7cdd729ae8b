// What is to be said of a product over its code and in its card: the facts first, then the words. Pure.

/** @import { Line, Tone } from "./types.js" */
/** @import { ProductView, BatchView, Level } from "../keep/types.js" */
/** @import { Stock } from "../keep/stock.js" */
/** @import { Words } from "./words.js" */

/** @type {Record<Level, { tone: Tone, icon: string }>} */
export const LEVEL_SIGNS = {
  none: { tone: "plain", icon: "" },
  fresh: { tone: "fine", icon: "accept" },
  warn: { tone: "month", icon: "shelf-month" },
  freeze: { tone: "week", icon: "shelf-week" },
  pull: { tone: "gone", icon: "shelf-gone" },
  expired: { tone: "gone", icon: "shelf-gone" },
};

/** A place as people call it. @param {Stock} stock @param {string} place */
export const placeName = (stock, place) => {
  const own = stock.snapshot.words[place];
  return own ? `${place} · ${own}` : place;
};

/** Units of a product in a place, whatever their state. @param {ProductView} product @param {string} place */
export const unitsAt = (product, place) =>
  product.batches.reduce((sum, batch) => sum + unitsOfBatchAt(batch, place), 0);

/** @param {BatchView} batch @param {string} place empty: everywhere */
export const unitsOfBatchAt = (batch, place) =>
  batch.cells.reduce((sum, cell) => sum + (!place || cell.location === place ? cell.free + cell.held + cell.inspection : 0), 0);

/** Batches that have goods in a place, nearest expiry first. @param {ProductView} product @param {string} place empty: anywhere */
export const batchesAt = (product, place) => product.batches.filter((batch) => unitsOfBatchAt(batch, place) > 0);

/**
 * The batch whose date is shown over a code: the one that the code names, otherwise the nearest to
 * expire in this place, otherwise the nearest anywhere.
 * @param {ProductView} product @param {string} place @param {string} lot
 * @returns {BatchView | null}
 */
export function batchShown(product, place, lot) {
  const named = lot ? product.batches.find((batch) => batch.lot === lot) : undefined;
  const dated = (/** @type {BatchView[]} */ batches) => batches.find((batch) => batch.expiry) ?? batches[0];
  return named ?? dated(batchesAt(product, place)) ?? dated(batchesAt(product, "")) ?? null;
}

/** How near a date is, in words. @param {Words} words @param {{ level: Level, days: number | null }} of */
export function expiryText(words, { level, days }) {
  const word = words.t(`shelf.level_${level}`);
  if (days === null) return word;
  return level === "expired" ? words.daysLeft(days) : `${word} · ${words.daysLeft(days)}`;
}

/** @param {Words} words @param {BatchView | null} batch @returns {Line | null} */
export function expiryLine(words, batch) {
  if (!batch || batch.days === null) return null;
  const sign = LEVEL_SIGNS[batch.level];
  return { text: expiryText(words, batch), tone: sign.tone, icon: sign.icon };
}

/** Whether nothing of a batch may leave. @param {BatchView} batch */
export const isFrozen = (batch) => batch.holds.length > 0 || (batch.held > 0 && batch.free + batch.inspection === 0);

/** What stands here, and in all. @param {Words} words @param {ProductView} product @param {string} place @returns {Line} */
export function stockLine(words, product, place) {
  const all = words.units(product.total, product.unit), here = place ? unitsAt(product, place) : null;
  const text = here === null ? all : here === product.total ? words.t("shelf.stock_all_here", { all }) : words.t("shelf.stock_here", { here, all });
  return { text, tone: "plain", icon: "nav-stock", strong: true };
}

/** How many stand here; where none does, whether there are some elsewhere. @param {Words} words @param {ProductView} product @param {string} place @returns {Line} */
export function hereLine(words, product, place) {
  const here = unitsAt(product, place);
  const none = product.total ? words.t("shelf.none_here", { units: words.units(product.total, product.unit) }) : words.t("shelf.none_at_all");
  return { text: here ? words.units(here, product.unit) : none, tone: "plain", icon: "nav-stock" };
}

/** Whether goods of it may leave. @param {Words} words @param {ProductView} product @returns {Line | null} */
export function heldLine(words, product) {
  if (product.held > 0) return { text: words.t("shelf.held_units", { units: words.units(product.held, product.unit) }), tone: "hold", icon: "hold" };
  return product.holds.length ? { text: words.t("shelf.held"), tone: "hold", icon: "hold" } : null;
}

/** @param {Words} words @param {Stock} stock @param {ProductView} product @param {string} place @returns {Line | null} */
export function misplacedLine(words, stock, product, place) {
  if (!stock.misplaced(product.gtin, place)) return null;
  return { text: words.t("shelf.belongs", { place: product.places.slice(0, 2).join(", ") }), tone: "review", icon: "shelf-place_wrong" };
}

/** @param {Words} words @param {ProductView} product @returns {Line | null} */
export function reorderLine(words, product) {
  if (!product.reorder) return null;
  const units = words.units(product.reorder.quantity, product.unit);
  return { text: words.t("shelf.reorder", { units, why: words.reason(product.reorder.reason) }), tone: "info", icon: "shelf-reorder" };
}

/** @param {Words} words @param {ProductView} product @returns {Line | null} */
export function priceLine(words, product) {
  if (!product.price) return null;
  const { price, on } = product.price;
  return { text: on ? words.t("shelf.price_on", { price: words.money(price), day: on }) : words.money(price), tone: "plain", icon: "shelf-price" };
}

/** @param {ProductView} product @returns {Line | null} the first supplier that can be called, otherwise the first */
export function supplierLine(product) {
  const supplier = product.suppliers.find((each) => each.phone) ?? product.suppliers[0];
  if (!supplier) return null;
  const name = supplier.contact ? `${supplier.contact}, ${supplier.name}` : supplier.name;
  return supplier.phone ? { text: name, tone: "plain", icon: "shelf-phone", call: supplier.phone } : { text: name, tone: "plain", icon: "" };
}

/** All of it, the most urgent first. @param {Words} words @param {Stock} stock @param {ProductView} product @param {string} place @param {string} lot @returns {Line[]} */
export function linesOf(words, stock, product, place, lot) {
  const tickets = product.tickets.length
    ? { text: words.t("shelf.tickets_open", { n: product.tickets.length }), tone: /** @type {Tone} */ ("review"), icon: "nav-tickets" } : null;
  return [
    { text: product.name, tone: /** @type {Tone} */ ("plain"), icon: "", strong: true },
    stockLine(words, product, place),
    heldLine(words, product),
    expiryLine(words, batchShown(product, place, lot)),
    misplacedLine(words, stock, product, place),
    tickets,
    reorderLine(words, product),
    priceLine(words, product),
    supplierLine(product),
  ].filter((line) => line !== null);
}
