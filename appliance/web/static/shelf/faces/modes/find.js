// Find and pick: chosen products are lit, all others step back.

import { batchShown, expiryLine, stockLine, unitsAt } from "../says.js";
import { mark, marksOf, productOf, tapOther } from "./common.js";

/** @import { FindLine } from "../../types.js" */
/** @import { Host, Line, Mark, Mode } from "../types.js" */
/** @import { Stock } from "../../keep/stock.js" */

/** @typedef {FindLine & { taken: boolean }} Wanted */

/**
 * @param {Host} host
 * @returns {Mode & { want: (lines: readonly FindLine[], title?: string) => void }}
 */
export function findMode(host) {
  /** @type {Wanted[]} */
  let wanted = [];
  let title = "", seen = 0;

  /** @param {string} gtin @param {string} lot */
  const wantedOf = (gtin, lot) => wanted.filter((line) => line.gtin === gtin && (!line.lot || !lot || line.lot === lot));

  /** The next line in walking order that nobody took yet. @param {Stock} stock */
  const next = (stock) => wanted.map((line) => ({ line, place: whereIs(stock, line) })).find(({ line }) => !line.taken);

  return {
    name: "find",
    want(lines, name = "") {
      wanted = lines.map((line) => ({ ...line, taken: false }));
      title = name;
      host.changed();
    },
    marks(sightings, stock) {
      let now = 0;
      const marks = marksOf(host, sightings, stock, (product, sighting) => {
        const lines = wantedOf(product.gtin, sighting.known?.lot ?? "");
        if (!lines.length) return mark("plain", "", host.words.t("shelf.find_not"), { lines: [], dim: wanted.length > 0, rank: 8 });
        now += 1;
        return findMark(host, stock, product, sighting.known?.lot ?? "", lines);
      }, true);
      if (now > seen) host.feel("tick");
      if (now !== seen) {
        seen = now;
        host.changed();
      }
      return marks;
    },
    ontap(sighting) {
      const product = host.stock && productOf(host.stock, sighting);
      if (!product) return tapOther(host, sighting);
      const lines = wantedOf(product.gtin, sighting.known?.lot ?? "");
      if (!lines.length) return host.open(product.gtin, sighting);
      const line = lines.find((each) => !each.taken) ?? lines[0];
      if (!line) return;
      line.taken = !line.taken;
      host.feel(line.taken ? "done" : "tick");
      host.say(host.words.t(line.taken ? "shelf.find_taken" : "shelf.find_back", { name: product.name }), line.taken ? "accept" : "plain");
      host.changed();
    },
    bar() {
      const { words, stock } = host, { t } = words;
      const choose = { name: "choose", word: t("shelf.find_choose_short"), icon: "shelf-find", main: !wanted.length, run: async () => {
        const chosen = await host.ask("find", { wanted });
        if (chosen) this.want(chosen.lines, chosen.title);
      } };
      if (!wanted.length || !stock) return { title: t("shelf.find_nothing"), detail: t("shelf.find_nothing_do"), tone: "info", actions: [choose] };
      const taken = wanted.filter((line) => line.taken).length, ahead = next(stock);
      const name = ahead && (stock.product(ahead.line.gtin)?.name ?? ahead.line.gtin);
      return {
        title: t("shelf.find_title", { taken, all: wanted.length, title }).trim(),
        detail: ahead ? t("shelf.find_next", { name: name ?? "", place: ahead.place || t("shelf.nowhere") }) : t("shelf.find_all"),
        tone: ahead ? "plain" : "accept",
        actions: [
          choose,
          { name: "list", word: t("shelf.list"), icon: "shelf-list", run: () => host.ask("wanted", { wanted, title, changed: () => host.changed() }) },
          { name: "clear", word: t("shelf.find_clear"), icon: "close", run: () => this.want([]) },
        ],
      };
    },
  };
}

/** Where a line's goods stand: where it says, otherwise where the free batch that expires first does. @param {Stock} stock @param {FindLine} line */
export function whereIs(stock, line) {
  if (line.location) return line.location;
  const batches = (stock.product(line.gtin)?.batches ?? []).filter((batch) => !line.lot || batch.lot === line.lot);
  const cells = batches.flatMap((batch) => batch.cells);
  // What is frozen has a place too.
  return (cells.find((each) => each.free > 0) ?? cells.find((each) => each.held + each.inspection > 0))?.location ?? "";
}

/** @param {Host} host @param {Stock} stock @param {import("../../keep/types.js").ProductView} product @param {string} lot @param {Wanted[]} lines @returns {Mark} */
function findMark({ words, place }, stock, product, lot, lines) {
  const open = lines.filter((line) => !line.taken), quantity = open.reduce((sum, line) => sum + line.quantity, 0);
  const taken = open.length === 0, expiry = expiryLine(words, batchShown(product, place, lot || (open[0]?.lot ?? "")));
  const elsewhere = open[0]?.location && place && open[0].location !== place;
  const word = taken ? words.t("shelf.find_taken_mark") : quantity ? words.t("shelf.find_take", { units: words.units(quantity, product.unit) }) : words.t("shelf.find_this");
  /** @type {Line[]} */
  const said = [
    { text: product.name, tone: "plain", icon: "", strong: true },
    { text: word, tone: taken ? "accept" : "info", icon: taken ? "accept" : "shelf-find", strong: true },
    ...(elsewhere ? [{ text: words.t("shelf.find_elsewhere", { place: open[0]?.location ?? "" }), tone: /** @type {const} */ ("review"), icon: "shelf-place" }] : []),
    ...(open[0]?.lot ? [{ text: words.t("shelf.lot", { lot: open[0].lot }), tone: /** @type {const} */ ("plain"), icon: "" }] : []),
    ...(product.held ? [{ text: words.t("shelf.held"), tone: /** @type {const} */ ("hold"), icon: "hold" }] : []),
    stockLine(words, product, place),
    ...(expiry ? [expiry] : []),
  ];
  void stock;
  return mark(taken ? "accept" : "info", taken ? "accept" : "shelf-find", word, { lines: said, short: quantity ? String(quantity) : String(unitsAt(product, place)), rank: taken ? 2 : 0 });
}
