// What is asked before something is done: freeze, photo, a date on the goods.

import { freezing } from "../modes/freeze.js";
import { FAULTS, QUALITY } from "../modes/photo.js";
import { badge, button, h, textField } from "../parts/dom.js";
import { expiryText, LEVEL_SIGNS, unitsAt, unitsOfBatchAt } from "../says.js";

/** @import { BatchView, ProductView } from "../../keep/types.js" */
/** @import { Page } from "../page.js" */

const REASONS = ["damaged", "expired", "wrong_label", "temperature", "recall", "other"];

/**
 * Which batches, and why. Without a product: a whole place.
 * @param {Page} page @param {{ product?: ProductView, place?: string, batches: BatchView[] }} asked
 * @returns {Promise<{ batches: BatchView[], note: string } | null>}
 */
export function openFreeze(page, { product, place = page.place, batches }) {
  const { words } = page, { t } = words, chosen = new Set(batches.filter((batch) => !batch.holds.length));
  const frozen = product !== undefined && batches.length > 0 && batches.every((batch) => batch.holds.length > 0);
  let reason = "", note = "";
  /** @type {HTMLInputElement | null} */
  let field = null;
  const said = () => [reason && t(`shelf.why_${reason}`), note.trim()].filter(Boolean).join(": ");
  return page.sheets.open({
    title: product ? t("shelf.freeze_what", { name: product.name }) : t("shelf.freeze_place_what", { place }), name: "freeze",
    body: (_close, refill) => {
      field ??= textField({ placeholder: t("shelf.freeze_note"), "aria-label": t("shelf.freeze_note"), maxlength: "200" }, (said) => { note = said; refill(); });
      return [
        h("p", { class: "soft", text: t(frozen ? "shelf.freeze_all" : product ? "shelf.freeze_means" : "shelf.freeze_place_means") }),
        product && h("ul", { class: "rows" }, ...batches.map((batch) => choice(page, product, batch, chosen, place, refill))),
        ...(frozen ? [] : [h("h3", { text: t("shelf.why") }),
          h("div", { class: "chips" }, ...REASONS.map((name) => button(t(`shelf.why_${name}`), () => { reason = name; refill(); }, { class: "chip", pressed: reason === name, name }))),
          field]),
      ];
    },
    foot: (close) => [
      button(t("shelf.cancel"), () => close(null)),
      !frozen && button(product ? t("shelf.freeze_yes", { n: chosen.size }) : t("shelf.freeze_place_yes"), () => close({ batches: product ? [...chosen] : [], note: said() }),
        { class: "button-hold", icon: "hold", disabled: !said() || (product !== undefined && !chosen.size), name: "yes" }),
    ],
  });
}

/** @param {Page} page @param {ProductView} product @param {BatchView} batch @param {Set<BatchView>} chosen @param {string} place @param {() => void} refill */
function choice({ words }, product, batch, chosen, place, refill) {
  const sign = LEVEL_SIGNS[batch.level], held = batch.holds.length > 0, here = unitsOfBatchAt(batch, place);
  const toggle = () => {
    if (!chosen.delete(batch)) chosen.add(batch);
    refill();
  };
  return h("li", {}, h("label", { class: "row row-tap row-choice" },
    h("input", { type: "checkbox", checked: chosen.has(batch), disabled: held, on: { change: toggle } }),
    h("span", { class: "grow" },
      h("span", { class: "row-head" }, h("span", { class: "id", text: batch.lot }), h("span", { class: "num row-end", text: words.units(here || unitsOfBatchAt(batch, ""), product.unit) })),
      h("span", { class: "badges" }, batch.days !== null && badge(sign.tone, sign.icon, `${batch.expiry} · ${words.daysLeft(batch.days)}`), held && badge("hold", "hold", words.t("shelf.held"))))));
}

/**
 * What the picture shows.
 * @param {Page} page @param {{ jpeg: Blob, gtin: string, lot: string, place: string }} asked
 * @returns {Promise<import("../modes/photo.js").Finding | null>}
 */
