// The stock as it stands at this phone: the hub's list, and what this phone wrote since. Pure.

import { readCode } from "../codes/gs1.js";
import { effect } from "./pure/effects.js";
import { LEVELS, daysBetween, levelOf } from "./pure/expiry.js";

/** @typedef {import("../types.js").Snapshot} Snapshot */
/** @typedef {import("../types.js").Product} Product */
/** @typedef {import("../types.js").Known} Known */
/** @typedef {import("../types.js").CodeData} CodeData */
/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Level} Level */
/** @typedef {import("./types.js").ProductView} ProductView */
/** @typedef {import("./types.js").BatchView} BatchView */
/** @typedef {import("./types.js").Standing} Standing */
/** @typedef {(text: string, format: string) => CodeData} ReadCode codes/gs1.js */

export { LEVELS, daysBetween, levelOf } from "./pure/expiry.js";

/** @typedef {{ codes: Map<string, { product: Product, units: number }>, places: Map<string, Set<string>> }} Index */
/** @type {WeakMap<Snapshot, Index>} */
const indexes = new WeakMap();

/** Codes and places of a snapshot, looked up once. @param {Snapshot} snapshot @returns {Index} */
function indexOf(snapshot) {
  const kept = indexes.get(snapshot);
  if (kept) return kept;
  /** @type {Index} */
  const made = { codes: new Map(), places: new Map(snapshot.locations.map((place) => [place, new Set()])) };
  for (const product of snapshot.products) {
    for (const code of product.codes) made.codes.set(code.gtin, { product, units: code.units });
    for (const cell of product.batches.flatMap((batch) => batch.cells)) added(made.places, cell.location, product.gtin);
  }
  // A product's own code stands for itself, whatever a carton of another says.
  for (const product of snapshot.products) {
    const own = product.codes.find((code) => code.gtin === product.gtin);
    made.codes.set(product.gtin, { product, units: own?.units ?? 1 });
  }
  indexes.set(snapshot, made);
  return made;
}

/** @param {Map<string, Set<string>>} places @param {string} place @param {string} gtin */
function added(places, place, gtin) {
  const here = places.get(place) ?? new Set();
  places.set(place, here.add(gtin));
}

/**
 * The stock by a snapshot and the phone's own entries; those that the snapshot contains are left out.
 * @param {Snapshot} snapshot whole (`base` 0)
 * @param {Entry[]} entries of this phone, by number
 * @param {string} today the site's date, ISO 8601: expiry levels follow it, also offline over midnight
 * @param {ReadCode} [read] what a code says (codes/gs1.js)
 * @returns {Stock}
 */
export const stockOf = (snapshot, entries, today, read = readCode) => new Stock(snapshot, entries, today, read);

/** What stands where. Everything that it hands out is to be read, not changed. */
export class Stock {
  /** @type {Map<string, Product>} */ #products = new Map();
  /** @type {Map<string, ProductView>} */ #views = new Map();
  /** @type {Map<string, number>} */ #pending = new Map();
  /** Where products stand that this phone touched. @type {Map<string, Set<string>>} */ #places = new Map();

  /** @param {Snapshot} snapshot @param {Entry[]} entries @param {string} today @param {ReadCode} read */
  constructor(snapshot, entries, today, read) {
    this.snapshot = snapshot;
    this.today = today;
    this.read = read;
    this.holds = new Map(snapshot.holds.map((hold) => [hold.id, hold]));
    this.tickets = new Map(snapshot.tickets.map((ticket) => [ticket.id, ticket]));
    this.suppliers = new Map(snapshot.suppliers.map((supplier) => [supplier.id, supplier]));
    for (const product of snapshot.products) this.#products.set(product.gtin, product);
    for (const entry of entries) this.apply(entry);
  }

