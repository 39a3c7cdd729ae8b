// The page as its faces see it: stock, place, mode, sheets and log in one. Nothing is drawn here.

import { holdIdOf } from "../keep/pure/effects.js";
import { countMode } from "./modes/count.js";
import { expiryMode } from "./modes/expiry.js";
import { findMode } from "./modes/find.js";
import { askToFreeze, freezeMode } from "./modes/freeze.js";
import { lookMode } from "./modes/look.js";
import { photoMode } from "./modes/photo.js";
import { Sheets } from "./parts/sheet.js";
import { feel } from "./parts/signals.js";
import { ask } from "./sheets/ask.js";
import { openCard } from "./sheets/card.js";

/** @import { Sighting } from "../types.js" */
/** @import { Entry } from "../keep/types.js" */
/** @import { Keep } from "../keep/keep.js" */
/** @import { Eye } from "../eye/eye.js" */
/** @import { Toast } from "./parts/toast.js" */
/** @import { Wishes } from "./parts/wishes.js" */
/** @import { Asking, Host, Mode, Proposal, Tone } from "./types.js" */
/** @import { Filter } from "./filters.js" */
/** @import { Words } from "./words.js" */
/** @typedef {{ gtin: string, text: string, share: number }} Maybe help/damaged.js */

const PLACE_KEY = "tallyman.shelf.place";

export class Page {
  /** @type {Eye | null} */ eye = null;
  place = sessionStorage.getItem(PLACE_KEY) ?? "";
  /** The sighting whose card is open. @type {number | null} */ chosen = null;
  /** What an unread code may be, by sighting. @type {Map<number, Maybe[]>} */ maybes = new Map();
  /** @type {(id: number, maybe: Maybe) => void} */ onchoose = () => {};
  /** The person wants the appliance to read a code. @type {(id: number) => void} */ onhelp = () => {};
  /** Called when bar, marks or state must be drawn anew. */ ondraw = () => {};
  /** Called when wishes changed. @type {() => Promise<void>} */ onwished = async () => {};

  /** @param {{ keep: Keep, words: Words, wishes: Wishes, sheets: HTMLElement, toast: Toast }} parts */
  constructor({ keep, words, wishes, sheets, toast }) {
    this.keep = keep;
    this.words = words;
    this.wishes = wishes;
    this.toast = toast;
    this.sheets = new Sheets(sheets, () => this.words);
    /** @type {Host & { still: () => Promise<Blob> }} */
    this.host = this.#host();
    this.look = lookMode(this.host);
    this.count = countMode(this.host);
    this.find = findMode(this.host);
    /** @type {Mode[]} */
    this.modes = [this.look, this.count, this.find, expiryMode(this.host), freezeMode(this.host), photoMode(this.host)];
    /** @type {Mode} */
    this.mode = this.look;
  }

  get stock() {
    return this.keep.stock;
  }

  get state() {
    return this.keep.state;
  }

  get phone() {
    return this.keep.phone;
  }

  get online() {
    return this.state.line === "online" || this.state.line === "sending";
  }

