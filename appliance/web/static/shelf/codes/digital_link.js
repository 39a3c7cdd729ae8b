// GS1 Digital Link URIs (GS1 Digital Link Standard: URI Syntax), uncompressed. Pure.

import { AIS } from "./ai_table.js";
import { isValid } from "./elements.js";
import { normaliseGtin } from "./keys.js";

/** Primary keys, with the qualifiers that may follow each in the path, in this order. @type {ReadonlyMap<string, readonly (readonly string[])[]>} */
const KEYS = new Map([
  ["00", [[]]], ["01", [["22", "10", "21"], ["235"]]], ["253", [[]]], ["255", [[]]], ["401", [[]]], ["402", [[]]],
  ["414", [["254"], ["7040"]]], ["415", [["8020"]]], ["417", [["7040"]]], ["8003", [[]]], ["8004", [["7040"]]],
  ["8006", [["22", "10", "21"]]], ["8010", [["8011"]]], ["8013", [[]]], ["8017", [["8019"]]], ["8018", [["8019"]]],
]);
/** Words that stood for numbers in earlier releases. @type {Readonly<Record<string, string>>} */
const WORDS = { sscc: "00", gtin: "01", cpv: "22", lot: "10", ser: "21", gln: "414", glnx: "254", itip: "8006", grai: "8003", giai: "8004", gdti: "253", gcn: "255", cpid: "8010", cpsn: "8011" };
const URI = /^(?:http|https|HTTP|HTTPS):\/\/([\w.\-:[\]~%!$&'()*+,;=@]+?)(\/[^?#]*)(?:\?([^#]*))?(?:#.*)?$/;
const ALLOWED = /^[\w\-.~:/?#[\]@!$&'()*+,;=%]*$/;
const DOMAIN = /^(?:\[[\d.:A-Fa-f]+\]|[\w.\-]+)(?::\d+)?$/;

/** @param {string} text @param {boolean} [query] @returns {string | null} */
function unescaped(text, query = false) {
  try {
    return decodeURIComponent(query ? text.replaceAll("+", " ") : text);
  } catch {
    return null;
  }
}

/**
 * An AI's data as its element string has it: a GTIN with 14 digits.
 * @param {string} ai
 * @param {string} data
 */
const full = (ai, data) => (ai === "01" || ai === "02" ? normaliseGtin(data) || data : data);

/**
 * What a path's last parts say: a key and its qualifiers. Null where they are none.
 * @param {string[]} parts
 * @returns {[string, string][] | null}
 */
function keyed(parts) {
  if (!parts.length || parts.length % 2) return null;
  /** @type {[string, string][]} */
  const pairs = [];
  for (let at = 0; at < parts.length; at += 2) {
    const named = parts[at] ?? "";
    const data = unescaped(parts[at + 1] ?? "");
    const ai = Object.hasOwn(WORDS, named) ? /** @type {string} */ (WORDS[named]) : named;
    if (!AIS.has(ai) || data === null || !isValid(ai, full(ai, data))) return null;
    pairs.push([ai, full(ai, data)]);
  }
  const rest = pairs.slice(1).map(([ai]) => ai);
  const orders = KEYS.get(pairs[0]?.[0] ?? "");
  const fits = orders?.some((order) => rest.every((ai, at) => order.indexOf(ai) > (at ? order.indexOf(rest[at - 1] ?? "") : -1)));
  return fits ? pairs : null;
}

/**
 * The elements of a Digital Link URI; null for any other text. Of several ways to read a path the
 * one with its key furthest to the left that fits to the end counts.
 * @param {string} text
 * @returns {Map<string, string> | null}
 */
export function digitalLink(text) {
  const found = ALLOWED.test(text) ? URI.exec(text) : null;
  if (!found || !DOMAIN.test(found[1] ?? "")) return null;
  const parts = (found[2] ?? "").slice(1).split("/");
  if (parts.at(-1) === "") parts.pop();
  const starts = [...parts.keys()].filter((at) => (parts.length - at) % 2 === 0).reverse();
  const pairs = starts.map((at) => keyed(parts.slice(at))).find((each) => each !== null);
  if (!pairs) return null;
  const elements = new Map(pairs);
  const qualifiers = new Set(KEYS.get(pairs[0]?.[0] ?? "")?.flat());
  for (const pair of (found[3] ?? "").split(/[&;]/)) {
    const cut = pair.indexOf("=");
    const ai = cut < 0 ? pair : pair.slice(0, cut);
    if (!/^\d{2,4}$/.test(ai)) continue;
    const value = cut < 0 ? null : unescaped(pair.slice(cut + 1), true);
    if (value === null || !AIS.has(ai)) return null;
    const data = full(ai, value);
    // What qualifies the key belongs in the path; an element is said once.
    if (!isValid(ai, data) || elements.has(ai) || qualifiers.has(ai)) return null;
    elements.set(ai, data);
  }
  return elements;
}
