// Expiry round: what expires first is laid out first, what has time steps back; the list leads the way.

import { listed } from "../filters.js";
import { batchShown, expiryText, hereLine, LEVEL_SIGNS } from "../says.js";
import { signed } from "./tally.js";
import { mark, marksOf, productOf, tapOther } from "./common.js";

/** @import { Host, Line, Mark, Mode } from "../types.js" */
/** @import { Level, ProductView } from "../../keep/types.js" */

/** @type {Record<Level, number>} */
const RANKS = { expired: 0, pull: 1, freeze: 2, warn: 3, none: 7, fresh: 8 };

/** @param {Host} host @returns {Mode} */
export function expiryMode(host) {
  /** Places of the round that were walked. @type {Set<string>} */
  const walked = new Set();

  /** Where the round goes on: the place in walking order that has goods near their date. */
  const stops = () => {
    const stock = host.stock;
    if (!stock) return [];
    const places = new Set(stock.expiring("warn").map((each) => each.cell.location));
    const order = [...stock.locations.filter((place) => places.has(place)), ...[...places].filter((place) => !stock.locations.includes(place))];
    return order.filter((place) => !walked.has(place));
  };

  return {
    name: "expiry",
    marks: (sightings, stock) => marksOf(host, sightings, stock, (product, sighting) => expiryMark(host, product, sighting.known?.lot ?? ""), true),
    async ontap(sighting) {
      const stock = host.stock, product = stock && productOf(stock, sighting);
      if (!product) return tapOther(host, sighting);
      host.ask("dates", { product, place: host.place, lot: sighting.known?.lot ?? "" });
    },
    bar() {
      const { words, stock, place } = host, { t } = words;
      const here = stock ? listed(stock, place, "expiring") : [], red = here.filter((each) => LEVEL_SIGNS[each.batch.level].tone === "gone").length;
      const ahead = stops().find((each) => each !== place);
      return {
        title: place ? t("shelf.expiry_here", { n: here.length, red }) : t("shelf.expiry_all", { n: here.length, red }),
        detail: ahead ? t("shelf.expiry_next", { place: ahead }) : t("shelf.expiry_last"),
        tone: red ? "gone" : here.length ? "month" : "fine",
        actions: [
          { name: "list", word: t("shelf.list"), icon: "shelf-list", run: () => host.ask("goods", { filter: "expiring", within: null }) },
          { name: "next", word: t("shelf.expiry_go"), icon: "shelf-next", disabled: !ahead, run: () => {
            if (place) walked.add(place);
            if (ahead) host.ask("go", { place: ahead });
            host.changed();
          } },
        ],
      };
    },
  };
}

/** @param {Host} host @param {ProductView} product @param {string} lot @returns {Mark} */
export function expiryMark({ words, place }, product, lot) {
  const batch = batchShown(product, place, lot), level = batch?.level ?? "none", sign = LEVEL_SIGNS[level];
  const word = words.t(`shelf.level_${level}`), far = level === "fresh" || level === "none";
  if (!batch || batch.days === null) return mark("plain", "", word, { lines: [], dim: true, rank: RANKS.none });
  /** @type {Line[]} */
  const lines = [
    { text: expiryText(words, batch), tone: sign.tone, icon: sign.icon, strong: true },
    { text: product.name, tone: "plain", icon: "" },
    { text: words.t("shelf.lot_date", { lot: batch.lot, day: batch.expiry }), tone: "plain", icon: "shelf-expiry" },
    ...(batch.holds.length ? [{ text: words.t("shelf.held"), tone: /** @type {const} */ ("hold"), icon: "hold" }] : []),
    hereLine(words, product, place),
  ];
  return mark(sign.tone, sign.icon, word, { lines: far ? [] : lines, short: words.t("shelf.days_short", { n: signed(batch.days) }), dim: far, rank: RANKS[level] });
}
