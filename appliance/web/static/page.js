// Every page: the live line and its sign, keys, times, notices. Plain modules, no build step.

import { Line } from "./live.js";
import { age, growOld, localTimes } from "./times.js";
import { t } from "./words.js";
import { station } from "./station.js";

/** @param {EventTarget | null} target */
const typing = (target) =>
  target instanceof HTMLElement && target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]") !== null;

function liveLine() {
  const sign = document.querySelector("#line");
  const address = document.body.dataset.events;
  if (!(sign instanceof HTMLElement) || !address) return;
  sign.hidden = false;
  const word = sign.querySelector("[data-line-word]");
  new Line(address, (state, silent) => {
    const text = state === "broken" ? t("line.broken", { age: age(silent / 1000) }) : t(`line.${state}`);
    document.body.dataset.line = state;
    sign.dataset.state = state;
    if (word && word.textContent !== text) word.textContent = text;
  });
}

/** @param {KeyboardEvent} event */
function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    const open = document.querySelector("details:is(.menu, .group)[open]");
    if (open instanceof HTMLDetailsElement) {
      open.open = false;
      open.querySelector("summary")?.focus();
    }
    return;
  }
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "/") {
    const filter = document.querySelector("[data-filter]");
    if (filter instanceof HTMLInputElement) {
      event.preventDefault();
      filter.focus();
      filter.select();
    }
    return;
  }
  if (event.repeat || !/^[0-9a-z]$/.test(event.key)) return;
  const target = document.querySelector(`[data-key="${event.key}"]:not(:disabled)`);
  if (target instanceof HTMLElement) {
    event.preventDefault();
    target.click();
  }
}

/** Links that choose a language or theme keep the rest of the address. */
function keepQuery() {
  for (const link of document.querySelectorAll("a[data-keep-query]")) {
    if (!(link instanceof HTMLAnchorElement)) continue;
    const query = new URLSearchParams(location.search);
    for (const [name, value] of new URL(link.href).searchParams) query.set(name, value);
    link.href = `?${query}`;
  }
}

/** An overlay whose picture's size the server did not know takes it from the picture. */
function fitOverlays() {
  for (const overlay of document.querySelectorAll("svg[data-fit]")) {
    const picture = overlay.parentElement?.querySelector("img");
    if (!picture) continue;
    const fit = () => overlay.setAttribute("viewBox", `0 0 ${picture.naturalWidth} ${picture.naturalHeight}`);
    if (picture.complete && picture.naturalWidth) fit();
    else picture.addEventListener("load", fit, { once: true });
  }
}

function agesOfTimes() {
  for (const element of document.querySelectorAll("time[data-age]")) {
    const seconds = (Date.now() - new Date(element.getAttribute("datetime") ?? "").getTime()) / 1000;
    if (Number.isNaN(seconds)) continue;
    const text = t("time.ago", { age: age(seconds) });
    if (element.textContent !== text) element.textContent = text;
  }
}

function refreshed() {
  localTimes(document);
  agesOfTimes();
  growOld();
  fitOverlays();
}

document.addEventListener("keydown", key);
document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  target?.closest("[data-close]")?.closest(".notice")?.remove();
  for (const menu of document.querySelectorAll("details:is(.menu, .group)[open]")) {
    if (menu instanceof HTMLDetailsElement && !menu.contains(target)) menu.open = false;
  }
});
document.addEventListener("htmx:after:swap", refreshed);
window.setInterval(() => {
  growOld();
  agesOfTimes();
}, 1000);
keepQuery();
refreshed();
liveLine();
if (document.body.classList.contains("station")) station();
// From here on keys are heard: whoever drives the page by keys waits for it.
document.body.dataset.keys = "heard";