  #host() {
    const page = this;
    return {
      get words() { return page.words; },
      get stock() { return page.stock; },
      get place() { return page.place; },
      get roles() { return page.phone?.roles ?? []; },
      open: (/** @type {string} */ gtin, /** @type {Sighting | undefined} */ sighting) => page.open(gtin, sighting),
      propose: (/** @type {Proposal[]} */ proposals, /** @type {Asking | undefined} */ asking) => page.propose(proposals, asking),
      changed: () => page.ondraw(),
      ask: (/** @type {string} */ name, /** @type {Record<string, any> | undefined} */ values) => ask(page, name, values ?? {}),
      say: (/** @type {string} */ text, /** @type {Tone | undefined} */ tone) => page.toast.show(text, tone),
      feel: (/** @type {"tick" | "done" | "refused"} */ sign) => feel(page.wishes, sign),
      maybe: (/** @type {number} */ id) => page.maybe(id),
      still: async () => {
        if (!page.eye) throw new Error("no camera");
        return (await page.eye.still()).jpeg;
      },
    };
  }

  /** @param {string} name */
  enter(name) {
    const mode = this.modes.find((each) => each.name === name);
    if (!mode || mode === this.mode) return;
    this.mode.leave?.();
    this.mode = mode;
    this.toast.say(this.words.t(`shelf.mode_${name}`));
    this.ondraw();
  }

  /** @param {string} place empty: nowhere in particular */
  goTo(place) {
    if (place === this.place) return;
    this.place = place;
    sessionStorage.setItem(PLACE_KEY, place);
    this.host.say(place ? this.words.t("shelf.you_are_at", { place }) : this.words.t("shelf.place_none"), "info");
    this.host.feel("tick");
    this.ondraw();
  }

  /** @param {string} gtin @param {Sighting} [sighting] */
  async open(gtin, sighting) {
    this.chosen = sighting?.id ?? null;
    this.ondraw();
    await openCard(this, gtin, sighting?.known?.lot ?? "");
    this.chosen = null;
    this.ondraw();
  }

  /** A product was typed or chosen: as if its code had been tapped in this mode. @param {string} gtin @param {string} lot */
  typed(gtin, lot) {
    /** @type {Sighting} */
    const as = { id: -1, state: "confirmed", text: gtin, format: "", known: { gtin, units: 1, lot, expiry: "" }, quad: [{ x: 0, y: 0 }, { x: 0, y: 0 }, { x: 0, y: 0 }, { x: 0, y: 0 }], age_ms: 0, reader: "phone" };
    this.mode.ontap(as);
  }

  /** An action of the card. @param {string} name of a mode @param {string} gtin @param {string} lot */
  act(name, gtin, lot) {
    const product = this.stock?.product(gtin);
    if (!product) return;
    if (name === "freeze") void askToFreeze(this.host, product, lot);
    else if (name === "find") {
      this.enter("find");
      this.find.want([{ gtin, quantity: 0, location: "", supplier: "", lot }]);
    } else {
      this.enter(name);
      this.typed(gtin, lot);
    }
  }

  /** @param {Filter} filter @param {number | null} within */
  light(filter, within) {
    this.enter("look");
    this.look.light(filter, within);
  }

  /**
   * Asks, unless it was asked in a sheet before, and writes. A person is told only once it is on the disk.
   * @param {Proposal[]} proposals @param {Asking} [asking]
   */
  async propose(proposals, asking = {}) {
    const { t } = this.words;
    if (!proposals.length) return false;
    const tokens = proposals.map(() => crypto.randomUUID());
    const asked = { title: asking.title ?? t("shelf.sure"), lines: proposals.map((each) => each.says), yes: asking.yes ?? t("shelf.yes") };
    if (!asking.sure && !(await this.sheets.sure(asked))) return false;
    try {
      const wishes = proposals.map((each, index) => ({ kind: /** @type {import("../keep/types.js").Kind} */ (each.kind), body: each.body, token: tokens[index] ?? "", ...(asking.photos && index === 0 && { photos: asking.photos }) }));
      const entries = await this.keep.writeAll(wishes);
      this.#written(proposals, entries, asking.done ?? t("shelf.written"));
      return true;
    } catch (error) {
      this.failed(error);
      return false;
    }
  }

  /** @param {Proposal[]} proposals @param {Entry[]} entries @param {string} done */
  #written(proposals, entries, done) {
    const { t } = this.words;
    this.host.feel("done");
    const undo = entries.flatMap((entry, index) => {
      if (entry.kind !== "held") return proposals[index]?.undo ?? [];
      // Only quality lifts a hold (I1): whoever may not is told who may.
      return this.host.roles.includes("quality") ? { kind: "released", body: { holds: [holdIdOf(entry.hash)], reason: t("shelf.undo_reason") } } : [];
    });
    const says = this.online ? done : `${done} ${t("shelf.waits_for_line")}`;
    const back = undo.length === entries.length ? { word: t("shelf.undo"), run: () => void this.#takeBack(undo) } : undefined;
    this.toast.show(says, proposals[0]?.kind === "held" ? "hold" : "accept", back);
    this.ondraw();
  }

  /** @param {{ kind: string, body: Record<string, any> }[]} entries */
  async #takeBack(entries) {
    try {
      await this.keep.writeAll(entries.map(({ kind, body }) => ({ kind: /** @type {import("../keep/types.js").Kind} */ (kind), body, token: crypto.randomUUID() })));
      this.toast.show(this.words.t("shelf.undone"), "info");
    } catch (error) {
      this.failed(error);
    }
  }

  /** @param {unknown} error */
  failed(error) {
    const code = error && typeof error === "object" && "code" in error ? String(error.code) : "";
    const known = `reason.${code}` in this.words.sentences;
    this.host.feel("refused");
    this.toast.show(known ? this.words.reason({ code, params: {} }) : this.words.t("shelf.failed", { why: error instanceof Error ? error.message : String(error) }), "review");
  }

  /** Says that a code stands for nothing here. @param {Sighting} sighting */
  report(sighting) {
    const { t } = this.words, note = t("shelf.report_note", { code: sighting.text, format: sighting.format });
    void this.propose([{ kind: "flagged", body: { flag: "off_list", location: this.place, gtin: "", note }, says: note, undo: null }], { title: t("shelf.code_report"), done: t("shelf.photo_done") });
  }

  /** @param {string} gtin @returns {Promise<import("../types.js").ProductHistory>} */
  history(gtin) {
    return this.keep.hub.get(`/api/v1/shelf/history/${gtin}`);
  }

  /** @returns {Promise<import("../types.js").FindList[]>} */
  async findLists() {
    return this.keep.finds;
  }

  recent() {
    return this.keep.recent(30);
  }

  /** @param {string} id */
  settle(id) {
    return this.keep.settle(id);
  }

  /** Pictures that the hub refused are nowhere else: asked before they go. */
  async dropPhotos() {
    const { t } = this.words;
    if (await this.sheets.sure({ title: t("shelf.photos_drop"), lines: [t("shelf.photos_drop_sure")], yes: t("shelf.photos_drop") })) await this.keep.dropPhotos();
  }

  /** Pictures that the hub refused are sent again. */
  photosAgain() {
    return this.keep.photosAgain();
  }

  async syncNow() {
    await this.keep.sync.now();
    this.ondraw();
  }

  update() {
    this.keep.update();
  }

  /** What a code that was not read may be. @param {number} id @returns {Maybe[]} */
  maybe(id) {
    return this.maybes.get(id) ?? [];
  }

  /** @param {number} id @param {Maybe} maybe */
  choose(id, maybe) {
    this.onchoose(id, maybe);
  }

  wished() {
    return this.onwished();
  }
}
