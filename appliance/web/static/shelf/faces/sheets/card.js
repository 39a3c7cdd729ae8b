// The card of a product: batches, holds, tickets, price, contact, history, and what to do with it.

import { badge, button, h, icon } from "../parts/dom.js";
import { expiryText, LEVEL_SIGNS, misplacedLine, unitsOfBatchAt } from "../says.js";

/** @import { ProductHistory } from "../../types.js" */
/** @import { BatchView, ProductView } from "../../keep/types.js" */
/** @import { Child } from "../parts/dom.js" */
/** @import { Page } from "../page.js" */
/** @import { Words } from "../words.js" */

/**
 * @param {Page} page @param {string} gtin @param {string} lot that the code named, empty where it named none
 */
export function openCard(page, gtin, lot) {
  /** @type {ProductHistory | "asked" | "offline" | null} */
  let history = null;
  const { t } = page.words;
  const product = () => page.stock?.product(gtin) ?? null;
  return page.sheets.open({
    title: product()?.name ?? gtin, name: "card",
    body: (_close, refill) => {
      const now = product();
      if (!now || !page.stock) return [h("p", { text: t("shelf.card_gone") })];
      if (history === null) {
        history = "asked";
        page.history(gtin).then((told) => { history = told; }, () => { history = "offline"; }).finally(refill);
      }
      return [
        facts(page, now), ...batches(page, now, lot), ...trouble(page.words, now), ...contacts(page.words, now),
        ...past(page.words, history), codes(page.words, now),
      ];
    },
    foot: (close) => {
      const act = (/** @type {string} */ name, /** @type {string} */ sign) =>
        button(t(`shelf.mode_${name}`), () => { close(null); page.act(name, gtin, lot); }, { icon: sign, name, class: "stacked" });
      return [act("count", "shelf-count"), act("find", "shelf-find"), act("freeze", "hold"), act("photo", "shelf-photo")];
    },
  });
}

/** @param {Page} page @param {ProductView} product */
function facts({ words, place, stock }, product) {
  const { t } = words, sign = LEVEL_SIGNS[product.level], wrong = stock && misplacedLine(words, stock, product, place);
  const row = (/** @type {string} */ name, /** @type {...Child} */ ...said) => h("div", {}, h("dt", { text: name }), h("dd", {}, ...said));
  const units = (/** @type {number} */ number) => h("span", { class: "num", text: words.units(number, product.unit) });
  return h("div", { class: "card-top" },
    h("div", { class: "badges" },
      product.held > 0 || product.holds.length > 0 ? badge("hold", "hold", t("shelf.held")) : null,
      product.days !== null && badge(sign.tone, sign.icon, expiryText(words, product)),
      wrong && badge("review", "shelf-place_wrong", wrong.text),
      product.pending ? badge("waiting", "waiting", t("shelf.pending", { n: product.pending })) : null),
    h("dl", { class: "facts" },
      row(t("shelf.free"), units(product.free)),
      product.held > 0 && row(t("shelf.held"), units(product.held)),
      product.inspection > 0 && row(t("shelf.inspection"), units(product.inspection)),
      product.price && row(t("shelf.price"), h("span", { class: "num", text: words.money(product.price.price) }), product.price.on && h("span", { class: "soft", text: ` ${product.price.on}` }),
        product.price.source && h("span", { class: "soft id", text: ` ${product.price.source}` })),
      product.places.length > 0 && row(t("shelf.wanted_at"), h("span", { class: "id", text: product.places.join(", ") })),
      product.reorder && row(t("shelf.reorder_name"), units(product.reorder.quantity), h("p", { class: "soft", text: words.reason(product.reorder.reason) }))));
}

/** @param {Page} page @param {ProductView} product @param {string} lot */
function batches(page, product, lot) {
  const { t } = page.words, standing = product.batches.filter((batch) => unitsOfBatchAt(batch, "") > 0 || batch.lot === lot);
  if (!standing.length) return [h("h3", { text: t("shelf.batches") }), h("p", { class: "soft", text: t("shelf.no_batches") })];
  return [h("h3", { text: t("shelf.batches") }), h("ul", { class: "rows" }, ...standing.map((batch) => batchRow(page, product, batch, batch.lot === lot)))];
}

