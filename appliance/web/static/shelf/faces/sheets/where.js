// Where the person stands, and codes that the camera does not read.

import { hasCheckDigit } from "../../codes/keys.js";
import { button, h, icon, textField } from "../parts/dom.js";
import { placeOf } from "../modes/common.js";
import { placeName } from "../says.js";

/** @import { Sighting } from "../../types.js" */
/** @import { Page } from "../page.js" */

const MOST = 100;

/**
 * Chooses a place: by its name, or by a label in view.
 * @param {Page} page
 */
export function openPlace(page) {
  const { t } = page.words;
  let text = "";
  /** @type {HTMLInputElement | null} */
  let field = null;
  return page.sheets.open({
    title: t("shelf.choose_place"), name: "place",
    body: (close, refill) => {
      const stock = page.stock;
      if (!stock) return [h("p", { class: "nothing", text: t("shelf.no_list") })];
      field ??= textField({ type: "search", placeholder: t("shelf.place_search"), "aria-label": t("shelf.place_search"), autocapitalize: "characters" }, (said) => { text = said; refill(); });
      const asked = text.trim().toLowerCase();
      const found = stock.locations.filter((place) => !asked || placeName(stock, place).toLowerCase().includes(asked));
      const go = (/** @type {string} */ place) => { close(place); page.goTo(place); };
      return [
        h("p", { class: "soft", text: t("shelf.place_scan") }), field,
        h("ul", { class: "rows" },
          page.place && h("li", {}, h("button", { type: "button", class: "row row-tap", on: { click: () => go("") } }, h("span", { class: "row-head" }, icon("close"), h("span", { text: t("shelf.place_none") })))),
          ...found.slice(0, MOST).map((place) => h("li", {}, h("button", { type: "button", class: "row row-tap", "aria-current": place === page.place ? "true" : null, "data-place": place, on: { click: () => go(place) } },
            h("span", { class: "row-head" }, icon("shelf-place"), h("span", { class: "id strong", text: place }), stock.snapshot.words[place] && h("span", { class: "soft", text: stock.snapshot.words[place] }),
              h("span", { class: "num soft row-end", text: page.words.count("products", new Set(stock.at(place).map((each) => each.product.gtin)).size) })))))),
        found.length === 0 && h("p", { class: "nothing", text: t("shelf.place_no_such") }),
        found.length > MOST && h("p", { class: "soft", text: t("shelf.goods_more", { n: found.length - MOST }) }),
      ];
    },
  });
}

/**
 * A code typed by hand, when no camera will read it.
 * @param {Page} page
 */
export async function openEntry(page) {
  const { t } = page.words;
  let text = "", wrong = "";
  /** @type {HTMLInputElement | null} */
  let field = null;
  const search = () => (page.stock && text.trim().length > 1 ? page.stock.search(text, 8) : []);
  await page.sheets.open({
    title: t("shelf.type_code"), name: "entry",
    body: (close, refill) => {
      field ??= textField({ class: "code-field", placeholder: t("shelf.type_here"), "aria-label": t("shelf.type_here"), enterkeyhint: "go", spellcheck: "false" },
        (said) => { text = said; wrong = ""; refill(); }, () => take(close, refill));
      return [
        h("p", { class: "soft", text: t("shelf.type_do") }), field, wrong && h("p", { class: "wrong", role: "alert", text: wrong }),
        h("ul", { class: "rows" }, ...search().map((product) => h("li", {}, h("button", { type: "button", class: "row row-tap", on: { click: () => { close(null); page.typed(product.gtin, ""); } } },
          h("span", { class: "row-head" }, h("span", { class: "strong", text: product.name }), h("span", { class: "num row-end", text: page.words.units(product.total, product.unit) })),
          h("span", { class: "soft id", text: product.gtin }))))),
      ];
    },
    foot: (close, refill) => [button(t("shelf.cancel"), () => close(null)), button(t("shelf.type_go"), () => take(close, refill), { class: "button-main", disabled: !text.trim(), name: "go" })],
  });

  /** @param {(answer?: any) => void} close @param {() => void} refill */
  function take(close, refill) {
    const stock = page.stock, code = text.trim();
    if (!stock || !code) return;
    const place = placeOf(stock, { text: code, format: "" }), known = place ? null : stock.lookup(code, "");
    if (place) page.goTo(place);
    else if (known) page.typed(known.gtin, known.lot);
    else {
      wrong = t(/^(\d{8}|\d{12,14})$/.test(code) && !hasCheckDigit(code) ? "shelf.type_check" : "shelf.type_unknown", { code });
      return refill();
    }
    close(null);
  }
}

/**
 * A code that stands for no product: what it says, and what can be done about it.
 * @param {Page} page @param {{ sighting: Sighting }} asked
 */
export function openCode(page, { sighting }) {
  const { t } = page.words, name = sighting.state === "off_list" ? "off_list" : sighting.state === "rejected" ? "rejected" : "unread";
  const maybe = page.maybe(sighting.id);
  return page.sheets.open({
    title: t(`shelf.state_${name}`), name: "code",
    body: (close) => [
      sighting.text && h("p", {}, h("span", { class: "id", text: sighting.text }), h("span", { class: "soft", text: ` ${sighting.format}` })),
      h("p", { text: t(`shelf.code_${name}`) }),
      maybe.length > 0 && h("h3", { text: t("shelf.code_maybe") }),
      h("ul", { class: "rows" }, ...maybe.map((each) => h("li", {}, h("button", { type: "button", class: "row row-tap", on: { click: () => { close(null); page.choose(sighting.id, each); } } },
        h("span", { class: "strong", text: page.stock?.product(each.gtin)?.name ?? each.gtin }), h("span", { class: "soft id", text: each.gtin }))))),
    ],
    foot: (close) => [
      button(t("shelf.type_code"), () => { close(null); page.host.ask("entry"); }, { icon: "shelf-keys", name: "entry" }),
      name !== "off_list" && sighting.id >= 0 && page.online && button(t("shelf.help_again"), () => { close(null); page.onhelp(sighting.id); }, { icon: "hub", name: "help" }),
      sighting.state === "off_list" && button(t("shelf.code_report"), () => { close(null); page.report(sighting); }, { icon: "off_list", name: "report" }),
    ],
  });
}
