// What a person may ask by voice at the shelf: a closed list. Nothing here touches the page.

/** @typedef {"all" | "expiring" | "expired" | "held" | "misplaced" | "reorder" | "tickets"} Filter */
/** @typedef {"look" | "count" | "find" | "expiry" | "freeze" | "photo"} Mode */
/** @typedef {"" | "piece" | "carton"} CountUnit empty: none was said, the page's own unit holds */

/**
 * `place` is a location ("A-01-1"), or the beginning that several share ("A", "A-01"); empty: not said.
 * `gtin` empty: the code that is chosen on the page.
 * `within` days at most until expiry; null: the site's own limits.
 * @typedef {{ name: "show", filter: Filter, place: string, within: number | null }} ShowIntent
 * @typedef {{ name: "find", gtin: string }} FindIntent
 * @typedef {{ name: "count", quantity: number, unit: CountUnit, gtin: string }} CountIntent
 * @typedef {{ name: "freeze", gtin: string }} FreezeIntent
 * @typedef {{ name: "card", gtin: string }} CardIntent
 * @typedef {{ name: "mode", mode: Mode }} ModeIntent
 * @typedef {{ name: "place", place: string }} PlaceIntent
 * @typedef {{ name: "torch", on: boolean }} TorchIntent
 * @typedef {{ name: "next" | "back" | "read" | "undo" | "cancel" | "yes" | "no" | "help" }} PlainIntent
 * @typedef {ShowIntent | FindIntent | CountIntent | FreezeIntent | CardIntent | ModeIntent | PlaceIntent | TorchIntent | PlainIntent} Intent
 */

/** @typedef {"en" | "zh"} Language */

/**
 * What the page knows while somebody speaks. The lists are indexed once for as long as they are the
 * same arrays: hand over the same ones until the stock changes. `asking`: a question that takes yes or no stands open.
 * @typedef {object} Context
 * @property {string[]} places every location, as the snapshot lists them
 * @property {Record<string, string>} words the site's own names of places (snapshot.words)
 * @property {{ gtin: string, name: string }[]} products
 * @property {string} selected gtin of the chosen code, empty where none is chosen
 * @property {boolean} asking
 */

/**
 * What was understood. Only `intent` does anything: `offers` are what it may have been (ambiguous), or
 * what a part of it says (unknown, may be empty); `unchosen` wants a code to be tapped first.
 * @typedef {{ kind: "intent", intent: Intent, heard: string }} Understood
 * @typedef {{ kind: "ambiguous", offers: Intent[], heard: string }} Ambiguous
 * @typedef {{ kind: "unknown", offers: Intent[], heard: string }} Unknown
 * @typedef {{ kind: "unchosen", intent: Intent, heard: string }} Unchosen
 * @typedef {Understood | Ambiguous | Unknown | Unchosen} Parse
 */

const CHANGES = new Set(["count", "freeze", "undo"]);

/**
 * Whether the intent writes into the log: it is asked before it is done.
 * @param {Intent} intent
 */
export function changes(intent) {
  return CHANGES.has(intent.name);
}
