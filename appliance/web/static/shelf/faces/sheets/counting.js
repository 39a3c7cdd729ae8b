// The number of a product here, and the whole count against the list before it is booked.

import { badge, button, h } from "../parts/dom.js";
import { moved } from "../modes/shares.js";
import { signed } from "../modes/tally.js";

/** @import { ProductView } from "../../keep/types.js" */
/** @import { CountLine, Tally } from "../modes/tally.js" */
/** @import { Page } from "../page.js" */

const MOST = 999_999;

/**
 * Keys for a thumb.
 * @param {Page} page @param {{ product: ProductView, line: CountLine, place: string }} asked
 * @returns {Promise<{ value: number } | null>}
 */
export function openNumber(page, { product, line, place }) {
  const { t } = page.words;
  let text = line.counted === null ? "" : String(line.counted), fresh = true;
  const cartons = product.codes.filter((code) => code.units > 1);
  return page.sheets.open({
    title: product.name, name: "number",
    body: (close, refill) => {
      const value = Number(text || "0"), off = value - line.expected;
      const put = (/** @type {string} */ next) => {
        text = Number(next) > MOST ? text : next.replace(/^0+(?=\d)/, "");
        fresh = false;
        refill();
      };
      const key = (/** @type {string} */ digit) => h("button", { type: "button", class: "key", text: digit, on: { click: () => put(fresh ? digit : text + digit) } });
      const step = (/** @type {number} */ by, /** @type {string} */ word) => button(word, () => put(String(Math.max(0, value + by))), { class: "step" });
      void close;
      return [
        h("p", { class: "number", "aria-live": "polite" }, h("output", { class: "num", text: text || "–" }), h("span", { class: "soft", text: t("shelf.count_expected_at", { n: line.expected, place }) })),
        text === "" ? h("p", { class: "badges" }, badge("waiting", "waiting", t("shelf.count_not_yet")))
          : h("p", { class: "badges" }, off === 0 ? badge("accept", "accept", t("shelf.count_same")) : badge("review", "review", t("shelf.count_differs", { by: signed(off) }))),
        h("div", { class: "steps" }, step(-1, "−1"), step(1, "+1"), ...cartons.slice(0, 2).map((code) => step(code.units, `+${code.units}`)),
          button(t("shelf.count_as_list"), () => put(String(line.expected)), { class: "step" })),
        h("div", { class: "keys" }, ..."123456789".split("").map(key),
          h("button", { type: "button", class: "key", text: "C", "aria-label": t("shelf.count_clear"), on: { click: () => put("") } }), key("0"),
          h("button", { type: "button", class: "key", text: "⌫", "aria-label": t("shelf.count_delete"), on: { click: () => put(text.slice(0, -1)) } })),
      ];
    },
    foot: (close) => [button(t("shelf.cancel"), () => close(null)), button(t("shelf.count_take", { n: text || "–" }), () => close({ value: Number(text) }), { class: "button-main", disabled: text === "", name: "take" })],
  });
}

/**
 * The count against the list; what is confirmed is answered.
 * @param {Page} page @param {{ tally: Tally, place: string }} asked
 * @returns {Promise<CountLine[] | null>}
 */
export function openCount(page, { tally, place }) {
  const { words } = page, { t } = words;
  const lines = () => (page.stock ? tally.lines(page.stock, place) : []);
  return page.sheets.open({
    title: t("shelf.count_at", { place }), name: "count",
    body: (_close, refill) => {
      const all = lines(), done = all.filter((line) => line.counted !== null), left = all.filter((line) => line.counted === null);
      const put = (/** @type {CountLine} */ line, /** @type {number | null} */ number) => { tally.set(line.gtin, line.lot, number); page.host.changed(); refill(); };
      return [
        done.length ? h("ul", { class: "rows" }, ...done.map((line) => doneRow(page, line, put, (parts) => { tally.share(line.key, parts); refill(); }))) : h("p", { class: "nothing", text: t("shelf.count_nothing") }),
        left.length > 0 && h("h3", { text: t("shelf.count_left", { n: left.length }) }),
        left.length > 0 && h("p", { class: "soft", text: t("shelf.count_left_do") }),
        h("ul", { class: "rows" }, ...left.map((line) => h("li", { class: "row" },
          h("div", { class: "row-head" }, h("span", { class: "strong", text: line.name }), h("span", { class: "num row-end", text: t("shelf.count_expected", { n: line.expected }) })),
          h("div", { class: "row-acts" }, button(t("shelf.count_none"), () => put(line, 0)), button(t("shelf.count_enter"), async () => {
            const product = page.stock?.product(line.gtin), number = product && (await page.host.ask("number", { product, line, place }));
            if (number) put(line, number.value);
          }))))),
      ];
    },
    foot: (close) => {
      const done = lines().filter((line) => line.counted !== null && line.parts.length > 0), open = done.some((line) => line.split);
      return [button(t("shelf.cancel"), () => close(null)), button(open ? t("shelf.count_split_first") : t("shelf.count_book", { n: done.length }), () => close(done), { class: "button-main", disabled: !done.length || open, name: "book" })];
    },
  });
}

/** @param {Page} page @param {CountLine} line @param {(line: CountLine, number: number | null) => void} put @param {(parts: CountLine["parts"]) => void} share */
function doneRow(page, line, put, share) {
  const { t } = page.words, off = (line.counted ?? 0) - line.expected;
  return h("li", { class: "row" },
    h("div", { class: "row-head" }, h("span", { class: "strong", text: line.name }), h("span", { class: "num row-end", text: t("shelf.count_of", { n: line.counted ?? 0, expected: line.expected }) })),
    h("div", { class: "badges" }, off === 0 ? badge("accept", "accept", t("shelf.count_same")) : badge("review", "review", t("shelf.count_differs", { by: signed(off) })),
      line.lot && h("span", { class: "id", text: line.lot }),
      !line.parts.length && badge("off_list", "off_list", t("shelf.count_no_batch"))),
    line.parts.length > 1 && h("div", { class: line.split ? "split split-open" : "split" },
      h("p", { class: "soft", text: t(line.split ? "shelf.count_split" : "shelf.count_split_as") }),
      ...line.parts.map((part, index) => h("div", { class: "part" },
        h("span", { class: "id", text: part.batch.lot }), h("span", { class: "soft num", text: part.expiry }),
        h("span", { class: "part-number" },
          button("−", () => share(moved(line.parts, index, -1)), { class: "step" }), h("span", { class: "num", text: String(part.counted) }), button("+", () => share(moved(line.parts, index, 1)), { class: "step" })))),
      line.split && button(t("shelf.count_split_ok"), () => share(line.parts), { name: "split-ok" })),
    h("div", { class: "row-acts" }, button(t("shelf.count_change"), async () => {
      const product = page.stock?.product(line.gtin), number = product && (await page.host.ask("number", { product, line, place: page.place }));
      if (number) put(line, number.value);
    }), button(t("shelf.count_drop"), () => put(line, null))));
}
