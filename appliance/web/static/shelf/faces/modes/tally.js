// Counting a place: units by code, each physical code once, and the difference against the list. Pure.

import { unitsOfBatchAt } from "../says.js";

/** @import { Sighting } from "../../types.js" */
/** @import { BatchKey, BatchView, ProductView } from "../../keep/types.js" */
/** @import { Stock } from "../../keep/stock.js" */

/** @typedef {{ batch: BatchKey, expiry: string, expected: number, counted: number }} Part */
/**
 * A line of the count: what was counted of a product, of one lot where the codes named it.
 * `counted` null: nobody counted it. `parts`: how that is booked; empty where no batch is known here.
 * @typedef {{ key: string, gtin: string, lot: string, name: string, unit: string, expected: number, counted: number | null, parts: Part[], split: boolean }} CountLine
 */

/** @param {string} gtin @param {string} lot */
const keyOf = (gtin, lot) => `${gtin}|${lot}`;

export class Tally {
  /** Physical codes that were counted, and what each stood for. @type {Map<string, { key: string, units: number }>} */
  #codes = new Map();
  /** Codes of a count that was booked. @type {Set<string>} */
  #booked = new Set();
  /** What was counted or booked before the camera closed: its codes have other numbers when they are seen again. @type {Set<string>} */
  #before = new Set();
  /** Codes in view that may be among those, by `once`. @type {Map<string, { key: string, units: number }>} */
  #doubtful = new Map();
  /** What a person typed instead, by key. @type {Map<string, number>} */
  #typed = new Map();
  /** How a typed or seen number is shared out over batches, where a person said so. @type {Map<string, Part[]>} */
  #shared = new Map();

  get empty() {
    return this.#codes.size === 0 && this.#typed.size === 0;
  }