export async function openPhoto(page, { jpeg, gtin, lot, place }) {
  const { t } = page.words, product = gtin ? page.stock?.product(gtin) : null, address = URL.createObjectURL(jpeg);
  const known = product?.batches.filter((batch) => (lot ? batch.lot === lot : unitsOfBatchAt(batch, place) > 0)) ?? [];
  let fault = "", note = "";
  /** The batch that it is of; null: the person does not know. @type {BatchView | null | undefined} */
  let batch = known.length > 1 ? undefined : (known[0] ?? null);
  // Quality can do nothing with damage to one of several batches that nobody named, unless nobody knows.
  const whole = () => fault && (batch !== undefined || !QUALITY.has(fault));
  /** @type {HTMLTextAreaElement | null} */
  let field = null;
  const answer = await page.sheets.open({
    title: t("shelf.photo_what"), name: "photo",
    body: (_close, refill) => {
      field ??= h("textarea", { rows: "2", placeholder: t("shelf.photo_note"), "aria-label": t("shelf.photo_note"), maxlength: "500", on: { input: () => { note = field?.value ?? ""; } } });
      return [
        h("img", { class: "shot", src: address, alt: t("shelf.photo_alt") }),
        product ? h("p", {}, h("span", { class: "strong", text: product.name }), h("span", { class: "soft", text: place ? ` · ${place}` : "" })) : h("p", { class: "soft", text: place ? t("shelf.photo_at", { place }) : t("shelf.photo_of_none") }),
        h("div", { class: "chips" }, ...FAULTS.map((name) => button(t(`shelf.fault_${name}`), () => { fault = name; refill(); }, { class: "chip", pressed: fault === name, name }))),
        known.length > 1 && h("h3", { text: t("shelf.photo_batch") }),
        known.length > 1 && h("div", { class: "chips" }, ...known.map((each) => button(each.lot, () => { batch = batch === each ? undefined : each; refill(); }, { class: "chip", pressed: batch === each })),
          button(t("shelf.photo_no_batch"), () => { batch = batch === null ? undefined : null; refill(); }, { class: "chip", pressed: batch === null, name: "no-batch" })),
        field,
      ];
    },
    foot: (close) => [button(t("shelf.cancel"), () => close(null)), button(t("shelf.photo_send"), () => close({ fault, note: note.trim(), gtin, name: product?.name ?? "", place, batch: batch && product ? { supplier: batch.supplier, gtin: product.gtin, lot: batch.lot } : null }), { class: "button-main", disabled: !whole(), name: "send" })],
  });
  URL.revokeObjectURL(address);
  return answer;
}

/**
 * The dates of a product's batches here; one that is printed otherwise can be said, and what is too near frozen.
 * @param {Page} page @param {{ product: ProductView, place: string, lot: string }} asked
 */
export function openDates(page, { product, place, lot }) {
  const { words } = page, { t } = words;
  return page.sheets.open({
    title: product.name, name: "dates",
    body: () => {
      const now = page.stock?.product(product.gtin) ?? product;
      const shown = now.batches.filter((batch) => (lot ? batch.lot === lot : unitsOfBatchAt(batch, place) > 0));
      return [
        h("p", { class: "soft", text: place ? t("shelf.dates_at", { place, units: words.units(unitsAt(now, place), now.unit) }) : words.units(now.total, now.unit) }),
        shown.length ? null : h("p", { class: "nothing", text: t("shelf.no_batches") }),
        h("ul", { class: "rows" }, ...shown.map((batch) => dateRow(page, now, batch, place))),
      ];
    },
    foot: (close) => [button(t("shelf.open_card"), () => { close(null); page.host.open(product.gtin); }, { name: "card" })],
  });
}

/** @param {Page} page @param {ProductView} product @param {BatchView} batch @param {string} place */
function dateRow(page, product, batch, place) {
  const { words } = page, { t } = words, sign = LEVEL_SIGNS[batch.level], key = { supplier: batch.supplier, gtin: product.gtin, lot: batch.lot };
  const day = h("input", { type: "date", value: batch.expiry, "aria-label": t("shelf.date_printed") });
  const observed = () => {
    if (!day.value || day.value === batch.expiry) return;
    const says = t("shelf.date_says", { lot: batch.lot, day: day.value });
    page.host.propose([{ kind: "observed", body: { batch: key, expiry: day.value, location: place }, says, undo: null }], { title: t("shelf.date_title"), done: says });
  };
  return h("li", { class: "row" },
    h("div", { class: "row-head" }, h("span", { class: "id", text: batch.lot }), h("span", { class: "num row-end", text: words.units(unitsOfBatchAt(batch, place), product.unit) })),
    h("div", { class: "badges" }, batch.days === null ? h("span", { class: "soft", text: t("shelf.no_date") }) : badge(sign.tone, sign.icon, `${batch.expiry} · ${expiryText(words, batch)}`), batch.holds.length > 0 && badge("hold", "hold", t("shelf.held"))),
    h("label", { class: "field" }, h("span", { text: t("shelf.date_printed") }), day),
    h("div", { class: "row-acts" }, button(t("shelf.date_set"), observed, { name: "observe" }),
      button(t("shelf.mode_freeze"), () => page.host.propose(freezing(words, product, [batch], t("shelf.why_expired")), { title: t("shelf.freeze_what", { name: product.name }), yes: t("shelf.freeze_yes", { n: 1 }), done: t("shelf.freeze_done", { n: 1, name: product.name }) }), { icon: "hold", disabled: batch.holds.length > 0, name: "freeze" })));
}
