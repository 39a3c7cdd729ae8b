// The fleet page: folds the stream into vehicles, chooses the map, ties map and list together.

import { Floor } from "./fleet_map.js";
import { signs } from "./fleet_signs.js";
import { t } from "./words.js";

/** @typedef {import("./fleet_map.js").Vehicle} Vehicle */
/**
 * One vehicle as appliance/web/fleet/feed.py packs it: name, condition, x, y, theta, map, battery
 * percent, charging, loads, order, worst trouble, metres a second, way, whether it knows where it is.
 * @typedef {[string, string, number | null, number | null, number | null, string, number | null,
 *   boolean, string[] | null, string, string, number | null, [number, number][], boolean]} Row
 */
/**
 * @typedef {object} Told
 * @property {boolean} [whole] everything, not only what changed
 * @property {Row[]} rows
 * @property {string[]} [gone]
 * @property {Record<string, [number, number][]>} [trails]
 * @property {[string, string, number, number, string][]} [places]
 * @property {boolean} [places_anew] the places are all there are, not only what changed
 */

const MOST_TRAIL = 120;
const section = /** @type {HTMLElement} */ (document.querySelector("#map"));
const canvas = /** @type {HTMLCanvasElement} */ (section.querySelector("canvas"));
const card = /** @type {HTMLElement} */ (section.querySelector("#picked"));
const chooser = /** @type {HTMLElement} */ (section.querySelector("#map-of"));
const choice = /** @type {HTMLSelectElement} */ (chooser.querySelector("select"));
const nothing = /** @type {HTMLElement} */ (section.querySelector("#map-empty"));
const follow = section.dataset.follow ?? "";
/** @type {Map<string, Row>} */
const rows = new Map();
const floor = new Floor(canvas, await signs(), choose);

/** @param {Row} row @param {[number, number][] | undefined} trail */
function fold(row, trail) {
  const [name, condition, x, y, theta, map, , , loads, , , , way, localized] = row;
  const before = floor.vehicles.get(name), now = performance.now();
  const moved = before && before.map === map && before.x !== null && before.y !== null && (before.x !== x || before.y !== y);
  /** @type {Vehicle} */
  const after = {
    name, condition, x, y, theta, map, localized, way,
    loaded: Boolean(loads?.length),
    trail: trail ?? (before?.map === map ? before.trail : []),
    from: moved ? { x: before.x ?? 0, y: before.y ?? 0, at: now } : (before?.from ?? null),
    at: moved ? now : (before?.at ?? 0),
  };
  if (moved && x !== null && y !== null) after.trail = longer(after.trail, [x, y]);
  floor.vehicles.set(name, after);
  rows.set(name, row);
}

/** @param {[number, number][]} trail @param {[number, number]} spot @returns {[number, number][]} */
function longer(trail, spot) {
  const last = trail[trail.length - 1];
  // A leap is a vehicle that was localised anew.
  if (last && Math.hypot(spot[0] - last[0], spot[1] - last[1]) > 30) return [spot];
  return [...trail, spot].slice(-MOST_TRAIL);
}

/** @param {Told} told */
function hear(told) {
  if (told.whole) { floor.vehicles.clear(); floor.places.clear(); rows.clear(); }
  for (const name of told.gone ?? []) { floor.vehicles.delete(name); rows.delete(name); }
  const changed = told.rows.some((row) => differs(rows.get(row[0]), row));
  for (const row of told.rows) fold(row, told.trails?.[row[0]]);
  if (told.places_anew) floor.places.clear();
  for (const [map, code, x, y] of told.places ?? []) floor.places.set(`${map}\n${code}`, { map, code, x, y });
  chooseMap();
  if (told.whole && floor.fitted) show();
  if (floor.picked) tell(floor.picked);
  floor.draw();
  if (changed) document.body.dispatchEvent(new CustomEvent("fleet-changed"));
}

/** Whether the list says something else: not every centimetre. @param {Row | undefined} before @param {Row} after */
function differs(before, after) {
  return !before || [1, 5, 6, 7, 9, 10].some((n) => before[n] !== after[n]) || String(before[8]) !== String(after[8]);
}

/** Offer the maps where there are several, the fullest first; stay on the one that is shown. */
function chooseMap() {
  /** @type {Map<string, number>} */
  const maps = new Map();
  for (const each of floor.vehicles.values()) if (each.x !== null) maps.set(each.map, (maps.get(each.map) ?? 0) + 1);
  for (const each of floor.places.values()) if (!maps.has(each.map)) maps.set(each.map, 0);
  const names = [...maps.keys()].sort((a, b) => (maps.get(b) ?? 0) - (maps.get(a) ?? 0) || a.localeCompare(b));
  nothing.hidden = names.length > 0;
  chooser.hidden = names.length < 2;
  const listed = names.slice().sort().join("\n");
  if (choice.dataset.listed !== listed) {
    choice.replaceChildren(...names.slice().sort().map((name) => new Option(name ? t("fleet.map_named", { name }) : t("fleet.map_nameless"), name)));
    choice.dataset.listed = listed;
  }
  const followed = floor.vehicles.get(floor.following);
  const wanted = followed && followed.x !== null ? followed.map : maps.has(floor.map) ? floor.map : (names[0] ?? "");
  if (wanted !== floor.map) { floor.map = wanted; floor.fitted = true; show(); }
  choice.value = floor.map;
}

