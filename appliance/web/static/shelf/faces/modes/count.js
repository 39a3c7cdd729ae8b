// Count against the list: codes count themselves as they are seen, or a person types the number.

import { unitsAt } from "../says.js";
import { mark, marksOf, productOf, tapOther } from "./common.js";
import { bookings, signed, Tally } from "./tally.js";

/** @import { Host, Mark, Mode } from "../types.js" */
/** @import { Stock } from "../../keep/stock.js" */
/** @import { ProductView } from "../../keep/types.js" */
/** @import { CountLine } from "./tally.js" */

/**
 * @param {Host} host
 * @returns {Mode & { put: (gtin: string, lot: string, number: number) => void, pause: () => void }} `put`: a number that was said or
 *   typed elsewhere; `pause`: codes get other numbers, and what is shown afterwards must not count itself once more
 */
export function countMode(host) {
  const tally = new Tally();
  let scanning = false, paused = false, booking = false, counting = "";

  const changed = () => host.changed();
  /** A count is of one place: another begins anew, after what was counted was booked or given up. */
  const placed = () => {
    if (counting && counting !== host.place && !tally.empty) return false;
    if (counting !== host.place) tally.clear();
    counting = host.place;
    return Boolean(counting);
  };

  /** @param {ProductView} product @param {string} lot @param {Stock} stock @returns {CountLine} */
  const lineOf = (product, lot, stock) => tally.lines(stock, counting).find((line) => line.gtin === product.gtin && line.lot === lot)
    ?? { key: `${product.gtin}|${lot}`, gtin: product.gtin, lot, name: product.name, unit: product.unit, expected: unitsAt(product, counting), counted: null, parts: [], split: false };

  async function review() {
    const stock = host.stock;
    if (!stock || !counting) return;
    /** @type {CountLine[] | null} */
    const lines = await host.ask("count", { tally, place: counting });
    if (!lines?.length) return;
    const { words } = host;
    const proposals = bookings(lines, counting).map((each) => ({ ...each, says: "" }));
    const done = words.t("shelf.count_done", { n: lines.length, place: counting });
    // What comes into view while it is written stands in no entry: it is counted after.
    booking = true;
    const written = await host.propose(proposals, { sure: true, done }).finally(() => { booking = false; });
    if (written) tally.booked();
    changed();
  }

  return {
    name: "count",
    put(gtin, lot, number) {
      if (!placed()) return;
      tally.set(gtin, lot, number);
      changed();
    },
    pause() {
      tally.pause();
      paused = scanning || paused;
      scanning = false;
      changed();
    },
    see(sightings) {
      const stock = host.stock;
      if (!scanning || booking || !stock || !placed()) return;
      const doubtful = tally.doubtful;
      let added = 0;
      tally.again();
      for (const each of sightings) added += each.state === "confirmed" ? tally.see(each, stock.read(each.text, each.format)) : 0;
      if (added) host.feel("tick");
      if (added || tally.doubtful !== doubtful) changed();
    },
    marks: (sightings, stock) => marksOf(host, sightings, stock, (product, sighting) => countMark(host, product, lineOf(product, sighting.known?.lot ?? "", stock), counting)),
    async ontap(sighting) {
      const product = host.stock && productOf(host.stock, sighting);
      if (!product || !host.stock) return tapOther(host, sighting);
      if (!host.place) return void host.ask("place");
      if (!placed()) return host.say(host.words.t("shelf.count_other_place", { place: counting }), "review");
      const lot = sighting.known?.lot ?? "", line = lineOf(product, lot, host.stock);
      const number = await host.ask("number", { product, line, place: counting });
      if (number === null) return;
      tally.set(product.gtin, lot, number.value);
      changed();
    },
    bar() {
      const { words, stock, place } = host, { t } = words;
      placed();
      const doubtful = scanning ? tally.doubtful : 0;
      const lines = stock && counting ? tally.lines(stock, counting) : [];
      const done = lines.filter((line) => line.counted !== null), off = done.filter((line) => line.counted !== line.expected);
      const units = done.reduce((sum, line) => sum + (line.counted ?? 0), 0);
      if (!place && tally.empty) {
        return { title: t("shelf.count_where"), detail: t("shelf.count_where_do"), tone: "info", actions: [{ name: "place", word: t("shelf.choose_place"), icon: "shelf-place", main: true, run: () => host.ask("place") }] };
      }
      return {
        title: t("shelf.count_title", { products: words.count("products", done.length), units: words.count("units", units) }),
        detail: paused ? t("shelf.count_paused") : doubtful ? t("shelf.count_doubtful", { n: doubtful }) : t("shelf.count_detail", { off: off.length, left: lines.length - done.length }),
        tone: off.length ? "review" : "plain",
        actions: [
          { name: "scan", word: t("shelf.count_scan"), icon: "shelf-look", pressed: scanning, run: () => { scanning = !scanning; paused = false; changed(); } },
          ...(doubtful ? [{ name: "admit", word: t("shelf.count_admit"), icon: "shelf-count", run: () => { tally.admit(); changed(); } }] : []),
          { name: "review", word: t("shelf.count_review"), icon: "accept", main: true, disabled: tally.empty && lines.length === 0, run: review },
        ],
      };
    },
  };
}

/** @param {Host} host @param {ProductView} product @param {CountLine} line @param {string} place @returns {Mark} */
function countMark({ words }, product, line, place) {
  const { t } = words, name = { text: product.name, tone: /** @type {const} */ ("plain"), icon: "", strong: true };
  if (line.counted === null) {
    const expected = t("shelf.count_expected", { n: line.expected });
    return mark("waiting", "waiting", t("shelf.count_not_yet"), { lines: [name, ...(place ? [{ text: expected, tone: /** @type {const} */ ("waiting"), icon: "waiting" }] : [])], short: place ? `0/${line.expected}` : "", rank: 3 });
  }
  const same = line.counted === line.expected, text = t("shelf.count_of", { n: line.counted, expected: line.expected });
  const tone = same ? "accept" : "review";
  const word = same ? t("shelf.count_same") : t("shelf.count_differs", { by: signed(line.counted - line.expected) });
  return mark(tone, tone, word, { lines: [name, { text, tone, icon: tone, strong: true }, ...(same ? [] : [{ text: word, tone: /** @type {const} */ ("review"), icon: "" }])], short: `${line.counted}/${line.expected}`, rank: 2 });
}
