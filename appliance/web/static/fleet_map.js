// The floor: vehicles, trails, ways and places on a canvas, with a view that is moved and zoomed.

import { listen } from "./fleet_input.js";
import { Boxes, colours, paintSign } from "./fleet_signs.js";

/**
 * @typedef {object} Vehicle
 * @property {string} name
 * @property {string} condition
 * @property {number | null} x metres, of the newest position
 * @property {number | null} y
 * @property {number | null} theta radians
 * @property {string} map
 * @property {boolean} loaded
 * @property {boolean} localized
 * @property {[number, number][]} way
 * @property {[number, number][]} trail
 * @property {{x: number, y: number, at: number} | null} from where it was drawn before, for gliding
 * @property {number} at milliseconds, when the newest position came
 */
/** @typedef {{map: string, code: string, x: number, y: number}} Place */
/** @typedef {{trails: boolean, ways: boolean, places: boolean, names: boolean}} Layers */

const GLIDE_MS = 500;
const MARGIN_PX = 48;
const SIGN_PX = 20;
const MOST_NAMES = 60;
const MOST_TRAILS = 200;
const NEAREST_PX = 22;
const CROWD = 150;
const SPOT_PX = 12;
const MOST_GLIDING = 300;
const AWAY = new Set(["lost", "silent", "asleep", "new"]);
const LOOK = new Set(["stopped", "lost", "silent", "warned", "low"]);
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Floor {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Map<string, import("./fleet_signs.js").Stroke[]>} drawn
   * @param {(name: string) => void} pick called with the vehicle that was clicked; "" for none
   */
  constructor(canvas, drawn, pick) {
    this.canvas = canvas;
    this.drawn = drawn;
    this.pick = pick;
    /** @type {Map<string, Vehicle>} */
    this.vehicles = new Map();
    /** @type {Map<string, Place>} */
    this.places = new Map();
    this.map = "";
    this.picked = "";
    this.following = "";
    /** @type {Layers} */
    this.layers = { trails: true, ways: true, places: true, names: true };
    this.view = { x: 0, y: 0, scale: 20 };
    this.fitted = true;
    this.still = still.matches;
    this.asked = 0;
    /** @type {Record<string, string>} */
    this.colours = {};
    this.readColours();
    new ResizeObserver(() => this.resize()).observe(canvas);
    new MutationObserver(() => this.readColours()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.readColours());
    listen(this);
  }

  readColours() {
    this.colours = colours(this.canvas);
    this.font = getComputedStyle(document.body).fontFamily;
    this.draw();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    if (this.fitted) this.fit();
    this.draw();
  }

  /** @returns {Vehicle[]} those on the map shown that say where they are */
  here() {
    return [...this.vehicles.values()].filter((each) => each.map === this.map && each.x !== null);
  }

  fit() {
    const spots = [
      ...this.here().map((each) => /** @type {[number, number]} */ ([each.x, each.y])),
      ...[...this.places.values()].filter((each) => each.map === this.map).map((each) => /** @type {[number, number]} */ ([each.x, each.y])),
    ];
    this.fitted = true;
    if (!spots.length || !this.canvas.clientWidth) return;
    const xs = spots.map(([x]) => x), ys = spots.map(([, y]) => y);
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const width = this.canvas.clientWidth - 2 * MARGIN_PX, height = this.canvas.clientHeight - 2 * MARGIN_PX;
    const scale = Math.min(width / Math.max(right - left, 4), height / Math.max(high - low, 4));
    this.view = { x: (left + right) / 2, y: (low + high) / 2, scale: Math.max(scale, 0.01) };
    this.draw();
  }

  /** @param {number} factor @param {number} [px] @param {number} [py] the point that stays */
  zoom(factor, px = this.canvas.clientWidth / 2, py = this.canvas.clientHeight / 2) {
    const [x, y] = this.metres(px, py);
    const scale = Math.min(Math.max(this.view.scale * factor, 0.02), 400);
    const grown = scale / this.view.scale;
    this.view = { x: x + (this.view.x - x) / grown, y: y + (this.view.y - y) / grown, scale };
    this.fitted = false;
    this.draw();
  }

  /** @param {number} dx pixels @param {number} dy */
  move(dx, dy) {
    this.view.x -= dx / this.view.scale;
    this.view.y += dy / this.view.scale;
    this.fitted = false;
    this.following = "";
    this.draw();
  }

  /** @param {number} px @param {number} py @returns {[number, number]} */
  metres(px, py) {
    const { x, y, scale } = this.view;
    return [x + (px - this.canvas.clientWidth / 2) / scale, y - (py - this.canvas.clientHeight / 2) / scale];
  }

  /** @param {number} x @param {number} y @returns {[number, number]} */
  pixels(x, y) {
    const view = this.view;
    return [(x - view.x) * view.scale + this.canvas.clientWidth / 2, (view.y - y) * view.scale + this.canvas.clientHeight / 2];
  }

  /** Where signs are drawn, in pixels: those that stand on one spot lie one below the other. @param {Vehicle[]} here @param {number} now @returns {Map<string, [number, number]>} */
  spots(here, now) {
    /** @type {Map<string, number>} */
    const taken = new Map();
    const found = new Map();
    for (const each of here) {
      const [x, y] = this.pixels(...this.at(each, now));
      const cell = `${Math.round(x / SPOT_PX)} ${Math.round(y / SPOT_PX)}`, nth = here.length > CROWD ? 0 : (taken.get(cell) ?? 0);
      taken.set(cell, nth + 1);
      found.set(each.name, [x, y + nth * SIGN_PX * 1.4]);
    }
    return found;
  }

  /** @param {number} px @param {number} py @returns {string} the nearest vehicle's name, "" where none is near */
  nearest(px, py) {
    let best = "", least = NEAREST_PX;
    for (const [name, [x, y]] of this.spots(this.here(), performance.now())) {
      const away = Math.hypot(x - px, y - py);
      if (away < least) [best, least] = [name, away];
    }
    return best;
  }

  /** Where to draw a vehicle: it glides to its newest position. @param {Vehicle} each @param {number} now @returns {[number, number]} */
  at(each, now) {
    const x = each.x ?? 0, y = each.y ?? 0;
    const share = (now - each.at) / GLIDE_MS;
    if (!each.from || share >= 1 || this.still) return [x, y];
    return [each.from.x + (x - each.from.x) * share, each.from.y + (y - each.from.y) * share];
  }

  /** Ask for a picture; those asked for before it is drawn are one. */
  draw() {
    if (!this.asked) this.asked = requestAnimationFrame(() => { this.asked = 0; this.paint(); });
  }

  paint() {
    const pen = this.canvas.getContext("2d");
    if (!pen || !this.canvas.width) return;
    const now = performance.now(), ratio = window.devicePixelRatio || 1;
    const here = this.here();
    this.still = still.matches || here.length > MOST_GLIDING;
    const followed = this.vehicles.get(this.following);
    if (followed && followed.x !== null && followed.map === this.map) [this.view.x, this.view.y] = this.at(followed, now);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.canvas.clientWidth, this.canvas.clientHeight);
    this.paintGrid(pen);
    if (this.layers.trails) this.paintTrails(pen, here, now);
    if (this.layers.ways) this.paintWays(pen, here);
    if (this.layers.places) this.paintPlaces(pen);
    const spots = this.spots(here, now);
    // What needs a look lies on top of the crowd, and what is looked at on top of that.
    const rank = (/** @type {Vehicle} */ each) => (each.name === this.picked ? 2 : LOOK.has(each.condition) ? 1 : 0);
    for (const each of here.sort((a, b) => rank(a) - rank(b))) this.paintVehicle(pen, each, spots.get(each.name) ?? [0, 0], here.length > CROWD && !rank(each));
    if (this.layers.names) this.paintNames(pen, here, spots);
    if (!this.still && here.some((each) => each.from && now - each.at < GLIDE_MS)) this.draw();
  }

  /** Lines every 1, 2, 5, 10 ... metres, and how many they are. @param {CanvasRenderingContext2D} pen */
  paintGrid(pen) {
    const wanted = 90 / this.view.scale, power = 10 ** Math.floor(Math.log10(wanted));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= wanted) ?? power * 10;
    const [left, high] = this.metres(0, 0), [right, low] = this.metres(this.canvas.clientWidth, this.canvas.clientHeight);
    pen.strokeStyle = this.colours.line ?? "";
    pen.lineWidth = 1;
    pen.globalAlpha = 0.6;
    pen.beginPath();
    for (let x = Math.ceil(left / step) * step; x <= right; x += step) line(pen, [this.pixels(x, high), this.pixels(x, low)]);
    for (let y = Math.ceil(low / step) * step; y <= high; y += step) line(pen, [this.pixels(left, y), this.pixels(right, y)]);
    pen.stroke();
    pen.globalAlpha = 1;
    const [from, below] = [this.canvas.clientWidth - 16 - step * this.view.scale, this.canvas.clientHeight - 12];
    pen.strokeStyle = pen.fillStyle = this.colours.soft ?? "";
    pen.beginPath();
    line(pen, [[from, below - 4], [from, below], [from + step * this.view.scale, below], [from + step * this.view.scale, below - 4]]);
    pen.stroke();
    pen.font = `12px ${this.font}`;
    pen.textAlign = "right";
    pen.fillText(`${step < 1 ? step.toFixed(1) : step} m`, from + step * this.view.scale, below - 7);
  }

  /** @param {CanvasRenderingContext2D} pen @param {Vehicle[]} here @param {number} now */
  paintTrails(pen, here, now) {
    pen.strokeStyle = this.colours.strong ?? "";
    pen.lineWidth = 2;
    pen.globalAlpha = 0.75;
    pen.beginPath();
    for (const each of here) {
      if (here.length > MOST_TRAILS && each.name !== this.picked) continue;
      const known = each.from && now - each.at < GLIDE_MS && !this.still ? each.trail.slice(0, -1) : each.trail;
      line(pen, [...known, this.at(each, now)].map(([x, y]) => this.pixels(x, y)));
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {Vehicle[]} here */
  paintWays(pen, here) {
    pen.strokeStyle = pen.fillStyle = this.colours.working ?? "";
    for (const each of here) {
      if (each.way.length < 2 || (here.length > MOST_TRAILS && each.name !== this.picked)) continue;
      const spots = each.way.map(([x, y]) => this.pixels(x, y)), end = spots[spots.length - 1];
      pen.lineWidth = each.name === this.picked ? 3 : 1.5;
      pen.setLineDash([7, 5]);
      pen.beginPath();
      line(pen, spots);
      pen.stroke();
      pen.setLineDash([]);
      if (end) { pen.beginPath(); pen.arc(end[0], end[1], 4, 0, 2 * Math.PI); pen.stroke(); }
    }
  }

  /** @param {CanvasRenderingContext2D} pen */
  paintPlaces(pen) {
    const shown = [...this.places.values()].filter((each) => each.map === this.map)
      .map((each) => ({ code: each.code, spot: this.pixels(each.x, each.y) }))
      .filter(({ spot }) => spot[0] > -60 && spot[1] > -20 && spot[0] < this.canvas.clientWidth + 60 && spot[1] < this.canvas.clientHeight + 20);
    pen.strokeStyle = pen.fillStyle = this.colours.soft ?? "";
    pen.lineWidth = 1.5;
    pen.font = `11px ${this.font}`;
    pen.textAlign = "center";
    const written = new Boxes();
    for (const { code, spot: [x, y] } of shown) {
      pen.strokeRect(x - 4, y - 4, 8, 8);
      const width = pen.measureText(code).width;
      if (shown.length <= 300 && written.take(x - width / 2 - 4, y - 26, width + 8, 14)) pen.fillText(code, x, y - 15);
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {Vehicle} each @param {[number, number]} spot @param {boolean} small one of a crowd */
  paintVehicle(pen, each, [x, y], small) {
    const size = each.name === this.picked ? SIGN_PX * 1.4 : small ? SIGN_PX * 0.6 : SIGN_PX;
    pen.save();
    pen.translate(x, y);
    pen.globalAlpha = each.localized && !AWAY.has(each.condition) ? 1 : 0.55;
    if (!small) {
      pen.fillStyle = this.colours.surface ?? "";
      pen.beginPath();
      pen.arc(0, 0, size * 0.62, 0, 2 * Math.PI);
      pen.fill();
    }
    if (each.name === this.picked) { pen.strokeStyle = this.colours.ink ?? ""; pen.lineWidth = 2; pen.stroke(); }
    pen.strokeStyle = pen.fillStyle = this.colours[each.condition] ?? this.colours.other ?? "";
    if (each.theta !== null) {
      // Up in the sprite is ahead; on the map x points right and angles grow to the left.
      pen.rotate(Math.PI / 2 - each.theta);
      if (each.condition !== "working") { pen.lineWidth = 2.5; pen.beginPath(); pen.moveTo(0, -size * 0.5); pen.lineTo(0, -size * 0.8); pen.stroke(); pen.rotate(each.theta - Math.PI / 2); }
    }
    pen.scale(size / 24, size / 24);
    pen.translate(-12, -12);
    paintSign(pen, this.drawn.get(each.condition));
    pen.restore();
    if (each.loaded && !small) this.paintLoad(pen, x, y);
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y */
  paintLoad(pen, x, y) {
    pen.save();
    pen.translate(x + 6, y - 20);
    pen.fillStyle = this.colours.surface ?? "";
    pen.fillRect(-1, -1, 16, 16);
    pen.scale(14 / 24, 14 / 24);
    pen.strokeStyle = pen.fillStyle = this.colours.ink ?? "";
    paintSign(pen, this.drawn.get("load"));
    pen.restore();
  }

  /** @param {CanvasRenderingContext2D} pen @param {Vehicle[]} here @param {Map<string, [number, number]>} spots */
  paintNames(pen, here, spots) {
    const seen = here.map((each) => ({ each, spot: spots.get(each.name) ?? /** @type {[number, number]} */ ([0, 0]) }))
      .filter(({ spot }) => spot[0] > 0 && spot[1] > 0 && spot[0] < this.canvas.clientWidth && spot[1] < this.canvas.clientHeight);
    pen.font = `600 12px ${this.font}`;
    pen.textAlign = "left";
    pen.lineWidth = 3;
    pen.strokeStyle = this.colours.surface ?? "";
    pen.fillStyle = this.colours.ink ?? "";
    const written = new Boxes();
    for (const { each, spot: [x, y] } of seen) {
      if (seen.length > MOST_NAMES && each.name !== this.picked) continue;
      const word = each.name.split("/").pop() ?? each.name;
      if (each.name !== this.picked && !written.take(x + 13, y + 4, pen.measureText(word).width, 14)) continue;
      pen.strokeText(word, x + 13, y + 16);
      pen.fillText(word, x + 13, y + 16);
    }
  }
}

/** @param {CanvasRenderingContext2D} pen @param {[number, number][]} spots */
function line(pen, spots) {
  spots.forEach(([x, y], n) => (n ? pen.lineTo(x, y) : pen.moveTo(x, y)));
}
