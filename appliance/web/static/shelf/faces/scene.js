// What is drawn over each frame: marks of the mode, tags, the list of what is seen; and what a tap meets.

import { NOTHING_LAID } from "./layout.js";
import { draw, touched } from "./overlay.js";
import { paletteOf } from "./parts/palette.js";
import { placeOf } from "./modes/common.js";

/** @import { Sighting } from "../types.js" */
/** @import { Mark, View } from "./types.js" */
/** @import { Page } from "./page.js" */
/** @import { Seen } from "./parts/seen.js" */

/** Less than this part of the frame is never shown: the picture is fitted in instead. */
const LEAST_SHOWN = 0.55;

export class Scene {
  /** @type {Map<number, Mark>} */ marks = new Map();
  /** @type {import("./layout.js").Laid} */ laid = NOTHING_LAID;
  /** @type {readonly Sighting[]} */ sightings = [];
  /** @type {View} */ #view;
  /** @type {ReadonlySet<number>} */ #first = new Set();
  #origin = { x: 0, y: 0 };
  #fed = "";
  #turned = "";
  #revision = 0;
  #measured = 0;
  #left = -1;
  /** Place labels that were followed already. @type {Set<number>} */ #labels = new Set();

  /**
   * @param {{ page: Page, canvas: HTMLCanvasElement, beside: HTMLElement, seen: Seen, onleft: (count: number) => void }} parts
   */
  constructor({ page, canvas, beside, seen, onleft }) {
    this.page = page;
    this.canvas = canvas;
    this.beside = beside;
    this.seen = seen;
    this.onleft = onleft;
    this.#view = { marks: this.marks, visible: { x: 0, y: 0, width: canvas.width, height: canvas.height }, scale: 1, text: 1, palette: paletteOf(), chosen: null, first: this.#first, blocked: [] };
    canvas.addEventListener("click", (event) => this.#tap(event));
    new ResizeObserver(() => { this.#measured = 0; }).observe(canvas);
  }

  /** Stock, place, mode or words changed. */
  changed() {
    this.#revision += 1;
  }

  /** The theme changed. */
  repaint() {
    this.#view = { ...this.#view, palette: paletteOf() };
  }

  /** Those that had no room get it before others. */
  turn() {
    this.#first = new Set(this.laid.left);
    this.laid = NOTHING_LAID;
  }

  /**
   * @type {import("../eye/types.js").Draw}
   */
  draw = (context, sightings, frame) => {
    const { page } = this, { stock } = page;
    this.sightings = sightings;
    if (!stock) return;
    const turned = `${frame.width}x${frame.height}`;
    if (turned !== this.#turned) {
      // A phone that is turned, or another camera: the same codes get other numbers.
      if (this.#turned) page.count.pause();
      this.#turned = turned;
    }
    if (frame.at_ms - this.#measured > 500) this.#measure(frame.at_ms);
    const fed = `${this.#revision}|${page.mode.name}|${page.place}|${sightings.map((each) => `${each.id}${each.state}${each.text}`).join()}`;
    if (fed !== this.#fed) {
      this.#fed = fed;
      page.mode.see?.(sightings);
      this.#follow(sightings);
      this.marks = page.mode.marks(sightings, stock);
    }
    const view = { ...this.#view, marks: this.marks, text: page.wishes.text, chosen: page.chosen, first: this.#first };
    this.#view = view;
    this.laid = draw(context, sightings, view, this.laid);
    if (this.laid.left.length !== this.#left) this.onleft((this.#left = this.laid.left.length));
    this.seen.show(sightings, this.marks, frame.at_ms);
  };

  /** The label of a place in view is where one stands. @param {readonly Sighting[]} sightings */
  #follow(sightings) {
    const { page } = this, { stock } = page;
    if (!stock) return;
    const ids = new Set(sightings.map((each) => each.id));
    for (const id of this.#labels) if (!ids.has(id)) this.#labels.delete(id);
    for (const each of sightings) {
      if (each.state !== "confirmed" && each.state !== "off_list") continue;
      const place = this.#labels.has(each.id) ? "" : placeOf(stock, each);
      if (!place) continue;
      this.#labels.add(each.id);
      page.goTo(place);
    }
  }

  /** Which part of the frame is seen, how large it is, and where buttons cover it. @param {number} now ms */
  #measure(now) {
    this.#measured = now;
    const { canvas } = this, home = canvas.parentElement?.getBoundingClientRect();
    if (!home?.width || !canvas.width) return;
    const cover = Math.max(home.width / canvas.width, home.height / canvas.height);
    const shown = Math.min(1, home.width / (canvas.width * cover)) * Math.min(1, home.height / (canvas.height * cover));
    if (shown >= LEAST_SHOWN) delete document.body.dataset.fitted;
    else document.body.dataset.fitted = home.width / home.height > canvas.width / canvas.height ? "beside" : "above";
    // Filled: the frame's middle is the element's. Fitted in: the element has the frame's own shape.
    const box = canvas.getBoundingClientRect(), scale = Math.min(canvas.width / box.width, canvas.height / box.height);
    this.#origin = { x: (canvas.width - box.width * scale) / 2, y: (canvas.height - box.height * scale) / 2 };
    const inset = 4 * scale, visible = { x: this.#origin.x + inset, y: this.#origin.y + inset, width: box.width * scale - 2 * inset, height: box.height * scale - 2 * inset };
    const blocked = [...this.beside.querySelectorAll("button")].flatMap((each) => {
      const at = each.getBoundingClientRect(), corner = this.#inFrame(at.left, at.top, box, scale);
      return at.width ? [{ ...corner, width: at.width * scale, height: at.height * scale }] : [];
    });
    this.#view = { ...this.#view, scale, visible, blocked };
  }

  /** @param {number} x @param {number} y @param {DOMRect} box @param {number} scale */
  #inFrame(x, y, box, scale) {
    return { x: (x - box.left) * scale + this.#origin.x, y: (y - box.top) * scale + this.#origin.y };
  }

  /** @param {MouseEvent} event */
  #tap(event) {
    const point = this.#inFrame(event.clientX, event.clientY, this.canvas.getBoundingClientRect(), this.#view.scale);
    const met = touched(point, this.sightings, this.laid, this.#view);
    if (!met) return;
    if (met.row?.call) location.href = `tel:${met.row.call}`;
    else this.page.mode.ontap(met.sighting);
  }

  /** A tap on an entry of the list. @param {number} id */
  tapped(id) {
    const sighting = this.sightings.find((each) => each.id === id);
    if (sighting) this.page.mode.ontap(sighting);
  }
}
