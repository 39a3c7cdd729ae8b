// What a code says: a product's number, a GS1 element string, a Digital Link, or a text of the house
// (GS1 General Specifications, release 26). Pure. Never throws: what cannot be told apart is a text.

import { digitalLink } from "./digital_link.js";
import { bracketed, dateOf, elements } from "./elements.js";
import { expandUpcE, hasCheckDigit, normaliseGtin } from "./keys.js";

export { dateOf, elements } from "./elements.js";
export { digitalLink } from "./digital_link.js";
export { checkDigit, expandUpcE, hasCheckDigit, normaliseGtin } from "./keys.js";

/** @typedef {import("../types.js").CodeData} CodeData */

/** @type {CodeData} */
const NOTHING = Object.freeze({ gtin: "", lot: "", expiry: "", serial: "", sscc: "", quantity: null, location: "", kind: "text" });
/** Codes that carry nothing but a GTIN. */
const RETAIL = /^(ean|upc|itf|isbn)/;
/** Codes that hold element strings and nothing else. */
const PROMISED = /^(gs1|databar)/;

/** @param {string} gtin @returns {CodeData} */
const product = (gtin) => ({ ...NOTHING, gtin, kind: "ean" });

/**
 * What elements say. The expiry is that of AI 17, else best before (15), sell by (16) or the day of
 * expiry with its time (7003); a place is AI 254 below its 414, else the GLN itself.
 * @param {ReadonlyMap<string, string>} found
 * @param {"gs1" | "digital-link"} kind
 * @param {number} [year]
 * @returns {CodeData}
 */
function said(found, kind, year) {
  const get = (/** @type {string} */ ai) => found.get(ai) ?? "";
  const gtin = get("01") || get("02") || get("03") || get("8006").slice(0, 14) || get("8026").slice(0, 14);
  const dated = get("17") || get("15") || get("16") || get("7003").slice(0, 6);
  const count = get("37") || get("30");
  const sscc = get("00");
  return {
    gtin,
    lot: get("10"),
    expiry: dated ? dateOf(dated, year) : "",
    serial: get("21"),
    sscc,
    quantity: count ? Number(count) : null,
    location: get("254") || get("414"),
    kind: sscc && !gtin ? "sscc" : kind,
  };
}

/**
 * What a code says, by its text and the decoder's name for its symbology ("EAN13", "UPCE", "ITF14",
 * "Code128", "QRCode", "DataBarExp", and "GS1-128", "GS1QRCode", "GS1DataMatrix" where the symbol
 * itself promises element strings). FNC1 is GS (0x1D), or the AIs stand in brackets.
 *
 * A symbol that promises element strings and breaks their rules says nothing (`kind` "text"); one
 * that promises nothing is one where its whole text follows them, beginning with AI 00, 01 or 02.
 * @param {string} text
 * @param {string} [format]
 * @param {number} [year] this year, by which centuries are told
 * @returns {CodeData} of a text all fields are empty
 */
export function readCode(text, format = "", year = undefined) {
  const name = format.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (name.startsWith("upce") && text.length < 12) return productOr(expandUpcE(text));
  if (RETAIL.test(name)) return productOr(text);
  const link = digitalLink(text);
  if (link) return said(link, "digital-link", year);
  if (text.startsWith("(")) return orText(bracketed(text), year);
  if (PROMISED.test(name) || /^\](C1|d2|Q3|e0|J1)|\x1d/.test(text)) {
    // DataBar that is not expanded may be told by its GTIN alone.
    return /^\d{14}$/.test(text) && name.startsWith("databar") ? productOr(text) : orText(elements(text), year);
  }
  if (/^0[012]\d{14}/.test(text)) {
    const found = elements(text);
    if (found) return said(found, "gs1", year);
  }
  // People print a product's number as any code. Eight digits alone are too few to be sure.
  return /^\d{12,14}$/.test(text) && hasCheckDigit(text) ? productOr(text) : NOTHING;
}

/** @param {string} digits */
function productOr(digits) {
  const gtin = normaliseGtin(digits);
  return gtin ? product(gtin) : NOTHING;
}

/** @param {ReadonlyMap<string, string> | null} found @param {number | undefined} year */
const orText = (found, year) => (found ? said(found, "gs1", year) : NOTHING);