  /**
   * Counts a code that is seen for the first time. A code that names its serial or its pallet is one
   * wherever it is seen again; others are one for as long as they are followed.
   * @param {Sighting} sighting @param {import("../../types.js").CodeData} data what it says
   * @returns {number} units that it added, 0 where it was counted before
   */
  see(sighting, data) {
    if (sighting.state !== "confirmed" || !sighting.known) return 0;
    const own = Boolean(data.serial || data.sscc), once = own ? sighting.text : `${sighting.id}|${sighting.text}`;
    if (this.#codes.has(once) || this.#booked.has(once)) return 0;
    const { gtin, lot, units } = sighting.known, key = keyOf(gtin, lot), added = data.quantity ?? units;
    if (!own && this.#before.has(sighting.text)) {
      this.#doubtful.set(once, { key, units: added });
      return 0;
    }
    this.#add(once, key, added);
    return added;
  }

  /** @param {string} once @param {string} key @param {number} units */
  #add(once, key, units) {
    this.#codes.set(once, { key, units });
    this.#doubtful.delete(once);
    this.#shared.delete(key);
    if (this.#typed.has(key)) this.#typed.set(key, (this.#typed.get(key) ?? 0) + units);
  }

  /**
   * The camera closes: the same goods come into view under other numbers, and nobody can tell them from others of
   * their kind. They are counted no second time by themselves; a person says whether they are others.
   */
  pause() {
    for (const once of [...this.#codes.keys(), ...this.#booked]) this.#before.add(once.slice(once.indexOf("|") + 1));
    this.#doubtful.clear();
  }

  /** Another look: what was left out is told of what is in view now, not of what was followed under other numbers. */
  again() {
    this.#doubtful.clear();
  }

  /** How many codes in view were left out since they may have been counted before the camera closed. */
  get doubtful() {
    return this.#doubtful.size;
  }

  /** A person says that those are others: they count. */
  admit() {
    for (const [once, { key, units }] of [...this.#doubtful]) this.#add(once, key, units);
  }

  /** What was counted of it; null: nothing. @param {string} gtin @param {string} lot @returns {number | null} */
  counted(gtin, lot) {
    const key = keyOf(gtin, lot), typed = this.#typed.get(key);
    if (typed !== undefined) return typed;
    let sum = 0, seen = false;
    for (const code of this.#codes.values()) {
      if (code.key !== key) continue;
      sum += code.units;
      seen = true;
    }
    return seen ? sum : null;
  }

  /** A person says the number. @param {string} gtin @param {string} lot @param {number | null} number null: not counted */
  set(gtin, lot, number) {
    const key = keyOf(gtin, lot);
    this.#shared.delete(key);
    // Whoever says the number has looked: what was left out is in it, or not.
    for (const [once, { key: of }] of this.#doubtful) {
      if (of !== key) continue;
      this.#doubtful.delete(once);
      if (number !== null) this.#booked.add(once);
    }
    if (number !== null) {
      this.#typed.set(key, number);
      return;
    }
    this.#typed.delete(key);
    for (const [code, { key: of }] of this.#codes) {
      if (of !== key) continue;
      this.#codes.delete(code);
      this.#before.delete(code.slice(code.indexOf("|") + 1));
    }
  }

  /** A person says how a number is shared out. @param {string} key @param {Part[]} parts */
  share(key, parts) {
    this.#shared.set(key, parts);
  }

  /** What was counted is booked: its codes count no second time while they are still seen, nor do those that were left out of it. */
  booked() {
    const seen = [...this.#booked, ...this.#codes.keys(), ...this.#doubtful.keys()], before = [...this.#before];
    this.clear();
    this.#booked = new Set(seen);
    this.#before = new Set(before);
  }

  /** Begins anew, elsewhere. */
  clear() {
    this.#booked.clear();
    this.#before.clear();
    this.#doubtful.clear();
    this.#codes.clear();
    this.#typed.clear();
    this.#shared.clear();
  }

  /**
   * The count against the list: what was counted first, then what stands in the list and nobody counted.
   * @param {Stock} stock @param {string} place
   * @returns {CountLine[]}
   */
  lines(stock, place) {
    const keys = new Set([...this.#typed.keys(), ...[...this.#codes.values()].map((code) => code.key)]);
    const lines = [...keys].flatMap((key) => this.#line(stock, place, key));
    const named = new Set(lines.map((line) => line.gtin));
    for (const product of new Set(stock.at(place).filter((each) => each.cell.location === place).map((each) => each.product))) {
      if (!named.has(product.gtin)) lines.push(lineOf(product, "", place, null, null));
    }
    return lines;
  }

  /** @param {Stock} stock @param {string} place @param {string} key @returns {CountLine[]} */
  #line(stock, place, key) {
    const [gtin = "", lot = ""] = key.split("|"), product = stock.product(gtin);
    return product ? [lineOf(product, lot, place, this.counted(gtin, lot), this.#shared.get(key) ?? null)] : [];
  }
}

/** @param {ProductView} product @param {string} lot @param {string} place @param {number | null} counted @param {Part[] | null} shared @returns {CountLine} */
function lineOf(product, lot, place, counted, shared) {
  const here = product.batches.filter((batch) => (lot ? batch.lot === lot : unitsOfBatchAt(batch, place) > 0));
  const only = !here.length && !lot && product.batches.length === 1 ? product.batches : here;
  const said = shared && renewed(shared, product, here, place);
  const parts = said ?? shareOut(only.map((batch) => partOf(batch, place)), counted ?? 0);
  const expected = parts.reduce((sum, part) => sum + part.expected, 0);
  return {
    key: keyOf(product.gtin, lot), gtin: product.gtin, lot, name: product.name, unit: product.unit, expected, counted, parts,
    split: parts.length > 1 && counted !== null && counted !== expected && !said,
  };
}

/**
 * What a person shared out, against the list as it is now: an entry may have come between, and what is expected is
 * what stands here as it is booked. Null where another batch stands here by now: it is to be shared out anew.
 * @param {readonly Part[]} shared @param {ProductView} product @param {readonly BatchView[]} here @param {string} place
 */
function renewed(shared, product, here, place) {
  const same = (/** @type {Part} */ part, /** @type {BatchView} */ batch) => batch.lot === part.batch.lot && batch.supplier === part.batch.supplier;
  if (here.some((batch) => !shared.some((part) => same(part, batch)))) return null;
  return shared.map((part) => {
    const batch = product.batches.find((each) => same(part, each));
    return { ...part, expected: batch ? unitsOfBatchAt(batch, place) : 0 };
  });
}

/** @param {BatchView} batch @param {string} place @returns {Part} */
const partOf = (batch, place) => ({
  batch: { supplier: batch.supplier, gtin: batch.gtin, lot: batch.lot }, expiry: batch.expiry, expected: unitsOfBatchAt(batch, place), counted: 0,
});

/**
 * Shares a number out over batches, nearest expiry first in `parts`: what is missing is taken from
 * the batch that expires first, since that one is picked first; what is too much goes to the last.
 * @param {Part[]} parts @param {number} counted
 * @returns {Part[]}
 */
export function shareOut(parts, counted) {
  let left = counted;
  const shared = [...parts].reverse().map((part) => {
    const own = Math.min(left, part.expected);
    left -= own;
    return { ...part, counted: own };
  });
  if (shared[0]) shared[0].counted += left;
  return shared.reverse();
}

/**
 * The entries of a count, and those that take each back.
 * @param {readonly CountLine[]} lines @param {string} place
 * @returns {{ kind: "counted", body: Record<string, any>, undo: { kind: "counted", body: Record<string, any> } }[]}
 */
export const bookings = (lines, place) => lines.filter((line) => line.counted !== null).flatMap((line) => line.parts.map((part) => {
  const { batch, counted, expected } = part;
  return {
    kind: /** @type {const} */ ("counted"),
    body: { batch, location: place, counted, expected },
    undo: { kind: /** @type {const} */ ("counted"), body: { batch, location: place, counted: expected, expected: counted } },
  };
}));

/** A difference with its sign. @param {number} number */
export const signed = (number) => (number > 0 ? `+${number}` : number < 0 ? `−${-number}` : "0");