/** @param {Page} page @param {ProductView} product @param {BatchView} batch @param {boolean} named */
function batchRow({ words, place }, product, batch, named) {
  const { t } = words, sign = LEVEL_SIGNS[batch.level];
  const cells = batch.cells.filter((cell) => cell.free + cell.held + cell.inspection > 0);
  return h("li", { class: named ? "row row-named" : "row" },
    h("div", { class: "row-head" }, h("span", { class: "id", text: batch.lot }), named && h("span", { class: "soft", text: t("shelf.this_code") }),
      h("span", { class: "num row-end", text: words.units(unitsOfBatchAt(batch, ""), product.unit) })),
    h("div", { class: "badges" },
      batch.days === null ? h("span", { class: "soft", text: t("shelf.no_date") }) : badge(sign.tone, sign.icon, `${batch.expiry} · ${words.daysLeft(batch.days)}`),
      batch.holds.length > 0 && badge("hold", "hold", t("shelf.held"))),
    h("ul", { class: "cells" }, ...cells.map((cell) => h("li", { class: cell.location === place ? "here" : "" },
      h("span", { class: "id", text: cell.location }),
      h("span", { class: "num", text: words.units(cell.free + cell.held + cell.inspection, product.unit) }),
      cell.held > 0 && h("span", { class: "soft", text: t("shelf.of_it_held", { n: cell.held }) }),
      cell.inspection > 0 && h("span", { class: "soft", text: t("shelf.of_it_inspection", { n: cell.inspection }) })))));
}

/** @param {Words} words @param {ProductView} product */
function trouble(words, product) {
  const { t } = words, made = [];
  if (product.holds.length) {
    made.push(h("h3", { text: t("shelf.holds") }), h("ul", { class: "rows" }, ...product.holds.map((hold) => h("li", { class: "row" },
      h("div", { class: "row-head" }, icon("hold", "tone-hold"), h("span", { text: hold.reason ? words.reason(hold.reason) : hold.note || t("shelf.no_note") })),
      h("p", { class: "soft" }, h("span", { text: `${t(`hold_kind.${hold.kind}`)} · ${words.when(hold.at_us)} · ` }), h("span", { class: "id", text: hold.id }))))));
  }
  if (product.tickets.length) {
    made.push(h("h3", { text: t("shelf.tickets") }), h("ul", { class: "rows" }, ...product.tickets.map((ticket) => h("li", { class: "row" },
      h("div", { class: "row-head" }, icon("nav-tickets"), h("span", { text: ticket.reason ? words.reason(ticket.reason) : ticket.title })),
      h("p", { class: "soft" }, h("a", { href: `/tickets/${encodeURIComponent(ticket.id)}`, class: "id", text: ticket.id }), h("span", { text: ` · ${t(`ticket_state.${ticket.state}`)}` }))))));
  }
  return made;
}

/** @param {Words} words @param {ProductView} product */
function contacts({ t }, product) {
  if (!product.suppliers.length) return [];
  return [h("h3", { text: t("shelf.suppliers") }), h("ul", { class: "rows" }, ...product.suppliers.map((supplier) => h("li", { class: "row row-call" },
    h("div", {}, h("span", { text: supplier.name }), supplier.contact && h("p", { class: "soft", text: supplier.contact })),
    h("div", { class: "calls" },
      supplier.phone && h("a", { class: "button", href: `tel:${supplier.phone}`, "aria-label": t("shelf.call", { name: supplier.contact || supplier.name }) }, icon("shelf-phone"), h("span", { class: "num", text: supplier.phone })),
      supplier.email && h("a", { class: "button", href: `mailto:${supplier.email}` }, h("span", { text: t("shelf.mail") }))))))];
}

/** @param {Words} words @param {ProductHistory | "asked" | "offline" | null} history */
function past(words, history) {
  const { t } = words, head = h("h3", { text: t("shelf.history") });
  if (history === "asked" || history === null) return [head, h("p", { class: "soft", text: t("shelf.history_asked") })];
  if (history === "offline") return [head, h("p", { class: "soft", text: t("shelf.history_offline") })];
  if (!history.events.length) return [head, h("p", { class: "soft", text: t("shelf.history_none") })];
  return [head, h("ol", { class: "rows" }, ...history.events.slice(0, 20).map((event) => h("li", { class: "row" },
    h("p", { text: words.reason(event.reason) }),
    h("p", { class: "soft" }, h("span", { class: "num", text: words.when(event.at_us) }), h("span", { text: event.by ? ` · ${event.by}` : "" }), event.lot && h("span", { class: "id", text: ` · ${event.lot}` })))))];
}

/** @param {Words} words @param {ProductView} product */
const codes = (words, product) => h("p", { class: "soft small" },
  h("span", { class: "id", text: product.gtin }), product.sku ? h("span", { class: "id", text: ` · ${product.sku}` }) : null,
  ...product.codes.filter((code) => code.units > 1).map((code) => h("span", { text: ` · ${code.gtin} = ${words.units(code.units, product.unit)}` })));