  /**
   * One more entry of this phone. What was handed out before stays as it was.
   * @param {Entry} entry
   */
  apply(entry) {
    if (entry.seq <= (this.snapshot.seen[entry.device] ?? 0)) return;
    /** @type {Set<string>} */
    const touched = new Set();
    effect(this.#draft(touched), entry);
    for (const gtin of touched) {
      this.#pending.set(gtin, (this.#pending.get(gtin) ?? 0) + 1);
      this.#views.delete(gtin);
      for (const cell of this.#products.get(gtin)?.batches.flatMap((batch) => batch.cells) ?? []) added(this.#places, cell.location, gtin);
    }
  }

  /**
   * What an effect may change: copies, made when they are first touched.
   * @param {Set<string>} touched takes the products that it asked for
   * @returns {import("./pure/effects.js").Draft}
   */
  #draft(touched) {
    return {
      holds: this.holds,
      tickets: this.tickets,
      gtins: () => this.#products.keys(),
      peek: (gtin) => this.#products.get(gtin),
      product: (gtin) => {
        const known = this.#products.get(gtin);
        if (known && touched.has(gtin)) return known;
        touched.add(gtin);
        const own = known ? structuredClone(known) : unlisted(gtin);
        this.#products.set(gtin, own);
        return own;
      },
    };
  }

  /**
   * What a code stands for here; null: it is on no list.
   * @type {import("../types.js").Lookup}
   */
  lookup = (text, format) => {
    const data = this.read(text, format);
    const found = data.gtin ? indexOf(this.snapshot).codes.get(data.gtin) : undefined;
    return found ? { gtin: found.product.gtin, units: found.units, lot: data.lot, expiry: data.expiry } : null;
  };

  /**
   * @param {string} gtin 14 digits, of the base unit
   * @returns {ProductView | null}
   */
  product(gtin) {
    const kept = this.#views.get(gtin), product = this.#products.get(gtin);
    if (kept || !product) return kept ?? null;
    const view = this.#view(product);
    this.#views.set(gtin, view);
    return view;
  }

  /** All products, as the snapshot lists them. */
  products() {
    return [...this.#products.keys()].flatMap((gtin) => this.product(gtin) ?? []);
  }

  /**
   * What stands in a place, by product, nearest expiry first. A place may be named by its beginning (`A`, `A-01`).
   * @param {string} location
   * @returns {Standing[]}
   */
  at(location) {
    const { places } = indexOf(this.snapshot);
    const named = [...new Set([...places.keys(), ...this.#places.keys()])].filter((place) => !location || isWithin(place, location));
    return named.flatMap((place) => {
      const gtins = new Set([...(places.get(place) ?? []), ...(this.#places.get(place) ?? [])]);
      return [...gtins].flatMap((gtin) => this.#standings(gtin, place));
    });
  }

  /** @param {string} gtin @param {string} place @returns {Standing[]} */
  #standings(gtin, place) {
    const product = this.product(gtin);
    return (product?.batches ?? []).flatMap((batch) =>
      batch.cells
        .filter((cell) => cell.location === place && cell.free + cell.held + cell.inspection > 0)
        .map((cell) => ({ product: /** @type {ProductView} */ (product), batch, cell })),
    );
  }

  /**
   * Batches that have stock and whose colour is at least `least`, nearest expiry first.
   * @param {Level} [least]
   * @param {string} [location] only there
   * @returns {Standing[]}
   */
  expiring(least = "warn", location = "") {
    const rank = LEVELS.indexOf(least);
    return this.at(location)
      .filter(({ batch }) => LEVELS.indexOf(batch.level) >= rank && batch.level !== "none")
      .sort((a, b) => order(a.batch.expiry, b.batch.expiry) || order(a.cell.location, b.cell.location));
  }

  /**
   * What `counted.expected` must say: all units of a batch in a place, whatever their state.
   * @param {import("./types.js").BatchKey} batch
   * @param {string} location
   */
  expected(batch, location) {
    const found = this.product(batch.gtin)?.batches.find((each) => each.lot === batch.lot && each.supplier === batch.supplier);
    const cell = found?.cells.find((each) => each.location === location);
    return cell ? cell.free + cell.held + cell.inspection : 0;
  }

  /**
   * True where the planogram wants the product, but elsewhere.
   * @param {string} gtin
   * @param {string} location
   */
  misplaced(gtin, location) {
    const places = this.#products.get(gtin)?.places ?? [];
    return places.length > 0 && location !== "" && !places.some((place) => isWithin(location, place) || isWithin(place, location));
  }

  /**
   * Products that the planogram wants in a place and that are not there.
   * @param {string} location
   * @returns {ProductView[]}
   */
  missing(location) {
    const here = new Set(this.at(location).map((each) => each.product.gtin));
    return this.products().filter((each) => !here.has(each.gtin) && each.places.some((place) => isWithin(place, location)));
  }

  /**
   * Products whose name, number or code has all the words, at most `most`.
   * @param {string} text
   * @param {number} [most]
   * @returns {ProductView[]}
   */
  search(text, most = 50) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean), found = [];
    if (!words.length) return [];
    for (const product of this.#products.values()) {
      const said = `${product.name} ${product.sku} ${product.codes.map((code) => code.gtin).join(" ")}`.toLowerCase();
      const view = words.every((word) => said.includes(word)) ? this.product(product.gtin) : null;
      if (view) found.push(view);
      if (found.length === most) break;
    }
    return found;
  }

  /** Places that a person may stand at, in walking order. */
  get locations() {
    return this.snapshot.locations;
  }

  /** @param {Product} product @returns {ProductView} */
  #view(product) {
    const batches = product.batches.map((batch) => this.#batch(product, batch)).sort((a, b) => order(a.expiry, b.expiry));
    const standing = batches.filter((batch) => batch.free + batch.held + batch.inspection > 0);
    const nearest = standing.find((batch) => batch.expiry);
    const ids = new Set(batches.flatMap((batch) => batch.holds));
    const free = sum(batches, "free"), held = sum(batches, "held"), inspection = sum(batches, "inspection");
    return {
      ...product,
      batches,
      suppliers: product.suppliers.map((id) => this.suppliers.get(id) ?? { id, name: id, contact: "", phone: "", email: "" }),
      holds: [...ids].flatMap((id) => this.holds.get(id) ?? []),
      tickets: [...this.tickets.values()].filter((ticket) => ticket.gtins.includes(product.gtin)),
      free, held, inspection, total: free + held + inspection,
      level: nearest?.level ?? "none",
      days: nearest?.days ?? null,
      expiry: nearest?.expiry ?? "",
      pending: this.#pending.get(product.gtin) ?? 0,
    };
  }

  /** @param {Product} product @param {import("../types.js").Batch} batch @returns {BatchView} */
  #batch(product, batch) {
    return {
      ...batch,
      gtin: product.gtin,
      level: levelOf(batch.expiry, this.today, product.limits ?? this.snapshot.limits),
      days: batch.expiry ? daysBetween(this.today, batch.expiry) : null,
      free: sum(batch.cells, "free"),
      held: sum(batch.cells, "held"),
      inspection: sum(batch.cells, "inspection"),
    };
  }
}

/**
 * True where `place` is `area` or lies in it: `A-01-1` in `A-01` and `A`, not in `A-0`.
 * @param {string} place
 * @param {string} area
 */
export const isWithin = (place, area) => place === area || (place.startsWith(area) && /^[^\p{L}\p{N}]/u.test(place.slice(area.length)));

/** @param {string} gtin @returns {Product} */
const unlisted = (gtin) => ({ gtin, name: "", unit: "", sku: "", codes: [{ gtin, units: 1 }], suppliers: [], price: null, reorder: null, places: [], batches: [] });

/** Dates and names as text; nothing comes last. @param {string} a @param {string} b */
const order = (a, b) => (a === b ? 0 : !a ? 1 : !b ? -1 : a < b ? -1 : 1);

/** @template {string} K @param {Record<K, number>[]} items @param {K} name */
const sum = (items, name) => items.reduce((total, item) => total + item[name], 0);