function show() {
  if (!follow) { floor.fit(); return; }
  floor.fit();
  floor.view.scale = Math.max(floor.view.scale, 24);
  floor.fitted = false;
}

/** @param {string} name the vehicle that is looked at; "" for none */
function choose(name) {
  floor.picked = name;
  mark();
  card.hidden = !name || name === follow;
  if (name) tell(name);
  floor.draw();
}

/** The row of the vehicle that is looked at, also in a list that was just asked for again. */
function mark() {
  for (const row of document.querySelectorAll("#list [data-vehicle]")) {
    if (row instanceof HTMLElement && floor.picked && row.dataset.vehicle === floor.picked) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

/** @param {string} tag @param {string} text @param {string} [className] */
function made(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  return element;
}

/** Write the card of the vehicle that is looked at. @param {string} name */
function tell(name) {
  const row = rows.get(name);
  if (!row || name === follow) { card.hidden = true; return; }
  const [, condition, x, , , map, battery, charging, loads, order, trouble, speed] = row;
  const facts = [
    t(`fleet.condition.${condition}`),
    battery === null ? "" : `${battery} %${charging ? ` (${t("fleet.charging")})` : ""}`,
    speed === null ? "" : `${speed} m/s`,
    x !== null && map !== floor.map ? t("fleet.map_named", { name: map }) : "",
    loads === null ? "" : loads.length ? `${t("fleet.load")}: ${loads.join(", ")}` : t("fleet.free_of_load"),
  ].filter(Boolean).join(" · ");
  const text = [name, facts, order, trouble].join("\n");
  if (card.dataset.text === text) return;
  card.dataset.text = text;
  const head = document.createElement("header"), close = made("button", "×", "button");
  close.setAttribute("type", "button");
  close.setAttribute("aria-label", t("fleet.close"));
  close.addEventListener("click", () => { choose(""); canvas.focus(); });
  head.append(made("h3", name, "id"), close);
  const open = /** @type {HTMLAnchorElement} */ (made("a", t("fleet.open_vehicle")));
  open.href = `/fleet/vehicles/${name.split("/").map(encodeURIComponent).join("/")}`;
  card.replaceChildren(head, made("p", facts), ...(order ? [made("p", `${t("fleet.order")}: ${order}`)] : []), ...(trouble ? [made("p", trouble)] : []), open);
}

// The line was open before this script ran: what it said first may be gone, so it is asked for.
/** @type {Told[] | null} */
let early = [];
document.body.addEventListener("live-fleet", (event) => {
  const told = /** @type {CustomEvent<Told>} */ (event).detail;
  if (told.whole) early = null;
  if (early) early.push(told);
  else hear(told);
});
choice.addEventListener("change", () => { floor.following = ""; floor.map = choice.value; floor.fit(); });
for (const box of section.querySelectorAll(".fleet-layers input")) {
  if (!(box instanceof HTMLInputElement)) continue;
  const layer = /** @type {keyof import("./fleet_map.js").Layers} */ (box.value);
  floor.layers[layer] = box.checked;
  box.addEventListener("change", () => { floor.layers[layer] = box.checked; floor.draw(); });
}
for (const button of section.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => {
    const how = button.getAttribute("data-zoom");
    if (how === "all") { floor.following = ""; floor.fit(); } else floor.zoom(how === "in" ? 1.4 : 1 / 1.4);
  });
}
document.addEventListener("htmx:after:swap", mark);
// Looking along the list shows each vehicle on the map.
document.addEventListener("focusin", (event) => {
  const row = event.target instanceof Element ? event.target.closest("#list [data-vehicle]") : null;
  if (row instanceof HTMLElement) choose(row.dataset.vehicle ?? "");
});
document.addEventListener("pointerover", (event) => {
  const row = event.target instanceof Element ? event.target.closest("#list [data-vehicle]") : null;
  if (row instanceof HTMLElement && row.dataset.vehicle !== floor.picked) choose(row.dataset.vehicle ?? "");
});
if (follow) { floor.following = follow; choose(follow); }
const now = await fetch("/fleet/now");
const first = now.ok ? /** @type {Told} */ (await now.json()) : null;
if (early && first) {
  const since = early;
  early = null;
  for (const told of [first, ...since]) hear(told);
}
document.body.dataset.fleet = "drawn";
