// Look: everything that is known of each code; a filter lights what somebody asked for.

import { fits, listed } from "../filters.js";
import { batchesAt, batchShown, LEVEL_SIGNS, linesOf, unitsAt } from "../says.js";
import { mark, marksOf, productOf, productsIn, tapOther } from "./common.js";

/** @import { Sighting } from "../../types.js" */
/** @import { Host, Mark, Mode, Tone } from "../types.js" */
/** @import { Filter } from "../filters.js" */
/** @import { Stock } from "../../keep/stock.js" */
/** @import { ProductView } from "../../keep/types.js" */

/**
 * @param {Host} host
 * @returns {Mode & { light: (filter: Filter, within?: number | null) => void }}
 */
export function lookMode(host) {
  /** @type {Filter} */
  let filter = "all";
  /** @type {number | null} */
  let days = null;
  let inView = 0, asked = 0;

  /** @param {Stock} stock @param {ProductView} product */
  const lit = (stock, product) => filter === "all" || product.batches.some((batch) =>
    batch.cells.some((cell) => (!host.place || cell.location === host.place) && fits(stock, { product, batch, cell }, filter, days)));

  return {
    name: "look",
    light(chosen, within = null) {
      filter = chosen;
      days = within;
      host.changed();
    },
    marks(sightings, stock) {
      asked = 0;
      const marks = marksOf(host, sightings, stock, (product, sighting) => {
        const dim = !lit(stock, product);
        if (!dim) asked += 1;
        return { ...lookMark(host, stock, product, sighting), dim, rank: dim ? 6 : 2 };
      }, filter !== "all");
      const now = productsIn(sightings);
      if (now !== inView) {
        inView = now;
        host.changed();
      }
      return marks;
    },
    ontap(sighting) {
      const product = host.stock && productOf(host.stock, sighting);
      if (product) host.open(product.gtin, sighting);
      else tapOther(host, sighting);
    },
    bar() {
      const { words, stock, place } = host;
      const here = stock && place ? listed(stock, place, filter, days).length : 0;
      const title = filter === "all" ? words.t("shelf.in_view", { products: words.count("products", inView) }) : words.t(`shelf.filter_${filter}`);
      const detail = filter === "all" ? (place ? words.t("shelf.stand_here", { n: here }) : words.t("shelf.look_do")) : words.t("shelf.filter_found", { n: asked, here });
      return {
        title, detail, tone: "plain",
        actions: [
          { name: "list", word: words.t("shelf.list"), icon: "shelf-list", run: () => host.ask("goods", { filter, within: days }) },
          ...(filter === "all" ? [] : [{ name: "all", word: words.t("shelf.filter_clear"), icon: "close", run: () => this.light("all") }]),
        ],
      };
    },
  };
}

/**
 * The whole tag of a product: its frame has the colour of what is worst about it.
 * @param {Host} host @param {Stock} stock @param {ProductView} product @param {Sighting} sighting
 * @returns {Mark}
 */
export function lookMark({ words, place }, stock, product, sighting) {
  const batch = batchShown(product, place, sighting.known?.lot ?? ""), sign = LEVEL_SIGNS[batch?.level ?? "none"];
  const held = product.held > 0 || batchesAt(product, place).some((each) => each.holds.length > 0);
  const wrong = stock.misplaced(product.gtin, place);
  /** @type {{ tone: Tone, icon: string, word: string }} */
  const worst = held ? { tone: "hold", icon: "hold", word: words.t("shelf.held") }
    : sign.tone === "gone" || sign.tone === "week" ? { ...sign, word: words.t(`shelf.level_${batch?.level}`) }
    : wrong ? { tone: "review", icon: "shelf-place_wrong", word: words.t("shelf.misplaced") }
    : sign.tone === "month" ? { ...sign, word: words.t("shelf.level_warn") }
    : { tone: "fine", icon: "accept", word: words.t("shelf.on_list") };
  const number = place ? unitsAt(product, place) : product.total;
  return mark(worst.tone, worst.icon, worst.word, {
    lines: linesOf(words, stock, product, place, sighting.known?.lot ?? ""), short: String(number), rank: 2,
  });
}
