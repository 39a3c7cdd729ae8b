// Lists of goods: what stands somewhere, what is near its date, what is on hold; and what to find.

import { FILTERS, listed } from "../filters.js";
import { badge, button, h, icon, textField } from "../parts/dom.js";
import { LEVEL_SIGNS } from "../says.js";
import { whereIs } from "../modes/find.js";

/** @import { FindLine, FindList } from "../../types.js" */
/** @import { Standing } from "../../keep/types.js" */
/** @import { Filter } from "../filters.js" */
/** @import { Wanted } from "../modes/find.js" */
/** @import { Page } from "../page.js" */

const MOST = 200;

/**
 * What stands in a place, with the filter to choose.
 * @param {Page} page @param {{ filter?: Filter, within?: number | null, place?: string }} asked
 */
export function openGoods(page, { filter = "all", within = null, place = page.place }) {
  const { t } = page.words;
  let chosen = filter;
  return page.sheets.open({
    title: place ? t("shelf.goods_at", { place }) : t("shelf.goods_all"), name: "goods",
    body: (_close, refill) => {
      const found = page.stock ? listed(page.stock, place, chosen, chosen === filter ? within : null) : [];
      return [
        h("div", { class: "chips", role: "group", "aria-label": t("shelf.filter") }, ...FILTERS.map((name) => button(t(`shelf.filter_${name}`), () => { chosen = name; refill(); }, { class: "chip", pressed: name === chosen, name }))),
        h("p", { class: "soft", text: t("shelf.goods_count", { n: found.length }) }),
        found.length ? h("ul", { class: "rows" }, ...found.slice(0, MOST).map((each) => standingRow(page, each)))
          : h("p", { class: "nothing", text: t("shelf.goods_none") }),
        found.length > MOST && h("p", { class: "soft", text: t("shelf.goods_more", { n: found.length - MOST }) }),
      ];
    },
    foot: (close) => [button(t("shelf.light"), () => { close(null); page.light(chosen, within); }, { icon: "shelf-look", name: "light" }),
      button(t("shelf.choose_place"), async () => { close(null); await page.host.ask("place"); page.host.ask("goods", { filter: chosen }); }, { icon: "shelf-place", name: "place" })],
  });
}

/** @param {Page} page @param {Standing} standing */
function standingRow(page, { product, batch, cell }) {
  const { words } = page, { t } = words, sign = LEVEL_SIGNS[batch.level], units = cell.free + cell.held + cell.inspection;
  return h("li", {}, h("button", { type: "button", class: "row row-tap", on: { click: () => page.host.open(product.gtin) } },
    h("span", { class: "row-head" }, h("span", { class: "strong", text: product.name }), h("span", { class: "num row-end", text: words.units(units, product.unit) })),
    h("span", { class: "soft" }, h("span", { class: "id", text: cell.location }), h("span", { text: " · " }), h("span", { class: "id", text: batch.lot })),
    h("span", { class: "badges" },
      batch.days !== null && badge(sign.tone, sign.icon, words.daysLeft(batch.days)),
      (cell.held > 0 || batch.holds.length > 0) && badge("hold", "hold", t("shelf.held")),
      page.stock?.misplaced(product.gtin, cell.location) && badge("review", "shelf-place_wrong", t("shelf.misplaced")),
      product.reorder && badge("info", "shelf-reorder", t("shelf.reorder_short", { n: product.reorder.quantity })))));
}

/**
 * Chooses what to find: by name or number, or a list of the hub's.
 * @param {Page} page @param {{ wanted: Wanted[] }} asked
 * @returns {Promise<{ lines: FindLine[], title: string } | null>}
 */
