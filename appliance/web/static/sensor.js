// The page of one sensor: all its charts show one range, which follows the clock or stands still.

import { Chart } from "./chart.js";

/** @typedef {import("./chart.js").Range} Range */

const AGAIN_MS = 60_000;
const WITHOUT_LIVE_MS = 5000;
const LEAST_S = 0.01;
// This script does not wait its turn behind those that every page has: the picture comes first.
if (document.readyState === "loading") {
  // Not DOMContentLoaded, which waits for those scripts.
  await new Promise((parsed) => document.addEventListener("readystatechange", parsed, { once: true }));
}
const holder = /** @type {HTMLElement | null} */ (document.querySelector("[data-charts]"));

const format = new Intl.DateTimeFormat(document.documentElement.lang, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

class Page {
  /** @param {HTMLElement} element */
  constructor(element) {
    // They come with the page: the first picture does not wait for the whole catalogue.
    /** @type {Record<string, string>} */
    this.sentences = JSON.parse(element.dataset.words ?? "{}");
    /** Seconds up to now, or 0 while a chosen range stands still. */
    this.span = Number(element.dataset.span ?? 3600);
    /** @type {Range} */
    this.range = this.upToNow();
    /** @type {Range[]} */
    this.before = [];
    /** @type {Chart[]} */
    this.charts = [...element.querySelectorAll("figure")].map((figure) => new Chart(figure, this));
    this.frame = 0;
    const chosen = new URLSearchParams(location.search);
    const from = Date.parse(chosen.get("from") ?? "");
    const to = Date.parse(chosen.get("to") ?? "");
    if (from < to) this.show({ from: from / 1000, to: to / 1000 }, 0);
    else this.begin();
    window.setInterval(() => this.load(), AGAIN_MS);
    window.setInterval(() => { if (document.body.dataset.line !== "live") this.load(); }, WITHOUT_LIVE_MS);
    window.setInterval(() => this.tick(), 1000);
  }

  /** @param {string} key @param {Record<string, string>} [values] */
  words(key, values = {}) {
    return (this.sentences[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  }

  /** @returns {Range} */
  upToNow() {
    const to = Date.now() / 1000;
    return { from: to - this.span, to };
  }

  begin() {
    this.label();
    for (const chart of this.charts) void chart.load(this.range, chart.figure.dataset.question);
  }

  load() {
    if (this.span) this.range = this.upToNow();
    this.label();
    return Promise.all(this.charts.map((chart) => chart.load(this.range)));
  }

  /** @param {Range} range @param {number} span */
  show(range, span) {
    this.span = span;
    this.range = range;
    const address = new URL(location.href);
    address.search = "";
    for (const link of document.querySelectorAll("[data-span][href]")) {
      const mine = span > 0 && Number(/** @type {HTMLElement} */ (link).dataset.span) === span;
      link.toggleAttribute("aria-current", mine);
      if (mine) {
        link.setAttribute("aria-current", "true");
        address.search = new URL(/** @type {HTMLAnchorElement} */ (link).href).search;
      }
    }
    if (!span) {
      address.searchParams.set("from", new Date(range.from * 1000).toISOString());
      address.searchParams.set("to", new Date(range.to * 1000).toISOString());
    }
    history.replaceState(null, "", address);
    return this.load();
  }

  /** @param {Range} range */
  zoom(range) {
    if (range.to - range.from < LEAST_S) return;
    this.before.push({ ...this.range });
    void this.show(range, 0);
  }

  wider() {
    const before = this.before.pop();
    if (before) { void this.show(before, 0); return; }
    const width = this.range.to - this.range.from;
    const to = Math.min(this.range.to + width / 2, Date.now() / 1000);
    void this.show({ from: to - 2 * width, to }, 0);
  }

  /** @param {number} direction */
  move(direction) {
    const width = (this.range.to - this.range.from) * 0.8 * direction;
    void this.show({ from: this.range.from + width, to: this.range.to + width }, 0);
  }

  /** @param {{quantity: string, channel: string, at_us: number[], value: number[]}[]} said */
  take(said) {
    for (const one of said) {
      const chart = this.charts.find((each) => each.quantity === one.quantity && each.channel === one.channel);
      chart?.take(one.at_us, one.value);
    }
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.tick(); });
  }

  /** Charts that follow the clock move with it; the others are drawn only where something came. */
  tick() {
    if (document.hidden) return;
    if (this.span) {
      this.range = this.upToNow();
      this.label();
    }
    for (const chart of this.charts) {
      if (chart.figure.dataset.state !== "drawn") continue;
      if (this.span) chart.range = this.range;
      if (this.span || chart.dirty) chart.draw();
    }
  }

  label() {
    const text = `${format.format(new Date(this.range.from * 1000))} – ${format.format(new Date(this.range.to * 1000))}`;
    const place = document.querySelector("[data-range]");
    if (place && place.textContent !== text) place.textContent = text;
    const later = /** @type {HTMLButtonElement | null} */ (document.querySelector('[data-step="1"]'));
    if (later) later.disabled = this.range.to >= Date.now() / 1000 - 1;
  }
}

if (holder) {
  const page = new Page(holder);
  document.body.addEventListener("live-readings", (event) => page.take(/** @type {CustomEvent} */ (event).detail));
  document.body.addEventListener("live-healed", () => void page.load());
  document.querySelector(".chart-bar")?.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-span], [data-step], [data-wider]") : null;
    if (!(target instanceof HTMLElement)) return;
    if (target.dataset.span) {
      event.preventDefault();
      page.before = [];
      page.span = Number(target.dataset.span);
      void page.show(page.upToNow(), page.span);
    } else if (target.dataset.step) page.move(Number(target.dataset.step));
    else page.wider();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const chart of page.charts) chart.redraw();
  });
}
