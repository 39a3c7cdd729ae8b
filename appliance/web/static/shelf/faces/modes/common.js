// What all modes say of codes that stand for no product here: not read, contradictory, on no list, places. Pure.

/** @import { Sighting } from "../../types.js" */
/** @import { Host, Line, Mark, Tone } from "../types.js" */
/** @import { Stock } from "../../keep/stock.js" */
/** @import { ProductView } from "../../keep/types.js" */

/** @type {WeakMap<object, Set<string>>} */
const places = new WeakMap();

/**
 * The place whose label this code is, empty where it is none.
 * @param {Stock} stock @param {{ text: string, format: string }} code
 */
export function placeOf(stock, { text, format }) {
  let known = places.get(stock.snapshot);
  if (!known) {
    known = new Set(stock.snapshot.locations);
    places.set(stock.snapshot, known);
  }
  if (known.has(text)) return text;
  const { location } = stock.read(text, format);
  return known.has(location) ? location : "";
}

/** The product that a confirmed code stands for. @param {Stock} stock @param {Sighting} sighting @returns {ProductView | null} */
export const productOf = (stock, sighting) => (sighting.state === "confirmed" && sighting.known ? stock.product(sighting.known.gtin) : null);

/**
 * @param {Tone} tone @param {string} icon @param {string} word @param {Partial<Mark>} [more]
 * @returns {Mark}
 */
export const mark = (tone, icon, word, more = {}) => ({ tone, icon, word, lines: [], short: "", dim: false, rank: 5, ...more });

/**
 * What is said of a code that stands for no product.
 * @param {Host} host @param {Stock} stock @param {Sighting} sighting @param {boolean} dim
 * @returns {Mark}
 */
export function otherMark({ words: { t }, maybe }, stock, sighting, dim) {
  const place = sighting.text ? placeOf(stock, sighting) : "";
  if (place) {
    const own = stock.snapshot.words[place];
    /** @type {Line[]} */
    const lines = [{ text: place, tone: "info", icon: "shelf-place", strong: true }, ...(own ? [{ text: own, tone: /** @type {Tone} */ ("plain"), icon: "" }] : [])];
    return mark("info", "shelf-place", t("shelf.place_label"), { lines, short: place, rank: 3, dim });
  }
  if (sighting.state === "off_list") {
    const word = t("shelf.state_off_list");
    return mark("off_list", "off_list", word, { lines: [{ text: word, tone: "off_list", icon: "off_list", strong: true }, { text: sighting.text, tone: "plain", icon: "" }], short: word, rank: 6, dim });
  }
  if (sighting.state === "rejected") {
    const word = t("shelf.state_rejected");
    return mark("review", "review", word, { lines: [{ text: word, tone: "review", icon: "review", strong: true }], short: word, rank: 7, dim });
  }
  if (sighting.state === "unread") {
    const word = t("shelf.state_unread"), names = maybe(sighting.id).flatMap((each) => stock.product(each.gtin)?.name ?? []);
    if (names.length) {
      /** @type {Line[]} */
      const lines = [{ text: t("shelf.maybe", { name: names[0] ?? "" }), tone: "review", icon: "review", strong: true }, { text: t("shelf.maybe_tap", { n: names.length }), tone: "plain", icon: "" }];
      return mark("review", "review", word, { lines, short: "?", rank: 4, dim });
    }
    return mark("waiting", "waiting", word, { lines: [{ text: word, tone: "waiting", icon: "waiting" }], short: word, rank: 8, dim });
  }
  // Found and not yet believed: a frame, and no word before it is sure (I7).
  return mark("waiting", "waiting", t("shelf.state_seen"), { rank: 9, dim });
}

/**
 * Marks for all sightings: `said` of those that stand for a product, the usual of others.
 * @param {Host} host @param {readonly Sighting[]} sightings @param {Stock} stock
 * @param {(product: ProductView, sighting: Sighting) => Mark} said
 * @param {boolean} [dim] others step back
 * @returns {Map<number, Mark>}
 */
export function marksOf(host, sightings, stock, said, dim = false) {
  const marks = new Map();
  for (const sighting of sightings) {
    const product = productOf(stock, sighting);
    const made = product ? said(product, sighting) : otherMark(host, stock, sighting, dim);
    // Where something is looked for, what steps back keeps its frame and gives its room to the others.
    marks.set(sighting.id, dim && !product && made.tone !== "info" ? { ...made, lines: [] } : made);
  }
  return marks;
}

/**
 * A tap on what is no product: a place is gone to, everything else is told.
 * @param {Host} host @param {Sighting} sighting
 */
export function tapOther(host, sighting) {
  const stock = host.stock;
  const place = stock && sighting.text ? placeOf(stock, sighting) : "";
  if (place) host.ask("go", { place });
  else host.ask("code", { sighting });
}

/** How many different products stand in view. @param {readonly Sighting[]} sightings */
export const productsIn = (sightings) => new Set(sightings.flatMap((each) => (each.state === "confirmed" && each.known ? [each.known.gtin] : []))).size;