export function openFind(page, { wanted }) {
  const { t } = page.words;
  /** @type {Map<string, FindLine>} */
  const chosen = new Map(wanted.map((line) => [`${line.gtin}|${line.lot}|${line.location}`, line]));
  /** @type {FindList[] | null} */
  let lists = null;
  let text = "", asked = false;
  /** @type {HTMLInputElement | null} */
  let field = null;
  return page.sheets.open({
    title: t("shelf.find_choose"), name: "find",
    body: (close, refill) => {
      if (!asked) {
        asked = true;
        page.findLists().then((told) => { lists = told; refill(); }, () => { lists = []; refill(); });
      }
      field ??= textField({ type: "search", placeholder: t("shelf.find_search"), "aria-label": t("shelf.find_search"), enterkeyhint: "search" }, (said) => { text = said; refill(); });
      const found = page.stock && text ? page.stock.search(text, 30) : [];
      const toggle = (/** @type {FindLine} */ line) => {
        const key = `${line.gtin}|${line.lot}|${line.location}`;
        if (!chosen.delete(key)) chosen.set(key, line);
        refill();
      };
      const expiring = page.stock ? page.stock.expiring("pull", page.place) : [];
      return [
        field,
        ...(text ? [h("ul", { class: "rows" }, ...found.map((product) => {
          const line = { gtin: product.gtin, quantity: 0, location: "", supplier: "", lot: "" }, on = chosen.has(`${product.gtin}||`);
          return h("li", {}, h("button", { type: "button", class: "row row-tap", "aria-pressed": String(on), on: { click: () => toggle(line) } },
            h("span", { class: "row-head" }, icon(on ? "accept" : "shelf-find", on ? "tone-accept" : ""), h("span", { class: "strong", text: product.name }), h("span", { class: "num row-end", text: page.words.units(product.total, product.unit) })),
            h("span", { class: "soft" }, h("span", { class: "id", text: product.gtin }), h("span", { text: ` · ${(page.stock && whereIs(page.stock, line)) || t("shelf.nowhere")}` }))));
        })), found.length === 0 && h("p", { class: "nothing", text: t("shelf.find_no_such") })] : [
          h("h3", { text: t("shelf.find_lists") }),
          lists === null ? h("p", { class: "soft", text: t("shelf.history_asked") }) : null,
          h("ul", { class: "rows" },
            expiring.length > 0 && h("li", {}, listRow(t("shelf.find_pull"), page.words.count("lines", expiring.length), () =>
              close({ title: t("shelf.find_pull"), lines: expiring.map(({ product, batch, cell }) => ({ gtin: product.gtin, quantity: cell.free, location: cell.location, supplier: batch.supplier, lot: batch.lot })) }))),
            ...(lists ?? []).map((list) => h("li", {}, listRow(`${t(`shelf.list_${list.kind}`)} ${list.title}`, `${page.words.count("lines", list.lines.length)}${list.due ? ` · ${list.due.slice(0, 10)}` : ""}`, () => close({ title: list.title, lines: list.lines }))))),
          lists?.length === 0 && expiring.length === 0 && h("p", { class: "soft", text: t(page.online ? "shelf.find_no_lists" : "shelf.find_lists_offline") }),
        ]),
      ];
    },
    foot: (close) => [button(t("shelf.find_these", { n: chosen.size }), () => close({ lines: [...chosen.values()], title: "" }), { class: "button-main", disabled: chosen.size === 0, name: "these" })],
  });
}

/** @param {string} title @param {string} detail @param {() => void} run */
const listRow = (title, detail, run) => h("button", { type: "button", class: "row row-tap", on: { click: run } },
  h("span", { class: "row-head" }, icon("shelf-list"), h("span", { class: "strong", text: title }), icon("shelf-next", "row-end")), h("span", { class: "soft", text: detail }));

/**
 * What is to be found, in walking order, each to be ticked.
 * @param {Page} page @param {{ wanted: Wanted[], title: string, changed: () => void }} asked
 */
export function openWanted(page, { wanted, title, changed }) {
  const { words } = page, { t } = words;
  return page.sheets.open({
    title: title || t("shelf.mode_find"), name: "wanted",
    body: (_close, refill) => [h("ul", { class: "rows" }, ...wanted.map((line) => {
      const product = page.stock?.product(line.gtin);
      return h("li", {}, h("button", { type: "button", class: "row row-tap", "aria-pressed": String(line.taken), on: { click: () => { line.taken = !line.taken; changed(); refill(); } } },
        h("span", { class: "row-head" }, icon(line.taken ? "accept" : "waiting", line.taken ? "tone-accept" : ""), h("span", { class: "strong", text: product?.name ?? line.gtin }),
          line.quantity > 0 && h("span", { class: "num row-end", text: words.units(line.quantity, product?.unit ?? "") })),
        h("span", { class: "soft" }, h("span", { class: "id", text: (page.stock && whereIs(page.stock, line)) || t("shelf.nowhere") }), line.lot && h("span", { text: ` · ${t("shelf.lot", { lot: line.lot })}` }))));
    }))],
  });
}
