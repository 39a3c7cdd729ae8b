// Enrolling: the live picture, and files sent one by one, so that a refused one costs no other.

import { livePictures } from "./station.js";
import { t } from "./words.js";

/** @typedef {{ name: string, item: number | null, again?: string, refused?: string }} Told */

/** @param {string} icon @param {string} name @param {string} text */
function line(icon, name, text) {
  const row = document.createElement("li");
  if (icon === "hold") row.className = "report-refused";
  const sign = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  sign.setAttribute("class", "icon");
  sign.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/static/icons.svg#${icon}`);
  sign.append(use);
  const words = document.createElement("span");
  if (name) {
    const what = document.createElement("strong");
    what.className = "id";
    what.textContent = name;
    words.append(what, " ");
  }
  words.append(text);
  row.append(sign, words);
  return row;
}

/** @param {Told[]} told */
function report(told) {
  const place = document.querySelector("#report");
  if (!place) return;
  const list = document.createElement("ul");
  list.className = "mends";
  for (const one of told) if (one.refused) list.append(line("hold", one.name, one.refused));
  for (const one of told) if (one.again) list.append(line("info", one.name, one.again));
  const kept = told.filter((one) => one.item !== null).length;
  list.append(line(kept ? "accept" : "info", "", t("enrol.sent", { kept, sent: told.length })));
  place.replaceChildren(list);
  place.scrollIntoView({ block: "nearest" });
}

/**
 * @param {HTMLFormElement} form
 * @param {File} file
 * @param {boolean} joins whether it shows the item of the file before
 * @returns {Promise<Told[]>}
 */
async function sendOne(form, file, joins) {
  const body = new FormData();
  for (const name of ["csrf_token", "again"]) {
    const value = new FormData(form).get(name);
    if (typeof value === "string") body.set(name, value);
  }
  if (joins) body.set("joins", "1");
  body.set("file", file);
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
    const told = await answer.json();
    if (Array.isArray(told)) return told;
    return [{ name: file.name, item: null, refused: [told.detail, told.mend].filter(Boolean).join(". ") }];
  } catch {
    return [{ name: file.name, item: null, refused: t("enrol.not_sent") }];
  }
}

/** @param {HTMLFormElement} form */
async function send(form) {
  const input = form.querySelector("input[type=file]");
  const sending = form.querySelector(".sending");
  const bar = sending?.querySelector("progress");
  const word = sending?.querySelector("span");
  const button = form.querySelector("button");
  if (!(input instanceof HTMLInputElement) || !(sending instanceof HTMLElement) || !bar || !word || !button) return;
  const files = [...(input.files ?? [])];
  /** @type {Told[]} */
  const told = [];
  sending.hidden = false;
  button.disabled = true;
  for (const [place, file] of files.entries()) {
    bar.value = place / files.length;
    word.textContent = `${place + 1} / ${files.length}`;
    told.push(...await sendOne(form, file, told.some((one) => one.item !== null)));
  }
  sending.hidden = true;
  button.disabled = false;
  form.reset();
  report(told);
  document.body.dispatchEvent(new CustomEvent("pictures-sent"));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-upload")) return;
  event.preventDefault();
  void send(form);
});
livePictures();
