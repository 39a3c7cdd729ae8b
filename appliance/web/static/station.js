// The station: answers by key, the dialog for a keyed code, live pictures that never pile up.

import { t } from "./words.js";

const LIVE_MS = 700;
const SETTLE_IN_MS = 700;

/** Which carton the bench asks about, and since when. */
const asked = { carton: "", since: 0 };

/**
 * A second press of a gloved hand must not answer for the next carton: just after the bench has
 * moved on to another carton, its buttons do nothing.
 * @param {Event} event
 */
function tooSoon(event) {
  const bench = event.target instanceof Element ? event.target.closest("#bench") : null;
  if (!(bench instanceof HTMLElement)) return;
  look(bench);
  if (Date.now() - asked.since < SETTLE_IN_MS) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

/** @param {Element | null} bench */
function look(bench) {
  const carton = bench instanceof HTMLElement ? (bench.dataset.carton ?? "") : "";
  if (carton === asked.carton) return;
  const first = asked.since === 0;
  asked.carton = carton;
  asked.since = first ? 1 : Date.now();
}

/** @returns {HTMLDialogElement | null} */
const dialog = () => document.querySelector("#key-dialog");

/** @param {string} digits */
function checkDigit(digits) {
  const sum = [...digits].reverse().reduce((total, digit, place) => total + Number(digit) * (place % 2 ? 1 : 3), 0);
  return String((10 - (sum % 10)) % 10);
}

/**
 * What is wrong with a GTIN as typed so far; the server checks again.
 * @param {string} gtin
 */
export function gtinMend(gtin) {
  if (!/^\d+$/.test(gtin) || ![8, 12, 13, 14].includes(gtin.length)) return t("key.gtin_length", { length: gtin.length });
  const right = checkDigit(gtin.slice(0, -1));
  return right === gtin.slice(-1) ? "" : t("key.gtin_check", { last: gtin.slice(-1), right });
}

/** @returns {HTMLDialogElement | null} */
const teachDialog = () => document.querySelector("#teach-dialog");

/** The question about the goods stands in a dialog of its own, so that the next carton does not
 * change it under a finger.
 */
function teaching() {
  let asked = false;
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-teach]")) asked = true;
    if (target?.closest("[data-teach-close]")) teachDialog()?.close();
  });
  document.addEventListener("htmx:after:swap", () => {
    const box = teachDialog();
    if (!asked || !box?.querySelector("[data-teach-carton]") || box.open) return;
    asked = false;
    box.showModal();
  });
  document.addEventListener("htmx:after:request", (event) => {
    const source = /** @type {CustomEvent} */ (event).detail?.ctx?.sourceElement;
    if (source instanceof Element && source.matches("[data-teach-form]")) teachDialog()?.close();
  });
  document.addEventListener("keydown", (event) => {
    const box = teachDialog();
    if (!box?.open || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = box.querySelector(`[data-teach-key="${CSS.escape(event.key)}"]`);
    if (button instanceof HTMLElement) {
      event.preventDefault();
      button.click();
    }
  });
}

function openDialog() {
  const bench = document.querySelector("#bench");
  const box = dialog();
  const form = box?.querySelector("form");
  if (!(bench instanceof HTMLElement) || !box || !form) return;
  form.reset();
  const address = bench.dataset.settle ?? "";
  form.action = address;
  form.setAttribute("hx-post", address);
  const name = box.querySelector("[data-key-carton]");
  if (name) name.textContent = bench.dataset.carton ?? "";
  const mends = box.querySelector("#key-mends");
  if (mends) mends.replaceChildren();
  for (const place of box.querySelectorAll("[data-mend-for]")) place.textContent = "";
  box.showModal();
}

/** @param {Event} event */
function typed(event) {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || !input.closest("#key-form")) return;
  const place = document.querySelector(`[data-mend-for="${input.name}"]`);
  if (!place) return;
  const value = input.value.trim();
  if (input.name === "gtin") place.textContent = value ? gtinMend(value) : "";
  if (input.name === "batch") {
    place.textContent = value && !/^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}$/.test(value) ? t("key.batch_form") : "";
  }
}

/** Ask for the next live picture of each camera only when the last one has come. */
function refreshPictures() {
  if (document.hidden || document.body.dataset.line === "broken") return;
  for (const picture of document.querySelectorAll("img[data-live]")) {
    if (!(picture instanceof HTMLImageElement) || picture.dataset.busy) continue;
    picture.dataset.busy = "1";
    const next = new Image();
    next.onload = () => { picture.src = next.src; delete picture.dataset.busy; };
    next.onerror = () => { window.setTimeout(() => delete picture.dataset.busy, 3000); };
    next.src = `/station/live/${encodeURIComponent(picture.dataset.live ?? "")}.jpg?t=${Date.now()}`;
  }
}

export function livePictures() {
  window.setInterval(refreshPictures, LIVE_MS);
}

export function station() {
  look(document.querySelector("#bench"));
  teaching();
  document.addEventListener("click", tooSoon, { capture: true });
  document.addEventListener("htmx:after:swap", () => look(document.querySelector("#bench")));
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-open-key]")) openDialog();
    if (target?.closest("[data-dialog-close]")) dialog()?.close();
  });
  document.addEventListener("input", typed);
  document.addEventListener("htmx:after:request", (event) => {
    const context = /** @type {CustomEvent} */ (event).detail?.ctx;
    if (context?.sourceElement?.id === "key-form" && context.response?.raw?.ok) dialog()?.close();
  });
  livePictures();
}
